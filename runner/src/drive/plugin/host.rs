//! What a guest can see and do: the target as it was found, random numbers, a log. Nothing here waits, and nothing tells the time.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use wasmtime::{ResourceLimiter, Result};

use super::bindings::{host, target, types};
use crate::judge::LogLevel;
use crate::plan::discovery::{Annotations, Discovery, Resource, ResourceTemplate};
use pmcp_loadtest_arguments::Draws;
use pmcp_loadtest_arguments::{Options, generate_arguments};

/// Longest log line or message that is kept, characters.
const LONGEST_MESSAGE: usize = 1000;
/// Bytes of an entry of a table.
const TABLE_ENTRY: usize = size_of::<usize>();
/// Most core instances, tables and memories of one instance of a plugin: far more than a toolchain makes, and few enough that they
/// do not use up the maps that this process may have.
const MOST_INSTANCES: usize = 1000;
const MOST_TABLES: usize = 100;
const MOST_MEMORIES: usize = 10;
/// Log lines of one call that are kept until the call is over.
const LINES_PER_CALL: usize = 100;

/// One store's data.
#[derive(Debug)]
pub(super) struct HostState {
    target: Arc<TargetFacts>,
    /// The stream behind `random-u64`; that of the present iteration.
    pub(super) random: Draws,
    memory: Memory,
    /// What the guest said just before it trapped.
    pub(super) last_words: Option<String>,
    /// What was logged during the present call.
    pub(super) log: Vec<(LogLevel, String)>,
    /// Lines beyond those.
    pub(super) further_lines: u64,
    #[cfg(feature = "wasi")]
    pub(super) system: super::wasi::System,
}

/// How much memory an instance has, may have, and whether it asked for more.
#[derive(Debug)]
struct Memory {
    used: usize,
    limit: usize,
    refused: bool,
}

impl HostState {
    pub(super) fn new(target: Arc<TargetFacts>, memory_limit: u64) -> Self {
        Self {
            target,
            random: Draws::new(0, 0, 0),
            memory: Memory {
                used: 0,
                limit: usize::try_from(memory_limit).unwrap_or(usize::MAX),
                refused: false,
            },
            last_words: None,
            log: Vec::new(),
            further_lines: 0,
            #[cfg(feature = "wasi")]
            system: super::wasi::System::new(),
        }
    }

    /// A call begins: what was said or refused in an earlier one does not explain how this one ends.
    pub(super) fn begin_call(&mut self) {
        self.last_words = None;
        self.memory.refused = false;
    }

    /// How much memory the instance has, bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory.used
    }

    /// Whether the guest asked for more memory than it may have since the call began.
    pub(super) fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.memory.refused)
    }
}

impl ResourceLimiter for HostState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let used = self.memory.used.saturating_add(desired.saturating_sub(current));
        let granted = used <= self.memory.limit;
        if granted {
            self.memory.used = used;
        }
        self.memory.refused |= !granted;
        Ok(granted)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // Tables are memory, too, however many of them share it out.
        let bytes = |entries: usize| entries.saturating_mul(TABLE_ENTRY);
        self.memory_growing(bytes(current), bytes(desired), maximum.map(bytes))
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}

/// A text as it is kept: on one line, and not longer than a person reads.
pub(super) fn shortened(text: &str) -> String {
    let mut kept: String =
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect();
    if text.trim().chars().nth(LONGEST_MESSAGE).is_some() {
        kept.push('…');
    }
    kept
}

/// Whether a text holds what moves a terminal's cursor or begins another line.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

impl host::Host for HostState {
    fn log(&mut self, level: host::Level, message: String) {
        if self.log.len() >= LINES_PER_CALL {
            self.further_lines += 1;
            return;
        }
        let level = match level {
            host::Level::Error => LogLevel::Error,
            host::Level::Warn => LogLevel::Warn,
            host::Level::Info => LogLevel::Info,
            host::Level::Debug => LogLevel::Debug,
            host::Level::Trace => LogLevel::Trace,
        };
        self.log.push((level, shortened(&message)));
    }

    fn panicked(&mut self, message: String, location: String) {
        self.last_words = Some(format!("{} ({})", shortened(&message), shortened(&location)));
    }

    fn random_u64(&mut self) -> u64 {
        self.random.next_u64()
    }

    fn random_f64(&mut self) -> f64 {
        // The 53 bits that a double holds exactly.
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn supports(&mut self, _feature: String) -> bool {
        // Nothing was added since 0.1.
        false
    }
}

impl types::Host for HostState {}

impl target::Host for HostState {
    fn server(&mut self) -> target::ServerInfo {
        self.target.server.clone()
    }

    fn tool_names(&mut self) -> Vec<String> {
        self.target.tools.iter().map(|tool| tool.name.clone()).collect()
    }

    fn get_tool(&mut self, name: String) -> Option<target::ToolInfo> {
        self.target.tool(&name).map(|(tool, _)| tool.clone())
    }

