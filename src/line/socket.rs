//! `reset assert` and `reset release` on a Unix stream socket: what `evkit-hil virtual --control` speaks, and any program that somebody
//! writes for a relay, a debug probe or a power switch. Another line is called by its name, `wake assert`; power is `power on` and `power off`.
//!
//! At claim it connects (at most 2 s), sends `reset release` (`power on`) and waits for its `ok` (at most 2 s). At drop, where the line is not known
//! to be released, it sends `reset release` and waits at most 500 ms for the answer, then closes the connection; it waits because a
//! server may stop reading at the first answer that it cannot deliver. When the process is killed the connection closes and the board's
//! program keeps the line as it was; the guardian connects and sends `reset release`. Power is left as it is at drop and by the guardian.
//!
//! The protocol is lines ended by LF. Each command is answered by one line once it is carried out: `ok`, `ok` and a text, or `error`
//! and why. `reset level` asks what the line is, whoever makes it so, and is answered by `ok asserted` or `ok released`; a program that cannot tell answers `error`.
//!
//! A server may serve one client at a time: a second one then waits, connected, until the first has closed, so this backend
//! holds one connection for its line. A program that has several lines serves several clients. `drive`, `bias` and `active` mean nothing here: they are the affair of the
//! program at the other end.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with};

use super::pause::pause;
use super::{LineConfig, LineError, OutputLine, Progress, Role, drive_within};
use crate::seam::LineState;
use crate::time::MonoTime;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long the answer to the first release may take.
const CLAIM_WITHIN: Duration = Duration::from_secs(2);
/// How long a drop waits for the answer to its release.
const DROP_WITHIN: Duration = Duration::from_millis(500);
/// The longest answer that is read.
pub(super) const LONGEST_ANSWER: usize = 1024;

/// A connection to the program that drives the line.
pub(super) struct SocketLine {
    socket: OwnedFd,
    path: PathBuf,
    /// What came of an answer that is not yet whole.
    answer: Vec<u8>,
    /// What was sent and not yet answered, oldest first.
    unanswered: VecDeque<Asked>,
    /// The state that was carried out last; `None` while that is not known.
    known: Option<LineState>,
    /// What asserts and what releases, each with its line feed.
    commands: [String; 2],
    /// What reads it back, with its line feed; `None` for power, which is not let go.
    reads: Option<String>,
    /// As it was read back last.
    level: Option<LineState>,
    /// What a drop leaves; `None` for the line as it is.
    dropped: Option<LineState>,
}

/// What an answer is owed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Drive(LineState),
    Level,
}

impl SocketLine {
    /// Connects and writes the line's first state. The line is called `word` there.
    pub(super) fn claim(path: &Path, word: &str, config: &LineConfig) -> Result<Self, LineError> {
        let [assert, release] = match config.role {
            Role::Power => ["on", "off"],
            Role::Output | Role::Input => ["assert", "release"],
        };
        let mut line = Self {
            socket: connect_to(path)?,
            path: path.to_owned(),
            answer: Vec::new(),
            unanswered: VecDeque::with_capacity(4),
            known: None,
            commands: [format!("{word} {assert}\n"), format!("{word} {release}\n")],
            reads: (config.role == Role::Output).then(|| format!("{word} level\n")),
            level: None,
            dropped: config.dropped(),
        };
        match drive_within(&mut line, config.claimed(), CLAIM_WITHIN) {
            Ok(()) => Ok(line),
            Err(e) => {
                // The drop must not wait for the same answer again.
                line.let_be();
                Err(e)
            }
        }
    }

    /// Leaves the line as it is when this is dropped.
    fn let_be(&mut self) {
        self.dropped = None;
    }

    fn command(&self, state: LineState) -> &str {
        match state {
            LineState::Asserted => &self.commands[0],
            LineState::Released => &self.commands[1],
        }
    }

    fn failed(&self, call: &'static str, source: Errno) -> LineError {
        match source {
            Errno::PIPE | Errno::CONNRESET => LineError::Gone { what: self.describe(), pending: !self.unanswered.is_empty() },
            _ => LineError::System { call, what: self.describe(), source: source.into() },
        }
    }

    /// Reads what there is. False when there is nothing (more).
    fn receive(&mut self) -> Result<bool, LineError> {
        let mut buffer = [0_u8; 256];
        loop {
            return match recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => Err(LineError::Gone { what: self.describe(), pending: !self.unanswered.is_empty() }),
                Ok((n, _)) => {
                    self.answer.extend_from_slice(&buffer[..n]);
                    Ok(true)
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(false),
                Err(e) => Err(self.failed("recv", e)),
            };
        }
    }

