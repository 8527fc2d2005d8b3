//! What a timeline says, gathered event by event: commands with their answers, starts with their messages, the upload. Nothing here knows a cause.

mod damaged;
mod exchange;
mod input;
mod probed;
mod since;
mod upload;

pub(super) use exchange::{End, Exchange, Line, Result, is_known_command, is_told_more};
pub(super) use probed::{Brought, Probed, Taken};
pub(super) use since::{Began, Start};
pub(super) use upload::Upload;

use std::collections::BTreeSet;
use std::time::Duration;

use self::damaged::Told;
use self::exchange::{BOOT_COMMANDS, RADIO_OFF, is_restart};
use self::since::Since;
use super::Probe;
use crate::baud::Baud;
use crate::image::{KeyNumber, Version};
use crate::seam::LineState;
use crate::time::MonoTime;
use crate::timeline::event::{Direction, Edge, EndedBy, Event, EventKind, StepOutcome};

const HOTKEY: u8 = 0xC5;
const ACKNOWLEDGE: u8 = 0x9A;
/// The most bytes, lines and commands that are kept since a start: what decides stands at its beginning or at its end.
const BYTES: usize = 4096;
const LINES: usize = 64;
const LINE: usize = 256;
const EXCHANGES: usize = 64;
/// So much comes late of a module that answers late.
const LATE: u32 = 2;
/// Longer than any pause within a line, a USB adapter's latency included.
const PAUSE: Duration = Duration::from_millis(100);

/// Why it restarted a module says soon behind that it has started, where it says it later.
const REASON: Duration = Duration::from_secs(1);

/// What ends so soon behind what came was ended by that.
const AT_ONCE: Duration = Duration::from_millis(2);

/// How long the application may take to start, where the timeline does not say (mbed: up to about 30 s).
const START_UP: Duration = crate::bench::START_UP;

/// What shows that the module heard the host, in the whole case.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    /// Boot code acknowledged a hotkey or answered a command last.
    pub(super) by_boot_code: Option<u64>,
    /// Boot code answered a command last.
    pub(super) by_boot_code_result: Option<u64>,
    /// The application answered a command last, and the host's speed then.
    pub(super) by_application: Option<(u64, Baud)>,
}

/// The end of the last step that failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    /// Where it began, and when.
    pub(super) begun: u64,
    pub(super) begun_at: MonoTime,
    pub(super) seq: u64,
    pub(super) at: MonoTime,
    /// The last read in it.
    pub(super) came: Option<u64>,
    /// Nothing had come right before it: its time was over.
    pub(super) is_by_time: bool,
    /// What ended it, where that was something else than what it waits for.
    pub(super) by: Option<EndedBy>,
}

/// A restart that nobody commanded.
#[derive(Debug, Clone)]
pub(super) struct Restarted {
    pub(super) seq: u64,
    pub(super) at: MonoTime,
    pub(super) message: String,
    /// The message was the first thing that came since a commanded start, so long after that.
    pub(super) first_after: Option<Duration>,
}

