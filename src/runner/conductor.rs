//! The conductor: the one place that waits on the seam and writes what happens to the timeline.
//!
//! It owns the case's timeline, the inbox and the times of named events. Steps tell it what to do and ask it what came; they touch neither the seam nor
//! the timeline's files.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::inbox::{Inbox, Read};
use super::progress::Progress;
use super::stop::{Finding, Stop};
use super::timing::{Timing, host_late, judge};
use super::watch::{Restarts, Watch};
use super::words::{SEEN_LIMIT, describe_bytes, describe_error};
use crate::baud::Baud;
use crate::matcher::{Matcher, PatternSet};
use crate::plan::Anchor;
use crate::plan::units::show_duration;
use crate::report::escape;
use crate::seam::{Happening, LineId, LineState, Seam, SeamError, StreamId, Ticket};
use crate::time::MonoTime;
use crate::timeline::event::{self, Direction, Source};
use crate::timeline::{Timeline, TimelineError};

/// How long a queued drive or write may take before the rig is at fault. The seam's own deadlines are shorter; this is the backstop.
const OPERATION_LIMIT: Duration = Duration::from_secs(60);

/// How many of the last bytes are kept for messages: one more than a message shows, so that it can say that there were more.
const RECENT: usize = SEEN_LIMIT + 1;

/// Times of the events that steps count from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anchors {
    /// Last release of the reset line (the backend said that it is done).
    pub release: Option<MonoTime>,
    /// Last assertion.
    pub assert: Option<MonoTime>,
    /// Last acknowledge of the boot code.
    pub acknowledge: Option<MonoTime>,
    /// Last match of an `expect`.
    pub matched: Option<MonoTime>,
}

/// What one wait brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// Bytes are in the inbox.
    Bytes,
    /// A send was written.
    Sent(Ticket),
    /// A speed was set.
    SpeedSet(Ticket),
    /// A line was driven.
    Driven(Ticket),
    /// The run was asked to end while `finally` runs.
    Interrupted,
    /// The time has come.
    Deadline,
}

/// A pattern that came.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its index in the set.
    pub pattern: usize,
    /// When its last byte was read.
    pub at: MonoTime,
    /// The `match` event.
    pub seq: u64,
}

/// See the module.
pub struct Conductor<'a> {
    seam: &'a mut dyn Seam,
    timeline: Timeline,
    inbox: Inbox,
    recent: VecDeque<u8>,
    /// Times of named events.
    pub anchors: Anchors,
    /// The speed of the host's port.
    pub speed: Baud,
    /// The state of the reset line, as last driven; asserted as soon as that was asked for.
    pub line: LineState,
    /// When the step before ended.
    pub step_before: MonoTime,
    /// Events that the steps refer to when they fail.
    last_out: Option<u64>,
    last_in: Option<u64>,
    step: Option<u16>,
    deadline: MonoTime,
    host_late: Duration,
    wire_free: MonoTime,
    in_finally: bool,
    interrupted: bool,
    watch: Watch,
    may_reset: bool,
    /// What the watch found first in `finally`, where it ends no step.
    restarted: Option<Finding>,
    progress: &'a Progress,
    shown: (usize, usize),
}

