//! `handshake`: the hotkey after a reset, until the boot code acknowledges it. **Resets the board** unless `pulse: none`.

use std::time::Duration;

use super::{ACKNOWLEDGE, HOTKEY, HOTKEY_ST, RESET_PULSE};
use crate::plan::units::show_duration;
use crate::plan::{Handshake, HandshakeOutcome, Strategy};
use crate::runner::conductor::{Conductor, Pumped};
use crate::runner::stop::{Finding, Stop};
use crate::runner::words::describe_bytes;
use crate::time::MonoTime;

/// Easy Connect's wait between the release and the first hotkey.
const ST_SETTLE: Duration = Duration::from_millis(500);
/// How long Easy Connect waits for the acknowledge.
pub(super) const ST_ACKNOWLEDGE: Duration = Duration::from_millis(100);
/// How often Easy Connect tries.
const ST_TRIES: u32 = 3;

pub(in crate::runner) fn run(conductor: &mut Conductor<'_>, handshake: &Handshake) -> Result<(), Stop> {
    let begun = conductor.received();
    let acknowledged = match handshake.strategy {
        Strategy::Repeat { every } => repeat(conductor, handshake, every)?,
        Strategy::St => st(conductor, handshake)?,
    };
    let from = if handshake.pulse.is_some() { "the release" } else { "the step's begin" };
    let how = match handshake.strategy {
        Strategy::Repeat { every } => format!("0xC5 every {} from {from} on", show_duration(every)),
        Strategy::St => format!("0xC5 0xFF {} after {from}, {ST_TRIES} times", show_duration(ST_SETTLE)),
    };
    match (handshake.outcome, acknowledged) {
        (HandshakeOutcome::Acknowledged, true) | (HandshakeOutcome::NotAcknowledged, false) => Ok(()),
        (HandshakeOutcome::Acknowledged, false) => {
            let within = match handshake.strategy {
                Strategy::Repeat { .. } => format!("within {} of {from}", show_duration(handshake.within)),
                Strategy::St => format!("within {} of the hotkey", show_duration(ST_ACKNOWLEDGE)),
            };
            Err(Stop::Failed(Finding::new(
                "the hotkey was not acknowledged",
                format!("0x9A {within} ({how})"),
                describe_bytes(&conductor.last_received(begun)),
                conductor.evidence(),
            )))
        }
        (HandshakeOutcome::NotAcknowledged, true) => {
            Err(Stop::Failed(Finding::new("the hotkey was acknowledged", format!("no acknowledge ({how})"), "0x9A", conductor.evidence())))
        }
    }
}

/// Pulses reset where a pulse is wanted. Returns from when times count: the release, or the present where there is no pulse.
fn begin(conductor: &mut Conductor<'_>, pulse: Option<Duration>) -> Result<MonoTime, Stop> {
    let Some(pulse) = pulse else { return Ok(conductor.now()) };
    conductor.pulse_reset(pulse)?;
    Ok(conductor.moments.release.map_or_else(|| conductor.now(), |release| release.at))
}

/// The hotkey so often from the release, on a grid that does not drift, until it is acknowledged.
fn repeat(conductor: &mut Conductor<'_>, handshake: &Handshake, every: Duration) -> Result<bool, Stop> {
    let from = begin(conductor, handshake.pulse)?;
    let deadline = from + handshake.within;
    let mut next = from;
    let mut queued = conductor.queue_send(&[HOTKEY], Some(next));
    loop {
        if acknowledge_came(conductor, deadline)? {
            conductor.withdraw_send(queued);
            return Ok(true);
        }
        match conductor.pump(deadline)? {
            Pumped::Deadline => {
                conductor.withdraw_send(queued);
                return Ok(false);
            }
            Pumped::Sent(ticket) if ticket == queued => {
                // A host that was held up goes on from there: hotkeys that follow each other without a pause are other bytes to a board at another speed.
                next = (next + every).max(conductor.now() + every / 2);
                if next < deadline {
                    queued = conductor.queue_send(&[HOTKEY], Some(next));
                }
            }
            _ => {}
        }
    }
}

/// Easy Connect's three tries.
fn st(conductor: &mut Conductor<'_>, handshake: &Handshake) -> Result<bool, Stop> {
    for attempt in 1..=ST_TRIES {
        let pulse = if attempt == 1 { handshake.pulse } else { Some(handshake.pulse.unwrap_or(RESET_PULSE)) };
        let from = begin(conductor, pulse)?;
        conductor.sleep_until(from + ST_SETTLE)?;
        if hotkey(conductor)? {
            return Ok(true);
        }
        if attempt < ST_TRIES {
            let waited = show_duration(ST_ACKNOWLEDGE);
            conductor.note(format!("no acknowledge within {waited}: reset again (try {} of {ST_TRIES})", attempt + 1))?;
        }
    }
    Ok(false)
}

/// Sends the hotkey as Easy Connect does; whether the acknowledge came within its 100 ms.
pub(super) fn hotkey(conductor: &mut Conductor<'_>) -> Result<bool, Stop> {
    conductor.command(&HOTKEY_ST)?;
    let deadline = conductor.wire_free() + ST_ACKNOWLEDGE;
    while let Some((byte, read)) = conductor.next_byte(deadline)? {
        if byte == ACKNOWLEDGE && conductor.in_time(&read, deadline)? {
            conductor.moments.acknowledge = Some(conductor.moment_of(&read));
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes what has come; whether an acknowledge is in it. The cursor moves behind the acknowledge.
fn acknowledge_came(conductor: &mut Conductor<'_>, deadline: MonoTime) -> Result<bool, Stop> {
    while conductor.waiting().is_some() {
        match conductor.next_byte(deadline)? {
            Some((ACKNOWLEDGE, read)) if conductor.in_time(&read, deadline)? => {
                conductor.moments.acknowledge = Some(conductor.moment_of(&read));
                return Ok(true);
            }
            Some(_) => {}
            None => return Ok(false),
        }
    }
    Ok(false)
}
