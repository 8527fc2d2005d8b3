//! The verbs: each step's map becomes what the runner carries out. docs/scenarios.md is the reference.

use std::collections::BTreeMap;
use std::time::Duration;

use super::file::{AtMap, BootMap, ExpectMap, HandshakeMap, QuietMap, ResetMap, RestoreMap, SendMap, UploadMap, Verb};
use super::images::Made;
use super::patterns::{Forms, hex_bytes, patterns, single, text_bytes};
use super::reader::Reader;
use crate::baud::Baud;
use crate::diagnosis::Cause;
use crate::document::{Cursor, Refusal, Short, Text, known, unknown_word};
use crate::matcher::DEFAULT_WINDOW;
use crate::plan::units::{parse_baud, parse_duration, parse_size};
use crate::plan::{
    Action, Anchor, At, AtAnswer, Boot, BootResult, Expect, Handshake, HandshakeOutcome, PlannedImage, Quiet, Reset, Restore, Send, Step,
    Strategy, Upload, UploadResult,
};
use crate::seam::LineState;

/// The most that a match's begin and captures are looked for in.
const MAX_CAPTURE: usize = 1 << 20;
/// Easy Connect's reset pulse.
const PULSE: Duration = Duration::from_millis(15);
/// Time between two hotkeys of the strategy `repeat`.
const EVERY: Duration = Duration::from_millis(5);
/// How long the strategy `repeat` waits for an acknowledge.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(1);
/// How long a command to the application may take.
const AT_WITHIN: Duration = Duration::from_secs(2);
/// How long a command to the boot code may take (Easy Connect).
const BOOT_WITHIN: Duration = Duration::from_millis(300);
/// The longest command that the boot code takes (Easy Connect).
const BOOT_COMMAND: usize = 160;
/// How long one request of an upload may take: long enough for an erase of the flash.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// How long an upload may take.
const UPLOAD_WITHIN: Duration = Duration::from_secs(600);

/// Reads the steps of one case.
pub(super) struct Steps<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
    /// Images that steps may name.
    pub(super) images: &'a BTreeMap<String, PlannedImage>,
    /// Images made so far.
    pub(super) made: &'a mut Made,
    /// Images that the steps did name.
    pub(super) used: BTreeMap<String, PlannedImage>,
}

impl Steps<'_, '_> {
    /// The step `verb`, which stands at `cursor` as a map with one key; `None` when it was refused.
    pub(super) fn step(&mut self, verb: &Verb, cursor: Cursor<'_>, id: u16) -> Option<Step> {
        let entry = cursor.entries().next().unwrap_or(cursor);
        let (because, control) = said_beside(verb);
        let control = control.map_or(Some(false), |text| {
            self.reader.word(entry.get("control"), text, "`true` or `false`", &[("true", true), ("false", false)])
        });
        let action = self.action(verb, entry);
        let because = because.map(|text| text.0.clone());
        Some(Step { id, line: cursor.line(), text: entry.entry_line(), because, control: control?, action: action? })
    }

