//! The first pass: the structure of a file with the place of every key and value.
//!
//! What these files never need is refused here, each with its place: duplicate keys, anchors and aliases, tags, merge keys, keys that are not plain words, several documents, deep nesting. The
//! parser gives one event at a time, so a file of opening brackets is refused at the first one that is too deep.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::diagnostic::Diagnostic;
use super::source::Document;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// The most entries of one list or map that are read: what is looked up entry by entry stays quick. Nothing in these files has more than 1,000.
const MAX_ENTRIES: usize = 2_000;

/// A value of a file.
#[derive(Debug)]
pub struct Node {
    /// Its bytes in the file.
    pub span: Range<usize>,
    /// What it is.
    pub content: Content,
}

impl Node {
    pub(super) const fn nothing() -> Self {
        Self { span: 0..0, content: Content::Nothing }
    }
}

/// What a value is.
#[derive(Debug)]
pub enum Content {
    /// Nothing after the colon or the dash, or `~`, or `null`.
    Nothing,
    /// A single value, escapes and quotes resolved.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

type Refusal = Box<Diagnostic>;

/// A list or a map that is not yet at its end.
enum Open {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<(Key, Node)>, seen: HashMap<String, usize>, key: Option<Key> },
}

/// Takes the structure of a document.
pub(super) fn index(document: &Document) -> Result<Node, Refusal> {
    let mut builder = Builder { document, offsets: Offsets::of(document.text()), open: Vec::new(), root: None, documents: 0 };
    builder.no_end()?;
    for event in Parser::new_from_str(document.text()) {
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => return Err(builder.not_yaml(&error)),
        }
    }
    builder.root.ok_or_else(|| {
        Box::new(
            Diagnostic::new(document.file(), "the file is empty").hint("a scenario file begins with `format: 1`, and so does a bench file"),
        )
    })
}

