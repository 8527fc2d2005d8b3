//! A Raspberry Pi's pin through `rppal`.
//!
//! At claim the pull is set and the pin let go (open drain), or the pin is driven to the released level (push-pull), in an order of
//! writes that never asserts. At drop the line is released and left so: an input with its pull, or an output at the released level.
//! When the process is killed the pin stays as it was, asserted if it was asserted; the guardian releases it.
//!
//! `rppal` writes the registers behind the kernel's back. **There is no claim**: another program, a second run without the lock
//! included, can drive the same pin and nobody is told. It knows a closed list of models, up to the Raspberry Pi 5; `backend:
//! gpiocdev` is the answer elsewhere. It has no open drain: the pin is switched between input and output with its latch preset to the
//! asserted level. So a line that is let go is read back as what others make of it. Its own restoring at drop is turned off, because it restores the mode found at the claim, and after a run that was
//! killed that is *asserted*.

use rppal::gpio::{Bias as Pull, Error as RppalError, Gpio, IoPin, Level as RppalLevel, Mode};

use super::pin::{self, Level, PinWrite};
use super::{LineConfig, LineError, OutputLine, Progress};
use crate::seam::LineState;

/// A claimed pin.
pub(super) struct RppalLine {
    pin: IoPin,
    config: LineConfig,
    /// As it was read back last.
    level: Option<LineState>,
}

impl RppalLine {
    /// Takes the pin with this BCM number and releases it.
    pub(super) fn claim(gpio: u8, config: &LineConfig) -> Result<Self, LineError> {
        let unclaimed = Gpio::new().and_then(|chip| chip.get(gpio)).map_err(|e| explain(gpio, e))?;
        // An IoPin in the mode that the pin has writes nothing: the first write is the claim's first.
        let mode = unclaimed.mode();
        let mut pin = unclaimed.into_io(mode);
        pin.set_reset_on_drop(false);
        let mut line = Self { pin, config: config.clone(), level: None };
        pin::claim(config).for_each(|write| line.write(write));
        Ok(line)
    }

    fn write(&mut self, write: PinWrite) {
        match write {
            PinWrite::PullUp => self.pin.set_bias(Pull::PullUp),
            PinWrite::PullDown => self.pin.set_bias(Pull::PullDown),
            PinWrite::Latch(Level::Low) => self.pin.write(RppalLevel::Low),
            PinWrite::Latch(Level::High) => self.pin.write(RppalLevel::High),
            PinWrite::Output => self.pin.set_mode(Mode::Output),
            PinWrite::Input => self.pin.set_mode(Mode::Input),
        }
    }

    fn drive(&mut self, state: LineState) {
        pin::drive(&self.config, state).for_each(|write| self.write(write));
    }
}

impl OutputLine for RppalLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        self.drive(state);
        Ok(Progress::Done)
    }

    fn read_back(&mut self) -> Result<Progress, LineError> {
        let read = match self.pin.read() {
            RppalLevel::Low => Level::Low,
            RppalLevel::High => Level::High,
        };
        self.level = pin::level(&self.config, read);
        Ok(Progress::Done)
    }

    fn level(&self) -> Option<LineState> {
        self.level
    }

    fn describe(&self) -> String {
        format!("rppal GPIO{}", self.pin.pin())
    }
}

impl Drop for RppalLine {
    fn drop(&mut self) {
        self.drive(LineState::Released);
    }
}

/// What an error of `rppal` means for the user.
fn explain(gpio: u8, error: RppalError) -> LineError {
    let missing = |hint: String| LineError::Missing { what: format!("rppal GPIO{gpio}"), hint };
    match error {
        RppalError::UnknownModel => missing(
            "this is no Raspberry Pi that rppal 0.22 knows (its list ends at the Raspberry Pi 5); use `backend: gpiocdev` with the line's \
             name or its chip and offset"
                .to_owned(),
        ),
        RppalError::PinNotAvailable(_) => {
            missing("the chip has no such pin; give the BCM number (GPIO17 is 17), not the pin of the header".to_owned())
        }
        RppalError::PinUsed(_) => LineError::Busy { what: format!("rppal GPIO{gpio}"), holder: "another board of this run".to_owned() },
        RppalError::PermissionDenied(path) => LineError::Refused(format!(
            "no permission to open {path} for GPIO{gpio}: add the user to the group that owns it (`sudo usermod -aG gpio $USER`, then log in again)"
        )),
        RppalError::Io(source) => LineError::System { call: "open", what: format!("the GPIO registers for GPIO{gpio}"), source },
        RppalError::ThreadPanic => LineError::Refused(format!("rppal's thread for GPIO{gpio} panicked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Backend;

    #[test]
    fn an_unknown_model_is_sent_to_gpiocdev() {
        let text = explain(17, RppalError::UnknownModel).to_string();
        assert!(text.starts_with("rppal GPIO17 is not there: this is no Raspberry Pi"), "{text}");
        assert!(text.contains("use `backend: gpiocdev`"), "{text}");
    }

    #[test]
    fn a_pin_that_no_machine_has_is_refused_before_any_write() {
        // No chip has a pin 254, so that this test drives nothing on a Raspberry Pi either.
        let config = LineConfig::output("reset", Backend::Rppal { gpio: 254 });
        let error = RppalLine::claim(254, &config).err().expect("there is no GPIO254");
        let text = error.to_string();
        assert!(text.contains("GPIO254"), "{text}");
        if rppal::system::DeviceInfo::new().is_err() {
            assert_eq!(text, explain(254, RppalError::UnknownModel).to_string());
        }
    }

    #[test]
    fn no_permission_names_the_file_and_the_group() {
        let text = explain(17, RppalError::PermissionDenied("/dev/gpiomem".to_owned())).to_string();
        assert!(text.contains("/dev/gpiomem") && text.contains("usermod -aG gpio"), "{text}");
    }
}
