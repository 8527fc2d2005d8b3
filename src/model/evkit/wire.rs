//! One direction of a serial line as the sender drives it: characters with their times, from which the level at any moment follows.
//!
//! A character is a start bit (low), eight data bits (the lowest first) and a stop bit (high); the idle line is high. The sender alone decides the
//! lengths of its bits; what a receiver makes of them is the affair of [`super::sampler`].

use std::collections::VecDeque;

use crate::baud::Baud;
use crate::time::{MonoTime, duration_ns};

/// Bits of a character: start, eight data bits, stop.
const BITS: u64 = 10;

/// A character on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Character {
    /// When its start bit begins.
    pub(super) start: MonoTime,
    /// The sender's speed.
    pub(super) speed: Baud,
    /// Its data bits.
    pub(super) byte: u8,
    /// When its stop bit ends: where the next one of its burst begins.
    end: MonoTime,
    /// The line is low for all of its bits, the stop bit as well: a break.
    is_break: bool,
    /// The line is high from here on, whatever the bits say: the sender was reset in its middle.
    cut: MonoTime,
}

impl Character {
    /// When a receiver at `speed` that took its start bit for a start bit has all of it: at its end, for one of the same speed.
    pub(super) fn complete(&self, speed: Baud) -> MonoTime {
        if speed == self.speed && !self.is_break { self.end } else { self.start + speed.wire_time(1) }
    }

    /// Bit `index` as a level: true for high.
    fn bit(&self, index: u64) -> bool {
        match index {
            0 => false,
            1..=8 => self.byte >> (index - 1) & 1 == 1,
            _ => index >= BITS || !self.is_break,
        }
    }

    fn level(&self, at: MonoTime) -> bool {
        // Whole bits since the start, exactly: no rounding of a bit's length piles up.
        let bits = u128::from(duration_ns(at.since(self.start))) * u128::from(self.speed.bits_per_second()) / 1_000_000_000;
        at >= self.cut || u64::try_from(bits).map_or(true, |bit| self.bit(bit))
    }

    /// The first falling edge in this character at or after `from`.
    fn falling_edge(&self, from: MonoTime) -> Option<MonoTime> {
        if from <= self.start {
            return (self.start < self.cut).then_some(self.start);
        }
        // Before the start bit the line is high: a stop bit or idle.
        let edges = (0..BITS).filter(|&bit| !self.bit(bit) && (bit == 0 || self.bit(bit - 1)));
        edges.map(|bit| self.start + self.speed.bits_time(bit)).find(|&edge| edge >= from && edge < self.cut)
    }
}

/// Characters that have left or will leave a sender, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Wire {
    characters: VecDeque<Character>,
    /// The burst that is being sent: when it began, at which speed, how many characters it has. Times are counted from its beginning, so
    /// that they agree to the nanosecond with [`Baud::wire_time`] of the whole burst, however it was cut into chunks.
    burst: Option<(MonoTime, Baud, u64)>,
}

impl Wire {
    /// Sends `bytes` at `speed`, at `now` or behind what is still being sent.
    pub(super) fn send(&mut self, now: MonoTime, speed: Baud, bytes: &[u8]) {
        for &byte in bytes {
            let free = self.free_at();
            let (begin, count) = match self.burst {
                Some((begin, burst_speed, count)) if burst_speed == speed && free >= now => (begin, count),
                _ => (free.max(now), 0),
            };
            let (start, end) = (begin + speed.wire_time(count), begin + speed.wire_time(count + 1));
            self.characters.push_back(Character { start, speed, byte, end, is_break: false, cut: MonoTime::FAR_FUTURE });
            self.burst = Some((begin, speed, count + 1));
        }
    }

    /// Holds the line low for a character's time, and high for another one, at `now` or behind what is still being sent.
    pub(super) fn send_break(&mut self, now: MonoTime, speed: Baud) {
        let start = self.free_at().max(now);
        let end = start + speed.wire_time(2);
        self.characters.push_back(Character { start, speed, byte: 0, end, is_break: true, cut: MonoTime::FAR_FUTURE });
        self.burst = Some((start, speed, 2));
    }

    /// The speed of the sender of the character in which `edge` falls.
    pub(super) fn speed_at(&self, edge: MonoTime) -> Option<Baud> {
        self.characters.iter().take_while(|character| character.start <= edge).last().map(|character| character.speed)
    }

    /// When the last bit of all that was sent has left; the clock's zero when nothing ever was.
    pub(super) fn free_at(&self) -> MonoTime {
        self.burst.map_or(MonoTime::ZERO, |(begin, speed, count)| begin + speed.wire_time(count))
    }