impl<'a> Conductor<'a> {
    /// A conductor for one case. `speed` is the speed of the host's port now; the reset line is released. A restart that `watch` finds and nobody commanded ends the step.
    pub fn new(seam: &'a mut dyn Seam, timeline: Timeline, speed: Baud, host_late: Duration, watch: Watch, progress: &'a Progress) -> Self {
        let now = seam.now();
        Self {
            seam,
            timeline,
            inbox: Inbox::default(),
            recent: VecDeque::with_capacity(RECENT),
            anchors: Anchors::default(),
            speed,
            line: LineState::Released,
            step_before: now,
            last_out: None,
            last_in: None,
            step: None,
            deadline: MonoTime::FAR_FUTURE,
            host_late,
            wire_free: now,
            in_finally: false,
            interrupted: false,
            watch,
            may_reset: false,
            restarted: None,
            progress,
            shown: (0, 0),
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> MonoTime {
        self.seam.now()
    }

    /// The timeline's folder.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.timeline.dir()
    }

    /// Whether the run was asked to end.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Ends the case when it goes on for longer than this.
    pub fn set_deadline(&mut self, deadline: MonoTime) {
        self.deadline = deadline;
    }

    /// From here on an interruption no longer ends the step: `finally` runs.
    pub fn enter_finally(&mut self) {
        self.in_finally = true;
        self.seam.forget_queued();
    }

    /// Lets the module restart by itself: that is recorded, and ends no step.
    pub fn let_reset(&mut self) {
        self.may_reset = true;
    }

    /// The board was set up anew, as the event `by` says. What it said before does not count as a restart.
    pub fn was_set_up(&mut self, by: u64) {
        self.watch.set_up(self.seam.now(), by);
    }

    /// What was done to the board, as the event `by` says, may make it restart: it is then not by itself.
    pub fn may_restart(&mut self, by: u64) {
        self.watch.commanded(self.seam.now(), by);
    }

    /// What the watch found in `finally`: the first restart that nobody commanded.
    pub fn take_restarted(&mut self) -> Option<Finding> {
        self.restarted.take()
    }

    /// The commanded restarts that a message of the next case may belong to.
    #[must_use]
    pub fn restarts_left(&self) -> Restarts {
        self.watch.left()
    }

    /// Sets the step that later events are recorded under.
    pub fn set_step(&mut self, step: Option<u16>) {
        self.step = step;
    }

    /// Records an event that follows from others.
    ///
    /// # Errors
    /// [`Stop::GivenUp`] when the timeline cannot be written.
    pub fn record(&mut self, kind: impl Into<event::EventKind>) -> Result<u64, Stop> {
        let now = self.now();
        self.timeline.record(now, Source::Computed, self.step, kind).map_err(timeline_lost)
    }

    /// Records a note.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn note(&mut self, text: impl Into<String>) -> Result<u64, Stop> {
        self.record(event::Note { text: text.into() })
    }

