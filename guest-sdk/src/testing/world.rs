//! What a plugin finds in a rehearsal.

use crate::host::Level;
use crate::target::{PromptInfo, ResourceInfo, ServerInfo, ToolInfo};

/// The target and the log of a rehearsal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct World {
    /// The server.
    pub server: ServerInfo,
    /// Its tools.
    pub tools: Vec<ToolInfo>,
    /// Its resources.
    pub resources: Vec<ResourceInfo>,
    /// Its resource templates.
    pub resource_templates: Vec<ResourceInfo>,
    /// Its prompts.
    pub prompts: Vec<PromptInfo>,
    /// What the host knows beyond version 0.1 of the interface.
    pub features: Vec<String>,
    /// What was logged.
    pub log: Vec<(Level, String)>,
}

impl Default for World {
    fn default() -> Self {
        let server = ServerInfo {
            name: "rehearsal".to_owned(),
            version: "0.0.0".to_owned(),
            protocol: "2025-11-25".to_owned(),
            capabilities: "{}".to_owned(),
            instructions: None,
        };
        Self {
            server,
            tools: Vec::new(),
            resources: Vec::new(),
            resource_templates: Vec::new(),
            prompts: Vec::new(),
            features: Vec::new(),
            log: Vec::new(),
        }
    }
}
