//! An open serial port.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcsetattr};
use serialport::{ClearBuffer, SerialPort, TTYPort};

use super::latency::{Latency, latency};
use super::modes::{self, Marks};
use super::{PortError, PortName, ResolvedPort, WireClock, holder};
use crate::baud::Baud;
use crate::seam::Capabilities;
use crate::sys;
use crate::time::MonoTime;

/// How long a USB adapter may hold a byte that the kernel counts as sent: two frames of 1 ms each.
const ADAPTER_DELAY: Duration = Duration::from_millis(2);

/// An open serial port: raw, 8N1, without flow control, ours alone, never blocking.
///
/// What it does to the board: opening a port that nobody else has open raises DTR and RTS (the kernel does that and offers no way around it); a board that is wired to one of them notices if
/// it was low. Nothing else here moves them, and closing leaves them as they are (`HUPCL` is cleared and stays so), so that the next opening finds them up and pulses
/// nothing. Input that came before the opening is thrown away.
///
/// Exclusive: an advisory lock (`flock`), which stops other runs whoever runs them, and `TIOCEXCL`, which stops every program but the superuser's. On a PTY only
/// the lock: there `TIOCEXCL` outlives a program that was killed, for as long as the other end is open. The port cannot be cloned, as dropping a clone would clear `TIOCEXCL`.
///
/// At drop (and [`Port::close`]) the modes and the speed are put back as they were found, `HUPCL` and a real port's `ECHO` excepted, and a transmit line that is held low is let go. Output that has not left the wire by then is thrown
/// away, because it would leave at the wrong speed; on a PTY it is kept. A killed process leaves the modes as they are; its locks are gone.
#[derive(Debug)]
pub struct Port {
    tty: TTYPort,
    resolved: ResolvedPort,
    left: Termios,
    is_put_back: bool,
    /// The transmit line is held low.
    is_held: bool,
    is_pty: bool,
    marks: Marks,
    capabilities: Capabilities,
    wire: WireClock,
    cleared_at: MonoTime,
}

impl Port {
    /// Opens a port at a speed. See [`Port`] for what that does to the board.
    ///
    /// # Errors
    /// [`PortError`], one kind for each thing that can be wrong; its `hint` says what to do.
    pub fn open(name: &PortName, speed: Baud) -> Result<Self, PortError> {
        Self::open_resolved(name.resolve()?, speed)
    }

    /// The same for a port whose device was found already.
    ///
    /// # Errors
    /// As [`Port::open`].
    pub fn open_resolved(resolved: ResolvedPort, speed: Baud) -> Result<Self, PortError> {
        let is_pty = is_pty(&resolved.device);
        Self::open_with(resolved, speed, is_pty, if is_pty { Marks::NotCarried } else { Marks::Kept })
    }

    /// How much later than the wire a read of it may see a byte, at the speed that it has now.
    #[must_use]
    pub fn latency(&self) -> Latency {
        latency(Path::new("/sys"), &self.resolved.device, self.is_pty, self.wire.speed())
    }

    /// Opens a PTY with the modes of a real port, so that its kernel doubles FF.
    #[cfg(test)]
    pub(crate) fn open_marked(device: &Path) -> Self {
        let resolved = ResolvedPort { name: PortName::Path(device.into()), device: device.into() };
        Self::open_with(resolved, Baud::DEFAULT, true, Marks::Kept).unwrap()
    }

