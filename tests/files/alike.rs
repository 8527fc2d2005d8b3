//! The tree of the first pass and that of the second, compared apart from the comparison in the program. Used by the tests and by the fuzz target.

use evkit_hil::document::{Content, Document, Node};
use serde_yaml::Value;

/// What is not alike; `None` where all is.
pub(crate) fn difference(document: &Document) -> Option<String> {
    match serde_yaml::from_str::<Value>(document.text()) {
        Ok(value) => compare(document.root().node(), &value, ""),
        // A number beyond 64 bits, which this tree cannot hold and the program reads as the text that it is: its own comparison holds.
        Err(error) if error.to_string().contains("128") => document.agrees().err().map(|problem| problem.message),
        Err(error) => Some(format!("only the first parser takes it: {error}")),
    }
}

fn compare(node: &Node, value: &Value, path: &str) -> Option<String> {
    let unlike = || Some(format!("{path}: {node:?} is not {value:?}"));
    match (&node.content, value) {
        (Content::Nothing, Value::Null) => None,
        (Content::Scalar(text), value) => {
            if is_text_of(text, value) {
                None
            } else {
                unlike()
            }
        }
        (Content::List(items), Value::Sequence(values)) if items.len() == values.len() => {
            items.iter().zip(values).enumerate().find_map(|(at, (node, value))| compare(node, value, &format!("{path}/{at}")))
        }
        (Content::Map(entries), Value::Mapping(values)) if entries.len() == values.len() => {
            entries.iter().zip(values).find_map(|((key, node), (name, value))| {
                if is_text_of(&key.text, name) {
                    compare(node, value, &format!("{path}/{}", key.text))
                } else {
                    Some(format!("{path}: {key:?} is not {name:?}"))
                }
            })
        }
        _ => unlike(),
    }
}

/// Whether a scalar's text is this value. What is not kept as text (numbers, truth values, nothing as a key) is what that text stands for by itself.
fn is_text_of(text: &str, value: &Value) -> bool {
    match value {
        Value::String(value) => value == text,
        Value::Bool(_) | Value::Number(_) | Value::Null => match (serde_yaml::from_str::<Value>(text), value) {
            (Ok(Value::Number(alone)), Value::Number(value)) => alone == *value || alone.is_nan() && value.is_nan(),
            (Ok(alone), value) => alone == *value,
            (Err(_), _) => false,
        },
        _ => false,
    }
}
