//! `reset`: drives the reset line. **Resets the board.**

use crate::plan::Reset;
use crate::runner::conductor::Conductor;
use crate::runner::stop::Stop;

pub(super) fn run(conductor: &mut Conductor<'_>, reset: Reset) -> Result<(), Stop> {
    match reset {
        Reset::Pulse(pulse) => conductor.pulse_reset(pulse),
        Reset::Hold(state) => conductor.drive_reset(state, None),
    }
}
