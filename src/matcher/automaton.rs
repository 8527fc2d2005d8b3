//! A deterministic automaton over the patterns of a set, built while it is used, in bounded memory.
//!
//! It is built here, from the NFA of `regex-automata`, because the lazy DFA of that crate reports a match one byte late. Asking it for the match at the end of the input after each
//! read would mend that, but such a question may clear its cache, and the state that the stream is in is then lost: there is no way to carry it over. Here a state
//! is known to match as soon as it is reached (accepted patterns never look beyond their last byte), and clearing keeps the state that the stream is in.

use std::collections::HashMap;
use std::sync::Arc;

use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Hir;

use super::error::PatternError;

/// What one pattern may need when compiled, in bytes.
pub(super) const NFA_LIMIT: usize = 1 << 20;
/// What a set may need when compiled, in bytes.
pub(super) const SET_LIMIT: usize = 16 << 20;
/// What the states that a stream has met may need, in bytes; beyond it all are forgotten but the one that it is in.
const CACHE_LIMIT: usize = 2 << 20;

/// A transition that is not built yet.
const UNKNOWN: u32 = u32::MAX;
/// Marks a transition into a state in which a pattern matches. No state's number reaches this far: see [`CACHE_LIMIT`].
const MATCH: u32 = 1 << 31;

/// Compiles patterns into one NFA, numbered in their order.
pub(super) fn compile(patterns: &[&Hir], limit: usize) -> Result<NFA, PatternError> {
    if patterns.is_empty() {
        return Ok(NFA::never_match());
    }
    let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(limit)).which_captures(WhichCaptures::None);
    thompson::Compiler::new().configure(config).build_many_from_hir(patterns).map_err(|_| PatternError::TooBig { limit })
}

/// What went before the next byte, as far as assertions ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Before {
    /// Nothing: the stream begins here.
    Start,
    /// A line feed.
    LineFeed,
    /// A carriage return.
    CarriageReturn,
    /// A letter, a digit or an underscore.
    Word,
    /// Any other byte.
    Other,
}

impl Before {
    pub(super) const ALL: [Self; 5] = [Self::Start, Self::LineFeed, Self::CarriageReturn, Self::Word, Self::Other];

    const fn of(byte: u8) -> Self {
        match byte {
            b'\n' => Self::LineFeed,
            b'\r' => Self::CarriageReturn,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => Self::Word,
            _ => Self::Other,
        }
    }

    /// A byte that stands for all of its kind.
    const fn byte(self) -> Option<u8> {
        match self {
            Self::Start => None,
            Self::LineFeed => Some(b'\n'),
            Self::CarriageReturn => Some(b'\r'),
            Self::Word => Some(b'a'),
            Self::Other => Some(b' '),
        }
    }
}

/// What a state is: the NFA states that the stream may be in (assertions among them are still open), and what went before.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    before: Before,
    nfa: Box<[StateID]>,
}

/// A state: the place of its first transition in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

impl Place {
    /// The state at the beginning of the stream: always the first.
    pub(super) const START: Self = Self(0);
}

/// The fixed part: shared by all streams.
#[derive(Debug)]
pub(super) struct Automaton {
    nfa: NFA,
    start: StateID,
    /// The class of each byte; bytes of one class are not told apart by any pattern.
    classes: [u8; 256],
    /// One byte of each class.
    representatives: Vec<u8>,
    /// Whether any pattern has an assertion.
    asserts: bool,
}

impl Automaton {
    /// Matches anywhere in the stream.
    pub(super) fn unanchored(nfa: NFA) -> Self {
        let start = nfa.start_unanchored();
        Self::new(nfa, start)
    }

    /// Matches only from where it is started.
    pub(super) fn anchored(nfa: NFA) -> Self {
        let start = nfa.start_anchored();
        Self::new(nfa, start)
    }

