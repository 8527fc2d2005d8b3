//! What happened since the module last began anew.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::exchange::{Exchange, Line, Result};
use super::{PAUSE, REASON};
use crate::baud::Baud;
use crate::time::MonoTime;

/// No application says that it has started sooner. An assumption.
const SOONEST: Duration = Duration::from_millis(400);

/// What was sent longer ago is not answered any more. An assumption.
const ANSWERS: Duration = Duration::from_secs(2);

/// What the application says when it has started.
const SYSSTART: &[u8] = b"#SYSSTART";

/// As many NUL and 0xFF come of a line that floats at a start.
const FLOATING: u32 = 20;

/// How the module last began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum Began {
    /// The reset line was let go.
    Reset,
    /// The supply came on.
    Power,
    /// `AT#BOOT` or `AT#RESET`.
    Command,
}

/// Since when, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) struct Start {
    pub(in crate::diagnosis) how: Began,
    pub(in crate::diagnosis) seq: u64,
    pub(in crate::diagnosis) at: MonoTime,
}

/// A start-up message: that it started, or why.
#[derive(Debug, Clone)]
pub(in crate::diagnosis) struct Message {
    pub(in crate::diagnosis) seq: u64,
    pub(in crate::diagnosis) at: MonoTime,
    pub(in crate::diagnosis) text: String,
}

/// What came while the host was at one speed.
#[derive(Debug, Clone)]
pub(super) struct Came {
    pub(super) speed: Baud,
    /// Without the bytes of uploads.
    pub(super) bytes: Vec<u8>,
    /// When bytes came last, after the start.
    pub(super) last: Duration,
}

/// What happened since the module last began anew.
#[derive(Debug, Clone, Default)]
pub(in crate::diagnosis) struct Since {
    pub(in crate::diagnosis) start: Option<Start>,
    pub(in crate::diagnosis) first_out: Option<u64>,
    /// How long after the start that was.
    pub(in crate::diagnosis) first_out_after: Duration,
    pub(in crate::diagnosis) last_out: Option<u64>,
    pub(in crate::diagnosis) first_in: Option<u64>,
    pub(in crate::diagnosis) last_in: Option<u64>,
    /// What was sent since the last line's end, hotkeys aside.
    pub(in crate::diagnosis) unended: Vec<u8>,
    /// The host has sent an LF, which an echo gives back.
    pub(super) has_sent_lf: bool,
    /// First and last hotkey, and how many.
    pub(in crate::diagnosis) hotkeys: Option<(u64, u64, u32)>,
    /// How long after the start the first and the last one were.
    pub(in crate::diagnosis) hotkeys_from: Duration,
    pub(in crate::diagnosis) hotkeys_until: Duration,
    /// The last thing that was sent to be answered is a hotkey.
    pub(in crate::diagnosis) hotkey_is_last: bool,
    /// First acknowledge, and when it came last.
    pub(in crate::diagnosis) acknowledge: Option<(u64, u64)>,
    /// The host's speed when it came last.
    pub(in crate::diagnosis) acknowledged_at: Option<Baud>,
    pub(in crate::diagnosis) exchanges: VecDeque<Exchange>,
    /// The first result that came when nothing waited for one any more.
    pub(in crate::diagnosis) late: Option<(u64, Result)>,
    /// What came unasked first since the last command, start-up messages aside.
    pub(in crate::diagnosis) aside: Option<(u64, String)>,
    /// Boot code was heard last, and not the application.
    pub(super) in_boot_code: bool,
    /// Start-up messages.
    pub(in crate::diagnosis) messages: Vec<Message>,
    /// The module said that it goes to sleep, and nothing since.
    pub(in crate::diagnosis) slept: Option<u64>,
    /// Anything that only the module says: a result, a start-up message, an acknowledge.
    pub(in crate::diagnosis) spoke: Option<u64>,
    /// The host's speed then.
    pub(in crate::diagnosis) spoke_at: Option<Baud>,
    /// The application has said that it starts, or has answered, and nothing was sent since that could have stayed in its line.
    pub(super) is_line_clean: bool,
    pub(super) acknowledges: u32,
    /// The echo of the last command was broken off by something that came unasked: the read, and the rest of it.
    pub(super) cut_echo: Option<(u64, Vec<u8>)>,
    /// The AT#LDRST that was answered OK before the command by which it began, and no hotkey was taken in between.
    pub(in crate::diagnosis) entered_by: Option<u64>,
    /// Reset was let go that was not asserted, or the supply switched on that was on: that starts nothing.
    pub(in crate::diagnosis) in_vain: Option<(Began, u64)>,
    /// The AT+IPR that had no answer yet when the host's speed was changed.
    pub(in crate::diagnosis) followed_early: Option<u64>,
    /// Lines that are nothing known.
    pub(in crate::diagnosis) strange: Vec<Line>,
    /// What came, by the host's speed at which it was read.
    pub(super) heard: Vec<Came>,
    /// The speed at which the module runs, as far as is known: it was heard there last, or has said OK to an AT+IPR.
    pub(super) runs_at: Option<Baud>,
    /// The host's speeds at which something was sent, with [`Since::runs_at`] then.
    pub(super) sent_at: BTreeSet<(Baud, Option<Baud>)>,
    /// The application said first that its core is starting.
    pub(in crate::diagnosis) starting_from: Option<MonoTime>,
    /// The wake line was asserted last.
    pub(in crate::diagnosis) woken: Option<(u64, MonoTime)>,
    /// The host's speed was changed since the start: what came then was not understood.
    pub(in crate::diagnosis) was_at_other_speed: bool,
    /// NUL and 0xFF between lines.
    pub(in crate::diagnosis) idle_noise: u32,
    /// Bytes that came before anything was sent.
    pub(in crate::diagnosis) unasked: u32,
    /// What was sent and has not come back yet.
    pub(super) mirror: VecDeque<u8>,
    /// Bytes that came back in the order in which they were sent; `None` once another one came.
    pub(in crate::diagnosis) mirrored: Option<u32>,
    /// The speed was changed after an `OK` to `AT+IPR`: the speed before, and the exchange.
    pub(in crate::diagnosis) switched: Option<(Baud, u64)>,
}