    fn open_with(resolved: ResolvedPort, speed: Baud, is_pty: bool, marks: Marks) -> Result<Self, PortError> {
        let busy = || PortError::Busy { port: resolved.to_string(), holder: holder::find(&resolved.device) };
        let failed = |call| {
            let port = resolved.to_string();
            move |source: Errno| PortError::System { call, port, source: source.into() }
        };

        // O_NONBLOCK here, because without it the opening waits for a carrier; and it stays.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(&resolved.device, flags, Mode::empty()).map_err(|source| match source {
            Errno::NOENT => PortError::missing(resolved.name.clone(), super::KnownPort::all()),
            Errno::BUSY => busy(),
            Errno::ACCESS | Errno::PERM => PortError::no_permission(resolved.to_string(), &resolved.device, source.into()),
            Errno::ISDIR | Errno::NOTTY => PortError::NotATerminal { port: resolved.to_string() },
            source => failed("open")(source),
        })?;
        let found = rustix::termios::tcgetattr(&terminal).map_err(|source| match source {
            Errno::NOTTY => PortError::NotATerminal { port: resolved.to_string() },
            source => failed("tcgetattr")(source),
        })?;
        rustix::fs::flock(&terminal, FlockOperation::NonBlockingLockExclusive).map_err(|source| match source {
            Errno::WOULDBLOCK => busy(),
            source => failed("flock")(source),
        })?;
        // The superuser is let in although somebody else holds the terminal without the lock.
        if sys::is_exclusive(terminal.as_fd()).map_err(|source| PortError::System {
            call: "TIOCGEXCL",
            port: resolved.to_string(),
            source,
        })? {
            return Err(busy());
        }
        let mut tty = sys::adopt(terminal);
        let mut port = Self {
            capabilities: Capabilities {
                framing_marks: !is_pty,
                break_signal: !is_pty,
                modem_lines: !is_pty && tty.read_clear_to_send().is_ok(),
                observed_edges: false,
            },
            wire: WireClock::new(speed, if is_pty { Duration::ZERO } else { ADAPTER_DELAY }),
            cleared_at: MonoTime::ZERO,
            is_put_back: false,
            is_held: false,
            is_pty,
            tty,
            resolved,
            left: modes::to_leave(&found, is_pty),
            marks,
        };
        port.set_up(speed)?;
        Ok(port)
    }

    /// Makes the terminal what this program needs. What fails here is undone by the drop.
    fn set_up(&mut self, speed: Baud) -> Result<(), PortError> {
        if self.is_pty {
            rustix::termios::ioctl_tiocnxcl(self.as_fd()).map_err(|source| self.system("TIOCNXCL", source.into()))?;
        }
        let set = modes::set_raw(self.as_fd(), self.marks).map_err(|source| self.system("tcsetattr", source.into()))?;
        if !modes::are_decided(&set, self.marks) {
            let expected = self.marks.input_modes().bits();
            return Err(PortError::Modes { port: self.resolved.to_string(), expected, reported: set.input_modes.bits() });
        }
        let actual = self.set_speed(speed).map_err(|source| self.system("setting the speed", source))?;
        if !is_close(speed, actual) {
            return Err(PortError::Speed { port: self.resolved.to_string(), requested: speed, actual });
        }
        // With what came, what the kernel echoed before the terminal was raw. On a PTY that would take from the other end what was sent before.
        let stale = if self.is_pty { ClearBuffer::Input } else { ClearBuffer::All };
        // From a moment within this call on, what is read came later.
        self.cleared_at = MonoTime::now();
        self.tty.clear(stale).map_err(|source| self.system("tcflush", source.into()))
    }

    /// The port's name and device, for messages.
    #[must_use]
    pub const fn resolved(&self) -> &ResolvedPort {
        &self.resolved
    }

    /// What the port can carry. A PTY has no framing marks, no break and no modem lines. A real port has marks and break (some adapters carry no break; that
    /// shows when one is sent) and modem lines if it answers `TIOCMGET`.
    #[must_use]
    pub const fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether the port is a pseudo-terminal.
    #[must_use]
    pub const fn is_pty(&self) -> bool {
        self.is_pty
    }

    /// Whether what is read needs a [`super::MarkDecoder`].
    #[must_use]
    pub const fn is_marked(&self) -> bool {
        matches!(self.marks, Marks::Kept)
    }

    /// When the input was last known to be empty at the opening: what is read came after it.
    #[must_use]
    pub const fn cleared_at(&self) -> MonoTime {
        self.cleared_at
    }

    /// Reads what there is, marks undecoded. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing. 0 bytes, `EIO`, `ENODEV` or `ENXIO` when the port is gone; bytes that the kernel still has come first.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(self, &mut *buffer))?)
    }

    /// Writes what the kernel takes now, and counts it as on the wire. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` when the kernel's queue is full; `EIO` and the like when the port is gone.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = rustix::io::retry_on_intr(|| rustix::io::write(&*self, bytes))?;
        self.wire.wrote(taken, MonoTime::now());
        Ok(taken)
    }

    /// When everything written has left the wire by computation. Drained means that this moment has passed **and** [`Port::queued`] is 0.
    #[must_use]
    pub fn wire_free_at(&self) -> MonoTime {
        self.wire.free_at()
    }

    /// Bytes that the kernel has not yet handed to the hardware (`TIOCOUTQ`). A PTY always says 0.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn queued(&self) -> io::Result<u32> {
        Ok(self.tty.bytes_to_write()?)
    }

    /// Sets the speed at once, both ways, and returns what the port then reports. Bytes that have not left yet leave at the new speed: drain first.
    /// Sets the marks' modes again if they were lost.
    ///
    /// # Errors
    /// Those of the system calls. A speed that is far from the one asked for is no error here: see [`is_close`].
    pub fn set_speed(&mut self, speed: Baud) -> io::Result<Baud> {
        self.tty.set_baud_rate(speed.bits_per_second())?;
        let modes = modes::keep_input(self.as_fd(), self.marks)?;
        self.wire.set_speed(speed);
        // A driver that cannot make both directions equal reports them apart: the worse one counts.
        let reported = [modes.output_speed(), modes.input_speed()];
        let worse = reported.into_iter().max_by_key(|reported| reported.abs_diff(speed.bits_per_second())).and_then(Baud::new);
        worse.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the port reports a speed of 0: it is hung up"))
    }

    /// Holds the transmit line low from now on, as a break without an end, or lets it go to idle. Bytes that have not left yet are lost: drain first.
    ///
    /// # Errors
    /// Those of the system call (the second port of a CP2105 knows no break; kernels before 6.6 do not say so), and on a PTY, which takes the call and carries
    /// nothing, that.
    pub fn hold_transmit(&mut self, held: bool) -> io::Result<()> {
        if self.is_pty {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a pseudo-terminal has no transmit line"));
        }
        let switched = if held { self.tty.set_break() } else { self.tty.clear_break() };
        switched?;
        self.is_held = held;
        Ok(())
    }

    /// A second descriptor of this open port, for its modem lines. Closing it changes nothing on the port.
    ///
    /// # Errors
    /// Those of the system call.
    pub(crate) fn second_descriptor(&self) -> io::Result<OwnedFd> {
        self.as_fd().try_clone_to_owned()
    }

    /// Puts the modes and the speed back and closes, saying what went wrong. Dropping does the same in silence.
    ///
    /// # Errors
    /// [`PortError::System`] when the modes could not be put back, for example because the adapter was pulled.
    pub fn close(mut self) -> Result<(), PortError> {
        self.put_back().map_err(|(call, source)| self.system(call, source))
    }

    fn put_back(&mut self) -> Result<(), (&'static str, io::Error)> {
        if std::mem::replace(&mut self.is_put_back, true) {
            return Ok(());
        }
        if self.is_held {
            self.tty.clear_break().map_err(|source| ("TIOCCBRK", source.into()))?;
        }
        // Otherwise the closing waits for it, up to 30 s if the wire is held.
        if !self.is_pty && MonoTime::now() < self.wire.free_at() {
            self.tty.clear(ClearBuffer::Output).map_err(|source| ("tcflush", source.into()))?;
        }
        tcsetattr(self.as_fd(), OptionalActions::Now, &self.left).map_err(|source| ("tcsetattr", source.into()))
    }

    fn system(&self, call: &'static str, source: io::Error) -> PortError {
        PortError::System { call, port: self.resolved.to_string(), source }
    }
}

