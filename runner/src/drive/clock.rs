//! The one place that reads the clock. Tokio's clock, so that tests can hold and turn it.

use tokio::time::Instant;

use crate::judge::Moment;

/// The date and time, for people: nothing is measured with it.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn date_and_time() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Counts from the origin of a run. All workers of a run share one origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose origin is now.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn now(&self) -> Moment {
        let nanoseconds = Instant::now().duration_since(self.origin).as_nanos();
        Moment::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Waits until `moment`, to the millisecond: tokio's timer wheel is that coarse.
    pub(crate) async fn sleep_until(&self, moment: Moment) {
        tokio::time::sleep_until(self.origin + moment.elapsed()).await;
    }
}
