//! `check` and `list`: files only, no hardware.

use std::io::Write;

use super::Failure;
use super::args::{Check, List};
use super::select::{Selected, select};
use super::talk::Talk;
use crate::plan::units::show_duration;
use crate::report::Exit;

pub(super) fn check(args: &Check, talk: &Talk) -> Result<Exit, Failure> {
    let Selected { plan, bench } = match select(&args.selection, &[], *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    let boards = bench.map(|bench| format!(", {} boards", bench.boards.len())).unwrap_or_default();
    let worst = plan.cases.iter().map(crate::plan::Case::worst_case).sum();
    talk.say(&format!("{} cases{boards}, no mistakes; worst-case time {} on one board", plan.cases.len(), show_duration(worst)));
    Ok(Exit::Passed)
}

pub(super) fn list(args: &List, talk: &Talk) -> Result<Exit, Failure> {
    let Selected { plan, .. } = match select(&args.selection, &[], *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    if plan.cases.is_empty() {
        talk.say("no case has one of these tags");
        return Ok(Exit::NothingSelected);
    }
    // A reader that closes the pipe early (`list | head`) has what it wanted.
    let _ = std::io::stdout().lock().write_all(plan.table().as_bytes());
    Ok(Exit::Passed)
}
