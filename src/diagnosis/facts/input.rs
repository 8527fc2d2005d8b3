//! What came: bytes to lines, and lines to what they are.

use super::exchange::{End, Exchange, Line, Result, is_known_command, is_unsolicited, result_of};
use super::probed::{Probed, Taken};
use super::since::{Began, Came, Message};
use super::{ACKNOWLEDGE, BYTES, Facts, HOTKEY, LATE, LINE, LINES, PAUSE, REASON, Restarted};
use crate::diagnosis::{Probe, damage};
use crate::time::MonoTime;
use crate::timeline::event::Event;

/// Of so many commands that were sent last an echo may come still: a module that answers late takes what was sent meanwhile after that.
const ECHOES: usize = 16;

impl Facts {
    pub(super) fn input(&mut self, event: &Event, bytes: &[u8]) {
        let seq = event.seq;
        self.end_old_line(event.t);
        self.came_at = event.t;
        self.since.first_in.get_or_insert(seq);
        self.since.last_in = Some(seq);
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.now == Probe::Listen && !probed.has_sent) {
            probed.overheard.get_or_insert(seq);
        }
        if let Some(probed) = self.probed.as_mut().filter(|probed| !probed.has_sent) {
            match probed.unasked.iter_mut().find(|(speed, _)| *speed == self.speed) {
                Some((_, came)) => came.extend(bytes.iter().take(BYTES.saturating_sub(came.len()))),
                None => probed.unasked.push((self.speed, bytes.to_vec())),
            }
        }
        if self.since.first_out.is_none() {
            self.since.unasked += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        }
        if self.is_uploading() {
            self.since.mirrored = None;
            return;
        }
        self.keep(bytes);
        let is_rest = self.is_rest(event.t);
        for &byte in bytes {
            self.mirror(byte);
            if !is_rest {
                self.byte(seq, byte);
                self.last_byte = Some(byte);
            }
        }
    }

    /// Whether what comes now is the rest of what the module said when it was held in reset or switched off: under way by then, and cut off.
    fn is_rest(&self, now: MonoTime) -> bool {
        let is_stopped = self.is_held || self.is_off;
        let stopped = self.stopped.filter(|(seq, at)| now.since(*at) < PAUSE && self.since.last_out.is_none_or(|sent| sent < *seq));
        is_stopped && stopped.is_some()
    }

    fn keep(&mut self, bytes: &[u8]) {
        let last = self.since.after_start(self.now);
        let kept: usize = self.since.heard.iter().map(|heard| heard.bytes.len()).sum();
        let bytes = &bytes[..bytes.len().min(BYTES.saturating_sub(kept))];
        match self.since.heard.iter_mut().find(|heard| heard.speed == self.speed) {
            Some(heard) => {
                heard.bytes.extend_from_slice(bytes);
                heard.last = last;
            }
            None => self.since.heard.push(Came { speed: self.speed, bytes: bytes.to_vec(), last }),
        }
    }

    fn mirror(&mut self, byte: u8) {
        if let Some(count) = self.since.mirrored {
            let same = self.since.mirror.pop_front() == Some(byte);
            self.since.mirrored = same.then_some(count + 1);
        }
    }

    fn byte(&mut self, seq: u64, byte: u8) {
        if byte == b'\n' && self.pending.is_some() {
            self.end_pending(End::CrLf);
            return;
        }
        self.note_bare_cr();
        self.end_pending(End::Cr);
        match byte {
            ACKNOWLEDGE if self.since.hotkeys.is_some() && self.line.is_empty() => {
                let first = self.since.acknowledge.map_or(seq, |(first, _)| first);
                self.since.acknowledge = Some((first, seq));
                self.since.acknowledged_at = Some(self.speed);
                self.heard.by_boot_code = Some(seq);
                self.since.in_boot_code = true;
                self.since.acknowledges += 1;
                if self.since.hotkeys.is_some_and(|(.., hotkeys)| self.since.acknowledges > hotkeys) {
                    // More than were asked for.
                    self.note_damaged(seq);
                }
                if let Some(probed) = self.probed.as_mut().filter(|probed| probed.now == Probe::Boot) {
                    let (after, every) = (self.since.after_start(self.now), self.since.hotkeys_every());
                    probed.acknowledged.get_or_insert(Taken { seq, speed: self.speed, after, every });
                }
                self.spoke(seq);
                self.since.hotkey_is_last = false;
            }
            b'\r' => {
                self.pending = Some((seq, std::mem::take(&mut self.line)));
                self.ended_at = self.came_at;
            }
            b'\n' => {
                self.ended_at = self.came_at;
                // The application says no LF without a CR before it, and boot code none at all.
                // What came first may have begun before it was listened to.
                let has_begun = self.last_byte.is_some() || self.since.first_out.is_some();
                let is_text = self.line.iter().all(|byte| matches!(byte, b' '..=b'~'));
                if self.last_byte != Some(b'\r') && has_begun && is_text && self.is_here() && !self.since.has_sent_lf {
                    self.bare_lf.get_or_insert((seq, self.speed));
                    self.note_bare_lf();
                }
                let text = std::mem::take(&mut self.line);
                self.line(Line { seq, text, end: End::Lf });
            }
            0 | 0xFF if self.line.is_empty() => self.since.idle_noise += 1,
            _ if self.line.len() < LINE => self.line.push(byte),
            _ => {}
        }
    }

    /// No line pauses for so long in its middle: what stands there has ended.
    pub(super) fn end_old_line(&mut self, now: MonoTime) {
        if now.since(self.came_at) > PAUSE {
            self.end_line();
        }
    }

    /// What stands in the line and was not ended is a line as well.
    pub(super) fn end_line(&mut self) {
        if !self.line.is_empty() {
            let text = std::mem::take(&mut self.line);
            let seq = self.since.last_in.unwrap_or_default();
            self.line(Line { seq, text, end: End::None });
        }
    }

    pub(super) fn end_pending(&mut self, end: End) {
        if let Some((seq, text)) = self.pending.take() {
            self.line(Line { seq, text, end });
        }
    }

    fn line(&mut self, line: Line) {
        let is_echo_of_hotkeys = self.since.hotkeys.is_some() && line.text.iter().all(|byte| matches!(*byte, HOTKEY | 0xFF));
        if line.text.is_empty() || is_echo_of_hotkeys {
            return;
        }
        let asks = self.since.last().is_some_and(|last| last.text == "AT#UP" && last.is_open());
        if let Some(result) = result_of(&line, asks) {
            self.result(line.seq, result);
            return;
        }
        let text = String::from_utf8_lossy(&line.text).into_owned();
        let mut lately = self.since.exchanges.iter_mut().rev().take(ECHOES).enumerate();
        // Of one that was sent before the last, only a whole one: what comes unasked in the middle of an echo ends with CR LF.
        let is_whole = |behind: usize| behind == 0 || line.end == End::Cr;
        let is_echo =
            |(behind, exchange): &(usize, &mut Exchange)| is_whole(*behind) && exchange.echo.is_none() && exchange.is_echo(&line.text);
        if let Some((behind, exchange)) = lately.find(is_echo) {
            exchange.echo = Some(line.seq);
            exchange.is_result_first = exchange.result.is_some();
            self.late += u32::from(behind > 0 || exchange.is_result_first);
            return;
        }
        if self.cuts_echo(&line) {
            return;
        }
        let is_by_command = self.since.start.is_some_and(|start| start.how == Began::Command);
        if text.starts_with("#SIMST") && is_by_command && self.since.started().is_none() {
            // It comes behind #SYSSTART: this one is of the start before.
            return;
        }
        let is_damaged = self.note_damage(&line);
        if !is_damaged && text.starts_with("#REBOOT") || text == "#SYSSTART" || text.starts_with("#SIMST") {
            self.spoke(line.seq);
            self.since.in_boot_code = false;
            let now = self.now;
            let is_reason = |restarted: &&mut Restarted| {
                let has_none = restarted.seq < line.seq && !restarted.message.starts_with("#REBOOT");
                has_none && text.starts_with("#REBOOT") && now.since(restarted.at) < REASON
            };
            if let Some(restarted) = self.restarted.as_mut().filter(is_reason) {
                (restarted.seq, restarted.message) = (line.seq, text.clone());
            }
            if let Some(started) = self.brought((line.seq, text.clone())) {
                self.probed.as_mut().map(|probed| probed.started.get_or_insert(started));
            }
            if self.since.messages.len() < LINES {
                self.since.messages.push(Message { seq: line.seq, at: now, text });
            }
            self.since.is_line_clean |= self.since.first_out.is_none();
            return;
        }
        match text.as_str() {
            "#SLEEP " | "#SLEEP" => self.since.slept = Some(line.seq),
            "#WAKEUP" => self.since.slept = None,
            _ => {}
        }
        if !is_damaged && is_unsolicited(&line) {
            self.spoke(line.seq);
            self.since.aside.get_or_insert((line.seq, text));
            return;
        }
        if let Some(last) = self.since.exchanges.back_mut().filter(|last| damage::is_begun(&line, &last.sent)) {
            last.echo = Some(line.seq);
            return;
        }
        match self.since.answered_now(self.ended_at).filter(|_| self.probed.is_none()) {
            Some(last) => {
                if last.lines.len() < LINES {
                    last.lines.push(line);
                }
            }
            None => self.strange(line),
        }
    }

    /// A final result came.
    fn result(&mut self, seq: u64, result: Result) {
        self.end_cut_echo();
        let is_applications = result.is_applications();
        self.since.in_boot_code = !is_applications;
        // Hotkeys and what had no CR stand in its line still, or were answered by this.
        let is_behind_hotkeys = self.since.hotkey_is_last || self.since.last().is_some_and(|last| last.behind_hotkeys);
        let is_line_clean = is_applications && !is_behind_hotkeys && self.since.unended.is_empty();
        let was_line_clean = std::mem::replace(&mut self.since.is_line_clean, is_line_clean);
        let ended_at = self.ended_at;
        if is_applications && let Some(last) = self.since.exchanges.back_mut() {
            last.reopen_behind_preamble();
        }
        let answered = self.since.answered_now(ended_at).map(|asked| {
            asked.result = Some((seq, result.clone()));
            asked.took = ended_at.since(asked.at);
            asked.clone()
        });
        let told = answered.as_ref().and_then(Exchange::told_speed).filter(|_| matches!(result, Result::Ok | Result::Zero));
        let goes = match answered {
            Some(asked) => self.answered(asked, seq, &result, was_line_clean),
            None => {
                self.since.late.get_or_insert((seq, result));
                false
            }
        };
        if goes {
            return;
        }
        self.since.slept = None;
        self.spoke(seq);
        self.since.runs_at = told.or(self.since.runs_at);
    }

    /// A command was answered; whether the module has gone with that, so that it says no more.
    fn answered(&mut self, asked: Exchange, seq: u64, result: &Result, was_line_clean: bool) -> bool {
        if asked.text.starts_with("AT#LDRST") {
            self.entry_refused = (*result == Result::Cme(Some(1120))).then_some((asked.seq, seq));
            self.entry_taken = (*result == Result::Ok).then_some(asked.seq).or(self.entry_taken);
        }
        if matches!(result, Result::Ok | Result::Zero) {
            self.moved = asked.told_speed().map(|speed| (asked.seq, speed)).or(self.moved);
        }
        if *result == Result::Cme(Some(1120)) {
            self.since.starting_from.get_or_insert(self.now);
        }
        if result.is_applications() {
            self.heard.by_application = Some((seq, self.speed));
        } else {
            self.heard.by_boot_code = Some(seq);
            self.heard.by_boot_code_result = Some(seq);
        }
        let is_error = matches!(result, Result::Error | Result::Cme(_)) && *result != Result::Cme(Some(1120));
        // A module that is starting may say just that by an error without a number.
        let may_be_starting = *result == Result::Cme(None) && self.since.is_core_starting(self.speed);
        if is_known_command(&asked.text) && is_error && was_line_clean && !asked.has_preamble && !may_be_starting {
            // Every module knows it: it was damaged on the way.
            self.note_command_hit(seq);
        } else if let Some(other) = self.tells_otherwise(&asked) {
            self.note_damaged(other);
        } else if self.since.last().is_some_and(|last| last.seq == asked.seq) && self.answers_in_between() {
            // It answered others before and behind it.
            self.gap.get_or_insert(seq);
        }
        let restarts = asked.restarts();
        if restarts {
            // It said so before it went.
            self.spoke_before = Some(seq);
        }
        let is_probes = self.probed.as_ref().is_some_and(|probed| asked.seq > probed.first);
        if self.probed.is_some() && !is_probes {
            // The case had asked.
            self.late += LATE;
        }
        if let Some(brought) = self.brought(asked).filter(|_| is_probes)
            && let Some(probed) = &mut self.probed
        {
            let first = if result.is_applications() { &mut probed.answered } else { &mut probed.answered_by_boot_code };
            first.get_or_insert(brought);
        }
        restarts
    }

    /// Something came that only the module says.
    fn spoke(&mut self, seq: u64) {
        self.since.spoke = Some(seq);
        self.since.spoke_at = Some(self.speed);
        self.since.runs_at = Some(self.speed);
        self.note_bare_lf();
        if self.is_off {
            self.spoke_without_supply.get_or_insert(seq);
        }
    }

    fn strange(&mut self, line: Line) {
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.has_sent && probed.answered.is_none()) {
            probed.line.get_or_insert_with(|| line.clone());
        }
        if damage::is_known(&line.text) {
            self.spoke(line.seq);
            return;
        }
        let speed = self.speed;
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.speed == speed && probed.strange.len() < LINES) {
            probed.strange.push(line.clone());
        }
        let has_started = |probed: &Probed| probed.started.as_ref().is_some_and(|started| started.speed == speed);
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.speed != speed && has_started(probed)) {
            probed.strange_elsewhere.get_or_insert(line.seq);
        }
        if self.since.strange.len() < LINES {
            self.since.strange.push(line);
        }
    }
}
