//! The serial ports that this machine has, as sysfs lists them. Nothing is opened, so no port's DTR moves.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serialport::{SerialPortInfo, SerialPortType};

/// A serial port that sysfs lists. PTYs are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPort {
    /// The device: `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// What it is on USB; `None` for a port that is not on USB.
    pub usb: Option<UsbIdentity>,
}

/// What a USB adapter says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbIdentity {
    /// Vendor.
    pub vendor: u16,
    /// Product.
    pub product: u16,
    /// Serial number, where it has one. Cheap adapters share one among all.
    pub serial: Option<String>,
    /// The interface's number; `None` where sysfs does not say.
    pub interface: Option<u8>,
    /// Where it is plugged in, bus and ports: `1-1.4`.
    pub place: Option<String>,
    /// Its name in words.
    pub name: Option<String>,
}

impl KnownPort {
    /// Every serial port of this machine, ordered by device. Empty where there is no sysfs.
    #[must_use]
    pub fn all() -> Vec<Self> {
        // `available_ports` panics without this directory.
        if !Path::new("/sys/class/tty").is_dir() {
            return Vec::new();
        }
        let mut ports: Vec<Self> = serialport::available_ports().unwrap_or_default().into_iter().map(Self::from).collect();
        ports.sort_by(|a, b| a.device.cmp(&b.device));
        ports
    }

    /// The link of /dev/serial/by-path that leads to this port: it names the socket that the adapter is plugged into, and so tells equal adapters apart.
    #[must_use]
    pub fn by_path(&self) -> Option<PathBuf> {
        let mut links: Vec<PathBuf> = fs::read_dir("/dev/serial/by-path").ok()?.filter_map(|link| Some(link.ok()?.path())).collect();
        links.sort();
        links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|device| device == self.device))
    }
}

impl From<SerialPortInfo> for KnownPort {
    fn from(info: SerialPortInfo) -> Self {
        let usb = match info.port_type {
            SerialPortType::UsbPort(usb) => Some(UsbIdentity {
                vendor: usb.vid,
                product: usb.pid,
                serial: usb.serial_number,
                interface: usb.interface,
                place: usb.location.map(|place| place.to_string()),
                name: usb.product,
            }),
            SerialPortType::PciPort | SerialPortType::BluetoothPort | SerialPortType::Unknown => None,
        };
        Self { device: info.port_name.into(), usb }
    }
}

impl fmt::Display for KnownPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.device.display())?;
        let Some(usb) = &self.usb else { return Ok(()) };
        write!(f, " (USB {:04x}:{:04x}", usb.vendor, usb.product)?;
        if let Some(name) = &usb.name {
            write!(f, " {name}")?;
        }
        match &usb.serial {
            Some(serial) => write!(f, ", serial {serial}")?,
            None => write!(f, ", no serial number")?,
        }
        if let Some(interface) = usb.interface {
            write!(f, ", interface {interface}")?;
        }
        if let Some(place) = &usb.place {
            write!(f, ", at {place}")?;
        }
        f.write_str(")")
    }
}
