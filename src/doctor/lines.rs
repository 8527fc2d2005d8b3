//! A board's lines on GPIOs: whether they are there and free, what they do while the computer starts, and whether a released one stays released.

use super::{Ask, Report, System};
use crate::bench::Board;
use crate::line::{Active, Backend, Bias, Drive, GpioLine, LineConfig};

/// Pins of a Raspberry Pi that wake with a pull-up; GPIO9 to 27 wake with a pull-down (BCM2835 ARM Peripherals, table 6-31).
const WAKE_HIGH: std::ops::RangeInclusive<u32> = 0..=8;
const PINS: std::ops::RangeInclusive<u32> = 0..=27;

pub(super) fn check(system: &System<'_>, board: &Board, ask: Ask<'_>, report: &mut Report<'_>) {
    for line in board.all_lines() {
        if !matches!(line.backend, Backend::RaspberryPi { .. } | Backend::Rppal { .. } | Backend::Gpiocdev { .. }) {
            continue;
        }
        if is_free(system, line, report) && line.name == "reset" {
            wake_up(system, line, report);
            released(system, board, line, ask, report);
        }
    }
}

/// Whether the line is there and nobody has it, which is said.
fn is_free(system: &System<'_>, line: &LineConfig, report: &mut Report<'_>) -> bool {
    const CHECK: &str = "line";
    let name = &line.name;
    if let Backend::Gpiocdev { chip: Some(chip), .. } = &line.backend
        && let Some(remedy) = system.refused(chip)
    {
        report.fail(CHECK, format!("{name}: {} may not be opened by this user", chip.display()), remedy);
        return false;
    }
    match system.kernel.line_user(line) {
        Ok(None) => {
            report.fine(CHECK, format!("{name} is there and free"));
            true
        }
        Ok(Some(user)) => {
            report.fail(
                CHECK,
                format!("{name} is in use by {user:?}"),
                "end that program, choose another line, or take the overlay that uses it out of config.txt",
            );
            false
        }
        Err(error) => {
            report.fail(CHECK, format!("{name}: {error}"), "`gpioinfo` lists chips and lines; the bench file names one of them");
            false
        }
    }
}

/// The pin's number on a Raspberry Pi.
fn pin(system: &System<'_>, line: &LineConfig) -> Option<u32> {
    let number = match &line.backend {
        Backend::RaspberryPi { gpio } | Backend::Rppal { gpio } => u32::from(*gpio),
        Backend::Gpiocdev { line: GpioLine::Name(name), .. } => name.strip_prefix("GPIO")?.parse().ok()?,
        Backend::Gpiocdev { line: GpioLine::Offset(offset), .. } => *offset,
        _ => return None,
    };
    let is_pi = system.model().is_some_and(|model| model.starts_with("Raspberry Pi"));
    (is_pi && PINS.contains(&number)).then_some(number)
}

fn wake_up(system: &System<'_>, line: &LineConfig, report: &mut Report<'_>) {
    const CHECK: &str = "wake-up pull";
    let Some(pin) = pin(system, line) else {
        return report.not_looked(CHECK, "what the pin does while this computer starts is known of a Raspberry Pi's only", None);
    };
    let wakes = if WAKE_HIGH.contains(&pin) { "up" } else { "down" };
    let asserts = if line.active == Active::Low { "down" } else { "up" };
    if wakes == asserts {
        let better = if asserts == "down" {
            "GPIO5 or GPIO6, which wake with a pull-up"
        } else {
            "one of GPIO9 to GPIO27, which wake with a pull-down"
        };
        report.warn(
            CHECK,
            format!("GPIO{pin} wakes pulled {wakes}: a Pi that starts can hold the board in reset"),
            format!("wire it to {better}"),
        );
    } else {
        report.fine(CHECK, format!("GPIO{pin} wakes pulled {wakes}, so a Pi that starts leaves the board alone"));
    }
}

/// Whether something outside keeps a line released that is let go.
fn released(system: &System<'_>, board: &Board, line: &LineConfig, ask: Ask<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "released pin";
    if line.drive == Drive::PushPull {
        return report.fine(CHECK, "the line is driven both ways, and needs no pull");
    }
    if line.bias == opposite(line) {
        return report.fine(CHECK, "the pin pulls a line that is let go to where it is released");
    }
    let question =
        format!("Read the released reset pin of {}? That lets go of it and pulls it for a moment, which may reset the board.", board.name);
    match ask(&question) {
        Some(true) => {}
        Some(false) => return report.not_looked(CHECK, "not read: you said no", None),
        None => {
            return report.not_looked(
                CHECK,
                "not read: that may reset the board, and nobody is here to be asked",
                Some("--yes reads it".to_owned()),
            );
        }
    }
    let (to_released, to_asserted) = if line.active == Active::Low { ("high", "low") } else { ("low", "high") };
    let remedy = if line.active == Active::Low {
        "`bias: pull-up`, or `drive: push-pull` behind a level shifter"
    } else {
        "`bias: pull-down`, or `drive: push-pull`"
    };
    match system.kernel.released_levels(line) {
        Ok(levels) if levels.alone == line.active => report.fail(
            CHECK,
            format!("it reads {to_asserted} although nobody asserts it: the board is held in reset (button, no supply), or nothing pulls the line"),
            format!("check the kit's supply and its button, then {remedy}"),
        ),
        Ok(levels) if levels.pulled == line.active => report.fail(
            CHECK,
            format!("it reads {to_released}, and {to_asserted} when it is pulled there weakly: nothing outside keeps it released"),
            remedy,
        ),
        Ok(_) => report.fine(CHECK, format!("it reads {to_released}, also when it is pulled the other way weakly: something outside keeps it released")),
        Err(error) => report.fail(CHECK, error.to_string(), "the line has to be there and free"),
    }
}

/// The pull that keeps a line released.
fn opposite(line: &LineConfig) -> Bias {
    match line.active {
        Active::Low => Bias::PullUp,
        Active::High => Bias::PullDown,
    }
}
