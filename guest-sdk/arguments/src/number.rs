//! Numbers within bounds: integers and multiples exactly, in integers; fractions where the bounds are narrow.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::conjunction::Conjunction;
use crate::generator::{Generator, Stop};
use crate::hint;

/// The largest integer that every JSON reader keeps exact.
const LARGEST_SAFE: i128 = (1 << 53) - 1;
/// How far above its lower bound an unbounded number is drawn.
const SPAN: i128 = 100;

/// `mantissa / 10^scale`, as written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    /// The number as it is written; `None` where it has more digits than fit.
    pub(crate) fn of(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text.as_str(), 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa = format!("{whole}{fraction}").parse::<i128>().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if let Ok(scale) = u32::try_from(scale) {
            Some(Self { mantissa, scale }.reduced())
        } else {
            let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
            Some(Self { mantissa: mantissa.checked_mul(factor)?, scale: 0 })
        }
    }

    fn reduced(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Whether it is an integer.
    pub(crate) fn is_whole(self) -> bool {
        self.scale == 0
    }

    /// The mantissa at another, larger scale.
    fn at_scale(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// Whether it is an integral number of `step`s.
    pub(crate) fn is_multiple_of(self, step: Self) -> bool {
        let scale = self.scale.max(step.scale);
        match (self.at_scale(scale), step.at_scale(scale)) {
            (Some(number), Some(step)) if step != 0 => number % step == 0,
            _ => false,
        }
    }
}

/// Orders JSON numbers: exactly where both are whole, else as floats.
pub(crate) fn compare(one: &Number, other: &Number) -> Ordering {
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128()) {
        one.cmp(&other)
    } else {
        let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
        float(one).partial_cmp(&float(other)).unwrap_or(Ordering::Less)
    }
}

/// What the keywords demand of a number.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// Smallest and largest integer within.
    pub(crate) integers: (Option<i128>, Option<i128>),
    steps: Vec<Decimal>,
}

