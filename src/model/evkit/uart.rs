//! The module's UART and the host's receiver at the other end of its wires: turns bytes with a speed into levels, and levels into bytes.

use std::time::Duration;

use super::damage::{Damage, Passage};
use super::faults::FaultLog;
use super::sampler::{Sampled, Sampler};
use super::settings::{Settings, WrongPort};
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

/// What the host's RX is wired to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wiring {
    /// The module's TX.
    Module,
    /// The host's own TX: a fault.
    Shorted,
    /// Another port of the kit: a fault.
    Elsewhere,
}

/// A character that was sent to the module, as it arrives there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    /// When it was complete.
    pub(super) at: MonoTime,
    pub(super) byte: Passage,
    /// Its stop bit was low.
    pub(super) framing_error: bool,
}

/// Both directions between the module and the host.
#[derive(Debug)]
pub(super) struct Uart {
    from_host: Wire,
    to_host: Wire,
    /// What the host's RX is wired to in place of the module.
    aside: Wire,
    wiring: Wiring,
    damage_to_host: Damage,
    damage_to_board: Damage,
    /// A byte that arrives a second time.
    again: Option<Received>,
    /// The speed at which the module was left, until somebody has set another one: a fault.
    left_at: Option<Baud>,
    log: FaultLog,
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
    pub(super) fn new(settings: &Settings, now: MonoTime, log: &FaultLog) -> Self {
        let wiring = match settings.wrong_port {
            WrongPort::Nmea | WrongPort::Log | WrongPort::Binary => Wiring::Elsewhere,
            WrongPort::None if settings.echo_only => Wiring::Shorted,
            WrongPort::None => Wiring::Module,
        };
        let mut uart = Self {
            from_host: Wire::default(),
            to_host: Wire::default(),
            aside: Wire::default(),
            wiring,
            damage_to_host: Damage::to_host(settings),
            damage_to_board: Damage::to_board(settings),
            again: None,
            left_at: Some(settings.speed).filter(|speed| *speed != Baud::DEFAULT),
            log: log.clone(),
            receiver: Sampler::default(),
            host_receiver: Sampler::default(),
            speed: settings.speed,
            host_speed: Baud::DEFAULT,
            bytes_in: 0,
            bytes_out: 0,
        };
        uart.receiver.restart(now);
        uart.host_receiver.restart(now);
        uart
    }

    /// Whether host and module understand each other.
    pub(super) fn is_at_hosts_speed(&self) -> bool {
        same_speed(self.speed, self.host_speed)
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
        if self.wiring == Wiring::Shorted {
            self.aside.send(now, speed, bytes);
        }
    }

    /// The host's port is gone: what it had not sent by `now` is never sent.
    pub(super) fn host_vanishes(&mut self, now: MonoTime) {
        self.from_host.cut(now);
    }

    /// The port that the host has opened in place of the module's says something.
    pub(super) fn say_aside(&mut self, now: MonoTime, bytes: &[u8]) {
        self.aside.send(now, Baud::DEFAULT, bytes);
    }

