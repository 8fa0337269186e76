//! The share of the load that each scenario gets: 70 : 20 : 10 between tools, resources and prompts, whole, and never zero.

/// What a scenario calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `tools/call`.
    Tool,
    /// `resources/read`.
    Resource,
    /// `prompts/get`.
    Prompt,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Tool, Self::Resource, Self::Prompt];

    fn share(self) -> u32 {
        match self {
            Self::Tool => 70,
            Self::Resource => 20,
            Self::Prompt => 10,
        }
    }
}

/// Hands out the weights.
#[derive(Debug)]
pub(super) struct Shares {
    /// For each kind: what each of its scenarios gets, and how many get one more.
    left: [(u32, u32); 3],
}

impl Shares {
    /// Divides the load among scenarios of these kinds. Where a kind has more scenarios than its share has parts, all shares are
    /// multiplied, so that their proportion stays.
    pub(super) fn of(kinds: impl Iterator<Item = Kind>) -> Self {
        let mut counts = [0_u32; 3];
        for kind in kinds {
            counts[kind as usize] = counts[kind as usize].saturating_add(1);
        }
        let factor = Kind::ALL.map(|kind| counts[kind as usize].div_ceil(kind.share())).into_iter().max();
        let factor = factor.unwrap_or(1).max(1);
        let left = Kind::ALL.map(|kind| {
            let (whole, count) = (kind.share().saturating_mul(factor), counts[kind as usize].max(1));
            (whole / count, whole % count)
        });
        Self { left }
    }

    /// The weight of the next scenario of this kind; at least one.
    pub(super) fn next(&mut self, kind: Kind) -> u32 {
        let (each, more) = &mut self.left[kind as usize];
        let extra = (*more).min(1);
        *more -= extra;
        *each + extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(counts: [usize; 3]) -> [Vec<u32>; 3] {
        let kinds = || Kind::ALL.into_iter().zip(counts);
        let all = kinds().flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
        let mut shares = Shares::of(all);
        let mut weights = kinds().map(|(kind, count)| (0..count).map(|_| shares.next(kind)).collect());
        std::array::from_fn(|_| weights.next().unwrap())
    }

    #[test]
    fn a_share_is_divided_without_a_remainder_getting_lost() {
        assert_eq!(weights([3, 1, 1]), [vec![24, 23, 23], vec![20], vec![10]]);
    }

    #[test]
    fn no_weight_is_zero_and_the_proportion_of_the_kinds_stays_however_many_there_are() {
        for counts in [[150, 1, 1], [1, 1, 100], [71, 21, 11], [1000, 0, 1], [7, 300, 2]] {
            let weights = weights(counts);
            assert!(weights.iter().flatten().all(|weight| *weight >= 1), "{counts:?}");
            let totals: Vec<u32> = weights.iter().map(|weights| weights.iter().sum()).collect();
            for (kind, total) in Kind::ALL.into_iter().zip(totals) {
                let present = counts[kind as usize] > 0;
                let other = weights[0].iter().sum::<u32>();
                assert!(!present || total * 70 == other * kind.share(), "{counts:?} {kind:?}");
            }
        }
    }
}
