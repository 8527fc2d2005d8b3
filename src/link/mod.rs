//! Links: what carries a device model to whoever opens its port.
//!
//! A [`PtyBoard`] carries any [`crate::model::DeviceModel`] on a pseudo-terminal in real time, with a control socket beside it for what a serial port cannot do: drive the
//! reset line, set the board up, unplug it. [`ControlClient`] is the other end of that socket. A [`QemuBoard`] carries it wired to an emulated Raspberry Pi. The link on simulated time is
//! [`crate::seam::simulated`].
//!
//! # What a PTY carries, and what not
//! | | |
//! | --- | --- |
//! | bytes | both ways, unharmed, as long as the port is raw (it is when the board starts) |
//! | the host's speed | yes: both ends share their settings, so the model is told the speed that the host has set; it is read together with the bytes |
//! | pacing towards the host | the model's: nothing is written before the moment that the model says |
//! | pacing towards the board | none: bytes arrive as soon as they are written; the model is told their speed and puts them on its wire itself |
//! | framing and parity marks | no: marks of the model's output are dropped, the bytes themselves arrive |
//! | break, DTR, RTS, CTS | no |
//! | unplugging | yes, by the control socket's `unplug`, and where the model's port vanishes; when it comes back it is another pseudo-terminal, under the name of the link or under that name with `-2` |
//!
//! # What an emulated Raspberry Pi carries, and what not
//! | | |
//! | --- | --- |
//! | bytes | both ways, unharmed |
//! | the host's speed | yes: from the divisors of its UART, read after each read of bytes and every 0.5 ms |
//! | pacing | as on a pseudo-terminal |
//! | the reset line | a GPIO: edges as QEMU reports them, whether it is an output every 0.5 ms |
//! | framing and parity marks, break, unplugging | no |
//!
//! No link knows which model it carries.

mod backlog;
mod carrier;
mod client;
mod control;
mod emulated;
mod end;
mod error;
mod files;
mod port;
mod pty;
mod qemu;
mod running;
#[cfg(test)]
mod tests;

pub use client::{ControlClient, ControlError};
pub use error::LinkError;
pub use pty::{PtyBoard, PtyConfig};
pub use qemu::{QemuBoard, QemuConfig};
