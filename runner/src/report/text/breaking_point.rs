//! Where the server broke while the load rose, in a line.

use super::paint::Tone;
use super::{LABEL, Page};
use crate::judge::Confidence;
use crate::judge::wording::{counted, rate};
use crate::report::Report;

/// Shown where there was something to find: under a load that rises.
pub(super) fn headline(report: &Report, page: &mut Page) {
    let (text, tone) = match (&report.breaking_point.place, &report.breaking_point.not_looked_for) {
        (Some(place), _) => {
            let confidence = match place.confidence {
                Confidence::Low => "low",
                Confidence::Medium => "medium",
                Confidence::High => "high",
            };
            let text = format!(
                "{} after the start, at {} and {} calls/s: {} ({confidence} confidence)",
                counted(place.second, "second"),
                counted(place.vus.into(), "VU"),
                rate(place.rate_per_s),
                place.detail,
            );
            (text, Tone::Bad)
        }
        (None, None) => ("none while the load rose".to_owned(), Tone::Plain),
        (None, Some(reason)) if report.manifest.executor.contains("ramping-") => {
            (format!("not looked for: {reason}"), Tone::Doubtful)
        }
        (None, Some(_)) => return,
    };
    page.hanging(&format!("{:<LABEL$}", "breaking point"), Tone::Quiet, &text, tone);
}
