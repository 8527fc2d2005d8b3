//! A line that we drive: its queue, and the drive or the reading that its backend has not finished.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Due, Found};
use crate::line::{LineError, OutputLine, Progress, READ_BACK_WITHIN};
use crate::seam::{LineId, LineState, SeamError, Ticket};
use crate::time::MonoTime;

/// How long the answer to a drive is looked for without sleeping. A program on this computer answers within some 30 µs, and a thread that sleeps takes as long again to wake,
/// which would stand between a release and what is sent after it.
const LOOK_FOR: Duration = Duration::from_micros(100);

/// A line, its backend and what is queued on it.
pub(super) struct Line {
    pub(super) id: LineId,
    name: String,
    backend: Box<dyn OutputLine>,
    queue: VecDeque<Op>,
    pending: Option<Pending>,
}

#[derive(Debug, Clone, Copy)]
struct Op {
    ticket: Ticket,
    act: Act,
    planned: Option<MonoTime>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Drive(LineState),
    ReadBack,
}

/// What was begun and waits for its backend's answer.
#[derive(Debug, Clone, Copy)]
struct Pending {
    op: Op,
    before: MonoTime,
    /// How long its backend may take.
    within: Duration,
    has_more: bool,
}

impl Line {
    pub(super) fn new(id: LineId, name: &str, backend: Box<dyn OutputLine>) -> Self {
        Self { id, name: name.to_owned(), backend, queue: VecDeque::new(), pending: None }
    }

    pub(super) fn drive(&mut self, ticket: Ticket, state: LineState, planned: Option<MonoTime>) {
        self.queue.push_back(Op { ticket, act: Act::Drive(state), planned });
    }

    pub(super) fn read_back(&mut self, ticket: Ticket) {
        self.queue.push_back(Op { ticket, act: Act::ReadBack, planned: None });
    }

    /// Forgets what has not begun. A pending drive is with its backend and will be answered, unless that can take it back; a pending reading changes nothing and is not waited for.
    pub(super) fn forget_queued(&mut self) {
        self.queue.clear();
        let is_over = match self.pending {
            Some(Pending { op: Op { act: Act::Drive(_), .. }, .. }) => self.backend.withdraw(),
            Some(Pending { op: Op { act: Act::ReadBack, .. }, .. }) => true,
            None => false,
        };
        if is_over {
            self.pending = None;
        }
    }

    pub(super) const fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// What to poll for the answer to what is pending.
    pub(super) fn pending_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pending.and_then(|_| self.backend.fd())
    }

    /// Takes in what poll said of [`Line::pending_fd`]. A hang-up is for the backend to find out.
    pub(super) fn polled(&mut self, seen: PollFlags) {
        if let Some(pending) = &mut self.pending {
            pending.has_more = !seen.is_empty();
        }
    }

    /// When the line wants its next turn whatever comes in.
    pub(super) fn due(&self) -> Option<Due> {
        match (&self.pending, self.queue.front()) {
            (Some(pending), _) => Some(Due { at: pending.before + pending.within, is_precise: false }),
            (None, Some(op)) => Some(Due { at: op.planned.unwrap_or(MonoTime::ZERO), is_precise: true }),
            (None, None) => None,
        }
    }

    /// Goes on with what is pending, or begins what is next if it is due.
    pub(super) fn turn(&mut self) -> Result<Option<Found>, SeamError> {
        if let Some(pending) = self.pending {
            return self.go_on(pending);
        }
        match self.queue.front() {
            Some(op) if op.planned.is_none_or(|at| at <= MonoTime::now()) => {}
            _ => return Ok(None),
        }
        let Some(op) = self.queue.pop_front() else { return Ok(None) };
        let before = MonoTime::now();
        let (progress, within) = match op.act {
            Act::Drive(state) => (self.backend.begin(state), self.backend.answer_within()),
            Act::ReadBack => (self.backend.read_back(), READ_BACK_WITHIN),
        };
        if let Some(found) = self.came_to(Pending { op, before, within, has_more: false }, progress)? {
            return Ok(Some(found));
        }
        match self.backend.question() {
            Some(question) => Ok(Some(Found::Asked { line: self.id, ticket: op.ticket, question: question.to_owned(), at: before })),
            None => self.look_for_answer(before + LOOK_FOR),
        }
    }

    fn look_for_answer(&mut self, until: MonoTime) -> Result<Option<Found>, SeamError> {
        while let Some(fd) = self.pending_fd()
            && MonoTime::now() < until
        {
            let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            // An error is left to the poll of all descriptors, which comes next.
            let _ = rustix::event::poll(&mut fds, Some(&Timespec::default()));
            let seen = fds[0].revents();
            self.polled(seen);
            if let Some(pending) = self.pending.filter(|pending| pending.has_more)
                && let Some(found) = self.go_on(pending)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn go_on(&mut self, pending: Pending) -> Result<Option<Found>, SeamError> {
        if pending.has_more {
            let progress = self.backend.proceed();
            return self.came_to(Pending { has_more: false, ..pending }, progress);
        }
        if pending.before + pending.within <= MonoTime::now() {
            self.pending = None;
            let error = match pending.op.act {
                Act::Drive(_) => self.backend.overdue(),
                Act::ReadBack => LineError::NoAnswer {
                    what: self.backend.describe(),
                    waited: pending.within,
                    hint: "a program that cannot tell what the line is answers `error`",
                },
            };
            return self.failed(pending.op, error).map(Some);
        }
        Ok(None)
    }

    fn came_to(&mut self, pending: Pending, progress: Result<Progress, LineError>) -> Result<Option<Found>, SeamError> {
        self.pending = None;
        let Pending { op, before, .. } = pending;
        match progress {
            Ok(Progress::Done) => {
                let (line, Op { ticket, act, planned }) = (self.id, op);
                let at = MonoTime::now();
                Ok(Some(match act {
                    Act::Drive(state) => Found::Driven { line, ticket, state, planned, before, after: at },
                    Act::ReadBack => Found::Level { line, ticket, state: self.backend.level(), at, refused: None },
                }))
            }
            Ok(Progress::Pending) => {
                self.pending = Some(pending);
                Ok(None)
            }
            Err(source) => self.failed(op, source).map(Some),
        }
    }

    /// A line that cannot be driven costs the board; one that is only not read back does not.
    fn failed(&self, op: Op, source: LineError) -> Result<Found, SeamError> {
        let state = match op.act {
            Act::Drive(state) => state,
            Act::ReadBack => {
                let refused = Some(source.to_string());
                return Ok(Found::Level { line: self.id, ticket: op.ticket, state: None, at: MonoTime::now(), refused });
            }
        };
        let what = match (self.id, state) {
            (LineId::POWER, LineState::Asserted) => "switched on",
            (LineId::POWER, LineState::Released) => "switched off",
            (_, LineState::Asserted) => "asserted",
            (_, LineState::Released) => "released",
        };
        Err(SeamError::Line { line: self.name.clone(), what, source })
    }
}
