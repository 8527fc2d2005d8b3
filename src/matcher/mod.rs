//! The matcher: text, hex and regex patterns over a byte stream, stepped once a byte whatever the chunks.
//!
//! A [`Pattern`] is checked when a file is loaded: one whose match a stream cannot decide on the byte that completes it (an open end, `$`, a trailing `\b`) is refused there
//! with a hint. A [`PatternSet`] compiles any number of patterns together, once. A [`Matcher`] holds the state of one stream: it stops right behind the first byte at which any
//! pattern can match, so that a prompt followed by silence is matched on its own last byte. Where the match began and what its groups captured comes from a second
//! pass over a bounded window of what went by.
//!
//! Patterns speak of bytes, not of characters: `.` and `\w` are ASCII, `\xFF` is one byte, and a letter outside ASCII stands for its bytes in UTF-8.
//!
//! This module knows no time, no port and no step: who feeds it knows when the bytes came.

mod automaton;
mod check;
mod error;
mod pattern;
mod set;
mod stream;
#[cfg(test)]
mod tests;
mod window;

pub use error::PatternError;
pub use pattern::{Pattern, PatternSource};
pub use set::PatternSet;
pub use stream::{DEFAULT_WINDOW, Hit, Matcher, Span};
