//! Progress in one line: a [`Snapshot`] in, text out. Pure.

use super::remaining::{Remaining, clock, done_ratio};
use crate::judge::Snapshot;
use crate::judge::wording::{count, counted, rate, time};
use crate::report::text::{Tone, elide_end, paint, width};

/// The bar takes an eighth of the columns, within these bounds: a width that changed with the figures would make the line flicker.
const BAR: std::ops::RangeInclusive<usize> = 8..=24;

/// The bar is the first to go.
const BAR_RANK: u8 = 9;

/// The line a log gets, whole and without control codes.
pub(super) fn plain(snapshot: &Snapshot) -> String {
    let progress = &snapshot.progress;
    let mut parts = vec![format!("{} elapsed", clock(progress.elapsed))];
    parts.extend(Remaining::of(progress).words());
    if let Some(planned) = progress.planned_iterations {
        parts.push(format!("{} of {} iterations", count(progress.iterations), count(planned)));
    }
    parts.push(format!("{}/s{}", rate(snapshot.recent_rate), wanted(snapshot).unwrap_or_default()));
    parts.push(format!("p99 {}", p99(snapshot)));
    parts.push(counted(u64::from(progress.active_vus), "VU"));
    parts.push(counted(snapshot.requests, "call"));
    let class = largest_class(snapshot).map(|class| format!(" ({class})")).unwrap_or_default();
    parts.push(format!("{}{class}", counted(snapshot.errors, "error")));
    parts.extend(dropped(snapshot));
    parts.extend(breaking_point(snapshot));
    parts.join(", ")
}

/// The line a terminal gets while a load is one of many: what is being done, then how it is going.
pub(super) fn status_of(lead: &str, snapshot: &Snapshot, columns: usize, colour: bool) -> String {
    let lead = Piece::new(0, Tone::Strong, lead.to_owned());
    let rest = pieces(snapshot, columns).into_iter().filter(|piece| piece.rank < BAR_RANK);
    fitted(std::iter::once(lead).chain(rest).collect(), columns, colour)
}

/// The line a terminal gets, in at most so many columns (at least one): where they do not suffice, the least important pieces go.
pub(super) fn status(snapshot: &Snapshot, columns: usize, colour: bool) -> String {
    fitted(pieces(snapshot, columns), columns, colour)
}

/// The pieces in a line of so many columns.
fn fitted(mut pieces: Vec<Piece>, columns: usize, colour: bool) -> String {
    while pieces.len() > 1 && total_width(&pieces) > columns {
        let least = pieces.iter().map(|piece| piece.rank).max();
        pieces.retain(|piece| Some(piece.rank) != least);
    }
    if let [piece] = &mut pieces[..] {
        piece.text = elide_end(&piece.text, columns);
    }
    let mut line = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            line.push_str(piece.gap);
        }
        line.push_str(&paint(&piece.text, piece.tone, colour));
    }
    line
}

/// A part of the terminal's line.
#[derive(Debug)]
struct Piece {
    /// What parts it from the one before.
    gap: &'static str,
    text: String,
    tone: Tone,
    /// The highest goes first when columns run out; pieces of one rank go together.
    rank: u8,
}

impl Piece {
    fn new(rank: u8, tone: Tone, text: String) -> Self {
        Self { gap: "  ", text, tone, rank }
    }

    /// Set close to the piece before.
    fn close(self) -> Self {
        Self { gap: "", ..self }
    }
}

fn total_width(pieces: &[Piece]) -> usize {
    let gaps: usize = pieces.iter().skip(1).map(|piece| piece.gap.len()).sum();
    gaps + pieces.iter().map(|piece| width(&piece.text)).sum::<usize>()
}