    /// Writes all events to the timeline's file.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn flush(&mut self) -> Result<(), Stop> {
        self.timeline.flush().map_err(timeline_lost)
    }

    /// Waits for one thing to happen, at most until `until`, and records it. The timeline's files are written before the thread sleeps, and not before what can be done or
    /// read at once: a write there would lie between what the board said and the answer to it.
    ///
    /// # Errors
    /// [`Stop`] for a fault of the rig, an interruption, the end of the case's time, or, outside of `finally`, a restart that nobody commanded.
    pub fn pump(&mut self, until: MonoTime) -> Result<Pumped, Stop> {
        let limit = until.min(self.deadline);
        let mut happening = None;
        if self.timeline.is_unflushed() {
            let at_once = self.seam.now().min(limit);
            let first = self.seam.wait(at_once).map_err(seam_failed)?;
            if matches!(first, Happening::Deadline { .. }) {
                drop(first);
                self.timeline.flush().map_err(timeline_lost)?;
            } else {
                happening = Some(first);
            }
        }
        let happening = match happening {
            Some(happening) => happening,
            None => {
                // One look when a start-up time ends: what is read after it has then come after it.
                let look = self.watch.start_up_ends().filter(|ends| *ends > self.seam.now() && *ends < limit);
                let first = self.seam.wait(look.unwrap_or(limit)).map_err(seam_failed)?;
                if look.is_some() && matches!(first, Happening::Deadline { .. }) {
                    drop(first);
                    self.seam.wait(limit).map_err(seam_failed)?
                } else {
                    first
                }
            }
        };
        match happening {
            Happening::Bytes { stream, at, since, bytes, marks } => {
                let seq =
                    self.timeline.record_bytes(self.step, stream, Direction::In, since, at, None, bytes, marks).map_err(timeline_lost)?;
                self.inbox.push(seq, since, at, bytes);
                let tail = &bytes[bytes.len().saturating_sub(RECENT)..];
                let over = (self.recent.len() + tail.len()).saturating_sub(RECENT);
                self.recent.drain(..over);
                self.recent.extend(tail);
                self.last_in = Some(seq);
                let mut rest = bytes;
                let mut restarted = None;
                while let Some(seen) = self.watch.next(&mut rest, since, at) {
                    let event = event::Restart {
                        stream: stream.name().to_owned(),
                        message: seen.message.clone(),
                        last_seq: seq,
                        commanded: seen.uncommanded.is_none(),
                        by: seen.by,
                    };
                    self.timeline.record(at, Source::Computed, self.step, event).map_err(timeline_lost)?;
                    restarted = restarted.or_else(|| seen.finding(seq));
                }
                match restarted.filter(|_| !self.may_reset) {
                    Some(finding) if !self.in_finally => Err(Stop::Restarted(finding)),
                    Some(finding) => {
                        // `finally` puts the board back, and a board that restarts needs that most.
                        self.restarted.get_or_insert(finding);
                        Ok(Pumped::Bytes)
                    }
                    None => Ok(Pumped::Bytes),
                }
            }
            Happening::Sent { stream, ticket, planned, before, after, bytes } => {
                let seq = self
                    .timeline
                    .record_bytes(self.step, stream, Direction::Out, before, after, planned, bytes, &[])
                    .map_err(timeline_lost)?;
                self.last_out = Some(seq);
                self.watch.sent(bytes, after, seq);
                self.wire_free = self.wire_free.max(before) + self.speed.wire_time(bytes.len() as u64);
                Ok(Pumped::Sent(ticket))
            }
            Happening::SpeedSet { stream, ticket, requested, actual, before, after } => {
                let speed = event::Speed {
                    stream: stream.name().to_owned(),
                    requested,
                    actual,
                    before_ns: before.as_ns(),
                    after_ns: after.as_ns(),
                };
                self.timeline.record(before, Source::Commanded, self.step, speed).map_err(timeline_lost)?;
                self.speed = requested;
                Ok(Pumped::SpeedSet(ticket))
            }
            Happening::Driven { line, ticket, state, planned, before, after } => {
                let edge = event::Edge {
                    line: line.name().to_owned(),
                    state,
                    before_ns: before.as_ns(),
                    after_ns: after.as_ns(),
                    planned_ns: planned.map(MonoTime::as_ns),
                };
                let seq = self.timeline.record(before, Source::Commanded, self.step, edge).map_err(timeline_lost)?;
                self.line = state;
                match state {
                    LineState::Asserted => self.anchors.assert = Some(after),
                    LineState::Released => {
                        self.anchors.release = Some(after);
                        self.watch.commanded(after, seq);
                    }
                }
                Ok(Pumped::Driven(ticket))
            }
            Happening::Gone { stream, at, reason } => {
                let gone = event::Gone { stream: stream.name().to_owned(), reason: reason.clone() };
                let seq = self.timeline.record(at, Source::Read, self.step, gone).map_err(timeline_lost)?;
                Err(Stop::GivenUp(Finding::new(
                    format!("the {} is gone: {reason}", stream.name()),
                    "the port to stay for the whole run",
                    format!("the system says: {reason}. Look at the cable and the adapter, then run again"),
                    vec![seq],
                )))
            }
            Happening::Interrupted { at } => {
                self.timeline.record(at, Source::Observed, self.step, event::Interrupted {}).map_err(timeline_lost)?;
                self.interrupted = true;
                if self.in_finally {
                    // `finally` goes on, but no longer than an interrupted run may take.
                    self.deadline = self.deadline.min(at + super::case::INTERRUPTED_FINALLY);
                    Ok(Pumped::Interrupted)
                } else {
                    Err(Stop::Interrupted)
                }
            }
            Happening::Deadline { at } if at >= self.deadline && until > self.deadline => {
                let limit = if self.in_finally { "finally-deadline" } else { "deadline" };
                Err(Stop::Failed(Finding::new(
                    format!("the {limit} of the case has passed"),
                    format!("all steps to end within the case's {limit}"),
                    "this step was still waiting",
                    self.evidence(),
                )))
            }
            Happening::Deadline { .. } => Ok(Pumped::Deadline),
        }
    }

    /// Waits until `until`, whatever comes.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn sleep_until(&mut self, until: MonoTime) -> Result<(), Stop> {
        while self.pump(until)? != Pumped::Deadline {}
        Ok(())
    }

    /// Waits until a queued operation, which begins at `from` at the latest, is carried out. Returns how many bytes had come before that.
    fn complete(&mut self, wanted: Pumped, from: Option<MonoTime>) -> Result<usize, Stop> {
        let now = self.now();
        let limit = from.unwrap_or(now).max(now) + OPERATION_LIMIT;
        loop {
            let already = self.inbox.len();
            match self.pump(limit)? {
                pumped if pumped == wanted => return Ok(already),
                Pumped::Deadline => {
                    return Err(Stop::GivenUp(Finding::new(
                        "an operation of the rig never ended",
                        format!("it to be carried out within {}", show_duration(OPERATION_LIMIT)),
                        "neither an end nor an error",
                        self.evidence(),
                    )));
                }
                _ => {}
            }
        }
    }

    /// Sends bytes and returns once they are written. The cursor moves to their sending: what came earlier is never an answer to them.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn command(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.send(bytes, None)
    }

    /// Sends bytes at `at` (or at once), as [`Conductor::command`].
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn send(&mut self, bytes: &[u8], at: Option<MonoTime>) -> Result<(), Stop> {
        let ticket = self.seam.send(StreamId::PORT, bytes, at);
        // What came before the write was begun came before the command.
        let already = self.complete(Pumped::Sent(ticket), at)?;
        self.inbox.take(already);
        Ok(())
    }

    /// Queues bytes for `at` (or at once) and returns without waiting; [`Conductor::pump`] returns the ticket. The cursor stays.
    pub fn queue_send(&mut self, bytes: &[u8], at: Option<MonoTime>) -> Ticket {
        self.seam.send(StreamId::PORT, bytes, at)
    }

    /// Forgets what is queued and has not begun.
    pub fn forget_queued(&mut self) {
        self.seam.forget_queued();
    }

    /// Sets the host's speed, after what was sent has left the wire.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn set_speed(&mut self, speed: Baud) -> Result<(), Stop> {
        let ticket = self.seam.set_speed(StreamId::PORT, speed);
        self.complete(Pumped::SpeedSet(ticket), None).map(drop)
    }

    /// Drives the reset line, at `at` or at once. **Asserting resets the board.** A release moves the cursor to it.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn drive_reset(&mut self, state: LineState, at: Option<MonoTime>) -> Result<(), Stop> {
        let ticket = self.seam.drive(LineId::RESET, state, at);
        if state == LineState::Asserted {
            // What interrupts the wait for its backend's answer does not take it back: whoever releases must know.
            self.line = state;
        }
        let already = self.complete(Pumped::Driven(ticket), at)?;
        if state == LineState::Released {
            self.inbox.take(already);
        }
        Ok(())
    }

    /// Asserts the reset line for `pulse`, counted from the assertion, and releases it. **Resets the board.** Input is drained while it is held.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn pulse_reset(&mut self, pulse: Duration) -> Result<(), Stop> {
        self.drive_reset(LineState::Asserted, None)?;
        let release = self.anchors.assert.unwrap_or_else(|| self.now()) + pulse;
        self.drive_reset(LineState::Released, Some(release))
    }

    /// When everything that was written has left the wire.
    #[must_use]
    pub fn wire_free(&self) -> MonoTime {
        self.wire_free.max(self.seam.now())
    }

    /// The time of a named event; `None` when it has not happened in this case.
    #[must_use]
    pub fn anchor(&self, anchor: Anchor) -> Option<MonoTime> {
        match anchor {
            Anchor::Release => self.anchors.release,
            Anchor::Assert => self.anchors.assert,
            Anchor::Acknowledge => self.anchors.acknowledge,
            Anchor::Match => self.anchors.matched,
            Anchor::StepBefore => Some(self.step_before),
        }
    }

    /// Waits until one of `set`'s patterns comes, counted from the cursor, and moves the cursor to its end. `None` when none came until
    /// `deadline`. Of a match at most the last `capture_limit` bytes are looked at for its begin and its captures.
    ///
    /// # Errors
    /// As [`Conductor::pump`]; [`Stop::Rig`] when a pattern came around the deadline and this computer looked too late to tell.
    pub fn find(&mut self, set: &Arc<PatternSet>, deadline: MonoTime, capture_limit: usize) -> Result<Option<Found>, Stop> {
        let mut matcher = Matcher::with_window(Arc::clone(set), capture_limit);
        let start = self.inbox.position();
        let lost = self.inbox.lost();
        loop {
            while let Some((read, bytes)) = self.inbox.front() {
                let Some(hit) = matcher.feed(bytes) else {
                    let count = bytes.len();
                    self.inbox.take(count);
                    continue;
                };
                if !self.in_time(&read, deadline)? {
                    return Ok(None);
                }
                let span = matcher.resolve(hit);
                let first = span.start.and_then(|at| self.inbox.read_at(start + at)).unwrap_or(read);
                self.inbox.take(hit.consumed);
                self.anchors.matched = Some(read.at);
                let seq = self.record(event::Match {
                    stream: StreamId::PORT.name().to_owned(),
                    pattern: set.pattern(hit.pattern).to_string(),
                    first_seq: first.seq,
                    last_seq: read.seq,
                    first_ns: first.at.as_ns(),
                    last_ns: read.at.as_ns(),
                    text: escape::bytes(&span.text),
                    captures: span.captures.iter().map(|(name, bytes)| (name.clone(), escape::bytes(bytes))).collect(),
                })?;
                return Ok(Some(Found { pattern: hit.pattern, at: read.at, seq }));
            }
            if self.pump(deadline)? == Pumped::Deadline {
                return if lost == 0 { Ok(None) } else { Err(flooded(lost, self.evidence())) };
            }
        }
    }

    /// Takes the next byte that comes. `None` when none came until `deadline`. A byte that came around the deadline is returned: whoever finds that it
    /// matters asks [`Conductor::in_time`].
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn next_byte(&mut self, deadline: MonoTime) -> Result<Option<(u8, Read)>, Stop> {
        loop {
            if let Some((read, bytes)) = self.inbox.front() {
                if read.since >= deadline {
                    return Ok(None);
                }
                let byte = bytes[0];
                self.inbox.take(1);
                return Ok(Some((byte, read)));
            }
            if self.pump(deadline)? == Pumped::Deadline {
                return Ok(None);
            }
        }
    }

    /// Whether what `read` brought came in time.
    ///
    /// # Errors
    /// [`Stop::Rig`] when it came around the deadline and this computer looked too late to tell.
    pub fn in_time(&self, read: &Read, deadline: MonoTime) -> Result<bool, Stop> {
        match judge(read, deadline, self.host_late) {
            Timing::InTime => Ok(true),
            Timing::Late => Ok(false),
            Timing::HostLate(late) => Err(host_late(late, self.host_late, read.seq)),
        }
    }

    /// Waits for input, at most until `until`.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn until_input(&mut self, until: MonoTime) -> Result<(), Stop> {
        while self.inbox.is_empty() && self.pump(until)? != Pumped::Deadline {}
        Ok(())
    }

    /// How many bytes have come in this case.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.inbox.position() + self.inbox.len() as u64
    }

    /// The last bytes that came after the first `from` bytes, as many as a message shows.
    #[must_use]
    pub fn last_received(&self, from: u64) -> Vec<u8> {
        let count = usize::try_from(self.received() - from).unwrap_or(usize::MAX).min(self.recent.len());
        self.recent.iter().skip(self.recent.len() - count).copied().collect()
    }

    /// The read that brought the next byte behind the cursor, if one has come.
    #[must_use]
    pub fn waiting(&self) -> Option<Read> {
        self.inbox.front().map(|(read, _)| read)
    }

    /// Moves the cursor behind everything that has come.
    pub fn skip_input(&mut self) {
        self.inbox.clear();
    }

    /// The last bytes behind the cursor, escaped, for a message.
    #[must_use]
    pub fn unread(&self) -> String {
        describe_bytes(self.inbox.tail(SEEN_LIMIT))
    }

    /// The latest writes and reads, as evidence.
    #[must_use]
    pub fn evidence(&self) -> Vec<u64> {
        self.last_out.into_iter().chain(self.last_in).collect()
    }

    /// How late this computer may be before an answer around its deadline is the rig's fault.
    #[must_use]
    pub fn host_late(&self) -> Duration {
        self.host_late
    }

    /// Says what this board does now: step `number` of `of`.
    pub fn show_step(&mut self, number: usize, of: usize, text: &str) {
        self.shown = (number, of);
        self.show(text);
    }

    /// Says what the step does now.
    pub fn show(&self, text: &str) {
        self.progress.doing(self.shown.0, self.shown.1, text);
    }
}

fn flooded(lost: u64, evidence: Vec<u64>) -> Stop {
    Stop::Rig(Finding::new(
        format!("{lost} bytes came before this step that no step took"),
        format!("a step that takes what the board says before it has said {} KiB more", super::inbox::LIMIT / 1024),
        "the pattern is not in what came last; whether it was in what was let go, nobody can tell (the timeline has it)",
        evidence,
    ))
}

fn timeline_lost(error: TimelineError) -> Stop {
    Stop::GivenUp(Finding::new(
        "the timeline cannot be written",
        "room and permission for the timeline's files",
        describe_error(&error),
        Vec::new(),
    ))
}

fn seam_failed(error: SeamError) -> Stop {
    let mut seen = describe_error(&error);
    if let SeamError::Line { .. } = error {
        seen.push_str(". The board may be held in reset: run `evkit-hil release`, or let go of the line by hand");
    }
    Stop::GivenUp(Finding::new(error.to_string(), "the port and the reset line to work", seen, Vec::new()))
}
