//! What is asked of a search, from flags and plan: objectives and bounds that can be decided, or a refusal before any load.

use std::ops::Range;
use std::time::Duration;

use super::flags::{By, QuestionFlags};
use crate::error::{Error, ExitCode};
use crate::judge::capacity::{Precision, Question, Variable};
use crate::plan::config::{ConfigError, ConfigErrors, Place};
use crate::plan::objective::Means;
use crate::plan::threshold::Refusal;
use crate::plan::{Objective, Plan, Rate, Script, SeriesKind, duration};

/// What is held to where nobody says anything. A call that fails misses it too.
const USUAL: &str = "p(99) < 500ms";
/// A shorter search ends with the probe.
const SHORTEST: Duration = Duration::from_secs(20);

/// The question, and what a person should know about how it came to be.
///
/// # Errors
/// [`ExitCode::Usage`] for objectives and bounds that no search can decide.
pub(super) fn question(flags: &QuestionFlags, plan: &Plan) -> Result<(Question, Vec<String>), Error> {
    let variable = match flags.by {
        By::Rate => Variable::Rate,
        By::Sessions => Variable::Sessions,
    };
    let mut notes = Vec::new();
    let written: Vec<&String> = flags.objectives.iter().filter(|text| !text.trim().is_empty()).collect();
    let objectives = if written.is_empty() {
        of_plan(plan, &mut notes)?
    } else {
        if !plan.thresholds.is_empty() {
            notes
                .push("the thresholds of the file play no part: --objective says what is held to".to_owned());
        }
        written.into_iter().map(|text| read(text)).collect::<Result<_, _>>()?
    };
    let (floor, ceiling) = bounds(flags, variable)?;
    if flags.deadline < SHORTEST {
        let why = format!("--deadline: a search takes {} at least", duration::human(SHORTEST));
        return Err(Error::new(ExitCode::Usage, why).advise("5 to 15 minutes are usual"));
    }
    let means = Means {
        timeout: plan.settings.timeout,
        most_calls_per_second: ceiling
            .filter(|_| variable == Variable::Rate)
            .zip(most_calls(plan))
            .map(|(load, calls)| load * calls),
    };
    for objective in &objectives {
        let shown = objective.to_string();
        objective.check(&means).map_err(|refusal| refused(&shown, &refusal))?;
        if !is_about_something(objective, plan) {
            let refusal = Refusal {
                span: 0..shown.len(),
                message: "no step is one that this is about".to_owned(),
                help: "name a tool, a method or a scenario that is called, or leave the filter out"
                    .to_owned(),
            };
            return Err(refused(&shown, &refusal));
        }
    }
    let question = Question {
        objectives,
        variable,
        precision: Precision::Usual,
        deadline: flags.deadline,
        floor,
        ceiling,
    };
    Ok((question, notes))
}

/// The thresholds of the file that can be objectives, or what is usual.
fn of_plan(plan: &Plan, notes: &mut Vec<String>) -> Result<Vec<Objective>, Error> {
    let mut objectives = Vec::new();
    for threshold in &plan.thresholds {
        // A trial is judged as a whole, and ends by rules of its own.
        let whole = crate::plan::Threshold { window: None, abort: None, ..threshold.clone() };
        match Objective::try_from(whole) {
            Ok(objective) if objectives.contains(&objective) => {}
            Ok(objective) => objectives.push(objective),
            Err(refusal) => notes.push(format!("`{threshold}` is no objective: {}", refusal.message)),
        }
    }
    if objectives.is_empty() {
        notes.push(format!(
            "nobody said what is held to: `{USUAL}` is, of calls that fail as well; --objective says otherwise"
        ));
        return Ok(vec![read(USUAL)?]);
    }
    let shown: Vec<String> = objectives.iter().map(|objective| format!("`{objective}`")).collect();
    notes.push(format!("the file's thresholds are what is held to: {}", shown.join(", ")));
    Ok(objectives)
}

fn read(text: &str) -> Result<Objective, Error> {
    text.parse().map_err(|refusal: Refusal| refused(text, &refusal))
}

/// A refusal, drawn under the text that it is about.
fn refused(text: &str, refusal: &Refusal) -> Error {
    let characters = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
    let place = Place {
        file: "--objective".to_owned(),
        line: 1,
        column: characters(0..refusal.span.start) + 1,
        excerpt: text.to_owned(),
        length: characters(refusal.span.clone()).max(1),
    };
    let error = ConfigError {
        message: refusal.message.clone(),
        place: Some(place),
        help: Some(refusal.help.clone()),
    };
    ConfigErrors::from(error).into()
}

/// The lowest and the highest load.
fn bounds(flags: &QuestionFlags, variable: Variable) -> Result<(Option<f64>, Option<f64>), Error> {
    let bound = |flag: &str, given: Option<Rate>| match given.map(Rate::get) {
        Some(load) if load <= 0.0 => {
            Err(Error::new(ExitCode::Usage, format!("{flag}: no load is nothing to search")))
        }
        Some(load) if variable == Variable::Sessions && load.fract() != 0.0 => {
            Err(Error::new(ExitCode::Usage, format!("{flag}: {load} is no number of sessions"))
                .advise("write a whole number, or search --by rate"))
        }
        load => Ok(load),
    };
    let (floor, ceiling) = (bound("--min-load", flags.min_load)?, bound("--max-load", flags.max_load)?);
    match (floor, ceiling) {
        (Some(floor), Some(ceiling)) if floor > ceiling => {
            let why =
                format!("--min-load {floor} is more than --max-load {ceiling}: there is no load in between");
            Err(Error::new(ExitCode::Usage, why).advise("exchange them, or leave one out"))
        }
        _ => Ok((floor, ceiling)),
    }
}

/// Most calls that an iteration makes; `None` where plugins decide that.
fn most_calls(plan: &Plan) -> Option<f64> {
    let steps = plan.scenarios.iter().map(|scenario| match &scenario.script {
        Script::Steps(steps) => Some(steps.len() as f64),
        Script::Plugin(_) => None,
    });
    steps.reduce(|most, next| Some(most?.max(next?))).flatten()
}

/// Whether there is a call that an objective covers, as far as that is known before the load.
fn is_about_something(objective: &Objective, plan: &Plan) -> bool {
    let plugins = plan.scenarios.iter().any(|scenario| matches!(scenario.script, Script::Plugin(_)));
    let operations = |kind| kind == SeriesKind::Operation;
    plugins || plan.series().iter().any(|series| operations(series.kind) && objective.covers(series))
}
