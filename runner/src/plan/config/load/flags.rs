//! What the flags say about the load, and how they beat the file: a flag that shapes a load replaces the file's shape, one that is a
//! figure of a load replaces that figure.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::limits::{length_fits, rate_fits, rate_stages_fit, stages_fit, users_fit};
use super::said::{By, Said};
use super::{Draft, LENGTH, Shape};
use crate::plan::config::error::Problems;
use crate::plan::config::overrides::Overrides;
use crate::plan::duration::human;
use crate::plan::{AnyStage, Rate, RateStage, Spacing, Stage};

const HELP: &str = "leave it out to run what the file says";

/// What the flags say about the load. Where something is wrong with them, it is noted and the figure is left out.
#[derive(Debug)]
pub(super) struct Flags {
    users: Option<Said<NonZeroU32>>,
    length: Option<Duration>,
    shaping: Option<Shaping>,
    spawn_rate: Option<Rate>,
    max_vus: Option<Said<NonZeroU32>>,
    spacing: Option<Spacing>,
}

/// A flag that shapes the whole load.
#[derive(Debug, Clone)]
enum Shaping {
    Ramp(Vec<Stage>),
    ArrivalRamp(Vec<RateStage>),
    Arrivals(Rate),
    Iterations(NonZeroU64),
}

