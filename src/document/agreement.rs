//! Whether both parsers read a file alike. The first pass gives every value its place, the second its meaning: where they differ, a complaint would name one thing and the run do another.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::diagnostic::Diagnostic;
use super::index::{Content, Key, Node};
use super::read::bare_message;
use super::source::Document;

/// Reads a document with the second parser and compares it with the structure that the first one has taken: the same maps with the same keys in the same order, the same lists, the same text
/// in every scalar, and nothing where there is nothing.
///
/// # Errors
/// A placed complaint about the innermost value that is read in two ways.
pub(super) fn check(document: &Document) -> Result<(), Box<Diagnostic>> {
    let place = RefCell::new(None);
    let seed = Same { node: document.root().node(), place: &place };
    seed.deserialize(serde_yaml::Deserializer::from_str(document.text())).map_err(|error| {
        // An error of the parser itself knows its own place; one of the comparison was noted by it.
        let place = place.take();
        let at = || error.location().map_or(0, |location| floor(document.text(), location.index()));
        let span = place.unwrap_or_else(|| at()..at());
        let problem = document.diagnostic(span, "two YAML parsers do not read this alike");
        Box::new(
            problem
                .label(reason(&error))
                .hint("write it more plainly: text in double quotes, on one line, and lists and maps with blanks around their signs"),
        )
    })
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What the second parser says, in a few words.
fn reason(error: &serde_yaml::Error) -> String {
    const SHOWN: usize = 100;
    let text = bare_message(error);
    let text = match text.split_once(": ").and_then(|(_, rest)| rest.split_once(", expected ")) {
        Some((second, first)) => format!("one reads {first}, the other {}", in_words(second)),
        None => format!("one reads it, to the other it is wrong: {text}"),
    };
    let short = text.chars().filter(|character| !character.is_control()).take(SHOWN + 1).collect::<String>();
    if short.chars().count() > SHOWN { short.chars().take(SHOWN).chain(['\u{2026}']).collect() } else { short }
}

/// What serde calls a value, as these files do.
fn in_words(serde: &str) -> String {
    match serde {
        "unit value" | "Option value" => "nothing".to_owned(),
        "map" => "a map".to_owned(),
        "sequence" => "a list".to_owned(),
        other => other.replacen("string ", "the text ", 1),
    }
}

type Place = RefCell<Option<Range<usize>>>;

/// Keeps the first place, which is the innermost: an error is passed outwards.
fn note(place: &Place, span: &Range<usize>) {
    place.borrow_mut().get_or_insert_with(|| span.clone());
}

/// A value that must be the one that the first pass has.
struct Same<'n> {
    node: &'n Node,
    place: &'n Place,
}

impl<'de> DeserializeSeed<'de> for Same<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { node, place } = self;
        let result = match &node.content {
            // As the shapes of files ask for it: `~` is text to `deserialize_str`, and nothing to `deserialize_option`.
            Content::Scalar(_) => deserializer.deserialize_option(self),
            Content::Nothing | Content::List(_) | Content::Map(_) => deserializer.deserialize_any(self),
        };
        result.inspect_err(|_| note(place, &node.span))
    }
}

impl<'de> Visitor<'de> for Same<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node.content {
            Content::Nothing => f.write_str("nothing"),
            Content::Scalar(text) => write!(f, "the text {text:?}"),
            Content::List(items) => write!(f, "a list of {}", items.len()),
            Content::Map(entries) => write!(f, "a map of {}", entries.len()),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match &self.node.content {
            Content::Nothing => Ok(()),
            _ => Err(E::invalid_type(serde::de::Unexpected::Unit, &self)),
        }
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match &self.node.content {
            Content::Scalar(text) => deserializer.deserialize_str(SameText(text)),
            _ => Err(D::Error::invalid_type(serde::de::Unexpected::Option, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Content::List(items) = &self.node.content else { return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)) };
        for (index, node) in items.iter().enumerate() {
            list.next_element_seed(Same { node, place: self.place })?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        match list.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::invalid_length(items.len() + 1, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Content::Map(entries) = &self.node.content else { return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self)) };
        for (index, (key, node)) in entries.iter().enumerate() {
            map.next_key_seed(SameKey { key, place: self.place })?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
            map.next_value_seed(Same { node, place: self.place })?;
        }
        match map.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::invalid_length(entries.len() + 1, &self)),
        }
    }
}

/// A key that must be the one that the first pass has. Keys are text, whatever they look like.
struct SameKey<'n> {
    key: &'n Key,
    place: &'n Place,
}

impl<'de> DeserializeSeed<'de> for SameKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let result = deserializer.deserialize_str(SameText(&self.key.text));
        result.inspect_err(|_| note(self.place, &self.key.span))
    }
}

struct SameText<'n>(&'n str);

impl Visitor<'_> for SameText<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text {:?}", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text == self.0 { Ok(()) } else { Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)) }
    }
}
