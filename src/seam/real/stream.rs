//! A stream of the board: what is queued on it, one buffer for what is read, and how far it is from gone.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use rustix::event::PollFlags;

use super::{Due, Found};
use crate::baud::Baud;
use crate::port::{MarkDecoder, Port, is_close, is_unplugged};
use crate::seam::{Mark, SeamError, StreamId, Ticket};
use crate::time::MonoTime;

/// How long a write, or the drain before a speed change, may make no progress.
const STUCK_AFTER: Duration = Duration::from_secs(2);

/// The most that one read takes, or one write gives: what a turn can cost.
const PIECE: usize = 64 * 1024;

/// How often the kernel's queue is asked whether it is empty, while a speed change waits for it.
const DRAIN_CHECK: Duration = Duration::from_millis(1);

/// A stream on a serial port.
pub(super) struct Stream {
    id: StreamId,
    port: Port,
    queue: VecDeque<Operation>,
    state: State,
    /// The last write was not taken in full: poll says when there is room.
    is_blocked: bool,
    buffer: Box<[u8]>,
    /// Where the decoded bytes of the last read lie in `buffer`.
    bytes: std::ops::Range<usize>,
    marks: Vec<Mark>,
    decoder: MarkDecoder,
    /// The entry of the last read that found nothing, as far as it says that everything read before it came before it.
    empty_since: MonoTime,
    /// The entry of the last read that found nothing.
    empty_seen_at: MonoTime,
    /// What the last completed send wrote. Its room is used again by the next send.
    sent: Vec<u8>,
}

enum Operation {
    Send(Send),
    Setting(Setting),
}

struct Send {
    ticket: Ticket,
    bytes: Vec<u8>,
    written: usize,
    planned: Option<MonoTime>,
    /// Entry of the first write call.
    before: Option<MonoTime>,
    progress_at: MonoTime,
}

/// What is set once everything before it has left the wire.
struct Setting {
    ticket: Ticket,
    to: SetTo,
    drain: Option<Drain>,
}

#[derive(Clone, Copy)]
enum SetTo {
    Speed(Baud),
    /// The transmit line is held low, or not.
    Held(bool),
}

impl SetTo {
    const fn call(self) -> &'static str {
        match self {
            Self::Speed(_) => "setting the speed",
            Self::Held(true) => "TIOCSBRK",
            Self::Held(false) => "TIOCCBRK",
        }
    }
}

/// A queue of the kernel's that was not empty when it should have been.
#[derive(Clone, Copy)]
struct Drain {
    left: u32,
    progress_at: MonoTime,
    check_at: MonoTime,
}

enum State {
    Up,
    /// A write or poll said that the port is gone; what the kernel still has is read first.
    Failing(String),
    /// [`Found::Gone`] was returned.
    Gone(String),
}

impl Stream {
    pub(super) fn new(id: StreamId, port: Port) -> Self {
        let cleared_at = port.cleared_at();
        Self {
            id,
            port,
            queue: VecDeque::new(),
            state: State::Up,
            is_blocked: false,
            buffer: vec![0; MarkDecoder::HEADROOM + PIECE].into_boxed_slice(),
            bytes: 0..0,
            marks: Vec::new(),
            decoder: MarkDecoder::new(),
            empty_since: cleared_at,
            empty_seen_at: cleared_at,
            sent: Vec::new(),
        }
    }

    pub(super) const fn port(&self) -> &Port {
        &self.port
    }