impl Since {
    pub(super) fn new(start: Option<Start>) -> Self {
        Self { start, mirrored: Some(0), ..Self::default() }
    }

    /// How long after the start a moment is; zero where there was none.
    pub(in crate::diagnosis) fn after_start(&self, moment: MonoTime) -> Duration {
        self.start.map_or(Duration::ZERO, |start| moment.since(start.at))
    }

    /// The first start-up message.
    pub(in crate::diagnosis) fn started(&self) -> Option<u64> {
        self.messages.first().map(|message| message.seq)
    }

    /// The last command.
    pub(in crate::diagnosis) fn last(&self) -> Option<&Exchange> {
        self.exchanges.back()
    }

    /// The command that is answered by what comes now. Not the last one where one before came back and has no result, while the last has not come back yet or was sent with it.
    pub(super) fn answered_now(&mut self, now: MonoTime) -> Option<&mut Exchange> {
        let last = self.exchanges.back()?;
        let is_recent = |one: &&Exchange| one.result.is_none() && one.speed == last.speed && last.at.since(one.at) < ANSWERS;
        // Whoever has gone into boot code answers nothing any more.
        let has_gone = |one: &Exchange| one.leaves() && (last.to_boot_code || self.acknowledge.is_some_and(|(_, latest)| latest > one.seq));
        let is_first = |one: &Exchange| {
            let is_before = !has_gone(one) && one.echo.is_some() && last.result.is_none() && (last.echo.is_none() || one.seq == last.seq);
            is_before && (one.text != last.text || now.since(last.at) > PAUSE)
        };
        let before = self.exchanges.iter().rev().skip(1).take_while(is_recent).enumerate();
        match before.filter(|(_, one)| is_first(one)).last() {
            None => self.exchanges.back_mut().filter(|last| last.is_open()),
            Some((place, _)) => self.exchanges.iter_mut().rev().nth(place + 1),
        }
    }

    /// The first command that the application answered by a result.
    pub(in crate::diagnosis) fn answered(&self) -> Option<&Exchange> {
        self.exchanges.iter().find(|exchange| exchange.is_applications())
    }

    /// The host's speeds at which something was sent while the module ran at another: at `speed`, where nothing else is known.
    pub(in crate::diagnosis) fn misframed_at(&self, speed: Baud) -> BTreeSet<Baud> {
        let was_heard = |sent: Baud| self.exchanges.iter().any(|exchange| exchange.speed == sent && exchange.result.is_some());
        let is_other = |(sent, runs): &&(Baud, Option<Baud>)| match runs {
            Some(runs) => sent != runs,
            None => *sent != speed && !was_heard(*sent),
        };
        self.sent_at.iter().filter(is_other).map(|(sent, _)| *sent).collect()
    }

