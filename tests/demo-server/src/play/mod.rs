//! The script being played: which fault and which delay falls on which request.

pub(crate) mod fault;
pub(crate) mod latency;
pub(crate) mod performance;

use serde::{Deserialize, Serialize};

/// Confines a rule to some requests; what is `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Only {
    /// JSON-RPC method.
    pub method: Option<String>,
    /// Tool or prompt name, or resource URI.
    #[serde(alias = "tool")]
    pub name: Option<String>,
}

impl Only {
    pub(crate) fn matches(&self, method: &str, name: Option<&str>) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.name.as_deref().is_none_or(|wanted| Some(wanted) == name)
    }
}