    fn action(&mut self, verb: &Verb, at: Cursor<'_>) -> Option<Action> {
        match verb {
            Verb::Reset(reset) => self.reset(reset, at).map(Action::Reset),
            Verb::Uart(map) => self.baud(at.get("baud"), &map.baud).map(|baud| Action::Uart { baud }),
            Verb::Send(map) => self.send(map, at).map(Action::Send),
            Verb::Expect(map) => self.expect(map, at).map(Action::Expect),
            Verb::Quiet(quiet) => self.quiet(quiet, at).map(Action::Quiet),
            Verb::Wait(Short::Scalar(text)) => self.positive(at, text).map(|duration| Action::Wait { duration }),
            Verb::Wait(Short::Map(map)) => self.positive(at.get("for"), &map.r#for).map(|duration| Action::Wait { duration }),
            Verb::Wait(Short::Nothing) => self.needs(at, "wait: 300 ms"),
            Verb::At(map) => self.at(map, at).map(Action::At),
            Verb::Handshake(handshake) => self.handshake(handshake, at).map(Action::Handshake),
            Verb::Boot(map) => self.boot(map, at).map(Action::Boot),
            Verb::Upload(map) => self.upload(map, at).map(Action::Upload),
            Verb::Diagnosis(Short::Scalar(text)) => self.cause(at, text).map(Action::Diagnosis),
            Verb::Diagnosis(Short::Map(map)) => self.cause(at.get("cause"), &map.cause).map(Action::Diagnosis),
            Verb::Diagnosis(Short::Nothing) => self.needs(at, "diagnosis: application-answered"),
            Verb::Restore(restore) => self.restore(restore, at).map(Action::Restore),
        }
    }

    fn reset(&mut self, reset: &Short<ResetMap>, at: Cursor<'_>) -> Option<Reset> {
        let words = [("assert", LineState::Asserted), ("release", LineState::Released)];
        match reset {
            Short::Scalar(text) => self.reader.word(at, text, "a state of the reset line", &words).map(Reset::Hold),
            Short::Map(ResetMap { pulse: Some(pulse), line: None, .. }) => self.positive(at.get("pulse"), pulse).map(Reset::Pulse),
            Short::Map(ResetMap { pulse: None, line: Some(line), .. }) => {
                self.reader.word(at.get("line"), line, "a state of the reset line", &words).map(Reset::Hold)
            }
            Short::Map(_) | Short::Nothing => self.needs(at, "reset: { pulse: 15 ms }`, `reset: assert` or `reset: release"),
        }
    }

    fn send(&mut self, map: &SendMap, at: Cursor<'_>) -> Option<Send> {
        let bytes = match (&map.text, &map.hex) {
            (Some(text), None) => self.reader.value(at.get("text"), text, text_bytes),
            (None, Some(hex)) => self.reader.value(at.get("hex"), hex, hex_bytes),
            _ => self.needs(at, "send: { text: \"AT\\r\" }` or `send: { hex: c5 ff }"),
        };
        let when = match &map.at {
            Some(text) => Some(self.reader.value(at.get("at"), text, after_anchor)),
            None => None,
        };
        Some(Send { bytes: bytes?.into(), raw: map.hex.is_some(), at: given_and_read(when)? })
    }

    fn expect(&mut self, map: &ExpectMap, at: Cursor<'_>) -> Option<Expect> {
        let forms = Forms { text: map.text.as_ref(), hex: map.hex.as_ref(), regex: map.regex.as_ref() };
        let wanted = forms.pattern(at, self.reader);
        let known = wanted.is_some();
        let patterns = patterns(wanted, map.never.as_deref(), at, self.reader).filter(|_| known);
        let within = self.positive(at.get("within"), &map.within);
        let of = map.of.as_ref().map_or(Some(Anchor::StepBefore), |text| self.reader.value(at.get("of"), text, anchor));
        let capture_limit = map.capture_limit.as_ref().map_or(Some(DEFAULT_WINDOW), |text| {
            self.reader.value(at.get("capture-limit"), text, |text| {
                let bytes = usize::try_from(parse_size(text)?).unwrap_or(usize::MAX);
                let out_of_range = || Refusal::new(format!("a capture limit of {text}"), "from 1 B to 1 MiB");
                Some(bytes).filter(|bytes| (1..=MAX_CAPTURE).contains(bytes)).ok_or_else(out_of_range)
            })
        });
        Some(Expect { patterns: patterns?, within: within?, of: of?, capture_limit: capture_limit? })
    }

    fn quiet(&mut self, quiet: &Short<QuietMap>, at: Cursor<'_>) -> Option<Quiet> {
        match quiet {
            Short::Scalar(text) => Some(Quiet { duration: self.positive(at, text)?, never: None }),
            Short::Map(map) => {
                let duration = self.positive(at.get("for"), &map.r#for);
                let never = map.never.as_deref().map(|never| patterns(None, Some(never), at, self.reader));
                Some(Quiet { duration: duration?, never: given_and_read(never)? })
            }
            Short::Nothing => self.needs(at, "quiet: 200 ms"),
        }
    }

    fn at(&mut self, map: &AtMap, at: Cursor<'_>) -> Option<At> {
        let command = self.reader.value(at.get("command"), &map.command, command);
        let answer = map.answer.as_ref().map_or(Some(AtAnswer::Ok), |text| self.reader.value(at.get("answer"), text, at_answer));
        let shows = map.shows.as_ref().map(|shows| single(shows, at.get("shows"), self.reader));
        let within = self.duration_or(at, "within", map.within.as_ref(), AT_WITHIN);
        let tries = map.tries.as_ref().map_or(Some(1), |text| {
            self.reader.value(at.get("tries"), text, |text| {
                text.parse()
                    .ok()
                    .filter(|tries| (1..=100).contains(tries))
                    .ok_or_else(|| Refusal::new(format!("`{text}` tries"), "from 1 to 100"))
            })
        });
        self.nothing_shown_in_silence(at, answer == Some(AtAnswer::Silent), map.shows.is_some())?;
        Some(At { command: command?, answer: answer?, shows: given_and_read(shows)?, within: within?, tries: tries? })
    }

    fn handshake(&mut self, handshake: &Short<HandshakeMap>, at: Cursor<'_>) -> Option<Handshake> {
        let map = match handshake {
            Short::Map(map) => map,
            Short::Nothing => {
                let strategy = Strategy::Repeat { every: EVERY };
                return Some(Handshake {
                    strategy,
                    pulse: Some(PULSE),
                    within: ACKNOWLEDGE_WITHIN,
                    outcome: HandshakeOutcome::Acknowledged,
                });
            }
            Short::Scalar(_) => return self.needs(at, "handshake:` or `handshake: { strategy: repeat }"),
        };
        let st = match &map.strategy {
            Some(text) => self.reader.word(at.get("strategy"), text, "a strategy", &[("repeat", false), ("st", true)]),
            None => Some(false),
        };
        let every = self.duration_or(at, "every", map.every.as_ref(), EVERY).filter(|every| {
            let enough = *every >= Duration::from_millis(1);
            if !enough {
                self.reader.push(at.get("every").problem("the hotkey more often than every 1 ms").hint("the default is 5 ms"));
            }
            enough
        });
        let pulse = match &map.pulse {
            Some(text) if &**text == "none" => Some(None),
            Some(text) => self.positive(at.get("pulse"), text).map(Some),
            None => Some(Some(PULSE)),
        };
        let within = self.duration_or(at, "within", map.within.as_ref(), ACKNOWLEDGE_WITHIN);
        let outcome = map.outcome.as_ref().map_or(Some(HandshakeOutcome::Acknowledged), |text| {
            let words = [("acknowledged", HandshakeOutcome::Acknowledged), ("not-acknowledged", HandshakeOutcome::NotAcknowledged)];
            self.reader.word(at.get("outcome"), text, "an outcome of a handshake", &words)
        });
        let mut fits = true;
        for (key, given) in [("every", map.every.is_some()), ("within", map.within.is_some())] {
            if st == Some(true) && given {
                self.reader.push(
                    at.get(key)
                        .key_problem(format!("`{key}` goes with the strategy `repeat` only"))
                        .hint("the times of `st` are Easy Connect's own; remove it"),
                );
                fits = false;
            }
        }
        let every = every?;
        let strategy = if st? { Strategy::St } else { Strategy::Repeat { every } };
        fits.then_some(Handshake { strategy, pulse: pulse?, within: within?, outcome: outcome? })
    }

    fn boot(&mut self, map: &BootMap, at: Cursor<'_>) -> Option<Boot> {
        let command = self.reader.value(at.get("command"), &map.command, |text| {
            if text.len() > BOOT_COMMAND {
                let message = format!("a command of {} characters; the boot code takes {BOOT_COMMAND}", text.len());
                return Err(Refusal::new(message, "shorten it"));
            }
            command(text)
        });
        let result = map.result.as_ref().map_or(Some(BootResult::Success), |text| self.reader.value(at.get("result"), text, boot_result));
        let shows = map.shows.as_ref().map(|shows| single(shows, at.get("shows"), self.reader));
        let within = self.duration_or(at, "within", map.within.as_ref(), BOOT_WITHIN);
        self.nothing_shown_in_silence(at, result == Some(BootResult::Silent), map.shows.is_some())?;
        Some(Boot { command: command?, result: result?, shows: given_and_read(shows)?, within: within? })
    }

    fn upload(&mut self, map: &UploadMap, at: Cursor<'_>) -> Option<Upload> {
        let place = at.get("image");
        let image = match &map.image {
            Short::Scalar(text) => self.reader.value(place, text, |name| Ok(name.to_owned())).and_then(|name| self.named(place, &name)),
            Short::Map(image) => {
                let name = format!("made in line {}", place.line());
                self.made.image(&name, &image.make, place.get("make"), self.reader)
            }
            Short::Nothing => self.needs(place, "image: newer"),
        };
        let words = [("accepted", UploadResult::Accepted), ("refused", UploadResult::Refused)];
        let result = map
            .result
            .as_ref()
            .map_or(Some(UploadResult::Accepted), |text| self.reader.word(at.get("result"), text, "a result of an upload", &words));
        let request_within = self.duration_or(at, "request-within", map.request_within.as_ref(), REQUEST_WITHIN);
        let within = self.duration_or(at, "within", map.within.as_ref(), UPLOAD_WITHIN);
        let image = image?;
        let name = image.name.clone();
        self.used.insert(name.clone(), image);
        Some(Upload { image: name, result: result?, request_within: request_within?, within: within? })
    }

    fn restore(&mut self, restore: &Short<RestoreMap>, at: Cursor<'_>) -> Option<Restore> {
        let default = Restore::default();
        let map = match restore {
            Short::Nothing => return Some(default),
            Short::Map(map) => map,
            Short::Scalar(_) => return self.needs(at, "restore:` or `restore: { within: 60 s }"),
        };
        let within = self.duration_or(at, "within", map.within.as_ref(), default.within);
        let ladder = match &map.speeds {
            None => default.ladder,
            Some(speeds) if speeds.is_empty() => return self.needs(at.get("speeds"), "speeds: [115200, 460800]"),
            Some(speeds) => {
                let list = at.get("speeds");
                let read = speeds.iter().enumerate().map(|(index, text)| self.baud(list.item(index), text)).collect::<Vec<_>>();
                read.into_iter().collect::<Option<Vec<_>>>()?
            }
        };
        Some(Restore { ladder, within: within? })
    }

    /// The image called `name`.
    fn named(&mut self, at: Cursor<'_>, name: &str) -> Option<PlannedImage> {
        let image = self.images.get(name).cloned();
        if image.is_none() {
            let near = known(name, self.images.keys().map(String::as_str));
            let hint = format!(
                "{near}\nor add it: to `images` here, `{name}: {{ make: {{ A: 2.8.0 }} }}`, or to `images` of the bench file, `{name}: {{ path: … }}`"
            );
            self.reader.push(at.problem(format!("there is no image `{name}`")).hint(hint));
        }
        image
    }

    fn cause(&mut self, at: Cursor<'_>, text: &str) -> Option<Cause> {
        let words = Cause::ALL.iter().map(|cause| (cause.name(), *cause)).collect::<Vec<_>>();
        self.reader.word(at, text, "a cause that diagnosis knows", &words)
    }

    fn baud(&mut self, at: Cursor<'_>, text: &Text) -> Option<Baud> {
        self.reader.value(at, text, |text| Ok(parse_baud(text)?))
    }

    /// A duration that is not zero.
    fn positive(&mut self, at: Cursor<'_>, text: &str) -> Option<Duration> {
        self.reader.value(at, text, positive)
    }

    fn duration_or(&mut self, at: Cursor<'_>, key: &str, text: Option<&Text>, default: Duration) -> Option<Duration> {
        text.map_or(Some(default), |text| self.positive(at.get(key), text))
    }

    fn nothing_shown_in_silence(&mut self, at: Cursor<'_>, silent: bool, shows: bool) -> Option<()> {
        if silent && shows {
            self.reader.push(at.get("shows").key_problem("an answer that does not come can show nothing").hint("remove `shows`"));
            return None;
        }
        Some(())
    }

    fn needs<T>(&mut self, at: Cursor<'_>, example: &str) -> Option<T> {
        let name = at.key().unwrap_or("this");
        self.reader.push(at.key_problem(format!("`{name}` needs more, or something else")).hint(format!("write `{example}`")));
        None
    }
}

/// What was not given stays so; what was given and refused is `None` at the outside.
fn given_and_read<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// `because` and `control` of a step.
fn said_beside(verb: &Verb) -> (Option<&Text>, Option<&Text>) {
    let (because, control) = match verb {
        Verb::Reset(Short::Map(map)) => (&map.because, &None),
        Verb::Uart(map) => (&map.because, &None),
        Verb::Send(map) => (&map.because, &None),
        Verb::Expect(map) => (&map.because, &map.control),
        Verb::Quiet(Short::Map(map)) => (&map.because, &map.control),
        Verb::Wait(Short::Map(map)) => (&map.because, &None),
        Verb::At(map) => (&map.because, &map.control),
        Verb::Handshake(Short::Map(map)) => (&map.because, &map.control),
        Verb::Boot(map) => (&map.because, &map.control),
        Verb::Upload(map) => (&map.because, &map.control),
        Verb::Diagnosis(Short::Map(map)) => (&map.because, &None),
        Verb::Restore(Short::Map(map)) => (&map.because, &None),
        Verb::Reset(_) | Verb::Quiet(_) | Verb::Wait(_) | Verb::Handshake(_) | Verb::Diagnosis(_) | Verb::Restore(_) => (&None, &None),
    };
    (because.as_ref(), control.as_ref())
}

/// A duration that is not zero.
pub(super) fn positive(text: &str) -> Result<Duration, Refusal> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err(Refusal::new(format!("`{text}` is no time at all"), "give more than zero")) } else { Ok(duration) }
}

