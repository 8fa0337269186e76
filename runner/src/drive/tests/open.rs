//! The open model in virtual time: the load is the one that was asked for, and no call's delay is hidden.

use std::num::NonZeroU32;

use super::*;
use crate::judge::{Dropped, Histogram, Moment};
use crate::plan::{Pool, Rate, RateStage, Spacing};

const SECOND: Duration = Duration::from_secs(1);

fn pool(vus: u32, max_vus: u32) -> Pool {
    let max_vus = NonZeroU32::new(max_vus).unwrap();
    Pool { vus, max_vus, max_wait: Duration::from_secs(5), spacing: Spacing::Even }
}

fn rate(per_second: f64) -> Rate {
    Rate::per_second(per_second).unwrap()
}

fn arriving(per_second: f64, duration: Duration, pool: Pool) -> Plan {
    plan(Executor::ConstantArrivalRate { rate: rate(per_second), duration, pool })
}

/// A server that answers nothing for the first second of every ten, and else at once.
fn stalling() -> MemoryServer {
    server(|request, message| {
        let into = Duration::from_nanos(request.at.as_nanos() % 10_000_000_000);
        json_reply(SECOND.saturating_sub(into), message, &json!({"content": []}))
    })
}

fn to_three_digits(found: Option<Duration>, exact: Duration) {
    let found = found.unwrap();
    let error = found.as_secs_f64() / exact.as_secs_f64() - 1.0;
    assert!((-1e-9..=0.001).contains(&error), "{found:?} for {exact:?}");
}

#[tokio::test(start_paused = true)]
async fn what_arrives_begins_at_its_instant_whatever_happened_before() {
    let (server, log) = recording();
    let seen = observe(arriving(100.0, SECOND * 10, pool(10, 100)), server).await;
    let sent: Vec<Duration> = log.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let due: Vec<Duration> = (0..1000).map(|number| MILLISECOND * 10 * number).collect();
    assert_eq!(sent, due);
    assert_eq!((seen.books.iterations_due, seen.books.iterations_started), (1000, 1000));
    assert_eq!(seen.books.dropped, Dropped::default());
    assert_eq!(seen.books.iterations_waited, 0);
    let total = seen.metrics.total();
    to_three_digits(total.response_time.max(), MILLISECOND * 10);
    assert_eq!(total.lateness.max(), Some(Duration::ZERO));
    assert_eq!(seen.window, SECOND * 10);
    assert_eq!(seen.books.sessions_opened, seen.books.sessions_closed);
}

