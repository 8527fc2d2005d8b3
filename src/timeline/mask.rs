//! Keeps secrets out of a timeline: out of the text of its events, and out of the bytes that went either way.
//!
//! A secret that comes in pieces is known only with its last byte; what was written of it by then is written over. Of one that breaks off, the beginning is written over with the end of the timeline. A program that is killed in between leaves it.

use std::collections::VecDeque;

use serde_json::Value;

use super::event::Direction;
use crate::report::escape;
use crate::secret::Secret;

/// What stands in a text for a secret.
const MASK: &str = "***";

/// What stands in the bytes for each byte of a secret.
pub(super) const MASK_BYTE: u8 = b'*';

/// Fields of events whose values are words of the format, not text: masked, they would be unreadable.
const WORDS: &[&str] = &["stream", "direction", "line", "state", "outcome", "cause", "section", "link", "started", "marks"];

/// Fields in which a part of a secret may stand, because what they show was cut or broke off.
const SAID: &[&str] = &["text", "captures", "value", "message", "reason", "expected", "seen", "because"];

/// The fewest characters of a secret's end that are masked behind the dots of a message that was cut.
const SHORTEST_END: usize = 2;

/// The fewest characters of a part of a secret that are masked where nothing says that something was cut: fewer may well be something else.
const SHORTEST_PART: usize = 4;

/// Between these, a message shows what came.
const EDGES: [char; 2] = ['"', '…'];

/// A text that is shown beside a timeline, without these secrets.
#[must_use]
pub fn masked(secrets: &[Secret], text: String) -> String {
    Mask::new(secrets.to_vec()).said(&text).unwrap_or(text)
}

/// What one timeline may not show.
#[derive(Debug, Default)]
pub(super) struct Mask {
    secrets: Vec<Secret>,
    /// The forms in which they may stand in a text, longer ones first.
    forms: Vec<String>,
    /// The last bytes of each direction, and where each lies in the file: fewer than the longest secret has.
    tails: [VecDeque<(u8, u64)>; 2],
}

impl Mask {
    pub(super) fn new(mut secrets: Vec<Secret>) -> Self {
        secrets.sort();
        secrets.dedup();
        let forms = |secret: &Secret| {
            let value = secret.reveal();
            [value.to_owned(), escape::bytes(value.as_bytes()), regex::escape(value), value.escape_default().to_string()]
        };
        let mut forms = secrets.iter().flat_map(forms).collect::<Vec<_>>();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { secrets, forms, tails: Default::default() }
    }

    /// Masks the JSON of an event's data, which begins at `begin` of `out`.
    pub(super) fn event(&self, out: &mut Vec<u8>, begin: usize) -> serde_json::Result<()> {
        if self.forms.is_empty() {
            return Ok(());
        }
        let mut data: Value = serde_json::from_slice(&out[begin..])?;
        if self.value(&mut data, false) {
            out.truncate(begin);
            serde_json::to_writer(out, &data)?;
        }
        Ok(())
    }

    fn value(&self, value: &mut Value, is_said: bool) -> bool {
        match value {
            Value::String(text) => match if is_said { self.said(text) } else { self.whole(text) } {
                Some(masked) => {
                    *text = masked;
                    true
                }
                None => false,
            },
            Value::Array(list) => list.iter_mut().fold(false, |changed, value| self.value(value, is_said) | changed),
            Value::Object(map) => {
                let text = map.iter_mut().filter(|(key, _)| !WORDS.contains(&key.as_str()));
                text.fold(false, |changed, (key, value)| self.value(value, SAID.contains(&key.as_str())) | changed)
            }
            _ => false,
        }
    }

    /// A text without secrets; `None` where there is none in it.
    fn whole(&self, text: &str) -> Option<String> {
        let mut masked = text.to_owned();
        for form in &self.forms {
            if masked.contains(form.as_str()) {
                masked = masked.replace(form.as_str(), MASK);
            }
        }
        (masked != text).then_some(masked)
    }

    /// A text that shows what came, without secrets and without the part of one with which it begins or ends; `None` where there is nothing of them in it.
    pub(super) fn said(&self, text: &str) -> Option<String> {
        if self.forms.is_empty() {
            return None;
        }
        let mut masked = self.whole(text).unwrap_or_else(|| text.to_owned());
        let (mut from, mut shortest) = (0, SHORTEST_PART);
        loop {
            let rest = &masked[from..];
            let ends = self.forms.iter().flat_map(|form| (1..form.len()).filter_map(|cut| form.get(cut..)));
            let end = ends.filter(|end| end.len() >= shortest && rest.starts_with(end)).map(str::len).max();
            if let Some(length) = end {
                masked.replace_range(from..from + length, MASK);
                from += MASK.len();
            }
            let Some((at, edge)) = masked[from..].char_indices().find(|(_, c)| EDGES.contains(c)) else { break };
            from += at + edge.len_utf8();
            shortest = if edge == '…' { SHORTEST_END } else { SHORTEST_PART };
        }
        let mut to = masked.len();
        loop {
            let before = &masked[..to];
            let begins = self.forms.iter().flat_map(|form| (SHORTEST_PART..form.len()).filter_map(|cut| form.get(..cut)));
            if let Some(length) = begins.filter(|begin| before.ends_with(begin)).map(str::len).max() {
                masked.replace_range(to - length..to, MASK);
                to -= length;
            }
            let Some(at) = masked[..to].rfind(EDGES) else { break };
            to = at;
        }
        (masked != text).then_some(masked)
    }

