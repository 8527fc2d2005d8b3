//! `faults`: runs every fault of the virtual EVKIT in every shipped scenario, and shows by which cause each was named.

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;
use super::args::Faults;
use super::signals;
use super::talk::Talk;
use crate::document;
use crate::faults::{Scope, render, run as run_matrix};
use crate::model::evkit::Fault;
use crate::plan::Case;
use crate::report::Exit;
use crate::runner::session::Rig;
use crate::runner::words::describe_error;
use crate::scenario;

/// Where timelines of no interest are written fastest: memory, where the system has it.
const MEMORY: &str = "/dev/shm";

pub(super) fn run(args: &Faults, talk: &Talk) -> Result<Exit, Failure> {
    let plan = match scenario::load_shipped(None) {
        Ok(plan) => plan,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    let mut scenarios: Vec<Vec<Case>> = Vec::new();
    for case in plan.cases {
        match scenarios.iter_mut().find(|cases| cases[0].scenario == case.scenario) {
            Some(cases) => cases.push(case),
            None => scenarios.push(vec![case]),
        }
    }
    if let Some(name) = &args.scenario {
        let names: Vec<String> = scenarios.iter().map(|cases| cases[0].scenario.clone()).collect();
        scenarios.retain(|cases| cases[0].scenario == *name);
        if scenarios.is_empty() {
            return Err(unknown("--scenario", name, &names));
        }
    }
    let one = |name: &String| {
        Fault::named(name)
            .ok_or_else(|| unknown("--fault", name, &Fault::ALL.iter().map(|fault| fault.name.to_owned()).collect::<Vec<_>>()))
    };
    let faults = if args.fault.is_empty() { Fault::ALL.iter().collect() } else { args.fault.iter().map(one).collect::<Result<_, _>>()? };
    let scope = Scope { scenarios, faults, seeds: args.seeds, healthy: args.healthy };
    let interrupts = signals::listen("interrupted again: ended at once")
        .map_err(|error| Failure::rig(format!("signals cannot be taken over: {error}")))?;
    let rig = Rig::simulated(Arc::clone(&interrupts.flag), interrupts.fd);
    let memory = PathBuf::from(MEMORY);
    let folder = tempfile::Builder::new()
        .prefix("evkit-hil-faults-")
        .tempdir_in(if memory.is_dir() { memory } else { std::env::temp_dir() })
        .map_err(|error| Failure::rig(format!("no folder for timelines: {}", describe_error(&error))))?;
    let target = if talk.is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} cases, {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(scope.cases() as u64), target).with_style(style);
    let matrix = run_matrix(&scope, &rig, folder.path(), &|| bar.inc(1)).map_err(|trouble| Failure::rig(trouble.reason))?;
    bar.finish_and_clear();
    let exit = talk.data(&render(&matrix))?;
    if interrupts.flag.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(Exit::Interrupted);
    }
    Ok(if matrix.holds() { exit } else { Exit::Failed })
}

fn unknown(option: &str, name: &str, known: &[String]) -> Failure {
    Failure::usage(format!("{option} {name}: there is none of that name")).hint(document::known(name, known.iter().map(String::as_str)))
}
