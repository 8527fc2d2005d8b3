//! Calls on a terminal that take `unsafe`: handing its descriptor to `serialport`, asking whether somebody has it to himself, its modem lines.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use serialport::TTYPort;

/// Hands an open terminal to `serialport`, which from then on owns the descriptor. It sets `TIOCEXCL` and takes the advisory lock (again),
/// and changes nothing else: no modes, no modem lines.
///
/// Its own way to open is not taken, because a second opener that it refuses clears the *first* one's `TIOCEXCL` on the way out.
#[expect(unsafe_code, reason = "serialport takes over a descriptor only through FromRawFd")]
pub(crate) fn adopt(terminal: OwnedFd) -> TTYPort {
    // SAFETY: `into_raw_fd` gives up the only owner of an open descriptor, so the port becomes its only owner.
    unsafe { TTYPort::from_raw_fd(terminal.into_raw_fd()) }
}

/// Whether somebody has asked for this terminal to be exclusive (`TIOCGEXCL`). The superuser can open it all the same, so opening proves nothing.
#[expect(unsafe_code, reason = "no safe crate has TIOCGEXCL")]
pub(crate) fn is_exclusive(terminal: BorrowedFd<'_>) -> io::Result<bool> {
    let mut exclusive: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as it is borrowed, and TIOCGEXCL writes one int to the address given.
    let answer = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGEXCL, &raw mut exclusive) };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(exclusive != 0) }
}

/// The descriptor of a port of `serialport`, for as long as the port is borrowed.
#[expect(unsafe_code, reason = "serialport shows its descriptor only as a number")]
pub(crate) fn borrow(port: &TTYPort) -> BorrowedFd<'_> {
    // SAFETY: the port owns the descriptor, keeps it open until it is dropped, and cannot be dropped while it is borrowed.
    unsafe { BorrowedFd::borrow_raw(port.as_raw_fd()) }
}

/// Outputs of a serial port beside its data, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModemLines(libc::c_int);

impl ModemLines {
    /// Data terminal ready.
    pub(crate) const DTR: Self = Self(libc::TIOCM_DTR);
    /// Request to send.
    pub(crate) const RTS: Self = Self(libc::TIOCM_RTS);

    /// Whether all of `other` are among these.
    #[cfg(test)]
    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Raises (`TIOCMBIS`) or lowers (`TIOCMBIC`) modem lines of a port, and leaves the others as they are.
#[expect(unsafe_code, reason = "no safe crate has TIOCMBIS and TIOCMBIC for a descriptor that is not its own")]
pub(crate) fn set_modem_lines(terminal: BorrowedFd<'_>, lines: ModemLines, raised: bool) -> io::Result<()> {
    let request = if raised { libc::TIOCMBIS } else { libc::TIOCMBIC };
    // SAFETY: the descriptor is open for as long as it is borrowed, and both calls read one int from the address given.
    let answer = unsafe { libc::ioctl(terminal.as_raw_fd(), request, &raw const lines.0) };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The modem lines of a port that are raised (`TIOCMGET`).
#[cfg(test)]
#[expect(unsafe_code, reason = "no safe crate has TIOCMGET for a descriptor that is not its own")]
pub(crate) fn modem_lines(terminal: BorrowedFd<'_>) -> io::Result<ModemLines> {
    let mut lines: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as it is borrowed, and TIOCMGET writes one int to the address given.
    let answer = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCMGET, &raw mut lines) };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(ModemLines(lines)) }
}
