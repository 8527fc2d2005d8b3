//! The boot code: hotkey and acknowledge, the parser of commands, numeric results.
//!
//! Sources: Easy Connect for all of it, the post for 0xC5, 0x9A and `ATI01`. Lines end with CR alone; `0` is success; `40xx` is an error.

use super::agenda::{Agenda, Cause, Event, Restart};
use super::memory::{Memory, speed_from};
use super::settings::{ErrorCode, Settings};
use super::uart::{Interest, Uart};
use super::upload::{Next, Upload};
use crate::time::MonoTime;

/// The byte that keeps the module in boot code.
const HOTKEY: u8 = 0xc5;
/// What Easy Connect sends behind the hotkey; taken without a word.
const BEHIND_HOTKEY: u8 = 0xff;
/// The byte that acknowledges it.
const ACKNOWLEDGE: u8 = 0x9a;
const BACKSPACE: u8 = 0x08;
const CR: u8 = b'\r';
/// The most characters of a command.
const LONGEST: usize = 160;

/// The parts of the module that a program uses.
pub(super) struct Parts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) memory: &'a mut Memory,
    pub(super) uart: &'a mut Uart,
    pub(super) agenda: &'a mut Agenda,
}

/// The boot code, running.
#[derive(Debug)]
pub(super) struct Boot {
    state: State,
    /// What arrived before is lost.
    listens_from: MonoTime,
    /// Why the application starts when the window ends.
    cause: Cause,
    line: Vec<u8>,
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
        Self { state: State::Waiting, listens_from, cause, line: Vec::new(), excess: 0, behind_hotkey: false }
    }

    /// The cause of the application's start, when the window ends now; `None` when the hotkey came in time.
    pub(super) fn window_over(&self) -> Option<Cause> {
        matches!(self.state, State::Waiting).then_some(self.cause)
    }

    pub(super) fn interest(&self) -> Interest {
        match &self.state {
            State::Uploading(upload) => Interest::Count(upload.awaited().max(1)),
            State::Waiting | State::Commands | State::Leaving => Interest::Values(&[HOTKEY, CR]),
        }
    }

    /// Takes a byte that arrived at `at`.
    pub(super) fn byte(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        if at < self.listens_from {
            return;
        }
        match &mut self.state {
            State::Waiting => {
                if byte == HOTKEY && !parts.settings.no_acknowledge {
                    self.state = State::Commands;
                    self.acknowledge(at, parts);
                }
            }
            State::Commands => self.command_byte(at, byte, parts),
            State::Uploading(upload) => match upload.take(byte, parts.settings, parts.memory) {
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
        let said = upload.say(parts.settings, parts.memory);
        parts.uart.transmit(at, &[said.cast_unsigned()]);
        if said <= 0 {
            self.state = State::Commands;
        }
    }

    fn command_byte(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        let behind_hotkey = std::mem::take(&mut self.behind_hotkey);
        let silent = parts.settings.silent_after_acknowledge;
        match byte {
            HOTKEY if silent || self.line.is_empty() => self.acknowledge(at, parts),
            BEHIND_HOTKEY if behind_hotkey => {}
            _ if silent => {}
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
                let restart = if settings.does_not_restart { Restart::Nowhere } else { Restart::Application(Cause::Host) };
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
    let text: Vec<u8> = text.iter().map(|byte| byte ^ flip).collect();
    let said = parts.uart.transmit(at + parts.settings.boot_answer_delay, &text);
    parts.uart.transmit(said + parts.settings.result_gap, &[CR ^ flip])
}

fn error(at: MonoTime, code: ErrorCode, parts: &mut Parts<'_>) {
    answer(at, code.to_string().as_bytes(), parts);
}
