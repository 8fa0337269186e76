//! What a plugin is, for a person: an inspection in, lines out.

use serde_json::Value;

use super::super::ink::Ink;
use super::kind;
use super::schema::{Key, keys};
use crate::drive::Inspection;
use crate::judge::wording::time;
use crate::plan::duration::human;
use crate::plan::{InstancePolicy, PluginLimits, size};
use crate::report::text::{Tone, clean, width};

/// Columns of the labels.
const LABEL: usize = 12;
/// Characters of the hash that are shown: enough to tell two builds apart.
const SHORT_HASH: usize = 12;

/// Everything that is known of a plugin.
pub(super) fn lines(found: &Inspection, file: &str, limits: &PluginLimits, ink: Ink) -> Vec<String> {
    let mut lines = ink.hanging("", Tone::Plain, &format!("{} {}", found.name, found.version), Tone::Strong);
    if !found.description.is_empty() {
        lines.extend(ink.hanging("", Tone::Plain, &found.description, Tone::Plain));
    }
    lines.push(String::new());
    for (label, text) in facts(found, file) {
        lines.extend(ink.hanging(&format!("{label:<LABEL$}"), Tone::Quiet, &text, Tone::Plain));
    }
    lines.push(String::new());
    lines.extend(config(found.config_schema.as_ref(), ink));
    lines.push(String::new());
    lines.push(format!(
        "{}  {}",
        ink.paint("limits", Tone::Strong),
        ink.paint("unless [plugins] in the configuration has others", Tone::Quiet)
    ));
    lines.extend(self::limits(limits).into_iter().map(|(key, value, what)| {
        let what = ink.paint(what, Tone::Quiet);
        format!("  {key:<15}{value:<12}{what}")
    }));
    lines
}

fn facts(found: &Inspection, file: &str) -> Vec<(&'static str, String)> {
    let hash: String = found.sha256.chars().take(SHORT_HASH).collect();
    let kib = found.size_bytes.div_ceil(1024);
    let yes = |yes| if yes { "yes" } else { "no" };
    let imports: Vec<&str> = found
        .imports
        .iter()
        .map(|name| name.split_once('@').map_or(name.as_str(), |(name, _)| name))
        .collect();
    let metrics: Vec<String> = found
        .metrics
        .iter()
        .map(|metric| {
            let unit = metric.unit.as_ref().map(|unit| format!(" in {unit}")).unwrap_or_default();
            format!("{} ({}{unit})", metric.name, kind(metric.kind))
        })
        .collect();
    let or_none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    let micros = u64::try_from(found.load_time.as_micros()).unwrap_or(u64::MAX);
    vec![
        ("file", format!("{file} · {kib} KiB · sha256 {hash}…")),
        (
            "interface",
            format!("pmcp:loadtest {} (this program serves {})", found.interface, found.served_interface),
        ),
        ("imports", format!("{}; nothing else", imports.join(", "))),
        (
            "hears",
            format!(
                "outcomes: {} · end of the user: {} · plans ahead: {}",
                yes(found.wants_outcomes),
                yes(found.wants_finish),
                found.plans_ahead
            ),
        ),
        (
            "needs",
            found.requires_tools.iter().map(|tool| format!("tool {tool}")).collect::<Vec<_>>().join(", "),
        ),
        ("metrics", metrics.join(", ")),
        ("loaded in", time(micros)),
    ]
    .into_iter()
    .map(|(label, text)| (label, or_none(text)))
    .collect()
}

/// What the configuration may hold.
fn config(schema: Option<&Value>, ink: Ink) -> Vec<String> {
    let title = ink.paint("config", Tone::Strong);
    let Some(schema) = schema else {
        return vec![format!(
            "{title}  {}",
            ink.paint("anything: the plugin declares no schema", Tone::Quiet)
        )];
    };
    let keys = keys(schema);
    if keys.is_empty() {
        return vec![format!("{title}  {}", ink.paint("no keys", Tone::Quiet))];
    }
    let names = keys.iter().map(|key| width(&key.name)).max().unwrap_or(0);
    std::iter::once(title).chain(keys.iter().flat_map(|key| config_key(key, names, ink))).collect()
}

