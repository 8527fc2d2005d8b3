//! `boot`: a command to the boot code and its answer, as Easy Connect sends it.
//!
//! Before a command a preamble of 128 backspaces and a CR, so that the parser is at a line start. With no answer in time the hotkey again; after an
//! acknowledge the same command is repeated, without the preamble; more than two acknowledges with no answer = it gives no answer (source: Easy Connect).

use std::time::Duration;

use super::handshake;
use super::lines::{Line, Lines};
use crate::plan::units::show_duration;
use crate::plan::{Boot, BootResult, speeds_in};
use crate::report::escape;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::runner::words::describe_bytes;

/// Backspaces before a command.
const PREAMBLE: usize = 128;
/// Restarts into the application.
const LEAVE: &str = "AT#BOOT";
/// Acknowledges without an answer after which no answer is expected any more.
const MOST_ACKNOWLEDGES: u32 = 2;

/// How long an answer may take (source: Easy Connect).
const WITHIN: Duration = Duration::from_millis(300);

/// What boot code answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runner) enum Reply {
    /// `0`
    Success,
    /// `40xx`
    Error(String),
    /// `OK`, `ERROR` or `+CME ERROR`: boot code never says so (inference); the application is very likely who answered.
    Application(String),
    /// No result.
    Silent {
        /// How often the hotkey was acknowledged again.
        acknowledges: u32,
        /// Whether it was each time.
        always: bool,
    },
}

impl Reply {
    /// Whether the application answered by an error.
    fn is_refused_by_application(&self) -> bool {
        matches!(self, Self::Application(said) if said != "OK")
    }
}

/// An answer of the boot code.
#[derive(Debug, Clone)]
pub(in crate::runner) struct BootAnswer {
    pub(in crate::runner) lines: Vec<Vec<u8>>,
    pub(in crate::runner) result: Reply,
    pub(in crate::runner) evidence: Vec<u64>,
}

fn again(times: u32) -> String {
    if times == 1 { "once more".to_owned() } else { format!("{times} more times") }
}

impl BootAnswer {
    pub(in crate::runner) fn describe(&self) -> String {
        let lines = self.lines.iter().map(|line| describe_bytes(line));
        let result = match &self.result {
            Reply::Success => "0".to_owned(),
            Reply::Error(code) => code.clone(),
            Reply::Application(said) => format!("{said}, which boot code never says: very likely the application answered"),
            Reply::Silent { acknowledges, always: true } => {
                format!("no result, although the hotkey was acknowledged {}", again(*acknowledges))
            }
            Reply::Silent { acknowledges: 0, .. } => "no result, and a hotkey behind it is not acknowledged".to_owned(),
            Reply::Silent { acknowledges, .. } => {
                format!("no result, and the hotkey, which was acknowledged {}, is not any more", again(*acknowledges))
            }
        };
        lines.chain(std::iter::once(result)).collect::<Vec<_>>().join(", ")
    }
}

/// The preamble and a command.
fn with_preamble(command: &str) -> Vec<u8> {
    let mut bytes = vec![0x08; PREAMBLE];
    bytes.push(b'\r');
    bytes.extend_from_slice(command.as_bytes());
    bytes.push(b'\r');
    bytes
}

/// Sends a command to the boot code and takes its answer, or none. Leaves the cursor right behind the CR of the result.
fn once(conductor: &mut Conductor<'_>, command: &str, within: Duration) -> Result<BootAnswer, Stop> {
    conductor.command(&with_preamble(command))?;
    collect(conductor, command, within, true)
}

/// As [`once`], with Easy Connect's repetitions when there is no answer.
pub(super) fn exchange(conductor: &mut Conductor<'_>, command: &str, within: Duration) -> Result<BootAnswer, Stop> {
    let bytes = with_preamble(command);
    let mut acknowledges = 0;
    let mut from = 0;
    loop {
        conductor.command(&bytes[from..])?;
        let mut answer = collect(conductor, command, within, from == 0)?;
        if !matches!(answer.result, Reply::Silent { .. }) {
            return Ok(answer);
        }
        let acknowledged = handshake::hotkey(conductor)?;
        acknowledges += u32::from(acknowledged);
        if !acknowledged || acknowledges > MOST_ACKNOWLEDGES {
            answer.result = Reply::Silent { acknowledges, always: acknowledged };
            answer.evidence.extend(conductor.evidence());
            answer.evidence.dedup();
            return Ok(answer);
        }
        conductor.note(format!("{command} was not answered, but the hotkey was acknowledged: sent again without the preamble"))?;
        from = PREAMBLE + 1;
    }
}

