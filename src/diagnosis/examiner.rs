//! Reads a timeline, as far as it goes, and names the cause.

use std::path::Path;

use super::facts::Facts;
use super::rules;
use crate::timeline::event::{Bytes, Diagnosis, Direction, Event, EventKind};
use crate::timeline::{Position, Reader, TimelineError};

/// How much of one read is looked at.
const LOOK: usize = 4096;
/// How much of one write is looked at: commands are short.
const COMMAND: usize = 512;

/// What was read of a timeline that may still grow. Each event is read once, however often a diagnosis is asked for.
#[derive(Debug, Default)]
pub struct Examiner {
    facts: Facts,
    /// The facts when the first probe began.
    before: Option<Box<Facts>>,
}

impl Examiner {
    /// Takes an event; `bytes` are those that it names, or the first 4 KiB of them.
    pub(super) fn take(&mut self, event: &Event, bytes: &[u8]) {
        if matches!(event.kind, EventKind::Probe(_)) && self.before.is_none() {
            self.before = Some(Box::new(self.facts.settled()));
        }
        self.facts.take(event, bytes);
    }

    /// Reads what the timeline in `folder` has from `from` on; the whole of it for `None`.
    ///
    /// # Errors
    /// [`TimelineError`] when it cannot be read.
    pub fn read(&mut self, folder: &Path, from: Option<Position>) -> Result<(), TimelineError> {
        let mut reader = Reader::open(folder)?;
        if let Some(from) = from {
            reader.skip_to(from)?;
        }
        while let Some(event) = reader.next().transpose()? {
            let bytes = match &event.kind {
                EventKind::Bytes(bytes) => reader.bytes_at(bytes.offset, looked_at(bytes))?,
                _ => Vec::new(),
            };
            self.take(&event, &bytes);
        }
        Ok(())
    }

    /// What the probes brought is from here on what was seen, and may be probed anew.
    pub fn begin_anew(&mut self) {
        self.before = None;
        self.facts.probed = None;
    }

    /// The reads that brought words of the module that came damaged, at most eight.
    #[must_use]
    pub fn damaged(&self) -> &[u64] {
        self.facts.damaged()
    }

    /// `found`, with the next thing to try as it is after all that was read since.
    #[must_use]
    pub fn revised(&self, found: Diagnosis) -> Diagnosis {
        rules::revised(found, self.before.as_deref().unwrap_or(&self.facts), &self.facts)
    }

    /// Where no known cause fits and nothing has failed: that the application answered what may have been meant for boot code.
    #[must_use]
    pub fn application_took(&self) -> Option<Diagnosis> {
        rules::application_took(&self.facts.settled()).map(rules::Found::into_diagnosis)
    }

    /// Where no known cause fits a step that failed: that the module speaks clearly and says something else; `None` where it does not.
    #[must_use]
    pub fn not_as_expected(&self) -> Option<Diagnosis> {
        let now = self.facts.settled();
        let found = match &self.before {
            Some(before) => rules::not_as_expected(before, Some(&now)),
            None => rules::not_as_expected(&now, None),
        };
        found.map(rules::Found::into_diagnosis)
    }

    /// The cause that fits what was read; `None` when no known one does.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        let now = self.facts.settled();
        let found = match &self.before {
            Some(before) => rules::judge(before, Some(&now)),
            None => rules::judge(&now, None),
        };
        found.map(rules::Found::into_diagnosis)
    }
}

/// How many bytes of a read or write are looked at.
fn looked_at(bytes: &Bytes) -> usize {
    let limit = match bytes.direction {
        Direction::In => LOOK,
        Direction::Out => COMMAND,
    };
    usize::try_from(bytes.length).unwrap_or(limit).min(limit)
}
