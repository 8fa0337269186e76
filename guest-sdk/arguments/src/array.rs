//! Arrays: as few items as the schema allows, one where it leaves the choice.

use serde_json::Value;

use crate::conjunction::{Conjunction, Keywords, count, list};
use crate::generator::{Generator, Stop};

/// Most items that are generated.
const MAX_ITEMS: u64 = 1000;
/// Variations tried for an item that has to differ from the ones before it.
const UNIQUE_TRIES: usize = 40;
/// From here on, arrays that may be empty are.
const SPARSE_DEPTH: usize = 6;

impl<'s> Generator<'s, '_> {
    /// An array.
    pub(crate) fn array(
        &mut self,
        conjunction: &Conjunction<'s>,
        name: &str,
        vary: usize,
        depth: usize,
    ) -> Result<Value, Stop> {
        let contained: Vec<&Value> = conjunction.values("contains").collect();
        let least_contained = conjunction.parts.iter().filter_map(|part| {
            part.get("contains").map(|_| part.get("minContains").and_then(count).unwrap_or(1))
        });
        let wanted: Vec<u64> = least_contained.collect();
        let least = conjunction.at_least("minItems").max(wanted.iter().copied().max().unwrap_or(0));
        let most = conjunction.at_most("maxItems");
        if least > most {
            return Err(self.stuck("`minItems` is above `maxItems`"));
        }
        if least > MAX_ITEMS {
            return Err(self.stuck(format!("`minItems` asks for more than {MAX_ITEMS} items")));
        }
        let prefix = conjunction.parts.iter().map(|part| tuple(part).len()).max().unwrap_or(0) as u64;
        let more = if self.options.variation == 0 { 0 } else { self.draws.below(3) };
        let natural = if depth >= SPARSE_DEPTH { 0 } else { prefix.max(1 + more) };
        let length = natural.clamp(least, most.max(least)).min(MAX_ITEMS);
        let unique = conjunction.values("uniqueItems").any(|unique| unique == true);

        let mut items: Vec<Value> = Vec::new();
        for index in 0..length {
            let mut schemas = item_schemas(conjunction, usize::try_from(index).unwrap_or(usize::MAX));
            // Items that `contains` counts stand first, behind the tuple's own.
            let counted = index.saturating_sub(prefix);
            let demanded =
                wanted.iter().zip(&contained).filter(|(wanted, _)| index >= prefix && counted < **wanted);
            schemas.extend(demanded.map(|(_, schema)| *schema));
            let position = if unique { usize::try_from(index).unwrap_or(0) } else { 0 };
            self.path.push(index.to_string());
            let item = self.item(&schemas, name, vary + position, depth, unique.then_some(items.as_slice()));
            self.path.pop();
            match item {
                Ok(item) => items.push(item),
                Err(Stop::Stuck(_)) if index >= least => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(Value::Array(items))
    }

    fn item(
        &mut self,
        schemas: &[&'s Value],
        name: &str,
        vary: usize,
        depth: usize,
        others: Option<&[Value]>,
    ) -> Result<Value, Stop> {
        let tries = others.map_or(1, |_| UNIQUE_TRIES);
        for variation in vary..vary + tries {
            let item = self.node(schemas, name, variation, depth + 1)?;
            if others.is_none_or(|others| !others.contains(&item)) {
                return Ok(item);
            }
        }
        Err(self.stuck("no further item differs from the others, as `uniqueItems` asks"))
    }
}

/// The schemas by position: `prefixItems`, or draft-07's `items` where that is an array.
fn tuple(part: &Keywords) -> &[Value] {
    match list(part, "prefixItems") {
        [] => list(part, "items"),
        prefix => prefix,
    }
}

/// The schemas of the item at `index`.
pub(crate) fn item_schemas<'s>(conjunction: &Conjunction<'s>, index: usize) -> Vec<&'s Value> {
    let of_part = |part: &&'s Keywords| {
        tuple(part).get(index).or_else(|| match part.get("items") {
            Some(Value::Array(_)) => part.get("additionalItems"),
            items => items,
        })
    };
    let schemas: Vec<&Value> = conjunction.parts.iter().filter_map(of_part).collect();
    if schemas.is_empty() { conjunction.values("unevaluatedItems").collect() } else { schemas }
}