    fn resources(&mut self) -> Vec<target::ResourceInfo> {
        self.target.resources.clone()
    }

    fn resource_templates(&mut self) -> Vec<target::ResourceInfo> {
        self.target.resource_templates.clone()
    }

    fn prompts(&mut self) -> Vec<target::PromptInfo> {
        self.target.prompts.clone()
    }

    fn generate_arguments(&mut self, tool: String, seed: u64) -> std::result::Result<String, String> {
        let (_, schema) =
            self.target.tool(&tool).ok_or_else(|| format!("the target has no tool `{tool}`"))?;
        generate_arguments(schema, &mut Draws::new(seed, 0, 0), Options::default())
            .map(|arguments| Value::Object(arguments).to_string())
            .map_err(|error| error.to_string())
    }
}

/// The target as guests see it; made once per run.
#[derive(Debug)]
pub(super) struct TargetFacts {
    server: target::ServerInfo,
    tools: Vec<target::ToolInfo>,
    schemas: Vec<Value>,
    by_name: HashMap<String, usize>,
    resources: Vec<target::ResourceInfo>,
    resource_templates: Vec<target::ResourceInfo>,
    prompts: Vec<target::PromptInfo>,
}

impl TargetFacts {
    /// What was found out about the target.
    pub(super) fn new(discovery: &Discovery) -> Self {
        let server = discovery.server.as_ref();
        let by_name = discovery.tools.iter().enumerate().map(|(index, tool)| (tool.name.clone(), index));
        Self {
            server: target::ServerInfo {
                name: server.map(|server| server.name.clone()).unwrap_or_default(),
                version: server.map(|server| server.version.clone()).unwrap_or_default(),
                protocol: discovery.revision.to_string(),
                capabilities: discovery.capabilities.to_string(),
                instructions: discovery.instructions.clone(),
            },
            tools: discovery.tools.iter().map(tool_info).collect(),
            schemas: discovery.tools.iter().map(|tool| tool.input_schema.clone()).collect(),
            by_name: by_name.collect(),
            resources: discovery.resources.iter().map(resource_info).collect(),
            resource_templates: discovery.resource_templates.iter().map(template_info).collect(),
            prompts: discovery.prompts.iter().map(prompt_info).collect(),
        }
    }

    /// No target: what `describe` may see.
    pub(super) fn unknown() -> Arc<Self> {
        Arc::new(Self {
            server: target::ServerInfo {
                name: String::new(),
                version: String::new(),
                protocol: String::new(),
                capabilities: "{}".to_owned(),
                instructions: None,
            },
            tools: Vec::new(),
            schemas: Vec::new(),
            by_name: HashMap::new(),
            resources: Vec::new(),
            resource_templates: Vec::new(),
            prompts: Vec::new(),
        })
    }

    fn tool(&self, name: &str) -> Option<(&target::ToolInfo, &Value)> {
        let index = *self.by_name.get(name)?;
        Some((&self.tools[index], &self.schemas[index]))
    }
}

fn tool_info(tool: &crate::plan::discovery::Tool) -> target::ToolInfo {
    target::ToolInfo {
        name: tool.name.clone(),
        title: tool.title.clone(),
        description: tool.description.clone(),
        input_schema: tool.input_schema.to_string(),
        output_schema: tool.output_schema.as_ref().map(Value::to_string),
        annotations: hints(tool.annotations).to_string(),
    }
}

/// The hints that the server gave, under their names on the wire.
fn hints(annotations: Annotations) -> Value {
    let Annotations { read_only, destructive, idempotent, open_world } = annotations;
    let hints = [
        ("readOnlyHint", read_only),
        ("destructiveHint", destructive),
        ("idempotentHint", idempotent),
        ("openWorldHint", open_world),
    ];
    let given = hints.into_iter().filter_map(|(name, hint)| Some((name.to_owned(), json!(hint?))));
    Value::Object(given.collect())
}

fn resource_info(resource: &Resource) -> target::ResourceInfo {
    target::ResourceInfo {
        uri: resource.uri.clone(),
        name: resource.name.clone(),
        description: resource.description.clone(),
        mime_type: resource.mime_type.clone(),
    }
}

fn template_info(template: &ResourceTemplate) -> target::ResourceInfo {
    target::ResourceInfo {
        uri: template.uri_template.clone(),
        name: template.name.clone(),
        description: template.description.clone(),
        mime_type: template.mime_type.clone(),
    }
}

fn prompt_info(prompt: &crate::plan::discovery::Prompt) -> target::PromptInfo {
    let argument = |argument: &crate::plan::discovery::PromptArgument| target::PromptArgument {
        name: argument.name.clone(),
        description: argument.description.clone(),
        required: argument.required,
    };
    target::PromptInfo {
        name: prompt.name.clone(),
        description: prompt.description.clone(),
        arguments: prompt.arguments.iter().map(argument).collect(),
    }
}
