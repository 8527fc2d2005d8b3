//! What probes brought.

use std::collections::BTreeSet;
use std::time::Duration;

use super::exchange::{Exchange, Line};
use super::since::Start;
use crate::baud::Baud;
use crate::diagnosis::Probe;

/// What probes brought, over all of them.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Probed {
    /// The one that is carried out now, or was last.
    pub(in crate::diagnosis) now: Probe,
    /// Its event, and that of the first one.
    pub(super) seq: u64,
    pub(super) first: u64,
    /// All that were carried out.
    pub(in crate::diagnosis) done: BTreeSet<Probe>,
    /// The host's speeds at which the module was reset.
    pub(in crate::diagnosis) resets_at: BTreeSet<Baud>,
    /// The start that the first one found.
    pub(super) began: Option<Start>,
    /// The first command that the application answered.
    pub(in crate::diagnosis) answered: Option<Brought<Exchange>>,
    /// The first command that boot code answered.
    pub(in crate::diagnosis) answered_by_boot_code: Option<Brought<Exchange>>,
    /// What came first behind something that was sent and is no result, before any command was answered.
    pub(in crate::diagnosis) line: Option<Line>,
    /// The first start-up message.
    pub(in crate::diagnosis) started: Option<Brought<(u64, String)>>,
    /// Boot code took the hotkey.
    pub(in crate::diagnosis) acknowledged: Option<Taken>,
    /// Something was sent since it began.
    pub(super) has_sent: bool,
    /// Bytes that came while nothing was sent.
    pub(in crate::diagnosis) overheard: Option<u64>,
    /// The host's speed when the first one began, and what came at it that was no word of the module.
    pub(in crate::diagnosis) speed: Baud,
    pub(in crate::diagnosis) strange: Vec<Line>,
    /// What came first that was no word of the module at another speed, behind a start-up message that was.
    pub(in crate::diagnosis) strange_elsewhere: Option<u64>,
    /// What came before a probe had sent anything, by the host's speed.
    pub(in crate::diagnosis) unasked: Vec<(Baud, Vec<u8>)>,
    /// The host's speeds at which nothing was sent for as long as a start takes.
    pub(in crate::diagnosis) waits_at: BTreeSet<Baud>,
}

/// A hotkey that boot code took.
#[derive(Debug, Clone, Copy)]
pub(in crate::diagnosis) struct Taken {
    /// The read that brought the acknowledge.
    pub(in crate::diagnosis) seq: u64,
    /// The host's speed then.
    pub(in crate::diagnosis) speed: Baud,
    /// How long after the start it came.
    pub(in crate::diagnosis) after: Duration,
    /// The mean pause between the hotkeys up to it; `None` of the first one.
    pub(in crate::diagnosis) every: Option<Duration>,
}

/// Something that a probe brought.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Brought<T> {
    pub(in crate::diagnosis) what: T,
    /// The host's speed then.
    pub(in crate::diagnosis) speed: Baud,
    /// How long after the module last began anew; zero where it did not.
    pub(in crate::diagnosis) after: Duration,
    /// No probe had reset the module before it.
    pub(in crate::diagnosis) is_before_reset: bool,
}
