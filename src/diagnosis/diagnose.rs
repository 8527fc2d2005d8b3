//! Finds the cause in a timeline. Looks only at what happened since the last release of the reset line (or since the case's start).

use std::path::Path;

use super::Cause;
use crate::seam::LineState;
use crate::timeline::event::{Bytes, Diagnosis, Direction, Event, EventKind};
use crate::timeline::{Reader, TimelineError};

/// How much of an answer is looked at.
const LOOK: usize = 4096;
/// How much of one write is looked at: commands are short.
const COMMAND: usize = 512;
const HOTKEY: u8 = 0xC5;
const ACKNOWLEDGE: u8 = 0x9A;

/// Reads the timeline in `folder` and names the cause of what went wrong in it; `None` when no known cause fits.
///
/// # Errors
/// [`TimelineError`] when the timeline cannot be read.
pub fn diagnose(folder: &Path) -> Result<Option<Diagnosis>, TimelineError> {
    let mut reader = Reader::open(folder)?;
    let mut seen = Seen::default();
    while let Some(event) = reader.next().transpose()? {
        let bytes = match &event.kind {
            EventKind::Bytes(bytes) => reader.bytes_at(bytes.offset, looked_at(bytes))?,
            _ => Vec::new(),
        };
        seen.take(&event, &bytes);
    }
    Ok(seen.cause())
}

/// How many bytes of a read or write are looked at.
fn looked_at(bytes: &Bytes) -> usize {
    let limit = match bytes.direction {
        Direction::In => LOOK,
        Direction::Out => COMMAND,
    };
    usize::try_from(bytes.length).unwrap_or(limit).min(limit)
}

/// A command that was sent.
#[derive(Debug, Clone)]
struct Command {
    seq: u64,
    text: String,
    /// Whether it is the first one since the release.
    first: bool,
    /// Whether a hotkey went before it, or the boot code's preamble.
    to_boot_code: bool,
}

impl Command {
    /// Whether it is a loader's word: one that boot code should have answered.
    fn is_loaders(&self) -> bool {
        self.to_boot_code
            || matches!(self.text.as_str(), "ATI0" | "ATI01" | "AT#UP" | "AT#BOOT")
            || (self.first && self.text.starts_with("AT+IPR="))
    }
}

/// What was seen since the last release.
#[derive(Debug, Default)]
struct Seen {
    release: Option<u64>,
    first_out: Option<u64>,
    hotkey: Option<u64>,
    acknowledge: Option<u64>,
    /// Whether anything but acknowledges and line ends came after the first acknowledge.
    said_more: bool,
    first_in: Option<u64>,
    command: Option<Command>,
    /// What came after the command.
    answer: Vec<u8>,
    /// A loader's word, and the read that brought the application's answer to it.
    application: Option<(Command, u64)>,
}

impl Seen {
    fn take(&mut self, event: &Event, bytes: &[u8]) {
        match &event.kind {
            EventKind::Edge(edge) if edge.line == "reset" && edge.state == LineState::Released => {
                *self = Self { release: Some(event.seq), ..Self::default() };
            }
            EventKind::Bytes(data) if data.direction == Direction::Out => self.out(event.seq, bytes),
            EventKind::Bytes(_) => self.input(event.seq, bytes),
            _ => {}
        }
    }

    fn out(&mut self, seq: u64, bytes: &[u8]) {
        self.first_out.get_or_insert(seq);
        if bytes.first() == Some(&HOTKEY) {
            self.hotkey = Some(seq);
        }
        let Some(line) = bytes.strip_suffix(b"\r") else { return };
        let line = line.rsplit(|byte| *byte == b'\r' || *byte == 0x08).next().unwrap_or(line);
        if !line.starts_with(b"AT") {
            return;
        }
        self.command = Some(Command {
            seq,
            text: String::from_utf8_lossy(line).into_owned(),
            first: self.command.is_none(),
            to_boot_code: self.hotkey.is_some() || bytes.first() == Some(&0x08),
        });
        self.answer.clear();
    }

    fn input(&mut self, seq: u64, bytes: &[u8]) {
        self.first_in.get_or_insert(seq);
        let nothing_new = |byte: &u8| matches!(*byte, ACKNOWLEDGE | b'\r' | b'\n');
        let from = match self.acknowledge {
            Some(_) => 0,
            None if self.hotkey.is_some() => bytes.iter().position(|byte| *byte == ACKNOWLEDGE).unwrap_or(bytes.len()),
            None => bytes.len(),
        };
        if from < bytes.len() {
            self.acknowledge.get_or_insert(seq);
            self.said_more |= !bytes[from..].iter().all(nothing_new);
        }
        let Some(command) = &self.command else { return };
        let room = LOOK.saturating_sub(self.answer.len());
        self.answer.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let says = |text: &[u8]| self.answer.windows(text.len()).any(|window| window == text);
        if self.application.is_none() && command.is_loaders() && (says(b"\r\nOK\r\n") || says(b"\r\nERROR\r\n")) {
            self.application = Some((command.clone(), seq));
        }
    }

