//! DTR or RTS of a serial port.
//!
//! At claim the port is opened; the board's own is open already, and its open descriptor is shared. **The kernel raises both DTR and RTS whenever a port is opened that nobody has open**, and offers
//! no way around that. Then the line is released. So a line that the raised signal asserts is asserted from the opening to that moment, some milliseconds, and a board that is wired so is reset when
//! it is taken. `HUPCL` is cleared, so that the closing leaves the line as it is. At drop the line is released and left so. When the process is killed the line stays as it was; the guardian opens
//! the port and releases it.
//!
//! `active: high` means that the raised signal asserts, `active: low` that the lowered one does. **It is the signal that is meant, not the pin**: on an adapter with TTL levels a raised DTR is a
//! low pin.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};

use super::{Active, LineConfig, LineError, OutputLine, Progress, Signal};
use crate::port::{Port, PortName};
use crate::seam::LineState;
use crate::sys::{self, ModemLines};

/// The lowest layer: what is asked of the driver.
trait Driver: Send {
    /// Raises or lowers a signal.
    fn set(&self, signal: Signal, raised: bool) -> io::Result<()>;
}

impl Driver for OwnedFd {
    fn set(&self, signal: Signal, raised: bool) -> io::Result<()> {
        let lines = match signal {
            Signal::Dtr => ModemLines::DTR,
            Signal::Rts => ModemLines::RTS,
        };
        sys::set_modem_lines(self.as_fd(), lines, raised)
    }
}

/// A claimed signal.
pub(super) struct ModemLine {
    driver: Box<dyn Driver>,
    port: String,
    signal: Signal,
    active: Active,
}

impl ModemLine {
    /// Opens the port and releases the line.
    pub(super) fn open(name: &PortName, signal: Signal, config: &LineConfig) -> Result<Self, LineError> {
        let missing =
            |what: &dyn std::fmt::Display, hint: String| LineError::Missing { what: format!("{} of {what}", signal.name()), hint };
        let port = name.resolve().map_err(|error| missing(name, error.to_string()))?;
        let failed = |call| {
            let what = port.to_string();
            move |source: Errno| LineError::System { call, what, source: source.into() }
        };
        let busy = || LineError::Busy { what: port.to_string(), holder: "another program or run".to_owned() };
        // O_NONBLOCK, because without it the opening waits for a carrier.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(&port.device, flags, Mode::empty()).map_err(|source| match source {
            Errno::BUSY => busy(),
            Errno::NOENT => missing(&port, "there is no such device; `evkit-hil check` reads the file and not the ports".to_owned()),
            source => failed("open")(source),
        })?;
        rustix::fs::flock(&terminal, FlockOperation::NonBlockingLockExclusive).map_err(|source| match source {
            Errno::WOULDBLOCK => busy(),
            source => failed("flock")(source),
        })?;
        let mut modes = tcgetattr(&terminal).map_err(failed("tcgetattr"))?;
        // HUPCL would lower both signals at the closing.
        modes.control_modes -= ControlModes::HUPCL;
        modes.control_modes |= ControlModes::CLOCAL;
        tcsetattr(&terminal, OptionalActions::Now, &modes).map_err(failed("tcsetattr"))?;
        Self::claim(Box::new(terminal), port.to_string(), signal, config)
    }

    /// Shares an open port and releases the line.
    pub(super) fn of_port(port: &Port, signal: Signal, config: &LineConfig) -> Result<Self, LineError> {
        let name = port.resolved().to_string();
        let shared = port.second_descriptor().map_err(|source| LineError::System { call: "dup", what: name.clone(), source })?;
        Self::claim(Box::new(shared), name, signal, config)
    }

    fn claim(driver: Box<dyn Driver>, port: String, signal: Signal, config: &LineConfig) -> Result<Self, LineError> {
        let line = Self { driver, port, signal, active: config.active };
        line.set(config.claimed())?;
        Ok(line)
    }

    fn set(&self, state: LineState) -> Result<(), LineError> {
        let raised = (state == LineState::Asserted) == (self.active == Active::High);
        self.driver.set(self.signal, raised).map_err(|source| match source.raw_os_error() {
            // ENOTTY, and EINVAL from drivers that have the call and not the line.
            Some(libc::ENOTTY | libc::EINVAL) => LineError::Missing {
                what: self.describe(),
                hint: "this port has no modem lines (a pseudo-terminal has none, and not every adapter leads them out); choose another backend"
                    .to_owned(),
            },
            _ => LineError::System { call: if raised { "TIOCMBIS" } else { "TIOCMBIC" }, what: self.describe(), source },
        })
    }
}

impl OutputLine for ModemLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        self.set(state)?;
        Ok(Progress::Done)
    }

    fn describe(&self) -> String {
        format!("{} of {}", self.signal.name(), self.port)
    }
}

