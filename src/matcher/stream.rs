//! The matcher of one stream.

use std::fmt;
use std::sync::Arc;

use super::automaton::{Cache, Place};
use super::pattern::SecondPass;
use super::set::PatternSet;
use super::window::Window;

/// How many of the last bytes a matcher keeps for the second pass, if nothing else is asked for.
pub const DEFAULT_WINDOW: usize = 4096;

/// A match: some pattern can match at this byte and could at none before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of the pattern; the lowest where several match here.
    pub pattern: usize,
    /// How many bytes of the chunk were taken, the byte that completed the match included. The rest was not looked at.
    pub consumed: usize,
}

/// What a [`Hit`] covers, from the second pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Position of the first byte of the match: the leftmost one from which the pattern matches up to `end`. `None` when it lies further back than the window.
    pub start: Option<u64>,
    /// Position behind the last byte of the match.
    pub end: u64,
    /// The matched bytes; the last of them, as many as the window holds, where the start is not known.
    pub text: Vec<u8>,
    /// What the groups of the regex captured, in their order, by name or else by number; groups that took no part are left out, as are all where the start is not known.
    pub captures: Vec<(String, Vec<u8>)>,
}

/// The state of one stream.
///
/// What it costs a byte is one look into a table. Nothing is allocated for a byte once the states that the stream goes through are known; what is known survives
/// [`Matcher::restart`].
pub struct Matcher {
    set: Arc<PatternSet>,
    cache: Cache,
    place: Place,
    position: u64,
    window: Window,
}

impl Matcher {
    /// A matcher at the beginning of a stream, with a window of [`DEFAULT_WINDOW`] bytes.
    #[must_use]
    pub fn new(set: Arc<PatternSet>) -> Self {
        Self::with_window(set, DEFAULT_WINDOW)
    }

    /// A matcher at the beginning of a stream that keeps the last `limit` bytes for [`Matcher::resolve`]. Twice as much is held.
    #[must_use]
    pub fn with_window(set: Arc<PatternSet>, limit: usize) -> Self {
        let cache = set.cache();
        Self { set, cache, place: Place::START, position: 0, window: Window::new(limit) }
    }

    /// The patterns.
    #[must_use]
    pub const fn set(&self) -> &Arc<PatternSet> {
        &self.set
    }

    /// Takes bytes until a pattern matches: stops right behind the first byte at which any pattern can match, wherever the stream was cut into chunks. `None`: all was taken
    /// and nothing matched.
    ///
    /// Fed the rest of the chunk after a hit, it goes on to the next byte at which a pattern can match; that match may share bytes with the one before. For matches that do not,
    /// [`Matcher::restart`] lies between.
    pub fn feed(&mut self, chunk: &[u8]) -> Option<Hit> {
        let stopped = self.set.automaton().run(&mut self.cache, &mut self.place, chunk);
        let consumed = stopped.unwrap_or(chunk.len());
        self.position += consumed as u64;
        self.window.append(&chunk[..consumed]);
        stopped?;
        let pattern = self.set.automaton().matches(&self.cache, self.place).min()?;
        Some(Hit { pattern, consumed })
    }

    /// How many bytes were taken since the matcher was made or restarted: the position behind the last byte.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// What the last hit covers: a second pass over the window. To be called before the next [`Matcher::feed`].
    #[must_use]
    pub fn resolve(&self, hit: Hit) -> Span {
        let end = self.position;
        let contents = self.window.contents();
        match self.set.pattern(hit.pattern).second_pass() {
            // Whole, whatever the window: the bytes are known.
            SecondPass::Literal(bytes) => {
                Span { start: end.checked_sub(bytes.len() as u64), end, text: bytes.clone(), captures: Vec::new() }
            }
            SecondPass::Regex(regex) => {
                let mut groups = regex.create_captures();
                let input = regex_automata::Input::new(contents.bytes).range(contents.begin..);
                regex.search_captures(&input, &mut groups);
                let Some(whole) = groups.get_match() else {
                    return Span { start: None, end, text: contents.bytes[contents.begin..].to_vec(), captures: Vec::new() };
                };
                let names = regex.group_info().pattern_names(whole.pattern());
                let captures = names
                    .enumerate()
                    .skip(1)
                    .filter_map(|(number, name)| {
                        let span = groups.get_group(number)?;
                        let name = name.map_or_else(|| number.to_string(), str::to_owned);
                        Some((name, contents.bytes[span.range()].to_vec()))
                    })
                    .collect();
                Span { start: Some(contents.front + whole.start() as u64), end, text: contents.bytes[whole.range()].to_vec(), captures }
            }
        }
    }

    /// How often the cache ran over.
    #[cfg(test)]
    pub(super) const fn cache_clears(&self) -> u64 {
        self.cache.clears()
    }

    /// Forgets everything that came: the next byte is the first of a stream, at position 0. What is compiled stays.
    pub fn restart(&mut self) {
        self.place = Place::START;
        self.position = 0;
        self.window.clear();
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("set", &self.set).field("position", &self.position).finish_non_exhaustive()
    }
}
