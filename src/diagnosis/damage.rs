//! Words of the module that came damaged.

use super::facts::{End, Line};
use crate::image::Version;

/// Shorter words are like too many others.
const SHORT: usize = 5;

/// Digits of an IMEI (3GPP TS 23.003).
const IMEI: usize = 15;

/// What the module says, apart from versions and numbers.
const WORDS: [&str; 13] = [
    "OK",
    "ERROR",
    "+CME ERROR",
    "STMICROELECTRONICS",
    "ST87M01",
    "#SYSSTART",
    "#REBOOT_RESET",
    "#REBOOT_HOST",
    "#SIMST",
    "#ENERGY",
    "#SLEEP",
    "#WAKEUP",
    "+CEREG",
];

/// Whether a line is what the module says when it is asked who it is.
pub(super) fn is_known(text: &[u8]) -> bool {
    let is_imei = text.len() == IMEI && text.iter().all(u8::is_ascii_digit);
    is_version(text) || is_imei || WORDS.iter().any(|word| word.as_bytes() == text)
}

/// Whether it is a version of firmware.
pub(super) fn is_version(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| text.parse::<Version>().is_ok())
}

/// The word that a line was before something happened to it on the way; `None` when it is a word as it should be, or like none.
pub(super) fn resembles(line: &Line) -> Option<&'static str> {
    let text = line.text.as_slice();
    // Its CR was hit and stands at its end.
    let text = match text.split_last() {
        Some((last, rest)) if line.end == End::Lf && (last ^ b'\r').count_ones() == 1 => rest,
        _ => text,
    };
    // What another device was asked, and what came back of it.
    if text.starts_with(b"AT#") || text.starts_with(b"AT+") {
        return None;
    }
    // No version has an empty part.
    let is_number = text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let is_empty: Vec<bool> = text.split(|byte| *byte == b'.').map(<[u8]>::is_empty).collect();
    if is_number && matches!(is_empty.as_slice(), [false, inner @ .., false] if inner.iter().filter(|is_empty| **is_empty).count() == 1) {
        return Some("a version");
    }
    // A word whose line end was hit.
    let word = WORDS.into_iter().find(|word| word.as_bytes() == text);
    if word.is_some() || is_known(text) || has_number(text) {
        return word.filter(|_| matches!(line.end, End::Lf | End::None));
    }
    // A number behind a word is any number.
    let text = text.trim_ascii_end();
    let text = text.iter().rposition(|byte| *byte == b':').filter(|colon| text[*colon..].len() <= 6).map_or(text, |colon| &text[..colon]);
    // There are more messages than are known: one that is clean is another one, unless what happened to it shows.
    let is_name = text.strip_prefix(b"+").is_some_and(|name| name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    if is_name {
        return None;
    }
    let is_message = text.starts_with(b"#") && text.iter().all(|byte| matches!(byte, b' '..=b'~') && !byte.is_ascii_lowercase());
    WORDS.into_iter().find(|word| {
        let word = word.as_bytes();
        // Another module, or another release of it, may call itself otherwise at the end.
        let is_other = word == b"ST87M01" && text.starts_with(b"ST87M");
        was(text, word) || (!is_message && word.len() >= SHORT && ((is_like(text, word) && !is_other) || is_flipped(line, word)))
    })
}

/// Whether `text` is `word` with characters lost, doubled, or changed in one bit.
fn was(text: &[u8], word: &[u8]) -> bool {
    let once = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.dedup();
        bytes
    };
    let mut left = word.iter();
    let is_part = text.iter().all(|byte| left.any(|other| other == byte));
    let changed = text.iter().zip(word).filter(|(a, b)| a != b).count();
    let in_one_bit = text.iter().zip(word).all(|(a, b)| (a ^ b).count_ones() <= 1);
    let is_changed = text.len() == word.len() && in_one_bit && changed * 3 <= word.len();
    let is_cut = is_part && text.len() * 2 >= word.len() && (word.len() < SHORT || text.len() >= SHORT - 1);
    text != word && (once(text) == once(word) || is_cut || is_changed)
}

/// Whether a line holds `word` with one bit of some characters changed, of half of them at most. Its ends may have been hit as well, so that it stands anywhere.
fn is_flipped(line: &Line, word: &[u8]) -> bool {
    line.text.windows(word.len()).any(|window| {
        let changed = window.iter().zip(word).filter(|(a, b)| a != b).count();
        changed > 0 && changed * 2 <= word.len() && window.iter().zip(word).all(|(a, b)| (a ^ b).count_ones() <= 1)
    })
}

