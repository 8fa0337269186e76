//! The tools that are called, and arguments for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pmcp_loadtest_arguments::{Boundary, CannotGenerate, Draws, Options, generate_arguments};
use pmcp_loadtest_guest::target::{self, ToolInfo};
use pmcp_loadtest_guest::{Error, Random, warn};
use serde_json::Value;

use crate::config::Config;

/// The tools to call, and how often.
#[derive(Debug)]
pub(crate) struct Catalog {
    tools: Vec<(Tool, f64)>,
}

/// A tool that arguments can be made for.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    schema: Value,
    /// Whether the schema needs what only the host has, such as regular expressions.
    needs_host: bool,
    /// Argument sets that were made already, by number, where there are so few that they come again.
    made: RefCell<HashMap<u32, Rc<str>>>,
}

/// Most argument sets per tool that are kept: making one takes some ten microseconds, keeping it some hundred bytes.
const MOST_KEPT: u32 = 1000;

impl Catalog {
    /// The tools of the target that `config` asks for. Those that nobody can make arguments for are left out, with a warning.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let mut tools = Vec::new();
        for name in names(config)? {
            let info = target::tool(&name).ok_or_else(|| format!("the target has no tool `{name}`"))?;
            let weight = config.weights.get(&name).copied().unwrap_or(1.0);
            match Tool::new(&info, config) {
                Ok(tool) => tools.push((tool, weight)),
                Err(reason) => warn!("`{name}` is left out, for no arguments can be made: {reason}"),
            }
        }
        if tools.iter().all(|(_, weight)| *weight <= 0.0) {
            return Err("there is no tool to call: see `tools` and `weights` of the configuration".into());
        }
        Ok(Self { tools })
    }

    /// One of the tools, by weight.
    pub(crate) fn draw(&self, random: &mut Random) -> Result<&Tool, Error> {
        random.weighted(&self.tools).ok_or_else(|| "no tool has a weight".into())
    }
}

/// The names that are asked for; an error where one of `weights` is none of the target's, which would be a typing mistake.
fn names(config: &Config) -> Result<Vec<String>, Error> {
    let known = target::tool_names();
    if let Some(name) = config.weights.keys().find(|name| !known.contains(name)) {
        return Err(format!("`weights` names `{name}`, and the target has no such tool").into());
    }
    if !config.tools.is_empty() {
        return Ok(config.tools.clone());
    }
    let harmless = |tool: ToolInfo| (!tool.hints("destructiveHint")).then_some(tool.name);
    Ok(target::tools().into_iter().filter_map(harmless).collect())
}

impl Tool {
    fn new(info: &ToolInfo, config: &Config) -> Result<Self, Error> {
        let schema = info.schema()?;
        let needs_host = match made_up(&schema, config, 0, 1) {
            Ok(_) => false,
            Err(_) => target::generate_arguments(&info.name, 0).map(|_| true)?,
        };
        Ok(Self { name: info.name.clone(), schema, needs_host, made: RefCell::default() })
    }

    /// Arguments as JSON text, for the argument set that `draw` leads to.
    pub(crate) fn arguments(&self, config: &Config, run_seed: u64, draw: u64) -> Result<Rc<str>, Error> {
        let (seed, variation) = set(config.cardinality, run_seed, draw);
        let kept = (1..=MOST_KEPT).contains(&config.cardinality);
        if kept {
            if let Some(made) = self.made.borrow().get(&variation) {
                return Ok(Rc::clone(made));
            }
        }
        let text: Rc<str> = if self.needs_host {
            target::generate_arguments(&self.name, seed)?.into()
        } else {
            made_up(&self.schema, config, seed, variation)?.to_string().into()
        };
        if kept {
            self.made.borrow_mut().insert(variation, Rc::clone(&text));
        }
        Ok(text)
    }
}

/// Which set of arguments to make: its seed and its number. With a limited cardinality all virtual users share the same sets.
fn set(cardinality: u32, run_seed: u64, draw: u64) -> (u64, u32) {
    let mut draws = Draws::of(draw);
    let number = |draws: &mut Draws, bound: u32| u32::try_from(draws.below(bound.into())).unwrap_or(0);
    match cardinality {
        0 => (draws.next_u64(), 1 + number(&mut draws, u32::MAX)),
        sets => {
            let index = number(&mut draws, sets);
            (Draws::new(run_seed, 0, index.into()).next_u64(), 1 + index)
        }
    }
}

/// Valid arguments, a share of them on the boundary of what the schema allows.
fn made_up(schema: &Value, config: &Config, seed: u64, variation: u32) -> Result<Value, CannotGenerate> {
    let mut draws = Draws::of(seed);
    let options = Options { optional: config.optional.into(), variation };
    let arguments = Value::Object(generate_arguments(schema, &mut draws, options)?);
    if !Random::new(seed).chance(config.boundary_share) {
        return Ok(arguments);
    }
    let edits = Boundary::of(schema)?.within(&arguments);
    let edit = usize::try_from(draws.below(edits.len() as u64)).ok().and_then(|index| edits.get(index));
    Ok(edit.map_or_else(|| arguments.clone(), |edit| edit.applied_to(&arguments)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;
    use crate::config::Optional;

    fn order() -> Value {
        json!({ "type": "object", "required": ["sku", "count"], "additionalProperties": false, "properties": {
            "sku": { "type": "string", "minLength": 1 },
            "count": { "type": "integer", "minimum": 1, "maximum": 99 },
            "gift": { "type": "boolean" } } })
    }

    fn made(config: &Config, calls: u64) -> Vec<Value> {
        (0..calls)
            .map(|draw| {
                let (seed, variation) = set(config.cardinality, 7, draw);
                made_up(&order(), config, seed, variation).unwrap()
            })
            .collect()
    }

    fn distinct(values: &[Value]) -> usize {
        values.iter().map(Value::to_string).collect::<HashSet<_>>().len()
    }

    #[test]
    fn every_call_is_valid_and_without_a_limit_almost_every_one_is_new() {
        let schema = order();
        let boundary = Boundary::of(&schema).unwrap();
        let made = made(&Config { cardinality: 0, boundary_share: 0.3, ..Config::default() }, 1000);
        assert!(made.iter().all(|arguments| boundary.allows(arguments) == Some(true)));
        assert!(distinct(&made) > 900, "{}", distinct(&made));
    }

    #[test]
    fn cardinality_limits_the_argument_sets_of_a_tool() {
        let made = made(&Config { cardinality: 20, boundary_share: 0.5, ..Config::default() }, 1000);
        assert_eq!(distinct(&made), 20);
    }

    #[test]
    fn the_share_of_boundary_values_is_kept() {
        let optional = Optional::Never;
        let on_a_limit = |share| {
            let made =
                made(&Config { cardinality: 0, boundary_share: share, optional, ..Config::default() }, 2000);
            made.iter().filter(|order| order["count"] == 99 || order["sku"] == "a").count()
        };
        // Two of the three limits are looked for, and 99 is drawn by chance, too.
        assert!(on_a_limit(0.0) < 60, "{}", on_a_limit(0.0));
        assert!((400..800).contains(&on_a_limit(0.4)), "{}", on_a_limit(0.4));
    }
}