impl Bounds {
    /// The bounds that all parts together leave.
    pub(crate) fn of(conjunction: &Conjunction<'_>) -> Result<Self, &'static str> {
        let mut bounds = Self { low: None, high: None, integers: (None, None), steps: Vec::new() };
        for part in &conjunction.parts {
            let flag = |key: &str| part.get(key) == Some(&Value::Bool(true));
            for (key, open) in [("minimum", flag("exclusiveMinimum")), ("exclusiveMinimum", true)] {
                if let Some(limit) = part.get(key).and_then(Value::as_number) {
                    bounds.low = Some(limit.as_f64().unwrap_or(f64::MIN).max(bounds.low.unwrap_or(f64::MIN)));
                    bounds.integers.0 = bounds.integers.0.max(first_integer(limit, open));
                }
            }
            for (key, open) in [("maximum", flag("exclusiveMaximum")), ("exclusiveMaximum", true)] {
                if let Some(limit) = part.get(key).and_then(Value::as_number) {
                    bounds.high =
                        Some(limit.as_f64().unwrap_or(f64::MAX).min(bounds.high.unwrap_or(f64::MAX)));
                    let last = last_integer(limit, open);
                    bounds.integers.1 = Some(last.min(bounds.integers.1.unwrap_or(i128::MAX)));
                }
            }
            if let Some(step) = part.get("multipleOf").and_then(Value::as_number) {
                let step = Decimal::of(step).filter(|step| step.mantissa > 0);
                bounds.steps.push(step.ok_or("`multipleOf` is zero, negative or has too many digits")?);
            }
        }
        Ok(bounds)
    }

    /// The least number of `10^-scale`s that is a multiple of every `multipleOf`.
    fn common_step(&self, scale: u32) -> Option<i128> {
        self.steps.iter().try_fold(1_i128, |common, step| {
            let step = step.at_scale(scale)?;
            (common / greatest_common_divisor(common, step)).checked_mul(step)
        })
    }

    /// The window that integers are drawn from: plausible, and inside the bounds.
    fn window(&self) -> (i128, i128) {
        let (low, high) = match self.integers {
            (None, None) => (1, SPAN),
            (Some(low), None) => (low, low.saturating_add(SPAN)),
            (None, Some(high)) if high >= 1 => (1, high.min(SPAN)),
            (None, Some(high)) => (high.saturating_sub(SPAN), high),
            (Some(low), Some(high)) => (low, high),
        };
        // Zero and below are legal but seldom what a caller sends.
        (if low <= 0 && high >= 1 { 1 } else { low }, high)
    }
}

fn greatest_common_divisor(one: i128, other: i128) -> i128 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates far outside of what JSON readers keep exact")]
fn first_integer(limit: &Number, open: bool) -> Option<i128> {
    let float = limit.as_f64()?;
    let whole = limit.as_i128().unwrap_or(float.ceil() as i128);
    let on_the_limit = limit.is_i64() || limit.is_u64() || float.fract() == 0.0;
    Some(whole.saturating_add(i128::from(open && on_the_limit)))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates far outside of what JSON readers keep exact")]
fn last_integer(limit: &Number, open: bool) -> i128 {
    let float = limit.as_f64().unwrap_or(f64::MAX);
    let whole = limit.as_i128().unwrap_or(float.floor() as i128);
    let on_the_limit = limit.is_i64() || limit.is_u64() || float.fract() == 0.0;
    whole.saturating_sub(i128::from(open && on_the_limit))
}

impl Generator<'_, '_> {
    /// A number, or an integer where `whole`.
    pub(crate) fn number(
        &mut self,
        conjunction: &Conjunction<'_>,
        name: &str,
        vary: usize,
        whole: bool,
    ) -> Result<Value, Stop> {
        let bounds = Bounds::of(conjunction).map_err(|reason| self.stuck(reason))?;
        let narrow = bounds.low.zip(bounds.high).is_some_and(|(low, high)| high - low <= 10.0);
        let fraction =
            if !whole && bounds.steps.is_empty() && narrow { self.fraction(&bounds) } else { None };
        if let Some(fraction) = fraction {
            return Ok(fraction);
        }
        if let Some(integer) = self.integer(&bounds, name, vary) {
            return Ok(integer);
        }
        let fallback = if whole { None } else { self.fractional_multiple(&bounds) };
        fallback.ok_or_else(|| self.stuck("no number lies within `minimum`, `maximum` and `multipleOf`"))
    }

    fn integer(&mut self, bounds: &Bounds, name: &str, vary: usize) -> Option<Value> {
        // An integer is a multiple of m/10^s exactly if it is one of m / gcd(m, 10^s).
        let step = bounds.steps.iter().try_fold(1_i128, |common, step| {
            let scale = 10_i128.checked_pow(step.scale)?;
            let step = step.mantissa / greatest_common_divisor(step.mantissa, scale);
            (common / greatest_common_divisor(common, step)).checked_mul(step)
        })?;
        let full = (bounds.integers.0.unwrap_or(i128::MIN), bounds.integers.1.unwrap_or(i128::MAX));
        let plausible = vary == 0 && self.options.variation == 0;
        let fits = |known: &i128| plausible && known % step == 0 && (full.0..=full.1).contains(known);
        if let Some(known) = hint::integer(name).filter(fits) {
            return integer_value(known);
        }
        let (low, high) = bounds.window();
        // The window is narrower than the bounds; variations need all of them, and a multiple may only lie in the rest.
        let wide = (bounds.integers.0.unwrap_or(low.min(full.1)), full.1);
        let first = if vary == 0 { (low, high) } else { wide };
        let multiple = self.multiple_between(first.0, first.1, step, vary);
        let multiple =
            multiple.or_else(|| self.multiple_between(full.0.max(-LARGEST_SAFE), full.1, step, vary));
        multiple.and_then(integer_value)
    }

    fn multiple_between(&mut self, low: i128, high: i128, step: i128, vary: usize) -> Option<i128> {
        let first = low.checked_add(step - 1)?.div_euclid(step);
        let last = high.div_euclid(step);
        if first > last {
            return None;
        }
        let choices = last.checked_sub(first)?.checked_add(1)?.min(SPAN);
        let draw = match vary {
            0 => i128::from(self.draws.below(u64::try_from(choices).ok()?)),
            _ => i128::try_from(vary - 1).ok()? % last.checked_sub(first)?.checked_add(1)?,
        };
        first.checked_add(draw)?.checked_mul(step)
    }

    /// A number between two bounds that stand close together, with two decimals if such a one fits.
    fn fraction(&mut self, bounds: &Bounds) -> Option<Value> {
        let (low, high) = bounds.low.zip(bounds.high)?;
        if low > high {
            return None;
        }
        let share = (1 + self.draws.below(99)) as f64 / 100.0;
        let drawn = low + (high - low) * share;
        let fits = |value: &f64| *value > low && *value < high;
        let rounded = (drawn * 100.0).round() / 100.0;
        [rounded, drawn].into_iter().find(fits).and_then(Number::from_f64).map(Value::Number)
    }

    /// For bounds with no integer between them: a multiple of the steps, or a bound itself.
    fn fractional_multiple(&mut self, bounds: &Bounds) -> Option<Value> {
        if bounds.steps.is_empty() {
            let edge = bounds.low.filter(|low| Some(*low) == bounds.high);
            return edge.and_then(Number::from_f64).map(Value::Number).or_else(|| self.fraction(bounds));
        }
        let scale = bounds.steps.iter().map(|step| step.scale).max()?;
        let step = bounds.common_step(scale)?;
        let factor = 10_f64.powi(i32::try_from(scale).ok()?);
        #[expect(clippy::cast_possible_truncation, reason = "saturates; the result is checked")]
        let low = bounds.low.map_or(0, |low| (low * factor).floor() as i128);
        #[expect(clippy::cast_possible_truncation, reason = "saturates; the result is checked")]
        let high = bounds.high.map_or(i128::MAX, |high| (high * factor).ceil() as i128);
        let first = low.div_euclid(step).checked_mul(step)?;
        // The first may lie on an open bound or just below it, so the next ones are candidates too.
        (0..4)
            .filter_map(|index| first.checked_add(step.checked_mul(index)?))
            .filter(|mantissa| *mantissa <= high)
            .filter_map(|mantissa| format!("{mantissa}e-{scale}").parse::<f64>().ok())
            .find(|value| {
                bounds.low.is_none_or(|low| *value > low) && bounds.high.is_none_or(|high| *value < high)
            })
            .and_then(Number::from_f64)
            .map(Value::Number)
    }
}

fn integer_value(integer: i128) -> Option<Value> {
    i64::try_from(integer).map(Value::from).or_else(|_| u64::try_from(integer).map(Value::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::of(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn decimals_are_read_as_they_are_written() {
        assert_eq!(decimal("0.010"), Decimal { mantissa: 1, scale: 2 });
        assert_eq!(decimal("1e3"), Decimal { mantissa: 1000, scale: 0 });
        assert_eq!(decimal("-2.50"), Decimal { mantissa: -25, scale: 1 });
        assert_eq!(decimal("1e-7"), Decimal { mantissa: 1, scale: 7 });
        assert!(decimal("4.0").is_whole());
    }

    #[test]
    fn multiples_are_exact_where_floats_are_not() {
        assert!(decimal("0.57").is_multiple_of(decimal("0.01")));
        assert!(!decimal("0.575").is_multiple_of(decimal("0.01")));
        assert!(decimal("1").is_multiple_of(decimal("0.1")));
    }

    #[test]
    fn whole_numbers_beyond_float_precision_are_ordered() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert!(compare(&number("9007199254740993"), &number("9007199254740992")).is_gt());
        assert!(compare(&number("1"), &number("1.0")).is_eq());
        assert!(compare(&number("-0.5"), &number("0")).is_lt());
    }
}
