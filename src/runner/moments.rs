//! The events that times count from: when each happened last, how exactly that is known, and which event of the timeline it is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::Anchor;
use crate::seam::simulated::CALL;
use crate::time::MonoTime;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When, as far as this computer can tell.
    pub at: MonoTime,
    /// When this computer last looked and it had not happened yet; `at` for what it did itself.
    pub since: MonoTime,
    /// How far the truth may lie from it, to either side.
    pub uncertainty: Duration,
    /// The event that records it, where there is one.
    pub seq: Option<u64>,
}

/// How finely a link measures times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fineness {
    /// How much later than the wire a read may see a byte.
    pub read: Duration,
    /// How times are taken, in words.
    pub how: &'static str,
}

impl Fineness {
    /// That of simulated time.
    pub const SIMULATED: Self = Self { read: CALL, how: "simulated time: a system call takes 1 us, and nothing else is late" };
}

/// The events that have happened in a case.
#[derive(Debug, Default)]
pub struct Moments {
    /// Last release of the reset line (the backend said that it is done).
    pub release: Option<Moment>,
    /// Last assertion.
    pub assert: Option<Moment>,
    /// Last acknowledge of the boot code.
    pub acknowledge: Option<Moment>,
    /// When the module's supply was last switched on.
    pub power_on: Option<Moment>,
    /// Last sending (the return of its last write).
    pub sent: Option<Moment>,
    /// Last match.
    pub matched: Option<Moment>,
    /// Last match of each `expect` with `as`.
    named: BTreeMap<String, Moment>,
    /// When the step before ended.
    pub step_before: MonoTime,
}

impl Moments {
    /// None has happened, and the step before ends at `now`.
    #[must_use]
    pub fn from(now: MonoTime) -> Self {
        Self { step_before: now, ..Self::default() }
    }

    /// Gives a match a name.
    pub fn name(&mut self, name: &str, moment: Moment) {
        self.named.insert(name.to_owned(), moment);
    }

    /// When an event happened; `None` when it has not in this case.
    #[must_use]
    pub fn of(&self, anchor: &Anchor) -> Option<Moment> {
        match anchor {
            Anchor::Release => self.release,
            Anchor::Assert => self.assert,
            Anchor::Acknowledge => self.acknowledge,
            Anchor::Sent => self.sent,
            Anchor::PowerOn => self.power_on,
            Anchor::Match => self.matched,
            Anchor::StepBefore => Some(Moment { at: self.step_before, since: self.step_before, uncertainty: Duration::ZERO, seq: None }),
            Anchor::Named(name) => self.named.get(name).copied(),
        }
    }
}
