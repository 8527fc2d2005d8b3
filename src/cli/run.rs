//! `run`: selects cases, opens boards, shows what happens, writes JUnit.

pub(super) mod watch;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use super::Failure;
use super::args::Run;
use super::require::{requirements, unknown};
use super::results::{claim, default_out, rig};
use super::select::{Selected, chosen_boards, no_such_tag, select};
use super::signals;
use super::talk::Talk;
use super::virtual_board::no_such_fault;
use crate::bench::Board;
use crate::model::evkit::Settings;
use crate::plan::{Case, Effect};
use crate::report::Exit;
use crate::report::{CaseReport, GivenUp, RunReport};
use crate::report::{terminal, write_junit};
use crate::runner::pool::{self, Member, Order};
use crate::runner::session::Owner;
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
    let Selected { mut plan, left_out, bench } = match select(&args.selection, tags, *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    if plan.cases.is_empty() {
        talk.say(&no_such_tag(&args.selection.tag, tags));
        return Ok(Exit::NothingSelected);
    }
    put_in(&args.fault, &mut plan.cases)?;
    let read: Vec<_> = plan.cases.iter().chain(&left_out).collect();
    let required = requirements(&args.require, bench.as_ref(), &read)?;
    required.iter().filter_map(unknown).for_each(|note| talk.say(&note));
    let out = args.out.clone().unwrap_or_else(default_out);
    let folder = out.join(TIMELINES);
    let _mine = claim(&out, &folder)?;
    let junit = args.junit.clone().unwrap_or_else(|| out.join("junit.xml"));
    remove_old(&junit, &folder)?;
    let interrupts = signals::listen("interrupted again: ended at once, guardians release the lines, no JUnit file")
        .map_err(|error| Failure::rig(format!("signals cannot be taken over: {error}")))?;
    let rig = rig(bench.as_ref(), interrupts, args.wait, args.seed);
    let virtual_pool;
    let members = if args.simulate {
        vec![Member::Simulated("simulated".to_owned())]
    } else if let Some(bench) = &bench {
        let member = |board: &Board| Member::Port(Box::new(board.clone()), Owner::Bench);
        chosen_boards(bench, &args.board)?.into_iter().map(member).collect()
    } else {
        // Boards that share the cases are no more than those; where each runs all of them, as many as were asked for.
        let most = if args.each_board { u16::MAX } else { u16::try_from(plan.cases.len()).unwrap_or(u16::MAX) };
        let wanted = args.boards.unwrap_or(VIRTUAL_BOARDS).min(most);
        virtual_pool = VirtualPool::start(wanted).map_err(|error| {
            Failure::rig(describe_error(&error)).hint("virtual boards need a PTY each and room in the temporary folder")
        })?;
        virtual_pool.members()
    };
    let started = Instant::now();
    let wall = (!args.simulate).then(time::OffsetDateTime::now_utc);
    let order = Order { each_board: args.each_board, fail_fast: args.fail_fast, retries: args.retries };
    let run = pool::Run { cases: &plan.cases, members: &members, permitted: &permitted, order, folder: &folder, rig: &rig };
    let names: Vec<String> = members.iter().map(|member| member.name().to_owned()).collect();
    let (sender, receiver) = mpsc::channel();
    let seen = std::thread::scope(|scope| {
        let run = &run;
        scope.spawn(move || run.carry_out(&sender));
        watch::watch(&receiver, &rig.interrupted, &plan, &names, talk)
    });
    let watch::Seen { cases, boards, given_up, unrecorded } = seen;
    let mut report =
        RunReport { started: wall, duration: started.elapsed(), seed: args.seed, cases, boards, given_up, missing: Vec::new() };
    report.missing = report.missing(&required, if args.each_board { &names } else { &[] });
    let concluded = conclude(&report, &junit, talk);
    if let Some(reason) = unrecorded.first() {
        let many = if unrecorded.len() == 1 { "one case has".to_owned() } else { format!("{} cases have", unrecorded.len()) };
        return Err(Failure::rig(format!("{many} no record, and the results are not whole: {reason}"))
            .hint("make room there, or name another folder: --out DIR"));
    }
    concluded?;
    let interrupted = rig.interrupted.load(std::sync::atomic::Ordering::Relaxed);
    Ok(Exit::of(&report, interrupted))
}

