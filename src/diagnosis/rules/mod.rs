//! From facts to a cause. What happened last decides: a case ends where something went wrong, and what came before it went well.

mod boot;
mod command;
mod entry;
mod found;
mod garbage;
mod hotkey;
mod mute;
mod noise;
mod otherwise;
mod quiet;
mod silence;
mod switch;
mod upload;
mod words;

pub(super) use found::Found;

use self::command::sleeps_on;
use self::words::{seconds, words_of};
use super::facts::{Began, Brought, Exchange, Facts, Probed, Restarted};
use super::{Advice, Cause, Probe, Sure};
use crate::baud::Baud;
use crate::report::escape;
use crate::timeline::event::{Diagnosis, EndedBy};

/// What fits what was seen up to the first probe (`facts`), and to the present (`now`, where there was a probe); `None` when nothing known does.
pub(super) fn judge(facts: &Facts, now: Option<&Facts>) -> Option<Found> {
    let at = Scene { facts, now };
    let found = at
        .rig()
        .or_else(|| at.held_or_off())
        .or_else(|| at.unended())
        .or_else(|| at.was_to_be_quiet())
        .or_else(|| at.must_not_come())
        .or_else(|| at.upload())
        .or_else(|| at.port_left())
        .or_else(|| at.hotkey())
        .or_else(|| at.command())
        .or_else(|| at.start())
        .or_else(|| at.earlier());
    let found = found.map(|found| at.ended_by_deadline(found));
    match found {
        Some(found) if !at.is_noisy() || !found.cause.may_be_noise() => Some(found),
        None if !at.is_noisy() => None,
        found => Some(at.noise_instead(found)),
    }
}

/// Where nothing has failed: that the application answered what may have been meant for boot code.
pub(super) fn application_took(facts: &Facts) -> Option<Found> {
    Scene { facts, now: None }.application_took(Exchange::is_loaders)
}

/// Of what came and is no known cause, that the module speaks clearly and says something else than was wanted; `None` where that is not so.
pub(super) fn not_as_expected(facts: &Facts, now: Option<&Facts>) -> Option<Found> {
    let at = Scene { facts, now };
    at.otherwise().map(|found| at.ended_by_deadline(found))
}

/// `found`, as it is once all of a case is known (`now`), where what came after the diagnosis has made another thing to try the right one; `before` is what was judged.
pub(super) fn revised(found: Diagnosis, before: &Facts, now: &Facts) -> Diagnosis {
    let is_later = |seq: u64| found.evidence.iter().all(|evidence| *evidence < seq);
    let answered = now.heard.by_application.filter(|(seq, _)| is_later(*seq));
    let was_reset = now.since.start.is_some_and(|start| start.how == Began::Reset && is_later(start.seq));
    let was_restarted_in_vain = now.restarted_in_vain.is_some_and(is_later);
    let is_said = |advice: &[Advice]| advice.iter().any(|advice| advice.is_said(&found.next));
    // The reason of a restart may come behind the message that showed it.
    let reason =
        now.restarted.as_ref().filter(|restarted| found.cause == Cause::UncommandedReset && !found.because.contains(&restarted.message));
    if let Some(found) = reason.and_then(|_| Scene { facts: now, now: None }.rig()).filter(|found| found.cause == Cause::UncommandedReset) {
        return found.into_diagnosis();
    }
    let next = match (found.cause, answered) {
        (Cause::WrongSpeed, Some((_, speed)))
            if speed == now.home && is_said(&[Advice::PutBack, Advice::TryAt, Advice::BootCodeElsewhere]) =>
        {
            Some(Advice::IsBack.filled(&[("HOME", &now.home)]))
        }
        (Cause::ApplicationAnswered, Some((_, speed))) if speed == now.home && is_said(&[Advice::SpeedTaken]) => {
            Some(Advice::SpeedTakenAndBack.filled(&[("HOME", &now.home)]))
        }
        (Cause::Asleep, _) if is_said(&[Advice::SleepsByItself]) => {
            let slept = now.slept_through.as_ref().filter(|(slept, asked)| found.evidence.contains(slept) && asked.len() > 1);
            let Some((_, asked)) = slept else { return found };
            let later = asked.iter().filter(|asked| is_later(**asked)).count();
            let because = format!("{} ({later} of them were sent after the steps)", sleeps_on(asked.len()));
            return Diagnosis { because, next: Advice::SleepsOn.next().to_owned(), ..found };
        }
        (Cause::DoesNotStart, answered) if before.since.start.is_some_and(|start| start.how == Began::Command) => match answered {
            Some(_) => Some(Advice::ResetBringsIt),
            None if was_reset && now.since.started().is_some() => Some(Advice::ResetBringsIt),
            None if now.since.start.is_none_or(|start| now.now.since(start.at) < now.start_up) => None,
            None if was_reset && now.since.spoke.is_none() && before.heard.by_boot_code.is_some() => Some(boot_code_alone(before)),
            None if was_reset && now.since.spoke.is_none() => Some(Advice::NorDoesReset),
            None => None,
        }
        .map(|advice| advice.next().to_owned()),
        (Cause::DoesNotStart, None) if is_said(&[Advice::BootCodeAlone]) && was_restarted_in_vain => {
            Some(Advice::BootedInVain.next().to_owned())
        }
        _ => None,
    };
    Diagnosis { next: next.unwrap_or(found.next), ..found }
}

