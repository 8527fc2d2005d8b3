//! A validator of the part of JSON Schema (draft 7) that the schemas use. It knows every keyword that they may have, and panics at any other: none is passed over. Used by the tests and by the fuzz target.
//!
//! The usual crate takes 78 more and as long to build as everything else here. A foreign validator, that of an editor's language server, reads the same schemas in CI.

use std::collections::BTreeMap;
use std::sync::Mutex;

use regex::Regex;
use serde_json::Value;

/// Patterns that were compiled: the same few come for every value.
static PATTERNS: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.lock().unwrap().entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap()).is_match(text)
}

/// Why `value` does not fit `schema`; empty where it does.
pub(crate) fn complaints(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let keywords = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return found.push(format!("{path}: nothing may stand here")),
        Value::Object(keywords) => keywords,
        other => panic!("not a schema: {other}"),
    };
    let fits = |schema: &Value| complaints(root, schema, value).is_empty();
    for (keyword, of) in keywords {
        let good = match (keyword.as_str(), value) {
            ("$schema" | "title" | "description" | "definitions" | "patternErrorMessage", _) => true,
            ("$ref", _) => {
                let target = root.pointer(of.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                check(root, target, value, path, found);
                true
            }
            ("type", _) => match of {
                Value::String(one) => is_of_type(one, value),
                Value::Array(any) => any.iter().any(|one| is_of_type(one.as_str().unwrap(), value)),
                other => panic!("not a type: {other}"),
            },
            ("enum", _) => of.as_array().unwrap().contains(value),
            ("const", _) => of == value,
            ("anyOf", _) => of.as_array().unwrap().iter().any(fits),
            ("oneOf", _) => of.as_array().unwrap().iter().filter(|schema| fits(schema)).count() == 1,
            ("allOf", _) => {
                of.as_array().unwrap().iter().for_each(|schema| check(root, schema, value, path, found));
                true
            }
            ("pattern", Value::String(text)) => matches(of.as_str().unwrap(), text),
            ("minimum", Value::Number(number)) => number.as_f64() >= of.as_f64(),
            ("maximum", Value::Number(number)) => number.as_f64() <= of.as_f64(),
            ("minItems", Value::Array(items)) => items.len() as u64 >= of.as_u64().unwrap(),
            ("minProperties", Value::Object(map)) => map.len() as u64 >= of.as_u64().unwrap(),
            ("required", Value::Object(map)) => of.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap())),
            ("propertyNames", Value::Object(map)) => map.keys().all(|key| complaints(root, of, &Value::String(key.clone())).is_empty()),
            ("properties", Value::Object(map)) => {
                for (key, schema) in of.as_object().unwrap() {
                    if let Some(value) = map.get(key) {
                        check(root, schema, value, &format!("{path}/{key}"), found);
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(map)) => {
                let known = keywords.get("properties").and_then(Value::as_object);
                for (key, value) in map.iter().filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key))) {
                    check(root, of, value, &format!("{path}/{key}"), found);
                }
                true
            }
            ("items", Value::Array(items)) => {
                items.iter().enumerate().for_each(|(at, item)| check(root, of, item, &format!("{path}/{at}"), found));
                true
            }
            (
                "pattern"
                | "minimum"
                | "maximum"
                | "minItems"
                | "minProperties"
                | "required"
                | "propertyNames"
                | "properties"
                | "additionalProperties"
                | "items",
                _,
            ) => true,
            (other, _) => panic!("the validator does not know `{other}`: add it"),
        };
        if !good {
            found.push(format!("{path}: {value} does not fit {keyword}"));
        }
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("not a type: {other}"),
    }
}

/// A value as JSON has it. JSON has no infinity; to a schema it is a number like another.
pub(crate) fn json(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => value.into(),
        serde_yaml::Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => number.into(),
            (_, Some(number), _) => number.into(),
            (.., number) => number.filter(|number| number.is_finite()).unwrap_or(0.5).into(),
        },
        serde_yaml::Value::String(text) => text.into(),
        serde_yaml::Value::Sequence(items) => items.into_iter().map(json).collect(),
        serde_yaml::Value::Mapping(entries) => {
            let key = |key| match json(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(entries.into_iter().map(|(name, value)| (key(name), json(value))).collect())
        }
        serde_yaml::Value::Tagged(tagged) => json(tagged.value),
    }
}
