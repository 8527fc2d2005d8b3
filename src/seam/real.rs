//! The seam to hardware: `ppoll` on the port, the lines' backends and the interrupt, all in the thread that waits.
//!
//! A turn of [`Seam::wait`] looks at the interrupt and pending lines, then does what is due on lines, then on the stream, then takes edges, then reads; only when nothing of that happened
//! does it sleep.
//! What was returned once is never looked for again, and whoever floods gets one read a turn, so a flood starves neither queue nor interrupt.
//!
//! - **Timed operations** are never early. The thread sleeps until 200 µs before and spins the rest on the clock (the kernel wakes a
//!   sleeper 50 to 100 µs late, more on a busy machine; the timer slack of the thread is set to 1 ns at the first wait). It never spins on reads: the kernel hands bytes of a terminal over in a
//!   worker of normal priority, which a spinning reader starves.
//! - **`since`** is the entry of a read that found the stream empty. A read shorter than its buffer proves nothing on a terminal, so it is never later than
//!   the truth. [`Happening::Deadline`] is returned only after such a read that began when the deadline had passed.
//! - **A stream that is gone**: bytes that the kernel still has come first, then [`Happening::Gone`] once, and what was queued on the stream is forgotten. What is queued on it
//!   afterwards is never carried out: the next wait returns [`SeamError::Stream`]. Lines, deadlines and the interrupt go on as before.
//! - **Errors** forget the operation that failed and nothing else.

mod input;
mod line;
mod stream;

use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use self::input::Input;
use self::line::Line;
use self::stream::Stream;
use super::{Capabilities, Direction, Happening, LineId, LineInfo, LineState, Seam, SeamError, StreamId, Ticket};
use crate::baud::Baud;
use crate::line::{InputLine, MAX_LINES, OutputLine};
use crate::port::Port;
use crate::time::MonoTime;

/// How long before a timed operation the sleep ends and the spinning begins.
const SPIN: Duration = Duration::from_micros(200);

/// Turns without a look at the interrupt, at most. A look costs a system call, and in a flood one read a turn is all that is done.
const TURNS_UNSEEN: u8 = 8;

/// Descriptors that one poll can look at: port, interrupt, lines.
const MAX_FDS: usize = 2 + MAX_LINES;

/// A board as it is wired to this computer: one port, a reset line, perhaps more lines. See the module for the rules.
pub struct RealSeam {
    /// The lines that we drive. Dropped before the port, which may be that of one of them.
    lines: Vec<Line>,
    stream: Stream,
    /// The lines that the board drives.
    inputs: Vec<Input>,
    infos: Vec<LineInfo>,
    /// The entry of the last poll, which looks at every input.
    inputs_seen_at: MonoTime,
    interrupt: Option<Arc<OwnedFd>>,
    interrupted: bool,
    /// An operation for a stream or a line that this board does not have.
    misdirected: Option<SeamError>,
    last_ticket: u64,
    turns_unseen: u8,
    is_slack_set: bool,
}

/// What a turn found; [`Happening`] lends the bytes from the seam.
enum Found {
    Bytes { at: MonoTime, since: MonoTime },
    Sent { ticket: Ticket, planned: Option<MonoTime>, before: MonoTime, after: MonoTime },
    SpeedSet { ticket: Ticket, requested: Baud, actual: Baud, before: MonoTime, after: MonoTime },
    TransmitHeld { ticket: Ticket, held: bool, before: MonoTime, after: MonoTime, refused: Option<String> },
    Asked { line: LineId, ticket: Ticket, question: String, at: MonoTime },
    Edge { line: LineId, state: LineState, at: MonoTime },
    Driven { line: LineId, ticket: Ticket, state: LineState, planned: Option<MonoTime>, before: MonoTime, after: MonoTime },
    Level { line: LineId, ticket: Ticket, state: Option<LineState>, at: MonoTime, refused: Option<String> },
    Gone { at: MonoTime, reason: String },
    Interrupted { at: MonoTime },
    Deadline { at: MonoTime },
}

/// When a queue wants its next turn.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: MonoTime,
    /// Whether the moment is kept to the microsecond, by spinning.
    is_precise: bool,
}

impl RealSeam {
    /// A board on this port and this reset line. `interrupt` becomes readable when the run is to end, and stays so: it is never read here.
    #[must_use]
    pub fn new(port: Port, reset: Box<dyn OutputLine>, interrupt: Option<Arc<OwnedFd>>) -> Self {
        Self::unwired(port, interrupt).with_output(LineId::RESET, "reset", LineState::Released, reset)
    }

