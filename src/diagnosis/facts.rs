//! What a timeline says, gathered event by event: commands with their answers, starts with their messages, the upload. Nothing here knows a cause.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::{Probe, damage};
use crate::baud::Baud;
use crate::image::{KeyNumber, Version, Versions};
use crate::seam::LineState;
use crate::time::MonoTime;
use crate::timeline::event::{Direction, Edge, Event, EventKind};

const HOTKEY: u8 = 0xC5;
const ACKNOWLEDGE: u8 = 0x9A;
/// The most bytes, lines and commands that are kept since a start: what decides stands at its beginning or at its end.
const BYTES: usize = 4096;
const LINES: usize = 64;
const LINE: usize = 256;
const EXCHANGES: usize = 64;
const DAMAGED_LINES: usize = 8;
/// Longer than any pause within a line, a USB adapter's latency included.
const PAUSE: Duration = Duration::from_millis(100);
/// Commands that every module knows.
const KNOWN_COMMANDS: [&str; 6] = ["AT", "ATI", "AT+CGMR", "AT+CGSN", "ATE0", "AT+CMEE=1"];
/// Commands that boot code knows, besides `AT+IPR`.
const BOOT_COMMANDS: [&str; 4] = ["ATI0", "ATI01", "AT#UP", "AT#BOOT"];
/// No application says that it has started sooner. An assumption.
const SOONEST: Duration = Duration::from_millis(400);
/// As many NUL and 0xFF come of a line that floats at a start.
const FLOATING: u32 = 20;

/// How long the application may take to start, where the timeline does not say (mbed: up to about 30 s).
const START_UP: Duration = crate::bench::START_UP;

/// Whether every application takes a command, so that an error can only mean that it arrived damaged.
pub(super) fn is_known_command(command: &str) -> bool {
    KNOWN_COMMANDS.contains(&command) || matches!(command, "AT+IPR=115200" | "AT+IPR=460800")
}

/// Whether a command restarts the module.
fn is_restart(command: &str) -> bool {
    command == "AT#BOOT" || command.starts_with("AT#RESET=")
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// CR alone, as boot code ends lines.
    Cr,
    /// CR LF, as the application does.
    CrLf,
    /// LF alone.
    Lf,
    /// Not at all: something else happened in between.
    None,
}

/// A line that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) text: Vec<u8>,
    pub(super) end: End,
}

/// A final result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Result {
    /// `OK` of the application.
    Ok,
    /// `ERROR` of the application.
    Error,
    /// `+CME ERROR`, with its number.
    Cme(Option<u32>),
    /// `0` of boot code.
    Zero,
    /// `40xx` of boot code.
    Code(String),
}

impl Result {
    /// Whether the application said it, not boot code.
    pub(super) const fn is_applications(&self) -> bool {
        matches!(self, Self::Ok | Self::Error | Self::Cme(_))
    }
}

/// A command, and what came after it.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) seq: u64,
    /// The host's speed.
    pub(super) speed: Baud,
    pub(super) text: String,
    /// Whether it is the first one since the start.
    pub(super) is_first: bool,
    /// Whether a hotkey went before it, or the boot code's preamble.
    pub(super) to_boot_code: bool,
    /// The read that brought it back, character for character.
    pub(super) echo: Option<u64>,
    pub(super) lines: Vec<Line>,
    pub(super) result: Option<(u64, Result)>,
    /// Something else was sent after it, or at another speed: what comes now is not its answer.
    is_over: bool,
}

impl Exchange {
    /// Whether what comes now can be its answer.
    const fn is_open(&self) -> bool {
        self.result.is_none() && !self.is_over
    }

    /// Whether the application goes, perhaps in the middle of its echo.
    fn leaves(&self) -> bool {
        self.restarts() || self.text.starts_with("AT#LDRST")
    }

    /// Whether it restarts the module.
    pub(super) fn restarts(&self) -> bool {
        is_restart(&self.text)
    }

    /// Whether it is one of boot code's commands, `AT+IPR` aside: the application has that as well.
    pub(super) fn is_boot_command(&self) -> bool {
        BOOT_COMMANDS.contains(&self.text.as_str())
    }

