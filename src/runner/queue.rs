//! Which jobs are taken, which boards were given up, and whether any is still to be taken: what the boards' threads share, and all that they share.
//!
//! A board that is not open yet claims a job before it is opened, so that no board is opened for nothing; that may take long, and may fail. Meanwhile a board that is open
//! and has nothing else to do takes the claimed job over, and one that is not waits for what comes of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// See the module.
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// A claimed job was begun or given back.
    changed: Condvar,
}

struct QueueState {
    jobs: Vec<Job>,
    given_up: Vec<String>,
    stopped: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Free,
    /// By a board that is being opened, by its number.
    Claimed(usize),
    Begun,
}

impl Queue {
    /// A queue of so many jobs, all of them to be done.
    pub(super) fn new(jobs: usize) -> Self {
        let state = QueueState { jobs: vec![Job::Free; jobs], given_up: Vec::new(), stopped: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        // Each change is one store: a board's thread that panicked in between left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the first job that nobody has and that `suits`, for the board of this number, which is not open yet. Waits while it is only claimed by another. None when there is none, or
    /// once the queue was stopped.
    pub(super) fn claim(&self, board: usize, suits: impl Fn(usize) -> bool) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.stopped.is_some() {
                return None;
            }
            if let Some(index) = state.find(|job| job == Job::Free, &suits) {
                state.jobs[index] = Job::Claimed(board);
                return Some(index);
            }
            state.find(|job| matches!(job, Job::Claimed(_)), &suits)?;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Begins the job that this board has claimed, now that it is open. False when another board, which was open already, has begun it, or the queue was stopped.
    pub(super) fn begin(&self, board: usize, index: usize) -> bool {
        let mut state = self.state();
        let is_ours = state.jobs[index] == Job::Claimed(board) && state.stopped.is_none();
        if is_ours {
            state.jobs[index] = Job::Begun;
            self.changed.notify_all();
        }
        is_ours
    }

    /// Begins the first job that nobody has begun and that `suits`, on a board that is open: one that nobody has, else one that is only claimed. None once the queue was stopped.
    pub(super) fn take(&self, suits: impl Fn(usize) -> bool) -> Option<usize> {
        let mut state = self.state();
        if state.stopped.is_some() {
            return None;
        }
        let free = state.find(|job| job == Job::Free, &suits);
        let index = free.or_else(|| state.find(|job| matches!(job, Job::Claimed(_)), &suits))?;
        state.jobs[index] = Job::Begun;
        self.changed.notify_all();
        Some(index)
    }

    /// Gives back a job that this board has claimed, unless another has begun it.
    pub(super) fn unclaim(&self, board: usize, index: usize) {
        let mut state = self.state();
        if state.jobs[index] == Job::Claimed(board) {
            state.jobs[index] = Job::Free;
            self.changed.notify_all();
        }
    }

    /// Gives back a job that was to begin and could not.
    pub(super) fn give_back(&self, index: usize) {
        self.state().jobs[index] = Job::Free;
        self.changed.notify_all();
    }

    /// Whether somebody began it.
    pub(super) fn is_done(&self, index: usize) -> bool {
        self.state().jobs[index] == Job::Begun
    }

    /// Notes that a board takes no more.
    pub(super) fn give_up(&self, board: &str) {
        self.state().given_up.push(board.to_owned());
    }

    /// The boards that take no more.
    pub(super) fn given_up(&self) -> Vec<String> {
        self.state().given_up.clone()
    }

    /// From here on nobody takes a job. The first reason counts.
    pub(super) fn stop(&self, reason: &str) {
        self.state().stopped.get_or_insert_with(|| reason.to_owned());
        self.changed.notify_all();
    }

    /// Why nobody takes a job any more.
    pub(super) fn stopped(&self) -> Option<String> {
        self.state().stopped.clone()
    }
}

impl QueueState {
    fn find(&self, is_it: impl Fn(Job) -> bool, suits: &impl Fn(usize) -> bool) -> Option<usize> {
        self.jobs.iter().enumerate().position(|(index, job)| is_it(*job) && suits(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_board_takes_what_another_only_claims() {
        let queue = Queue::new(2);
        assert_eq!(queue.claim(0, |_| true), Some(0));
        assert_eq!((queue.take(|_| true), queue.take(|_| true), queue.take(|_| true)), (Some(1), Some(0), None));
        assert!(!queue.begin(0, 0), "it was begun by the other");
        queue.unclaim(0, 0);
        assert!(queue.is_done(0), "what was taken over cannot be given back");
    }

    #[test]
    fn a_board_that_is_not_open_waits_for_what_comes_of_a_claim() {
        let queue = Queue::new(1);
        assert_eq!(queue.claim(0, |_| true), Some(0));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.claim(1, |_| true));
            queue.unclaim(0, 0);
            assert_eq!(waiting.join().unwrap(), Some(0));
            let waiting = scope.spawn(|| queue.claim(2, |_| true));
            assert!(queue.begin(1, 0));
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert!(queue.is_done(0));
    }

    #[test]
    fn a_stopped_queue_keeps_nobody_waiting_and_begins_nothing() {
        let queue = Queue::new(1);
        assert_eq!(queue.claim(0, |_| true), Some(0));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.claim(1, |_| true));
            queue.stop("enough");
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert!(!queue.begin(0, 0) && queue.take(|_| true).is_none() && !queue.is_done(0));
    }
}
