//! A run as reports see it: its cases, and the boards that it lost.

use std::time::Duration;

use time::OffsetDateTime;

use super::CaseReport;
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
    /// The boards that were given up.
    pub given_up: Vec<GivenUp>,
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
    /// How many cases ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases.iter().filter(|case| case.outcome() == outcome).count()
    }

    /// How long the run took, on its own clock.
    #[must_use]
    pub fn shown_duration(&self) -> Duration {
        if self.started.is_some() { self.duration } else { self.cases.iter().map(|case| case.duration).sum() }
    }
}
