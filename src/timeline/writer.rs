//! The writer of a timeline. It owns the two files of its directory and the lines that were not written yet; it reads nothing and never syncs to
//! the medium: a timeline outlives a killed process, not a power cut.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::event::{Direction, EventKind, Source};
use super::header::{ClockKind, Header};
use super::line::{BorrowedBytes, Envelope, Marks, write_line};
use super::mask::{MASK_BYTE, Mask};
use super::{BYTES_FILE, EVENTS_FILE, MAX_BYTES, MAX_LINE, Position, TimelineError};
use crate::seam::{Mark, StreamId};
use crate::secret::Secret;
use crate::time::MonoTime;

/// So many bytes of lines are collected before they are written.
const FLUSH_AT: usize = 32 * 1024;

/// So many bytes of streams are collected before they are written.
const FLUSH_BYTES_AT: usize = 64 * 1024;

/// The most marks that one `bytes` event carries: at under 20 bytes each they stay well within [`MAX_LINE`].
const MAX_MARKS: usize = 4096;

/// A timeline that is being written.
///
/// Events and bytes are collected and written together by [`Timeline::flush`], one write a file, which happens by itself when 32 KiB of events or 64 KiB of
/// bytes are waiting, and at drop. **An error at drop is lost**: call [`Timeline::flush`] where it matters, which is before waiting, and at least after the verdict.
///
/// A process that is killed loses the events that were not flushed, and no others: `events.jsonl` holds whole lines, except for one at its end when a
/// write was cut (by a kill, or a full disk); every byte that an event names is in `bytes.bin` before the event is written.
#[derive(Debug)]
pub struct Timeline {
    dir: PathBuf,
    events: Output,
    bytes: Output,
    pending: Vec<u8>,
    pending_bytes: Vec<u8>,
    next_seq: u64,
    mask: Mask,
}

impl Timeline {
    /// Makes `dir` (with its parents) and a new timeline in it, whose header is on disk on return.
    ///
    /// # Errors
    /// [`TimelineError::Io`] when the directory or a file could not be made; also when `dir` holds a timeline already, because a record is never
    /// written over.
    pub fn create(dir: &Path, clock: ClockKind) -> Result<Self, TimelineError> {
        fs::create_dir_all(dir).map_err(|source| TimelineError::Io { call: "creation", file: dir.to_owned(), source })?;
        let mut events = Output::create(dir.join(EVENTS_FILE))?;
        let bytes = Output::create(dir.join(BYTES_FILE))?;
        let mut pending = Vec::with_capacity(2 * FLUSH_AT);
        serde_json::to_writer(&mut pending, &Header::new(clock)).map_err(|source| TimelineError::Serialize { kind: "header", source })?;
        pending.push(b'\n');
        events.write(&pending)?;
        pending.clear();
        let pending_bytes = Vec::with_capacity(2 * FLUSH_BYTES_AT);
        Ok(Self { dir: dir.to_owned(), events, bytes, pending, pending_bytes, next_seq: 0, mask: Mask::default() })
    }

