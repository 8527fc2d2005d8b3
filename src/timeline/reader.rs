//! The reader of a timeline: an iterator over its events, and their bytes on demand. It holds one line and one buffer, whatever the files' size.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::event::{Bytes, Event};
use super::header::{Announced, FORMAT, Header};
use super::line::read_line;
use super::{BYTES_FILE, EVENTS_FILE, MAX_BYTES, MAX_LINE, Position, TimelineError};

/// A timeline that is being read, from its first event to its last. Kinds that this version does not know are passed over.
///
/// The iterator ends at the end of the file, after an error, and before a last line that is not whole: the writer was killed, or is still at
/// work; [`Reader::torn`] tells.
#[derive(Debug)]
pub struct Reader {
    events: BufReader<File>,
    events_path: PathBuf,
    bytes: File,
    bytes_path: PathBuf,
    header: Header,
    line: Vec<u8>,
    line_number: u64,
    next_seq: u64,
    torn: bool,
    ended: bool,
}

impl Reader {
    /// Opens the timeline in `dir` and reads its header.
    ///
    /// # Errors
    /// [`TimelineError::Io`] when a file is missing or unreadable, [`TimelineError::Header`] when it is no timeline, [`TimelineError::Format`] when
    /// it was written by a later version.
    pub fn open(dir: &Path) -> Result<Self, TimelineError> {
        let (events, events_path) = open(dir.join(EVENTS_FILE))?;
        let (bytes, bytes_path) = open(dir.join(BYTES_FILE))?;
        let mut events = BufReader::new(events);
        let mut line = Vec::new();
        let header = match read_whole_line(&mut events, &mut line) {
            Ok(Found::Line) => parse_header(&line, &events_path)?,
            Ok(Found::Torn | Found::End) => {
                return Err(TimelineError::Header { file: events_path, reason: "its first line is not whole".to_owned() });
            }
            Ok(Found::TooLong) => {
                return Err(TimelineError::Header { file: events_path, reason: format!("its first line is longer than {MAX_LINE} bytes") });
            }
            Err(source) => return Err(TimelineError::Io { call: "reading", file: events_path, source }),
        };
        Ok(Self { events, events_path, bytes, bytes_path, header, line, line_number: 1, next_seq: 0, torn: false, ended: false })
    }

    /// Passes over the events before `position`, which this timeline's writer has told, without reading them. **Call it before the first event is read.**
    ///
    /// # Errors
    /// [`TimelineError::Io`] when the file cannot be read from there on.
    pub fn skip_to(&mut self, position: Position) -> Result<(), TimelineError> {
        let failed = |source| TimelineError::Io { call: "reading", file: self.events_path.clone(), source };
        self.events.seek(SeekFrom::Start(position.offset)).map_err(failed)?;
        self.next_seq = position.seq;
        // The header is the first line.
        self.line_number = position.seq + 1;
        Ok(())
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the iterator ended at a last line that is not whole.
    #[must_use]
    pub const fn torn(&self) -> bool {
        self.torn
    }

    /// The bytes that an event names.
    ///
    /// # Errors
    /// As [`Reader::bytes_at`].
    pub fn bytes(&self, event: &Bytes) -> Result<Vec<u8>, TimelineError> {
        self.bytes_at(event.offset, event.length as usize)
    }

    /// `length` bytes from `offset` of `bytes.bin` on; at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// [`TimelineError::Bytes`] when they are not all there or are too many for one call, [`TimelineError::Io`] when reading failed.
    pub fn bytes_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, TimelineError> {
        let mut bytes = Vec::new();
        self.bytes_into(offset, length, &mut bytes)?;
        Ok(bytes)
    }

    /// [`Reader::bytes_at`] into a buffer that is cleared first, for those who read many.
    ///
    /// # Errors
    /// As [`Reader::bytes_at`]; the buffer's content is then undefined.
    pub fn bytes_into(&self, offset: u64, length: usize, bytes: &mut Vec<u8>) -> Result<(), TimelineError> {
        let unreadable = |reason: String| TimelineError::Bytes {
            file: self.bytes_path.clone(),
            offset,
            end: offset.saturating_add(length as u64),
            reason,
        };
        if length > MAX_BYTES {
            return Err(unreadable(format!("one event names at most {MAX_BYTES}")));
        }
        bytes.clear();
        bytes.resize(length, 0);
        self.bytes.read_exact_at(bytes, offset).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => unreadable("the file ends before them".to_owned()),
            _ => TimelineError::Io { call: "reading", file: self.bytes_path.clone(), source },
        })
    }

    fn next_event(&mut self) -> Result<Option<Event>, TimelineError> {
        loop {
            let found = read_whole_line(&mut self.events, &mut self.line).map_err(|source| TimelineError::Io {
                call: "reading",
                file: self.events_path.clone(),
                source,
            })?;
            self.line_number += 1;
            match found {
                Found::Line => {}
                Found::End => return Ok(None),
                Found::Torn => {
                    self.torn = true;
                    return Ok(None);
                }
                Found::TooLong => return Err(self.bad_line(format!("the line is longer than {MAX_LINE} bytes"))),
            }
            let parsed = std::str::from_utf8(&self.line)
                .map_err(|error| error.to_string())
                .and_then(|line| read_line(line).map_err(|error| error.to_string()))
                .map_err(|reason| self.bad_line(format!("the line is no event: {reason}")))?;
            if parsed.seq != self.next_seq {
                return Err(self.bad_line(format!("expected the event with seq {}, found seq {}", self.next_seq, parsed.seq)));
            }
            self.next_seq += 1;
            if parsed.event.is_some() {
                return Ok(parsed.event);
            }
        }
    }

    fn bad_line(&self, reason: String) -> TimelineError {
        TimelineError::Line { file: self.events_path.clone(), line: self.line_number, reason }
    }
}

impl Iterator for Reader {
    type Item = Result<Event, TimelineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_event().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl std::iter::FusedIterator for Reader {}

fn open(path: PathBuf) -> Result<(File, PathBuf), TimelineError> {
    match File::open(&path) {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(TimelineError::Io { call: "opening", file: path, source }),
    }
}

fn parse_header(line: &[u8], file: &Path) -> Result<Header, TimelineError> {
    let not_a_header =
        |error: serde_json::Error| TimelineError::Header { file: file.to_owned(), reason: format!("its first line is no header: {error}") };
    let announced: Announced = serde_json::from_slice(line).map_err(not_a_header)?;
    if announced.format > FORMAT {
        let program = announced.program.unwrap_or_else(|| "which it does not name".to_owned());
        return Err(TimelineError::Format { file: file.to_owned(), found: announced.format, program });
    }
    serde_json::from_slice(line).map_err(not_a_header)
}

/// How the next line ended.
enum Found {
    /// With a line feed, which was taken off.
    Line,
    /// Without one.
    Torn,
    /// There is none.
    End,
    /// Not within [`MAX_LINE`].
    TooLong,
}

fn read_whole_line(events: &mut BufReader<File>, line: &mut Vec<u8>) -> std::io::Result<Found> {
    line.clear();
    let length = events.by_ref().take(MAX_LINE as u64).read_until(b'\n', line)?;
    Ok(match line.pop() {
        None => Found::End,
        Some(b'\n') => Found::Line,
        Some(_) if length < MAX_LINE => Found::Torn,
        Some(_) => Found::TooLong,
    })
}
