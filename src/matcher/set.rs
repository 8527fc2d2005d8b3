//! Patterns compiled together.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use regex_syntax::hir::Hir;

use super::automaton::{self, Automaton, Cache, SET_LIMIT};
use super::error::PatternError;
use super::pattern::Pattern;

/// How many states are made before a stream comes: those of patterns as scenarios have them, which are mostly literal.
const PREPARED: usize = 128;

/// Patterns compiled together, once; shared by the matchers of any number of streams. A pattern is known by its index.
pub struct PatternSet {
    patterns: Vec<Pattern>,
    automaton: Automaton,
    /// The states that are made before a stream comes, once they are.
    ready: OnceLock<Cache>,
    prepared: Mutex<Option<Cache>>,
}

impl PatternSet {
    /// Compiles patterns together. A set of none matches nothing.
    ///
    /// # Errors
    /// [`PatternError::TooBig`] when they need more than 16 MiB together.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let hirs: Vec<&Hir> = patterns.iter().map(Pattern::hir).collect();
        let automaton = Automaton::unanchored(automaton::compile(&hirs, SET_LIMIT)?);
        Ok(Self { patterns, automaton, ready: OnceLock::new(), prepared: Mutex::new(None) })
    }

    /// Makes ready for the next [`Matcher`](super::Matcher) of this set, so that its first match waits for nothing to be built. Costs some 50 µs and a few KiB the first time, and a copy of that
    /// afterwards; without it everything matches just the same.
    pub fn prepare(&self) {
        let ready = self.ready.get_or_init(|| {
            let mut cache = self.automaton.cache();
            self.automaton.prepare(&mut cache, PREPARED);
            cache
        });
        let cache = ready.clone();
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(cache);
    }

    /// What [`PatternSet::prepare`] has made, or an empty cache.
    pub(super) fn cache(&self) -> Cache {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        prepared.or_else(|| self.ready.get().cloned()).unwrap_or_else(|| self.automaton.cache())
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
