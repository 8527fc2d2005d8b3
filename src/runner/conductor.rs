//! The conductor: the one place that waits on the seam and writes what happens to the timeline.
//!
//! It owns the case's timeline, the inbox and the times of named events. Steps tell it what to do and ask it what came; they touch neither the seam nor
//! the timeline's files.

use std::collections::VecDeque;
use std::time::Duration;

use super::edges::{EdgeInbox, InputEdge};
use super::handling::Handling;
use super::inbox::Inbox;
use super::kept::Values;
use super::moments::{Fineness, Moment, Moments};
use super::progress::Progress;
use super::stop::{Finding, Stop};
use super::watch::{Restarts, Watch};
use super::wire::speed_not_made;
use super::words::{SEEN_LIMIT, describe_error};
use crate::baud::Baud;
use crate::diagnosis;
use crate::plan::units::show_duration;
use crate::plan::{Anchor, BOARD_STEPS};
use crate::seam::{Happening, LineId, LineState, Seam, SeamError, Ticket};
use crate::time::MonoTime;
use crate::timeline::event::{self, Direction, EndedBy, Source};
use crate::timeline::{Position, Timeline, TimelineError};

/// How long a queued drive or write may take before the rig is at fault. The seam's own deadlines are shorter; this is the backstop.
pub(super) const OPERATION_LIMIT: Duration = Duration::from_secs(60);

/// The longest `events.jsonl` that is looked through for damaged words.
const LOOKED_THROUGH: u64 = 4 << 20;

/// What is noted where a port cannot hold its transmit line low.
pub(super) const CANNOT_HOLD: &str =
    "the transmit line cannot be held low while the module has no supply: it idles high and may feed the module through its pin";

/// How many of the last bytes are kept for messages: more than a message shows, so that it can say that there were more, and what had come before.
const RECENT: usize = 4096;
const _: () = assert!(RECENT > SEEN_LIMIT);

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
    /// A line was read back; `None` where its backend could not tell.
    Level(Ticket, Option<LineState>),
    /// A person was asked to drive one.
    Asked,
    /// The board drove a line: the edge is among those that [`Conductor::find_edge`] looks at.
    Edge,
    /// The transmit line is held low, or no longer.
    TransmitHeld(Ticket),
    /// The run was asked to end while `finally` runs.
    Interrupted,
    /// The time has come.
    Deadline,
}

