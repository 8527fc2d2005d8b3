//! The application: start-up messages, echo, text commands and their answers, framed by CR LF.
//!
//! Sources: mbed and arduino for `ATI`, `AT+CGMR`, `AT+IPR` and echo, Easy Connect for `AT#LDRST`, public hosts for the start-up messages, 3GPP TS 27.007 for
//! `AT+CGSN`, `AT+CFUN`, `AT+CMEE` and the number 100 (unknown), ITU-T V.250 for the form of commands.

use std::time::Duration;

use super::agenda::{Cause, Event, Restart};
use super::boot::Parts;
use super::damage::{Meant, Passage};
use super::memory::speed_from;
use super::settings::{ErrorForm, PowerOnMessage, RebootMessage, Settings};
use super::uart::Interest;
use crate::image::Version;
use crate::time::MonoTime;

/// The most characters of a line that are kept; a longer one is an error. Far above any command.
const LONGEST: usize = 4096;

/// What the application says before it sleeps, one CR LF between the two (source: arduino and other public hosts).
pub(super) const GOES_TO_SLEEP: &str = "#ENERGY: 1809.7\r\n#SLEEP ";
/// How long after an answer it says that it sleeps, and after that, that it has woken up, where it only says so.
const ENERGY_DELAY: Duration = Duration::from_millis(5);

/// Whether the application sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Awake,
    /// The next command is lost, and ends it.
    UntilCommand,
    /// Nothing is heard until the wake line ends it.
    UntilWake,
}

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
    sleep: Sleep,
    /// On the way out: nothing is heard.
    leaving: bool,
    echo: bool,
    error_form: ErrorForm,
    /// Full functionality, else the least.
    radio: bool,
    line: Vec<u8>,
    meant: Meant,
    /// What was sent while it was starting.
    kept: Vec<Passage>,
}

impl Application {
    /// The application as it is when it has long been running.
    pub(super) fn settled(now: MonoTime, parts: &mut Parts<'_>) -> Self {
        let mut application = Self::new(now, parts.settings, parts.memory.versions.a);
        application.ready = true;
        if parts.settings.first_command_lost {
            application.sleep = Sleep::UntilCommand;
        }
        schedule_ends(now, parts);
        application.stays_awake(now, parts);
        application
    }

    /// The application at its start: its messages come when the settings say.
    pub(super) fn start(now: MonoTime, cause: Cause, parts: &mut Parts<'_>) -> Self {
        let settings = parts.settings;
        let mut application = Self::new(now + settings.application_start, settings, parts.memory.versions.a);
        let reboot = match cause {
            Cause::Line | Cause::BrownOut => Some("#REBOOT_RESET"),
            Cause::Host => Some("#REBOOT_HOST"),
            Cause::Watchdog => Some("#REBOOT_WD: 1"),
            Cause::Power => (settings.power_on_message == PowerOnMessage::Reset).then_some("#REBOOT_RESET"),
        };
        let first = now + settings.application_start;
        let second = first + settings.sysstart_delay;
        let messages = match (settings.reboot_message, reboot) {
            (_, None) => [Some((first, "#SYSSTART")), None],
            (RebootMessage::First, Some(reboot)) => [Some((first, reboot)), Some((second, "#SYSSTART"))],
            (RebootMessage::AfterSysstart, Some(reboot)) => [Some((first, "#SYSSTART")), Some((second, reboot))],
            (RebootMessage::AfterFirstCommand, Some(reboot)) => {
                application.late_message = Some(reboot);
                [Some((first, "#SYSSTART")), None]
            }
        };
        if parts.settings.break_at_start || parts.settings.noise_at_start > 0 {
            parts.agenda.add(first, Event::Noise);
        }
        let simst = (second + settings.simst_delay, "#SIMST: 1");
        for (at, message) in messages.into_iter().flatten().chain([simst]) {
            parts.agenda.add(at, Event::Say(message));
        }
        parts.agenda.add(first, Event::Ready);
        schedule_ends(first, parts);
        application
    }

