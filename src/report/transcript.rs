//! The transcript: what happened on the wire and around it, as lines that a person reads. Made in one pass over the events and in bounded memory:
//! the first lines are kept as they come, and of the rest only where the bytes of the last lines lie, so that a flood's middle is never read.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::escape;
use super::width::cut;
use crate::time::MonoTime;
use crate::timeline::event::{Bytes, Direction};
use crate::timeline::{Reader, TimelineError};

/// How much of the beginning of a transcript is kept, and how much of its end, in bytes of its text (a line may run over).
pub const TRANSCRIPT_LIMIT: usize = 32 * 1024;

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it began, counted from the start of the case. Bytes that were read: the return of the read that brought the line's first byte.
    pub at: Duration,
    /// What it shows.
    pub kind: LineKind,
    /// The bytes, visibly escaped ([`escape::bytes`]), or the words.
    pub text: String,
}

/// What a line of a transcript shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Bytes from the board.
    In,
    /// Bytes to the board.
    Out,
    /// What happened beside them, in words.
    Words,
}

impl From<Direction> for LineKind {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::In => Self::In,
            Direction::Out => Self::Out,
        }
    }
}

impl Line {
    /// What stands before its text: `+0.101234 s  <- `.
    #[must_use]
    pub fn prefix(&self) -> String {
        let arrow = match self.kind {
            LineKind::In => "<-",
            LineKind::Out => "->",
            LineKind::Words => "--",
        };
        format!("+{}.{:06} s  {arrow} ", self.at.as_secs(), self.at.subsec_micros())
    }
}

/// `+0.101234 s  <- OK\r\n`
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix(), self.text)
    }
}

/// A case as its wire and its steps show it. One line is `+0.101234 s  <- OK\r\n`: time from the start of the case, direction, bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// The first lines, each with a line feed.
    pub head: String,
    /// What stands between the first and the last lines.
    pub left_out: LeftOut,
    /// The last lines, each with a line feed; what is in `head` is not repeated.
    pub tail: String,
}

impl Transcript {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }
}

/// What a transcript does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Bytes of the streams.
    pub bytes: u64,
    /// Lines of words.
    pub words: u64,
}

impl LeftOut {
    /// Whether anything is.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }
}

/// `[9000 bytes and 3 other lines are left out here; the timeline has them]`
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes and {} other lines are left out here; the timeline has them]", self.bytes, self.words)
    }
}

/// A run of bytes of one event, or a line of words.
#[derive(Debug, Clone)]
enum Entry {
    Wire(Wire),
    Words { at: MonoTime, text: String },
}

/// The bytes of one event.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    at: MonoTime,
    end: MonoTime,
    direction: Direction,
    /// The stream, where it is not the board's port.
    stream: Option<Box<str>>,
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Wire {
    /// The bytes of an event that happened at `at`.
    pub(super) fn new(at: MonoTime, bytes: &Bytes) -> Self {
        Self {
            at,
            end: MonoTime::from_ns(bytes.to_ns),
            direction: bytes.direction,
            stream: (bytes.stream != "port").then(|| bytes.stream.as_str().into()),
            offset: bytes.offset,
            length: bytes.length as usize,
        }
    }
}

/// At least so many characters stand before a line's text.
const PREFIX: usize = "+0.000000 s  -- ".len();
/// A line shows at most so many bytes.
const LINE_BYTES: usize = 128;
/// A line of words shows at most so many columns.
const LINE_WORDS: usize = 512;
/// Bytes that come so long after those before them begin a line of their own.
const GAP: Duration = Duration::from_millis(10);
/// So many of the last lines of each direction are kept for a failure.
const LAST_LINES: usize = 5;

/// Makes the transcript of one case.
#[derive(Debug)]
pub(super) struct TranscriptBuilder {
    origin: MonoTime,
    head: Assembler,
    head_text: String,
    ring: VecDeque<Entry>,
    ring_weight: usize,
    left_out: LeftOut,
    last: [Recent; 2],
    buffer: Vec<u8>,
}

impl TranscriptBuilder {
    pub(super) fn new(origin: MonoTime) -> Self {
        Self {
            origin,
            head: Assembler::default(),
            head_text: String::new(),
            ring: VecDeque::new(),
            ring_weight: 0,
            left_out: LeftOut::default(),
            last: Default::default(),
            buffer: Vec::new(),
        }
    }

    /// Takes a line of words.
    pub(super) fn words(&mut self, at: MonoTime, text: &str) {
        let text = cut(&escape::text(text), LINE_WORDS).into_owned();
        if let Some(line) = self.head.flush() {
            self.push_head(&line);
        }
        if self.head_is_full() {
            self.push_ring(Entry::Words { at, text });
        } else {
            self.push_head(&Piece::words(at, text));
        }
    }

    /// Takes the bytes of an event that happened at `at`.
    pub(super) fn wire(&mut self, reader: &Reader, at: MonoTime, bytes: &Bytes) -> Result<(), TimelineError> {
        if bytes.length == 0 {
            return Ok(());
        }
        let mut wire = Wire::new(at, bytes);
        self.last[usize::from(wire.direction == Direction::Out)].push(wire.clone());
        if !self.head_is_full() {
            let taken = self.take_into_head(reader, &wire)?;
            wire.offset += taken as u64;
            wire.length -= taken;
        }
        if wire.length > 0 {
            self.push_ring(Entry::Wire(wire));
        }
        Ok(())
    }

