//! Every mistake in a load is shown as the user will see it, before any of it is sent.

use super::{SCENARIO, TARGET, gallery};

/// `text` below a target and above a scenario, so that it holds the only mistake.
fn alone(text: &str) -> String {
    format!("{TARGET}{text}\n{SCENARIO}")
}

#[test]
fn a_rate_that_cannot_be_is_refused() {
    assert_shown!(gallery(&[
        ("zero", &alone("[load]\nrate = 0")),
        ("negative", &alone("[load]\nrate = -5")),
        ("negative as a text", &alone("[load]\nrate = \"-5/s\"")),
        ("no number", &alone("[load]\nrate = nan")),
        ("without bounds", &alone("[load]\nrate = inf")),
        ("beyond the highest", &alone("[load]\nrate = \"1000001/s\"")),
        ("beyond counting", &alone("[load]\nrate = 9223372036854775807")),
        ("another unit", &alone("[load]\nrate = \"5/day\"")),
        ("no rate at all", &alone("[load]\nrate = true")),
        ("a spawn rate of zero", &alone("[load]\nspawn_rate = 0")),
        (
            "a start rate below zero",
            &alone("[load]\nstart_rate = -1\nstages = [{ duration = \"1s\", rate = 5 }]")
        ),
        ("a spacing that is none", &alone("[load]\nrate = 5\narrivals = \"random\"")),
    ]));
}

#[test]
fn keys_of_another_executor_are_refused() {
    let ramp = "stages = [{ duration = \"1s\", target = 5 }]";
    assert_shown!(gallery(&[
        ("a rate with users only", &alone("[load]\nexecutor = \"constant-vus\"\nrate = 5")),
        ("a rate beside stages", &alone(&format!("[load]\nrate = 5\n{ramp}"))),
        (
            "a rate beside stages of rates",
            &alone("[load]\nrate = 5\nstages = [{ duration = \"1s\", rate = 5 }]")
        ),
        ("users beside stages", &alone(&format!("[load]\nvus = 5\n{ramp}"))),
        ("iterations at a rate", &alone("[load]\nrate = 5\niterations = 5")),
        (
            "a pool of iterations",
            &alone(
                "[load]\nexecutor = \"shared-iterations\"\niterations = 5\nmax_vus = 3\nmax_wait = \"1s\""
            )
        ),
        ("a ramp-down of a constant number", &alone("[load]\nvus = 5\ngraceful_ramp_down = \"1s\"")),
        ("a rate that is missing", &alone("[load]\nmax_vus = 5")),
        ("stages of rates that are missing", &alone("[load]\nstart_rate = 5")),
        ("stages that are missing", &alone("[load]\nstart_vus = 5")),
    ]));
}

#[test]
fn a_ramp_that_cannot_be_is_refused() {
    let stages = |stages: &str| alone(&format!("[load]\nstages = [{stages}]"));
    assert_shown!(gallery(&[
        (
            "users and rates",
            &stages("{ duration = \"1s\", rate = 5 }, { duration = \"1s\", target_vus = 5 }")
        ),
        (
            "rates under ramping-vus",
            &alone(
                "[load]\nexecutor = \"ramping-vus\"\nstages = [{ duration = \"1s\", rate = 5 }, { duration = \"1s\", target = \"5/s\" }]"
            )
        ),
        ("parts of users", &stages("{ duration = \"1s\", target = 2.5 }")),
        ("less than no users", &stages("{ duration = \"1s\", target = -1 }")),
        ("users beyond counting", &stages("{ duration = \"1s\", target = 9223372036854775807 }")),
        ("a rate in two spellings", &stages("{ duration = \"1s\", target = \"5/s\", rate = 5 }")),
        ("a stage without a rate", &stages("{ duration = \"1s\", rate = 5 }, { duration = \"1s\" }")),
        ("a stage without a length", &stages("{ rate = 5 }")),
        (
            "rates that are all zero",
            &stages("{ duration = \"1s\", rate = 0 }, { duration = \"0s\", rate = 9 }")
        ),
        ("no length at all", &stages("{ duration = \"0s\", rate = 9 }")),
        ("more than a year", &stages("{ duration = \"300d\", rate = 9 }, { duration = \"300d\", rate = 9 }")),
        (
            "users that are all zero",
            &alone("[load]\nstart_vus = 0\nstages = [{ duration = \"1s\", target = 0 }]")
        ),
    ]));
}

