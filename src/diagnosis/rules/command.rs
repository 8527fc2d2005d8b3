//! A command was the last thing: it was answered otherwise than it should be, or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use super::words::milliseconds;
use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{End, Exchange, Failed, Result, is_known_command, is_told_more};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

/// The application answers ATI, and what begins with it, by so many lines.
const THREE_LINES: usize = 3;
/// So many commands before the last one may be answered still.
const OVERLAPPING: usize = 4;
/// How long a module may take to wake. An assumption: it is published nowhere.
const WAKES: Duration = Duration::from_secs(1);

/// Why a module sleeps that said so and that several commands have not woken.
pub(super) fn sleeps_on(asked: usize) -> String {
    format!("it said #SLEEP, and {asked} commands after that brought nothing: commands alone do not wake it")
}

impl Scene<'_> {
    /// A command was the last thing.
    pub(super) fn command(&self) -> Option<Found> {
        let facts = self.facts;
        let last = facts.since.last()?;
        // Whoever was told to restart, and did not say that it does otherwise, has gone: what counts is whether it came back.
        if last.restarts() && !last.is_refused() {
            return None;
        }
        match &last.result {
            Some((seq, result)) if result.is_applications() => self.application(last, *seq, result),
            Some((seq, result)) => self.boot(last, *seq, result),
            None if self.is_to_boot_code(last) => self.boot_silence(last),
            None => self.unanswered(last),
        }
    }

    /// Whether boot code is there, to which a command went, whoever it was meant for.
    fn is_to_boot_code(&self, last: &Exchange) -> bool {
        let since = &self.facts.since;
        let is_left = since.started().is_some() || since.answered().is_some();
        since.acknowledge.is_some_and(|(_, latest)| last.to_boot_code || (latest < last.seq && !is_left))
    }

    /// The application answered the last command.
    pub(super) fn application(&self, last: &Exchange, seq: u64, result: &Result) -> Option<Found> {
        if let Some(found) = self.was_still_starting() {
            return Some(found);
        }
        if let Some(held) = self.facts.held_by.filter(|held| self.facts.is_held && last.seq > *held) {
            let because = format!("reset was asserted, and {} was answered: the module is not held", last.text);
            return Some(Found::new(Cause::ResetWithoutEffect, Sure::VeryLikely, because, [held, last.seq, seq]));
        }
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        let known = is_known_command(&last.text) || last.restarts();
        let is_damaged = known && *result != Result::Ok && !last.to_boot_code && self.is_noisy();
        if self.is_loaders(last) && !is_damaged {
            return Some(self.application_answered(last, seq));
        }
        if let Some(found) = self.version(last) {
            return Some(found);
        }
        if let Some(found) = self.switched_too_soon(last).or_else(|| self.followed_too_early(last)).filter(|_| *result != Result::Ok) {
            return Some(found);
        }
        let is_text = |byte: &u8| matches!(byte, b' '..=b'~');
        if let Some(odd) = last.lines.iter().find(|line| is_told_more(&last.text) && !line.text.iter().all(is_text)) {
            let because = format!("{} is in the answer to {}, which is plain text: it came damaged", quoted(&odd.text), last.text);
            return Some(self.noise(&because, vec![last.seq, odd.seq, seq]));
        }
        let is_bare = *result == Result::Ok && last.lines.is_empty() && last.before.is_empty() && !self.answers_the_one_before(last);
        if is_told_more(&last.text) && is_bare {
            let because = format!("{} was answered by OK alone, and every module says more to it: it arrived damaged", last.text);
            return Some(self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, seq])));
        }
        if known && *result != Result::Ok && self.is_line_clean(last) {
            let because =
                format!("{} is a command that every module knows, and it was answered by an error: it arrived damaged", last.text);
            return Some(self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, seq])));
        }
        let found = self.damaged_words(last);
        // What came back whole arrived so: the module does not take it, and nothing is wrong with the board or its wires.
        if found.is_some() || *result == Result::Ok || self.now.is_some() || last.echo.is_some() || !self.is_line_clean(last) {
            return found;
        }
        // A module that does not know it says the same: who it is, asked a few times, shows a line that damages words.
        let because = format!("{} was answered by an error: it may have arrived damaged, or the module does not take it", last.text);
        let found = Found::new(Cause::LineNoise, Sure::Possible, because, [last.seq, seq]).next(Advice::IsItKnown);
        Some(Found { probe: Some(Probe::Ask), ..found })
    }

    /// Whether nothing can have stood in the module's line before `last`.
    pub(super) fn is_line_clean(&self, last: &Exchange) -> bool {
        let since = &self.facts.since;
        let before = since.exchanges.iter().rev().find(|exchange| exchange.seq < last.seq);
        let is_first_here = before.is_none_or(|before| before.speed != last.speed);
        last.before.is_empty()
            && !last.behind_hotkeys
            && !self.answers_the_one_before(last)
            && (!is_first_here || since.misframed_at(last.speed).is_empty())
    }

    /// Whether what came as the answer to `last` may answer the command before it, which had none when `last` was sent.
    pub(super) fn answers_the_one_before(&self, last: &Exchange) -> bool {
        let since = &self.facts.since;
        let mut before =
            since.exchanges.iter().rev().filter(|exchange| exchange.seq < last.seq && exchange.speed == last.speed).take(OVERLAPPING);
        let is_before = |before: &Exchange| match &before.result {
            None => self.now.unwrap_or(self.facts).since.late.as_ref().is_some_and(|(late, _)| *late > last.seq),
            Some((seq, _)) => *seq > last.seq && self.is_after_the_step(last).is_some(),
        };
        last.is_result_first || before.any(is_before)
    }

    /// The end of the step that failed, where a command was answered after that.
    pub(super) fn is_after_the_step(&self, asked: &Exchange) -> Option<Failed> {
        self.facts.failed.filter(|failed| asked.result.is_some() && failed.at < asked.at + asked.took)
    }

    pub(super) fn application_answered(&self, last: &Exchange, seq: u64) -> Found {
        let text = &last.text;
        let answer = last.result.as_ref().map_or_else(String::new, |(_, result)| result.to_string());
        let sure = if last.lines.len() >= THREE_LINES {
            "The lines before it are the application's as well"
        } else {
            "Send ATI to be sure: only the application answers it by three lines"
        };
        let found = Found::new(
            Cause::ApplicationAnswered,
            Sure::VeryLikely,
            format!("{text} was answered by {answer} with CR LF, as the application does; boot code answers 0 or 40xx. {sure}"),
            self.begin().into_iter().chain([last.seq, seq]),
        );
        match text.strip_prefix("AT+IPR=") {
            Some(speed) if matches!(last.result, Some((_, Result::Ok))) => {
                found.next_with(Advice::SpeedTaken, &[("SPEED", &speed), ("HOME", &self.facts.home)])
            }
            _ if self.facts.since.hotkeys.is_none() && self.facts.entry_taken.is_none() => found.next(Advice::NotEntered),
            _ => found,
        }
    }

    /// The last command has no result.
    pub(super) fn unanswered(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        if let Some(found) = self.followed_too_early(last) {
            return Some(found);
        }
        if let Some(found) = self.entered(last).or_else(|| self.is_slower(last)).or_else(|| self.answered_after_all(last)) {
            return Some(found);
        }
        if let Some(found) = self.port_moved_alone(last) {
            return Some(found);
        }
        if let Some(found) = self.switched_by_now(last).or_else(|| self.answered_in_place_of_a_probe(last)) {
            return Some(found);
        }
        let has_switched =
            |seq| since.exchanges.iter().any(|exchange| exchange.seq > seq && exchange.speed == last.speed && exchange.result.is_some());
        if let Some((old, seq)) = since.switched.filter(|(_, seq)| !has_switched(*seq))
            && since.exchanges.iter().any(|exchange| exchange.seq == seq && matches!(exchange.result, Some((_, Result::Ok | Result::Zero))))
        {
            return Some(self.did_not_switch(last, old, seq));
        }
        if let Some((acknowledge, latest)) = since.acknowledge.filter(|(_, latest)| *latest > last.seq) {
            let because = format!("{} was meant for the application, and 0x9A came: boot code runs", last.text);
            return Some(Found::new(Cause::BootCodeAnswered, Sure::Likely, because, [acknowledge, last.seq, latest]));
        }
        if let Some(found) = self.damaged_words(last) {
            return Some(found);
        }
        // A module that is slow sends back what came meanwhile when it has answered.
        let back = since.exchanges.iter().rev().find(|exchange| exchange.echo.is_some()).filter(|back| back.speed == last.speed);
        let whole = back.map_or(u32::MAX, |back| u32::try_from(back.text.len()).unwrap_or(u32::MAX));
        // What was sent by a probe came back as well, or nothing was yet.
        let goes_on = self.now.is_none_or(|now| now.since.mirrored > since.mirrored);
        let is_open = |back: &&Exchange| back.result.is_none() && since.spoke.is_none() && since.strange.is_empty();
        if let Some(found) = back.filter(is_open).and_then(|back| self.answers_late(back)) {
            return Some(found);
        }
        if let Some(back) = back.filter(|_| since.spoke.is_none() && since.mirrored.is_some_and(|mirrored| mirrored > whole) && goes_on) {
            let because = format!("{} came back byte for byte, its CR as well, and no answer behind it; nothing else came", back.text);
            let found = Found::new(Cause::EchoOnly, Sure::VeryLikely, because, [back.seq].into_iter().chain(back.echo));
            return Some(if self.is_probed(Probe::Ask) {
                found
            } else {
                found.or(
                    Cause::NotAsExpected,
                    "an application with its echo on that answers later looks the same; in that case it answers AT",
                    Probe::Ask,
                )
            });
        }
        if let Some(slept) = last.slept.or(since.slept) {
            let woken = since.woken.filter(|(woken, _)| *woken > slept && *woken < last.seq);
            if let Some((woken, at)) = woken.filter(|(_, at)| last.at.since(*at) < WAKES) {
                let because = format!(
                    "it said #SLEEP, and {}, {} after the wake line was asserted, brought nothing: it may not have been awake by then",
                    last.text,
                    milliseconds(last.at.since(at))
                );
                return Some(Found::new(Cause::Asleep, Sure::VeryLikely, because, [slept, woken, last.seq]).next(Advice::AskedWhileWaking));
            }
            let asked =
                since.exchanges.iter().chain(self.now.iter().flat_map(|now| &now.since.exchanges)).filter(|exchange| exchange.seq > slept);
            let asked = asked.map(|exchange| exchange.seq).collect::<BTreeSet<_>>().len();
            let (because, advice) = match (woken, asked) {
                (None, 2..) => (sleeps_on(asked), Advice::SleepsOn),
                (Some(_), _) => {
                    let what = if asked > 1 { format!("{asked} commands") } else { last.text.clone() };
                    (format!("it said #SLEEP, the wake line was pulsed, and {what} after that brought nothing"), Advice::WakeLine)
                }
                (None, _) => (
                    format!("it said #SLEEP, and {} after that brought nothing: the first command after a sleep is lost", last.text),
                    Advice::SleepsByItself,
                ),
            };
            return Some(
                Found::new(Cause::Asleep, Sure::VeryLikely, because, [slept, last.seq].into_iter().chain(woken.map(|(woken, _)| woken)))
                    .next(advice),
            );
        }
        if (!last.lines.is_empty() && last.speed == self.facts.speed) || !since.strange.is_empty() {
            return self.garbage();
        }
        if since.spoke.is_some() || last.echo.is_some() {
            return if since.answered().is_some() || last.echo.is_some() { self.fell_silent(last) } else { self.does_not_hear(last) };
        }
        if since.is_silent(self.facts.speed) { self.silence() } else { self.garbage() }
    }

    /// A command came back, and its answer not in time: the application answers the next one at the same speed.
    pub(super) fn answers_late(&self, last: &Exchange) -> Option<Found> {
        let answered = self.answered_at(last.speed)?;
        let echo = last.echo?;
        // Behind #SYSSTART another message says why.
        let had_started = self.facts.since.started().is_some_and(|started| started < last.seq);
        if !had_started
            && self.facts.since.start.is_some_and(|start| start.seq < last.seq)
            && let Some(started) = self.has_started_since(last)
        {
            let because =
                format!("{} was sent before the application said that it has started, and what comes so early may be lost", last.text);
            let evidence = self.begin().into_iter().chain([last.seq, started]);
            return Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence).next(Advice::AskedTooEarly));
        }
        let because = format!(
            "{} came back as it was sent, and its answer not in time; {} after that was answered: the module hears and answers, slower than the step waits",
            last.text, answered.text
        );
        Some(Found::new(Cause::NotAsExpected, Sure::Likely, because, [last.seq, echo, answered.seq]).next(Advice::TooLate))
    }

    /// The answer came when the step had given up, behind what a probe had sent.
    fn answered_after_all(&self, last: &Exchange) -> Option<Found> {
        let late = self.now?.since.exchanges.iter().find(|late| late.seq == last.seq)?;
        let (seq, result) = late.result.as_ref()?;
        let took = milliseconds(late.took);
        if let Some(started) = self.now?.since.started().filter(|started| *started > last.seq) {
            let because = format!(
                "{} was sent before the application said that it has started, and was answered by {result} {took} after it was sent, when the step had given up",
                last.text
            );
            let evidence = self.begin().into_iter().chain([last.seq, started, *seq]);
            return Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence).next(Advice::AskedTooEarly));
        }
        let because = format!("{} was answered by {result} {took} after it was sent, when the step had given up", last.text);
        Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, [last.seq, *seq]).next(Advice::TooLate))
    }

    /// The answer came when a probe had been sent: a line that AT is not answered by, and the command is.
    fn answered_in_place_of_a_probe(&self, last: &Exchange) -> Option<Found> {
        let probed = self.probed().filter(|_| is_told_more(&last.text) && last.lines.is_empty())?;
        let answered = self.answered_at(last.speed).filter(|answered| answered.text == "AT")?;
        let line = probed.line.as_ref().filter(|line| line.end == End::CrLf && line.seq > answered.seq)?;
        let because = format!(
            "{} brought nothing in time, and {} came when AT was sent to see who is there, which is no answer to that: it answers {}",
            last.text,
            quoted(&line.text),
            last.text
        );
        Some(Found::new(Cause::NotAsExpected, Sure::Likely, because, [last.seq, answered.seq, line.seq]).next(Advice::TooLate))
    }

    /// The last command was given less time than any before it took.
    fn is_slower(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let waited = self.facts.now.since(last.at);
        let before = since.exchanges.iter().filter(|exchange| exchange.speed == last.speed && exchange.seq < last.seq);
        let quickest = before.filter(|exchange| exchange.result.is_some()).min_by_key(|exchange| exchange.took)?;
        let (seq, _) = quickest.result.as_ref().filter(|_| quickest.took > waited && !waited.is_zero())?;
        let because = format!(
            "{} was given {}, and {} before it took {} to be answered: no command of this case was answered so soon",
            last.text,
            milliseconds(waited),
            quickest.text,
            milliseconds(quickest.took)
        );
        let enough = format!("{} s", (quickest.took * 2).as_secs() + 1);
        let found = Found::new(Cause::NotAsExpected, Sure::Likely, because, [quickest.seq, *seq, last.seq]);
        Some(found.next_with(Advice::SlowerThanThat, &[("ENOUGH", &enough)]))
    }
}
