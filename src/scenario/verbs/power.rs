//! `power`: how the module's supply is switched.

use super::Steps;
use crate::document::{Cursor, Short};
use crate::plan::Power;
use crate::scenario::file::PowerMap;

/// What is written for the states of the supply.
pub(in crate::scenario) const POWER_STATES: &[(&str, Power)] = &[("on", Power::On), ("off", Power::Off)];

impl Steps<'_, '_> {
    pub(super) fn power(&mut self, power: &Short<PowerMap>, at: Cursor<'_>) -> Option<Power> {
        match power {
            Short::Scalar(text) => self.reader.word(at, text, "a state of the supply", POWER_STATES),
            Short::Map(PowerMap { state: Some(state), cycle: None, .. }) => {
                self.reader.word(at.get("state"), state, "a state of the supply", POWER_STATES)
            }
            Short::Map(PowerMap { state: None, cycle: Some(cycle), .. }) => self.positive(at.get("cycle"), cycle).map(Power::Cycle),
            Short::Map(_) | Short::Nothing => self.needs(at, "power: off`, `power: on` or `power: { cycle: 2 s }"),
        }
    }
}
