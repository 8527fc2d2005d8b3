//! `send`: bytes to the board, at once or at a time counted from a named event.

use crate::plan::Send;
use crate::plan::units::show_duration;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

pub(super) fn run(conductor: &mut Conductor<'_>, send: &Send) -> Result<(), Stop> {
    let Some((anchor, after)) = &send.at else {
        return conductor.command(&send.bytes);
    };
    let planned = conductor.moment(anchor, "at")?.at + *after;
    let behind = conductor.now() - planned;
    if behind > conductor.host_late() {
        return Err(Stop::Rig(Finding::new(
            "the time of `at` had passed before the step began",
            format!("to begin the step before {} + {} has passed", anchor.name(), show_duration(*after)),
            format!("the step began {:.1} ms later than that", behind.as_secs_f64() * 1e3),
            conductor.evidence(),
        )));
    }
    conductor.send(&send.bytes, Some(planned))
}
