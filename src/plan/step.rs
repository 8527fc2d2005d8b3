//! A step and all that one can do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{All, Any, Beside, Comparison, Repeat, Retry, Template, When};
use crate::baud::Baud;
use crate::diagnosis::{Cause, USUAL};
use crate::matcher::PatternSet;
use crate::seam::LineState;

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its number in the case's timeline.
    pub id: u16,
    /// The file that it stands in, where that is not the scenario's: a fragment, or the bench file.
    pub file: Option<PathBuf>,
    /// Line in its file, from 1.
    pub line: u32,
    /// The step in one line, as in the file.
    pub text: String,
    /// Why the step is there, shown with its failure.
    pub because: Option<String>,
    /// Whether the step is a positive control: when it fails, the case proves nothing and is an error, *inconclusive*.
    pub control: bool,
    /// What the step watches for beside what it waits for.
    pub beside: Beside,
    /// What to do.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Drives the reset line.
    Reset(Reset),
    /// Drives a named line.
    Line(LineDrive),
    /// Switches the module's supply.
    Power(Power),
    /// Sets the host's speed, after what was sent has left the wire.
    Uart {
        /// The speed.
        baud: Baud,
    },
    /// Sends bytes.
    Send(Send),
    /// Waits for one of several patterns.
    Expect(Expect),
    /// Waits for an edge of a line that the board drives.
    ExpectEdge(ExpectEdge),
    /// Nothing may come.
    Quiet(Quiet),
    /// Waits.
    Wait {
        /// How long.
        duration: Duration,
    },
    /// A command to the application and its answer.
    At(At),
    /// The hotkey after a reset, until the boot code acknowledges.
    Handshake(Handshake),
    /// A command to the boot code and its answer.
    Boot(Boot),
    /// `AT#UP` and the image, pulled by the device.
    Upload(Upload),
    /// The cause that diagnosis must find from what happened since the last release (or the case's start).
    Diagnosis(Cause),
    /// Puts the board back: line released, application answering at the bench's speed.
    Restore(Restore),
    /// Compares a value that was kept; the board fails where a bound does not hold.
    Check(Comparison),
    /// The time between two events, kept under a name.
    Measure(Measure),
    /// Writes a line into the timeline.
    Note(Template),
    /// Does its steps again when one fails.
    Retry(Retry),
    /// Does its steps several times, each of which must pass.
    Repeat(Repeat),
    /// Waits for several patterns in any order.
    All(All),
    /// Waits for the first of several patterns and keeps which it was.
    Any(Any),
    /// Does one of two lists of steps.
    When(When),
}

/// See [`Action::Reset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Asserted for so long, then released.
    Pulse(Duration),
    /// Driven to a state and left there.
    Hold(LineState),
}

/// See [`Action::Line`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDrive {
    /// The line's name.
    pub name: String,
    /// What is done with it.
    pub act: LineAct,
}

/// What is done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineAct {
    /// Asserted for so long, then released.
    Pulse(Duration),
    /// Driven to a state and left there.
    Hold(LineState),
}

/// See [`Action::Power`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Switched on, and the module starts.
    On,
    /// Switched off, after every line to the module and TX have let go.
    Off,
    /// Off for so long, then on.
    Cycle(Duration),
}

/// A named event that times count from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The last release of the reset line.
    Release,
    /// The last assertion of the reset line.
    Assert,
    /// The last acknowledge of the boot code.
    Acknowledge,
    /// The last sending: the return of its last write.
    Sent,
    /// The last match of an `expect`.
    Match,
    /// The last time that the module's supply was switched on.
    PowerOn,
    /// The end of the step before.
    StepBefore,
    /// The last match of an `expect` that names it by `as`.
    Named(String),
}

impl Anchor {
    /// Every anchor that needs no `as`, in the order of the reference.
    pub const ALL: &'static [Self] =
        &[Self::Release, Self::Assert, Self::Acknowledge, Self::Sent, Self::Match, Self::PowerOn, Self::StepBefore];

    /// The name that files use.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Release => "release",
            Self::Assert => "assert",
            Self::Acknowledge => "acknowledge",
            Self::Sent => "sent",
            Self::Match => "match",
            Self::PowerOn => "power-on",
            Self::StepBefore => "step-before",
            Self::Named(name) => name,
        }
    }
}

/// See [`Action::Send`].
#[derive(Debug, Clone)]
pub struct Send {
    /// What to send.
    pub bytes: Arc<[u8]>,
    /// Whether the file has it in `hex`: nothing is then known of what it does.
    pub raw: bool,
    /// When: an event and how long after it. `None`: at once.
    pub at: Option<(Anchor, Duration)>,
}

/// Patterns of a waiting step: what is waited for, then what must not come, compiled into one set in this order.
#[derive(Debug, Clone)]
pub struct Patterns {
    /// All patterns.
    pub set: Arc<PatternSet>,
    /// How many of the first are waited for; the rest must not come.
    pub wanted: usize,
}

/// See [`Action::Expect`].
#[derive(Debug, Clone)]
pub struct Expect {
    /// What is waited for and what must not come.
    pub patterns: Patterns,
    /// How long.
    pub within: Duration,
    /// From where `within` counts.
    pub of: Anchor,
    /// How many bytes of a match are looked at for its begin and its captures, in a second pass.
    pub capture_limit: usize,
    /// The name of its match, as an event that times count from.
    pub name: Option<String>,
}