    fn new(nfa: NFA, start: StateID) -> Self {
        let mut classes = [0; 256];
        let mut representatives = Vec::new();
        for byte in 0..=u8::MAX {
            let class = nfa.byte_classes().get(byte);
            classes[usize::from(byte)] = class;
            if usize::from(class) == representatives.len() {
                representatives.push(byte);
            }
        }
        let asserts = !nfa.look_set_any().is_empty();
        Self { nfa, start, classes, representatives, asserts }
    }

    /// One byte of each class.
    pub(super) fn representatives(&self) -> &[u8] {
        &self.representatives
    }

    /// An empty cache, with its start state.
    pub(super) fn cache(&self) -> Cache {
        let closure = Closure { seen: vec![0; self.nfa.states().len()], round: 0, stack: Vec::new(), found: Vec::new() };
        let mut cache =
            Cache { trans: Vec::new(), states: Vec::new(), places: HashMap::new(), size: 0, clears: 0, closure, sources: Vec::new() };
        self.start(&mut cache, Before::Start);
        cache
    }

    /// Builds the states nearest to the start, at most so many, so that a stream finds them made.
    pub(super) fn prepare(&self, cache: &mut Cache, states: usize) {
        let mut state = 0;
        while state < cache.trans.len() && cache.states.len() < states {
            for &byte in &self.representatives {
                self.step(cache, Place(u32::try_from(state).unwrap_or(0)), byte);
            }
            state += self.representatives.len();
        }
    }

    /// The start state behind something. Behind [`Before::Start`] it is [`Place::START`].
    pub(super) fn start(&self, cache: &mut Cache, before: Before) -> Place {
        cache.closure.begin();
        cache.closure.add(&self.nfa, self.start);
        let key = cache.closure.key(before);
        self.intern(cache, key)
    }

    /// Steps through `bytes` from `place` until a pattern matches: returns how many bytes were taken, the matching one included. `place` is moved along.
    pub(super) fn run(&self, cache: &mut Cache, place: &mut Place, bytes: &[u8]) -> Option<usize> {
        let mut state = place.0;
        let mut at = 0;
        while at < bytes.len() {
            let mut next = UNKNOWN;
            for &byte in &bytes[at..] {
                next = cache.trans[state as usize + usize::from(self.classes[usize::from(byte)])];
                if next >= MATCH {
                    break;
                }
                state = next;
                at += 1;
            }
            if next < MATCH {
                break;
            }
            if next == UNKNOWN {
                next = self.build(cache, state, bytes[at]);
            }
            at += 1;
            state = next & !MATCH;
            if next & MATCH != 0 {
                *place = Place(state);
                return Some(at);
            }
        }
        *place = Place(state);
        None
    }

    /// The patterns that match in a state.
    pub(super) fn matches(&self, cache: &Cache, place: Place) -> impl Iterator<Item = usize> {
        cache.states[place.0 as usize / self.representatives.len()].nfa.iter().filter_map(|&id| match self.nfa.state(id) {
            State::Match { pattern_id } => Some(pattern_id.as_usize()),
            _ => None,
        })
    }

    /// One step. A place that was handed out earlier is good for as long as [`Cache::clears`] stays the same.
    pub(super) fn step(&self, cache: &mut Cache, place: Place, byte: u8) -> Place {
        let mut next = place;
        self.run(cache, &mut next, &[byte]);
        next
    }

    /// Builds the transition of `state` on `byte`, and the state behind it.
    #[cold]
    fn build(&self, cache: &mut Cache, state: u32, byte: u8) -> u32 {
        let key = Arc::clone(&cache.states[state as usize / self.representatives.len()]);
        let closure = &mut cache.closure;
        closure.begin();
        for &id in &key.nfa {
            closure.add(&self.nfa, id);
        }
        // Assertions that are open in this state are decided by the byte that comes; what they let through may hold more of them.
        let mut at = 0;
        while let Some(&id) = closure.found.get(at) {
            at += 1;
            if let State::Look { look, next } = self.nfa.state(id)
                && self.holds(*look, key.before, byte)
            {
                closure.add(&self.nfa, *next);
            }
        }
        std::mem::swap(&mut cache.sources, &mut closure.found);
        closure.begin();
        for &id in &cache.sources {
            let target = match self.nfa.state(id) {
                State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
                State::Sparse(trans) => trans.matches_byte(byte),
                State::Dense(trans) => trans.matches_byte(byte),
                _ => None,
            };
            if let Some(target) = target {
                closure.add(&self.nfa, target);
            }
        }
        let new = closure.key(if self.asserts { Before::of(byte) } else { Before::Start });
        let clears = cache.clears;
        let to = self.intern(cache, new);
        let next = if self.matches(cache, to).next().is_some() { to.0 | MATCH } else { to.0 };
        if cache.clears == clears {
            cache.trans[state as usize + usize::from(self.classes[usize::from(byte)])] = next;
        }
        next
    }