    /// The fault for which the host and the module are not wired to each other.
    pub(super) fn misses_module(&self) -> Option<&'static str> {
        match self.wiring {
            Wiring::Module => None,
            Wiring::Shorted => Some("echo-only"),
            Wiring::Elsewhere => Some("wrong-port"),
        }
    }

    /// The module has a speed that it was not left at.
    pub(super) fn is_set_anew(&mut self) {
        self.left_at = None;
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
        self.again = None;
    }

    /// The module sends, not before `at` and behind what it is still sending. Returns when the last bit will have left.
    pub(super) fn transmit(&mut self, at: MonoTime, bytes: &[u8]) -> MonoTime {
        self.to_host.send(at, self.speed, bytes);
        self.to_host.free_at()
    }

    /// The module's TX is low for a character, not before `at` and behind what it is still sending.
    pub(super) fn transmit_break(&mut self, at: MonoTime) {
        self.to_host.send_break(at, self.speed);
    }

    /// When the last bit of all that the module has to send will have left.
    pub(super) fn free_at(&self) -> MonoTime {
        self.to_host.free_at()
    }

    /// The next character that was sent to the module and is complete by `now`, arrived or lost. Where the module does not hear, no fault can do anything to it.
    pub(super) fn receive(&mut self, now: MonoTime, hears: bool) -> Option<Received> {
        if let Some(again) = self.again.take() {
            self.bytes_in += 1;
            return Some(again);
        }
        let Sampled { at, byte, framing_error, sent_at } = self.receiver.next(&mut self.from_host, now, self.speed)?;
        let received = |byte| Received { at, byte, framing_error };
        if !hears {
            self.bytes_in += 1;
            return Some(received(Passage { sent: Some(byte), arrived: Some(byte), fault: None }));
        }
        // A host at a speed of its own is understood by no board.
        if self.left_at == Some(self.speed) && same_speed(sent_at, Baud::DEFAULT) {
            self.log.note("left-at-speed");
        }
        let (first, again) = self.damage_to_board.strike(byte);
        self.again = again.map(received);
        self.bytes_in += u64::from(first.arrived.is_some());
        Some(received(first))
    }

    /// When the module should look for received characters: no later than the first one that is of `interest`, the last one on its way, and 1 ms after the first.
    pub(super) fn receive_due(&mut self, interest: Interest) -> Option<MonoTime> {
        let edge = self.receiver.pending_edge(&mut self.from_host)?;
        let first = self.from_host.complete(edge, self.speed);
        if self.damage_to_board.is_possible() {
            // What will be received cannot be told from the bytes.
            return Some(first);
        }
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
        while let Some(sampled) = self.next_for_host(now) {
            match self.wiring {
                Wiring::Module if self.left_at == Some(sampled.sent_at) && same_speed(self.host_speed, Baud::DEFAULT) => {
                    self.log.note("left-at-speed");
                }
                Wiring::Shorted => self.log.note("echo-only"),
                Wiring::Module | Wiring::Elsewhere => {}
            }
            let (first, again) = self.damage_to_host.strike(sampled.byte);
            for byte in std::iter::once(first).chain(again) {
                if let Some(fault) = byte.fault {
                    self.log.note(fault);
                }
                let Some(arrived) = byte.arrived else { continue };
                if sampled.framing_error {
                    // As 8250 drivers tell them apart: low for the whole of a character is a break.
                    let kind = if sampled.byte == 0 { MarkKind::Break } else { MarkKind::Framing };
                    output.marks.push(Mark { offset: output.bytes.len(), kind });
                }
                output.bytes.push(arrived);
                self.bytes_out += 1;
            }
        }
    }

    /// What was sent to the host by `now` reaches nobody. Returns how many bytes that were.
    pub(super) fn lose(&mut self, now: MonoTime) -> usize {
        std::iter::from_fn(|| self.next_for_host(now)).count()
    }

    fn next_for_host(&mut self, now: MonoTime) -> Option<Sampled> {
        let Some(fault) = self.misses_module() else {
            return self.host_receiver.next(&mut self.to_host, now, self.host_speed);
        };
        for _ in 0..self.to_host.forget(now) {
            self.log.note(fault);
        }
        self.host_receiver.next(&mut self.aside, now, self.host_speed)
    }

    /// When the host should be given what it will have received: 1 ms after the first byte, or when the last bit has left, whichever is earlier.
    pub(super) fn collect_due(&mut self) -> Option<MonoTime> {
        let is_wired = self.wiring == Wiring::Module;
        // What the module says to nobody is forgotten in time.
        let forgotten = self.to_host.end().filter(|_| !is_wired);
        let wire = if is_wired { &mut self.to_host } else { &mut self.aside };
        let first = self.host_receiver.due(wire, self.host_speed);
        let given = first.map(|first| (first + BATCH).min(wire.free_at()).max(first));
        [given, forgotten].into_iter().flatten().min()
    }
}

/// Whether a receiver at `b` certainly takes the bytes of a sender at `a` as they are: the two differ by 2 % at most.
fn same_speed(a: Baud, b: Baud) -> bool {
    let (a, b) = (u64::from(a.bits_per_second()), u64::from(b.bits_per_second()));
    a.abs_diff(b) * 50 <= b
}
