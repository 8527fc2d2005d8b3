//! From facts to a cause. What happened last decides: a case ends where something went wrong, and what came before it went well.

use super::facts::{Began, Brought, End, Exchange, Facts, Line, Probed, Result, Start, Upload, is_known_command};
use super::{Cause, Probe, Sure, damage, speeds};
use crate::baud::Baud;
use crate::timeline::event::{Against, Diagnosis, Other};

/// A cause with its reasons, being put together.
#[derive(Debug, Clone)]
pub(super) struct Found {
    cause: Cause,
    sure: Sure,
    because: String,
    evidence: Vec<u64>,
    against: Option<Against>,
    or: Vec<Other>,
    probe: Option<Probe>,
    at: Option<Baud>,
    next: Option<String>,
}

impl Found {
    fn new(cause: Cause, sure: Sure, because: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        let mut evidence: Vec<u64> = evidence.into_iter().collect();
        evidence.sort_unstable();
        evidence.dedup();
        Self { cause, sure, because: because.into(), evidence, against: None, or: Vec::new(), probe: None, at: None, next: None }
    }

    fn against(mut self, why: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        self.against = Some(Against { why: why.into(), evidence: evidence.into_iter().collect() });
        self
    }

    /// Another cause that fits as well, and the probe that decides.
    fn or(mut self, cause: Cause, because: impl Into<String>, probe: Probe) -> Self {
        self.or.push(Other { cause, because: because.into() });
        self.probe = Some(probe);
        self.sure = Sure::Possible;
        self
    }

    fn or_restarting(self) -> Self {
        self.or(Cause::UncommandedReset, "it may be on its way up after a restart of its own", Probe::Wait)
    }

    fn or_wrong_speed(self, probe: Probe) -> Self {
        self.or(Cause::WrongSpeed, "a module at another speed does not understand, and says nothing", probe)
    }

    fn next(mut self, words: impl Into<String>) -> Self {
        self.next = Some(words.into());
        self
    }

    pub(super) fn into_diagnosis(self) -> Diagnosis {
        let Self { cause, sure, because, evidence, against, or, probe, at, next } = self;
        let next = next.unwrap_or_else(|| cause.next().to_owned());
        Diagnosis { cause, sure, because, evidence, against, or, probe, at, next }
    }
}

/// What fits what was seen up to the first probe (`facts`), and to the present (`now`, where there was a probe); `None` when nothing known does.
pub(super) fn judge(facts: &Facts, now: Option<&Facts>) -> Option<Found> {
    let at = Scene { facts, now };
    let found =
        at.rig().or_else(|| at.upload()).or_else(|| at.hotkey()).or_else(|| at.command()).or_else(|| at.start()).or_else(|| at.earlier());
    match found {
        Some(found) if !at.is_noisy() || !found.cause.may_be_noise() => Some(found),
        None if !at.is_noisy() => None,
        found => Some(at.noise_instead(found)),
    }
}

/// At so many speeds a board is reset to read what it says, the likeliest first.
const CANDIDATES: usize = 3;

/// What was seen.
struct Scene<'a> {
    facts: &'a Facts,
    /// With what the probes brought.
    now: Option<&'a Facts>,
}

impl<'a> Scene<'a> {
    /// Whether known words came damaged.
    fn is_noisy(&self) -> bool {
        !self.now.unwrap_or(self.facts).damaged().is_empty()
    }

