//! A line of a GPIO character device that we drive, through `gpiocdev`.
//!
//! At claim the kernel gives the line to us alone, under the name `evkit-hil`, and the request itself carries the released value (of power: *on*) as the
//! line's first, so that no claim asserts. A line that is in use is an error that names its holder. At drop the line is released, then
//! given back to the kernel: Raspberry Pi kernels keep a push-pull output driven then; with `dtparam=strict_gpiod`, and on most other
//! kernels, it becomes an input. When the process is killed the kernel takes the line back in the same way, so that on a Raspberry Pi
//! without `strict_gpiod` it stays asserted if it was asserted; the guardian then claims and releases it. A power line is not driven at drop, and nobody claims it after a
//! kill; but a line that is given back does what the driver makes of it, and on most kernels that is an input. So a power switch is to be wired so that a line let go means *on*.
//!
//! Polarity is the kernel's: the line is requested as active low or active high and the value *active* asserts. `drive: open-drain` is
//! the kernel's open drain for a line that low asserts, and its open source for one that high asserts. A driver that has neither is
//! emulated by the kernel, which switches the line between input and output. A pull that the driver does not have is passed over by the
//! kernel without a word.
//!
//! A line of open drain that is let go is read back by the kernel from its pin, which is an input then. Where the driver has an open drain of its own it stays an output, and the kernel's
//! documentation (driver-api/gpio/consumer) warns that not every driver can read those: one that cannot gives 0, and so a line that low asserts would always be read as asserted.

use std::fmt;
use std::path::{Path, PathBuf};

use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::{Bias as KernelBias, Config as KernelConfig, Drive as KernelDrive, Value};
use gpiocdev::request::Config as RequestConfig;

use super::{Active, Bias, Drive, GpioLine, LineConfig, LineError, OutputLine, Progress};
use crate::seam::LineState;

/// The name under which the kernel lists our claims (`gpioinfo`).
const CONSUMER: &str = "evkit-hil";

/// A claimed line of a chip.
pub(super) struct GpiocdevLine {
    request: Request,
    place: Place,
    /// Whether what is read while it is released is what others make of it.
    is_let_go: bool,
    /// As it was read back last.
    level: Option<LineState>,
    /// What a drop leaves; `None` for the line as it is.
    dropped: Option<LineState>,
}

/// Where a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chip: PathBuf,
    pub(super) offset: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.chip.display(), self.offset)
    }
}

impl GpiocdevLine {
    /// Claims the line, in its first state, from the kernel.
    pub(super) fn claim(chip: Option<&Path>, line: &GpioLine, config: &LineConfig) -> Result<Self, LineError> {
        let place = find(chip, line)?;
        let request = request(&place, &kernel_config(config))?;
        Ok(Self { request, place, is_let_go: config.is_let_go(), level: None, dropped: config.dropped() })
    }

    fn set(&self, state: LineState) -> Result<(), LineError> {
        let (value, doing) = match state {
            LineState::Asserted => (Value::Active, "asserted"),
            LineState::Released => (Value::Inactive, "released"),
        };
        self.request.set_value(self.place.offset, value).map_err(|source| LineError::Gpiocdev { what: self.describe(), doing, source })
    }
}

impl OutputLine for GpiocdevLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        self.set(state)?;
        Ok(Progress::Done)
    }

    fn read_back(&mut self) -> Result<Progress, LineError> {
        self.level = None;
        if self.is_let_go {
            let read = self.request.value(self.place.offset);
            let value = read.map_err(|source| LineError::Gpiocdev { what: self.describe(), doing: "read back", source })?;
            self.level = Some(state_of(value));
        }
        Ok(Progress::Done)
    }

    fn level(&self) -> Option<LineState> {
        self.level
    }

    fn describe(&self) -> String {
        format!("gpiocdev {}", self.place)
    }
}

impl Drop for GpiocdevLine {
    fn drop(&mut self) {
        if let Some(state) = self.dropped {
            // Nobody is left to be told; the guardian, which claims the line anew, reports what it cannot do.
            let _ = self.set(state);
        }
    }
}

/// What the kernel's value, of which polarity is its affair, says of the line.
const fn state_of(value: Value) -> LineState {
    match value {
        Value::Active => LineState::Asserted,
        Value::Inactive => LineState::Released,
    }
}

/// Asks the kernel for a line.
pub(super) fn request(place: &Place, wanted: &KernelConfig) -> Result<Request, LineError> {
    let mut config = RequestConfig::default();
    config.on_chip(&place.chip).from_line_config(wanted).with_line(place.offset);
    Request::from_config(config).with_consumer(CONSUMER).request().map_err(|source| refused(place, source))
}

