//! The pool: boards that share the cases, each case once. One thread a board; a board takes the next case that suits it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use super::case::write_unrun;
use super::progress::{Message, Progress};
use super::session::{Owner, Rig, Session, SimulatedStation, Station, Trouble};
use crate::bench::Board;
use crate::plan::{Case, Effect};
use crate::timeline::ClockKind;
use crate::timeline::event::Outcome;

/// A board of the pool.
#[derive(Debug, Clone)]
pub enum Member {
    /// At a port of this computer; of the bench's, or a virtual one of this run's own.
    Port(Board, Owner),
    /// A virtual EVKIT on simulated time.
    Simulated(String),
}

impl Member {
    fn name(&self) -> &str {
        match self {
            Self::Port(board, _) => &board.name.0,
            Self::Simulated(name) => name,
        }
    }

    fn open(&self, rig: &Rig) -> Result<Box<dyn Station>, Trouble> {
        match self {
            Self::Port(board, owner) => Ok(Box::new(Session::open(board, *owner, rig)?)),
            Self::Simulated(name) => Ok(Box::new(SimulatedStation::new(name, rig))),
        }
    }

    /// Whether the case may run on this board; else the reason why not.
    fn suits(&self, case: &Case, permitted: &[Effect]) -> Result<(), String> {
        let Self::Port(board, _) = self else { return Ok(()) };
        if board.virtual_control.is_some() {
            return Ok(());
        }
        if case.virtual_board.has_faults {
            return Err("needs a virtual board: its `virtual:` sets what a real board cannot be put into".to_owned());
        }
        if let Some(image) = case.images.values().find(|image| image.made_up) {
            return Err(format!("image {} is made up: name a real one under `images:` in the bench file", image.name));
        }
        if let Some(effect) = case.effects.iter().find(|effect| !board.allow.contains(effect)) {
            return Err(format!("has the effect {effect}, which the bench does not allow on {}", board.name));
        }
        if let Some(effect) = case.effects.iter().find(|effect| effect.wears() && !permitted.contains(effect)) {
            return Err(format!("has the effect {effect}, which can wear or harm a board: permit it with --allow {effect}"));
        }
        Ok(())
    }
}

/// What a run does.
#[derive(Debug)]
pub struct Run<'a> {
    /// The cases, in their order.
    pub cases: &'a [Case],
    /// The boards.
    pub members: &'a [Member],
    /// Effects that the command permits.
    pub permitted: &'a [Effect],
    /// Where the timelines go, a folder for each case.
    pub folder: &'a Path,
    /// Everything else.
    pub rig: &'a Rig,
}

