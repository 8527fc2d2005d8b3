//! The verbs: each step's map becomes what the runner carries out. docs/scenarios.md is the reference.

mod any;
mod at;
mod boot;
mod check;
mod control;
mod expect;
mod handshake;
mod include;
mod line;
mod on;
mod power;
mod reset;
mod restore;
mod send;
mod upload;

pub(super) use at::{ANSWERS, TRIES};
pub(super) use boot::BOOT_RESULTS;
pub(super) use control::{RETRIES, ROUNDS};
pub(super) use handshake::{OUTCOMES, STRATEGIES};
pub(super) use line::EDGES;
pub(super) use on::STREAMS;
pub(super) use power::POWER_STATES;
pub(super) use reset::LINE_STATES;
pub(super) use upload::UPLOAD_RESULTS;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::file::{OnMap, PatternMap, Verb};
use super::fragments::Fragments;
use super::images::Made;
use super::reader::{Keeps, Reader, says_nothing};
use super::variables::{RESERVED, is_variable};
use crate::baud::Baud;
use crate::diagnosis::Cause;
use crate::document::{Cursor, Diagnostic, Refusal, Short, TRUTH, Text, unknown_word};
use crate::matcher::PatternSet;
use crate::plan::units::{parse_baud, parse_duration};
use crate::plan::{Action, Anchor, PlannedImage, Power, Reset, Step};
use crate::seam::LineState;

/// The most steps that a scenario may have, those of fragments and those inside of steps included.
pub(super) const MAX_STEPS: u16 = 1_000;

/// Reads the steps of one case.
pub(super) struct Steps<'a, 'r> {
    pub(super) reader: &'a mut Reader<'r>,
    /// Images that steps may name.
    pub(super) images: &'a BTreeMap<String, PlannedImage>,
    /// Images made so far.
    pub(super) made: &'a mut Made,
    /// Fragments read so far.
    pub(super) fragments: &'a mut Fragments,
    /// What the paths of fragments are relative to; `None` where none can be included.
    pub(super) directory: Option<PathBuf>,
    /// Images that the steps did name.
    pub(super) used: BTreeMap<String, PlannedImage>,
    /// A complaint without words about each step, by its number from `first` on.
    pub(super) places: Vec<Diagnostic>,
    /// The file of the steps that stand in no fragment, where that is not the scenario's.
    pub(super) own_file: Option<PathBuf>,
    /// The number of the first step.
    first: u16,
    /// Fragments that are being read, each included by the one before.
    including: Vec<PathBuf>,
    /// How many fragments were included.
    included: u16,
    /// Events that steps read so far can have made.
    events: Vec<Anchor>,
}

impl<'a, 'r> Steps<'a, 'r> {
    /// Reads steps whose numbers begin at `first`.
    pub(super) fn new(
        reader: &'a mut Reader<'r>,
        images: &'a BTreeMap<String, PlannedImage>,
        made: &'a mut Made,
        fragments: &'a mut Fragments,
        directory: Option<PathBuf>,
        first: u16,
    ) -> Self {
        let (used, places, including, events) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { reader, images, made, fragments, directory, used, places, own_file: None, first, including, included: 0, events }
    }

    /// The steps of a section, which begins anew: what a section before has made or kept may not be there, because the case had ended before.
    pub(super) fn section(&mut self, verbs: &[Verb], list: Cursor<'_>) -> Option<Vec<Step>> {
        self.events = vec![Anchor::StepBefore];
        self.reader.kept.clear();
        self.list(verbs, list)
    }

    /// The steps of a list, with those of fragments in their places.
    fn list(&mut self, verbs: &[Verb], list: Cursor<'_>) -> Option<Vec<Step>> {
        // All are read before any is missed, so that every mistake is shown.
        let mut steps = Some(Vec::new());
        for (verb, cursor) in verbs.iter().zip(list.items()) {
            let read = match verb {
                Verb::Include(include) => self.include(include, cursor.entries().next().unwrap_or(cursor)),
                verb => self.step(verb, cursor).map(|step| vec![step]),
            };
            steps = steps.zip(read).map(|(mut steps, read)| {
                steps.extend(read);
                steps
            });
        }
        steps
    }

