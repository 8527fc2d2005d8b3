//! How a virtual board is set up for a case: the one place that asks the virtual EVKIT what it takes.

use super::reader::Reader;
use crate::document::{Cursor, Entries, Refusal, Text, known};
use crate::model::evkit::{Kind, Settings};
use crate::plan::VirtualSetup;

/// Reads `virtual:`; each key and value is tried on a virtual EVKIT's settings.
pub(super) fn setup(entries: Option<&Entries<Text>>, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<VirtualSetup> {
    let mut setup = VirtualSetup::default();
    let mut all = true;
    for (key, text) in entries.map_or(&[][..], |Entries(entries)| entries) {
        let entry = cursor.get(key);
        let Some(kind) = Settings::kind_of(key) else {
            reader.push(
                entry.key_problem(format!("a virtual board has no setting `{key}`")).hint(known(key, Settings::NAMES.iter().copied())),
            );
            all = false;
            continue;
        };
        let value = reader.value(entry, text, |value| {
            // Tried on settings of its own, so that each complaint is about its own key.
            Settings::drawn(0)
                .set(key, value)
                .map(|()| value.to_owned())
                .map_err(|error| Refusal { message: error.to_string(), hint: None })
        });
        match value {
            Some(value) => setup.settings.push((key.clone(), value)),
            None => all = false,
        }
        setup.has_faults |= kind == Kind::Fault;
    }
    all.then_some(setup)
}