/// Who restarted a module that nobody had asked to, by its message.
fn who_restarted(message: &[u8]) -> (&'static str, Option<Advice>) {
    match message {
        text if text.starts_with(b"#REBOOT_WD") => ("the watchdog restarted it", Some(Advice::ByWatchdog)),
        text if text.starts_with(b"#REBOOT_RESET") => {
            ("somebody or something has pulsed its reset line, or its supply gave way", Some(Advice::ByItsLineOrSupply))
        }
        text if text.starts_with(b"#REBOOT_HOST") => ("somebody else asked it to", Some(Advice::BySomebodyElse)),
        _ => ("it does not say why", None),
    }
}

/// What to try where boot code takes the hotkey and no application starts: what was tried already need not be.
fn boot_code_alone(facts: &Facts) -> Advice {
    let is_booted = facts.since.restart().is_some_and(|restart| restart.text == "AT#BOOT");
    if is_booted { Advice::BootedInVain } else { Advice::BootCodeAlone }
}

/// Bytes in quotes, escaped as everywhere.
fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", escape::bytes(bytes))
}

/// What was seen.
struct Scene<'a> {
    facts: &'a Facts,
    /// With what the probes brought.
    now: Option<&'a Facts>,
}

impl<'a> Scene<'a> {
    fn probed(&self) -> Option<&'a Probed> {
        self.now.and_then(|now| now.probed.as_ref())
    }

    fn is_probed(&self, probe: Probe) -> bool {
        self.probed().is_some_and(|probed| probed.done.contains(&probe))
    }

    /// The first command of a probe that the application answered.
    fn probe_answered(&self) -> Option<&'a Exchange> {
        Some(&self.probed()?.answered.as_ref()?.what)
    }

    /// The same, where that was at `speed` and no probe had reset it before.
    fn answered_at(&self, speed: Baud) -> Option<&'a Exchange> {
        self.probe_answered().filter(|answered| answered.speed == speed && !self.answered_after_reset())
    }

    /// Whether it answered only after a probe had reset it.
    fn answered_after_reset(&self) -> bool {
        self.probed().and_then(|probed| probed.answered.as_ref()).is_some_and(|answered| !answered.is_before_reset)
    }

    /// The first start-up message that came while probes went on.
    fn probe_started(&self) -> Option<&'a Brought<(u64, String)>> {
        self.probed()?.started.as_ref()
    }

    /// Boot code took the hotkey of a probe.
    fn probe_acknowledged(&self) -> Option<u64> {
        Some(self.probed()?.acknowledged?.seq)
    }

    /// Nothing is wrong with the board, and it was not the step's own time that was over.
    fn ended_by_deadline(&self, found: Found) -> Found {
        let is_by_deadline = self.facts.failed.is_some_and(|failed| failed.by == Some(EndedBy::Deadline));
        match found.cause {
            Cause::NotAsExpected if is_by_deadline => found.next(Advice::DeadlinePassed),
            // It may have gone on.
            Cause::UploadStalled if is_by_deadline => {
                let because = format!("{}, when the deadline of the case had passed", found.because);
                Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, found.evidence).next(Advice::DeadlinePassed)
            }
            _ => found,
        }
    }

    fn begin(&self) -> Option<u64> {
        self.facts.since.start.map(|start| start.seq)
    }

    /// The release of reset after which the application went on as if there had been none: it answered, and did not say that it had started.
    fn went_on(&self) -> Option<Found> {
        let facts = self.facts;
        let start = facts.since.start.filter(|start| start.how != Began::Command)?;
        let answered = facts.since.answered().or_else(|| self.answered_at(facts.speed))?;
        let has_started = facts.since.started().is_some() || self.probe_started().is_some_and(|started| started.is_before_reset);
        let is_strange = !facts.since.strange.is_empty() || self.probed().is_some_and(|probed| !probed.strange.is_empty());
        let is_heard_elsewhere = self.now.unwrap_or(facts).since.is_heard_elsewhere(facts.speed);
        if has_started || is_strange || facts.since.switched.is_some() || is_heard_elsewhere {
            return None;
        }
        let evidence = [start.seq].into_iter().chain(answered.events());
        Some(match start.how {
            Began::Power => Found::new(
                Cause::PowerWithoutEffect,
                Sure::VeryLikely,
                format!(
                    "the supply was switched off and on, {} was answered, and no #SYSSTART came in between: the module went on without it",
                    answered.text
                ),
                evidence.chain(facts.off_by),
            )
            .next(self.what_feeds_it()),
            _ => Found::new(
                Cause::ResetWithoutEffect,
                Sure::VeryLikely,
                format!(
                    "after the release the application answered {} without a word of having started: no #REBOOT_RESET, no #SYSSTART",
                    answered.text
                ),
                evidence,
            ),
        })
    }

    /// Whether a command was meant for boot code. Where the port followed an AT+IPR, or the application was asked on, the speed was meant for that.
    fn is_loaders(&self, exchange: &Exchange) -> bool {
        let since = &self.facts.since;
        let goes_on = since.exchanges.iter().any(|later| later.seq > exchange.seq && later.is_applications());
        let is_followed = since.switched.is_some_and(|(_, seq)| seq == exchange.seq);
        exchange.is_loaders() && (exchange.to_boot_code || exchange.is_boot_command() || !(goes_on || is_followed))
    }

    /// What may feed a module that goes on without its supply: the transmit line, where the port could not hold it low.
    fn what_feeds_it(&self) -> Option<Advice> {
        self.facts.is_transmit_high.then_some(Advice::TransmitMayFeedIt)
    }

    /// What is the rig's, or happened whatever the steps did.
    fn rig(&self) -> Option<Found> {
        let facts = self.now.unwrap_or(self.facts);
        if let Some((seq, reason)) = &facts.gone {
            return Some(Found::new(Cause::PortLost, Sure::Certain, format!("the port vanished: {reason}"), [*seq]));
        }
        if let Some(seq) = facts.stuck {
            let because = "the host has let go of the reset line, and it reads as asserted: something else holds it";
            return Some(Found::new(Cause::LineStuck, Sure::VeryLikely, because, [seq].into_iter().chain(self.begin())));
        }
        if let Some(seq) = self.facts.spoke_without_supply {
            let because = "bytes came while the supply was off";
            let evidence = [seq].into_iter().chain(self.facts.off_by);
            return Some(Found::new(Cause::PowerWithoutEffect, Sure::Certain, because, evidence).next(self.what_feeds_it()));
        }
        let Restarted { seq, message, first_after, .. } = facts.restarted.as_ref()?;
        let (who, advice) = who_restarted(message.as_bytes());
        if let Some(after) = first_after.filter(|after| *after > facts.start_up) {
            let because = format!(
                "{message} came {} after the last restart that was commanded, nothing but start-up messages before it, and no start should take longer than {}",
                seconds(after),
                seconds(facts.start_up)
            );
            return Some(Found::new(Cause::UncommandedReset, Sure::Likely, because, [*seq]).next(Advice::OrStartsSlowly));
        }
        let because = format!("{message} came although this program had not restarted it: {who}");
        Some(Found::new(Cause::UncommandedReset, Sure::Certain, because, [*seq]).next(advice))
    }

    /// The module began anew, and nothing was sent.
    fn start(&self) -> Option<Found> {
        let since = &self.facts.since;
        since.start?;
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        let is_by_bytes = self.facts.failed.is_some_and(|failed| !failed.is_by_time);
        if since.spoke.is_none() && since.strange.is_empty() && since.idle_noise > 0 && is_by_bytes {
            let because = format!(
                "only NUL and 0xFF came since {}: a line that floats then gives them, and no module says them",
                words_of(since.start?)
            );
            let evidence = self.begin().into_iter().chain(since.first_in);
            return Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::FloatsAtStart));
        }
        if since.spoke.is_none() {
            return if since.is_silent(self.facts.speed) { self.silence() } else { self.garbage() };
        }
        None
    }

    /// All went well at last, but something came that nobody had asked for, or the application had taken a loader's word.
    fn earlier(&self) -> Option<Found> {
        let since = &self.facts.since;
        if since.spoke.is_none() && !since.strange.is_empty() {
            return self.garbage();
        }
        self.application_took(|exchange| self.is_loaders(exchange))
    }

    /// The application answered a loader's word.
    fn application_took(&self, is_loaders: impl Fn(&Exchange) -> bool) -> Option<Found> {
        let took = self.facts.since.exchanges.iter().find_map(|exchange| match &exchange.result {
            Some((seq, result)) if result.is_applications() && is_loaders(exchange) => Some((exchange, *seq)),
            _ => None,
        });
        took.map(|(exchange, seq)| self.application_answered(exchange, seq))
    }
}
