//! The seam: how the runner sees a board.
//!
//! Only [`Seam::wait`] blocks. Everything else (send on a stream, set a speed, drive a line, read one back) queues and returns; writes, drains
//! and a backend's answer are completed inside `wait`, which returns what happened. Streams and lines are numbered, so that a
//! tool, a second port or an observed edge needs no new seam. There are two implementations: [`real`] (poll on file descriptors) and [`simulated`] (a device model in the
//! same thread on simulated time).
//!
//! What is queued on one stream, or on one line, happens in the order of queueing; streams and lines do not wait for each other.

pub mod real;
pub mod simulated;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::baud::Baud;
use crate::time::MonoTime;

/// A byte stream of a board, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u8);

impl StreamId {
    /// The board's serial port.
    pub const PORT: Self = Self(0);

    /// The name that the timeline writes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "port",
            _ => "stream",
        }
    }
}

/// A line of a board, by number: [`LineId::RESET`], [`LineId::POWER`], then the named ones in the order of the bench. [`Seam::lines`] has
/// their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u8);

impl LineId {
    /// The reset line. Every board has it.
    pub const RESET: Self = Self(0);
    /// The module's supply. Asserted is on.
    pub const POWER: Self = Self(1);
    /// The first of the named lines.
    pub const FIRST_NAMED: Self = Self(2);
}

/// Whose a line is to drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// We drive it.
    Out,
    /// The board drives it, and we see its edges.
    In,
}

/// A line that a board has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineInfo {
    /// Its number.
    pub id: LineId,
    /// The name that files use and the timeline writes.
    pub name: String,
    /// Who drives it.
    pub direction: Direction,
    /// The state in which no current flows through it into a module without a supply.
    pub unpowered: LineState,
    /// How long a drive of it may take.
    pub answer_within: Duration,
}

/// The state of a line. Never high or low: polarity is the backend's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineState {
    /// The line does what it is named for: a reset line holds the board in reset.
    Asserted,
    /// The line is let go: the board runs.
    Released,
}

/// What a link can carry. A step that needs what its board's link lacks is skipped with that reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Bytes with a framing error arrive marked.
    pub framing_marks: bool,
    /// A break can be sent and is seen.
    pub break_signal: bool,
    /// DTR, RTS, CTS exist.
    pub modem_lines: bool,
    /// Edges are observed by the kernel, with its time stamp.
    pub observed_edges: bool,
}

/// What was wrong with a byte, or in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    /// The byte's stop bit was not there (or its parity was wrong).
    Framing,
    /// A break: the line was low for longer than a character. The byte in its place is NUL.
    Break,
}

/// A marked byte among those of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Index of the byte in that read.
    pub offset: usize,
    /// What was wrong.
    pub kind: MarkKind,
}

/// Names one queued operation in the [`Happening`] that completes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What [`Seam::wait`] returns.
#[derive(Debug)]
pub enum Happening<'a> {
    /// Bytes came on a stream.
    Bytes {
        /// The stream.
        stream: StreamId,
        /// When the read that brought them ended.
        at: MonoTime,
        /// When this stream was last seen empty: the bytes came after this and not after `at`.
        since: MonoTime,
        /// The bytes, never none.
        bytes: &'a [u8],
        /// Those among them that were marked, in order.
        marks: &'a [Mark],
    },
    /// A queued send was written in full (not: has left the wire).
    Sent {
        /// The stream.
        stream: StreamId,
        /// Which send.
        ticket: Ticket,
        /// When it was to be written, where it was timed.
        planned: Option<MonoTime>,
        /// Entry of the first write call.
        before: MonoTime,
        /// Return of the last write call.
        after: MonoTime,
        /// What was written.
        bytes: &'a [u8],
    },
    /// A queued speed change was carried out, after what was queued before it had left the wire.
    SpeedSet {
        /// The stream.
        stream: StreamId,
        /// Which change.
        ticket: Ticket,
        /// The speed that was asked for.
        requested: Baud,
        /// The speed that the port reports.
        actual: Baud,
        /// Entry of the call.
        before: MonoTime,
        /// Return of the call.
        after: MonoTime,
    },
    /// The backend of a line has asked a person to drive it, and waits for the answer; [`Happening::Driven`] comes with that.
    Asked {
        /// The line.
        line: LineId,
        /// Which drive.
        ticket: Ticket,
        /// What the person is to do, in words.
        question: String,
        /// When it was asked.
        at: MonoTime,
    },
    /// A queued drive of a line was carried out by its backend.
    Driven {
        /// The line.
        line: LineId,
        /// Which drive.
        ticket: Ticket,
        /// What it was driven to.
        state: LineState,
        /// When it was to be driven, where it was timed.
        planned: Option<MonoTime>,
        /// Entry of the backend's call.
        before: MonoTime,
        /// When the backend said that it is done.
        after: MonoTime,
    },
    /// A queued reading of a line was carried out by its backend, or was given up.
    Level {
        /// The line.
        line: LineId,
        /// Which reading.
        ticket: Ticket,
        /// What the line is, whoever makes it so; `None` where its backend cannot tell.
        state: Option<LineState>,
        /// When it was read.
        at: MonoTime,
        /// What its backend said, or that it said nothing, where it failed.
        refused: Option<String>,
    },
    /// What holds a stream's transmit line low was switched, after what was queued before it had left the wire.
    TransmitHeld {
        /// The stream.
        stream: StreamId,
        /// Which switch.
        ticket: Ticket,
        /// Whether it is low from now on.
        held: bool,
        /// Entry of the call.
        before: MonoTime,
        /// Return of the call.
        after: MonoTime,
        /// What the port said, where it does not do so.
        refused: Option<String>,
    },
    /// The board drove a line.
    Edge {
        /// The line.
        line: LineId,
        /// What it is now.
        state: LineState,
        /// When, as the kernel (or the program at the other end) stamped it: earlier than it was noticed.
        at: MonoTime,
    },
    /// A stream is gone: unplugged, hung up, or closed at its other end. Nothing more comes on it.
    Gone {
        /// The stream.
        stream: StreamId,
        /// When it was noticed.
        at: MonoTime,
        /// What the system said.
        reason: String,
    },
    /// Somebody asked this run to end (INT, TERM or HUP). Returned once.
    Interrupted {
        /// When it was noticed.
        at: MonoTime,
    },
    /// The time given to `wait` has come, and every stream was seen empty after it.
    Deadline {
        /// The present.
        at: MonoTime,
    },
}

