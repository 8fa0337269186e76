//! Everything that is sent: the mutants of every tool, by mutation.

use std::collections::{BTreeMap, BTreeSet};

use pmcp_loadtest_arguments::{Boundary, Draws, OptionalProperties, Options, generate_arguments};
use pmcp_loadtest_guest::target::{self, ToolInfo};
use pmcp_loadtest_guest::{Error, Random, warn};
use serde_json::Value;

use crate::config::Config;
use crate::mutation::{Mutant, Mutation, mutants};

/// The tools to call.
#[derive(Debug)]
pub(crate) struct Catalog {
    tools: Vec<Tool>,
}

/// A tool and its mutants.
#[derive(Debug)]
struct Tool {
    name: String,
    /// One list per mutation, so that a rare mutation is made as often as a common one; none is empty.
    mutants: Vec<Vec<Mutant>>,
}

impl Catalog {
    /// The mutants of the target's tools. Tools that have none are left out, with a warning.
    pub(crate) fn new(config: &Config, run_seed: u64) -> Result<Self, Error> {
        if let Some(name) =
            config.mutations.iter().find(|name| !Mutation::ALL.iter().any(|known| known.name() == *name))
        {
            return Err(format!("there is no mutation `{name}`").into());
        }
        let mut tools = Vec::new();
        for info in infos(config)? {
            match Tool::new(&info, config, run_seed) {
                Ok(tool) if tool.mutants.is_empty() => {
                    warn!("`{}` is left out: its schema has no room for a mutation", info.name);
                }
                Ok(tool) => tools.push(tool),
                Err(reason) => {
                    warn!("`{}` is left out, for its arguments cannot be mutated: {reason}", info.name);
                }
            }
        }
        if tools.is_empty() {
            return Err("there is no tool to mutate the arguments of".into());
        }
        Ok(Self { tools })
    }

    /// A tool, one of its mutations and one of that one's mutants, each as likely as any other of its kind.
    pub(crate) fn draw(&self, random: &mut Random) -> Result<(&str, &Mutant), Error> {
        let drawn = random.pick(&self.tools).and_then(|tool| {
            let mutant = random.pick(&tool.mutants).and_then(|mutants| random.pick(mutants))?;
            Some((tool.name.as_str(), mutant))
        });
        drawn.ok_or_else(|| "there is no mutant".into())
    }
}

fn infos(config: &Config) -> Result<Vec<ToolInfo>, Error> {
    if config.tools.is_empty() {
        return Ok(target::tools().into_iter().filter(|tool| !tool.hints("destructiveHint")).collect());
    }
    let named =
        |name: &String| target::tool(name).ok_or_else(|| format!("the target has no tool `{name}`").into());
    config.tools.iter().map(named).collect()
}

impl Tool {
    fn new(info: &ToolInfo, config: &Config, run_seed: u64) -> Result<Self, Error> {
        let schema = info.schema()?;
        let boundary = Boundary::of(&schema)?;
        let mut seen = BTreeSet::new();
        let mut by_mutation: BTreeMap<Mutation, Vec<Mutant>> = BTreeMap::new();
        for base in 0..config.bases {
            let options = Options { optional: OptionalProperties::Always, variation: base };
            let mut draws = Draws::new(run_seed, 0, base.into());
            let valid = Value::Object(generate_arguments(&schema, &mut draws, options)?);
            let new = mutants(&boundary, &valid, config);
            for mutant in new.into_iter().filter(|mutant| seen.insert(mutant.arguments.clone())) {
                by_mutation.entry(mutant.mutation).or_default().push(mutant);
            }
        }
        Ok(Self { name: info.name.clone(), mutants: by_mutation.into_values().collect() })
    }
}
