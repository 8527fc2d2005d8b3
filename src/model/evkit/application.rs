//! The application: start-up messages, echo, text commands and their answers, framed by CR LF.
//!
//! Sources: mbed and arduino for `ATI`, `AT+CGMR`, `AT+IPR` and echo, Easy Connect for `AT#LDRST`, public hosts for the start-up messages, 3GPP TS 27.007 for
//! `AT+CGSN`, `AT+CMEE` and the number 100 (unknown), ITU-T V.250 for the form of commands.

use super::agenda::{Cause, Event, Restart};
use super::boot::Parts;
use super::memory::speed_from;
use super::settings::{ErrorForm, RebootMessage, Settings};
use super::uart::Interest;
use crate::image::Version;
use crate::time::MonoTime;

/// The most characters of a line that are kept; a longer one is an error. Far above any command.
const LONGEST: usize = 4096;

/// The application, running.
#[derive(Debug)]
pub(super) struct Application {
    /// The version that runs: what was installed at its start.
    version: Version,
    /// Commands are taken. Before, it is starting.
    ready: bool,
    /// Until then commands are answered by `+CME ERROR: 1120`.
    booting_until: MonoTime,
    /// Said after the answer to the first command.
    late_message: Option<&'static str>,
    /// The next command is lost.
    asleep: bool,
    /// On the way out: nothing is heard.
    leaving: bool,
    echo: bool,
    error_form: ErrorForm,
    line: Vec<u8>,
    /// What arrived while it was starting.
    kept: Vec<u8>,
}

impl Application {
    /// The application as it is when it has long been running.
    pub(super) fn settled(now: MonoTime, parts: &mut Parts<'_>) -> Self {
        let mut application = Self::new(now, parts.settings, parts.memory.versions.a);
        application.ready = true;
        application.asleep = parts.settings.first_command_lost;
        schedule_watchdog(now, parts);
        application
    }

    /// The application at its start: its messages come when the settings say.
    pub(super) fn start(now: MonoTime, cause: Cause, parts: &mut Parts<'_>) -> Self {
        let settings = parts.settings;
        let mut application = Self::new(now + settings.application_start, settings, parts.memory.versions.a);
        let reboot = match cause {
            Cause::Line => "#REBOOT_RESET",
            Cause::Host => "#REBOOT_HOST",
            Cause::Watchdog => "#REBOOT_WD: 1",
        };
        let first = now + settings.application_start;
        let second = first + settings.sysstart_delay;
        let messages = match settings.reboot_message {
            RebootMessage::First => [Some((first, reboot)), Some((second, "#SYSSTART"))],
            RebootMessage::AfterSysstart => [Some((first, "#SYSSTART")), Some((second, reboot))],
            RebootMessage::AfterFirstCommand => {
                application.late_message = Some(reboot);
                [Some((first, "#SYSSTART")), None]
            }
        };
        let simst = (second + settings.simst_delay, "#SIMST: 1");
        for (at, message) in messages.into_iter().flatten().chain([simst]) {
            parts.agenda.add(at, Event::Say(message));
        }
        parts.agenda.add(first, Event::Ready);
        schedule_watchdog(first, parts);
        application
    }

    fn new(ready_at: MonoTime, settings: &Settings, version: Version) -> Self {
        Self {
            version,
            ready: false,
            booting_until: ready_at + settings.still_booting,
            late_message: None,
            asleep: false,
            leaving: false,
            echo: settings.echo,
            error_form: settings.error_form,
            line: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Bytes that make it act.
    pub(super) const INTEREST: Interest = Interest::Values(b"\r");

    /// The version that runs.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Begins to take commands, those first that were kept.
    pub(super) fn ready(&mut self, at: MonoTime, parts: &mut Parts<'_>) {
        self.ready = true;
        for byte in std::mem::take(&mut self.kept) {
            self.byte(at, byte, parts);
        }
    }

    /// Takes a byte that arrived at `at`.
    pub(super) fn byte(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        if !self.ready {
            if parts.settings.start_keeps_input && self.kept.len() < LONGEST {
                self.kept.push(byte);
            }
            return;
        }
        if self.leaving {
            return;
        }
        if self.echo && !self.asleep && !parts.settings.application_silent {
            parts.uart.transmit(at, &[byte]);
        }
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                if !line.is_empty() && !std::mem::take(&mut self.asleep) && !parts.settings.application_silent {
                    self.command(at, &line, parts);
                }
            }
            b'\n' => {}
            0x08 if parts.settings.backspace_deletes => drop(self.line.pop()),
            _ if self.line.len() <= LONGEST => self.line.push(byte),
            _ => {}
        }
    }

