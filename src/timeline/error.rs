//! What can go wrong with a timeline on disk.

use std::io;
use std::path::PathBuf;

/// Why a timeline could not be written or read. Each is a fault of this computer or of the file, never of a board.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// A system call on one of the timeline's files failed; the source keeps its error number.
    #[error("{call} of {} failed: {source}", .file.display())]
    Io {
        /// What was tried: `creation`, `opening`, `writing`, `reading`.
        call: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An event could not be written as JSON.
    #[error("a {kind} event could not be written as JSON: {source}")]
    Serialize {
        /// The event's kind.
        kind: &'static str,
        /// What the serializer said.
        source: serde_json::Error,
    },
    /// An event is longer than a reader takes.
    #[error("a {kind} event makes a line of {length} bytes, and a reader takes {}: shorten what it carries", super::MAX_LINE)]
    EventTooLong {
        /// The event's kind.
        kind: &'static str,
        /// Length of its line in bytes.
        length: usize,
    },
    /// The first line is not a header.
    #[error("{} does not begin with the header of a timeline: {reason}", .file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// What is wrong with the line.
        reason: String,
    },
    /// The file was written by a later version.
    #[error("{} has format {found}, and this version reads up to format {}: read it with the version that wrote it ({program})", .file.display(), super::FORMAT)]
    Format {
        /// The file.
        file: PathBuf,
        /// Its format number.
        found: u64,
        /// The program that wrote it, as the header names it.
        program: String,
    },
    /// A line in the middle of the file is no event.
    #[error("{}:{line}: {reason}", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1; the header is line 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An event names bytes that are not there, or more than one event may name.
    #[error("bytes {offset} to {end} of {} cannot be read: {reason}", .file.display())]
    Bytes {
        /// The file.
        file: PathBuf,
        /// The first byte that was asked for.
        offset: u64,
        /// The byte after the last.
        end: u64,
        /// Why not.
        reason: String,
    },
}
