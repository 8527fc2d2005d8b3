//! What came from a stream and no step has taken yet, with the times of its reads.
//!
//! The cursor is the front of the inbox: a step sees only what lies behind it. Memory is bounded: of more than [`LIMIT`] bytes that nobody takes, the oldest are let
//! go here (they stay in the timeline), and that is counted; of more than [`READS_LIMIT`] reads, the oldest are told apart less finely.

use std::collections::VecDeque;

use crate::time::MonoTime;

/// The most bytes that are held for steps to come.
pub const LIMIT: usize = 1 << 20;

/// The most reads whose times are held: a board that is read byte by byte needs forty times as much for the times as for the bytes.
pub const READS_LIMIT: usize = 1 << 16;

/// How far behind the cursor the times of reads are remembered, in bytes: a match's first byte may lie so far back.
const HISTORY: u64 = 1 << 20;

/// One read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// The event that records it.
    pub seq: u64,
    /// When the stream was last seen empty before.
    pub since: MonoTime,
    /// When the read ended.
    pub at: MonoTime,
    /// Position of its first byte in the stream, counted from the stream's start.
    start: u64,
    /// Position behind its last byte.
    end: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Inbox {
    data: Vec<u8>,
    /// Index in `data` of the cursor.
    head: usize,
    /// Position in the stream of the cursor.
    position: u64,
    /// Reads that hold the cursor or lie behind or shortly before it.
    reads: VecDeque<Read>,
    lost: u64,
    cuts: u64,
}

impl Inbox {
    /// Appends what one read brought.
    pub fn push(&mut self, seq: u64, since: MonoTime, at: MonoTime, bytes: &[u8]) {
        if self.head > 0 && self.head >= self.data.len() / 2 {
            self.data.drain(..self.head);
            self.head = 0;
        }
        let start = self.position + self.len() as u64;
        self.reads.push_back(Read { seq, since, at, start, end: start + bytes.len() as u64 });
        self.data.extend_from_slice(bytes);
        if self.len() > LIMIT {
            self.let_go(self.len() - LIMIT);
        }
        self.forget_old_reads();
        if self.reads.len() > READS_LIMIT {
            self.join_oldest_reads();
        }
    }

    fn let_go(&mut self, count: usize) {
        self.lost += count as u64;
        self.advance(count);
    }

    /// Joins the older half of the reads two by two: the bytes came after the first one's `since` and not after the second one's `at`.
    fn join_oldest_reads(&mut self) {
        let newer = self.reads.split_off(READS_LIMIT / 2);
        let mut joined = VecDeque::with_capacity(READS_LIMIT + 1);
        let mut older = self.reads.drain(..);
        while let Some(first) = older.next() {
            let second = older.next().unwrap_or(first);
            joined.push_back(Read { seq: second.seq, since: first.since, at: second.at, start: first.start, end: second.end });
        }
        drop(older);
        joined.extend(newer);
        self.reads = joined;
    }

    /// Bytes behind the cursor.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() - self.head
    }

    /// Whether nothing lies behind the cursor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that were let go since the cursor was last moved: a step that begins now cannot see them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Position of the cursor in the stream.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes have come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.position + self.len() as u64
    }

    /// The next bytes behind the cursor that came in one read, with that read; `None` when there are none. Does not move the cursor.
    #[must_use]
    pub fn front(&self) -> Option<(Read, &[u8])> {
        if self.is_empty() {
            return None;
        }
        let read = self.read_at(self.position)?;
        let length = usize::try_from(read.end - self.position).ok()?.min(self.len());
        Some((read, &self.data[self.head..self.head + length]))
    }

    /// The last bytes behind the cursor, at most `limit` of them.
    #[must_use]
    pub fn tail(&self, limit: usize) -> &[u8] {
        &self.data[self.head.max(self.data.len().saturating_sub(limit))..]
    }

    /// Moves the cursor over `count` bytes.
    pub fn take(&mut self, count: usize) {
        self.lost = 0;
        self.advance(count);
    }

    fn advance(&mut self, count: usize) {
        let count = count.min(self.len());
        self.head += count;
        self.position += count as u64;
        if self.head == self.data.len() {
            self.data.clear();
            self.head = 0;
        }
        self.forget_old_reads();
    }

    /// Moves the cursor behind everything that has come.
    pub fn clear(&mut self) {
        self.take(self.len());
    }

    /// The same where nothing that came before can belong to what comes now, also for whoever has taken a part of it.
    pub fn cut(&mut self) {
        self.clear();
        self.cuts += 1;
    }

    /// How often what comes was cut off from what came.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.cuts
    }

    /// The read that brought the byte at `position`, as far back as the history goes.
    #[must_use]
    pub fn read_at(&self, position: u64) -> Option<Read> {
        let index = self.reads.partition_point(|read| read.end <= position);
        self.reads.get(index).copied().filter(|read| read.start <= position)
    }

    fn forget_old_reads(&mut self) {
        while self.reads.front().is_some_and(|read| read.end + HISTORY < self.position) {
            self.reads.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> MonoTime {
        MonoTime::from_ns(ns)
    }

    #[test]
    fn front_ends_where_its_read_ends() {
        let mut inbox = Inbox::default();
        inbox.push(1, at(0), at(10), b"abc");
        inbox.push(2, at(10), at(20), b"de");
        inbox.take(1);
        let (read, bytes) = inbox.front().unwrap();
        assert_eq!((read.seq, bytes), (1, &b"bc"[..]));
        inbox.take(2);
        let (read, bytes) = inbox.front().unwrap();
        assert_eq!((read.seq, bytes), (2, &b"de"[..]));
        assert_eq!(inbox.read_at(0).unwrap().seq, 1, "reads shortly before the cursor are remembered");
        inbox.clear();
        assert!(inbox.front().is_none());
    }

    #[test]
    fn a_flood_that_nobody_takes_stays_bounded_and_is_counted() {
        let mut inbox = Inbox::default();
        let chunk = vec![b'x'; 60_000];
        for seq in 0..100 {
            inbox.push(seq, at(seq), at(seq), &chunk);
        }
        assert_eq!(inbox.len(), LIMIT);
        assert_eq!(inbox.lost(), 6_000_000 - LIMIT as u64);
        inbox.take(1);
        assert_eq!(inbox.lost(), 0, "who moves the cursor has seen what lies there");
        assert!(inbox.reads.len() < 45, "{} reads are remembered", inbox.reads.len());
        assert!(inbox.data.capacity() < 4 * LIMIT);
    }

    #[test]
    fn a_flood_of_single_bytes_keeps_every_byte_and_the_latest_times() {
        let mut inbox = Inbox::default();
        for seq in 1..=300_000_u64 {
            inbox.push(seq, at(seq - 1), at(seq), &[b'a' + (seq % 7) as u8]);
        }
        assert_eq!((inbox.len(), inbox.lost()), (300_000, 0));
        assert!(inbox.reads.len() <= READS_LIMIT, "{} reads are remembered", inbox.reads.len());
        let last = inbox.read_at(299_999).unwrap();
        assert_eq!((last.seq, last.since, last.at), (300_000, at(299_999), at(300_000)));
        let (first, bytes) = inbox.front().unwrap();
        assert_eq!((first.since, bytes[0]), (at(0), b'b'));
        assert_eq!(first.at, at(first.seq), "what was joined came before its last read ended");
    }
}
