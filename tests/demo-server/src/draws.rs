//! Seeded draws: what happens to request `n` depends on the seed, `n` and the rule that asks, never on time or thread.
//!
//! The mixing function is `SplitMix64`'s finalizer (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
//! OOPSLA 2014).

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The draws that one rule makes for one request.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    /// The stream of `rule` for request number `ordinal` under `seed`.
    pub(crate) fn new(seed: u64, ordinal: u64, rule: u64) -> Self {
        let state = mix(seed.wrapping_add(GAMMA));
        let state = mix(state ^ ordinal.wrapping_add(1).wrapping_mul(GAMMA));
        Self { state: mix(state ^ rule.wrapping_add(1).wrapping_mul(GAMMA)) }
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number in `0.0..1.0`, with 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `rate`; always at 1 and above, never at 0 and below.
    pub(crate) fn hits(&mut self, rate: f64) -> bool {
        self.unit() < rate
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::Draws;

    #[test]
    fn the_same_request_under_the_same_seed_draws_the_same() {
        assert_eq!(Draws::new(7, 3, 1).next_u64(), Draws::new(7, 3, 1).next_u64());
        assert_ne!(Draws::new(7, 3, 1).next_u64(), Draws::new(7, 4, 1).next_u64());
        assert_ne!(Draws::new(7, 3, 1).next_u64(), Draws::new(8, 3, 1).next_u64());
    }

    #[test]
    fn a_rate_is_met_within_its_sampling_error() {
        let hits = (0..100_000).filter(|&ordinal| Draws::new(1, ordinal, 0).hits(0.02)).count();
        assert!((1_800..2_200).contains(&hits), "{hits} hits of 2000 expected");
    }

    #[test]
    fn the_ends_of_the_scale_are_certain() {
        assert!((0..1000).all(|ordinal| Draws::new(1, ordinal, 0).hits(1.0)));
        assert!(!(0..1000).any(|ordinal| Draws::new(1, ordinal, 0).hits(0.0)));
    }
}
