//! A run in small: one plugin, a made-up target, a virtual user at a time.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use pmcp_loadtest_arguments::Draws;
use serde::Serialize;
use serde_json::{Value, json};

use super::imports::on_stage;
use super::{Answer, User, World};
use crate::action::Action;
use crate::player::Setup;
use crate::target::ToolInfo;
use crate::{Error, Plugin, Step, wire};

/// The function that answers the steps of every virtual user of a rehearsal.
pub(super) type Answers = Rc<RefCell<dyn FnMut(&Step) -> Answer>>;

/// A run in small: one plugin, a made-up target, and a function that answers.
///
/// Without [`answers`](Self::answers) every step goes well and its result says nothing, save calls of a tool that the target does not
/// have, where it has any.
#[must_use]
pub struct Rehearsal<P> {
    config: Value,
    world: World,
    seed: u64,
    vus: u32,
    answers: Option<Answers>,
    plugin: PhantomData<fn() -> P>,
}

impl<P: Plugin> Rehearsal<P> {
    /// An empty configuration, seed 0, one virtual user, and a target without tools, resources or prompts.
    pub fn new() -> Self {
        Self {
            config: json!({}),
            world: World::default(),
            seed: 0,
            vus: 1,
            answers: None,
            plugin: PhantomData,
        }
    }

    /// The plugin's configuration.
    ///
    /// # Panics
    ///
    /// Where the value has no JSON form.
    pub fn config(mut self, config: impl Serialize) -> Self {
        self.config = serde_json::to_value(config).expect("a configuration has a JSON form");
        self
    }

    /// The target has a tool of this name and input schema.
    ///
    /// # Panics
    ///
    /// Where the schema has no JSON form.
    pub fn tool(mut self, name: impl Into<String>, input_schema: impl Serialize) -> Self {
        self.world.tools.push(ToolInfo {
            name: name.into(),
            title: None,
            description: None,
            input_schema: serde_json::to_string(&input_schema).expect("a schema has a JSON form"),
            output_schema: None,
            annotations: "{}".to_owned(),
        });
        self
    }

    /// Whatever else the plugin finds: resources, prompts, the server's name.
    pub fn world(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    /// The run's seed.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The largest number of virtual users of the run.
    pub fn vus(self, vus: u32) -> Self {
        Self { vus, ..self }
    }

    /// How the server answers. All virtual users of this rehearsal ask the same function.
    pub fn answers(mut self, answers: impl FnMut(&Step) -> Answer + 'static) -> Self {
        self.answers = Some(Rc::new(RefCell::new(answers)));
        self
    }

    /// The first virtual user begins. An error is why the run would not start: the configuration does not fit, a required tool is
    /// missing, or the plugin gave up.
    pub fn open(&self) -> Result<User<P>, Error> {
        self.open_user(0)
    }

    /// The virtual user of this number begins; as [`open`](Self::open).
    pub fn open_user(&self, number: u32) -> Result<User<P>, Error> {
        let manifest = P::manifest().into_wire("", "", "");
        let missing = |name: &&String| !self.world.tools.iter().any(|tool| tool.name == **name);
        if let Some(name) = manifest.requires_tools.iter().find(missing) {
            return Err(format!("the target has no tool `{name}`, which the plugin requires").into());
        }
        let info = wire::SetupInfo {
            config: self.config.to_string(),
            scenario: "rehearsal".to_owned(),
            seed: self.seed,
            vus: self.vus,
        };
        let seed = Draws::new(self.seed, u64::from(number), u64::MAX).next_u64();
        let mut world = self.world.clone();
        let player =
            on_stage(&mut world, || Setup::<P>::new(info)?.open(wire::VuContext { vu: number, seed }))?;
        let answers = self.answers.clone().unwrap_or_else(|| obliging(&self.world));
        Ok(User::new(player, manifest, world, answers, (self.seed, number)))
    }
}

/// Answers every step well that the target could have answered.
fn obliging(world: &World) -> Answers {
    let tools: Vec<_> = world.tools.iter().map(|tool| tool.name.clone()).collect();
    Rc::new(RefCell::new(move |step: &Step| match step.action() {
        Action::CallTool(call) if !tools.is_empty() && !tools.contains(&call.name) => {
            Answer::error(-32602, &format!("unknown tool: {}", call.name))
        }
        Action::CallTool(_) => Answer::ok(json!({ "content": [], "structuredContent": {} })),
        _ => Answer::ok(json!({})),
    }))
}

impl<P: Plugin> Default for Rehearsal<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for Rehearsal<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, world, seed, vus, .. } = self;
        formatter
            .debug_struct("Rehearsal")
            .field("config", config)
            .field("world", world)
            .field("seed", seed)
            .field("vus", vus)
            .finish_non_exhaustive()
    }
}
