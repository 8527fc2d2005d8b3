//! Device models: what stands at the other end of a link.
//!
//! A model has no clock, no I/O and only its seed's randomness, so that the same input at the same times gives the same output to the
//! byte. Links (simulated time, a PTY) carry a model; no link knows which model it carries. The one model today is
//! [`evkit`], the virtual EVKIT.

pub mod evkit;

use std::time::Duration;

use crate::baud::Baud;
use crate::seam::{Direction, LineId, LineInfo, LineState, Mark};
use crate::time::MonoTime;

/// What reaches a device at one moment.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Nothing but time.
    Time,
    /// Bytes that began to leave the host at this moment, one character behind the other, behind what is still on the wire.
    Bytes {
        /// The bytes.
        bytes: &'a [u8],
        /// The speed at which the host's port sends them.
        host_speed: Baud,
    },
    /// The host's port now has this speed (for what the device sends from here on).
    HostSpeed(Baud),
    /// The host holds its transmit line low from now on, as a break without an end, or no longer does.
    HostTransmitHeld(bool),
    /// The host drove a line. Of [`LineId::POWER`], asserted is on.
    Line {
        /// Which.
        line: LineId,
        /// To what.
        state: LineState,
    },
}

/// What a device gave the host, ready to be read at the moment of the call that filled it.
#[derive(Debug, Default)]
pub struct Output {
    /// Bytes as the host's port samples them, never earlier than the wire would have finished them.
    pub bytes: Vec<u8>,
    /// Those among them that a real port would mark. Links that cannot carry marks drop them.
    pub marks: Vec<Mark>,
    /// Edges of the lines that the device drives, in the order of their times.
    pub edges: Vec<OutputEdge>,
    /// What happened to the host's port itself, in the order of its times: what is in `bytes` came before.
    pub port: Vec<PortEvent>,
}

/// Something happened to the host's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortEvent {
    /// When: not after the moment of the call that told it.
    pub at: MonoTime,
    /// What.
    pub change: PortChange,
}

/// What can happen to the host's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChange {
    /// It vanishes, as an adapter that is pulled.
    Gone,
    /// It comes back under its name. A host that had it open must open it anew.
    Back,
    /// It comes back under another name.
    BackElsewhere,
}

/// The device drove a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputEdge {
    /// Which.
    pub line: LineId,
    /// To what.
    pub state: LineState,
    /// When: not after the moment of the call that told it.
    pub at: MonoTime,
}

/// A line of a device, as its host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLine {
    /// Its number in [`Input::Line`] and [`OutputEdge`].
    pub id: LineId,
    /// Its name, for the host and for the control socket.
    pub name: &'static str,
    /// Whether the host drives it or the device.
    pub direction: Direction,
}

impl ModelLine {
    /// The reset line, which every device has.
    pub const RESET: Self = Self { id: LineId::RESET, name: "reset", direction: Direction::Out };

    /// The line as a seam has it.
    #[must_use]
    pub fn info(self) -> LineInfo {
        let (unpowered, answer_within) = (LineState::Released, Duration::ZERO);
        LineInfo { id: self.id, name: self.name.to_owned(), direction: self.direction, unpowered, answer_within }
    }
}

impl Output {
    /// Empties it, keeping its room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
        self.edges.clear();
        self.port.clear();
    }
}

/// A device on simulated or real time.
pub trait DeviceModel: Send {
    /// Moves the device to `now` (never earlier than the last call's) and hands it `input`, which happens at `now`. What the host can
    /// read by then is appended to `output`. Returns when the device next wants to be called if nothing happens before, `None` for never.
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime>;

    /// The lines that it has beside its UART.
    fn lines(&self) -> &'static [ModelLine] {
        &[ModelLine::RESET]
    }

    /// What a line that the host drives is, where the device (or what is wired to it) has a say in that. `None`, as by default: it is what the host drives.
    fn level(&self, _line: LineId) -> Option<LineState> {
        None
    }
}

/// A device model that takes commands of its own on the control socket, beside those of its lines, `unplug` and `help`, which every link has.
pub trait ControlTarget: DeviceModel {
    /// Carries out a command at `now`: `words` is the line without blanks around it. Returns what is answered behind `ok`, in one line (empty for nothing).
    ///
    /// After a `setup` that succeeded, the link drops what is queued in either direction and tells the model the host's speed again, and what the host does on its lines.
    ///
    /// # Errors
    /// What is answered behind `error`.
    fn command(&mut self, now: MonoTime, words: &str) -> Result<String, String>;

    /// Its commands, each with what it does, for `help`.
    fn help(&self) -> &'static [(&'static str, &'static str)];
}
