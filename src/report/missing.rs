//! What a run had to show and did not: required cases that did not pass, boards that ran nothing.

use super::{CaseReport, RunReport};
use crate::timeline::event::Outcome;

/// A case, or several, that must have passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// As it was asked for: `healthy handshake`, `the tag release`.
    pub what: String,
    /// The names of the cases that this means, of those that were loaded.
    pub cases: Vec<String>,
    /// Said where it means none.
    pub none: String,
}

/// Something that a run had to show and did not: it is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl RunReport {
    /// What the run did not show of what was required, and the boards among `boards` that ran nothing.
    #[must_use]
    pub fn missing(&self, required: &[Required], boards: &[String]) -> Vec<Missing> {
        let mut missing: Vec<Missing> = Vec::new();
        let mut add = |what: String, why: String| {
            let new = Missing { what, why };
            // A case that a name and a tag ask for is missed once.
            if !missing.contains(&new) {
                missing.push(new);
            }
        };
        for required in required {
            if required.cases.is_empty() {
                add(required.what.clone(), required.none.clone());
            }
            for name in &required.cases {
                let mut selected = self.cases.iter().filter(|report| report.case.name == *name).peekable();
                if selected.peek().is_none() {
                    add(name.clone(), "it was not selected".to_owned());
                }
                for report in selected.filter(|report| report.outcome() != Outcome::Passed || report.is_flaky()) {
                    let on = report.case.board.as_ref().map(|board| format!(" on {board}")).unwrap_or_default();
                    add(format!("{name}{on}"), why_not(report));
                }
            }
        }
        for board in boards {
            let ran =
                |report: &CaseReport| report.case.board.as_ref() == Some(board) && report.ran() && report.outcome() != Outcome::Skipped;
            if !self.cases.iter().any(ran) {
                add(format!("board {board}"), "it ran nothing".to_owned());
            }
        }
        missing
    }
}

fn why_not(report: &CaseReport) -> String {
    let reason = &report.verdict.reason;
    match (report.outcome(), report.case.attempt) {
        (Outcome::Passed, Some(attempt)) if attempt.number > 1 => format!("it passed only on try {} of {}", attempt.number, attempt.of),
        (Outcome::Passed, _) => "it passed".to_owned(),
        (Outcome::Failed, _) => format!("it failed: {reason}"),
        (Outcome::Error, _) => format!("it ended with an error of the rig: {reason}"),
        (Outcome::Skipped, _) => format!("it was skipped: {reason}"),
        (Outcome::Blocked, _) => format!("it was blocked: {reason}"),
        (Outcome::Interrupted, _) => "it was interrupted".to_owned(),
    }
}
