//! The other end of a control socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::time::MonoTime;

/// How long an answer may take if nothing else is asked for.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);
/// The longest answer that is taken: a `state` is well under it.
const ANSWER_LIMIT: usize = 1 << 20;

/// What a command on a control socket can fail with.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens there.
    #[error("no board answers on {}: {source}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A system call failed.
    #[error("{call} on {} failed: {source}", path.display())]
    System {
        /// The system call.
        call: &'static str,
        /// The socket.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No answer came in time. The connection is closed, for the answer may still come.
    #[error("{} did not answer `{command}` within {deadline:?}", path.display())]
    Deadline {
        /// The socket.
        path: PathBuf,
        /// The command.
        command: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// The board closed the connection before it answered.
    #[error("{} closed the connection before it answered `{command}`", path.display())]
    Closed {
        /// The socket.
        path: PathBuf,
        /// The command.
        command: String,
    },
    /// The board answered `error`.
    #[error("{why}")]
    Refused {
        /// Why, in the board's words.
        why: String,
    },
    /// The answer is neither `ok` nor `error`.
    #[error("{} answered `{command}` by `{answer}`, which is neither ok nor error: is it a control socket?", path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// The command.
        command: String,
        /// The answer.
        answer: String,
    },
    /// A command is one line.
    #[error("a command is one line: `{}`", command.escape_default())]
    NotALine {
        /// The command.
        command: String,
    },
}

/// A connection to a board's control socket.
#[derive(Debug)]
pub struct ControlClient {
    stream: UnixStream,
    path: PathBuf,
    deadline: Duration,
    /// After a deadline the next answer might be that of the command before.
    out_of_step: bool,
}

impl ControlClient {
    /// Connects to the control socket at `path`.
    ///
    /// # Errors
    /// [`ControlError::Connect`] when nobody listens there.
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ControlError> {
        let path = path.as_ref().to_owned();
        match UnixStream::connect(&path) {
            Ok(stream) => Ok(Self { stream, path, deadline: DEFAULT_DEADLINE, out_of_step: false }),
            Err(source) => Err(ControlError::Connect { path, source }),
        }
    }

    /// Waits `deadline` for an answer instead of 2 s.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sends a command and returns what is answered behind `ok`. **`reset assert` resets the board; `setup` powers it on anew.** Blocks for the deadline at most.
    ///
    /// # Errors
    /// [`ControlError::Refused`] when the board answers `error`; else what kept it from answering.
    pub fn command(&mut self, command: &str) -> Result<String, ControlError> {
        if command.contains(['\n', '\r']) {
            return Err(ControlError::NotALine { command: command.to_owned() });
        }
        if self.out_of_step {
            return Err(self.closed(command));
        }
        let until = MonoTime::now() + self.deadline;
        let result = self.exchange(command, until);
        self.out_of_step = matches!(result, Err(ControlError::Deadline { .. }));
        let answer = result?;
        match answer.split_once(' ').unwrap_or((&answer, "")) {
            ("ok", text) => Ok(text.to_owned()),
            ("error", why) => Err(ControlError::Refused { why: why.to_owned() }),
            _ => Err(ControlError::Foreign { path: self.path.clone(), command: command.to_owned(), answer }),
        }
    }

    fn exchange(&mut self, command: &str, until: MonoTime) -> Result<String, ControlError> {
        let line = format!("{command}\n");
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            let left = self.left(command, until)?;
            let written = self.stream.set_write_timeout(Some(left)).and_then(|()| self.stream.write(rest));
            let written = self.progress("write", command, written)?;
            rest = &rest[written.unwrap_or(0)..];
        }
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with(b"\n") {
            let left = self.left(command, until)?;
            let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
            match self.progress("read", command, read)? {
                Some(0) => return Err(self.closed(command)),
                Some(n) => answer.extend_from_slice(&buffer[..n]),
                None => {}
            }
            if answer.len() > ANSWER_LIMIT {
                answer.truncate(64);
                let answer = String::from_utf8_lossy(&answer).into_owned();
                return Err(ControlError::Foreign { path: self.path.clone(), command: command.to_owned(), answer });
            }
        }
        Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
    }

    /// What is left of the time, never zero.
    fn left(&self, command: &str, until: MonoTime) -> Result<Duration, ControlError> {
        match until.since(MonoTime::now()) {
            Duration::ZERO => Err(ControlError::Deadline { path: self.path.clone(), command: command.to_owned(), deadline: self.deadline }),
            left => Ok(left),
        }
    }

    /// `None` when the call is to be made again, if there is time.
    fn progress(&self, call: &'static str, command: &str, result: io::Result<usize>) -> Result<Option<usize>, ControlError> {
        match result {
            Ok(n) => Ok(Some(n)),
            Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(None),
            Err(e) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Err(self.closed(command)),
            Err(source) => Err(ControlError::System { call, path: self.path.clone(), source }),
        }
    }

    fn closed(&self, command: &str) -> ControlError {
        ControlError::Closed { path: self.path.clone(), command: command.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_control_client_waits_no_longer_than_it_was_told_and_takes_no_late_answer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control");
        assert!(matches!(ControlClient::connect(&path), Err(ControlError::Connect { .. })));

        let listener = UnixListener::bind(&path).unwrap();
        let mut client = ControlClient::connect(&path).unwrap().with_deadline(Duration::from_millis(20));
        let (mut server, _) = listener.accept().unwrap();
        assert!(matches!(client.command("state"), Err(ControlError::Deadline { .. })));
        server.write_all(b"ok late\n").unwrap();
        assert!(matches!(client.command("help"), Err(ControlError::Closed { .. })));
        assert!(matches!(client.command("two\nlines"), Err(ControlError::NotALine { .. })));

        let mut client = ControlClient::connect(&path).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"HTTP/1.1 400\r\n").unwrap();
        assert!(matches!(client.command("state"), Err(ControlError::Foreign { answer, .. }) if answer == "HTTP/1.1 400"));
        drop(server);
        assert!(matches!(client.command("state"), Err(ControlError::Closed { .. } | ControlError::System { .. })));
    }
}
