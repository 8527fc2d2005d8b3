//! The kinds of events on a timeline, as they stand in `events.jsonl`. docs/timeline.md is the schema in words.
//!
//! Each kind is a struct of its own; the envelope ([`Event`]) carries number, time, source and step. Times that leave the program end in
//! `_ns` and are nanoseconds of the timeline's clock.

use serde::{Deserialize, Serialize};

use crate::baud::Baud;
use crate::diagnosis::{Cause, Probe as ProbeKind, Sure};
use crate::seam::{LineState, MarkKind};
use crate::time::MonoTime;

/// One event: what happened, when, and who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position in the timeline, from 0 without gaps: the order of recording.
    pub seq: u64,
    /// When it happened. For what we command, the entry of the call.
    pub t: MonoTime,
    /// Who says so.
    pub source: Source,
    /// The step in which it was recorded, as numbered in the `case` event.
    pub step: Option<u16>,
    /// What happened.
    pub kind: EventKind,
}

/// Who says that an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// We did it: the times are those before and after the call.
    Commanded,
    /// It came from a read of a stream.
    Read,
    /// The kernel saw it and stamped it.
    Observed,
    /// It follows from other events.
    Computed,
}

/// Declares the kinds: the enum, each kind's name in the file, and reading one back by its name.
macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What happened. The name in the file is given by [`EventKind::name`].
        #[derive(Debug, Clone, PartialEq)]
        pub enum EventKind { $($(#[$doc])* $variant($variant),)+ }

        impl EventKind {
            /// The kind's name in `events.jsonl`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }

            /// Writes the kind's data as JSON.
            pub(super) fn write_data(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
                match self { $(Self::$variant(data) => serde_json::to_writer(out, data),)+ }
            }

            /// Reads the data of the kind called `name`; `None` for a kind that this version does not know.
            pub(super) fn read_data(name: &str, data: &serde_json::value::RawValue) -> Option<serde_json::Result<Self>> {
                match name {
                    $($name => Some(serde_json::from_str(data.get()).map(Self::$variant)),)+
                    _ => None,
                }
            }

            /// Every kind's name, in the order of the schema.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];
        }

        $(impl From<$variant> for EventKind {
            fn from(data: $variant) -> Self { Self::$variant(data) }
        })+
    };
}

event_kinds! {
    /// What is about to run. First event of every case.
    Case = "case",
    /// Something known of the board or the case: becomes a JUnit property.
    Property = "property",
    /// A step begins.
    StepStart = "step-start",
    /// A step ended.
    StepEnd = "step-end",
    /// Bytes were read or written.
    Bytes = "bytes",
    /// A line was driven.
    Edge = "edge",
    /// The board drove a line.
    InputEdge = "input-edge",
    /// A line that we let go of was read back.
    Level = "level",
    /// A person was asked to drive a line.
    Asked = "asked",
    /// The person confirmed it.
    Confirmed = "confirmed",
    /// A stream's transmit line was held low, or let go.
    Break = "break",
    /// A port's speed was set.
    Speed = "speed",
    /// A pattern matched.
    Match = "match",
    /// The device asked for bytes of an image, or ended the upload.
    Request = "request",
    /// The application said that it has started, or why.
    Restart = "restart",
    /// A value was kept under a name.
    Kept = "kept",
    /// The time between two events was taken.
    Measured = "measured",
    /// Something worth reading that is no event of its own.
    Note = "note",
    /// A stream is gone.
    Gone = "gone",
    /// Somebody asked the run to end.
    Interrupted = "interrupted",
    /// Something is done to decide between causes.
    Probe = "probe",
    /// A named cause with its evidence.
    Diagnosis = "diagnosis",
    /// How the case ended. Last event of every case.
    Verdict = "verdict",
}

/// See [`EventKind::Case`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The case's name: the scenario's, with its matrix values.
    pub name: String,
    /// The scenario's name.
    pub scenario: String,
    /// What the scenario is for.
    pub summary: String,
    /// The scenario's file, as it was named.
    pub file: String,
    /// Line of the scenario's first word.
    pub line: u32,
    /// Tags.
    pub tags: Vec<String>,
    /// Effects that the steps may have on a board.
    pub effects: Vec<String>,
    /// Matrix values, name and text, in the order of the file.
    pub matrix: Vec<(String, String)>,
    /// The board; `None` for a case that no board took.
    pub board: Option<String>,
    /// What carries the board: `serial`, `pty`, `simulated`; `None` for a case that no board took.
    pub link: Option<String>,
    /// The seed of the run.
    pub seed: u64,
    /// Which try it is, where the run tries failed cases again: 1 of 1 of a case that it never does.
    #[serde(default, rename = "try", skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// Wall-clock time of the start, RFC 3339 in UTC; `None` on simulated time.
    pub started: Option<String>,
    /// How long the board's application may take from a restart to its messages, as the bench says; `None` for a case that no board took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_up_ns: Option<u64>,
    /// The speed at which the application answers after a plain start, as the bench says; `None` for a case that no board took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_speed: Option<Baud>,
    /// The steps, in the order in which they are numbered.
    pub steps: Vec<StepInfo>,
}

