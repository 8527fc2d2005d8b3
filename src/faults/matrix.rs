//! Runs faults against scenarios and counts what they were named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use super::expected::{Expected, expected};
use crate::diagnosis::Cause;
use crate::model::evkit::{Fault, Settings};
use crate::plan::Case;
use crate::runner::progress::Progress;
use crate::runner::session::{Rig, SimulatedStation, Station, Trouble};
use crate::timeline::event::{Diagnosis, Outcome};

/// Faults that act in no shipped scenario on simulated time: before the supply goes off, TX goes low and every line lets go.
const NEVER: [&str; 1] = ["parasitic-power"];

/// How much is run.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The cases, one list for each scenario: a seed takes one of each.
    pub scenarios: Vec<Vec<Case>>,
    /// The faults.
    pub faults: Vec<&'static Fault>,
    /// How many seeds each fault is run with, from 1.
    pub seeds: u64,
    /// How many healthy boards are run, each drawn by a seed of its own.
    pub healthy: u64,
}

impl Scope {
    /// How many cases that are.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.jobs().count()
    }

    fn jobs(&self) -> impl Iterator<Item = Job> {
        let boards = |fault: Option<&'static Fault>, seeds: u64| (1..=seeds).map(move |seed| (fault, seed));
        let faulty = self.faults.iter().flat_map(move |fault| boards(Some(fault), self.seeds));
        let scenarios = self.scenarios.len();
        faulty
            .chain(boards(None, self.healthy))
            .flat_map(move |(fault, seed)| (0..scenarios).map(move |scenario| Job { fault, seed, scenario }))
    }
}

/// One case: a board and a scenario.
#[derive(Debug, Clone, Copy)]
struct Job {
    /// The fault of the board, or none.
    fault: Option<&'static Fault>,
    /// The seed that draws the board.
    seed: u64,
    /// The scenario, as an index.
    scenario: usize,
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The fault did nothing in it.
    DidNotAct,
    /// As it should be: the cause is named alone, or it passed where it should.
    Right,
    /// This cause was named instead, alone.
    Named(Cause),
    /// Several causes were named, and no probe decided.
    Undecided(Cause),
    /// It failed, and no cause was named.
    Unnamed,
    /// It passed, and should not have.
    Passed,
}

/// What became of one fault, or of the healthy boards.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault; `None` for the healthy boards.
    pub fault: Option<&'static Fault>,
    /// What it should be.
    pub expected: Option<Expected>,
    /// How often each verdict came.
    pub verdicts: BTreeMap<Verdict, u32>,
    /// Those that are not right: the case's name and its seed, with what was named.
    pub wrong: Vec<(String, u64, Verdict)>,
}

impl Row {
    /// In how many cases the fault acted.
    #[must_use]
    pub fn acted(&self) -> u32 {
        self.verdicts.iter().filter(|(verdict, _)| **verdict != Verdict::DidNotAct).map(|(_, count)| count).sum()
    }

    /// In how many it is right.
    #[must_use]
    pub fn right(&self) -> u32 {
        self.verdicts.get(&Verdict::Right).copied().unwrap_or(0)
    }

    /// Whether it holds: it acted, no case passed that should not have, and 98 of 100 are right; of healthy boards, all.
    #[must_use]
    pub fn holds(&self) -> bool {
        let (acted, right) = (self.acted(), self.right());
        match self.expected {
            // It cannot show where the rules of the hardware are kept.
            _ if self.fault.is_some_and(|fault| NEVER.contains(&fault.name)) => acted == 0,
            Some(Expected::Cause(_)) => acted > 0 && !self.verdicts.contains_key(&Verdict::Passed) && right * 100 >= acted * 98,
            Some(Expected::Tolerated) | None => acted > 0 && right == acted,
        }
    }
}

/// All rows, those of faults in their order, then the healthy boards.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// Whether every row holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }
}

