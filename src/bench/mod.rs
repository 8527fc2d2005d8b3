//! The bench: the boards on this machine and how each is wired. A file of the user's, apart from the scenarios. Read by [`file`].

mod file;

pub use file::{HOST_LATE, START_UP};

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::baud::Baud;
use crate::line::LineConfig;
use crate::plan::{Effect, PlannedImage};
use crate::port::PortName;

/// The boards of this machine.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The file it was read from.
    pub file: PathBuf,
    /// The boards, in the order of the file.
    pub boards: Vec<Board>,
    /// Images by the name that scenarios use: read when the bench is, passed on unread.
    pub images: BTreeMap<String, PlannedImage>,
    /// How late this computer may be before an answer that came around its deadline is an error of the rig. Default: 1 ms.
    pub host_late: Duration,
}

/// One unit: a port, a reset line.
#[derive(Debug, Clone)]
pub struct Board {
    /// Its name.
    pub name: BoardName,
    /// Its line in the bench file, from 1.
    pub line: u32,
    /// Its serial port.
    pub port: PortName,
    /// The speed at which its application answers after a plain start.
    pub baud: Baud,
    /// How long its application takes at most from a restart to its start-up messages. Default: 30 s.
    pub start_up: Duration,
    /// Its reset line.
    pub reset: LineConfig,
    /// Effects that the bench permits on it.
    pub allow: Vec<Effect>,
    /// The control socket of `evkit-hil virtual`, where the board is a virtual one: cases may then set it up, faults included.
    pub virtual_control: Option<PathBuf>,
}

/// The name of a board.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardName(pub String);

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