    /// Takes the answers that are whole.
    fn take_answers(&mut self) -> Result<(), LineError> {
        'answers: while let Some(end) = self.answer.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.answer.drain(..=end).collect();
            let answer = Answer::parse(&line[..end]);
            let state = loop {
                match self.unanswered.pop_front() {
                    Some(Asked::Drive(state)) => break state,
                    // A program may not know the command and say nothing: then this is the answer to what was sent after it.
                    Some(Asked::Level) if answer == Answer::Ok(None) && !self.unanswered.is_empty() => {}
                    Some(Asked::Level) => {
                        self.level = if let Answer::Ok(level) = answer { level } else { None };
                        continue 'answers;
                    }
                    None => return Err(self.protocol(&line, "silence, because nothing was asked")),
                }
            };
            match answer {
                Answer::Ok(_) => self.known = self.unanswered.is_empty().then_some(state),
                Answer::Error(why) => return Err(self.refused(state, &why)),
                Answer::Other => return Err(self.protocol(&line, "`ok`, or `error` and why")),
            }
        }
        if self.answer.len() > LONGEST_ANSWER {
            let said = std::mem::take(&mut self.answer);
            return Err(self.protocol(&said, "a line of at most 1024 bytes"));
        }
        Ok(())
    }

    /// Takes what came: unasked, it would be taken for the answer to the next command.
    fn take_what_came(&mut self) -> Result<(), LineError> {
        while self.receive()? {
            self.take_answers()?;
        }
        Ok(())
    }

    /// Sends a command, whole.
    fn say(&self, command: &str) -> Result<(), LineError> {
        loop {
            match send(&self.socket, command.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(n) if n == command.len() => return Ok(()),
                // A stream socket takes a handful of bytes whole or not at all, unless its peer has read nothing for long.
                Ok(_) | Err(Errno::AGAIN) => {
                    return Err(LineError::Refused(format!("{} does not read its commands: restart the program", self.describe())));
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(self.failed("send", e)),
            }
        }
    }

    fn refused(&self, state: LineState, why: &str) -> LineError {
        let why = if why.is_empty() { "no reason given" } else { why };
        LineError::Refused(format!("{} refused `{}`: {why}", self.describe(), self.command(state).trim_end()))
    }

    fn protocol(&self, said: &[u8], expected: &'static str) -> LineError {
        let said = String::from_utf8_lossy(&said[..said.len().min(80)]).trim_end().to_owned();
        LineError::Protocol { what: self.describe(), said, expected }
    }
}

impl OutputLine for SocketLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        self.take_what_came()?;
        self.known = None;
        self.say(self.command(state))?;
        self.unanswered.push_back(Asked::Drive(state));
        Ok(Progress::Pending)
    }

    fn read_back(&mut self) -> Result<Progress, LineError> {
        self.level = None;
        let Some(command) = self.reads.clone() else { return Ok(Progress::Done) };
        self.take_what_came()?;
        self.say(&command)?;
        self.unanswered.push_back(Asked::Level);
        Ok(Progress::Pending)
    }

    fn level(&self) -> Option<LineState> {
        self.level
    }

    fn proceed(&mut self) -> Result<Progress, LineError> {
        while !self.unanswered.is_empty() && self.receive()? {
            self.take_answers()?;
        }
        Ok(if self.unanswered.is_empty() { Progress::Done } else { Progress::Pending })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn describe(&self) -> String {
        format!("socket {}", self.path.display())
    }
}

impl Drop for SocketLine {
    fn drop(&mut self) {
        if let Some(state) = self.dropped
            && self.known != Some(state)
        {
            // Nobody is left to be told; the guardian, which connects anew, reports what it cannot do.
            let _ = drive_within(self, state, DROP_WITHIN);
        }
    }
}

/// Connects to the program that has the line, for at most 2 s.
pub(super) fn connect_to(path: &Path) -> Result<OwnedFd, LineError> {
    let failed = |call, source: Errno| LineError::System { call, what: format!("socket {}", path.display()), source: source.into() };
    let missing = |hint: &str| LineError::Missing { what: format!("socket {}", path.display()), hint: hint.to_owned() };
    let address = match SocketAddrUnix::new(path) {
        Err(Errno::NAMETOOLONG) => return Err(missing("the path of a Unix socket has at most 107 bytes")),
        other => other.map_err(|e| failed("connect", e))?,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(|e| failed("socket", e))?;
    let deadline = MonoTime::now() + CONNECT_WITHIN;
    loop {
        match connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            // The server's queue of clients is full. There is nothing to poll for that, so it is tried again.
            Err(Errno::AGAIN) if MonoTime::now() < deadline => {
                pause(Duration::from_millis(10));
            }
            Err(Errno::AGAIN) => {
                return Err(LineError::NoAnswer {
                    what: format!("socket {}", path.display()),
                    waited: CONNECT_WITHIN,
                    hint: "its queue of clients is full; end the other clients, or restart the program",
                });
            }
            Err(Errno::NOENT) => {
                return Err(missing("start the program that makes it (`evkit-hil virtual --control PATH`), or mend the path"));
            }
            Err(Errno::CONNREFUSED) => return Err(missing("the file exists and no program listens on it; start the program again")),
            Err(e) => return Err(failed("connect", e)),
        }
    }
    Ok(socket)
}

/// One line of the program at the other end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With the state that it names, if it names one.
    Ok(Option<LineState>),
    Error(String),
    Other,
}

impl Answer {
    pub(super) fn parse(line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match word {
            "ok" => Self::Ok(match rest.trim() {
                "asserted" => Some(LineState::Asserted),
                "released" => Some(LineState::Released),
                _ => None,
            }),
            "error" => Self::Error(rest.trim().to_owned()),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ok", Answer::Ok(None))]
    #[case("ok\r", Answer::Ok(None))]
    #[case("ok carried out at 12.5", Answer::Ok(None))]
    #[case("ok asserted", Answer::Ok(Some(LineState::Asserted)))]
    #[case("ok released\r", Answer::Ok(Some(LineState::Released)))]
    #[case("ok asserted again", Answer::Ok(None))]
    #[case("error", Answer::Error(String::new()))]
    #[case("error no such relay", Answer::Error("no such relay".to_owned()))]
    #[case("okay", Answer::Other)]
    #[case("OK", Answer::Other)]
    #[case("", Answer::Other)]
    fn answers(#[case] line: &str, #[case] expected: Answer) {
        assert_eq!(Answer::parse(line.as_bytes()), expected);
    }
}
