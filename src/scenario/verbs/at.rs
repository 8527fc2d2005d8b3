//! `at`: a command to the application and its answer.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Steps, command, given_and_read};
use crate::document::{Cursor, Refusal, unknown_word};
use crate::plan::{At, AtAnswer};
use crate::scenario::file::AtMap;
use crate::scenario::patterns::single;
use crate::scenario::variables::Target;

/// How long a command to the application may take.
const AT_WITHIN: Duration = Duration::from_secs(2);

/// Final results; any other number may stand in that of the third.
pub(in crate::scenario) const ANSWERS: &[(&str, AtAnswer)] = &[
    ("OK", AtAnswer::Ok),
    ("ERROR", AtAnswer::Error),
    ("+CME ERROR: 1120", AtAnswer::Cme(1120)),
    ("any", AtAnswer::Any),
    ("silent", AtAnswer::Silent),
];

/// How often a command may be sent.
pub(in crate::scenario) const TRIES: RangeInclusive<u32> = 1..=100;

impl Steps<'_, '_> {
    pub(super) fn at(&mut self, map: &AtMap, at: Cursor<'_>) -> Option<At> {
        let command = self.reader.value_for(Target::Bytes, at.get("command"), &map.command, command);
        let answer = map.answer.as_ref().map_or(Some(AtAnswer::Ok), |text| self.reader.value(at.get("answer"), text, at_answer));
        let shows = map.shows.as_ref().map(|shows| single(shows, at.get("shows"), self.reader));
        let within = self.duration_or(at, "within", map.within.as_ref(), AT_WITHIN);
        let tries = map.tries.as_ref().map_or(Some(1), |text| {
            self.reader.value(at.get("tries"), text, |text| {
                text.parse()
                    .ok()
                    .filter(|tries| TRIES.contains(tries))
                    .ok_or_else(|| Refusal::new(format!("`{text}` tries"), "from 1 to 100"))
            })
        });
        self.nothing_shown_in_silence(at, answer == Some(AtAnswer::Silent), map.shows.is_some())?;
        let shows = given_and_read(shows)?;
        if let Some(shows) = &shows {
            self.keeps_groups(shows, 1, at.get("shows"))?;
        }
        Some(At { command: command?, answer: answer?, shows, within: within?, tries: tries? })
    }
}

fn at_answer(text: &str) -> Result<AtAnswer, Refusal> {
    if let Some(number) = text.strip_prefix("+CME ERROR:") {
        let number = number.trim().parse().map_err(|_| {
            Refusal::new(format!("`{text}` has no number"), "write `+CME ERROR: 1120`, in quotes; or `ERROR` for any error")
        })?;
        return Ok(AtAnswer::Cme(number));
    }
    let known = ANSWERS.iter().find(|(word, _)| *word == text);
    known
        .map(|(_, answer)| answer.clone())
        .ok_or_else(|| unknown_word(text, "a final result of the application", ANSWERS.iter().map(|(word, _)| *word)))
}
