//! A run as reports see it: its cases, and the boards that it lost.

use std::time::Duration;

use time::OffsetDateTime;

use super::{CaseReport, Missing};
use crate::timeline::event::Outcome;

/// What one command did.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// When it began; `None` on simulated time, where no report may depend on the wall clock.
    pub started: Option<OffsetDateTime>,
    /// How long it took. Reports of simulated time use the sum of the cases' durations in its place.
    pub duration: Duration,
    /// The seed.
    pub seed: u64,
    /// The cases, in the order in which reports list them: the plan's, not that in which boards happened to end them.
    pub cases: Vec<CaseReport>,
    /// The health cases of the boards that were asked.
    pub boards: Vec<CaseReport>,
    /// The boards that were given up, one of them for what its health case found.
    pub given_up: Vec<GivenUp>,
    /// What the run had to show and did not.
    pub missing: Vec<Missing>,
}

/// A board that the run gave up: the rest of its cases was blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The board's name.
    pub board: String,
    /// Why, in words.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl RunReport {
    /// How many cases ended so; those that passed only when they were tried again are not among those that passed.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases.iter().filter(|case| case.outcome() == outcome && !case.is_flaky()).count()
    }

    /// How many cases passed only when they were tried again.
    #[must_use]
    pub fn flaky(&self) -> usize {
        self.cases.iter().filter(|case| case.is_flaky()).count()
    }

    /// What is told of each board: its health case, where it was asked, and why it was given up, where it was. One case of every report each.
    #[must_use]
    pub fn told_of_boards(&self) -> Vec<(Option<&CaseReport>, Option<&GivenUp>)> {
        // Of what was done to a board beside its cases, the first that did not pass is why it was given up.
        let reason_of = |given_up: &GivenUp| {
            let mut of_board = self.boards.iter().filter(|report| report.case.board.as_ref() == Some(&given_up.board));
            let first = of_board.clone().next();
            of_board.find(|report| report.outcome() != Outcome::Passed).or(first)
        };
        let is_of = |given_up: &GivenUp, report: &CaseReport| reason_of(given_up).is_some_and(|reason| std::ptr::eq(reason, report));
        let asked = self.boards.iter().map(|report| (Some(report), self.given_up.iter().find(|given_up| is_of(given_up, report))));
        let others = self.given_up.iter().filter(|given_up| reason_of(given_up).is_none());
        asked.chain(others.map(|given_up| (None, Some(given_up)))).collect()
    }

    /// How long the run took, on its own clock.
    #[must_use]
    pub fn shown_duration(&self) -> Duration {
        if self.started.is_some() {
            self.duration
        } else {
            self.cases.iter().flat_map(|case| case.earlier.iter().chain([case])).map(|case| case.duration).sum()
        }
    }
}