/// Runs all of `scope` on as many threads as there are processors, with timelines in folders below `folder`. `done` is told after each case. Ends early, with what there is, once
/// `rig.interrupted` is set.
///
/// # Errors
/// [`Trouble`] when timelines cannot be written.
pub fn run(scope: &Scope, rig: &Rig, folder: &Path, done: &(dyn Fn() + Sync)) -> Result<Matrix, Trouble> {
    let jobs: Vec<Job> = scope.jobs().collect();
    let rows = scope.faults.iter().map(|fault| Some(*fault)).chain((scope.healthy > 0).then_some(None));
    let rows = rows.map(|fault| Row {
        fault,
        expected: fault.and_then(|fault| expected(fault.name)),
        verdicts: BTreeMap::new(),
        wrong: Vec::new(),
    });
    let matrix = Mutex::new(Matrix { rows: rows.collect() });
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = |folder: PathBuf| -> Result<(), Trouble> {
        while !stopped.load(Ordering::Relaxed) && !rig.interrupted.load(Ordering::Relaxed) {
            let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let Some((name, verdict)) = judge(scope, *job, rig, &folder)? else { continue };
            let mut matrix = matrix.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(row) = matrix.rows.iter_mut().find(|row| row.fault.map(|fault| fault.name) == job.fault.map(|fault| fault.name)) {
                *row.verdicts.entry(verdict).or_default() += 1;
                if !matches!(verdict, Verdict::DidNotAct | Verdict::Right) {
                    row.wrong.push((name, job.seed, verdict));
                }
            }
            drop(matrix);
            done();
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (work, stopped) = (&work, &stopped);
                scope.spawn(move || work(folder.join(number.to_string())).inspect_err(|_| stopped.store(true, Ordering::Relaxed)))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let mut matrix = matrix.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Threads end in any order.
    matrix.rows.iter_mut().for_each(|row| row.wrong.sort());
    Ok(matrix)
}

/// Runs one case. The case's name and what became of it; `None` for a case that does not fit this board.
fn judge(scope: &Scope, job: Job, rig: &Rig, folder: &Path) -> Result<Option<(String, Verdict)>, Trouble> {
    let cases = &scope.scenarios[job.scenario];
    let index = usize::try_from(job.seed).unwrap_or(0) % cases.len();
    let mut case = cases[index].clone();
    // A scenario that sets the board up by the same settings is about just that.
    let is_own = |fault: &Fault| {
        let own = |(name, _): &(&str, String)| case.virtual_board.settings.iter().any(|(key, _)| key == name);
        fault.settings().iter().any(own)
    };
    if job.fault.is_some_and(is_own) {
        return Ok(Some((case.name, Verdict::DidNotAct)));
    }
    if let Some(fault) = job.fault {
        case.virtual_board.settings.push((Settings::FAULT.to_owned(), fault.name.to_owned()));
    }
    // What puts a board back afterwards is no part of what is proved.
    case.finally.clear();
    let rig = Rig { seed: job.seed, ..rig.clone() };
    let mut station = SimulatedStation::new("simulated", &rig);
    // A timeline is never written over.
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Trouble::of(&error, None)),
        _ => {}
    }
    let (sender, _receiver) = mpsc::channel();
    let ended = station.run(&case, None, folder, &Progress::new("simulated", sender))?;
    if ended.outcome == Outcome::Skipped || ended.outcome == Outcome::Interrupted {
        return Ok(None);
    }
    let passed = ended.outcome == Outcome::Passed;
    let verdict = match job.fault {
        None if passed => Verdict::Right,
        Some(fault) if station.log().count(fault.name) == 0 && passed => Verdict::DidNotAct,
        fault => match (fault.and_then(|fault| expected(fault.name)), passed) {
            (Some(Expected::Tolerated), true) => Verdict::Right,
            (_, true) => Verdict::Passed,
            (wanted, false) => {
                // What the scenario itself sets its board up with is a fault as well, and may be what failed the case.
                let acted: Vec<Cause> = station.log().acted().keys().filter_map(|name| expected(name)?.cause()).collect();
                named(ended.diagnosis.as_ref(), wanted.and_then(Expected::cause), &acted)
            }
        },
    };
    Ok(Some((case.name, verdict)))
}

/// What a case that failed was named: right is the cause of the fault, or of another that acted as well.
fn named(diagnosis: Option<&Diagnosis>, wanted: Option<Cause>, acted: &[Cause]) -> Verdict {
    match diagnosis {
        None => Verdict::Unnamed,
        Some(diagnosis) if !diagnosis.or.is_empty() => Verdict::Undecided(diagnosis.cause),
        Some(diagnosis) if wanted == Some(diagnosis.cause) || (wanted.is_some() && acted.contains(&diagnosis.cause)) => Verdict::Right,
        Some(diagnosis) => Verdict::Named(diagnosis.cause),
    }
}
