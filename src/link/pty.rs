//! A board on a pseudo-terminal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::control::ControlServer;
use super::error::LinkError;
use super::port::PortPlace;
use super::running::Running;
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
    lost: Arc<AtomicU64>,
    running: Running,
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
        let port = place.port()?;
        let path = port.path().to_owned();
        let running = Running::start(model, Box::new(place), Box::new(port), server)?;
        Ok(Self { port: path, control: config.control.clone(), lost, running })
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
        self.running.is_running()
    }

    /// Unplugs the board, removes its names and waits until that is done.
    ///
    /// # Errors
    /// What ended the board before.
    pub fn stop(mut self) -> Result<(), LinkError> {
        self.running.end()
    }
}
