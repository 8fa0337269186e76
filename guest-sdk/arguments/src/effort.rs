//! How much work a schema may cause: a tank that every step drains, so that no schema takes long.

use std::cell::Cell;

/// Steps left. Shared between building and checking.
#[derive(Debug)]
pub(crate) struct Effort(Cell<u64>);

/// The tank is empty: the search ends here, whatever alternatives are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Effort {
    /// A tank of `steps`.
    pub(crate) fn of(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    /// Takes `steps` out of the tank.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Exhausted> {
        let left = self.0.get().checked_sub(steps as u64);
        self.0.set(left.unwrap_or(0));
        left.map(drop).ok_or(Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_tank_stays_empty() {
        let effort = Effort::of(3);
        assert_eq!(effort.spend(3), Ok(()));
        assert_eq!(effort.spend(1), Err(Exhausted));
        assert_eq!(effort.spend(1), Err(Exhausted));
    }
}
