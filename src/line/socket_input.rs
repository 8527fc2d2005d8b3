//! A line that the board drives, told on a Unix stream socket: what `evkit-hil virtual --control` speaks.
//!
//! At claim it connects (at most 2 s), sends `watch ring` and waits for its `ok` (at most 2 s). From then on it is sent a line for each edge, `edge ring assert NS` or
//! `edge ring release NS`, where NS are nanoseconds of CLOCK_MONOTONIC. At drop, and when the process is killed, the connection closes; there is nothing to release.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::socket::{Answer, LONGEST_ANSWER, connect_to};
use super::{InputLine, LineError, SeenEdge};
use crate::seam::LineState;
use crate::time::MonoTime;

/// How long the answer to `watch` may take.
const CLAIM_WITHIN: Duration = Duration::from_secs(2);

/// A connection on which edges are told.
pub(super) struct SocketInput {
    socket: OwnedFd,
    path: PathBuf,
    /// The line's name there.
    line: String,
    /// What came and was not taken yet.
    said: Vec<u8>,
}

impl SocketInput {
    /// Connects and asks for the edges of `line`.
    pub(super) fn claim(path: &Path, line: &str) -> Result<Self, LineError> {
        let mut input = Self { socket: connect_to(path)?, path: path.to_owned(), line: line.to_owned(), said: Vec::new() };
        let command = format!("watch {line}\n");
        match send(&input.socket, command.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(_) => {}
            Err(source) => return Err(input.failed("send", source)),
        }
        let deadline = MonoTime::now() + CLAIM_WITHIN;
        loop {
            if let Some(line) = input.take_line()? {
                return match Answer::parse(&line) {
                    Answer::Ok(_) => Ok(input),
                    Answer::Error(why) => Err(LineError::Refused(format!("{} refused `{}`: {why}", input.describe(), command.trim_end()))),
                    Answer::Other => Err(input.protocol(&line, "`ok`, or `error` and why")),
                };
            }
            let left = deadline.since(MonoTime::now());
            let mut fds = [PollFd::new(&input.socket, PollFlags::IN)];
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(0) => {
                    return Err(LineError::NoAnswer {
                        what: input.describe(),
                        waited: CLAIM_WITHIN,
                        hint: "it serves another client, or its program hangs; a program that has several lines serves several clients",
                    });
                }
                Ok(_) => drop(input.receive()?),
                Err(Errno::INTR) => {}
                Err(source) => return Err(input.failed("poll", source)),
            }
        }
    }

    /// Reads what there is. False when there is nothing (more).
    fn receive(&mut self) -> Result<bool, LineError> {
        let mut buffer = [0_u8; 1024];
        loop {
            return match recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => Err(LineError::Gone { what: self.describe(), pending: false }),
                Ok((n, _)) => {
                    self.said.extend_from_slice(&buffer[..n]);
                    Ok(true)
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(false),
                Err(source) => Err(self.failed("recv", source)),
            };
        }
    }

    /// The next whole line of what came, without its end.
    fn take_line(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        if let Some(end) = self.said.iter().position(|&b| b == b'\n') {
            let mut line: Vec<u8> = self.said.drain(..=end).collect();
            line.truncate(end);
            return Ok(Some(line));
        }
        if self.said.len() > LONGEST_ANSWER {
            let said = std::mem::take(&mut self.said);
            return Err(self.protocol(&said, "a line of at most 1024 bytes"));
        }
        Ok(None)
    }

    fn failed(&self, call: &'static str, source: Errno) -> LineError {
        match source {
            Errno::PIPE | Errno::CONNRESET => LineError::Gone { what: self.describe(), pending: false },
            _ => LineError::System { call, what: self.describe(), source: source.into() },
        }
    }

    fn protocol(&self, said: &[u8], expected: &'static str) -> LineError {
        let said = String::from_utf8_lossy(&said[..said.len().min(80)]).trim_end().to_owned();
        LineError::Protocol { what: self.describe(), said, expected }
    }

    fn describe(&self) -> String {
        format!("socket {}", self.path.display())
    }
}

impl InputLine for SocketInput {
    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn next_edge(&mut self) -> Result<Option<SeenEdge>, LineError> {
        loop {
            if let Some(line) = self.take_line()? {
                let edge = parse_edge(&line, &self.line);
                return edge
                    .map(Some)
                    .ok_or_else(|| self.protocol(&line, "`edge`, the line's name, `assert` or `release`, and nanoseconds"));
            }
            if !self.receive()? {
                return Ok(None);
            }
        }
    }
}

/// `edge ring assert 5003017000000`
fn parse_edge(line: &[u8], name: &str) -> Option<SeenEdge> {
    let words: Vec<&str> = std::str::from_utf8(line).ok()?.split_whitespace().collect();
    let ["edge", line, state, at] = words[..] else { return None };
    let state = match state {
        "assert" => LineState::Asserted,
        "release" => LineState::Released,
        _ => return None,
    };
    let at = at.parse().ok().map(MonoTime::from_ns)?;
    (line == name).then_some(SeenEdge { at, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_its_line_its_state_and_its_time() {
        let edge = |line: &str| parse_edge(line.as_bytes(), "ring");
        assert_eq!(edge("edge ring assert 1500"), Some(SeenEdge { at: MonoTime::from_ns(1500), state: LineState::Asserted }));
        assert_eq!(edge("edge ring release 7\r"), Some(SeenEdge { at: MonoTime::from_ns(7), state: LineState::Released }));
        for other in ["edge wake assert 1500", "edge ring assert", "edge ring up 1500", "edge ring assert -1", "ok", ""] {
            assert_eq!(edge(other), None, "{other}");
        }
    }
}