#[test]
fn virtual_users_that_cannot_carry_the_rate_are_refused() {
    let thinking = |load: &str| format!("{TARGET}[load]\n{load}\n{SCENARIO}think_time = \"3s\"\n");
    assert_shown!(gallery(&[
        ("too few allowed", &thinking("rate = 200\nmax_vus = 400")),
        ("too few by default", &thinking("rate = 5000")),
        (
            "too few for the top of a ramp",
            &thinking("max_vus = 400\nstages = [{ duration = \"1m\", rate = 200 }]")
        ),
        ("more at the beginning than ever", &thinking("rate = 1\nvus = 30\nmax_vus = 20")),
        ("none allowed", &thinking("rate = 1\nmax_vus = 0")),
        ("more than memory", &thinking("rate = 1\nmax_vus = 1000001")),
    ]));
}

#[test]
fn loads_that_cannot_be_told_apart_or_have_nothing_to_do_are_refused() {
    let mix = "[[scenario]]\nname = \"idle\"\nweight = 0\ntype = \"ping\"\n";
    assert_shown!(gallery(&[
        ("no names", &alone("[[load]]\nvus = 1\n[[load]]\nname = \"b\"")),
        ("one name", &alone("[[load]]\nname = \"a\"\n[[load]]\nname = \"a\"")),
        ("an empty name", &alone("[load]\nname = \"\"")),
        ("an unknown scenario", &alone("[load]\nscenarios = [\"pin\"]")),
        ("no scenario", &alone("[load]\nscenarios = []")),
        ("a scenario twice", &alone("[load]\nscenarios = [\"ping\", \"ping\"]")),
        ("nothing that is ever drawn", &alone(&format!("[load]\nscenarios = [\"idle\"]\n{mix}"))),
        (
            "settings of which",
            &alone(
                "[settings]\nvirtual_users = 4\nduration = \"1m\"\n[[load]]\nname = \"a\"\n[[load]]\nname = \"b\""
            )
        ),
        ("a start beyond a year", &alone("[load]\nstart = \"365d\"\nduration = \"1s\"")),
        (
            "stages beside loads",
            &alone(
                "[[load]]\nname = \"a\"\n[[load]]\nname = \"b\"\n[[stage]]\nduration = \"1s\"\ntarget = 1"
            )
        ),
    ]));
}

#[test]
fn a_breaking_point_that_nothing_or_everything_meets_is_refused() {
    assert_shown!(gallery(&[
        ("a share of everything", &alone("[breaking_point]\nseconds = 4\nerror_ratio = 1.0")),
        ("a share that is no number", &alone("[breaking_point]\nplateau_ratio = nan")),
        ("a share below zero", &alone("[breaking_point]\ndropped_ratio = -0.1")),
        ("the baseline itself", &alone("[breaking_point]\nresponse_time_factor = 1")),
        ("not a second", &alone("[breaking_point]\nseconds = 0")),
        ("an unknown bound", &alone("[breaking_point]\nerror_rate = 0.5")),
    ]));
}

#[test]
fn a_pacing_or_a_warm_up_that_means_nothing_is_refused() {
    let paced = |load: &str, pacing: &str| format!("{TARGET}{load}\n{SCENARIO}pacing = \"{pacing}\"\n");
    assert_shown!(gallery(&[
        ("under an arrival rate", &paced("[load]\nrate = 5", "1s")),
        (
            "under one of two loads",
            &paced("[[load]]\nname = \"steady\"\n[[load]]\nname = \"spike\"\nrate = 5", "1s")
        ),
        ("none", &paced("", "0s")),
        ("as long as the run", &paced("", "30s")),
        ("a warm-up as long as the run", &alone("[settings]\nwarm_up = \"30s\"")),
        ("a warm-up of parts of a second", &alone("[settings]\nwarm_up = \"1500ms\"")),
        ("a warm-up that is none", &alone("[settings]\nwarm_up = \"later\"")),
        ("a choice that is none", &alone("[settings]\nscenario_choice = \"per-run\"")),
    ]));
}
