//! Device models: what stands at the other end of a link.
//!
//! A model has no clock, no I/O and only its seed's randomness, so that the same input at the same times gives the same output to the
//! byte. Links (simulated time, a PTY) carry a model; no link knows which model it carries. The one model today is
//! [`evkit`], the virtual EVKIT.

pub mod evkit;

use crate::baud::Baud;
use crate::seam::{LineId, LineState, Mark};
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
    /// The host drove a line.
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
}

impl Output {
    /// Empties it, keeping its room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
    }
}

/// A device on simulated or real time.
pub trait DeviceModel: Send {
    /// Moves the device to `now` (never earlier than the last call's) and hands it `input`, which happens at `now`. What the host can
    /// read by then is appended to `output`. Returns when the device next wants to be called if nothing happens before, `None` for never.
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime>;
}

/// A device model that takes commands of its own on the control socket, beside `reset assert`, `reset release`, `unplug` and `help`, which every link has.
pub trait ControlTarget: DeviceModel {
    /// Carries out a command at `now`: `words` is the line without blanks around it. Returns what is answered behind `ok`, in one line (empty for nothing).
    ///
    /// After a `setup` that succeeded, the link drops what is queued in either direction and tells the model the host's speed again, and that the reset line is asserted if it is.
    ///
    /// # Errors
    /// What is answered behind `error`.
    fn command(&mut self, now: MonoTime, words: &str) -> Result<String, String>;

    /// Its commands, each with what it does, for `help`.
    fn help(&self) -> &'static [(&'static str, &'static str)];
}