/// All that the rules look at.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) start_up: Duration,
    /// The speed at which the board should be.
    pub(super) home: Baud,
    /// The version that the board is known to have had before the case.
    pub(super) installed: Option<Version>,
    pub(super) speed: Baud,
    /// The last event.
    pub(super) now: MonoTime,
    /// The port is gone: when that was seen, and what the system said.
    pub(super) gone: Option<(u64, String)>,
    /// The first restart that nobody commanded.
    pub(super) restarted: Option<Restarted>,
    /// The reset line was read back as asserted although it is let go.
    pub(super) stuck: Option<u64>,
    /// It was read back as released when it was let go.
    pub(super) is_seen_released: bool,
    pub(super) is_held: bool,
    /// The assertion that was the last.
    pub(super) held_by: Option<u64>,
    pub(super) is_off: bool,
    /// What switched the supply off last.
    pub(super) off_by: Option<u64>,
    /// What held the module in reset or switched it off last, and when: it ends in the middle of what it says.
    stopped: Option<(u64, MonoTime)>,
    /// The host's transmit line is held low.
    is_transmit_held: bool,
    /// It was not when the supply was switched off last: it idled high.
    pub(super) is_transmit_high: bool,
    /// Bytes that came while the supply was off.
    pub(super) spoke_without_supply: Option<u64>,
    pub(super) since: Since,
    /// What the module last said before it last began anew.
    pub(super) spoke_before: Option<u64>,
    pub(super) upload: Option<Upload>,
    image: Option<String>,
    /// The first answer to each command.
    told: Vec<Told>,
    /// The application refused to enter boot code because it was still starting: the command, and the answer.
    pub(super) entry_refused: Option<(u64, u64)>,
    /// A command to restart that started no application until it was restarted otherwise.
    pub(super) restarted_in_vain: Option<u64>,
    /// What reset it last, by its line or its supply.
    pub(super) begun_by_line: Option<u64>,
    /// The last AT+IPR that was taken (OK, boot code: 0), and the speed that it told.
    pub(super) moved: Option<(u64, Baud)>,
    /// The application said OK to the command that enters boot code.
    pub(super) entry_taken: Option<u64>,
    /// How many hotkeys were sent after the resets before the last one, each in vain, and after how many.
    pub(super) hotkeys_before: (u32, u32),
    /// The module said that it goes to sleep, and these commands at its speed brought nothing until it was reset.
    pub(super) slept_through: Option<(u64, Vec<u64>)>,
    /// What shows that the host was heard, in the whole case.
    pub(super) heard: Heard,
    /// Version and key number of the last image that was accepted.
    pub(super) took: Option<(Version, KeyNumber)>,
    /// Known words that came damaged, and answers that show a command damaged or lost, in the whole case, at most eight.
    damaged: Vec<u64>,
    /// How many of them show a command damaged or lost.
    pub(super) commands_hit: usize,
    /// A probe was answered, then several were not, and this one was again.
    gap: Option<u64>,
    /// How often an echo or an answer came late: when something else had been sent, or behind its result.
    late: u32,
    pub(super) probed: Option<Probed>,
    /// Where the last step began, and when.
    step_begun: (u64, MonoTime),
    /// The last step that failed.
    pub(super) failed: Option<Failed>,
    /// When bytes came last.
    came_at: MonoTime,
    line: Vec<u8>,
    /// The last byte that came.
    last_byte: Option<u8>,
    /// An LF without a CR before it, and the host's speed then.
    bare_lf: Option<(u64, Baud)>,
    /// When a line ended last.
    ended_at: MonoTime,
    /// A line that ended with CR: an LF may follow.
    pending: Option<(u64, Vec<u8>)>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            start_up: START_UP,
            home: Baud::DEFAULT,
            installed: None,
            speed: Baud::DEFAULT,
            now: MonoTime::ZERO,
            gone: None,
            restarted: None,
            stuck: None,
            is_seen_released: false,
            is_held: false,
            held_by: None,
            is_off: false,
            off_by: None,
            stopped: None,
            is_transmit_held: false,
            is_transmit_high: false,
            spoke_without_supply: None,
            since: Since::new(None),
            spoke_before: None,
            upload: None,
            image: None,
            told: Vec::new(),
            entry_refused: None,
            restarted_in_vain: None,
            begun_by_line: None,
            moved: None,
            entry_taken: None,
            hotkeys_before: (0, 0),
            slept_through: None,
            heard: Heard::default(),
            took: None,
            damaged: Vec::new(),
            commands_hit: 0,
            gap: None,
            late: 0,
            probed: None,
            step_begun: (0, MonoTime::ZERO),
            failed: None,
            came_at: MonoTime::ZERO,
            line: Vec::new(),
            last_byte: None,
            bare_lf: None,
            ended_at: MonoTime::ZERO,
            pending: None,
        }
    }
}

/// A command in capitals, up to its values: the application takes small letters.
fn capitals(sent: &str) -> String {
    let (name, value) = sent.split_at(sent.find('=').unwrap_or(sent.len()));
    let is_at = name.get(..2).is_some_and(|at| at.eq_ignore_ascii_case("AT"));
    if is_at { name.to_ascii_uppercase() + value } else { sent.to_owned() }
}

impl Facts {
    /// The reads that brought known words that came damaged, or answers that show a command damaged or lost, in the whole case, at most eight.
    pub(super) fn damaged(&self) -> &[u64] {
        &self.damaged
    }