/// Every piece, in the order they are read. Figures that change all the time are aligned, so that the line stands still.
fn pieces(snapshot: &Snapshot, columns: usize) -> Vec<Piece> {
    let progress = &snapshot.progress;
    let mut pieces = Vec::with_capacity(10);
    if let Some(done) = done_ratio(progress) {
        let length = (columns / 8).clamp(*BAR.start(), *BAR.end());
        let (done, open) = bar(done, length);
        pieces.push(Piece::new(BAR_RANK, Tone::Good, done));
        pieces.push(Piece::new(BAR_RANK, Tone::Quiet, open).close());
    }
    pieces.push(Piece::new(3, Tone::Plain, clock(progress.elapsed)));
    if let Some(remaining) = Remaining::of(progress).words() {
        pieces.push(Piece::new(8, Tone::Quiet, remaining));
    }
    if let Some(planned) = progress.planned_iterations {
        let done = format!("{}/{}", count(progress.iterations), count(planned));
        pieces.push(Piece::new(6, Tone::Plain, done));
    }
    pieces.push(Piece::new(1, Tone::Strong, format!("{:>7}/s", rate(snapshot.recent_rate))));
    if let Some(wanted) = wanted(snapshot) {
        pieces.push(Piece::new(6, Tone::Quiet, wanted).close());
    }
    pieces.push(Piece::new(4, Tone::Plain, format!("p99 {:>7}", p99(snapshot))));
    pieces.push(Piece::new(5, Tone::Plain, counted(u64::from(progress.active_vus), "VU")));
    let tone = if snapshot.errors == 0 { Tone::Quiet } else { Tone::Bad };
    pieces.push(Piece::new(2, tone, counted(snapshot.errors, "error")));
    if let Some(class) = largest_class(snapshot) {
        pieces.push(Piece::new(7, tone, format!(" ({class})")).close());
    }
    pieces.extend(dropped(snapshot).map(|dropped| Piece::new(2, Tone::Bad, dropped)));
    pieces.extend(breaking_point(snapshot).map(|point| Piece::new(2, Tone::Doubtful, point)));
    pieces
}

/// The part that is done and the part that is not, together `length` columns.
fn bar(done: f64, length: usize) -> (String, String) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to length")]
    let filled = (done * length as f64) as usize;
    ("█".repeat(filled), "░".repeat(length - filled))
}

/// The errors of the most frequent class: `2 timeout`.
fn largest_class(snapshot: &Snapshot) -> Option<String> {
    let largest = snapshot.errors_by_class.first()?;
    Some(format!("{} {}", count(largest.count), largest.class))
}

/// The iterations per second that are due, behind the calls that are done: `, 200/s due`. They are no share of each other: an
/// iteration may have several calls, and closed loads beside the open ones call too.
fn wanted(snapshot: &Snapshot) -> Option<String> {
    snapshot.progress.wanted_per_s.map(|wanted| format!(", {}/s due", rate(wanted)))
}

fn dropped(snapshot: &Snapshot) -> Option<String> {
    let dropped = snapshot.progress.dropped;
    (dropped > 0).then(|| format!("{} dropped", count(dropped)))
}

fn breaking_point(snapshot: &Snapshot) -> Option<String> {
    snapshot.progress.breaking_point.map(|second| format!("breaking point at {second} s"))
}

fn p99(snapshot: &Snapshot) -> String {
    let micros = snapshot.recent_p99.map(|p99| u64::try_from(p99.as_micros()).unwrap_or(u64::MAX));
    micros.map_or_else(|| "-".to_owned(), time)
}

#[cfg(test)]
pub(super) mod fixtures {
    use std::time::Duration;

    use super::*;
    use crate::judge::{ClassCount, Progress};

