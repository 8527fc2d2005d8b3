//! Lines of a board: the backends that drive them, the lock that keeps two runs apart, and the guardian that lets go when a run dies.
//!
//! A line is asserted or released. Polarity, drive and bias are the backend's affair and are set in the bench file.

mod config;

pub use config::{Active, Backend, Bias, Drive, GpioLine, LineConfig};

use std::os::fd::BorrowedFd;

use crate::seam::LineState;

/// What a backend of a line can fail with.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A system call failed.
    #[error("{call} on {what} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// The file or line.
        what: String,
        /// What it said.
        source: std::io::Error,
    },
    /// The backend refused, in its own words.
    #[error("{0}")]
    Refused(String),
}

/// How far a drive has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Carried out.
    Done,
    /// Begun: [`ResetLine::fd`] becomes readable when there is more to do for [`ResetLine::proceed`].
    Pending,
}

/// A reset line. What happens at claim, at drop and when the process is killed is the first paragraph of each backend's docs.
pub trait ResetLine: Send {
    /// Begins to drive the line. **Asserting resets the board.** Never blocks.
    ///
    /// # Errors
    /// [`LineError`] when the backend could not.
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError>;

    /// Goes on with a drive that is [`Progress::Pending`]; called when [`ResetLine::fd`] is readable. Never blocks.
    ///
    /// # Errors
    /// [`LineError`] when the backend could not.
    fn proceed(&mut self) -> Result<Progress, LineError>;

    /// What to poll for reading while a drive is pending; `None` for backends whose drives are done at once.
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// The backend in a few words, for messages: `socket /run/evkit.ctl`.
    fn describe(&self) -> String;
}
