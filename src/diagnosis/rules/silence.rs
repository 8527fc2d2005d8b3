//! Nothing came.

use std::time::Duration;

use super::hotkey::hotkeys_were;
use super::words::{milliseconds, seconds, words_of};
use super::{Found, Scene, boot_code_alone, quoted};
use crate::diagnosis::facts::{Began, Brought, Exchange, Result, Start};
use crate::diagnosis::{Advice, Cause, Probe, Sure};
use crate::timeline::event::EndedBy;

/// Where no #SLEEP was seen, a module is taken to be awake so long after the wake line was asserted. An assumption.
const WAKES: Duration = Duration::from_millis(100);
/// Who waits no longer after a reset may wait for boot code (its window is taken to be 2 s at most, an assumption).
const WINDOW: Duration = Duration::from_secs(2);

/// Who waits for less than that may meet a module that is slow.
const PATIENT: Duration = Duration::from_millis(500);

/// What went before a silence, where it was an upload that did not come to its end.
const BROKEN_OFF: &str = "an upload was broken off; ";

impl Scene<'_> {
    /// Nothing came at all since the module last began anew, or since the case began.
    pub(super) fn silence(&self) -> Option<Found> {
        let facts = self.facts;
        let since = &facts.since;
        let evidence = || self.begin().into_iter().chain(since.last_out);
        if since.restart().is_some_and(|restart| self.ended_at_answer(restart)) {
            return None;
        }
        if let Some(found) = self.waits_for_hotkey() {
            return Some(found);
        }
        if let Some(found) = self.does_not_take_boot() {
            return Some(found);
        }
        let told = since.start.is_some_and(|start| start.how == Began::Command) && !self.is_noisy();
        let stayed =
            self.now.and_then(|now| now.since.exchanges.iter().find(|exchange| matches!(exchange.result, Some((_, Result::Code(_))))));
        if let Some((start, there)) = since.start.zip(stayed).filter(|(start, _)| start.how != Began::Command) {
            return Some(self.boot_code_went_on(start, there, evidence().collect()));
        }
        let goes_on = self.answered_at(facts.speed);
        if let Some(there) = stayed.or(goes_on.filter(|_| self.probe_started().is_none())).filter(|_| told) {
            let because = format!(
                "it was told to restart, and {} is answered by the program that was to be left: the command arrived damaged",
                there.text
            );
            return Some(self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, because, evidence().chain([there.seq]))));
        }
        if let Some(answered) = self.probe_answered() {
            return Some(if answered.speed == facts.speed {
                self.answered_late(answered, evidence().collect())
            } else {
                self.elsewhere(answered, evidence().collect())
            });
        }
        let elsewhere = self.said_elsewhere(evidence().collect()).or_else(|| self.may_say_elsewhere(evidence().collect()));
        if elsewhere.is_some() {
            return elsewhere;
        }
        if let Some(started) = self.probe_started() {
            return Some(self.started_late(started, evidence().collect()));
        }
        if let Some(found) = self.probes_mirrored(evidence().collect()) {
            return Some(found);
        }
        if self.now.is_some_and(|now| !now.since.is_silent(now.speed)) || self.probed().is_some_and(|probed| !probed.strange.is_empty()) {
            return self.garbage();
        }
        let Some(start) = since.start else {
            let because = if self.now.is_none() {
                "bytes were sent, and not one came back"
            } else {
                "bytes were sent at every usual speed, and not one came back"
            };
            let found = Found::new(Cause::NothingCame, Sure::VeryLikely, because, evidence());
            let found = self.nothing_next(found);
            return Some(match self.now {
                None => found.or_wrong_speed(Probe::Ask),
                Some(_) if self.is_probed(Probe::Reset) => self.nothing_at_all(found),
                Some(_) if !self.is_probed(Probe::Wait) => found.or_restarting(),
                Some(_) => found
                    .or(
                        Cause::ShutDown,
                        "a module that has shut itself down or sleeps says nothing either; in that case a reset brings #SYSSTART",
                        Probe::Reset,
                    )
                    .or(
                        Cause::DoesNotStart,
                        "a module without an application says nothing either; in that case a reset brings nothing, and boot code takes the hotkey",
                        Probe::Reset,
                    ),
            });
        };
        let waited = self.now.unwrap_or(facts).now.since(start.at);
        let is_asked = self.now.unwrap_or(facts).since.is_asked() || since.hotkeys.is_some();
        let sent = if is_asked { ", whatever was sent" } else { "" };
        let what = words_of(start);
        if facts.spoke_before.is_none() && facts.upload.as_ref().is_none_or(|upload| upload.asked.is_none()) {
            let because = format!("since {what} not one byte came{sent}");
            let found = self.nothing_next(Found::new(Cause::NothingCame, Sure::VeryLikely, because, evidence()));
            return Some(match self.now {
                None if waited < facts.start_up => found
                    .or(
                        Cause::StillStarting,
                        "the application may take longer until it says something; in that case #SYSSTART comes",
                        Probe::Wait,
                    )
                    .or_wrong_speed(Probe::Wait)
                    .or(
                        Cause::ResetWithoutEffect,
                        "a module that was not reset says nothing of a start; in that case it answers without one",
                        Probe::Wait,
                    ),
                None => found.or_wrong_speed(Probe::Ask),
                Some(now) if now.since.came_elsewhere(facts.speed).is_some() && !self.is_probed(Probe::Wake) => found.or(
                    Cause::StillStarting,
                    "something came that nobody could read while it was asked at other speeds: it may have started just then; in that case AT is answered",
                    Probe::Wake,
                ),
                Some(_) if since.was_at_other_speed && !self.is_probed(Probe::Reset) => found.or(
                    Cause::TalksButDoesNotHear,
                    "it may have said something while the host was at another speed; in that case #SYSSTART comes",
                    Probe::Reset,
                ),
                Some(_) => self.nothing_at_all(found),
            });
        }
        if let Some(restart) = since.restart().filter(|restart| restart.text != "AT#BOOT" && restart.result.is_none())
            && restart.echo.is_none()
            && restart.lines.is_empty()
        {
            let unheard = |because: String| {
                Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, facts.spoke_before.into_iter().chain(evidence()))
            };
            if let Some(slept) = facts.slept_through.as_ref().map(|(slept, _)| *slept).filter(|slept| facts.spoke_before == Some(*slept)) {
                let because = format!("it said #SLEEP, and {} after that brought nothing: commands alone do not wake it", restart.text);
                return Some(Found::new(Cause::Asleep, Sure::VeryLikely, because, [slept, restart.seq]).next(Advice::SleepsByItself));
            }
            if facts.heard.by_application.is_none() && facts.heard.by_boot_code.is_none() && self.now.is_some() {
                let because = format!("it talked, and neither {} nor anything else was ever answered", restart.text);
                return Some(if self.is_probed(Probe::Reset) {
                    self.hangs_or_is_deaf(unheard(because))
                } else {
                    let why = "it may have shut itself down before that; in that case AT right after a reset is answered";
                    unheard(because).or(Cause::ShutDown, why, Probe::Reset)
                });
            }
        }
        let after = match &facts.upload {
            Some(upload) if upload.is_accepted() => "an upload was accepted; ",
            Some(upload) if matches!(upload.asked, Some((_, ..0))) => "an upload was refused; ",
            Some(upload) if upload.asked.is_some() => BROKEN_OFF,
            _ => "",
        };
        let told = since.restart().map(|restart| match (&restart.result, restart.lines.first()) {
            (Some((_, answer)), _) => format!("{} was answered by {answer}, and nothing came after that", restart.text),
            (None, Some(line)) => format!("{} brought {}, and no start-up message came after that", restart.text, quoted(&line.text)),
            (None, None) => format!("nothing came since {}", restart.text),
        });
        let nothing = told.unwrap_or_else(|| format!("not one byte came since {what}"));
        let who = if facts.heard.by_application.is_none() && facts.heard.by_boot_code.is_some() { "boot code" } else { "it" };
        let because = format!("{who} had talked before; {after}{nothing}, in {}{sent}", seconds(waited));
        let found = Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, facts.spoke_before.into_iter().chain(evidence()));
        let found = match facts.upload.as_ref().filter(|_| !after.is_empty()) {
            Some(upload) => Found { evidence: found.evidence.iter().copied().chain(upload.asked.map(|(seq, _)| seq)).collect(), ..found },
            None => found,
        };
        let slept = facts.slept_through.as_ref().map(|(slept, _)| *slept).filter(|slept| facts.spoke_before == Some(*slept));
        let found = match (start.how, after) {
            (Began::Command, _) => found.next(Advice::ResetFirst),
            (Began::Reset, "") if slept.is_some() => {
                let why = "it had said #SLEEP: where the pulse does not reach it, it sleeps on and says as little";
                found.against(why, slept).next(Advice::SleepsOrDead)
            }
            (_, "") if facts.heard.by_boot_code.is_some() => found.next(Advice::BootCodeAlone),
            (_, "") => found,
            (_, BROKEN_OFF) => found.next(Advice::AfterInterruption),
            _ => found.next(Advice::AfterUpload),
        };
        if self.now.is_some() {
            return Some(found);
        }
        let is_early = waited < facts.start_up;
        let probe = if is_early { Probe::Wait } else { Probe::Ask };
        let found = match start.how {
            Began::Command => found.or(
                Cause::LineNoise,
                "the command to restart may have arrived damaged; in that case it answers without a start",
                probe,
            ),
            _ if !since.is_asked() => found.or(
                without_effect(start),
                "a module that was never off or reset says nothing of a start; in that case it answers without one",
                probe,
            ),
            _ => found,
        };
        Some(if is_early { found.or(Cause::StillStarting, "it may need more time; in that case #SYSSTART comes", probe) } else { found })
    }

    /// Boot code answers since a reset, and no hotkey has led into it since.
    pub(super) fn boot_code_went_on(&self, start: Start, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let said = answered.result.as_ref().map_or_else(String::new, |(_, result)| result.to_string());
        let because = format!(
            "no start-up message came since {}, no hotkey was sent, and {} was answered by {said} with CR alone, as boot code does: boot code went on through it",
            words_of(start),
            answered.text
        );
        let seqs = [start.seq].into_iter().chain(answered.events());
        Found::new(without_effect(start), Sure::Likely, because, evidence.into_iter().chain(seqs))
            .against("a boot code that starts no application and takes commands without a hotkey looks the same", [])
    }

    /// Not one byte came since a reset, not even one that cannot be read, and the application answers at another speed than the host's: it went on.
    pub(super) fn went_on_elsewhere(&self) -> Option<Found> {
        let facts = self.facts;
        // Bytes that came only when something was sent are what an answer at another speed looks like.
        let was_silent = facts.since.unasked == 0 && (facts.since.first_in.is_none() || facts.since.first_out_after >= facts.start_up);
        let start = facts.since.start.filter(|start| start.how != Began::Command && was_silent)?;
        let answered = self.probe_answered().filter(|answered| answered.speed != facts.speed && !self.answered_after_reset())?;
        self.probed().filter(|probed| probed.started.is_none() && probed.unasked.iter().all(|(_, came)| came.is_empty()))?;
        let because = format!(
            "since {} not one byte came by itself, not even one that cannot be read, and {} is answered at {} baud: a start would have shown, so that it went on",
            words_of(start),
            answered.text,
            answered.speed
        );
        let evidence = [start.seq].into_iter().chain(answered.events());
        let found = Found::new(without_effect(start), Sure::Likely, because, evidence)
            .against("a module that keeps its speed and says nothing at its start looks the same", []);
        let advice = if start.how == Began::Power { Advice::PowerAtItsSpeed } else { Advice::ResetAtItsSpeed };
        Some(found.next_with(advice, &[("SPEED", &answered.speed)]))
    }

    /// AT#BOOT was not answered, and nothing starts; boot code had said nothing but 0x9A.
    fn does_not_take_boot(&self) -> Option<Found> {
        let facts = self.facts;
        let left = facts.since.restart().filter(|left| left.text == "AT#BOOT" && left.result.is_none() && left.lines.is_empty())?;
        let acknowledge = facts.heard.by_boot_code.filter(|_| facts.heard.by_boot_code_result.is_none())?;
        let is_waited_for = self.is_probed(Probe::Wait) || facts.now.since(left.at) >= facts.start_up;
        let has_started = self.probe_started().is_some_and(|started| started.is_before_reset);
        (is_waited_for && !has_started).then(|| self.does_not_leave(left, vec![acknowledge, left.seq]))
    }

    /// AT#BOOT was sent to a boot code that AT#LDRST had led into, and no hotkey before it.
    fn waits_for_hotkey(&self) -> Option<Found> {
        let since = &self.facts.since;
        let (entry, left) = (since.entered_by?, since.restart()?);
        let because = format!(
            "AT#LDRST was answered OK and led into boot code, which waits for the hotkey and does not hear {} before that",
            left.text
        );
        Some(Found::new(Cause::BootCodeAnswered, Sure::Likely, because, [entry, left.seq]).next(Advice::HotkeyFirst))
    }

    /// A step holds the module in reset, or has switched its supply off.
    pub(super) fn held_or_off(&self) -> Option<Found> {
        let facts = self.facts;
        let (because, by, advice) = match (facts.is_off, facts.is_held) {
            (true, _) => ("the supply was switched off by a step, and a module without it says nothing", facts.off_by, Advice::OffByCase),
            (false, true) => ("reset is asserted by a step, and a module in reset says nothing", facts.held_by, Advice::HeldByCase),
            (false, false) => return None,
        };
        if by.is_some_and(|by| facts.since.has_come_after(by)) {
            return None;
        }
        Some(Found::new(Cause::NothingCame, Sure::VeryLikely, because, by.into_iter().chain(facts.since.last_out)).next(advice))
    }

    /// Nothing came: what was tried already need not be looked at.
    fn nothing_next(&self, found: Found) -> Found {
        match (self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait), self.now.unwrap_or(self.facts).is_seen_released) {
            (true, true) => found.next(Advice::NothingAndNotHeld),
            (true, false) => found.next(Advice::NothingAtAnySpeed),
            (false, _) => found,
        }
    }

    /// What the probes sent came back as it was, and nothing else.
    pub(super) fn probes_mirrored(&self, evidence: Vec<u64>) -> Option<Found> {
        let before = self.facts.since.mirrored.unwrap_or(0);
        let now = self.now.filter(|now| now.since.spoke.is_none() && now.since.mirrored.is_some_and(|mirrored| mirrored > before + 2))?;
        let because = "every AT came back byte for byte, its CR as well, and no answer behind it; nothing else came";
        Some(Found::new(
            Cause::EchoOnly,
            Sure::VeryLikely,
            because,
            evidence.into_iter().chain(now.since.last_out).chain(now.since.last_in),
        ))
    }

    /// Nothing came, whatever was tried: boot code decides whether anybody is there.
    pub(super) fn nothing_at_all(&self, found: Found) -> Found {
        if let Some(acknowledge) = self.probe_acknowledged() {
            let because = format!(
                "boot code takes the hotkey, and no application says a word within {}: there is none, it is damaged, or it takes longer",
                seconds(self.facts.start_up)
            );
            return Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, found.evidence.into_iter().chain([acknowledge]))
                .next(boot_code_alone(self.facts));
        }
        if self.is_probed(Probe::Boot) {
            return Found { because: format!("{}, and the hotkey brought no 0x9A", found.because), ..found };
        }
        found.or(Cause::DoesNotStart, "boot code may be there without an application; in that case it takes the hotkey", Probe::Boot)
    }

    /// Nothing had come, and the application answers a probe at the same speed.
    pub(super) fn answered_late(&self, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        if let Some(found) = self.went_on() {
            return found;
        }
        let evidence = evidence.into_iter().chain(answered.events());
        if let Some(started) = self.probe_started() {
            return self.started_late(started, evidence.collect());
        }
        if let Some((restart, line)) = since.restart().and_then(|restart| Some((restart, restart.lines.first()?))) {
            let because = format!(
                "{} brought {}, which is no answer to it, no start-up message came, and {} is answered: it arrived damaged, or was heard so",
                restart.text,
                quoted(&line.text),
                answered.text
            );
            return Found::new(Cause::LineNoise, Sure::Likely, because, evidence.chain([restart.seq, line.seq]));
        }
        if since.start.is_some() {
            let because = "nothing came at first, and a later AT is answered: the application needed more time";
            let asked = self.probed().and_then(|probed| probed.answered.as_ref()).map(|answered| answered.after);
            let came = self.now.and_then(|now| now.since.came_elsewhere(self.facts.speed));
            let after = asked.into_iter().chain(came).min().unwrap_or_default();
            return self.give_it_time(Found::new(Cause::StillStarting, Sure::Likely, because, evidence), Advice::GiveItTime, after);
        }
        let because =
            format!("the first command brought nothing, and {} after it was answered: the first one after a sleep is lost", answered.text);
        let Some((woken, at)) = since.woken else { return self.lost_or_slow(&because, evidence.collect()) };
        let first = since.exchanges.front().filter(|first| first.at.since(at) < WAKES);
        let because = match first {
            Some(first) => format!(
                "{}, {} after the wake line was asserted, brought nothing, and {} after it was answered: it may not have been awake by then",
                first.text,
                milliseconds(first.at.since(at)),
                answered.text
            ),
            None => because,
        };
        let advice = if first.is_some() { Advice::AskedWhileWaking } else { Advice::WakeLine };
        Found::new(Cause::Asleep, Sure::Likely, because, evidence.chain([woken])).next(advice)
    }

    /// The first command brought nothing, and the next one did: it was lost, unless the step had hardly waited for its answer.
    fn lost_or_slow(&self, because: &str, evidence: Vec<u64>) -> Found {
        let waited = self.facts.since.last().zip(self.facts.failed).map(|(last, failed)| failed.at.since(last.at));
        match waited.filter(|waited| *waited < PATIENT) {
            Some(waited) => {
                let because = format!("{because}, unless it is slow: the step had waited for {}", milliseconds(waited));
                Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence)
                    .against("a module that sleeps loses the first command as well, however long it is waited for", [])
                    .next(Advice::TooLate)
            }
            None => Found::new(Cause::Asleep, Sure::Likely, because, evidence),
        }
    }

    /// Nothing had come, and the application said that it has started while it was waited for.
    pub(super) fn started_late(&self, started: &Brought<(u64, String)>, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let (seq, message) = &started.what;
        if !started.is_before_reset {
            let evidence = evidence.into_iter().chain([*seq]);
            return match self.probe_answered() {
                Some(answered) => {
                    let because = format!(
                        "nothing came, whatever was sent; after a reset {message} came and {} was answered: it had shut itself down, slept deeply, or hung",
                        answered.text
                    );
                    let found = Found::new(Cause::ShutDown, Sure::Likely, because, evidence.chain([answered.seq]));
                    self.after_other_speed(found, answered.speed)
                }
                None => {
                    let because =
                        format!("nothing came, whatever was sent; after a reset {message} came, and AT right after that was not answered");
                    self.hangs_or_is_deaf(Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence))
                }
            };
        }
        if since.hotkeys.is_some() && since.hotkey_is_last {
            return self.not_acknowledged(&hotkeys_were(self.facts), *seq, evidence);
        }
        if let Some(asked) = since.exchanges.iter().find(|exchange| !exchange.restarts()) {
            let because =
                format!("{} was sent before the application said that it has started, and what comes so early is lost", asked.text);
            let evidence = evidence.into_iter().chain([asked.seq, *seq]);
            return Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence).next(if asked.is_boot_command() {
                Advice::AskedWithoutHotkey
            } else {
                Advice::AskedTooEarly
            });
        }
        let by_boot_code = since.restart().filter(|restart| !restart.has_preamble && self.is_of_the_step(restart));
        if let Some((restart, (answer, Result::Zero))) = by_boot_code.and_then(|restart| Some((restart, restart.result.as_ref()?))) {
            let because = format!(
                "{} was answered by 0 with CR alone, as boot code does, and carried out: {message} came {} after it was sent",
                restart.text,
                seconds(started.after)
            );
            let evidence = evidence.into_iter().chain([restart.seq, *answer, *seq]);
            return Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::ByStepBoot);
        }
        let unanswered = since.restart().filter(|restart| restart.result.is_none() && self.is_of_the_step(restart));
        if let Some(restart) = unanswered.filter(|restart| !restart.has_preamble) {
            let because = format!(
                "{} was not answered, and was carried out: {message} came {} after it was sent",
                restart.text,
                seconds(started.after)
            );
            let advice = if restart.text == "AT#BOOT" { Advice::ByStepBoot } else { Advice::RestartsUnanswered };
            let evidence = evidence.into_iter().chain([restart.seq, *seq]);
            return Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(advice);
        }
        let restart = since.restart().map(|restart| (&restart.text, restart.result.as_ref()));
        let nothing = match restart {
            Some((text, Some((_, result)))) => format!("{text} was answered by {result}, nothing had come behind that yet"),
            Some((text, None)) => format!("{text} was not answered, nothing had come yet"),
            None => "nothing had come yet".to_owned(),
        };
        let because = format!("{nothing}, and {message} came when it was waited for longer");
        let found = Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence.into_iter().chain([*seq]));
        let in_window = since.start.is_some_and(|start| start.how == Began::Reset && self.facts.now.since(start.at) < WINDOW);
        self.give_it_time(found, if in_window { Advice::OrNoHotkey } else { Advice::GiveItTime }, started.after)
    }

    /// What came so long after the start wants as much, and half of it to spare.
    fn give_it_time(&self, found: Found, advice: Advice, after: Duration) -> Found {
        let is_by_deadline = self.facts.failed.is_some_and(|failed| failed.by == Some(EndedBy::Deadline));
        let advice = match is_by_deadline {
            true => Advice::DeadlineAtStart,
            false if after > self.facts.start_up => Advice::LongerThanStartUp,
            false => advice,
        };
        found.next_with(advice, &[("TOOK", &seconds(after)), ("ENOUGH", &format!("{} s", (after * 3 / 2).as_secs() + 1))])
    }
}

pub(super) const fn without_effect(start: Start) -> Cause {
    match start.how {
        Began::Power => Cause::PowerWithoutEffect,
        Began::Reset | Began::Command => Cause::ResetWithoutEffect,
    }
}
