//! Why a step stopped before its end.

use crate::timeline::event::EndedBy;

/// What a step found that it should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In one line, for lists.
    pub reason: String,
    /// What was expected.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
    /// The events that prove it.
    pub evidence: Vec<u64>,
    /// What ended the step, where that was something else than what it waits for.
    pub by: Option<EndedBy>,
}

impl Finding {
    /// A finding with its evidence.
    #[must_use]
    pub fn new(reason: impl Into<String>, expected: impl Into<String>, seen: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { reason: reason.into(), expected: expected.into(), seen: seen.into(), evidence, by: None }
    }

    /// The same, where the step was ended by something else than what it waits for.
    #[must_use]
    pub fn by(self, by: EndedBy) -> Self {
        Self { by: Some(by), ..self }
    }
}

/// Why a step stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The board misbehaved.
    Failed(Finding),
    /// Something came that must not (`never`): no other try makes that good.
    Forbidden(Finding),
    /// The board restarted by itself, whatever the step was: found by the watch, not by the step.
    Restarted(Finding),
    /// The rig did, once: the case is an error, the board can go on.
    Rig(Finding),
    /// The rig did, and the board cannot go on (its port is gone, its line cannot be driven).
    GivenUp(Finding),
    /// Somebody asked the run to end.
    Interrupted,
}

impl Stop {
    /// What was found, where something was.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Failed(finding) | Self::Forbidden(finding) | Self::Restarted(finding) | Self::Rig(finding) | Self::GivenUp(finding) => {
                Some(finding)
            }
            Self::Interrupted => None,
        }
    }

    /// The same with other words for its reason.
    #[must_use]
    pub fn with_reason(self, words: impl FnOnce(&str) -> String) -> Self {
        let change = |finding: Finding| Finding { reason: words(&finding.reason), ..finding };
        match self {
            Self::Failed(finding) => Self::Failed(change(finding)),
            Self::Forbidden(finding) => Self::Forbidden(change(finding)),
            Self::Restarted(finding) => Self::Restarted(change(finding)),
            Self::Rig(finding) => Self::Rig(change(finding)),
            Self::GivenUp(finding) => Self::GivenUp(change(finding)),
            Self::Interrupted => Self::Interrupted,
        }
    }
}
