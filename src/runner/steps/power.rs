//! `power`: switches the module's supply.

use crate::plan::Power;
use crate::runner::conductor::Conductor;
use crate::runner::stop::Stop;

pub(super) fn run(conductor: &mut Conductor<'_>, power: Power) -> Result<(), Stop> {
    match power {
        Power::On => conductor.power_on(),
        Power::Off => conductor.power_off(),
        Power::Cycle(time) => {
            conductor.power_off()?;
            let until = conductor.now() + time;
            conductor.sleep_until(until)?;
            conductor.power_on()
        }
    }
}
