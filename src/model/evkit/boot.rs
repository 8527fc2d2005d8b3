//! The boot code: hotkey and acknowledge, the parser of commands, numeric results.
//!
//! Sources: Easy Connect for all of it, the post for 0xC5, 0x9A and `ATI01`. Lines end with CR alone; `0` is success; `40xx` is an error.

use std::time::Duration;

use super::agenda::{Agenda, Cause, Event, Restart};
use super::damage::{Meant, Passage};
use super::faults::FaultLog;
use super::memory::{Memory, speed_from};
use super::settings::{ErrorCode, Settings};
use super::uart::{Interest, Uart};
use super::upload::{Next, Upload};
use crate::time::MonoTime;

/// The byte that keeps the module in boot code.
pub(super) const HOTKEY: u8 = 0xc5;
/// What Easy Connect sends behind the hotkey; taken without a word.
const BEHIND_HOTKEY: u8 = 0xff;
/// The byte that acknowledges it.
const ACKNOWLEDGE: u8 = 0x9a;
const BACKSPACE: u8 = 0x08;
const CR: u8 = b'\r';
/// The most characters of a command.
const LONGEST: usize = 160;
/// A boot code that listens no later than this is not late: the upper end of what a seed draws for `boot-ready`.
const READY_IN_TIME: Duration = Duration::from_millis(5);

/// The parts of the module that a program uses.
pub(super) struct Parts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) memory: &'a mut Memory,
    pub(super) uart: &'a mut Uart,
    pub(super) agenda: &'a mut Agenda,
    pub(super) log: &'a FaultLog,
}

impl Parts<'_> {
    /// Where the fault of this name was put in, it acts now. For faults that set what may as well be so on a healthy board.
    pub(super) fn note_if_put_in(&self, fault: &'static str) {
        if self.settings.faults.contains(fault) {
            self.log.note(fault);
        }
    }
}

/// The boot code, running.
#[derive(Debug)]
pub(super) struct Boot {
    state: State,
    started: MonoTime,
    /// What arrived before is lost.
    listens_from: MonoTime,
    /// Why the application starts when the window ends.
    cause: Cause,
    line: Vec<u8>,
    meant: Meant,
    /// What was done to hotkeys that would have been acknowledged, where none has come yet.
    lost_hotkeys: Vec<&'static str>,
    /// Characters beyond the longest command, which are not kept.
    excess: usize,
    /// The last byte was a hotkey.
    behind_hotkey: bool,
}

#[derive(Debug)]
enum State {
    /// The hotkey is waited for, nothing else is heard.
    Waiting,
    /// Commands are taken.
    Commands,
    /// The image is pulled.
    Uploading(Upload),
    /// On the way out: nothing is heard.
    Leaving,
}

impl Boot {
    /// The boot code right after a restart: it waits for the hotkey. `cause` is what the application gives as the cause of its start, should the window end.
    pub(super) fn new(now: MonoTime, settings: &Settings, cause: Cause) -> Self {
        let listens_from = now + settings.boot_ready;
        Self {
            state: State::Waiting,
            started: now,
            listens_from,
            cause,
            line: Vec::new(),
            meant: Meant::default(),
            lost_hotkeys: Vec::new(),
            excess: 0,
            behind_hotkey: false,
        }
    }

    /// The cause of the application's start, when the window ends now; `None` when the hotkey came in time.
    pub(super) fn window_over(&self, log: &FaultLog) -> Option<Cause> {
        let is_waiting = matches!(self.state, State::Waiting);
        self.lost_hotkeys.iter().filter(|_| is_waiting).for_each(|fault| log.note(fault));
        is_waiting.then_some(self.cause)
    }

    /// Whether an image is being pulled.
    pub(super) fn is_uploading(&self) -> bool {
        matches!(self.state, State::Uploading(_))
    }