/// See [`Action::Measure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Under which name the time is kept.
    pub name: String,
    /// The event that it counts from.
    pub from: Anchor,
    /// The event that it counts to.
    pub to: Anchor,
    /// What it may be at most.
    pub within: Option<Duration>,
}

/// See [`Action::ExpectEdge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectEdge {
    /// The line's name.
    pub line: String,
    /// What it must become; `None` for any change.
    pub to: Option<LineState>,
    /// How long.
    pub within: Duration,
    /// From where `within` counts.
    pub of: Anchor,
    /// The name of its edge, as an event that times count from.
    pub name: Option<String>,
}

/// See [`Action::Quiet`].
#[derive(Debug, Clone)]
pub struct Quiet {
    /// How long.
    pub duration: Duration,
    /// What must not come; `None` for any byte.
    pub never: Option<Arc<PatternSet>>,
}

/// See [`Action::At`].
#[derive(Debug, Clone)]
pub struct At {
    /// The command without its CR.
    pub command: String,
    /// The final result that must come.
    pub answer: AtAnswer,
    /// What the lines before the final result must show.
    pub shows: Option<Arc<PatternSet>>,
    /// How long the answer may take.
    pub within: Duration,
    /// How often the command is sent before its silence counts (a first command after a sleep is lost).
    pub tries: u32,
}

/// The final result of a command to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtAnswer {
    /// `OK`
    Ok,
    /// `ERROR` or any `+CME ERROR`.
    Error,
    /// `+CME ERROR: n` with this n.
    Cme(u32),
    /// Any final result.
    Any,
    /// No final result within the time.
    Silent,
}

/// See [`Action::Handshake`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// How to send the hotkey.
    pub strategy: Strategy,
    /// The reset pulse before it; `None` leaves the line alone, and times count from the step's begin.
    pub pulse: Option<Duration>,
    /// How long after the release the acknowledge may take (strategy `repeat`).
    pub within: Duration,
    /// What must happen.
    pub outcome: HandshakeOutcome,
}

impl Handshake {
    /// Easy Connect's reset pulse.
    pub const PULSE: Duration = Duration::from_millis(15);
    /// Time between two hotkeys of the strategy `repeat`.
    pub const EVERY: Duration = Duration::from_millis(5);
    /// How long the strategy `repeat` waits for an acknowledge.
    pub const WITHIN: Duration = Duration::from_secs(1);
}

impl Default for Handshake {
    fn default() -> Self {
        Self {
            strategy: Strategy::Repeat { every: Self::EVERY },
            pulse: Some(Self::PULSE),
            within: Self::WITHIN,
            outcome: HandshakeOutcome::Acknowledged,
        }
    }
}

/// How to send the hotkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// 0xC5 so often from the release until it is acknowledged (the project's own; default 5 ms).
    Repeat {
        /// Time between two hotkeys.
        every: Duration,
    },
    /// Easy Connect's: 500 ms after the release 0xC5 0xFF, 100 ms for the acknowledge, three tries with a reset pulse before each.
    St,
}

/// What a handshake must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeOutcome {
    /// 0x9A comes.
    Acknowledged,
    /// No 0x9A comes.
    NotAcknowledged,
}

/// See [`Action::Boot`].
#[derive(Debug, Clone)]
pub struct Boot {
    /// The command without its CR.
    pub command: String,
    /// The result that must come.
    pub result: BootResult,
    /// What the lines before the result must show.
    pub shows: Option<Arc<PatternSet>>,
    /// How long one try may take (Easy Connect: 300 ms).
    pub within: Duration,
}

/// The final result of a command to the boot code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootResult {
    /// `0`
    Success,
    /// Any `40xx`.
    AnyError,
    /// This `40xx`.
    Error(String),
    /// Whatever comes within the time, or nothing; the hotkey is not sent again.
    Any,
    /// None, after the hotkey was acknowledged again and the command repeated.
    Silent,
}

/// See [`Action::Upload`].
#[derive(Debug, Clone)]
pub struct Upload {
    /// The image's name, a key of [`Case::images`].
    pub image: String,
    /// What the device must make of it.
    pub result: UploadResult,
    /// How long the answer to `AT#UP` may take, each time that it is sent.
    pub answer_within: Duration,
    /// How long one request may take.
    pub request_within: Duration,
    /// How long the whole may take.
    pub within: Duration,
}

/// What the device makes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadResult {
    /// It asks for all of it and ends with 0.
    Accepted,
    /// It ends with a negative byte, before or after it has all of it, or `AT#UP` itself is answered by `40xx`.
    Refused,
    /// A handler of the step breaks it off.
    Interrupted,
}

/// See [`Action::Restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// Speeds at which the application is looked for, in this order, before and after a reset.
    pub ladder: Vec<Baud>,
    /// How long the whole may take.
    pub within: Duration,
    /// Whether the board may be reset. A step that may not fails where the application is not found without.
    pub may_reset: bool,
}

impl Default for Restore {
    fn default() -> Self {
        Self { ladder: USUAL.into_iter().filter_map(Baud::new).collect(), within: Duration::from_secs(60), may_reset: true }
    }
}
