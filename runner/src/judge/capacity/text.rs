//! What a search found, in sentences for a person. In: an [`Answer`]. Out: a headline and what belongs to it, one sentence each, without
//! colours and line breaks.

use super::answer::{Answer, AtLeast, Bound, Finding};
use super::question::Variable;
use super::trial::TrialResult;
use crate::judge::wording::{counted, quoted, rate, rounded, share, time};

impl Answer {
    /// The finding in one sentence.
    pub fn headline(&self) -> String {
        let load = |load: f64| self.load(load);
        let lo = self.lo.as_ref().map(|lo| load(lo.load));
        match (&self.finding, lo) {
            (Finding::Between, Some(lo)) => {
                let hi = self.hi.as_ref().map_or_else(|| "more".to_owned(), |hi| load(hi.load));
                format!("The capacity is {lo}: that load kept to every objective, and {hi} did not.")
            }
            (Finding::Between, None) => "The capacity is not known: no load passed.".to_owned(),
            (Finding::AtLeast { because: AtLeast::Ceiling }, Some(lo)) => {
                format!("The capacity is at least {lo}, the highest load that was allowed.")
            }
            (Finding::AtLeast { because: AtLeast::Generator { why } }, Some(lo)) => {
                format!("The capacity is at least {lo}; the generator cannot drive more: {}.", quoted(why))
            }
            (Finding::AtLeast { .. }, None) => "The capacity is not known: no load passed.".to_owned(),
            (Finding::RateLimit { ok_per_s }, lo) => {
                let kept = lo.map_or_else(String::new, |lo| format!("; {lo} kept to every objective"));
                let limit = rate(*ok_per_s);
                format!(
                    "The server limits the rate: it lets about {limit} calls/s pass and refuses the rest (429){kept}. Its capacity is not known."
                )
            }
            (Finding::Metastable { after_load, before_us, after_us }, _) => {
                let after = after_us
                    .map_or_else(|| "is not answered".to_owned(), |after| format!("takes {}", time(after)));
                format!(
                    "The server does not recover from an overload (metastable failure): after {} a single session, with nothing beside it, {after} where it took {}.",
                    load(*after_load),
                    time(*before_us)
                )
            }
            (Finding::Degrading { passed_load, failed_load }, _) => format!(
                "The server became slower while it worked: {} kept to the objectives at first, and later not even {} did.",
                load(*passed_load),
                load(*failed_load)
            ),
            (Finding::BelowFloor { load: floor }, _) => {
                format!("Not even {} keeps to the objectives.", load(*floor))
            }
            (Finding::TooFewCalls { load: lowest }, _) => format!(
                "{} does not keep to the objectives, and less has too few calls in two minutes to tell: ask for a smaller share.",
                load(*lowest)
            ),
            (Finding::Deadline | Finding::Interrupted, Some(lo)) => {
                let ended = self.ended();
                let above = self.hi.as_ref().map_or_else(
                    || "nothing above it failed yet".to_owned(),
                    |hi| format!("{} did not", load(hi.load)),
                );
                let confirmed = if self.lo.as_ref().is_some_and(|lo| lo.confirmed) {
                    ""
                } else {
                    ", though not confirmed"
                };
                format!("{ended}: {lo} kept to every objective{confirmed}, and {above}.")
            }
            (Finding::Deadline | Finding::Interrupted, None) => {
                format!("{} before any load passed.", self.ended())
            }
            (Finding::Unmeasurable { why }, _) => {
                format!("The capacity cannot be measured: {}.", quoted(why))
            }
        }
    }

    /// What belongs to the headline: what broke, the figures at the load that passed, the most that was answered, and how it was found.
    pub fn details(&self) -> Vec<String> {
        let mut details = Vec::new();
        if let Some(broken) = &self.broke_first {
            let tool =
                broken.tool.as_ref().map_or_else(String::new, |tool| format!(", worst for {}", quoted(tool)));
            details.push(format!("What breaks first is {}{tool}.", broken.objective));
        }
        if let Some((lo, witness)) = self.lo.as_ref().and_then(|lo| Some((lo, self.witness(lo)?))) {
            details.push(self.figures(lo, witness));
        }
        if self.saturation_ok_per_s > 0.0 {
            details.push(format!(
                "The most that was answered was {} ok calls/s.",
                rate(self.saturation_ok_per_s)
            ));
        }
        let doubted = self.trials.iter().filter(|trial| !trial.verdict.is_sure()).count() as u64;
        let rests: f64 = self.rests.iter().map(|rest| rest.seconds).sum();
        let rested = if rests > 0.0 {
            format!(", {} of it to let the server recover", seconds(rests))
        } else {
            String::new()
        };
        details.push(format!(
            "{} in {}{rested}; chance may have decided {doubted} of them.",
            counted(self.trials.len() as u64, "trial"),
            seconds(self.elapsed_s),
        ));
        details
    }