    /// The last lines of both directions until now, in their order: at most five of each, and none before one that is left out, so that no answer is missing from a conversation. What was
    /// last sent is always among them, behind a line that says so.
    pub(super) fn last_lines(&self, reader: &Reader) -> Result<Vec<Line>, TimelineError> {
        let mut wires: Vec<_> = self.last.iter().flat_map(|recent| &recent.wires).collect();
        // Bytes are appended to their file as they happen.
        wires.sort_by_key(|wire| wire.offset);
        let (mut assembler, mut buffer, mut pieces) = (Assembler::default(), Vec::new(), Vec::new());
        for wire in wires {
            reader.bytes_into(wire.offset, wire.length, &mut buffer)?;
            pieces.extend(assembler.begin(wire));
            pieces.extend(buffer.iter().filter_map(|&byte| assembler.byte(wire, byte)));
        }
        pieces.extend(assembler.flush());
        let pieces = once_each(pieces);
        let mut shown = [0; 2];
        let mut lines = Vec::new();
        let mut is_whole = true;
        for piece in pieces.into_iter().rev() {
            if piece.kind == LineKind::Words {
                if is_whole {
                    lines.push(piece.line(self.origin));
                }
                continue;
            }
            let shown = &mut shown[usize::from(piece.kind == LineKind::Out)];
            if is_whole && *shown == LAST_LINES {
                is_whole = false;
            }
            if !is_whole {
                if *shown > 0 {
                    continue;
                }
                lines.push(Line { at: piece.at.since(self.origin), kind: LineKind::Words, text: "some lines are left out".to_owned() });
            }
            *shown += 1;
            lines.push(piece.line(self.origin));
        }
        lines.reverse();
        Ok(lines)
    }

    /// The transcript, when all has been taken.
    pub(super) fn finish(mut self, reader: &Reader) -> Result<Transcript, TimelineError> {
        if let Some(line) = self.head.flush() {
            self.push_head(&line);
        }
        let mut tail = Tail { origin: self.origin, lines: VecDeque::new(), length: 0, left_out: self.left_out };
        let mut assembler = Assembler::default();
        for entry in &self.ring {
            match entry {
                Entry::Words { at, text } => {
                    tail.extend(assembler.flush());
                    tail.extend(Some(Piece::words(*at, text.clone())));
                }
                Entry::Wire(wire) => {
                    reader.bytes_into(wire.offset, wire.length, &mut self.buffer)?;
                    tail.extend(assembler.begin(wire));
                    for &byte in &self.buffer {
                        tail.extend(assembler.byte(wire, byte));
                    }
                }
            }
        }
        tail.extend(assembler.flush());
        let text = tail.lines.into_iter().map(|(line, _)| line).collect();
        Ok(Transcript { head: self.head_text, left_out: tail.left_out, tail: text })
    }

    fn head_is_full(&self) -> bool {
        self.head_text.len() >= TRANSCRIPT_LIMIT
    }

    fn push_head(&mut self, piece: &Piece) {
        push_line(&mut self.head_text, &piece.line(self.origin));
    }

    /// Takes as many bytes as the head has room for, and returns how many.
    fn take_into_head(&mut self, reader: &Reader, wire: &Wire) -> Result<usize, TimelineError> {
        reader.bytes_into(wire.offset, wire.length, &mut self.buffer)?;
        let buffer = std::mem::take(&mut self.buffer);
        let mut taken = buffer.len();
        if let Some(piece) = self.head.begin(wire) {
            self.push_head(&piece);
        }
        if self.head_is_full() {
            taken = 0;
        } else {
            for (index, &byte) in buffer.iter().enumerate() {
                let Some(piece) = self.head.byte(wire, byte) else { continue };
                self.push_head(&piece);
                if self.head_is_full() {
                    // The byte that ended the line may have begun the next, which belongs to the end.
                    taken = index + 1 - self.head.bytes.len();
                    self.head.bytes.clear();
                    break;
                }
            }
        }
        self.buffer = buffer;
        Ok(taken)
    }

    /// Keeps the entry, and lets go of those before it that the last [`TRANSCRIPT_LIMIT`] bytes of text cannot reach back to.
    fn push_ring(&mut self, entry: Entry) {
        self.ring_weight += weight(&entry);
        self.ring.push_back(entry);
        while let Some(front) = self.ring.front() {
            let rest = self.ring_weight - weight(front);
            if rest < TRANSCRIPT_LIMIT {
                break;
            }
            self.ring_weight = rest;
            match self.ring.pop_front() {
                Some(Entry::Wire(wire)) => self.left_out.bytes += wire.length as u64,
                Some(Entry::Words { .. }) => self.left_out.words += 1,
                None => break,
            }
        }
    }
}

/// The last bytes of one direction: enough for [`LAST_LINES`] full lines.
#[derive(Debug, Default)]
struct Recent {
    wires: VecDeque<Wire>,
    length: usize,
}

