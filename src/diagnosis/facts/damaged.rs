//! Whether what came is damaged: beside what was asked, and beside what came before.

use super::exchange::{End, Exchange, Line, Result, is_told_more};
use super::{Facts, LINES};
use crate::diagnosis::{Probe, damage};

const DAMAGED_LINES: usize = 8;

/// The first answer to a command.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) command: String,
    pub(super) exchange: u64,
    pub(super) lines: Vec<Vec<u8>>,
}

impl Facts {
    /// A word of the application that ended with CR, and no LF behind it.
    pub(super) fn note_bare_cr(&mut self) {
        if let Some((seq, text)) = &self.pending
            && damage::is_word(text)
            && self.is_here()
            && !self.since.last().is_some_and(Exchange::leaves)
        {
            let seq = *seq;
            self.note_damaged(seq);
        }
    }

    /// An LF without a CR before it, where the application is known to be at this speed, came of a CR that was lost or changed; boot code sends none.
    pub(super) fn note_bare_lf(&mut self) {
        let is_known = self.since.spoke_at == Some(self.speed) && !self.since.in_boot_code;
        if let Some((seq, _)) = self.bare_lf.take_if(|(_, speed)| is_known && *speed == self.speed) {
            self.note_damaged(seq);
        }
    }

    /// Whether the host is at the speed of the case, and not at one that a probe tries.
    pub(super) fn is_here(&self) -> bool {
        self.probed.as_ref().is_none_or(|probed| probed.speed == self.speed)
    }

    /// Whether a line is a part of an echo, between which something comes unasked, or the rest of it.
    pub(super) fn cuts_echo(&mut self, line: &Line) -> bool {
        if let Some((_, rest)) = &mut self.since.cut_echo
            && rest.starts_with(&line.text)
        {
            rest.drain(..line.text.len());
            if rest.is_empty() {
                self.since.cut_echo = None;
                if let Some(last) = self.since.exchanges.back_mut() {
                    last.echo = Some(line.seq);
                }
            }
            return true;
        }
        let Some(last) = self.since.last().filter(|last| last.is_open() && last.echo.is_none() && self.since.cut_echo.is_none()) else {
            return false;
        };
        let rest = last.sent.as_bytes().strip_prefix(line.text.as_slice()).filter(|_| line.end == End::CrLf).map(<[u8]>::to_vec);
        let is_cut = rest.is_some();
        self.since.cut_echo = rest.map(|rest| (line.seq, rest));
        is_cut
    }

    /// The rest of an echo comes no more: it was lost, unless the module went in its middle.
    pub(super) fn end_cut_echo(&mut self) {
        let goes = self.since.last().is_some_and(Exchange::leaves);
        if let Some((seq, _)) = self.since.cut_echo.take().filter(|_| !goes) {
            self.note_damaged(seq);
        }
    }

    /// Whether a probe was answered, then several were not, and now one is again: no module sleeps or starts in between.
    pub(super) fn answers_in_between(&self) -> bool {
        let Some(probed) = self.probed.as_ref().filter(|probed| probed.now != Probe::Wake) else { return false };
        let since_probe =
            self.since.exchanges.iter().rev().skip(1).take_while(|exchange| exchange.seq > probed.seq && exchange.speed == self.speed);
        let unanswered = since_probe.clone().take_while(|exchange| exchange.result.is_none()).count();
        unanswered >= 2 && since_probe.clone().nth(unanswered).is_some_and(|exchange| exchange.result.is_some())
    }

    /// Whether it is the echo of two commands, whose CR was lost.
    pub(super) fn is_run_together(&self, line: &Line) -> bool {
        let texts: Vec<&[u8]> = self.since.exchanges.iter().rev().take(4).map(|exchange| exchange.sent.as_bytes()).collect();
        texts.windows(2).any(|pair| [pair[1], pair[0]].concat() == line.text)
    }

    /// Whether it is an error code of boot code with a digit changed.
    pub(super) fn is_code_damaged(&self, line: &Line) -> bool {
        let asked = self.since.last().is_some_and(|last| !last.text.starts_with("ATI"));
        asked && self.since.in_boot_code && line.end == End::Cr && line.text.len() == 4 && line.text.iter().all(u8::is_ascii_digit)
    }

