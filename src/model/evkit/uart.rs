//! The module's UART and the host's receiver at the other end of its wires: turns bytes with a speed into levels, and levels into bytes.

use std::time::Duration;

use super::sampler::{Sampled, Sampler};
use super::wire::Wire;
use crate::baud::Baud;
use crate::model::Output;
use crate::seam::{Mark, MarkKind};
use crate::time::MonoTime;

/// The longest that finished bytes are held back to be given together.
const BATCH: Duration = Duration::from_millis(1);

/// Which of the bytes on their way to the module make it act, so that it must be woken when they are complete. For the others a batch is
/// soon enough: what they cause is computed with their own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    /// Any of these values.
    Values(&'static [u8]),
    /// The one that completes so many.
    Count(usize),
}

/// Both directions between the module and the host.
#[derive(Debug)]
pub(super) struct Uart {
    from_host: Wire,
    to_host: Wire,
    receiver: Sampler,
    host_receiver: Sampler,
    speed: Baud,
    host_speed: Baud,
    /// Characters that the module received.
    pub(super) bytes_in: u64,
    /// Characters that the host received.
    pub(super) bytes_out: u64,
}

impl Uart {
    pub(super) fn new(speed: Baud, host_speed: Baud, now: MonoTime) -> Self {
        let mut uart = Self {
            from_host: Wire::default(),
            to_host: Wire::default(),
            receiver: Sampler::default(),
            host_receiver: Sampler::default(),
            speed,
            host_speed,
            bytes_in: 0,
            bytes_out: 0,
        };
        uart.receiver.restart(now);
        uart.host_receiver.restart(now);
        uart
    }

    pub(super) fn speed(&self) -> Baud {
        self.speed
    }

    pub(super) fn host_speed(&self) -> Baud {
        self.host_speed
    }

    /// The host sends. Its port has one speed for both directions, so that what it receives is sampled at this speed from now on.
    pub(super) fn host_sends(&mut self, now: MonoTime, bytes: &[u8], speed: Baud) {
        self.set_host_speed(now, speed);
        self.from_host.send(now, speed, bytes);
    }

    /// The host's port has this speed from now on. A character that its receiver is in the middle of is lost.
    pub(super) fn set_host_speed(&mut self, now: MonoTime, speed: Baud) {
        if speed != self.host_speed {
            self.host_speed = speed;
            self.host_receiver.restart(now);
        }
    }

    /// The module's UART has this speed from now on. A character that it is in the middle of is lost.
    pub(super) fn set_speed(&mut self, now: MonoTime, speed: Baud) {
        if speed != self.speed {
            self.speed = speed;
            self.receiver.restart(now);
        }
    }

    /// The module's UART was reset: what it was receiving and sending breaks off.
    pub(super) fn reset(&mut self, now: MonoTime) {
        self.receiver.restart(now);
        self.to_host.cut(now);
    }

    /// The module sends, not before `at` and behind what it is still sending. Returns when the last bit will have left.
    pub(super) fn transmit(&mut self, at: MonoTime, bytes: &[u8]) -> MonoTime {
        self.to_host.send(at, self.speed, bytes);
        self.to_host.free_at()
    }

    /// The next character that the module has received by `now`.
    pub(super) fn receive(&mut self, now: MonoTime) -> Option<Sampled> {
        let sampled = self.receiver.next(&mut self.from_host, now, self.speed)?;
        self.bytes_in += 1;
        Some(sampled)
    }

    /// When the module should look for received characters: no later than the first one that is of `interest`, the last one on its way, and 1 ms after the first.
    pub(super) fn receive_due(&mut self, interest: Interest) -> Option<MonoTime> {
        let edge = self.receiver.pending_edge(&mut self.from_host)?;
        let first = self.from_host.complete(edge, self.speed);
        let mut due = first;
        for (index, character) in self.from_host.characters().filter(|character| character.start >= edge).enumerate() {
            if !same_speed(character.speed, self.speed) {
                // What will be received cannot be told from the bytes.
                break;
            }
            due = character.complete(self.speed);
            let wanted = match interest {
                Interest::Values(values) => values.contains(&character.byte),
                Interest::Count(count) => index + 1 >= count,
            };
            if wanted || due > first + BATCH {
                break;
            }
        }
        Some(due.min(first + BATCH).max(first))
    }

    /// Gives the host what its receiver has made of the wire by `now`.
    pub(super) fn collect(&mut self, now: MonoTime, output: &mut Output) {
        while let Some(sampled) = self.host_receiver.next(&mut self.to_host, now, self.host_speed) {
            if sampled.framing_error {
                // As 8250 drivers tell them apart: low for the whole of a character is a break.
                let kind = if sampled.byte == 0 { MarkKind::Break } else { MarkKind::Framing };
                output.marks.push(Mark { offset: output.bytes.len(), kind });
            }
            output.bytes.push(sampled.byte);
            self.bytes_out += 1;
        }
    }

    /// What the module has sent by `now` reaches nobody.
    pub(super) fn lose(&mut self, now: MonoTime) {
        self.host_receiver.restart(now);
        // Forgets what was sent.
        let _ = self.host_receiver.pending_edge(&mut self.to_host);
    }

    /// When the host should be given what it will have received: 1 ms after the first byte, or when the last bit has left, whichever is earlier.
    pub(super) fn collect_due(&mut self) -> Option<MonoTime> {
        let first = self.host_receiver.due(&mut self.to_host, self.host_speed)?;
        Some((first + BATCH).min(self.to_host.free_at()).max(first))
    }
}

/// Whether a receiver at `b` certainly takes the bytes of a sender at `a` as they are: the two differ by 2 % at most.
fn same_speed(a: Baud, b: Baud) -> bool {
    let (a, b) = (u64::from(a.bits_per_second()), u64::from(b.bits_per_second()));
    a.abs_diff(b) * 50 <= b
}
