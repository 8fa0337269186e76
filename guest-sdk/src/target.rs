//! What the host found out about the target before the run. It never changes: ask once, in [`open`](crate::Plugin::open), and
//! remember what is needed.

use serde_json::Value;

pub use crate::bindings::pmcp::loadtest::target::{
    PromptArgument, PromptInfo, ResourceInfo, ServerInfo, ToolInfo,
};
use crate::{Error, imports};

/// The server, by its own account.
pub fn server() -> ServerInfo {
    imports::server()
}

/// The names of the tools, in the server's order. Cheap, where there are many and one is needed.
pub fn tool_names() -> Vec<String> {
    imports::tool_names()
}

/// The tool of this name; `None` where the server has none.
pub fn tool(name: &str) -> Option<ToolInfo> {
    imports::get_tool(name)
}

/// All tools, in the server's order.
pub fn tools() -> Vec<ToolInfo> {
    tool_names().iter().filter_map(|name| tool(name)).collect()
}

/// The resources, in the server's order.
pub fn resources() -> Vec<ResourceInfo> {
    imports::resources()
}

/// The resource templates, in the server's order.
pub fn resource_templates() -> Vec<ResourceInfo> {
    imports::resource_templates()
}

/// The prompts, in the server's order.
pub fn prompts() -> Vec<PromptInfo> {
    imports::prompts()
}

/// Arguments that fit the tool's input schema, as JSON text for [`Step::call_text`](crate::Step::call_text); the same for the same
/// seed. The host makes them, which is the cheapest way; an error says why there are none.
pub fn generate_arguments(tool: &str, seed: u64) -> Result<String, Error> {
    imports::generate_arguments(tool, seed).map_err(Error::from)
}

impl ToolInfo {
    /// The input schema, parsed; an error where the server sent what is no JSON.
    pub fn schema(&self) -> Result<Value, Error> {
        Ok(serde_json::from_str(&self.input_schema)?)
    }

    /// Whether an annotation such as `readOnlyHint` is given and true.
    pub fn hints(&self, annotation: &str) -> bool {
        let annotations: Value = serde_json::from_str(&self.annotations).unwrap_or_default();
        annotations.get(annotation).and_then(Value::as_bool).unwrap_or(false)
    }
}
