//! A line of the board: its queue, and the drive that its backend has not finished.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Due, Found};
use crate::line::{LineError, Progress, ResetLine};
use crate::seam::{LineId, LineState, SeamError, Ticket};
use crate::time::MonoTime;

/// How long a backend may take to answer a drive.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long the answer to a drive is looked for without sleeping. A program on this computer answers within some 30 µs, and a thread that sleeps takes as long again to wake,
/// which would stand between a release and what is sent after it.
const LOOK_FOR: Duration = Duration::from_micros(100);

/// A line, its backend and what is queued on it.
pub(super) struct Line {
    id: LineId,
    backend: Box<dyn ResetLine>,
    queue: VecDeque<Drive>,
    pending: Option<Pending>,
}

#[derive(Debug, Clone, Copy)]
struct Drive {
    ticket: Ticket,
    state: LineState,
    planned: Option<MonoTime>,
}

/// A drive that was begun and waits for its backend's answer.
#[derive(Debug, Clone, Copy)]
struct Pending {
    drive: Drive,
    before: MonoTime,
    has_more: bool,
}

impl Line {
    pub(super) fn new(id: LineId, backend: Box<dyn ResetLine>) -> Self {
        Self { id, backend, queue: VecDeque::new(), pending: None }
    }

    pub(super) fn drive(&mut self, ticket: Ticket, state: LineState, planned: Option<MonoTime>) {
        self.queue.push_back(Drive { ticket, state, planned });
    }

    /// Forgets what has not begun. A pending drive is with its backend and will be answered.
    pub(super) fn forget_queued(&mut self) {
        self.queue.clear();
    }

    pub(super) const fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// What to poll for the answer of a pending drive.
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
            (Some(pending), _) => Some(Due { at: pending.before + ANSWER_WITHIN, is_precise: false }),
            (None, Some(drive)) => Some(Due { at: drive.planned.unwrap_or(MonoTime::ZERO), is_precise: true }),
            (None, None) => None,
        }
    }

    /// Goes on with a pending drive, or begins the next one if it is due.
    pub(super) fn turn(&mut self) -> Result<Option<Found>, SeamError> {
        if let Some(pending) = self.pending {
            return self.go_on(pending);
        }
        match self.queue.front() {
            Some(drive) if drive.planned.is_none_or(|at| at <= MonoTime::now()) => {}
            _ => return Ok(None),
        }
        let Some(drive) = self.queue.pop_front() else { return Ok(None) };
        let before = MonoTime::now();
        let progress = self.backend.begin(drive.state);
        match self.came_to(Pending { drive, before, has_more: false }, progress)? {
            Some(found) => Ok(Some(found)),
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
        if pending.before + ANSWER_WITHIN <= MonoTime::now() {
            self.pending = None;
            let silent = format!("{} has not answered for {} s", self.backend.describe(), ANSWER_WITHIN.as_secs());
            return Err(self.failed(pending.drive, LineError::Refused(silent)));
        }
        Ok(None)
    }

    fn came_to(&mut self, pending: Pending, progress: Result<Progress, LineError>) -> Result<Option<Found>, SeamError> {
        self.pending = None;
        let Pending { drive, before, .. } = pending;
        match progress {
            Ok(Progress::Done) => {
                let Drive { ticket, state, planned } = drive;
                Ok(Some(Found::Driven { ticket, state, planned, before, after: MonoTime::now() }))
            }
            Ok(Progress::Pending) => {
                self.pending = Some(pending);
                Ok(None)
            }
            Err(source) => Err(self.failed(drive, source)),
        }
    }

    fn failed(&self, drive: Drive, source: LineError) -> SeamError {
        let what = match drive.state {
            LineState::Asserted => "asserted",
            LineState::Released => "released",
        };
        SeamError::Line { line: self.id.name(), what, source }
    }
}
