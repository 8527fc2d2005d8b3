//! Probes: what is done to a board on which a case has failed to decide between the causes that fit. **None changes anything that outlives a reset**: no AT+IPR, no
//! upload, nothing that is saved. [`Probe::Reset`] resets the board.

use std::collections::BTreeSet;
use std::time::Duration;

use super::case::Circumstances;
use super::conductor::{Conductor, Pumped};
use super::steps::{self, RESET_PULSE};
use super::stop::{Finding, Stop};
use crate::baud::Baud;
use crate::bench::{BoardKind, Sim};
use crate::diagnosis::{Probe, USUAL};
use crate::plan::{Handshake, Strategy};
use crate::seam::LineId;
use crate::time::MonoTime;
use crate::timeline::event;

/// How long an answer to `AT` may take.
const ANSWER: Duration = Duration::from_millis(300);
/// No line pauses for so long in its middle, and hardly an answer before it.
const PAUSE: Duration = Duration::from_millis(100);
/// How long what is on its way is waited for at most: a board that talks without end is asked all the same.
const COMING: Duration = Duration::from_millis(500);
/// How often it is asked who it is.
const MORE: u32 = 4;
/// How long is listened.
const LISTEN: Duration = Duration::from_secs(3);
/// How long the hotkey is sent.
const HOTKEYS: Duration = Duration::from_secs(3);
/// How often the hotkey is sent then, and how long: a window that is shorter than the pause in a handshake shows as well.
const OFTEN: Duration = Duration::from_millis(1);
const OFTEN_FOR: Duration = Duration::from_millis(250);
/// At which speed boot code may listen as well: the one to which loaders set it (Easy Connect).
const FASTER: Baud = match Baud::new(460_800) {
    Some(speed) => speed,
    None => Baud::DEFAULT,
};
/// How long the wake line is asserted.
const WAKE_PULSE: Duration = Duration::from_millis(100);
/// What tells that the application has started.
const STARTED: &[u8] = b"#SYSSTART";
/// More than this a line's backend takes only where a person or a program is asked, and those are not troubled for a probe.
const QUICK: Duration = Duration::from_secs(2);

/// The most probes of one diagnosis: each once, and resets at other speeds.
const MOST: usize = Probe::ALL.len() + 3;

/// What probes may do to a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Ask it and drive its lines.
    Lines,
    /// Only ask it.
    Words,
    /// Only ask it, and wait for no start.
    Briefly,
}

/// What probes brought.
#[derive(Debug, Default)]
pub(super) struct Probed {
    /// The cause that fits; `None` when no known one does.
    pub(super) diagnosis: Option<event::Diagnosis>,
    /// The reset line was pulsed: whether the application then said that it has started.
    pub(super) started: Option<bool>,
    /// It was asked at every speed.
    has_asked: bool,
    /// Why the probes could not go on.
    pub(super) stop: Option<Stop>,
}

impl Probed {
    /// Why the board cannot go on, where that was found on the way.
    pub(super) fn given_up(&self) -> Option<Finding> {
        match &self.stop {
            Some(Stop::GivenUp(finding)) => Some(finding.clone()),
            _ => None,
        }
    }
}

/// How much longer than two starts one probe may take. Each has its own bounds, which count from when the wire is free: at a slow speed what a case has sent may keep it busy for hours.
const WITHIN: Duration = Duration::from_secs(60);

