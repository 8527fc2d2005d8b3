//! Bytes that faults lose, double or corrupt on their way. What is drawn depends on the bytes and their order alone, not on how the host's were cut into chunks.

use super::faults::FaultLog;
use super::random::Random;
use super::settings::{DamageDirection, Rate, Settings};

/// What happens to the bytes of one direction.
#[derive(Debug)]
pub(super) struct Damage {
    lost: Rate,
    doubled: Rate,
    corrupted: Rate,
    random: Random,
}

/// A byte on its way, as it was sent and as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    /// As it was sent; `None` for the second of two that were one.
    pub(super) sent: Option<u8>,
    /// As it arrives; `None` where it does not.
    pub(super) arrived: Option<u8>,
    /// The fault that did that.
    pub(super) fault: Option<&'static str>,
}

impl Damage {
    pub(super) fn to_host(settings: &Settings) -> Self {
        Self::new(settings, settings.damage_direction != DamageDirection::ToBoard, "damage to-host")
    }

    pub(super) fn to_board(settings: &Settings) -> Self {
        Self::new(settings, settings.damage_direction != DamageDirection::ToHost, "damage to-board")
    }

    fn new(settings: &Settings, is_harmed: bool, purpose: &str) -> Self {
        let rate = |rate| if is_harmed { rate } else { Rate::ZERO };
        Self {
            lost: rate(settings.lost_bytes),
            doubled: rate(settings.doubled_bytes),
            corrupted: rate(settings.corrupted_bytes),
            random: Random::new(settings.seed, purpose),
        }
    }

    /// Whether any byte can be harmed.
    pub(super) fn is_possible(&self) -> bool {
        [self.lost, self.doubled, self.corrupted].iter().any(|rate| *rate > Rate::ZERO)
    }

    /// What becomes of a byte, and its second copy where it comes twice.
    pub(super) fn strike(&mut self, sent: u8) -> (Passage, Option<Passage>) {
        if self.lost.strikes(&mut self.random) {
            return (Passage { sent: Some(sent), arrived: None, fault: Some("lost-bytes") }, None);
        }
        let (mut byte, mut fault) = (sent, None);
        if self.corrupted.strikes(&mut self.random) {
            fault = Some("corrupted-bytes");
            byte ^= 1 << self.random.between(0, 7);
        }
        // An empty line more changes nothing.
        let doubled = Some("doubled-bytes").filter(|_| !matches!(byte, b'\r' | b'\n'));
        let again = self.doubled.strikes(&mut self.random).then_some(Passage { sent: None, arrived: Some(byte), fault: doubled });
        (Passage { sent: Some(sent), arrived: Some(byte), fault }, again)
    }
}

/// The line of a command as it was sent, beside the one that has arrived: damage that makes no other command of it has done nothing.
#[derive(Debug, Default)]
pub(super) struct Meant {
    line: Vec<u8>,
    /// What was done to the line so far.
    faults: Vec<&'static str>,
}

impl Meant {
    /// The line begins anew.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a byte before the program does, and notes what was done once that shows: at the CR of a line that is another one, or at a CR that came or was lost. `arrived` is the line that the program has,
    /// `edit` puts a byte into a line, and lines that are the `same` are the same command.
    pub(super) fn hear(
        &mut self,
        byte: Passage,
        arrived: &[u8],
        edit: impl FnOnce(&mut Vec<u8>, u8),
        same: impl FnOnce(&[u8], &[u8]) -> bool,
        log: &FaultLog,
    ) {
        let is_cr = |byte: Option<u8>| byte == Some(b'\r');
        if !is_cr(byte.sent) && !is_cr(byte.arrived) {
            self.faults.extend(byte.fault);
            if let Some(sent) = byte.sent {
                edit(&mut self.line, sent);
            }
            return;
        }
        let is_same =
            if is_cr(byte.sent) && is_cr(byte.arrived) { same(arrived, &self.line) } else { arrived.is_empty() && self.line.is_empty() };
        if !is_same {
            self.faults.drain(..).chain(byte.fault).for_each(|fault| log.note(fault));
        }
        self.clear();
    }
}