    /// Whether it is a loader's word: one that boot code should have answered.
    pub(super) fn is_loaders(&self) -> bool {
        self.to_boot_code || self.is_boot_command() || (self.is_first && self.text.starts_with("AT+IPR="))
    }

    /// The version in an answer to `AT+CGMR` or `ATI`, and the read that brought it.
    pub(super) fn version(&self) -> Option<(u64, Version)> {
        let asked = self.text == "AT+CGMR" || self.text == "ATI";
        let read = |line: &Line| Some((line.seq, str::from_utf8(&line.text).ok()?.parse().ok()?));
        self.lines.iter().filter(|_| asked).find_map(read)
    }
}

/// How the module last began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Began {
    /// The reset line was let go.
    Reset,
    /// The supply came on.
    Power,
    /// `AT#BOOT` or `AT#RESET`.
    Command,
}

/// Since when, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) how: Began,
    pub(super) seq: u64,
    pub(super) at: MonoTime,
}

/// An upload, as far as it went.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    /// The image's file name, where it is known.
    pub(super) file: Option<String>,
    pub(super) seq: u64,
    /// The last request, and its event.
    pub(super) asked: Option<(u64, i8)>,
    pub(super) sent: u64,
    pub(super) total: u64,
    /// Whether bytes that were asked for have been sent.
    pub(super) given: bool,
}

impl Upload {
    pub(super) fn ended(&self) -> Option<(u64, i8)> {
        self.asked.filter(|(_, asked)| *asked <= 0)
    }

    fn is_running(&self) -> bool {
        self.asked.is_none_or(|(_, asked)| asked > 0)
    }

    /// Versions and key number in the file's name.
    pub(super) fn named(&self) -> Option<(Versions, KeyNumber)> {
        let file = self.file.as_deref()?;
        Versions::from_file_name(file.strip_prefix(DAMAGED).unwrap_or(file)).ok()
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.file.as_deref().is_some_and(|file| file.starts_with(DAMAGED))
    }

    /// Whether all of it was taken.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.asked, Some((_, 0))) && self.sent >= self.total
    }
}

/// What begins the name of an image that was damaged on purpose.
const DAMAGED: &str = "damaged_";

/// What probes brought, over all of them.
#[derive(Debug, Clone)]
pub(super) struct Probed {
    /// The one that is carried out now, or was last.
    pub(super) now: Probe,
    /// Its event.
    seq: u64,
    /// All that were carried out.
    pub(super) done: BTreeSet<Probe>,
    /// The host's speeds at which the module was reset.
    pub(super) resets_at: BTreeSet<Baud>,
    /// The start that the first one found.
    began: Option<Start>,
    /// The first command that the application answered.
    pub(super) answered: Option<Brought<Exchange>>,
    /// The first start-up message.
    pub(super) started: Option<Brought<(u64, String)>>,
    /// Boot code took the hotkey: the read, and how long after the start.
    pub(super) acknowledged: Option<(u64, Duration)>,
    /// Something was sent since it began.
    has_sent: bool,
    /// Bytes that came while nothing was sent.
    pub(super) overheard: Option<u64>,
    /// The host's speed when the first one began, and what came at it that was no word of the module.
    pub(super) speed: Baud,
    pub(super) strange: Vec<Line>,
    /// What came first that was no word of the module at another speed, behind a start-up message that was.
    pub(super) strange_elsewhere: Option<u64>,
    /// What came before a probe had sent anything, by the host's speed.
    pub(super) unasked: Vec<(Baud, Vec<u8>)>,
    /// The host's speeds at which nothing was sent for as long as a start takes.
    pub(super) waits_at: BTreeSet<Baud>,
}

/// Something that a probe brought.
#[derive(Debug, Clone)]
pub(super) struct Brought<T> {
    pub(super) what: T,
    /// The host's speed then.
    pub(super) speed: Baud,
    /// No probe had reset the module before it.
    pub(super) is_before_reset: bool,
}

/// What came while the host was at one speed.
#[derive(Debug, Clone)]
struct Heard {
    speed: Baud,
    /// Without the bytes of uploads.
    bytes: Vec<u8>,
    /// When bytes came last, after the start.
    last: Duration,
}