    /// The step `verb`, which stands at `cursor` as a map with one key; `None` when it was refused.
    fn step(&mut self, verb: &Verb, cursor: Cursor<'_>) -> Option<Step> {
        let count = u16::try_from(self.places.len()).unwrap_or(u16::MAX);
        if count >= MAX_STEPS {
            if count == MAX_STEPS {
                self.reader.push(cursor.key_problem(format!("more than {MAX_STEPS} steps")).hint("split the scenario"));
                self.places.push(cursor.key_problem(""));
            }
            return None;
        }
        let id = self.first + count;
        self.places.push(cursor.key_problem(""));
        let entry = cursor.entries().next().unwrap_or(cursor);
        let said = Said::beside(verb);
        let control = said.control.map_or(Some(false), |text| self.reader.word(entry.get("control"), text, "`true` or `false`", TRUTH));
        if let Some(problem) = said.because.and_then(|because| says_nothing(entry.get("because"), because, "why the step is there")) {
            self.reader.push(problem);
        }
        let action = self.action(verb, entry);
        let beside = self.beside(verb, &said, entry);
        let because = said.because.map(str::to_owned);
        let file = self.including.last().or(self.own_file.as_ref()).cloned();
        let action = action?;
        self.events.extend(made_by(&action));
        let step = Step { id, file, line: cursor.line(), text: entry.entry_line(), because, control: control?, beside: beside?, action };
        self.check_upload(&step, entry)?;
        Some(step)
    }

    fn action(&mut self, verb: &Verb, at: Cursor<'_>) -> Option<Action> {
        match verb {
            Verb::Reset(reset) => self.reset(reset, at).map(Action::Reset),
            Verb::Line(map) => self.line(map, at).map(Action::Line),
            Verb::Power(power) => self.power(power, at).map(Action::Power),
            Verb::Uart(map) => self.baud(at.get("baud"), &map.baud).map(|baud| Action::Uart { baud }),
            Verb::Send(map) => self.send(map, at).map(Action::Send),
            Verb::Expect(map) if map.line.is_some() || map.edge.is_some() => self.expect_edge(map, at).map(Action::ExpectEdge),
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
            Verb::Check(map) => self.check(map, at).map(Action::Check),
            Verb::Measure(map) => self.measure(map, at).map(Action::Measure),
            Verb::Note(note) => self.note(note, at).map(Action::Note),
            Verb::Retry(map) => self.retry(map, at).map(Action::Retry),
            Verb::Repeat(map) => self.repeat(map, at).map(Action::Repeat),
            Verb::All(map) => self.all(map, at).map(Action::All),
            Verb::Any(map) => self.any(map, at).map(Action::Any),
            Verb::When(map) => self.when(map, at).map(Action::When),
            // Taken apart where lists are read: it is no step of its own.
            Verb::Include(_) => None,
            Verb::Restore(restore) => self.restore(restore, at).map(Action::Restore),
        }
    }

    /// The event that a value names, which a step before must be able to have made.
    fn anchor(&mut self, at: Cursor<'_>, text: &str) -> Option<Anchor> {
        let events = self.events.clone();
        let anchor = self.reader.value(at, text, |text| anchor(text, &events))?;
        self.made_before(at, &anchor)?;
        Some(anchor)
    }

    fn made_before(&mut self, at: Cursor<'_>, needed: &Anchor) -> Option<()> {
        if self.events.contains(needed) {
            return Some(());
        }
        let maker = match needed {
            Anchor::Release => "`reset`, or `handshake` with its pulse",
            Anchor::Assert => "`reset: assert` or a pulse",
            Anchor::Acknowledge => "`handshake`",
            Anchor::Sent => "`send`, or a verb that sends",
            Anchor::Match => "`expect`",
            Anchor::PowerOn => "`power: on` or `power: { cycle: 2 s }`",
            Anchor::StepBefore | Anchor::Named(_) => "a step",
        };
        let problem = at.problem(format!("no step before makes a `{}` to count from", needed.name()));
        self.reader.push(problem.hint(format!("put {maker} before it")));
        None
    }

    /// A name that a step gives to what it keeps or to when it happened.
    fn new_name(&mut self, at: Cursor<'_>, text: &str) -> Option<String> {
        let name = self.reader.value(at, text, |text| Ok(text.to_owned()))?;
        self.check_name(at, &name).then_some(name)
    }

    fn check_name(&mut self, at: Cursor<'_>, name: &str) -> bool {
        let (message, hint) = if !is_variable(name) {
            (format!("`{name}` cannot be used as a variable"), "a name is letters, digits and `_`, and begins with a letter")
        } else if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
            ((*why).to_owned(), "choose another name")
        } else if self.reader.combination.iter().any(|(known, _)| known == name) {
            (format!("`${name}` has a value already, from the matrix or a parameter"), "choose another name")
        } else if Anchor::ALL.iter().any(|anchor| anchor.name() == name) {
            (format!("`{name}` is an event that there always is"), "choose another name")
        } else {
            return true;
        };
        self.reader.push(at.problem(message).hint(hint));
        false
    }

    /// Notes that the named groups of the first `count` patterns keep what they capture.
    fn keeps_groups(&mut self, set: &PatternSet, count: usize, at: Cursor<'_>) -> Option<()> {
        let names = (0..count).flat_map(|index| set.pattern(index).group_names()).map(str::to_owned).collect::<Vec<_>>();
        let mut all = true;
        for name in names {
            if self.check_name(at, &name) {
                self.reader.kept.insert(name, Keeps::Text);
            } else {
                all = false;
            }
        }
        all.then_some(())
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

/// What a step may say whatever its verb.
#[derive(Default)]
struct Said<'v> {
    because: Option<&'v str>,
    control: Option<&'v str>,
    never: Option<&'v [PatternMap]>,
    on: Option<&'v [OnMap]>,
}

