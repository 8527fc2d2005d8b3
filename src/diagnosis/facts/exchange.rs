//! Commands, and what came after them.

use std::time::Duration;

use super::HOTKEY;
use crate::baud::Baud;
use crate::image::Version;
use crate::time::MonoTime;

/// Commands that every module knows.
const KNOWN_COMMANDS: [&str; 6] = ["AT", "ATI", "AT+CGMR", "AT+CGSN", "ATE0", "AT+CMEE=1"];

/// Commands that boot code knows, besides `AT+IPR`.
pub(super) const BOOT_COMMANDS: [&str; 4] = ["ATI0", "ATI01", "AT#UP", "AT#BOOT"];

/// Sent after a start of a module whose SIM must not register (`sim: quiet`), whatever the host is about to do.
pub(super) const RADIO_OFF: &str = "AT+CFUN=0";

/// Whether every application takes a command, so that an error can only mean that it arrived damaged.
pub(in crate::diagnosis) fn is_known_command(command: &str) -> bool {
    KNOWN_COMMANDS.contains(&command) || matches!(command, "AT+IPR=115200" | "AT+IPR=460800")
}

/// Whether every application answers a command by more than a result.
pub(in crate::diagnosis) fn is_told_more(command: &str) -> bool {
    matches!(command, "ATI" | "AT+CGMR" | "AT+CGSN")
}

/// Whether a command restarts the module.
pub(super) fn is_restart(command: &str) -> bool {
    command == "AT#BOOT" || command.starts_with("AT#RESET=")
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum End {
    /// CR alone, as boot code ends lines.
    Cr,
    /// CR LF, as the application does.
    CrLf,
    /// LF alone.
    Lf,
    /// Not at all: something else happened in between.
    None,
}

/// A line that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) struct Line {
    pub(in crate::diagnosis) seq: u64,
    pub(in crate::diagnosis) text: Vec<u8>,
    pub(in crate::diagnosis) end: End,
}

/// A final result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) enum Result {
    /// `OK` of the application.
    Ok,
    /// `ERROR` of the application.
    Error,
    /// `+CME ERROR`, with its number.
    Cme(Option<u32>),
    /// `0` of boot code.
    Zero,
    /// `40xx` of boot code.
    Code(String),
}

impl std::fmt::Display for Result {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::Error => f.write_str("ERROR"),
            Self::Cme(None) => f.write_str("+CME ERROR"),
            Self::Cme(Some(number)) => write!(f, "+CME ERROR: {number}"),
            Self::Zero => f.write_str("0"),
            Self::Code(code) => f.write_str(code),
        }
    }
}

impl Result {
    /// Whether the application said it, not boot code.
    pub(in crate::diagnosis) const fn is_applications(&self) -> bool {
        matches!(self, Self::Ok | Self::Error | Self::Cme(_))
    }
}

/// A command, and what came after it.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Exchange {
    pub(in crate::diagnosis) seq: u64,
    /// The host's speed.
    pub(in crate::diagnosis) speed: Baud,
    pub(in crate::diagnosis) text: String,
    /// The same as it was sent: the application takes small letters.
    pub(in crate::diagnosis) sent: String,
    /// What was sent in its line before it, and comes back with it.
    pub(in crate::diagnosis) before: Vec<u8>,
    /// Whether hotkeys that nobody took were the last thing that was sent before it: an application has them in its line.
    pub(in crate::diagnosis) behind_hotkeys: bool,
    /// The #SLEEP of a module that had not said anything since when it was sent.
    pub(in crate::diagnosis) slept: Option<u64>,
    /// Whether it is the first one since the start, [`RADIO_OFF`] aside.
    pub(in crate::diagnosis) is_first: bool,
    /// Whether a hotkey went before it, or the boot code's preamble.
    pub(in crate::diagnosis) to_boot_code: bool,
    /// Whether the boot code's preamble of backspaces went before it, as a step `boot` sends.
    pub(in crate::diagnosis) has_preamble: bool,
    /// The read that brought it back, character for character.
    pub(in crate::diagnosis) echo: Option<u64>,
    pub(in crate::diagnosis) lines: Vec<Line>,
    pub(in crate::diagnosis) result: Option<(u64, Result)>,
    /// When it was sent, and how long after that the result came.
    pub(in crate::diagnosis) at: MonoTime,
    pub(in crate::diagnosis) took: Duration,
    /// The result came before the echo.
    pub(in crate::diagnosis) is_result_first: bool,
    /// Something else was sent after it, or at another speed: what comes now is not its answer.
    pub(super) is_over: bool,
}

