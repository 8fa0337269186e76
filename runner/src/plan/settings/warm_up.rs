//! What of the beginning of a run is no measurement: nothing, so much, or what a rule finds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::plan::duration;

/// What of the beginning of a run is left out of its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WarmUp {
    /// Nothing.
    #[default]
    None,
    /// So much time; whole seconds.
    Fixed(Duration),
    /// What the rule MSER-5 finds, at most the first [`WarmUp::LONGEST_FOUND`] and half of the run.
    Auto,
}

impl WarmUp {
    /// The longest warm-up that the rule finds: so many seconds of samples are kept apart until it has decided.
    pub const LONGEST_FOUND: Duration = Duration::from_mins(1);
}

/// Reads `auto`, `none`, or a length of whole seconds, of which none is `none`.
///
/// ```
/// use std::time::Duration;
/// use pmcp_loadtest::plan::WarmUp;
/// assert_eq!("10s".parse(), Ok(WarmUp::Fixed(Duration::from_secs(10))));
/// assert!("1.5s".parse::<WarmUp>().is_err());
/// ```
impl FromStr for WarmUp {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let length = duration::parse(text)
            .map_err(|reason| format!("{reason}; a warm-up is auto, none or a length such as 10s"))?;
        if length.subsec_nanos() > 0 {
            return Err(format!("`{}` is no number of whole seconds", text.trim()));
        }
        Ok(if length.is_zero() { Self::None } else { Self::Fixed(length) })
    }
}

impl fmt::Display for WarmUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Fixed(length) => formatter.write_str(&duration::human(*length)),
            Self::Auto => formatter.write_str("auto"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::WarmUp;

    #[test]
    fn every_warm_up_is_read_back_and_others_are_refused_with_the_reason() {
        for warm_up in [WarmUp::None, WarmUp::Auto, WarmUp::Fixed(Duration::from_secs(90))] {
            assert_eq!(warm_up.to_string().parse(), Ok(warm_up));
        }
        assert_eq!("0s".parse(), Ok(WarmUp::None));
        assert_eq!("1500ms".parse::<WarmUp>(), Err("`1500ms` is no number of whole seconds".to_owned()));
        assert!(
            "soon".parse::<WarmUp>().unwrap_err().contains("`soon` is not a duration; a warm-up is auto")
        );
    }
}
