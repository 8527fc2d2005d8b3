//! `handshake`: the hotkey after a reset.

use std::time::Duration;

use super::Steps;
use crate::document::{Cursor, Short};
use crate::plan::{Handshake, HandshakeOutcome, Strategy};
use crate::scenario::file::HandshakeMap;

/// Strategies, and whether they are Easy Connect's.
pub(in crate::scenario) const STRATEGIES: &[(&str, bool)] = &[("repeat", false), ("st", true)];
/// What may have to come of a handshake.
pub(in crate::scenario) const OUTCOMES: &[(&str, HandshakeOutcome)] =
    &[("acknowledged", HandshakeOutcome::Acknowledged), ("not-acknowledged", HandshakeOutcome::NotAcknowledged)];

impl Steps<'_, '_> {
    pub(super) fn handshake(&mut self, handshake: &Short<HandshakeMap>, at: Cursor<'_>) -> Option<Handshake> {
        let map = match handshake {
            Short::Map(map) => map,
            Short::Nothing => return Some(Handshake::default()),
            Short::Scalar(_) => return self.needs(at, "handshake:` or `handshake: { strategy: repeat }"),
        };
        let st = match &map.strategy {
            Some(text) => self.reader.word(at.get("strategy"), text, "a strategy", STRATEGIES),
            None => Some(false),
        };
        let every = self.duration_or(at, "every", map.every.as_ref(), Handshake::EVERY).filter(|every| {
            let enough = *every >= Duration::from_millis(1);
            if !enough {
                self.reader.push(at.get("every").problem("the hotkey more often than every 1 ms").hint("the default is 5 ms"));
            }
            enough
        });
        let pulse = match &map.pulse {
            Some(text) if &**text == "none" => Some(None),
            Some(text) => self.positive(at.get("pulse"), text).map(Some),
            None => Some(Some(Handshake::PULSE)),
        };
        let within = self.duration_or(at, "within", map.within.as_ref(), Handshake::WITHIN);
        let outcome = map.outcome.as_ref().map_or(Some(HandshakeOutcome::Acknowledged), |text| {
            self.reader.word(at.get("outcome"), text, "an outcome of a handshake", OUTCOMES)
        });
        let mut fits = true;
        for (key, given) in [("every", map.every.is_some()), ("within", map.within.is_some())] {
            if st == Some(true) && given {
                self.reader.push(
                    at.get(key)
                        .key_problem(format!("`{key}` goes with the strategy `repeat` only"))
                        .hint("the times of `st` are Easy Connect's own; remove it"),
                );
                fits = false;
            }
        }
        let every = every?;
        let strategy = if st? { Strategy::St } else { Strategy::Repeat { every } };
        fits.then_some(Handshake { strategy, pulse: pulse?, within: within?, outcome: outcome? })
    }
}