    fn new(ready_at: MonoTime, settings: &Settings, version: Version) -> Self {
        Self {
            version,
            ready: false,
            booting_until: ready_at + settings.still_booting,
            late_message: None,
            sleep: Sleep::Awake,
            leaving: false,
            echo: settings.echo,
            error_form: settings.error_form,
            radio: true,
            line: Vec::new(),
            meant: Meant::default(),
            kept: Vec::new(),
        }
    }

    /// Bytes that make it act.
    pub(super) const INTEREST: Interest = Interest::Values(b"\r");

    /// The version that runs.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Whether what arrives now is taken, now or later.
    pub(super) fn hears(&self, settings: &Settings) -> bool {
        !self.leaving && (self.ready || settings.start_keeps_input)
    }

    /// Whether it goes.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Begins to take commands, those first that were kept.
    pub(super) fn ready(&mut self, at: MonoTime, parts: &mut Parts<'_>) {
        self.ready = true;
        if self.late_message.is_some() {
            parts.note_if_put_in("late-reboot-message");
        }
        self.stays_awake(at, parts);
        for byte in std::mem::take(&mut self.kept) {
            self.byte(at, byte, parts);
        }
    }

    /// Whether the next command would be lost.
    pub(super) fn is_asleep(&self) -> bool {
        self.sleep != Sleep::Awake
    }

    /// Ends a sleep.
    pub(super) fn wake(&mut self, at: MonoTime, parts: &mut Parts<'_>) {
        let slept = std::mem::replace(&mut self.sleep, Sleep::Awake) != Sleep::Awake;
        if slept && parts.settings.wake_message {
            parts.agenda.add(at, Event::Say("#WAKEUP"));
        }
        self.stays_awake(at, parts);
    }

    /// Sleeps until the wake line ends it.
    pub(super) fn fall_asleep(&mut self) {
        self.sleep = Sleep::UntilWake;
        self.line.clear();
        self.meant.clear();
    }

    /// Something was said or heard at `at`: the time until it sleeps begins anew.
    pub(super) fn stays_awake(&self, at: MonoTime, parts: &mut Parts<'_>) {
        let after = parts.settings.sleeps_after;
        if !after.is_zero() && self.ready && self.sleep != Sleep::UntilWake {
            parts.agenda.remove(&Event::Sleep);
            parts.agenda.add(at.max(parts.uart.free_at()) + after, Event::Sleep);
        }
    }

    /// Takes a byte that was complete at `at`.
    pub(super) fn byte(&mut self, at: MonoTime, byte: Passage, parts: &mut Parts<'_>) {
        if !self.ready {
            if parts.settings.start_keeps_input && self.kept.len() < LONGEST {
                self.kept.push(byte);
            }
            return;
        }
        if self.leaving {
            return;
        }
        if self.sleep == Sleep::UntilWake {
            parts.log.note("sleeps-after");
            return;
        }
        self.note_damage(at, byte, parts);
        if let Some(byte) = byte.arrived {
            self.arrived(at, byte, parts);
        }
    }

    /// Notes what was done to a byte where that changes what the application does.
    fn note_damage(&mut self, at: MonoTime, byte: Passage, parts: &Parts<'_>) {
        let settings = parts.settings;
        if settings.application_silent {
            return;
        }
        // Its echo shows it at once.
        let is_echoed = self.echo && self.sleep == Sleep::Awake;
        if let Some(fault) = byte.fault.filter(|_| is_echoed) {
            parts.log.note(fault);
        }
        let byte = Passage { fault: byte.fault.filter(|_| !is_echoed), ..byte };
        let edit = |line: &mut Vec<u8>, byte| match byte {
            b'\n' => {}
            0x08 if settings.backspace_deletes => drop(line.pop()),
            _ => line.push(byte),
        };
        // Any command ends a sleep, and while the core starts most are answered alike.
        let is_lost = self.sleep == Sleep::UntilCommand;
        let is_refused = |line: &[u8]| at < self.booting_until && !line.is_empty() && !is_taken_while_booting(line);
        let same = |a: &[u8], b: &[u8]| {
            if is_lost { a.is_empty() == b.is_empty() } else { a.eq_ignore_ascii_case(b) || (is_refused(a) && is_refused(b)) }
        };
        self.meant.hear(byte, &self.line, edit, same, parts.log);
    }

