//! The port: both ends of a pseudo-terminal, and what did not fit into it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};

use super::error::LinkError;
use super::files::PortLink;
use crate::baud::Baud;

/// What is kept for a host that does not read, beyond what the kernel holds (some 64 KiB). A real UART would lose it at once.
const BACKLOG_LIMIT: usize = 1 << 20;

/// What Linux's serial core makes of B0.
const FALLBACK: Baud = match Baud::new(9600) {
    Some(baud) => baud,
    None => Baud::DEFAULT,
};

/// A pseudo-terminal as a board's port.
#[derive(Debug)]
pub(super) struct Port {
    master: OwnedFd,
    /// Held so that the board's end sees no hangup between two hosts, and what the board says meanwhile waits for the next.
    slave: OwnedFd,
    path: PathBuf,
    /// Removed with the port.
    _link: Option<PortLink>,
    backlog: VecDeque<u8>,
    lost: Arc<AtomicU64>,
}

/// Where a board's port is to be, and where it may come back to.
#[derive(Debug)]
pub(super) struct PortPlace {
    pub(super) link: Option<PathBuf>,
    pub(super) lost: Arc<AtomicU64>,
}

impl PortPlace {
    /// Opens a port there.
    pub(super) fn open(&self) -> Result<Port, LinkError> {
        Port::open(self.link.as_deref(), Arc::clone(&self.lost))
    }

    /// Opens one under another name: `-2` behind that of the link, where there is one.
    pub(super) fn open_elsewhere(&self) -> Result<Port, LinkError> {
        let elsewhere = self.link.as_ref().map(|link| {
            let mut name = link.clone().into_os_string();
            name.push("-2");
            PathBuf::from(name)
        });
        Port::open(elsewhere.as_deref(), Arc::clone(&self.lost))
    }
}

impl Port {
    /// Opens a pseudo-terminal: raw, at the module's speed.
    fn open(link: Option<&Path>, lost: Arc<AtomicU64>) -> Result<Self, LinkError> {
        let on_master = "/dev/ptmx";
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .map_err(LinkError::system("open", on_master))?;
        rustix::pty::grantpt(&master).map_err(LinkError::system("grantpt", on_master))?;
        rustix::pty::unlockpt(&master).map_err(LinkError::system("ioctl(TIOCSPTLCK)", on_master))?;
        rustix::io::ioctl_fionbio(&master, true).map_err(LinkError::system("ioctl(FIONBIO)", on_master))?;
        let name = rustix::pty::ptsname(&master, Vec::new()).map_err(LinkError::system("ioctl(TIOCGPTN)", on_master))?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let shown = path.display();
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .map_err(LinkError::system("open", shown))?;
        let mut termios = rustix::termios::tcgetattr(&slave).map_err(LinkError::system("tcgetattr", path.display()))?;
        termios.make_raw();
        termios.set_speed(Baud::DEFAULT.bits_per_second()).map_err(LinkError::system("cfsetspeed", path.display()))?;
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios).map_err(LinkError::system("tcsetattr", path.display()))?;
        let link = link.map(|link| PortLink::create(link, &path)).transpose()?;
        Ok(Self { master, slave, path, _link: link, backlog: VecDeque::new(), lost })
    }

    /// The device that a host opens.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What to poll.
    pub(super) fn poll(&self) -> (BorrowedFd<'_>, PollFlags) {
        let events = if self.backlog.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        (self.master.as_fd(), events)
    }

    /// Reads once what the host has written: how many bytes came into `buffer`, 0 when there are none.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.master, &mut *buffer)) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(self.failed("read", e)),
        }
    }

    /// The speed that the host has set now. Linux's serial core sends at 9600 where a host sets B0, and so does this.
    pub(super) fn speed(&self) -> Result<Baud, LinkError> {
        let termios = rustix::termios::tcgetattr(&self.master).map_err(|e| self.failed("tcgetattr", e))?;
        Ok(Baud::new(termios.output_speed()).unwrap_or(FALLBACK))
    }

    /// Writes what the host is to read: `bytes` behind what waits already. What the kernel does not take waits, and of what waits the oldest is lost beyond 1 MiB.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        if !self.backlog.is_empty() {
            self.backlog.extend(bytes);
            while !self.backlog.is_empty() {
                let written = self.write_once(self.backlog.as_slices().0)?;
                if written == 0 {
                    break;
                }
                self.backlog.drain(..written);
            }
        } else {
            let mut rest = bytes;
            while !rest.is_empty() {
                let written = self.write_once(rest)?;
                if written == 0 {
                    break;
                }
                rest = &rest[written..];
            }
            self.backlog.extend(rest);
        }
        let excess = self.backlog.len().saturating_sub(BACKLOG_LIMIT);
        if excess > 0 {
            self.backlog.drain(..excess);
            self.lost.fetch_add(excess as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Drops what is queued in either direction, as far as a pseudo-terminal lets one.
    pub(super) fn discard(&mut self) {
        self.backlog.clear();
        // What cannot be flushed is read, or written, as if it had been on the wire.
        let _ = rustix::termios::tcflush(&self.master, QueueSelector::IOFlush);
        let _ = rustix::termios::tcflush(&self.slave, QueueSelector::IOFlush);
    }

    fn write_once(&self, bytes: &[u8]) -> Result<usize, LinkError> {
        match rustix::io::retry_on_intr(|| rustix::io::write(&self.master, bytes)) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(self.failed("write", e)),
        }
    }

    fn failed(&self, call: &'static str, e: Errno) -> LinkError {
        LinkError::System { call, what: self.path.display().to_string(), source: io::Error::from(e) }
    }
}
