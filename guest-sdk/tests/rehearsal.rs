//! What a plugin is asked and told, as a rehearsal shows it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use pmcp_loadtest_guest::host::Level;
use pmcp_loadtest_guest::testing::{Answer, Rehearsal};
use pmcp_loadtest_guest::{
    Error, Findings, Iteration, Manifest, Metric, NoConfig, Outcome, Plan, Plugin, Status, Step, VirtualUser,
    info, json, target,
};
use serde::de::IgnoredAny;

/// Searches, reads what it found in a second round, and notes what it is told.
#[derive(Debug)]
struct Shopper {
    words: &'static [String],
    learnt: u32,
}

impl Plugin for Shopper {
    type Config = Vec<String>;

    fn manifest() -> Manifest {
        Manifest::new()
            .requires_tool("search")
            .metric(Metric::counter("learnt"))
            .metric(Metric::trend("found"))
    }

    fn open(words: &'static Vec<String>, user: VirtualUser) -> Result<Self, Error> {
        info!("user {} of {} meets {}", user.number, user.run.vus, target::server().name);
        Ok(Self { words, learnt: 0 })
    }

    fn plan(&mut self, mut iteration: Iteration) -> Result<Plan, Error> {
        if iteration.round == 0 {
            let word = iteration.random.pick(self.words).ok_or("there is nothing to search for")?;
            let search = Step::call("search", json!({ "query": word })).capture("/structuredContent/uri");
            return Ok(Plan::from(search).then_more());
        }
        let uri: String = iteration.outcomes[0].captured(0)?;
        Ok([Step::think(Duration::from_secs(1)), Step::read(uri)].into())
    }

    fn learn(&mut self, outcomes: &[Outcome], findings: &mut Findings) {
        self.learnt += 1;
        for outcome in outcomes {
            findings.check("answered", outcome.is_ok());
        }
    }

    fn finish(&mut self, findings: &mut Findings) {
        findings.sample("learnt", f64::from(self.learnt));
    }
}

fn shop() -> Rehearsal<Shopper> {
    Rehearsal::new().config(["boots", "hats", "gloves"]).tool("search", json!({ "type": "object" })).answers(
        |step| match step.tool() {
            Some(_) => Answer::ok(json!({ "structuredContent": { "uri": "shop://1" } })),
            None => Answer::ok(json!({ "contents": [] })),
        },
    )
}

#[test]
fn an_iteration_goes_on_for_as_many_rounds_as_its_plans_ask_for() -> Result<(), Error> {
    let mut user = shop().open()?;
    let iteration = user.iterate()?;
    assert_eq!(iteration.plans.len(), 2);
    assert_eq!(iteration.plans[1].steps()[1], Step::read("shop://1"));
    assert_eq!(iteration.outcomes.iter().map(Outcome::step).collect::<Vec<_>>(), [0, 1]);
    Ok(())
}

#[test]
fn every_plan_is_learnt_from_once_the_last_one_included() -> Result<(), Error> {
    let mut user = shop().open()?;
    user.iterate()?;
    user.iterate()?;
    assert_eq!(user.findings().checked("answered").count(), 3);
    let findings = user.finish()?;
    assert_eq!(findings.checked("answered").count(), 4);
    assert_eq!(findings.sampled("learnt").collect::<Vec<_>>(), [4.0]);
    Ok(())
}

#[test]
fn the_same_seed_and_user_make_the_same_choices_and_another_makes_others() -> Result<(), Error> {
    let words = |seed, user| -> Result<Vec<_>, Error> {
        let mut user = shop().seed(seed).open_user(user)?;
        (0..20).map(|_| Ok(user.iterate()?.plans[0].steps()[0].arguments())).collect()
    };
    assert_eq!(words(1, 0)?, words(1, 0)?);
    assert_ne!(words(1, 0)?, words(1, 1)?);
    assert_ne!(words(1, 0)?, words(2, 0)?);
    Ok(())
}

#[test]
fn what_is_logged_and_what_the_target_is_called_can_be_seen() -> Result<(), Error> {
    let user = shop().vus(5).world(|world| world.server.name = "the shop".to_owned()).open_user(3)?;
    assert_eq!(user.log(), [(Level::Info, "user 3 of 5 meets the shop".to_owned())]);
    Ok(())
}

#[test]
fn a_run_does_not_start_without_a_tool_that_is_required() {
    let error = Rehearsal::<Shopper>::new().config(["boots"]).open().unwrap_err();
    assert_eq!(error.to_string(), "the target has no tool `search`, which the plugin requires");
}

#[test]
fn a_configuration_that_does_not_fit_says_why() {
    let error = shop().config(json!({ "words": [] })).open().unwrap_err();
    assert!(error.to_string().starts_with("the configuration does not fit: invalid type: map"), "{error}");
}