    /// Takes the next event. `bytes` are those that it names, or the first of them.
    pub(super) fn take(&mut self, event: &Event, bytes: &[u8]) {
        self.now = self.now.max(event.t);
        match &event.kind {
            EventKind::Case(case) => {
                self.start_up = case.start_up_ns.map_or(START_UP, Duration::from_nanos);
                self.home = case.home_speed.unwrap_or(Baud::DEFAULT);
            }
            EventKind::Property(property) if property.name == "firmware" => self.installed = property.value.parse().ok(),
            EventKind::Property(property) if property.name.starts_with("image.") && !property.name.ends_with(".sha256") => {
                self.image = Some(property.value.clone());
            }
            EventKind::Speed(speed) => self.speed_set(speed.actual),
            EventKind::Edge(edge) => self.edge(event, edge),
            EventKind::Level(level) if level.line == "reset" => {
                self.stuck = (level.state == LineState::Asserted && !self.is_held).then_some(event.seq);
                self.is_seen_released = level.state == LineState::Released && !self.is_held;
            }
            EventKind::Probe(probe) => self.probe(probe.probe, event.seq),
            EventKind::StepStart(_) => self.step_begun = (event.seq, event.t),
            EventKind::StepEnd(end) if end.outcome == StepOutcome::Failed => {
                let (begun, begun_at) = self.step_begun;
                let came = self.since.last_in.filter(|last| *last > begun);
                let is_by_time = event.t.since(self.came_at) > AT_ONCE;
                self.failed = Some(Failed { begun, begun_at, seq: event.seq, at: event.t, came, is_by_time, by: end.by });
            }
            EventKind::Break(transmit) => self.is_transmit_held = transmit.held,
            EventKind::Gone(gone) => self.gone = Some((event.seq, gone.reason.clone())),
            EventKind::Restart(restart) if !restart.commanded => {
                let message = restart.message.clone();
                let is_first = self.since.start.is_some() && self.since.is_starting_first(event.t) && !message.starts_with("#REBOOT_WD");
                let first_after = is_first.then(|| self.since.after_start(self.now));
                self.restarted.get_or_insert(Restarted { seq: event.seq, at: event.t, message, first_after });
            }
            EventKind::Request(request) => {
                if let Some(upload) = &mut self.upload {
                    upload.asked = Some((event.seq, request.asked));
                    if upload.requests == 0 {
                        upload.first_at = event.t;
                    }
                    upload.last_at = event.t;
                    upload.requests += 1;
                    (upload.sent, upload.total, upload.given) = (request.sent, request.total, false);
                    if upload.is_accepted() {
                        self.took = upload.named().map(|(versions, key)| (versions.a, key)).or(self.took);
                    }
                }
                // The byte is a request and no part of a line.
                self.line.clear();
                self.pending = None;
            }
            EventKind::Bytes(data) if data.direction == Direction::Out => self.out(event, bytes),
            EventKind::Bytes(_) => self.input(event, bytes),
            _ => {}
        }
    }

    fn probe(&mut self, probe: Probe, seq: u64) {
        let (began, speed) = (self.since.start, self.speed);
        let fresh = || Probed {
            now: probe,
            seq,
            first: seq,
            done: BTreeSet::new(),
            resets_at: BTreeSet::new(),
            began,
            answered: None,
            answered_by_boot_code: None,
            line: None,
            started: None,
            acknowledged: None,
            has_sent: false,
            overheard: None,
            speed: self.speed,
            strange: Vec::new(),
            strange_elsewhere: None,
            unasked: Vec::new(),
            waits_at: BTreeSet::new(),
        };
        let probed = self.probed.get_or_insert_with(fresh);
        probed.now = probe;
        probed.seq = seq;
        probed.has_sent = false;
        probed.done.insert(probe);
        match probe {
            Probe::Reset => drop(probed.resets_at.insert(speed)),
            Probe::Wait => drop(probed.waits_at.insert(speed)),
            Probe::Ask | Probe::Wake | Probe::Listen | Probe::Boot => {}
        }
    }

    /// A probe brought this.
    fn brought<T>(&self, what: T) -> Option<Brought<T>> {
        let probed = self.probed.as_ref()?;
        Some(Brought {
            what,
            speed: self.speed,
            after: self.since.after_start(self.now),
            is_before_reset: probed.began == self.since.start,
        })
    }

    /// The same, with the lines that nothing followed.
    pub(super) fn settled(&self) -> Self {
        let mut facts = self.clone();
        facts.end_pending(End::Cr);
        facts.end_line();
        if let Some(gap) = facts.gap.take_if(|_| facts.late < LATE) {
            // No module sleeps or starts in between, and this one takes no longer than others for an answer: commands were lost.
            facts.note_command_hit(gap);
        }
        facts
    }