    /// Carries out a line.
    fn command(&mut self, at: MonoTime, line: &[u8], parts: &mut Parts<'_>) {
        let settings = parts.settings;
        // A line that is no text is no command either.
        let line = str::from_utf8(line).unwrap_or("").to_ascii_uppercase();
        let simple = line == "AT" || line.starts_with("ATE");
        let (name, value) = line.split_once('=').map_or((line.as_str(), None), |(name, value)| (name, Some(value)));
        let ok = |lines: &[String]| Answer { lines: lines.to_vec(), result: "OK".to_owned() };
        let after = match (name, value) {
            _ if at < self.booting_until && !simple => self.answer(at, &error("+CME ERROR: 1120"), parts),
            ("AT", None) => self.answer(at, &ok(&[]), parts),
            ("ATE" | "ATE0" | "ATE1", None) => {
                self.echo = line == "ATE1";
                self.answer(at, &ok(&[]), parts)
            }
            ("AT+CGMR", None) => self.answer(at, &ok(&[self.version.to_string()]), parts),
            ("AT+CGSN", None) => self.answer(at, &ok(&[settings.imei.to_string()]), parts),
            ("AT+IPR?", None) => self.answer(at, &ok(&[format!("+IPR: {}", parts.uart.speed())]), parts),
            ("AT+IPR", Some(value)) => match speed_from(value, settings) {
                Some(speed) => {
                    let answered = self.answer(at, &ok(&[]), parts);
                    if !settings.speed_not_restorable {
                        parts.agenda.add(answered + settings.speed_switch_delay, Event::Speed(speed));
                    }
                    answered
                }
                None => self.refuse(at, parts),
            },
            ("AT+CMEE?", None) => self.answer(at, &ok(&[format!("+CMEE: {}", u8::from(self.error_form != ErrorForm::Plain))]), parts),
            ("AT+CMEE", Some("0" | "1")) => {
                self.error_form = if value == Some("0") { ErrorForm::Plain } else { ErrorForm::Numbered };
                self.answer(at, &ok(&[]), parts)
            }
            ("AT#LDRST", Some("2,2")) => {
                let answered = if settings.ldrst_answered { self.answer(at, &ok(&[]), parts) } else { at + settings.answer_delay };
                self.leaving = true;
                parts.memory.latched = settings.ldrst_latched;
                parts.agenda.add(answered + settings.ldrst_time, Event::Restart(Restart::Loader));
                answered
            }
            ("AT#RESET", Some("1")) => {
                parts.memory.saved_speed = parts.uart.speed();
                let answered = if settings.reset_command_answered { self.answer(at, &ok(&[]), parts) } else { at + settings.answer_delay };
                self.leaving = true;
                parts.agenda.add(answered, Event::Restart(restart_of_reset_command(settings)));
                answered
            }
            // What Easy Connect sends to older firmware before it enters the boot code: taken, without an effect here.
            ("AT#LDCORE", Some("0,1")) | ("AT#NVMSV", Some("2")) | ("AT#NVMWR", Some(_)) => self.answer(at, &ok(&[]), parts),
            _ if is_identify(&line) => {
                let lines = ["STMICROELECTRONICS".to_owned(), "ST87M01".to_owned(), self.version.to_string()];
                self.answer(at, &ok(&lines), parts)
            }
            _ => self.refuse(at, parts),
        };
        if let Some(message) = self.late_message.take()
            && !self.leaving
        {
            parts.agenda.add(after + settings.sysstart_delay, Event::Say(message));
        }
    }

    /// Answers a command that it does not take.
    fn refuse(&self, at: MonoTime, parts: &mut Parts<'_>) -> MonoTime {
        let result = match self.error_form {
            ErrorForm::Plain => "ERROR",
            ErrorForm::Numbered => "+CME ERROR: 100",
            ErrorForm::Bare => "+CME ERROR",
        };
        self.answer(at, &error(result), parts)
    }

    /// Sends an answer. Returns when it has left.
    fn answer(&self, at: MonoTime, answer: &Answer, parts: &mut Parts<'_>) -> MonoTime {
        let mut text = String::new();
        if !answer.lines.is_empty() {
            text += &format!("\r\n{}\r\n", answer.lines.join("\r\n"));
            if parts.settings.unsolicited {
                text += "\r\n+CEREG: 2\r\n";
            }
        }
        text += &format!("\r\n{}\r\n", answer.result);
        let flip = u8::from(parts.settings.application_garbles);
        let bytes: Vec<u8> = text.bytes().map(|byte| byte ^ flip).collect();
        parts.uart.transmit(at + parts.settings.answer_delay, &bytes)
    }
}

/// Lines of information and the final result.
struct Answer {
    lines: Vec<String>,
    result: String,
}

fn error(result: &str) -> Answer {
    Answer { lines: Vec::new(), result: result.to_owned() }
}

/// `ATI`, with or without a number (V.250 gives `I` one).
fn is_identify(line: &str) -> bool {
    line.strip_prefix("ATI").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn restart_of_reset_command(settings: &Settings) -> Restart {
    if settings.does_not_restart {
        Restart::Nowhere
    } else if settings.window_after_reset_command {
        Restart::Window(Cause::Host)
    } else {
        Restart::Application(Cause::Host)
    }
}

fn schedule_watchdog(from: MonoTime, parts: &mut Parts<'_>) {
    if !parts.settings.watchdog_after.is_zero() {
        parts.agenda.add(from + parts.settings.watchdog_after, Event::Restart(Restart::Application(Cause::Watchdog)));
    }
}
