//! `boot`: a command to the boot code and its answer.

use std::time::Duration;

use super::{Steps, command, given_and_read};
use crate::document::{Cursor, Refusal, unknown_word};
use crate::plan::{Boot, BootResult};
use crate::scenario::file::BootMap;
use crate::scenario::patterns::single;
use crate::scenario::variables::Target;

/// How long a command to the boot code may take (Easy Connect).
const BOOT_WITHIN: Duration = Duration::from_millis(300);
/// The longest command that the boot code takes (Easy Connect).
const BOOT_COMMAND: usize = 160;

/// Results; any other error code may stand for the second, which has no meaning here for that.
pub(in crate::scenario) const BOOT_RESULTS: &[(&str, Option<BootResult>)] = &[
    ("0", Some(BootResult::Success)),
    ("4012", None),
    ("error", Some(BootResult::AnyError)),
    ("any", Some(BootResult::Any)),
    ("silent", Some(BootResult::Silent)),
];

impl Steps<'_, '_> {
    pub(super) fn boot(&mut self, map: &BootMap, at: Cursor<'_>) -> Option<Boot> {
        let command = self.reader.value_for(Target::Bytes, at.get("command"), &map.command, |text| {
            if text.len() > BOOT_COMMAND {
                let message = format!("a command of {} characters; the boot code takes {BOOT_COMMAND}", text.len());
                return Err(Refusal::new(message, "shorten it"));
            }
            command(text)
        });
        let result = map.result.as_ref().map_or(Some(BootResult::Success), |text| self.reader.value(at.get("result"), text, boot_result));
        let shows = map.shows.as_ref().map(|shows| single(shows, at.get("shows"), self.reader));
        let within = self.duration_or(at, "within", map.within.as_ref(), BOOT_WITHIN);
        self.nothing_shown_in_silence(at, result == Some(BootResult::Silent), map.shows.is_some())?;
        let shows = given_and_read(shows)?;
        if let Some(shows) = &shows {
            self.keeps_groups(shows, 1, at.get("shows"))?;
        }
        Some(Boot { command: command?, result: result?, shows, within: within? })
    }
}

fn boot_result(text: &str) -> Result<BootResult, Refusal> {
    if text.len() == 4 && text.starts_with("40") && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(BootResult::Error(text.to_owned()));
    }
    let known = BOOT_RESULTS.iter().find(|(word, _)| *word == text);
    known
        .and_then(|(_, result)| result.clone())
        .ok_or_else(|| unknown_word(text, "a result of the boot code", BOOT_RESULTS.iter().map(|(word, _)| *word)))
}
