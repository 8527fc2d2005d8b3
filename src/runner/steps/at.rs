//! `at`: a command to the application and its answer.
//!
//! The application's answers are framed by CR LF and end with `OK`, `ERROR` or `+CME ERROR`, with or without a number (sources: Easy Connect, arduino). The echo
//! of the command and unsolicited lines may stand in between.

use std::sync::Arc;
use std::time::Duration;

use super::lines::Lines;
use crate::matcher::{Matcher, PatternSet};
use crate::plan::units::show_duration;
use crate::plan::{At, AtAnswer, speeds_in};
use crate::report::escape;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::runner::words::describe_bytes;

/// How long nothing may have come before the line counts as settled.
const QUIET: Duration = Duration::from_millis(100);
/// How long is waited for that at most: a board that talks without end is not this one's affair.
const SETTLED: Duration = Duration::from_secs(2);

/// A final result of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runner) enum Final {
    Ok,
    Error,
    Cme(Option<u32>),
}

impl Final {
    fn of(line: &super::lines::Line) -> Option<Self> {
        if line.is("OK") {
            Some(Self::Ok)
        } else if line.is("ERROR") {
            Some(Self::Error)
        } else {
            let rest = line.after("+CME ERROR")?;
            Some(Self::Cme(rest.trim_start_matches([':', ' ']).parse().ok()))
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ok => "OK".to_owned(),
            Self::Error => "ERROR".to_owned(),
            Self::Cme(Some(number)) => format!("+CME ERROR: {number}"),
            Self::Cme(None) => "+CME ERROR".to_owned(),
        }
    }
}

/// What came as the answer to one command.
pub(in crate::runner) struct Answer {
    pub(in crate::runner) lines: Vec<Vec<u8>>,
    pub(in crate::runner) result: Option<Final>,
    pub(in crate::runner) evidence: Vec<u64>,
}

impl Answer {
    pub(in crate::runner) fn describe(&self) -> String {
        let mut parts: Vec<String> = self.lines.iter().map(|line| describe_bytes(line)).collect();
        parts.extend(self.result.as_ref().map(Final::text));
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }
}

/// Sends a command and takes lines until its final result, at most until `within` after the command has left the wire.
pub(in crate::runner) fn exchange(conductor: &mut Conductor<'_>, command: &str, within: Duration) -> Result<Answer, Stop> {
    speeds_in(command).into_iter().try_for_each(|speed| conductor.try_speed(speed))?;
    let mut bytes = command.as_bytes().to_vec();
    bytes.push(b'\r');
    conductor.command(&bytes)?;
    collect(conductor, command, within)
}

fn collect(conductor: &mut Conductor<'_>, command: &str, within: Duration) -> Result<Answer, Stop> {
    let deadline = conductor.wire_free() + within;
    let mut answer = Answer { lines: Vec::new(), result: None, evidence: conductor.evidence() };
    let mut lines = Lines::default();
    while let Some(line) = lines.application(conductor, deadline)? {
        if let Some(result) = Final::of(&line) {
            if !conductor.in_time(&line.read, deadline)? {
                break;
            }
            answer.result = Some(result);
            answer.evidence = vec![line.read.seq];
            return Ok(answer);
        }
        // The echo is the command itself, behind whatever stood in the line before.
        if !line.bytes.ends_with(command.as_bytes()) && answer.lines.len() < 64 {
            answer.lines.push(line.bytes);
        }
    }
    let unfinished = lines.unfinished();
    if !unfinished.is_empty() && !unfinished.ends_with(command.as_bytes()) {
        answer.lines.push(unfinished.to_vec());
    }
    answer.evidence.extend(conductor.evidence());
    answer.evidence.dedup();
    Ok(answer)
}

pub(super) fn run(conductor: &mut Conductor<'_>, at: &At) -> Result<(), Stop> {
    let mut answer = exchange(conductor, &at.command, at.within)?;
    let mut tries = 1;
    while tries < at.tries && answer.result.is_none() {
        conductor.note(format!("{} was not answered: sent again", at.command))?;
        answer = exchange(conductor, &at.command, at.within)?;
        tries += 1;
    }
    if tries > 1 {
        settle(conductor)?;
    }
    let command = &at.command;
    let wanted = match &at.answer {
        AtAnswer::Ok => "OK".to_owned(),
        AtAnswer::Error => "ERROR or +CME ERROR".to_owned(),
        AtAnswer::Cme(number) => format!("+CME ERROR: {number}"),
        AtAnswer::Any => "a final result".to_owned(),
        AtAnswer::Silent => "no final result".to_owned(),
    };
    let fits = match (&at.answer, &answer.result) {
        (AtAnswer::Ok, Some(Final::Ok))
        | (AtAnswer::Error, Some(Final::Error | Final::Cme(_)))
        | (AtAnswer::Any, Some(_))
        | (AtAnswer::Silent, None) => true,
        (AtAnswer::Cme(wanted), Some(Final::Cme(number))) => *number == Some(*wanted),
        _ => false,
    };
    if !fits {
        let reason = match &answer.result {
            None => format!("{command} was not answered"),
            Some(result) => format!("{command} was answered {}", result.text()),
        };
        return Err(Stop::Failed(Finding::new(
            reason,
            format!("{wanted} within {} of {command}", show_duration(at.within)),
            answer.describe(),
            answer.evidence,
        )));
    }
    let Some(set) = &at.shows else { return Ok(()) };
    match shown(&answer.lines, set) {
        Some(captures) => conductor.keep_captures(&captures, answer.evidence.last().copied().unwrap_or_default()),
        None => Err(not_shown("the answer", command, set, answer.describe(), answer.evidence)),
    }
}

