//! What can be wrong with a port, and what to do about it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Holder, KnownPort, PortName, below, without_root};
use crate::baud::Baud;

/// Why a port could not be found, opened, set up or closed. A fault of the rig.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such device.
    #[error("there is no port {name}; {}", listed(others))]
    Missing {
        /// What was looked for.
        name: PortName,
        /// The serial ports that there are.
        others: Vec<KnownPort>,
    },
    /// The name fits more than one port.
    #[error("{name} is {} ports: {}", candidates.len(), joined(candidates))]
    Ambiguous {
        /// What was looked for.
        name: PortName,
        /// The ports that fit.
        candidates: Vec<KnownPort>,
    },
    /// Somebody else has the port.
    #[error("{port} is busy: {} has it", holder.as_ref().map_or_else(|| "another program".to_owned(), Holder::to_string))]
    Busy {
        /// The port.
        port: String,
        /// Who, where it can be told.
        holder: Option<Holder>,
    },
    /// This user may not open the device.
    #[error("no permission to open {port}: {access}")]
    NoPermission {
        /// The port.
        port: String,
        /// Whose the device is, and what they may do.
        access: DeviceAccess,
        /// What the system said.
        source: io::Error,
    },
    /// The device is no terminal.
    #[error("{port} is not a serial port")]
    NotATerminal {
        /// The port.
        port: String,
    },
    /// The driver did not take the modes of a raw 8N1 line.
    #[error("{port} did not take the modes of a raw 8N1 line: input modes {expected:#o} asked for, {reported:#o} reported")]
    Modes {
        /// The port.
        port: String,
        /// The input modes asked for.
        expected: u32,
        /// The input modes reported.
        reported: u32,
    },
    /// The driver did not take the speed.
    #[error("{port} was asked for {requested} baud and reports {actual}")]
    Speed {
        /// The port.
        port: String,
        /// Asked for.
        requested: Baud,
        /// Reported.
        actual: Baud,
    },
    /// A system call failed in another way.
    #[error("{call} on {port} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// The port.
        port: String,
        /// What it said.
        source: io::Error,
    },
}

impl PortError {
    /// A port that is not there, among these that are.
    pub(super) const fn missing(name: PortName, others: Vec<KnownPort>) -> Self {
        Self::Missing { name, others }
    }

    /// A device that this user may not open.
    pub(super) fn no_permission(port: String, device: &Path, source: io::Error) -> Self {
        Self::NoPermission { port, access: DeviceAccess::of(device), source }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { name: PortName::Path(path), .. } if !path.starts_with("/dev") => format!(
                "outside of /dev a port is there only while a program makes it; that of a virtual board is `evkit-hil virtual --link {} --control SOCKET`",
                path.display()
            ),
            Self::Missing { others, .. } if others.is_empty() => {
                "plug the board in; `dmesg` shows whether the kernel has seen it, /dev/serial/by-id lists what it made of it".to_owned()
            }
            Self::Missing { .. } => {
                "plug the board in, or name one of these; links in /dev/serial/by-id stay when adapters are plugged elsewhere".to_owned()
            }
            Self::Ambiguous { candidates, .. } => which_of(candidates),
            Self::Busy { holder: Some(_), .. } => "end that program, or wait for it".to_owned(),
            Self::Busy { holder: None, port } => format!("end the program that has it (as root, `fuser -v {port}` shows which)"),
            Self::NoPermission { access, .. } => access.hint(),
            Self::NotATerminal { .. } => {
                "name a serial device (/dev/serial/by-id lists those on USB), or a bench file with --bench".to_owned()
            }
            Self::Modes { .. } => {
                "another adapter or driver is needed: this one does not show framing errors, and a wrong speed would look like silence"
                    .to_owned()
            }
            Self::Speed { .. } => "choose a speed that the adapter can make; within 2 % is taken".to_owned(),
            Self::System { source, .. } if is_unplugged(source) => {
                "the device has no hardware behind it: plug the adapter in again, or name another port".to_owned()
            }
            Self::System { .. } => "`dmesg` shows what the driver says of the device".to_owned(),
        }
    }
}

/// Whether an error of a call on a terminal means that there is nothing behind it any more.
pub(crate) fn is_unplugged(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::ENODEV | libc::ENXIO | libc::EPIPE))
}

/// Whose a device is, and what owner, group and others may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAccess {
    /// The device, links followed.
    pub device: PathBuf,
    /// The owner's name, or number where it has none.
    pub owner: String,
    /// The group's name, or number where it has none.
    pub group: String,
    /// Permission bits; `None` when not even they may be read.
    pub mode: Option<u32>,
}

impl DeviceAccess {
    fn of(device: &Path) -> Self {
        Self::below(Path::new("/"), device)
    }

    /// That of a device of the computer whose files are below `root`.
    #[must_use]
    pub fn below(root: &Path, device: &Path) -> Self {
        let found = fs::canonicalize(below(root, device)).unwrap_or_else(|_| below(root, device));
        let shown = without_root(root, &found);
        let name_of = |file: &str, number: u32| name_of(&below(root, Path::new(file)), number);
        match fs::metadata(&found) {
            Ok(found) => Self {
                owner: name_of("/etc/passwd", found.uid()),
                group: name_of("/etc/group", found.gid()),
                mode: Some(found.mode() & 0o7777),
                device: shown,
            },
            Err(_) => Self { device: shown, owner: String::new(), group: String::new(), mode: None },
        }
    }

