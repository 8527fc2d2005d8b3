//! `check` and `list`: files only, no hardware.

use super::Failure;
use super::args::{Check, List};
use super::require::{requirements, unknown};
use super::select::{Selected, no_such_tag, select};
use super::talk::Talk;
use crate::plan::units::show_duration;
use crate::report::Exit;

pub(super) fn check(args: &Check, talk: &Talk) -> Result<Exit, Failure> {
    let Selected { plan, left_out, bench } = match select(&args.selection, &[], *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    let read: Vec<_> = plan.cases.iter().chain(&left_out).collect();
    // Perhaps another run's, whose files were not named here; perhaps a mistake, which is better found before the night than after it.
    requirements(&[], bench.as_ref(), &read)?.iter().filter_map(unknown).for_each(|note| talk.say(&note));
    let boards = bench.map(|bench| format!(", {}", count(bench.boards.len(), "board"))).unwrap_or_default();
    let worst = plan.worst_case();
    talk.say(&format!("{}{boards}, no mistakes; worst-case time {} on one board", count(plan.cases.len(), "case"), show_duration(worst)));
    Ok(Exit::Passed)
}

pub(super) fn list(args: &List, talk: &Talk) -> Result<Exit, Failure> {
    let Selected { plan, .. } = match select(&args.selection, &[], *talk)? {
        Ok(selected) => selected,
        Err(exit) => return Ok(exit),
    };
    if plan.cases.is_empty() {
        talk.say(&no_such_tag(&args.selection.tag, &[]));
        return Ok(Exit::NothingSelected);
    }
    talk.data(&plan.table())
}

/// `1 case`, `2 cases`
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
