//! The seam: how the runner sees a board.
//!
//! Only [`Seam::wait`] blocks. Everything else (send on a stream, set a speed, drive a line) queues and returns; writes, drains
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

/// A line of a board, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u8);

impl LineId {
    /// The reset line.
    pub const RESET: Self = Self(0);

    /// The name that the timeline writes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "reset",
            _ => "line",
        }
    }
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
        line: &'static str,
        /// `asserted` or `released`.
        what: &'static str,
        /// What its backend said.
        source: crate::line::LineError,
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

    /// Queues bytes for a stream, to be written at `at` (or at once). Completed by [`Happening::Sent`].
    fn send(&mut self, stream: StreamId, bytes: &[u8], at: Option<MonoTime>) -> Ticket;

    /// Queues a speed change: what was queued before it on this stream is first written and drained (the kernel's queue is empty
    /// and the computed wire time has passed). Completed by [`Happening::SpeedSet`].
    fn set_speed(&mut self, stream: StreamId, speed: Baud) -> Ticket;

    /// Queues a drive of a line, at `at` (or at once). **Asserting the reset line resets the board.** Completed by
    /// [`Happening::Driven`].
    fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Ticket;

    /// Forgets everything queued that has not begun. A send that is half written is forgotten in its rest. Called when a
    /// step failed or the run was interrupted, before `finally`.
    fn forget_queued(&mut self);

    /// Carries out what is queued and returns the next thing that happened, or [`Happening::Deadline`] once `until` has come and
    /// every stream was seen empty after it. The only call that blocks.
    ///
    /// # Errors
    /// [`SeamError`] for a fault of the rig.
    fn wait(&mut self, until: MonoTime) -> Result<Happening<'_>, SeamError>;
}