    /// What to do so that a user may open it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self.mode {
            Some(mode) if mode & 0o060 == 0o060 && self.group != "root" => format!(
                "join the group that may (on Debian and Raspberry Pi OS serial ports belong to dialout): `sudo usermod -aG {} $USER`, then log in again",
                self.group
            ),
            // As the udev rules of the Debian package (packaging/debian) have it.
            Some(_) if self.is_of_pins() => {
                "let the group gpio open it, as the Debian package does (docs/nightly.md), and be in it: `sudo usermod -aG gpio $USER`, then log in again"
                    .to_owned()
            }
            Some(_) => format!(
                "let the group dialout open it, by a udev rule with GROUP=\"dialout\", MODE=\"0660\" (until it is plugged in again: `sudo chgrp dialout {0} && sudo chmod 660 {0}`), and be in it: `sudo usermod -aG dialout $USER`",
                self.device.display()
            ),
            None => format!("one of the folders above {} may not be entered by this user", self.device.display()),
        }
    }

    /// Whether it is a GPIO chip, or the registers of a Raspberry Pi's pins.
    fn is_of_pins(&self) -> bool {
        self.device.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"gpio"))
    }
}

impl std::fmt::Display for DeviceAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.mode {
            Some(mode) => write!(f, "it belongs to {}, group {}, mode {mode:04o}", self.owner, self.group),
            None => f.write_str("the folder that holds it may not be entered"),
        }
    }
}

/// The name of a user or group number in /etc/passwd or /etc/group, else the number.
fn name_of(file: &Path, number: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = number.to_string();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    found.unwrap_or(number)
}

fn joined(ports: &[KnownPort]) -> String {
    ports.iter().map(KnownPort::to_string).collect::<Vec<_>>().join(", ")
}

fn listed(ports: &[KnownPort]) -> String {
    match ports {
        [] => "this machine has no serial port".to_owned(),
        [one] => format!("the only serial port here is {one}"),
        _ => format!("the serial ports here are {}", joined(ports)),
    }
}

/// How to say which of several ports is meant.
fn which_of(candidates: &[KnownPort]) -> String {
    let place = |port: &KnownPort| port.usb.as_ref().and_then(|usb| usb.place.clone());
    let one_adapter = candidates.windows(2).all(|pair| place(&pair[0]).is_some() && place(&pair[0]) == place(&pair[1]));
    let interfaces: Vec<String> = candidates.iter().filter_map(|port| Some(port.usb.as_ref()?.interface?.to_string())).collect();
    if one_adapter && interfaces.len() == candidates.len() {
        return format!("name the interface as well: {}", interfaces.join(" or "));
    }
    let by_path = |port: &KnownPort| {
        let usb = port.usb.as_ref()?;
        let interface = usb.interface.map(|number| format!(", interface: {number}")).unwrap_or_default();
        Some(format!("`port: {{ usb-path: {}{interface} }}`", usb.place.as_ref()?))
    };
    let names: Vec<String> = candidates.iter().filter_map(by_path).collect();
    if names.len() == candidates.len() {
        return format!(
            "serial numbers repeat, and the adapters here share this one: name the socket that the board is plugged into, {}",
            names.join(" or ")
        );
    }
    let links: Vec<String> = candidates.iter().filter_map(|port| Some(port.by_path()?.display().to_string())).collect();
    let links = if links.is_empty() { "/dev/serial/by-path/…".to_owned() } else { links.join(" or ") };
    format!("name the port by where it is plugged in instead: {links}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names() {
        assert_eq!(name_of(Path::new("/etc/passwd"), 0), "root");
        assert_eq!(name_of(Path::new("/etc/group"), 3_999_999_999), "3999999999");
    }

    #[test]
    fn no_permission_names_the_group_that_may() {
        let access = DeviceAccess { device: "/dev/ttyUSB0".into(), owner: "root".into(), group: "dialout".into(), mode: Some(0o660) };
        let source = io::Error::from_raw_os_error(libc::EACCES);
        let error = PortError::NoPermission { port: "/dev/ttyUSB0".into(), access, source };
        assert_eq!(error.to_string(), "no permission to open /dev/ttyUSB0: it belongs to root, group dialout, mode 0660");
        assert!(error.hint().contains("`sudo usermod -aG dialout $USER`"), "{}", error.hint());
    }

    #[test]
    fn a_device_that_no_group_may_open_wants_a_rule() {
        let access = DeviceAccess { device: "/dev/ttyS0".into(), owner: "root".into(), group: "root".into(), mode: Some(0o600) };
        assert!(access.hint().contains("udev rule"), "{}", access.hint());
    }

    #[test]
    fn pins_that_no_group_may_use_are_for_the_group_of_the_package() {
        let access = DeviceAccess { device: "/dev/gpiochip0".into(), owner: "root".into(), group: "root".into(), mode: Some(0o600) };
        assert!(access.hint().contains("`sudo usermod -aG gpio $USER`"), "{}", access.hint());
    }

    #[test]
    fn busy_says_who() {
        let holder = Some(Holder { pid: 7, command: "picocom".into() });
        assert_eq!(PortError::Busy { port: "/dev/ttyUSB0".into(), holder }.to_string(), "/dev/ttyUSB0 is busy: process 7 (picocom) has it");
        let unknown = PortError::Busy { port: "/dev/ttyUSB0".into(), holder: None };
        assert_eq!(unknown.to_string(), "/dev/ttyUSB0 is busy: another program has it");
        assert!(unknown.hint().contains("fuser"), "{}", unknown.hint());
    }
}
