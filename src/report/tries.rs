//! The tries of a case: each has a timeline of its own, and they are one case in every report.

use super::CaseReport;
use crate::timeline::event::Outcome;

/// Makes one of the tries of each case on each board: the last one, which has those before it in [`CaseReport::earlier`]. The order of the cases is that of their first tries in `reports`.
#[must_use]
pub fn join_tries(reports: Vec<CaseReport>) -> Vec<CaseReport> {
    let mut joined: Vec<Vec<CaseReport>> = Vec::new();
    for report in reports {
        let same = |tries: &&mut Vec<CaseReport>| tries.first().is_some_and(|first| is_same(first, &report));
        match joined.iter_mut().find(same) {
            Some(tries) => tries.push(report),
            None => joined.push(vec![report]),
        }
    }
    let last = |mut tries: Vec<CaseReport>| {
        tries.sort_by_key(|report| report.case.attempt.map(|attempt| attempt.number));
        // One that did not run any more decides nothing: what failed before it has failed.
        while tries.len() > 1 && tries.last().is_some_and(|last| last.outcome() == Outcome::Skipped) {
            tries.pop();
        }
        let last = tries.pop()?;
        Some(CaseReport { earlier: tries, ..last })
    };
    joined.into_iter().filter_map(last).collect()
}

fn is_same(one: &CaseReport, other: &CaseReport) -> bool {
    let (one, other) = (&one.case, &other.case);
    one.attempt.is_some() && (&one.name, &one.scenario, &one.file, &one.board) == (&other.name, &other.scenario, &other.file, &other.board)
}
