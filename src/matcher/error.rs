//! Why a pattern is refused.

/// Why a pattern is refused when its file is loaded. [`PatternError::offset`] places it inside the pattern, [`PatternError::hint`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The regex is not one.
    #[error("not a valid regex: {message}")]
    Syntax {
        /// Byte offset of the mistake.
        offset: usize,
        /// What is wrong.
        message: String,
    },
    /// The pattern ends in a repetition whose count is not fixed: what it matches would depend on how the bytes were cut into reads.
    #[error("open end: `{part}` can match less or more, and a stream does not say when it has ended")]
    OpenEnd {
        /// Byte offset of the repetition.
        offset: usize,
        /// The repetition as written.
        part: String,
    },
    /// One branch of the last alternation of the pattern may be nothing at all.
    #[error("open end: a branch of `{part}` can be empty, so that nothing behind it is ever waited for")]
    EmptyBranch {
        /// Byte offset of the alternation.
        offset: usize,
        /// The alternation as written.
        part: String,
    },
    /// One branch of the last alternation of the pattern is the beginning of another: the longer one would never be matched.
    #[error("open end: a branch of `{part}` is the beginning of another, so that the longer one is never waited for")]
    BranchBeginsAnother {
        /// Byte offset of the alternation; `None` where several alternations end the pattern.
        offset: Option<usize>,
        /// The alternation as written, or the pattern where it is not known which.
        part: String,
    },
    /// The pattern ends in an assertion, which asks for what a stream does not have yet.
    #[error("`{part}` at the end asks what comes next, and on a stream nothing has come yet")]
    EndAssertion {
        /// Byte offset of the assertion.
        offset: usize,
        /// The assertion as written.
        part: String,
    },
    /// The pattern matches without a byte.
    #[error("matches the empty string, which is everywhere")]
    Empty,
    /// No bytes whatever match the pattern.
    #[error("can match nothing at all")]
    MatchesNothing,
    /// A word boundary of Unicode, which has no meaning on bytes.
    #[error("a Unicode word boundary has no meaning on bytes")]
    UnicodeBoundary,
    /// The pattern, or the set, needs too much memory when compiled.
    #[error("too big: compiled it needs more than {limit} bytes")]
    TooBig {
        /// The limit in bytes.
        limit: usize,
    },
}

impl PatternError {
    /// Where in the regex it is, as a byte offset; `None` where the whole pattern is meant.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Syntax { offset, .. }
            | Self::OpenEnd { offset, .. }
            | Self::EmptyBranch { offset, .. }
            | Self::EndAssertion { offset, .. } => Some(*offset),
            Self::BranchBeginsAnother { offset, .. } => *offset,
            Self::Empty | Self::MatchesNothing | Self::UnicodeBoundary | Self::TooBig { .. } => None,
        }
    }

    /// What to do about it, where there is something to say beyond the message.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Syntax { .. } => return None,
            Self::OpenEnd { part, .. } => format!(r"add what follows, for example `\r`: `{part}\r`; or give a fixed count"),
            Self::EmptyBranch { part, .. } => format!(r"add what follows, for example `\r`: `{part}\r`; or leave the empty branch out"),
            Self::BranchBeginsAnother { part, offset: Some(_), .. } => format!(r"add what follows both, for example `\r`: `(?:{part})\r`"),
            Self::BranchBeginsAnother { offset: None, .. } => r"add what follows both, for example `\r`".to_owned(),
            Self::EndAssertion { part, .. } => format!(r"write what follows in place of `{part}`, for example `\r`; or leave it out"),
            Self::Empty => "give at least one byte that must come".to_owned(),
            Self::MatchesNothing => {
                r"look for an anchor in the middle (`a\zb`, `a\Ab`), a boundary between two letters or an empty class".to_owned()
            }
            Self::UnicodeBoundary => r"leave `(?u)` out: `\b` then is the boundary of an ASCII word".to_owned(),
            Self::TooBig { .. } => "use smaller counts in `{m,n}`, or fewer patterns".to_owned(),
        })
    }
}
