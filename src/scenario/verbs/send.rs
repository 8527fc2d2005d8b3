//! `send`: bytes, and when they are sent.

use std::time::Duration;

use super::{Steps, anchor, given_and_read};
use crate::document::{Cursor, Refusal};
use crate::plan::units::parse_duration;
use crate::plan::{Anchor, Send};
use crate::scenario::file::SendMap;
use crate::scenario::patterns::{hex_bytes, text_bytes};
use crate::scenario::variables::Target;

impl Steps<'_, '_> {
    pub(super) fn send(&mut self, map: &SendMap, at: Cursor<'_>) -> Option<Send> {
        let bytes = match (&map.text, &map.hex) {
            (Some(text), None) => self.reader.value_for(Target::Bytes, at.get("text"), text, text_bytes),
            (None, Some(hex)) => self.reader.value(at.get("hex"), hex, hex_bytes),
            _ => self.needs(at, "send: { text: \"AT\\r\" }` or `send: { hex: c5 ff }"),
        };
        let when = match &map.at {
            Some(text) => {
                let events = self.events.clone();
                let when = self.reader.value(at.get("at"), text, |text| after_anchor(text, &events));
                Some(when.filter(|(anchor, _)| self.made_before(at.get("at"), anchor).is_some()))
            }
            None => None,
        };
        Some(Send { bytes: bytes?.into(), raw: map.hex.is_some(), at: given_and_read(when)? })
    }
}

/// `release`, or `release + 12 ms`.
fn after_anchor(text: &str, made: &[Anchor]) -> Result<(Anchor, Duration), Refusal> {
    let (event, after) = match text.split_once(" + ") {
        Some((event, after)) => (event, parse_duration(after)?),
        None if text.contains('+') => {
            return Err(Refusal::new(format!("`{text}` is not a time"), "write `release + 12 ms`, with blanks around the plus"));
        }
        None => (text, Duration::ZERO),
    };
    anchor(event, made).map(|anchor| (anchor, after))
}