    /// Words came damaged, and that may be why the rest looks as it does.
    fn noise_instead(&self, found: Option<Found>) -> Found {
        let now = self.now.unwrap_or(self.facts);
        let many = match now.damaged().len() {
            1 => "a word of the module came".to_owned(),
            many => format!("{many} words of the module came"),
        };
        match found {
            Some(found) if found.cause == Cause::LineNoise => found,
            Some(found) => {
                let evidence = now.damaged().iter().copied().take(4).chain(found.evidence);
                let because = format!("{many} damaged, and so may what looks like {} ({})", found.cause, found.because);
                Found::new(Cause::LineNoise, Sure::Likely, because, evidence)
            }
            None => Found::new(Cause::LineNoise, Sure::Likely, format!("{many} damaged"), now.damaged().iter().copied().take(4)),
        }
    }

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
        self.probed()?.acknowledged.map(|(seq, _)| seq)
    }

    fn begin(&self) -> Option<u64> {
        self.facts.since.start.map(|start| start.seq)
    }

    /// The release of reset after which the application went on as if there had been none: it answered, and did not say that it had started.
    fn went_on(&self) -> Option<Found> {
        let facts = self.facts;
        let start = facts.since.start.filter(|start| start.how != Began::Command)?;
        let by_probe = || self.probe_answered().filter(|answered| !self.answered_after_reset() && answered.speed == facts.speed);
        let answered = facts.since.answered().or_else(by_probe)?;
        let has_started = facts.since.started.is_some() || self.probe_started().is_some_and(|started| started.is_before_reset);
        let is_strange = !facts.since.strange.is_empty() || self.probed().is_some_and(|probed| !probed.strange.is_empty());
        if has_started || is_strange || facts.since.switched.is_some() || facts.since.is_heard_elsewhere(facts.speed) {
            return None;
        }
        let answer = answered.result.as_ref().map(|(seq, _)| *seq);
        let evidence = [Some(start.seq), Some(answered.seq), answer].into_iter().flatten();
        Some(match start.how {
            Began::Power => Found::new(
                Cause::PowerWithoutEffect,
                Sure::VeryLikely,
                format!("the supply came on, {} was answered, and no #SYSSTART came in between: the module was never off", answered.text),
                evidence,
            ),
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
            return Some(Found::new(Cause::PowerWithoutEffect, Sure::Certain, because, [seq]));
        }
        let (seq, message) = facts.restarted.as_ref()?;
        let who = match message.as_str() {
            text if text.starts_with("#REBOOT_WD") => "the watchdog restarted it",
            text if text.starts_with("#REBOOT_RESET") => "its reset line or its supply gave way",
            text if text.starts_with("#REBOOT_HOST") => "somebody else asked it to",
            _ => "it does not say why",
        };
        Some(Found::new(Cause::UncommandedReset, Sure::Certain, format!("{message} came although nobody had reset it: {who}"), [*seq]))
    }

    /// An upload was the last thing.
    fn upload(&self) -> Option<Found> {
        let facts = self.facts;
        let upload = facts.upload.as_ref()?;
        let last = facts.since.last().filter(|last| last.text == "AT#UP" && !facts.since.hotkey_is_last)?;
        let file = upload.file.as_deref().unwrap_or("the image");
        match &last.result {
            Some((seq, Result::Code(code))) => {
                return Some(self.or_noise(
                    Found::new(
                        Cause::Refused,
                        Sure::VeryLikely,
                        format!("AT#UP itself was answered by {code}: not a byte of {file} was asked for. Which 40xx means what is published nowhere"),
                        [last.seq, *seq],
                    )
                    .next("ask ATI0 for the boot version; older firmware wanted commands before the reset into boot code (AT#LDCORE, AT#NVMSV)"),
                ));
            }
            Some((_, Result::Zero)) => {}
            _ => return None,
        }
        let evidence = || [upload.seq].into_iter().chain(upload.asked.map(|(seq, _)| seq)).chain(facts.since.last_in);
        let (sent, total) = (upload.sent, upload.total);
        match upload.ended() {
            None if !self.facts.damaged().is_empty() => {
                Some(self.noise("the upload stopped, and words came damaged before it", evidence().collect()))
            }
            None => Some(self.or_noise(Found::new(
                Cause::UploadStalled,
                Sure::VeryLikely,
                match upload.asked {
                    None => format!("AT#UP was answered, and not a byte of {file} was ever asked for"),
                    Some((_, asked)) => {
                        let given = if upload.given { u64::try_from(asked).unwrap_or(0) } else { 0 };
                        format!("after {} of {total} bytes of {file} the device asked for no more", (sent + given).min(total))
                    }
                },
                evidence(),
            ))),
            Some((_, 0)) if sent < total => Some(Found::new(
                Cause::UploadProtocol,
                Sure::Certain,
                format!(
                    "the device said 0 (it has all of it) after {sent} of {total} bytes of {file}; Easy Connect takes 0 as right only when everything was sent"
                ),
                evidence(),
            )),
            Some((_, 0)) => Some(accepted(facts, upload, file, evidence().collect())),
            Some((_, code)) => Some(self.or_noise(refused(facts, upload, file, code, evidence().collect()))),
        }
    }

    /// Hotkeys were the last thing, or their acknowledge.
    fn hotkey(&self) -> Option<Found> {
        let since = &self.facts.since;
        let (first, last, count) = since.hotkeys?;
        if !since.hotkey_is_last {
            let (acknowledge, _) = since.acknowledge?;
            let is_last = since.last().is_none_or(|last| last.seq < first);
            if is_last && self.facts.speed != self.facts.home {
                let because =
                    format!("boot code takes the hotkey at {} baud, and the board should be at {}", self.facts.speed, self.facts.home);
                return Some(Found::new(Cause::WrongSpeed, Sure::VeryLikely, because, [first, acknowledge]));
            }
            return is_last.then(|| {
                let held = if self.facts.is_held { " although reset was asserted" } else { "" };
                Found::new(
                    Cause::BootCodeAnswered,
                    Sure::VeryLikely,
                    format!("0x9A came{held}: boot code runs and takes the hotkey"),
                    [first, acknowledge],
                )
            });
        }
        if let Some(last) = since.last().filter(|last| last.to_boot_code && last.result.is_none() && last.seq > first) {
            return self.boot_silence(last);
        }
        let many = hotkeys_were(count);
        let evidence = || self.begin().into_iter().chain([first, last]);
        if let Some((asked, refused)) = self.facts.entry_refused {
            let because =
                "AT#LDRST was answered by +CME ERROR: 1120, which the application says while its core starts: it did not enter boot code";
            return Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, [asked, refused]));
        }
        if let Some(found) = self.was_still_starting() {
            return Some(found);
        }
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        if let Some(message) = since.started {
            return Some(self.not_acknowledged(&many, message, evidence().collect()));
        }
        if since.mirrored.is_some_and(|mirrored| mirrored > 0) {
            return Some(self.mirrored_hotkeys(&many, evidence().collect()));
        }
        if since.is_silent(self.facts.speed) { self.silence() } else { self.garbage() }
    }

    /// The last answer of the application was that its core is starting.
    fn was_still_starting(&self) -> Option<Found> {
        let answered = self.facts.since.exchanges.iter().rev().find(|exchange| exchange.result.is_some())?;
        let Some((seq, Result::Cme(Some(1120)))) = answered.result else { return None };
        let because = format!("{} was answered by +CME ERROR: 1120, which the application says while its core starts", answered.text);
        Some(Found::new(Cause::StillStarting, Sure::VeryLikely, because, self.begin().into_iter().chain([answered.seq, seq])))
    }

    fn not_acknowledged(&self, many: &str, message: u64, evidence: Vec<u64>) -> Found {
        let facts = self.facts;
        let broken_off = facts.upload.as_ref().is_some_and(|upload| upload.ended().is_none() && upload.asked.is_some());
        let evidence = evidence.into_iter().chain([message]);
        if self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait) {
            let Some(answered) = self.probe_answered() else {
                if facts.since.answered().is_some() && !self.is_probed(Probe::Wait) {
                    let because = format!("{many} not acknowledged, and the application, which had answered, is silent at any usual speed");
                    return Found::new(Cause::ShutDown, Sure::Likely, because, evidence).or_restarting();
                }
                let because =
                    format!("start-up messages came, {many} not acknowledged, and AT at any usual speed brought nothing: it hears neither");
                return Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence);
            };
            if answered.speed != facts.speed {
                return wrong_speed(answered.speed, answered, evidence.collect());
            }
        }
        let acknowledged = self.probed().and_then(|probed| probed.acknowledged);
        if let Some((acknowledge, after)) = acknowledged
            && after > facts.since.hotkeys_until
        {
            let because = format!(
                "{many} not acknowledged, the last of them {} after the release; one that is sent {} after it is: the boot window opens later",
                seconds(facts.since.hotkeys_until),
                seconds(after)
            );
            return Found::new(Cause::NotAcknowledged, Sure::VeryLikely, because, evidence.chain([acknowledge]))
                .next("send the hotkey for longer after the release: `handshake: { within: 10 s }`");
        }
        if let Some((acknowledge, after)) = acknowledged.filter(|(_, after)| *after < facts.since.hotkeys_from) {
            let because = format!(
                "{many} not acknowledged, the first of them {} after the release; one that is sent {} after it is: the boot window is over by then",
                milliseconds(facts.since.hotkeys_from),
                milliseconds(after)
            );
            return Found::new(Cause::NotAcknowledged, Sure::VeryLikely, because, evidence.chain([acknowledge]));
        }
        if let Some((acknowledge, _)) = acknowledged {
            let because = format!(
                "{many} not acknowledged at {} baud, and after one more reset the first ones are: boot code had listened at the speed that the application ran at before",
                facts.speed
            );
            return Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence.chain([acknowledge]));
        }
        let before = if broken_off { "; before it an upload had been broken off" } else { "" };
        let because =
            format!("the reset works, the application says that it has started, and {many} sent without one 0x9A in return{before}");
        let found = Found::new(Cause::NotAcknowledged, Sure::VeryLikely, because, evidence);
        if self.now.is_none() {
            return found.or(Cause::TalksButDoesNotHear, "a module that hears nothing does not take the hotkey either", Probe::Ask);
        }
        if !self.is_probed(Probe::Boot) {
            return found.or(Cause::WrongSpeed, "boot code may have listened at another speed", Probe::Boot);
        }
        found
    }

    /// Hotkeys came back as they were, and nothing else.
    fn mirrored_hotkeys(&self, many: &str, evidence: Vec<u64>) -> Found {
        let back = "they came back byte for byte, as an application with its echo on gives them back";
        let goes_on = |sure| {
            Found::new(
                Cause::ResetWithoutEffect,
                sure,
                format!("{many} sent after the release, and {back}; it went on through the reset"),
                evidence.clone(),
            )
        };
        let loops = |sure| {
            Found::new(Cause::EchoOnly, sure, format!("{many} sent, and they came back byte for byte, and nothing else"), evidence.clone())
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
        loops(Sure::Possible).or(
            Cause::ResetWithoutEffect,
            "an application with its echo on that was never reset gives them back as well",
            Probe::Ask,
        )
    }

    /// A command was the last thing.
    fn command(&self) -> Option<Found> {
        let facts = self.facts;
        let last = facts.since.last()?;
        // Whoever was told to restart, and did not say that it does otherwise, has gone: what counts is whether it came back.
        if last.restarts() && !matches!(last.result, Some((_, Result::Error | Result::Cme(_) | Result::Code(_)))) {
            return None;
        }
        match &last.result {
            Some((seq, result)) if result.is_applications() => self.application(last, *seq, result),
            Some((seq, result)) => self.boot(last, *seq, result),
            None if last.to_boot_code && facts.since.acknowledge.is_some() => self.boot_silence(last),
            None => self.unanswered(last),
        }
    }

    /// The application answered the last command.
    fn application(&self, last: &Exchange, seq: u64, result: &Result) -> Option<Found> {
        if let Some(found) = self.was_still_starting() {
            return Some(found);
        }
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        let known = is_known_command(&last.text) || last.restarts();
        let is_damaged = known && *result != Result::Ok && !last.to_boot_code && self.is_noisy();
        if last.is_loaders() && !is_damaged {
            return Some(self.application_answered(last, seq));
        }
        if let Some(found) = self.version(last) {
            return Some(found);
        }
        if known && *result != Result::Ok {
            let because =
                format!("{} is a command that every module knows, and it was answered by an error: it arrived damaged", last.text);
            return Some(Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, seq]));
        }
        let found = self.damaged_words(last);
        if found.is_some() || *result == Result::Ok || self.now.is_some() {
            return found;
        }
        // A module that does not know it says the same: who it is, asked a few times, shows a line that damages words.
        let because = format!("{} was answered by an error: it may have arrived damaged, or the module does not take it", last.text);
        let found = Found::new(Cause::LineNoise, Sure::Possible, because, [last.seq, seq]);
        Some(Found { probe: Some(Probe::Ask), ..found })
    }

    fn application_answered(&self, last: &Exchange, seq: u64) -> Found {
        let text = &last.text;
        let found = Found::new(
            Cause::ApplicationAnswered,
            Sure::VeryLikely,
            format!(
                "{text} was answered by OK or ERROR in CR LF, as the application does; boot code answers 0 or 40xx. ATI decides: three lines are the application"
            ),
            self.begin().into_iter().chain([last.seq, seq]),
        );
        match text.strip_prefix("AT+IPR=") {
            Some(speed) => found.next(format!(
                "the application now runs at {speed} baud: put it back with AT+IPR={home} there. Then let go of reset only after the loader asks for it, and send the hotkey from the release on",
                home = Baud::DEFAULT
            )),
            None => found,
        }
    }

    /// The version in the last answer is not what it should be.
    fn version(&self, last: &Exchange) -> Option<Found> {
        let (seq, version) = last.version()?;
        let facts = self.facts;
        let upload = facts.upload.as_ref().and_then(|upload| Some((upload, upload.named()?.0.a)));
        let (expected, why) = match (upload, facts.installed) {
            (Some((upload, offered)), _) if upload.is_accepted() => (offered, format!("{offered} was uploaded and accepted")),
            (Some((_, offered)), Some(installed)) if version == offered => {
                (installed, format!("{offered} was uploaded and refused, and {installed} had been there"))
            }
            (_, installed) => (installed?, format!("{} is what had been installed", installed?)),
        };
        if version == expected {
            return None;
        }
        let evidence = facts.upload.iter().filter_map(|upload| upload.asked).map(|(seq, _)| seq).chain([last.seq, seq]);
        Some(Found::new(Cause::VersionNotAsInstalled, Sure::VeryLikely, format!("{} reports {version}, and {why}", last.text), evidence))
    }

    /// Boot code answered the last command.
    fn boot(&self, last: &Exchange, seq: u64, result: &Result) -> Option<Found> {
        if !last.to_boot_code && !last.is_boot_command() {
            let said = match result {
                Result::Code(code) => code.as_str(),
                _ => "0",
            };
            let because =
                format!("{} was meant for the application and was answered by {said} with CR alone, as boot code does", last.text);
            return Some(Found::new(Cause::BootCodeAnswered, Sure::VeryLikely, because, [last.seq, seq]));
        }
        if let Result::Code(code) = result
            && (matches!(last.text.as_str(), "ATI0" | "ATI01" | "AT#BOOT") || last.text.starts_with("AT+IPR="))
        {
            let because = format!("{} is a command that boot code knows, and it was answered by {code}: it arrived damaged", last.text);
            return Some(Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, seq]));
        }
        self.damaged_words(last)
    }

    /// Boot code was asked and gave no result.
    fn boot_silence(&self, last: &Exchange) -> Option<Found> {
        if let Some(found) = self.damaged_words(last) {
            return Some(found);
        }
        let since = &self.facts.since;
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
            return self.fell_silent(last);
        }
        if !last.lines.is_empty() {
            return self.garbage();
        }
        let many = since.exchanges.iter().filter(|exchange| exchange.text == last.text).count();
        let times = if many > 1 { format!("{} ({many} times)", last.text) } else { last.text.clone() };
        let runs = match (self.is_probed(Probe::Reset), self.probe_started().is_some()) {
            (true, true) => "; after a reset the application starts as ever",
            (true, false) => "; after a reset no application starts either",
            (false, _) => "",
        };
        let found = Found::new(
            Cause::AcknowledgedSilent,
            Sure::VeryLikely,
            format!("0x9A came, then no answer to {times}{runs}"),
            since.hotkeys.map(|(first, ..)| first).into_iter().chain([acknowledge, last.seq, latest]),
        );
        Some(self.or_noise(found))
    }

    /// The last command has no result.
    fn unanswered(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        if let Some(found) = self.went_on() {
            return Some(found);
        }
        if let Some((old, seq)) = since.switched
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
        let whole = u32::try_from(last.text.len()).unwrap_or(u32::MAX);
        if since.spoke.is_none() && last.echo.is_some() && since.mirrored.is_some_and(|mirrored| mirrored > whole) {
            let because = format!("{} came back byte for byte, its CR as well, and no answer behind it; nothing else came", last.text);
            return Some(Found::new(Cause::EchoOnly, Sure::VeryLikely, because, [last.seq].into_iter().chain(last.echo)));
        }
        if let Some(slept) = since.slept {
            let because = format!("it said #SLEEP, and {} after that brought nothing: the first command after a sleep is lost", last.text);
            return Some(Found::new(Cause::Asleep, Sure::VeryLikely, because, [slept, last.seq]));
        }
        if (!last.lines.is_empty() && last.speed == self.facts.speed) || !since.strange.is_empty() {
            return self.garbage();
        }
        if since.spoke.is_some() || last.echo.is_some() {
            return if since.answered().is_some() || last.echo.is_some() { self.fell_silent(last) } else { self.does_not_hear(last) };
        }
        if since.is_silent(self.facts.speed) { self.silence() } else { self.garbage() }
    }

    /// AT+IPR was answered, the host followed, and nobody is there.
    fn did_not_switch(&self, last: &Exchange, old: Baud, seq: u64) -> Found {
        let new = self.facts.speed;
        let evidence = [seq, last.seq];
        if let Some(answered) = self.probe_answered().filter(|answered| answered.speed != new) {
            let because = format!(
                "AT+IPR was answered OK, and {} is answered at {} baud and not at {new}: the module did not switch",
                answered.text, answered.speed
            );
            return Found::new(Cause::WrongSpeed, Sure::Certain, because, evidence.into_iter().chain([answered.seq]));
        }
        let because = format!(
            "AT+IPR was answered OK at {old} baud, the host went to {new}, and nobody answers there: the module did not switch, or not to that"
        );
        if self.is_noisy() {
            return self.noise(&because, evidence.to_vec());
        }
        let found = Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence);
        if !self.is_probed(Probe::Ask) {
            return found.or(Cause::ShutDown, "it may have fallen silent just then", Probe::Ask);
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
            let because = format!("AT+IPR was answered OK at {old} baud, and nobody answered after that at any speed, until a reset");
            return Found::new(Cause::ShutDown, Sure::Likely, because, evidence);
        }
        if !self.is_probed(Probe::Reset) {
            return found.or(Cause::ShutDown, "it may have fallen silent just then", Probe::Reset);
        }
        found.against("AT is not answered at any usual speed either", [])
    }

    /// It talks by itself and answers nothing.
    fn does_not_hear(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let message = since.started.or(since.spoke)?;
        let asked = since.exchanges.len();
        if let Some(odd) = since.exchanges.iter().find(|exchange| Some(exchange.speed) == since.spoke_at && !exchange.lines.is_empty()) {
            let because = format!("it says that it has started, and what it answers to {} is no word of it", odd.text);
            return Some(Found::new(
                Cause::Garbage,
                Sure::VeryLikely,
                because,
                [message, odd.seq].into_iter().chain(odd.lines.first().map(|line| line.seq)),
            ));
        }
        let evidence = || self.begin().into_iter().chain([message, last.seq]);
        let talked = if since.started.is_some() { "start-up messages came" } else { "it talked" };
        let because = if asked == 1 {
            format!("{talked}, and {} brought not even an echo", last.text)
        } else {
            format!("{talked}, and none of {asked} commands brought even an echo")
        };
        if let Some(answered) = self.probe_answered() {
            let speed = answered.speed;
            return Some(if speed == self.facts.speed {
                let because = format!("it fell silent after it had started, and answers {} right after another start", answered.text);
                Found::new(Cause::ShutDown, Sure::Likely, because, evidence().chain([answered.seq]))
            } else {
                self.elsewhere(answered, evidence().collect())
            });
        }
        let elsewhere = self.said_elsewhere(evidence().collect()).or_else(|| self.may_say_elsewhere(evidence().collect()));
        if elsewhere.is_some() {
            return elsewhere;
        }
        let found = Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence());
        Some(match (self.is_probed(Probe::Wait), self.is_probed(Probe::Reset)) {
            (_, true) => found,
            (false, _) => found.or_restarting(),
            (true, _) => found.or(Cause::ShutDown, "it may have shut itself down right after it had started", Probe::Reset),
        })
    }

    /// It answered, and then no more, without a restart.
    fn fell_silent(&self, last: &Exchange) -> Option<Found> {
        let since = &self.facts.since;
        let spoke = since.spoke.or(last.echo)?;
        let evidence = || [spoke, last.seq];
        if let Some(answered) = self.probe_answered() {
            let other = answered.speed != self.facts.speed;
            return Some(if other {
                wrong_speed(answered.speed, answered, evidence().to_vec())
            } else if self.answered_after_reset() {
                let because =
                    format!("it had answered, then {} brought nothing, nor did a second try; after a reset it answers again", last.text);
                Found::new(Cause::ShutDown, Sure::Likely, because, evidence().into_iter().chain([answered.seq]))
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
        if self.is_probed(Probe::Reset) {
            return Some(found.against("not even a reset brings it back: the supply may be gone as well", []));
        }
        Some(match (self.is_probed(Probe::Wake), self.is_probed(Probe::Wait)) {
            (false, _) => found.or(Cause::Asleep, "a module that sleeps loses a command as well", Probe::Wake),
            (true, false) => found.or_restarting(),
            (true, true) => found.or(Cause::NothingCame, "its supply may be gone, or a wire", Probe::Reset),
        })
    }

    /// Nothing came at all since the module last began anew, or since the case began.
    fn silence(&self) -> Option<Found> {
        let facts = self.facts;
        let since = &facts.since;
        let evidence = || self.begin().into_iter().chain(since.last_out);
        let told = since.start.is_some_and(|start| start.how == Began::Command);
        let stayed =
            self.now.and_then(|now| now.since.exchanges.iter().find(|exchange| matches!(exchange.result, Some((_, Result::Code(_))))));
        let goes_on = self.probe_answered().filter(|answered| answered.speed == facts.speed && !self.answered_after_reset());
        if let Some(there) = stayed.or(goes_on.filter(|_| self.probe_started().is_none())).filter(|_| told) {
            let because = format!(
                "it was told to restart, and {} is answered by the same program as before: the command arrived damaged",
                there.text
            );
            return Some(Found::new(Cause::LineNoise, Sure::Likely, because, evidence().chain([there.seq])));
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
            let because = "bytes were sent, and not one came back";
            let found = Found::new(Cause::NothingCame, Sure::VeryLikely, because, evidence());
            let found = if self.now.is_none() { found } else { Found { because: format!("{because}, nor at any usual speed"), ..found } };
            let found = found.next(NOTHING);
            return Some(match self.now {
                None => found.or_wrong_speed(Probe::Ask),
                Some(_) if self.is_probed(Probe::Reset) => self.nothing_at_all(found),
                Some(_) if !self.is_probed(Probe::Wait) => found.or_restarting(),
                Some(_) => found.or(Cause::ShutDown, "a module that has shut itself down or sleeps says nothing either", Probe::Reset),
            });
        };
        let waited = self.now.unwrap_or(facts).now.since(start.at);
        let sent = if since.last_out.is_some() { ", whatever was sent" } else { "" };
        let what = words_of(start);
        if facts.spoke_before.is_none() && facts.upload.as_ref().is_none_or(|upload| upload.asked.is_none()) {
            let because = format!("since {what} not one byte came{sent}");
            let found = Found::new(Cause::NothingCame, Sure::VeryLikely, because, evidence()).next(NOTHING);
            return Some(match self.now {
                None if waited < facts.start_up => found
                    .or(Cause::StillStarting, "the application may take up to its start-up time until it says something", Probe::Wait)
                    .or_wrong_speed(Probe::Wait)
                    .or(Cause::ResetWithoutEffect, "a module that was not reset says nothing of a start", Probe::Wait),
                None => found.or_wrong_speed(Probe::Ask),
                Some(_) if since.was_at_other_speed && !self.is_probed(Probe::Reset) => {
                    found.or(Cause::TalksButDoesNotHear, "it may have said something while the host was at another speed", Probe::Reset)
                }
                Some(_) => self.nothing_at_all(found),
            });
        }
        let after = match &facts.upload {
            Some(upload) if upload.is_accepted() => " after an upload that was accepted",
            Some(upload) if matches!(upload.asked, Some((_, ..0))) => " after an upload that was refused",
            Some(upload) if upload.asked.is_some() => " after an upload that was broken off",
            _ => "",
        };
        let because = format!("it had talked before; since {what}{after} not one byte came in {}{sent}", seconds(waited));
        let found = Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, facts.spoke_before.into_iter().chain(evidence()));
        let found = match facts.upload.as_ref().filter(|_| !after.is_empty()) {
            Some(upload) => Found { evidence: found.evidence.iter().copied().chain(upload.asked.map(|(seq, _)| seq)).collect(), ..found },
            None => found,
        };
        if self.now.is_some() {
            return Some(found);
        }
        let is_early = waited < facts.start_up;
        let probe = if is_early { Probe::Wait } else { Probe::Ask };
        let found = match start.how {
            Began::Command => found.or(Cause::LineNoise, "the command to restart may have arrived damaged", probe),
            _ if !since.is_asked() => {
                found.or(without_effect(start), "a module that was never off or reset says nothing of a start", probe)
            }
            _ => found,
        };
        Some(if is_early { found.or(Cause::StillStarting, "it may need more time", probe) } else { found })
    }

    /// What the probes sent came back as it was, and nothing else.
    fn probes_mirrored(&self, evidence: Vec<u64>) -> Option<Found> {
        let now = self.now.filter(|now| now.since.spoke.is_none() && now.since.mirrored.is_some_and(|mirrored| mirrored > 2))?;
        let because = "every AT came back byte for byte, its CR as well, and no answer behind it; nothing else came";
        Some(Found::new(
            Cause::EchoOnly,
            Sure::VeryLikely,
            because,
            evidence.into_iter().chain(now.since.last_out).chain(now.since.last_in),
        ))
    }

    /// Nothing came, whatever was tried: boot code decides whether anybody is there.
    fn nothing_at_all(&self, found: Found) -> Found {
        if let Some(acknowledge) = self.probe_acknowledged() {
            let because = "boot code takes the hotkey, and no application ever says a word: there is none, or it is damaged";
            return Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, found.evidence.into_iter().chain([acknowledge]));
        }
        if self.is_probed(Probe::Boot) {
            return Found { because: format!("{}, and boot code does not take the hotkey", found.because), ..found };
        }
        found.or(Cause::DoesNotStart, "boot code may be there without an application", Probe::Boot)
    }

    /// Nothing had come, and the application answers a probe at the same speed.
    fn answered_late(&self, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let result = answered.result.as_ref().map(|(seq, _)| *seq);
        if let Some(found) = self.went_on() {
            return found;
        }
        let evidence = evidence.into_iter().chain([answered.seq]).chain(result);
        if let Some(started) = self.probe_started() {
            return self.started_late(started, evidence.collect());
        }
        if since.start.is_some() {
            let because = "nothing came at first, and a later AT is answered: the application needed more time";
            return Found::new(Cause::StillStarting, Sure::Likely, because, evidence);
        }
        let because =
            format!("the first command brought nothing, and {} after it was answered: the first one after a sleep is lost", answered.text);
        Found::new(Cause::Asleep, Sure::Likely, because, evidence)
    }

    /// Nothing had come, and the application said that it has started while it was waited for.
    fn started_late(&self, started: &Brought<(u64, String)>, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let (seq, message) = &started.what;
        if !started.is_before_reset {
            let evidence = evidence.into_iter().chain([*seq]);
            return match self.probe_answered() {
                Some(answered) => {
                    let because = format!(
                        "nothing came, whatever was sent; after a reset {message} came and {} was answered: it had shut itself down, or slept deeply",
                        answered.text
                    );
                    Found::new(Cause::ShutDown, Sure::Likely, because, evidence.chain([answered.seq]))
                }
                None => {
                    let because = format!(
                        "nothing came, whatever was sent; after a reset {message} came, and AT right behind it brought nothing: it talks and does not hear"
                    );
                    Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence)
                }
            };
        }
        if let Some((.., count)) = since.hotkeys.filter(|_| since.hotkey_is_last) {
            let many = hotkeys_were(count);
            return self.not_acknowledged(&many, *seq, evidence);
        }
        let because = format!("nothing had come yet, and {message} came when it was waited for longer");
        Found::new(Cause::StillStarting, Sure::VeryLikely, because, evidence.into_iter().chain([*seq]))
    }

    /// Bytes came that are no words of the module.
    fn garbage(&self) -> Option<Found> {
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
        if let Some(answered) = self.probe_answered().filter(|answered| answered.speed == facts.speed && !self.answered_after_reset()) {
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
        if let Some(word) = lines.iter().find_map(|line| damage::resembles(line)) {
            return Some(self.noise(&format!("words come damaged, {word} among them"), evidence().collect()));
        }
        let is_text = !lines.is_empty() && lines.iter().all(|line| line.text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
        let is_overheard = self.probed().is_some_and(|probed| probed.overheard.is_some());
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
            let said =
                lines.first().filter(|_| is_text).map_or_else(String::new, |line| format!(": {:?}", String::from_utf8_lossy(&line.text)));
            let because = format!("it talks without being asked, and none of it is a word of the module{said}");
            let found = Found::new(Cause::WrongPort, Sure::VeryLikely, because, evidence());
            let asks = !self.is_probed(Probe::Ask) && !self.is_probed(Probe::Wait) && !facts.is_off;
            return Some(if asks {
                found.or(Cause::LineNoise, "words that are damaged beyond recognition look like it", Probe::Ask)
            } else {
                found
            });
        }
        let found =
            Found::new(Cause::Garbage, Sure::Likely, "bytes come that no word of the module explains, at any usual speed", evidence());
        if self.is_probed(Probe::Listen) {
            return Some(self.or_noise(Found { because: format!("{}, and only when something is sent", found.because), ..found }));
        }
        Some(if self.is_probed(Probe::Ask) || self.is_probed(Probe::Wait) {
            found.or(Cause::WrongPort, "another device or another port of the kit talks like that", Probe::Listen)
        } else {
            found.or(Cause::WrongSpeed, "what a module at another speed sends back may look like anything", Probe::Ask)
        })
    }

    /// What came is what the module says, at another speed.
    fn other_speed(&self, came: &[u8], sent: &[u8], evidence: Vec<u64>) -> Option<Found> {
        let facts = self.facts;
        let fits = speeds::explain(came, sent, facts.speed);
        let best = fits.first()?;
        let text =
            if best.text.is_empty() { "anything".to_owned() } else { format!("{:?}", String::from_utf8_lossy(best.text.trim_ascii())) };
        if best.text.starts_with(b"\r\n#") && facts.since.answered().is_some() {
            let because = format!(
                "it had answered at {} baud, then {text} came at {} baud: the module restarted, and nobody had asked it to",
                facts.speed, best.speed
            );
            return Some(Found::new(Cause::UncommandedReset, Sure::VeryLikely, because, evidence));
        }
        let next = format!("talk to it at {} baud: send AT there, then AT+IPR={}", best.speed, Baud::DEFAULT);
        if fits.len() == 1 {
            let sure = if best.bytes >= 4 { Sure::VeryLikely } else { Sure::Likely };
            let because = format!("what came is what {text} looks like when it is sent at {} baud and read at {}", best.speed, facts.speed);
            if facts.since.exchanges.iter().any(|exchange| exchange.speed == best.speed) {
                return Some(self.silent_at(best.speed, &because, evidence));
            }
            return Some(Found::new(Cause::WrongSpeed, sure, because, evidence).next(next));
        }
        let all: Vec<String> = fits.iter().map(|fit| fit.speed.to_string()).collect();
        let because = format!("what came fits several speeds: {} baud; send AT at each, the one that answers is it", all.join(", "));
        let mut found = Found::new(Cause::WrongSpeed, Sure::Likely, because, evidence).next(next);
        if !self.is_probed(Probe::Ask) {
            found.probe = Some(Probe::Ask);
        }
        Some(found)
    }

    /// A probe was answered at another speed than the host's.
    fn elsewhere(&self, answered: &Exchange, evidence: Vec<u64>) -> Found {
        let since = &self.facts.since;
        let speed = answered.speed;
        let answer = answered.result.as_ref().map(|(seq, _)| *seq);
        let all = || evidence.iter().copied().chain([answered.seq]).chain(answer);
        if self.answered_after_reset() && (self.is_probed(Probe::Ask) || since.was_silent_at(speed)) {
            let because = format!("at {speed} baud it answered nothing, and after a reset {} is answered there", answered.text);
            return Found::new(Cause::ShutDown, Sure::Likely, because, all());
        }
        if since.start.is_none() && since.was_silent_at(speed) {
            let because = format!(
                "at {speed} baud it answered nothing, and a little later {} is answered there: it has started in between, and nobody had reset it",
                answered.text
            );
            return Found::new(Cause::UncommandedReset, Sure::Likely, because, all());
        }
        wrong_speed(speed, answered, evidence)
    }

    /// A probe read a start-up message at another speed than the host's, and no command was answered there.
    fn said_elsewhere(&self, evidence: Vec<u64>) -> Option<Found> {
        let started = self.probe_started()?;
        let speed = started.speed;
        let because = format!("after a reset {} comes at {speed} baud", started.what.1);
        if let Some(strange) = self.probed()?.strange_elsewhere {
            let because = format!("{because}, and what is answered there is no word of it");
            return Some(Found::new(Cause::Garbage, Sure::VeryLikely, because, evidence.into_iter().chain([started.what.0, strange])));
        }
        (speed != self.facts.speed && self.probe_answered().is_none())
            .then(|| self.silent_at(speed, &because, evidence.into_iter().chain([started.what.0]).collect()))
    }

    /// What came after a probe's reset is no word at the host's speed, and may be one at another: that one is read next.
    fn may_say_elsewhere(&self, evidence: Vec<u64>) -> Option<Found> {
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
        Some(Found {
            at: Some(next),
            ..found.or(Cause::ShutDown, "it may answer right after it has started, and later no more", Probe::Reset)
        })
    }

    /// Bytes that were damaged on the way could look the same: after a reset the module says known words, and these tell.
    fn or_noise(&self, found: Found) -> Found {
        if self.is_probed(Probe::Reset) {
            found
        } else {
            found.or(Cause::LineNoise, "a byte that was lost or changed on the way looks the same", Probe::Reset)
        }
    }

    /// The module talks at another speed than the host's, where it was asked already and did not answer.
    fn silent_at(&self, speed: Baud, because: &str, evidence: Vec<u64>) -> Found {
        if self.answered_after_reset() {
            let because = format!("{because}; there it answers right after a reset, and later no more");
            return Found::new(Cause::ShutDown, Sure::Likely, because, evidence);
        }
        let because = format!("{because}; and at {speed} baud it was asked, and answered nothing");
        let found = Found::new(Cause::TalksButDoesNotHear, Sure::VeryLikely, because, evidence);
        if self.probed().is_some_and(|probed| probed.resets_at.contains(&speed)) {
            return found;
        }
        Found { at: Some(speed), ..found.or(Cause::ShutDown, "it may have shut itself down right after it had started", Probe::Reset) }
    }

    fn noise(&self, because: &str, evidence: Vec<u64>) -> Found {
        Found::new(Cause::LineNoise, Sure::VeryLikely, because, evidence.into_iter().chain(self.facts.damaged().iter().copied().take(3)))
    }

    /// Words of the last answer, or its echo, came damaged.
    fn damaged_words(&self, last: &Exchange) -> Option<Found> {
        let echo = |line: &Line| {
            damage::is_like_echo(&line.text, last.text.as_bytes())
                .then(|| format!("its echo came back as {:?}", String::from_utf8_lossy(&line.text)))
        };
        let damaged = last.lines.iter().filter(|line| !damage::is_response(&line.text, &last.text)).find_map(|line| {
            Some((
                line.seq,
                echo(line).or_else(|| {
                    damage::resembles(line)
                        .filter(|_| line.end != End::None)
                        .map(|word| format!("{word} came as {:?}", String::from_utf8_lossy(&line.text)))
                })?,
            ))
        });
        let (seq, how) = damaged?;
        Some(self.noise(&format!("{} was sent, and {how}", last.text), vec![last.seq, seq]))
    }

    /// The module began anew, and nothing was sent.
    fn start(&self) -> Option<Found> {
        let since = &self.facts.since;
        since.start?;
        if let Some(found) = self.went_on() {
            return Some(found);
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
        let took = self.facts.since.exchanges.iter().find_map(|exchange| match &exchange.result {
            Some((seq, result)) if result.is_applications() && exchange.is_loaders() => Some((exchange, *seq)),
            _ => None,
        });
        took.map(|(exchange, seq)| self.application_answered(exchange, seq))
    }
}

const NOTHING: &str = "check in this order: that the hotkey falls into the boot window, the right port (the kit shows several: is this another port?), the speed on both sides, \
                       that the reset line is wired and nothing holds it, the supply, and that the other host does not drive RXD";

const fn without_effect(start: Start) -> Cause {
    match start.how {
        Began::Power => Cause::PowerWithoutEffect,
        Began::Reset | Began::Command => Cause::ResetWithoutEffect,
    }
}

fn words_of(start: Start) -> &'static str {
    match start.how {
        Began::Reset => "the release of reset",
        Began::Power => "the supply came on",
        Began::Command => "the command to restart",
    }
}

