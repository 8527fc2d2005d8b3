//! Nothing is seen to be wrong: the module speaks clearly, and says something else than the step wants.

use std::time::Duration;

use super::words::milliseconds;
use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Began, Exchange, Failed, Line, Result, Upload, is_told_more};
use crate::diagnosis::{Advice, Cause, Probe, Sure, damage};
use crate::image::Version;

/// A step that ends so soon behind an answer waited for no more.
const AT_ONCE: Duration = Duration::from_millis(50);
/// So many lines are told.
const SAID: usize = 4;

impl Scene<'_> {
    /// The module speaks clearly, or nothing was done that could have brought anything.
    pub(super) fn otherwise(&self) -> Option<Found> {
        let since = &self.facts.since;
        let found = |because: String, evidence: Vec<u64>| Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence);
        if let Some((began, seq)) = since.in_vain.filter(|(_, seq)| !since.has_come_after(*seq)) {
            let (because, advice) = match began {
                Began::Power => ("`power: on` found the supply on, as far as this case knows, so that it started nothing", Advice::WasOn),
                Began::Reset | Began::Command => {
                    ("`reset: release` found the line released, as far as this case knows, so that it started nothing", Advice::WasReleased)
                }
            };
            return Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, [seq]).next(advice));
        }
        if since.start.is_none() && since.first_out.is_none() && since.first_in.is_none() {
            let because = match since.woken {
                Some(_) => "the wake line was asserted and nothing came: a module that is awake says nothing to that",
                None => "nothing was sent, the module was not restarted, and nothing came",
            };
            return Some(found(because.to_owned(), Vec::new()).next(Advice::NothingWasDone));
        }
        if let Some(slept) = since.slept.filter(|slept| since.last_out.is_none_or(|last| last < *slept)) {
            let because = "it said #SLEEP, and nothing was sent after that: it sleeps, and says nothing by itself while it does";
            return Some(Found::new(Cause::Asleep, Sure::VeryLikely, because, [slept]).next(Advice::SleepsUnasked));
        }
        if let Some(found) = self.restarted_otherwise() {
            return Some(found);
        }
        let is_idle = |failed: &Failed| {
            failed.is_by_time && failed.by.is_none() && failed.came.is_none() && since.last_out.is_none_or(|sent| sent < failed.begun)
        };
        let is_in_application = since.last().is_none_or(|last| {
            !last.text.starts_with("AT#LDRST") && last.result.as_ref().is_none_or(|(_, result)| result.is_applications())
        });
        if let Some(spoke) = since.spoke.filter(|_| is_in_application && self.facts.failed.as_ref().is_some_and(is_idle)) {
            let restarted = if since.start.is_some() { "" } else { ", nor was it restarted in this case" };
            let because = format!(
                "nothing was sent to the module in this step{restarted}, and nothing came in it; what had come before{} is whole and clean",
                self.said()
            );
            return Some(found(because, since.last_out.into_iter().chain([spoke]).collect()).next(Advice::AwaitedInVain));
        }
        let last = since.last().filter(|last| !last.restarts() || last.is_refused());
        let Some((last, (seq, result))) = last.and_then(|last| Some((last, last.result.as_ref()?))) else {
            let spoke = since.spoke?;
            // What comes where nothing was sent is the module's own.
            if let Some(odd) = since.strange.first().filter(|_| since.first_out.is_none()).or_else(|| since.restart()?.lines.first()) {
                let because =
                    format!("what came{} is a word of the module in one part and none in another, as if it came damaged", self.said());
                return Some(Found::new(Cause::LineNoise, Sure::Likely, because, [odd.seq, spoke]));
            }
            let because = format!("what came{} is whole and clean, and nothing is seen to be wrong with board or bench", self.said());
            return Some(found(because, since.started().into_iter().chain([spoke]).collect()));
        };
        let evidence = vec![last.seq, *seq];
        if self.is_after_the_step(last).is_some_and(|failed| failed.is_by_time) {
            let because =
                format!("{} was answered by {result} {} after it was sent, when the step had given up", last.text, milliseconds(last.took));
            return Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence).next(Advice::TooLate));
        }
        if last.text.starts_with("AT#LDRST") && *result == Result::Ok && self.is_probed(Probe::Ask) && self.probe_answered().is_none() {
            let because = format!(
                "{} was answered OK, and nothing is answered since: it led into boot code, which waits for the hotkey and says nothing before that",
                last.text
            );
            return Some(Found::new(Cause::BootCodeAnswered, Sure::Likely, because, evidence).next(Advice::HotkeyFirst));
        }
        Some(match result {
            Result::Ok | Result::Error | Result::Cme(_) if self.answers_the_one_before(last) => {
                let how = if last.is_result_first {
                    format!("{result} came before the echo of {}", last.text)
                } else {
                    format!("{} was sent before the command before it was answered, and an answer for each came", last.text)
                };
                found(format!("{how}: the first answers what was sent before that"), evidence).next(Advice::AnswersTheOneBefore)
            }
            Result::Ok if let Some((line, installed)) = self.damaged_version(last) => {
                let because = format!("{} was answered by {}, and the unit had answered {installed} before", last.text, quoted(&line.text));
                Found::new(Cause::LineNoise, Sure::Likely, because, [last.seq, line.seq])
            }
            Result::Ok => {
                let took = milliseconds(last.took);
                let upload = self.facts.upload.as_ref().filter(|_| last.version().is_some()).map(Upload::in_short).unwrap_or_default();
                let because =
                    format!("{} was answered by {}OK, {took} after it was sent, whole and clean{upload}", last.text, lines_of(last));
                let found = match since.aside.as_ref().filter(|(aside, _)| *aside >= last.seq) {
                    Some((aside, text)) => found(format!("{because}; {text} came unasked"), vec![last.seq, *seq, *aside]),
                    None => found(because, evidence),
                };
                // Whether it is: what is asked a few times more shows a line that damages words.
                if self.is_probed(Probe::Ask) { found } else { Found { probe: Some(Probe::Ask), ..found } }
            }
            Result::Error | Result::Cme(_) if !self.is_line_clean(last) => {
                let before = if last.behind_hotkeys {
                    "hotkeys (0xC5) had been sent that no boot code took, and no CR behind them,".to_owned()
                } else if last.before.is_empty() {
                    "bytes at another speed stood in the module's line".to_owned()
                } else {
                    format!("{} had been sent, and no CR behind it,", quoted(&last.before))
                };
                let because = format!("{before} when {} came, and both together were answered by {result}", last.text);
                found(because, evidence).next(Advice::LineNotClean)
            }
            Result::Error | Result::Cme(_) if last.told_speed().is_some() => {
                let because = format!(
                    "{} was answered by {result}: the application does not take this speed, and stays at {}",
                    last.text, last.speed
                );
                found(because, evidence).next(Advice::SpeedNotOfApplication)
            }
            Result::Error | Result::Cme(_) => {
                let how = if last.echo.is_some() {
                    "came back as it was sent, so that it arrived, and"
                } else {
                    "arrived, as far as can be seen, and"
                };
                found(format!("{} {how} was answered by {result}: the application does not take it", last.sent), evidence)
                    .next(Advice::NotTaken)
            }
            Result::Zero => {
                let advice = if last.has_preamble { Advice::StaysInBootCode } else { Advice::ByStepBoot };
                let because = format!("boot code answered {} by {}0, and waits for the next command", last.text, lines_of(last));
                let found = found(because, evidence).next(advice);
                if last.lines.is_empty() { found } else { self.or_noise(found) }
            }
            Result::Code(code) => {
                let advice = if last.told_speed().is_some() { Advice::SpeedNotOfBootCode } else { Advice::NotOfBootCode };
                found(format!("boot code answered {} by {code}: it does not take it", last.text), evidence)
                    .next_with(advice, &[("CODE", code)])
            }
        })
    }

    /// The line that is like the version that the unit had, and none itself.
    fn damaged_version<'l>(&self, asked: &'l Exchange) -> Option<(&'l Line, Version)> {
        let installed = self.facts.installed.filter(|_| is_told_more(&asked.text) && asked.version().is_none())?;
        let is_number = |line: &&Line| line.text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        let line = asked.lines.iter().filter(is_number).find(|line| damage::is_like(&line.text, installed.to_string().as_bytes()))?;
        Some((line, installed))
    }

    /// A command to restart was carried out, and what came of it is not what the step wants.
    fn restarted_otherwise(&self) -> Option<Found> {
        let since = &self.facts.since;
        let restart = since.restart()?;
        let started = since.started().map(|started| (started, self.said()));
        let (because, sure, seq, advice) = match (&restart.result, started) {
            (Some((seq, result @ (Result::Ok | Result::Zero))), None) if self.ended_at_answer(restart) => {
                let took = milliseconds(restart.took);
                let because = format!("{} was answered by {result}, {took} after it was sent, and the step ended with that", restart.text);
                (because, Sure::VeryLikely, *seq, Advice::RestartEnded)
            }
            (Some((seq, Result::Zero)), Some((_, said))) if !restart.has_preamble => {
                let because = format!("boot code answered {} by 0, and what came behind that{said} is whole and clean", restart.text);
                (because, Sure::Likely, *seq, Advice::ByStepBoot)
            }
            // Where another step failed, the one that sent it did not wait for its answer.
            (None, Some((started, said))) if self.is_of_the_step(restart) => {
                let because = format!("{} was not answered, and was carried out: start-up messages came{said}", restart.text);
                let advice = if restart.text == "AT#BOOT" { Advice::GoesUnanswered } else { Advice::RestartsUnanswered };
                (because, Sure::VeryLikely, started, advice)
            }
            _ => return None,
        };
        Some(Found::new(Cause::NotAsExpected, sure, because, [restart.seq, seq]).next(advice))
    }

    /// Whether the step that failed has sent it.
    pub(super) fn is_of_the_step(&self, asked: &Exchange) -> bool {
        self.facts.failed.is_none_or(|failed| asked.seq > failed.begun)
    }

    /// Whether nothing was waited for behind the answer to a command.
    pub(super) fn ended_at_answer(&self, asked: &Exchange) -> bool {
        asked.result.is_some() && self.facts.since.last_out == Some(asked.seq) && self.facts.now.since(asked.at + asked.took) < AT_ONCE
    }

    /// The first lines that came since the module last began anew: ` ("#REBOOT_RESET", "#SYSSTART")`.
    fn said(&self) -> String {
        let since = &self.facts.since;
        let is_of_restart = |line: &[u8]| since.restart().is_some_and(|restart| restart.is_echo(line) || line == b"0" || line == b"OK");
        let lines = since.heard_at(self.facts.speed).split(|byte| matches!(byte, b'\r' | b'\n'));
        let mut lines = lines.filter(|line| !is_of_restart(line) && line.iter().any(|byte| matches!(byte, b' '..=b'~')));
        let first: Vec<String> = lines.by_ref().take(SAID).map(quoted).collect();
        let more = if lines.next().is_some() { ", …" } else { "" };
        if first.is_empty() { String::new() } else { format!(" ({}{more})", first.join(", ")) }
    }

    /// A command was sent last that nothing has ended: it is not carried out.
    pub(super) fn unended(&self) -> Option<Found> {
        let since = &self.facts.since;
        // A write that went out in parts has a CR in it, and more to come.
        let is_text = |text: &&[u8]| text.len() > 1 && text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
        let text = Some(since.unended.as_slice()).filter(is_text)?;
        let spelt: Vec<u8> = text.to_ascii_lowercase().into_iter().filter(|byte| !matches!(byte, b' ' | b'x' | b'0')).collect();
        if spelt.chunks(2).all(|pair| matches!(pair, b"c5" | b"ff")) {
            let because = format!("{} was sent as text, and the hotkey is the byte 0xC5", quoted(text));
            return Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, since.last_out).next(Advice::HotkeyAsText));
        }
        let because = format!("{} was sent without a CR behind it, and no command is carried out before that comes", quoted(text));
        Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, since.last_out).next(Advice::NoCr))
    }
}

/// What stood before the result: `"2.7.0" and `.
fn lines_of(exchange: &Exchange) -> String {
    let lines: Vec<String> = exchange.lines.iter().map(|line| quoted(&line.text)).collect();
    if lines.is_empty() { String::new() } else { format!("{} and ", lines.join(", ")) }
}