impl Exchange {
    /// Its events: that it was sent, and that it was answered.
    pub(in crate::diagnosis) fn events(&self) -> impl Iterator<Item = u64> {
        [self.seq].into_iter().chain(self.result.as_ref().map(|(seq, _)| *seq))
    }

    /// An application takes the boot code's preamble for a line of its own: an error may be the answer to that, and the command's comes behind it.
    pub(super) fn reopen_behind_preamble(&mut self) {
        let is_refused = matches!(self.result, Some((_, Result::Error | Result::Cme(_))));
        if self.has_preamble && is_refused && !self.is_over {
            self.result = None;
        }
    }

    /// Whether the application answered it, by whichever result.
    pub(in crate::diagnosis) fn is_applications(&self) -> bool {
        self.result.as_ref().is_some_and(|(_, result)| result.is_applications())
    }

    /// Whether it was answered by an error, by whichever program.
    pub(in crate::diagnosis) const fn is_refused(&self) -> bool {
        matches!(self.result, Some((_, Result::Error | Result::Cme(_) | Result::Code(_))))
    }

    /// Whether what comes now can be its answer.
    pub(super) const fn is_open(&self) -> bool {
        self.result.is_none() && !self.is_over
    }

    /// Whether a line is its echo.
    pub(in crate::diagnosis) fn is_echo(&self, line: &[u8]) -> bool {
        line.strip_suffix(self.sent.as_bytes()).is_some_and(|before| {
            let is_hotkeys = self.behind_hotkeys && before.iter().all(|byte| matches!(*byte, HOTKEY | 0xFF));
            is_hotkeys || before.is_empty() || before == self.before
        })
    }

    /// Whether the application goes, perhaps in the middle of its echo.
    pub(super) fn leaves(&self) -> bool {
        self.restarts() || self.text.starts_with("AT#LDRST")
    }

    /// The speed that it asks for.
    pub(in crate::diagnosis) fn told_speed(&self) -> Option<Baud> {
        self.text.strip_prefix("AT+IPR=")?.parse().ok().and_then(Baud::new)
    }

    /// Whether it restarts the module.
    pub(in crate::diagnosis) fn restarts(&self) -> bool {
        is_restart(&self.text)
    }

    /// Whether it is one of boot code's commands, `AT+IPR` aside: the application has that as well.
    pub(in crate::diagnosis) fn is_boot_command(&self) -> bool {
        BOOT_COMMANDS.contains(&self.text.as_str())
    }

    /// Whether it is a loader's word: one that boot code should have answered. A speed that the application does not take is no loader's.
    pub(in crate::diagnosis) fn is_loaders(&self) -> bool {
        let is_refused = matches!(self.result, Some((_, Result::Error | Result::Cme(_))));
        self.to_boot_code || self.is_boot_command() || (self.is_first && self.text.starts_with("AT+IPR=") && !is_refused)
    }

    /// The version in an answer to `AT+CGMR` or `ATI`, and the read that brought it.
    pub(in crate::diagnosis) fn version(&self) -> Option<(u64, Version)> {
        let asked = self.text == "AT+CGMR" || self.text == "ATI";
        let read = |line: &Line| Some((line.seq, str::from_utf8(&line.text).ok()?.parse().ok()?));
        self.lines.iter().filter(|_| asked).find_map(read)
    }
}

/// The final result that a line is. Behind the `0` of `AT#UP` stands the first request, which may be a 10 and looks like LF.
pub(super) fn result_of(line: &Line, is_upload: bool) -> Option<Result> {
    match (line.text.as_slice(), line.end) {
        (b"0", End::CrLf) if is_upload => Some(Result::Zero),
        (b"OK", End::CrLf) => Some(Result::Ok),
        (b"ERROR", End::CrLf) => Some(Result::Error),
        (b"0", End::Cr) => Some(Result::Zero),
        ([b'4', b'0', rest @ ..], End::Cr) if rest.len() == 2 && rest.iter().all(u8::is_ascii_alphanumeric) => {
            Some(Result::Code(String::from_utf8_lossy(&line.text).into_owned()))
        }
        (text, End::CrLf) => {
            let rest = str::from_utf8(text.strip_prefix(b"+CME ERROR")?).ok()?;
            Some(Result::Cme(rest.trim_start_matches([':', ' ']).parse().ok()))
        }
        _ => None,
    }
}

/// A line that comes unasked: `#NAME…` or `+NAME…` (arduino and others).
pub(super) fn is_unsolicited(line: &Line) -> bool {
    line.end == End::CrLf
        && matches!(line.text.as_slice(), [b'#' | b'+', first, ..] if first.is_ascii_uppercase())
        && line.text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}
