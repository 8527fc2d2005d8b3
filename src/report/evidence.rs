//! The events that prove something, as whole lines: of a read that brought a piece of a line, the line. What went over the wire at another speed than the board's own says at which.

use std::collections::VecDeque;

use super::case_report::in_words;
use super::escape;
use super::transcript::{Assembler, Line, LineKind, Wire};
use super::width::{columns, cut};
use crate::baud::Baud;
use crate::time::MonoTime;
use crate::timeline::event::{Case, Direction, EventKind, Verdict};
use crate::timeline::{Reader, TimelineError};

/// At most so many pieces of evidence are shown.
const MOST: usize = 5;
/// So many of them from the beginning, where there are more.
const FIRST: usize = 2;
/// A line of evidence shows at most so many columns of text.
const COLUMNS: usize = 240;
/// So many reads and writes before and behind a piece may belong to its line.
const AROUND: usize = 64;

/// A read or write that proves something, among those around it.
struct Piece {
    seq: u64,
    /// The port's speed, where that is not the board's own.
    at: Option<Baud>,
    wires: Vec<(u64, Wire)>,
    /// How many are still missing behind it.
    missing: usize,
}

/// The lines that `verdict` names as its proof, of its diagnosis where it has one; at most five events.
///
/// # Errors
/// [`TimelineError`] when the timeline cannot be read.
pub(super) fn read(mut reader: Reader, case: &Case, origin: MonoTime, verdict: &Verdict) -> Result<Vec<Line>, TimelineError> {
    let diagnosed = verdict.diagnosis.as_ref().map(|diagnosis| &diagnosis.evidence).filter(|evidence| !evidence.is_empty());
    let mut wanted = diagnosed.unwrap_or(&verdict.evidence).clone();
    wanted.sort_unstable();
    wanted.dedup();
    // What decided came first or last, and what a probe brought is last.
    let surplus = wanted.len().saturating_sub(MOST);
    if surplus > 0 {
        wanted.drain(FIRST..FIRST + surplus);
    }
    let Some(&last) = wanted.last() else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    let mut recent: VecDeque<(u64, Wire)> = VecDeque::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = None;
    while let Some(event) = reader.next().transpose()? {
        if event.seq > last && pieces.iter().all(|piece| piece.missing == 0) {
            break;
        }
        let is_wanted = wanted.binary_search(&event.seq).is_ok();
        if let EventKind::Speed(speed) = &event.kind {
            at = Some(speed.actual).filter(|actual| Some(*actual) != case.home_speed);
        }
        match &event.kind {
            EventKind::Bytes(bytes) => {
                let wire = Wire::new(event.t, bytes);
                // What is written is written whole.
                let around = if bytes.direction == Direction::In { AROUND } else { 0 };
                for piece in pieces.iter_mut().filter(|piece| piece.missing > 0) {
                    piece.wires.push((event.seq, wire.clone()));
                    piece.missing -= 1;
                }
                recent.push_back((event.seq, wire));
                if recent.len() > AROUND {
                    recent.pop_front();
                }
                if is_wanted {
                    let before = recent.len().saturating_sub(around + 1);
                    pieces.push(Piece { seq: event.seq, at, wires: recent.iter().skip(before).cloned().collect(), missing: around });
                }
            }
            kind if is_wanted => {
                let words = in_words(kind, event.step, case).unwrap_or_else(|| kind.name().to_owned());
                lines.push((
                    event.seq,
                    Line { at: event.t.since(origin), kind: LineKind::Words, text: whole(escape::text(&words).into_owned()) },
                ));
            }
            _ => {}
        }
    }
    for piece in &pieces {
        let line = line_of(&reader, piece, origin)?;
        // Two reads of one line prove it once.
        if let Some(line) = line.filter(|line| !lines.iter().any(|(_, other)| other == line)) {
            lines.push((piece.seq, line));
        }
    }
    lines.sort_by_key(|(seq, _)| *seq);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// The line, or the lines, of which a piece is a part.
fn line_of(reader: &Reader, piece: &Piece, origin: MonoTime) -> Result<Option<Line>, TimelineError> {
    let (mut assembler, mut buffer) = (Assembler::default(), Vec::new());
    let mut assembled = Vec::new();
    // The bytes of the piece, counted over all that are around it.
    let (mut count, mut from, mut to) = (0, 0, 0);
    for (seq, wire) in &piece.wires {
        reader.bytes_into(wire.offset, wire.length, &mut buffer)?;
        if *seq == piece.seq {
            (from, to) = (count, count + wire.length);
        }
        count += wire.length;
        assembled.extend(assembler.begin(wire));
        assembled.extend(buffer.iter().filter_map(|&byte| assembler.byte(wire, byte)));
    }
    assembled.extend(assembler.flush());
    let mut line: Option<Line> = None;
    let mut begin = 0;
    for part in assembled {
        let end = begin + usize::try_from(part.bytes).unwrap_or(usize::MAX);
        if begin < to && from < end {
            match &mut line {
                Some(line) => line.text.push_str(&part.text),
                None => line = Some(part.line(origin)),
            }
        }
        begin = end;
    }
    let at = piece.at.map_or_else(String::new, |at| format!("  (at {at} baud)"));
    Ok(line.map(|line| Line { text: whole(line.text) + &at, ..line }))
}

/// A text that is shown whole, unless it is very long.
fn whole(text: String) -> String {
    if columns(&text) <= COLUMNS { text } else { format!("{} (the timeline has all of it)", cut(&text, COLUMNS)) }
}