impl Flags {
    /// Reads the flags and refuses those that contradict each other.
    pub(super) fn check(overrides: &Overrides, problems: &mut Problems<'_>) -> Self {
        let rate = |flag: &str, rate: Option<Rate>, problems: &mut Problems<'_>| {
            let fits = rate_fits(rate?);
            fits.map_err(|reason| problems.anywhere(format!("{flag}: {reason}"), HELP)).ok()
        };
        let users = |flag: &'static str, users: Option<u32>, problems: &mut Problems<'_>| {
            let fits =
                users_fit(users?).map_err(|reason| problems.anywhere(format!("{flag}: {reason}"), HELP));
            fits.ok().map(|value| Said { value, by: By::Flag(flag) })
        };
        if let Some(reason) = overrides.duration.and_then(|length| length_fits(length).err()) {
            problems.anywhere(format!("--duration: {reason}"), HELP);
        }
        if overrides.iterations == Some(0) {
            problems.anywhere("--iterations: zero iterations do nothing", HELP);
        }
        let stages = stages(&overrides.stages, problems);
        refuse_contradictions(overrides, stages.as_ref(), problems);
        let arrivals = rate("--rate", overrides.rate, problems).map(Shaping::Arrivals);
        let iterations = overrides.iterations.and_then(NonZeroU64::new).map(Shaping::Iterations);
        Self {
            users: users("--vus", overrides.vus, problems),
            length: overrides.duration,
            shaping: stages.or(arrivals).or(iterations),
            spawn_rate: rate("--spawn-rate", overrides.spawn_rate, problems),
            max_vus: users("--max-vus", overrides.max_vus, problems),
            spacing: overrides.arrivals,
        }
    }

    /// The loads of the file as the flags change them.
    pub(super) fn applied(
        self,
        mut drafts: Vec<Draft>,
        problems: &mut Problems<'_>,
        notes: &mut Vec<String>,
    ) -> Vec<Draft> {
        if self.says_nothing() {
            return drafts;
        }
        let number = drafts.len();
        let only = match (drafts.pop(), number) {
            (Some(only), 1) => only,
            (last, _) if self.shaping.is_some() || self.users.is_some() => {
                notes.push(format!("the flags replace the file's {number} loads by a single one"));
                let length = drafts.iter().chain(&last).filter_map(Draft::ends).max();
                Draft { shape: Some(Shape::Constant { spawn_rate: None }), length, ..Draft::default() }
            }
            (last, _) => {
                let message = format!(
                    "there are {number} loads in the file, and the flags do not say which they change"
                );
                problems.anywhere(
                    message,
                    "add --vus, --rate, --stage or --iterations, which replace all of them",
                );
                drafts.extend(last);
                return drafts;
            }
        };
        vec![self.single(only, problems, notes)]
    }

    fn says_nothing(&self) -> bool {
        let Self { users, length, shaping, spawn_rate, max_vus, spacing } = self;
        users.is_none()
            && length.is_none()
            && shaping.is_none()
            && spawn_rate.is_none()
            && max_vus.is_none()
            && spacing.is_none()
    }

    /// The only load as the flags change it.
    fn single(self, draft: Draft, problems: &mut Problems<'_>, notes: &mut Vec<String>) -> Draft {
        let mut draft = match self.shaping.clone() {
            Some(Shaping::Ramp(stages)) => {
                Draft { shape: Some(Shape::Ramp { from: 0, stages }), idle: Vec::new(), ..draft }
            }
            Some(Shaping::ArrivalRamp(stages)) => {
                let shape = Some(Shape::ArrivalRamp { from: Rate::default(), stages });
                Draft { shape, by: Some(By::Flag("--stage")), idle: Vec::new(), ..self.pooled(draft) }
            }
            Some(Shaping::Arrivals(rate)) => self.arriving(rate, draft, notes),
            Some(Shaping::Iterations(iterations)) => self.total(iterations, draft, notes),
            None => self.unshaped(draft, notes),
        };
        if let Some(rate) = self.spawn_rate {
            match &mut draft.shape {
                Some(Shape::Constant { spawn_rate }) => *spawn_rate = Some(rate),
                Some(_) => {
                    let message =
                        "--spawn-rate: only a fixed number of virtual users starts one after the other";
                    problems.anywhere(message, "leave it out, or say how many with --vus");
                }
                None => {}
            }
        }
        let closed = draft.shape.as_ref().is_some_and(|shape| !shape.is_open());
        for (flag, given) in [("--max-vus", self.max_vus.is_some()), ("--arrivals", self.spacing.is_some())] {
            if closed && given {
                let message = format!("{flag}: only a load with an arrival rate has that");
                problems.anywhere(message, "leave it out, or add --rate 200/s");
            }
        }
        draft.pool.max_vus = self.max_vus.or(draft.pool.max_vus);
        draft.pool.spacing = self.spacing.or(draft.pool.spacing);
        draft
    }

    /// The draft with the users that the flags and, if its load is open, the file give to a pool: those of a closed load are not meant.
    fn pooled(&self, draft: Draft) -> Draft {
        let own = draft.users.clone().filter(|_| draft.shape.as_ref().is_some_and(Shape::is_open));
        Draft { users: self.users.clone().or(own), ..draft }
    }

    /// What `--rate` asks for.
    fn arriving(&self, rate: Rate, draft: Draft, notes: &mut Vec<String>) -> Draft {
        let replaced = match &draft.shape {
            Some(Shape::Ramp { .. } | Shape::ArrivalRamp { .. }) => Some("stages"),
            Some(Shape::Shared(_) | Shape::PerVu(_)) => Some("iterations"),
            Some(Shape::Constant { .. }) => draft.users.as_ref().map(|_| "virtual users"),
            Some(Shape::Arrivals(_)) | None => None,
        };
        let length = self.length.or(draft.length_of_stages()).or(draft.length).unwrap_or(LENGTH);
        if let Some(replaced) = replaced {
            notes.push(format!("--rate replaces the file's {replaced}: {rate} for {}", human(length)));
        }
        let (shape, by) = (Some(Shape::Arrivals(rate)), Some(By::Flag("--rate")));
        Draft { shape, by, length: Some(length), idle: Vec::new(), ..self.pooled(draft) }
    }

    /// What `--iterations` asks for: a total, as in the existing command, whatever the file's executor is.
    fn total(&self, iterations: NonZeroU64, draft: Draft, notes: &mut Vec<String>) -> Draft {
        let shape = draft.shape.as_ref();
        let own = draft.users.clone().filter(|_| !shape.is_some_and(Shape::is_open));
        let users = self.users.clone().or(own).map(|said| said.value);
        let vus = users.or(draft.peak_of_stages()).unwrap_or(NonZeroU32::MIN);
        let length = self.length.or(draft.length).or(draft.length_of_stages());
        match (shape, length) {
            (Some(Shape::Ramp { .. }), Some(longest)) => notes.push(format!(
                "--iterations replaces the file's stages: {iterations} iterations by {vus} virtual users, in {} at most",
                human(longest)
            )),
            (Some(Shape::Arrivals(_) | Shape::ArrivalRamp { .. }), _) => notes.push(format!(
                "--iterations replaces the file's arrival rate: {iterations} iterations by {}",
                if vus.get() == 1 { "1 virtual user".to_owned() } else { format!("{vus} virtual users") }
            )),
            (Some(Shape::PerVu(_)), _) => notes.push(format!(
                "--iterations is a total: {iterations} iterations are shared by {vus} virtual users, instead of the file's number for each"
            )),
            _ => {}
        }
        let users = Some(Said { value: vus, by: By::Flag("--vus") });
        Draft { shape: Some(Shape::Shared(iterations)), users, length, idle: Vec::new(), ..draft }
    }

    /// What `--vus` and `--duration` make of the file's load: a ramp becomes constant.
    fn unshaped(&self, draft: Draft, notes: &mut Vec<String>) -> Draft {
        let users = self.users.clone().or(draft.users.clone());
        let length = self.length.or(draft.length);
        match &draft.shape {
            Some(Shape::Ramp { .. }) if self.users.is_some() || self.length.is_some() => {
                let vus = users.map(|said| said.value).or(draft.peak_of_stages()).unwrap_or(NonZeroU32::MIN);
                let length = length.or(draft.length_of_stages()).unwrap_or(LENGTH);
                notes.push(format!(
                    "--vus and --duration replace the file's stages: {vus} virtual users for {}",
                    human(length)
                ));
                let shape = Some(Shape::Constant { spawn_rate: None });
                let users = Some(Said { value: vus, by: By::Flag("--vus") });
                Draft { shape, users, length: Some(length), idle: Vec::new(), ..draft }
            }
            Some(Shape::ArrivalRamp { from, stages }) if self.length.is_some() => {
                let rate = stages.iter().map(|stage| stage.target.get()).fold(from.get(), f64::max);
                let rate = Rate::per_second(rate).unwrap_or_default();
                let length = length.unwrap_or(LENGTH);
                notes.push(format!(
                    "--duration replaces the file's stages: {rate}, their highest, for {}",
                    human(length)
                ));
                let shape = Some(Shape::Arrivals(rate));
                Draft { shape, users, length: Some(length), idle: Vec::new(), ..draft }
            }
            _ => Draft { users, length, ..draft },
        }
    }
}

