//! A place in a document: a value, and the key it stands under.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Excerpt, Problems};
use super::index::{Content, Key, Node};
use super::refusal::Refusal;
use super::source::Document;

/// A value of a document with its place. Walking down never fails: what is not there is complained of where it should be.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'d> {
    document: &'d Document,
    key: Option<&'d Key>,
    node: &'d Node,
}

impl<'d> Cursor<'d> {
    pub(super) const fn new(document: &'d Document, key: Option<&'d Key>, node: &'d Node) -> Self {
        Self { document, key, node }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &'d Document {
        self.document
    }

    /// The value.
    #[must_use]
    pub const fn node(&self) -> &'d Node {
        self.node
    }

    /// The value under `key`, where there is one.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Self> {
        self.entries().find(|entry| entry.key.is_some_and(|known| known.text == key))
    }

    /// The value under `key`, or this one where there is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Self {
        self.find(key).unwrap_or(*self)
    }

    /// The value at `index` of a list, or this one where there is none.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        match &self.node.content {
            Content::List(items) => items.get(index).map_or(*self, |node| Self { document: self.document, key: None, node }),
            _ => *self,
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let entries: &'d [(Key, Node)] = match &self.node.content {
            Content::Map(entries) => entries,
            _ => &[],
        };
        entries.iter().map(move |(key, node)| Self { document, key: Some(key), node })
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let items: &'d [Node] = match &self.node.content {
            Content::List(items) => items,
            _ => &[],
        };
        items.iter().map(move |node| Self { document, key: None, node })
    }

    /// The key that the value stands under.
    #[must_use]
    pub fn key(&self) -> Option<&'d str> {
        self.key.map(|key| key.text.as_str())
    }

    /// The value's line, or its key's where it has one, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.document.line_of(self.key_span().start)
    }

    /// A complaint about the value (about its key where the value is empty or longer than a line).
    #[must_use]
    pub fn problem(&self, message: impl Into<String>) -> Diagnostic {
        self.document.diagnostic(self.span(), message)
    }

    /// A refusal of the value, placed.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> Diagnostic {
        self.problem(refusal.message).maybe_hint(refusal.hint)
    }

    /// A complaint about the key.
    #[must_use]
    pub fn key_problem(&self, message: impl Into<String>) -> Diagnostic {
        self.document.diagnostic(self.key_span(), message)
    }

    /// Complains of a key that stands without a value: serde would take it for an empty list or map.
    pub fn refuse_empty(&self, problems: &mut Problems) {
        if matches!(self.node.content, Content::Nothing) {
            let key = self.key().unwrap_or_default();
            problems.push(self.key_problem(format!("`{key}` has no value")).hint("give it one, or remove the key"));
        }
    }

    /// The value's line, for a second place.
    #[must_use]
    pub fn excerpt(&self) -> Excerpt {
        self.document.excerpt(self.span())
    }

    fn span(&self) -> Range<usize> {
        let span = &self.node.span;
        match self.key {
            Some(key) if span.is_empty() || matches!(self.node.content, Content::List(_) | Content::Map(_)) => key.span.clone(),
            _ => span.clone(),
        }
    }

    fn key_span(&self) -> Range<usize> {
        match (self.key, &self.node.content) {
            (Some(key), _) => key.span.clone(),
            (None, Content::Map(entries)) => entries.first().map_or_else(|| self.node.span.clone(), |(key, _)| key.span.clone()),
            (None, _) => self.node.span.clone(),
        }
    }

    /// The value in one line, as the file has it, in YAML's flow style and without comments.
    #[must_use]
    pub fn one_line(&self) -> String {
        match &self.node.content {
            Content::Nothing => String::new(),
            Content::Scalar(text) => {
                let raw = self.document.text().get(self.node.span.clone()).unwrap_or_default();
                let as_written = !raw.is_empty() && !raw.contains(['\n', '\r']) && !raw.starts_with(['|', '>']);
                if as_written { raw.to_owned() } else { format!("{text:?}") }
            }
            Content::List(_) => format!("[{}]", self.items().map(|item| item.one_line()).collect::<Vec<_>>().join(", ")),
            Content::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Content::Map(_) => format!("{{ {} }}", self.entries().map(|entry| entry.entry_line()).collect::<Vec<_>>().join(", ")),
        }
    }

    /// The value with its key in one line: `expect: { text: "OK\r\n", within: 300 ms }`.
    #[must_use]
    pub fn entry_line(&self) -> String {
        match (self.key, self.one_line()) {
            (Some(key), value) if value.is_empty() => format!("{}:", key.text),
            (Some(key), value) => format!("{}: {value}", key.text),
            (None, value) => value,
        }
    }
}
