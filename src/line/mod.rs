//! Lines of a board: the backends that drive them, the lock that keeps two runs apart, and the guardian that lets go when a run dies.
//!
//! A line is asserted or released. Polarity, drive and bias are the backend's affair and are set in the bench file. [`open()`] claims a
//! line and writes the released state first; after that only [`ResetLine::begin`] drives it.
//!
//! | backend | at claim | at drop | when the process is killed |
//! | --- | --- | --- | --- |
//! | `rppal` | The pull is set and the pin let go (open drain), or the pin is driven to the released level (push-pull), in an order that never asserts. The kernel knows of no claim: another program can drive the same pin. | Released, and left so: an input with its pull, or an output at the released level. | The pin stays as it was, asserted if it was asserted, until the guardian releases it. |
//! | `gpiocdev` | The kernel gives the line to us alone, under the name `evkit-hil`, with the released value as its first. A line that is in use is an error that names its holder. | Released, then given back to the kernel. Raspberry Pi kernels keep a push-pull output driven then; with `dtparam=strict_gpiod`, and on most other kernels, it becomes an input. | The kernel takes the line back. Raspberry Pi kernels keep it driven, asserted if it was asserted (without `strict_gpiod`); the guardian claims and releases it. |
//! | `socket` | Connects (at most 2 s), sends `reset release` and waits for its `ok`. | Where the line is not known to be released: sends `reset release` and waits at most 500 ms for the answer. Then the connection is closed. | The connection closes and the board's program keeps the line as it was; the guardian connects and sends `reset release`. |
//!
//! Reading order: [`LineConfig`], [`ResetLine`] and [`open()`]; the backends; [`release_all`]; [`BoardLock`]; [`Guardian`].

mod config;
mod error;
mod gpiocdev;
mod guardian;
mod lock;
mod open;
mod pause;
mod pin;
mod release;
mod rppal;
mod socket;
mod state_dir;

pub use config::{Active, Backend, Bias, Drive, GpioLine, LineConfig};
pub use error::LineError;
pub use guardian::{Guardian, GuardianError, guardian_main};
pub use lock::{BoardLock, LockError, LockInfo};
pub use open::{drive_within, open};
pub use release::{release, release_all};
pub use state_dir::state_dir;

use std::os::fd::BorrowedFd;

use crate::seam::LineState;

/// How far a drive has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Carried out.
    Done,
    /// Begun: [`ResetLine::fd`] becomes readable when there is more to do for [`ResetLine::proceed`].
    Pending,
}

/// A reset line. What happens at claim, at drop and when the process is killed is the first paragraph of each backend's docs and the
/// table of [the module](self).
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
    fn proceed(&mut self) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }

    /// What to poll for reading while a drive is pending; `None`, as by default, for backends whose drives are done at once.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The backend in a few words, for messages: `socket /run/evkit.ctl`.
    fn describe(&self) -> String;
}
