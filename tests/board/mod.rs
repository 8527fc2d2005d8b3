//! The other end of a port: a PTY whose master the test holds, to play the board. Nothing here waits without a deadline.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use evkit_hil::port::PortName;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

/// How long anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A board behind a PTY.
pub(crate) struct Board {
    master: OwnedFd,
    /// The device that a port is opened on.
    pub(crate) device: PathBuf,
}

impl Board {
    pub(crate) fn new() -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        // Without echo, or what the board says before a port is open would come back to it.
        let mut modes = rustix::termios::tcgetattr(&master).unwrap();
        modes.make_raw();
        rustix::termios::tcsetattr(&master, OptionalActions::Now, &modes).unwrap();
        Self { master, device: PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes())) }
    }

    pub(crate) fn name(&self) -> PortName {
        PortName::Path(self.device.clone())
    }

    /// The terminal, whose modes both ends share.
    pub(crate) fn terminal(&self) -> impl AsFd {
        self.master.as_fd()
    }

    /// Waits until the board can read or write.
    pub(crate) fn poll(&self, flags: PollFlags, patience: Duration) -> bool {
        let mut fds = [PollFd::new(&self.master, flags)];
        let timeout = Timespec { tv_sec: patience.as_secs().try_into().unwrap(), tv_nsec: patience.subsec_nanos().into() };
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut fds, Some(&timeout))).unwrap() > 0
    }

    /// What the board says.
    pub(crate) fn say(&self, mut bytes: &[u8]) {
        let end = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            match rustix::io::write(&self.master, bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(Errno::AGAIN | Errno::INTR) => {
                    assert!(self.poll(PollFlags::OUT, end - Instant::now()), "nobody reads what the board says")
                }
                Err(error) => panic!("the board cannot write: {error}"),
            }
        }
    }
}
