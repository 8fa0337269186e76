//! Streams that outlast an answer: the session era's GET, and the modern `subscriptions/listen`.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::exchange::Exchange;
use super::rpc::Call;
use crate::http::wire::Gone;

const SUBSCRIPTION_KEY: &str = "io.modelcontextprotocol/subscriptionId";

/// A list that changed, with the filter field of `subscriptions/listen` that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Tools,
    Prompts,
}

impl Change {
    fn method(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
        }
    }

    fn filter(self) -> &'static str {
        match self {
            Self::Tools => "toolsListChanged",
            Self::Prompts => "promptsListChanged",
        }
    }
}

/// Serves a GET until the client leaves: comments while idle, changes as they come. With `last_event` it fetches the answer
/// that was parked behind that event and ends.
pub(crate) async fn idle(exchange: &mut Exchange<'_, '_>, last_event: Option<&str>) -> Result<(), Gone> {
    let mut changes = exchange.shared.changes.subscribe();
    exchange.comment();
    if let Some((ready, message)) = last_event.and_then(|event| exchange.shared.mailbox.fetch(event)) {
        exchange.pause(ready.saturating_duration_since(Instant::now())).await?;
        exchange.event(&message);
        return exchange.end_stream().await;
    }
    loop {
        match next_change(exchange, &mut changes).await? {
            Some(change) => exchange.notify(change.method(), &json!({})),
            None => exchange.comment(),
        }
    }
}

/// Serves `subscriptions/listen` until the client leaves: the acknowledgement first, then what it asked for.
pub(crate) async fn listen(exchange: &mut Exchange<'_, '_>, call: &Call) -> Result<(), Gone> {
    let mut changes = exchange.shared.changes.subscribe();
    let id: Value = serde_json::from_str(&call.id).unwrap_or_default();
    let wants = |change: Change| {
        call.params.get("notifications").and_then(|asked| asked.get(change.filter()))
            == Some(&Value::Bool(true))
    };
    let granted: serde_json::Map<String, Value> = [Change::Tools, Change::Prompts]
        .into_iter()
        .filter(|change| wants(*change))
        .map(|change| (change.filter().to_owned(), Value::Bool(true)))
        .collect();
    let tagged = json!({ "_meta": { SUBSCRIPTION_KEY: id } });
    let mut acknowledged = tagged.clone();
    acknowledged["notifications"] = granted.into();
    exchange.notify("notifications/subscriptions/acknowledged", &acknowledged);
    loop {
        match next_change(exchange, &mut changes).await? {
            Some(change) if wants(change) => exchange.notify(change.method(), &tagged),
            Some(_) => {}
            None => exchange.comment(),
        }
    }
}

/// The next change, or `None` when it is time for a sign of life.
async fn next_change(
    exchange: &mut Exchange<'_, '_>,
    changes: &mut Receiver<Change>,
) -> Result<Option<Change>, Gone> {
    let keep_alive = exchange.performance.script.keep_alive;
    let next = async {
        loop {
            match changes.recv().await {
                Err(RecvError::Lagged(_)) => {}
                received => return received.ok(),
            }
        }
    };
    let waited = exchange.wait_for(tokio::time::timeout(keep_alive, next)).await?;
    Ok(waited.ok().flatten())
}
