//! Diagnosis: from a timeline to a named cause, with its evidence and the next thing to try. Pure: it sees the events and the bytes, nothing else.

mod diagnose;

pub use diagnose::diagnose;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A named cause. Sources: the table *What goes wrong on a real bench* of the module's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The application answered where boot code should have: reset came before the loader asked for it.
    ApplicationAnswered,
    /// The boot code acknowledged the hotkey and then answered no command.
    AcknowledgedSilent,
    /// Nothing came at all.
    NothingCame,
}

impl Cause {
    /// Every cause, in the order of the reference.
    pub const ALL: &'static [Self] = &[Self::ApplicationAnswered, Self::AcknowledgedSilent, Self::NothingCame];

    /// The name that scenarios and reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApplicationAnswered => "application-answered",
            Self::AcknowledgedSilent => "acknowledged-silent",
            Self::NothingCame => "nothing-came",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