/// See the module.
pub struct Conductor<'a> {
    pub(super) seam: &'a mut dyn Seam,
    timeline: Timeline,
    pub(super) inbox: Inbox,
    pub(super) recent: VecDeque<u8>,
    /// How many bytes had come when the board was last told something, and when its reset or supply was let go last.
    pub(super) told_at: u64,
    pub(super) begun_at: u64,
    /// Times of named events.
    pub moments: Moments,
    /// Values that steps have kept.
    pub kept: Values,
    examiner: diagnosis::Examiner,
    /// How far the examiner has read.
    examined: Option<Position>,
    pub(super) fineness: Fineness,
    /// What measured times will be compared with.
    limits: Vec<(Anchor, Duration)>,
    pub(super) handling: Handling,
    /// The speed of the host's port.
    pub speed: Baud,
    /// The state of the reset line, as last driven; asserted as soon as that was asked for.
    pub line: LineState,
    /// Every other line that is not at its rest: asserted, and of power off.
    pub(super) away: Vec<LineId>,
    /// Pulses that have not ended: the line, and its release once that is queued.
    pub(super) owed: Vec<(LineId, Option<Ticket>)>,
    /// When the backend of the line that was driven last said that it is done.
    pub(super) driven_at: MonoTime,
    /// TX is held low.
    pub(super) is_transmit_held: bool,
    pub(super) edges: EdgeInbox,
    /// The question that a person was asked, while it stands: the event.
    asked: Option<u64>,
    /// Events that the steps refer to when they fail.
    last_out: Option<u64>,
    last_in: Option<u64>,
    pub(super) step: Option<u16>,
    /// The innermost step that stopped before its end.
    pub stopped_in: Option<u16>,
    pub(super) deadline: MonoTime,
    pub(super) host_late: Duration,
    pub(super) wire_free: MonoTime,
    in_finally: bool,
    interrupted: bool,
    /// How long what is left of `finally` may take when the run is asked to end.
    when_interrupted: Duration,
    watch: Watch,
    may_reset: bool,
    /// What the watch found first in `finally`, where it ends no step.
    restarted: Option<Finding>,
    progress: &'a Progress,
    shown: (usize, usize),
    steps_before: usize,
    /// Speeds that the port was seen to make.
    pub(super) speeds: Vec<Baud>,
    /// Whether the port is tried: one that cannot make a speed is then no loss.
    pub(super) trying: bool,
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
            told_at: 0,
            begun_at: 0,
            moments: Moments::from(now),
            kept: Values::default(),
            examiner: diagnosis::Examiner::default(),
            examined: None,
            fineness: Fineness::SIMULATED,
            limits: Vec::new(),
            handling: Handling::default(),
            speed,
            line: LineState::Released,
            away: Vec::new(),
            owed: Vec::new(),
            driven_at: now,
            is_transmit_held: false,
            edges: EdgeInbox::since(now),
            asked: None,
            last_out: None,
            last_in: None,
            step: None,
            stopped_in: None,
            deadline: MonoTime::FAR_FUTURE,
            host_late,
            wire_free: now,
            in_finally: false,
            interrupted: false,
            when_interrupted: Duration::ZERO,
            watch,
            may_reset: false,
            restarted: None,
            progress,
            shown: (0, 0),
            steps_before: 0,
            speeds: Vec::new(),
            trying: false,
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

    /// What is left of `finally` may take `limit` at most once the run was asked to end, from now on or from then on.
    pub fn limit_when_interrupted(&mut self, limit: Duration) {
        self.when_interrupted = limit;
        if self.interrupted {
            self.deadline = self.now() + limit;
        }
    }

    /// Whether the case's time is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.now() >= self.deadline
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
        self.watch.may_restart(self.seam.now(), by);
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

    /// How many restarts were commanded in this case.
    #[must_use]
    pub fn restarts_commanded(&self) -> u32 {
        self.watch.count()
    }

    /// When the application said that it started, as long as nothing was done about that.
    #[must_use]
    pub fn started(&self) -> Option<MonoTime> {
        self.watch.started()
    }

    /// What was to be done after a start is done.
    pub fn dealt_with_start(&mut self) {
        self.watch.dealt_with_start();
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

    /// A finding without secrets, for what is shown beside the timeline.
    #[must_use]
    pub fn masked(&self, finding: Finding) -> Finding {
        let masked = |text| self.timeline.masked(text);
        let Finding { reason, expected, seen, evidence, by } = finding;
        Finding { reason: masked(reason), expected: masked(expected), seen: masked(seen), evidence, by }
    }

    /// How many events were recorded.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.timeline.len()
    }

    /// Writes all events to the timeline's file.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn flush(&mut self) -> Result<(), Stop> {
        self.timeline.flush().map_err(timeline_lost)
    }

    /// The cause that fits what the timeline has so far; `None` when no known one does.
    ///
    /// # Errors
    /// As [`Conductor::record`]; [`Stop::Rig`] when the timeline cannot be read back.
    pub fn diagnose(&mut self) -> Result<Option<event::Diagnosis>, Stop> {
        self.examine()?;
        Ok(self.examiner.diagnosis())
    }

    /// Where no known cause fits and no step has failed: that the application answered what may have been meant for boot code.
    #[must_use]
    pub fn application_took(&self) -> Option<event::Diagnosis> {
        self.examiner.application_took()
    }

    /// Where no known cause fits what the timeline has so far: that the module speaks clearly and says something else; `None` where it does not.
    #[must_use]
    pub fn not_as_expected(&self) -> Option<event::Diagnosis> {
        self.examiner.not_as_expected()
    }

    /// A diagnosis of before, with the next thing to try as it is now. Where the timeline cannot be read, it stays.
    pub fn revised(&mut self, found: event::Diagnosis) -> event::Diagnosis {
        if self.examine().is_ok() { self.examiner.revised(found) } else { found }
    }

    /// Reads what the timeline has gained since it was read last.
    fn examine(&mut self) -> Result<(), Stop> {
        self.flush()?;
        self.examiner.read(self.timeline.dir(), self.examined).map_err(|error| {
            Stop::Rig(Finding::new("the timeline cannot be read back", "a timeline", describe_error(&error), Vec::new()))
        })?;
        self.examined = Some(self.timeline.end());
        Ok(())
    }

    /// What the probes brought is from here on what was seen, for the next diagnosis.
    ///
    /// # Errors
    /// As [`Conductor::diagnose`].
    pub fn diagnose_anew(&mut self) -> Result<(), Stop> {
        self.diagnose()?;
        self.examiner.begin_anew();
        Ok(())
    }

    /// Waits for one thing to happen, at most until `until`, and records it. The timeline's files are written before the thread sleeps, and not before what can be done or
    /// read at once: a write there would lie between what the board said and the answer to it.
    ///
    /// # Errors
    /// [`Stop`] for a fault of the rig, an interruption, the end of the case's time, or, outside of `finally`, a restart that nobody commanded.
    pub fn pump(&mut self, until: MonoTime) -> Result<Pumped, Stop> {
        let pumped = self.pump_once(until)?;
        if self.handling.is_busy() {
            self.handle(pumped)?;
        }
        Ok(pumped)
    }

    /// The next time before `limit` at which to look once, so that what is read after it has come after it: a start-up time ends, or what a measured time is compared with.
    fn next_look(&self, limit: MonoTime) -> Option<MonoTime> {
        let now = self.seam.now();
        let limits = self.limits.iter().filter_map(|(from, within)| Some(self.moments.of(from)?.at + *within));
        self.watch.start_up_ends().into_iter().chain(limits).filter(|look| *look > now && *look < limit).min()
    }

    /// Says what measured times will be compared with: an event and a time after it.
    pub fn set_limits(&mut self, limits: Vec<(Anchor, Duration)>) {
        self.limits = limits;
    }

    fn pump_once(&mut self, until: MonoTime) -> Result<Pumped, Stop> {
        let limit = until.min(self.deadline);
        let seam_failed = if self.trying { speed_not_made } else { seam_failed };
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
            None => loop {
                let look = self.next_look(limit);
                let next = self.seam.wait(look.unwrap_or(limit)).map_err(seam_failed)?;
                if look.is_none() || !matches!(next, Happening::Deadline { .. }) {
                    break next;
                }
            },
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
                self.handling.look(bytes, seq);
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
                self.told_at = self.inbox.received();
                self.moments.sent = Some(Moment { at: after, since: after, uncertainty: after - before, seq: Some(seq) });
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
                    line: name_of(self.seam, line),
                    state,
                    before_ns: before.as_ns(),
                    after_ns: after.as_ns(),
                    planned_ns: planned.map(MonoTime::as_ns),
                };
                if let Some(asked) = self.asked.take() {
                    let confirmed = event::Confirmed { line: name_of(self.seam, line), asked };
                    self.timeline.record(after, Source::Observed, self.step, confirmed).map_err(timeline_lost)?;
                    self.progress.answered();
                }
                let seq = self.timeline.record(before, Source::Commanded, self.step, edge).map_err(timeline_lost)?;
                self.driven_at = after;
                self.note_state(line, state);
                self.owed.retain(|(_, release)| *release != Some(ticket));
                // The edge lies somewhere in the call.
                let moment = Moment { at: after, since: after, uncertainty: after - before, seq: Some(seq) };
                match (line, state) {
                    (LineId::RESET, LineState::Asserted) => self.moments.assert = Some(moment),
                    (LineId::RESET, LineState::Released) => {
                        self.moments.release = Some(moment);
                        self.begun_at = self.inbox.received();
                        self.watch.commanded(after, seq);
                    }
                    (LineId::POWER, LineState::Asserted) => {
                        self.moments.power_on = Some(moment);
                        self.begun_at = self.inbox.received();
                        self.watch.commanded(after, seq);
                    }
                    (_, _) => {}
                }
                Ok(Pumped::Driven(ticket))
            }
            Happening::Level { line, ticket, state, at, refused } => {
                let line = name_of(self.seam, line);
                if let Some(why) = refused {
                    self.note(format!("the {line} line was not read back: {why}"))?;
                }
                if let Some(state) = state {
                    self.timeline.record(at, Source::Observed, self.step, event::Level { line, state }).map_err(timeline_lost)?;
                }
                Ok(Pumped::Level(ticket, state))
            }
            Happening::Asked { line, question, at, .. } => {
                let asked = event::Asked { line: name_of(self.seam, line), question: question.clone() };
                self.asked = Some(self.timeline.record(at, Source::Commanded, self.step, asked).map_err(timeline_lost)?);
                self.progress.asks(&question);
                Ok(Pumped::Asked)
            }
            Happening::Edge { line, state, at } => {
                let edge = event::InputEdge { line: name_of(self.seam, line), state };
                let seq = self.timeline.record(at, Source::Observed, self.step, edge).map_err(timeline_lost)?;
                self.edges.push(InputEdge { line, state, at, seq });
                Ok(Pumped::Edge)
            }
            Happening::TransmitHeld { stream, ticket, held, before, after, refused } => {
                match refused {
                    None => {
                        self.is_transmit_held = held;
                        let (before_ns, after_ns) = (before.as_ns(), after.as_ns());
                        let line = event::Break { stream: stream.name().to_owned(), held, before_ns, after_ns };
                        self.timeline.record(before, Source::Commanded, self.step, line).map_err(timeline_lost)?;
                    }
                    Some(why) => drop(self.note(format!("{CANNOT_HOLD}: {why}"))?),
                }
                Ok(Pumped::TransmitHeld(ticket))
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
                    self.deadline = self.deadline.min(at + self.when_interrupted);
                    Ok(Pumped::Interrupted)
                } else {
                    Err(Stop::Interrupted)
                }
            }
            Happening::Deadline { at } if at >= self.deadline && until > self.deadline => {
                let (passed, expected) = match (self.in_finally, self.interrupted) {
                    (true, true) => {
                        let limit = show_duration(self.when_interrupted);
                        (
                            format!("the {limit} that an interrupted run has for this have passed"),
                            format!("it to end within {limit} of the interruption"),
                        )
                    }
                    (in_finally, _) => {
                        let limit = if in_finally { "finally-deadline" } else { "deadline" };
                        (format!("the {limit} of the case has passed"), format!("all steps to end within the case's {limit}"))
                    }
                };
                Err(Stop::Failed(Finding::new(passed, expected, "this step was still waiting", self.evidence()).by(EndedBy::Deadline)))
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

    /// Waits until a queued operation, which begins at `from` at the latest, is carried out; `patience` is how much longer than usual that may take. Returns how many bytes had come before that.
    pub(super) fn complete(&mut self, wanted: Pumped, from: Option<MonoTime>, patience: Duration) -> Result<usize, Stop> {
        let now = self.now();
        let limit = from.unwrap_or(now).max(now) + OPERATION_LIMIT + patience;
        loop {
            let already = self.inbox.len();
            match self.pump(limit)? {
                pumped if pumped == wanted => return Ok(already),
                Pumped::Deadline => return Err(self.never_ended()),
                _ => {}
            }
        }
    }

    pub(super) fn never_ended(&self) -> Stop {
        Stop::GivenUp(Finding::new(
            "an operation of the rig never ended",
            format!("it to be carried out within {}", show_duration(OPERATION_LIMIT)),
            "neither an end nor an error",
            self.evidence(),
        ))
    }

    /// The question to a person no longer stands, if one does.
    pub(super) fn withdraw_question(&mut self) {
        if self.asked.take().is_some() {
            self.progress.answered();
        }
    }

    /// What was found where words of the module came damaged: all that went well on such a line proves nothing. A timeline of more than 4 MiB is not looked through for it.
    ///
    /// # Errors
    /// As [`Conductor::diagnose`].
    pub fn noise(&mut self) -> Result<Option<Finding>, Stop> {
        if self.timeline.end().offset() > LOOKED_THROUGH {
            return Ok(None);
        }
        self.examine()?;
        let damaged = self.examiner.damaged();
        let (count, plural) = (damaged.len(), if damaged.len() == 1 { "" } else { "s" });
        Ok((count > 0).then(|| {
            Finding::new(
                format!("{count} word{plural} of the module came damaged"),
                "words of the module and echoes as they were sent",
                format!("{count} that differ{} by a character or a few", if count == 1 { "s" } else { "" }),
                damaged.iter().copied().take(5).collect(),
            )
        }))
    }

    /// Whether nothing has come since the reset line was released last.
    #[must_use]
    pub fn is_silent_since_release(&self) -> bool {
        let release = self.moments.release.and_then(|release| release.seq);
        release.is_some_and(|release| self.last_in.is_none_or(|last| last < release))
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

    /// Says how many steps there are: those that the bench wants done first, and those of the case.
    pub fn set_steps(&mut self, before: usize, count: usize) {
        self.shown = (0, before + count);
        self.steps_before = before;
    }

    /// Says that this board now does step `id`.
    pub fn show_step(&mut self, id: u16, text: &str) {
        let place = id.checked_sub(BOARD_STEPS).map_or(self.steps_before + usize::from(id), usize::from);
        self.shown.0 = place + 1;
        self.show(text);
    }

    /// Says what the step does now.
    pub fn show(&self, text: &str) {
        self.progress.doing(self.shown.0, self.shown.1, text);
    }
}

pub(super) fn name_of(seam: &dyn Seam, line: LineId) -> String {
    seam.lines().iter().find(|info| info.id == line).map_or_else(|| format!("line {}", line.0), |info| info.name.clone())
}

fn timeline_lost(error: TimelineError) -> Stop {
    Stop::GivenUp(Finding::new(
        "the timeline cannot be written",
        "room and permission for the timeline's files",
        describe_error(&error),
        Vec::new(),
    ))
}

pub(super) fn seam_failed(error: SeamError) -> Stop {
    let mut seen = describe_error(&error);
    if let SeamError::LostEdges { .. } = error {
        return Stop::Rig(Finding::new("edges were lost", "every edge of the line to be read", seen, Vec::new()));
    }
    if let SeamError::Line { line, what, .. } = &error {
        seen.push_str(match (line.as_str(), *what) {
            ("reset", _) => ". The board may be held in reset: run `evkit-hil release`, or let go of the line by hand",
            ("power", _) => ". The board may be without its supply: switch it on by hand",
            (_, "asserted" | "released") => ". The line may be asserted still: run `evkit-hil release`, or let go of it by hand",
            (_, _) => "",
        });
    }
    Stop::GivenUp(Finding::new(error.to_string(), "the port and the lines to work", seen, Vec::new()))
}