    /// From here on, these secrets stand masked in all that is recorded: `***` in texts, a `*` for each of their bytes in `bytes.bin`.
    pub fn mask<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>) {
        self.mask = Mask::new(secrets.into_iter().cloned().collect());
    }

    /// A text as a timeline would show it, for what is shown beside it.
    #[must_use]
    pub fn masked(&self, text: String) -> String {
        self.mask.said(&text).unwrap_or(text)
    }

    /// Records one event and returns its number. `t` is when it happened, `step` the step in which it did.
    ///
    /// # Errors
    /// [`TimelineError::EventTooLong`] and [`TimelineError::Serialize`]: the event is not recorded. [`TimelineError::Io`]: it is kept, with all that waits, for
    /// the next flush.
    pub fn record(&mut self, t: MonoTime, source: Source, step: Option<u16>, kind: impl Into<EventKind>) -> Result<u64, TimelineError> {
        let kind = kind.into();
        self.append(t, source, step, kind.name(), |out| kind.write_data(out))
    }

    /// Records bytes that were read or written and returns the event's number. `from` and `to` are [`Bytes::from_ns`](super::event::Bytes::from_ns)
    /// and [`Bytes::to_ns`](super::event::Bytes::to_ns); the event's time is `to` for what was read and `from` for what was written. Allocates nothing once its
    /// buffer has grown to its working size.
    ///
    /// More than [`MAX_BYTES`], or more than 4096 marks, become several events with the same times; the number is then that of the last. No bytes
    /// at all become one event of length 0.
    ///
    /// # Errors
    /// As [`Timeline::record`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of one read or write, which its caller holds apart; a struct would only be filled in and taken apart"
    )]
    pub fn record_bytes(
        &mut self,
        step: Option<u16>,
        stream: StreamId,
        direction: Direction,
        from: MonoTime,
        to: MonoTime,
        planned: Option<MonoTime>,
        bytes: &[u8],
        marks: &[Mark],
    ) -> Result<u64, TimelineError> {
        let offset = self.bytes.length + self.pending_bytes.len() as u64;
        self.pending_bytes.extend_from_slice(bytes);
        for at in self.mask.bytes(direction, bytes, offset) {
            match at.checked_sub(self.bytes.length).and_then(|index| usize::try_from(index).ok()) {
                Some(index) => self.pending_bytes[index] = MASK_BYTE,
                None => self.bytes.write_over(&[MASK_BYTE], at)?,
            }
        }
        let (t, source) = match direction {
            Direction::In => (to, Source::Read),
            Direction::Out => (from, Source::Commanded),
        };
        let (mut begin, mut marks) = (0, marks);
        loop {
            // A chunk ends where the event would name too many bytes, or before the first mark that is too many.
            let mut end = bytes.len().min(begin + MAX_BYTES);
            if let Some(mark) = marks.get(MAX_MARKS) {
                end = end.min(mark.offset.max(begin + 1));
            }
            let (here, rest) = marks.split_at(marks.partition_point(|mark| mark.offset < end));
            let data = BorrowedBytes {
                stream: stream.name(),
                direction,
                offset: offset + begin as u64,
                length: u32::try_from(end - begin).unwrap_or(u32::MAX),
                from_ns: from.as_ns(),
                to_ns: to.as_ns(),
                planned_ns: planned.map(MonoTime::as_ns),
                marks: Marks { marks: here, base: begin },
            };
            let seq = self.append(t, source, step, BorrowedBytes::KIND, |out| serde_json::to_writer(out, &data))?;
            if end >= bytes.len() {
                if self.pending_bytes.len() >= FLUSH_BYTES_AT {
                    self.flush()?;
                }
                return Ok(seq);
            }
            (begin, marks) = (end, rest);
        }
    }

    /// Whether something is waiting to be written.
    #[must_use]
    pub const fn is_unflushed(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what is waiting: the bytes in one write, then the events that name them in another.
    ///
    /// # Errors
    /// [`TimelineError::Io`]; what was not written is kept, and the next flush writes it where it belongs.
    pub fn flush(&mut self) -> Result<(), TimelineError> {
        if !self.pending_bytes.is_empty() {
            self.bytes.write(&self.pending_bytes)?;
            self.pending_bytes.clear();
        }
        if !self.pending.is_empty() {
            self.events.write(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Where the next event will stand.
    #[must_use]
    pub fn end(&self) -> Position {
        Position { seq: self.next_seq, offset: self.events.length + self.pending.len() as u64 }
    }

    /// How many events were recorded.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.next_seq
    }

    /// Whether nothing was recorded yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.next_seq == 0
    }

    /// The number of the event that was recorded last.
    #[must_use]
    pub const fn last_seq(&self) -> Option<u64> {
        self.next_seq.checked_sub(1)
    }

    /// The timeline's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn append(
        &mut self,
        t: MonoTime,
        source: Source,
        step: Option<u16>,
        kind: &'static str,
        data: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) -> Result<u64, TimelineError> {
        let begin = self.pending.len();
        let seq = self.next_seq;
        let mask = &self.mask;
        let written = write_line(&mut self.pending, Envelope { seq, t, source, step }, kind, |out| {
            let begin = out.len();
            data(out)?;
            mask.event(out, begin)
        });
        let length = self.pending.len() - begin;
        if let Err(source) = written {
            self.pending.truncate(begin);
            return Err(TimelineError::Serialize { kind, source });
        }
        if length > MAX_LINE {
            self.pending.truncate(begin);
            return Err(TimelineError::EventTooLong { kind, length });
        }
        self.next_seq += 1;
        if self.pending.len() >= FLUSH_AT {
            self.flush()?;
        }
        Ok(seq)
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.flush();
        for at in self.mask.broken_off() {
            let _ = self.bytes.write_over(&[MASK_BYTE], at);
        }
    }
}

