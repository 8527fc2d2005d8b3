//! Looking at a GPIO line without driving it: who has it, and what it reads while it is let go.

use std::time::Duration;

use gpiocdev::chip::Chip;
use gpiocdev::line::{Bias as KernelBias, Config as KernelConfig, Value};

use super::gpiocdev::{Place, find, kernel_bias, request};
use super::open::name_of_pin;
use super::{Active, Backend, LineConfig, LineError};

/// The levels that a line has while nobody drives it from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinLevels {
    /// Without a pull resistor of the pin's.
    pub alone: Active,
    /// With the pin's pull towards the level that asserts.
    pub pulled: Active,
}

/// The name under which the kernel has a GPIO line in use; `None` for a free one. A pin that `rppal` drives is not in use for the kernel. Nothing is driven.
///
/// # Errors
/// [`LineError`] when there is no such line, or its chip cannot be opened.
pub fn user_of(config: &LineConfig) -> Result<Option<String>, LineError> {
    let place = place(config)?;
    let unread = |source| LineError::Gpiocdev { what: format!("gpiocdev {place}"), doing: "looked at", source };
    let info = Chip::from_path(&place.chip).and_then(|chip| chip.line_info(place.offset)).map_err(unread)?;
    Ok(info.used.then_some(info.consumer))
}

/// Reads a line that is let go. **The pin becomes an input, first without a pull and then pulled to where the line asserts: a line that nothing else holds is asserted by that, and the board reset.**
/// Left behind is an input with the pull of the bench file or, where that leaves it as it is, none.
///
/// # Errors
/// [`LineError`] when the line is in use, or cannot be read.
pub fn released_levels(config: &LineConfig) -> Result<PinLevels, LineError> {
    let place = place(config)?;
    let towards = match config.active {
        Active::Low => KernelBias::PullDown,
        Active::High => KernelBias::PullUp,
    };
    let alone = read(&place, KernelBias::Disabled)?;
    let pulled = read(&place, towards);
    let left = read(&place, kernel_bias(config.bias).unwrap_or(KernelBias::Disabled));
    Ok(PinLevels { alone, pulled: left.and(pulled)? })
}

fn read(place: &Place, bias: KernelBias) -> Result<Active, LineError> {
    let mut wanted = KernelConfig::default();
    wanted.as_input();
    wanted.bias = Some(bias);
    let claimed = request(place, &wanted)?;
    settle();
    match claimed.value(place.offset) {
        Ok(Value::Active) => Ok(Active::High),
        Ok(Value::Inactive) => Ok(Active::Low),
        Err(source) => Err(LineError::Gpiocdev { what: format!("gpiocdev {place}"), doing: "read", source }),
    }
}

/// Waits until a pull has its effect: one of 50 kOhm charges 100 pF of wire in some 20 µs.
#[expect(clippy::disallowed_methods, reason = "there is no run, and nothing else is waited for")]
fn settle() {
    std::thread::sleep(Duration::from_millis(1));
}

fn place(config: &LineConfig) -> Result<Place, LineError> {
    match &config.backend {
        Backend::RaspberryPi { gpio } | Backend::Rppal { gpio } => find(None, &name_of_pin(*gpio)),
        Backend::Gpiocdev { chip, line } => find(chip.as_deref(), line),
        _ => Err(LineError::Refused(format!("the line {} is no GPIO", config.name))),
    }
}