    /// Takes bytes that went one way and lie at `offset` of the file; returns where in the file the bytes of secrets lie.
    pub(super) fn bytes(&mut self, direction: Direction, bytes: &[u8], offset: u64) -> Vec<u64> {
        let mut masked = Vec::new();
        if self.secrets.is_empty() {
            return masked;
        }
        let longest = self.secrets.iter().map(|secret| secret.reveal().len()).max().unwrap_or(0);
        let tail = &mut self.tails[usize::from(direction == Direction::In)];
        for (index, byte) in bytes.iter().enumerate() {
            if tail.len() == longest {
                tail.pop_front();
            }
            tail.push_back((*byte, offset + index as u64));
            for secret in &self.secrets {
                let value = secret.reveal().as_bytes();
                if value.last() == Some(byte) && value.len() <= tail.len() {
                    let last = tail.range(tail.len() - value.len()..);
                    if last.clone().map(|(byte, _)| byte).eq(value) {
                        masked.extend(last.map(|(_, at)| *at));
                    }
                }
            }
        }
        masked
    }

    /// Where in the file the beginning of a secret lies with which a direction ends.
    pub(super) fn broken_off(&self) -> Vec<u64> {
        let mut masked = Vec::new();
        for tail in &self.tails {
            for secret in &self.secrets {
                let value = secret.reveal().as_bytes();
                let last = |length: &usize| tail.range(tail.len() - length..);
                let lengths = (SHORTEST_PART..value.len().min(tail.len() + 1)).rev();
                let length = lengths.into_iter().find(|length| last(length).map(|(byte, _)| byte).eq(&value[..*length]));
                masked.extend(length.iter().flat_map(last).map(|(_, at)| *at));
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[&str]) -> Mask {
        Mask::new(values.iter().map(|value| Secret::new("x", value).unwrap()).collect())
    }

    #[test]
    fn every_form_of_a_secret_is_masked_in_text_and_words_of_the_format_are_kept() {
        let mask = mask(&["port", "a.b\"c\\d"]);
        let masked = |text: &str| {
            let mut out = b"head".to_vec();
            out.extend_from_slice(text.as_bytes());
            mask.event(&mut out, 4).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(masked(r#"{"stream":"port","text":"the port"}"#), r#"head{"stream":"port","text":"the ***"}"#);
        for form in [r#"a.b\"c\\d"#, r#"a\\.b\"c\\\\d"#, r#"a.b\"c\\\\d"#, r#"a.b\\\"c\\\\d"#] {
            assert_eq!(masked(&format!(r#"{{"seen":"<{form}>"}}"#)), r#"head{"seen":"<***>"}"#, "{form}");
        }
        assert_eq!(masked(r#"{"seen":"nothing"}"#), r#"head{"seen":"nothing"}"#);
    }

    #[test]
    fn the_end_of_a_secret_behind_dots_is_masked() {
        let mask = mask(&["abcdef"]);
        assert_eq!(mask.said("\"…def rest\"").as_deref(), Some("\"…*** rest\""));
        assert_eq!(mask.said("\"…f rest\""), None, "one character tells too little to be worth it");
        assert_eq!(mask.said("…xdef"), None);
    }

    #[test]
    fn a_part_of_a_secret_with_which_a_text_begins_or_ends_is_masked() {
        let mask = mask(&["hunter2-secret", "a.b\"c\\d"]);
        for (text, masked) in [
            ("\"AT+K=hunter2-secr\" is not \"hunter2-secret\"", Some("\"AT+K=***\" is not \"***\"")),
            ("-secret\\r", Some("***\\r")),
            ("\"cret\" came", Some("\"***\" came")),
            ("hunter2", Some("***")),
            ("AT+K=hunt…", Some("AT+K=***…")),
            ("x a.b\"c", Some("x ***")),
            ("hun", None),
            ("hunter and ter2-sec", None),
        ] {
            assert_eq!(mask.said(text).as_deref(), masked, "{text}");
        }
        let mut out = br#"{"name":"hunter2","captures":[["1","hunter2"]]}"#.to_vec();
        mask.event(&mut out, 0).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"captures":[["1","***"]],"name":"hunter2"}"#);
    }

    #[test]
    fn bytes_are_found_in_pieces_and_in_each_direction_by_itself() {
        let mut mask = mask(&["abcab", "bcab"]);
        assert!(mask.bytes(Direction::Out, b"xab", 10).is_empty());
        assert!(mask.bytes(Direction::In, b"ca", 13).is_empty());
        assert_eq!(mask.bytes(Direction::Out, b"cab.", 15), [11, 12, 15, 16, 17, 12, 15, 16, 17]);
        assert!(mask.bytes(Direction::In, b"b", 19).is_empty());
    }

    #[test]
    fn the_beginning_of_a_secret_with_which_the_bytes_end_is_found() {
        let mut mask = mask(&["hunter2", "2345678"]);
        mask.bytes(Direction::Out, b"hunter2\r", 0);
        assert!(mask.broken_off().is_empty());
        mask.bytes(Direction::In, b"=hunt", 8);
        mask.bytes(Direction::Out, b"2345", 13);
        assert_eq!(mask.broken_off(), [13, 14, 15, 16, 9, 10, 11, 12]);
        mask.bytes(Direction::In, b"er2", 17);
        assert_eq!(mask.broken_off(), [13, 14, 15, 16]);
    }
}