/// What happened since the module last began anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Since {
    pub(super) start: Option<Start>,
    pub(super) first_out: Option<u64>,
    pub(super) last_out: Option<u64>,
    pub(super) first_in: Option<u64>,
    pub(super) last_in: Option<u64>,
    /// First and last hotkey, and how many.
    pub(super) hotkeys: Option<(u64, u64, u32)>,
    /// How long after the start the first and the last one were.
    pub(super) hotkeys_from: Duration,
    pub(super) hotkeys_until: Duration,
    /// The last thing that was sent to be answered is a hotkey.
    pub(super) hotkey_is_last: bool,
    /// First acknowledge, and when it came last.
    pub(super) acknowledge: Option<(u64, u64)>,
    pub(super) exchanges: VecDeque<Exchange>,
    /// Boot code was heard last, and not the application.
    in_boot_code: bool,
    /// The first start-up message.
    pub(super) started: Option<u64>,
    /// The module said that it goes to sleep, and nothing since.
    pub(super) slept: Option<u64>,
    /// Anything that only the module says: a result, a start-up message, an acknowledge.
    pub(super) spoke: Option<u64>,
    /// The host's speed then.
    pub(super) spoke_at: Option<Baud>,
    /// The application has said that it starts, or has answered, and nothing was sent since that could have stayed in its line.
    is_line_clean: bool,
    acknowledges: u32,
    /// The echo of the last command was broken off by something that came unasked: the read, and the rest of it.
    cut_echo: Option<(u64, Vec<u8>)>,
    /// Lines that are nothing known.
    pub(super) strange: Vec<Line>,
    /// What came, by the host's speed at which it was read.
    heard: Vec<Heard>,
    /// The host's speed was changed since the start: what came then was not understood.
    pub(super) was_at_other_speed: bool,
    /// NUL and 0xFF between lines.
    pub(super) idle_noise: u32,
    /// Bytes that came before anything was sent.
    pub(super) unasked: u32,
    /// What was sent and has not come back yet.
    mirror: VecDeque<u8>,
    /// Bytes that came back in the order in which they were sent; `None` once another one came.
    pub(super) mirrored: Option<u32>,
    /// The speed was changed after an `OK` to `AT+IPR`: the speed before, and the exchange.
    pub(super) switched: Option<(Baud, u64)>,
}

impl Since {
    fn new(start: Option<Start>) -> Self {
        Self { start, mirrored: Some(0), ..Self::default() }
    }

    /// How long after the start a moment is; zero where there was none.
    fn after_start(&self, moment: MonoTime) -> Duration {
        self.start.map_or(Duration::ZERO, |start| moment.since(start.at))
    }

    /// The last command.
    pub(super) fn last(&self) -> Option<&Exchange> {
        self.exchanges.back()
    }

    /// The first command that the application answered by a result.
    pub(super) fn answered(&self) -> Option<&Exchange> {
        self.exchanges.iter().find(|exchange| exchange.result.as_ref().is_some_and(|(_, result)| result.is_applications()))
    }

    /// Whether a command was sent that does not restart the module.
    pub(super) fn is_asked(&self) -> bool {
        self.exchanges.iter().any(|exchange| !exchange.restarts())
    }

    /// Whether two commands at `speed` brought nothing, one of which may be lost by a module that sleeps.
    pub(super) fn was_silent_at(&self, speed: Baud) -> bool {
        let mut there = self.exchanges.iter().filter(|exchange| exchange.speed == speed && !exchange.restarts());
        there.clone().count() >= 2
            && there.all(|exchange| exchange.result.is_none() && exchange.lines.is_empty() && exchange.echo.is_none())
    }

    /// Whether anything came while the host was at another speed than this one, so long after the start that it may have been a start-up message.
    pub(super) fn is_heard_elsewhere(&self, speed: Baud) -> bool {
        self.heard.iter().any(|heard| heard.speed != speed && heard.last > SOONEST)
    }