#[test]
fn an_error_of_the_plugin_fails_its_iteration_and_the_next_one_goes_on() -> Result<(), Error> {
    let calls = Cell::new(0);
    let rehearsal = shop().answers(move |_| {
        calls.set(calls.get() + 1);
        match calls.get() {
            1 => Answer::error(-32000, "the shelves are empty"),
            _ => Answer::ok(json!({ "structuredContent": { "uri": "shop://1" } })),
        }
    });
    let mut user = rehearsal.open()?;
    let error = user.iterate().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no capture 0: the server answered with error -32000: the shelves are empty"
    );
    user.iterate()?;
    // What was learnt before the error is not lost.
    assert_eq!(user.findings().checked("answered").collect::<Vec<_>>(), [Err(None), Ok(())]);
    Ok(())
}

/// Makes whatever plan its function makes.
struct Puppet<const AHEAD: u32>;

thread_local! {
    static STRINGS: Cell<fn(Iteration) -> Result<Plan, Error>> = const { Cell::new(|_| Ok(Plan::new())) };
}

impl<const AHEAD: u32> Plugin for Puppet<AHEAD> {
    type Config = NoConfig;

    fn manifest() -> Manifest {
        match AHEAD {
            0 => Manifest::new(),
            ahead => Manifest::new().plans_ahead(ahead),
        }
    }

    fn open(_: &NoConfig, _: VirtualUser) -> Result<Self, Error> {
        Ok(Self)
    }

    fn plan(&mut self, iteration: Iteration) -> Result<Plan, Error> {
        STRINGS.get()(iteration)
    }

    fn learn(&mut self, _: &[Outcome], findings: &mut Findings) {
        findings.check("learns", true);
    }
}

fn puppet<const AHEAD: u32>(plan: fn(Iteration) -> Result<Plan, Error>) -> Rehearsal<Puppet<AHEAD>> {
    STRINGS.set(plan);
    Rehearsal::new()
}

#[test]
fn a_plugin_that_plans_ahead_never_learns() -> Result<(), Error> {
    let mut user = puppet::<4>(|_| Ok(Step::ping().into())).open()?;
    for _ in 0..10 {
        assert_eq!(user.iterate()?.plans[0].steps(), [Step::ping()]);
    }
    assert!(user.finish()?.is_empty());
    Ok(())
}

#[test]
fn an_error_made_ahead_comes_in_its_turn() -> Result<(), Error> {
    let plan = |iteration: Iteration| match iteration.number {
        2 => Err("two is unlucky".into()),
        number => Ok(Step::call("echo", json!({ "number": number })).into()),
    };
    let mut user = puppet::<4>(plan).open()?;
    let numbers: Vec<_> = (0..4)
        .map(|_| user.iterate().map(|iteration| iteration.plans[0].steps()[0].arguments()["number"].clone()))
        .map(|number| number.map_err(|error| error.to_string()))
        .collect();
    assert_eq!(numbers, [Ok(json!(0)), Ok(json!(1)), Err("two is unlucky".to_owned()), Ok(json!(3))]);
    Ok(())
}

#[test]
fn an_iteration_made_ahead_may_have_rounds() -> Result<(), Error> {
    let plan = |iteration: Iteration| match (iteration.number, iteration.round) {
        (1, 0) => Ok(Plan::from(Step::read("first")).then_more()),
        (1, 1) => Ok(Step::read("second").into()),
        _ => Ok(Step::ping().into()),
    };
    let mut user = puppet::<4>(plan).open()?;
    assert_eq!(user.iterate()?.plans.len(), 1);
    assert_eq!(
        user.iterate()?.steps().cloned().collect::<Vec<_>>(),
        [Step::read("first"), Step::read("second")]
    );
    assert_eq!(user.iterate()?.plans.len(), 1);
    Ok(())
}

