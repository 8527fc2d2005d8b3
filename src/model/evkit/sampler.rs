//! The receiving half of a UART: makes bytes of the levels on a [`Wire`], at its own speed.
//!
//! It waits for a falling edge, looks at the line half a bit later (high: that was no start bit), then in the middle of each of eight data bits and of the
//! stop bit. A stop bit that is low is a framing error; the next character begins at the next falling edge, before which the line must have been
//! high. Where both ends have the same speed (to about 4 %), the bytes come out as they went in; else it gives what a real receiver would, by
//! the same rules. It looks at the line only up to the present, so that nothing depends on how the bytes were cut into chunks.

use std::time::Duration;

use super::wire::Wire;
use crate::baud::Baud;
use crate::time::MonoTime;

/// A character as the receiver took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sampled {
    /// When it was complete: ten of the receiver's bits after its falling edge (to the nanosecond the end of the sender's character, at the same speed).
    pub(super) at: MonoTime,
    /// Its data bits.
    pub(super) byte: u8,
    /// Its stop bit was low.
    pub(super) framing_error: bool,
    /// The speed at which it was sent.
    pub(super) sent_at: Baud,
}

/// A receiver.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// Falling edges before this are spent.
    from: MonoTime,
}

impl Sampler {
    /// Forgets the character that it is in the middle of and waits for the next falling edge after `now`: the receiver was reset, or its speed was set.
    pub(super) fn restart(&mut self, now: MonoTime) {
        self.from = now;
    }

    /// The next character that is complete by `now`, at `speed`.
    pub(super) fn next(&mut self, wire: &mut Wire, now: MonoTime, speed: Baud) -> Option<Sampled> {
        loop {
            let edge = wire.falling_edge(self.from)?;
            let at = wire.complete(edge, speed);
            if at > now {
                return None;
            }
            // The middle of bit n, rounded up to the nanosecond as all times on a wire are: a sample that falls on the border of two bits takes the later.
            let middle =
                |bit: u64| edge + Duration::from_nanos(((2 * bit + 1) * 1_000_000_000).div_ceil(2 * u64::from(speed.bits_per_second())));
            if let Some(byte) = wire.whole(edge, speed) {
                self.from = middle(9);
                return Some(Sampled { at, byte, framing_error: false, sent_at: speed });
            }
            if wire.level(middle(0)) {
                self.from = middle(0);
                continue;
            }
            let byte = (1..=8).fold(0, |byte, bit| byte | u8::from(wire.level(middle(bit))) << (bit - 1));
            self.from = middle(9);
            let sent_at = wire.speed_at(edge).unwrap_or(speed);
            return Some(Sampled { at, byte, framing_error: !wire.level(middle(9)), sent_at });
        }
    }

    /// The falling edge with which the next character may begin. `None` while the line is idle.
    pub(super) fn pending_edge(&self, wire: &mut Wire) -> Option<MonoTime> {
        wire.falling_edge(self.from)
    }

