//! The plan: what a run will do, checked whole before hardware is touched. Made from scenario files and the bench by [`crate::scenario`];
//! carried out by [`crate::runner`]. Holds no text that still has to be parsed.

pub mod effects;
mod listing;
pub mod units;
mod worst_case;

pub use worst_case::{DEADLINE_SLACK, worst_case};

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::baud::Baud;
use crate::diagnosis::Cause;
use crate::image::{Image, Version};
use crate::matcher::PatternSet;
use crate::model::evkit::Settings;
use crate::seam::LineState;

/// Everything that a run will do, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The cases. No two have the same name.
    pub cases: Vec<Case>,
}

/// A scenario with its matrix values filled in.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario's name, with the matrix values: `early reset [late=3 s]`.
    pub name: String,
    /// The scenario's name.
    pub scenario: String,
    /// What the scenario is for.
    pub summary: String,
    /// The scenario's file, as it was named.
    pub file: PathBuf,
    /// Line of the scenario's first word, from 1.
    pub line: u32,
    /// Tags.
    pub tags: Vec<String>,
    /// What the steps may do to a board: what the file declares, which is at least what [`effects`] derives. In the order of [`Effect::ALL`].
    pub effects: Vec<Effect>,
    /// What a board must have or report.
    pub requires: Requires,
    /// How a virtual board is set up for the case.
    pub virtual_board: VirtualSetup,
    /// Matrix names and values, in the order of the file.
    pub matrix: Vec<(String, String)>,
    /// The steps, in order. `Step::id` counts through `steps` and on through `finally`.
    pub steps: Vec<Step>,
    /// Steps that always run.
    pub finally: Vec<Step>,
    /// How long the `steps` may take in all.
    pub deadline: Duration,
    /// How long `finally` may take in all.
    pub finally_deadline: Duration,
    /// Whether the module may restart by itself; else that fails the case.
    pub may_reset: bool,
    /// The images that the steps name.
    pub images: BTreeMap<String, PlannedImage>,
}

/// What a case may do to a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Changes the module's speed.
    Speed,
    /// Writes non-volatile memory.
    Nvm,
    /// Installs firmware.
    Firmware,
    /// Offers firmware that must be refused.
    DowngradeAttempt,
    /// Breaks off an upload.
    InterruptUpload,
    /// Switches power.
    Power,
    /// Sends bytes of which nothing is known.
    Raw,
}

impl Effect {
    /// Every effect, in the order of the reference.
    pub const ALL: &'static [Self] =
        &[Self::Speed, Self::Nvm, Self::Firmware, Self::DowngradeAttempt, Self::InterruptUpload, Self::Power, Self::Raw];

    /// The name that files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Speed => "speed",
            Self::Nvm => "nvm",
            Self::Firmware => "firmware",
            Self::DowngradeAttempt => "downgrade-attempt",
            Self::InterruptUpload => "interrupt-upload",
            Self::Power => "power",
            Self::Raw => "raw",
        }
    }

    /// Whether it can wear or harm a board, so that the command must permit it as well as the bench.
    #[must_use]
    pub const fn wears(self) -> bool {
        !matches!(self, Self::Speed)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a board must report, or the case is skipped.
#[derive(Debug, Clone, Default)]
pub struct Requires {
    /// Bounds on the application's version, all of which must hold: `>=2.6.0`.
    pub firmware: Vec<VersionBound>,
}

/// One bound on a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionBound {
    /// How to compare.
    pub relation: Relation,
    /// With what.
    pub version: Version,
}

/// How to compare versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// How a virtual board is set up for a case.
#[derive(Debug, Clone, Default)]
pub struct VirtualSetup {
    /// Keys and values as in the file, each accepted by [`Settings::set`].
    pub settings: Vec<(String, String)>,
    /// Whether one of them is a fault or a state that a real board cannot be put into: the case is then skipped on a real board.
    pub has_faults: bool,
}

impl VirtualSetup {
    /// The settings of a virtual board for a case: the assumptions drawn by `seed`, then what the file says.
    #[must_use]
    pub fn settings_for(&self, seed: u64) -> Settings {
        let mut settings = Settings::drawn(seed);
        for (key, value) in &self.settings {
            // Checked when the plan was made.
            let _ = settings.set(key, value);
        }
        settings
    }
}

/// An image that steps name.
#[derive(Debug, Clone)]
pub struct PlannedImage {
    /// The name that steps use.
    pub name: String,
    /// Its file name, as ST's releases form it.
    pub file_name: String,
    /// The bytes, unread where they come from a file.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
    /// Whether it was made by the project's own made-up format for this plan: it is then not for a real board.
    pub made_up: bool,
}

impl PlannedImage {
    /// An image that was made for the plan.
    #[must_use]
    pub fn made(name: &str, image: &Image) -> Self {
        let bytes: Arc<[u8]> = image.to_bytes().into();
        Self { name: name.to_owned(), file_name: image.file_name(), sha256: crate::image::sha256_hex(&bytes), bytes, made_up: true }
    }
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its number in the case's timeline.
    pub id: u16,
    /// Line in the scenario's file, from 1.
    pub line: u32,
    /// The step in one line, as in the file.
    pub text: String,
    /// Why the step is there, shown with its failure.
    pub because: Option<String>,
    /// Whether the step is a positive control: when it fails, the case proves nothing and is an error, *inconclusive*.
    pub control: bool,
    /// What to do.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Drives the reset line.
    Reset(Reset),
    /// Sets the host's speed, after what was sent has left the wire.
    Uart {
        /// The speed.
        baud: Baud,
    },
    /// Sends bytes.
    Send(Send),
    /// Waits for one of several patterns.
    Expect(Expect),
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
}

/// See [`Action::Reset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Asserted for so long, then released.
    Pulse(Duration),
    /// Driven to a state and left there.
    Hold(LineState),
}

/// A named event that times count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The last release of the reset line.
    Release,
    /// The last assertion of the reset line.
    Assert,
    /// The last acknowledge of the boot code.
    Acknowledge,
    /// The last match of an `expect`.
    Match,
    /// The end of the step before.
    StepBefore,
}

impl Anchor {
    /// Every anchor, in the order of the reference.
    pub const ALL: &'static [Self] = &[Self::Release, Self::Assert, Self::Acknowledge, Self::Match, Self::StepBefore];

    /// The name that files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Assert => "assert",
            Self::Acknowledge => "acknowledge",
            Self::Match => "match",
            Self::StepBefore => "step-before",
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
}

/// See [`Action::Quiet`].
#[derive(Debug, Clone)]
pub struct Quiet {
    /// How long.
    pub duration: Duration,
    /// What must not come; `None` for any byte.
    pub never: Option<Patterns>,
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
}

/// See [`Action::Restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// Speeds at which the application is looked for, in this order, before and after a reset.
    pub ladder: Vec<Baud>,
    /// How long the whole may take.
    pub within: Duration,
}

impl Default for Restore {
    fn default() -> Self {
        let ladder = [115_200, 460_800, 921_600, 230_400, 57_600, 38_400, 9_600];
        Self { ladder: ladder.into_iter().filter_map(Baud::new).collect(), within: Duration::from_secs(60) }
    }
}