    /// All that came at `speed`, one behind the other.
    pub(super) fn heard_at(&self, speed: Baud) -> &[u8] {
        self.heard.iter().find(|heard| heard.speed == speed).map_or(&[], |heard| &heard.bytes)
    }

    /// Whether nothing came, or no more than a line that floats gives.
    pub(super) fn is_silent(&self, speed: Baud) -> bool {
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

/// The first answer to a command.
#[derive(Debug, Clone)]
struct Told {
    command: String,
    exchange: u64,
    lines: Vec<Vec<u8>>,
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
    /// A restart that nobody commanded.
    pub(super) restarted: Option<(u64, String)>,
    /// The reset line was read back as asserted although it is let go.
    pub(super) stuck: Option<u64>,
    pub(super) is_held: bool,
    pub(super) is_off: bool,
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
    /// Known words that came damaged, in the whole case, at most eight.
    damaged: Vec<u64>,
    pub(super) probed: Option<Probed>,
    /// When bytes came last.
    came_at: MonoTime,
    line: Vec<u8>,
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
            is_held: false,
            is_off: false,
            spoke_without_supply: None,
            since: Since::new(None),
            spoke_before: None,
            upload: None,
            image: None,
            told: Vec::new(),
            entry_refused: None,
            damaged: Vec::new(),
            probed: None,
            came_at: MonoTime::ZERO,
            line: Vec::new(),
            pending: None,
        }
    }
}

