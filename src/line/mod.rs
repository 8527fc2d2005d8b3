//! Lines of a board: the backends that drive them, the lock that keeps two runs apart, and the guardian that lets go when a run dies.
//!
//! A line is asserted or released. Polarity, drive and bias are the backend's affair and are set in the bench file. [`open()`] claims a
//! line and writes its first state; after that only [`OutputLine::begin`] drives it. The first state is *released*, and of the power line *on*. At drop, and by the guardian when the process is
//! killed, every output is released; **power is left as it is**: switching it on would start a module of which nobody knows why it was off, and switching it off would end whatever it does.
//!
//! | backend | at claim | at drop | when the process is killed |
//! | --- | --- | --- | --- |
//! | `rppal` | The pull is set and the pin let go (open drain), or the pin is driven to the released level (push-pull), in an order that never asserts. The kernel knows of no claim: another program can drive the same pin. | Released, and left so: an input with its pull, or an output at the released level. | The pin stays as it was, asserted if it was asserted, until the guardian releases it. |
//! | `gpiocdev` | The kernel gives the line to us alone, under the name `evkit-hil`, with its first value. A line that is in use is an error that names its holder. | Released (power: not driven), then given back to the kernel. Raspberry Pi kernels keep a push-pull output driven then; with `dtparam=strict_gpiod`, and on most other kernels, it becomes an input. | The kernel takes the line back. Raspberry Pi kernels keep it driven, asserted if it was asserted (without `strict_gpiod`); the guardian claims and releases it. |
//! | `socket` | Connects (at most 2 s), sends `reset release` (`power on`) and waits for its `ok`. | Where the line is not known to be released: sends `reset release` and waits at most 500 ms for the answer. Then the connection is closed. | The connection closes and the board's program keeps the line as it was; the guardian connects and sends `reset release`. |
//! | `modem-line` | The kernel raises DTR and RTS whenever a port is opened that nobody has open, and a board that is wired so is reset by that; then the line is released. Without modem lines: an error. | Released. The closing leaves it so. | The line stays as it was; the guardian opens the port and releases it. |
//! | `command` | Runs the releasing program (power: the one that switches on) and waits for it. | Where the line is not known to be released: runs the releasing program and waits for it. | The line stays as it was; the guardian runs the releasing program. |
//! | `manual` | Opens the terminal, or fails where there is none. Asks nothing. | Where the line is not known to be released: tells the person to let go. | The guardian prints what the person must do. |
//!
//! A line that is let go may be held by others: a push-button, a missing pull-up, another host. [`OutputLine::read_back`] asks what it is: `rppal` and `gpiocdev` read the pin of an open drain,
//! `socket` asks the program at the other end, and of the others nobody can tell.
//!
//! Lines that the board drives ([`InputLine`]) are watched by `gpiocdev` or told by `socket`; nothing is driven, and nothing has to be released.
//!
//! Reading order: [`LineConfig`], [`OutputLine`], [`InputLine`] and [`open()`]; the backends; [`release_all`]; [`BoardLock`] and [`Reservation`]; [`Guardian`].

mod command;
mod config;
mod error;
mod gpiocdev;
mod gpiocdev_input;
mod guardian;
mod lock;
mod look;
mod manual;
mod modem_line;
mod open;
mod pause;
mod pin;
mod release;
mod reservation;
mod rppal;
mod socket;
mod socket_input;
mod state_dir;

pub use config::{Active, Backend, Bias, Drive, GpioLine, LineConfig, Role, Signal};
pub use error::LineError;
pub use guardian::{Guardian, GuardianError, guardian_main};
pub use lock::{BoardLock, LockError, LockInfo};
pub(crate) use lock::{make_directory, open_shared};
pub use look::{PinLevels, released_levels, user_of};
pub use open::{drive_within, open, open_input, open_on};
pub use release::{release, release_all};
pub use reservation::Reservation;
pub use state_dir::state_dir;

use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::seam::LineState;
use crate::time::MonoTime;

/// The most lines that a board may have, reset and power included.
pub const MAX_LINES: usize = 10;

/// How long a backend may take to answer a drive, where it does not say otherwise.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long a backend may take to read a line back.
pub const READ_BACK_WITHIN: Duration = Duration::from_millis(500);

/// How far a drive or a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Carried out.
    Done,
    /// Begun: [`OutputLine::fd`] becomes readable when there is more to do for [`OutputLine::proceed`].
    Pending,
}

/// A line that we drive. What happens at claim, at drop and when the process is killed is the first paragraph of each backend's docs and the
/// table of [the module](self).
pub trait OutputLine: Send {
    /// Begins to drive the line. **Asserting the reset line resets the board.** Never blocks.
    ///
    /// # Errors
    /// [`LineError`] when the backend could not.
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError>;

    /// Begins to read the line back, which [`OutputLine::level`] then tells. Nothing is driven. It goes on by [`OutputLine::proceed`], as a drive does, for at most [`READ_BACK_WITHIN`].
    /// Never blocks.
    ///
    /// # Errors
    /// [`LineError`] when the backend could not.
    fn read_back(&mut self) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }

    /// What the line was when it was read back last, whoever makes it so. `None`, as by default, where what can be read tells nothing of others: that of a line which is driven both ways is
    /// what we drive.
    fn level(&self) -> Option<LineState> {
        None
    }

    /// Goes on with a drive or a reading that is [`Progress::Pending`]; called when [`OutputLine::fd`] is readable. Never blocks.
    ///
    /// # Errors
    /// [`LineError`] when the backend could not.
    fn proceed(&mut self) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }

    /// What to poll while a drive or a reading is pending; `None`, as by default, for backends whose drives are done at once.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// How long a drive may be pending.
    fn answer_within(&self) -> Duration {
        ANSWER_WITHIN
    }

    /// Gives up a drive that has been pending for longer than [`OutputLine::answer_within`]; what to say of that.
    fn overdue(&mut self) -> LineError {
        LineError::NoAnswer {
            what: self.describe(),
            waited: self.answer_within(),
            hint: "it serves another client, or its program hangs; end the other client, or restart the program",
        }
    }

    /// What a person was asked to do by the drive that is pending; `None`, as by default, where no person is asked. Whoever drives the line shows it.
    fn question(&self) -> Option<&str> {
        None
    }

    /// Takes back a drive that is pending. False, as by default, where that is not possible: it will be answered.
    fn withdraw(&mut self) -> bool {
        false
    }

    /// The backend in a few words, for messages: `socket /run/evkit.ctl`.
    fn describe(&self) -> String;
}

/// An edge of a line that the board drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenEdge {
    /// When, on CLOCK_MONOTONIC, as whoever saw it first stamped it.
    pub at: MonoTime,
    /// What the line is since then.
    pub state: LineState,
}

/// A line that the board drives. It is never driven from here, and so nothing has to be released.
pub trait InputLine: Send {
    /// What to poll for reading: readable when there may be an edge to take.
    fn fd(&self) -> BorrowedFd<'_>;

    /// The next edge; `None` when there is none (yet). Never blocks.
    ///
    /// # Errors
    /// [`LineError::LostEdges`] when there were more edges than there was room for, others when the backend failed.
    fn next_edge(&mut self) -> Result<Option<SeenEdge>, LineError>;
}