    /// The bytes of the read that the last [`Found::Bytes`] told of.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.bytes.clone()]
    }

    /// The marks among [`Stream::bytes`].
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// What the send that the last [`Found::Sent`] told of has written.
    pub(super) fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// The entry of the last read that found nothing. A stream that is gone has nothing at any time.
    pub(super) fn empty_seen_at(&self) -> MonoTime {
        match self.state {
            State::Gone(_) => MonoTime::now(),
            State::Up | State::Failing(_) => self.empty_seen_at,
        }
    }

    pub(super) fn send(&mut self, ticket: Ticket, bytes: &[u8], planned: Option<MonoTime>) {
        let mut room = std::mem::take(&mut self.sent);
        room.clear();
        room.extend_from_slice(bytes);
        self.queue.push_back(Operation::Send(Send { ticket, bytes: room, written: 0, planned, before: None, progress_at: MonoTime::ZERO }));
    }

    pub(super) fn set_speed(&mut self, ticket: Ticket, speed: Baud) {
        self.queue.push_back(Operation::Setting(Setting { ticket, to: SetTo::Speed(speed), drain: None }));
    }

    pub(super) fn hold_transmit(&mut self, ticket: Ticket, held: bool) {
        self.queue.push_back(Operation::Setting(Setting { ticket, to: SetTo::Held(held), drain: None }));
    }

    pub(super) fn withdraw_send(&mut self, ticket: Ticket) {
        self.queue.retain(|operation| !matches!(operation, Operation::Send(send) if send.ticket == ticket && send.before.is_none()));
    }

    pub(super) fn forget_queued(&mut self) {
        self.queue.clear();
        self.is_blocked = false;
    }

    /// What to poll the port for; `None` when it is gone.
    pub(super) fn interest(&self) -> Option<PollFlags> {
        match self.state {
            State::Gone(_) => None,
            State::Up | State::Failing(_) if self.is_blocked => Some(PollFlags::IN | PollFlags::OUT),
            State::Up | State::Failing(_) => Some(PollFlags::IN),
        }
    }

    /// Takes in what poll said of the port.
    pub(super) fn polled(&mut self, seen: PollFlags) {
        if seen.contains(PollFlags::OUT) {
            self.is_blocked = false;
        }
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            self.fails("hung up".to_owned());
        }
    }

    /// When the stream wants its next turn whatever comes in.
    pub(super) fn due(&self, now: MonoTime) -> Option<Due> {
        let due = |at| Some(Due { at, is_precise: false });
        match self.queue.front()? {
            Operation::Send(Send { planned: Some(at), .. }) if *at > now => Some(Due { at: *at, is_precise: true }),
            Operation::Send(send) if self.is_blocked => due(send.progress_at + STUCK_AFTER),
            Operation::Send(_) => due(MonoTime::ZERO),
            Operation::Setting(Setting { drain: Some(drain), .. }) => due(drain.check_at),
            Operation::Setting(_) => due(self.port.wire_free_at()),
        }
    }

    /// Goes on with the first of what is queued if it is due.
    pub(super) fn turn(&mut self) -> Result<Option<Found>, SeamError> {
        let Some(first) = self.queue.front() else { return Ok(None) };
        match &self.state {
            State::Up => {}
            // Reading comes first, and ends in `Gone`, which forgets what is queued.
            State::Failing(_) => return Ok(None),
            State::Gone(reason) => {
                let source = io::Error::new(io::ErrorKind::BrokenPipe, format!("the port is gone: {reason}"));
                let call = match first {
                    Operation::Send(_) => "write",
                    Operation::Setting(setting) => setting.to.call(),
                };
                self.queue.clear();
                return Err(self.failed(call, source));
            }
        }
        match first {
            Operation::Send(_) => self.turn_send(),
            Operation::Setting(_) => self.turn_setting(),
        }
    }

    fn turn_send(&mut self) -> Result<Option<Found>, SeamError> {
        let Some(Operation::Send(send)) = self.queue.front_mut() else { return Ok(None) };
        let entered = MonoTime::now();
        if send.planned.is_some_and(|at| at > entered) {
            return Ok(None);
        }
        if send.before.is_none() {
            send.progress_at = entered;
        }
        let before = *send.before.get_or_insert(entered);
        let rest = &send.bytes[send.written..];
        let piece = &rest[..rest.len().min(PIECE)];
        let taken = if piece.is_empty() { Ok(0) } else { self.port.write(piece) };
        let after = MonoTime::now();
        self.is_blocked = match taken {
            Ok(taken) => {
                let is_short = taken < piece.len();
                send.written += taken;
                if taken > 0 {
                    send.progress_at = after;
                }
                is_short
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) if is_unplugged(&error) => {
                self.fails(error.to_string());
                return Ok(None);
            }
            Err(error) => {
                self.queue.pop_front();
                return Err(self.failed("write", error));
            }
        };
        let left = send.bytes.len() - send.written;
        let waited = after - send.progress_at;
        if left == 0 {
            let (ticket, planned) = (send.ticket, send.planned);
            if let Some(Operation::Send(send)) = self.queue.pop_front() {
                self.sent = send.bytes;
            }
            return Ok(Some(Found::Sent { ticket, planned, before, after }));
        }
        if self.is_blocked && waited >= STUCK_AFTER {
            self.queue.pop_front();
            self.is_blocked = false;
            return Err(SeamError::WriteStuck { stream: self.id.name(), left, waited });
        }
        Ok(None)
    }

    fn turn_setting(&mut self) -> Result<Option<Found>, SeamError> {
        let Some(Operation::Setting(setting)) = self.queue.front_mut() else { return Ok(None) };
        let before = MonoTime::now();
        if before < setting.drain.map_or(self.port.wire_free_at(), |drain| drain.check_at) {
            return Ok(None);
        }
        let (ticket, to) = (setting.ticket, setting.to);
        match self.port.queued() {
            Ok(0) => {}
            Ok(left) => {
                let progress_at = match setting.drain {
                    Some(drain) if left >= drain.left => drain.progress_at,
                    _ => before,
                };
                let waited = before - progress_at;
                if waited >= STUCK_AFTER {
                    self.queue.pop_front();
                    let left = usize::try_from(left).unwrap_or(usize::MAX);
                    return Err(SeamError::WriteStuck { stream: self.id.name(), left, waited });
                }
                setting.drain = Some(Drain { left, progress_at, check_at: before + DRAIN_CHECK });
                return Ok(None);
            }
            Err(error) => return self.setting_failed("TIOCOUTQ", error),
        }
        match to {
            SetTo::Speed(speed) => self.change_speed(ticket, speed),
            SetTo::Held(held) => self.change_hold(ticket, held),
        }
    }

    fn change_speed(&mut self, ticket: Ticket, requested: Baud) -> Result<Option<Found>, SeamError> {
        let before = MonoTime::now();
        let actual = match self.port.set_speed(requested) {
            Ok(actual) => actual,
            Err(error) => return self.setting_failed(SetTo::Speed(requested).call(), error),
        };
        let after = MonoTime::now();
        self.queue.pop_front();
        if !is_close(requested, actual) {
            return Err(SeamError::Speed { stream: self.id.name(), requested, actual });
        }
        Ok(Some(Found::SpeedSet { ticket, requested, actual, before, after }))
    }

    fn change_hold(&mut self, ticket: Ticket, held: bool) -> Result<Option<Found>, SeamError> {
        let before = MonoTime::now();
        let refused = match self.port.hold_transmit(held) {
            Ok(()) => None,
            Err(error) if is_unplugged(&error) => {
                self.fails(error.to_string());
                return Ok(None);
            }
            // A port that cannot hold its line is no fault of the rig: the runner says so.
            Err(error) => Some(error.to_string()),
        };
        let after = MonoTime::now();
        self.queue.pop_front();
        Ok(Some(Found::TransmitHeld { ticket, held, before, after, refused }))
    }

    fn setting_failed(&mut self, call: &'static str, error: io::Error) -> Result<Option<Found>, SeamError> {
        if is_unplugged(&error) {
            self.fails(error.to_string());
            return Ok(None);
        }
        self.queue.pop_front();
        Err(self.failed(call, error))
    }

    /// One read, or several if all that came was the beginning of a mark.
    pub(super) fn read(&mut self) -> Result<Option<Found>, SeamError> {
        if matches!(self.state, State::Gone(_)) {
            return Ok(None);
        }
        loop {
            let entered = MonoTime::now();
            match self.port.read(&mut self.buffer[MarkDecoder::HEADROOM..]) {
                Ok(0) => return Ok(Some(self.gone("hung up".to_owned()))),
                Ok(count) => {
                    let at = MonoTime::now();
                    let (start, end) = (MarkDecoder::HEADROOM, MarkDecoder::HEADROOM + count);
                    self.bytes =
                        if self.port.is_marked() { self.decoder.decode(&mut self.buffer[..end], &mut self.marks) } else { start..end };
                    if !self.bytes.is_empty() {
                        return Ok(Some(Found::Bytes { at, since: self.empty_since }));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let State::Failing(reason) = &mut self.state {
                        let reason = std::mem::take(reason);
                        return Ok(Some(self.gone(reason)));
                    }
                    self.empty_seen_at = entered;
                    // The first part of a mark came before this read, and is told of with the rest.
                    if !self.decoder.is_within_sequence() {
                        self.empty_since = entered;
                    }
                    return Ok(None);
                }
                Err(error) if is_unplugged(&error) => return Ok(Some(self.gone(error.to_string()))),
                Err(error) => return Err(self.failed("read", error)),
            }
        }
    }

    /// Notes that the port is gone, once; what can still be read comes first.
    fn fails(&mut self, reason: String) {
        if matches!(self.state, State::Up) {
            self.state = State::Failing(reason);
        }
        self.is_blocked = false;
    }

    fn gone(&mut self, reason: String) -> Found {
        self.queue.clear();
        self.is_blocked = false;
        self.state = State::Gone(reason.clone());
        Found::Gone { at: MonoTime::now(), reason }
    }

    fn failed(&self, call: &'static str, source: io::Error) -> SeamError {
        SeamError::Stream { stream: self.id.name(), call, source }
    }
}

#[cfg(test)]
mod tests {
    use rustix::pty::OpenptFlags;

    use super::*;

    #[test]
    fn ff_that_the_kernel_doubled_is_one_byte_without_a_mark() {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let device = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let mut stream = Stream::new(StreamId::PORT, Port::open_marked(device.as_ref()));

        for said in [b"\xFF\xFF\x00".as_slice(), b"plain", b"\xFF", b"a\xFF\x00\x00\xFE"] {
            rustix::io::write(&master, said).unwrap();
            let (mut heard, end) = (Vec::new(), MonoTime::now() + Duration::from_secs(20));
            while heard.len() < said.len() && MonoTime::now() < end {
                if let Some(Found::Bytes { .. }) = stream.read().unwrap() {
                    heard.extend_from_slice(stream.bytes());
                    assert_eq!(stream.marks(), []);
                }
            }
            assert_eq!(heard, said);
        }
    }
}
