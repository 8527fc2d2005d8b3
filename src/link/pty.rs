//! A board on a pseudo-terminal.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rustix::event::EventfdFlags;

use super::carrier::Carrier;
use super::control::ControlServer;
use super::error::LinkError;
use super::port::PortPlace;
use crate::model::ControlTarget;

/// The names under which a board is found.
#[derive(Debug, Clone)]
pub struct PtyConfig {
    /// A symbolic link to make to the port, so that it has the same name in every run. Refused where something stands there that is no link, or a link to something that exists.
    pub link: Option<PathBuf>,
    /// The control socket. A socket file on which nobody listens any more is replaced; one on which somebody does is refused.
    pub control: PathBuf,
}

/// A device model on a pseudo-terminal in real time, with a control socket. See [`crate::link`] for what a pseudo-terminal carries.
///
/// The port is raw and at 115200 baud when the board starts, and is held open by the board itself: hosts may come and go, and what the board says in between waits
/// (in the kernel, then up to 1 MiB here; beyond that the oldest bytes are lost and counted). A host that sets B0 is taken to be at 9600 baud, as Linux's serial core does it.
///
/// Both names are removed when the board stops or is dropped; neither is when the process is killed, and the next board takes them over.
#[derive(Debug)]
pub struct PtyBoard {
    port: PathBuf,
    control: PathBuf,
    stop: Arc<OwnedFd>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<(), LinkError>>>,
}

impl PtyBoard {
    /// Opens the port and the control socket, and starts to carry `model` in a thread of its own. Both can be used when this returns.
    ///
    /// # Errors
    /// [`LinkError`] when a name is taken, or the system refuses.
    pub fn start<M: ControlTarget + 'static>(model: M, config: &PtyConfig) -> Result<Self, LinkError> {
        let lost = Arc::new(AtomicU64::new(0));
        let server = ControlServer::listen(&config.control)?;
        let place = PortPlace { link: config.link.clone(), lost: Arc::clone(&lost) };
        let port = place.open()?;
        let path = port.path().to_owned();
        let stop =
            rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(LinkError::system("eventfd", "the board"))?;
        let stop = Arc::new(stop);
        let carrier = Carrier::new(model, place, port, server, Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("virtual board".to_owned())
            .spawn(move || carrier.run())
            .map_err(LinkError::system("clone", "the board's thread"))?;
        Ok(Self { port: path, control: config.control.clone(), stop, lost, thread: Some(thread) })
    }

    /// The device to open: `/dev/pts/7`. Where the model's port vanishes and comes back, it is another one afterwards.
    #[must_use]
    pub fn port_path(&self) -> &Path {
        &self.port
    }

    /// The control socket.
    #[must_use]
    pub fn control_path(&self) -> &Path {
        &self.control
    }

    /// How many bytes the host has lost because it did not read.
    #[must_use]
    pub fn lost_bytes(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the board is still carried. It ends by itself only by a fault, which [`PtyBoard::stop`] then tells.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Unplugs the board, removes its names and waits until that is done.
    ///
    /// # Errors
    /// What ended the board before.
    pub fn stop(mut self) -> Result<(), LinkError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), LinkError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // Fails only when it was signalled before, 2^64 - 1 times.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        thread.join().unwrap_or_else(|panic| Err(LinkError::ModelFailed { message: panic_message(&*panic) }))
    }
}

impl Drop for PtyBoard {
    fn drop(&mut self) {
        // Whoever wants to know why it ended calls `stop`.
        let _ = self.end();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
