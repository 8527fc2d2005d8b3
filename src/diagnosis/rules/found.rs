//! A cause with its reasons, being put together.

use std::fmt::Display;

use crate::baud::Baud;
use crate::diagnosis::{Advice, Cause, Probe, Sure};
use crate::timeline::event::{Against, Diagnosis, Other};

/// A cause with its reasons, being put together.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Found {
    pub(super) cause: Cause,
    pub(super) sure: Sure,
    pub(super) because: String,
    pub(super) evidence: Vec<u64>,
    pub(super) against: Option<Against>,
    pub(super) or: Vec<Other>,
    pub(super) probe: Option<Probe>,
    pub(super) at: Option<Baud>,
    /// The next thing to try, where more was seen than the cause alone says.
    pub(super) next: Option<String>,
}

impl Found {
    pub(super) fn new(cause: Cause, sure: Sure, because: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        let mut evidence: Vec<u64> = evidence.into_iter().collect();
        evidence.sort_unstable();
        evidence.dedup();
        Self { cause, sure, because: because.into(), evidence, against: None, or: Vec::new(), probe: None, at: None, next: None }
    }

    pub(super) fn against(mut self, why: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        self.against = Some(Against { why: why.into(), evidence: evidence.into_iter().collect() });
        self
    }

    /// Another cause that fits as well, and the probe that decides.
    pub(super) fn or(mut self, cause: Cause, because: impl Into<String>, probe: Probe) -> Self {
        self.or.push(Other { cause, because: because.into() });
        self.probe = Some(probe);
        self.sure = Sure::Possible;
        self
    }

    pub(super) fn or_restarting(self) -> Self {
        self.or(Cause::UncommandedReset, "it may be on its way up after a restart of its own; in that case it says so", Probe::Wait)
    }

    pub(super) fn or_wrong_speed(self, probe: Probe) -> Self {
        self.or(
            Cause::WrongSpeed,
            "a module at another speed does not understand, and says nothing; in that case it answers at that one",
            probe,
        )
    }

    /// The next thing to try is `advice`, of this cause; where there is none, what the cause alone says.
    pub(super) fn next(self, advice: impl Into<Option<Advice>>) -> Self {
        match advice.into() {
            Some(advice) => self.next_with(advice, &[]),
            None => self,
        }
    }

    /// The same, with what is known in the place of its words in capitals.
    pub(super) fn next_with(mut self, advice: Advice, words: &[(&str, &dyn Display)]) -> Self {
        debug_assert_eq!(advice.cause(), self.cause, "advice of another cause");
        self.next = Some(advice.filled(words));
        self
    }

    pub(in crate::diagnosis) fn into_diagnosis(self) -> Diagnosis {
        let Self { cause, sure, because, evidence, against, or, probe, at, next } = self;
        let next = next.unwrap_or_else(|| cause.next().to_owned());
        // Nobody looks for a cause that may be another one.
        let next = if or.is_empty() { next } else { format!("first do what `decides` says; if it is {cause}: {next}") };
        Diagnosis { cause, sure, because, evidence, against, or, probe, at, next }
    }
}
