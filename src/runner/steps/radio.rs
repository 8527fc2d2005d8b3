//! Turning the radio off (`sim: quiet`): no verb, but what is done after each start of a board whose SIM must not register, and after each case.

use std::time::Duration;

use super::at::{Final, exchange};
use crate::baud::Baud;
use crate::plan::units::show_duration;
use crate::plan::{Action, Send};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::time::MonoTime;

/// The command: minimum functionality, which leaves the network (source: 3GPP TS 27.007).
const OFF: &str = "AT+CFUN=0";
/// How long one answer may take: the module takes its leave of the network before it gives it.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the whole may take. An application core may still be starting for up to about 30 s (mbed).
pub(in crate::runner) const WITHIN: Duration = Duration::from_secs(30);
/// What a module answers while its application core starts (source: mbed).
const STARTING: u32 = 1120;
/// How long before a send that stands at a time the module must have answered, and what an answer needs at the least.
const APART: Duration = Duration::from_millis(500);
/// How long to wait before such a module is told again.
const AGAIN: Duration = Duration::from_millis(250);

/// Turns the radio off. The line is expected to be released and the application to answer.
///
/// # Errors
/// [`Stop::Rig`] when the module does not say that it has: it may be registering as often as it is reset.
pub(in crate::runner) fn turn_off(conductor: &mut Conductor<'_>) -> Result<(), Stop> {
    let limit = conductor.now() + WITHIN;
    loop {
        let answer = exchange(conductor, OFF, ANSWER)?;
        match &answer.result {
            Some(Final::Ok) => return Ok(()),
            None | Some(Final::Cme(Some(STARTING))) if conductor.now() < limit => {
                let again = conductor.now() + AGAIN;
                conductor.sleep_until(again)?;
            }
            _ => {
                return Err(Stop::Rig(Finding::new(
                    "the module was not kept off the network (`sim: quiet` of the board)",
                    format!("OK to {OFF} within {}", show_duration(WITHIN)),
                    answer.describe(),
                    answer.evidence,
                )));
            }
        }
    }
}

/// Turns the radio off after a start within a case, before a step that leaves time for it. Nothing that the module does is an error here: the case's own steps are there to judge it, and after the case it must
/// say that its radio is off. One that does not answer is told no second time before its next start; one that refuses is told again before the next such step.
///
/// # Errors
/// As [`Conductor::pump`].
pub(super) fn keep_off(conductor: &mut Conductor<'_>, home_speed: Baud, next: &Action) -> Result<(), Stop> {
    let Some(within) = conductor.started().and_then(|started| time_before(conductor, started, home_speed, next)) else { return Ok(()) };
    let (sent, matched) = (conductor.moments.sent, conductor.moments.matched);
    conductor.set_step(None);
    conductor.note("the module has started, and its SIM must not register (`sim: quiet` of the board)")?;
    // The case's time is for its steps.
    conductor.deadline += within;
    let answer = exchange(conductor, OFF, within)?;
    if matches!(answer.result, None | Some(Final::Ok)) {
        conductor.dealt_with_start();
    }
    // It is no part of the case: what counts from something in the case does not count from this.
    conductor.moments.sent = sent;
    conductor.moments.matched = matched;
    conductor.moments.step_before = conductor.now();
    Ok(())
}

/// How long the module may take for an answer before the next step; `None` where that step leaves no time for a command.
fn time_before(conductor: &Conductor<'_>, started: MonoTime, home_speed: Baud, next: &Action) -> Option<Duration> {
    // Once something was sent, the module may be about to change its speed, or to answer.
    let is_untouched = conductor.speed == home_speed && conductor.moments.sent.is_none_or(|sent| sent.at < started);
    if conductor.interrupted() {
        return None;
    }
    match next {
        Action::At(_) => Some(ANSWER),
        Action::Wait { .. } | Action::Send(Send { at: None, .. }) => is_untouched.then_some(ANSWER),
        Action::Send(Send { at: Some((from, after)), .. }) => {
            let left = (conductor.moments.of(from)?.at + *after) - (conductor.now() + APART);
            (is_untouched && left >= APART).then_some(left.min(ANSWER))
        }
        _ => None,
    }
}