    /// A run of 30 s, 21 s old.
    pub(in crate::live) fn under_way() -> Snapshot {
        Snapshot {
            progress: Progress {
                elapsed: Duration::from_millis(21_250),
                planned_duration: Some(Duration::from_secs(30)),
                iterations: 25_000,
                planned_iterations: None,
                active_vus: 50,
                ..Progress::default()
            },
            requests: 26_231,
            ok: 26_228,
            errors: 3,
            errors_by_class: vec![
                ClassCount { class: "timeout", count: 2 },
                ClassCount { class: "rpc_error", count: 1 },
            ],
            recent_rate: 1_234.333_333,
            recent_p50: Some(Duration::from_micros(3_071)),
            recent_p99: Some(Duration::from_micros(12_343)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::fixtures::under_way;
    use super::*;
    use crate::judge::{ClassCount, Progress};

    fn just_begun() -> Snapshot {
        let progress = Progress {
            elapsed: Duration::from_millis(250),
            iterations: 0,
            active_vus: 1,
            ..under_way().progress
        };
        Snapshot {
            progress,
            requests: 0,
            ok: 0,
            recent_rate: 0.0,
            recent_p50: None,
            recent_p99: None,
            ..without_errors()
        }
    }

    fn without_errors() -> Snapshot {
        Snapshot { errors: 0, errors_by_class: Vec::new(), ..under_way() }
    }

    fn arriving() -> Snapshot {
        let progress = Progress {
            wanted_per_s: Some(1_500.0),
            iterations_due: 31_000,
            dropped: 4_120,
            breaking_point: Some(17),
            ..under_way().progress
        };
        Snapshot { progress, ..under_way() }
    }

    #[test]
    fn an_open_run_shows_what_is_wanted_what_is_dropped_and_where_the_server_broke() {
        let line = plain(&arriving());
        for part in ["1,234/s, 1,500/s due", "4,120 dropped", "breaking point at 17 s"] {
            assert!(line.contains(part), "{line}");
        }
        let narrow = status(&arriving(), 60, false);
        assert!(narrow.contains("4,120 dropped") && narrow.contains("breaking point at 17 s"), "{narrow}");
    }

    fn by_iterations() -> Snapshot {
        let progress = Progress {
            iterations: 340,
            planned_iterations: Some(1_000),
            planned_duration: None,
            ..under_way().progress
        };
        Snapshot { progress, ..without_errors() }
    }

    fn large() -> Snapshot {
        let progress = Progress {
            elapsed: Duration::from_secs(4_000),
            planned_duration: Some(Duration::from_hours(2)),
            active_vus: 12_000,
            ..under_way().progress
        };
        Snapshot {
            progress,
            errors: 1_234_567,
            errors_by_class: vec![ClassCount { class: "check_failed", count: 1_000_000 }],
            recent_rate: 123_456.0,
            recent_p99: Some(Duration::from_secs(61)),
            ..under_way()
        }
    }

    #[test]
    fn a_terminal_of_80_columns_shows_what_matters() {
        let lines = [just_begun(), without_errors(), under_way(), by_iterations(), large()]
            .map(|snapshot| status(&snapshot, 79, false));
        insta::assert_snapshot!(lines.join("\n"), @"
        ░░░░░░░░░  0s  30s left        0/s  p99       -  1 VU  0 errors
        ██████░░░  21s  9s left    1,234/s  p99 12.3 ms  50 VUs  0 errors
        ██████░░░  21s  9s left    1,234/s  p99 12.3 ms  50 VUs  3 errors (2 timeout)
        ███░░░░░░  21s  ~42s left  340/1,000    1,234/s  p99 12.3 ms  50 VUs  0 errors
        1h06m  123,456/s  p99 1 m 01 s  12,000 VUs  1,234,567 errors
        ");
    }

    #[test]
    fn a_terminal_of_120_columns_shows_everything() {
        let lines = [just_begun(), without_errors(), under_way(), by_iterations(), large()]
            .map(|snapshot| status(&snapshot, 119, false));
        insta::assert_snapshot!(lines.join("\n"), @"
        ░░░░░░░░░░░░░░  0s  30s left        0/s  p99       -  1 VU  0 errors
        █████████░░░░░  21s  9s left    1,234/s  p99 12.3 ms  50 VUs  0 errors
        █████████░░░░░  21s  9s left    1,234/s  p99 12.3 ms  50 VUs  3 errors (2 timeout)
        ████░░░░░░░░░░  21s  ~42s left  340/1,000    1,234/s  p99 12.3 ms  50 VUs  0 errors
        ███████░░░░░░░  1h06m  53m20s left  123,456/s  p99 1 m 01 s  12,000 VUs  1,234,567 errors (1,000,000 check_failed)
        ");
    }

    #[test]
    fn a_terminal_of_60_columns_does_without_the_bar() {
        let lines = [just_begun(), without_errors(), under_way(), by_iterations(), large()]
            .map(|snapshot| status(&snapshot, 59, false));
        insta::assert_snapshot!(lines.join("\n"), @"
        0s  30s left        0/s  p99       -  1 VU  0 errors
        21s  9s left    1,234/s  p99 12.3 ms  50 VUs  0 errors
        21s    1,234/s  p99 12.3 ms  50 VUs  3 errors (2 timeout)
        21s  340/1,000    1,234/s  p99 12.3 ms  50 VUs  0 errors
        1h06m  123,456/s  p99 1 m 01 s  1,234,567 errors
        ");
    }

    #[test]
    fn the_rate_and_the_errors_stay_longest() {
        let lines = [40, 30, 20, 10, 5, 1].map(|columns| status(&under_way(), columns, false));
        insta::assert_snapshot!(lines.join("\n"), @"
        21s    1,234/s  p99 12.3 ms  3 errors
        21s    1,234/s  3 errors
          1,234/s  3 errors
          1,234/s
          1,…
        …
        ");
    }

    #[test]
    fn errors_are_red_and_colour_changes_no_letter() {
        let coloured = status(&under_way(), 79, true);
        assert!(coloured.contains("\u{1b}[31m3 errors"), "{coloured:?}");
        let without_codes = console::strip_ansi_codes(&coloured).into_owned();
        assert_eq!(without_codes, status(&under_way(), 79, false));
    }

    #[test]
    fn a_trial_of_a_search_is_led_by_what_is_known() {
        let lines = [119, 99, 79, 59, 30].map(|columns| {
            status_of("trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s", &under_way(), columns, false)
        });
        insta::assert_snapshot!(lines.join("\n"), @"
        trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s  21s  9s left    1,234/s  p99 12.3 ms  50 VUs  3 errors (2 timeout)
        trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s  21s    1,234/s  p99 12.3 ms  50 VUs  3 errors
        trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s  21s    1,234/s  3 errors
        trial 7 at 240.0/s · ≥ 180.0/s, < 360.0/s    1,234/s
        trial 7 at 240.0/s · ≥ 180.0/…
        ");
    }

    #[test]
    fn a_log_line_is_whole() {
        let lines = [just_begun(), without_errors(), under_way(), by_iterations(), large()]
            .map(|snapshot| plain(&snapshot));
        insta::assert_snapshot!(lines.join("\n"), @"
        0s elapsed, 30s left, 0/s, p99 -, 1 VU, 0 calls, 0 errors
        21s elapsed, 9s left, 1,234/s, p99 12.3 ms, 50 VUs, 26,231 calls, 0 errors
        21s elapsed, 9s left, 1,234/s, p99 12.3 ms, 50 VUs, 26,231 calls, 3 errors (2 timeout)
        21s elapsed, ~42s left, 340 of 1,000 iterations, 1,234/s, p99 12.3 ms, 50 VUs, 26,231 calls, 0 errors
        1h06m elapsed, 53m20s left, 123,456/s, p99 1 m 01 s, 12,000 VUs, 26,231 calls, 1,234,567 errors (1,000,000 check_failed)
        ");
    }

    #[test]
    fn the_bar_fills_from_empty_to_full() {
        let shown = [0.0, 0.49, 0.5, 0.999, 1.0].map(|done| bar(done, 4)).map(|(done, open)| done + &open);
        assert_eq!(shown, ["░░░░", "█░░░", "██░░", "███░", "████"]);
    }

    proptest! {
        #[test]
        fn the_terminal_line_never_exceeds_its_columns(
            columns in 1_usize..200,
            elapsed in any::<u32>(),
            planned in any::<Option<u32>>(),
            iterations in any::<(u64, Option<u64>)>(),
            errors in any::<u64>(),
            recent_rate in 0.0..1e12,
            p99 in any::<Option<u64>>(),
        ) {
            let progress = Progress {
                elapsed: Duration::from_millis(u64::from(elapsed)),
                planned_duration: planned.map(|planned| Duration::from_millis(u64::from(planned))),
                iterations: iterations.0,
                planned_iterations: iterations.1,
                active_vus: elapsed,
                ..arriving().progress
            };
            let recent_p99 = p99.map(Duration::from_micros);
            let snapshot = Snapshot { progress, errors, recent_rate, recent_p99, ..under_way() };
            prop_assert!(width(&status(&snapshot, columns, false)) <= columns);
        }
    }
}
