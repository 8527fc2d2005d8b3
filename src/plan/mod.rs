//! The plan: what a run will do, checked whole before hardware is touched. Made from scenario files and the bench by [`crate::scenario`];
//! carried out by [`crate::runner`]. Holds no text that still has to be parsed.

mod control;
pub mod effects;
mod listing;
mod needs;
mod place;
mod restarts;
mod speeds;
mod step;
pub mod units;
mod value;
mod worst_case;

pub use control::{All, Any, Beside, Handler, Repeat, Retry, Rounds, Trigger, When, walk};
pub use needs::{Needs, module_verb, needs};
pub use place::Place;
pub use speeds::speeds_in;
pub use step::{
    Action, Anchor, At, AtAnswer, Boot, BootResult, Expect, ExpectEdge, Handshake, HandshakeOutcome, LineAct, LineDrive, Measure, Patterns,
    Power, Quiet, Reset, Restore, Send, Step, Strategy, Upload, UploadResult,
};
pub use value::{Bound, Comparison, Piece, Relation, Template, are_digits, compare, has_order};
pub use worst_case::{DEADLINE_SLACK, worst_case};

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::image::{Image, Version, Versions};
use crate::model::evkit::Settings;
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