    fn cause(self) -> Option<Diagnosis> {
        if let Some((command, answer)) = self.application {
            return Some(Diagnosis {
                cause: Cause::ApplicationAnswered,
                because: format!("{} was answered by OK or ERROR in CR LF, as the application does; boot code answers 0 or 40xx", command.text),
                next: "let go of reset only after the loader asks for it, and send the hotkey from the release on; if AT+IPR was answered OK, the \
                       application now runs at that speed: put it back with AT+IPR=115200 there"
                    .to_owned(),
                evidence: self.release.into_iter().chain([command.seq, answer]).collect(),
            });
        }
        if let (Some(hotkey), Some(acknowledge), Some(command)) = (self.hotkey, self.acknowledge, &self.command)
            && !self.said_more
        {
            return Some(Diagnosis {
                cause: Cause::AcknowledgedSilent,
                because: format!("0x9A came, then no answer to {}", command.text),
                next: "the boot code is damaged while the application may still run: this module cannot be updated over its UART"
                    .to_owned(),
                evidence: vec![hotkey.min(acknowledge), acknowledge, command.seq],
            });
        }
        match (self.first_out, self.first_in) {
            (Some(out), None) => Some(Diagnosis {
                cause: Cause::NothingCame,
                because: if self.release.is_some() { "since the release bytes were sent, and not one came back" } else { "bytes were sent, and not one came back" }.to_owned(),
                next: "check in this order: that the hotkey falls into the boot window, the right port (the kit shows several), the speed on both sides, \
                       that the reset line is wired, that the other host does not drive RXD"
                    .to_owned(),
                evidence: self.release.into_iter().chain([out]).collect(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MonoTime;
    use crate::timeline::event::{Edge, Source};

    /// What a timeline of these writes (`>`), reads (`<`) and releases (`R`) is diagnosed as.
    fn cause(script: &[(char, &[u8])]) -> Option<Cause> {
        let mut seen = Seen::default();
        for (seq, (what, bytes)) in (0_u64..).zip(script) {
            let kind = match what {
                'R' => EventKind::Edge(Edge {
                    line: "reset".to_owned(),
                    state: LineState::Released,
                    before_ns: seq,
                    after_ns: seq,
                    planned_ns: None,
                }),
                way => EventKind::Bytes(Bytes {
                    stream: "port".to_owned(),
                    direction: if *way == '>' { Direction::Out } else { Direction::In },
                    offset: 0,
                    length: u32::try_from(bytes.len()).unwrap(),
                    from_ns: seq,
                    to_ns: seq,
                    planned_ns: None,
                    marks: Vec::new(),
                }),
            };
            let event = Event { seq, t: MonoTime::from_ns(seq), source: Source::Read, step: None, kind };
            seen.take(&event, bytes);
        }
        seen.cause().map(|diagnosis| diagnosis.cause)
    }

    #[test]
    fn ok_to_the_loaders_first_word_is_the_application() {
        let early = [('R', &b""[..]), ('>', b"AT+IPR=460800\r"), ('<', b"AT+IPR=460800\r\r\n"), ('<', b"OK\r\n")];
        assert_eq!(cause(&early), Some(Cause::ApplicationAnswered));
    }

    #[test]
    fn ok_to_an_applications_command_is_no_cause() {
        assert_eq!(cause(&[('R', b""), ('>', b"AT\r"), ('<', b"\r\nOK\r\n"), ('>', b"AT+IPR=460800\r"), ('<', b"\r\nOK\r\n")]), None);
    }

    #[test]
    fn what_came_before_the_release_does_not_count() {
        let script = [('R', &b""[..]), ('>', b"AT+IPR=460800\r"), ('<', b"\r\nOK\r\n"), ('R', b""), ('>', b"\xC5"), ('<', b"\x9A")];
        assert_eq!(cause(&script), None);
    }

    #[test]
    fn acknowledges_without_an_answer_are_a_damaged_boot_code() {
        let script = [('R', &b""[..]), ('>', b"\xC5"), ('<', b"\x9A\r"), ('>', b"\x08\x08\rATI01\r"), ('>', b"\xC5\xFF"), ('<', b"\x9A")];
        assert_eq!(cause(&script), Some(Cause::AcknowledgedSilent));
    }

    #[test]
    fn a_boot_code_that_answered_once_is_not_damaged() {
        let script =
            [('R', &b""[..]), ('>', b"\xC5"), ('<', b"\x9A"), ('>', b"\x08\rAT#BOOT\r"), ('<', b"0\r\r\n#SYSSTART\r\n"), ('>', b"AT\r")];
        assert_eq!(cause(&script), None, "it is the application that is silent");
    }

    #[test]
    fn an_acknowledge_alone_is_no_cause() {
        assert_eq!(cause(&[('R', b""), ('>', b"\xC5"), ('<', b"\x9A")]), None);
    }

    #[test]
    fn silence_is_nothing_came_and_one_byte_is_not() {
        assert_eq!(cause(&[('R', b""), ('>', b"\xC5")]), Some(Cause::NothingCame));
        assert_eq!(cause(&[('R', b""), ('>', b"\xC5"), ('<', b"\x00")]), None);
        assert_eq!(cause(&[('R', b"")]), None, "nobody asked");
    }
}