    /// A board on this port, to which no line is wired yet.
    #[must_use]
    pub fn unwired(port: Port, interrupt: Option<Arc<OwnedFd>>) -> Self {
        Self {
            stream: Stream::new(StreamId::PORT, port),
            lines: Vec::new(),
            inputs: Vec::new(),
            infos: Vec::new(),
            inputs_seen_at: MonoTime::ZERO,
            interrupt,
            interrupted: false,
            misdirected: None,
            last_ticket: 0,
            turns_unseen: 0,
            is_slack_set: false,
        }
    }

    /// The same with one more line that we drive; `unpowered` is as in [`LineInfo`]. At most [`MAX_LINES`] lines in all.
    #[must_use]
    pub fn with_output(mut self, id: LineId, name: &str, unpowered: LineState, backend: Box<dyn OutputLine>) -> Self {
        self.infos.push(LineInfo {
            id,
            name: name.to_owned(),
            direction: Direction::Out,
            unpowered,
            answer_within: backend.answer_within(),
        });
        self.lines.push(Line::new(id, name, backend));
        self
    }

    /// The same with one more line that the board drives.
    #[must_use]
    pub fn with_input(mut self, id: LineId, name: &str, backend: Box<dyn InputLine>) -> Self {
        let (unpowered, answer_within) = (LineState::Released, Duration::ZERO);
        self.infos.push(LineInfo { id, name: name.to_owned(), direction: Direction::In, unpowered, answer_within });
        self.inputs.push(Input::new(id, name, backend));
        self
    }

    /// The port, for messages.
    #[must_use]
    pub const fn port(&self) -> &Port {
        self.stream.port()
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    fn misdirect(&mut self, name: &'static str, call: &'static str) {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "this board has no such stream or line");
        self.misdirected.get_or_insert(SeamError::Stream { stream: name, call, source });
    }

    /// Turns until something has happened.
    fn next(&mut self, until: MonoTime) -> Result<Found, SeamError> {
        if let Some(error) = self.misdirected.take() {
            return Err(error);
        }
        loop {
            self.turns_unseen += 1;
            if self.turns_unseen >= TURNS_UNSEEN || self.turns_unseen > 1 && self.lines.iter().any(Line::is_pending) {
                self.poll(Some(Duration::ZERO))?;
            }
            if std::mem::take(&mut self.interrupted) {
                self.interrupt = None;
                return Ok(Found::Interrupted { at: MonoTime::now() });
            }
            for line in &mut self.lines {
                if let Some(found) = line.turn()? {
                    return Ok(found);
                }
            }
            if let Some(found) = self.stream.turn()? {
                return Ok(found);
            }
            for input in &mut self.inputs {
                if let Some(found) = input.turn()? {
                    return Ok(found);
                }
            }
            if let Some(found) = self.stream.read()? {
                return Ok(found);
            }
            if self.stream.empty_seen_at() < until {
                self.sleep(until)?;
            } else if !self.inputs.is_empty() && self.inputs_seen_at < until {
                self.poll(Some(Duration::ZERO))?;
            } else {
                return Ok(Found::Deadline { at: MonoTime::now() });
            }
        }
    }

    /// Sleeps until something can be done, at most until `until`; the last stretch before a timed operation is spun.
    fn sleep(&mut self, until: MonoTime) -> Result<(), SeamError> {
        let now = MonoTime::now();
        let mut wake = until;
        for due in self.lines.iter().filter_map(Line::due).chain(self.stream.due(now)) {
            if due.is_precise && now + SPIN >= due.at {
                let end = due.at.min(until);
                while MonoTime::now() < end {
                    std::hint::spin_loop();
                }
                return Ok(());
            }
            wake = wake.min(if due.is_precise { due.at.minus(SPIN) } else { due.at });
        }
        self.poll((wake != MonoTime::FAR_FUTURE).then(|| wake - now))
    }

    /// Looks at every descriptor, for at most `timeout` (`None`: until one of them has something).
    fn poll(&mut self, timeout: Option<Duration>) -> Result<(), SeamError> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let port = self.stream.port().as_fd();
        let mut fds = [(); MAX_FDS].map(|()| PollFd::from_borrowed_fd(port, PollFlags::empty()));
        let mut count = 0;
        let mut watch = |fd, flags| {
            fds[count] = PollFd::from_borrowed_fd(fd, flags);
            count += 1;
        };
        // Taken in below in the same order.
        if let Some(flags) = self.stream.interest() {
            watch(port, flags);
        }
        if let Some(fd) = &self.interrupt {
            watch(fd.as_fd(), PollFlags::IN);
        }
        self.lines.iter().filter_map(Line::pending_fd).for_each(|fd| watch(fd, PollFlags::IN));
        self.inputs.iter().filter_map(Input::fd).for_each(|fd| watch(fd, PollFlags::IN));