/// A step as the `case` event lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Its number in `step` of later events.
    pub id: u16,
    /// `steps` or `finally`.
    pub section: String,
    /// The file that it stands in, where that is not the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in its file.
    pub line: u32,
    /// The step in one line, as in the file.
    pub text: String,
}

/// Which try of a case it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// How many there may be.
    pub of: u32,
}

/// See [`EventKind::Property`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name, for example `firmware`.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// See [`EventKind::StepStart`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStart {}

/// See [`EventKind::StepEnd`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEnd {
    /// How it ended.
    pub outcome: StepOutcome,
    /// What ended it, where it failed by something else than what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EndedBy>,
}

/// What ended a step that failed by something else than what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndedBy {
    /// The deadline of the case, and not its own time.
    Deadline,
    /// What must not come in it (`never`).
    Never,
    /// Bytes, where none may come.
    Bytes,
    /// An upload that went to its end, and was to be broken off.
    Whole,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// As the file says.
    Passed,
    /// The board misbehaved.
    Failed,
    /// The rig did.
    Error,
    /// The run was interrupted in it.
    Interrupted,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the board to us.
    In,
    /// From us to the board.
    Out,
}

/// See [`EventKind::Bytes`]: `length` bytes at `offset` of `bytes.bin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// The stream's name.
    pub stream: String,
    /// Which way.
    pub direction: Direction,
    /// Where they begin in `bytes.bin`.
    pub offset: u64,
    /// How many.
    pub length: u32,
    /// In: when the stream was last seen empty before. Out: entry of the first write.
    pub from_ns: u64,
    /// In: return of the read. Out: return of the last write.
    pub to_ns: u64,
    /// Out: when it was to be written, where it was timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_ns: Option<u64>,
    /// In: index and kind of each marked byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<(u32, MarkKind)>,
}

/// See [`EventKind::Edge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The line's name.
    pub line: String,
    /// What it was driven to.
    pub state: LineState,
    /// Entry of the backend's call.
    pub before_ns: u64,
    /// When the backend said that it is done.
    pub after_ns: u64,
    /// When it was to happen, where it was timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_ns: Option<u64>,
}

/// See [`EventKind::InputEdge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEdge {
    /// The line's name.
    pub line: String,
    /// What the board drove it to.
    pub state: LineState,
}

/// See [`EventKind::Level`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The line's name.
    pub line: String,
    /// What it is, whoever drives it.
    pub state: LineState,
}

/// See [`EventKind::Asked`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The line's name.
    pub line: String,
    /// What the person is to do.
    pub question: String,
}

/// See [`EventKind::Confirmed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The line's name.
    pub line: String,
    /// The `asked` event.
    pub asked: u64,
}

/// See [`EventKind::Break`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The stream's name.
    pub stream: String,
    /// Whether the line is low from then on.
    pub held: bool,
    /// Entry of the call.
    pub before_ns: u64,
    /// Return of the call.
    pub after_ns: u64,
}