    /// Whether it goes.
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving)
    }

    pub(super) fn interest(&self) -> Interest {
        match &self.state {
            State::Uploading(upload) => Interest::Count(upload.awaited().max(1)),
            State::Waiting | State::Commands | State::Leaving => Interest::Values(&[HOTKEY, CR]),
        }
    }

    /// Takes a byte that was complete at `at`.
    pub(super) fn byte(&mut self, at: MonoTime, byte: Passage, parts: &mut Parts<'_>) {
        self.note_damage(at, byte, parts);
        if let Some(byte) = byte.arrived {
            self.arrived(at, byte, parts);
        }
    }

    /// Notes what was done to a byte where that changes what the boot code does.
    fn note_damage(&mut self, at: MonoTime, byte: Passage, parts: &Parts<'_>) {
        let is_hotkey = byte.sent == Some(HOTKEY) || byte.arrived == Some(HOTKEY);
        // One that comes in time makes good for those before it.
        if matches!(self.state, State::Waiting) && byte.arrived != Some(HOTKEY) {
            self.lost_hotkeys.extend(byte.fault.filter(|_| is_hotkey && at >= self.listens_from));
            return;
        }
        let is_minded = match self.state {
            State::Leaving => false,
            State::Waiting => is_hotkey && at >= self.listens_from,
            State::Uploading(_) => true,
            State::Commands if parts.settings.silent_after_acknowledge => is_hotkey,
            State::Commands if is_hotkey && self.line.is_empty() => true,
            State::Commands => {
                let edit = |line: &mut Vec<u8>, byte| match byte {
                    BACKSPACE => drop(line.pop()),
                    BEHIND_HOTKEY | HOTKEY => {}
                    _ => line.push(byte),
                };
                self.meant.hear(byte, &self.line, edit, |a, b| a == b, parts.log);
                false
            }
        };
        if let Some(fault) = byte.fault.filter(|_| is_minded) {
            parts.log.note(fault);
        }
    }

    fn arrived(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        if at < self.listens_from {
            if byte == HOTKEY && at > self.started + READY_IN_TIME {
                parts.note_if_put_in("window-too-late");
            }
            return;
        }
        match &mut self.state {
            State::Waiting if byte != HOTKEY => {}
            State::Waiting if parts.settings.no_acknowledge => parts.log.note("no-acknowledge"),
            State::Waiting if parts.settings.interruption_locks && parts.memory.interrupted => parts.log.note("interruption-locks"),
            State::Waiting => {
                self.state = State::Commands;
                self.acknowledge(at, parts);
            }
            State::Commands => self.command_byte(at, byte, parts),
            State::Uploading(upload) => match upload.take(byte, parts) {
                Next::Wait | Next::Stall => {}
                Next::Go => parts.agenda.add(at + parts.settings.request_delay, Event::Upload),
                Next::Check => parts.agenda.add(at + parts.settings.check_time, Event::Upload),
            },
            State::Leaving => {}
        }
    }

    /// Goes on with an upload.
    pub(super) fn upload(&mut self, at: MonoTime, parts: &mut Parts<'_>) {
        let State::Uploading(upload) = &mut self.state else { return };
        let said = upload.say(parts);
        parts.uart.transmit(at, &[said.cast_unsigned()]);
        if said <= 0 {
            parts.memory.upload_ended = true;
            self.state = State::Commands;
        }
    }

    fn command_byte(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        let behind_hotkey = std::mem::take(&mut self.behind_hotkey);
        let silent = parts.settings.silent_after_acknowledge;
        match byte {
            HOTKEY if silent || self.line.is_empty() => {
                self.line.clear();
                self.meant.clear();
                self.acknowledge(at, parts);
            }
            BEHIND_HOTKEY if behind_hotkey => {}
            BACKSPACE => match self.excess.checked_sub(1) {
                Some(fewer) => self.excess = fewer,
                None => drop(self.line.pop()),
            },
            CR => {
                let line = std::mem::take(&mut self.line);
                let too_long = std::mem::take(&mut self.excess) > 0;
                self.command(at, &line, too_long, parts);
            }
            _ if self.line.len() < LONGEST => self.line.push(byte),
            _ => self.excess += 1,
        }
    }

    fn acknowledge(&mut self, at: MonoTime, parts: &mut Parts<'_>) {
        self.behind_hotkey = true;
        let bytes: &[u8] = if parts.settings.acknowledge_cr { &[ACKNOWLEDGE, CR] } else { &[ACKNOWLEDGE] };
        parts.uart.transmit(at + parts.settings.acknowledge_delay, bytes);
    }

    /// Carries out a line. An empty one is what ends the preamble: it has no answer.
    fn command(&mut self, at: MonoTime, line: &[u8], too_long: bool, parts: &mut Parts<'_>) {
        let settings = parts.settings;
        if settings.silent_after_acknowledge {
            if !line.is_empty() {
                parts.log.note("silent-after-acknowledge");
            }
            return;
        }
        if too_long {
            error(at, settings.code_too_long, parts);
            return;
        }
        match line {
            b"" => {}
            b"ATI0" | b"ATI01" => {
                let text = format!("{}\r0", settings.boot_version.as_str());
                answer(at, text.as_bytes(), parts);
            }
            b"AT#UP" => {
                let answered = answer(at, b"0", parts);
                parts.agenda.add(answered + settings.erase_time, Event::Upload);
                self.state = State::Uploading(Upload::new(settings));
            }
            b"AT#BOOT" => {
                let answered = if settings.boot_command_answered { answer(at, b"0", parts) } else { at + settings.boot_answer_delay };
                parts.memory.latched = false;
                let restart =
                    if settings.does_not_restart { Restart::Nowhere("does-not-restart") } else { Restart::Application(Cause::Host) };
                parts.agenda.add(answered, Event::Restart(restart));
                self.state = State::Leaving;
            }
            _ => {
                match line.strip_prefix(b"AT+IPR=").map(|value| str::from_utf8(value).ok().and_then(|value| speed_from(value, settings))) {
                    Some(Some(speed)) => {
                        let answered = answer(at, b"0", parts);
                        parts.agenda.add(answered + settings.speed_switch_delay, Event::Speed(speed));
                    }
                    Some(None) => error(at, settings.code_bad_value, parts),
                    None => error(at, settings.code_unknown_command, parts),
                }
            }
        }
    }
}

/// Answers a command that ended at `at` with these lines, the last of which is the result. Returns when the answer has left.
fn answer(at: MonoTime, text: &[u8], parts: &mut Parts<'_>) -> MonoTime {
    let flip = u8::from(parts.settings.boot_garbles);
    if parts.settings.boot_garbles {
        parts.log.note("boot-garbles");
    }
    let text: Vec<u8> = text.iter().map(|byte| byte ^ flip).collect();
    let said = parts.uart.transmit(at + parts.settings.boot_answer_delay, &text);
    parts.uart.transmit(said + parts.settings.result_gap, &[CR ^ flip])
}

fn error(at: MonoTime, code: ErrorCode, parts: &mut Parts<'_>) {
    answer(at, code.to_string().as_bytes(), parts);
}
