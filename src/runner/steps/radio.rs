//! Turning the radio off (`sim: quiet`): no verb, but what is done between cases on a board whose SIM must not register.

use std::time::Duration;

use super::at::{Final, exchange};
use crate::plan::units::show_duration;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

/// The command: minimum functionality, which leaves the network (source: 3GPP TS 27.007).
const OFF: &str = "AT+CFUN=0";
/// How long one answer may take: the module takes its leave of the network before it gives it.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the whole may take. An application core may still be starting for up to about 30 s (mbed).
pub(in crate::runner) const WITHIN: Duration = Duration::from_secs(30);
/// What a module answers while its application core starts (source: mbed).
const STARTING: u32 = 1120;
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