#[test]
fn arguments_that_are_no_object_fail_the_iteration_and_name_the_tool() -> Result<(), Error> {
    let mut user = puppet::<0>(|_| Ok(Step::call("search", ["boots"]).into())).open()?;
    let error = user.iterate().unwrap_err();
    assert_eq!(error.to_string(), r#"the arguments of `search` are no JSON object: ["boots"]"#);
    Ok(())
}

#[test]
fn no_arguments_are_an_empty_object_and_no_parameters_are_none() {
    assert_eq!(Step::call("now", ()).arguments(), json!({}));
    assert_eq!(
        Step::notify("notifications/initialized", ()),
        Step::notify("notifications/initialized", None::<u8>)
    );
}

#[test]
fn text_that_is_no_json_is_an_invalid_step() -> Result<(), Error> {
    let mut user = puppet::<0>(|_| Ok(Step::call_text("search", "{\"query\":").into())).open()?;
    let error = user.iterate().unwrap_err();
    assert!(error.to_string().starts_with("step 0 is invalid: EOF while parsing"), "{error}");
    Ok(())
}

#[test]
fn steps_after_a_failed_one_are_skipped_unless_the_plan_keeps_going() -> Result<(), Error> {
    let statuses = |plan| -> Result<Vec<_>, Error> {
        let mut user = puppet::<0>(plan).answers(|_| Answer::timed_out()).open()?;
        Ok(user.iterate()?.outcomes.iter().map(|outcome| outcome.status().clone()).collect())
    };
    assert_eq!(statuses(|_| Ok([Step::ping(), Step::ping()].into()))?, [Status::TimedOut, Status::Skipped]);
    let both = |_| Ok(Plan::from([Step::ping(), Step::ping()]).keep_going());
    assert_eq!(statuses(both)?, [Status::TimedOut, Status::TimedOut]);
    Ok(())
}

#[test]
fn a_metric_that_is_not_declared_is_the_plugins_error() -> Result<(), Error> {
    let mut user = puppet::<0>(|_| Ok(Plan::new().sample("items", 1.0))).open()?;
    assert_eq!(user.iterate().unwrap_err().to_string(), "the manifest does not declare the metric `items`");
    Ok(())
}

#[test]
fn a_user_that_was_stopped_iterates_no_more() -> Result<(), Error> {
    let mut user = puppet::<0>(|_| Ok(Plan::new().then_stop_user("sold out"))).open()?;
    user.iterate()?;
    assert_eq!(user.iterate().unwrap_err().to_string(), "the plugin ended the virtual user: sold out");
    Ok(())
}

#[test]
fn an_iteration_that_never_ends_is_found_out() -> Result<(), Error> {
    let mut user = puppet::<0>(|_| Ok(Plan::new().then_more())).open()?;
    assert_eq!(user.iterate().unwrap_err().to_string(), "iteration 0 did not end after 1000 rounds");
    Ok(())
}

#[test]
fn a_plugin_with_nothing_to_set_refuses_any_key() {
    let error = puppet::<0>(|_| Ok(Plan::new())).config(json!({ "word": "boots" })).open().unwrap_err();
    assert!(error.to_string().contains("unknown key `word`"), "{error}");
}

#[test]
fn an_error_tells_its_causes() -> Result<(), Error> {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl std::fmt::Display for Outer {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the shelf has no number")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let mut user = puppet::<0>(|_| {
        let shelf: u32 = "x".parse().map_err(Outer)?;
        Err(format!("shelf {shelf}").into())
    })
    .open()?;
    let error = user.iterate().unwrap_err();
    assert_eq!(error.to_string(), "the shelf has no number: invalid digit found in string");
    Ok(())
}

#[test]
fn a_result_that_was_asked_for_is_there_and_an_error_is_told_apart() -> Result<(), Error> {
    let answers = Rc::new(Cell::new(None));
    let queue = Rc::clone(&answers);
    let mut user = puppet::<0>(|_| Ok(Step::ping().want_result().into()))
        .answers(move |_| queue.take().unwrap_or_else(|| Answer::ok(json!({ "items": 3 }))))
        .open()?;
    let outcome = user.iterate()?.outcomes.remove(0);
    assert_eq!(outcome.result::<serde_json::Value>()?, json!({ "items": 3 }));

    answers.set(Some(Answer::tool_error("sold out").latency(Duration::from_millis(3))));
    let outcome = user.iterate()?.outcomes.remove(0);
    assert_eq!(outcome.latency(), Duration::from_millis(3));
    assert!(outcome.result_text().is_some_and(|text| text.contains("sold out")));
    let error = outcome.result::<IgnoredAny>().unwrap_err();
    assert_eq!(error.to_string(), "there is no result: the tool answered with an error");
    Ok(())
}

#[test]
fn a_rehearsal_makes_arguments_as_the_host_does() -> Result<(), Error> {
    let plan = |iteration: Iteration| {
        let arguments = target::generate_arguments("search", iteration.seed)?;
        Ok(Step::call_text("search", arguments).into())
    };
    let schema = json!({ "properties": { "code": { "type": "string", "pattern": "^[A-Z]{3}$" } }, "required": ["code"] });
    let mut user = puppet::<0>(plan).tool("search", schema).open()?;
    let arguments = user.iterate()?.plans[0].steps()[0].arguments();
    assert_eq!(arguments["code"].as_str().map(str::len), Some(3));

    let error = puppet::<0>(plan).open()?.iterate().unwrap_err();
    assert_eq!(error.to_string(), "the target has no tool `search`");
    Ok(())
}

#[test]
fn a_check_passes_by_true_and_fails_by_false_or_an_error() {
    let mut findings = Findings::new();
    findings.check("seen", true);
    findings.check("seen", Ok::<_, String>(false));
    findings.check("seen", "x".parse::<u32>().map(|_| ()));
    let verdicts: Vec<_> = findings.checked("seen").collect();
    assert_eq!(verdicts, [Ok(()), Err(None), Err(Some("invalid digit found in string"))]);
}
