//! The host's end of a link, as the carrier sees it.

use rustix::event::PollFd;

use super::error::LinkError;
use crate::baud::Baud;
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// The port that a host has open, and what else of the host is known.
pub(super) trait HostEnd: Send {
    /// Adds what to poll.
    fn poll<'a>(&'a self, fds: &mut Vec<PollFd<'a>>);

    /// When it must be looked at although nothing can be polled; `None` for never.
    fn look_at(&self) -> Option<MonoTime> {
        None
    }

    /// Reads once what the host has written: how many bytes came into `buffer`, 0 when there are none.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError>;

    /// The host's speed, as it was when `read` was called last or later.
    fn speed(&mut self) -> Result<Baud, LinkError>;

    /// What the host has done to a line since this was last asked; the oldest first, `None` when that is all. Nothing where lines are driven by the control socket alone.
    fn driven(&mut self) -> Option<(LineId, LineState)> {
        None
    }

    /// Writes what the host is to read: `bytes` behind what waits already.
    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError>;

    /// Drops what is queued in either direction, as far as that is possible.
    fn discard(&mut self);
}

/// Where an end is opened, and opened anew once it was unplugged or had vanished.
pub(super) trait Place: Send {
    /// Opens it there.
    fn open(&self) -> Result<Box<dyn HostEnd>, LinkError>;

    /// Opens it under another name.
    fn open_elsewhere(&self) -> Result<Box<dyn HostEnd>, LinkError>;
}
