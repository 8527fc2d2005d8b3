//! What a board or a file says, as text that shows it and does nothing else: no byte of a board ever steers a terminal, ends an XML
//! section or hides from the reader.

use std::borrow::Cow;
use std::fmt::Write;

/// From how many of the same byte in a row on they are counted and not shown one by one: the boot code's preamble has 128 backspaces.
const RUN: usize = 16;

/// Bytes as printable ASCII on one line, from which the bytes can be told again: printable ASCII stays, `\` becomes `\\`, carriage return, line feed
/// and tab become `\r`, `\n` and `\t`, and every other byte `\x` with two hexadecimal digits. A byte that comes [`RUN`] times in a row or more is shown once, with how
/// often: `\x08{×128}` (no byte is shown as `×`). Text of other alphabets becomes its bytes too: at a wrong speed, what looks like it is none.
#[must_use]
pub fn bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    push_bytes(&mut out, bytes);
    out
}

/// Appends what [`bytes`] returns.
pub fn push_bytes(out: &mut String, bytes: &[u8]) {
    for run in bytes.chunk_by(|a, b| a == b) {
        let shown = if run.len() < RUN { run } else { &run[..1] };
        for &byte in shown {
            match byte {
                b'\\' => out.push_str("\\\\"),
                b' '..=b'~' => out.push(char::from(byte)),
                _ => push_unsafe(out, char::from(byte)),
            }
        }
        if shown.len() < run.len() {
            // Writing to a String does not fail.
            let _ = write!(out, "{{×{}}}", run.len());
        }
    }
}

/// Words that may carry something unsafe (names from files, messages with what a board sent, escaped or not) on one line that is safe to show: control characters,
/// direction and format characters, private and non-characters become `\r`, `\n`, `\t`, `\xNN` or `\u{…}`; all else stays, `\` included,
/// so that what is escaped already stays as it is.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_safe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_safe(c) {
            out.push(c);
        } else {
            push_unsafe(&mut out, c);
        }
    }
    Cow::Owned(out)
}

/// Text of several lines for a CDATA section: each line as [`text`], and `]]>`, which would end the section, as `]]\x3e`.
#[must_use]
pub(super) fn cdata(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len());
    for line in lines.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        out.push_str(&text(line).replace("]]>", "]]\\x3e"));
        out.push_str(end);
    }
    out
}

/// The pieces of escaped text that must not be torn apart: an escape sequence, or one character.
pub(super) fn units(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut chars = text.char_indices();
        let (_, first) = chars.next()?;
        let length = match (first, chars.next()) {
            ('\\', Some((_, 'x'))) if is_hex(text.get(2..4)) => 4,
            ('\\', Some((_, 'u'))) => 2 + braced_hex(&text[2..]),
            ('\\', Some((at, second))) => at + second.len_utf8(),
            _ => first.len_utf8(),
        };
        let (unit, rest) = text.split_at(length);
        text = rest;
        Some(unit)
    })
}

/// Length of the `{…}` with one to six hexadecimal digits that `text` begins with; 0 when it does not.
fn braced_hex(text: &str) -> usize {
    let digits = text.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits);
    digits.filter(|digits| (1..=6).contains(&digits.len()) && is_hex(Some(digits))).map_or(0, |digits| digits.len() + 2)
}

fn is_hex(digits: Option<&str>) -> bool {
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn push_unsafe(out: &mut String, c: char) {
    // Writing to a string does not fail.
    let _ = match c {
        '\r' => out.write_str("\\r"),
        '\n' => out.write_str("\\n"),
        '\t' => out.write_str("\\t"),
        '\0'..='\u{ff}' => write!(out, "\\x{:02x}", u32::from(c)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// Whether a character is one that a reader sees where it stands, and that XML 1.0 and a terminal take as mere text.
fn is_safe(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Controls, C1 included, and the soft hyphen.
        '\0'..='\u{9f}' | '\u{ad}' => false,
        // Invisible characters and such as change the direction of those around them.
        '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => false,
        // Private characters, presentation selectors, specials and non-characters.
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{ffff}' => false,
        // Tags, more selectors, private planes; and the two non-characters at the end of each plane.
        '\u{e0000}'.. => false,
        _ => u32::from(c) & 0xfffe != 0xfffe,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_shown_as_what_they_are() {
        assert_eq!(bytes(b"\r\nOK\t\\x1b\r\n"), r"\r\nOK\t\\x1b\r\n");
        assert_eq!(bytes(b"\x00\x1b[2J\x7f\xc5\xff"), r"\x00\x1b[2J\x7f\xc5\xff");
        assert_eq!(bytes("ä\u{202e}".as_bytes()), r"\xc3\xa4\xe2\x80\xae");
    }

    #[test]
    fn words_keep_their_alphabet_and_lose_their_tricks() {
        assert_eq!(text(r"späte Rückkehr ✓ 復旧 \r\n"), r"späte Rückkehr ✓ 復旧 \r\n");
        assert_eq!(text("a\u{202e}b\u{feff}c\u{ffff}d\u{85}e\u{1fffe}f\u{e000}"), r"a\u{202e}b\u{feff}c\u{ffff}d\x85e\u{1fffe}f\u{e000}");
        assert_eq!(text("two\nlines\u{1b}[31m"), r"two\nlines\x1b[31m");
    }

    #[test]
    fn a_cdata_section_ends_where_we_end_it() {
        assert_eq!(cdata("one ]]> two\n]]]]>>\n"), "one ]]\\x3e two\n]]]]\\x3e>\n");
        assert_eq!(cdata("no end"), "no end");
    }

    #[test]
    fn escape_sequences_stay_whole() {
        assert_eq!(units(r"a\x1b\u{202e}\\\rä\").collect::<Vec<_>>(), ["a", r"\x1b", r"\u{202e}", r"\\", r"\r", "ä", r"\"]);
        assert_eq!(
            units(r"\xg0\u{12\u{1234567}").collect::<Vec<_>>(),
            [r"\x", "g", "0", r"\u", "{", "1", "2", r"\u", "{", "1", "2", "3", "4", "5", "6", "7", "}"]
        );
    }

    /// The bytes that escaped text stands for.
    fn unescape(text: &str) -> Vec<u8> {
        units(text)
            .map(|unit| match unit {
                r"\\" => b'\\',
                r"\r" => b'\r',
                r"\n" => b'\n',
                r"\t" => b'\t',
                _ => unit.strip_prefix(r"\x").map_or(unit.as_bytes()[0], |hex| u8::from_str_radix(hex, 16).unwrap()),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn bytes_can_be_told_again(sent in proptest::collection::vec(any::<u8>(), 0..64)) {
            let shown = bytes(&sent);
            prop_assert!(shown.bytes().all(|b| (b' '..=b'~').contains(&b)), "{}", shown);
            prop_assert_eq!(unescape(&shown), sent);
        }

        #[test]
        fn words_never_hold_a_control(words in any::<String>()) {
            let shown = text(&words).into_owned();
            prop_assert!(shown.chars().all(is_safe));
            prop_assert_eq!(text(&shown), shown.as_str());
        }

        #[test]
        fn units_are_the_text(words in any::<String>(), shown in r"[\\xu{}0-9a-f]{0,12}") {
            prop_assert_eq!(units(&words).collect::<String>(), words);
            prop_assert_eq!(units(&shown).collect::<String>(), shown);
        }
    }
}