    /// The commands that were sent at `speed` after the event `seq`.
    pub(super) fn asked_after(&self, seq: u64, speed: Baud) -> Vec<u64> {
        self.exchanges.iter().filter(|exchange| exchange.seq > seq && exchange.speed == speed).map(|exchange| exchange.seq).collect()
    }

    /// The first and the last hotkey.
    pub(in crate::diagnosis) fn hotkey_events(&self) -> impl Iterator<Item = u64> {
        self.hotkeys.into_iter().flat_map(|(first, last, _)| [first, last])
    }

    /// The mean pause between two hotkeys.
    pub(in crate::diagnosis) fn hotkeys_every(&self) -> Option<Duration> {
        let (.., count) = self.hotkeys?;
        self.hotkeys_until.checked_sub(self.hotkeys_from)?.checked_div(count.checked_sub(1)?)
    }

    /// The command to restart by which it began.
    pub(in crate::diagnosis) fn restart(&self) -> Option<&Exchange> {
        self.exchanges.iter().find(|exchange| exchange.restarts())
    }

    /// Whether anything came after the event `seq`, a line that floats aside.
    pub(in crate::diagnosis) fn has_come_after(&self, seq: u64) -> bool {
        let lines = self.exchanges.iter().flat_map(|exchange| &exchange.lines).chain(&self.strange).map(|line| line.seq);
        let echoes = self.exchanges.iter().filter_map(|exchange| exchange.echo);
        self.spoke.into_iter().chain(lines).chain(echoes).any(|came| came > seq)
    }

    /// Whether a command was sent that does not restart the module.
    pub(in crate::diagnosis) fn is_asked(&self) -> bool {
        self.exchanges.iter().any(|exchange| !exchange.restarts())
    }

    /// Whether two commands at `speed` brought nothing, one of which may be lost by a module that sleeps.
    pub(in crate::diagnosis) fn was_silent_at(&self, speed: Baud) -> bool {
        let mut there = self.exchanges.iter().filter(|exchange| exchange.speed == speed && !exchange.restarts());
        there.clone().count() >= 2
            && there.all(|exchange| exchange.result.is_none() && exchange.lines.is_empty() && exchange.echo.is_none())
    }

    /// Whether anything came while the host was at another speed than this one, so long after the start that it may have been a start-up message.
    pub(in crate::diagnosis) fn is_heard_elsewhere(&self, speed: Baud) -> bool {
        self.came_elsewhere(speed).is_some()
    }

    /// How long after the start that was.
    pub(in crate::diagnosis) fn came_elsewhere(&self, speed: Baud) -> Option<Duration> {
        self.heard.iter().filter(|heard| heard.speed != speed && heard.last > SOONEST).map(|heard| heard.last).min()
    }

    /// Whether nothing was answered, and the application had not started before what it says now.
    pub(super) fn is_starting_first(&self, now: MonoTime) -> bool {
        let had_started = self.messages.first().is_some_and(|message| now.since(message.at) > REASON);
        // What was sent before it had started may be answered right before it says so.
        let had_answered = self.answered().is_some_and(|answered| now.since(answered.at + answered.took) > REASON);
        !had_started && !had_answered && self.acknowledge.is_none()
    }

    /// Whether the application has said that it is on its way up, and not yet that it has started.
    pub(super) fn is_core_starting(&self, speed: Baud) -> bool {
        self.started().is_some() && !self.heard_at(speed).windows(SYSSTART.len()).any(|window| window == SYSSTART)
    }

    /// All that came at `speed`, one behind the other.
    pub(in crate::diagnosis) fn heard_at(&self, speed: Baud) -> &[u8] {
        self.heard.iter().find(|heard| heard.speed == speed).map_or(&[], |heard| &heard.bytes)
    }

    /// Whether nothing came, or no more than a line that floats gives.
    pub(in crate::diagnosis) fn is_silent(&self, speed: Baud) -> bool {
        self.spoke.is_none()
            && self.strange.is_empty()
            && self.idle_noise <= FLOATING
            && self
                .exchanges
                .iter()
                .filter(|exchange| exchange.speed == speed && !exchange.restarts())
                .all(|exchange| exchange.echo.is_none() && exchange.lines.is_empty())
    }
}
