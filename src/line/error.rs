//! What a backend of a line can fail with.

use std::time::Duration;

/// What a backend of a line can fail with. A fault of the rig, never of the board.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A system call failed.
    #[error("{call} on {what} failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// The file or line.
        what: String,
        /// What it said.
        source: std::io::Error,
    },
    /// The backend refused, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The GPIO character device's library reports a failed call.
    #[error("{what} could not be {doing}: {source}")]
    Gpiocdev {
        /// The line.
        what: String,
        /// `claimed`, `asserted`, `released`, `read back`.
        doing: &'static str,
        /// What the library said, the kernel's errno included.
        source: gpiocdev::Error,
    },
    /// Another program has claimed the line.
    #[error("{what} is in use by {holder}: end that program, or choose another line")]
    Busy {
        /// The line.
        what: String,
        /// The consumer that the kernel names.
        holder: String,
    },
    /// No such chip, line, pin or socket, or it cannot be used as configured.
    #[error("{what} is not there: {hint}")]
    Missing {
        /// What was looked for.
        what: String,
        /// What was seen, and what to do.
        hint: String,
    },
    /// A line's name stands for several lines.
    #[error("the line name {name} is ambiguous: it is on {}; give the chip as well, or the chip and the offset", .places.join(" and on "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Chip and offset of each line of this name.
        places: Vec<String>,
    },
    /// The other end closed the connection.
    #[error("{what} closed the connection{}", if *.pending { " before it answered: what the line does now is not known" } else { "" })]
    Gone {
        /// The backend.
        what: String,
        /// Whether an answer was still owed.
        pending: bool,
    },
    /// Nothing answered in time.
    #[error("{what} did not answer within {waited:?}: {hint}")]
    NoAnswer {
        /// The backend.
        what: String,
        /// How long was waited.
        waited: Duration,
        /// What to do.
        hint: &'static str,
    },
    /// The other end does not speak the protocol.
    #[error("{what} said {said:?}, expected {expected}")]
    Protocol {
        /// The backend.
        what: String,
        /// What it said, shortened.
        said: String,
        /// What should have come.
        expected: &'static str,
    },
    /// There was no room for some edges of an input.
    #[error("{count} edges were lost: the line changes faster than this computer reads")]
    LostEdges {
        /// How many.
        count: u32,
    },
    /// A program that was run to drive the line failed.
    #[error("{what} {how}{}", if .said.is_empty() { String::new() } else { format!("; it said: {}", .said) })]
    Command {
        /// The program and its arguments.
        what: String,
        /// How it ended: `ended with exit status: 1`, `did not end within 5 s and was killed`.
        how: String,
        /// What it wrote to standard error, shortened, in one line.
        said: String,
    },
}