    /// The sender stops at `now`: what has not begun is never sent, a character that has begun breaks off and the line goes high.
    pub(super) fn cut(&mut self, now: MonoTime) {
        while self.characters.back().is_some_and(|last| last.start >= now) {
            self.characters.pop_back();
        }
        if let Some(last) = self.characters.back_mut()
            && last.end > now
        {
            last.cut = now;
        }
        if self.free_at() > now {
            self.burst = Some((now, Baud::DEFAULT, 0));
        }
    }

    /// When the last of the characters that are still known ends.
    pub(super) fn end(&self) -> Option<MonoTime> {
        self.characters.back().map(|character| character.end)
    }

    /// Forgets the characters that have ended by `now`, which nobody asks for. Returns how many there were.
    pub(super) fn forget(&mut self, now: MonoTime) -> usize {
        let ended = self.characters.iter().take_while(|character| character.end <= now).count();
        self.characters.drain(..ended);
        ended
    }

    /// The characters that are still known, oldest first.
    pub(super) fn characters(&self) -> impl Iterator<Item = &Character> {
        self.characters.iter()
    }

    /// The first falling edge at or after `from`. Characters that ended before `from` are forgotten: nobody may ask for what was before it again.
    pub(super) fn falling_edge(&mut self, from: MonoTime) -> Option<MonoTime> {
        while self.characters.front().is_some_and(|first| first.end <= from) {
            self.characters.pop_front();
        }
        self.characters.iter().find_map(|character| character.falling_edge(from))
    }

    /// When a receiver at `speed` that waits for a character since `edge` has all of it.
    pub(super) fn complete(&self, edge: MonoTime, speed: Baud) -> MonoTime {
        let character = self.characters.iter().take_while(|character| character.start <= edge).find(|character| character.start == edge);
        character.map_or_else(|| edge + speed.wire_time(1), |character| character.complete(speed))
    }

    /// The byte of the character that begins at `edge`, where a receiver at `speed` takes it as it is: sent at just that speed, and not cut off.
    pub(super) fn whole(&self, edge: MonoTime, speed: Baud) -> Option<u8> {
        let character = self.characters.iter().find(|character| character.start >= edge).filter(|character| character.start == edge)?;
        (character.speed == speed && !character.is_break && character.cut >= character.end).then_some(character.byte)
    }

    /// The level at `at`: true for high.
    pub(super) fn level(&self, at: MonoTime) -> bool {
        let character = self.characters.iter().take_while(|character| character.start <= at).find(|character| at < character.end);
        character.is_none_or(|character| character.level(at))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AT: MonoTime = MonoTime::from_ns(1_000_000);

    fn baud(speed: u32) -> Baud {
        Baud::new(speed).unwrap()
    }

    #[test]
    fn a_burst_ends_when_its_wire_time_has_passed_however_it_was_cut() {
        for cut in [1, 7, 300] {
            let mut wire = Wire::default();
            for chunk in [0; 300].chunks(cut) {
                wire.send(AT, Baud::DEFAULT, chunk);
            }
            assert_eq!(wire.free_at(), AT + Baud::DEFAULT.wire_time(300));
        }
    }

    #[test]
    fn the_level_is_that_of_the_bits() {
        let mut wire = Wire::default();
        // 0xC5 is 1100_0101: start 0, then 1 0 1 0 0 0 1 1, stop 1.
        wire.send(AT, baud(100_000), &[0xc5]);
        let levels: Vec<bool> = (0..11).map(|bit| wire.level(AT + Duration::from_micros(bit * 10 + 5))).collect();
        assert_eq!(levels, [0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1].map(|bit| bit == 1));
        assert!(wire.level(AT.minus(Duration::from_nanos(1))));
        assert!(!wire.level(AT));
    }

    #[test]
    fn falling_edges_are_where_a_high_bit_is_followed_by_a_low_one() {
        let mut wire = Wire::default();
        wire.send(AT, baud(100_000), &[0xc5]);
        let mut edges = Vec::new();
        let mut from = MonoTime::ZERO;
        while let Some(edge) = wire.falling_edge(from) {
            edges.push(edge.since(AT).as_micros());
            from = edge + Duration::from_nanos(1);
        }
        assert_eq!(edges, [0, 20, 40]);
    }

    #[test]
    fn a_cut_breaks_off_in_the_middle_of_a_character() {
        let mut wire = Wire::default();
        wire.send(AT, baud(100_000), &[0, 0]);
        wire.cut(AT + Duration::from_micros(35));
        assert!(!wire.level(AT + Duration::from_micros(34)));
        assert!(wire.level(AT + Duration::from_micros(35)));
        assert!(wire.level(AT + Duration::from_micros(105)));
        assert_eq!(wire.characters().count(), 1);
        assert_eq!(wire.free_at(), AT + Duration::from_micros(35));
    }
}