/// No line of `whose` answer to a command shows what it must.
pub(super) fn not_shown(whose: &str, command: &str, set: &PatternSet, seen: String, evidence: Vec<u64>) -> Stop {
    let pattern = set.pattern(0);
    let expected = format!("{pattern} in the answer to {command}, in a line before its result");
    Stop::Failed(Finding::new(format!("{whose} to {command} does not show {pattern}"), expected, seen, evidence))
}

/// What the groups of the pattern capture where one of `lines`, each ended by CR LF again, shows it; `None` where none does.
pub(super) fn shown(lines: &[Vec<u8>], set: &Arc<PatternSet>) -> Option<Vec<(String, Vec<u8>)>> {
    let mut matcher = Matcher::new(Arc::clone(set));
    lines.iter().find_map(|line| {
        let hit = matcher.feed(line).or_else(|| matcher.feed(b"\r\n"))?;
        Some(matcher.resolve(hit).captures)
    })
}

/// Waits until nothing has come for [`QUIET`], and throws away what came: a command that was sent several times may be answered as often, and a later
/// command must not take such an answer for its own.
pub(in crate::runner) fn settle(conductor: &mut Conductor<'_>) -> Result<(), Stop> {
    let limit = conductor.now() + SETTLED;
    while conductor.now() < limit {
        conductor.skip_input();
        conductor.until_input(conductor.now() + QUIET)?;
        if conductor.waiting().is_none() {
            break;
        }
    }
    conductor.skip_input();
    Ok(())
}

/// Whether the application answers `AT` with `OK` now. A CR goes before, and what it brings is thrown away: a hotkey that reached the
/// application leaves bytes in its line.
pub(in crate::runner) fn answers(conductor: &mut Conductor<'_>, within: Duration) -> Result<bool, Stop> {
    conductor.command(b"\r")?;
    let settled = conductor.wire_free() + Duration::from_millis(20);
    conductor.sleep_until(settled)?;
    Ok(exchange(conductor, "AT", within)?.result == Some(Final::Ok))
}

/// Sends `AT+IPR=speed`; whether the application answered `OK` (it then switches).
pub(super) fn change_speed(conductor: &mut Conductor<'_>, speed: crate::baud::Baud, within: Duration) -> Result<bool, Stop> {
    Ok(exchange(conductor, &format!("AT+IPR={speed}"), within)?.result == Some(Final::Ok))
}

/// What the application says of its version.
pub(in crate::runner) enum Firmware {
    /// This, as text.
    Reported(String),
    /// It answers, but not with a version.
    NotReported,
    /// It gives no final result.
    Silent(Answer),
}

impl Firmware {
    /// In words.
    pub(in crate::runner) fn describe(&self) -> String {
        match self {
            Self::Reported(text) => text.clone(),
            Self::NotReported => "an answer without a version".to_owned(),
            Self::Silent(answer) => answer.describe(),
        }
    }
}

/// Asks the application for its version (`AT+CGMR`), twice where the first brings no OK: after a sleep it is lost (arduino), and what had stood in the module's line before spoils it.
pub(in crate::runner) fn read_firmware(conductor: &mut Conductor<'_>, within: Duration) -> Result<Firmware, Stop> {
    let mut answer = exchange(conductor, "AT+CGMR", within)?;
    if !matches!(answer.result, Some(Final::Ok)) {
        answer = exchange(conductor, "AT+CGMR", within)?;
    }
    let version = answer.lines.iter().find(|line| line.first().is_some_and(u8::is_ascii_digit));
    Ok(match (&answer.result, version) {
        (Some(Final::Ok), Some(version)) => Firmware::Reported(escape::bytes(version)),
        (Some(_), _) => Firmware::NotReported,
        (None, _) => Firmware::Silent(answer),
    })
}
