//! `send`: bytes to the board, at once or at a time counted from a named event.

use crate::plan::Send;
use crate::plan::units::show_duration;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

pub(super) fn run(conductor: &mut Conductor<'_>, send: &Send) -> Result<(), Stop> {
    let Some((anchor, after)) = send.at else {
        return conductor.command(&send.bytes);
    };
    let Some(from) = conductor.anchor(anchor) else {
        return Err(Stop::Rig(Finding::new(
            "`at` counts from an event that has not happened in this case",
            format!("a step before this one that brings about: {}", anchor.name()),
            "no such event on the timeline",
            Vec::new(),
        )));
    };
    let planned = from + after;
    let behind = conductor.now() - planned;
    if behind > conductor.host_late() {
        return Err(Stop::Rig(Finding::new(
            "the time of `at` had passed before the step began",
            format!("to begin the step before {} + {} has passed", anchor.name(), show_duration(after)),
            format!("the step began {:.1} ms later than that", behind.as_secs_f64() * 1e3),
            conductor.evidence(),
        )));
    }
    conductor.send(&send.bytes, Some(planned))
}