impl AsFd for Port {
    /// For polling. Reads and writes past [`Port::read`] and [`Port::write`] upset what it knows of the wire.
    fn as_fd(&self) -> BorrowedFd<'_> {
        sys::borrow(&self.tty)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Who wants to know what went wrong calls `close`.
        let _ = self.put_back();
    }
}

/// Whether a device is the slave end of a PTY, by its number (Linux devices.txt: 136 to 143, and 3 for the old BSD ones).
fn is_pty(device: &Path) -> bool {
    std::fs::metadata(device).is_ok_and(|device| matches!(rustix::fs::major(device.rdev()), 3 | 136..=143))
}

/// Whether a receiver at `requested` understands `actual`: at most 2 % apart.
#[must_use]
pub fn is_close(requested: Baud, actual: Baud) -> bool {
    let (requested, actual) = (u64::from(requested.bits_per_second()), u64::from(actual.bits_per_second()));
    requested.abs_diff(actual) * 50 <= requested
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rustix::pty::OpenptFlags;
    use rustix::termios::{InputModes, tcgetattr};

    use super::*;

    fn baud(n: u32) -> Baud {
        Baud::new(n).unwrap()
    }

    fn pty() -> (OwnedFd, PathBuf) {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        (master, name.into())
    }

    #[test]
    fn two_percent_is_close() {
        assert!(is_close(baud(115_200), baud(115_200)));
        assert!(is_close(baud(460_800), baud(461_538)), "what a 48 MHz clock makes of it");
        assert!(is_close(baud(1000), baud(980)) && is_close(baud(1000), baud(1020)));
        assert!(!is_close(baud(1000), baud(979)) && !is_close(baud(1000), baud(1021)));
        assert!(!is_close(baud(u32::MAX), baud(1)));
    }

    #[test]
    fn marks_are_asked_for_and_a_speed_change_brings_them_back() {
        let (master, device) = pty();
        let mut port = Port::open_marked(&device);
        let kept = InputModes::INPCK | InputModes::PARMRK;
        assert_eq!(tcgetattr(&master).unwrap().input_modes, kept);
        let mut lost = tcgetattr(&master).unwrap();
        lost.input_modes = InputModes::IGNPAR;
        tcsetattr(&master, OptionalActions::Now, &lost).unwrap();
        assert_eq!(port.set_speed(baud(460_800)).unwrap(), baud(460_800));
        assert_eq!(tcgetattr(&master).unwrap().input_modes, kept);
    }

    #[test]
    fn what_was_written_occupies_the_wire() {
        let (_master, device) = pty();
        let mut port = Port::open_marked(&device);
        assert_eq!(port.wire_free_at(), MonoTime::ZERO);
        let before = MonoTime::now();
        assert_eq!(port.write(b"0123456789").unwrap(), 10);
        assert!(port.wire_free_at() >= before + Baud::DEFAULT.wire_time(10));
        assert_eq!(port.queued().unwrap(), 0, "a PTY says empty at once");
    }
}
