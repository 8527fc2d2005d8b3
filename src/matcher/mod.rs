//! The matcher: patterns over a byte stream, stepped once a byte.

/// Patterns compiled together.
#[derive(Debug)]
pub struct PatternSet {}