fn anchor(text: &str) -> Result<Anchor, Refusal> {
    Anchor::ALL
        .iter()
        .copied()
        .find(|anchor| anchor.name() == text)
        .ok_or_else(|| unknown_word(text, "an event that times count from", Anchor::ALL.iter().map(|anchor| anchor.name())))
}

/// `release`, or `release + 12 ms`.
fn after_anchor(text: &str) -> Result<(Anchor, Duration), Refusal> {
    let (event, after) = match text.split_once(" + ") {
        Some((event, after)) => (event, parse_duration(after)?),
        None if text.contains('+') => {
            return Err(Refusal::new(format!("`{text}` is not a time"), "write `release + 12 ms`, with blanks around the plus"));
        }
        None => (text, Duration::ZERO),
    };
    anchor(event).map(|anchor| (anchor, after))
}

/// A command without its CR.
fn command(text: &str) -> Result<String, Refusal> {
    match text.chars().find(|character| !matches!(character, ' '..='~')) {
        Some('\r' | '\n') => Err(Refusal::new("a command with its line end", "leave `\\r` out; it is added")),
        Some(other) => Err(Refusal::new(
            format!("the character U+{:04X} in a command", u32::from(other)),
            "a command is printable ASCII; `send` sends any byte",
        )),
        None if text.is_empty() => Err(Refusal::new("an empty command", "write `AT`")),
        None => Ok(text.to_owned()),
    }
}