fn config_key(key: &Key, names: usize, ink: Ink) -> Vec<String> {
    let padding = " ".repeat(names - width(&key.name) + 2);
    let lead = format!("  {}{padding}", clean(&key.name));
    let parts = [key.kind.as_str(), key.absent.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let mut lines = ink.hanging(&lead, Tone::Plain, &parts.join(" · "), Tone::Plain);
    if !key.description.is_empty() {
        let indent = " ".repeat(width(&lead));
        lines.extend(ink.hanging(&indent, Tone::Plain, &key.description, Tone::Quiet));
    }
    lines
}

/// Every limit: the key that changes it, its value, what it limits.
fn limits(limits: &PluginLimits) -> Vec<(&'static str, String, &'static str)> {
    let instances = match limits.instances {
        InstancePolicy::Auto => "auto",
        InstancePolicy::PerVu => "per-vu",
        InstancePolicy::PerWorker => "per-worker",
    };
    vec![
        ("instances", instances.to_owned(), "who shares an instance"),
        ("memory", size::human(limits.memory_bytes), "memory of an instance"),
        ("call_timeout", human(limits.call_timeout), "a call that plans or learns"),
        ("start_timeout", human(limits.start_timeout), "a call that starts something"),
        ("max_file", size::human(limits.file_bytes), "the plugin's file"),
        ("max_steps", limits.steps.to_string(), "steps of an iteration"),
        ("max_arguments", size::human(limits.arguments_bytes), "arguments of a step"),
        ("max_result", size::human(limits.result_bytes), "what is handed over of a result"),
        ("max_log_lines", limits.log_lines.to_string(), "log lines of a level that are kept"),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::judge::{MetricFacts, MetricKind};
    use crate::report::TextStyle;

    fn shopper() -> Inspection {
        let metric = |name: &str, kind, unit: Option<&str>| MetricFacts {
            name: name.to_owned(),
            kind,
            unit: unit.map(str::to_owned),
        };
        Inspection {
            name: "shopper".to_owned(),
            version: "0.1.0".to_owned(),
            description: "Searches for words, and counts what is found".to_owned(),
            interface: "0.1.0".to_owned(),
            served_interface: "0.1.0".to_owned(),
            config_schema: Some(json!({
                "required": ["words"],
                "properties": {
                    "words": {"type": "array", "items": {"type": "string"}, "description": "what is searched for, one of them \
                        drawn for every iteration, each as often as any other"},
                    "limit": {"type": "integer", "default": 5, "description": "hits of a page"},
                },
            })),
            wants_outcomes: true,
            wants_finish: false,
            plans_ahead: 1,
            metrics: vec![
                metric("hits", MetricKind::Trend, None),
                metric("spent", MetricKind::Counter, Some("EUR")),
            ],
            requires_tools: vec!["search".to_owned()],
            imports: vec!["pmcp:loadtest/target@0.1.0".to_owned(), "pmcp:loadtest/host@0.1.0".to_owned()],
            size_bytes: 219_000,
            sha256: "5d2f0c91a7e4".repeat(6)[..64].to_owned(),
            load_time: Duration::from_micros(18_200),
        }
    }

    fn printed(found: &Inspection, width: usize, colour: bool) -> String {
        lines(found, "shopper.wasm", &PluginLimits::default(), Ink::new(TextStyle { colour, width }))
            .join("\n")
    }

    #[test]
    fn a_plugin_is_shown_at_80_columns() {
        insta::assert_snapshot!(printed(&shopper(), 80, false));
    }

    #[test]
    fn a_plugin_is_shown_at_60_columns() {
        insta::assert_snapshot!(printed(&shopper(), 60, false));
    }

    #[test]
    fn a_plugin_that_says_little_is_shown_in_colour() {
        let silent = Inspection {
            description: String::new(),
            config_schema: None,
            metrics: Vec::new(),
            requires_tools: Vec::new(),
            ..shopper()
        };
        insta::assert_snapshot!(printed(&silent, 80, true));
    }
}
