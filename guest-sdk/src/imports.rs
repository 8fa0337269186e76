//! What a plugin can ask of its host: the component's imports, or in a test the rehearsal's.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::pmcp::loadtest::{
    host::{log, panicked, supports},
    target::{generate_arguments, get_tool, prompts, resource_templates, resources, server, tool_names},
};

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::imports::{
    generate_arguments, get_tool, log, panicked, prompts, resource_templates, resources, server, supports,
    tool_names,
};