/// What the kernel is asked for: an output whose first value is that of the claim.
fn kernel_config(config: &LineConfig) -> KernelConfig {
    let mut wanted = KernelConfig::default();
    wanted.as_output(match config.claimed() {
        LineState::Asserted => Value::Active,
        LineState::Released => Value::Inactive,
    });
    wanted.active_low = config.active == Active::Low;
    wanted.drive = Some(match (config.drive, config.active) {
        (Drive::PushPull, _) => KernelDrive::PushPull,
        (Drive::OpenDrain, Active::Low) => KernelDrive::OpenDrain,
        (Drive::OpenDrain, Active::High) => KernelDrive::OpenSource,
    });
    wanted.bias = kernel_bias(config.bias);
    wanted
}

pub(super) fn kernel_bias(bias: Bias) -> Option<KernelBias> {
    match bias {
        // Absent, not `Disabled`: the setting says that the pull is left as it is.
        Bias::None => None,
        Bias::PullUp => Some(KernelBias::PullUp),
        Bias::PullDown => Some(KernelBias::PullDown),
    }
}

/// The error of a request: who holds the line, where somebody does.
fn refused(place: &Place, source: gpiocdev::Error) -> LineError {
    let what = format!("gpiocdev {place}");
    match Chip::from_path(&place.chip).and_then(|chip| chip.line_info(place.offset)) {
        Ok(info) if info.used => LineError::Busy { what, holder: holder(&info.consumer) },
        Ok(_) | Err(_) => LineError::Gpiocdev { what, doing: "claimed", source },
    }
}

/// The holder of a line in words.
fn holder(consumer: &str) -> String {
    match consumer {
        "" => "a program or driver that gave no name".to_owned(),
        CONSUMER => format!("another run (consumer {CONSUMER:?})"),
        name => format!("{name:?}"),
    }
}

/// Finds the line that the bench file means.
pub(super) fn find(chip: Option<&Path>, line: &GpioLine) -> Result<Place, LineError> {
    match (chip, line) {
        (Some(chip), GpioLine::Offset(offset)) => Ok(Place { chip: open_chip(chip)?.path().to_owned(), offset: *offset }),
        (Some(chip), GpioLine::Name(name)) => {
            let chip = open_chip(chip)?;
            pick(name, &chip.path().display().to_string(), lines_named(name, &chip))
        }
        (None, GpioLine::Name(name)) => {
            let chips = gpiocdev::chip::chips().map_err(|e| missing("/dev/gpiochip*", &e))?;
            if chips.is_empty() {
                return Err(LineError::Missing {
                    what: format!("line {name}"),
                    hint: "this machine has no GPIO character device (/dev/gpiochip0 and so on)".to_owned(),
                });
            }
            let mut places = Vec::new();
            let mut closed = Vec::new();
            for path in &chips {
                match Chip::from_path(path) {
                    Ok(chip) => places.extend(lines_named(name, &chip)),
                    Err(e) => closed.push(format!("{} ({e})", path.display())),
                }
            }
            let mut looked = chips.iter().map(|c| c.display().to_string()).collect::<Vec<_>>().join(", ");
            if !closed.is_empty() {
                looked = format!("{looked}; not opened: {}", closed.join(", "));
            }
            pick(name, &looked, places)
        }
        (None, GpioLine::Offset(offset)) => Err(LineError::Missing {
            what: format!("line {offset}"),
            hint: "an offset counts on one chip: give the chip as well, or the line's name".to_owned(),
        }),
    }
}

fn open_chip(path: &Path) -> Result<Chip, LineError> {
    Chip::from_path(path).map_err(|e| missing(&path.display().to_string(), &e))
}

fn missing(what: &str, error: &gpiocdev::Error) -> LineError {
    LineError::Missing {
        what: format!("GPIO chip {what}"),
        hint: format!("{error}; `ls -l /dev/gpiochip*` shows the chips and the group that may open them"),
    }
}

/// The lines of this name on a chip; one that cannot be read has no name.
fn lines_named(name: &str, chip: &Chip) -> Vec<Place> {
    let Ok(infos) = chip.line_info_iter() else { return Vec::new() };
    let found = infos.flatten().filter(|info| info.name == name);
    found.map(|info| Place { chip: chip.path().to_owned(), offset: info.offset }).collect()
}

