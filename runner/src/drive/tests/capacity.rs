//! The search for capacity over the real engine, in virtual time: what a search finds is what the server can do.

use std::pin::Pin;

use super::*;
use crate::drive::capacity::{SearchControls, Searched};
use crate::judge::capacity::{AtLeast, Finding, Question, Variable};
use crate::plan::Objective;

const SECOND: Duration = Duration::from_secs(1);

/// A server that works on one call at a time, for 20 ms each: fifty a second and not one more.
fn single_file() -> MemoryServer {
    let state: Arc<Mutex<(Duration, Duration)>> = Arc::default();
    server(move |request, message| {
        let now = request.at.elapsed();
        let mut state = state.lock().unwrap();
        let (seen, free) = &mut *state;
        // Every run counts its time from its own origin.
        if now < *seen {
            *free = Duration::ZERO;
        }
        *seen = now;
        *free = (*free).max(now) + MILLISECOND * 20;
        json_reply(free.saturating_sub(now), message, &json!({"content": []}))
    })
}

/// In a box, because it is large.
fn search(server: MemoryServer, question: Question) -> Pin<Box<dyn Future<Output = Searched>>> {
    Box::pin(search_unboxed(server, question))
}

async fn search_unboxed(server: MemoryServer, question: Question) -> Searched {
    let lines =
        || SearchControls { stop: watch::channel(StopRequest::None).1, snapshots: watch::channel(None).0 };
    LocalSet::new()
        .run_until(async {
            let plan = plan(constant(1, SECOND));
            let prepared = prepare_in_memory(Arc::new(plan), server).await.unwrap();
            Box::pin(prepared.search_here(question, lines())).await.unwrap()
        })
        .await
}

fn objective(text: &str) -> Objective {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test(start_paused = true)]
async fn the_rate_that_a_server_can_keep_up_with_is_found() {
    let Searched { answer, .. } = search(single_file(), Question::of(vec![objective("p(99) < 500ms")])).await;
    let (lo, hi) = (answer.lo.as_ref().unwrap().load, answer.hi.as_ref().unwrap().load);
    assert_eq!(answer.finding, Finding::Between, "{}", answer.headline());
    assert!((47.0..=51.0).contains(&lo) && hi > lo && hi < 53.5, "{lo}..{hi}: {:#?}", answer.details());
}

#[tokio::test(start_paused = true)]
async fn the_sessions_that_a_server_has_room_for_are_found() {
    // With n sessions every call takes n times 20 ms.
    let question =
        Question { variable: Variable::Sessions, ..Question::of(vec![objective("p(99) < 410ms")]) };
    let Searched { answer, .. } = search(single_file(), question).await;
    assert_eq!(answer.finding, Finding::Between, "{}", answer.headline());
    assert!((answer.lo.as_ref().unwrap().load - 20.0).abs() < 0.5, "{:#?}", answer.details());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_carries_the_highest_load_allowed_can_do_at_least_that() {
    let question = Question { ceiling: Some(300.0), ..Question::of(vec![objective("p(99) < 500ms")]) };
    let Searched { answer, .. } = search(steady(MILLISECOND * 5), question).await;
    assert_eq!(answer.finding, Finding::AtLeast { because: AtLeast::Ceiling }, "{}", answer.headline());
}

#[tokio::test(start_paused = true)]
async fn a_limiter_is_told_from_a_capacity() {
    let window: Arc<Mutex<(u64, u32)>> = Arc::default();
    let limited = server(move |request, message| {
        let second = request.at.elapsed().as_secs();
        let mut window = window.lock().unwrap();
        *window = if window.0 == second { (second, window.1 + 1) } else { (second, 1) };
        if window.1 <= 80 {
            return json_reply(MILLISECOND * 5, message, &json!({"content": []}));
        }
        let (content_type, body) = ("text/plain", "slow down".to_owned());
        MemoryReply::Response { after: MILLISECOND, status: 429, content_type, session_id: None, body }
    });
    let Searched { answer, .. } = search(limited, Question::of(vec![objective("errors < 1%")])).await;
    assert!(matches!(answer.finding, Finding::RateLimit { .. }), "{}", answer.headline());
}

#[tokio::test(start_paused = true)]
async fn a_search_that_is_interrupted_answers_with_what_it_knows() {
    let (ask, stop) = watch::channel(StopRequest::None);
    LocalSet::new()
        .run_until(async {
            let prepared =
                prepare_in_memory(Arc::new(plan(constant(1, SECOND))), single_file()).await.unwrap();
            let controls = SearchControls { stop, snapshots: watch::channel(None).0 };
            let question = Question::of(vec![objective("p(99) < 500ms")]);
            let interrupt = async {
                tokio::time::sleep(SECOND * 45).await;
                ask.send(StopRequest::Graceful).unwrap();
            };
            let (searched, ()) = tokio::join!(Box::pin(prepared.search_here(question, controls)), interrupt);
            let Searched { answer, interrupted } = searched.unwrap();
            assert!(interrupted);
            assert!(!answer.trials.is_empty() && answer.elapsed_s < 60.0, "{:#?}", answer.details());
        })
        .await;
}
