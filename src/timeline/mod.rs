//! The timeline: everything that happens in a case, as events on one monotonic clock, on disk. docs/timeline.md is the schema in words.
//!
//! A timeline is a directory with two files: `events.jsonl`, a header and then one event a line, and `bytes.bin`, the bytes that `bytes` events
//! name by offset and length. The runner owns the only [`Timeline`] (the writer) of a directory; everything else reads through a [`Reader`].
//! Nothing here decides what is worth recording, and nothing here interprets it.

mod error;
pub mod event;
mod header;
mod line;
mod mask;
mod reader;
mod writer;

pub use error::TimelineError;
pub use header::{ClockKind, FORMAT, Header};
pub use mask::masked;
pub use reader::Reader;
pub use writer::Timeline;

/// Where in a timeline an event stands, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    seq: u64,
    /// Where its line begins in `events.jsonl`.
    offset: u64,
}

impl Position {
    /// How many bytes of `events.jsonl` stand before it.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }
}

/// The file with the events.
pub const EVENTS_FILE: &str = "events.jsonl";
/// The file with the bytes.
pub const BYTES_FILE: &str = "bytes.bin";
/// The longest line of `events.jsonl`, its line feed included. With [`MAX_BYTES`] it bounds what a reader holds.
pub const MAX_LINE: usize = 256 * 1024;
/// The most bytes that one `bytes` event names.
pub const MAX_BYTES: usize = 64 * 1024;
