//! The five control words, all of them bounded, and what else holds steps inside a step.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, Anchor, Comparison, Patterns, Place, Step};
use crate::matcher::PatternSet;

/// See [`Action::Retry`].
#[derive(Debug, Clone)]
pub struct Retry {
    /// How often the steps are done at most.
    pub times: u32,
    /// How long is waited between two tries.
    pub pause: Duration,
    /// The steps.
    pub steps: Vec<Step>,
}

/// See [`Action::Repeat`].
#[derive(Debug, Clone)]
pub struct Repeat {
    /// How often, or how long.
    pub rounds: Rounds,
    /// The steps.
    pub steps: Vec<Step>,
}

/// How far a [`Repeat`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    /// So often.
    Times(u32),
    /// Until so much time has passed; a round that has begun goes on to its end, and there is at least one.
    For(Duration),
}

/// See [`Action::All`].
#[derive(Debug, Clone)]
pub struct All {
    /// Each pattern that must come, compiled by itself.
    pub patterns: Vec<Arc<PatternSet>>,
    /// What must not come before the last of them.
    pub never: Option<Arc<PatternSet>>,
    /// How long.
    pub within: Duration,
    /// From where `within` counts.
    pub of: Anchor,
}

/// See [`Action::Any`].
#[derive(Debug, Clone)]
pub struct Any {
    /// The patterns, and what must not come.
    pub patterns: Patterns,
    /// The name of each pattern that is waited for.
    pub names: Vec<String>,
    /// Under which name that of the first match is kept.
    pub keep: Option<String>,
    /// How long.
    pub within: Duration,
    /// From where `within` counts.
    pub of: Anchor,
}

/// See [`Action::When`].
#[derive(Debug, Clone)]
pub struct When {
    /// Decides which steps are done.
    pub condition: Comparison,
    /// Done when it holds.
    pub steps: Vec<Step>,
    /// Done when it does not.
    pub otherwise: Vec<Step>,
}

/// What a waiting step watches for beside what it waits for.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What must not come while the step runs. Steps that wait for patterns have it among those instead.
    pub never: Option<Arc<PatternSet>>,
    /// What is done when something comes, without an end to the waiting.
    pub handlers: Vec<Handler>,
}

/// One handler of a waiting step.
#[derive(Debug, Clone)]
pub struct Handler {
    /// What it waits for.
    pub trigger: Trigger,
    /// What is done then. None of them waits.
    pub steps: Arc<[Step]>,
}

/// What a handler waits for.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// A pattern among what comes while the step runs, each time that it comes.
    Pattern(Arc<PatternSet>),
    /// So much of an upload's image has been sent; once.
    Sent(Place),
}

impl Step {
    /// The step and all that it holds, each before what it holds.
    #[must_use]
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for list in self.inner() {
            all.extend(walk(list));
        }
        all
    }

    /// The lists of steps that it holds: of its control word, and of its handlers.
    pub(super) fn inner(&self) -> Vec<&[Self]> {
        let mut lists: Vec<&[Self]> = match &self.action {
            Action::Retry(retry) => vec![&retry.steps],
            Action::Repeat(repeat) => vec![&repeat.steps],
            Action::When(when) => vec![&when.steps, &when.otherwise],
            _ => Vec::new(),
        };
        lists.extend(self.beside.handlers.iter().map(|handler| &*handler.steps));
        lists
    }

    /// Whether a handler of the step resets the board: what was under way is then broken off.
    #[must_use]
    pub fn breaks_off(&self) -> bool {
        self.in_handlers().any(|step| matches!(step.action, Action::Reset(_)))
    }

    /// Whether what is under way may end before its time by what the step watches for: by a pattern that must not come, or by what a handler does to the board, its lines or its stream.
    #[must_use]
    pub fn may_break_off(&self) -> bool {
        self.beside.never.is_some() || self.in_handlers().any(|step| !matches!(step.action, Action::Note(_)))
    }

    fn in_handlers(&self) -> impl Iterator<Item = &Self> {
        self.beside.handlers.iter().flat_map(|handler| handler.steps.iter())
    }
}

/// All steps of a list and what they hold, each before what it holds: the order of their numbers.
#[must_use]
pub fn walk(steps: &[Step]) -> Vec<&Step> {
    steps.iter().flat_map(Step::walk).collect()
}
