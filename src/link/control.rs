//! The control socket: lines from several clients at once, each answered by one line.
//!
//! A client sends a command and a line feed; the answer is `ok`, `ok TEXT` or `error WHY`, once the command has been carried out. Commands of one client are
//! carried out in their order. What a client does (send garbage, never read, never write, vanish) reaches neither the board nor another client: everything here is
//! bounded and nothing blocks.
//!
//! A client that watches a line of the board is told its edges by lines of their own, `edge ring assert NS`, in between the answers. One that does not read them is let go when too many wait.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::event::{PollFd, PollFlags};

use super::error::LinkError;
use super::files::SocketFile;
use crate::seam::LineState;
use crate::time::MonoTime;

/// The longest command, without its line feed.
pub(super) const LINE_LIMIT: usize = 4096;
/// How many clients may be connected at once.
pub(super) const CLIENTS_LIMIT: usize = 64;
/// Beyond so many bytes of answers that a client has not read, its commands wait.
const ANSWERS_LIMIT: usize = 64 << 10;

/// The listening socket and the clients.
#[derive(Debug)]
pub(super) struct ControlServer {
    listener: UnixListener,
    /// Whether accepting works. When the system has no file descriptor left, waiting for clients would return at once for ever.
    accepts: bool,
    clients: Vec<Client>,
    /// Removes the socket's name when the server is dropped.
    _file: SocketFile,
}

impl ControlServer {
    /// Listens at `path`.
    pub(super) fn listen(path: &Path) -> Result<Self, LinkError> {
        let (listener, file) = SocketFile::listen(path)?;
        Ok(Self { listener, accepts: true, clients: Vec::new(), _file: file })
    }

    /// Adds what to poll.
    pub(super) fn poll<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        if self.accepts {
            fds.push(PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN));
        }
        fds.extend(self.clients.iter().map(|client| PollFd::from_borrowed_fd(client.stream.as_fd(), client.interest())));
    }

    /// Takes in what has come and answers it: `carry_out` is called once a command, in order.
    ///
    /// With each command goes the list of the lines that its client watches.
    pub(super) fn serve(&mut self, mut carry_out: impl FnMut(&str, &mut Vec<&'static str>) -> Result<String, String>) {
        self.accept();
        self.clients.retain_mut(|client| client.serve(&mut carry_out).is_ok());
    }

    /// Tells whoever watches `line` that the board has driven it.
    pub(super) fn tell(&mut self, line: &str, state: LineState, at: MonoTime) {
        let word = match state {
            LineState::Asserted => "assert",
            LineState::Released => "release",
        };
        let told = format!("edge {line} {word} {}\n", at.as_ns());
        self.clients.retain_mut(|client| {
            if !client.watched.contains(&line) {
                return true;
            }
            client.answers.extend_from_slice(told.as_bytes());
            client.answers.len() < ANSWERS_LIMIT && client.write().is_ok()
        });
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    self.accepts = true;
                    // Fails only on a descriptor that is none.
                    if stream.set_nonblocking(true).is_err() {
                        continue;
                    }
                    if self.clients.len() < CLIENTS_LIMIT {
                        self.clients.push(Client { stream, commands: Vec::new(), answers: Vec::new(), watched: Vec::new(), ended: false });
                    } else {
                        // It is sent away either way; the words are a courtesy.
                        let _ = (&stream).write_all(format!("error {CLIENTS_LIMIT} clients are connected: close one\n").as_bytes());
                    }
                }
                Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
                Err(e) => {
                    // Out of descriptors: tried again with whatever happens next.
                    self.accepts = e.kind() == io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    /// What came and was not carried out yet: at most a line and a read.
    commands: Vec<u8>,
    /// What it has not read yet.
    answers: Vec<u8>,
    /// Lines of the board whose edges it is told.
    watched: Vec<&'static str>,
    /// It sends nothing more, or nothing more is taken from it.
    ended: bool,
}

/// The client is to be let go.
struct Gone;

impl Client {
    fn interest(&self) -> PollFlags {
        let mut events = PollFlags::empty();
        if !self.ended && self.answers.len() < ANSWERS_LIMIT {
            events |= PollFlags::IN;
        }
        if !self.answers.is_empty() {
            events |= PollFlags::OUT;
        }
        events
    }

    fn serve(&mut self, carry_out: &mut impl FnMut(&str, &mut Vec<&'static str>) -> Result<String, String>) -> Result<(), Gone> {
        self.write()?;
        self.carry_out_lines(carry_out);
        if !self.ended && self.answers.len() < ANSWERS_LIMIT {
            self.read()?;
            self.carry_out_lines(carry_out);
        }
        self.write()?;
        // What is left in `commands` then has no line feed and is no command.
        if self.ended && self.answers.is_empty() { Err(Gone) } else { Ok(()) }
    }

    fn read(&mut self) -> Result<(), Gone> {
        let mut buffer = [0; LINE_LIMIT];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => self.commands.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Gone),
            }
            return Ok(());
        }
    }

    fn carry_out_lines(&mut self, carry_out: &mut impl FnMut(&str, &mut Vec<&'static str>) -> Result<String, String>) {
        let mut taken = 0;
        while self.answers.len() < ANSWERS_LIMIT {
            let rest = &self.commands[taken..];
            let length = rest.iter().position(|&byte| byte == b'\n');
            if length.unwrap_or(rest.len()) > LINE_LIMIT {
                self.answers.extend_from_slice(b"error line too long\n");
                self.ended = true;
                taken = self.commands.len();
                break;
            }
            let Some(length) = length else { break };
            let answer = match std::str::from_utf8(&rest[..length]) {
                Ok(line) => carry_out(line.trim(), &mut self.watched),
                Err(_) => Err("the command is not UTF-8".to_owned()),
            };
            let (word, text) = match &answer {
                Ok(text) => ("ok", text),
                Err(why) => ("error", why),
            };
            self.answers.extend_from_slice(word.as_bytes());
            if !text.is_empty() {
                self.answers.push(b' ');
                // One line is one answer.
                self.answers.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
            }
            self.answers.push(b'\n');
            taken += length + 1;
        }
        self.commands.drain(..taken);
    }

    fn write(&mut self) -> Result<(), Gone> {
        while !self.answers.is_empty() {
            match self.stream.write(&self.answers) {
                Ok(n) => drop(self.answers.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }
}