/// Puts faults into the virtual board of every case, before what the case says of it.
fn put_in(faults: &[String], cases: &mut [Case]) -> Result<(), Failure> {
    let mut settings = Settings::drawn(0);
    for fault in faults {
        settings.break_as(fault).map_err(|error| no_such_fault(fault, &error))?;
    }
    for case in cases {
        let put_in = faults.iter().map(|fault| (Settings::FAULT.to_owned(), fault.clone()));
        case.virtual_board.settings.splice(..0, put_in);
    }
    Ok(())
}

/// Failures again, the files, the summary.
fn conclude(report: &RunReport, junit: &Path, talk: &Talk) -> Result<(), Failure> {
    let (width, palette) = (talk.width(), talk.palette());
    let tries = report.cases.iter().flat_map(|case| case.earlier.iter().chain([case]));
    let mut shown: Vec<&CaseReport> = Vec::new();
    for case in tries.filter(|case| needs_attention(case)) {
        let same = shown.iter().find_map(|before| terminal::same_block(case, before, width, &palette));
        if same.is_none() {
            shown.push(case);
        }
        talk.say(&same.unwrap_or_else(|| terminal::failure_block(case, width, &palette)));
    }
    // A board that was given up for what failed a case that is shown is told of there; a line that was not released besides is not.
    let is_told = |given_up: &GivenUp| {
        let why = |case: &CaseReport| case.verdict.reason.strip_prefix(&format!("board {}: ", given_up.board)).map(str::to_owned);
        let shown = report.cases.iter().filter(|case| case.outcome() == Outcome::Blocked && needs_attention(case));
        shown.filter_map(why).any(|why| given_up.reason.starts_with(&why))
    };
    for (health, given_up) in report.told_of_boards() {
        match (health, given_up) {
            (Some(health), _) if health.outcome() == Outcome::Error => talk.say(&terminal::failure_block(health, width, &palette)),
            (_, Some(given_up)) if !is_told(given_up) => talk.say(&terminal::given_up_block(given_up, width, &palette)),
            _ => {}
        }
    }
    for missing in &report.missing {
        talk.say(&terminal::missing_block(missing, width, &palette));
    }
    talk.say(&terminal::summary_line(report, &palette));
    write_junit(junit, report).map_err(|error| Failure::rig(describe_error(&error)).hint("--junit names another place"))?;
    talk.say(&format!("   JUnit {}", junit.display()));
    Ok(())
}

/// Whether a case is shown again at the end: also the one in which a board was given up, for what came last of it.
fn needs_attention(case: &CaseReport) -> bool {
    match case.outcome() {
        Outcome::Failed | Outcome::Error => true,
        Outcome::Blocked => case.ran(),
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

/// Whether a run has left a JUnit file there. What is no such file may be anything, a scenario too, and is lost to nobody; an empty one is nobody's.
fn is_of_a_run(junit: &Path) -> Result<bool, Failure> {
    let refused = |why: &str| Failure::usage(format!("{} {why}", junit.display())).hint("--junit names the file that is to be written");
    let mut beginning = Vec::new();
    match std::fs::metadata(junit) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refused(&format!("cannot be looked at: {error}"))),
        Ok(found) if !found.is_file() => return Err(refused("is no file that could be written anew")),
        Ok(_) => File::open(junit)
            .and_then(|file| file.take(JUNIT_BEGINNING).read_to_end(&mut beginning))
            .map_err(|error| refused(&format!("cannot be looked at: {error}")))?,
    };
    if beginning.is_empty() || beginning.windows(TESTSUITES.len()).any(|window| window == TESTSUITES) {
        return Ok(true);
    }
    Err(refused("is no JUnit file, and is not written over"))
}

/// What every JUnit file has in its beginning.
const TESTSUITES: &[u8] = b"<testsuite";
const JUNIT_BEGINNING: u64 = 4096;

/// Removes what the run before left: its JUnit file, so that nobody takes it for the result of a run that was killed, and folders that hold a timeline. Nothing else.
fn remove_old(junit: &Path, folder: &Path) -> Result<(), Failure> {
    if is_of_a_run(junit)? {
        std::fs::remove_file(junit)
            .map_err(|error| Failure::usage(format!("{} of an earlier run cannot be removed: {error}", junit.display())))?;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten().map(|entry| entry.path()).filter(|path| path.join("events.jsonl").is_file()) {
        std::fs::remove_dir_all(&entry)
            .map_err(|error| Failure::rig(format!("{} of an earlier run cannot be removed: {error}", entry.display())))?;
    }
    Ok(())
}
