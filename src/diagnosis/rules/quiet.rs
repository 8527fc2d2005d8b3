//! A step that had sent nothing was ended by what came: it says that nothing may come, or not this. What came is whole and clean, and is known.

use std::time::Duration;

use super::words::{span, words_of};
use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Exchange, Result};
use crate::diagnosis::{Advice, Cause, Sure};

/// What was sent so long before a step was sent right before it.
const RIGHT_BEFORE: Duration = Duration::from_millis(50);

impl Scene<'_> {
    /// What ended it was the answer to a command that was sent before, a start that was asked for, or said by itself.
    pub(super) fn was_to_be_quiet(&self) -> Option<Found> {
        let facts = self.facts;
        let since = &facts.since;
        let failed =
            facts.failed.filter(|failed| failed.has_come && !failed.is_by_time && since.last_out.is_none_or(|sent| sent < failed.begun))?;
        let is_clear = since.strange.is_empty() && facts.damaged().is_empty();
        if !is_clear || facts.is_held || facts.is_off || since.in_vain.is_some() {
            return None;
        }
        let came = |seq: u64| seq > failed.begun;
        // Who only sends back what it is sent says nothing of its own.
        let has_talked = since.spoke.is_some() || facts.heard.by_application.is_some();
        let found = |because: String, evidence: Vec<u64>| Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence);
        if let Some((asked, seq, what)) = since.exchanges.iter().rev().filter(|_| has_talked).find_map(|asked| answered_by(asked, came)) {
            if let Some(found) = self.went_on() {
                return Some(found);
            }
            let before = failed.begun_at.since(asked.at);
            let when = if before < RIGHT_BEFORE { "right".to_owned() } else { span(before) };
            let because = format!("{what}, and that was sent {when} before this step");
            return Some(found(because, vec![asked.seq, seq]).next(Advice::AnswerFirst));
        }
        if let (Some(start), Some(message)) = (since.start, since.messages.iter().find(|message| came(message.seq))) {
            let because = format!("{} came, which the application says after {}", message.text, words_of(start));
            return Some(found(because, vec![start.seq, message.seq]).next(Advice::StartFirst));
        }
        let (seq, text) = since.aside.as_ref().filter(|(seq, _)| came(*seq) && since.slept.is_none())?;
        Some(found(format!("{} came, which nobody had asked for", quoted(text.as_bytes())), vec![*seq]).next(Advice::SaysByItself))
    }
}

/// What came of a command: the read that brought it, and what it is.
fn answered_by(asked: &Exchange, came: impl Fn(u64) -> bool) -> Option<(&Exchange, u64, String)> {
    if let Some(echo) = asked.echo.filter(|seq| came(*seq)) {
        return Some((asked, echo, format!("{} came back: the module echoes what it is sent", asked.text)));
    }
    let line = asked.lines.iter().find(|line| came(line.seq)).map(|line| (line.seq, quoted(&line.text)));
    let result = asked.result.as_ref().filter(|(_, result)| matches!(result, Result::Ok | Result::Zero));
    let (seq, what) = line.or_else(|| result.filter(|(seq, _)| came(*seq)).map(|(seq, result)| (*seq, result.to_string())))?;
    Some((asked, seq, format!("{what} answers {}", asked.text)))
}
