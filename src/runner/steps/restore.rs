//! `restore`: puts the board back. The supply on, the lines released, the application answering at the board's speed.
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
/// How long a start is waited for once the run was interrupted (arduino polls `AT` for up to 5 s): two of them, and the ladder twice, fit into what an interrupted run
/// has for this. A slower board is left to come up by itself, and nothing is said against it.
const INTERRUPTED_START: Duration = Duration::from_secs(5);

pub(super) fn run(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts) -> Result<(), Stop> {
    let deadline = conductor.now() + restore.within;
    let was_off = conductor.is_off();
    let was_held = conductor.line == LineState::Asserted;
    // The supply on, and every line released.
    conductor.let_go()?;
    let [release, sent] = [conductor.moments.release, conductor.moments.sent].map(|moment| moment.map(|moment| moment.at));
    // Whoever was let go and has not been asked anything since is on its way up.
    let is_starting = was_off || was_held || (release.is_some_and(|release| release + board.start_up > conductor.now()) && sent < release);
    if is_starting {
        let from = release.filter(|_| !was_off).unwrap_or_else(|| conductor.now());
        conductor.set_speed(board.home_speed)?;
        if starts(conductor, from, board, deadline)? {
            return settle(conductor);
        }
    }
    // After an acknowledge the board is in boot code, where no application answers at any speed: reset first.
    let acknowledge = conductor.moments.acknowledge.map(|moment| moment.at);
    let in_boot_code = acknowledge.is_some() && acknowledge > release;
    let mut found = if in_boot_code { None } else { look(conductor, restore, board, deadline)? };
    if found == Some(board.home_speed) {
        return Ok(());
    }
    if !restore.may_reset {
        conductor.set_speed(board.home_speed)?;
        return Err(not_found(conductor, restore, board, "without a reset", in_boot_code, found));
    }
    conductor.note("restore: the application was not found, the board is reset")?;
    conductor.set_speed(board.home_speed)?;
    conductor.pulse_reset(RESET_PULSE)?;
    let released = conductor.now();
    if starts(conductor, released, board, deadline)? {
        return settle(conductor);
    }
    found = look(conductor, restore, board, deadline)?;
    if found == Some(board.home_speed) {
        return Ok(());
    }
    conductor.set_speed(board.home_speed)?;
    if conductor.interrupted() && board.start_up > INTERRUPTED_START {
        conductor.note("restore: the application does not answer yet, and an interrupted run waits no longer")?;
        return Err(Stop::Interrupted);
    }
    Err(not_found(conductor, restore, board, "before or after a reset", false, found))
}

fn not_found(conductor: &Conductor<'_>, restore: &Restore, board: BoardFacts, when: &str, in_boot_code: bool, found: Option<Baud>) -> Stop {
    let speeds = || restore.ladder.iter().map(Baud::to_string).collect::<Vec<_>>().join(", ");
    Stop::Failed(Finding::new(
        "the board could not be put back",
        format!("the application to answer AT at {} baud, {when}", board.home_speed),
        if in_boot_code {
            "boot code, which has acknowledged the hotkey and was not left".to_owned()
        } else if let Some(found) = found {
            format!("OK at {found} baud, and none at {home} after AT+IPR={home} there", home = board.home_speed)
        } else {
            format!("no OK at {}", speeds())
        },
        conductor.evidence(),
    ))
}

/// Whether the application, which has been starting since `from`, answers at the host's speed within the time that it may take.
fn starts(conductor: &mut Conductor<'_>, from: MonoTime, board: BoardFacts, deadline: MonoTime) -> Result<bool, Stop> {
    loop {
        let patience = if conductor.interrupted() { board.start_up.min(INTERRUPTED_START) } else { board.start_up };
        if conductor.now() >= (from + patience).min(deadline) {
            return Ok(false);
        }
        if answers(conductor, PROBE)? {
            return Ok(true);
        }
    }
}

/// Looks for the application on the ladder, the board's own speed first, and brings it back to that. That speed where it now answers there, else the one at which it was found.
fn look(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts, deadline: MonoTime) -> Result<Option<Baud>, Stop> {
    let home = board.home_speed;
    let others = restore.ladder.iter().copied().filter(|speed| *speed != home);
    for speed in std::iter::once(home).chain(others) {
        if conductor.now() >= deadline {
            return Ok(None);
        }
        if conductor.speed != speed {
            conductor.set_speed(speed)?;
        }
        if !answers_in_two(conductor)? {
            continue;
        }
        settle(conductor)?;
        if speed == home {
            return Ok(Some(home));
        }
        conductor.note(format!("restore: the application answers at {speed} baud, put back to {home}"))?;
        let changed = change_speed(conductor, home, PROBE)?;
        conductor.set_speed(home)?;
        let switched = conductor.now() + SWITCH;
        conductor.sleep_until(switched)?;
        let is_back = changed && answers_in_two(conductor)?;
        return Ok(Some(if is_back { home } else { speed }));
    }
    Ok(None)
}

/// Whether the application answers one of two `AT`: the first after a sleep is lost (arduino), and the first after bytes at another speed may meet what they
/// left in its line.
fn answers_in_two(conductor: &mut Conductor<'_>) -> Result<bool, Stop> {
    Ok(answers(conductor, PROBE)? || answers(conductor, PROBE)?)
}
