//! The simulated seam: a device model in the same thread on simulated time. A wait of 30 s takes microseconds, and the same seed gives the same
//! timeline to the byte.
//!
//! It owns the clock. It deliberately models nothing of the device, and of the host only what the rules of time need: a system call takes
//! [`CALL`], and a host that overslept can be ordered with [`SimulatedSeam::oversleep`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Capabilities, Happening, LineId, LineInfo, LineState, Mark, Seam, SeamError, StreamId, Ticket};
use crate::baud::Baud;
use crate::model::{DeviceModel, Input, Output, OutputEdge, PortChange};
use crate::port::is_close;
use crate::time::MonoTime;

/// What a system call takes on simulated time: enough that the time before it and the time after it differ.
pub const CALL: Duration = Duration::from_micros(1);

/// A board on simulated time. See the module.
pub struct SimulatedSeam {
    model: Box<dyn DeviceModel>,
    model_wake: Option<MonoTime>,
    now: MonoTime,
    speed: Baud,
    wire_free: MonoTime,
    stream_queue: VecDeque<StreamOp>,
    line_queue: VecDeque<LineOp>,
    /// Lines that the host asserts.
    asserted: Vec<LineId>,
    lines: Vec<LineInfo>,
    edges: VecDeque<OutputEdge>,
    next_ticket: u64,
    received: Output,
    seen_empty: MonoTime,
    // What the last `wait` lent to its caller.
    lent: Output,
    sent: Vec<u8>,
    oversleeps: Vec<(MonoTime, MonoTime)>,
    unplug_at: Option<MonoTime>,
    gone: bool,
    interrupt: Option<Arc<AtomicBool>>,
    interrupt_at: Option<MonoTime>,
    interrupted: bool,
    fastest: Option<Baud>,
}

enum StreamOp {
    Send { ticket: Ticket, bytes: Vec<u8>, at: Option<MonoTime> },
    Speed { ticket: Ticket, speed: Baud },
    Hold { ticket: Ticket, held: bool },
}

struct LineOp {
    line: LineId,
    ticket: Ticket,
    act: LineAct,
    at: Option<MonoTime>,
}

enum LineAct {
    Drive(LineState),
    ReadBack,
}

impl SimulatedSeam {
    /// A board on simulated time that starts at zero; the host's port starts at `speed`.
    #[must_use]
    pub fn new(model: Box<dyn DeviceModel>, speed: Baud) -> Self {
        let mut seam = Self {
            lines: model.lines().to_vec().into_iter().map(|line| line.info()).collect(),
            edges: VecDeque::new(),
            model,
            model_wake: None,
            now: MonoTime::ZERO,
            speed,
            wire_free: MonoTime::ZERO,
            stream_queue: VecDeque::new(),
            line_queue: VecDeque::new(),
            asserted: Vec::new(),
            next_ticket: 0,
            received: Output::default(),
            seen_empty: MonoTime::ZERO,
            lent: Output::default(),
            sent: Vec::new(),
            oversleeps: Vec::new(),
            unplug_at: None,
            gone: false,
            interrupt: None,
            interrupt_at: None,
            interrupted: false,
            fastest: None,
        };
        seam.feed(Input::HostSpeed(speed));
        seam
    }

    /// Ends the run, as a signal would, once `flag` is set.
    pub fn interrupt_by(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = Some(flag);
    }

    /// Orders the host to oversleep: whatever would have woken it between `from` and `from + duration` wakes it at the end of that.
    pub fn oversleep(&mut self, from: MonoTime, duration: Duration) {
        self.oversleeps.push((from, from + duration));
    }

    /// Orders the port to vanish at `at`.
    pub fn unplug(&mut self, at: MonoTime) {
        self.unplug_at = Some(at);
    }

    /// Orders the port to make no speed above this one, as an adapter whose clock is too slow: asked for more, it makes this.
    pub fn fastest(&mut self, speed: Baud) {
        self.fastest = Some(speed);
    }

