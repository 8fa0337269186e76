//! Every shape that a file can ask for arrives in the plan, and what it leaves out gets its default.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;
use std::time::Duration;

use super::{SCENARIO, TARGET, plain, with};
use crate::plan::config::{Overrides, Resolved};
use crate::plan::{
    BreakingPointRule, Executor, Load, Pool, Rate, RateStage, ScenarioChoice, Spacing, Stage, ThinkTime,
    WarmUp,
};

/// Two scenarios: `slow` thinks for 10 s after its two calls, and has a weight of 1; `ping` thinks for 1 s, and has 3.
const MIX: &str = "[[scenario]]\nname = \"slow\"\nthink_time = \"4s..6s\"\n[[scenario.step]]\ntype = \"ping\"\n\
                   [[scenario.step]]\ntype = \"tools/list\"\n\
                   [[scenario]]\nname = \"ping\"\nweight = 3\ntype = \"ping\"\nthink_time = \"1s\"\n";

fn resolved(text: &str) -> Resolved {
    plain(&format!("{TARGET}{text}\n")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The only load of a file with these lines under `[load]`, whose scenario does not think.
fn load(lines: &str) -> Load {
    let mut loads = resolved(&format!("[load]\n{lines}\n{SCENARIO}")).plan.loads;
    assert_eq!(loads.len(), 1);
    loads.remove(0)
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn users(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn pool(vus: u32, max_vus: u32) -> Pool {
    Pool { vus, max_vus: users(max_vus), max_wait: Duration::from_secs(5), spacing: Spacing::Even }
}

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_rate_arrives_in_each_of_its_spellings() {
    for (written, per_second) in
        [("\"200/s\"", 200.0), ("200", 200.0), ("\"90/m\"", 1.5), ("\"5/h\"", 5.0 / 3600.0), ("0.25", 0.25)]
    {
        let Executor::ConstantArrivalRate { rate, duration, .. } =
            load(&format!("executor = \"constant-arrival-rate\"\nrate = {written}\nduration = \"1m\""))
                .executor
        else {
            panic!("another executor")
        };
        assert_eq!((rate.get(), duration), (per_second, MINUTE), "{written}");
    }
}

#[test]
fn every_key_of_an_arrival_rate_arrives() {
    let constant = load(
        "rate = \"10/s\"\nduration = \"1m\"\nvus = 3\nmax_vus = 7\nmax_wait = \"0s\"\narrivals = \"poisson\"\ngraceful_stop = \"2s\"",
    );
    let pool = Pool { vus: 3, max_vus: users(7), max_wait: Duration::ZERO, spacing: Spacing::Poisson };
    assert_eq!(
        constant.executor,
        Executor::ConstantArrivalRate { rate: rate("10/s"), duration: MINUTE, pool }
    );
    assert_eq!(constant.graceful_stop, SECOND * 2);
    let ramp = load(
        "start_rate = 5\nvus = 3\nmax_vus = 7\nmax_wait = \"0s\"\narrivals = \"poisson\"\n\
         stages = [{ duration = \"0s\", target = 10 }, { duration = \"1m\", rate = \"30/m\" }, { duration_secs = 60, target = \"2/s\" }]",
    );
    let stage = |duration, text| RateStage { duration, target: rate(text) };
    let stages = vec![stage(Duration::ZERO, "10/s"), stage(MINUTE, "0.5/s"), stage(MINUTE, "2/s")];
    assert_eq!(ramp.executor, Executor::RampingArrivalRate { from: rate("5/s"), stages, pool });
}

#[test]
fn every_key_of_a_closed_load_arrives() {
    let constant = load("vus = 3\nduration = \"1m\"\nspawn_rate = \"30/m\"");
    let expected = Executor::ConstantVus { vus: users(3), spawn_rate: Some(rate("0.5/s")), duration: MINUTE };
    assert_eq!(constant.executor, expected);
    let ramp = load(
        "start_vus = 9\nstages = [{ duration = \"1m\", target = 0 }]\ngraceful_stop = \"3s\"\ngraceful_ramp_down = \"2s\"\nstart = \"1s\"",
    );
    let stages = vec![Stage { duration: MINUTE, target: 0 }];
    assert_eq!(ramp.executor, Executor::RampingVus { from: 9, stages });
    assert_eq!((ramp.start, ramp.graceful_stop, ramp.graceful_ramp_down), (SECOND, SECOND * 3, SECOND * 2));
    assert_eq!(load("graceful_stop = \"3s\"").graceful_ramp_down, SECOND * 3);
}

#[test]
fn where_no_executor_is_named_the_keys_say_it() {
    for (lines, name) in [
        ("", "constant-vus"),
        ("spawn_rate = 1", "constant-vus"),
        ("stages = [{ duration = \"1m\", target = 5 }]", "ramping-vus"),
        ("iterations = 5", "shared-iterations"),
        ("rate = 5", "constant-arrival-rate"),
        ("rate = 5\nvus = 3", "constant-arrival-rate"),
        ("stages = [{ duration = \"1m\", rate = 5 }]", "ramping-arrival-rate"),
        ("stages = [{ duration = \"1m\", target = \"5/s\" }]", "ramping-arrival-rate"),
        ("stages = [{ duration = \"1m\", target = 5 }]\nstart_rate = 1", "ramping-arrival-rate"),
        ("stages = [{ duration = \"1m\", target = 5 }]\nmax_vus = 30", "ramping-arrival-rate"),
        ("stages = [{ duration = \"1m\", target = 5 }]\narrivals = \"even\"", "ramping-arrival-rate"),
    ] {
        assert_eq!(load(lines).executor.name(), name, "{lines}");
    }
    let stages = format!("[[stage]]\nduration = \"1m\"\nrate = \"5/s\"\n{SCENARIO}");
    assert_eq!(resolved(&stages).plan.loads[0].executor.name(), "ramping-arrival-rate");
}

#[test]
fn an_open_load_gets_as_many_users_as_its_peak_needs() {
    let pool_of = |lines: &str, scenarios: &str| {
        let plan = resolved(&format!("[load]\n{lines}\n{scenarios}")).plan;
        *plan.loads[0].executor.pool().unwrap()
    };
    // No pauses: 2 s of waiting are allowed for, and 0.1 s is expected.
    assert_eq!(pool_of("rate = 200", SCENARIO), pool(20, 400));
    assert_eq!(pool_of("rate = 1", SCENARIO), pool(10, 10));
    // The longest scenario thinks for 10 s.
    assert_eq!(pool_of("rate = 20", MIX), pool(202, 240));
    let ramp = "start_rate = 20\nstages = [{ duration = \"1m\", rate = 5 }]";
    assert_eq!(pool_of(ramp, MIX), pool(202, 240));
    assert_eq!(pool_of("rate = 20\nscenarios = [\"ping\"]", MIX), pool(22, 60));
    // Beyond what one machine has for sure, somebody must say so.
    assert_eq!(pool_of("rate = 50000", SCENARIO), pool(5000, 10_000));
    assert_eq!(pool_of("rate = 200\nmax_vus = 5", SCENARIO), pool(5, 5));
    assert_eq!(pool_of("rate = 200\nvus = 500", SCENARIO), pool(500, 500));
    let timeout = format!("{SCENARIO}[settings]\ntimeout = \"1s\"\n");
    assert_eq!(pool_of("rate = 1", &timeout).max_wait, SECOND);
}

#[test]
fn a_rate_that_lasts_shorter_than_the_pauses_needs_no_more_users_than_arrivals() {
    let plan = resolved(&format!(
        "[load]\nrate = 20\nmax_vus = 40\nduration = \"2s\"\nscenarios = [\"slow\"]\n{MIX}"
    ))
    .plan;
    assert_eq!(plan.max_vus(), 40);
}

#[test]
fn loads_stand_side_by_side_with_names_starts_and_scenarios_of_their_own() {
    let plan = resolved(&format!(
        "[settings]\ngraceful_stop = \"7s\"\n[[load]]\nname = \"background\"\nvus = 2\nduration = \"1m\"\n\
         [[load]]\nname = \"spike\"\nstart = \"30s\"\nrate = 5\nduration = \"10s\"\nscenarios = [\"ping\"]\ngraceful_stop = \"1s\"\n{MIX}"
    ))
    .plan;
    let [background, spike] = plan.loads.as_slice() else { panic!("{:?}", plan.loads) };
    assert_eq!(
        (background.name.as_str(), background.start, background.scenarios.as_slice()),
        ("background", Duration::ZERO, &[0, 1][..])
    );
    assert_eq!(
        (spike.name.as_str(), spike.start, spike.scenarios.as_slice()),
        ("spike", SECOND * 30, &[1][..])
    );
    assert_eq!((background.graceful_stop, spike.graceful_stop), (SECOND * 7, SECOND));
    assert_eq!((plan.duration(), plan.is_open()), (Some(MINUTE), true));
    let single = resolved(&format!("[[load]]\nvus = 2\n{MIX}")).plan.loads;
    assert_eq!(single, resolved(&format!("[load]\nvus = 2\n{MIX}")).plan.loads);
}

#[test]
fn a_load_may_begin_after_everything_else_has_ended() {
    let plan = resolved(&format!(
        "[[load]]\nname = \"a\"\nduration = \"1s\"\n[[load]]\nname = \"b\"\nstart = \"1h\"\nduration = \"1s\"\n{SCENARIO}"
    ))
    .plan;
    assert_eq!(plan.duration(), Some(Duration::from_secs(3601)));
}

#[test]
fn settings_of_the_run_and_pauses_of_its_scenarios_arrive() {
    let plan = resolved(
        "[settings]\nscenario_choice = \"per-vu\"\nwarm_up = \"10s\"\nsession = \"shared\"\n[[scenario]]\npacing = \"2s\"\n\
         think_time = \"exponential 1s\"\n[[scenario.step]]\ntype = \"ping\"\n[[scenario.step]]\ntype = \"think\"\n\
         duration = \"log-normal 1s sigma 0.5\"",
    )
    .plan;
    assert_eq!(plan.settings.scenario_choice, ScenarioChoice::PerVu);
    assert_eq!(plan.settings.warm_up, WarmUp::Fixed(SECOND * 10));
    let scenario = &plan.scenarios[0];
    assert_eq!(
        (scenario.pacing, scenario.think_time),
        (Some(SECOND * 2), Some(ThinkTime::Exponential { mean: SECOND }))
    );
    let log_normal = ThinkTime::LogNormal { median: SECOND, sigma: 0.5 };
    assert_eq!(scenario.mean_think_time(), SECOND + log_normal.mean());
    let found = resolved(&format!("[settings]\nwarm_up = \"auto\"\n{SCENARIO}")).plan.settings.warm_up;
    assert_eq!(found, WarmUp::Auto);
}

#[test]
fn a_breaking_point_has_its_bounds_from_the_file_and_its_end_from_either() {
    let text = "[breaking_point]\nerror_ratio = 0.1\nresponse_time_factor = 2\nplateau_ratio = 0.5\ndropped_ratio = 0.2\nseconds = 9";
    let text = format!("{TARGET}{text}\n{SCENARIO}");
    let bounds = BreakingPointRule {
        error_ratio: 0.1,
        response_time_factor: 2.0,
        plateau_ratio: 0.5,
        dropped_ratio: 0.2,
        seconds: 9,
        stop: false,
    };
    assert_eq!(plain(&text).unwrap().plan.breaking_point, bounds);
    let stop = Overrides { stop_at_breaking_point: true, ..Overrides::default() };
    assert_eq!(with(&text, &stop).unwrap().plan.breaking_point, BreakingPointRule { stop: true, ..bounds });
    let alone = with(&format!("{TARGET}{SCENARIO}"), &stop).unwrap().plan.breaking_point;
    assert_eq!(alone, BreakingPointRule { stop: true, ..BreakingPointRule::default() });
    let in_file = resolved(&format!("[breaking_point]\nstop = true\n{SCENARIO}")).plan.breaking_point;
    assert_eq!(in_file, alone);
}

#[test]
fn users_and_length_in_settings_are_those_of_the_only_load() {
    let plan =
        resolved(&format!("[settings]\nvirtual_users = 4\nduration = \"1m\"\n[load]\nrate = 1\n{SCENARIO}"))
            .plan;
    assert_eq!(
        plan.loads[0].executor,
        Executor::ConstantArrivalRate { rate: rate("1/s"), duration: MINUTE, pool: pool(4, 10) }
    );
    let notes = resolved(&format!(
        "[settings]\nvirtual_users = 4\nduration = \"1m\"\n[load]\nstages = [{{ duration = \"1m\", rate = 1 }}]\n{SCENARIO}"
    ))
    .notes;
    assert_eq!(notes, ["duration in [settings]: no effect, because stages shape the load"]);
}

#[test]
fn what_is_allowed_and_may_not_be_meant_is_noted() {
    let notes = |text: &str| resolved(text).notes;
    let slow = notes(&format!("[load]\nrate = \"1/h\"\n{SCENARIO}"));
    assert_eq!(slow, ["the rate is so low that no second iteration begins within 30s"]);
    let spawn = notes(&format!("[load]\nvus = 100\nspawn_rate = 1\n{SCENARIO}"));
    assert_eq!(spawn, ["at a spawn rate of 1/s only 31 of 100 virtual users start within 30s"]);
    let undrawn = notes(&format!("[load]\nscenarios = [\"ping\"]\n{MIX}"));
    assert_eq!(undrawn, ["scenario `slow` does not run: no load draws from it"]);
}

#[test]
fn iterations_for_each_user_can_be_a_load_among_others() {
    let plan = resolved(&format!(
        "[[load]]\nname = \"a\"\nexecutor = \"per-vu-iterations\"\nvus = 2\niterations = 3\n[[load]]\nname = \"b\"\niterations = 4\n{SCENARIO}"
    ))
    .plan;
    let three = NonZeroU64::new(3).unwrap();
    let expected = Executor::PerVuIterations { vus: users(2), iterations: three, max_duration: None };
    assert_eq!(plan.loads[0].executor, expected);
    assert_eq!((plan.loads[1].executor.iterations(), plan.duration()), (Some(4), None));
}

#[test]
fn the_examples_of_the_documentation_are_valid() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/load-shapes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 5, "{}", examples.len());
    for example in examples {
        let scenario = if example.contains("[[scenario]]") { "" } else { SCENARIO };
        assert_eq!(resolved(&format!("{example}{scenario}")).notes, Vec::<String>::new(), "{example}");
    }
}

#[test]
fn every_load_is_described_in_a_few_words() {
    let described = |lines: &str| load(lines).to_string();
    assert_eq!(
        described("rate = \"5/m\"\nduration = \"1m\""),
        "constant-arrival-rate: 5/m for 1m, up to 10 VUs"
    );
    let ramp = "start = \"5s\"\narrivals = \"poisson\"\nmax_vus = 1\nstages = [{ duration = \"0s\", rate = 2 }, { duration = \"1m\", rate = \"0.5/s\" }]";
    assert_eq!(
        described(ramp),
        "ramping-arrival-rate: 0/s, then 2/s at once, 0.5/s in 1m, up to 1 VU, Poisson arrivals, from 5s"
    );
}
