//! What the conformance suite expects of a server; none of it is here yet.
use super::tools::{Arguments, Tool};
use crate::protocol::dispatch::Stop;
use crate::protocol::exchange::Exchange;
use crate::protocol::rpc::Call;
use serde_json::{Map, Value};

#[derive(Debug, Clone, Copy)]
pub(crate) enum FixtureTool {}
impl FixtureTool {
    pub(crate) async fn run(self, _: &mut Exchange<'_, '_>, _: &Arguments, _: &Call) -> Result<Value, Stop> {
        match self {}
    }
}
pub(crate) fn tools() -> Vec<Tool> {
    Vec::new()
}
pub(crate) fn resources() -> Vec<Value> {
    Vec::new()
}
pub(crate) fn templates() -> Vec<Value> {
    Vec::new()
}
pub(crate) fn prompts() -> Vec<Value> {
    Vec::new()
}
pub(crate) fn read(_: &str) -> Option<Value> {
    None
}
pub(crate) fn prompt(_: &str, _: &Map<String, Value>, _: &Map<String, Value>) -> Option<Value> {
    None
}
