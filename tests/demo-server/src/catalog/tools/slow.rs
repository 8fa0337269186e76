//! Tools that take time or depend on more than their arguments: `slow`, `countdown`, `flaky`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Arguments, Body, Tool, failure, text};
use crate::draws::Draws;
use crate::protocol::dispatch::Stop;
use crate::protocol::exchange::Exchange;

/// Rule number of `flaky`'s draws, apart from the script's faults.
const FLAKY_RULE: u64 = u64::MAX - 1;
const DEFAULT_STEP: u64 = 20;

/// A tool that needs the exchange it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SlowTool {
    Slow,
    Countdown,
    Flaky,
}

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            json!({
                "name": "slow", "title": "Slow", "description": "Answers after that many milliseconds",
                "annotations": { "readOnlyHint": true },
                "inputSchema": {
                    "type": "object",
                    "properties": { "ms": { "type": "integer", "minimum": 0, "maximum": 600_000, "default": 100 } },
                    "required": ["ms"],
                },
            }),
            Body::Slow(SlowTool::Slow),
        ),
        Tool::new(
            json!({
                "name": "countdown", "title": "Countdown", "description": "Works in steps and reports progress on each",
                "annotations": { "readOnlyHint": true },
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "steps": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 5 },
                        "step_ms": { "type": "integer", "minimum": 0, "maximum": 10_000, "default": DEFAULT_STEP },
                    },
                    "required": ["steps"],
                },
            }),
            Body::Slow(SlowTool::Countdown),
        ),
        Tool::new(
            json!({
                "name": "flaky", "title": "Flaky", "description": "Fails for that share of its calls",
                "annotations": { "readOnlyHint": true },
                "inputSchema": {
                    "type": "object",
                    "properties": { "rate": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.1 } },
                    "required": ["rate"],
                },
            }),
            Body::Slow(SlowTool::Flaky),
        ),
    ]
}

impl SlowTool {
    pub(super) async fn run(
        self,
        exchange: &mut Exchange<'_, '_>,
        arguments: &Arguments,
    ) -> Result<Value, Stop> {
        let whole = |key: &str| arguments.get(key).and_then(Value::as_u64);
        match self {
            Self::Slow => {
                let ms = whole("ms").unwrap_or_default();
                exchange.pause(Duration::from_millis(ms)).await?;
                Ok(text(&format!("slept {ms} ms")))
            }
            Self::Countdown => {
                let steps = whole("steps").unwrap_or_default();
                let step = Duration::from_millis(whole("step_ms").unwrap_or(DEFAULT_STEP));
                for done in 1..=steps {
                    exchange.pause(step).await?;
                    exchange.progress(done, steps);
                }
                Ok(text(&format!("{steps} steps done")))
            }
            Self::Flaky => {
                let rate = arguments.get("rate").and_then(Value::as_f64).unwrap_or_default();
                let mut draws = Draws::new(exchange.performance.script.seed, exchange.ordinal, FLAKY_RULE);
                let failed = draws.hits(rate);
                Ok(if failed { failure("flaky failed") } else { text("flaky worked") })
            }
        }
    }
}