    /// Whether an image is being pulled.
    fn is_uploading(&self) -> bool {
        let begun = self.since.last().is_some_and(|last| last.text == "AT#UP" && matches!(last.result, Some((_, Result::Zero))));
        begun && self.upload.as_ref().is_some_and(Upload::is_running)
    }

    fn speed_set(&mut self, speed: Baud) {
        if speed != self.speed {
            self.end_pending(End::Cr);
            let told = self.since.last().filter(|last| last.text.starts_with("AT+IPR="));
            let followed_early = told.filter(|last| last.is_open() && self.now.since(last.at) < PAUSE).map(|last| last.seq);
            self.since.switched = told.filter(|last| last.result.is_some()).map(|last| (self.speed, last.seq));
            self.since.followed_early = followed_early;
            self.since.is_line_clean = false;
            self.speed = speed;
            self.line.clear();
            self.pending = None;
            self.bare_lf = None;
            self.close_exchange();
            // What was no word at that speed says nothing of this one.
            self.since.strange.clear();
            self.since.idle_noise = 0;
            self.since.was_at_other_speed = self.since.start.is_some();
        }
    }

    /// What was asked last gets no answer any more.
    fn close_exchange(&mut self) {
        self.end_cut_echo();
        if let Some(last) = self.since.exchanges.back_mut() {
            last.is_over = true;
        }
    }

    fn edge(&mut self, event: &Event, edge: &Edge) {
        match (edge.line.as_str(), edge.state) {
            ("reset", LineState::Asserted) => {
                (self.is_held, self.held_by) = (true, Some(event.seq));
                self.stop(event);
            }
            ("wake", LineState::Asserted) => self.since.woken = Some((event.seq, event.t)),
            ("reset", LineState::Released) if self.is_held => {
                self.is_held = false;
                self.begin(Began::Reset, event.seq, event.t);
            }
            ("reset", LineState::Released) => self.since.in_vain = Some((Began::Reset, event.seq)),
            ("power", LineState::Released) => {
                (self.is_off, self.off_by) = (true, Some(event.seq));
                self.is_transmit_high = !self.is_transmit_held;
                self.stop(event);
            }
            ("power", LineState::Asserted) if self.is_off => {
                self.is_off = false;
                self.begin(Began::Power, event.seq, event.t);
            }
            ("power", LineState::Asserted) => self.since.in_vain = Some((Began::Power, event.seq)),
            _ => {}
        }
    }

    /// The module ends in the middle of what it says: what stands in the line is no word, damaged or not.
    fn stop(&mut self, event: &Event) {
        self.stopped = Some((event.seq, event.t));
        self.end_pending(End::CrLf);
        self.line.clear();
    }

    fn begin(&mut self, how: Began, seq: u64, at: MonoTime) {
        self.end_pending(End::Cr);
        self.line.clear();
        self.spoke_before = self.since.spoke.or(self.spoke_before);
        let commanded = self.since.start.filter(|start| start.how == Began::Command && self.since.started().is_none());
        self.restarted_in_vain = commanded.map(|start| start.seq).or(self.restarted_in_vain);
        if how != Began::Command {
            self.begun_by_line = Some(seq);
        }
        self.hotkeys_before = match self.since.hotkeys.filter(|_| self.since.hotkey_is_last) {
            Some((.., count)) => (self.hotkeys_before.0 + count, self.hotkeys_before.1 + 1),
            None => (0, 0),
        };
        if let Some(slept) = self.since.slept {
            self.slept_through = Some((slept, self.since.asked_after(slept, self.since.runs_at.unwrap_or(self.home))));
        }
        let last =
            self.since.last().filter(|last| how == Began::Command && self.entry_taken == Some(last.seq) && self.since.hotkeys.is_none());
        let entered_by = last.map(|last| last.seq);
        self.since = Since { entered_by, ..Since::new(Some(Start { how, seq, at })) };
        self.stuck = None;
    }

