//! The module talked or had answered, and answers nothing any more.

use std::time::Duration;

use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Began, Brought, Exchange};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

/// So many commands, and for so long, are as good as a wait: a step `restore` asks so.
const OFTEN: usize = 40;
const LONG: Duration = Duration::from_secs(10);

/// No module sleeps so soon after it has answered. An assumption.
const AWAKE: Duration = Duration::from_millis(400);

/// Whether a command was answered so shortly before another one was sent that the module was awake.
fn was_answered_right_before(before: &Exchange, next: &Exchange) -> bool {
    before.result.is_some() && next.at.since(before.at + before.took) < AWAKE
}

impl Scene<'_> {
    /// It talks by itself and answers nothing.
    pub(super) fn does_not_hear(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let message = since.started().or(since.spoke)?;
        let asked = since.exchanges.iter().filter(|exchange| !exchange.restarts()).count();
        if let Some(odd) = since.exchanges.iter().find(|exchange| Some(exchange.speed) == since.spoke_at && !exchange.lines.is_empty()) {
            let answer = odd.lines.first().map_or_else(String::new, |line| quoted(&line.text));
            let because = format!("it says clearly that it has started, and what it answers to {}, {answer}, is no word of it", odd.text);
            return Some(
                Found::new(
                    Cause::Garbage,
                    Sure::VeryLikely,
                    because,
                    [message, odd.seq].into_iter().chain(odd.lines.first().map(|line| line.seq)),
                )
                .next(Advice::AnswersGarbled),
            );
        }
        if let Some(found) = self.asked_too_early(last) {
            return Some(found);
        }
        let evidence = || self.begin().into_iter().chain([message, last.seq]);
        let talked = if since.started().is_some() { "start-up messages came" } else { "it talked" };
        let because = if asked == 1 {
            format!("{talked}, and {} brought not even an echo", last.text)
        } else {
            format!("{talked}, and none of {asked} commands brought even an echo")
        };
        if let Some(answered) = self.probe_answered() {
            let speed = answered.speed;
            return Some(if speed == self.facts.speed {
                let because = format!("it fell silent after it had started, and answers {} right after another start", answered.text);
                self.after_other_speed(Found::new(Cause::ShutDown, Sure::Likely, because, evidence().chain([answered.seq])), speed)
            } else {
                self.elsewhere(answered, evidence().collect())
            });
        }
        let elsewhere = self.said_elsewhere(evidence().collect()).or_else(|| self.may_say_elsewhere(evidence().collect()));
        if elsewhere.is_some() {
            return elsewhere;
        }
        let found = Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence());
        // Who was asked so often has had the time.
        let is_asked_on = asked >= OFTEN && since.messages.first().is_some_and(|message| last.at.since(message.at) > LONG);
        let is_waited_for = self.is_probed(Probe::Wait) || is_asked_on;
        Some(match (is_waited_for, self.is_probed(Probe::Reset)) {
            (_, true) => self.hangs_or_is_deaf(found),
            (false, _) => found.or_restarting(),
            (true, _) => self.hangs_where_heard(&found).unwrap_or(found).or(
                Cause::ShutDown,
                "it may have shut itself down right after it had started; in that case AT right after a reset is answered",
                Probe::Reset,
            ),
        })
    }

    /// It answered, and then no more, without a restart.
    pub(super) fn fell_silent(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let spoke = since.spoke.or(last.echo)?;
        if let Some(found) = self.asked_too_early(last) {
            return Some(found);
        }
        let evidence = || [spoke, last.seq];
        if let Some(answered) = self.probe_answered() {
            let other = answered.speed != self.facts.speed;
            return Some(if self.answered_after_reset() {
                let at = if other { format!(" at {} baud", answered.speed) } else { String::new() };
                let because = format!(
                    "it had answered, then {} brought nothing, nor did AT after that; after a reset it answers again{at}",
                    last.text
                );
                let found = Found::new(Cause::ShutDown, Sure::Likely, because, evidence().into_iter().chain([answered.seq]));
                self.after_other_speed(found, answered.speed)
            } else if other {
                self.wrong_speed(answered, evidence().to_vec())
            } else if let Some(found) = self.answers_late(last) {
                found
            } else if since.exchanges.iter().any(|before| before.seq < last.seq && was_answered_right_before(before, last)) {
                let why = format!(
                    "{} went out right behind an answer, too soon for a sleep, and brought nothing; {} after it was answered: it was lost on the way",
                    last.text, answered.text
                );
                self.command_hit(self.noise(&why, evidence().into_iter().chain([answered.seq]).collect()))
            } else {
                let because = format!(
                    "{} brought nothing, and {} after it was answered: the first command after a sleep is lost",
                    last.text, answered.text
                );
                Found::new(Cause::Asleep, Sure::Likely, because, evidence().into_iter().chain([answered.seq]))
            });
        }
        if let Some(Brought { what: (started, message), .. }) = self.probe_started() {
            let because = format!("it had answered, then {} brought nothing; after a reset {message} came", last.text);
            return Some(Found::new(Cause::ShutDown, Sure::Likely, because, evidence().into_iter().chain([*started])));
        }
        let because = format!("it had answered, and {} brought nothing, without a restart and without #SLEEP", last.text);
        let found = Found::new(Cause::ShutDown, Sure::Likely, because, evidence());
        let home = self.facts.home;
        if self.is_probed(Probe::Reset) && self.probed().is_some_and(|probed| !probed.resets_at.contains(&home)) {
            // A reset may have put it back to its own speed, where nobody has listened.
            let because = "its supply may be gone, or a wire; in that case a reset brings nothing at its own speed either";
            return Some(Found { at: Some(home), ..found.or(Cause::NothingCame, because, Probe::Reset) });
        }
        if self.is_probed(Probe::Reset) {
            return Some(
                found.against("not even a reset brings it back: the supply may be gone as well", []).next(Advice::SupplyMayBeGone),
            );
        }
        Some(match (self.is_probed(Probe::Wake), self.is_probed(Probe::Wait)) {
            (false, _) => {
                found.or(Cause::Asleep, "a module that sleeps loses a command as well; in that case the next one is answered", Probe::Wake)
            }
            (true, false) => found.or_restarting(),
            (true, true) => {
                found.or(Cause::NothingCame, "its supply may be gone, or a wire; in that case a reset brings nothing", Probe::Reset)
            }
        })
    }

    /// What was asked was asked before the application said that it has started, and it answers now: what comes so early is lost.
    fn asked_too_early(&self, last: &Exchange) -> Option<Found> {
        let started = self.facts.since.started().filter(|started| *started > last.seq)?;
        let answered = self.answered_at(self.facts.speed)?;
        let because = format!(
            "{} was sent before the application said that it has started, and what comes so early is lost; {} after that was answered",
            last.text, answered.text
        );
        let evidence = self.begin().into_iter().chain([last.seq, started, answered.seq]);
        Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence).next(Advice::AskedTooEarly))
    }

    /// It talks and answers nothing. Whether the module was heard to answer over the same wires tells an application that hangs from a host that is not heard.
    pub(super) fn hangs_or_is_deaf(&self, found: Found) -> Found {
        if let Some(hangs) = self.hangs_where_heard(&found) {
            return hangs;
        }
        if self.is_probed(Probe::Boot) {
            return Found { because: format!("{}; the hotkey brought no 0x9A either", found.because), ..found };
        }
        found.or(
            Cause::ApplicationHangs,
            "an application that hangs answers as little; in that case boot code takes the hotkey",
            Probe::Boot,
        )
    }

    /// The host was heard in this case: what answers nothing now hangs.
    pub(super) fn hangs_where_heard(&self, found: &Found) -> Option<Found> {
        let heard = self.now.unwrap_or(self.facts).heard;
        let (seq, who) = match (heard.by_boot_code, heard.by_application) {
            (Some(seq), _) => (seq, "boot code answers over the same wires"),
            (None, Some((seq, _))) => (seq, "it had answered before over the same wires"),
            (None, None) => return None,
        };
        let because = format!("{}; {who}, so that the host is heard: it is the application that hangs", found.because);
        let evidence = found.evidence.iter().copied().chain([seq]);
        let is_from_power = self.facts.since.start.is_some_and(|start| start.how == Began::Power);
        Some(Found::new(Cause::ApplicationHangs, Sure::Likely, because, evidence).next(is_from_power.then_some(Advice::HangsAfterPower)))
    }
}
