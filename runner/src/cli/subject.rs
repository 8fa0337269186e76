//! What is to be loaded: the plan that file, flags, library and environment come to, and what it takes to begin.

use pmcp_loadtest_demo_server::{DemoServer, Script};

use super::flags::SubjectFlags;
use super::locate;
use super::scenarios::unknown as unknown_scenario;
use crate::error::{Error, ExitCode};
use crate::judge::wording;
use crate::plan::config::{Overrides, Resolved, resolve};
use crate::plan::{Plan, Script as PlanScript, library};

/// The calling thread's runtime: for what is not load.
///
/// # Errors
/// [`ExitCode::Internal`] where the platform refuses.
pub(super) fn control_runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ExitCode::Internal, "cannot start the runtime").because(error))
}

/// Starts the demo server of `--demo`.
///
/// # Errors
/// [`ExitCode::Internal`] where there is no port left.
pub(super) fn start_demo() -> Result<DemoServer, Error> {
    DemoServer::start(Script::default())
        .map_err(|error| Error::new(ExitCode::Internal, "cannot start the demo server").because(error))
}

/// Finds out what to run: a file, a scenario of the library, or a plugin. `overrides` is all that the flags say.
///
/// # Errors
/// [`ExitCode::Usage`] with every mistake that was found.
pub(super) fn resolve_plan(
    flags: &SubjectFlags,
    mut overrides: Overrides,
    demo: Option<&DemoServer>,
) -> Result<Resolved, Error> {
    if let Some(demo) = demo {
        let url = demo.url();
        overrides.url = Some(url.parse().map_err(|error| {
            Error::new(ExitCode::Internal, format!("the demo server's URL `{url}` is none")).because(error)
        })?);
    }
    let environment = |key: &str| std::env::var(key).ok();
    // The demo is no business of the file that happens to lie nearest.
    let alone = demo.is_some() && flags.config.is_none();
    let from_library = match flags.scenarios.as_slice() {
        [name] => library::find(name),
        [] if alone && flags.plugin.is_none() => library::find("quickstart"),
        _ => None,
    };
    let here = std::env::current_dir().unwrap_or_default();
    let nearest = || if alone && flags.plugin.is_some() { None } else { locate::nearest_config(&here) };
    let file = flags.config.clone().or_else(nearest);
    // A name of the library counts as one only where no file was named that may have a scenario of that name itself.
    if let Some(entry) = from_library.filter(|_| flags.config.is_none()) {
        overrides.scenarios.clear();
        return Ok(resolve(Some((entry.name, entry.text)), &overrides, &environment)?);
    }
    match file {
        Some(file) => {
            let text = locate::read(&file)?;
            let name = file.strip_prefix(&here).unwrap_or(&file).display().to_string();
            Ok(resolve(Some((&name, &text)), &overrides, &environment)?)
        }
        None => match flags.scenarios.first() {
            Some(name) => Err(unknown_scenario(name)),
            None => Ok(resolve(None, &overrides, &environment)?),
        },
    }
}

/// Size of a plugin from which compiling it takes so long that a person should know why nothing happens, bytes.
const SLOW_TO_LOAD: u64 = 4 << 20;

/// A line for each plugin that takes seconds to load where it was not compiled before.
pub(super) fn slow_to_load(plan: &Plan) -> Vec<String> {
    let plugins = plan.scenarios.iter().filter_map(|scenario| match &scenario.script {
        PlanScript::Plugin(plugin) => Some(&plugin.file),
        PlanScript::Steps(_) => None,
    });
    let large = plugins.filter_map(|file| {
        let bytes = std::fs::metadata(file).ok()?.len();
        let line = || {
            format!(
                "loading  {} ({}); the first time it is compiled, which takes seconds",
                file.display(),
                wording::bytes(bytes)
            )
        };
        (bytes >= SLOW_TO_LOAD).then(line)
    });
    large.collect()
}
