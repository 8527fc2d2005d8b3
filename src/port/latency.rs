//! How much later than the wire a read of a port may see a byte.

use std::path::Path;
use std::time::Duration;

use crate::baud::Baud;

/// A USB adapter asks for bytes once a frame of 1 ms, and hands them over in the next.
const USB: Duration = Duration::from_millis(2);

/// A chip with a FIFO reports what does not fill it after a pause of about four characters (8250 and PL011: 32 bits).
const FIFO_CHARACTERS: u64 = 4;

/// How much later than the wire a read may see a byte, this computer's own lateness not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// So much.
    pub time: Duration,
    /// How times are taken there, in words.
    pub how: &'static str,
}

/// That of the port `device` at `speed`; `sysfs` is where the kernel describes devices.
pub(super) fn latency(sysfs: &Path, device: &Path, is_pty: bool, speed: Baud) -> Latency {
    if is_pty {
        return Latency { time: Duration::ZERO, how: "reads of a PTY, as late as this computer may be" };
    }
    let Some(name) = device.file_name() else { return Latency { time: USB, how: "reads of a serial port" } };
    let described = sysfs.join("class/tty").join(name).join("device");
    let timer = std::fs::read_to_string(described.join("latency_timer")).ok().and_then(|text| text.trim().parse().ok());
    if let Some(timer) = timer {
        return Latency {
            time: Duration::from_millis(timer) + USB,
            how: "reads of a USB adapter, late by its latency timer and two frames",
        };
    }
    let on_usb = std::fs::canonicalize(&described).is_ok_and(|path| path.iter().any(|part| part.to_string_lossy().starts_with("usb")));
    if on_usb {
        return Latency { time: USB, how: "reads of a USB adapter, late by two frames of 1 ms (an assumption)" };
    }
    Latency { time: speed.wire_time(FIFO_CHARACTERS), how: "reads of a UART, late by the pause after which its FIFO reports" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sysfs_says_of_the_device_decides() {
        let sysfs = tempfile::tempdir().unwrap();
        let tty = |name: &str, below: &str| {
            let device = sysfs.path().join("devices").join(below).join(name);
            std::fs::create_dir_all(&device).unwrap();
            let class = sysfs.path().join("class/tty").join(name);
            std::fs::create_dir_all(&class).unwrap();
            std::os::unix::fs::symlink(&device, class.join("device")).unwrap();
            device
        };
        let ftdi = tty("ttyUSB0", "platform/usb1/1-1");
        std::fs::write(ftdi.join("latency_timer"), "16\n").unwrap();
        tty("ttyACM0", "platform/usb1/1-2");
        tty("ttyAMA0", "platform/soc");
        let time = |name: &str| latency(sysfs.path(), &Path::new("/dev").join(name), false, Baud::DEFAULT).time;
        assert_eq!(time("ttyUSB0"), Duration::from_millis(18));
        assert_eq!(time("ttyACM0"), Duration::from_millis(2));
        assert_eq!(time("ttyAMA0"), Baud::DEFAULT.wire_time(4));
        assert_eq!(latency(sysfs.path(), Path::new("/dev/pts/3"), true, Baud::DEFAULT).time, Duration::ZERO);
    }
}
