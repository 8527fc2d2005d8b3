//! A step was ended by what came: it says that nothing may come, or not this. What came is whole and clean, and is known.

use std::time::Duration;

use super::words::{span, words_of};
use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Exchange, Failed, Result};
use crate::diagnosis::{Advice, Cause, Sure};
use crate::timeline::event::EndedBy;

/// What was sent so long before a step was sent right before it.
const RIGHT_BEFORE: Duration = Duration::from_millis(50);

impl Scene<'_> {
    /// A step in which nothing may come (`quiet`) was ended by the answer to a command that was sent before, by a start that was asked for, or by what the module says by itself.
    pub(super) fn was_to_be_quiet(&self) -> Option<Found> {
        let since = &self.facts.since;
        let failed = self.ended_by(EndedBy::Bytes)?;
        let came = |seq: u64| seq > failed.begun;
        // Who only sends back what it is sent says nothing of its own.
        let has_talked = since.spoke.is_some() || self.facts.heard.by_application.is_some();
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
            if since.started().is_some_and(|started| !came(started)) && message.text.starts_with("#REBOOT") {
                let because =
                    format!("{} came, which says why it had started: some applications say it only behind the first command", message.text);
                return Some(found(because, vec![start.seq, message.seq]).next(Advice::ReasonComesLate));
            }
            let because = format!("{} came, which the application says after {}", message.text, words_of(start));
            return Some(found(because, vec![start.seq, message.seq]).next(Advice::StartFirst));
        }
        let (seq, text) = since.aside.as_ref().filter(|(seq, _)| came(*seq) && since.slept.is_none())?;
        Some(found(format!("{} came, which nobody had asked for", quoted(text.as_bytes())), vec![*seq]).next(Advice::SaysByItself))
    }

    /// What a step names in `never` has come.
    pub(super) fn must_not_come(&self) -> Option<Found> {
        let since = &self.facts.since;
        let failed = self.ended_by(EndedBy::Never)?;
        let came = failed.came?;
        let found = |because: String, evidence: Vec<u64>| Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence);
        if let (Some(start), Some(message)) = (since.start, since.messages.iter().find(|message| message.seq >= came)) {
            let because =
                format!("{} came, which must not in this step, and which the application says after {}", message.text, words_of(start));
            return Some(found(because, vec![start.seq, message.seq]).next(Advice::NeverAtStart));
        }
        let lines = since.exchanges.iter().flat_map(|asked| &asked.lines).map(|line| (line.seq, line.text.clone()));
        let asides = since.aside.iter().map(|(seq, text)| (*seq, text.clone().into_bytes()));
        let (seq, text) = lines.chain(asides).filter(|(seq, _)| *seq >= came).min_by_key(|(seq, _)| *seq)?;
        Some(found(format!("{} came, which must not in this step", quoted(&text)), vec![seq]).next(Advice::NeverCame))
    }

    /// The step that failed, where this ended it, and all that came is whole and clean.
    fn ended_by(&self, by: EndedBy) -> Option<&Failed> {
        let facts = self.facts;
        let failed = facts.failed.as_ref().filter(|failed| failed.by == Some(by))?;
        let is_clear = facts.since.strange.is_empty() && facts.damaged().is_empty() && facts.since.in_vain.is_none();
        (is_clear && !facts.is_held && !facts.is_off).then_some(failed)
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