#[tokio::test(start_paused = true)]
async fn a_stall_stands_in_every_call_that_was_due_in_it() {
    let seen = observe(arriving(100.0, SECOND * 30, pool(10, 200)), stalling()).await;
    let total = seen.metrics.total();
    let mut truth: Vec<Duration> = (0..3000)
        .map(|number| MILLISECOND * 10 * number)
        .map(|due| {
            SECOND.saturating_sub(Duration::from_millis(
                due.as_secs() % 10 * 1000 + u64::from(due.subsec_millis()),
            ))
        })
        .collect();
    truth.sort_unstable();
    let mut exact = Histogram::default();
    for time in &truth {
        exact.record_nanos(Moment::ORIGIN.after(*time).as_nanos());
    }
    assert_eq!(total.response_time, exact, "to the histogram's precision, every call of them");
    to_three_digits(total.response_time.quantile(0.99), truth[2969]);
    to_three_digits(total.response_time.max(), SECOND);
    assert_eq!(total.response_time.quantile(0.5), Some(Duration::ZERO));
    assert_eq!(seen.books.dropped.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_few_virtual_users_the_wait_for_one_is_part_of_the_response_time() {
    // Ten of them: 90 calls of each stall wait until it is over.
    let seen = observe(arriving(100.0, SECOND * 30, pool(10, 10)), stalling()).await;
    let total = seen.metrics.total();
    assert_eq!((total.outcomes.ok(), seen.books.dropped.total()), (3000, 0));
    assert!((265..=275).contains(&seen.books.iterations_waited), "{:?}", seen.books);
    to_three_digits(total.response_time.max(), SECOND);
    let late = total.response_time.quantile(0.95).unwrap();
    assert!(late > MILLISECOND * 480, "{late:?}");
    assert!(total.service_time.quantile(0.95).unwrap() <= MILLISECOND, "the service time alone hides it");
}

#[tokio::test(start_paused = true)]
async fn a_closed_run_of_the_same_server_hides_the_stall() {
    let mut plan = plan(constant(1, SECOND * 30));
    plan.scenarios[0].think_time = Some(ThinkTime::constant(MILLISECOND * 10));
    let seen = observe(plan, stalling()).await;
    let total = seen.metrics.total();
    assert!(total.response_time.quantile(0.99).unwrap() < MILLISECOND);
    assert_eq!(total.response_time.max().map(|max| max.as_millis() / 10), Some(100));
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_for_a_virtual_user_is_dropped_and_counted() {
    let mut pool = pool(1, 1);
    pool.max_wait = MILLISECOND * 100;
    let seen = observe(arriving(100.0, SECOND, pool), steady(MILLISECOND * 260)).await;
    let Books { iterations_due, iterations_started, dropped, iterations_completed, .. } = seen.books;
    assert_eq!((iterations_due, iterations_started, iterations_completed), (100, 4, 4));
    assert_eq!(dropped.total(), 96);
    assert!(dropped.run_ended > 0 && dropped.no_free_vu > 80, "{dropped:?}");
    let rows = seen.metrics.timeline();
    assert_eq!(rows.iter().map(|row| row.arrivals.due).sum::<u64>(), 100);
    assert_eq!(rows.iter().map(|row| row.arrivals.dropped).sum::<u64>(), 96);
}

#[tokio::test(start_paused = true)]
async fn whoever_becomes_free_does_not_take_up_what_has_waited_too_long() {
    let mut pool = pool(1, 1);
    pool.max_wait = MILLISECOND * 5;
    // Free at 70 ms, when the arrival of 50 ms has waited 20 ms and the next one is due at 100 ms.
    let seen = observe(arriving(20.0, SECOND * 2, pool), steady(MILLISECOND * 70)).await;
    assert_eq!((seen.books.iterations_due, seen.books.iterations_started), (40, 20));
    assert_eq!(seen.books.dropped.total(), 20);
    assert_eq!(seen.metrics.total().lateness.max(), Some(Duration::ZERO));
    assert_eq!(seen.metrics.timeline().iter().map(|row| row.arrivals.dropped).sum::<u64>(), 20);
}

#[tokio::test(start_paused = true)]
async fn virtual_users_come_also_for_arrivals_that_do_not_wait_for_them() {
    let mut pool = pool(1, 20);
    pool.max_wait = Duration::ZERO;
    let seen = observe(arriving(100.0, SECOND * 3, pool), steady(MILLISECOND * 95)).await;
    let Books { iterations_due, iterations_started, dropped, .. } = seen.books;
    assert_eq!(iterations_due, iterations_started + dropped.total());
    assert!(iterations_started > 280, "{dropped:?}: one user alone would have begun 30");
}

#[tokio::test(start_paused = true)]
async fn more_virtual_users_come_when_arrivals_find_none_and_no_more_than_are_allowed() {
    let seen = observe(arriving(100.0, SECOND * 3, pool(1, 60)), steady(MILLISECOND * 500)).await;
    assert_eq!(seen.books.dropped.total(), 0);
    assert!((51..=61).contains(&seen.books.sessions_opened), "{:?}", seen.books);
    let seen = observe(arriving(100.0, SECOND * 3, pool(1, 20)), steady(MILLISECOND * 500)).await;
    assert_eq!(seen.books.sessions_opened, 20 + 1, "and the preparation's");
    assert_eq!(seen.books.iterations_due, seen.books.iterations_started + seen.books.dropped.total());
}

#[tokio::test(start_paused = true)]
async fn a_later_step_is_due_when_it_would_have_been_had_the_server_answered_in_time() {
    let mut plan = arriving(20.0, SECOND * 25, pool(50, 200));
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step]);
    plan.scenarios[0].think_time = Some(ThinkTime::constant(MILLISECOND * 200));
    // Ten milliseconds, but all that comes in the 20th second waits for its end.
    let server = server(|request, message| {
        let at = request.at.elapsed();
        let stalled = (SECOND * 20..SECOND * 21).contains(&at);
        let after = if stalled { (SECOND * 21).saturating_sub(at) } else { MILLISECOND * 10 };
        json_reply(after, message, &json!({"content": []}))
    });
    let seen = observe(plan, server).await;
    let (first, second) = (SeriesId(SeriesId::LIFECYCLE), SeriesId(SeriesId::LIFECYCLE + 1));
    let late = |series: SeriesId| {
        let times = &seen.metrics.series(series).response_time;
        let nth = |number| times.quantile((number as f64 + 0.5) / times.count() as f64).unwrap();
        (0..times.count()).filter(|number| nth(*number) > MILLISECOND * 12).count()
    };
    // 20 of the first steps fall into the stall. Behind them are 20 second steps which were not sent into it but were due before they
    // could be sent: their delay is no less the server's. The second steps of the conversations just before are sent into it.
    assert_eq!((late(first), late(second)), (20, 24));
    let service = &seen.metrics.series(second).service_time;
    assert!(service.quantile(0.99).unwrap() <= MILLISECOND * 11, "the service time alone hides most of it");
    assert_eq!(seen.metrics.total().lateness.max(), Some(Duration::ZERO), "none of it is the generator's");
}

#[tokio::test(start_paused = true)]
async fn sessions_arrive_and_are_opened_when_they_are_due() {
    let mut plan = arriving(10.0, SECOND * 5, pool(5, 50));
    plan.settings.session = SessionPolicy::PerIteration;
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step]);
    let seen = observe(plan, steady(MILLISECOND * 300)).await;
    assert_eq!((seen.books.sessions_opened, seen.books.sessions_closed), (51, 51));
    assert_eq!(seen.metrics.total().outcomes.ok(), 100);
    assert_eq!(seen.metrics.series(SeriesId::INITIALIZE).lateness.max(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_of_arrivals_starts_as_many_as_its_integral() {
    let stage = |seconds, target| RateStage { duration: SECOND * seconds, target: rate(target) };
    let stages = vec![stage(10, 100.0), stage(5, 100.0), stage(0, 20.0), stage(5, 0.0)];
    let executor = Executor::RampingArrivalRate { from: rate(0.0), stages, pool: pool(10, 50) };
    let seen = observe(plan(executor), steady(MILLISECOND * 10)).await;
    let started = seen.books.iterations_started;
    assert!(started.abs_diff(500 + 500 + 50) <= 1, "{started}");
    assert_eq!(seen.books.iterations_due, started);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_drops_nothing_that_was_not_due() {
    let (ask, stop) = watch::channel(StopRequest::None);
    let interrupt = async {
        tokio::time::sleep(MILLISECOND * 2_505).await;
        ask.send(StopRequest::Graceful).unwrap();
    };
    let run = observe_until(arriving(100.0, SECOND * 60, pool(10, 100)), steady(MILLISECOND * 20), stop);
    let (seen, ()) = tokio::join!(run, interrupt);
    assert_eq!(seen.stop, StopReason::Interrupted);
    let Books { iterations_due, iterations_started, dropped, .. } = seen.books;
    assert_eq!((iterations_due, iterations_started, dropped.total()), (251, 251, 0));
    assert!(seen.window < MILLISECOND * 2_800, "{:?}", seen.window);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_is_asked_as_often_as_one_that_answers() {
    let refusing = MemoryServer::new(|request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("tools/call") => MemoryReply::Reset { after: Duration::ZERO },
            Some("initialize") => json_reply(
                Duration::ZERO,
                &message,
                &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "m"}}),
            ),
            _ => accepted(),
        }
    });
    let seen = observe(arriving(50.0, SECOND * 4, pool(5, 20)), refusing).await;
    assert_eq!(seen.metrics.total().outcomes.errors(), 200);
    assert_eq!((seen.books.iterations_started, seen.books.backoff_time), (200, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_virtual_users_is_accounted_for() {
    let seen = observe(arriving(100.0, SECOND * 10, pool(20, 20)), steady(MILLISECOND * 30)).await;
    let books = seen.books;
    let accounted = books.service_time + books.idle_time + books.think_time + books.connect_time;
    let residual = 1.0 - accounted.as_secs_f64() / books.vu_time.as_secs_f64();
    assert!(residual.abs() < 0.01, "{residual} {books:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_pause_takes_too_long_is_the_generators_lateness() {
    let mut plan = arriving(10.0, SECOND * 5, pool(5, 50));
    let step = plan.scenarios[0].steps()[0].clone();
    plan.scenarios[0].script = Script::Steps(vec![step.clone(), step]);
    // The clock of these tests moves by whole milliseconds.
    plan.scenarios[0].think_time = Some(ThinkTime::constant(Duration::from_micros(10_400)));
    let seen = observe(plan, steady(Duration::ZERO)).await;
    let second = seen.metrics.series(SeriesId(SeriesId::LIFECYCLE + 1));
    let late = Duration::from_micros(600);
    to_three_digits(second.lateness.min(), late);
    to_three_digits(second.lateness.max(), late);
    to_three_digits(second.response_time.max(), late);
    assert_eq!(second.service_time.max(), Some(Duration::ZERO));
}

/// A server that takes its time for a handshake.
fn slow_to_greet(takes: Duration) -> MemoryServer {
    MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match message["method"].as_str() {
            Some("initialize") => json_reply(
                takes,
                &message,
                &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "m"}}),
            ),
            Some("tools/call") => json_reply(MILLISECOND * 10, &message, &json!({"content": []})),
            _ => accepted(),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_load_begins_when_its_virtual_users_have_their_sessions() {
    for workers in [1, 3] {
        let mut plan = arriving(100.0, SECOND * 5, pool(12, 50));
        plan.settings.workers = NonZeroUsize::new(workers).unwrap();
        let seen = observe(plan, slow_to_greet(MILLISECOND * 300)).await;
        assert_eq!((seen.books.iterations_started, seen.books.iterations_waited), (500, 0));
        assert_eq!(seen.metrics.total().lateness.max(), Some(Duration::ZERO));
        assert_eq!(seen.window, MILLISECOND * 5_300);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_session_in_time_is_not_waited_for() {
    let mut plan = arriving(10.0, SECOND * 3, pool(2, 5));
    plan.settings.timeout = SECOND;
    let greeted = Mutex::new(false);
    let server = MemoryServer::new(move |request| {
        let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
        if message["method"] != "initialize" {
            return accepted();
        }
        let first = !std::mem::replace(&mut *greeted.lock().unwrap(), true);
        let result =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "m"}});
        if first { json_reply(Duration::ZERO, &message, &result) } else { MemoryReply::Silence }
    });
    let seen = observe(plan, server).await;
    let Books { iterations_due, iterations_started, dropped, .. } = seen.books;
    assert_eq!((iterations_due, iterations_started, dropped.total()), (30, 0, 30));
    assert!((SECOND * 4..SECOND * 5).contains(&seen.window), "{:?}", seen.window);
}

/// Which calls were made, whoever made them: when, with which argument.
fn calls_of(log: &Log) -> Vec<(Duration, String)> {
    let mut calls = log.lock().unwrap().clone();
    calls.sort();
    calls
}

#[tokio::test(start_paused = true)]
async fn any_number_of_workers_and_of_shards_sends_the_same() {
    for spacing in [Spacing::Even, Spacing::Poisson] {
        let mixed = |shard: Stripe, workers: usize| {
            let mut plan = arriving(60.0, SECOND * 4, Pool { spacing, ..pool(12, 48) });
            let mut other = plan.scenarios[0].clone();
            other.name = "other".into();
            let action = Action::CallTool { tool: "other".into(), arguments: json!({}) };
            other.script = Script::Steps(vec![Step { label: None, timeout: None, action }]);
            plan.scenarios.push(other);
            plan.loads[0].scenarios.push(1);
            plan.settings.workers = NonZeroUsize::new(workers).unwrap();
            plan.shard = shard;
            plan
        };
        let mut sequences = Vec::new();
        for workers in [1, 2, 4] {
            let (server, log) = recording();
            let seen = observe(mixed(Stripe::WHOLE, workers), server).await;
            assert_eq!(seen.generator.workers.len(), workers);
            sequences.push(calls_of(&log));
        }
        let mut of_shards = Vec::new();
        for index in 0..3 {
            let (server, log) = recording();
            observe(mixed(Stripe { index, of: 3 }, 2), server).await;
            of_shards.extend(calls_of(&log));
        }
        of_shards.sort();
        sequences.push(of_shards);
        assert!(sequences[0].len() > 150);
        assert!(sequences.iter().all(|sequence| *sequence == sequences[0]), "{spacing:?}");
    }
}