    /// Orders an interruption at `at`.
    pub fn interrupt(&mut self, at: MonoTime) {
        self.interrupt_at = Some(at);
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    fn feed(&mut self, input: Input<'_>) {
        let before = self.received.bytes.len();
        self.model_wake = self.model.advance(self.now, input, &mut self.received);
        self.edges.extend(self.received.edges.drain(..));
        // An open port does not come back, only its name does: whoever wants it opens it anew.
        if let Some(event) = self.received.port.drain(..).find(|event| event.change == PortChange::Gone) {
            self.unplug_at = Some(self.unplug_at.map_or(event.at, |at| at.min(event.at)));
        }
        if self.gone {
            self.received.bytes.truncate(before);
            self.received.marks.retain(|mark| mark.offset < before);
        }
    }

    /// Moves the clock to `to`, waking the model on the way.
    fn advance_to(&mut self, to: MonoTime) {
        while let Some(wake) = self.model_wake.filter(|wake| *wake <= to) {
            self.now = self.now.max(wake);
            self.feed(Input::Time);
        }
        self.now = self.now.max(to);
    }

    fn call(&mut self) -> (MonoTime, MonoTime) {
        let before = self.now;
        self.advance_to(before + CALL);
        (before, self.now)
    }

    fn next_wake(&self, until: MonoTime) -> MonoTime {
        let stream_due = match self.stream_queue.front() {
            Some(StreamOp::Send { at, .. }) => at.unwrap_or(self.now),
            Some(StreamOp::Speed { .. } | StreamOp::Hold { .. }) => self.wire_free,
            None => MonoTime::FAR_FUTURE,
        };
        let line_due = self.next_of_lines().map(|(_, at)| at).min().unwrap_or(MonoTime::FAR_FUTURE);
        let orders = [self.model_wake, self.unplug_at.filter(|_| !self.gone), self.interrupt_at.filter(|_| !self.interrupted)];
        let wake = orders.into_iter().flatten().fold(until.min(stream_due).min(line_due), MonoTime::min);
        // A host that oversleeps wakes at the end of its sleep, whatever came in between.
        self.oversleeps.iter().filter(|(from, to)| *from <= wake && wake < *to).fold(wake, |wake, (_, to)| wake.max(*to))
    }

    /// What is next on each line, as its index in the queue, and when it is due. Lines do not wait for each other.
    fn next_of_lines(&self) -> impl Iterator<Item = (usize, MonoTime)> {
        let is_next = |index: usize, op: &LineOp| self.line_queue.iter().take(index).all(|earlier| earlier.line != op.line);
        self.line_queue
            .iter()
            .enumerate()
            .filter(move |(index, op)| is_next(*index, op))
            .map(|(index, op)| (index, op.at.unwrap_or(self.now)))
    }

    fn take_due_line(&mut self) -> Option<LineOp> {
        let (index, _) = self.next_of_lines().filter(|(_, at)| *at <= self.now).min_by_key(|(_, at)| *at)?;
        self.line_queue.remove(index)
    }

    /// Drives a line as the host.
    fn drives(&mut self, line: LineId, state: LineState) {
        self.asserted.retain(|asserted| *asserted != line);
        if state == LineState::Asserted {
            self.asserted.push(line);
        }
        self.feed(Input::Line { line, state });
    }

    /// What a line is, whoever makes it so. The supply is not let go, so that of it there is nothing to read.
    fn level(&self, line: LineId) -> Option<LineState> {
        let driven = if self.asserted.contains(&line) { LineState::Asserted } else { LineState::Released };
        (line != LineId::POWER).then(|| self.model.level(line).unwrap_or(driven))
    }

    fn take_due_stream(&mut self) -> Option<StreamOp> {
        let due = match self.stream_queue.front() {
            Some(StreamOp::Send { at, .. }) => at.is_none_or(|at| at <= self.now),
            Some(StreamOp::Speed { .. } | StreamOp::Hold { .. }) => self.wire_free <= self.now,
            None => false,
        };
        if due { self.stream_queue.pop_front() } else { None }
    }

    fn should_interrupt(&self) -> bool {
        !self.interrupted
            && (self.interrupt_at.is_some_and(|at| at <= self.now)
                || self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)))
    }
}

impl Seam for SimulatedSeam {
    fn now(&self) -> MonoTime {
        self.now
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { framing_marks: true, break_signal: true, modem_lines: false, observed_edges: true }
    }

    fn lines(&self) -> &[LineInfo] {
        &self.lines
    }

    fn send(&mut self, _stream: StreamId, bytes: &[u8], at: Option<MonoTime>) -> Ticket {
        let ticket = self.ticket();
        self.stream_queue.push_back(StreamOp::Send { ticket, bytes: bytes.to_vec(), at });
        ticket
    }

