//! The board's serial port, on `serialport`, with its traps mended: framing marks kept, drain by queue and wire time, writes that never block, exclusive and
//! never cloned, non-blocking, modes put back.
//!
//! This module owns the open descriptor and what is known of the wire behind it. It does not wait: who wants to wait polls the descriptor and asks again.

mod device;
mod error;
mod holder;
mod known;
mod latency;
mod marks;
mod modes;
mod name;
mod root;
mod wire;

pub use device::{Port, is_close};
pub(crate) use error::is_unplugged;
pub use error::{DeviceAccess, PortError};
pub use holder::Holder;
pub(crate) use holder::holder_below;
pub use known::{KnownPort, MINI_UART, SYSFS, UsbIdentity, is_mini_uart};
pub use latency::Latency;
pub use marks::MarkDecoder;
pub use name::{PortName, ResolvedPort};
pub(crate) use root::{below, without_root};
pub use wire::WireClock;