struct Builder<'d> {
    document: &'d Document,
    offsets: Offsets,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        let span = self.offsets.bytes(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.refuse(span, "more than one document in the file", "one file holds one; split it at `---`"));
                }
                self.no_directive(span.start)
            }
            Event::Alias(_) => Err(self.refuse(span, "an alias", "write the value out; `matrix` repeats a whole scenario")),
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(&span, anchor, tag.is_some())?;
                let span = self.written(style, span);
                self.scalar(text.into_owned(), style, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_only(&span, anchor, tag.is_some())?;
                self.open(&span, Open::List { start: span.start, items: Vec::new() })
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_only(&span, anchor, tag.is_some())?;
                self.open(&span, Open::Map { start: span.start, entries: Vec::new(), seen: HashMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    /// Refuses a directive before the document, which begins at `start`.
    fn no_directive(&self, start: usize) -> Result<(), Refusal> {
        let before = &self.document.text()[..start];
        let mut at = 0;
        for line in before.split_inclusive('\n') {
            if line.starts_with('%') {
                return Err(self.refuse(at..at + line.trim_end().len(), "a directive", "remove it, and the `---` below it"));
            }
            at += line.len();
        }
        Ok(())
    }

    /// Refuses an anchor or a tag before the value at `span`.
    fn plain_only(&self, span: &Range<usize>, anchor: usize, tagged: bool) -> Result<(), Refusal> {
        let before = |sign: char| {
            let start = self.document.text()[..span.start].rfind(sign).unwrap_or(span.start);
            let word = self.document.text()[start..].find(char::is_whitespace).map_or(span.end, |length| start + length);
            start..word
        };
        if anchor != 0 {
            return Err(self.refuse(before('&'), "an anchor", "remove it; aliases are not taken, so nothing can use it"));
        }
        if tagged {
            return Err(self.refuse(before('!'), "a tag", "remove it; every value is read as what its key asks for"));
        }
        Ok(())
    }

    /// The span of a quoted scalar up to its closing quote: the parser's reaches over blanks and a comment behind it.
    fn written(&self, style: ScalarStyle, span: Range<usize>) -> Range<usize> {
        let text = self.document.text().get(span.clone()).unwrap_or_default();
        let mut characters = text.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match (style, character) {
                (ScalarStyle::DoubleQuoted, '\\') => drop(characters.next()),
                (ScalarStyle::SingleQuoted, '\'') if characters.next_if(|(_, next)| *next == '\'').is_some() => {}
                (ScalarStyle::DoubleQuoted, '"') | (ScalarStyle::SingleQuoted, '\'') => return span.start..span.start + at + 1,
                _ => {}
            }
        }
        span
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, span: Range<usize>) -> Result<(), Refusal> {
        if matches!(self.open.last(), Some(Open::Map { key: None, .. })) {
            self.simple_key(&text, style, &span)?;
        }
        if let Some(Open::Map { entries, seen, key: key @ None, .. }) = self.open.last_mut() {
            if let Some(first) = seen.get(&text).and_then(|at| entries.get(*at)) {
                let related = self.document.excerpt(first.0.span.clone());
                return Err(Box::new(
                    self.document
                        .diagnostic(span, format!("the key `{text}` stands here twice"))
                        .label("again")
                        .related(self.document.file(), related, "first here")
                        .hint("keep one of them"),
                ));
            }
            seen.insert(text.clone(), entries.len());
            *key = Some(Key { text, span });
            return Ok(());
        }
        let nothing = style == ScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let content = if nothing { Content::Nothing } else { Content::Scalar(text) };
        self.value(Node { span, content })
    }

    /// Refuses a key that is a merge, or that the second pass would not take for a key.
    fn simple_key(&self, text: &str, style: ScalarStyle, span: &Range<usize>) -> Result<(), Refusal> {
        if self.document.text().get(span.clone()).is_some_and(|written| written.contains('\n')) {
            return Err(self.refuse(span.clone(), "a key over several lines", "write it on one line"));
        }
        if style != ScalarStyle::Plain {
            return Ok(());
        }
        if text == "<<" {
            return Err(self.refuse(span.clone(), "a merge key", "write the keys out"));
        }
        if text.is_empty() {
            let colon = span.start..span.start + 1;
            return Err(self.refuse(
                colon,
                "a value without a key",
                "write a word before the colon; text with a colon needs quotes around it",
            ));
        }
        if text.starts_with('?') {
            return Err(self.refuse(span.clone(), "a key that begins with `?`", "put it in quotes"));
        }
        Ok(())
    }

    /// Refuses an explicit end of the document: whether anything may follow it is seen in two ways.
    fn no_end(&self) -> Result<(), Refusal> {
        let mut at = 0;
        for line in self.document.text().split_inclusive('\n') {
            if line.trim_end() == "..." || line.starts_with("... ") || line.starts_with("...\t") {
                return Err(self.refuse(at..at + 3, "the end of a document", "remove the line; the file ends where it ends"));
            }
            at += line.len();
        }
        Ok(())
    }

    fn open(&mut self, span: &Range<usize>, opened: Open) -> Result<(), Refusal> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(self.refuse(
                span.start..span.start + 1,
                "a list or a map as a key",
                "a key is a word; braces and brackets around text need quotes",
            ));
        }
        if self.open.len() == MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(self.refuse(
                span.start..span.start + 1,
                &message,
                "nothing in these files goes deeper than 6; look for brackets that are not closed",
            ));
        }
        self.open.push(opened);
        Ok(())
    }

    fn close(&mut self, end: Range<usize>) -> Result<(), Refusal> {
        let reach = |start: usize, last: Option<usize>| {
            // A flow collection ends with its bracket; a block collection's end is only noticed at the next token.
            let end = if end.is_empty() { last.unwrap_or(start) } else { end.end };
            start..end.max(start)
        };
        let node = match self.open.pop() {
            Some(Open::List { start, items }) => {
                Node { span: reach(start, items.last().map(|item| item.span.end)), content: Content::List(items) }
            }
            Some(Open::Map { start, entries, .. }) => {
                let last = entries.last().map(|(key, value)| value.span.end.max(key.span.end));
                let start = entries.first().map_or(start, |(key, _)| start.min(key.span.start));
                Node { span: reach(start, last), content: Content::Map(entries) }
            }
            None => return Ok(()),
        };
        self.value(node)
    }

    fn value(&mut self, node: Node) -> Result<(), Refusal> {
        let span = node.span.clone();
        let length = match self.open.last_mut() {
            Some(Open::List { items, .. }) => {
                items.push(node);
                items.len()
            }
            Some(Open::Map { entries, key, .. }) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
                entries.len()
            }
            None => {
                self.root = Some(node);
                return Ok(());
            }
        };
        if length > MAX_ENTRIES {
            let message = format!("a list or a map of more than {MAX_ENTRIES} entries");
            return Err(self.refuse(span, &message, "split the file"));
        }
        Ok(())
    }

    fn refuse(&self, span: Range<usize>, what: &str, hint: &str) -> Refusal {
        Box::new(self.document.diagnostic(span, format!("{what}, which is not taken here")).hint(hint))
    }

    fn too_deep(&self, span: Range<usize>) -> Refusal {
        let message = format!("nested deeper than {MAX_DEPTH} levels");
        self.refuse(span, &message, "nothing in these files goes deeper than 6; look for brackets that are not closed")
    }

    fn not_yaml(&self, error: &saphyr_parser::ScanError) -> Refusal {
        let at = self.offsets.byte(error.marker().index());
        let rest = self.document.text().get(at..).unwrap_or_default();
        let span = at..at + rest.chars().next().map_or(0, char::len_utf8);
        if error.info().contains("recursion limit") {
            // The parser looks ahead, and can meet its own limit before it has handed over the bracket that is too deep.
            return self.too_deep(span);
        }
        if error.info().contains("unknown anchor") {
            return self.refuse(span, "an alias", "write the value out; `matrix` repeats a whole scenario");
        }
        let hint = if error.info().contains("tab") {
            "indent with blanks; YAML takes no tabs"
        } else if error.info().contains("block collection") || error.info().contains("block mapping") {
            "the keys of a map stand in one column, and so do the `-` of a list"
        } else if error.info().contains("escape character") {
            "in double quotes a backslash begins an escape; in single quotes it is itself: `regex: '\\d+'`"
        } else {
            "text with `: `, ` #`, brackets, braces or a leading quote needs quotes around it"
        };
        Box::new(self.document.diagnostic(span, format!("not YAML: {}", error.info())).hint(hint))
    }
}

