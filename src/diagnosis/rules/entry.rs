//! Boot code is entered from the application, by AT#LDRST.

use super::{Found, Scene};
use crate::diagnosis::facts::{Exchange, Result};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

impl Scene<'_> {
    /// AT#LDRST was taken, and no hotkey behind it.
    pub(super) fn not_entered(&self, many: &str) -> Option<Found> {
        let since = &self.facts.since;
        let entry = since.last().filter(|last| last.text.starts_with("AT#LDRST") && since.strange.is_empty())?;
        let (answer, said) = match &entry.result {
            Some((seq, Result::Ok)) => (Some(*seq), "was answered OK"),
            None => (entry.echo, "was sent, and not answered"),
            Some(_) => return None,
        };
        let because = format!("{} {said}, {many} sent after that, and no 0x9A came", entry.text);
        let evidence = [entry.seq].into_iter().chain(answer).chain(since.hotkey_events());
        let found = Found::new(Cause::NotAcknowledged, Sure::VeryLikely, because, evidence).next(Advice::NotEnteredByCommand);
        // An echo shows that it arrived, unless all that is sent comes back.
        if entry.result.is_some() || (entry.echo.is_some() && since.mirrored.is_none()) {
            return Some(self.or_boot_code_elsewhere(found, many));
        }
        self.may_not_have_arrived(entry, found, many)
    }

    /// Nothing shows that AT#LDRST arrived; where it did, it is `found`.
    fn may_not_have_arrived(&self, entry: &Exchange, found: Found, many: &str) -> Option<Found> {
        let since = &self.facts.since;
        if let Some(started) = self.has_started_since(entry) {
            if since.answered().is_some() || since.started().is_some_and(|before| before < entry.seq) {
                let because = format!("{}; the application has started again since", found.because);
                let evidence = found.evidence.iter().copied().chain([started]).collect();
                let why = "a module that restarts by itself says the same: send it once more, and see whether it starts again each time";
                return Some(Found { because, sure: Sure::Likely, evidence, ..found }.against(why, [started]));
            }
            let because =
                format!("{} was sent before the application said that it has started, and what comes so early is lost", entry.text);
            return Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, [entry.seq, started]).next(Advice::EntryTooEarly));
        }
        if entry.echo.is_none() && since.exchanges.iter().any(|asked| asked.seq < entry.seq && asked.echo.is_some()) {
            // It would have come back.
            return self.fell_silent(entry);
        }
        if !self.is_probed(Probe::Ask) && !self.is_probed(Probe::Wait) {
            let start = since.start.filter(|start| self.facts.now.since(start.at) < self.facts.start_up);
            let probe = if start.is_some() { Probe::Wait } else { Probe::Ask };
            let found = match start {
                Some(_) => found.or(Cause::StillStarting, "it may have been starting still; in that case #SYSSTART comes", probe),
                None => found.or_wrong_speed(probe),
            };
            return Some(found.or(
                Cause::NothingCame,
                "nothing shows that AT#LDRST arrived: the supply may be off, or a wire; in that case nothing comes at any speed",
                probe,
            ));
        }
        if let Some(answered) = self.answered_at(self.facts.speed) {
            let because = format!(
                "{} brought nothing, {many} sent behind it in vain, and {} after that is answered: the first command after a sleep is lost",
                entry.text, answered.text
            );
            let evidence = [entry.seq].into_iter().chain(answered.events());
            return Some(Found::new(Cause::Asleep, Sure::Likely, because, evidence));
        }
        // Who has answered in this case, and is silent since, was led into boot code.
        (since.answered().is_some() && self.probe_answered().is_none()).then(|| self.or_boot_code_elsewhere(found, many))
    }

    /// Hotkeys at another speed than the board's own were in vain: boot code may listen at that.
    fn or_boot_code_elsewhere(&self, found: Found, many: &str) -> Found {
        let facts = self.facts;
        match self.probed().and_then(|probed| probed.acknowledged) {
            Some(taken) if taken.speed != facts.speed => self.taken_later(many, taken, found.evidence),
            None if facts.speed != facts.home && !self.is_probed(Probe::Boot) => found.or(
                Cause::WrongSpeed,
                "boot code may listen at another speed than the application had; in that case it takes the hotkey there",
                Probe::Boot,
            ),
            _ => found,
        }
    }

    /// AT#LDRST of this case has led into boot code, which says nothing to a command of the application.
    pub(super) fn entered(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let entry = since.exchanges.iter().find(|exchange| exchange.text.starts_with("AT#LDRST"))?;
        let arrived = last.echo.or_else(|| since.answered()?.result.as_ref().map(|(seq, _)| *seq));
        let is_asked = self.is_probed(Probe::Ask) || self.is_probed(Probe::Wake);
        let is_silent_since =
            since.hotkeys.is_none() && since.exchanges.iter().all(|asked| asked.seq < entry.seq || asked.result.is_none());
        // A loop gives back what a probe sends as well.
        let is_loop = since.answered().is_none() && self.now.is_some_and(|now| now.since.mirrored > since.mirrored);
        if let Some(arrived) = arrived.filter(|_| is_silent_since && !is_loop && entry.result.is_none() && is_asked)
            && self.probe_answered().is_none_or(|_| self.answered_after_reset())
        {
            let back = if entry.echo.is_some() { " came back as it was sent, and" } else { " was not answered, and" };
            let because = format!("{}{back} nothing is answered since: it may have led into boot code without an OK", entry.text);
            let advice = if self.is_of_the_step(entry) { Advice::EntryUnanswered } else { Advice::HotkeyFirst };
            return Some(Found::new(Cause::BootCodeAnswered, Sure::Likely, because, [entry.seq, last.seq, arrived]).next(advice));
        }
        let (taken, _) = entry.result.as_ref().filter(|(seq, result)| *result == Result::Ok && last.seq > *seq)?;
        let is_silent = since.spoke == Some(*taken) && since.hotkeys.is_none() && !last.to_boot_code;
        is_silent.then(|| {
            let because = format!(
                "{} was answered OK and led into boot code, which says nothing to {} and waits for the hotkey",
                entry.text, last.text
            );
            Found::new(Cause::BootCodeAnswered, Sure::Likely, because, [entry.seq, *taken, last.seq]).next(Advice::HotkeyFirst)
        })
    }
}
