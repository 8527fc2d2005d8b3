//! A command to boot code was the last thing.

use std::time::Duration;

use super::words::span;
use super::{Found, Scene};
use crate::diagnosis::facts::{Began, Exchange, Result, is_known_command};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

/// A boot code that has not answered for so long is hardly a slow one.
const LONG: Duration = Duration::from_secs(60);

impl Scene<'_> {
    /// Boot code answered the last command.
    pub(super) fn boot(&self, last: &Exchange, seq: u64, result: &Result) -> Option<Found> {
        if !last.to_boot_code && !last.is_boot_command() {
            let since = &self.facts.since;
            let start = since.start.filter(|start| start.how != Began::Command && since.hotkeys.is_none() && since.started().is_none());
            if let Some(start) = start {
                return Some(self.boot_code_went_on(start, last, Vec::new()));
            }
            let said = match result {
                Result::Code(code) => code.as_str(),
                _ => "0",
            };
            let entered = self.facts.since.acknowledge.map(|(acknowledge, _)| acknowledge);
            let how = entered.map_or("", |_| "; the hotkey of this case had led into it, and nothing out of it");
            let because =
                format!("{} was meant for the application and was answered by {said} with CR alone, as boot code does{how}", last.text);
            return Some(Found::new(Cause::BootCodeAnswered, Sure::VeryLikely, because, [last.seq, seq].into_iter().chain(entered)));
        }
        if let Result::Code(code) = result {
            if let Some(found) = self.switched_too_soon(last) {
                return Some(found);
            }
            let is_speed = last.told_speed().is_some() && is_known_command(&last.text);
            if is_speed || matches!(last.text.as_str(), "ATI0" | "ATI01" | "AT#BOOT") {
                let because = format!("{} is a command that boot code knows, and it was answered by {code}: it arrived damaged", last.text);
                return Some(self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, seq])));
            }
        }
        self.damaged_words(last)
    }

    /// Boot code was asked and gave no result.
    pub(super) fn boot_silence(&self, last: &Exchange) -> Option<Found> {
        if let Some(found) = self.switched_too_soon(last).or_else(|| self.followed_too_early(last)) {
            return Some(found);
        }
        if let Some(found) = self.damaged_words(last) {
            return Some(found);
        }
        let since = &self.facts.since;
        // It may have come only when a probe had begun; an error then is that of a line that was cut.
        let now = self.now.map(|now| &now.since).filter(|now| now.start == since.start);
        let late = since.late.as_ref().or_else(|| now?.late.as_ref().filter(|(_, result)| *result == Result::Zero));
        if let Some((seq, result)) = late.filter(|(_, result)| !result.is_applications()) {
            let because = format!("boot code answered {} by {result}, after it was sent once more or given up", last.text);
            let advice = if last.text == "AT#UP" { Advice::UploadTooLate } else { Advice::TooLate };
            return Some(Found::new(Cause::NotAsExpected, Sure::Likely, because, [last.seq, *seq]).next(advice));
        }
        // Where boot code has taken an AT+IPR since, it acknowledged at the speed before.
        let has_followed = self.facts.moved.is_some_and(|(moved, told)| {
            told == last.speed && moved < last.seq && since.acknowledge.is_some_and(|(_, latest)| latest < moved)
        });
        if let Some(speed) = since.acknowledged_at.filter(|speed| *speed != last.speed && !has_followed) {
            let because = format!("0x9A came at {speed} baud, and {} went out at {}", last.text, last.speed);
            let evidence = since.acknowledge.into_iter().map(|(_, latest)| latest).chain([last.seq]);
            let found = Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, evidence);
            return Some(self.port_elsewhere(found, speed));
        }
        let Some((acknowledge, latest)) = since.acknowledge else { return self.unanswered(last) };
        let answered = since.exchanges.iter().any(|exchange| matches!(exchange.result, Some((_, Result::Zero | Result::Code(_)))));
        if answered {
            if latest > last.seq || !self.facts.damaged().is_empty() {
                let why = format!(
                    "boot code acknowledges and has answered before, and {} stayed without an answer: words are lost on the way",
                    last.text
                );
                return Some(self.noise(&why, vec![acknowledge, last.seq, latest]));
            }
            return self.lost_on_the_way(last).or_else(|| self.fell_silent(last));
        }
        if !last.lines.is_empty() {
            return self.garbage();
        }
        let many = since.exchanges.iter().filter(|exchange| exchange.text == last.text).count();
        let times = if many > 1 { format!("{} ({many} times)", last.text) } else { last.text.clone() };
        let evidence = since.hotkeys.map(|(first, ..)| first).into_iter().chain([acknowledge, last.seq]);
        Some(self.acknowledged_silent(last, &times, evidence.collect()))
    }

    /// Boot code did not answer, and answers a probe a little later.
    fn lost_on_the_way(&self, last: &Exchange) -> Option<Found> {
        let there = self.probed()?.answered_by_boot_code.as_ref().filter(|there| there.speed == last.speed && there.is_before_reset)?;
        let (seq, result) = there.what.result.as_ref()?;
        if *result == Result::Zero {
            // It takes no AT: that is the answer to what it was asked before.
            let because = format!(
                "{} brought nothing in time, and 0 came when AT was sent to see who is there, which answers {}",
                last.text, last.text
            );
            let advice = if last.text == "AT#UP" { Advice::UploadTooLate } else { Advice::TooLate };
            // So is a command whose CR was lost, once another one comes.
            let found = Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, [last.seq, there.what.seq, *seq]).next(advice);
            return Some(self.or_noise(found));
        }
        let why = format!(
            "boot code had answered before, {} stayed without an answer, and {} is answered by {result} a little later: words are lost on the way",
            last.text, there.what.text
        );
        Some(self.noise(&why, vec![last.seq, there.what.seq, *seq]))
    }

    /// Boot code took the hotkey, and answers no command.
    fn acknowledged_silent(&self, last: &Exchange, times: &str, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let started = self.probe_started().map(|started| started.what.0).filter(|_| self.is_probed(Probe::Reset));
        let again = since.hotkeys_until.checked_sub(since.after_start(last.at)).filter(|again| !again.is_zero());
        let waited = again.unwrap_or_else(|| self.facts.now.since(last.at));
        if last.text == "AT#BOOT" && started.is_none() && self.is_probed(Probe::Reset) {
            let because = "0x9A came, and no application starts, neither by AT#BOOT nor by a reset";
            return Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, evidence).next(Advice::BootedInVain);
        }
        let (runs, advice) = match (self.is_probed(Probe::Reset), started) {
            (true, Some(_)) => ("; after a reset the application still starts", Some(Advice::ApplicationRuns)),
            (true, None) => ("; after a reset no application starts either", Some(Advice::NothingRuns)),
            (false, _) => ("", None),
        };
        let evidence = evidence.into_iter().chain(started);
        let because = format!("0x9A came, then no answer to {times}{runs}");
        let found = Found::new(Cause::AcknowledgedSilent, Sure::VeryLikely, because, evidence);
        let enough = format!("{} s", (waited * 4).min(LONG).max(waited).as_secs().max(2));
        let found = match advice {
            Some(advice) => found.next_with(advice, &[("TOOK", &span(waited)), ("ENOUGH", &enough)]),
            None => found,
        };
        self.or_noise(found)
    }

    /// AT#BOOT was not answered, and boot code is there still.
    pub(super) fn does_not_leave(&self, left: &Exchange, evidence: Vec<u64>) -> Found {
        if self.facts.heard.by_boot_code_result.is_some() {
            let because = format!(
                "boot code acknowledges and has answered before, and {} stayed without an answer: words are lost on the way",
                left.text
            );
            return self.noise(&because, evidence);
        }
        self.acknowledged_silent(left, &left.text, evidence)
    }
}