/// Takes these keys of a map.
macro_rules! said {
    ($map:expr; $($key:ident),*) => { Said { $($key: $map.$key.as_deref(),)* ..Said::default() } };
}

impl<'v> Said<'v> {
    #[expect(clippy::needless_update, reason = "some verbs have every key, and the others are filled up by the same line")]
    fn beside(verb: &'v Verb) -> Self {
        match verb {
            Verb::Reset(Short::Map(map)) => said!(map; because),
            Verb::Line(map) => said!(map; because),
            Verb::Power(Short::Map(map)) => said!(map; because),
            Verb::Uart(map) => said!(map; because),
            Verb::Send(map) => said!(map; because),
            Verb::Expect(map) => said!(map; because, control, never, on),
            Verb::Quiet(Short::Map(map)) => said!(map; because, control, never, on),
            Verb::Wait(Short::Map(map)) => said!(map; because, never, on),
            Verb::At(map) => said!(map; because, control, never, on),
            Verb::Handshake(Short::Map(map)) => said!(map; because, control, never, on),
            Verb::Boot(map) => said!(map; because, control, never, on),
            Verb::Upload(map) => said!(map; because, control, never, on),
            Verb::Diagnosis(Short::Map(map)) => said!(map; because),
            Verb::Check(map) => said!(map; because, control),
            Verb::Measure(map) => said!(map; because, control),
            Verb::Retry(map) => said!(map; because),
            Verb::Repeat(map) => said!(map; because),
            Verb::All(map) => said!(map; because, control, never, on),
            Verb::Any(map) => said!(map; because, control, never, on),
            Verb::When(map) => said!(map; because),
            Verb::Restore(Short::Map(map)) => said!(map; because),
            Verb::Reset(_)
            | Verb::Power(_)
            | Verb::Quiet(_)
            | Verb::Wait(_)
            | Verb::Handshake(_)
            | Verb::Diagnosis(_)
            | Verb::Note(_)
            | Verb::Include(_)
            | Verb::Restore(_) => Self::default(),
        }
    }
}

/// The events that a step makes, as far as the plan can tell.
fn made_by(action: &Action) -> Vec<Anchor> {
    match action {
        Action::Reset(Reset::Pulse(_)) => vec![Anchor::Assert, Anchor::Release],
        Action::Reset(Reset::Hold(LineState::Asserted)) => vec![Anchor::Assert],
        Action::Reset(Reset::Hold(LineState::Released)) => vec![Anchor::Release],
        Action::Handshake(handshake) if handshake.pulse.is_some() => {
            vec![Anchor::Acknowledge, Anchor::Sent, Anchor::Assert, Anchor::Release]
        }
        Action::Handshake(_) => vec![Anchor::Acknowledge, Anchor::Sent],
        Action::Send(_) | Action::At(_) | Action::Boot(_) | Action::Upload(_) => vec![Anchor::Sent],
        Action::Expect(expect) => std::iter::once(Anchor::Match).chain(expect.name.clone().map(Anchor::Named)).collect(),
        Action::ExpectEdge(expect) => std::iter::once(Anchor::Match).chain(expect.name.clone().map(Anchor::Named)).collect(),
        Action::All(_) | Action::Any(_) => vec![Anchor::Match],
        Action::Power(Power::On | Power::Cycle(_)) => vec![Anchor::PowerOn],
        _ => Vec::new(),
    }
}

/// A duration that is not zero.
pub(super) fn positive(text: &str) -> Result<Duration, Refusal> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err(Refusal::new(format!("`{text}` is no time at all"), "give more than zero")) } else { Ok(duration) }
}

/// The event called so: one of those that there always are, or the named one among `made`.
fn anchor(text: &str, made: &[Anchor]) -> Result<Anchor, Refusal> {
    let named = made.iter().filter(|anchor| matches!(anchor, Anchor::Named(_)));
    let mut known = Anchor::ALL.iter().chain(named);
    known.clone().find(|anchor| anchor.name() == text).cloned().ok_or_else(|| {
        let names = known.by_ref().map(Anchor::name).collect::<Vec<_>>();
        unknown_word(text, "an event that times count from", names)
    })
}

/// A command without its CR.
fn command(text: &str) -> Result<String, Refusal> {
    if let Some(end) = ["\\r", "\\n"].into_iter().find(|end| text.ends_with(end)) {
        return Err(Refusal::new(
            format!("`{end}` is a backslash and a letter here"),
            "leave it away: the CR behind a command is added by the step",
        ));
    }
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
