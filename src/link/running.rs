//! The thread in which a board is carried.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::EventfdFlags;

use super::carrier::Carrier;
use super::control::ControlServer;
use super::end::{HostEnd, Place};
use super::error::LinkError;
use crate::model::ControlTarget;

/// A board that is carried until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<Result<(), LinkError>>>,
}

impl Running {
    /// Starts to carry `model` to `end`, which is opened anew at `place`.
    pub(super) fn start<M: ControlTarget + 'static>(
        model: M,
        place: Box<dyn Place>,
        end: Box<dyn HostEnd>,
        server: ControlServer,
    ) -> Result<Self, LinkError> {
        let stop =
            rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(LinkError::system("eventfd", "the board"))?;
        let stop = Arc::new(stop);
        let carrier = Carrier::new(model, place, end, server, Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("virtual board".to_owned())
            .spawn(move || carrier.run())
            .map_err(LinkError::system("clone", "the board's thread"))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Whether the board is still carried. It ends by itself only by a fault, which `end` then tells.
    pub(super) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends it and waits until that is done; what had ended it before, if it had.
    pub(super) fn end(&mut self) -> Result<(), LinkError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        // Fails only when it was signalled before, 2^64 - 1 times.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        thread.join().unwrap_or_else(|panic| Err(LinkError::ModelFailed { message: panic_message(&*panic) }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants to know why it ended calls `end`.
        let _ = self.end();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
