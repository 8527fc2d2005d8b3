//! Looking in what came: patterns, lines and single bytes behind the cursor.

use std::sync::Arc;

use super::conductor::{Conductor, Pumped};
use super::inbox::Read;
use super::stop::{Finding, Stop};
use super::timing::{Timing, host_late, judge};
use super::words::{SEEN_LIMIT, describe_bytes};
use crate::matcher::{Hit, Matcher, PatternSet};
use crate::report::escape;
use crate::seam::StreamId;
use crate::time::MonoTime;
use crate::timeline::event;

/// A pattern that came.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its index in the set.
    pub pattern: usize,
    /// When its last byte was read.
    pub at: MonoTime,
    /// The `match` event.
    pub seq: u64,
    /// What its groups captured, by name or else by number.
    pub captures: Vec<(String, Vec<u8>)>,
}

impl Conductor<'_> {
    /// Waits until one of `set`'s patterns comes, counted from the cursor, and moves the cursor to its end. `None` when none came until
    /// `deadline`. Of a match at most the last `capture_limit` bytes are looked at for its begin and its captures.
    ///
    /// # Errors
    /// As [`Conductor::pump`]; [`Stop::Rig`] when a pattern came around the deadline and this computer looked too late to tell.
    pub fn find(&mut self, set: &Arc<PatternSet>, deadline: MonoTime, capture_limit: usize) -> Result<Option<Found>, Stop> {
        let mut matcher = Matcher::with_window(Arc::clone(set), capture_limit);
        let mut start = self.inbox.position();
        let lost = self.inbox.lost();
        let mut cuts = self.inbox.cuts();
        loop {
            if self.inbox.cuts() != cuts {
                (start, cuts) = (self.inbox.position(), self.inbox.cuts());
                matcher.restart();
            }
            while let Some((read, bytes)) = self.inbox.front() {
                let Some(hit) = matcher.feed(bytes) else {
                    let count = bytes.len();
                    self.inbox.take(count);
                    continue;
                };
                if !self.in_time(&read, deadline)? {
                    return Ok(None);
                }
                self.inbox.take(hit.consumed);
                return self.matched(&matcher, hit, start, &read).map(Some);
            }
            if self.pump(deadline)? == Pumped::Deadline {
                return if lost == 0 { Ok(None) } else { Err(flooded(lost, self.evidence())) };
            }
        }
    }

    /// Waits until each of `sets` has come, in any order, counted from the cursor, and moves the cursor to the end of the last one. Their matches, in the order of `sets`, as far as they came until
    /// `deadline`; and that of `never`, where it came before the last of them.
    ///
    /// # Errors
    /// As [`Conductor::find`].
    pub fn find_all(
        &mut self,
        sets: &[Arc<PatternSet>],
        never: Option<&Arc<PatternSet>>,
        deadline: MonoTime,
    ) -> Result<(Vec<Option<Found>>, Option<Found>), Stop> {
        let mut matchers = sets.iter().map(|set| Matcher::new(Arc::clone(set))).collect::<Vec<_>>();
        let mut never = never.map(|set| Matcher::new(Arc::clone(set)));
        let mut found: Vec<Option<Found>> = sets.iter().map(|_| None).collect();
        let mut start = self.inbox.position();
        let lost = self.inbox.lost();
        let mut cuts = self.inbox.cuts();
        loop {
            if self.inbox.cuts() != cuts {
                (start, cuts) = (self.inbox.position(), self.inbox.cuts());
                matchers.iter_mut().chain(&mut never).for_each(Matcher::restart);
            }
            while let Some((read, bytes)) = self.inbox.front() {
                let feed = |matcher: &mut Matcher| matcher.feed(bytes);
                let hits = matchers.iter_mut().zip(&found).map(|(matcher, found)| if found.is_none() { feed(matcher) } else { None });
                let hits = hits.collect::<Vec<_>>();
                let bad = never.as_mut().and_then(feed);
                let count = bytes.len();
                if (bad.is_some() || hits.iter().any(Option::is_some)) && !self.in_time(&read, deadline)? {
                    return Ok((found, None));
                }
                for (index, hit) in hits.iter().enumerate().filter_map(|(index, hit)| hit.map(|hit| (index, hit))) {
                    found[index] = Some(self.matched(&matchers[index], hit, start, &read)?);
                }
                let done = found.iter().all(Option::is_some);
                let end = if done { hits.iter().flatten().map(|hit| hit.consumed).max().unwrap_or(0) } else { count };
                if let (Some(matcher), Some(hit)) = (&never, bad)
                    && hit.consumed <= end
                {
                    self.inbox.take(hit.consumed);
                    return Ok((found, Some(self.matched(matcher, hit, start, &read)?)));
                }
                self.inbox.take(end);
                if done {
                    return Ok((found, None));
                }
            }
            if self.pump(deadline)? == Pumped::Deadline {
                return if lost == 0 { Ok((found, None)) } else { Err(flooded(lost, self.evidence())) };
            }
        }
    }

    /// Records a match that the read `read` completed; what `matcher` was fed begins at `start` of the stream.
    fn matched(&mut self, matcher: &Matcher, hit: Hit, start: u64, read: &Read) -> Result<Found, Stop> {
        let span = matcher.resolve(hit);
        let first = span.start.and_then(|at| self.inbox.read_at(start + at)).unwrap_or(*read);
        self.moments.matched = Some(self.moment_of(read));
        let seq = self.record(event::Match {
            stream: StreamId::PORT.name().to_owned(),
            pattern: matcher.set().pattern(hit.pattern).to_string(),
            first_seq: first.seq,
            last_seq: read.seq,
            first_ns: first.at.as_ns(),
            last_ns: read.at.as_ns(),
            text: escape::bytes(&span.text),
            captures: span.captures.iter().map(|(name, bytes)| (name.clone(), escape::bytes(bytes))).collect(),
        })?;
        Ok(Found { pattern: hit.pattern, at: read.at, seq, captures: span.captures })
    }

    /// Takes the next byte that comes. `None` when none came until `deadline`. A byte that came around the deadline is returned: whoever finds that it
    /// matters asks [`Conductor::in_time`].
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn next_byte(&mut self, deadline: MonoTime) -> Result<Option<(u8, Read)>, Stop> {
        loop {
            if let Some((read, bytes)) = self.inbox.front() {
                if read.since >= deadline {
                    return Ok(None);
                }
                let byte = bytes[0];
                self.inbox.take(1);
                return Ok(Some((byte, read)));
            }
            if self.pump(deadline)? == Pumped::Deadline {
                return Ok(None);
            }
        }
    }

    /// Whether what `read` brought came in time.
    ///
    /// # Errors
    /// [`Stop::Rig`] when it came around the deadline and this computer looked too late to tell.
    pub fn in_time(&self, read: &Read, deadline: MonoTime) -> Result<bool, Stop> {
        match judge(read, deadline, self.host_late) {
            Timing::InTime => Ok(true),
            Timing::Late => Ok(false),
            Timing::HostLate(late) => Err(host_late(late, self.host_late, read.seq)),
        }
    }

    /// Waits for input, at most until `until`.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn until_input(&mut self, until: MonoTime) -> Result<(), Stop> {
        while self.inbox.is_empty() && self.pump(until)? != Pumped::Deadline {}
        Ok(())
    }

    /// How many bytes have come in this case.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.inbox.received()
    }

    /// How many of them steps have taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.inbox.position()
    }

    /// The last bytes that came after the first `from` bytes, as many as are kept.
    #[must_use]
    pub fn last_received(&self, from: u64) -> Vec<u8> {
        let count = usize::try_from(self.received() - from).unwrap_or(usize::MAX).min(self.recent.len());
        self.recent.iter().skip(self.recent.len() - count).copied().collect()
    }

    /// Which of the first `wanted` patterns of a set is in the first `taken` bytes that came, behind the last start and as far back as bytes are kept. Of what had come before something was sent last, results (`OK`) are no answer to that.
    #[must_use]
    pub fn came_before(&self, set: &Arc<PatternSet>, wanted: usize, taken: u64) -> Option<usize> {
        let first = self.received() - self.recent.len() as u64;
        let [begun, told, to] =
            [self.begun_at, self.told_at, taken].map(|place| usize::try_from(place.saturating_sub(first)).unwrap_or(usize::MAX));
        let between = |from: usize, to: usize| self.recent.iter().take(to).skip(from).copied().collect::<Vec<u8>>();
        let before = between(begun, told.min(to));
        let words = before.split_inclusive(|byte| *byte == b'\n').filter(|line| !RESULTS.contains(&line.trim_ascii()));
        let bytes = [words.collect::<Vec<_>>().concat(), between(told.max(begun), to)].concat();
        Matcher::new(Arc::clone(set)).feed(&bytes).map(|hit| hit.pattern).filter(|pattern| *pattern < wanted)
    }

    /// The read that brought the next byte behind the cursor, if one has come.
    #[must_use]
    pub fn waiting(&self) -> Option<Read> {
        self.inbox.front().map(|(read, _)| read)
    }

    /// Moves the cursor behind everything that has come.
    pub fn skip_input(&mut self) {
        self.inbox.clear();
    }

    /// The last bytes behind the cursor, escaped, for a message.
    #[must_use]
    pub fn unread(&self) -> String {
        describe_bytes(self.inbox.tail(SEEN_LIMIT))
    }

    /// What came earlier is no answer to what was begun at `from`: the first `already` bytes, and edges from before it.
    pub(super) fn move_cursor(&mut self, already: usize, from: MonoTime) {
        self.inbox.take(already);
        self.edges.forget_before(from);
    }
}

/// Lines that answer a command and say nothing else.
const RESULTS: [&[u8]; 2] = [b"OK", b"ERROR"];

fn flooded(lost: u64, evidence: Vec<u64>) -> Stop {
    Stop::Rig(Finding::new(
        format!("{lost} bytes came before this step that no step took"),
        format!("a step that takes what the board says before it has said {} KiB more", super::inbox::LIMIT / 1024),
        "the pattern is not in what came last; whether it was in what was let go, nobody can tell (the timeline has it)",
        evidence,
    ))
}