fn at_answer(text: &str) -> Result<AtAnswer, Refusal> {
    if let Some(number) = text.strip_prefix("+CME ERROR:") {
        let number = number.trim().parse().map_err(|_| {
            Refusal::new(format!("`{text}` has no number"), "write `+CME ERROR: 1120`, in quotes; or `ERROR` for any error")
        })?;
        return Ok(AtAnswer::Cme(number));
    }
    match text {
        "OK" => Ok(AtAnswer::Ok),
        "ERROR" => Ok(AtAnswer::Error),
        "any" => Ok(AtAnswer::Any),
        "silent" => Ok(AtAnswer::Silent),
        other => Err(unknown_word(other, "a final result of the application", ["OK", "ERROR", "+CME ERROR: 1120", "any", "silent"])),
    }
}

fn boot_result(text: &str) -> Result<BootResult, Refusal> {
    match text {
        "0" => Ok(BootResult::Success),
        "error" => Ok(BootResult::AnyError),
        "any" => Ok(BootResult::Any),
        "silent" => Ok(BootResult::Silent),
        code if code.len() == 4 && code.starts_with("40") && code.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            Ok(BootResult::Error(code.to_owned()))
        }
        other => Err(unknown_word(other, "a result of the boot code", ["0", "4012", "error", "any", "silent"])),
    }
}
