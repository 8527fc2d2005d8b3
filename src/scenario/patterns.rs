//! Byte strings and patterns: `text`, `hex` and `regex`.

use std::sync::Arc;

use super::file::PatternMap;
use super::reader::Reader;
use super::variables::Target;
use crate::document::{Cursor, Refusal, Text};
use crate::matcher::{Pattern, PatternSet, PatternSource};
use crate::plan::Patterns;

/// The three forms in which a file can have bytes; one of them is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms<'f> {
    pub(super) text: Option<&'f Text>,
    pub(super) hex: Option<&'f Text>,
    pub(super) regex: Option<&'f Text>,
}

impl<'f> From<&'f PatternMap> for Forms<'f> {
    fn from(map: &'f PatternMap) -> Self {
        Self { text: map.text.as_ref(), hex: map.hex.as_ref(), regex: map.regex.as_ref() }
    }
}

impl Forms<'_> {
    /// The pattern that stands at `cursor`.
    pub(super) fn pattern(&self, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Pattern> {
        match (self.text, self.hex, self.regex) {
            (Some(text), None, None) => {
                reader.value_for(Target::Bytes, cursor.get("text"), text, |text| Ok(Pattern::new(PatternSource::Text(text_bytes(text)?))?))
            }
            (None, Some(hex), None) => reader.value(cursor.get("hex"), hex, |hex| Ok(Pattern::new(PatternSource::Hex(hex_bytes(hex)?))?)),
            (None, None, Some(regex)) => {
                let check = |regex: &str| Ok(Pattern::new(PatternSource::Regex(regex.to_owned()))?);
                reader.value_for(Target::Regex, cursor.get("regex"), regex, check)
            }
            _ => {
                let problem = cursor.key_problem("exactly one pattern is needed").hint("give one of `text`, `hex` or `regex`");
                reader.push(problem);
                None
            }
        }
    }
}

/// A pattern of its own, compiled.
pub(super) fn single(map: &PatternMap, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Arc<PatternSet>> {
    let pattern = Forms::from(map).pattern(cursor, reader)?;
    compile(vec![pattern], cursor, reader)
}

/// What is waited for and what must not come, compiled together.
pub(super) fn patterns_of(
    wanted: Vec<Pattern>,
    never: Option<&[PatternMap]>,
    cursor: Cursor<'_>,
    reader: &mut Reader<'_>,
) -> Option<Patterns> {
    let mut all = wanted;
    let wanted = all.len();
    if let Some(never) = never {
        all.extend(never_patterns(never, cursor, reader)?);
    }
    Some(Patterns { set: compile(all, cursor, reader)?, wanted })
}

/// What must not come, compiled by itself.
pub(super) fn never_set(never: &[PatternMap], cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Arc<PatternSet>> {
    let patterns = never_patterns(never, cursor, reader)?;
    compile(patterns, cursor, reader)
}

fn never_patterns(never: &[PatternMap], cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Vec<Pattern>> {
    let list = cursor.get("never");
    if never.is_empty() {
        reader.push(list.key_problem("`never` is empty").hint("give it patterns, `never: [ { text: ERROR } ]`, or remove it"));
        return None;
    }
    // All are read before any is missed, so that every mistake is shown.
    let read = never.iter().enumerate().map(|(index, map)| Forms::from(map).pattern(list.item(index), reader)).collect::<Vec<_>>();
    read.into_iter().collect()
}

pub(super) fn compile(patterns: Vec<Pattern>, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Arc<PatternSet>> {
    match PatternSet::new(patterns) {
        Ok(set) => Some(Arc::new(set)),
        Err(error) => {
            reader.refuse(cursor, error.into());
            None
        }
    }
}

/// The bytes of `text`. The module speaks ASCII, and YAML's `"\xc5"` is a character of two bytes: anything outside ASCII is refused rather than guessed at.
pub(super) fn text_bytes(text: &str) -> Result<Vec<u8>, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("the text is empty", "give at least one character"));
    }
    // Nobody waits for a backslash and a letter; many write YAML's escapes where they are none.
    if let Some(escape) =
        text.as_bytes().windows(2).find(|pair| pair[0] == b'\\' && matches!(pair[1], b'r' | b'n' | b't' | b'0' | b'e' | b'x'))
    {
        let escape = String::from_utf8_lossy(escape).into_owned();
        return Err(Refusal::new(
            format!("`{escape}` is a backslash and a letter here"),
            "YAML's escapes work in double quotes only: \"OK\\r\\n\"; a backslash itself is `hex: \"5c\"`",
        ));
    }
    match text.chars().find(|character| !character.is_ascii()) {
        None => Ok(text.as_bytes().to_vec()),
        Some(character) => Err(Refusal::new(
            format!("`{character}` (U+{:04X}) is not ASCII, so its bytes would be a guess", u32::from(character)),
            "write bytes above 0x7f in `hex`; in double quotes, `\"\\xc5\"` is a character and not a byte",
        )),
    }
}

/// The bytes of `hex`: pairs of digits with one blank between.
pub(super) fn hex_bytes(hex: &str) -> Result<Vec<u8>, Refusal> {
    let byte =
        |pair: &str| u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
    hex.split(' ')
        .map(|pair| {
            byte(pair)
                .ok_or_else(|| Refusal::new(format!("`{pair}` is not a byte in hex"), "pairs of digits with one blank between: `c5 ff`"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_exactly() {
        assert_eq!(text_bytes("AT\r\n\0"), Ok(b"AT\r\n\0".to_vec()));
        assert_eq!(text_bytes("\u{c5}").unwrap_err().message, "`\u{c5}` (U+00C5) is not ASCII, so its bytes would be a guess");
        assert_eq!(hex_bytes("c5 FF 00"), Ok(vec![0xc5, 0xff, 0]));
        for hex in ["", "c", "c5ff", "c5  ff", "+5", "0x5", "c5 fg"] {
            assert!(hex_bytes(hex).is_err(), "{hex}");
        }
    }
}
