//! A board behind an emulated Raspberry Pi.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::control::ControlServer;
use super::emulated::{EmulatedPi, Emulation, LOOK_EVERY};
use super::end::{HostEnd, Place};
use super::error::LinkError;
use super::running::Running;
use crate::model::ControlTarget;

/// Where QEMU is reached, and how the board is wired to the Pi that it emulates.
#[derive(Debug, Clone)]
pub struct QemuConfig {
    /// The socket of the Pi's PL011: `-serial unix:PATH,server=on,wait=off`.
    pub uart: PathBuf,
    /// The socket of QEMU's test interface: `-qtest unix:PATH,server=on,wait=off`.
    pub qtest: PathBuf,
    /// The GPIO that drives the board's reset line, 0 to 53; low is asserted.
    pub reset_gpio: u8,
    /// The clock of the PL011 in Hz as the guest's kernel sees it, from which its divisors make the speed.
    pub uart_clock: u32,
    /// The control socket, as for a board on a pseudo-terminal.
    pub control: PathBuf,
}

/// A device model wired to a Raspberry Pi that QEMU emulates (`-M raspi3b`), in real time, with a control socket. See [`crate::link`] for what this link carries.
///
/// The reset line is asserted while its GPIO is an output and low: so open drain and push-pull are both seen. The control socket's `reset` drives it as well, and what came last counts.
#[derive(Debug)]
pub struct QemuBoard {
    running: Running,
}

impl QemuBoard {
    /// How often it is seen whether the GPIO is an output, and which speed the UART has.
    pub const LOOKED_AT_EVERY: Duration = LOOK_EVERY;

    /// Connects to QEMU, and starts to carry `model` in a thread of its own.
    ///
    /// # Errors
    /// [`LinkError`] when QEMU is not reached or does not answer as its test interface does, when the control socket's name is taken, or the system refuses.
    pub fn start<M: ControlTarget + 'static>(model: M, config: &QemuConfig) -> Result<Self, LinkError> {
        let server = ControlServer::listen(&config.control)?;
        let pi = EmulatedPi::connect(Emulation {
            uart: config.uart.clone(),
            qtest: config.qtest.clone(),
            reset_gpio: config.reset_gpio,
            uart_clock: config.uart_clock,
            lost: Arc::new(AtomicU64::new(0)),
        })?;
        Ok(Self { running: Running::start(model, Box::new(Soldered), Box::new(pi), server)? })
    }

    /// Whether the board is still carried. It ends by itself when QEMU does, or by a fault, which [`QemuBoard::stop`] then tells.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_running()
    }

    /// Lets go of QEMU and waits until that is done.
    ///
    /// # Errors
    /// What ended the board before.
    pub fn stop(mut self) -> Result<(), LinkError> {
        self.running.end()
    }
}

/// The UART of a Pi does not come back: it was never pulled.
struct Soldered;

impl Place for Soldered {
    fn open(&self) -> Result<Box<dyn HostEnd>, LinkError> {
        Err(LinkError::Emulation { what: "the UART of a Raspberry Pi cannot be pulled and plugged in again".to_owned() })
    }

    fn open_elsewhere(&self) -> Result<Box<dyn HostEnd>, LinkError> {
        self.open()
    }
}