/// Byte offsets of character indices, which the parser counts in.
enum Offsets {
    /// Every character is one byte.
    Ascii(usize),
    /// The offset of each character.
    Table(Vec<usize>, usize),
}

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() { Self::Ascii(text.len()) } else { Self::Table(text.char_indices().map(|(at, _)| at).collect(), text.len()) }
    }

    fn byte(&self, index: usize) -> usize {
        match self {
            Self::Ascii(length) => index.min(*length),
            Self::Table(table, length) => table.get(index).copied().unwrap_or(*length),
        }
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Every scalar of a document with what stands in the file at its span.
    fn spans(text: &str) -> Vec<(String, String)> {
        fn walk(document: &Document, node: &Node, found: &mut Vec<(String, String)>) {
            match &node.content {
                Content::Nothing => {}
                Content::Scalar(value) => found.push((value.clone(), document.text()[node.span.clone()].to_owned())),
                Content::List(items) => items.iter().for_each(|item| walk(document, item, found)),
                Content::Map(entries) => {
                    for (key, value) in entries {
                        found.push((key.text.clone(), document.text()[key.span.clone()].to_owned()));
                        walk(document, value, found);
                    }
                }
            }
        }
        let document = Document::parse(Path::new("test.yaml"), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        walk(&document, document.root().node(), &mut found);
        found
    }

    #[test]
    fn spans_are_what_is_written() {
        let text = "a: plain  # comment\n\"b\" : \"q\\\"u\u{e9} \" # comment\nc: 'it''s'   \nd: [ \u{20ac}, 00 , \"x\" ]\n";
        let expected = [
            ("a", "a"),
            ("plain", "plain"),
            ("b", "\"b\""),
            ("q\"u\u{e9} ", "\"q\\\"u\u{e9} \""),
            ("c", "c"),
            ("it's", "'it''s'"),
            ("d", "d"),
            ("\u{20ac}", "\u{20ac}"),
            ("00", "00"),
            ("x", "\"x\""),
        ];
        assert_eq!(spans(text), expected.map(|(value, written)| (value.to_owned(), written.to_owned())));
    }
}
