//! `restore`: puts the board back. The line released, the application answering at the board's speed.
//!
//! Nobody has published at which speed a module starts, so this relies on nothing: it looks for the application on a ladder of speeds, resets the board,
//! and looks again. **May reset the board and send AT+IPR.**

use std::time::Duration;

use super::at::{answers, change_speed, settle};
use super::{BoardFacts, RESET_PULSE};
use crate::baud::Baud;
use crate::plan::Restore;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::seam::LineState;
use crate::time::MonoTime;

/// How long an answer to `AT` may take while the application is looked for.
const PROBE: Duration = Duration::from_millis(300);
/// How long the module may take to switch its speed after it has said `OK` (Easy Connect waits 300 ms, in boot code).
const SWITCH: Duration = Duration::from_millis(300);
/// How long the application may take to start after a reset (arduino polls `AT` for up to 5 s).
const START: Duration = Duration::from_secs(5);

pub(super) fn run(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts) -> Result<(), Stop> {
    let deadline = conductor.now() + restore.within;
    if conductor.line == LineState::Asserted {
        conductor.drive_reset(LineState::Released, None)?;
    }
    // After an acknowledge the board is in boot code, where no application answers at any speed: reset first.
    let in_boot_code = conductor.anchors.acknowledge.is_some() && conductor.anchors.acknowledge > conductor.anchors.release;
    if !in_boot_code && look(conductor, restore, board, deadline)? {
        return Ok(());
    }
    conductor.note("restore: the application was not found, the board is reset")?;
    conductor.set_speed(board.home_speed)?;
    conductor.pulse_reset(RESET_PULSE)?;
    let started = (conductor.now() + START).min(deadline);
    while conductor.now() < started {
        if answers(conductor, PROBE)? {
            return settle(conductor);
        }
    }
    if look(conductor, restore, board, deadline)? {
        return Ok(());
    }
    conductor.set_speed(board.home_speed)?;
    Err(Stop::Failed(Finding::new(
        "the board could not be put back",
        format!("the application to answer AT at {} baud, before or after a reset", board.home_speed),
        format!("no OK at {}", restore.ladder.iter().map(Baud::to_string).collect::<Vec<_>>().join(", ")),
        conductor.evidence(),
    )))
}

/// Looks for the application on the ladder, the board's own speed first, and brings it back to that. Whether it now answers there.
fn look(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts, deadline: MonoTime) -> Result<bool, Stop> {
    let home = board.home_speed;
    let others = restore.ladder.iter().copied().filter(|speed| *speed != home);
    for speed in std::iter::once(home).chain(others) {
        if conductor.now() >= deadline {
            return Ok(false);
        }
        if conductor.speed != speed {
            conductor.set_speed(speed)?;
        }
        if !answers_in_two(conductor)? {
            continue;
        }
        settle(conductor)?;
        if speed == home {
            return Ok(true);
        }
        conductor.note(format!("restore: the application answers at {speed} baud, put back to {home}"))?;
        let changed = change_speed(conductor, home, PROBE)?;
        conductor.set_speed(home)?;
        let switched = conductor.now() + SWITCH;
        conductor.sleep_until(switched)?;
        return Ok(changed && answers_in_two(conductor)?);
    }
    Ok(false)
}

/// Whether the application answers one of two `AT`: the first after a sleep is lost (arduino), and the first after bytes at another speed may meet what they
/// left in its line.
fn answers_in_two(conductor: &mut Conductor<'_>) -> Result<bool, Stop> {
    Ok(answers(conductor, PROBE)? || answers(conductor, PROBE)?)
}
