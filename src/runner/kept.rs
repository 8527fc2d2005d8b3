//! Values that steps keep while a case runs, and the moments that times are taken between.

use std::collections::BTreeMap;
use std::time::Duration;

use super::conductor::Conductor;
use super::inbox::Read;
use super::moments::{Fineness, Moment};
use super::stop::{Finding, Stop};
use crate::matcher::PatternSet;
use crate::plan::{Action, Anchor, At, Boot};
use crate::report::escape;
use crate::timeline::event;

/// A value, and the event that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The value as text; bytes outside printable ASCII are escaped.
    pub text: String,
    /// The event.
    pub seq: u64,
    /// For a time that was measured: how far it may be from the truth.
    pub measured: Option<Measured>,
}

/// A time between two events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The time.
    pub value: Duration,
    /// The least that it can be, if this computer looked late.
    pub least: Duration,
    /// How far the truth may lie from it, to either side.
    pub uncertainty: Duration,
}

/// Values by name.
#[derive(Debug, Default)]
pub struct Values(BTreeMap<String, Kept>);

impl Values {
    /// Keeps a value, in place of one that had its name.
    pub fn keep(&mut self, name: &str, kept: Kept) {
        self.0.insert(name.to_owned(), kept);
    }

    /// Forgets the values that a step keeps, which a round or a try before may have left: a step that keeps nothing this time has no value to show.
    pub fn forget_those_of(&mut self, action: &Action) {
        let mut forget = |set: &PatternSet| {
            (0..set.len()).flat_map(|index| set.pattern(index).group_names()).for_each(|name| drop(self.0.remove(name)));
        };
        match action {
            Action::Expect(expect) => forget(&expect.patterns.set),
            Action::All(all) => all.patterns.iter().for_each(|set| forget(set)),
            Action::Any(any) => {
                forget(&any.patterns.set);
                any.keep.iter().for_each(|name| drop(self.0.remove(name)));
            }
            Action::At(At { shows: Some(shows), .. }) | Action::Boot(Boot { shows: Some(shows), .. }) => forget(shows),
            Action::Measure(measure) => drop(self.0.remove(&measure.name)),
            _ => {}
        }
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Kept> {
        self.0.get(name)
    }

    /// Its text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|kept| kept.text.as_str())
    }
}

impl Conductor<'_> {
    /// The moment of something that the read `read` brought.
    #[must_use]
    pub fn moment_of(&self, read: &Read) -> Moment {
        Moment { at: read.at, since: read.since, uncertainty: self.fineness.read, seq: Some(read.seq) }
    }

    /// The time of an event that a step counts from.
    ///
    /// # Errors
    /// [`Stop::Rig`] when it has not happened in this case; `key` is where the scenario names it.
    pub fn moment(&self, anchor: &Anchor, key: &str) -> Result<Moment, Stop> {
        self.moments.of(anchor).ok_or_else(|| {
            Stop::Rig(Finding::new(
                format!("`{key}` names an event that has not happened in this case"),
                format!("a step before this one that brings about: {}", anchor.name()),
                "no such event on the timeline",
                Vec::new(),
            ))
        })
    }

    /// Keeps a value under a name, and records that.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn keep(&mut self, name: &str, text: String, seq: u64) -> Result<(), Stop> {
        self.record(event::Kept { name: name.to_owned(), value: text.clone(), by: seq })?;
        self.kept.keep(name, Kept { text, seq, measured: None });
        Ok(())
    }

    /// Keeps what the named groups of a match captured; the event `seq` brought it.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn keep_captures(&mut self, captures: &[(String, Vec<u8>)], seq: u64) -> Result<(), Stop> {
        // A group without a name has its number for one.
        let named = captures.iter().filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        named.into_iter().try_for_each(|(name, bytes)| self.keep(name, escape::bytes(bytes), seq))
    }

    /// Says how finely this link measures; as finely as simulated time, if it is not said.
    pub fn set_fineness(&mut self, fineness: Fineness) {
        self.fineness = fineness;
    }

    /// How times are measured on this link, in words.
    #[must_use]
    pub fn how_measured(&self) -> &'static str {
        self.fineness.how
    }
}
