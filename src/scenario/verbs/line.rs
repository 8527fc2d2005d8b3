//! `line`: a named line, and what is done with it. `expect` with `line`: an edge of one that the board drives.

use super::{LINE_STATES, Steps, given_and_read};
use crate::document::{Cursor, Refusal};
use crate::plan::{Anchor, ExpectEdge, LineAct, LineDrive};
use crate::scenario::file::{ExpectMap, LineMap};
use crate::seam::LineState;

/// What is written for the edges of a line.
pub(in crate::scenario) const EDGES: &[(&str, Option<LineState>)] =
    &[("assert", Some(LineState::Asserted)), ("release", Some(LineState::Released)), ("any", None)];

impl Steps<'_, '_> {
    pub(super) fn line(&mut self, map: &LineMap, at: Cursor<'_>) -> Option<LineDrive> {
        let name = self.reader.value(at.get("name"), &map.name, name_of_output);
        let act = match (&map.pulse, &map.state) {
            (Some(pulse), None) => self.positive(at.get("pulse"), pulse).map(LineAct::Pulse),
            (None, Some(state)) => self.reader.word(at.get("state"), state, "a state of a line", LINE_STATES).map(LineAct::Hold),
            _ => self.needs(at, "line: { name: wake, pulse: 100 ms }` or `line: { name: wake, state: assert }"),
        };
        Some(LineDrive { name: name?, act: act? })
    }

    pub(super) fn expect_edge(&mut self, map: &ExpectMap, at: Cursor<'_>) -> Option<ExpectEdge> {
        let mut fits = true;
        for (key, given) in [
            ("text", map.text.is_some()),
            ("hex", map.hex.is_some()),
            ("regex", map.regex.is_some()),
            ("never", map.never.is_some()),
            ("capture-limit", map.capture_limit.is_some()),
        ] {
            if given {
                let problem = at.get(key).key_problem(format!("an edge of a line has no `{key}`"));
                self.reader.push(problem.hint("bytes and edges are waited for in steps of their own"));
                fits = false;
            }
        }
        let (Some(line), Some(edge)) = (&map.line, &map.edge) else {
            return self.needs(at, "expect: { line: ring, edge: assert, within: 2 s }");
        };
        let line = self.reader.value(at.get("line"), line, name);
        let to = self.reader.word(at.get("edge"), edge, "an edge of a line", EDGES);
        let within = self.positive(at.get("within"), &map.within);
        let of = map.of.as_ref().map_or(Some(Anchor::StepBefore), |text| self.anchor(at.get("of"), text));
        let name = map.r#as.as_ref().map(|text| self.new_name(at.get("as"), text));
        Some(ExpectEdge { line: line?, to: to?, within: within?, of: of?, name: given_and_read(name)? }).filter(|_| fits)
    }
}

fn name_of_output(text: &str) -> Result<String, Refusal> {
    match text {
        "reset" => Err(Refusal::new("the reset line has a verb of its own", "write `reset: { pulse: 15 ms }`")),
        "power" => Err(Refusal::new("power has a verb of its own", "write `power: off`")),
        text => name(text),
    }
}

fn name(text: &str) -> Result<String, Refusal> {
    let fits =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !fits || ["reset", "power"].contains(&text) {
        return Err(Refusal::new(
            format!("`{text}` is not the name of a line"),
            "a name below `lines:` of the bench file, as in `lines: { ring: { … } }`",
        ));
    }
    Ok(text.to_owned())
}