/// A fault of the rig that `wait` met. The board is given up.
#[derive(Debug, thiserror::Error)]
pub enum SeamError {
    /// A system call on a stream failed.
    #[error("{call} on {stream} failed: {source}")]
    Stream {
        /// The stream's name.
        stream: &'static str,
        /// The system call.
        call: &'static str,
        /// What it said.
        source: std::io::Error,
    },
    /// A write made no progress in the time that it was given.
    #[error("{stream} took none of {left} bytes for {waited:?}: flow control, or nobody reads at the other end")]
    WriteStuck {
        /// The stream's name.
        stream: &'static str,
        /// Bytes not yet written.
        left: usize,
        /// How long it made no progress.
        waited: Duration,
    },
    /// The port did not take a speed.
    #[error("{stream} was asked for {requested} baud and reports {actual}")]
    Speed {
        /// The stream's name.
        stream: &'static str,
        /// Asked for.
        requested: Baud,
        /// Reported.
        actual: Baud,
    },
    /// A line's backend failed.
    #[error("the {line} line could not be {what}: {source}")]
    Line {
        /// The line's name.
        line: String,
        /// `asserted`, `released`, `switched on`, `switched off` or `watched`.
        what: &'static str,
        /// What its backend said.
        source: crate::line::LineError,
    },
    /// The kernel had no room for some edges of a line: what the board did then is not known.
    #[error("{count} edges of the {line} line were lost: it changes faster than this computer reads")]
    LostEdges {
        /// The line's name.
        line: String,
        /// How many.
        count: u32,
    },
    /// A blocking call of the system failed.
    #[error("{call} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// What it said.
        source: std::io::Error,
    },
}

/// How the runner sees a board. See the module for the rules.
pub trait Seam {
    /// The present on this seam's clock.
    fn now(&self) -> MonoTime;

    /// What the link can carry.
    fn capabilities(&self) -> Capabilities;

    /// The lines that the board has.
    fn lines(&self) -> &[LineInfo];

    /// Queues bytes for a stream, to be written at `at` (or at once). Completed by [`Happening::Sent`].
    fn send(&mut self, stream: StreamId, bytes: &[u8], at: Option<MonoTime>) -> Ticket;

    /// Queues a speed change: what was queued before it on this stream is first written and drained (the kernel's queue is empty
    /// and the computed wire time has passed). Completed by [`Happening::SpeedSet`].
    fn set_speed(&mut self, stream: StreamId, speed: Baud) -> Ticket;

    /// Queues that a stream's transmit line is held low (a break without an end), or no longer is: a line that idles high feeds a module without a supply. What was
    /// queued before it on this stream is first written and drained. Completed by [`Happening::TransmitHeld`], also where the port cannot do it.
    fn hold_transmit(&mut self, stream: StreamId, held: bool) -> Ticket;

    /// Queues a drive of a line, at `at` (or at once). **Asserting the reset line resets the board**, releasing the power line switches it off. Completed by
    /// [`Happening::Driven`].
    fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Ticket;

    /// Queues that a line which we drive is read back: what it is, whoever makes it so. Nothing is driven. Completed by [`Happening::Level`], also where the line's backend cannot tell or does not
    /// answer. It says something of others only while the line is let go, and for that long enough to have risen.
    fn read_back(&mut self, line: LineId) -> Ticket;

    /// Forgets a send that has not begun; one that has, or is done, goes on as though nobody had asked.
    fn withdraw_send(&mut self, ticket: Ticket);

    /// Forgets everything queued that has not begun. A send that is half written is forgotten in its rest, and a question to a person is withdrawn. Called when a
    /// step failed or the run was interrupted, before `finally`.
    fn forget_queued(&mut self);

    /// Carries out what is queued and returns the next thing that happened, or [`Happening::Deadline`] once `until` has come and
    /// every stream was seen empty after it. The only call that blocks.
    ///
    /// # Errors
    /// [`SeamError`] for a fault of the rig.
    fn wait(&mut self, until: MonoTime) -> Result<Happening<'_>, SeamError>;
}
