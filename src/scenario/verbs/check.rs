//! `check`, `measure` and `note`: what is made of values that were kept.

use super::{Steps, given_and_read};
use crate::document::{Cursor, Short};
use crate::plan::{Comparison, Measure, Template};
use crate::scenario::comparison::comparison;
use crate::scenario::file::{CheckMap, MeasureMap, NoteMap};
use crate::scenario::reader::Keeps;

impl Steps<'_, '_> {
    pub(super) fn check(&mut self, map: &CheckMap, at: Cursor<'_>) -> Option<Comparison> {
        comparison(&map.value, &map.is, at, self.reader)
    }

    pub(super) fn measure(&mut self, map: &MeasureMap, at: Cursor<'_>) -> Option<Measure> {
        let name = self.new_name(at.get("name"), &map.name);
        let from = self.anchor(at.get("from"), &map.from);
        let to = self.anchor(at.get("to"), &map.to);
        let within = map.within.as_ref().map(|text| self.positive(at.get("within"), text));
        if from.is_some() && from == to {
            self.reader.push(at.get("to").problem("it ends with the event that it begins with").hint("name another event"));
            return None;
        }
        let name = name?;
        self.reader.kept.insert(name.clone(), Keeps::Time);
        Some(Measure { name, from: from?, to: to?, within: given_and_read(within)? })
    }

    pub(super) fn note(&mut self, note: &Short<NoteMap>, at: Cursor<'_>) -> Option<Template> {
        match note {
            Short::Scalar(text) => self.reader.template(at, text),
            Short::Map(map) => self.reader.template(at.get("text"), &map.text),
            Short::Nothing => self.needs(at, "note: what happens now"),
        }
    }
}