    /// Whether the same command was answered by nearly the same line before: what says who the module is does not change.
    pub(super) fn told_otherwise(&mut self, line: &Line) -> bool {
        // Nobody knows how often another device says something else.
        if self.since.spoke.or(self.spoke_before).is_none() {
            return false;
        }
        let Some(last) = self.since.last().filter(|last| last.is_open()) else { return false };
        // An echo that is not whole is a module that began to listen, or that went in its middle.
        if last.sent.as_bytes().ends_with(&line.text) || last.sent.as_bytes().starts_with(&line.text) {
            return false;
        }
        // An upload changes the version, and nothing else does.
        let is_version = damage::is_version(&line.text) && self.upload.is_none();
        if damage::is_known(&line.text) && !is_version {
            return false;
        }
        if !self.told.iter().any(|told| told.command == last.text) && self.told.len() < LINES {
            self.told.push(Told { command: last.text.clone(), exchange: last.seq, lines: Vec::new() });
        }
        let Some(told) = self.told.iter_mut().find(|told| told.command == last.text) else { return false };
        if told.exchange == last.seq {
            told.lines.push(line.text.clone());
            return false;
        }
        let is_other =
            |other: &Vec<u8>| if is_version { damage::is_version(other) } else { other.len() > 2 && damage::is_like(&line.text, other) };
        !told.lines.contains(&line.text) && told.lines.iter().any(is_other)
    }

    /// Where a command that asks who the module is brought other lines than before, which it does not without a restart in between: the read that brought the one that is damaged.
    pub(super) fn tells_otherwise(&self, last: &Exchange) -> Option<u64> {
        let is_told = |exchange: &&Exchange| exchange.text == last.text && matches!(exchange.result, Some((_, Result::Ok)));
        let before = self.since.exchanges.iter().rev().skip(1).find(is_told).filter(|_| is_told_more(&last.text) && is_told(&last))?;
        let only_in = |one: &'_ Exchange, other: &Exchange| {
            let lines = one.lines.iter().filter(|line| !other.lines.iter().any(|there| there.text == line.text));
            lines.map(|line| (damage::is_version(&line.text), line.seq)).collect::<Vec<_>>()
        };
        // A version is whole, and what is none came damaged.
        let other = [only_in(last, before), only_in(before, last)].concat();
        let (_, seq) = other.into_iter().filter(|_| self.probed.is_none()).min_by_key(|(is_version, _)| *is_version)?;
        Some(seq)
    }

    /// Notes a known word that came damaged; whether it did. At other speeds than that of the case nothing is known.
    pub(super) fn note_damage(&mut self, line: &Line) -> bool {
        // What was cut off, by a restart or by the end of what is looked at, has all its bits.
        let is_whole = line.end != End::None;
        if self.since.last().is_some_and(|last| last.is_open() && damage::is_response(&line.text, &last.text)) {
            return false;
        }
        let command = self.since.last().filter(|last| !last.leaves()).map_or(&b""[..], |last| last.sent.as_bytes());
        let is_like_echo = (damage::is_like_echo(&line.text, command) && !damage::is_known(&line.text)) || self.is_run_together(line);
        let is_changed = is_like_echo || damage::resembles(line).is_some() || self.told_otherwise(line) || self.is_code_damaged(line);
        let is_damaged = self.is_here() && if is_whole { is_changed } else { damage::is_flipped_word(line) };
        if is_damaged {
            self.note_damaged(line.seq);
        }
        is_damaged
    }

    /// Notes an answer that shows a command damaged on its way, or lost.
    pub(super) fn note_command_hit(&mut self, seq: u64) {
        let before = self.damaged.len();
        self.note_damaged(seq);
        self.commands_hit += self.damaged.len() - before;
    }

    pub(super) fn note_damaged(&mut self, seq: u64) {
        if self.damaged.len() < DAMAGED_LINES && !self.damaged.contains(&seq) {
            self.damaged.push(seq);
        }
    }
}
