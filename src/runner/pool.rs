//! The pool: boards that share the cases, each case once, or that all run every case. One thread a board; a board takes the next case that suits it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use super::case::write_unrun;
use super::progress::{Message, Progress};
use super::queue::Queue;
use super::session::{Owner, Rig, Session, SimulatedStation, Station, Trouble};
use crate::bench::{Board, BoardKind};
use crate::line::Role;
use crate::model::evkit;
use crate::plan::{Case, Effect, module_verb, needs};
use crate::seam::Direction;
use crate::timeline::ClockKind;
use crate::timeline::event::{Attempt, Outcome};

/// A board of the pool.
#[derive(Debug, Clone)]
pub enum Member {
    /// At a port of this computer; of the bench's, or a virtual one of this run's own.
    Port(Box<Board>, Owner),
    /// A virtual EVKIT on simulated time.
    Simulated(String),
}

impl Member {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
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
        self.has_lines_for(case)?;
        let Self::Port(board, _) = self else { return Ok(()) };
        if board.virtual_control.is_some() {
            return Ok(());
        }
        if board.kind == BoardKind::Generic
            && let Some(why) = needs_the_module(case)
        {
            return Err(format!("{why}, and {} is `kind: generic`, of which nothing is assumed", board.name));
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

/// What a case needs of an ST87M01, in words: `uses at`. `None` when it sends and expects bytes alone.
fn needs_the_module(case: &Case) -> Option<String> {
    if !case.requires.firmware.is_empty() {
        return Some("requires a firmware".to_owned());
    }
    let verb = module_verb(&case.steps).or_else(|| module_verb(&case.finally));
    verb.map(|verb| format!("uses {verb}"))
}

impl Member {
    /// Whether the board has the lines that the case's steps name.
    fn has_lines_for(&self, case: &Case) -> Result<(), String> {
        let needs = needs(case);
        let (name, has_power) = (self.name(), self.lines().any(|(line, _)| line == "power"));
        if needs.power && !has_power {
            return Err(format!("needs power that can be switched, which {name} does not have"));
        }
        for (line, wanted) in &needs.lines {
            match self.lines().find(|(known, _)| known == line) {
                Some((_, direction)) if direction == *wanted => {}
                Some(_) if *wanted == Direction::Out => {
                    return Err(format!("needs the line {line} as an output, and the board drives it on {name}"));
                }
                Some(_) => return Err(format!("needs the line {line} as an input, and it is an output on {name}")),
                None => return Err(format!("needs the line {line}, which {name} does not have")),
            }
        }
        Ok(())
    }

    /// The board's lines beside reset, and who drives each.
    fn lines(&self) -> impl Iterator<Item = (&str, Direction)> {
        let (bench, model) = match self {
            Self::Port(board, _) => (Some(board.power.iter().chain(&board.lines)), None),
            Self::Simulated(_) => (None, Some(evkit::LINES.iter())),
        };
        let direction = |role| if role == Role::Input { Direction::In } else { Direction::Out };
        let of_bench = bench.into_iter().flatten().map(move |line| (line.name.as_str(), direction(line.role)));
        of_bench.chain(model.into_iter().flatten().map(|line| (line.name, line.direction)))
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
    /// How the boards share the cases, and what follows when one fails.
    pub order: Order,
    /// Where the timelines go, a folder for each case.
    pub folder: &'a Path,
    /// Everything else.
    pub rig: &'a Rig,
}

/// How the boards share the cases, and what follows when one fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    /// Every board runs every case. Else each case runs once, on the first board that is free and that it suits.
    pub each_board: bool,
    /// After the first failure or error no board takes another case.
    pub fail_fast: bool,
    /// How often a failed case is tried again on the same board. Never one that can wear a board.
    pub retries: u32,
}

/// A case to be run, and the board that has to run it; `None` for any.
#[derive(Debug, Clone, Copy)]
struct Job {
    case: usize,
    member: Option<usize>,
}

impl Run<'_> {
    /// Runs the cases on the boards and says what happens to `sender`. Returns the timelines' folders, in the order of the cases (for each case in that of the
    /// boards, where each board runs it): that of the first try, where there were several.
    #[must_use]
    pub fn carry_out(&self, sender: &Sender<Message>) -> Vec<PathBuf> {
        let jobs = self.jobs();
        let queue = Queue::new(jobs.len());
        std::thread::scope(|scope| {
            for (number, member) in self.members.iter().enumerate() {
                let (jobs, queue, sender) = (&jobs, &queue, sender.clone());
                scope.spawn(move || self.work(number, member, jobs, queue, &sender));
            }
        });
        for (index, job) in jobs.iter().enumerate() {
            if !queue.is_done(index) {
                self.leave_unrun(index, *job, &queue, sender);
            }
        }
        jobs.iter().enumerate().map(|(index, job)| self.folder_of(index, *job, 1)).collect()
    }

    fn jobs(&self) -> Vec<Job> {
        let cases = 0..self.cases.len();
        if !self.order.each_board {
            return cases.map(|case| Job { case, member: None }).collect();
        }
        cases.flat_map(|case| (0..self.members.len()).map(move |member| Job { case, member: Some(member) })).collect()
    }

    /// One board's thread.
    fn work(&self, number: usize, member: &Member, jobs: &[Job], queue: &Queue, sender: &Sender<Message>) {
        let progress = Progress::new(member.name(), sender.clone());
        let mut station: Option<Box<dyn Station>> = None;
        let suits = |index: usize| {
            let Job { case, member: wanted } = jobs[index];
            wanted.is_none_or(|wanted| wanted == number) && member.suits(&self.cases[case], self.permitted).is_ok()
        };
        let interrupted = || self.rig.interrupted.load(Ordering::Relaxed);
        while !interrupted() {
            let mut claimed = None;
            if station.is_none() {
                let Some(index) = queue.claim(number, suits) else { break };
                // The run may have been interrupted while another board's opening was waited for, or while this one was opened.
                let opened = if interrupted() { None } else { Some(self.take_board(member, &progress)) };
                if let Some(Err(trouble)) = &opened {
                    self.give_up(member, queue, &progress, trouble);
                }
                station = opened.and_then(Result::ok);
                if station.is_none() || interrupted() {
                    queue.unclaim(number, index);
                    break;
                }
                claimed = Some(index).filter(|index| queue.begin(number, *index));
            }
            let Some(index) = claimed.or_else(|| queue.take(suits)) else { break };
            let Some(board) = &mut station else { break };
            if let Err(trouble) = self.run_job(index, jobs[index], board.as_mut(), queue, &progress) {
                // Not closed but dropped: nobody knows the state of its line, so the guardian releases it as well.
                drop(station);
                return self.give_up(member, queue, &progress, &trouble);
            }
        }
        let after = self.folder.join(format!("999-board-{}-after-run", member.name()));
        if let Some(Err(trouble)) = station.map(|station| station.close(&after, &progress)) {
            self.give_up(member, queue, &progress, &trouble);
        }
    }

    /// Opens a board, and asks it who it is.
    fn take_board(&self, member: &Member, progress: &Progress) -> Result<Box<dyn Station>, Trouble> {
        // A panic is a mistake of ours; a claim that it left behind would keep other boards waiting.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let mut board = member.open(self.rig)?;
            board.check(&self.folder.join(format!("000-board-{}", member.name())), progress)?;
            Ok(board)
        }));
        opened.unwrap_or_else(|panic| Err(Trouble { reason: format!("the runner panicked: {}", panic_text(&*panic)), hint: None }))
    }

    /// Runs a case, and again while it fails and may be tried again.
    fn run_job(&self, index: usize, job: Job, board: &mut dyn Station, queue: &Queue, progress: &Progress) -> Result<(), Trouble> {
        let case = &self.cases[job.case];
        let tries = self.tries(case);
        for number in 1..=tries {
            let attempt = (self.order.retries > 0).then_some(Attempt { number, of: tries });
            let folder = self.folder_of(index, job, number);
            // A panic is a mistake of ours: the case's timeline ends without a verdict, which reads as an error, and dropping the board releases its line.
            let ran = catch_unwind(AssertUnwindSafe(|| board.run(case, attempt, &folder, progress)));
            let ended = match ran {
                Ok(Ok(ended)) => ended,
                Ok(Err(trouble)) => {
                    if number == 1 {
                        // It did not begin: another board may take it.
                        queue.give_back(index);
                    }
                    return Err(trouble);
                }
                Err(panic) => {
                    progress.ended(folder);
                    return Err(Trouble { reason: format!("the runner panicked: {}", panic_text(&*panic)), hint: None });
                }
            };
            if let Some(finding) = ended.given_up {
                return Err(Trouble {
                    hint: (finding.seen != finding.reason).then_some(finding.seen),
                    reason: format!("{} (in the case {})", finding.reason, case.name),
                });
            }
            match ended.outcome {
                Outcome::Failed if number < tries && !self.rig.interrupted.load(Ordering::Relaxed) => {}
                Outcome::Error if self.order.fail_fast => {
                    queue.stop(&format!("{} ended with an error", case.name));
                    break;
                }
                // A try that was left out comes after one that failed.
                Outcome::Failed | Outcome::Skipped if self.order.fail_fast && (ended.outcome == Outcome::Failed || number > 1) => {
                    queue.stop(&format!("{} failed", case.name));
                    break;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// How often a case is run at most. What can wear a board is done as often as somebody asks for it, and no more.
    fn tries(&self, case: &Case) -> u32 {
        if case.effects.iter().any(|effect| effect.wears()) { 1 } else { self.order.retries.saturating_add(1) }
    }

    fn give_up(&self, member: &Member, queue: &Queue, progress: &Progress, trouble: &Trouble) {
        let Trouble { reason, hint } = trouble.clone().masked(&self.rig.secrets);
        progress.given_up(&reason, hint);
        queue.give_up(member.name());
        if self.order.fail_fast {
            queue.stop(&format!("board {} was given up", member.name()));
        }
    }

    fn leave_unrun(&self, index: usize, job: Job, queue: &Queue, sender: &Sender<Message>) {
        let case = &self.cases[job.case];
        let only = job.member.and_then(|member| self.members.get(member));
        let able = self.members.iter().enumerate().filter(|(number, _)| job.member.is_none_or(|member| member == *number));
        let reasons: Vec<Result<(), String>> = able.map(|(_, member)| member.suits(case, self.permitted)).collect();
        let (outcome, reason) = if self.rig.interrupted.load(Ordering::Relaxed) {
            (Outcome::Skipped, "the run was interrupted before this case began".to_owned())
        } else if !reasons.iter().any(Result::is_ok) {
            let reason = reasons.into_iter().find_map(Result::err);
            (Outcome::Skipped, reason.unwrap_or_else(|| "no board was selected".to_owned()))
        } else if let Some(stopped) = queue.stopped() {
            (Outcome::Skipped, format!("not run: --fail-fast after {stopped}"))
        } else {
            let given_up = queue.given_up();
            let given_up = given_up.iter().filter(|name| only.is_none_or(|only| only.name() == *name));
            (Outcome::Blocked, given_up.map(|name| format!("board {name}")).collect::<Vec<_>>().join(", "))
        };
        let clock = match self.members.first() {
            Some(Member::Simulated(_)) => ClockKind::Simulated,
            _ => ClockKind::Monotonic,
        };
        let folder = self.folder_of(index, job, 1);
        let message = match write_unrun(case, only.map(Member::name), &folder, clock, self.rig.seed, outcome, &reason) {
            Ok(()) => Message::Ended { board: None, folder },
            Err(error) => Message::Unrecorded { reason: super::words::describe_error(&error) },
        };
        // The listener outlives the run.
        let _ = sender.send(message);
    }

    /// The folder of a try: `001-early-reset`, `001-early-reset.try-2`, `001-early-reset-on-kit-1` where each board runs each case.
    fn folder_of(&self, index: usize, job: Job, attempt: u32) -> PathBuf {
        let name = self.cases.get(job.case).map_or("", |case| case.name.as_str());
        let on = job.member.and_then(|member| self.members.get(member)).map(|member| format!(" on {}", member.name())).unwrap_or_default();
        let again = if attempt > 1 { format!(".try-{attempt}") } else { String::new() };
        self.folder.join(format!("{:03}-{}{again}", index + 1, file_name(&format!("{name}{on}"))))
    }
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
