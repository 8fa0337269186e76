//! What flags make of the file's loads.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{SCENARIO, TARGET, with};
use crate::plan::config::{Overrides, Resolved};
use crate::plan::{AnyStage, Executor, Load, Rate, Spacing, Stripe, WarmUp};

const NO_FLAGS: fn() -> Overrides = Overrides::default;

fn run(text: &str, flags: &Overrides) -> Resolved {
    with(&format!("{TARGET}{text}\n{SCENARIO}"), flags).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The only load, in its words, and the notes.
fn shown(text: &str, flags: &Overrides) -> (String, Vec<String>) {
    let resolved = run(text, flags);
    let [load] = resolved.plan.loads.as_slice() else { panic!("{:?}", resolved.plan.loads) };
    (load.to_string(), resolved.notes)
}

fn rate(text: &str) -> Option<Rate> {
    text.parse().ok()
}

fn stages(texts: &[&str]) -> Vec<AnyStage> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

const SECONDS: fn(u64) -> Option<Duration> = |seconds| Some(Duration::from_secs(seconds));
const RAMP: &str = "[load]\nstages = [{ duration = \"1m\", target = 9 }]";
const OPEN: &str = "[load]\nrate = 5\nvus = 11\nmax_vus = 33\nduration = \"1m\"\narrivals = \"poisson\"";
const OPEN_RAMP: &str =
    "[load]\nvus = 11\nstages = [{ duration = \"1m\", rate = 9 }, { duration = \"1m\", rate = 2 }]";
const TWO: &str = "[[load]]\nname = \"a\"\nduration = \"1m\"\n[[load]]\nname = \"b\"\nstart = \"1m\"\nrate = 1\nduration = \"1m\"";

#[test]
fn a_rate_replaces_the_files_shape_and_keeps_its_length() {
    let flags = Overrides { rate: rate("7/s"), ..NO_FLAGS() };
    let load = |text: &str| shown(text, &flags).0;
    assert_eq!(load(""), "constant-arrival-rate: 7/s for 30s, up to 14 VUs");
    assert_eq!(load("[settings]\nduration = \"2m\""), "constant-arrival-rate: 7/s for 2m, up to 14 VUs");
    assert_eq!(
        load("[load]\niterations = 9\nmax_duration = \"3m\""),
        "constant-arrival-rate: 7/s for 3m, up to 14 VUs"
    );
    let (ramp, notes) = shown(RAMP, &flags);
    assert_eq!(ramp, "constant-arrival-rate: 7/s for 1m, up to 14 VUs");
    assert_eq!(notes, ["--rate replaces the file's stages: 7/s for 1m"]);
    let (constant, notes) = shown("[load]\nvus = 50", &flags);
    assert_eq!(constant, "constant-arrival-rate: 7/s for 30s, up to 14 VUs");
    assert_eq!(notes, ["--rate replaces the file's virtual users: 7/s for 30s"]);
}

#[test]
fn a_rate_keeps_the_virtual_users_of_an_open_load() {
    let flags = Overrides { rate: rate("7/s"), ..NO_FLAGS() };
    let (load, notes) = shown(OPEN, &flags);
    assert_eq!(load, "constant-arrival-rate: 7/s for 1m, up to 33 VUs, Poisson arrivals");
    assert_eq!((run(OPEN, &flags).plan.loads[0].executor.pool().unwrap().vus, notes.len()), (11, 0));
}

#[test]
fn users_beside_a_rate_are_those_at_the_beginning() {
    let flags = Overrides {
        rate: rate("7/s"),
        vus: Some(3),
        max_vus: Some(5),
        arrivals: Some(Spacing::Poisson),
        duration: SECONDS(9),
        ..NO_FLAGS()
    };
    let pool = *run("", &flags).plan.loads[0].executor.pool().unwrap();
    assert_eq!((pool.vus, pool.max_vus.get(), pool.spacing), (3, 5, Spacing::Poisson));
    let alone = Overrides { vus: Some(3), ..NO_FLAGS() };
    assert_eq!(run(OPEN, &alone).plan.loads[0].executor.pool().unwrap().vus, 3);
    assert_eq!(run(OPEN_RAMP, &alone).plan.loads[0].executor.name(), "ramping-arrival-rate");
}

#[test]
fn stages_of_rates_replace_whatever_the_file_asks_for() {
    let flags = Overrides { stages: stages(&["0s:5/s", "30s:300/m"]), max_vus: Some(20), ..NO_FLAGS() };
    for text in ["", RAMP, OPEN, OPEN_RAMP] {
        let load = run(text, &flags).plan.loads.remove(0);
        assert_eq!(load.executor.name(), "ramping-arrival-rate", "{text}");
        assert_eq!((load.executor.duration(), load.executor.max_vus()), (SECONDS(30), 20), "{text}");
    }
}

#[test]
fn a_length_makes_a_ramp_of_rates_constant_at_its_highest() {
    let (load, notes) = shown(OPEN_RAMP, &Overrides { duration: SECONDS(5), ..NO_FLAGS() });
    assert_eq!(load, "constant-arrival-rate: 9/s for 5s, up to 18 VUs");
    assert_eq!(notes, ["--duration replaces the file's stages: 9/s, their highest, for 5s"]);
}

#[test]
fn iterations_replace_an_arrival_rate() {
    let (load, notes) = shown(OPEN, &Overrides { iterations: Some(4), vus: Some(2), ..NO_FLAGS() });
    assert_eq!(load, "shared-iterations: 4 iterations shared by 2 VUs, at most 1m");
    assert_eq!(notes, ["--iterations replaces the file's arrival rate: 4 iterations by 2 virtual users"]);
}

#[test]
fn a_spawn_rate_is_for_a_constant_number_of_users() {
    let spawn = Overrides { spawn_rate: rate("5/s"), ..NO_FLAGS() };
    let vus = NonZeroU32::new(10).unwrap();
    let expected = Executor::ConstantVus { vus, spawn_rate: rate("5/s"), duration: Duration::from_secs(30) };
    assert_eq!(run("", &spawn).plan.loads[0].executor, expected);
    let both = Overrides { vus: Some(10), duration: SECONDS(30), ..spawn };
    assert_eq!(run(RAMP, &both).plan.loads[0].executor, expected);
}

#[test]
fn a_flag_that_shapes_a_load_replaces_several() {
    let (load, notes) = shown(TWO, &Overrides { rate: rate("7/s"), ..NO_FLAGS() });
    assert_eq!(load, "constant-arrival-rate: 7/s for 2m, up to 14 VUs");
    assert_eq!(notes, ["the flags replace the file's 2 loads by a single one"]);
    let (load, _) = shown(TWO, &Overrides { vus: Some(3), ..NO_FLAGS() });
    assert_eq!(load, "constant-vus: 3 VUs for 2m");
}

#[test]
fn a_load_whose_scenarios_were_not_asked_for_is_left_out() {
    let text = "[[load]]\nname = \"a\"\nscenarios = [\"other\"]\n[[load]]\nname = \"b\"\n[[scenario]]\nname = \"other\"\ntype = \"ping\"";
    let resolved = run(text, &Overrides { scenarios: vec!["ping".to_owned()], ..NO_FLAGS() });
    let names: Vec<&str> = resolved.plan.loads.iter().map(|load: &Load| load.name.as_str()).collect();
    assert_eq!(names, ["b"]);
    assert_eq!(resolved.notes, ["load `a` is left out: none of its scenarios was asked for"]);
}

#[test]
fn a_shard_and_a_warm_up_of_the_command_line_arrive() {
    let flags = Overrides { shard: Some("2/3".parse().unwrap()), warm_up: Some(WarmUp::Auto), ..NO_FLAGS() };
    let plan = run("[settings]\nwarm_up = \"5s\"", &flags).plan;
    assert_eq!((plan.shard, plan.settings.warm_up), (Stripe { index: 1, of: 3 }, WarmUp::Auto));
    let per_vu = "[load]\nexecutor = \"per-vu-iterations\"\nvus = 3\niterations = 1";
    assert_eq!(run(per_vu, &flags).plan.shard.share_of(3), 1);
}

#[test]
fn flags_about_the_load_that_contradict_each_other_or_the_file_are_refused() {
    let rated = || Overrides { rate: rate("7/s"), ..NO_FLAGS() };
    let cases = [
        ("", Overrides { iterations: Some(5), ..rated() }),
        ("", Overrides { stages: stages(&["1s:5/s"]), ..rated() }),
        ("", Overrides { spawn_rate: rate("1/s"), ..rated() }),
        ("", Overrides { rate: rate("0/s"), ..NO_FLAGS() }),
        ("", Overrides { stages: stages(&["1s:5/s", "1s:5"]), ..NO_FLAGS() }),
        ("", Overrides { stages: stages(&["1s:0/s"]), ..NO_FLAGS() }),
        ("", Overrides { stages: stages(&["0s:5/s"]), ..NO_FLAGS() }),
        ("", Overrides { stages: stages(&["1s:5/s"]), duration: SECONDS(1), ..NO_FLAGS() }),
        ("", Overrides { max_vus: Some(0), ..rated() }),
        ("", Overrides { max_vus: Some(2), vus: Some(3), ..rated() }),
        ("", Overrides { max_vus: Some(2), arrivals: Some(Spacing::Even), ..NO_FLAGS() }),
        (RAMP, Overrides { spawn_rate: rate("1/s"), ..NO_FLAGS() }),
        (TWO, Overrides { duration: SECONDS(1), ..NO_FLAGS() }),
        ("", Overrides { warm_up: Some(WarmUp::Fixed(Duration::from_secs(30))), ..NO_FLAGS() }),
        ("", Overrides { shard: Some("3/3".parse().unwrap()), vus: Some(2), ..NO_FLAGS() }),
        ("", Overrides { shard: Some("20/20".parse().unwrap()), ..rated() }),
        (
            "[load]\nname = \"a\"\nscenarios = [\"x\"]\n[[scenario]]\nname = \"x\"\ntype = \"ping\"",
            Overrides { scenarios: vec!["ping".to_owned()], ..NO_FLAGS() },
        ),
    ];
    let pictures: Vec<String> = cases
        .iter()
        .map(|(text, flags)| match with(&format!("{TARGET}{text}\n{SCENARIO}"), flags) {
            Ok(resolved) => format!("ACCEPTED: {:?}", resolved.plan.loads),
            Err(errors) => errors.to_string(),
        })
        .collect();
    assert_shown!(pictures.join("\n\n"));
}
