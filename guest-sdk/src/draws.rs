//! Random draws that depend on what is drawn for, never on who draws or when.
//!
//! A draw is a hash of (seed, session, iteration, position), so the same seed sends the same requests whatever the number of
//! workers or machines. The mixing function is `SplitMix64`'s finalizer (Steele, Lea, Flood: "Fast splittable pseudorandom
//! number generators", OOPSLA 2014).

/// The stream of draws of one iteration.
///
/// ```
/// use pmcp_loadtest_guest::Draws;
/// let mut once = Draws::new(7, 3, 0);
/// let mut again = Draws::new(7, 3, 0);
/// assert_eq!(once.below(1000), again.below(1000));
/// ```
#[derive(Debug, Clone)]
pub struct Draws {
    state: u64,
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Draws {
    /// The stream of iteration `iteration` of session `session` under the run's `seed`.
    pub fn new(seed: u64, session: u64, iteration: u64) -> Self {
        let state = mix(seed.wrapping_add(GAMMA));
        let state = mix(state ^ session.wrapping_add(1).wrapping_mul(GAMMA));
        Self { state: mix(state ^ iteration.wrapping_add(1).wrapping_mul(GAMMA)) }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// An integer below `bound`; zero when `bound` is zero. By multiplication (Lemire 2019); the bias is below 2^-32 for any
    /// bound that a scenario can have.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        // The high half of a 128-bit product.
        (wide >> 64) as u64
    }
}
