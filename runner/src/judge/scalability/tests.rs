use pmcp_loadtest_arguments::Draws;

use super::fit::{Mean, fit};
use super::prediction::{expected, kappa_of, resample};
use super::*;

const REAL: UslParameters = UslParameters { lambda: 200.0, sigma: 0.03, kappa: 0.0008 };
const CORES: [u32; 6] = [1, 2, 3, 4, 6, 8];

/// Normal with mean 0 and deviation 1, near enough: the sum of twelve uniform draws.
fn normal(draws: &mut Draws) -> f64 {
    (0..12).map(|_| draws.below(1 << 53) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}

/// What a server of that law would measure, each repeat off by an error of that size.
fn measured(
    real: UslParameters,
    cores: &[u32],
    repeats: usize,
    noise: f64,
    draws: &mut Draws,
) -> Vec<CorePoint> {
    let point = |&cores: &u32| CorePoint {
        cores,
        repeats: (0..repeats)
            .map(|_| CapacityRepeat {
                per_s: real.capacity(cores.into()) * (1.0 + noise * normal(draws)),
                kind: CapacityKind::Capacity,
            })
            .collect(),
        bottleneck: Some("cpu".to_owned()),
    };
    cores.iter().map(point).collect()
}

fn exact(real: UslParameters) -> Vec<CorePoint> {
    measured(real, &CORES, 3, 0.0, &mut Draws::of(1))
}

fn noisy(real: UslParameters, seed: u64) -> Vec<CorePoint> {
    measured(real, &CORES, 3, 0.01, &mut Draws::of(seed))
}

fn question(points: &[CorePoint], target_cores: u32) -> ScalingQuestion<'_> {
    ScalingQuestion { target_cores, points, unit: "calls", forced: false, seed: 7 }
}

fn predicted(points: &[CorePoint], target_cores: u32) -> Prediction {
    match extrapolate(&question(points, target_cores)) {
        Scalability::Predicted(prediction) => prediction,
        Scalability::Refused { reasons } => panic!("{reasons:?}"),
    }
}

/// The reasons why that is refused, each as it is told.
fn refused(question: &ScalingQuestion<'_>) -> Vec<String> {
    match extrapolate(question) {
        Scalability::Refused { reasons } => reasons.iter().map(ToString::to_string).collect(),
        Scalability::Predicted(prediction) => panic!("{prediction:?}"),
    }
}

fn close(found: f64, real: f64, share: f64) -> bool {
    (found - real).abs() <= share * real.abs() + 1e-9
}

#[test]
fn the_unknowns_of_exact_points_are_found() {
    for (sigma, kappa) in [(0.0, 0.0), (0.1, 0.0), (0.0, 0.002), (0.03, 0.0008), (0.3, 0.02), (0.9, 0.1)] {
        let real = UslParameters { lambda: 1_234.5, sigma, kappa };
        let found = predicted(&exact(real), 16);
        let UslParameters { lambda, sigma: contention, kappa: coherency } = found.parameters;
        assert!(close(lambda, real.lambda, 1e-6), "{found:?}");
        assert!((contention - sigma).abs() < 1e-6 && (coherency - kappa).abs() < 1e-6, "{found:?}");
        assert!(close(found.per_s, real.capacity(16.0), 1e-6), "{found:?}");
    }
}

#[test]
fn the_simplest_law_that_explains_the_points_is_the_most_plausible() {
    for (law, sigma, kappa) in [(Law::Linear, 0.0, 0.0), (Law::Amdahl, 0.1, 0.0), (Law::Usl, 0.05, 0.01)] {
        let real = UslParameters { lambda: 200.0, sigma, kappa };
        let right = (0..20).filter(|seed| predicted(&noisy(real, *seed), 12).most_plausible == law).count();
        println!("{law:?} is found in {right} of 20");
        assert!(right >= 16, "{law:?} is found in {right} of 20");
    }
}

