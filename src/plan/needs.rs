//! Which lines a case needs, derived from its steps: on a board that lacks one it is skipped.

use std::collections::BTreeMap;

use super::{Action, Case, Step, walk};
use crate::seam::Direction;

/// What a board must have for a case, beside a port and a reset line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Named lines, and who drives each.
    pub lines: BTreeMap<String, Direction>,
    /// Whether the supply must be switchable.
    pub power: bool,
}

/// What the steps of a case need, `finally` included.
#[must_use]
pub fn needs(case: &Case) -> Needs {
    let mut needs = Needs::default();
    for step in walk(&case.steps).into_iter().chain(walk(&case.finally)) {
        match &step.action {
            Action::Line(line) => drop(needs.lines.insert(line.name.clone(), Direction::Out)),
            Action::ExpectEdge(expect) => drop(needs.lines.insert(expect.line.clone(), Direction::In)),
            Action::Power(_) => needs.power = true,
            _ => {}
        }
    }
    needs
}

/// The first verb of the steps that only an ST87M01 understands.
#[must_use]
pub fn module_verb(steps: &[Step]) -> Option<&'static str> {
    walk(steps).into_iter().find_map(|step| match step.action {
        Action::At(_) => Some("at"),
        Action::Handshake(_) => Some("handshake"),
        Action::Boot(_) => Some("boot"),
        Action::Upload(_) => Some("upload"),
        Action::Restore(_) => Some("restore"),
        _ => None,
    })
}