    /// How a search ended that did not come to an end of its own.
    fn ended(&self) -> &'static str {
        match self.finding {
            Finding::Interrupted => "The search was interrupted",
            _ => "The time was over",
        }
    }

    fn figures(&self, lo: &Bound, witness: &TrialResult) -> String {
        let times = [
            ("p50", witness.p50_us),
            ("p99", witness.p99_us),
            ("first event p50", witness.first_event_p50_us),
        ];
        let times =
            times.into_iter().filter_map(|(name, micros)| Some(format!(", {name} {}", time(micros?))));
        let confirmed = if lo.confirmed { "" } else { " (not confirmed)" };
        format!(
            "At {}{confirmed} {} of the calls were ok{}.",
            self.load(lo.load),
            share(witness.ok_ratio),
            times.collect::<String>()
        )
    }

    /// What to do about the finding, one sentence each.
    pub fn advice(&self) -> Vec<String> {
        let sentences: &[&str] = match &self.finding {
            Finding::Between => &[
                "Plan with less than this: at the bound itself the slowest calls are as slow as they may be.",
                "Before you call a difference between releases one, search each several times: an answer has chance in it.",
            ],
            Finding::AtLeast { because: AtLeast::Ceiling } => &["Raise --max-load to find where it ends."],
            Finding::AtLeast { because: AtLeast::Generator { .. } } => &[
                "Give the generator more cores or a machine of its own, and search again: this says nothing of the server.",
            ],
            Finding::RateLimit { .. } => &[
                "Lift the limit for the test to find the capacity behind it, or take the limit for the answer.",
            ],
            Finding::Metastable { .. } => &[
                "Restart the server before anything else is measured on it.",
                "Look for what goes on when the load is gone: retries, queues without a bound, a pool that is never refilled.",
            ],
            Finding::Degrading { .. } => &[
                "Restart the server and search again; hold a load for an hour (`run --scenario soak`) to see what grows.",
            ],
            Finding::BelowFloor { .. } => &[
                "Look at a single session first (`run --vus 1`): an objective below the server's unloaded times is kept at no load.",
            ],
            Finding::TooFewCalls { .. } => &["Ask for a smaller share, such as p(95) instead of p(99)."],
            Finding::Deadline => {
                &["Give it more time with --deadline, or less to search with --min-load and --max-load."]
            }
            Finding::Interrupted => &["Let it come to its end, or end it in good time with --deadline."],
            Finding::Unmeasurable { .. } => {
                &["Look at what a single session is answered: `run --vus 1 --iterations 10`."]
            }
        };
        sentences.iter().map(ToString::to_string).collect()
    }

    /// A load with its unit.
    fn load(&self, load: f64) -> String {
        match self.variable {
            Variable::Rate => format!("{} iterations/s", rate(load)),
            Variable::Sessions => counted(rounded(load), "session"),
        }
    }
}

fn seconds(seconds: f64) -> String {
    time(rounded(seconds * 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::capacity::{LoadVerdict, Precision};

    fn answer(finding: Finding, variable: Variable) -> Answer {
        let lo = Bound {
            load: 120.0,
            verdict: LoadVerdict::Passed,
            confirmed: true,
            passed: 2,
            failed: 0,
            witness: 1,
        };
        Answer {
            finding,
            variable,
            precision: Precision::Usual,
            objectives: vec!["errors rate < 1%".to_owned()],
            lo: Some(lo),
            hi: None,
            broke_first: None,
            saturation_ok_per_s: 130.5,
            elapsed_s: 480.0,
            trials: Vec::new(),
            rests: Vec::new(),
        }
    }

    #[test]
    fn every_finding_is_a_sentence_that_claims_no_more_than_was_seen() {
        let why = "no port\nleft".to_owned();
        for (finding, headline) in [
            (
                Finding::AtLeast { because: AtLeast::Generator { why } },
                "The capacity is at least 120.0 iterations/s; the generator cannot drive more: no port left.",
            ),
            (
                Finding::RateLimit { ok_per_s: 80.2 },
                "The server limits the rate: it lets about 80.2 calls/s pass and refuses the rest (429); 120.0 iterations/s kept to every objective. Its capacity is not known.",
            ),
            (
                Finding::Metastable { after_load: 200.0, before_us: 20_000, after_us: None },
                "The server does not recover from an overload (metastable failure): after 200.0 iterations/s a single session, with nothing beside it, is not answered where it took 20.0 ms.",
            ),
            (
                Finding::Degrading { passed_load: 150.0, failed_load: 120.0 },
                "The server became slower while it worked: 150.0 iterations/s kept to the objectives at first, and later not even 120.0 iterations/s did.",
            ),
            (
                Finding::Deadline,
                "The time was over: 120.0 iterations/s kept to every objective, and nothing above it failed yet.",
            ),
            (
                Finding::Interrupted,
                "The search was interrupted: 120.0 iterations/s kept to every objective, and nothing above it failed yet.",
            ),
        ] {
            assert_eq!(answer(finding, Variable::Rate).headline(), headline);
        }
    }

    #[test]
    fn sessions_are_counted_as_sessions() {
        let answer = answer(Finding::AtLeast { because: AtLeast::Ceiling }, Variable::Sessions);
        assert_eq!(
            answer.headline(),
            "The capacity is at least 120 sessions, the highest load that was allowed."
        );
        assert_eq!(answer.details()[0], "The most that was answered was 130.5 ok calls/s.");
    }
}
