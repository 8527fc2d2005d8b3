//! The keys that a schema knows, and where they stand in a document.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use evkit_hil::document::{Content, Node};
use serde_json::Value;

/// A key, by the map that it belongs to: a definition of the schema, or the key that the map stands under.
pub(crate) type Key = (String, String);

/// A schema, walked alone or along a document.
pub(crate) struct Keys<'s> {
    root: &'s Value,
    /// Every key.
    pub(crate) all: BTreeSet<Key>,
    /// The keys under which each definition stands, for people.
    under: BTreeMap<String, BTreeSet<String>>,
}

impl<'s> Keys<'s> {
    pub(crate) fn of(root: &'s Value) -> Self {
        let mut keys = Self { root, all: BTreeSet::new(), under: BTreeMap::new() };
        keys.collect(root, "");
        keys
    }

    /// A key as a message names it.
    pub(crate) fn show(&self, (owner, key): &Key) -> String {
        match self.under.get(owner) {
            _ if owner.is_empty() => format!("`{key}` of the file"),
            // A step is a map of nothing but its verb.
            Some(under) if under.contains("steps") => format!("the verb `{key}`"),
            Some(under) => format!("`{key}` of {}", under.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ")),
            None => format!("`{key}` of `{owner}`"),
        }
    }

    fn collect(&mut self, schema: &'s Value, owner: &str) {
        if let Some((name, target)) = definition(self.root, schema) {
            let new = !self.under.contains_key(name);
            self.under.entry(name.to_owned()).or_default().insert(owner.to_owned());
            if new {
                self.collect(target, name);
            }
        }
        for part in parts(schema) {
            self.collect(part, owner);
        }
        for (key, schema) in properties(schema) {
            self.all.insert((owner.to_owned(), key.clone()));
            self.collect(schema, key);
        }
        for inner in ["items", "additionalProperties"].into_iter().filter_map(|keyword| schema.get(keyword)) {
            self.collect(inner, owner);
        }
    }

    /// Every key that stands in the document, with the bytes from its begin to the end of its value.
    pub(crate) fn places(&self, node: &Node) -> Vec<(Key, Range<usize>)> {
        let mut places = Vec::new();
        self.walk(self.root, "", node, &mut places);
        places
    }

    fn walk(&self, schema: &Value, owner: &str, node: &Node, places: &mut Vec<(Key, Range<usize>)>) {
        if let Some((name, target)) = definition(self.root, schema) {
            self.walk(target, name, node, places);
        }
        for part in parts(schema) {
            self.walk(part, owner, node, places);
        }
        match &node.content {
            Content::Map(entries) => {
                let known = schema.get("properties");
                for (key, value) in entries {
                    if let Some(schema) = known.and_then(|known| known.get(&key.text)) {
                        let place = key.span.start..value.span.end.max(key.span.end);
                        places.push(((owner.to_owned(), key.text.clone()), place));
                        self.walk(schema, &key.text, value, places);
                    } else if let Some(schema) = schema.get("additionalProperties") {
                        self.walk(schema, owner, value, places);
                    }
                }
            }
            Content::List(items) => {
                for item in schema.get("items").into_iter().flat_map(|schema| items.iter().map(move |item| (schema, item))) {
                    self.walk(item.0, owner, item.1, places);
                }
            }
            Content::Scalar(_) | Content::Nothing => {}
        }
    }
}

/// The definition that a schema refers to, with its name.
fn definition<'s>(root: &'s Value, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/definitions/")?;
    Some((name, &root["definitions"][name]))
}

/// The schemas that a schema is put together from.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}
