//! Reading the values of one case: variables filled in, text given its meaning, complaints placed and collected.

use super::variables::{Scope, Target};
use crate::document::{Cursor, Diagnostic, Problems, Refusal, one_of};

/// What the reading of a case needs at every value.
pub(super) struct Reader<'r> {
    scope: Scope<'r>,
    problems: &'r mut Problems,
}

impl<'r> Reader<'r> {
    pub(super) const fn new(scope: Scope<'r>, problems: &'r mut Problems) -> Self {
        Self { scope, problems }
    }

    /// Adds a complaint.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// Adds a complaint about a value.
    pub(super) fn refuse(&mut self, cursor: Cursor<'_>, refusal: Refusal) {
        self.push(cursor.refused(refusal));
    }

    /// The meaning of a value, its variables filled in; `None` when it was refused.
    pub(super) fn value<T>(&mut self, cursor: Cursor<'_>, text: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        self.value_for(Target::Text, cursor, text, parse)
    }

    /// The same for a text in which variables are put as `target` says.
    pub(super) fn value_for<T>(
        &mut self,
        target: Target,
        cursor: Cursor<'_>,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let filled = match self.scope.fill(text, target) {
            Ok(filled) => filled,
            Err(refusal) => {
                self.refuse(cursor, refusal);
                return None;
            }
        };
        match parse(&filled) {
            Ok(value) => Some(value),
            Err(refusal) => {
                let mut diagnostic = cursor.refused(refusal);
                if filled != text {
                    diagnostic = diagnostic.label(format!("here it is `{}`", filled.escape_debug()));
                }
                self.push(diagnostic);
                None
            }
        }
    }

    /// One of several words; `what` is what they are called.
    pub(super) fn word<T: Copy>(&mut self, cursor: Cursor<'_>, text: &str, what: &str, words: &[(&'static str, T)]) -> Option<T> {
        self.value(cursor, text, |text| one_of(text, what, words))
    }
}
