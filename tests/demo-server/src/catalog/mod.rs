//! What the server offers: tools, resources and prompts, to which the conformance suite's fixtures are added on demand.

mod completion;
mod fixtures;
pub(crate) mod page;
mod prompts;
mod resources;
mod schema;
pub(crate) mod tools;

use serde_json::{Map, Value};

use crate::protocol::rpc::RpcError;
use tools::Tool;

/// Everything on offer.
#[derive(Debug)]
pub(crate) struct Catalog {
    tools: Vec<Tool>,
    definitions: Vec<Value>,
    pub(crate) resources: Vec<Value>,
    pub(crate) templates: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
    conformance: bool,
}

impl Catalog {
    /// The demo's own offer, with the conformance suite's fixtures if asked for.
    pub(crate) fn new(conformance: bool) -> Self {
        let mut tools = tools::all();
        let mut resources = resources::list();
        let mut templates = resources::templates();
        let mut prompts = prompts::list();
        if conformance {
            tools.extend(fixtures::tools());
            resources.extend(fixtures::resources());
            templates.extend(fixtures::templates());
            prompts.extend(fixtures::prompts());
        }
        let definitions = tools.iter().map(|tool| tool.definition.clone()).collect();
        Self { tools, definitions, resources, templates, prompts, conformance }
    }

    /// The tools as `tools/list` gives them.
    pub(crate) fn tool_definitions(&self) -> &[Value] {
        &self.definitions
    }

    /// The tool of that name.
    pub(crate) fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The result of `resources/read`, if there is such a resource.
    pub(crate) fn read(&self, uri: &str) -> Option<Value> {
        resources::read(uri).or_else(|| self.conformance.then(|| fixtures::read(uri)).flatten())
    }

    /// The result of `prompts/get`.
    pub(crate) fn prompt(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        params: &Map<String, Value>,
    ) -> Result<Value, RpcError> {
        if self.conformance
            && let Some(result) = fixtures::prompt(name, arguments, params)
        {
            return Ok(result);
        }
        prompts::get(name, arguments)
    }

    /// The result of `completion/complete`.
    #[expect(
        clippy::unused_self,
        reason = "completions belong to the catalog, though every catalog has the same"
    )]
    pub(crate) fn complete(&self, params: &Map<String, Value>) -> Result<Value, RpcError> {
        completion::complete(params)
    }
}
