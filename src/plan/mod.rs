//! The plan: what a run will do, checked whole before hardware is touched. Made from scenario files and the bench by [`crate::scenario`];
//! carried out by [`crate::runner`]. Holds no text that still has to be parsed.

mod control;
pub mod effects;
mod listing;
mod needs;
mod place;
mod restarts;
mod speeds;
pub mod units;
mod value;
mod worst_case;

pub use control::{All, Any, Beside, Handler, Repeat, Retry, Rounds, Trigger, When, walk};
pub use needs::{Needs, module_verb, needs};
pub use place::Place;
pub use speeds::speeds_in;
pub use value::{Bound, Comparison, Piece, Relation, Template, are_digits, compare, has_order};
pub use worst_case::{DEADLINE_SLACK, worst_case};

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::baud::Baud;
use crate::diagnosis::Cause;
use crate::image::{Image, Version, Versions};
use crate::matcher::PatternSet;
use crate::model::evkit::Settings;
use crate::seam::LineState;
use crate::secret::Secret;

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
    /// Whether words of the module may come damaged; else a case that passed all its steps fails by that.
    pub may_damage: bool,
    /// The images that the steps name.
    pub images: BTreeMap<String, PlannedImage>,
    /// The secrets that the steps name: they must be masked wherever something is shown or written.
    pub secrets: Vec<Secret>,
    /// Whether it is no scenario but what the bench file wants done to a board: what fails in it is the rig's fault.
    pub is_of_board: bool,
}

/// The scenario, and the suite in JUnit, of what is done to a board by itself: its health case, and what the bench file wants.
pub const BOARDS: &str = "boards";

/// The numbers of steps that the bench file wants done before each case begin here: above those that a scenario can have.
pub const BOARD_STEPS: u16 = 50_000;

/// Steps that the bench file gives for a board.
#[derive(Debug, Clone, Default)]
pub struct BoardSteps {
    /// The steps.
    pub steps: Vec<Step>,
    /// The secrets that they name.
    pub secrets: Vec<Secret>,
}

impl Case {
    /// What the bench `file` wants done to a board in its line `line`: `steps`, then `finally` whatever becomes of them.
    #[must_use]
    pub fn of_board(name: String, file: &Path, line: u32, steps: &BoardSteps, finally: &BoardSteps) -> Self {
        Self {
            name,
            scenario: BOARDS.to_owned(),
            summary: "What the bench file wants done to the board.".to_owned(),
            file: file.to_owned(),
            line,
            tags: Vec::new(),
            effects: Vec::new(),
            requires: Requires::default(),
            virtual_board: VirtualSetup::default(),
            matrix: Vec::new(),
            deadline: worst_case(&steps.steps).saturating_add(DEADLINE_SLACK),
            finally_deadline: worst_case(&finally.steps).saturating_add(DEADLINE_SLACK),
            steps: steps.steps.clone(),
            finally: finally.steps.clone(),
            may_reset: false,
            may_damage: false,
            images: BTreeMap::new(),
            secrets: steps.secrets.iter().chain(&finally.secrets).cloned().collect(),
            is_of_board: true,
        }
    }
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

impl VersionBound {
    /// Whether `version` keeps to the bound.
    #[must_use]
    pub fn holds(&self, version: Version) -> bool {
        self.relation.holds(version.cmp(&self.version))
    }
}

/// As a file has it: `>=2.6.0`.
impl fmt::Display for VersionBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.relation, self.version)
    }
}

/// How a virtual board is set up for a case.
#[derive(Debug, Clone, Default)]
pub struct VirtualSetup {
    /// Keys and values as in the file, each accepted by [`Settings::put`]: what comes later counts.
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
            let _ = settings.put(key, value);
        }
        settings
    }

    /// This one, and then `other`.
    #[must_use]
    pub fn followed_by(&self, other: &Self) -> Self {
        let settings = self.settings.iter().chain(&other.settings).cloned().collect();
        Self { settings, has_faults: self.has_faults || other.has_faults }
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
    /// What it holds, where its file's name or the bench file says so.
    pub versions: Option<Versions>,
    /// Whether it was made by the project's own made-up format for this plan: it is then not for a real board.
    pub made_up: bool,
}

impl PlannedImage {
    /// An image that was made for the plan.
    #[must_use]
    pub fn made(name: &str, image: &Image) -> Self {
        let bytes: Arc<[u8]> = image.to_bytes().into();
        let sha256 = crate::image::sha256_hex(&bytes);
        Self { name: name.to_owned(), file_name: image.file_name(), sha256, versions: Some(image.versions), bytes, made_up: true }
    }

    /// A copy called `name` in which the bytes from `place` on were changed by exclusive or; `None` where they do not lie within the image.
    #[must_use]
    pub fn damaged(&self, name: &str, place: Place, xor: &[u8]) -> Option<Self> {
        let start = usize::try_from(place.offset(self.bytes.len() as u64)).ok()?;
        let mut bytes = self.bytes.to_vec();
        bytes.get_mut(start..start.checked_add(xor.len())?)?.iter_mut().zip(xor).for_each(|(byte, change)| *byte ^= change);
        let file_name = format!("damaged_{}", self.file_name);
        Some(Self { name: name.to_owned(), file_name, sha256: crate::image::sha256_hex(&bytes), bytes: bytes.into(), ..self.clone() })
    }
}

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
        let ladder = [115_200, 460_800, 921_600, 230_400, 57_600, 38_400, 9_600];
        Self { ladder: ladder.into_iter().filter_map(Baud::new).collect(), within: Duration::from_secs(60), may_reset: true }
    }
}
