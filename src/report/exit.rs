//! What the program's exit code says.

use super::RunReport;
use crate::timeline::event::Outcome;

/// The exit codes of the program, in the order in which one hides another: an interrupted run says nothing of its failures, and a rig that broke makes
/// a failure doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 130: INT, TERM or HUP ended the run.
    Interrupted,
    /// 2: the command line, a scenario file or the bench file is wrong; no hardware was touched.
    Usage,
    /// 3: the rig failed in a case, or a board was given up.
    Rig,
    /// 1: a board misbehaved in a case.
    Failed,
    /// 5: nothing went wrong, but not all that had to run did: a case was blocked, every case was skipped, a required case did not pass (or
    /// only when it was tried again), or a board that had to run each case ran nothing.
    Incomplete,
    /// 4: no case was selected.
    NothingSelected,
    /// 0: every case passed, or was skipped for a reason of its own.
    Passed,
}

impl Exit {
    /// Every exit code, in its order.
    pub const ALL: &'static [Self] =
        &[Self::Interrupted, Self::Usage, Self::Rig, Self::Failed, Self::Incomplete, Self::NothingSelected, Self::Passed];

    /// The number that the program exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Usage => 2,
            Self::Rig => 3,
            Self::Failed => 1,
            Self::Incomplete => 5,
            Self::NothingSelected => 4,
            Self::Passed => 0,
        }
    }

    /// The exit code of a run that got as far as its boards. `interrupted` tells whether a signal ended it, also when no case had begun.
    #[must_use]
    pub fn of(run: &RunReport, interrupted: bool) -> Self {
        let any = |outcome| run.count(outcome) > 0;
        if interrupted || any(Outcome::Interrupted) {
            Self::Interrupted
        } else if !run.given_up.is_empty() || any(Outcome::Error) {
            Self::Rig
        } else if any(Outcome::Failed) {
            Self::Failed
        } else if run.cases.is_empty() {
            Self::NothingSelected
        } else if any(Outcome::Blocked) || !run.missing.is_empty() || !(any(Outcome::Passed) || run.flaky() > 0) {
            Self::Incomplete
        } else {
            Self::Passed
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