#[test]
fn the_prediction_stays_near_the_truth_under_noise() {
    let mut worst = 0.0_f64;
    for seed in 0..30 {
        let points = noisy(REAL, seed);
        if let Scalability::Predicted(prediction) = extrapolate(&question(&points, 16)) {
            worst = worst.max((prediction.per_s / REAL.capacity(16.0) - 1.0).abs());
        }
    }
    println!("repeats off by 1 %: a prediction for twice the cores is off by {worst:.3} at most in 30");
    assert!(worst < 0.25, "{worst}");
}

#[test]
fn another_measurement_lies_within_the_interval_about_as_often_as_promised() {
    // Fewer resamples than a user gets, so that the test is quick: the ends are rougher, not elsewhere.
    const CAMPAIGNS: u64 = 200;
    for (repeats, target) in [(3, 12), (5, 16)] {
        for kappa in [0.0, REAL.kappa] {
            let real = UslParameters { kappa, ..REAL };
            let covered = |seed: &u64| {
                let mut draws = Draws::new(3, *seed, 0);
                let counts = core_counts(&measured(real, &CORES, repeats, 0.02, &mut draws));
                let resamples = resample(&counts, 120, *seed);
                let kappa = kappa_of(&resamples).unwrap();
                let interval = expected(&resamples, &kappa, target.into()).unwrap();
                let next = real.capacity(f64::from(target)) * (1.0 + 0.02 * normal(&mut draws));
                interval.low <= next && next <= interval.high
            };
            let share = (0..CAMPAIGNS).filter(covered).count() as f64 / CAMPAIGNS as f64;
            println!("{repeats} repeats, {target} cores, kappa {kappa}: covered {share:.3}, promised 0.95");
            assert!(share >= 0.90, "{repeats} repeats, {target} cores, kappa {kappa}: {share}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_interval() {
    let points = noisy(REAL, 5);
    assert_eq!(predicted(&points, 16), predicted(&points, 16));
}

#[test]
fn more_repeats_in_points_of_their_own_count_as_one_point() {
    let together = exact(REAL);
    let apart: Vec<CorePoint> = together
        .iter()
        .flat_map(|point| {
            point.repeats.iter().map(|repeat| CorePoint { repeats: vec![*repeat], ..point.clone() })
        })
        .rev()
        .collect();
    assert_eq!(predicted(&apart, 16), predicted(&together, 16));
}

#[test]
fn the_mean_of_more_repeats_weighs_more() {
    let mean = |cores, per_s, repeats| Mean { cores, per_s, repeats };
    let of = |repeats| {
        let means = [mean(1.0, 100.0, repeats), mean(2.0, 220.0, 1.0)];
        fit(Law::Linear, &means).unwrap().lambda
    };
    assert!(of(1.0) > 104.0 && of(50.0) < 101.0, "{} {}", of(1.0), of(50.0));
}

#[test]
fn a_peak_shows_only_where_kappa_leaves_no_doubt() {
    let coherent = UslParameters { lambda: 200.0, sigma: 0.02, kappa: 0.02 };
    let prediction = predicted(&noisy(coherent, 3), 12);
    let peak = prediction.peak.unwrap();
    assert!(close(peak.cores, 7.0, 0.1), "{peak:?}");
    assert!(peak.interval.low <= peak.cores && peak.cores <= peak.interval.high, "{peak:?}");
    assert!(prediction.sentences()[1].starts_with("peak at "), "{:?}", prediction.sentences());
    let amdahl = UslParameters { lambda: 200.0, sigma: 0.05, kappa: 0.0 };
    let prediction = predicted(&noisy(amdahl, 3), 12);
    assert_eq!((prediction.peak, prediction.kappa.low), (None, 0.0));
    assert_eq!(prediction.sentences()[1], "no peak visible");
}

#[test]
fn the_first_sentence_has_the_figures_and_the_condition() {
    let prediction = Prediction {
        per_s: 1_903.7,
        interval: Interval { low: 1_601.2, high: 2_148.9 },
        ..predicted(&exact(REAL), 16)
    };
    assert_eq!(
        prediction.sentences()[0],
        "predicted 1,900 [1,600–2,150] calls/s at 16 cores, from 1–8 cores, if the same resource stays the bottleneck"
    );
}

#[test]
fn other_laws_are_named_with_what_they_say() {
    let sentence = &predicted(&noisy(REAL, 5), 16).sentences()[2];
    assert!(sentence.starts_with("other laws put it between "), "{sentence}");
    assert!(sentence.ends_with(" explains the points best"), "{sentence}");
}

#[test]
fn too_few_numbers_of_cores_or_repeats_are_refused() {
    let points = measured(REAL, &[1, 2, 4], 2, 0.01, &mut Draws::of(1));
    assert_eq!(
        refused(&question(&points, 8)),
        [
            "3 different numbers of cores were measured; measure at least 4",
            "1 core: measured 2 times; measure it at least 3 times",
            "2 cores: measured 2 times; measure it at least 3 times",
            "4 cores: measured 2 times; measure it at least 3 times",
        ]
    );
    assert_eq!(
        refused(&question(&[], 8)),
        ["0 different numbers of cores were measured; measure at least 4"]
    );
}

#[test]
fn a_target_beyond_twice_the_largest_is_refused_unless_forced() {
    let points = exact(REAL);
    let ask = question(&points, 17);
    assert_eq!(
        refused(&ask),
        ["17 cores are more than twice the 8 that were measured; measure more, or force it"]
    );
    let forced = extrapolate(&ScalingQuestion { forced: true, ..ask });
    let Scalability::Predicted(prediction) = &forced else { panic!("{forced:?}") };
    assert!(prediction.forced && !predicted(&points, 16).forced);
    assert_eq!(
        forced.sentences()[3],
        "more than twice the 8 cores that were measured: predicted because it was forced"
    );
}

#[test]
fn what_is_no_capacity_is_refused_with_its_reason() {
    for (kind, reason) in [
        (CapacityKind::AtLeast, "4 cores: no load failed, so the capacity is not known"),
        (CapacityKind::GeneratorBound, "4 cores: the generator was the bottleneck"),
        (CapacityKind::RateLimited, "4 cores: a rate limit was found, which more cores do not move"),
        (CapacityKind::Metastable, "4 cores: the server did not recover from an overload"),
        (CapacityKind::Invalid, "4 cores: the measurement cannot be trusted"),
    ] {
        let mut points = exact(REAL);
        points[3].repeats[1].kind = kind;
        assert_eq!(refused(&question(&points, 16)), [reason]);
    }
}

#[test]
fn figures_that_are_none_are_refused() {
    for figure in [0.0, -5.0, f64::NAN, f64::INFINITY] {
        let mut points = exact(REAL);
        points[2].repeats[0].per_s = figure;
        assert_eq!(refused(&question(&points, 16)), ["3 cores: no capacity"], "{figure}");
    }
    assert_eq!(refused(&question(&exact(REAL), 0)), ["0 cores: no capacity"]);
}

#[test]
fn a_bottleneck_that_changed_is_refused() {
    let mut points = exact(REAL);
    points[0].bottleneck = None;
    points[4].bottleneck = Some("database".to_owned());
    assert_eq!(
        refused(&question(&points, 16)),
        ["the bottleneck changed from cpu to database at 6 cores, so the points are not of one curve"]
    );
}

#[test]
fn a_largest_number_of_cores_that_the_others_mispredict_is_refused() {
    let mut points = exact(UslParameters { lambda: 200.0, sigma: 0.0, kappa: 0.0 });
    for repeat in &mut points[5].repeats {
        repeat.per_s = 1_200.0;
    }
    assert_eq!(
        refused(&question(&points, 16)),
        [
            "without the points of 8 cores the others predict 1,600/s there, where 1,200/s were measured: 33.3 % off"
        ]
    );
}

#[test]
fn an_answer_is_written_and_read_back() {
    let points = noisy(REAL, 5);
    for answer in [extrapolate(&question(&points, 16)), extrapolate(&question(&points, 99))] {
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).unwrap(),
            serde_json::to_value(&answer).unwrap()
        );
        assert!(json.contains(r#""outcome":"#), "{json}");
    }
}
