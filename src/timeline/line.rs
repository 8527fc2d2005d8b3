//! An event as one line of `events.jsonl`: `{"seq":…,"t_ns":…,"kind":"…","source":"…","step":…,"data":{…}}`.

use std::borrow::Cow;
use std::io::Write;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::event::{Direction, Event, EventKind, Source};
use crate::seam::Mark;
use crate::time::MonoTime;

/// The part of a line that every kind has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope {
    pub(super) seq: u64,
    pub(super) t: MonoTime,
    pub(super) source: Source,
    pub(super) step: Option<u16>,
}

/// Appends one whole line to `out`, its data written by `data`. `kind` is one of [`EventKind::NAMES`], which need no escaping.
pub(super) fn write_line(
    out: &mut Vec<u8>,
    envelope: Envelope,
    kind: &'static str,
    data: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    let Envelope { seq, t, source, step } = envelope;
    write!(out, r#"{{"seq":{seq},"t_ns":{},"kind":"{kind}","source":"#, t.as_ns()).map_err(serde_json::Error::io)?;
    serde_json::to_writer(&mut *out, &source)?;
    if let Some(step) = step {
        write!(out, r#","step":{step}"#).map_err(serde_json::Error::io)?;
    }
    out.extend_from_slice(br#","data":"#);
    data(out)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// [`Bytes`](super::event::Bytes) without what it owns, so that recording a read allocates nothing.
#[derive(Serialize)]
pub(super) struct BorrowedBytes<'a> {
    pub(super) stream: &'a str,
    pub(super) direction: Direction,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) planned_ns: Option<u64>,
    #[serde(skip_serializing_if = "Marks::is_empty")]
    pub(super) marks: Marks<'a>,
}

impl BorrowedBytes<'_> {
    /// The name of [`EventKind::Bytes`], which a constant cannot ask a value that owns text for.
    pub(super) const KIND: &'static str = "bytes";
}

/// Marks of a read from its byte `base` on, written as index and kind.
pub(super) struct Marks<'a> {
    pub(super) marks: &'a [Mark],
    pub(super) base: usize,
}

impl Marks<'_> {
    fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

impl Serialize for Marks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.marks.len()))?;
        for mark in self.marks {
            list.serialize_element(&(mark.offset - self.base, mark.kind))?;
        }
        list.end()
    }
}

/// What a line turned out to be.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The event's number.
    pub(super) seq: u64,
    /// The event; `None` when this version does not know its kind.
    pub(super) event: Option<Event>,
}

/// Reads one line (without its line feed).
pub(super) fn read_line(line: &str) -> serde_json::Result<Parsed> {
    /// `source` stays unread until the kind is known: a later version may have sources of its own for its own kinds.
    #[derive(Deserialize)]
    struct Line<'a> {
        seq: u64,
        t_ns: u64,
        #[serde(borrow)]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        source: &'a RawValue,
        #[serde(default)]
        step: Option<u16>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let line: Line<'_> = serde_json::from_str(line)?;
    let Some(kind) = EventKind::read_data(&line.kind, line.data) else {
        return Ok(Parsed { seq: line.seq, event: None });
    };
    let source = serde_json::from_str(line.source.get())?;
    let event = Event { seq: line.seq, t: MonoTime::from_ns(line.t_ns), source, step: line.step, kind: kind? };
    Ok(Parsed { seq: line.seq, event: Some(event) })
}