impl Drop for ModemLine {
    fn drop(&mut self) {
        // Nobody is left to be told; the guardian, which opens the port anew, reports what it cannot do.
        let _ = self.set(LineState::Released);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use rstest::rstest;
    use rustix::pty::OpenptFlags;

    use super::*;
    use crate::line::Backend;

    /// A driver that keeps what it is asked for.
    #[derive(Default)]
    struct Fake {
        asked: Arc<Mutex<Vec<(Signal, bool)>>>,
        errno: Option<i32>,
    }

    impl Driver for Fake {
        fn set(&self, signal: Signal, raised: bool) -> io::Result<()> {
            self.asked.lock().unwrap().push((signal, raised));
            self.errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
        }
    }

    fn config(signal: Signal, active: Active) -> LineConfig {
        let backend = Backend::ModemLine { port: PortName::Path("/dev/ttyUSB0".into()), own: true, signal };
        LineConfig { active, ..LineConfig::output("reset", backend) }
    }

    #[rstest]
    #[case(Active::High, [false, true, false])]
    #[case(Active::Low, [true, false, true])]
    fn a_claim_releases_a_drive_asserts_and_a_drop_releases(#[case] active: Active, #[case] raised: [bool; 3]) {
        for signal in [Signal::Dtr, Signal::Rts] {
            let asked = Arc::default();
            let fake = Fake { asked: Arc::clone(&asked), errno: None };
            let mut line = ModemLine::claim(Box::new(fake), "/dev/ttyUSB0".to_owned(), signal, &config(signal, active)).unwrap();
            assert_eq!(line.begin(LineState::Asserted).unwrap(), Progress::Done);
            drop(line);
            assert_eq!(*asked.lock().unwrap(), raised.map(|raised| (signal, raised)));
        }
    }

    #[test]
    fn an_error_names_the_call_and_the_line() {
        let claim = |errno| {
            let fake = Fake { errno: Some(errno), ..Fake::default() };
            let config = config(Signal::Rts, Active::High);
            ModemLine::claim(Box::new(fake), "/dev/ttyUSB0".to_owned(), Signal::Rts, &config).err().unwrap().to_string()
        };
        assert_eq!(claim(libc::EIO), "TIOCMBIC on RTS of /dev/ttyUSB0 failed: Input/output error (os error 5)");
        assert!(claim(libc::EINVAL).starts_with("RTS of /dev/ttyUSB0 is not there: this port has no modem lines"));
    }

    #[test]
    fn a_pseudo_terminal_has_no_modem_lines_and_keeps_its_port_exclusive() {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let device: std::path::PathBuf = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap().into();
        let config = config(Signal::Dtr, Active::High);
        let said = |error: Option<LineError>| error.unwrap().to_string();
        let port = Port::open_marked(&device);
        let own = said(ModemLine::of_port(&port, Signal::Dtr, &config).err());
        assert!(own.starts_with(&format!("DTR of {} is not there: this port has no modem lines", device.display())), "{own}");
        let name = PortName::Path(device);
        let held = said(ModemLine::open(&name, Signal::Dtr, &config).err());
        assert!(
            held.contains("is in use by another program or run"),
            "the shared descriptor was closed and the port is still ours: {held}"
        );
        drop(port);
        let free = said(ModemLine::open(&name, Signal::Dtr, &config).err());
        assert!(free.contains("this port has no modem lines"), "{free}");
    }

    /// On a port that has them, with nothing at its other end that minds: `EVKIT_HIL_TEST_PORT=/dev/ttyS0 cargo test --lib -- --ignored modem_line`.
    #[test]
    #[ignore = "needs a port with modem lines, named by EVKIT_HIL_TEST_PORT"]
    fn a_driver_does_what_is_asked() {
        let device = std::env::var_os("EVKIT_HIL_TEST_PORT").expect("EVKIT_HIL_TEST_PORT names a port");
        let name = PortName::Path(device.clone().into());
        let port = Port::open(&name, crate::baud::Baud::DEFAULT).unwrap();
        let look = || sys::modem_lines(port.as_fd()).unwrap();
        for (signal, bit) in [(Signal::Dtr, ModemLines::DTR), (Signal::Rts, ModemLines::RTS)] {
            for (active, released) in [(Active::High, false), (Active::Low, true)] {
                let mut line = ModemLine::of_port(&port, signal, &config(signal, active)).unwrap();
                assert_eq!(look().contains(bit), released, "claimed: {signal:?} {active:?}");
                line.begin(LineState::Asserted).unwrap();
                assert_eq!(look().contains(bit), !released, "asserted: {signal:?} {active:?}");
                drop(line);
                assert_eq!(look().contains(bit), released, "dropped: {signal:?} {active:?}");
            }
        }
        drop(port);
        // The lines are as the drop left them after the closing, too: the next opening is the kernel's, and raises both.
        let mut line = ModemLine::open(&name, Signal::Rts, &config(Signal::Rts, Active::High)).unwrap();
        line.begin(LineState::Asserted).unwrap();
    }
}
