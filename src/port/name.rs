//! How a port is named, and finding the device behind the name.

use std::fmt;
use std::path::PathBuf;

/// A serial port as the bench file names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortName {
    /// A device or a link to one: `/dev/ttyUSB0`, `/dev/serial/by-id/…`, `/dev/serial/by-path/…`.
    Path(PathBuf),
    /// A USB adapter by its serial number, and the interface where it has several.
    Usb {
        /// The adapter's USB serial number.
        serial: String,
        /// The interface's number.
        interface: Option<u8>,
    },
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Usb { serial, interface: None } => write!(f, "USB serial {serial}"),
            Self::Usb { serial, interface: Some(n) } => write!(f, "USB serial {serial} interface {n}"),
        }
    }
}