    /// When to look again for a character: none is complete before. `None` while the line is idle.
    pub(super) fn due(&self, wire: &mut Wire, speed: Baud) -> Option<MonoTime> {
        self.pending_edge(wire).map(|edge| wire.complete(edge, speed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn baud(speed: u32) -> Baud {
        Baud::new(speed).unwrap()
    }

    /// What a receiver at `receiver` makes of `bytes` sent at `sender`: each byte and whether it has a framing error.
    fn seen(sender: u32, receiver: u32, bytes: &[u8]) -> Vec<(u8, bool)> {
        let (mut wire, mut sampler) = (Wire::default(), Sampler::default());
        wire.send(MonoTime::from_ns(1000), baud(sender), bytes);
        let end = MonoTime::from_ns(10_000_000_000);
        std::iter::from_fn(|| sampler.next(&mut wire, end, baud(receiver))).map(|s| (s.byte, s.framing_error)).collect()
    }

    #[test]
    fn equal_speeds_give_the_bytes() {
        let all: Vec<u8> = (0..=255).collect();
        for (sender, receiver) in [(115_200, 115_200), (460_800, 460_800), (115_200, 117_500), (115_200, 112_900), (921_600, 903_200)] {
            let expected: Vec<(u8, bool)> = all.iter().map(|&byte| (byte, false)).collect();
            assert_eq!(seen(sender, receiver, &all), expected, "{sender} seen at {receiver}");
        }
    }

    // Worked by hand. One bit of the sender's at 460800 is a quarter of a bit at 115200.

    #[test]
    fn a_hotkey_at_460800_is_seen_at_115200_as_what_its_bits_are() {
        // 0xC5: 0 1010 0011 1, each a quarter of the receiver's bit. Half a bit after the edge is the beginning of the sender's bit 2 (low): a start
        // bit. The receiver's bit 1 is sampled at 6 quarters: the sender's bit 6 (low). Bit 2 at 10 quarters: idle. So 1111_1110, and a stop bit.
        assert_eq!(seen(460_800, 115_200, &[0xc5]), [(0xfe, false)]);
    }

    #[test]
    fn an_all_ones_byte_at_460800_is_no_start_bit_at_115200() {
        // Its one low quarter of a bit is over when the receiver looks.
        assert_eq!(seen(460_800, 115_200, &[0xff]), []);
    }

    #[test]
    fn two_nul_bytes_at_460800_are_seen_at_115200_as_one_character() {
        // Low for 9 quarters, high for 1, low for 9, then idle. Samples at 2, 6, 10, 14, 18, 22 … quarters: 0 (start), 0, 0, 0, 0, 1, 1 …
        assert_eq!(seen(460_800, 115_200, &[0, 0]), [(0xf0, false)]);
    }

    #[test]
    fn a_nul_byte_at_9600_is_seen_at_115200_as_a_break() {
        // Low for 9 x 12 = 108 of the receiver's bits: one NUL without a stop bit, then nothing until the line was high.
        assert_eq!(seen(9600, 115_200, &[0]), [(0, true)]);
    }

    #[test]
    fn a_byte_at_9600_gives_a_break_for_each_falling_edge_at_115200() {
        // 0x55: 0 1010 1010 1: five falling edges, each followed by 12 low bits.
        assert_eq!(seen(9600, 115_200, &[0x55]), [(0, true); 5]);
    }

    #[test]
    fn a_sender_at_half_the_speed_gives_two_bits_for_one() {
        // 0xC5 at 57600: start 00, 11, 00, 11, 00, 00, 00, 11, 11, stop. The first character is 0 | 0 11 00 11 0, stop 0: 0110_0110 with a framing error
        // (bits 1 to 8 of 00 11 00 11 00). The line is low until bit 14, high to the end: no further edge.
        assert_eq!(seen(57_600, 115_200, &[0xc5]), [(0b0110_0110, true)]);
    }

    #[test]
    fn a_character_is_complete_when_its_wire_time_has_passed() {
        let (mut wire, mut sampler) = (Wire::default(), Sampler::default());
        let start = MonoTime::from_ns(5000);
        wire.send(start, Baud::DEFAULT, b"ab");
        let end = start + Baud::DEFAULT.wire_time(1);
        assert_eq!(sampler.due(&mut wire, Baud::DEFAULT), Some(end));
        assert_eq!(sampler.next(&mut wire, end.minus(Duration::from_nanos(1)), Baud::DEFAULT), None);
        assert_eq!(
            sampler.next(&mut wire, end, Baud::DEFAULT),
            Some(Sampled { at: end, byte: b'a', framing_error: false, sent_at: Baud::DEFAULT })
        );
        assert_eq!(sampler.due(&mut wire, Baud::DEFAULT), Some(start + Baud::DEFAULT.wire_time(2)));
    }

    proptest! {
        #[test]
        fn what_is_seen_does_not_depend_on_when_it_is_looked_at(
            bytes in proptest::collection::vec(any::<u8>(), 1..60),
            speeds in (0_usize..8, 0_usize..8),
            looks in proptest::collection::vec(1_u64..2_000_000, 1..60),
        ) {
            let ladder = [9600, 19_200, 57_600, 115_200, 117_000, 230_400, 460_800, 921_600];
            let (sender, receiver) = (ladder[speeds.0], ladder[speeds.1]);
            let (mut wire, mut sampler) = (Wire::default(), Sampler::default());
            let start = MonoTime::from_ns(1000);
            let mut now = start;
            let mut left = bytes.as_slice();
            let mut pieces = Vec::new();
            for (index, look) in looks.iter().enumerate() {
                // Each chunk arrives while the one before is still on the wire, so that the line never idles.
                if now <= wire.free_at().max(start) {
                    let (chunk, rest) = left.split_at(left.len().min(1 + index % 5));
                    wire.send(now, baud(sender), chunk);
                    left = rest;
                }
                let next = (now + Duration::from_nanos(*look)).min(wire.free_at().max(now));
                now = next;
                pieces.extend(std::iter::from_fn(|| sampler.next(&mut wire, now, baud(receiver))));
                prop_assert!(pieces.iter().all(|sampled| sampled.at <= now));
            }
            wire.send(now, baud(sender), left);
            pieces.extend(std::iter::from_fn(|| sampler.next(&mut wire, MonoTime::from_ns(u64::MAX / 2), baud(receiver))));
            let pieces: Vec<(u8, bool)> = pieces.iter().map(|sampled| (sampled.byte, sampled.framing_error)).collect();
            prop_assert_eq!(pieces, seen(sender, receiver, &bytes));
        }
    }
}
