//! What goes over the port: bytes, and the speed that they go at.

use std::time::Duration;

use super::conductor::{Conductor, Pumped, seam_failed};
use super::stop::{Finding, Stop};
use crate::baud::Baud;
use crate::seam::{SeamError, StreamId, Ticket};
use crate::time::MonoTime;

impl Conductor<'_> {
    /// Sends bytes and returns once they are written. The cursor moves to their sending: what came earlier is never an answer to them.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn command(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.send(bytes, None)
    }

    /// Takes back a send that was queued and has not begun.
    pub fn withdraw_send(&mut self, ticket: Ticket) {
        self.seam.withdraw_send(ticket);
    }

    /// Sends bytes at `at` (or at once), as [`Conductor::command`].
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn send(&mut self, bytes: &[u8], at: Option<MonoTime>) -> Result<(), Stop> {
        let from = at.unwrap_or_else(|| self.now());
        let ticket = self.seam.send(StreamId::PORT, bytes, at);
        // What came before the write was begun came before the command.
        let already = self.complete(Pumped::Sent(ticket), at, Duration::ZERO)?;
        self.move_cursor(already, from);
        Ok(())
    }

    /// Queues bytes for `at` (or at once) and returns without waiting; [`Conductor::pump`] returns the ticket. The cursor stays.
    pub fn queue_send(&mut self, bytes: &[u8], at: Option<MonoTime>) -> Ticket {
        self.seam.send(StreamId::PORT, bytes, at)
    }

    /// Sets the host's speed, after what was sent has left the wire.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn set_speed(&mut self, speed: Baud) -> Result<(), Stop> {
        let ticket = self.seam.set_speed(StreamId::PORT, speed);
        self.complete(Pumped::SpeedSet(ticket), None, Duration::ZERO).map(drop)
    }

    /// Speeds that the port was seen to make before this case.
    pub fn set_speeds_made(&mut self, speeds: Vec<Baud>) {
        self.speeds = speeds;
    }

    /// Speeds that the port was seen to make, in this case or before.
    #[must_use]
    pub fn speeds_made(&self) -> Vec<Baud> {
        self.speeds.clone()
    }

    /// Tries whether the port can make a speed that the module is to be set to, and comes back: a module at a speed that the port cannot make is lost to it. Once a speed; what
    /// comes in between comes garbled.
    ///
    /// # Errors
    /// [`Stop::Rig`] when the port reports another speed, more than 2 % off; else as [`Conductor::pump`].
    pub fn try_speed(&mut self, speed: Baud) -> Result<(), Stop> {
        if self.speed == speed || self.speeds.contains(&speed) {
            return Ok(());
        }
        self.note(format!("the port is tried at {speed} baud, before the module is set to that"))?;
        let back = self.speed;
        self.trying = true;
        let made = self.set_speed(speed);
        self.trying = false;
        if !matches!(made, Err(Stop::GivenUp(_))) {
            self.set_speed(back)?;
        }
        made?;
        self.speeds.push(speed);
        Ok(())
    }

    /// Sets the host's speed where the port can make it, and says whether it could; else it stays at the one before.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub(super) fn take_speed(&mut self, speed: Baud) -> Result<bool, Stop> {
        let back = self.speed;
        self.trying = true;
        let made = self.set_speed(speed);
        self.trying = false;
        match made {
            Err(Stop::Rig(_)) => self.set_speed(back).map(|()| false),
            made => made.map(|()| true),
        }
    }

    /// When everything that was written has left the wire.
    #[must_use]
    pub fn wire_free(&self) -> MonoTime {
        self.wire_free.max(self.seam.now())
    }
}

/// While the port is only tried, a speed that it cannot make is a fault of the rig, and the board can go on.
pub(super) fn speed_not_made(error: SeamError) -> Stop {
    let SeamError::Speed { requested, actual, .. } = error else { return seam_failed(error) };
    let off = f64::from(actual.bits_per_second().abs_diff(requested.bits_per_second())) * 100.0 / f64::from(requested.bits_per_second());
    Stop::Rig(Finding::new(
        format!("the port cannot make {requested} baud, to which the module is to be set"),
        format!("the port to report {requested} baud, or at most 2 % off, before AT+IPR={requested} is sent"),
        format!("it reports {actual} baud, {off:.1} % off; choose another speed, or another adapter. Nothing was sent"),
        Vec::new(),
    ))
}