impl Facts {
    /// The reads that brought known words that came damaged, in the whole case, at most eight.
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
            }
            EventKind::Probe(probe) => self.probe(probe.probe, event.seq),
            EventKind::Gone(gone) => self.gone = Some((event.seq, gone.reason.clone())),
            EventKind::Restart(restart) if !restart.commanded => {
                self.restarted.get_or_insert((event.seq, restart.message.clone()));
            }
            EventKind::Request(request) => {
                if let Some(upload) = &mut self.upload {
                    upload.asked = Some((event.seq, request.asked));
                    (upload.sent, upload.total, upload.given) = (request.sent, request.total, false);
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
            done: BTreeSet::new(),
            resets_at: BTreeSet::new(),
            began,
            answered: None,
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
        Some(Brought { what, speed: self.speed, is_before_reset: probed.began == self.since.start })
    }

    /// The same, with the lines that nothing followed.
    pub(super) fn settled(&self) -> Self {
        let mut facts = self.clone();
        facts.end_pending(End::Cr);
        facts.end_line();
        facts
    }

    /// Whether an image is being pulled.
    fn is_uploading(&self) -> bool {
        let begun = self.since.last().is_some_and(|last| last.text == "AT#UP" && matches!(last.result, Some((_, Result::Zero))));
        begun && self.upload.as_ref().is_some_and(Upload::is_running)
    }

    fn speed_set(&mut self, speed: Baud) {
        if speed != self.speed {
            let taken = self.since.last().filter(|last| last.text.starts_with("AT+IPR=") && last.result.is_some());
            self.since.switched = taken.map(|last| (self.speed, last.seq));
            self.since.is_line_clean = false;
            self.speed = speed;
            self.line.clear();
            self.pending = None;
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
            ("reset", LineState::Asserted) => self.is_held = true,
            ("reset", LineState::Released) => {
                self.is_held = false;
                self.begin(Began::Reset, event.seq, event.t);
            }
            ("power", LineState::Released) => {
                self.is_off = true;
                self.line.clear();
                self.pending = None;
            }
            ("power", LineState::Asserted) => {
                self.is_off = false;
                self.begin(Began::Power, event.seq, event.t);
            }
            _ => {}
        }
    }

    fn begin(&mut self, how: Began, seq: u64, at: MonoTime) {
        self.end_pending(End::Cr);
        self.line.clear();
        self.spoke_before = self.since.spoke.or(self.spoke_before);
        self.since = Since::new(Some(Start { how, seq, at }));
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
            self.close_exchange();
        }
        if let Some(probed) = &mut self.probed {
            probed.has_sent = true;
        }
        self.since.first_out.get_or_insert(seq);
        self.since.last_out = Some(seq);
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
        let Some(line) = bytes.strip_suffix(b"\r") else { return };
        let line = line.rsplit(|byte| *byte == b'\r' || *byte == 0x08).next().unwrap_or(line);
        if !line.starts_with(b"AT") {
            return;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let again = self.since.last().is_some_and(|last| last.to_boot_code && last.text == text);
        let is_word = BOOT_COMMANDS.contains(&text.as_str()) || text.starts_with("AT+IPR=");
        let to_boot_code = bytes.first() == Some(&0x08)
            || (self.since.in_boot_code && (again || is_word))
            || (self.since.hotkey_is_last && is_word && self.since.started.is_none());
        if text == "AT#UP" {
            self.upload = Some(Upload { file: self.image.clone(), seq, asked: None, sent: 0, total: 0, given: false });
        }
        if is_restart(&text) {
            self.begin(Began::Command, seq, event.t);
            self.since.first_out = Some(seq);
            self.since.last_out = Some(seq);
        }
        if self.since.exchanges.len() == EXCHANGES {
            self.since.exchanges.pop_front();
        }
        let is_first = self.since.exchanges.is_empty();
        self.since.exchanges.push_back(Exchange {
            seq,
            speed: self.speed,
            text,
            is_first,
            to_boot_code,
            echo: None,
            lines: Vec::new(),
            result: None,
            is_over: false,
        });
        self.since.hotkey_is_last = false;
    }

    fn input(&mut self, event: &Event, bytes: &[u8]) {
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
        for &byte in bytes {
            self.mirror(byte);
            self.byte(seq, byte);
        }
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
            None => self.since.heard.push(Heard { speed: self.speed, bytes: bytes.to_vec(), last }),
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
                self.since.in_boot_code = true;
                self.since.acknowledges += 1;
                if self.since.hotkeys.is_some_and(|(.., hotkeys)| self.since.acknowledges > hotkeys) {
                    // More than were asked for.
                    self.note_damaged(seq);
                }
                if let Some(probed) = self.probed.as_mut().filter(|probed| probed.now == Probe::Boot) {
                    let after = self.since.after_start(self.now);
                    probed.acknowledged.get_or_insert((seq, after));
                }
                self.spoke(seq);
                self.since.hotkey_is_last = false;
            }
            b'\r' => self.pending = Some((seq, std::mem::take(&mut self.line))),
            b'\n' => {
                let text = std::mem::take(&mut self.line);
                self.line(Line { seq, text, end: End::Lf });
            }
            0 | 0xFF if self.line.is_empty() => self.since.idle_noise += 1,
            _ if self.line.len() < LINE => self.line.push(byte),
            _ => {}
        }
    }

    /// No line pauses for so long in its middle: what stands there has ended.
    fn end_old_line(&mut self, now: MonoTime) {
        if now.since(self.came_at) > PAUSE {
            self.end_line();
        }
    }

    /// What stands in the line and was not ended is a line as well.
    fn end_line(&mut self) {
        if !self.line.is_empty() {
            let text = std::mem::take(&mut self.line);
            let seq = self.since.last_in.unwrap_or_default();
            self.line(Line { seq, text, end: End::None });
        }
    }

    /// A word of the application that ended with CR, and no LF behind it.
    fn note_bare_cr(&mut self) {
        if let Some((seq, text)) = &self.pending
            && damage::is_word(text)
            && self.is_here()
            && !self.since.last().is_some_and(Exchange::leaves)
        {
            let seq = *seq;
            self.note_damaged(seq);
        }
    }

    /// Whether the host is at the speed of the case, and not at one that a probe tries.
    fn is_here(&self) -> bool {
        self.probed.as_ref().is_none_or(|probed| probed.speed == self.speed)
    }

    fn end_pending(&mut self, end: End) {
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
            self.end_cut_echo();
            self.since.in_boot_code = !result.is_applications();
            let was_line_clean = std::mem::replace(&mut self.since.is_line_clean, result.is_applications());
            match self.since.exchanges.back_mut() {
                Some(last) if last.is_open() => {
                    let is_applications = result.is_applications();
                    if last.text.starts_with("AT#LDRST") {
                        self.entry_refused = (result == Result::Cme(Some(1120))).then_some((last.seq, line.seq));
                    }
                    let is_known = is_known_command(&last.text);
                    let is_error = matches!(result, Result::Error | Result::Cme(_)) && result != Result::Cme(Some(1120));
                    let is_damaged = is_known && is_error && was_line_clean;
                    last.result = Some((line.seq, result));
                    let (last, restarts) = (last.clone(), last.restarts());
                    if is_damaged || self.answers_in_between() {
                        // Every module knows it, or answered others before and behind it: it arrived damaged.
                        self.note_damaged(line.seq);
                    }
                    if is_applications && let Some(answered) = self.brought(last) {
                        self.probed.as_mut().map(|probed| probed.answered.get_or_insert(answered));
                    }
                    if restarts {
                        // It said so before it went.
                        self.spoke_before = Some(line.seq);
                        return;
                    }
                }
                _ => {}
            }
            self.since.slept = None;
            self.spoke(line.seq);
            return;
        }
        let text = String::from_utf8_lossy(&line.text).into_owned();
        if let Some(exchange) =
            self.since.exchanges.iter_mut().rev().take(4).find(|exchange| exchange.echo.is_none() && exchange.text == text)
        {
            exchange.echo = Some(line.seq);
            return;
        }
        if self.cuts_echo(&line) {
            return;
        }
        let is_damaged = self.note_damage(&line);
        if !is_damaged && text.starts_with("#REBOOT") || text == "#SYSSTART" || text.starts_with("#SIMST") {
            self.spoke(line.seq);
            self.since.in_boot_code = false;
            if let Some(started) = self.brought((line.seq, text.clone())) {
                self.probed.as_mut().map(|probed| probed.started.get_or_insert(started));
            }
            self.since.started.get_or_insert(line.seq);
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
            return;
        }
        if let Some(last) = self.since.exchanges.back_mut().filter(|last| damage::is_begun(&line, &last.text)) {
            last.echo = Some(line.seq);
            return;
        }
        match self.since.exchanges.back_mut() {
            Some(last) if last.is_open() && self.probed.is_none() => {
                if last.lines.len() < LINES {
                    last.lines.push(line);
                }
            }
            _ => self.strange(line),
        }
    }

    /// Whether a line is a part of an echo, between which something comes unasked, or the rest of it.
    fn cuts_echo(&mut self, line: &Line) -> bool {
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
        let rest = last.text.as_bytes().strip_prefix(line.text.as_slice()).filter(|_| line.end == End::CrLf).map(<[u8]>::to_vec);
        let is_cut = rest.is_some();
        self.since.cut_echo = rest.map(|rest| (line.seq, rest));
        is_cut
    }

    /// The rest of an echo comes no more: it was lost, unless the module went in its middle.
    fn end_cut_echo(&mut self) {
        let goes = self.since.last().is_some_and(Exchange::leaves);
        if let Some((seq, _)) = self.since.cut_echo.take().filter(|_| !goes) {
            self.note_damaged(seq);
        }
    }

    /// Whether a probe was answered, then several were not, and now one is again: no module sleeps or starts in between.
    fn answers_in_between(&self) -> bool {
        let Some(probed) = self.probed.as_ref().filter(|probed| probed.now != Probe::Wake) else { return false };
        let since_probe =
            self.since.exchanges.iter().rev().skip(1).take_while(|exchange| exchange.seq > probed.seq && exchange.speed == self.speed);
        let unanswered = since_probe.clone().take_while(|exchange| exchange.result.is_none()).count();
        unanswered >= 2 && since_probe.clone().nth(unanswered).is_some_and(|exchange| exchange.result.is_some())
    }

    /// Whether it is the echo of two commands, whose CR was lost.
    fn is_run_together(&self, line: &Line) -> bool {
        let texts: Vec<&[u8]> = self.since.exchanges.iter().rev().take(4).map(|exchange| exchange.text.as_bytes()).collect();
        texts.windows(2).any(|pair| [pair[1], pair[0]].concat() == line.text)
    }

    /// Whether it is an error code of boot code with a digit changed.
    fn is_code_damaged(&self, line: &Line) -> bool {
        let asked = self.since.last().is_some_and(|last| !last.text.starts_with("ATI"));
        asked && self.since.in_boot_code && line.end == End::Cr && line.text.len() == 4 && line.text.iter().all(u8::is_ascii_digit)
    }

    /// Whether the same command was answered by nearly the same line before: what says who the module is does not change.
    fn told_otherwise(&mut self, line: &Line) -> bool {
        // Nobody knows how often another device says something else.
        if self.since.spoke.or(self.spoke_before).is_none() {
            return false;
        }
        let Some(last) = self.since.last().filter(|last| last.is_open()) else { return false };
        // An echo that is not whole is a module that began to listen, or that went in its middle.
        if last.text.as_bytes().ends_with(&line.text) || last.text.as_bytes().starts_with(&line.text) {
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

    /// Notes a known word that came damaged; whether it did. At other speeds than that of the case nothing is known.
    fn note_damage(&mut self, line: &Line) -> bool {
        // What was cut off, by a restart or by the end of what is looked at, has all its bits.
        let is_whole = line.end != End::None;
        if self.since.last().is_some_and(|last| last.is_open() && damage::is_response(&line.text, &last.text)) {
            return false;
        }
        let command = self.since.last().filter(|last| !last.leaves()).map_or(&b""[..], |last| last.text.as_bytes());
        let is_like_echo = (damage::is_like_echo(&line.text, command) && !damage::is_known(&line.text)) || self.is_run_together(line);
        let is_changed = is_like_echo || damage::resembles(line).is_some() || self.told_otherwise(line) || self.is_code_damaged(line);
        let is_damaged = self.is_here() && if is_whole { is_changed } else { damage::is_flipped_word(line) };
        if is_damaged {
            self.note_damaged(line.seq);
        }
        is_damaged
    }

    fn note_damaged(&mut self, seq: u64) {
        if self.damaged.len() < DAMAGED_LINES {
            self.damaged.push(seq);
        }
    }

    /// Something came that only the module says.
    fn spoke(&mut self, seq: u64) {
        self.since.spoke = Some(seq);
        self.since.spoke_at = Some(self.speed);
        if self.is_off {
            self.spoke_without_supply.get_or_insert(seq);
        }
    }

    fn strange(&mut self, line: Line) {
        if damage::is_known(&line.text) {
            self.spoke(line.seq);
            return;
        }
        let speed = self.speed;
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.speed == speed && probed.strange.len() < LINES) {
            probed.strange.push(line.clone());
        }
        let has_started = self.since.started.is_some();
        if let Some(probed) = self.probed.as_mut().filter(|probed| probed.speed != speed && has_started) {
            probed.strange_elsewhere.get_or_insert(line.seq);
        }
        if self.since.strange.len() < LINES {
            self.since.strange.push(line);
        }
    }
}

