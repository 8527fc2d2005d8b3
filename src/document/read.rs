//! The second pass: the document given to serde, and serde's complaints placed by the first pass's index.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::cursor::Cursor;
use super::diagnostic::Diagnostic;
use super::index::Content;
use super::nearest::known;
use super::source::Document;

impl Document {
    /// Reads the document as a `T`. Maps with one key are read as enums.
    ///
    /// # Errors
    /// A placed [`Diagnostic`] for the first value that does not fit.
    pub fn read_as<T: DeserializeOwned>(&self) -> Result<T, Box<Diagnostic>> {
        if !matches!(self.root().node().content, Content::Map(_)) {
            return Err(Box::new(self.root().problem("expected a map of keys and values").hint("the file begins with `format: 1`")));
        }
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(serde_yaml::Deserializer::from_str(self.text()), &mut track);
        serde_yaml::with::singleton_map_recursive::deserialize(deserializer).map_err(|error| Box::new(self.placed(&track.path(), &error)))
    }

    fn placed(&self, path: &serde_path_to_error::Path, error: &serde_yaml::Error) -> Diagnostic {
        let mut cursor = self.root();
        for segment in path {
            cursor = match segment {
                Segment::Map { key } => cursor.get(key),
                Segment::Seq { index } => cursor.item(*index),
                Segment::Enum { .. } | Segment::Unknown => cursor,
            };
        }
        explain(cursor, &bare_message(error))
    }
}

/// The message without the position and the path that `serde_yaml` writes around it: both are coarser than the index's.
pub(super) fn bare_message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let text = match error.location() {
        Some(at) => text.strip_suffix(&format!(" at line {} column {}", at.line(), at.column())).unwrap_or(&text),
        None => &text,
    };
    ["unknown field `", "unknown variant `", "missing field `", "invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .find_map(|begin| text.find(begin))
        .map_or(text, |at| &text[at..])
        .to_owned()
}

/// serde's message in the words of these files. Its wordings are fixed by serde's `de::Error`; one that is not known here is shown as it is.
fn explain(cursor: Cursor<'_>, message: &str) -> Diagnostic {
    let words = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    if message.starts_with("unknown field `") || message.starts_with("unknown variant `") {
        let mut words = words(message);
        let unknown = if words.is_empty() { String::new() } else { words.remove(0) };
        let place = cursor.find(&unknown).unwrap_or(cursor);
        return place.key_problem(format!("unknown key `{unknown}`")).hint(known(&unknown, words.iter().map(String::as_str)));
    }
    if message.starts_with("missing field `") {
        let field = words(message).into_iter().next().unwrap_or_default();
        return cursor.key_problem(format!("the key `{field}` is missing")).label("needed here");
    }
    if let Some((found, expected)) = message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        let found = match found {
            "unit value" => "nothing",
            "map" => "a map",
            "sequence" => "a list",
            other => other,
        };
        // What a map's `expecting` is: an example of it.
        let example = expected.starts_with('{').then_some(expected);
        let expected = match expected {
            "a sequence" => "a list",
            other if other.starts_with("struct ") || example.is_some() => "a map",
            other => other,
        };
        let problem = cursor.problem(format!("expected {expected}, found {found}"));
        return match expected {
            "a map" if let Some(example) = example => {
                let key = cursor.key().map_or_else(String::new, |key| format!("{key}: "));
                problem.hint(format!("write `{key}{example}`"))
            }
            "a map" => {
                problem.hint("write it with its keys: `{ key: value, … }`; docs/scenarios.md and docs/bench.md have an example of each")
            }
            "a list" => problem.hint("write it as `[ one, two ]`, or a line each behind `- `"),
            "a single value" if found == "nothing" => {
                problem.hint("give the key a value, or remove it; the word `null` and the sign `~` need quotes to be text")
            }
            _ => problem,
        };
    }
    cursor.problem(message)
}
