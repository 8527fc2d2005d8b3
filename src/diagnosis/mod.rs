//! Diagnosis: from a timeline to a named cause, with its evidence and the next thing to try. Pure: it sees the events and the bytes, nothing else.

/// What puts firmware onto a board whose application does not start.
macro_rules! same_version_again {
    () => {
        "a copy of the shipped *same version again* without its `requires`, in a bench with `health: false`: both ask an application that is not there"
    };
}

mod advice;
mod cause;
mod damage;
mod examiner;
mod facts;
mod rules;
mod speeds;

pub use advice::Advice;
pub use cause::{Cause, Probe, Sure};
pub use examiner::Examiner;
pub use speeds::USUAL;

use std::path::Path;

use crate::timeline::TimelineError;
use crate::timeline::event::Diagnosis;

/// Reads the timeline in `folder` and names the cause of what went wrong in it; `None` when no known cause fits.
///
/// # Errors
/// [`TimelineError`] when the timeline cannot be read.
pub fn diagnose(folder: &Path) -> Result<Option<Diagnosis>, TimelineError> {
    let mut examiner = Examiner::default();
    examiner.read(folder, None)?;
    Ok(examiner.diagnosis())
}