    fn out(&mut self, event: &Event, bytes: &[u8]) {
        let seq = event.seq;
        if event.t.since(self.came_at) > PAUSE {
            self.note_bare_cr();
        }
        self.end_pending(End::Cr);
        if !self.is_uploading() {
            self.end_old_line(event.t);
            // The answer to what leads into boot code, or restarts, may come behind the first hotkeys.
            let is_hotkey_behind_entry = bytes.first() == Some(&HOTKEY) && self.since.last().is_some_and(Exchange::leaves);
            if !is_hotkey_behind_entry {
                self.close_exchange();
            }
        }
        if let Some(probed) = &mut self.probed {
            probed.has_sent = true;
        }
        if self.since.first_out.is_none() {
            self.since.first_out = Some(seq);
            self.since.first_out_after = self.since.after_start(event.t);
        }
        self.since.last_out = Some(seq);
        self.since.has_sent_lf |= bytes.contains(&b'\n');
        self.since.sent_at.insert((self.speed, self.since.runs_at));
        if self.since.mirrored.is_some() && self.since.mirror.len() < BYTES {
            self.since.mirror.extend(bytes);
        }
        if self.is_uploading() {
            if let Some(upload) = &mut self.upload {
                upload.given = true;
            }
            return;
        }
        self.since.is_line_clean &= bytes.first() != Some(&HOTKEY);
        if bytes.first() == Some(&HOTKEY) {
            let (first, _, count) = self.since.hotkeys.unwrap_or((seq, seq, 0));
            self.since.hotkeys = Some((first, seq, count + 1));
            self.since.hotkeys_until = self.since.after_start(event.t);
            if count == 0 {
                self.since.hotkeys_from = self.since.hotkeys_until;
            }
            self.since.hotkey_is_last = true;
            return;
        }
        let Some(line) = bytes.strip_suffix(b"\r") else {
            let room = BYTES.saturating_sub(self.since.unended.len());
            self.since.unended.extend(bytes.iter().take(room));
            self.since.is_line_clean = false;
            return;
        };
        let has_preamble = bytes.first() == Some(&0x08);
        for command in line.split(|byte| *byte == b'\r') {
            let preamble = command.iter().take_while(|byte| **byte == 0x08).count();
            let command = &command[preamble..];
            let mut before = std::mem::take(&mut self.since.unended);
            let is_at = |text: &[u8]| text.get(..2).is_some_and(|text| text.eq_ignore_ascii_case(b"AT"));
            if is_at(&before) && !is_at(command) {
                // It was sent in pieces.
                before.extend(command);
                self.command(event, &before, Vec::new(), has_preamble);
            } else if command.len() > 1 && command.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                self.command(event, command, before, has_preamble);
            }
        }
    }

    /// A command was sent, and CR behind it; what was sent `before` it stands in its line.
    fn command(&mut self, event: &Event, command: &[u8], before: Vec<u8>, has_preamble: bool) {
        let seq = event.seq;
        let sent = String::from_utf8_lossy(command).into_owned();
        let is_boot_codes = has_preamble || self.since.in_boot_code || self.since.hotkey_is_last;
        let text = if is_boot_codes { sent.clone() } else { capitals(&sent) };
        let again = self.since.last().is_some_and(|last| last.to_boot_code && last.text == text);
        let is_word = BOOT_COMMANDS.contains(&text.as_str()) || text.starts_with("AT+IPR=");
        let to_boot_code = has_preamble
            || (self.since.in_boot_code && (again || is_word))
            || (self.since.hotkey_is_last && is_word && self.since.started().is_none());
        if text == "AT#UP" {
            self.upload = Some(Upload {
                file: self.image.clone(),
                took: self.took,
                installed: self.took.map(|(version, _)| version).or(self.installed),
                seq,
                asked: None,
                sent: 0,
                total: 0,
                given: false,
                first_at: event.t,
                last_at: event.t,
                requests: 0,
            });
        }
        if is_restart(&text) {
            self.begin(Began::Command, seq, event.t);
            self.since.first_out = Some(seq);
            self.since.last_out = Some(seq);
            self.since.mirror.extend(command.iter().chain(b"\r"));
        }
        if self.since.exchanges.len() == EXCHANGES {
            self.since.exchanges.pop_front();
        }
        self.since.aside = None;
        let is_first = self.since.exchanges.iter().all(|exchange| exchange.text == RADIO_OFF);
        self.since.exchanges.push_back(Exchange {
            seq,
            speed: self.speed,
            text,
            sent,
            before,
            behind_hotkeys: self.since.hotkey_is_last,
            slept: self.since.slept,
            is_first,
            to_boot_code,
            has_preamble,
            echo: None,
            lines: Vec::new(),
            result: None,
            at: event.t,
            took: Duration::ZERO,
            is_result_first: false,
            is_over: false,
        });
        self.since.hotkey_is_last = false;
    }
}