/// See [`EventKind::Speed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// The stream's name.
    pub stream: String,
    /// Asked for.
    pub requested: Baud,
    /// What the port reports.
    pub actual: Baud,
    /// Entry of the call.
    pub before_ns: u64,
    /// Return of the call.
    pub after_ns: u64,
}

/// See [`EventKind::Match`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The stream's name.
    pub stream: String,
    /// The pattern, as the scenario has it.
    pub pattern: String,
    /// The `bytes` event that brought its first byte.
    pub first_seq: u64,
    /// The `bytes` event that brought its last byte.
    pub last_seq: u64,
    /// When its first byte was read.
    pub first_ns: u64,
    /// When its last byte was read.
    pub last_ns: u64,
    /// What matched, cut at the capture limit, with bytes outside printable ASCII escaped.
    pub text: String,
    /// Captures: name and escaped text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<(String, String)>,
}

/// See [`EventKind::Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The signed byte that the device sent.
    pub asked: i8,
    /// Image bytes sent before it.
    pub sent: u64,
    /// The image's length.
    pub total: u64,
}

/// See [`EventKind::Restart`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// The stream's name.
    pub stream: String,
    /// The message, escaped: `#REBOOT_WD: 1`.
    pub message: String,
    /// The `bytes` event that brought its last byte.
    pub last_seq: u64,
    /// Whether the restart was commanded.
    pub commanded: bool,
    /// The event that commanded it; `None` where nobody did, or before this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
}

/// See [`EventKind::Kept`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// The value, with bytes outside printable ASCII escaped.
    pub value: String,
    /// The event that brought it.
    pub by: u64,
}

/// See [`EventKind::Measured`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// The event that it counts from.
    pub from: String,
    /// The event that it counts to.
    pub to: String,
    /// The time.
    pub value_ns: u64,
    /// How far the truth may lie from it, to either side.
    pub uncertainty_ns: u64,
    /// How it was taken, in words.
    pub how: String,
    /// The events that it lies between.
    pub evidence: Vec<u64>,
}

/// See [`EventKind::Note`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// In words.
    pub text: String,
}

/// See [`EventKind::Gone`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The stream's name.
    pub stream: String,
    /// What the system said.
    pub reason: String,
}

/// See [`EventKind::Interrupted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {}

/// See [`EventKind::Probe`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Which one.
    pub probe: ProbeKind,
}

/// See [`EventKind::Diagnosis`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The cause that fits best.
    pub cause: Cause,
    /// How sure that is.
    pub sure: Sure,
    /// What was seen that shows it, in words.
    pub because: String,
    /// The events that show it.
    pub evidence: Vec<u64>,
    /// What speaks against it, where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Other causes that fit as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<Other>,
    /// What would decide, where something can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeKind>,
    /// The speed at which to probe, where that is not the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Baud>,
    /// The next thing to try.
    pub next: String,
}

impl Diagnosis {
    /// Every cause that it names, the best first.
    pub fn causes(&self) -> impl Iterator<Item = Cause> {
        std::iter::once(self.cause).chain(self.or.iter().map(|other| other.cause))
    }

    /// The causes in one line: `nothing-came (possible) or wrong-speed`.
    #[must_use]
    pub fn title(&self) -> String {
        let others: String = self.or.iter().map(|other| format!(" or {}", other.cause)).collect();
        format!("{} ({}){others}", self.cause, self.sure)
    }
}

/// What speaks against a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Against {
    /// In words.
    pub why: String,
    /// The events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<u64>,
}

/// Another cause that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Which.
    pub cause: Cause,
    /// Why it fits as well.
    pub because: String,
}

/// See [`EventKind::Verdict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How the case ended.
    pub outcome: Outcome,
    /// Why, in one line; empty when passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u16>,
    /// What was expected, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was seen instead, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The diagnosis, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// The events that prove it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<u64>,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was as the file says.
    Passed,
    /// The board misbehaved.
    Failed,
    /// The rig did, or the case proves nothing (inconclusive).
    Error,
    /// Not run, for a reason that lies in the case and the board.
    Skipped,
    /// Not run, or not to its end, because the board was given up: the error is the board's, one for all of its cases.
    Blocked,
    /// Ended by INT, TERM or HUP.
    Interrupted,
}
