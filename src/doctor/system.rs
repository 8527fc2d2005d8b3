//! What the checks look at: files below a root, which is `/` but in tests, and what only the kernel can tell.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::line::{self, LineConfig, LineError, PinLevels};
use crate::port::{DeviceAccess, PortError, PortName, below, without_root};

/// A computer as the checks see it.
pub struct System<'a> {
    /// Below it are /dev, /proc, /sys and the rest.
    pub root: PathBuf,
    /// Who is to run cases.
    pub user: User,
    /// Where results go.
    pub results: PathBuf,
    /// What no file tells.
    pub kernel: &'a dyn Kernel,
}

/// Who opens devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The number of the user.
    pub uid: u32,
    /// Those of the groups.
    pub groups: Vec<u32>,
}

impl User {
    /// That of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let own = rustix::process::getegid();
        let others = rustix::process::getgroups().unwrap_or_default();
        let groups = std::iter::once(own).chain(others).map(rustix::process::Gid::as_raw).collect();
        Self { uid: rustix::process::geteuid().as_raw(), groups }
    }
}

/// What no file tells.
pub trait Kernel {
    /// The name under which a GPIO line is in use; `None` for a free one.
    ///
    /// # Errors
    /// [`LineError`] when there is no such line, or its chip cannot be opened.
    fn line_user(&self, line: &LineConfig) -> Result<Option<String>, LineError>;

    /// What a released line reads. **Lets go of it, and pulls it to where it asserts**: see [`line::released_levels`].
    ///
    /// # Errors
    /// [`LineError`] when the line cannot be claimed or read.
    fn released_levels(&self, line: &LineConfig) -> Result<PinLevels, LineError>;

    /// The Raspberry Pi that this is, as `rppal` calls it; `None` for a computer that it does not know.
    fn rppal_model(&self) -> Option<String>;

    /// Whether the clock is kept right by another.
    ///
    /// # Errors
    /// What the system said.
    fn clock_is_synchronized(&self) -> io::Result<bool>;

    /// Bytes that a user can still write where `folder` is, or will be.
    ///
    /// # Errors
    /// What the system said.
    fn free_space(&self, folder: &Path) -> io::Result<u64>;

    /// The highest realtime priority that the user may take; 0 for none.
    fn realtime_priority(&self) -> u64;
}

/// The kernel of this computer.
#[derive(Debug, Clone, Copy)]
pub struct Linux;

impl Kernel for Linux {
    fn line_user(&self, line: &LineConfig) -> Result<Option<String>, LineError> {
        line::user_of(line)
    }

    fn released_levels(&self, line: &LineConfig) -> Result<PinLevels, LineError> {
        line::released_levels(line)
    }

    fn rppal_model(&self) -> Option<String> {
        rppal::system::DeviceInfo::new().ok().map(|device| device.model().to_string())
    }

    fn clock_is_synchronized(&self) -> io::Result<bool> {
        crate::sys::clock_is_synchronized()
    }

    fn free_space(&self, folder: &Path) -> io::Result<u64> {
        let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
        let space = rustix::fs::statvfs(there)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn realtime_priority(&self) -> u64 {
        if rustix::process::geteuid().is_root() {
            return 99;
        }
        // No limit is written as `None`.
        rustix::process::getrlimit(rustix::process::Resource::Rtprio).current.unwrap_or(99)
    }
}

impl System<'_> {
    /// Where a path of the computer is.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        below(&self.root, path.as_ref())
    }

    /// A file's text without the blanks and NUL bytes around it; `None` where it cannot be read.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = fs::read(self.at(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned())
    }

    pub(super) fn sysfs(&self) -> PathBuf {
        self.at(crate::port::SYSFS)
    }

    /// The device behind a port's name, as the computer calls it.
    pub(super) fn device(&self, port: &PortName) -> Result<PathBuf, PortError> {
        let PortName::Path(path) = port else { return Ok(port.resolve_in(&self.sysfs())?.device) };
        let found = PortName::Path(self.at(path)).resolve_in(&self.sysfs()).map_err(|error| match error {
            PortError::Missing { others, .. } => PortError::Missing { name: port.clone(), others },
            error => error,
        })?;
        Ok(without_root(&self.root, &found.device))
    }

    /// The model as the device tree has it: `Raspberry Pi 4 Model B Rev 1.4`.
    pub(super) fn model(&self) -> Option<String> {
        self.read("/proc/device-tree/model")
    }

    /// The words of the kernel's command line.
    pub(super) fn command_line(&self) -> Vec<String> {
        self.read("/proc/cmdline").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }

    /// The running programs: process number and name.
    pub(super) fn programs(&self) -> Vec<(u32, String)> {
        let Ok(entries) = fs::read_dir(self.at("/proc")) else { return Vec::new() };
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        pids.filter_map(|pid| Some((pid, self.read(format!("/proc/{pid}/comm"))?))).collect()
    }

    /// What to do so that the user may open a device, where it is there and the user may not.
    pub(super) fn refused(&self, device: &Path) -> Option<String> {
        let found = fs::metadata(self.at(device)).ok()?;
        let bits = if found.uid() == self.user.uid {
            found.mode() >> 6
        } else if self.user.groups.contains(&found.gid()) {
            found.mode() >> 3
        } else {
            found.mode()
        };
        let may = self.user.uid == 0 || bits & 0o6 == 0o6;
        (!may).then(|| DeviceAccess::below(&self.root, device).hint())
    }
}
