//! Reading the values of one case: variables filled in, text given its meaning, complaints placed and collected.

use std::collections::{BTreeMap, BTreeSet};

use super::matrix::Combination;
use super::variables::{Filled, Scope, Target};
use crate::document::{Cursor, Diagnostic, Problems, Refusal, one_of};
use crate::plan::{PlannedImage, Template};
use crate::secret::{Secret, Secrets};

/// A complaint about a text for people that says nothing, where it does not: it would leave a blank in reports. `what` is what it should say.
pub(super) fn says_nothing(cursor: Cursor<'_>, text: &str, what: &str) -> Option<Diagnostic> {
    let key = cursor.key().unwrap_or("this");
    let problem = || cursor.problem(format!("`{key}` says nothing")).hint(format!("write {what}, or remove the key"));
    text.trim().is_empty().then(problem)
}

/// What is kept under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// What came, or the name of what came.
    Text,
    /// A time that was measured.
    Time,
}

/// What the reading of a case needs at every value.
pub(super) struct Reader<'r> {
    /// Names and values that hold here: the matrix's in a scenario, the parameters in a fragment.
    pub(super) combination: Combination,
    /// Names under which steps read so far keep a value.
    pub(super) kept: BTreeMap<String, Keeps>,
    /// Secrets that were named.
    pub(super) secrets_used: BTreeSet<Secret>,
    images: &'r BTreeMap<String, PlannedImage>,
    secrets: &'r Secrets,
    problems: &'r mut Problems,
}

impl<'r> Reader<'r> {
    pub(super) const fn new(
        combination: Combination,
        images: &'r BTreeMap<String, PlannedImage>,
        secrets: &'r Secrets,
        problems: &'r mut Problems,
    ) -> Self {
        Self { combination, kept: BTreeMap::new(), secrets_used: BTreeSet::new(), images, secrets, problems }
    }

    /// Adds a complaint.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// Adds a complaint about a value.
    pub(super) fn refuse(&mut self, cursor: Cursor<'_>, refusal: Refusal) {
        self.push(cursor.refused(refusal));
    }

    /// The text of a value, its variables filled in.
    fn fill(&mut self, target: Target, cursor: Cursor<'_>, text: &str) -> Option<Filled> {
        let scope = Scope { combination: &self.combination, images: self.images, kept: &self.kept, secrets: self.secrets };
        match scope.fill(text, target) {
            Ok(filled) => {
                self.secrets_used.extend(filled.secrets.iter().cloned());
                Some(filled)
            }
            Err(refusal) => {
                self.refuse(cursor, refusal);
                None
            }
        }
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
        let filled = self.fill(target, cursor, text)?;
        let shown = match filled.text() {
            Ok(shown) => shown,
            Err(refusal) => {
                self.refuse(cursor, refusal);
                return None;
            }
        };
        match parse(&shown) {
            Ok(value) => Some(value),
            Err(refusal) => {
                let mut diagnostic = cursor.refused(refusal);
                if shown != text && filled.secrets.is_empty() {
                    diagnostic = diagnostic.label(format!("here it is `{}`", shown.escape_debug()));
                }
                self.push(diagnostic);
                None
            }
        }
    }

    /// A text in which values may stand that are known only while the case runs.
    pub(super) fn template(&mut self, cursor: Cursor<'_>, text: &str) -> Option<Template> {
        self.fill(Target::Text, cursor, text).map(|filled| Template::new(filled.pieces))
    }

    /// One of several words; `what` is what they are called.
    pub(super) fn word<T: Copy>(&mut self, cursor: Cursor<'_>, text: &str, what: &str, words: &[(&'static str, T)]) -> Option<T> {
        self.value(cursor, text, |text| one_of(text, what, words))
    }
}
