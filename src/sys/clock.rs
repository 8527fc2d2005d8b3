//! Whether the system's clock is kept right.

use std::io;

/// Whether the kernel counts the clock as synchronized (`adjtimex` without a change).
#[expect(unsafe_code, reason = "no safe crate has adjtimex")]
pub(crate) fn clock_is_synchronized() -> io::Result<bool> {
    // SAFETY: of a `timex` all bytes may be zero; with `modes` 0 the call changes nothing and writes to the address given.
    let (answer, clock) = unsafe {
        let mut clock: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut clock), clock)
    };
    if answer == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer != libc::TIME_ERROR && clock.status & libc::STA_UNSYNC == 0)
}