    /// Whether an assertion holds between what went before and `byte`.
    fn holds(&self, look: Look, before: Before, byte: u8) -> bool {
        match before.byte() {
            None => self.nfa.look_matcher().matches(look, &[byte], 0),
            Some(before) => self.nfa.look_matcher().matches(look, &[before, byte], 1),
        }
    }

    /// The place of a state, new or known. A new one for which there is no room makes the cache forget all others but the start.
    fn intern(&self, cache: &mut Cache, key: Key) -> Place {
        if let Some(&place) = cache.places.get(&key) {
            return place;
        }
        let stride = self.representatives.len();
        // Table, key (held once, shared by list and map) and what list and map need around it.
        let size = stride * size_of::<u32>() + key.nfa.len() * size_of::<StateID>() + 96;
        if cache.size + size > CACHE_LIMIT && cache.states.len() > 1 {
            cache.clears += 1;
            cache.size = 0;
            cache.trans.truncate(stride);
            cache.trans.fill(UNKNOWN);
            cache.states.truncate(1);
            cache.places.retain(|_, place| *place == Place::START);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the table is far smaller than CACHE_LIMIT allows")]
        let place = Place(cache.trans.len() as u32);
        let key = Arc::new(key);
        cache.size += size;
        cache.trans.resize(cache.trans.len() + stride, UNKNOWN);
        cache.states.push(Arc::clone(&key));
        cache.places.insert(key, place);
        place
    }
}

/// The states that one stream has met.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    /// Transitions: those of one state lie together, one for each class of bytes.
    trans: Vec<u32>,
    states: Vec<Arc<Key>>,
    places: HashMap<Arc<Key>, Place>,
    /// About how many bytes the states need.
    size: usize,
    clears: u64,
    closure: Closure,
    /// Room for the NFA states from which a step goes out.
    sources: Vec<StateID>,
}

impl Cache {
    /// How often all states were forgotten for want of room.
    pub(super) const fn clears(&self) -> u64 {
        self.clears
    }
}

/// Collects the NFA states that are reached without a byte. An assertion is collected and not passed.
#[derive(Debug, Clone)]
struct Closure {
    /// In which round each NFA state was last seen.
    seen: Vec<u64>,
    round: u64,
    stack: Vec<StateID>,
    found: Vec<StateID>,
}

impl Closure {
    fn begin(&mut self) {
        self.round += 1;
        self.found.clear();
    }

    fn add(&mut self, nfa: &NFA, id: StateID) {
        self.stack.push(id);
        while let Some(id) = self.stack.pop() {
            if std::mem::replace(&mut self.seen[id.as_usize()], self.round) == self.round {
                continue;
            }
            match nfa.state(id) {
                State::Union { alternates } => self.stack.extend(alternates),
                State::BinaryUnion { alt1, alt2 } => self.stack.extend([alt1, alt2]),
                State::Capture { next, .. } => self.stack.push(*next),
                State::Fail => {}
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Look { .. } | State::Match { .. } => {
                    self.found.push(id)
                }
            }
        }
    }

    /// What was collected, in an order that does not depend on the way.
    fn key(&mut self, before: Before) -> Key {
        self.found.sort_unstable();
        Key { before, nfa: self.found.as_slice().into() }
    }
}
