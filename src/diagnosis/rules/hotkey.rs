//! Hotkeys were the last thing, or their acknowledge.

use std::time::Duration;

use super::words::{milliseconds, seconds, span, words_of};
use super::{Found, Scene, quoted};
use crate::bench::START_UP;
use crate::diagnosis::facts::{Began, Exchange, Facts, Result, Taken};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

/// A first hotkey so soon after the release leaves no pause, and two so close no window between them.
const AT_ONCE: Duration = Duration::from_millis(20);
const CLOSE: Duration = Duration::from_millis(2);
/// Those with longer pauses between them may all miss the window.
const FEW: Duration = Duration::from_millis(20);
/// So many lines that are no words of the module are no line that floats at a start.
const STRANGE: usize = 2;

impl Scene<'_> {
    /// Hotkeys were the last thing, or their acknowledge.
    pub(super) fn hotkey(&self) -> Option<Found> {
        let since = &self.facts.since;
        let (first, last, _) = since.hotkeys?;
        if !since.hotkey_is_last {
            let (acknowledge, _) = since.acknowledge?;
            if let Some(left) = since.last().filter(|last| last.text == "AT#BOOT" && last.result.is_none() && last.seq < first) {
                return Some(self.does_not_leave(left, vec![left.seq, first, acknowledge]));
            }
            let is_last = since.last().is_none_or(|last| last.seq < first);
            if is_last && self.facts.failed.is_some_and(|failed| failed.is_by_time && acknowledge > failed.seq && first < failed.seq) {
                return Some(self.acknowledged_too_late(acknowledge));
            }
            if is_last && self.is_acknowledge_noise() {
                return self.garbage();
            }
            if is_last && self.facts.speed != self.facts.home {
                let because =
                    format!("boot code takes the hotkey at {} baud, and the board should be at {}", self.facts.speed, self.facts.home);
                let found = Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, [first, acknowledge]);
                return Some(found.next_with(Advice::BootCodeElsewhere, &[("SPEED", &self.facts.speed), ("HOME", &self.facts.home)]));
            }
            return is_last.then(|| {
                let found = |held| {
                    let because = format!("0x9A came{held}: boot code runs and takes the hotkey");
                    Found::new(Cause::BootCodeAnswered, Sure::VeryLikely, because, [first, acknowledge])
                };
                let is_before =
                    self.facts.failed.is_some_and(|failed| failed.is_by_time && acknowledge < failed.begun && failed.came.is_none());
                if self.facts.is_held {
                    found(" although reset was asserted").next(Advice::RunsWhileHeld)
                } else if is_before {
                    found(" before this step, and nothing in it").next(Advice::WaitsForCommand)
                } else {
                    found("").next(Advice::TookIt)
                }
            });
        }
        if let Some(last) = since.last().filter(|last| last.to_boot_code && last.result.is_none() && last.seq > first) {
            return self.boot_silence(last);
        }
        let many = hotkeys_were(self.facts);
        let evidence = || self.begin().into_iter().chain([first, last]);
        if let Some((asked, refused)) = self.facts.entry_refused {
            let because =
                "AT#LDRST was answered by +CME ERROR: 1120, which the application says while its core starts: it did not enter boot code";
            return Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, [asked, refused]).next(Advice::WaitThenEnter));
        }
        if let Some(found) = self
            .acknowledged_late()
            .or_else(|| self.sent_to_a_sleeper(&many, first))
            .or_else(|| self.was_still_starting())
            .or_else(|| self.not_entered(&many))
            .or_else(|| self.sent_after_restart(&many, first))
            .or_else(|| self.left_unanswered())
            .or_else(|| self.not_reset(&many))
        {
            return Some(found);
        }
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        if let Some(message) = since.started() {
            return Some(self.not_acknowledged(&many, message, evidence().collect()));
        }
        // The echo of a command to restart is none of theirs.
        let of_restart = since.restart().map_or(0, |restart| restart.sent.len() + 1);
        if since.mirrored.is_some_and(|mirrored| usize::try_from(mirrored).is_ok_and(|mirrored| mirrored > of_restart)) {
            return Some(self.mirrored_hotkeys(&many, evidence().collect()));
        }
        if since.is_silent(self.facts.speed) { self.silence() } else { self.garbage() }
    }

    /// The start-up message that came behind a command, and no probe had reset the module before.
    pub(super) fn has_started_since(&self, asked: &Exchange) -> Option<u64> {
        let started = self.facts.since.started().filter(|started| *started > asked.seq);
        started.or_else(|| self.probe_started().filter(|started| started.is_before_reset).map(|started| started.what.0))
    }

    /// Hotkeys were sent to an application that had said that it sleeps.
    fn sent_to_a_sleeper(&self, many: &str, first: u64) -> Option<Found> {
        let since = &self.facts.since;
        let slept = since.slept.filter(|slept| *slept < first && since.woken.is_none_or(|(woken, _)| woken < *slept))?;
        let because = format!(
            "it said #SLEEP, and {many} sent after that: the application sleeps, and boot code takes the hotkey right after a reset only"
        );
        let evidence = [slept].into_iter().chain(self.facts.since.hotkey_events());
        Some(Found::new(Cause::Asleep, Sure::VeryLikely, because, evidence).next(Advice::HotkeyToASleeper))
    }

    /// Whether 0x9A was a byte among others, none of which was a word of the module.
    fn is_acknowledge_noise(&self) -> bool {
        let since = &self.facts.since;
        since.strange.len() >= STRANGE && since.started().is_none() && since.spoke == since.acknowledge.map(|(_, latest)| latest)
    }

    /// 0x9A came when no hotkey was sent any more.
    fn acknowledged_late(&self) -> Option<Found> {
        let (since, now) = (&self.facts.since, &self.now?.since);
        let (acknowledge, _) = now.acknowledge.filter(|_| now.start == since.start && now.hotkeys == since.hotkeys)?;
        Some(self.acknowledged_too_late(acknowledge))
    }

    /// 0x9A came when the step had given up.
    fn acknowledged_too_late(&self, acknowledge: u64) -> Found {
        let because = format!("{} acknowledged, and not before the step had given up", hotkeys_were(self.facts));
        let evidence = self.facts.since.hotkey_events().chain([acknowledge]);
        Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::AcknowledgedTooLate)
    }

    /// Whether it was sent before the first hotkey, and not answered: a hotkey behind it is how a step `boot` asks whether boot code is there.
    fn is_asked_before_hotkeys(&self, asked: &Exchange) -> bool {
        asked.result.is_none() && asked.has_preamble && self.facts.since.hotkeys.is_some_and(|(first, ..)| asked.seq < first)
    }

    /// A command had started the application before the first hotkey was sent.
    fn sent_after_restart(&self, many: &str, first: u64) -> Option<Found> {
        let since = &self.facts.since;
        let restart = since.restart()?;
        let message = since.messages.first().filter(|message| message.seq < first)?;
        if since.exchanges.iter().any(|asked| !asked.restarts() && self.is_asked_before_hotkeys(asked)) {
            return None;
        }
        let because =
            format!("the application had said {} after {}, and {many} sent after that: it takes none", message.text, restart.text);
        let evidence = [restart.seq, message.seq].into_iter().chain(since.hotkey_events());
        Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::HotkeyToApplication))
    }

    /// AT#BOOT was carried out and not answered, or when its step had given up.
    fn left_unanswered(&self) -> Option<Found> {
        let since = &self.facts.since;
        let left = since.last().filter(|last| last.text == "AT#BOOT")?;
        if let Some((seq, result)) = &left.result {
            let (first, ..) = since.hotkeys.filter(|(first, ..)| left.has_preamble && first < seq)?;
            let took = milliseconds(left.took);
            let because = format!(
                "AT#BOOT was answered by {result} {took} after it was sent, when the step had sent the hotkey for want of an answer"
            );
            let found = Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, [left.seq, first, *seq]);
            return Some(found.next(Advice::TooLate));
        }
        let started =
            since.started().or_else(|| self.probe_started().filter(|started| started.is_before_reset).map(|started| started.what.0))?;
        if let Some(odd) = left.lines.first() {
            let because = format!(
                "what boot code answered to AT#BOOT, {}, is no word of it, and the start-up messages behind it come clean",
                quoted(&odd.text)
            );
            let found = Found::new(Cause::Garbage, Sure::VeryLikely, because, [left.seq, odd.seq, started]);
            return Some(found.next(Advice::OneProgramGarbled));
        }
        let because = "AT#BOOT was not answered, and start-up messages came after it: it was carried out, and a hotkey that is sent then finds no boot code";
        Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, [left.seq, started]).next(Advice::GoesUnanswered))
    }

    /// Hotkeys were sent, no reset before them, and the application is there.
    fn not_reset(&self, many: &str) -> Option<Found> {
        let facts = self.facts;
        let answered = self.answered_at(facts.speed).filter(|_| facts.since.start.is_none() && facts.entry_taken.is_none())?;
        let is_before = |asked: &&Exchange| facts.since.hotkeys.is_some_and(|(first, ..)| asked.seq < first);
        let entry = facts.since.exchanges.iter().rev().find(is_before).filter(|asked| asked.is_refused());
        let refused =
            entry.and_then(|entry| Some(format!("{} was answered by {}, and led nowhere; ", entry.text, entry.result.as_ref()?.1)));
        let because = format!(
            "{}{many} not acknowledged, and no reset went before; the application runs, and answers {}",
            refused.unwrap_or_default(),
            answered.text
        );
        let evidence = entry.into_iter().flat_map(Exchange::events).chain(facts.since.hotkey_events()).chain([answered.seq]);
        let advice = if entry.is_some() { Advice::EntryRefused } else { Advice::NoReset };
        Some(Found::new(Cause::ApplicationAnswered, Sure::VeryLikely, because, evidence).next(advice))
    }

    /// The last answer of the application was that its core is starting.
    pub(super) fn was_still_starting(&self) -> Option<Found> {
        let answered = self.facts.since.exchanges.iter().rev().find(|exchange| exchange.result.is_some())?;
        let Some((seq, Result::Cme(Some(1120)))) = answered.result else { return None };
        let because = format!("{} was answered by +CME ERROR: 1120, which the application says while its core starts", answered.text);
        let found = Found::new(Cause::StillStarting, Sure::VeryLikely, because, self.begin().into_iter().chain([answered.seq, seq]));
        let since = &self.facts.since;
        let from = since.start.map(|start| start.at).or(since.starting_from);
        let waited = from.map_or(Duration::ZERO, |from| answered.at.since(from));
        if waited <= self.facts.start_up.max(START_UP) {
            return Some(found.next(Advice::CoreIsStarting));
        }
        Some(Found { because: format!("{}, for {} now", found.because, seconds(waited)), ..found }.next(Advice::NeverUp))
    }

    pub(super) fn not_acknowledged(&self, many: &str, message: u64, evidence: Vec<u64>) -> Found {
        let facts = self.facts;
        let broken_off = facts.upload.as_ref().is_some_and(|upload| upload.ended().is_none() && upload.asked.is_some());
        let evidence = evidence.into_iter().chain([message]);
        if self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait) {
            let Some(answered) = self.probe_answered() else {
                if let Some(found) = self.garbage().filter(|_| self.probed().is_some_and(|probed| !probed.strange.is_empty())) {
                    return found;
                }
                if facts.since.answered().is_some() && !self.is_probed(Probe::Wait) {
                    let because = format!("{many} not acknowledged, and the application, which had answered, is silent at any usual speed");
                    return Found::new(Cause::ShutDown, Sure::Likely, because, evidence).or_restarting();
                }
                let because = format!("start-up messages came, {many} not acknowledged, and AT brought nothing at any usual speed");
                let found = Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence);
                let hangs = self.hangs_where_heard(&found);
                // Where many hotkeys came in vain before the application had started, boot code has not heard them either.
                let is_after_start = facts.since.hotkeys.is_some_and(|(first, ..)| first > message);
                let are_few = facts.since.hotkeys_every().is_none_or(|every| every > FEW);
                let may_be_else = hangs.is_some() || is_after_start || are_few;
                return if self.is_probed(Probe::Reset) {
                    self.hangs_or_is_deaf(found)
                } else if may_be_else && !self.is_probed(Probe::Wait) {
                    found.or_restarting()
                } else if may_be_else {
                    hangs.unwrap_or(found).or(
                        Cause::ShutDown,
                        "it may have fallen silent soon after its start; in that case it answers right after a reset",
                        Probe::Reset,
                    )
                } else {
                    found
                };
            };
            if self.answered_after_reset() && answered.speed == facts.speed {
                let because = format!(
                    "{many} not acknowledged, nor was AT answered at any usual speed, and {} is right after a reset",
                    answered.text
                );
                return self
                    .after_other_speed(Found::new(Cause::ShutDown, Sure::Likely, because, evidence.chain([answered.seq])), answered.speed);
            }
            if answered.speed != facts.speed {
                return self.wrong_speed(answered, evidence.collect());
            }
        }
        if let Some(taken) = self.probed().and_then(|probed| probed.acknowledged) {
            return self.taken_later(many, taken, evidence.chain([taken.seq]).collect());
        }
        let before = if broken_off { "; before it an upload had been broken off" } else { "" };
        let again = if self.is_probed(Probe::Boot) { ", nor after one more reset" } else { "" };
        let works = match facts.since.start.map(|start| start.how) {
            Some(Began::Power) => "the application has started since the supply came on",
            Some(Began::Command) => "the application has started since the command to restart",
            Some(Began::Reset) | None => "the reset works, because the application says that it has started",
        };
        let because = format!("{works}; {many} sent, and no 0x9A came{again}{before}");
        let is_often = is_often(facts) || self.is_probed(Probe::Boot);
        let found = Found::new(Cause::NotAcknowledged, Sure::VeryLikely, because, evidence.chain(facts.entry_taken));
        let found = match (broken_off, facts.entry_taken, is_often) {
            (true, ..) => found.next(Advice::AfterBrokenUpload),
            (_, Some(_), _) => found.next(Advice::BothWaysTried),
            (.., true) => found.next(Advice::EnterByCommand),
            _ => found,
        };
        if self.now.is_none() {
            return found.or(
                Cause::TalksButDoesNotHear,
                "a module that hears nothing does not take the hotkey either; in that case AT brings nothing",
                Probe::Ask,
            );
        }
        if !self.is_probed(Probe::Boot) {
            return found.or(
                Cause::WrongSpeed,
                "boot code may have listened at another speed; in that case it takes the hotkey there",
                Probe::Boot,
            );
        }
        found
    }

    /// Hotkeys were not acknowledged, and one of a probe is.
    pub(super) fn taken_later(&self, many: &str, taken: Taken, evidence: Vec<u64>) -> Found {
        let facts = self.facts;
        let found = |sure, because| Found::new(Cause::NotAcknowledged, sure, because, evidence.clone());
        let start = facts.since.start.map_or("the release of reset", words_of);
        if taken.speed != facts.speed {
            let because = format!(
                "{many} not acknowledged at {} baud, and after one more reset one at {} is: boot code listens there",
                facts.speed, taken.speed
            );
            let found = Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, evidence);
            return found.next_with(Advice::BootCodeListensAt, &[("SPEED", &taken.speed), ("PORT", &facts.speed)]);
        }
        if let Some(restart) = facts.since.restart().filter(|restart| restart.text == "AT#BOOT") {
            let because =
                format!("AT#BOOT has led out of boot code; {many} not acknowledged behind it, and one that is sent behind a reset is");
            let evidence = evidence.into_iter().chain([restart.seq]);
            return Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::ResetLeavesBootCode);
        }
        if let Some(restart) = facts.since.restart() {
            let because = format!("{many} not acknowledged behind {}, and one that is sent behind a reset by its line is", restart.text);
            return found(Sure::VeryLikely, because).next(Advice::ByItsLine);
        }
        if let Some(asked) = facts.since.exchanges.iter().find(|asked| self.is_asked_before_hotkeys(asked)) {
            let because = format!(
                "no hotkey was sent since {start} when {} went out, so that boot code was left; the one that the step sends for want of an answer came {} after it, and one that is sent {} after a reset is taken",
                asked.text,
                span(facts.since.hotkeys_from),
                span(taken.after)
            );
            let evidence = evidence.into_iter().chain([asked.seq]);
            return Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::ResetLeavesBootCode);
        }
        let is_one = facts.since.hotkeys_from == facts.since.hotkeys_until;
        let [first, last] = if is_one { ["sent"; 2] } else { ["the first of them", "the last of them"] };
        if taken.after > facts.since.hotkeys_until {
            let because = format!(
                "{many} not acknowledged, {last} {} after {start}; one that is sent {} after it is: the boot window opens later",
                span(facts.since.hotkeys_until),
                span(taken.after)
            );
            return found(Sure::VeryLikely, because).next(Advice::SendForLonger);
        }
        if taken.after < facts.since.hotkeys_from {
            let because = format!(
                "{many} not acknowledged, {first} {} after {start}; one that is sent {} after a reset is: the boot window is over by then",
                milliseconds(facts.since.hotkeys_from),
                milliseconds(taken.after)
            );
            return found(Sure::VeryLikely, because).next(Advice::SendSooner);
        }
        if let (Some(pause), Some(every)) = (facts.since.hotkeys_every(), taken.every)
            && every * 2 < pause
        {
            let because = format!(
                "{many} not acknowledged, {} apart; after one more reset one of those that are sent {} apart is: the boot window may fit between two of the first",
                milliseconds(pause),
                milliseconds(every)
            );
            return found(Sure::Likely, because).next(Advice::MoreOften);
        }
        let moved = facts.moved.filter(|(_, told)| *told != facts.speed);
        if let Some((answer, _)) = facts.heard.by_application.filter(|(_, speed)| *speed == facts.speed && moved.is_none()) {
            // The application had answered at this speed: there was no other one at which boot code could have listened.
            let because = format!("{many} not acknowledged, and after one more reset the same ones are");
            let found = Found::new(Cause::NotAcknowledged, Sure::Likely, because, evidence.into_iter().chain([answer]));
            return found.next(Advice::NowAndThen);
        }
        let because = format!(
            "{many} not acknowledged at {} baud behind the first reset, and the first ones behind a second are: behind the first, boot code may have listened at another speed, the one that the application had{}",
            facts.speed,
            moved.map_or_else(String::new, |(_, told)| format!(" (AT+IPR={told} of this case was taken)"))
        );
        let found = Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence.into_iter().chain(moved.map(|(at, _)| at)));
        let found =
            found.against("a boot code that misses a hotkey now and then looks the same: `repeat` on the step shows how often it does", []);
        if self.answers_at_home() { found.next_with(Advice::IsBack, &[("HOME", &facts.home)]) } else { found }
    }

    /// Hotkeys came back as they were, and nothing else.
    pub(super) fn mirrored_hotkeys(&self, many: &str, evidence: Vec<u64>) -> Found {
        let back = "what was sent came back byte for byte, as an application with its echo on gives them back";
        let goes_on = |sure| {
            Found::new(
                Cause::ResetWithoutEffect,
                sure,
                format!("{many} sent after the release, and {back}; it went on through the reset"),
                evidence.clone(),
            )
        };
        let loops = |sure| {
            Found::new(
                Cause::EchoOnly,
                sure,
                format!("{many} sent, and what was sent came back byte for byte, and nothing else"),
                evidence.clone(),
            )
        };
        if self.facts.spoke_before.is_some() {
            return goes_on(Sure::VeryLikely);
        }
        if let Some(answered) = self.probe_answered() {
            let mut found = goes_on(Sure::VeryLikely);
            found.evidence.push(answered.seq);
            return found;
        }
        if self.is_probed(Probe::Ask) {
            return loops(Sure::VeryLikely);
        }
        let other = if self.facts.since.start.is_some() { Cause::ResetWithoutEffect } else { Cause::ApplicationAnswered };
        loops(Sure::Possible).or(
            other,
            "an application with its echo on that was never reset gives them back as well; in that case it answers AT",
            Probe::Ask,
        )
    }
}

/// Whether hotkeys were sent from the release on, and so often that hardly a window fits between two.
fn is_often(facts: &Facts) -> bool {
    facts.since.hotkeys_from <= AT_ONCE && facts.since.hotkeys_every().is_some_and(|every| every <= CLOSE)
}

/// How many were sent, with those of the resets before that were in vain as well.
pub(super) fn hotkeys_were(facts: &Facts) -> String {
    let (before, resets) = facts.hotkeys_before;
    match (facts.since.hotkeys.map_or(0, |(.., count)| count), before) {
        (1, 0) => "one hotkey was".to_owned(),
        (count, 0) => format!("{count} hotkeys were"),
        (count, before) => format!("{} hotkeys, in {} tries and a reset between them, were", count + before, resets + 1),
    }
}