    fn arrived(&mut self, at: MonoTime, byte: u8, parts: &mut Parts<'_>) {
        let silent = parts.settings.application_silent;
        if self.echo && self.sleep == Sleep::Awake {
            if silent {
                parts.log.note("application-silent");
            } else {
                parts.uart.transmit(at, &[byte]);
            }
        }
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                if !line.is_empty() {
                    match std::mem::replace(&mut self.sleep, Sleep::Awake) {
                        Sleep::UntilCommand | Sleep::UntilWake => parts.log.note("first-command-lost"),
                        Sleep::Awake if silent => parts.log.note("application-silent"),
                        Sleep::Awake => self.command(at, &line, parts),
                    }
                }
            }
            b'\n' => {}
            0x08 if parts.settings.backspace_deletes => drop(self.line.pop()),
            _ if self.line.len() <= LONGEST => self.line.push(byte),
            _ => {}
        }
        self.stays_awake(at, parts);
    }

    /// Carries out a line.
    fn command(&mut self, at: MonoTime, line: &[u8], parts: &mut Parts<'_>) {
        let settings = parts.settings;
        // A line that is no text is no command either.
        let line = str::from_utf8(line).unwrap_or("").to_ascii_uppercase();
        let (name, value) = line.split_once('=').map_or((line.as_str(), None), |(name, value)| (name, Some(value)));
        let ok = |lines: &[String]| Answer { lines: lines.to_vec(), result: "OK".to_owned() };
        let after = match (name, value) {
            _ if at < self.booting_until && !is_taken_while_booting(line.as_bytes()) => {
                // What is no command is refused by every application.
                if line.starts_with("AT") {
                    parts.note_if_put_in("still-booting");
                }
                self.answer(at, &error("+CME ERROR: 1120"), parts)
            }
            ("AT", None) => self.answer(at, &ok(&[]), parts),
            ("ATE" | "ATE0" | "ATE1", None) => {
                self.echo = line == "ATE1";
                self.answer(at, &ok(&[]), parts)
            }
            ("AT+CGMR", None) => self.answer(at, &ok(&[self.reported_version(parts)]), parts),
            ("AT+CGSN", None) => self.answer(at, &ok(&[settings.imei.to_string()]), parts),
            ("AT+IPR?", None) => self.answer(at, &ok(&[format!("+IPR: {}", parts.uart.speed())]), parts),
            ("AT+IPR", Some(value)) => match speed_from(value, settings) {
                Some(speed) => {
                    let answered = self.answer(at, &ok(&[]), parts);
                    if !settings.speed_not_restorable {
                        parts.agenda.add(answered + settings.speed_switch_delay, Event::Speed(speed));
                    } else if speed != parts.uart.speed() {
                        parts.log.note("speed-not-restorable");
                    }
                    answered
                }
                None => self.refuse(at, parts),
            },
            ("AT+CFUN?", None) => self.answer(at, &ok(&[format!("+CFUN: {}", u8::from(self.radio))]), parts),
            ("AT+CFUN", Some("0" | "1")) => {
                self.radio = value == Some("1");
                self.answer(at, &ok(&[]), parts)
            }
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
                let answered = if settings.reset_command_answered {
                    self.answer(at, &ok(&[]), parts)
                } else {
                    parts.note_if_put_in("reset-command-unanswered");
                    at + settings.answer_delay
                };
                self.leaving = true;
                parts.agenda.add(answered, Event::Restart(restart_of_reset_command(settings)));
                answered
            }
            // What Easy Connect sends to older firmware before it enters the boot code: taken, without an effect here.
            ("AT#LDCORE", Some("0,1")) | ("AT#NVMSV", Some("2")) | ("AT#NVMWR", Some(_)) => self.answer(at, &ok(&[]), parts),
            _ if is_identify(&line) => {
                let lines = ["STMICROELECTRONICS".to_owned(), "ST87M01".to_owned(), self.reported_version(parts)];
                self.answer(at, &ok(&lines), parts)
            }
            _ => self.refuse(at, parts),
        };
        if let Some(message) = self.late_message.take()
            && !self.leaving
        {
            parts.note_if_put_in("late-reboot-message");
            parts.agenda.add(after + settings.sysstart_delay, Event::Say(message));
        }
        if settings.energy_lines && !self.leaving {
            parts.log.note("energy-lines");
            parts.agenda.add(after + ENERGY_DELAY, Event::Say(GOES_TO_SLEEP));
            parts.agenda.add(after + ENERGY_DELAY * 2, Event::Say("#WAKEUP"));
        }
    }

    /// The version that it says it is.
    fn reported_version(&self, parts: &Parts<'_>) -> String {
        let version = parts.settings.reports_version.filter(|_| parts.memory.upload_ended).unwrap_or(self.version);
        if version != self.version {
            parts.log.note("reports-version");
        }
        version.to_string()
    }

    /// Answers a command that it does not take.
    fn refuse(&self, at: MonoTime, parts: &mut Parts<'_>) -> MonoTime {
        let result = match self.error_form {
            ErrorForm::Plain => "ERROR",
            ErrorForm::Numbered => "+CME ERROR: 100",
            ErrorForm::Bare => {
                parts.note_if_put_in("bare-cme-error");
                "+CME ERROR"
            }
        };
        self.answer(at, &error(result), parts)
    }

    /// Sends an answer. Returns when it has left.
    fn answer(&self, at: MonoTime, answer: &Answer, parts: &mut Parts<'_>) -> MonoTime {
        let mut text = String::new();
        if !answer.lines.is_empty() {
            text += &format!("\r\n{}\r\n", answer.lines.join("\r\n"));
            if parts.settings.unsolicited {
                parts.note_if_put_in("unsolicited");
                text += "\r\n+CEREG: 2\r\n";
            }
        }
        text += &format!("\r\n{}\r\n", answer.result);
        let flip = u8::from(parts.settings.application_garbles);
        if parts.settings.application_garbles {
            parts.log.note("application-garbles");
        }
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

/// Whether a command is taken although the core is starting.
fn is_taken_while_booting(line: &[u8]) -> bool {
    let begins = |prefix: &[u8]| line.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    line.eq_ignore_ascii_case(b"AT") || begins(b"ATE") || line.eq_ignore_ascii_case(b"AT+IPR") || begins(b"AT+IPR=")
}

/// `ATI`, with or without a number (V.250 gives `I` one).
fn is_identify(line: &str) -> bool {
    line.strip_prefix("ATI").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn restart_of_reset_command(settings: &Settings) -> Restart {
    if settings.does_not_restart {
        Restart::Nowhere("does-not-restart")
    } else if settings.window_after_reset_command {
        Restart::Window(Cause::Host)
    } else {
        Restart::Application(Cause::Host)
    }
}

/// What faults make of an application whose first message comes at `from`.
fn schedule_ends(from: MonoTime, parts: &mut Parts<'_>) {
    let settings = parts.settings;
    for (after, restart) in [
        (settings.watchdog_after, Restart::Application(Cause::Watchdog)),
        (settings.resets_itself, Restart::Window(Cause::BrownOut)),
        (settings.shuts_down_after, Restart::Nowhere("shuts-down-after")),
    ] {
        if !after.is_zero() {
            parts.agenda.add(from + after, Event::Restart(restart));
        }
    }
}
