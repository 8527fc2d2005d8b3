//! Decoding what a terminal with `PARMRK` gives: `FF FF` is the byte FF, `FF 00 b` the byte b with a framing or parity error, `FF 00 00` a break.
//!
//! (termios(3), `PARMRK`.) A marked NUL and a break look the same there; both come out as [`MarkKind::Break`]. The sequences may be cut anywhere by a read.

use std::ops::Range;

use crate::seam::{Mark, MarkKind};

/// What of a sequence has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Seen {
    #[default]
    Nothing,
    /// `FF`
    Escape,
    /// `FF 00`
    EscapeNul,
}

/// Decodes in place, read by read. Nothing is allocated but room for marks.
#[derive(Debug, Default)]
pub struct MarkDecoder {
    seen: Seen,
}

impl MarkDecoder {
    /// Room that the caller leaves free before the bytes of each read: what a sequence begun in the read before can add.
    pub const HEADROOM: usize = 1;

    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the last read ended within a sequence: its first bytes have been read and are not in what was returned.
    #[must_use]
    pub fn is_within_sequence(&self) -> bool {
        self.seen != Seen::Nothing
    }

    /// Decodes one read. `buffer` holds [`MarkDecoder::HEADROOM`] bytes of room and then the bytes as they were read. Returns
    /// where in it the decoded bytes lie, and puts the marks among them in `marks` (cleared first).
    pub fn decode(&mut self, buffer: &mut [u8], marks: &mut Vec<Mark>) -> Range<usize> {
        marks.clear();
        // Text has no FF: one search (a word at a time, in the standard library), and nothing is moved.
        if self.seen == Seen::Nothing && !buffer[Self::HEADROOM..].contains(&0xFF) {
            return Self::HEADROOM..buffer.len();
        }
        let mut end = 0;
        for next in Self::HEADROOM..buffer.len() {
            let byte = buffer[next];
            match (self.seen, byte) {
                (Seen::Nothing, 0xFF) => self.seen = Seen::Escape,
                (Seen::Nothing, _) => end = put(buffer, end, byte),
                (Seen::Escape, 0xFF) => {
                    end = put(buffer, end, 0xFF);
                    self.seen = Seen::Nothing;
                }
                (Seen::Escape, 0x00) => self.seen = Seen::EscapeNul,
                // No terminal with PARMRK sends this; somebody took the mode away, so both are bytes of the board's.
                (Seen::Escape, _) => {
                    end = put(buffer, end, 0xFF);
                    end = put(buffer, end, byte);
                    self.seen = Seen::Nothing;
                }
                (Seen::EscapeNul, _) => {
                    marks.push(Mark { offset: end, kind: if byte == 0 { MarkKind::Break } else { MarkKind::Framing } });
                    end = put(buffer, end, byte);
                    self.seen = Seen::Nothing;
                }
            }
        }
        0..end
    }
}

/// Puts one decoded byte at `end`. The byte read before it lies at `end + HEADROOM` or later, so nothing unread is overwritten.
fn put(buffer: &mut [u8], end: usize, byte: u8) -> usize {
    buffer[end] = byte;
    end + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a terminal sees: a byte in order, one with a framing error, a break.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Seen {
        Good(u8),
        Framing(u8),
        Break,
    }

    fn encode(seen: &[Seen]) -> Vec<u8> {
        let mut out = Vec::new();
        for one in seen {
            match *one {
                Seen::Good(0xFF) => out.extend([0xFF, 0xFF]),
                Seen::Good(byte) => out.push(byte),
                Seen::Framing(byte) => out.extend([0xFF, 0x00, byte]),
                Seen::Break => out.extend([0xFF, 0x00, 0x00]),
            }
        }
        out
    }

    /// Decodes the reads and gives back what was seen.
    fn decode<'a>(reads: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, MarkDecoder) {
        let (mut decoder, mut marks, mut all) = (MarkDecoder::new(), Vec::new(), Vec::new());
        for read in reads {
            let mut buffer = vec![0xEE; MarkDecoder::HEADROOM];
            buffer.extend_from_slice(read);
            let bytes = decoder.decode(&mut buffer, &mut marks);
            let bytes = &buffer[bytes];
            let mut marked = marks.iter().peekable();
            for (index, byte) in bytes.iter().enumerate() {
                all.push(match marked.next_if(|mark| mark.offset == index) {
                    None => Seen::Good(*byte),
                    Some(Mark { kind: MarkKind::Framing, .. }) => Seen::Framing(*byte),
                    Some(Mark { kind: MarkKind::Break, .. }) => {
                        assert_eq!(*byte, 0);
                        Seen::Break
                    }
                });
            }
            assert!(marked.next().is_none(), "a mark without its byte");
        }
        (all, decoder)
    }

    #[test]
    fn text_passes_untouched() {
        assert_eq!(decode([b"OK\r\n\0\xFE".as_slice()]).0, b"OK\r\n\0\xFE".map(Seen::Good));
    }

    #[test]
    fn a_sequence_cut_by_reads_is_one_byte() {
        let (seen, _) = decode([b"a\xFF".as_slice(), b"\xFFb\xFF", b"\x00", b"\x00c\xFF\x00", b"\x9A"]);
        assert_eq!(seen, [Seen::Good(b'a'), Seen::Good(0xFF), Seen::Good(b'b'), Seen::Break, Seen::Good(b'c'), Seen::Framing(0x9A)]);
    }

    #[test]
    fn a_marked_ff_is_one_framing_error() {
        assert_eq!(decode([b"\xFF\x00\xFF\xFF\xFF".as_slice()]).0, [Seen::Framing(0xFF), Seen::Good(0xFF)]);
    }

    #[test]
    fn a_single_ff_of_a_terminal_that_lost_the_mode_is_kept() {
        assert_eq!(decode([b"\xFF".as_slice(), b"ab"]).0, [Seen::Good(0xFF), Seen::Good(b'a'), Seen::Good(b'b')]);
    }

    #[test]
    fn a_read_that_ends_within_a_sequence_says_so() {
        assert!(decode([b"a\xFF".as_slice()]).1.is_within_sequence());
        assert!(decode([b"a\xFF\x00".as_slice()]).1.is_within_sequence());
        assert!(!decode([b"a\xFF\x00\x01".as_slice()]).1.is_within_sequence());
    }

    fn any_seen() -> impl Strategy<Value = Seen> {
        // The bytes that mean something in a sequence come often.
        let byte = prop_oneof![Just(0xFF_u8), Just(0x00), any::<u8>()];
        prop_oneof![
            4 => byte.clone().prop_map(Seen::Good),
            1 => byte.prop_filter("a marked NUL is a break", |byte| *byte != 0).prop_map(Seen::Framing),
            1 => Just(Seen::Break),
        ]
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding_wherever_reads_cut(
            seen in prop::collection::vec(any_seen(), 0..200),
            cuts in prop::collection::vec(1_usize..20, 1..50),
        ) {
            let wire = encode(&seen);
            let (mut reads, mut rest, mut cuts) = (Vec::new(), wire.as_slice(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (read, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                reads.push(read);
                rest = after;
            }
            let (decoded, decoder) = decode(reads);
            prop_assert_eq!(decoded, seen);
            prop_assert!(!decoder.is_within_sequence());
        }
    }
}
