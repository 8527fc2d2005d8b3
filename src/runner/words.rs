//! Bytes and errors as messages of the runner show them.

use crate::report::escape;

/// How much of what was seen goes into a message.
pub(super) const SEEN_LIMIT: usize = 160;

/// Bytes as a message shows them: escaped, cut, or *nothing*.
#[must_use]
pub fn describe_bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let cut = bytes.len().saturating_sub(SEEN_LIMIT);
    let dots = if cut > 0 { "…" } else { "" };
    format!("\"{dots}{}\"", escape::bytes(&bytes[cut..]))
}

/// An error with its sources, in one line.
#[must_use]
pub fn describe_error(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