        let seen_at = MonoTime::now();
        match rustix::event::poll(&mut fds[..count], timeout.as_ref()) {
            Ok(_) => {}
            // Whatever the signal meant, the next turn looks again.
            Err(Errno::INTR) => return Ok(()),
            Err(source) => return Err(SeamError::System { call: "ppoll", source: source.into() }),
        }
        let mut seen = [PollFlags::empty(); MAX_FDS];
        for (seen, fd) in seen.iter_mut().zip(&fds) {
            *seen = fd.revents();
        }
        let mut seen = seen.into_iter();
        let mut next = |is_watched: bool| if is_watched { seen.next().unwrap_or(PollFlags::empty()) } else { PollFlags::empty() };
        let of_stream = next(self.stream.interest().is_some());
        self.interrupted = !next(self.interrupt.is_some()).is_empty();
        for line in &mut self.lines {
            let of_line = next(line.pending_fd().is_some());
            line.polled(of_line);
        }
        for input in &mut self.inputs {
            let of_input = next(input.fd().is_some());
            input.polled(of_input);
        }
        self.stream.polled(of_stream);
        self.inputs_seen_at = seen_at;
        self.turns_unseen = 0;
        Ok(())
    }
}

impl Seam for RealSeam {
    fn now(&self) -> MonoTime {
        MonoTime::now()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { observed_edges: !self.inputs.is_empty(), ..self.stream.port().capabilities() }
    }

    fn lines(&self) -> &[LineInfo] {
        &self.infos
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8], at: Option<MonoTime>) -> Ticket {
        let ticket = self.ticket();
        if stream == StreamId::PORT {
            self.stream.send(ticket, bytes, at);
        } else {
            self.misdirect(stream.name(), "send");
        }
        ticket
    }

    fn set_speed(&mut self, stream: StreamId, speed: Baud) -> Ticket {
        let ticket = self.ticket();
        if stream == StreamId::PORT {
            self.stream.set_speed(ticket, speed);
        } else {
            self.misdirect(stream.name(), "set_speed");
        }
        ticket
    }

    fn hold_transmit(&mut self, stream: StreamId, held: bool) -> Ticket {
        let ticket = self.ticket();
        if stream == StreamId::PORT {
            self.stream.hold_transmit(ticket, held);
        } else {
            self.misdirect(stream.name(), "hold_transmit");
        }
        ticket
    }

    fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Ticket {
        let ticket = self.ticket();
        match self.lines.iter_mut().find(|known| known.id == line) {
            Some(known) => known.drive(ticket, state, at),
            None => self.misdirect("line", "drive"),
        }
        ticket
    }

    fn read_back(&mut self, line: LineId) -> Ticket {
        let ticket = self.ticket();
        match self.lines.iter_mut().find(|known| known.id == line) {
            Some(known) => known.read_back(ticket),
            None => self.misdirect("line", "read_back"),
        }
        ticket
    }

    fn withdraw_send(&mut self, ticket: Ticket) {
        self.stream.withdraw_send(ticket);
    }

    fn forget_queued(&mut self) {
        self.lines.iter_mut().for_each(Line::forget_queued);
        self.stream.forget_queued();
        self.misdirected = None;
    }

    fn wait(&mut self, until: MonoTime) -> Result<Happening<'_>, SeamError> {
        if !std::mem::replace(&mut self.is_slack_set, true) {
            // Without it timed operations are only later, and say so.
            let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        }
        let found = self.next(until)?;
        let stream = StreamId::PORT;
        Ok(match found {
            Found::Bytes { at, since } => Happening::Bytes { stream, at, since, bytes: self.stream.bytes(), marks: self.stream.marks() },
            Found::Sent { ticket, planned, before, after } => {
                Happening::Sent { stream, ticket, planned, before, after, bytes: self.stream.sent() }
            }
            Found::SpeedSet { ticket, requested, actual, before, after } => {
                Happening::SpeedSet { stream, ticket, requested, actual, before, after }
            }
            Found::TransmitHeld { ticket, held, before, after, refused } => {
                Happening::TransmitHeld { stream, ticket, held, before, after, refused }
            }
            Found::Asked { line, ticket, question, at } => Happening::Asked { line, ticket, question, at },
            Found::Edge { line, state, at } => Happening::Edge { line, state, at },
            Found::Driven { line, ticket, state, planned, before, after } => {
                Happening::Driven { line, ticket, state, planned, before, after }
            }
            Found::Level { line, ticket, state, at, refused } => Happening::Level { line, ticket, state, at, refused },
            Found::Gone { at, reason } => Happening::Gone { stream, at, reason },
            Found::Interrupted { at } => Happening::Interrupted { at },
            Found::Deadline { at } => Happening::Deadline { at },
        })
    }
}
