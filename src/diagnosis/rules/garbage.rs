//! Bytes came that are no words of the module, or that are some at another speed.

use super::words::words_of;
use super::{Found, Scene, quoted, who_restarted};
use crate::baud::Baud;
use crate::diagnosis::facts::{Began, End, Exchange, Line, Probed};
use crate::diagnosis::{Advice, Cause, Probe, Sure, damage, speeds};

/// At so many speeds a board is reset to read what it says, the likeliest first.
const CANDIDATES: usize = 3;

/// So few bytes may fit another speed by chance.
const FEW: usize = 16;

impl Scene<'_> {
    /// Bytes came that are no words of the module.
    pub(super) fn garbage(&self) -> Option<Found> {
        let facts = self.facts;
        let since = &facts.since;
        let now = self.now.unwrap_or(facts);
        let evidence = || self.begin().into_iter().chain(since.first_in.or(now.since.first_in)).chain(since.last_in);
        if let Some(answered) = self.probe_answered().filter(|answered| answered.speed != facts.speed) {
            return Some(self.elsewhere(answered, evidence().collect()));
        }
        if let Some(found) = self.said_elsewhere(evidence().collect()) {
            return Some(found);
        }
        if let Some(answered) = self.answered_at(facts.speed) {
            let because = format!("the application answers {} at this speed, and what came before is no word of it", answered.text);
            return Some(self.noise(&because, evidence().chain([answered.seq]).collect()));
        }
        if let Some(found) = self.probes_mirrored(evidence().collect()) {
            return Some(found);
        }
        let of_probes = self.probed().map_or(&[][..], |probed| probed.strange.as_slice());
        let lines: Vec<&Line> =
            since.strange.iter().chain(since.exchanges.iter().flat_map(|exchange| &exchange.lines)).chain(of_probes).collect();
        let mut came = since.heard_at(facts.speed).to_vec();
        if came.is_empty() {
            came = of_probes.iter().flat_map(|line| line.text.iter().copied()).collect();
        }
        let sent = since.last().map_or(&b""[..], |last| last.text.as_bytes());
        // What was cut off has all its bits.
        let is_whole = |line: &&&Line| line.end != End::None || damage::is_flipped_word(line);
        if let Some((line, word)) = lines.iter().filter(is_whole).find_map(|line| Some((line, damage::resembles(line)?))) {
            let because = format!("words come damaged: {} came where {word} was due", quoted(&line.text));
            return Some(self.noise(&because, evidence().chain([line.seq]).collect()));
        }
        let is_text = !lines.is_empty() && lines.iter().all(|line| line.text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
        let is_unasked = |probed: &Probed| probed.unasked.iter().any(|(_, came)| !came.is_empty());
        let is_overheard = self.probed().is_some_and(|probed| probed.overheard.is_some() || (is_text && is_unasked(probed)));
        if !is_text
            && !is_overheard
            && let Some(found) = self.other_speed(&came, sent, evidence().collect())
        {
            return Some(found);
        }
        if let Some(found) = self.may_say_elsewhere(evidence().collect()).filter(|_| !is_text) {
            return Some(found);
        }
        if (since.unasked > 0 && is_text) || is_overheard || facts.is_off {
            let because = "it talks without being asked, and none of it is a word of the module";
            let (because, evidence): (_, Vec<u64>) = match lines.first().filter(|_| is_text) {
                Some(said) => (format!("{because}: {}", quoted(&said.text)), self.begin().into_iter().chain([said.seq]).collect()),
                None => (because.to_owned(), evidence().collect()),
            };
            let found = Found::new(Cause::WrongPort, Sure::VeryLikely, because, evidence);
            let asks = !self.is_probed(Probe::Ask) && !self.is_probed(Probe::Wait) && !facts.is_off;
            return Some(if asks {
                found.or(
                    Cause::LineNoise,
                    "words that are damaged beyond recognition look like it; in that case AT is answered now and then",
                    Probe::Ask,
                )
            } else {
                found
            });
        }
        let garbled = since.last().and_then(|last| last.lines.first()).or(lines.last().copied());
        let what = garbled.map_or_else(String::new, |line| format!(" ({})", quoted(&line.text)));
        let only = if self.is_probed(Probe::Listen) { ", and only when something is sent" } else { "" };
        let because = format!("bytes come that no word of the module explains{what}, whichever usual speed they were sent at{only}");
        let found = self.clean_beside(Found::new(Cause::Garbage, Sure::Likely, because, evidence().chain(garbled.map(|line| line.seq))));
        if self.is_probed(Probe::Listen) {
            return Some(self.or_noise(found));
        }
        Some(if self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait) {
            found.or(
                Cause::WrongPort,
                "another device or another port of the kit talks like that; in that case it goes on while nothing is sent",
                Probe::Listen,
            )
        } else {
            found.or(
                Cause::WrongSpeed,
                "what a module at another speed sends back may look like anything; in that case it answers at that one",
                Probe::Ask,
            )
        })
    }

    /// Garbage, where something else is clean at the same speed: then it is not the signal.
    fn clean_beside(&self, found: Found) -> Found {
        let since = &self.facts.since;
        let now = self.now.unwrap_or(self.facts);
        let is_here = |speed: Option<Baud>| speed == Some(self.facts.speed);
        let is_of_boot_code = since.last().is_some_and(|last| last.to_boot_code);
        let echo = since.last().and_then(|last| last.echo);
        let (clean, advice) = match (since.acknowledge, now.heard.by_application) {
            (Some((acknowledge, _)), Some((answer, speed))) if is_of_boot_code && is_here(Some(speed)) => {
                ("0x9A and the application's answers come clean", (vec![acknowledge, answer], Advice::OneProgramGarbled))
            }
            (Some((acknowledge, _)), _) if is_of_boot_code => ("0x9A comes clean", (vec![acknowledge], Advice::OneProgramGarbled)),
            _ if echo.is_some() => ("the echo of the command comes clean", (echo.into_iter().collect(), Advice::AnswersGarbled)),
            _ if self.probe_started().is_some_and(|started| started.speed == self.facts.speed) => {
                let started = self.probe_started().map(|started| started.what.0);
                ("what the module says of its start comes clean", (started.into_iter().collect(), Advice::AnswersGarbled))
            }
            _ if since.spoke.is_some() && is_here(since.spoke_at) => {
                ("what the module says by itself comes clean", (since.spoke.into_iter().collect(), Advice::AnswersGarbled))
            }
            _ => return found,
        };
        let (evidence, advice) = advice;
        let because = format!("{}; {clean} at the same speed", found.because);
        Found::new(Cause::Garbage, Sure::Likely, because, found.evidence.into_iter().chain(evidence)).next(advice)
    }

    /// What came is what the module says, at another speed.
    pub(super) fn other_speed(&self, came: &[u8], sent: &[u8], evidence: Vec<u64>) -> Option<Found> {
        let facts = self.facts;
        let fits = speeds::explain(came, sent, facts.speed);
        // What fits in a part of what came, and is not answered there, fits by chance.
        let best = fits.first().filter(|fit| fit.is_most || !self.is_probed(Probe::Ask))?;
        let text = if best.text.is_empty() { "bytes".to_owned() } else { quoted(best.text.trim_ascii()) };
        let has_answered = |asked: &Exchange| !asked.restarts() && asked.is_applications();
        if best.text.starts_with(b"\r\n#") && facts.since.exchanges.iter().any(has_answered) {
            let because = format!(
                "it had answered at {} baud, then {text} came at {} baud: the module restarted, and nobody had asked it to",
                facts.speed, best.speed
            );
            let (_, advice) = who_restarted(best.text.trim_ascii());
            return Some(Found::new(Cause::UncommandedReset, Sure::VeryLikely, because, evidence).next(advice));
        }
        if fits.len() == 1 {
            let sure = if best.bytes >= 4 && best.is_most { Sure::VeryLikely } else { Sure::Likely };
            let because = format!("what came looks like {text} sent at {} baud and read at {}", best.speed, facts.speed);
            if facts.since.exchanges.iter().any(|exchange| exchange.speed == best.speed && !exchange.restarts()) {
                return Some(self.silent_at(best.speed, &because, evidence));
            }
            let found = self.runs_at(Found::new(Cause::WrongSpeed, sure, because, evidence), best.speed, Advice::TryAt);
            // A start-up message of a module that nobody had restarted, or a few bytes, may fit by chance.
            let is_start = best.text.starts_with(b"\r\n#");
            let is_odd = came.len() < FEW || (is_start && facts.since.start.is_none() && facts.since.unasked == 0);
            return Some(if best.is_most && is_odd && !self.is_probed(Probe::Ask) {
                Found { probe: Some(Probe::Ask), ..found }
            } else if best.is_most {
                found
            } else {
                found.or(
                    Cause::WrongPort,
                    "another device may say something like it by chance; in that case AT is answered at no speed",
                    Probe::Ask,
                )
            });
        }
        let all: Vec<String> = fits.iter().map(|fit| fit.speed.to_string()).collect();
        let because = format!("what came fits several speeds: {} baud; send AT at each, the one that answers is it", all.join(", "));
        let mut found = self.runs_at(Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence), best.speed, Advice::TryAt);
        if !self.is_probed(Probe::Ask) {
            found.probe = Some(Probe::Ask);
        }
        Some(found)
    }

    /// A probe was answered at another speed than the host's.
    pub(super) fn elsewhere(&self, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let speed = answered.speed;
        let all = || evidence.iter().copied().chain(answered.events());
        if self.answered_after_reset() && (self.is_probed(Probe::Ask) || since.was_silent_at(speed)) {
            let because = format!("at {speed} baud it answered nothing, and after a reset {} is answered there", answered.text);
            return self.after_other_speed(Found::new(Cause::ShutDown, Sure::Likely, because, all()), speed);
        }
        if since.start.is_none() && since.was_silent_at(speed) {
            let because = format!(
                "at {speed} baud it answered nothing, and a little later {} is answered there: it has started in between, and nobody had reset it",
                answered.text
            );
            return Found::new(Cause::UncommandedReset, Sure::Likely, because, all());
        }
        self.wrong_speed(answered, evidence)
    }

    /// A probe was answered at another speed than the host's, and nothing else is wrong.
    pub(super) fn wrong_speed(&self, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let speed = answered.speed;
        if let Some(found) = self.went_on_elsewhere() {
            return found;
        }
        let is_taken = |asked: &&Exchange| asked.told_speed() == Some(speed) && asked.result.is_none();
        if let Some(taken) = self.facts.since.exchanges.iter().rev().find(is_taken) {
            return self.taken_unanswered(taken, answered);
        }
        let is_here = |was: &&Exchange| was.speed == self.facts.speed && was.is_applications();
        let was_here = self.facts.since.exchanges.iter().rev().find(|was| is_here(was) && !was.restarts());
        let is_told = self.facts.moved.is_some_and(|(_, told)| told == speed);
        if let Some((was_here, (seq, _))) = was_here.and_then(|was| Some((was, was.result.as_ref()?))).filter(|_| !is_told) {
            let because = format!(
                "it answered {} at {} baud, and {} is answered at {speed} a little later, although nobody had told it to go there: it restarted in between",
                was_here.text, self.facts.speed, answered.text
            );
            let evidence = evidence.into_iter().chain([*seq, answered.seq]);
            return Found::new(Cause::UncommandedReset, Sure::Likely, because, evidence);
        }
        let moved = self.facts.moved.filter(|(_, told)| *told == speed && self.facts.speed != speed);
        let why = moved.map_or_else(String::new, |_| format!(", as AT+IPR={speed} of this case told it to be"));
        let found = Found::new(
            Cause::WrongSpeed,
            Sure::Certain,
            format!("nobody answers at {} baud, and {} is answered at {speed}{why}", self.facts.speed, answered.text),
            evidence.into_iter().chain(answered.events()).chain(moved.map(|(seq, _)| seq)),
        );
        let since = &self.facts.since;
        let restarted = since.start.filter(|start| start.how != Began::Command && moved.is_some_and(|(at, _)| start.seq > at));
        match restarted.filter(|_| since.unasked == 0) {
            Some(start) => {
                let why = format!(
                    "nothing came by itself since {}: where that did not reach the module, it is at this speed still",
                    words_of(start)
                );
                found.against(why, [start.seq]).next_with(Advice::StillAsTold, &[("SPEED", &speed)])
            }
            None => self.runs_at(found, speed, Advice::PutBack),
        }
    }

    /// An AT+IPR had no answer that can be read, and the module went where it says.
    fn taken_unanswered(&self, taken: &Exchange, answered: &Exchange) -> Found {
        let speed = answered.speed;
        let evidence = || [taken.seq].into_iter().chain(answered.events());
        match taken.lines.first() {
            Some(line) => {
                let because = format!(
                    "{} brought {}, which is no answer, and {} is answered at {speed} baud: it was taken, and its answer came damaged",
                    taken.text,
                    quoted(&line.text),
                    answered.text
                );
                Found::new(Cause::LineNoise, Sure::Likely, because, evidence().chain([line.seq]))
            }
            None => {
                let because = format!(
                    "{} was not answered, and {} is answered at {speed} baud: it was taken, and its answer was lost, or is said there",
                    taken.text, answered.text
                );
                let found = Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence());
                found.next_with(Advice::PutBack, &[("SPEED", &speed), ("HOME", &self.facts.home)])
            }
        }
    }

    /// What to do with a board that runs at `speed`: `advice`, unless it should be there, and the port is what is at another one.
    pub(super) fn runs_at(&self, found: Found, speed: Baud, advice: Advice) -> Found {
        let facts = self.facts;
        let is_told = facts.moved.is_some_and(|(_, told)| told == speed);
        let was_moved = facts.moved.is_some_and(|(at, told)| told == facts.speed && facts.since.start.is_some_and(|start| start.seq > at));
        if facts.speed != speed && speed == facts.home && was_moved {
            return found.next_with(Advice::UndoneByReset, &[("SPEED", &speed), ("PORT", &facts.speed)]);
        }
        if facts.speed != speed && (is_told || speed == facts.home) {
            return self.port_elsewhere(found, speed);
        }
        found.next_with(advice, &[("SPEED", &speed), ("HOME", &facts.home)])
    }

    /// Whether the application answered last at the speed at which the board should be.
    pub(super) fn answers_at_home(&self) -> bool {
        let now = self.now.unwrap_or(self.facts);
        now.heard.by_application.is_some_and(|(_, speed)| speed == now.home)
    }

    /// A probe read a start-up message at another speed than the host's, and no command was answered there.
    pub(super) fn said_elsewhere(&self, evidence: Vec<u64>) -> Option<Found> {
        let started = self.probe_started()?;
        let speed = started.speed;
        let because = format!("after a reset {} comes at {speed} baud", started.what.1);
        if let Some(strange) = self.probed()?.strange_elsewhere {
            let because = format!("{because}, and what is answered there is no word of it");
            let evidence = evidence.into_iter().chain([started.what.0, strange]);
            return Some(Found::new(Cause::Garbage, Sure::VeryLikely, because, evidence).next(Advice::AnswersGarbled));
        }
        (speed != self.facts.speed && self.probe_answered().is_none())
            .then(|| self.silent_at(speed, &because, evidence.into_iter().chain([started.what.0]).collect()))
    }

    /// What came after a probe's reset is no word at the host's speed, and may be one at another: that one is read next.
    pub(super) fn may_say_elsewhere(&self, evidence: Vec<u64>) -> Option<Found> {
        let is_asked = self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait);
        let probed = self.probed().filter(|probed| is_asked && probed.answered.is_none() && probed.started.is_none())?;
        // What was read at several speeds is surer the later.
        let read = || probed.unasked.iter().rev();
        let sure = read().flat_map(|(speed, came)| speeds::explain(came, b"", *speed)).map(|fit| fit.speed);
        let candidates = sure.chain(read().flat_map(|(speed, came)| speeds::candidates(came, *speed)));
        let candidates: Vec<Baud> = candidates.filter(|speed| !probed.resets_at.contains(speed)).collect();
        let next = *candidates.first().filter(|_| probed.resets_at.len() <= CANDIDATES)?;
        let because = format!("something comes unasked that is no word at {} baud, and AT is answered at no usual speed", probed.speed);
        let found = Found::new(Cause::TalksButDoesNotHear, Sure::Possible, because, evidence);
        let found = found
            .or(
                Cause::ShutDown,
                "it may have answered right after its start, and no more since; in that case a reset brings it back",
                Probe::Reset,
            )
            .or(
                Cause::WrongPort,
                "another port of the kit talks and answers nothing either; in that case a reset changes nothing",
                Probe::Reset,
            );
        Some(Found { at: Some(next), ..found })
    }

    /// The module talks at another speed than the host's, where it was asked already and did not answer.
    pub(super) fn silent_at(&self, speed: Baud, because: &str, evidence: Vec<u64>) -> Found {
        if self.answered_after_reset() {
            let because = format!("{because}; there it answers right after a reset, and later no more");
            return self.after_other_speed(Found::new(Cause::ShutDown, Sure::Likely, because, evidence), speed);
        }
        let because = format!("{because}; and at {speed} baud it was asked, and answered nothing");
        let found = Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence);
        if self.probed().is_some_and(|probed| probed.resets_at.contains(&speed)) {
            return self.hangs_or_is_deaf(found);
        }
        Found { at: Some(speed), ..found.or(Cause::ShutDown, "it may have shut itself down right after it had started", Probe::Reset) }
    }
}
