//! The health case of a board: before its first case it has to answer, and to be the unit that the bench says it is. **Drives no line, and changes nothing on the board but the radio of one with `sim: quiet`, which is off afterwards.**
//!
//! The application is asked at the board's own speed: `AT` until it answers, `ATI`, `AT+CGMR` and `AT+CGSN`. A board that does not pass is given up before anything with an effect;
//! why it does not answer is looked for with `AT` at other speeds alone.
//! Its timeline is like that of any case.

use std::path::Path;
use std::time::Duration;

use super::case::{self, Circumstances, Ended, own_case};
use super::conductor::Conductor;
use super::probe::{self, Reach};
use super::progress::Progress;
use super::steps::{Final, answers, question, settle, turn_off_radio};
use super::stop::{Finding, Stop};
use super::watch::Watch;
use super::words::describe_bytes;
use crate::bench::{Board, Sim};
use crate::plan::BOARDS;
use crate::plan::units::show_duration;
use crate::report::escape;
use crate::seam::Seam;
use crate::time::MonoTime;
use crate::timeline::event::{self, Outcome};
use crate::timeline::{ClockKind, Timeline, TimelineError};

/// How long the whole may take. Hosts poll a module that starts for up to 5 s (arduino).
pub const WITHIN: Duration = Duration::from_secs(10);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_millis(500);
/// How long to wait before a question to an application core that is still starting is asked again.
const AGAIN: Duration = Duration::from_millis(250);
/// What a module answers while its application core starts (source: mbed).
const STARTING: u32 = 1120;
/// The module's name in the answer to `ATI` (source: mbed, arduino).
pub(super) const NAME: &str = "ST87M01";

/// What the health case found.
#[derive(Debug, Clone)]
pub struct Health {
    /// How it ended; given up unless it passed or was interrupted.
    pub ended: Ended,
    /// The IMEI that the module answered.
    pub imei: Option<String>,
}

/// Runs the health case of `board` behind `seam` and writes its timeline to `folder`.
///
/// # Errors
/// [`TimelineError`] when the timeline's files cannot be made: nothing was sent then.
pub fn check(
    seam: &mut dyn Seam,
    clock: ClockKind,
    board: &Board,
    around: &Circumstances,
    folder: &Path,
    progress: &Progress,
) -> Result<Health, TimelineError> {
    let mut timeline = Timeline::create(folder, clock)?;
    timeline.mask(around.secrets.iter());
    let name = format!("board {}", board.name);
    progress.started(&name);
    let watch = Watch::new(around.restarts, around.start_up);
    let mut conductor = Conductor::new(seam, timeline, around.port_speed, around.host_late, watch, progress);
    let mut imei = None;
    let result = conductor
        .record(own_case(name, BOARDS, "The application answers, and the unit is the one that the bench means.", board, around))
        .and_then(|_| examine(&mut conductor, board, around, &mut imei));
    let (verdict, mut given_up) = match result {
        Ok(()) => (case::passed(), None),
        Err(Stop::Interrupted) => {
            let reason = "interrupted".to_owned();
            (event::Verdict { outcome: Outcome::Interrupted, reason, ..case::passed() }, None)
        }
        Err(Stop::Failed(finding)) => {
            let probed = probe::diagnose(&mut conductor, around, Reach::Briefly, false);
            let verdict = event::Verdict { diagnosis: probed.diagnosis, ..case::verdict_of(Outcome::Error, None, &finding) };
            (verdict, Some(finding))
        }
        Err(Stop::Forbidden(finding) | Stop::Restarted(finding) | Stop::Rig(finding) | Stop::GivenUp(finding)) => {
            (case::verdict_of(Outcome::Error, None, &finding), Some(finding))
        }
    };
    let outcome = verdict.outcome;
    let (port_speed, speeds_made, restarts) = (conductor.speed, around.speeds_made.clone(), conductor.restarts_left());
    if let Err(stop) = conductor.record(verdict).and_then(|_| conductor.flush()) {
        given_up = given_up.or_else(|| stop.finding().cloned());
    }
    let given_up = given_up.map(|finding| conductor.masked(finding));
    let folder = conductor.folder().to_owned();
    drop(conductor);
    progress.checked(folder);
    let is_quiet = around.sim == Sim::Quiet && outcome == Outcome::Passed;
    Ok(Health { ended: Ended { outcome, diagnosis: None, given_up, port_speed, speeds_made, restarts, commanded: 0, is_quiet }, imei })
}

