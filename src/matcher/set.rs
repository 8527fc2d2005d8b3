//! Patterns compiled together.

use std::fmt;

use regex_syntax::hir::Hir;

use super::automaton::{self, Automaton, SET_LIMIT};
use super::error::PatternError;
use super::pattern::Pattern;

/// Patterns compiled together, once; shared by the matchers of any number of streams. A pattern is known by its index.
pub struct PatternSet {
    patterns: Vec<Pattern>,
    automaton: Automaton,
}

impl PatternSet {
    /// Compiles patterns together. A set of none matches nothing.
    ///
    /// # Errors
    /// [`PatternError::TooBig`] when they need more than 16 MiB together.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let hirs: Vec<&Hir> = patterns.iter().map(Pattern::hir).collect();
        let automaton = Automaton::unanchored(automaton::compile(&hirs, SET_LIMIT)?);
        Ok(Self { patterns, automaton })
    }

    /// How many patterns there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The pattern with this index.
    ///
    /// # Panics
    /// When there is none with this index.
    #[must_use]
    pub fn pattern(&self, index: usize) -> &Pattern {
        &self.patterns[index]
    }

    pub(super) const fn automaton(&self) -> &Automaton {
        &self.automaton
    }
}

impl fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PatternSet").field(&self.patterns).finish()
    }
}
