//! The bench: the boards on this machine and how each is wired. A file of the user's, apart from the scenarios.

mod board;
mod file;
mod identity;
mod image;
mod line;
mod reader;
mod require;
mod schema;
#[cfg(test)]
mod tests;

pub use schema::schema;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::baud::Baud;
use crate::line::{LineConfig, Role};
use crate::plan::{BoardSteps, Effect, PlannedImage, VirtualSetup};
use crate::port::PortName;
use crate::secret::Secrets;

/// How late this computer may be where the bench does not say.
pub const HOST_LATE: Duration = Duration::from_millis(1);

/// How long an application may take from a restart to its start-up messages where the bench does not say. Hosts poll it for up to 5 s (arduino), but one saw it still starting (`+CME ERROR:
/// 1120`) for up to about 30 s (mbed). With that, a boot window of 2 s before it and the messages themselves, a healthy module must not be taken for one that restarts by itself, or for a
/// dead one.
pub const START_UP: Duration = Duration::from_secs(35);

/// The boards of this machine.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The file it was read from.
    pub file: PathBuf,
    /// The boards, in the order of the file.
    pub boards: Vec<Board>,
    /// Images by the name that scenarios use: read when the bench is, passed on unread.
    pub images: BTreeMap<String, PlannedImage>,
    /// Where `$secret.NAME` of scenarios comes from.
    pub secrets: Secrets,
    /// How late this computer may be before an answer that came around its deadline is an error of the rig. Default: 1 ms.
    pub host_late: Duration,
    /// What must have passed, or a run on this bench is incomplete.
    pub require: Require,
}

/// What must have passed: not failed, skipped or blocked, and not only when it was tried again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Require {
    /// Names of cases, of scenarios (all of their cases) or of scenarios' files, without `.yaml`.
    pub cases: Vec<String>,
    /// Tags: all cases that have one.
    pub tags: Vec<String>,
}

/// One unit: a port, a reset line, perhaps power and other lines.
#[derive(Debug, Clone)]
pub struct Board {
    /// Its name.
    pub name: BoardName,
    /// Its line in the bench file, from 1.
    pub line: u32,
    /// The bench file, for places in reports.
    pub file: PathBuf,
    /// What is known of it before anything is asked.
    pub kind: BoardKind,
    /// What tells the unit from others: checked before anything is done to it.
    pub identity: Identity,
    /// Whether it has to answer before its first case.
    pub health: bool,
    /// What is done about the network that its SIM may register with.
    pub sim: Sim,
    /// Its serial port.
    pub port: PortName,
    /// Whether the port may be a Raspberry Pi's mini UART.
    pub accept_mini_uart: bool,
    /// The speed at which its application answers after a plain start.
    pub baud: Baud,
    /// How long its application takes at most from a restart to its start-up messages. Default: 35 s.
    pub start_up: Duration,
    /// Its reset line; `None` only for a port without a bench, of which nothing but the port is known.
    pub reset: Option<LineConfig>,
    /// What switches its supply, where something does.
    pub power: Option<LineConfig>,
    /// Its other lines, outputs and inputs, in the order of the file.
    pub lines: Vec<LineConfig>,
    /// Effects that the bench permits on it.
    pub allow: Vec<Effect>,
    /// What is done to it once in a run, before its first case.
    pub before_run: BoardSteps,
    /// What is done to it before each case.
    pub before_case: BoardSteps,
    /// What is done to it after its last case.
    pub after_run: BoardSteps,
    /// The control socket of `evkit-hil virtual`, where the board is a virtual one: cases may then set it up, faults included.
    pub virtual_control: Option<PathBuf>,
    /// How a virtual one is set up for every case, before what the case says.
    pub virtual_setup: VirtualSetup,
}

/// What a board is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoardKind {
    /// A kit with an ST87M01.
    #[default]
    St87m01,
    /// Anything with a port and a reset line: nothing is asked of it, and nothing is sent to it but what the steps say.
    Generic,
}

/// What is done about the network that a module's SIM may register with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sim {
    /// Nothing: there is none, or nothing is known of it.
    #[default]
    None,
    /// The radio is turned off between cases, so that the resets of a night are no registrations.
    Quiet,
    /// It registers, and is restarted only so often an hour.
    Live,
}

/// What tells a unit from others. What is not given is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The module's IMEI, as it answers `AT+CGSN` (3GPP TS 27.007).
    pub imei: Option<String>,
    /// The serial number of its USB adapter.
    pub usb_serial: Option<String>,
    /// Where its USB adapter is plugged in, bus and ports: `1-1.2`.
    pub usb_path: Option<String>,
}

impl Board {
    /// A kit of which nothing but its port is known, which is also its name: no line can be driven.
    #[must_use]
    pub fn at_port(port: &Path) -> Self {
        Self {
            name: BoardName(port.display().to_string()),
            line: 1,
            file: port.to_owned(),
            kind: BoardKind::St87m01,
            identity: Identity::default(),
            health: false,
            sim: Sim::None,
            port: PortName::Path(port.to_owned()),
            // There is nothing else in which it could be said.
            accept_mini_uart: true,
            baud: Baud::DEFAULT,
            start_up: START_UP,
            reset: None,
            power: None,
            lines: Vec::new(),
            allow: Vec::new(),
            before_run: BoardSteps::default(),
            before_case: BoardSteps::default(),
            after_run: BoardSteps::default(),
            virtual_control: None,
            virtual_setup: VirtualSetup::default(),
        }
    }

    /// Every line that is wired to it, power and inputs included.
    pub fn all_lines(&self) -> impl Iterator<Item = &LineConfig> {
        self.reset.iter().chain(&self.power).chain(&self.lines)
    }

    /// Every line that we drive and that is released when a run ends: reset and the named outputs, not power.
    pub fn outputs(&self) -> impl Iterator<Item = &LineConfig> {
        self.reset.iter().chain(self.lines.iter().filter(|line| line.role == Role::Output))
    }
}

/// The name of a board.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardName(pub String);

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