    fn set_speed(&mut self, _stream: StreamId, speed: Baud) -> Ticket {
        let ticket = self.ticket();
        self.stream_queue.push_back(StreamOp::Speed { ticket, speed });
        ticket
    }

    fn hold_transmit(&mut self, _stream: StreamId, held: bool) -> Ticket {
        let ticket = self.ticket();
        self.stream_queue.push_back(StreamOp::Hold { ticket, held });
        ticket
    }

    fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Ticket {
        let ticket = self.ticket();
        self.line_queue.push_back(LineOp { line, ticket, act: LineAct::Drive(state), at });
        ticket
    }

    fn read_back(&mut self, line: LineId) -> Ticket {
        let ticket = self.ticket();
        self.line_queue.push_back(LineOp { line, ticket, act: LineAct::ReadBack, at: None });
        ticket
    }

    fn withdraw_send(&mut self, ticket: Ticket) {
        self.stream_queue.retain(|op| !matches!(op, StreamOp::Send { ticket: queued, .. } if *queued == ticket));
    }

    fn forget_queued(&mut self) {
        self.stream_queue.clear();
        self.line_queue.clear();
    }

    fn wait(&mut self, until: MonoTime) -> Result<Happening<'_>, SeamError> {
        loop {
            if let Some(LineOp { line, ticket, act, at }) = self.take_due_line() {
                return Ok(match act {
                    LineAct::Drive(state) => {
                        self.drives(line, state);
                        let (before, after) = self.call();
                        Happening::Driven { line, ticket, state, planned: at, before, after }
                    }
                    LineAct::ReadBack => {
                        let (_, at) = self.call();
                        Happening::Level { line, ticket, state: self.level(line), at, refused: None }
                    }
                });
            }
            if self.should_interrupt() {
                self.interrupted = true;
                return Ok(Happening::Interrupted { at: self.now });
            }
            if !self.gone && self.unplug_at.is_some_and(|at| at <= self.now) && self.received.bytes.is_empty() {
                self.gone = true;
                return Ok(Happening::Gone { stream: StreamId::PORT, at: self.now, reason: "unplugged".to_owned() });
            }
            match self.take_due_stream() {
                Some(_) if self.gone => {
                    let source = std::io::Error::from_raw_os_error(libc::EIO);
                    return Err(SeamError::Stream { stream: StreamId::PORT.name(), call: "write", source });
                }
                Some(StreamOp::Send { ticket, bytes, at }) => {
                    self.feed(Input::Bytes { bytes: &bytes, host_speed: self.speed });
                    self.wire_free = self.wire_free.max(self.now) + self.speed.wire_time(bytes.len() as u64);
                    let (before, after) = self.call();
                    self.sent = bytes;
                    return Ok(Happening::Sent { stream: StreamId::PORT, ticket, planned: at, before, after, bytes: &self.sent });
                }
                Some(StreamOp::Speed { ticket, speed }) => {
                    let actual = self.fastest.map_or(speed, |fastest| speed.min(fastest));
                    self.speed = actual;
                    self.feed(Input::HostSpeed(actual));
                    let (before, after) = self.call();
                    if !is_close(speed, actual) {
                        return Err(SeamError::Speed { stream: StreamId::PORT.name(), requested: speed, actual });
                    }
                    return Ok(Happening::SpeedSet { stream: StreamId::PORT, ticket, requested: speed, actual, before, after });
                }
                Some(StreamOp::Hold { ticket, held }) => {
                    self.feed(Input::HostTransmitHeld(held));
                    let (before, after) = self.call();
                    return Ok(Happening::TransmitHeld { stream: StreamId::PORT, ticket, held, before, after, refused: None });
                }
                None => {}
            }
            if let Some(OutputEdge { line, state, at }) = self.edges.pop_front() {
                return Ok(Happening::Edge { line, state, at });
            }
            if !self.received.bytes.is_empty() {
                std::mem::swap(&mut self.received, &mut self.lent);
                self.received.clear();
                let (at, since) = (self.now, self.seen_empty);
                // The read took everything there was.
                self.seen_empty = self.now;
                let (bytes, marks): (&[u8], &[Mark]) = (&self.lent.bytes, &self.lent.marks);
                return Ok(Happening::Bytes { stream: StreamId::PORT, at, since, bytes, marks });
            }
            self.seen_empty = self.now;
            if self.now >= until {
                return Ok(Happening::Deadline { at: self.now });
            }
            self.advance_to(self.next_wake(until));
        }
    }
}
