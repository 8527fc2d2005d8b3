//! The port: both ends of a pseudo-terminal.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};

use super::backlog::Backlog;
use super::end::{HostEnd, Place};
use super::error::LinkError;
use super::files::PortLink;
use crate::baud::Baud;

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
    backlog: Backlog,
}

/// Where a board's port is to be, and where it may come back to.
#[derive(Debug)]
pub(super) struct PortPlace {
    pub(super) link: Option<PathBuf>,
    pub(super) lost: Arc<AtomicU64>,
}

impl PortPlace {
    /// Opens a port there.
    pub(super) fn port(&self) -> Result<Port, LinkError> {
        Port::open(self.link.as_deref(), Arc::clone(&self.lost))
    }
}

impl Place for PortPlace {
    fn open(&self) -> Result<Box<dyn HostEnd>, LinkError> {
        Ok(Box::new(self.port()?))
    }

    /// `-2` behind the name of the link, where there is one.
    fn open_elsewhere(&self) -> Result<Box<dyn HostEnd>, LinkError> {
        let elsewhere = self.link.as_ref().map(|link| {
            let mut name = link.clone().into_os_string();
            name.push("-2");
            PathBuf::from(name)
        });
        Ok(Box::new(Port::open(elsewhere.as_deref(), Arc::clone(&self.lost))?))
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
        Ok(Self { master, slave, path, _link: link, backlog: Backlog::new(lost) })
    }

    /// The device that a host opens.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl HostEnd for Port {
    fn poll<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let events = if self.backlog.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        fds.push(PollFd::from_borrowed_fd(self.master.as_fd(), events));
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.master, &mut *buffer)) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(failed(&self.path, "read", e)),
        }
    }

    /// Linux's serial core sends at 9600 where a host sets B0, and so does this.
    fn speed(&mut self) -> Result<Baud, LinkError> {
        let termios = rustix::termios::tcgetattr(&self.master).map_err(|e| failed(&self.path, "tcgetattr", e))?;
        Ok(Baud::new(termios.output_speed()).unwrap_or(FALLBACK))
    }

    /// What the kernel does not take waits, and of what waits the oldest is lost beyond 1 MiB.
    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let Self { master, path, backlog, .. } = self;
        backlog.write(bytes, |bytes| match rustix::io::retry_on_intr(|| rustix::io::write(&*master, bytes)) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(failed(path, "write", e)),
        })
    }

    fn discard(&mut self) {
        self.backlog.clear();
        // What cannot be flushed is read, or written, as if it had been on the wire.
        let _ = rustix::termios::tcflush(&self.master, QueueSelector::IOFlush);
        let _ = rustix::termios::tcflush(&self.slave, QueueSelector::IOFlush);
    }
}

fn failed(path: &Path, call: &'static str, e: Errno) -> LinkError {
    LinkError::System { call, what: path.display().to_string(), source: io::Error::from(e) }
}