/// The cause that fits what the timeline has, decided by as many probes as that takes. What they find is recorded. **Does to the board what the probes do**, unless
/// it is of a kind of which nobody knows what that would be. Where `is_of_step`, a step has failed: that nothing is wrong with the board is an answer as well.
pub(super) fn diagnose(conductor: &mut Conductor<'_>, around: &Circumstances, reach: Reach, is_of_step: bool) -> Probed {
    let look = |conductor: &mut Conductor<'_>| {
        let found = conductor.diagnose().ok().flatten();
        found.or_else(|| conductor.not_as_expected().filter(|_| is_of_step))
    };
    let deadline = conductor.deadline;
    conductor.set_deadline(MonoTime::FAR_FUTURE);
    let speed = conductor.speed;
    let mut probed = Probed::default();
    // A diagnosis is a help, not a condition: a case that has none, or whose probe was cut short, has failed all the same. A board that is lost on the way is lost.
    if around.kind == BoardKind::St87m01 {
        // Something else may hold it. One that cannot be read back tells nothing.
        probed.stop = conductor.read_back(LineId::RESET).and_then(|_| let_come(conductor)).err();
    }
    let mut found = look(conductor);
    // Once something has come in between, no more is tried.
    let probes = if probed.stop.is_none() { MOST } else { 0 };
    for _ in 0..probes {
        let Some(probe) = found.as_ref().and_then(|diagnosis| diagnosis.probe).filter(|probe| may(conductor, around, reach, *probe)) else {
            break;
        };
        let recorded = found.clone().map_or(Ok(0), |undecided| conductor.record(undecided));
        conductor.set_deadline(conductor.now() + around.start_up * 2 + WITHIN);
        let at = found.as_ref().and_then(|diagnosis| diagnosis.at);
        let carried_out = recorded
            .and_then(|_| at.map_or(Ok(()), |at| conductor.set_speed(at)))
            .and_then(|()| carry_out(conductor, around, probe, &mut probed))
            .and_then(|()| if at.is_some() { stays(conductor, around) } else { Ok(()) })
            .and_then(|()| if conductor.speed == speed { Ok(()) } else { conductor.set_speed(speed) });
        // What was cut short sends nothing more, and its pulse ends at once.
        conductor.end_handlers();
        let carried_out = match (conductor.end_pulses(), carried_out) {
            (Err(stop @ Stop::GivenUp(_)), _) => Err(stop),
            (ended, carried_out) => carried_out.and(ended),
        };
        found = look(conductor).or(found);
        if let Err(stop) = carried_out {
            probed.stop = Some(stop);
            break;
        }
    }
    conductor.set_deadline(MonoTime::FAR_FUTURE);
    if matches!(probed.stop, Some(Stop::Restarted(_))) {
        // Why it has restarted may come right behind the message that showed it, which says that once more.
        let reason = let_come(conductor);
        found = look(conductor).or(found);
        probed.stop = reason.err().filter(|stop| matches!(stop, Stop::GivenUp(_) | Stop::Interrupted)).or(probed.stop);
    }
    if conductor.speed != speed {
        // A rig that fails here fails again, and is told, when the board is put back.
        let _ = conductor.set_speed(speed);
    }
    conductor.set_deadline(deadline);
    Probed { diagnosis: found, ..probed }
}

/// Waits until nothing comes any more: a case may end at the first byte of a line, and the rest of it says what that was.
fn let_come(conductor: &mut Conductor<'_>) -> Result<(), Stop> {
    let limit = conductor.now() + COMING;
    loop {
        let recorded = conductor.recorded();
        conductor.sleep_until(conductor.now() + PAUSE)?;
        if conductor.recorded() == recorded || conductor.now() >= limit {
            return Ok(());
        }
    }
}

/// Whether a probe may be carried out on this board.
fn may(conductor: &Conductor<'_>, around: &Circumstances, reach: Reach, probe: Probe) -> bool {
    let is_quick = |line: LineId| conductor.answer_within(line).is_some_and(|within| within <= QUICK);
    let drives = match probe {
        // A module that must not register is not reset for a guess.
        Probe::Reset | Probe::Boot => reach == Reach::Lines && around.sim == Sim::None && is_quick(LineId::RESET),
        Probe::Wake => reach == Reach::Lines,
        Probe::Wait => reach != Reach::Briefly,
        Probe::Ask | Probe::Listen => true,
    };
    drives && around.kind == BoardKind::St87m01 && !conductor.interrupted() && !conductor.is_off()
}

