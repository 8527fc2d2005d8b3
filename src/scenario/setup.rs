//! How a virtual board is set up: the one place that asks the virtual EVKIT what it takes. The same map stands in a scenario and, for all cases, with a board of the bench file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::reader::Reader;
use crate::document::{Cursor, Problems, Refusal, Text, known};
use crate::model::evkit::{Kind, SettingError, Settings};
use crate::plan::VirtualSetup;
use crate::secret::Secrets;

/// A map of settings, and of faults under one key, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct SetupMap(pub(crate) Vec<(String, Words)>);

/// The value of a setting, or names of faults.
#[derive(Debug, Clone)]
pub(crate) enum Words {
    One(Text),
    List(Vec<Text>),
}

impl SetupMap {
    /// The set-up that a board of the bench file has before that of each case. Complains of what the virtual EVKIT does not take.
    pub(crate) fn read(&self, at: Cursor<'_>, secrets: &Secrets, problems: &mut Problems) -> Option<VirtualSetup> {
        let none = BTreeMap::new();
        setup(Some(self), at, &mut Reader::new(Vec::new(), &none, secrets, problems))
    }
}

/// Reads `virtual:`; each key and value is tried on a virtual EVKIT's settings. Faults come first, whatever the order of the file: a setting beside them counts.
pub(super) fn setup(map: Option<&SetupMap>, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<VirtualSetup> {
    let mut setup = VirtualSetup::default();
    let mut settings = Vec::new();
    let mut all = true;
    for (key, words) in map.map_or(&[][..], |SetupMap(entries)| entries) {
        let entry = cursor.get(key);
        let (texts, kind) = match (words, Settings::kind_of(key)) {
            (Words::List(texts), _) => (texts.iter().enumerate().map(|(index, text)| (entry.item(index), text)).collect(), Kind::Fault),
            (Words::One(text), _) if key == Settings::FAULT => (vec![(entry, text)], Kind::Fault),
            (Words::One(text), Some(kind)) => (vec![(entry, text)], kind),
            (Words::One(_), None) => {
                let keys = Settings::NAMES.iter().copied().chain([Settings::FAULT]);
                reader.push(entry.key_problem(format!("a virtual board has no setting `{key}`")).hint(known(key, keys)));
                all = false;
                continue;
            }
        };
        for (place, text) in texts {
            // Tried on settings of its own, so that each complaint is about its own key.
            let value = reader.value(place, text, |value| Settings::drawn(0).put(key, value).map(|()| value.to_owned()).map_err(refusal));
            let list = if key == Settings::FAULT { &mut setup.settings } else { &mut settings };
            match value {
                Some(value) => list.push((key.clone(), value)),
                None => all = false,
            }
        }
        setup.has_faults |= kind == Kind::Fault;
    }
    setup.settings.append(&mut settings);
    all.then_some(setup)
}

fn refusal(error: SettingError) -> Refusal {
    let hint = matches!(error, SettingError::UnknownFault { .. }).then(|| "`evkit-hil settings --faults` lists the faults".to_owned());
    Refusal { message: error.to_string(), hint }
}

impl<'de> Deserialize<'de> for SetupMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;
        impl<'de> Visitor<'de> for MapVisitor {
            type Value = SetupMap;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SetupMap, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    // A setting's value is text as the file has it, which only something that asks for text gets.
                    let words = if key == Settings::FAULT { map.next_value::<Names>()?.0 } else { Words::One(map.next_value()?) };
                    entries.push((key, words));
                }
                Ok(SetupMap(entries))
            }
        }
        deserializer.deserialize_map(MapVisitor)
    }
}

/// Names of faults.
struct Names(Words);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a fault or a list of names")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
                Ok(Names(Words::One(Text(text.to_owned()))))
            }
            fn visit_unit<E: Error>(self) -> Result<Names, E> {
                Err(E::invalid_type(Unexpected::Unit, &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(Words::List(names)))
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}
