//! The host's functions as a rehearsal answers them: from the [`World`] of the virtual user that is on stage on this thread.

use std::cell::RefCell;

use serde_json::Value;

use super::World;
use crate::Random;
use crate::host::Level;
use crate::schema::{self, Options};
use crate::target::{PromptInfo, ResourceInfo, ServerInfo, ToolInfo};

thread_local! {
    static STAGE: RefCell<World> = RefCell::new(World::default());
}

/// Calls `act` with `world` on stage, and gives the world back as it is then.
pub(crate) fn on_stage<R>(world: &mut World, act: impl FnOnce() -> R) -> R {
    STAGE.with_borrow_mut(|stage| std::mem::swap(stage, world));
    let result = act();
    STAGE.with_borrow_mut(|stage| std::mem::swap(stage, world));
    result
}

pub(crate) fn log(level: Level, message: &str) {
    STAGE.with_borrow_mut(|world| world.log.push((level, message.to_owned())));
}

/// In a test a panic is the test's own affair.
pub(crate) fn panicked(_message: &str, _location: &str) {}

pub(crate) fn supports(feature: &str) -> bool {
    STAGE.with_borrow(|world| world.features.iter().any(|known| known == feature))
}

pub(crate) fn server() -> ServerInfo {
    STAGE.with_borrow(|world| world.server.clone())
}

pub(crate) fn tool_names() -> Vec<String> {
    STAGE.with_borrow(|world| world.tools.iter().map(|tool| tool.name.clone()).collect())
}

pub(crate) fn get_tool(name: &str) -> Option<ToolInfo> {
    STAGE.with_borrow(|world| world.tools.iter().find(|tool| tool.name == name).cloned())
}

pub(crate) fn resources() -> Vec<ResourceInfo> {
    STAGE.with_borrow(|world| world.resources.clone())
}

pub(crate) fn resource_templates() -> Vec<ResourceInfo> {
    STAGE.with_borrow(|world| world.resource_templates.clone())
}

pub(crate) fn prompts() -> Vec<PromptInfo> {
    STAGE.with_borrow(|world| world.prompts.clone())
}

pub(crate) fn generate_arguments(tool: &str, seed: u64) -> Result<String, String> {
    let info = get_tool(tool).ok_or_else(|| format!("the target has no tool `{tool}`"))?;
    let schema = info.schema().map_err(|error| error.to_string())?;
    schema::arguments(&schema, &mut Random::new(seed), Options::default())
        .map(|arguments| Value::from(arguments).to_string())
        .map_err(|error| error.to_string())
}
