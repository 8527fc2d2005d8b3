//! How a port is named, and finding the device behind the name.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{KnownPort, PortError, SYSFS};

/// A serial port as the bench file names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// A USB adapter by the socket that it is plugged into, and the interface where it has several. Tells adapters apart whose serial numbers are equal.
    UsbPath {
        /// Bus and ports: `1-1.2`.
        path: String,
        /// The interface's number.
        interface: Option<u8>,
    },
}

impl PortName {
    /// Finds the device behind the name. Opens nothing, so the board notices nothing.
    ///
    /// # Errors
    /// [`PortError::Missing`] when there is no such device, [`PortError::Ambiguous`] when several adapters share the serial number or one adapter
    /// has several interfaces and none is named, [`PortError::NoPermission`] and [`PortError::System`] when the path cannot be followed.
    pub fn resolve(&self) -> Result<ResolvedPort, PortError> {
        self.resolve_in(Path::new(SYSFS))
    }

    /// The same below another root than [`SYSFS`].
    ///
    /// # Errors
    /// As [`PortName::resolve`].
    pub fn resolve_in(&self, sysfs: &Path) -> Result<ResolvedPort, PortError> {
        let device = match self {
            Self::Path(path) => follow(self, path, sysfs)?,
            Self::Usb { .. } | Self::UsbPath { .. } => choose(self, KnownPort::all_in(sysfs))?.device,
        };
        Ok(ResolvedPort { name: self.clone(), device })
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Usb { serial, interface: None } => write!(f, "USB serial {serial}"),
            Self::Usb { serial, interface: Some(n) } => write!(f, "USB serial {serial} interface {n}"),
            Self::UsbPath { path, interface: None } => write!(f, "USB path {path}"),
            Self::UsbPath { path, interface: Some(n) } => write!(f, "USB path {path} interface {n}"),
        }
    }
}

/// A name and the device that it leads to now. Shown as both, because links move when adapters are plugged elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPort {
    /// As the bench file has it.
    pub name: PortName,
    /// The device itself, no link: `/dev/ttyUSB0`.
    pub device: PathBuf,
}

impl fmt::Display for ResolvedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            PortName::Path(path) if *path == self.device => write!(f, "{}", path.display()),
            name => write!(f, "{name} ({})", self.device.display()),
        }
    }
}

/// The device at the end of a path's links.
fn follow(name: &PortName, path: &Path, sysfs: &Path) -> Result<PathBuf, PortError> {
    fs::canonicalize(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => PortError::missing(name.clone(), KnownPort::all_in(sysfs)),
        io::ErrorKind::PermissionDenied => PortError::no_permission(name.to_string(), path, source),
        _ => PortError::System { call: "realpath", port: name.to_string(), source },
    })
}

