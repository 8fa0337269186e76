//! Fits the law and its two simpler forms to mean capacities: nonlinear least squares of the relative error, sigma and kappa >= 0.
//!
//! By hand, not by a crate: N / X(N) is linear in three unknowns, so Gauss-Newton from there takes a few 3x3 systems, and the bounds
//! are four cases to compare; a general optimizer would bring a linear algebra library for that, and no bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A law of how capacity grows with cores, each with one reason more for cores to be wasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Law {
    /// Every core brings as much as the first.
    Linear,
    /// Amdahl's: a share of the work waits in line (kappa = 0).
    Amdahl,
    /// The Universal Scalability Law: and cores cost each other time, so that more may bring less.
    Usl,
}

impl Law {
    /// All of them, the simplest first.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Amdahl, Self::Usl];

    /// How many unknowns it has.
    pub(super) fn unknowns(self) -> usize {
        match self {
            Self::Linear => 1,
            Self::Amdahl => 2,
            Self::Usl => 3,
        }
    }
}

/// The unknowns of the Universal Scalability Law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UslParameters {
    /// Capacity of one core, per second.
    pub lambda: f64,
    /// Contention: the share of work that waits in line.
    pub sigma: f64,
    /// Coherency: what each pair of cores costs.
    pub kappa: f64,
}

impl UslParameters {
    /// The capacity at a number of cores.
    ///
    /// ```
    /// use pmcp_loadtest::judge::scalability::UslParameters;
    /// let even = UslParameters { lambda: 100.0, sigma: 0.0, kappa: 0.0 };
    /// assert_eq!(even.capacity(8.0), 800.0);
    /// ```
    pub fn capacity(&self, cores: f64) -> f64 {
        self.lambda * cores / (1.0 + self.sigma * (cores - 1.0) + self.kappa * cores * (cores - 1.0))
    }

    /// The number of cores from which on more of them bring less; `None` where there is none.
    pub fn peak(&self) -> Option<f64> {
        (self.kappa > 0.0 && self.sigma < 1.0).then(|| ((1.0 - self.sigma) / self.kappa).sqrt())
    }
}

/// A mean capacity at a number of cores, and how many repeats it is the mean of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    pub(super) cores: f64,
    pub(super) per_s: f64,
    pub(super) repeats: f64,
}

/// Most steps of Gauss-Newton: with errors of a few per cent, four or five are enough.
const MOST_STEPS: usize = 20;
/// The relative change of the unknowns below which they are found.
const FOUND: f64 = 1e-9;

/// The unknowns that fit best; `None` where there are fewer points than unknowns, or no curve through them.
///
/// The capacity of every point is positive. A search for a capacity ends within a share of it, so errors are relative: they are
/// weighted by the inverse square of the fitted capacity, and by the number of repeats.
pub(super) fn fit(law: Law, means: &[Mean]) -> Option<UslParameters> {
    let mut line = least_squares(law, means.iter().map(|mean| (mean, mean.cores / mean.per_s, 1.0)))?;
    for _ in 0..MOST_STEPS {
        // With y = N / X, the relative error of X around y0 is 2 - y/y0 - x/X0 to first order.
        let around = means.iter().map(|mean| {
            let there = value(line, mean.cores);
            (mean, there, 2.0 - mean.per_s * there / mean.cores)
        });
        let next = least_squares(law, around)?;
        let change = line.iter().zip(next).map(|(was, is)| (was - is).abs()).fold(0.0, f64::max);
        line = next;
        if change <= FOUND * line[0] {
            break;
        }
    }
    let [inverse, contention, coherency] = line;
    Some(UslParameters { lambda: 1.0 / inverse, sigma: contention / inverse, kappa: coherency / inverse })
}

/// N / X(N) by its three coefficients.
fn value([inverse, contention, coherency]: [f64; 3], cores: f64) -> f64 {
    inverse + contention * (cores - 1.0) + coherency * cores * (cores - 1.0)
}

/// The coefficients, the last two not negative, for which N / X(N) over `scale` comes closest to the aim of every point.
///
/// The sum of squares is convex, so its least value under the bounds is the least of those with some of the two held at zero.
fn least_squares<'a>(law: Law, points: impl Iterator<Item = (&'a Mean, f64, f64)>) -> Option<[f64; 3]> {
    let mut equations = [[0.0; 4]; 3];
    for (mean, scale, aim) in points {
        let row = [1.0, mean.cores - 1.0, mean.cores * (mean.cores - 1.0)].map(|part| part / scale);
        for (equation, left) in equations.iter_mut().zip(row) {
            for (cell, right) in equation.iter_mut().zip(row.into_iter().chain([aim])) {
                *cell += mean.repeats * left * right;
            }
        }
    }
    let cases: &[&[usize]] = match law {
        Law::Linear => &[&[0]],
        Law::Amdahl => &[&[0], &[0, 1]],
        Law::Usl => &[&[0], &[0, 1], &[0, 2], &[0, 1, 2]],
    };
    let lines = cases.iter().filter_map(|free| solve(&equations, free));
    let allowed = lines.filter(|line| line[0] > 0.0 && line[1] >= 0.0 && line[2] >= 0.0);
    allowed.min_by(|left, right| gain(&equations, right).total_cmp(&gain(&equations, left)))
}

/// How much a solution of the normal equations lowers the sum of squares: there, the product of the coefficients and the aims.
fn gain(equations: &[[f64; 4]; 3], line: &[f64; 3]) -> f64 {
    line.iter().zip(equations).map(|(coefficient, equation)| coefficient * equation[3]).sum()
}

/// Solves the normal equations of the `free` coefficients by elimination, the others being zero.
fn solve(equations: &[[f64; 4]; 3], free: &[usize]) -> Option<[f64; 3]> {
    let mut system = *equations;
    for &column in free {
        let head = system[column];
        // Positive definite, so no pivoting is needed; unless there are fewer numbers of cores than unknowns.
        if head[column] <= 0.0 {
            return None;
        }
        for &other in free.iter().filter(|other| **other != column) {
            let factor = system[other][column] / head[column];
            for (cell, above) in system[other].iter_mut().zip(head) {
                *cell -= factor * above;
            }
        }
    }
    let mut line = [0.0; 3];
    for &coefficient in free {
        line[coefficient] = system[coefficient][3] / system[coefficient][coefficient];
    }
    Some(line)
}