/// The stages of the command line, which are all of one kind.
fn stages(stages: &[AnyStage], problems: &mut Problems<'_>) -> Option<Shaping> {
    let of_users: Vec<Stage> = stages
        .iter()
        .filter_map(|stage| if let AnyStage::Users(stage) = stage { Some(*stage) } else { None })
        .collect();
    let of_rates: Vec<RateStage> = stages
        .iter()
        .filter_map(|stage| if let AnyStage::Arrivals(stage) = stage { Some(*stage) } else { None })
        .collect();
    let (fits, shaping) = match (of_users.is_empty(), of_rates.is_empty()) {
        (true, true) => return None,
        (false, false) => {
            let help = "write all of one kind: 30s:50 for virtual users, 30s:50/s for rates";
            problems.anywhere("--stage: some targets are virtual users, and some are rates", help);
            return None;
        }
        (false, true) => (stages_fit(0, &of_users), Shaping::Ramp(of_users)),
        (true, false) => (rate_stages_fit(Rate::default(), &of_rates), Shaping::ArrivalRamp(of_rates)),
    };
    if let Err(reason) = fits {
        problems.anywhere(format!("--stage: {reason}"), HELP);
    }
    Some(shaping)
}

/// Refuses flags that say different things about the same.
fn refuse_contradictions(overrides: &Overrides, stages: Option<&Shaping>, problems: &mut Problems<'_>) {
    let Overrides { vus, duration, iterations, rate, .. } = overrides;
    match stages {
        Some(Shaping::Ramp(_)) if vus.is_some() || duration.is_some() || iterations.is_some() => {
            let message = "--stage already says how many virtual users there are and for how long";
            problems.anywhere(message, "leave out --vus, --duration and --iterations, or --stage");
        }
        Some(Shaping::ArrivalRamp(_)) if duration.is_some() || iterations.is_some() => {
            let message = "--stage already says how often iterations begin and for how long";
            problems.anywhere(message, "leave out --duration and --iterations, or --stage");
        }
        _ => {}
    }
    if rate.is_some() && stages.is_some() {
        let help = "leave out one of them; a ramp that begins at a rate begins with --stage 0s:200/s";
        problems.anywhere("--rate and --stage both shape the load", help);
    }
    if rate.is_some() && iterations.is_some() {
        let message = "--rate says how often iterations begin, and --iterations how many there are in all";
        problems.anywhere(message, "leave out --iterations, and say how long with --duration");
    }
}
