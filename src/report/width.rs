//! Text in columns: how wide it is, and how it is cut and wrapped without tearing an escape sequence apart.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use super::escape::units;

/// Columns that a terminal needs for `text`, which holds no control characters.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The longest line of bytes where no terminal is narrower: whoever wants all of a block of an image has the timeline.
pub(super) const LONGEST: usize = 160;

/// `text` in at most `max` columns; what is cut off is replaced by `…`.
pub(super) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if columns(text) <= max {
        return Cow::Borrowed(text);
    }
    let Some(room) = max.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let (kept, _) = split(text, room);
    Cow::Owned(format!("{kept}…"))
}

/// `text` in lines of at most `max` columns, broken at blanks, and within a word only where the word alone is too long.
pub(super) fn wrap(text: &str, max: usize) -> Vec<String> {
    let max = max.max(MIN_COLUMNS);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > max {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        let mut word = word;
        while columns(word) > max - columns(&line) {
            let (kept, rest) = split(word, max - columns(&line));
            line.push_str(kept);
            lines.push(std::mem::take(&mut line));
            word = rest;
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Text is never wrapped more narrowly than this: every unit that cannot be torn apart fits.
const MIN_COLUMNS: usize = 16;

/// Splits `text` after as many whole units as fit into `max` columns.
fn split(text: &str, max: usize) -> (&str, &str) {
    let (mut end, mut used) = (0, 0);
    for unit in units(text) {
        used += columns(unit);
        if used > max {
            break;
        }
        end += unit.len();
    }
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_ends_before_an_escape_sequence() {
        assert_eq!(cut(r"OK\x1b[0m", 9), r"OK\x1b[0m");
        assert_eq!(cut(r"OK\x1b[0m", 8), r"OK\x1b[…");
        assert_eq!(cut(r"OK\x1b[0m", 6), "OK…");
        assert_eq!(cut("復旧", 3), "復…");
        assert_eq!(cut("復旧", 2), "…");
        assert_eq!(cut("a", 0), "");
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrap("the application answered the loader", 16), ["the application", "answered the", "loader"]);
        assert_eq!(wrap(r"0123456789abcd\x1b\x1b", 16), ["0123456789abcd", r"\x1b\x1b"]);
        assert_eq!(wrap("", 16), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_wide(text in r"([a-z]|\\x1b| |\\u\{202e\}|ä|復){0,60}", max in 16usize..40) {
            let lines = wrap(&text, max);
            prop_assert!(lines.iter().all(|line| columns(line) <= max), "{:?}", lines);
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
            prop_assert!(columns(&cut(&text, max)) <= max);
        }
    }
}
