//! A file's text with its index: what both passes and every complaint share.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::agreement;
use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, Excerpt, Problems};
use super::index::{self, Node};

/// The longest file that is read: 1 MiB.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// The number of the format that files of this version say they have.
pub const FORMAT: &str = "1";

/// A YAML file, its structure known and its places found.
#[derive(Debug)]
pub struct Document {
    /// The file, as it was named.
    file: PathBuf,
    /// Its text, without a byte order mark and with a line feed at its end.
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

    /// Takes the structure of `bytes`, which are called `file` in messages, and checks that the second pass will read it alike.
    ///
    /// # Errors
    /// As [`Document::open`].
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, Box<Diagnostic>> {
        let document = Self::structure(file, bytes)?;
        document.agrees()?;
        Ok(document)
    }

    /// The first pass alone.
    ///
    /// # Errors
    /// As [`Document::open`], but for files that the two passes do not read alike.
    pub fn structure(file: &Path, bytes: &[u8]) -> Result<Self, Box<Diagnostic>> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_long(file));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            // A block of text at the end of a file without a last line feed has one to the first parser and none to the second.
            Ok(text) if !text.ends_with('\n') => format!("{text}\n"),
            Ok(text) => text.to_owned(),
            Err(error) => return Err(not_utf8(file, bytes, error.valid_up_to())),
        };
        let mut document = Self { file: file.to_owned(), lines: line_starts(&text), text, root: Node::nothing() };
        if let Some((at, character)) = foreign_character(&document.text) {
            let (what, hint) = match character {
                '\0' => ("a NUL byte in the file".to_owned(), "YAML is text; write the byte as \"\\0\" in double quotes, or in `hex`"),
                '\r' => {
                    ("a CR without its LF".to_owned(), "end lines with LF, or CR and LF; a CR for the board is \"\\r\" in double quotes")
                }
                '\u{85}' | '\u{2028}' | '\u{2029}' => (
                    format!("the line separator U+{:04X} in the file", u32::from(character)),
                    "end lines with LF; to one YAML parser it ends a line, to the next it does not",
                ),
                _ => (
                    format!("the character U+{:04X} in the file", u32::from(character)),
                    "remove it, it cannot be seen; a byte for the board is written as \"\\x1b\" in double quotes, or in `hex`",
                ),
            };
            return Err(Box::new(document.diagnostic(at..at + character.len_utf8(), what).hint(hint)));
        }
        document.root = index::index(&document)?;
        Ok(document)
    }

    /// Whether the second pass's parser reads the document as the first one's has. What is known to be read in two ways is refused by the first pass, with a better hint: this is for the rest.
    ///
    /// # Errors
    /// A placed [`Diagnostic`] about the innermost value that is not read alike.
    pub fn agrees(&self) -> Result<(), Box<Diagnostic>> {
        agreement::check(self)
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

    /// [`Cursor::refuse_empty`] of every outermost key.
    pub fn refuse_empty_keys(&self, problems: &mut Problems) {
        self.root().entries().for_each(|entry| entry.refuse_empty(problems));
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

/// The first character that these files cannot have, with its offset: YAML takes no control characters, and its versions differ in what ends a line. A lone CR would end one that no editor shows as one.
fn foreign_character(text: &str) -> Option<(usize, char)> {
    let foreign = |(at, character): (usize, char)| match character {
        '\t' | '\n' => false,
        '\r' => !text[at + 1..].starts_with('\n'),
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => character.is_control(),
    };
    text.char_indices().find(|place| foreign(*place))
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