/// The final result that a line is. Behind the `0` of `AT#UP` stands the first request, which may be a 10 and looks like LF.
fn result_of(line: &Line, is_upload: bool) -> Option<Result> {
    match (line.text.as_slice(), line.end) {
        (b"0", End::CrLf) if is_upload => Some(Result::Zero),
        (b"OK", End::CrLf) => Some(Result::Ok),
        (b"ERROR", End::CrLf) => Some(Result::Error),
        (b"0", End::Cr) => Some(Result::Zero),
        ([b'4', b'0', rest @ ..], End::Cr) if rest.len() == 2 && rest.iter().all(u8::is_ascii_alphanumeric) => {
            Some(Result::Code(String::from_utf8_lossy(&line.text).into_owned()))
        }
        (text, End::CrLf) => {
            let rest = str::from_utf8(text.strip_prefix(b"+CME ERROR")?).ok()?;
            Some(Result::Cme(rest.trim_start_matches([':', ' ']).parse().ok()))
        }
        _ => None,
    }
}

/// A line that comes unasked: `#NAME…` or `+NAME…` (arduino and others).
fn is_unsolicited(line: &Line) -> bool {
    line.end == End::CrLf
        && matches!(line.text.as_slice(), [b'#' | b'+', first, ..] if first.is_ascii_uppercase())
        && line.text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}