fn hotkeys_were(count: u32) -> String {
    if count == 1 { "one hotkey was".to_owned() } else { format!("{count} hotkeys were") }
}

fn milliseconds(duration: std::time::Duration) -> String {
    format!("{} ms", duration.as_millis())
}

fn seconds(duration: std::time::Duration) -> String {
    format!("{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
}

fn wrong_speed(speed: Baud, answered: &Exchange, evidence: Vec<u64>) -> Found {
    Found::new(
        Cause::WrongSpeed,
        Sure::Certain,
        format!("nobody answers at the host's speed, and {} is answered at {speed} baud", answered.text),
        evidence.into_iter().chain([answered.seq]).chain(answered.result.as_ref().map(|(seq, _)| *seq)),
    )
    .next(format!("it is at {speed} baud: put it back with AT+IPR={} there, or `restore` in a scenario", Baud::DEFAULT))
}

fn accepted(facts: &Facts, upload: &Upload, file: &str, evidence: Vec<u64>) -> Found {
    let named = upload.named();
    if let (Some((offered, _)), Some(installed)) = (named, facts.installed)
        && offered.a < installed
    {
        let because = format!(
            "all of {file} was taken and answered by 0: version {} went in over {installed}, and only the same or a higher one should",
            offered.a
        );
        return Found::new(Cause::AcceptedLower, Sure::VeryLikely, because, evidence);
    }
    if upload.is_damaged() {
        let because = format!("all of {file} was taken and answered by 0, although it was damaged on purpose");
        return Found::new(Cause::AcceptedDamaged, Sure::VeryLikely, because, evidence);
    }
    let key = named.map_or_else(String::new, |(_, key)| format!(" (key {key})"));
    let because = format!(
        "all of {file}{key} was taken and answered by 0; it is neither lower nor damaged, so that the key is what should have kept it out"
    );
    Found::new(Cause::AcceptedWrongKey, Sure::Likely, because, evidence)
}

fn refused(facts: &Facts, upload: &Upload, file: &str, code: i8, evidence: Vec<u64>) -> Found {
    let place =
        if upload.sent >= upload.total { "at its end".to_owned() } else { format!("after {} of {} bytes", upload.sent, upload.total) };
    let mut because = format!("the device ended the upload of {file} {place} with the byte {code}");
    match (upload.named(), facts.installed) {
        _ if upload.is_damaged() => because += "; it was damaged on purpose, so that this is what should happen",
        (Some((offered, _)), Some(installed)) if offered.a < installed => {
            because += &format!("; {} is lower than the installed {installed}, which the chip refuses", offered.a);
        }
        (Some((offered, key)), Some(installed)) => {
            because += &format!(
                "; {} is not lower than the installed {installed}, so that the key ({key}), the image's integrity or the chip itself is the reason",
                offered.a
            );
        }
        _ => {}
    }
    because += ". The byte does not say why: which one means what is published nowhere";
    Found::new(Cause::Refused, Sure::VeryLikely, because, evidence)
}