/// The one place of a name.
fn pick(name: &str, looked: &str, mut places: Vec<Place>) -> Result<Place, LineError> {
    match (places.pop(), places.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            places.push(last);
            Err(LineError::Ambiguous { name: name.to_owned(), places: places.iter().map(ToString::to_string).collect() })
        }
        (None, _) => Err(LineError::Missing {
            what: format!("line {name}"),
            hint: format!("no line has this name on {looked}; `gpioinfo` lists the names"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use gpiocdev::line::Direction;
    use rstest::rstest;

    use super::*;
    use crate::line::{Backend, Role};

    fn place(chip: &str, offset: u32) -> Place {
        Place { chip: chip.into(), offset }
    }

    #[rstest]
    #[case(Drive::OpenDrain, Active::Low, KernelDrive::OpenDrain)]
    #[case(Drive::OpenDrain, Active::High, KernelDrive::OpenSource)]
    #[case(Drive::PushPull, Active::Low, KernelDrive::PushPull)]
    #[case(Drive::PushPull, Active::High, KernelDrive::PushPull)]
    fn the_request_carries_the_released_value(#[case] drive: Drive, #[case] active: Active, #[case] expected: KernelDrive) {
        for (bias, kernel_bias) in
            [(Bias::None, None), (Bias::PullUp, Some(KernelBias::PullUp)), (Bias::PullDown, Some(KernelBias::PullDown))]
        {
            let backend = Backend::Gpiocdev { chip: None, line: GpioLine::Name("GPIO17".to_owned()) };
            let config = LineConfig { drive, bias, active, ..LineConfig::output("reset", backend) };
            let power = kernel_config(&LineConfig { role: Role::Power, ..config.clone() });
            assert_eq!(power.value, Some(Value::Active), "a claim of power switches it on");
            let wanted = kernel_config(&config);
            assert_eq!(wanted.direction, Some(Direction::Output));
            assert_eq!(wanted.value, Some(Value::Inactive), "a claim starts released");
            assert_eq!(wanted.active_low, active == Active::Low);
            assert_eq!(wanted.drive, Some(expected));
            assert_eq!(wanted.bias, kernel_bias);
        }
    }

    #[test]
    fn the_kernels_active_is_asserted_whichever_level_that_is() {
        assert_eq!([Value::Active, Value::Inactive].map(state_of), [LineState::Asserted, LineState::Released]);
    }

    #[test]
    fn a_name_on_one_chip_is_found() {
        assert_eq!(pick("GPIO17", "", vec![place("/dev/gpiochip0", 17)]).expect("one"), place("/dev/gpiochip0", 17));
    }

    #[test]
    fn a_name_on_two_chips_lists_both() {
        let error = pick("RESET", "", vec![place("/dev/gpiochip0", 4), place("/dev/gpiochip2", 9)]).expect_err("ambiguous");
        assert_eq!(
            error.to_string(),
            "the line name RESET is ambiguous: it is on /dev/gpiochip0 line 4 and on /dev/gpiochip2 line 9; give the chip as well, or the chip and the offset"
        );
    }

    #[test]
    fn a_name_on_no_chip_says_where_it_was_looked_for() {
        let error = pick("GPIO99", "/dev/gpiochip0, /dev/gpiochip1", Vec::new()).expect_err("none");
        assert_eq!(
            error.to_string(),
            "line GPIO99 is not there: no line has this name on /dev/gpiochip0, /dev/gpiochip1; `gpioinfo` lists the names"
        );
    }

    #[test]
    fn a_missing_chip_is_named() {
        let config = LineConfig::output("reset", Backend::Gpiocdev { chip: Some("/dev/gpiochip250".into()), line: GpioLine::Offset(1) });
        let error = crate::line::open(&config).err().expect("no such chip").to_string();
        assert!(error.starts_with("GPIO chip /dev/gpiochip250 is not there: No such file"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_chip_is_refused() {
        let error = find(Some(Path::new("/dev/null")), &GpioLine::Offset(1)).expect_err("not a chip").to_string();
        assert!(error.contains("is not a GPIO character device"), "{error}");
    }

    #[test]
    fn an_offset_needs_a_chip() {
        let error = find(None, &GpioLine::Offset(17)).expect_err("no chip").to_string();
        assert!(error.contains("give the chip as well"), "{error}");
    }

    #[test]
    fn the_holder_is_named() {
        assert_eq!(holder("spi0 CS1"), "\"spi0 CS1\"");
        assert_eq!(holder("evkit-hil"), "another run (consumer \"evkit-hil\")");
        assert_eq!(holder(""), "a program or driver that gave no name");
    }
}
