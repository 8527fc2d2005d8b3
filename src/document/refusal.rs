//! Why a text is refused, by somebody who does not know where it stands.

use super::nearest::nearest;

/// What is wrong with a text, and what to do. [`super::Cursor::refused`] places it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal that knows what to do.
    #[must_use]
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl From<crate::plan::units::UnitError> for Refusal {
    fn from(error: crate::plan::units::UnitError) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl From<crate::matcher::PatternError> for Refusal {
    fn from(error: crate::matcher::PatternError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl From<crate::image::VersionError> for Refusal {
    fn from(error: crate::image::VersionError) -> Self {
        Self { message: error.to_string(), hint: None }
    }
}

/// The two words for whether something is so.
pub const TRUTH: &[(&str, bool)] = &[("true", true), ("false", false)];

/// The meaning of one of several words; `what` is what they are called.
///
/// # Errors
/// The refusal of any other word, with the nearest one and all of them.
pub fn one_of<T: Copy>(text: &str, what: &str, words: &[(&'static str, T)]) -> Result<T, Refusal> {
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| unknown_word(text, what, words.iter().map(|(word, _)| *word)))
}

/// The refusal of a word that is none of `words`.
#[must_use]
pub fn unknown_word<'w>(text: &str, what: &str, words: impl IntoIterator<Item = &'w str> + Clone) -> Refusal {
    let near = nearest(text, words.clone()).map(|near| format!("did you mean `{near}`? "));
    let all = words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Refusal::new(format!("`{text}` is not {what}"), format!("{}known: {all}", near.unwrap_or_default()))
}
