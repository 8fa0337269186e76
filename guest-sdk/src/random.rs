//! Random choices that depend on what is drawn for, never on who draws or when.

use std::ops::RangeInclusive;
use std::time::Duration;

use pmcp_loadtest_arguments::Draws;

/// A stream of random choices; the same seed gives the same choices on every machine.
///
/// ```
/// use pmcp_loadtest_guest::Random;
/// let mut random = Random::new(7);
/// let dice = random.between(1..=6);
/// assert_eq!(dice, Random::new(7).between(1..=6));
/// ```
#[derive(Debug, Clone)]
pub struct Random {
    draws: Draws,
}

impl Random {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { draws: Draws::of(seed) }
    }

    /// Each round of an iteration has a stream of its own: repeating the choices of the round before would be a surprise.
    pub(crate) fn of_round(seed: u64, round: u32) -> Self {
        match round {
            0 => Self::new(seed),
            round => Self { draws: Draws::new(seed, 0, u64::from(round)) },
        }
    }

    /// The stream underneath, for what draws from it directly.
    pub fn draws(&mut self) -> &mut Draws {
        &mut self.draws
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.draws.next_u64()
    }

    /// An integer below `bound`; zero when `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draws.below(bound)
    }

    /// An integer of `range`, both ends included; the start of a range that is empty.
    pub fn between(&mut self, range: RangeInclusive<i64>) -> i64 {
        let (start, end) = range.into_inner();
        if end <= start {
            return start;
        }
        match start.abs_diff(end).checked_add(1) {
            Some(count) => start.wrapping_add_unsigned(self.below(count)),
            // All of them.
            None => i64::from_ne_bytes(self.next_u64().to_ne_bytes()),
        }
    }

    /// A number from 0 up to, but never, 1.
    pub fn fraction(&mut self) -> f64 {
        // The upper 53 bits: as many as an f64 holds exactly.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability, from 0 to 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// One of `items`, each as likely as any other; `None` where there are none.
    pub fn pick<'items, T>(&mut self, items: &'items [T]) -> Option<&'items T> {
        items.get(usize::try_from(self.below(items.len() as u64)).ok()?)
    }

    /// One of `items`, each as likely as its weight; `None` where no weight is above zero.
    ///
    /// ```
    /// use pmcp_loadtest_guest::Random;
    /// let tool = Random::new(7).weighted(&[("search", 7.0), ("read", 3.0), ("delete", 0.0)]);
    /// assert_ne!(tool, Some(&"delete"));
    /// ```
    pub fn weighted<'items, T>(&mut self, items: &'items [(T, f64)]) -> Option<&'items T> {
        let likely = || items.iter().filter(|(_, weight)| *weight > 0.0);
        let mut left = self.fraction() * likely().map(|(_, weight)| weight).sum::<f64>();
        for (item, weight) in likely() {
            left -= weight;
            if left < 0.0 {
                return Some(item);
            }
        }
        // Rounding may leave a hair above zero.
        likely().last().map(|(item, _)| item)
    }

    /// Puts `items` in a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            if let Ok(other) = usize::try_from(self.below(last as u64 + 1)) {
                items.swap(last, other);
            }
        }
    }

    /// A duration of `range`, to the millisecond.
    pub fn duration(&mut self, range: RangeInclusive<Duration>) -> Duration {
        let milliseconds = |duration: &Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let drawn = self.between(milliseconds(range.start())..=milliseconds(range.end()));
        Duration::from_millis(drawn.unsigned_abs())
    }
}