/// A file that is only appended to, at a place that is known: what a failed write left behind is written over by the next.
#[derive(Debug)]
struct Output {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Output {
    fn create(path: PathBuf) -> Result<Self, TimelineError> {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { file, path, length: 0 }),
            Err(source) => Err(TimelineError::Io { call: "creation", file: path, source }),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), TimelineError> {
        self.write_over(data, self.length)?;
        self.length += data.len() as u64;
        Ok(())
    }

    fn write_over(&self, data: &[u8], at: u64) -> Result<(), TimelineError> {
        let failed = |source: io::Error| TimelineError::Io { call: "writing", file: self.path.clone(), source };
        self.file.write_all_at(data, at).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::event::Note;
    use crate::timeline::{Reader, event::EventKind};

    /// A file that answers every write with ENOSPC.
    fn full() -> File {
        OpenOptions::new().write(true).open("/dev/full").expect("/dev/full is part of every Linux")
    }

    fn note(text: &str) -> EventKind {
        Note { text: text.to_owned() }.into()
    }

    #[test]
    fn a_full_disk_is_an_error_with_file_and_number_and_loses_no_event() {
        let dir = tempfile::tempdir().unwrap();
        let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
        let disk = std::mem::replace(&mut timeline.events.file, full());
        timeline.record(MonoTime::ZERO, Source::Computed, None, note("kept")).unwrap();
        let error = timeline.flush().unwrap_err().to_string();
        assert!(error.ends_with("events.jsonl failed: No space left on device (os error 28)"), "{error}");

        timeline.events.file = disk;
        timeline.record(MonoTime::ZERO, Source::Computed, None, note("and the next")).unwrap();
        drop(timeline);
        let kinds: Vec<_> = Reader::open(dir.path()).unwrap().map(|event| event.unwrap().kind).collect();
        assert_eq!(kinds, [note("kept"), note("and the next")]);
    }

    #[test]
    fn bytes_that_could_not_be_written_are_not_named_by_an_event() {
        let dir = tempfile::tempdir().unwrap();
        let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
        let disk = std::mem::replace(&mut timeline.bytes.file, full());
        let record = |timeline: &mut Timeline, bytes: &[u8]| {
            timeline.record_bytes(None, StreamId::PORT, Direction::In, MonoTime::ZERO, MonoTime::ZERO, None, bytes, &[])
        };
        record(&mut timeline, b"kept").unwrap();
        let error = timeline.flush().unwrap_err().to_string();
        assert!(error.ends_with("bytes.bin failed: No space left on device (os error 28)"), "{error}");
        assert_eq!(Reader::open(dir.path()).unwrap().count(), 0);

        timeline.bytes.file = disk;
        record(&mut timeline, b", and the next").unwrap();
        timeline.flush().unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        assert_eq!(reader.bytes_at(0, 18).unwrap(), b"kept, and the next");
        assert_eq!(reader.count(), 2);
    }

    #[test]
    fn the_buffer_of_waiting_lines_never_grows_in_the_steady_state() {
        let dir = tempfile::tempdir().unwrap();
        let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
        let room = timeline.pending.capacity();
        let mark = Mark { offset: 1, kind: crate::seam::MarkKind::Framing };
        for _ in 0..5_000 {
            let t = MonoTime::from_ns(u64::MAX);
            timeline.record_bytes(Some(u16::MAX), StreamId::PORT, Direction::In, t, t, Some(t), b"OK", &[mark]).unwrap();
        }
        assert_eq!(timeline.pending.capacity(), room);
    }
}