impl Recent {
    const ENOUGH: usize = (LAST_LINES + 1) * LINE_BYTES;

    fn push(&mut self, mut wire: Wire) {
        let surplus = wire.length.saturating_sub(Self::ENOUGH);
        wire.offset += surplus as u64;
        wire.length -= surplus;
        self.length += wire.length;
        self.wires.push_back(wire);
        while let Some(front) = self.wires.front()
            && self.length - front.length >= Self::ENOUGH
        {
            self.length -= front.length;
            self.wires.pop_front();
        }
    }
}

/// The least that an entry adds to the text.
const fn weight(entry: &Entry) -> usize {
    match entry {
        Entry::Wire(wire) => wire.length,
        Entry::Words { text, .. } => PREFIX + text.len(),
    }
}

fn push_line(text: &mut String, line: &Line) {
    use fmt::Write;
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

/// A line with what it was made of.
#[derive(Debug)]
pub(super) struct Piece {
    at: MonoTime,
    kind: LineKind,
    pub(super) text: String,
    /// How many bytes of a stream it shows.
    pub(super) bytes: u64,
}

impl Piece {
    fn words(at: MonoTime, text: String) -> Self {
        Self { at, kind: LineKind::Words, text, bytes: 0 }
    }

    /// Whether it shows the same, at another time.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }

    pub(super) fn line(&self, origin: MonoTime) -> Line {
        Line { at: self.at.since(origin), kind: self.kind, text: self.text.clone() }
    }
}

/// The same, but of what is sent and comes back three times or more only the first time, and behind it a line that says so.
fn once_each(mut all: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::with_capacity(all.len());
    while let [out, back, ..] = &all[..] {
        let is_pair = out.kind == LineKind::Out && back.kind == LineKind::In;
        let same = all.chunks_exact(2).take_while(|pair| is_pair && pair[0].is_like(out) && pair[1].is_like(back)).count();
        if same < 3 {
            kept.push(all.remove(0));
            continue;
        }
        let until = all[2 * same - 1].at;
        kept.extend(all.drain(..2 * same).take(2));
        kept.push(Piece::words(until, "the same again and again until here".to_owned()));
    }
    kept.append(&mut all);
    kept
}

/// The last lines, as many as fit.
#[derive(Debug)]
struct Tail {
    origin: MonoTime,
    lines: VecDeque<(String, u64)>,
    length: usize,
    left_out: LeftOut,
}

impl Tail {
    fn extend(&mut self, piece: Option<Piece>) {
        let Some(piece) = piece else { return };
        let mut line = String::new();
        push_line(&mut line, &piece.line(self.origin));
        self.length += line.len();
        self.lines.push_back((line, piece.bytes));
        while self.length > TRANSCRIPT_LIMIT
            && let Some((line, bytes)) = self.lines.pop_front()
        {
            self.length -= line.len();
            self.left_out.bytes += bytes;
            self.left_out.words += u64::from(bytes == 0);
        }
    }
}

/// Joins bytes into lines: a line ends after a line feed, after a carriage return that no line feed follows, at 128 bytes, and where the direction changes or
/// nothing came for 10 ms. A line that holds only line ends waits for what follows it, so that `\r\nOK\r\n` is one.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    at: MonoTime,
    end: MonoTime,
    direction: Option<Direction>,
    stream: Option<Box<str>>,
}

impl Assembler {
    /// Called before the bytes of `wire`; returns the line that cannot go on with them.
    pub(super) fn begin(&mut self, wire: &Wire) -> Option<Piece> {
        let goes_on = self.direction == Some(wire.direction) && self.stream == wire.stream && wire.at.since(self.end) < GAP;
        let line = if goes_on { None } else { self.flush() };
        self.end = wire.end;
        line
    }

    /// Takes the next byte of `wire`; returns the line that it ends, or that ended before it.
    pub(super) fn byte(&mut self, wire: &Wire, byte: u8) -> Option<Piece> {
        let ended = if self.bytes.ends_with(b"\r") && byte != b'\n' && self.has_content() { self.flush() } else { None };
        if self.bytes.is_empty() {
            self.at = wire.at;
            self.direction = Some(wire.direction);
            self.stream.clone_from(&wire.stream);
        }
        self.bytes.push(byte);
        if ended.is_none() && (self.bytes.len() >= LINE_BYTES || (byte == b'\n' && self.has_content())) {
            return self.flush();
        }
        ended
    }

    /// Ends the line.
    pub(super) fn flush(&mut self) -> Option<Piece> {
        let kind = self.direction?.into();
        if self.bytes.is_empty() {
            return None;
        }
        let mut text = String::with_capacity(self.bytes.len());
        if let Some(stream) = &self.stream {
            text.push_str(&escape::text(stream));
            text.push_str(": ");
        }
        escape::push_bytes(&mut text, &self.bytes);
        let bytes = self.bytes.len() as u64;
        self.bytes.clear();
        Some(Piece { at: self.at, kind, text, bytes })
    }

    fn has_content(&self) -> bool {
        self.bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }
}