/// Whether it is a word of the application.
pub(super) fn is_word(text: &[u8]) -> bool {
    WORDS.iter().any(|word| word.as_bytes() == text) || has_number(text)
}

/// Whether a line holds a long word of the application with some bits changed.
pub(super) fn is_flipped_word(line: &Line) -> bool {
    WORDS.iter().any(|word| word.len() >= SHORT && is_flipped(line, word.as_bytes()))
}

/// Whether a line is the beginning of a command's echo, and no more of it has come.
pub(super) fn is_begun(line: &Line, command: &str) -> bool {
    line.end == End::None && command.as_bytes().starts_with(&line.text)
}

/// Whether a line is what a command asked for, `+NAME: …` behind `AT+NAME`: it is as like the command as a damaged echo, and like words of the module.
pub(super) fn is_response(text: &[u8], command: &str) -> bool {
    let name = command.strip_prefix("AT").and_then(|name| name.split(['=', '?']).next()).unwrap_or_default();
    name.len() > 1 && text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b":"))
}

/// Whether a line is like a command, and not its end: a module that began to listen in the middle sends that back.
pub(super) fn is_like_echo(text: &[u8], command: &[u8]) -> bool {
    let is_like = was(text, command) || (command.len() >= SHORT && is_like(text, command));
    is_like && !command.is_empty() && !command.ends_with(text)
}

/// A word that ends with a number: any number will do.
fn has_number(text: &[u8]) -> bool {
    let number =
        |prefix: &[u8]| text.strip_prefix(prefix).is_some_and(|rest| rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '));
    number(b"#SIMST: ")
        || number(b"#ENERGY: ")
        || number(b"#REBOOT_WD: ")
        || number(b"+CME ERROR: ")
        || number(b"+CEREG: ")
        || number(b"#REBOOT_WD")
}

/// Whether `text` is not `word` and differs from it by a third at most.
pub(super) fn is_like(text: &[u8], word: &[u8]) -> bool {
    text != word && !text.is_empty() && distance(text, word) <= (word.len() / 3).max(1)
}

/// How many characters are lost, added or changed between the two.
fn distance(text: &[u8], word: &[u8]) -> usize {
    let [text, word] = [text, word].map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
    strsim::levenshtein(&text, &word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str, end: End) -> Option<&'static str> {
        resembles(&Line { seq: 0, text: text.as_bytes().to_vec(), end })
    }

    #[test]
    fn damaged_words_are_told_from_words_and_from_others() {
        for (text, word) in [("SST87M01", "ST87M01"), ("OKK", "OK"), ("ERRO", "ERROR"), ("SSTMMICROOELECTROONICS", "STMICROELECTRONICS")] {
            assert_eq!(like(text, End::CrLf), Some(word), "{text}");
        }
        for text in [
            "OK",
            "ERROR",
            "2.7.0",
            "#SIMST: 0",
            "#REBOOT_WD: 3",
            "#REBOOT_SW",
            "ST87M01-1301",
            "+CEREG: 2",
            "004402990000014",
            "$GPGGA,1",
            "+CMEE: 1",
            "+CREG: 0,1",
            "AT#SYSSTART",
            "....",
            "..0",
            "10.",
        ] {
            assert_eq!(like(text, End::CrLf), None, "{text}");
        }
        for text in ["#SYSSTRT", "##SYYSSTTARRT", "#SYSSTAVT"] {
            assert_eq!(like(text, End::CrLf), Some("#SYSSTART"), "{text}");
        }
        for (text, word) in [("2..0", "a version"), ("2..7.0", "a version"), ("+CME EROR: 1120", "+CME ERROR")] {
            assert_eq!(like(text, End::CrLf), Some(word), "{text}");
        }
        for (text, command) in [("+CMEE: 1", "AT+CMEE?"), ("+CGDCONT: 1,\"IP\"", "AT+CGDCONT=1,\"IP\""), ("#X: 1", "AT#X")] {
            assert!(is_response(text.as_bytes(), command), "{text}");
        }
        for (text, command) in [("+CMEE: 1", "AT+CME?"), (": 1", "AT"), ("AT+CMEE", "AT+CMEE?"), ("+CEREG: 1", "AT+CGMR")] {
            assert!(!is_response(text.as_bytes(), command), "{text}");
        }
        assert!(!is_like_echo(b"T+CGMR", b"AT+CGMR") && is_like_echo(b"AT+CGMS", b"AT+CGMR"));
        assert_eq!(like("OK", End::Lf), Some("OK"), "its CR is lost");
        assert_eq!(like("OK", End::Cr), None, "an LF may still come");
    }
}
