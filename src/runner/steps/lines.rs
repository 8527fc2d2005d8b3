//! Answers cut into lines: CR LF from the application, CR alone from boot code.

use super::ACKNOWLEDGE;
use crate::runner::conductor::Conductor;
use crate::runner::inbox::Read;
use crate::runner::stop::Stop;
use crate::time::MonoTime;

/// The longest line that is kept; the rest of a longer one is let go (it stays in the timeline).
const LONGEST: usize = 4096;

/// A line of an answer.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its bytes without its end.
    pub(super) bytes: Vec<u8>,
    /// The read that brought its end.
    pub(super) read: Read,
}

impl Line {
    /// Whether it is just this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.bytes == text.as_bytes()
    }

    /// What follows `prefix`, where it begins with that.
    pub(super) fn after(&self, prefix: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes.strip_prefix(prefix.as_bytes())?).ok()
    }
}

/// Cuts what comes into lines. Keeps the beginning of a line from one call to the next. A line that ended around the deadline is returned: whoever finds that
/// it matters asks [`Conductor::in_time`].
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// Acknowledges that stood at a line's start (boot code).
    pub(super) acknowledges: u32,
}

impl Lines {
    /// The next line of the application: ends with LF, CRs around it are not part of it, empty ones are passed over.
    pub(super) fn application(&mut self, conductor: &mut Conductor<'_>, deadline: MonoTime) -> Result<Option<Line>, Stop> {
        self.next(conductor, deadline, b'\n', b'\r', false)
    }

    /// The next line of boot code: ends with CR, LFs around it are not part of it, empty ones are passed over. **Nothing behind its CR is
    /// taken**: the first byte of an upload may well be a 10 or a 13.
    pub(super) fn boot(&mut self, conductor: &mut Conductor<'_>, deadline: MonoTime) -> Result<Option<Line>, Stop> {
        self.next(conductor, deadline, b'\r', b'\n', true)
    }

    fn next(
        &mut self,
        conductor: &mut Conductor<'_>,
        deadline: MonoTime,
        end: u8,
        filler: u8,
        acknowledged: bool,
    ) -> Result<Option<Line>, Stop> {
        while let Some((byte, read)) = conductor.next_byte(deadline)? {
            if acknowledged && byte == ACKNOWLEDGE && self.begun.is_empty() {
                self.acknowledges += 1;
                conductor.moments.acknowledge = Some(conductor.moment_of(&read));
            } else if byte != end {
                if self.begun.len() < LONGEST {
                    self.begun.push(byte);
                }
            } else {
                let bytes = without(&std::mem::take(&mut self.begun), filler).to_vec();
                if !bytes.is_empty() {
                    return Ok(Some(Line { bytes, read }));
                }
            }
        }
        Ok(None)
    }

    /// The beginning of a line of the application that has not ended, without CRs around it.
    pub(super) fn unfinished(&self) -> &[u8] {
        without(&self.begun, b'\r')
    }
}

/// A line without the bytes around it that are `filler`.
fn without(line: &[u8], filler: u8) -> &[u8] {
    let from = line.iter().position(|byte| *byte != filler).unwrap_or(line.len());
    let to = line.iter().rposition(|byte| *byte != filler).map_or(from, |last| last + 1);
    &line[from..to]
}
