//! `reset`: how the reset line is driven.

use super::Steps;
use crate::document::{Cursor, Short};
use crate::plan::Reset;
use crate::scenario::file::ResetMap;
use crate::seam::LineState;

/// The states that a step can leave the line in.
pub(in crate::scenario) const LINE_STATES: &[(&str, LineState)] = &[("assert", LineState::Asserted), ("release", LineState::Released)];

impl Steps<'_, '_> {
    pub(super) fn reset(&mut self, reset: &Short<ResetMap>, at: Cursor<'_>) -> Option<Reset> {
        match reset {
            Short::Scalar(text) => self.reader.word(at, text, "a state of the reset line", LINE_STATES).map(Reset::Hold),
            Short::Map(ResetMap { pulse: Some(pulse), line: None, .. }) => self.positive(at.get("pulse"), pulse).map(Reset::Pulse),
            Short::Map(ResetMap { pulse: None, line: Some(line), .. }) => {
                self.reader.word(at.get("line"), line, "a state of the reset line", LINE_STATES).map(Reset::Hold)
            }
            Short::Map(_) | Short::Nothing => self.needs(at, "reset: { pulse: 15 ms }`, `reset: assert` or `reset: release"),
        }
    }
}
