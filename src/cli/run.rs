//! `run`: selects cases, opens boards, shows what happens, writes JUnit.

mod watch;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use super::Failure;
use super::args::Run;
use super::select::{Selected, no_such_tag, select};
use super::signals;
use super::talk::Talk;
use crate::bench::Bench;
use crate::plan::{Effect, Plan};
use crate::report::Exit;
use crate::report::{CaseReport, RunReport};
use crate::report::{terminal, write_junit};
use crate::runner::pool::{self, Member};
use crate::runner::session::{Owner, Rig};
use crate::runner::virtual_pool::VirtualPool;
use crate::runner::words::describe_error;
use crate::timeline::event::Outcome;

/// As many virtual boards as a run starts by itself: more would not bring it under 30 s any better, because the longest case decides then.
const VIRTUAL_BOARDS: u16 = 8;

/// The folder of the timelines in that of the results.
const TIMELINES: &str = "timelines";

pub(super) fn run(args: &Run, talk: &Talk) -> Result<Exit, Failure> {
    let permitted = permitted(&args.allow)?;
    // On real time the short list; simulated time is free.
    let tags: &[&str] = if args.simulate || !args.selection.scenarios.is_empty() { &[] } else { &["default"] };
    let Selected { plan, bench } = match select(&args.selection, tags, *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    if plan.cases.is_empty() {
        talk.say(&no_such_tag(&args.selection.tag, tags));
        return Ok(Exit::NothingSelected);
    }
    let out = args.out.clone().unwrap_or_else(default_out);
    let _mine = claim(&out)?;
    let folder = out.join(TIMELINES);
    let junit = args.junit.clone().unwrap_or_else(|| out.join("junit.xml"));
    remove_old(&junit, &folder)?;
    let interrupts = signals::listen("interrupted again: ended at once, guardians release the lines, no JUnit file")
        .map_err(|error| Failure::rig(format!("signals cannot be taken over: {error}")))?;
    let rig = Rig {
        state_dir: crate::line::state_dir(),
        program: PathBuf::from("/proc/self/exe"),
        wait: args.wait,
        interrupted: interrupts.flag,
        interrupt: interrupts.fd,
        host_late: bench.as_ref().map_or(crate::bench::HOST_LATE, |bench| bench.host_late),
        seed: args.seed,
    };
    let virtual_pool;
    let members = if args.simulate {
        vec![Member::Simulated("simulated".to_owned())]
    } else if let Some(bench) = &bench {
        boards_of(bench, &args.board)?
    } else {
        let wanted = args.boards.unwrap_or(VIRTUAL_BOARDS).min(u16::try_from(plan.cases.len()).unwrap_or(u16::MAX));
        virtual_pool = VirtualPool::start(wanted).map_err(|error| {
            Failure::rig(describe_error(&error)).hint("virtual boards need a PTY each and room in the temporary folder")
        })?;
        virtual_pool.members()
    };
    let started = Instant::now();
    let wall = (!args.simulate).then(time::OffsetDateTime::now_utc);
    let run = pool::Run { cases: &plan.cases, members: &members, permitted: &permitted, folder: &folder, rig: &rig };
    let (sender, receiver) = mpsc::channel();
    let seen = std::thread::scope(|scope| {
        let run = &run;
        scope.spawn(move || run.carry_out(&sender));
        watch::watch(&receiver, &rig.interrupted, &plan, talk)
    });
    let report = RunReport { started: wall, duration: started.elapsed(), seed: args.seed, cases: seen.cases, given_up: seen.given_up };
    conclude(&report, &plan, &junit, talk)?;
    let interrupted = rig.interrupted.load(std::sync::atomic::Ordering::Relaxed);
    Ok(Exit::of(&report, interrupted))
}

/// Failures again, the files, the summary.
fn conclude(report: &RunReport, plan: &Plan, junit: &Path, talk: &Talk) -> Result<(), Failure> {
    let (width, palette) = (talk.width(), talk.palette());
    for case in report.cases.iter().filter(|case| needs_attention(case)) {
        talk.say(&terminal::failure_block(case, width, &palette));
    }
    for given_up in &report.given_up {
        talk.say(&terminal::given_up_block(given_up, width, &palette));
    }
    write_junit(junit, report).map_err(|error| Failure::rig(describe_error(&error)).hint("--junit names another place"))?;
    // One whose record could not be written is among the boards, as an error.
    debug_assert!(report.cases.len() == plan.cases.len() || !report.given_up.is_empty(), "every case has a verdict");
    talk.say(&terminal::summary_line(report, &palette));
    talk.say(&format!("   JUnit {}", junit.display()));
    Ok(())
}

/// Whether a case is shown again at the end: also the one in which a board was given up, for what came last of it.
fn needs_attention(case: &CaseReport) -> bool {
    match case.outcome() {
        Outcome::Failed | Outcome::Error => true,
        Outcome::Blocked => case.case.board.is_some(),
        Outcome::Passed | Outcome::Skipped | Outcome::Interrupted => false,
    }
}

fn permitted(names: &[String]) -> Result<Vec<Effect>, Failure> {
    let known = || Effect::ALL.iter().map(|effect| effect.name());
    let one = |name: &String| {
        Effect::ALL.iter().copied().find(|effect| effect.name() == name).ok_or_else(|| {
            Failure::usage(format!("--allow {name}: no such effect"))
                .hint(format!("the effects are {}", known().collect::<Vec<_>>().join(", ")))
        })
    };
    names.iter().map(one).collect()
}

fn boards_of(bench: &Bench, wanted: &[String]) -> Result<Vec<Member>, Failure> {
    if let Some(unknown) = wanted.iter().find(|name| bench.boards.iter().all(|board| board.name.0 != **name)) {
        let names: Vec<&str> = bench.boards.iter().map(|board| board.name.0.as_str()).collect();
        let failure = Failure::usage(format!("--board {unknown}: {} has no such board", bench.file.display()));
        return Err(failure.hint(format!("its boards are {}", names.join(", "))));
    }
    let chosen = bench.boards.iter().filter(|board| wanted.is_empty() || wanted.contains(&board.name.0));
    Ok(chosen.cloned().map(|board| Member::Port(board, Owner::Bench)).collect())
}

/// Under `target` in a checkout, where build results are looked for; else in a folder of its own.
fn default_out() -> PathBuf {
    if Path::new("Cargo.toml").exists() { PathBuf::from("target/evkit-hil") } else { PathBuf::from("evkit-hil-out") }
}

/// Takes the folder of results for this run: two runs in one folder would remove each other's timelines. Free again when what is returned is dropped.
fn claim(out: &Path) -> Result<File, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("results cannot be written to {}: {error}", out.display())).hint("--out names another folder")
    };
    std::fs::create_dir_all(out.join(TIMELINES)).map_err(failed)?;
    let file = File::create(out.join(".lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::usage(format!("another run is writing its results to {}", out.display()))
            .hint("give this one a folder of its own: --out DIR")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes what the run before left: its JUnit file, so that nobody takes it for the result of a run that was killed, and folders that hold a timeline. Nothing else.
fn remove_old(junit: &Path, folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(junit) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::usage(format!("{} of an earlier run cannot be removed: {error}", junit.display())));
        }
        _ => {}
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten().map(|entry| entry.path()).filter(|path| path.join("events.jsonl").is_file()) {
        std::fs::remove_dir_all(&entry)
            .map_err(|error| Failure::rig(format!("{} of an earlier run cannot be removed: {error}", entry.display())))?;
    }
    Ok(())
}
