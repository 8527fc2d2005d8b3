//! When everything that was written has left the wire, by computation.
//!
//! A PTY and most USB adapters say that their queue is empty at once, so the kernel's queue alone proves nothing. The computed time alone
//! proves nothing either (flow control can hold the wire): who drains asks both.

use std::time::Duration;

use crate::baud::Baud;
use crate::time::MonoTime;

/// Counts the characters given to a wire of a known speed.
#[derive(Debug, Clone)]
pub struct WireClock {
    speed: Baud,
    /// How long a byte may lie in the adapter before it is put on the wire.
    margin: Duration,
    busy_until: Option<MonoTime>,
}

impl WireClock {
    /// A wire on which nothing was written yet. `margin` is how long an adapter may hold a byte before it sends it.
    #[must_use]
    pub const fn new(speed: Baud, margin: Duration) -> Self {
        Self { speed, margin, busy_until: None }
    }

    /// Notes `bytes` characters, taken by a write that returned at `after`: they follow what is still on the wire.
    pub fn wrote(&mut self, bytes: usize, after: MonoTime) {
        let begins = self.busy_until.map_or(after, |busy| busy.max(after));
        self.busy_until = Some(begins + self.speed.wire_time(bytes as u64));
    }

    /// When the last character written has left the wire at the earliest; the clock's zero when none was written.
    #[must_use]
    pub fn free_at(&self) -> MonoTime {
        self.busy_until.map_or(MonoTime::ZERO, |busy| busy + self.margin)
    }

    /// The speed that counts for what is written next.
    #[must_use]
    pub const fn speed(&self) -> Baud {
        self.speed
    }

    /// What is written from here on leaves at `speed`.
    pub const fn set_speed(&mut self, speed: Baud) {
        self.speed = speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> MonoTime {
        MonoTime::from_ns(us * 1000)
    }

    fn baud(n: u32) -> Baud {
        Baud::new(n).unwrap()
    }

    #[test]
    fn nothing_written_is_free_from_the_start() {
        assert_eq!(WireClock::new(baud(9600), Duration::from_millis(2)).free_at(), MonoTime::ZERO);
    }

    #[test]
    fn writes_queue_behind_each_other() {
        let mut wire = WireClock::new(baud(1_000_000), Duration::ZERO);
        wire.wrote(10, at(1000));
        assert_eq!(wire.free_at(), at(1100));
        wire.wrote(10, at(1050));
        assert_eq!(wire.free_at(), at(1200), "the second begins when the first is through");
        wire.wrote(10, at(5000));
        assert_eq!(wire.free_at(), at(5100), "an idle wire begins at once");
    }

    #[test]
    fn a_new_speed_counts_for_what_follows_and_the_margin_once() {
        let mut wire = WireClock::new(baud(1_000_000), Duration::from_micros(7));
        wire.wrote(10, at(0));
        wire.set_speed(baud(100_000));
        wire.wrote(10, at(0));
        assert_eq!(wire.free_at(), at(100 + 1000 + 7));
    }
}