/// Asks boot code for its version.
pub(in crate::runner) fn identify(conductor: &mut Conductor<'_>) -> Result<BootAnswer, Stop> {
    exchange(conductor, "ATI0", WITHIN)
}

/// Tells boot code to restart into the application, once: whether it answers before that, nobody has published.
pub(in crate::runner) fn leave(conductor: &mut Conductor<'_>) -> Result<(), Stop> {
    once(conductor, LEAVE, WITHIN)?;
    conductor.moments.acknowledge = None;
    Ok(())
}

fn collect(conductor: &mut Conductor<'_>, command: &str, within: Duration, has_preamble: bool) -> Result<BootAnswer, Stop> {
    let deadline = conductor.wire_free() + within;
    let mut answer =
        BootAnswer { lines: Vec::new(), result: Reply::Silent { acknowledges: 0, always: false }, evidence: conductor.evidence() };
    let mut lines = Lines::default();
    while let Some(line) = lines.boot(conductor, deadline)? {
        if let Some(result) = final_result(&line) {
            if !conductor.in_time(&line.read, deadline)? {
                break;
            }
            answer.evidence = vec![line.read.seq];
            let refused = std::mem::replace(&mut answer.result, result);
            // The application takes the preamble for a line of its own, and may answer that first.
            let is_preambles = has_preamble && matches!(refused, Reply::Silent { .. }) && answer.result.is_refused_by_application();
            if !is_preambles {
                if let Reply::Application(said) = refused {
                    answer.lines.push(said.into_bytes());
                }
                return Ok(answer);
            }
            continue;
        }
        if !line.bytes.ends_with(command.as_bytes()) && answer.lines.len() < 64 {
            answer.lines.push(line.bytes);
        }
    }
    Ok(answer)
}

fn final_result(line: &Line) -> Option<Reply> {
    if line.is("0") {
        Some(Reply::Success)
    } else if line.is("OK") || line.is("ERROR") || line.after("+CME ERROR").is_some() {
        Some(Reply::Application(escape::bytes(&line.bytes).to_string()))
    } else {
        let code = line.after("40").filter(|rest| rest.len() == 2)?;
        Some(Reply::Error(format!("40{}", escape::bytes(code.as_bytes()))))
    }
}

pub(super) fn run(conductor: &mut Conductor<'_>, boot: &Boot) -> Result<(), Stop> {
    speeds_in(&boot.command).into_iter().try_for_each(|speed| conductor.try_speed(speed))?;
    let answer = match boot.result {
        // Nothing is made of the answer, so nothing is repeated for want of one: a hotkey would catch a board that restarts.
        BootResult::Any => once(conductor, &boot.command, boot.within)?,
        _ => exchange(conductor, &boot.command, boot.within)?,
    };
    let command = &boot.command;
    let (fits, wanted) = match (&boot.result, &answer.result) {
        (BootResult::Success, result) => (*result == Reply::Success, "0".to_owned()),
        (BootResult::AnyError, result) => (matches!(result, Reply::Error(_)), "a result 40xx".to_owned()),
        (BootResult::Error(code), result) => (*result == Reply::Error(code.clone()), code.clone()),
        (BootResult::Any, _) => (true, "any result or none".to_owned()),
        (BootResult::Silent, result) => {
            (matches!(result, Reply::Silent { always: true, .. }), "no result, and the hotkey acknowledged each time".to_owned())
        }
    };
    if !fits {
        let reason = match &answer.result {
            Reply::Success => format!("boot code answered {command} with 0"),
            Reply::Error(code) => format!("boot code answered {command} with {code}"),
            Reply::Application(_) => format!("{command} was answered by the application, not by boot code"),
            Reply::Silent { .. } => format!("boot code did not answer {command}"),
        };
        return Err(Stop::Failed(Finding::new(
            reason,
            format!("{wanted} to {command} within {} a try", show_duration(boot.within)),
            answer.describe(),
            answer.evidence,
        )));
    }
    if boot.command == LEAVE {
        // Whoever answers next is the application.
        conductor.moments.acknowledge = None;
    }
    let Some(set) = &boot.shows else { return Ok(()) };
    match super::at::shown(&answer.lines, set) {
        Some(captures) => conductor.keep_captures(&captures, answer.evidence.last().copied().unwrap_or_default()),
        None => Err(super::at::not_shown("boot code's answer", command, set, answer.describe(), answer.evidence)),
    }
}
