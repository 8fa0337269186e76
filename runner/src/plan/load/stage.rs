//! Stretches of a ramp: of virtual users, or of a rate; and how the command line writes them.

use std::str::FromStr;
use std::time::Duration;

use super::Rate;
use crate::plan::duration;

/// A stretch of a ramp: the number of virtual users moves linearly to `target` over `duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// How long the ramp takes; never zero.
    pub duration: Duration,
    /// Virtual users wanted at its end.
    pub target: u32,
}

/// A stretch of a ramp: the rate moves linearly to `target` over `duration`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateStage {
    /// How long the ramp takes; zero jumps.
    pub duration: Duration,
    /// The rate at its end.
    pub target: Rate,
}

/// A stage of either kind, as the command line writes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyStage {
    /// `30s:50`: its target are virtual users.
    Users(Stage),
    /// `30s:200/s`: its target is a rate of arrivals.
    Arrivals(RateStage),
}

/// Reads a stage of the command line: a duration, a colon, and a number of virtual users or a rate.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::{AnyStage, Stage};
/// assert_eq!("30s:50".parse(), Ok(AnyStage::Users(Stage { duration: Duration::from_secs(30), target: 50 })));
/// assert!(matches!("30s:200/s".parse(), Ok(AnyStage::Arrivals(_))));
/// assert!("50".parse::<AnyStage>().is_err());
/// ```
impl FromStr for AnyStage {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (duration, target) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` is not a stage; write its length and its users or its rate, such as 30s:50 or 30s:200/s")
        })?;
        let duration = duration::parse_flag(duration)?;
        let target = target.trim();
        if target.contains('/') {
            return Ok(Self::Arrivals(RateStage { duration, target: target.parse()? }));
        }
        let target = target
            .parse()
            .map_err(|_| format!("`{target}` is neither a number of virtual users nor a rate"))?;
        Ok(Self::Users(Stage { duration, target }))
    }
}
