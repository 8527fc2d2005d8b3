//! AT+IPR: who followed it too soon, and a module that did not.

use std::time::Duration;

use super::words::{milliseconds, span};
use super::{Found, Scene, quoted};
use crate::baud::Baud;
use crate::diagnosis::facts::{Exchange, Probed, Result};
use crate::diagnosis::{Advice, Cause, Probe, Sure};

/// Easy Connect gives the module so long to switch to the speed of an AT+IPR.
const SWITCHES: Duration = Duration::from_millis(300);

/// How long after the answer to one command another one was sent.
fn pause_between(answered: &Exchange, next: &Exchange) -> Duration {
    next.at.since(answered.at + answered.took)
}

impl Scene<'_> {
    /// AT+IPR was taken, and what was sent at the new speed so soon behind it that the module may not have switched brought no answer.
    pub(super) fn switched_too_soon(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let pairs = since.exchanges.iter().zip(since.exchanges.iter().skip(1));
        let (told, first, result) = pairs.filter(|(_, first)| first.seq <= last.seq).find_map(|(told, first)| {
            let (_, result) = told.result.as_ref().filter(|(_, result)| matches!(result, Result::Ok | Result::Zero))?;
            let is_followed = told.told_speed() == Some(first.speed) && told.speed != first.speed && first.speed == last.speed;
            let is_lost = !matches!(first.result, Some((_, Result::Ok | Result::Zero)));
            (is_followed && is_lost && pause_between(told, first) < SWITCHES).then_some((told, first, result))
        })?;
        let because = format!(
            "{} was answered by {result}, and {} went out at {} baud {} after that: the module may not have switched by then",
            told.text,
            first.text,
            first.speed,
            milliseconds(pause_between(told, first))
        );
        let and = if first.seq == last.seq { "" } else { "; what it could not read then stood before what came next" };
        let evidence = [told.seq, first.seq, last.seq];
        Some(Found::new(Cause::NotAsExpected, Sure::Likely, format!("{because}{and}"), evidence).next(Advice::SwitchesLater))
    }

    /// The same, and a probe shows that the module has switched since.
    pub(super) fn switched_by_now(&self, last: &Exchange) -> Option<Found> {
        let answered = self.answered_at(last.speed)?;
        let found = self.switched_too_soon(last)?;
        let because = format!("{}; a little later {} is answered there", found.because, answered.text);
        let evidence: Vec<u64> = found.evidence.iter().copied().chain(answered.events()).collect();
        Some(Found { because, sure: Sure::VeryLikely, evidence, ..found })
    }

    /// The port went to another speed before AT+IPR was answered: the answer comes at the speed before, and what is sent at the new one may come too early.
    pub(super) fn followed_too_early(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let told = since.exchanges.iter().find(|exchange| Some(exchange.seq) == since.followed_early)?;
        let is_next = told.told_speed() == Some(last.speed) && !matches!(last.result, Some((_, Result::Ok | Result::Zero)));
        if told.seq != last.seq && !is_next {
            return None;
        }
        let because = format!(
            "the port was set to {} baud before {} was answered: its answer comes at {} baud still, and is no word at {}",
            self.facts.speed, told.text, told.speed, self.facts.speed
        );
        let evidence = [told.seq, last.seq].into_iter().chain(since.last_in.filter(|came| *came > told.seq));
        Some(Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence).next(Advice::FollowedTooEarly))
    }

    /// The case had told boot code a speed, and the port was at another one when something was sent that nobody answers.
    pub(super) fn port_left(&self) -> Option<Found> {
        let facts = self.facts;
        let now = self.now.unwrap_or(facts);
        let (moved, told) =
            facts.moved.filter(|(moved, told)| *told != facts.speed && facts.begun_by_line.is_none_or(|begun| begun < *moved))?;
        let since = &facts.since;
        let last =
            since.last().filter(|last| last.to_boot_code && last.result.is_none() && last.seq > moved && last.speed == facts.speed)?;
        let answered_at = |speed: Baud, from: u64| {
            now.since.exchanges.iter().find(|asked| asked.seq > from && asked.speed == speed && asked.result.is_some())
        };
        let is_here = since.acknowledge.is_some_and(|(_, latest)| latest > last.seq) || answered_at(facts.speed, moved).is_some();
        if is_here || since.started().is_some_and(|started| started > moved) {
            return None;
        }
        let because = format!("boot code had taken AT+IPR={told}, and the port was at {} baud when {} was sent", facts.speed, last.text);
        let found = self.port_elsewhere(Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, [moved, last.seq]), told);
        match answered_at(told, last.seq) {
            Some(there) => {
                let because = format!("{}; {} is answered at {told}", found.because, there.text);
                let evidence = found.evidence.iter().copied().chain(there.events()).collect();
                Some(Found { because, sure: Sure::Certain, evidence, ..found })
            }
            None if self.is_probed(Probe::Ask) => None,
            None => Some(Found { probe: Some(Probe::Ask), ..found }),
        }
    }

    /// The application had answered at one speed, and the port went to another that nobody has told the module.
    pub(super) fn port_moved_alone(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let is_told = |asked: &Exchange| asked.told_speed() == Some(last.speed) && !asked.is_refused();
        let was_there = |asked: &&Exchange| asked.seq < last.seq && !asked.restarts() && asked.is_applications();
        let before = since.exchanges.iter().rev().find(was_there).filter(|before| before.speed != last.speed)?;
        let is_moved = self.facts.moved.is_some_and(|(moved, told)| told == last.speed || moved >= before.seq);
        if last.to_boot_code || is_moved || since.exchanges.iter().any(is_told) {
            return None;
        }
        let answered = self.probe_answered().filter(|answered| answered.speed == before.speed && !self.answered_after_reset());
        if self.is_probed(Probe::Ask) && answered.is_none() {
            return None;
        }
        let because = format!(
            "it answered {} at {} baud, and {} went out at {} after that, to which nobody had told it to go",
            before.text, before.speed, last.text, last.speed
        );
        let evidence = before.events().chain([last.seq]);
        let found = self.port_elsewhere(Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, evidence), before.speed);
        Some(match answered {
            Some(answered) => {
                Found { sure: Sure::Certain, evidence: found.evidence.iter().copied().chain(answered.events()).collect(), ..found }
            }
            None => Found { probe: Some(Probe::Ask), ..found },
        })
    }

    /// What to do where the board is at `speed`, as it should be, and the port is not.
    pub(super) fn port_elsewhere(&self, found: Found, speed: Baud) -> Found {
        let port = self.facts.speed;
        let is_refused = |asked: &&Exchange| asked.told_speed() == Some(port) && asked.is_refused();
        match self.facts.since.exchanges.iter().rev().find(is_refused).and_then(|asked| asked.result.as_ref()) {
            Some((_, code)) => found.next_with(Advice::SpeedRefused, &[("SPEED", &speed), ("PORT", &port), ("CODE", code)]),
            None => found.next_with(Advice::PortElsewhere, &[("SPEED", &speed), ("PORT", &port)]),
        }
    }

    /// AT+IPR was answered, the host followed, and nobody is there.
    pub(super) fn did_not_switch(&self, last: &Exchange, old: Baud, seq: u64) -> Found {
        let new = self.facts.speed;
        let evidence = [seq, last.seq];
        let told = self.facts.moved.filter(|(at, told)| *at == seq && *told != new).map(|(_, told)| told);
        let result = self.facts.since.exchanges.iter().find(|exchange| exchange.seq == seq).and_then(|exchange| exchange.result.as_ref());
        let said = result.map_or_else(String::new, |(_, result)| result.to_string());
        if let Some(answered) = self.probe_answered().filter(|answered| told == Some(answered.speed)) {
            let because = format!(
                "AT+IPR={speed} was answered by {said}, and {} is answered at {speed} baud: the module switched as it was told, and the port went to {new}",
                answered.text,
                speed = answered.speed
            );
            let found = Found::new(Cause::WrongSpeed, Sure::Certain, because, evidence.into_iter().chain(answered.events()));
            return self.runs_at(found, answered.speed, Advice::PutBack);
        }
        if let Some(answered) = self.probe_answered().filter(|answered| answered.speed != new && !self.answered_after_reset()) {
            let because = format!(
                "AT+IPR was answered by {said}, and {} is answered at {} baud and not at {new}: the module did not switch",
                answered.text, answered.speed
            );
            return Found::new(Cause::WrongSpeed, Sure::Certain, because, evidence.into_iter().chain(answered.events()))
                .next_with(Advice::DoesNotSwitch, &[("SPEED", &answered.speed)]);
        }
        if let Some(answered) = self.answered_at(new) {
            let told = self.facts.since.exchanges.iter().find(|exchange| exchange.seq == seq);
            let after = told.map_or(Duration::ZERO, |told| answered.at.since(told.at + told.took));
            let enough = format!("{} ms", (after.as_millis() / 100 + 1) * 150);
            let because = format!(
                "AT+IPR was answered by {said}, {} brought nothing at {new} baud after that, and {} is answered there {} after it: the module switches later",
                last.text,
                answered.text,
                span(after)
            );
            return Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence.into_iter().chain(answered.events()))
                .next_with(Advice::SwitchesSlowly, &[("ENOUGH", &enough)]);
        }
        let because = format!(
            "AT+IPR was answered by {said} at {old} baud, the host went to {new}, and nobody answers there: the module did not switch, or not to that"
        );
        if self.is_noisy() {
            let odd = last.lines.first().map(|line| {
                format!(
                    "AT+IPR was answered by {said} at {old} baud, the host went to {new}, and what {} brings there, {}, is no answer",
                    last.text,
                    quoted(&line.text)
                )
            });
            return self.noise(&odd.unwrap_or(because), evidence.to_vec());
        }
        let found = Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence)
            .next_with(Advice::GoneAfterSwitch, &[("HOME", &self.facts.home)]);
        if !self.is_probed(Probe::Ask) {
            return found.or(Cause::ShutDown, "it may have fallen silent just then; in that case it answers at no speed", Probe::Ask);
        }
        if !self.is_probed(Probe::Wait) {
            return found.or_restarting();
        }
        let is_said_to = |probed: &&Probed| !probed.unasked.is_empty() && !probed.waits_at.contains(&old);
        if self.probed().filter(is_said_to).is_some() {
            let because = "something comes that is no word at this speed: a module that restarts is back at the speed before";
            return Found { at: Some(old), ..found.or(Cause::UncommandedReset, because, Probe::Wait) };
        }
        if self.answered_after_reset() || self.probe_started().is_some_and(|started| !started.is_before_reset) {
            let because =
                format!("AT+IPR was answered by {said} at {old} baud, and nobody answered after that at any speed, until a reset");
            return self.after_other_speed(Found::new(Cause::ShutDown, Sure::Likely, because, evidence), old);
        }
        // A reset may undo the AT+IPR or not.
        let resets_at = self.probed().map(|probed| &probed.resets_at);
        if let Some(at) = [old, new].into_iter().find(|speed| resets_at.is_none_or(|resets_at| !resets_at.contains(speed))) {
            return Found {
                at: Some(at),
                ..found.or(Cause::ShutDown, "it may have fallen silent just then; in that case it answers after a reset", Probe::Reset)
            };
        }
        found.against("AT is not answered at any usual speed either", [])
    }

    /// It had fallen silent and answers at `speed` after a reset: bytes at another speed that were sent before may be why.
    pub(super) fn after_other_speed(&self, found: Found, speed: Baud) -> Found {
        let since = &self.facts.since;
        let others = since.misframed_at(speed);
        let first = since.exchanges.iter().find(|exchange| others.contains(&exchange.speed)).map(|first| first.seq);
        // What was silent before they were sent was so for another reason.
        let is_silent_before =
            |asked: &Exchange| asked.speed == speed && asked.result.is_none() && first.is_some_and(|first| asked.seq < first);
        if others.is_empty() || since.exchanges.iter().any(is_silent_before) {
            return found;
        }
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let told = self.facts.moved.map_or_else(String::new, |(_, told)| format!(" (AT+IPR={told} of this case was taken)"));
        let because =
            format!("{}; before that bytes were sent at {} baud, which was not its speed then{told}", found.because, others.join(", "));
        Found { because, ..found }.next(Advice::SentAtOtherSpeed)
    }
}