impl Run<'_> {
    /// Runs the cases on the boards and says what happens to `sender`. Returns the timelines' folders, in the order of the cases.
    #[must_use]
    pub fn carry_out(&self, sender: &Sender<Message>) -> Vec<PathBuf> {
        let queue = Queue::new(self.cases.len());
        std::thread::scope(|scope| {
            for member in self.members {
                let (queue, sender) = (&queue, sender.clone());
                scope.spawn(move || self.work(member, queue, &sender));
            }
        });
        for (index, case) in self.cases.iter().enumerate() {
            if !queue.is_done(index) {
                self.leave_unrun(index, case, &queue, sender);
            }
        }
        (0..self.cases.len()).map(|index| self.folder_of(index)).collect()
    }

    /// One board's thread.
    fn work(&self, member: &Member, queue: &Queue, sender: &Sender<Message>) {
        let progress = Progress::new(member.name(), sender.clone());
        let mut station: Option<Box<dyn Station>> = None;
        let suits = |index: usize| member.suits(&self.cases[index], self.permitted).is_ok();
        while !self.rig.interrupted.load(Ordering::Relaxed)
            && let Some(index) = queue.take(suits)
        {
            let mut board = match station.take().map_or_else(|| member.open(self.rig), Ok) {
                Ok(board) => board,
                Err(trouble) => {
                    queue.give_back(index);
                    return give_up(member, queue, &progress, &trouble);
                }
            };
            // A panic is a mistake of ours: the case's timeline ends without a verdict, which reads as an error, and dropping the board releases its line.
            let folder = self.folder_of(index);
            let ran = catch_unwind(AssertUnwindSafe(|| board.run(&self.cases[index], &folder, &progress)));
            let trouble = match ran {
                Ok(Ok(ended)) => ended.given_up.map(|finding| Trouble {
                    hint: (finding.seen != finding.reason).then_some(finding.seen),
                    reason: format!("{} (in the case {})", finding.reason, self.cases[index].name),
                }),
                // It did not begin: another board may take it.
                Ok(Err(trouble)) => {
                    queue.give_back(index);
                    Some(trouble)
                }
                Err(panic) => {
                    progress.ended(folder);
                    Some(Trouble { reason: format!("the runner panicked: {}", panic_text(&*panic)), hint: None })
                }
            };
            let Some(trouble) = trouble else {
                station = Some(board);
                continue;
            };
            // Not closed but dropped: nobody knows the state of its line, so the guardian releases it as well.
            drop(board);
            return give_up(member, queue, &progress, &trouble);
        }
        if let Some(Err(trouble)) = station.map(Station::close) {
            give_up(member, queue, &progress, &trouble);
        }
    }

    fn leave_unrun(&self, index: usize, case: &Case, queue: &Queue, sender: &Sender<Message>) {
        let reasons: Vec<Result<(), String>> = self.members.iter().map(|member| member.suits(case, self.permitted)).collect();
        let (outcome, reason) = if self.rig.interrupted.load(Ordering::Relaxed) {
            (Outcome::Skipped, "the run was interrupted before this case began".to_owned())
        } else if reasons.iter().any(Result::is_ok) {
            let given_up: Vec<String> = queue.given_up().iter().map(|name| format!("board {name}")).collect();
            (Outcome::Blocked, given_up.join(", "))
        } else {
            let reason = reasons.into_iter().find_map(Result::err);
            (Outcome::Skipped, reason.unwrap_or_else(|| "no board was selected".to_owned()))
        };
        let clock = match self.members.first() {
            Some(Member::Simulated(_)) => ClockKind::Simulated,
            _ => ClockKind::Monotonic,
        };
        let folder = self.folder_of(index);
        let message = match write_unrun(case, &folder, clock, self.rig.seed, outcome, &reason) {
            Ok(()) => Message::Ended { board: None, folder },
            Err(error) => Message::GivenUp { board: "record".to_owned(), reason: super::words::describe_error(&error), hint: None },
        };
        // The listener outlives the run.
        let _ = sender.send(message);
    }

    fn folder_of(&self, index: usize) -> PathBuf {
        let name = self.cases.get(index).map_or("", |case| case.name.as_str());
        self.folder.join(format!("{:03}-{}", index + 1, file_name(name)))
    }
}

fn give_up(member: &Member, queue: &Queue, progress: &Progress, trouble: &Trouble) {
    progress.given_up(&trouble.reason, trouble.hint.clone());
    queue.give_up(member.name());
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A case's name as a folder's: letters, digits, dots and dashes.
fn file_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            text.push(c);
        } else if !text.ends_with('-') {
            text.push('-');
        }
    }
    text.trim_matches('-').chars().take(100).collect()
}

/// Which cases are taken, shared by the boards.
struct Queue {
    state: Mutex<QueueState>,
}

struct QueueState {
    taken: Vec<bool>,
    given_up: Vec<String>,
}

impl Queue {
    fn new(cases: usize) -> Self {
        Self { state: Mutex::new(QueueState { taken: vec![false; cases], given_up: Vec::new() }) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, QueueState> {
        // Each change is one store: a board's thread that panicked in between left nothing half done.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes the first case that nobody has and that `suits`.
    fn take(&self, suits: impl Fn(usize) -> bool) -> Option<usize> {
        let mut state = self.state();
        let index = state.taken.iter().enumerate().position(|(index, taken)| !taken && suits(index))?;
        state.taken[index] = true;
        Some(index)
    }

    fn give_back(&self, index: usize) {
        self.state().taken[index] = false;
    }

    fn is_done(&self, index: usize) -> bool {
        self.state().taken[index]
    }

    fn give_up(&self, board: &str) {
        self.state().given_up.push(board.to_owned());
    }

    fn given_up(&self) -> Vec<String> {
        self.state().given_up.clone()
    }
}