fn examine(conductor: &mut Conductor<'_>, board: &Board, around: &Circumstances, imei: &mut Option<String>) -> Result<(), Stop> {
    for (name, value) in &around.identity {
        conductor.record(event::Property { name: name.clone(), value: value.clone() })?;
    }
    let deadline = conductor.now() + WITHIN;
    loop {
        let from = conductor.received();
        if answers(conductor, ANSWER)? {
            break;
        }
        if conductor.now() >= deadline {
            return Err(silent(conductor, board, from));
        }
    }
    settle(conductor)?;
    let lines = ask(conductor, "ATI", deadline)?;
    if lines.len() < 3 || !lines.iter().any(|line| line == NAME.as_bytes()) {
        let expected = format!("three lines in answer to ATI, {NAME} among them");
        return Err(Stop::Failed(Finding::new("no ST87M01 answers on this port", expected, shown(&lines), conductor.evidence())));
    }
    let version = one_line(conductor, "AT+CGMR", deadline, |line| line.first().is_some_and(u8::is_ascii_digit))?;
    conductor.record(event::Property { name: "firmware".to_owned(), value: version })?;
    let answered = one_line(conductor, "AT+CGSN", deadline, |line| digits(line).len() == 15)?;
    let answered = String::from_utf8_lossy(&digits(answered.as_bytes())).into_owned();
    conductor.record(event::Property { name: "imei".to_owned(), value: answered.clone() })?;
    *imei = Some(answered.clone());
    match &board.identity.imei {
        Some(wanted) if *wanted != answered => {
            return Err(Stop::Failed(Finding::new(
                format!("another unit is on this port: IMEI {answered}, expected {wanted}"),
                format!("the unit with the IMEI {wanted} (`identity` of {} in the bench file)", board.name),
                format!("IMEI {answered}; plug the right unit in, or correct the bench file"),
                conductor.evidence(),
            )));
        }
        _ => {}
    }
    if around.sim == Sim::Quiet { turn_off_radio(conductor) } else { Ok(()) }
}

/// AT is not answered; shown is what came to the last one, behind `from`, or at all.
fn silent(conductor: &Conductor<'_>, board: &Board, from: u64) -> Stop {
    let last = Some(conductor.last_received(from)).filter(|last| !last.is_empty());
    Stop::Failed(Finding::new(
        format!("the application does not answer AT at {} baud", board.baud),
        format!("OK to AT within {}, before the first case", show_duration(WITHIN)),
        format!(
            "{}. `evkit-hil diagnose` looks further; `health: false` in the bench file takes the board as it is",
            describe_bytes(&last.unwrap_or_else(|| conductor.last_received(0)))
        ),
        conductor.evidence(),
    ))
}

/// The lines before the `OK` to a question, which is asked again while the module says that it is still starting.
pub(super) fn ask(conductor: &mut Conductor<'_>, command: &str, deadline: MonoTime) -> Result<Vec<Vec<u8>>, Stop> {
    loop {
        let answer = question(conductor, command, ANSWER)?;
        match &answer.result {
            Some(Final::Ok) => return Ok(answer.lines),
            // A message in between may have had the first one lost; and a core that starts says so.
            None | Some(Final::Cme(Some(STARTING))) if conductor.now() < deadline => {
                conductor.sleep_until(conductor.now() + AGAIN)?;
            }
            _ => {
                return Err(Stop::Failed(Finding::new(
                    format!("{command} was not answered with OK"),
                    format!("OK to {command} within {} in all", show_duration(WITHIN)),
                    answer.describe(),
                    answer.evidence,
                )));
            }
        }
    }
}

pub(super) fn one_line(conductor: &mut Conductor<'_>, command: &str, deadline: MonoTime, is_it: fn(&[u8]) -> bool) -> Result<String, Stop> {
    let lines = ask(conductor, command, deadline)?;
    match lines.iter().find(|line| is_it(line)) {
        Some(line) => Ok(escape::bytes(line)),
        None => Err(Stop::Failed(Finding::new(
            format!("the answer to {command} is none"),
            if command == "AT+CGSN" { "an IMEI of 15 digits" } else { "a version" },
            shown(&lines),
            conductor.evidence(),
        ))),
    }
}

fn digits(line: &[u8]) -> Vec<u8> {
    line.iter().copied().filter(u8::is_ascii_digit).collect()
}

pub(super) fn shown(lines: &[Vec<u8>]) -> String {
    if lines.is_empty() { "nothing".to_owned() } else { lines.iter().map(|line| describe_bytes(line)).collect::<Vec<_>>().join(", ") }
}
