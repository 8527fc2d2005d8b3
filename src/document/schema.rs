//! JSON Schema of files, for editors: derived from the very types that read them, so that it knows every key that they know.
//!
//! It is laxer than the reading and never stricter: what a schema refuses is refused when the file is read. Scalars are text to these files and numbers or truth values to an editor, so a word like
//! `0` is both here.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::shapes::{Entries, Short, Text};
use crate::plan::units::{MAX_BAUD, SIZE_UNITS, TIME_UNITS};

/// The schema of the files that are read as a `T`, as it is committed: draft 7, which every editor knows.
pub(crate) fn of_file<T: JsonSchema>(title: &str) -> Value {
    let settings =
        SchemaSettings::draft07().with_transform(RecursiveTransform(without_nothing)).with_transform(RecursiveTransform(described_key));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    // An editor would show these in place of what the key says.
    let definitions = schema.get_mut("definitions").and_then(Value::as_object_mut);
    for definition in definitions.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        definition.remove("description");
    }
    schema.to_value()
}

/// An optional key may be absent; where it stands, it has a value. schemars takes `Option` for "or null".
fn without_nothing(schema: &mut Schema) {
    let nothing = json!({ "type": "null" });
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|of| of != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            map.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(any)) = map.get_mut("anyOf") else { return };
    any.retain(|schema| *schema != nothing);
    if any.len() == 1
        && let Some(Value::Object(only)) = any.pop()
    {
        map.remove("anyOf");
        if only.contains_key("$ref") && !map.is_empty() {
            // Draft 7 looks at nothing that stands beside a reference.
            map.insert("allOf".to_owned(), Value::Array(vec![Value::Object(only)]));
        } else {
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}

/// A variant's description stands at its map; an editor shows that of the key.
fn described_key(schema: &mut Schema) {
    let Some(map) = schema.as_object_mut() else { return };
    let Some(Value::Array(variants)) = map.get_mut("oneOf") else { return };
    for variant in variants.iter_mut().filter_map(Value::as_object_mut) {
        let Some(description) = variant.get("description").cloned() else { continue };
        let Some(Value::Object(keys)) = variant.get_mut("properties") else { continue };
        for key in keys.values_mut().filter_map(Value::as_object_mut) {
            if let Some(reference) = key.remove("$ref") {
                key.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            key.entry("description").or_insert(description.clone());
        }
    }
}

/// Where variables may stand: a text with a dollar can be anything.
pub(crate) fn or_variable(schema: Schema) -> Schema {
    json_schema!({ "anyOf": [schema, { "type": "string", "pattern": r"\$" }] })
}

/// Any scalar, as [`Text`] takes it.
pub(crate) fn scalar() -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"] })
}

/// One of several words, as text and as what YAML makes of it.
pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Schema {
    let mut all = Vec::new();
    for word in words {
        match serde_yaml::from_str::<Value>(word) {
            Ok(value) if !value.is_string() => all.extend([value, word.into()]),
            _ => all.push(word.into()),
        }
    }
    json_schema!({ "enum": all })
}

/// The words of a table of words and meanings.
pub(crate) fn words_of<T>(table: &[(&'static str, T)]) -> Schema {
    words(table.iter().map(|(word, _)| *word))
}

/// A duration, or a text with a variable.
pub(crate) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!(r"^{}$|\$", duration_pattern()), "patternErrorMessage": "a duration is a number, a blank and a unit: `15 ms`" })
}

/// The same where the file has no variables.
pub(crate) fn plain_duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^{}$", duration_pattern()), "patternErrorMessage": "a duration is a number, a blank and a unit: `15 ms`" })
}

/// What a duration looks like, for a pattern.
pub(crate) fn duration_pattern() -> String {
    number_with(TIME_UNITS)
}

/// A number of bytes, or a text with a variable.
pub(crate) fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!(r"^{}$|\$", number_with(SIZE_UNITS)), "patternErrorMessage": "a size is a number, a blank and a unit: `16 KiB`" })
}

fn number_with(units: &[(&str, u64)]) -> String {
    let units = units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join("|");
    format!(r"[0-9]+(\.[0-9]+)? ({units})")
}

/// A speed in baud, or a text with a variable.
pub(crate) fn baud(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": 1, "maximum": MAX_BAUD, "pattern": r"^[0-9]+$|\$" })
}

/// The same where the file has no variables.
pub(crate) fn plain_baud(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": 1, "maximum": MAX_BAUD, "pattern": "^[0-9]+$" })
}

/// A whole number in a range, or a text with a variable.
pub(crate) fn whole(range: &std::ops::RangeInclusive<u32>) -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": range.start(), "maximum": range.end(), "pattern": r"^\+?[0-9]+$|\$" })
}

/// The same where the file has no variables.
pub(crate) fn plain_whole(range: &std::ops::RangeInclusive<u8>) -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": range.start(), "maximum": range.end(), "pattern": r"^\+?[0-9]+$" })
}

/// A version of three numbers, or a text with a variable.
pub(crate) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$|\$", "patternErrorMessage": "a version has three numbers: `2.8.0`" })
}

/// The same where the file has no variables.
pub(crate) fn plain_version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$", "patternErrorMessage": "a version has three numbers: `2.8.0`" })
}

/// What a place in an image looks like: a size, or a share.
pub(crate) fn place_pattern() -> String {
    format!("{}|[0-9]+ *%", number_with(SIZE_UNITS))
}

/// A map of type `T`, or what else the place takes: see [`Short`].
pub(crate) fn short<T: JsonSchema>(generator: &mut SchemaGenerator, others: impl IntoIterator<Item = Schema>) -> Schema {
    let mut all = Vec::new();
    for other in others {
        match other.get("anyOf").and_then(Value::as_array) {
            Some(inner) => all.extend(inner.iter().cloned()),
            None => all.push(other.to_value()),
        }
    }
    all.push(generator.subschema_for::<T>().to_value());
    json_schema!({ "anyOf": all })
}

/// The key stands alone. Not written as a type: what optional keys have of that is taken out.
pub(crate) fn nothing() -> Schema {
    json_schema!({ "const": null })
}

/// A map with names of the user's choice that look like `pattern`.
pub(crate) fn named<T: JsonSchema>(generator: &mut SchemaGenerator, pattern: &str) -> Schema {
    let value = generator.subschema_for::<T>();
    json_schema!({ "type": "object", "propertyNames": { "pattern": pattern }, "additionalProperties": value })
}

/// A map with these keys, none of which must be there.
pub(crate) fn keys(keys: impl IntoIterator<Item = (&'static str, Schema)>) -> Schema {
    let keys = keys.into_iter().map(|(key, schema)| (key.to_owned(), schema.to_value())).collect::<Map<_, _>>();
    json_schema!({ "type": "object", "properties": keys, "additionalProperties": false })
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        scalar()
    }
}

impl<T: JsonSchema> JsonSchema for Short<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Short{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        short::<T>(generator, [nothing(), scalar()])
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
