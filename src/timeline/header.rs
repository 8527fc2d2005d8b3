//! The first line of `events.jsonl`: what the file is.

use serde::{Deserialize, Serialize};

/// The format number that this version writes, and the highest that it reads.
pub const FORMAT: u64 = 1;

/// The header of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format's number.
    pub format: u64,
    /// What the times are counted on.
    pub clock: ClockKind,
    /// The program that wrote the file, with its version.
    pub program: String,
}

impl Header {
    /// The header of a timeline that this version writes.
    #[must_use]
    pub fn new(clock: ClockKind) -> Self {
        Self { format: FORMAT, clock, program: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned() }
    }
}

/// What the times of a timeline are counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// `CLOCK_MONOTONIC` of the computer that ran the case.
    Monotonic,
    /// Simulated time, from zero.
    Simulated,
}

/// What is read of a header before its format is known to be one that this version understands.
#[derive(Deserialize)]
pub(super) struct Announced {
    pub(super) format: u64,
    #[serde(default)]
    pub(super) program: Option<String>,
}
