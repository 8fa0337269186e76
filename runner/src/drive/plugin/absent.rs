//! What stands in the place of plugins in a build without them: nothing, and a sentence for whoever asks for one.

use std::rc::Rc;
use std::sync::Arc;

use super::context::Context;
use super::protocol::template::Dialect;
use super::script::steps::ToolHeaders;
use super::series::SeriesRegistry;
use crate::error::{Error, ExitCode};
use crate::judge::{PluginFacts, RetiredPlugin};
use crate::plan::discovery::Discovery;
use crate::plan::{Plan, Script};

/// No plugins.
#[derive(Debug)]
pub(crate) struct Candidates;

/// No plugins.
#[derive(Debug)]
pub(crate) struct Plugins {
    pub(crate) all: Vec<Arc<Plugin>>,
}

/// There are none.
#[derive(Debug)]
pub(crate) enum Plugin {}

/// There are none.
#[derive(Debug)]
pub(crate) enum Guests {}

/// There are none.
#[derive(Debug)]
pub(crate) enum Guest {}

/// There is nothing to watch.
#[derive(Debug, Clone)]
pub(crate) enum Watcher {}

impl Candidates {
    /// # Errors
    /// [`ExitCode::Usage`] where the plan has a plugin.
    pub(crate) fn load(plan: &Plan) -> Result<Self, Error> {
        let plugin = plan.scenarios.iter().find_map(|scenario| match &scenario.script {
            Script::Plugin(plugin) => Some(plugin),
            Script::Steps(_) => None,
        });
        plugin.map_or(Ok(Self), |plugin| {
            Err(Error::new(ExitCode::Usage, "this build runs no plugins")
                .at(plugin.file.display().to_string())
                .advise("build it with the cargo feature `plugins`, which is on by default"))
        })
    }

    #[expect(clippy::unused_self, reason = "the signature of the build with plugins")]
    pub(crate) fn are_there(&self) -> bool {
        false
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the signature of the build with plugins"
    )]
    pub(crate) fn attach(
        self,
        _plan: &Plan,
        _discovery: &Discovery,
        _dialect: Dialect,
        _headers: &ToolHeaders,
        _dropped: &[(String, String)],
        _series: &Arc<SeriesRegistry>,
    ) -> Result<Plugins, Error> {
        Ok(Plugins { all: Vec::new() })
    }
}

#[expect(clippy::unused_self, reason = "the signatures of the build with plugins")]
impl Plugins {
    pub(crate) fn facts(&self) -> Vec<PluginFacts> {
        Vec::new()
    }

    pub(crate) fn retired(&self) -> Vec<RetiredPlugin> {
        Vec::new()
    }

    pub(crate) fn stop(&self) -> Option<(String, String)> {
        None
    }

    pub(crate) fn failure(&self) -> String {
        String::new()
    }
}

impl Plugin {
    pub(crate) fn given_up(&self) -> Option<&str> {
        match *self {}
    }
}

impl Guests {
    #[expect(clippy::needless_pass_by_value, reason = "the signature of the build with plugins")]
    pub(crate) fn new(plugin: Arc<Plugin>, _context: Rc<Context>, _watcher: Option<Watcher>) -> Rc<Self> {
        match *plugin {}
    }

    pub(crate) fn has_given_up(&self) -> bool {
        match *self {}
    }
}
