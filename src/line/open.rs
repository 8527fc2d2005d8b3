//! Claiming a line by its configuration, and driving one to the end where blocking is allowed.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::command::CommandLine;
use super::gpiocdev::GpiocdevLine;
use super::gpiocdev_input::GpiocdevInput;
use super::manual::ManualLine;
use super::modem_line::ModemLine;
use super::rppal::RppalLine;
use super::socket::SocketLine;
use super::socket_input::SocketInput;
use super::{Backend, GpioLine, InputLine, LineConfig, LineError, OutputLine, Progress};
use crate::port::Port;
use crate::seam::LineState;
use crate::time::MonoTime;

/// Claims a line that we drive, **with its first state written first**: released, and of power *on*. A board that was held in reset runs when this returns, and a board that
/// ran sees no edge. What else a claim does is in the table of [the module](super). May block, for at most 2 s to connect and 2 s for
/// an answer (or as long as a program may take), and so belongs before the seam.
///
/// # Errors
/// [`LineError`] when there is no such line, when it is in use, or when it could not be driven.
pub fn open(config: &LineConfig) -> Result<Box<dyn OutputLine>, LineError> {
    match &config.backend {
        Backend::RaspberryPi { gpio } if rppal::system::DeviceInfo::new().is_ok() => Ok(Box::new(RppalLine::claim(*gpio, config)?)),
        Backend::RaspberryPi { gpio } => Ok(Box::new(GpiocdevLine::claim(None, &name_of_pin(*gpio), config)?)),
        Backend::Rppal { gpio } => Ok(Box::new(RppalLine::claim(*gpio, config)?)),
        Backend::Gpiocdev { chip, line } => Ok(Box::new(GpiocdevLine::claim(chip.as_deref(), line, config)?)),
        Backend::Socket { path, line } => Ok(Box::new(SocketLine::claim(path, line, config)?)),
        Backend::ModemLine { port, signal, .. } => Ok(Box::new(ModemLine::open(port, *signal, config)?)),
        Backend::Command { .. } => Ok(Box::new(CommandLine::claim(config)?)),
        Backend::Manual { .. } => Ok(Box::new(ManualLine::claim(config)?)),
    }
}

/// Claims a line of the board's own port, which is open, as [`open()`] does.
///
/// # Errors
/// As [`open()`].
pub fn open_on(port: &Port, config: &LineConfig) -> Result<Box<dyn OutputLine>, LineError> {
    match &config.backend {
        Backend::ModemLine { signal, own: true, .. } => Ok(Box::new(ModemLine::of_port(port, *signal, config)?)),
        _ => open(config),
    }
}

/// Claims a line that the board drives. Nothing is driven. May block as [`open()`] does.
///
/// # Errors
/// [`LineError`] when there is no such line, or when it cannot be watched.
pub fn open_input(config: &LineConfig) -> Result<Box<dyn InputLine>, LineError> {
    match &config.backend {
        Backend::RaspberryPi { gpio } => Ok(Box::new(GpiocdevInput::claim(None, &name_of_pin(*gpio), config)?)),
        Backend::Gpiocdev { chip, line } => Ok(Box::new(GpiocdevInput::claim(chip.as_deref(), line, config)?)),
        Backend::Socket { path, line } => Ok(Box::new(SocketInput::claim(path, line)?)),
        // The bench refuses them.
        Backend::Rppal { .. } | Backend::ModemLine { .. } | Backend::Command { .. } | Backend::Manual { .. } => {
            Err(LineError::Refused(format!("the line {} cannot be watched: use `backend: gpiocdev` or `socket`", config.name)))
        }
    }
}

/// A Raspberry Pi names its lines by their BCM numbers.
pub(super) fn name_of_pin(gpio: u8) -> GpioLine {
    GpioLine::Name(format!("GPIO{gpio}"))
}

/// Drives a line and waits until its backend has carried it out, for at most `within` and no longer than the backend may take. **Asserting resets the board.** Blocks, and so
/// is for the ways in and out of a run, never for the run itself.
///
/// # Errors
/// [`LineError`] when the backend could not, [`LineError::NoAnswer`] when it did not say so in time.
pub fn drive_within(line: &mut dyn OutputLine, state: LineState, within: Duration) -> Result<(), LineError> {
    let deadline = MonoTime::now() + within.min(line.answer_within());
    let mut progress = line.begin(state)?;
    while progress == Progress::Pending {
        let left = deadline.since(MonoTime::now());
        if left.is_zero() || !readable_within(line, left)? {
            if line.answer_within() <= within {
                return Err(line.overdue());
            }
            return Err(LineError::NoAnswer {
                what: line.describe(),
                waited: within,
                hint: "it serves another client, or its program hangs; end the other client, or restart the program",
            });
        }
        progress = line.proceed()?;
    }
    Ok(())
}

/// Waits until the line's descriptor can be read (true) or `left` has passed (false).
fn readable_within(line: &dyn OutputLine, left: Duration) -> Result<bool, LineError> {
    let Some(fd) = line.fd() else { return Ok(true) };
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
        Ok(n) => Ok(n > 0),
        // The caller looks at the clock and comes again.
        Err(Errno::INTR) => Ok(true),
        Err(e) => Err(LineError::System { call: "poll", what: line.describe(), source: e.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_rppal_knows_no_model_a_pin_is_looked_up_by_its_lines_name() {
        // No machine has a pin 254, so that this test drives nothing on a Raspberry Pi either.
        let config = LineConfig::output("reset", Backend::RaspberryPi { gpio: 254 });
        let text = open(&config).err().expect("there is no GPIO254").to_string();
        let known = rppal::system::DeviceInfo::new().is_ok();
        assert!(text.contains("GPIO254"), "{text}");
        assert_eq!(text.contains("rppal"), known, "{text}");
    }
}