/// Carries out a probe.
///
/// # Errors
/// [`Stop`] when something came in between: the run was interrupted, the port vanished, the module restarted by itself.
fn carry_out(conductor: &mut Conductor<'_>, around: &Circumstances, probe: Probe, probed: &mut Probed) -> Result<(), Stop> {
    conductor.record(event::Probe { probe })?;
    conductor.show(&format!("probe {probe}: {}", probe.in_short()));
    match probe {
        Probe::Ask => {
            probed.has_asked = true;
            if ask(conductor)?.is_some() { ask_more(conductor) } else { Ok(()) }
        }
        Probe::Wait => {
            let release = conductor.moments.release.filter(|_| conductor.is_silent_since_release());
            let from = release.map_or_else(|| conductor.now(), |release| release.at);
            let received = conductor.received();
            let has_started = started(conductor, received, from + around.start_up)?;
            if (has_started || !probed.has_asked) && ask(conductor)?.is_some() { ask_more(conductor) } else { Ok(()) }
        }
        Probe::Reset => {
            conductor.pulse_reset(RESET_PULSE)?;
            let until = conductor.now() + around.start_up;
            let received = conductor.received();
            let has_started = started(conductor, received, until)?;
            probed.started = Some(has_started);
            if !has_started && conductor.received() == received {
                return Ok(());
            }
            // At once: what shuts itself down may do so soon.
            let answered = steps::question(conductor, "AT", ANSWER)?;
            if answered.result.is_some() || !answered.lines.is_empty() { ask_more(conductor) } else { Ok(()) }
        }
        Probe::Wake => {
            if let Some(wake) =
                conductor.line_named("wake").filter(|line| conductor.answer_within(line.id).is_some_and(|within| within <= QUICK))
            {
                conductor.pulse_line(wake.id, WAKE_PULSE)?;
            }
            if asked_here(conductor)? { ask_more(conductor) } else { Ok(()) }
        }
        Probe::Listen => {
            conductor.skip_input();
            let until = conductor.now() + LISTEN;
            conductor.sleep_until(until)
        }
        Probe::Boot => {
            'speeds: for speed in BTreeSet::from([conductor.speed, around.home_speed, FASTER]) {
                if conductor.speed != speed && !conductor.take_speed(speed)? {
                    continue;
                }
                for (every, within) in [(Handshake::EVERY, HOTKEYS), (OFTEN, OFTEN_FOR)] {
                    match steps::handshake(conductor, &Handshake { strategy: Strategy::Repeat { every }, within, ..Handshake::default() }) {
                        Ok(()) => break 'speeds,
                        // That it is not acknowledged is what was to be found out.
                        Err(Stop::Failed(_)) => {}
                        Err(stop) => return Err(stop),
                    }
                }
            }
            conductor.pulse_reset(RESET_PULSE)
        }
    }
}

/// [`Probe::Ask`] where it is a part of the examination, whatever the diagnosis would want. The speed at which the application answered; the host goes back to its own.
pub(super) fn look(conductor: &mut Conductor<'_>) -> Result<Option<Baud>, Stop> {
    conductor.record(event::Probe { probe: Probe::Ask })?;
    let home = conductor.speed;
    let answered = ask(conductor)?;
    if conductor.speed != home {
        conductor.set_speed(home)?;
    }
    Ok(answered)
}

/// Waits until the application says that it has started, behind the first `from` bytes; whether it did before `until`.
pub(super) fn started(conductor: &mut Conductor<'_>, from: u64, until: MonoTime) -> Result<bool, Stop> {
    loop {
        if conductor.last_received(from).windows(STARTED.len()).any(|window| window == STARTED) {
            return Ok(true);
        }
        if conductor.pump(until)? == Pumped::Deadline {
            return Ok(false);
        }
    }
}

/// Listens for as long as the application may take to start: whether it restarts by itself shows only at its own speed.
fn stays(conductor: &mut Conductor<'_>, around: &Circumstances) -> Result<(), Stop> {
    let until = conductor.now() + around.start_up;
    conductor.sleep_until(until)
}

/// `AT` at the host's speed, and then at each usual one that the port can make, until one is answered: that one. The host stays at the last.
pub(super) fn ask(conductor: &mut Conductor<'_>) -> Result<Option<Baud>, Stop> {
    let home = conductor.speed;
    if asked_here(conductor)? {
        return Ok(Some(home));
    }
    for speed in USUAL.into_iter().filter_map(Baud::new).filter(|speed| *speed != home) {
        if conductor.take_speed(speed)? && asked_here(conductor)? {
            return Ok(Some(speed));
        }
    }
    Ok(None)
}

/// Who it is, several times: longer answers, which are the same each time unless something happens to them on the way.
fn ask_more(conductor: &mut Conductor<'_>) -> Result<(), Stop> {
    let mut answered = true;
    for _ in 0..MORE {
        answered = steps::question(conductor, "ATI", ANSWER)?.result.is_some();
    }
    // Whether it has gone, or lost a few.
    if answered { Ok(()) } else { asked_here(conductor).map(drop) }
}

/// `AT`, twice: the first after a sleep is lost (arduino). Whether one was answered.
pub(super) fn asked_here(conductor: &mut Conductor<'_>) -> Result<bool, Stop> {
    Ok(steps::answers(conductor, ANSWER)? || steps::answers(conductor, ANSWER)?)
}