/// The one port among `ports` that a name of a USB adapter means.
fn choose(name: &PortName, ports: Vec<KnownPort>) -> Result<KnownPort, PortError> {
    let is_meant = |port: &KnownPort| {
        let Some(usb) = &port.usb else { return false };
        let (fits, interface) = match name {
            PortName::Path(_) => return false,
            PortName::Usb { serial, interface } => (usb.serial.as_ref() == Some(serial), interface),
            PortName::UsbPath { path, interface } => (usb.place.as_ref() == Some(path), interface),
        };
        fits && (interface.is_none() || usb.interface == *interface)
    };
    let (mut meant, others): (Vec<_>, Vec<_>) = ports.into_iter().partition(is_meant);
    match meant.len() {
        0 => Err(PortError::missing(name.clone(), others)),
        1 => Ok(meant.remove(0)),
        _ => Err(PortError::Ambiguous { name: name.clone(), candidates: meant }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::known::UsbIdentity;
    use super::*;

    fn adapter(device: &str, serial: &str, interface: u8, place: &str) -> KnownPort {
        KnownPort {
            device: device.into(),
            usb: Some(UsbIdentity {
                vendor: 0x10c4,
                product: 0xea70,
                serial: Some(serial.to_owned()),
                interface: Some(interface),
                place: Some(place.to_owned()),
                name: Some("CP2105".to_owned()),
            }),
        }
    }

    fn bench() -> Vec<KnownPort> {
        vec![
            KnownPort { device: "/dev/ttyAMA0".into(), usb: None },
            adapter("/dev/ttyUSB0", "00A1", 0, "1-1.1"),
            adapter("/dev/ttyUSB1", "00A1", 1, "1-1.1"),
            adapter("/dev/ttyUSB2", "00B2", 0, "1-1.2"),
        ]
    }

    fn by_serial(serial: &str, interface: Option<u8>, ports: Vec<KnownPort>) -> Result<KnownPort, PortError> {
        choose(&PortName::Usb { serial: serial.to_owned(), interface }, ports)
    }

    #[test]
    fn a_socket_tells_equal_adapters_apart() {
        let ports = || {
            vec![
                adapter("/dev/ttyUSB0", "0001", 0, "1-1.1"),
                adapter("/dev/ttyUSB1", "0001", 0, "1-1.2"),
                adapter("/dev/ttyUSB2", "0001", 1, "1-1.2"),
            ]
        };
        let by_path = |path: &str, interface| choose(&PortName::UsbPath { path: path.to_owned(), interface }, ports());
        assert_eq!(by_path("1-1.1", None).unwrap().device, Path::new("/dev/ttyUSB0"));
        assert_eq!(by_path("1-1.2", Some(1)).unwrap().device, Path::new("/dev/ttyUSB2"));
        let error = by_path("1-1.2", None).unwrap_err();
        assert!(error.to_string().starts_with("USB path 1-1.2 is 2 ports: "), "{error}");
        assert_eq!(error.hint(), "name the interface as well: 0 or 1");
        assert!(by_path("1-1.3", None).unwrap_err().to_string().starts_with("there is no port USB path 1-1.3; "));
    }

    #[test]
    fn a_serial_number_of_one_port_is_enough() {
        assert_eq!(by_serial("00B2", None, bench()).unwrap().device, Path::new("/dev/ttyUSB2"));
    }

    #[test]
    fn an_adapter_with_two_interfaces_wants_one_named() {
        assert_eq!(by_serial("00A1", Some(1), bench()).unwrap().device, Path::new("/dev/ttyUSB1"));
        let error = by_serial("00A1", None, bench()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "USB serial 00A1 is 2 ports: /dev/ttyUSB0 (USB 10c4:ea70 CP2105, serial 00A1, interface 0, at 1-1.1), \
             /dev/ttyUSB1 (USB 10c4:ea70 CP2105, serial 00A1, interface 1, at 1-1.1)"
        );
        assert_eq!(error.hint(), "name the interface as well: 0 or 1");
    }

    #[test]
    fn two_adapters_with_one_serial_number_are_told_apart_by_path() {
        let ports = vec![adapter("/dev/ttyUSB0", "0001", 0, "1-1.1"), adapter("/dev/ttyUSB1", "0001", 0, "1-1.2")];
        let error = by_serial("0001", None, ports.clone()).unwrap_err();
        assert!(error.to_string().contains("at 1-1.1") && error.to_string().contains("at 1-1.2"), "{error}");
        assert_eq!(
            error.hint(),
            "serial numbers repeat, and the adapters here share this one: name the socket that the board is plugged into, `port: { usb-path: 1-1.1, interface: 0 }` or `port: { usb-path: 1-1.2, interface: 0 }`"
        );
        assert!(by_serial("0001", Some(0), ports).is_err(), "the interface does not tell them apart");
    }

    #[test]
    fn a_serial_number_that_is_not_there_lists_what_is() {
        let error = by_serial("00C3", Some(0), bench()).unwrap_err();
        assert!(matches!(error, PortError::Missing { .. }));
        assert!(
            error
                .to_string()
                .starts_with("there is no port USB serial 00C3 interface 0; the serial ports here are /dev/ttyAMA0, /dev/ttyUSB0 (USB"),
            "{error}"
        );
    }

    #[test]
    fn links_are_followed_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("kit");
        symlink("/dev/null", &link).unwrap();
        let resolved = PortName::Path(link.clone()).resolve().unwrap();
        assert_eq!(resolved.device, Path::new("/dev/null"));
        assert_eq!(resolved.to_string(), format!("{} (/dev/null)", link.display()));
        assert_eq!(PortName::Path("/dev/null".into()).resolve().unwrap().to_string(), "/dev/null");
    }

    #[test]
    fn a_link_to_nothing_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("kit");
        symlink("/dev/ttyUSB77", &link).unwrap();
        let error = PortName::Path(link.clone()).resolve().unwrap_err();
        assert!(matches!(error, PortError::Missing { .. }));
        assert!(error.to_string().starts_with(&format!("there is no port {}; ", link.display())), "{error}");
    }
}
