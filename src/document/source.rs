//! A file's text with its index: what both passes and every complaint share.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, Excerpt, Problems};
use super::index::{self, Content, Node};

/// The longest file that is read: 1 MiB.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// A YAML file, its structure known and its places found.
#[derive(Debug)]
pub struct Document {
    /// The file, as it was named.
    file: PathBuf,
    /// Its text, without a byte order mark.
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// The outermost value.
    root: Node,
}

impl Document {
    /// Reads a file and takes its structure.
    ///
    /// # Errors
    /// A [`Diagnostic`] for a file that cannot be read, is longer than [`MAX_BYTES`] (it is not parsed then), is not UTF-8, or whose structure is refused.
    pub fn open(file: &Path) -> Result<Self, Box<Diagnostic>> {
        Self::parse(file, &read_limited(file)?)
    }

    /// Takes the structure of `bytes`, which are called `file` in messages.
    ///
    /// # Errors
    /// As [`Document::open`].
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, Box<Diagnostic>> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_long(file));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(error) => return Err(not_utf8(file, bytes, error.valid_up_to())),
        };
        let mut document = Self { file: file.to_owned(), lines: line_starts(&text), text, root: Node::nothing() };
        if let Some(at) = document.text.find('\0') {
            return Err(Box::new(
                document
                    .diagnostic(at..at + 1, "a NUL byte in the file")
                    .hint("YAML is text; write the byte as \"\\0\" in double quotes, or in `hex`"),
            ));
        }
        document.root = index::index(&document)?;
        Ok(document)
    }

    /// The file, as it was named.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Cursor<'_> {
        Cursor::new(self, None, &self.root)
    }

    /// Complains of every outermost key that stands without a value: serde would take it for an empty list or map.
    pub fn refuse_empty_keys(&self, problems: &mut Problems) {
        for entry in self.root().entries().filter(|entry| matches!(entry.node().content, Content::Nothing)) {
            let key = entry.key().unwrap_or_default();
            problems.push(entry.key_problem(format!("`{key}` has no value")).hint("give it one, or remove the key"));
        }
    }

    /// The line of a byte offset, from 1.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> u32 {
        u32::try_from(self.lines.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX).max(1)
    }

    /// A complaint about a range of the text.
    #[must_use]
    pub fn diagnostic(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.file, message).at(self.excerpt(span))
    }

    /// The line that a range begins in, with the part of the range that lies in it.
    #[must_use]
    pub fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let line = self.line_of(span.start);
        let start = self.lines.get(line as usize - 1).copied().unwrap_or(0);
        let end = self.lines.get(line as usize).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        Excerpt::new(line, text, span.start.saturating_sub(start)..span.end.saturating_sub(start))
    }
}

/// The bytes of a file, or why not.
fn read_limited(file: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "check the name; names are relative to the directory that the command runs in",
            std::io::ErrorKind::PermissionDenied => "give your user the right to read it",
            std::io::ErrorKind::IsADirectory => "name the files in it",
            _ => "check that it is a regular file",
        };
        Box::new(Diagnostic::new(file, format!("cannot read the file: {error}")).hint(hint))
    };
    let mut bytes = Vec::new();
    std::fs::File::open(file).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_long(file)) } else { Ok(bytes) }
}

fn too_long(file: &Path) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(file, "the file is longer than 1 MiB, and was not read").hint("split it; a file of this kind has a few kilobytes"),
    )
}

fn not_utf8(file: &Path, bytes: &[u8], at: usize) -> Box<Diagnostic> {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |newline| at + newline);
    let line = u32::try_from(bytes[..at].iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX).saturating_add(1);
    let text = String::from_utf8_lossy(&bytes[start..end]);
    let byte = bytes.get(at).copied().unwrap_or(0);
    let excerpt = Excerpt::new(line, text.trim_end_matches('\r'), at - start..at - start + char::REPLACEMENT_CHARACTER.len_utf8());
    Box::new(
        Diagnostic::new(file, format!("the file is not UTF-8: byte 0x{byte:02x} at offset {at}"))
            .at(excerpt)
            .hint("save it as UTF-8; bytes for the board are written in `hex`"),
    )
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1)).collect()
}
