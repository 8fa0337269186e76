//! Which scenario an iteration or a virtual user of a load takes, by weight.

use pmcp_loadtest_arguments::Draws;

use crate::plan::{Plan, Scenario, ScenarioChoice, Script};

/// Two to the 64th over the golden ratio: multiples of it spread evenly over the integers, whatever their number
/// (Knuth, "The Art of Computer Programming", volume 3, section 6.4, theorem S).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The scenarios that a load draws from.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    choices: Vec<Choice>,
    total_weight: u64,
    choice: ScenarioChoice,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    /// Its place in the plan.
    scenario: usize,
    weight: u64,
    /// Its plugin's number, where it is one.
    plugin: Option<usize>,
}

impl Mix {
    /// What the load with this place in the plan draws from.
    pub(crate) fn of(plan: &Plan, load: usize) -> Self {
        let is_plugin = |scenario: &Scenario| matches!(scenario.script, Script::Plugin(_));
        let choices = plan.loads[load].scenarios.iter().map(|&place| Choice {
            scenario: place,
            weight: plan.scenarios[place].weight.into(),
            plugin: is_plugin(&plan.scenarios[place])
                .then(|| plan.scenarios[..place].iter().filter(|scenario| is_plugin(scenario)).count()),
        });
        let choices: Vec<Choice> = choices.collect();
        let total_weight = choices.iter().map(|choice| choice.weight).sum();
        Self { choices, total_weight, choice: plan.settings.scenario_choice }
    }

    /// The scenario of an iteration of virtual user `vu`, by its place in the plan. Where it is a plugin that was given up, another is
    /// drawn among those that are left; `None` where none is.
    pub(crate) fn choose(
        &self,
        vu: u64,
        draws: &mut Draws,
        given_up: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let drawn = match self.choice {
            _ if self.choices.len() == 1 => 0,
            ScenarioChoice::PerIteration => draws.below(self.total_weight),
            ScenarioChoice::PerVu => spread(vu, self.total_weight),
        };
        let chosen = self.pick(drawn, |_| true)?;
        let is_there = |choice: &Choice| choice.plugin.is_none_or(|plugin| !given_up(plugin));
        if is_there(&chosen) {
            return Some(chosen.scenario);
        }
        let left = self.choices.iter().filter(|choice| is_there(choice)).map(|choice| choice.weight).sum();
        self.pick(draws.below(left), is_there).map(|choice| choice.scenario)
    }

    /// Whether some scenario can still be drawn.
    pub(crate) fn any_left(&self, given_up: impl Fn(usize) -> bool) -> bool {
        let is_there = |choice: &Choice| choice.plugin.is_none_or(|plugin| !given_up(plugin));
        self.choices.iter().any(|choice| choice.weight > 0 && is_there(choice))
    }

    /// Which of those that are `there` a draw below the sum of their weights falls to.
    fn pick(&self, mut drawn: u64, there: impl Fn(&Choice) -> bool) -> Option<Choice> {
        for choice in self.choices.iter().filter(|choice| there(choice)) {
            if drawn < choice.weight {
                return Some(*choice);
            }
            drawn -= choice.weight;
        }
        None
    }
}

/// A number below `bound` for virtual user `vu`, such that however many there are, they lie evenly.
fn spread(vu: u64, bound: u64) -> u64 {
    // The high half of a 128-bit product.
    ((u128::from(vu.wrapping_mul(GOLDEN)) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixtures::plan_of;
    use crate::plan::Action;

    fn mix(weights: [u32; 3], choice: ScenarioChoice) -> Mix {
        let mut plan = plan_of(["a", "b", "c"].map(|name| (name, vec![Action::ListTools])).to_vec());
        for (scenario, weight) in plan.scenarios.iter_mut().zip(weights) {
            scenario.weight = weight;
        }
        plan.settings.scenario_choice = choice;
        Mix::of(&plan, 0)
    }

    fn counts(mix: &Mix, number: u64) -> [u64; 3] {
        let mut counts = [0; 3];
        for vu in 0..number {
            counts[mix.choose(vu, &mut Draws::new(7, vu, 0), |_| false).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn classes_of_users_are_in_proportion_to_their_weights_however_few_there_are() {
        let classes = mix([70, 20, 10], ScenarioChoice::PerVu);
        assert_eq!(counts(&classes, 10), [7, 2, 1]);
        let thousand = counts(&classes, 1000);
        assert!(
            thousand.iter().zip([700, 200, 100]).all(|(got, want)| got.abs_diff(want) <= 3),
            "{thousand:?}"
        );
    }

    #[test]
    fn a_user_of_a_class_never_changes_it_and_one_without_does() {
        let draw = |mix: &Mix, iteration| mix.choose(3, &mut Draws::new(7, 3, iteration), |_| false);
        let classes = mix([1, 1, 1], ScenarioChoice::PerVu);
        assert!((0..50).all(|iteration| draw(&classes, iteration) == draw(&classes, 0)));
        let drawn = mix([1, 1, 1], ScenarioChoice::PerIteration);
        assert!((0..50).any(|iteration| draw(&drawn, iteration) != draw(&drawn, 0)));
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        assert_eq!(counts(&mix([0, 1, 0], ScenarioChoice::PerIteration), 200), [0, 200, 0]);
        assert_eq!(counts(&mix([0, 1, 0], ScenarioChoice::PerVu), 200), [0, 200, 0]);
    }
}
