//! An upload.

use std::time::Duration;

use crate::image::{KeyNumber, Version, Versions};
use crate::time::MonoTime;

/// What begins the name of an image that was damaged on purpose.
const DAMAGED: &str = "damaged_";

/// What is looked at once nothing more comes is looked at so soon after.
const SOON: Duration = Duration::from_millis(250);

/// An upload, as far as it went.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Upload {
    /// The image's file name, where it is known.
    pub(in crate::diagnosis) file: Option<String>,
    /// Version and key number of the image that was accepted before it in this case.
    pub(in crate::diagnosis) took: Option<(Version, KeyNumber)>,
    /// The version that was installed when it began, as far as is known.
    pub(in crate::diagnosis) installed: Option<Version>,
    pub(in crate::diagnosis) seq: u64,
    /// The last request, and its event.
    pub(in crate::diagnosis) asked: Option<(u64, i8)>,
    pub(in crate::diagnosis) sent: u64,
    pub(in crate::diagnosis) total: u64,
    /// Whether bytes that were asked for have been sent.
    pub(in crate::diagnosis) given: bool,
    /// When it was asked for first and last, and how often.
    pub(super) first_at: MonoTime,
    pub(in crate::diagnosis) last_at: MonoTime,
    pub(super) requests: u32,
}

impl Upload {
    pub(in crate::diagnosis) fn ended(&self) -> Option<(u64, i8)> {
        self.asked.filter(|(_, asked)| *asked <= 0)
    }

    /// What became of it, behind a semicolon.
    pub(in crate::diagnosis) fn in_short(&self) -> String {
        let file = self.file.as_deref().unwrap_or("the image");
        let ended = match self.ended() {
            Some((_, 0)) => "accepted",
            Some(_) => "refused",
            None => "broken off",
        };
        format!("; the upload of {file} was {ended} before")
    }

    /// Whether the last request came so short a time before `now` that the next one was not due: it was going on.
    pub(in crate::diagnosis) fn is_going_on(&self, now: MonoTime) -> bool {
        let pause = self.last_at.since(self.first_at).checked_div(self.requests.saturating_sub(1));
        pause.is_some_and(|pause| now.since(self.last_at) < pause * 2 + SOON)
    }

    /// How long it has been asked for.
    pub(in crate::diagnosis) fn lasted(&self) -> Duration {
        self.last_at.since(self.first_at)
    }

    pub(super) fn is_running(&self) -> bool {
        self.asked.is_none_or(|(_, asked)| asked > 0)
    }

    /// Versions and key number in the file's name.
    pub(in crate::diagnosis) fn named(&self) -> Option<(Versions, KeyNumber)> {
        let file = self.file.as_deref()?;
        Versions::from_file_name(file.strip_prefix(DAMAGED).unwrap_or(file)).ok()
    }

    pub(in crate::diagnosis) fn is_damaged(&self) -> bool {
        self.file.as_deref().is_some_and(|file| file.starts_with(DAMAGED))
    }

    /// Whether all of it was taken.
    pub(in crate::diagnosis) fn is_accepted(&self) -> bool {
        matches!(self.asked, Some((_, 0))) && self.sent >= self.total
    }
}
