//! What the faults of a board did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often each fault of a virtual EVKIT *acted*: the board did otherwise than a healthy one would have done at that moment, in a way that reached the wires, its memory or the host. That a fault is
/// there is not enough.
///
/// All clones are the same log. A setup clears it.
#[derive(Debug, Clone, Default)]
pub struct FaultLog(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl FaultLog {
    /// How often the fault called `name` acted.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts().get(name).copied().unwrap_or(0)
    }

    /// Every fault that acted, by its name, and how often.
    #[must_use]
    pub fn acted(&self) -> BTreeMap<&'static str, u64> {
        self.counts().clone()
    }

    /// The fault called `name` acts now.
    pub(in crate::model::evkit) fn note(&self, name: &'static str) {
        debug_assert!(super::Fault::named(name).is_some(), "{name} is in the catalogue");
        *self.counts().entry(name).or_default() += 1;
    }

    pub(in crate::model::evkit) fn clear(&self) {
        self.counts().clear();
    }

    /// A panic while it was held left whole counts.
    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
