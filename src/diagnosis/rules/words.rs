//! Times and starts in words.

use std::time::Duration;

use crate::diagnosis::facts::{Began, Start};

pub(super) fn words_of(start: Start) -> &'static str {
    match start.how {
        Began::Reset => "the release of reset",
        Began::Power => "the supply came on",
        Began::Command => "the command to restart",
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
}

/// In seconds, or in milliseconds where it is none.
pub(super) fn span(duration: Duration) -> String {
    if duration < Duration::from_secs(1) { milliseconds(duration) } else { seconds(duration) }
}

pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{} ms", (duration + Duration::from_micros(500)).as_millis())
}
