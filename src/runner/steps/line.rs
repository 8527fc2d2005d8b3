//! `line`: drives a named line. `expect` with `line`: waits for an edge of one that the board drives.

use super::super::edges::InputEdge;
use super::expect::within;
use crate::plan::{ExpectEdge, LineAct, LineDrive};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

pub(super) fn run(conductor: &mut Conductor<'_>, drive: &LineDrive) -> Result<(), Stop> {
    let line = known(conductor, &drive.name)?;
    match drive.act {
        LineAct::Pulse(pulse) => conductor.pulse_line(line, pulse),
        LineAct::Hold(state) => conductor.drive(line, state, None).map(drop),
    }
}

pub(super) fn expect_edge(conductor: &mut Conductor<'_>, expect: &ExpectEdge) -> Result<(), Stop> {
    let line = known(conductor, &expect.line)?;
    let from = conductor.moment(&expect.of, "of")?.at;
    let others = match conductor.find_edge(line, expect.to, from + expect.within)? {
        Ok(_) => {
            if let (Some(name), Some(matched)) = (&expect.name, conductor.moments.matched) {
                conductor.moments.name(name, matched);
            }
            return Ok(());
        }
        Err(others) => others,
    };
    let (wanted, missed) = match expect.to {
        Some(LineState::Asserted) => ("to be asserted", "was not asserted"),
        Some(LineState::Released) => ("to be released", "was not released"),
        None => ("to change", "did not change"),
    };
    Err(Stop::Failed(Finding::new(
        format!("{} {missed}", expect.line),
        format!("{} {wanted} within {}", expect.line, within(expect.within, &expect.of)),
        describe(&others, &expect.line, from),
        if others.is_empty() { conductor.evidence() } else { others.iter().map(|edge| edge.seq).collect() },
    )))
}

/// The line of this name. The plan's needs are checked before a board takes a case, so that a missing one is a mistake of the rig.
fn known(conductor: &Conductor<'_>, name: &str) -> Result<LineId, Stop> {
    conductor.line_named(name).map(|info| info.id).ok_or_else(|| {
        let finding = Finding::new(format!("the board has no line {name}"), "a line of this name", "none", Vec::new());
        Stop::Rig(finding)
    })
}

/// Edges in words: `ring released after 0.120 s`.
fn describe(edges: &[InputEdge], line: &str, from: MonoTime) -> String {
    let word = |state| match state {
        LineState::Asserted => "asserted",
        LineState::Released => "released",
    };
    let edge = |edge: &InputEdge| format!("{} after {:.3} s", word(edge.state), edge.at.since(from).as_secs_f64());
    match edges {
        [] => format!("no edge of {line}"),
        edges => format!("{line} {}", edges.iter().map(edge).collect::<Vec<_>>().join(", ")),
    }
}
