//! The serial ports that this machine has, as sysfs lists them. Nothing is opened, so no port's DTR moves.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel shows its devices.
pub const SYSFS: &str = "/sys";

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
        Self::all_in(Path::new(SYSFS))
    }

    /// The same below another root than [`SYSFS`].
    #[must_use]
    pub fn all_in(sysfs: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(sysfs.join("class/tty")) else { return Vec::new() };
        let mut ports: Vec<Self> = entries.flatten().filter_map(|entry| Self::of_entry(&entry.path())).collect();
        ports.sort_by(|a, b| a.device.cmp(&b.device));
        ports
    }

    /// What sysfs says of `device`, which is no link. `None` for a device that it does not list: a PTY.
    #[must_use]
    pub fn of(sysfs: &Path, device: &Path) -> Option<Self> {
        Self::of_entry(&entry_of(sysfs, device)?)
    }

    /// An entry of `class/tty`: a terminal with a device behind it, which consoles and PTYs do not have.
    fn of_entry(entry: &Path) -> Option<Self> {
        let behind = fs::canonicalize(entry.join("device")).ok()?;
        // A place for a UART of the PC's that none is in.
        if read(&entry.join("type")).as_deref() == Some("0") {
            return None;
        }
        let name = entry.file_name()?.to_str()?.replace('!', "/");
        Some(Self { device: Path::new("/dev").join(name), usb: UsbIdentity::of(&behind) })
    }

    /// The link of /dev/serial/by-path that leads to this port: it names the socket that the adapter is plugged into, and so tells equal adapters apart.
    #[must_use]
    pub fn by_path(&self) -> Option<PathBuf> {
        let mut links: Vec<PathBuf> = fs::read_dir("/dev/serial/by-path").ok()?.filter_map(|link| Some(link.ok()?.path())).collect();
        links.sort();
        links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|device| device == self.device))
    }
}

/// Where sysfs describes a device, which is no link: it writes `!` for a `/` in its name.
fn entry_of(sysfs: &Path, device: &Path) -> Option<PathBuf> {
    let name = device.strip_prefix("/dev").ok()?.to_str()?.replace('/', "!");
    Some(sysfs.join("class/tty").join(name))
}

/// What a Raspberry Pi's mini UART is like (BCM2835 ARM Peripherals, 2.2), in words that follow its name.
pub const MINI_UART: &str = "a Raspberry Pi's mini UART: it tells no framing errors and no break, and its speed follows the core's clock";

/// Whether a device is [`MINI_UART`].
#[must_use]
pub fn is_mini_uart(sysfs: &Path, device: &Path) -> bool {
    let compatible = entry_of(sysfs, device).map(|entry| fs::read(entry.join("device/of_node/compatible")));
    matches!(compatible, Some(Ok(text)) if text.split(|byte| *byte == 0).any(|name| name == b"brcm,bcm2835-aux-uart"))
}

impl UsbIdentity {
    /// The adapter that a device belongs to: of the folders above it, the first with a vendor is the adapter, and the first with an interface number before that its
    /// interface.
    fn of(device: &Path) -> Option<Self> {
        let adapter = device.ancestors().find(|folder| folder.join("idVendor").is_file())?;
        let interface =
            device.ancestors().take_while(|folder| *folder != adapter).find_map(|folder| read(&folder.join("bInterfaceNumber")));
        let number = |file: &str| u16::from_str_radix(&read(&adapter.join(file))?, 16).ok();
        Some(Self {
            vendor: number("idVendor")?,
            product: number("idProduct")?,
            serial: read(&adapter.join("serial")),
            interface: interface.and_then(|text| u8::from_str_radix(&text, 16).ok()),
            place: adapter.file_name().map(|name| name.to_string_lossy().into_owned()),
            name: read(&adapter.join("product")),
        })
    }
}

/// An attribute; `None` when it is empty or not there.
fn read(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A sysfs with a terminal whose device is `device` below `devices`.
    fn terminal(sysfs: &Path, name: &str, device: &str) {
        let (folder, entry) = (sysfs.join("devices").join(device), sysfs.join("class/tty").join(name));
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(&entry).unwrap();
        symlink(&folder, entry.join("device")).unwrap();
    }

    fn attribute(sysfs: &Path, file: &str, value: &str) {
        let file = sysfs.join("devices").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("{value}\n")).unwrap();
    }

    #[test]
    fn adapters_are_told_by_the_folders_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let sysfs = folder.path();
        // usb-serial has a folder of the port's between the terminal and the interface, cdc-acm has none.
        terminal(sysfs, "ttyUSB1", "usb1/1-1/1-1.2/1-1.2:1.1/ttyUSB1");
        terminal(sysfs, "ttyACM0", "usb1/1-1/1-1.3/1-1.3:1.0");
        terminal(sysfs, "ttyAMA0", "soc/serial");
        terminal(sysfs, "ttyS3", "platform/serial8250");
        fs::write(sysfs.join("class/tty/ttyS3/type"), "0\n").unwrap();
        fs::create_dir_all(sysfs.join("class/tty/console")).unwrap();
        for (file, value) in [
            ("usb1/idVendor", "1d6b"),
            ("usb1/1-1/1-1.2/idVendor", "10c4"),
            ("usb1/1-1/1-1.2/idProduct", "ea70"),
            ("usb1/1-1/1-1.2/serial", "0123ABCD"),
            ("usb1/1-1/1-1.2/product", "CP2105"),
            ("usb1/1-1/1-1.2/1-1.2:1.1/bInterfaceNumber", "01"),
            ("usb1/1-1/1-1.3/idVendor", "0483"),
            ("usb1/1-1/1-1.3/idProduct", "5740"),
            ("usb1/1-1/1-1.3/serial", ""),
        ] {
            attribute(sysfs, file, value);
        }
        let shown: Vec<String> = KnownPort::all_in(sysfs).iter().map(KnownPort::to_string).collect();
        assert_eq!(
            shown,
            [
                "/dev/ttyACM0 (USB 0483:5740, no serial number, at 1-1.3)",
                "/dev/ttyAMA0",
                "/dev/ttyUSB1 (USB 10c4:ea70 CP2105, serial 0123ABCD, interface 1, at 1-1.2)",
            ]
        );
        assert_eq!(KnownPort::of(sysfs, Path::new("/dev/ttyUSB1")), KnownPort::all_in(sysfs).pop());
        assert_eq!(KnownPort::of(sysfs, Path::new("/dev/pts/3")), None);
    }

    #[test]
    fn no_sysfs_has_no_ports() {
        assert_eq!(KnownPort::all_in(Path::new("/nowhere")), []);
    }
}
