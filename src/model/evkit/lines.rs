//! The module's lines and its supply: reset, wake, ring, power.
//!
//! RESETN is active low (all sources); here it is asserted or released. The wake line is named by mbed and arduino, which disagree on its idle level; the ring line by zephyr, which gives it a
//! pin, a polarity and a delay by `AT#RINGPIN`. What no source says of them is a setting.

use super::agenda::{Cause, Event, Restart};
use super::module::{Program, VirtualEvkit};
use crate::model::{ModelLine, OutputEdge};
use crate::seam::{Direction, LineId, LineState};
use crate::time::MonoTime;

/// The wake line, which the host drives.
pub const WAKE: LineId = LineId(2);
/// The ring line, which the module drives.
pub const RING: LineId = LineId(3);

/// The lines of a virtual EVKIT, in the order of their numbers.
pub const LINES: &[ModelLine] = &[
    ModelLine::RESET,
    ModelLine { id: LineId::POWER, name: "power", direction: Direction::Out },
    ModelLine { id: WAKE, name: "wake", direction: Direction::Out },
    ModelLine { id: RING, name: "ring", direction: Direction::In },
];

/// What the host does on its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostLines {
    pub(super) reset: LineState,
    pub(super) wake: LineState,
    pub(super) is_power_on: bool,
    /// The host's transmit line is low all the time.
    pub(super) is_transmit_held: bool,
}

impl Default for HostLines {
    fn default() -> Self {
        Self { reset: LineState::Released, wake: LineState::Released, is_power_on: true, is_transmit_held: false }
    }
}

/// The ring line.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// When it ends, while it is asserted.
    until: Option<MonoTime>,
    /// Edges that nobody was told of.
    edges: Vec<OutputEdge>,
}

impl Ring {
    /// Released, if its time has come or the module stops.
    pub(super) fn end(&mut self, at: MonoTime) {
        if self.until.take().is_some() {
            self.edges.push(OutputEdge { line: RING, state: LineState::Released, at });
        }
    }

    /// The edges since the last call.
    pub(super) fn take(&mut self) -> impl Iterator<Item = OutputEdge> {
        self.edges.drain(..)
    }
}

impl VirtualEvkit {
    /// A line comes unasked: the ring line is asserted from its beginning on. One that is asserted already stays so for longer.
    pub(super) fn ring(&mut self, at: MonoTime) {
        let pulse = self.settings.ring_pulse;
        if pulse.is_zero() {
            return;
        }
        if self.ring.until.replace(at + pulse).is_none() {
            self.ring.edges.push(OutputEdge { line: RING, state: LineState::Asserted, at });
        }
        self.agenda.remove(&Event::RingEnds);
        self.agenda.add(at + pulse, Event::RingEnds);
    }

    /// What the reset line is, whoever makes it so.
    pub(super) fn reset_level(&self) -> LineState {
        if self.settings.stuck_in_reset { LineState::Asserted } else { self.host.reset }
    }

    pub(super) fn drive_reset(&mut self, now: MonoTime, state: LineState) {
        if state == self.host.reset {
            return;
        }
        self.host.reset = state;
        self.feed_through_pins(now);
        if matches!(self.program, Program::Off) {
            if state == LineState::Released && self.misses_power() {
                self.log.note("no-power");
            }
            return;
        }
        if self.settings.stuck_in_reset {
            if state == LineState::Released {
                self.log.note("stuck-in-reset");
            }
            return;
        }
        if self.settings.ignores_reset {
            self.log.note("ignores-reset");
            return;
        }
        self.edges += 1;
        match state {
            LineState::Asserted => self.stop(now, Program::Reset),
            LineState::Released => {
                let restart = if self.memory.latched { Restart::Loader } else { Restart::Window(Cause::Line) };
                self.restart(now, restart);
                self.make_noise(now);
            }
        }
    }

    /// Whether reset is asserted where the module is.
    pub(super) fn is_in_reset(&self) -> bool {
        self.settings.stuck_in_reset || (self.host.reset == LineState::Asserted && !self.settings.ignores_reset)
    }

    /// Whether the module is without the supply that the host has switched on.
    pub(super) fn misses_power(&self) -> bool {
        self.host.is_power_on && self.settings.no_power
    }

    pub(super) fn drive_wake(&mut self, now: MonoTime, state: LineState) {
        if state == self.host.wake {
            return;
        }
        self.host.wake = state;
        self.feed_through_pins(now);
        if let Program::Application(application) = &self.program
            && application.is_asleep()
            && state == LineState::Asserted
        {
            if self.settings.ignores_wake {
                self.log.note("ignores-wake");
            } else {
                self.agenda.add(now + self.settings.wake_time, Event::Awake);
            }
        }
    }

    pub(super) fn switch_power(&mut self, now: MonoTime, state: LineState) {
        let is_on = state == LineState::Asserted;
        if is_on == self.host.is_power_on {
            return;
        }
        self.host.is_power_on = is_on;
        if !is_on {
            self.feed_through_pins(now);
        }
        match (&self.program, is_on) {
            (Program::Off, true) if self.settings.no_power => self.log.note("no-power"),
            (Program::Off, true) if self.is_in_reset() => {
                if self.host.reset == LineState::Released {
                    self.log.note("stuck-in-reset");
                }
                self.program = Program::Reset;
            }
            (Program::Off, true) => self.restart(now, Restart::Window(Cause::Power)),
            (Program::Off, false) => {}
            (Program::Reset | Program::Boot(_) | Program::Application(_) | Program::Dead(_), _) => {
                self.log.note(if self.settings.ignores_power { "ignores-power" } else { "parasitic-power" });
            }
        }
    }

    pub(super) fn hold_host_transmit(&mut self, now: MonoTime, held: bool) {
        self.host.is_transmit_held = held;
        self.feed_through_pins(now);
    }

    /// Whether it has a supply, or something that does for one.
    pub(super) fn is_supplied(&self) -> bool {
        let HostLines { reset, wake, is_power_on, is_transmit_held } = self.host;
        let is_fed = !is_transmit_held || [reset, wake].contains(&LineState::Asserted);
        !self.settings.no_power && (is_power_on || self.settings.ignores_power || (self.settings.parasitic_power && is_fed))
    }

    /// The host does something else on its lines: without a supply, the module lives by them or stops.
    fn feed_through_pins(&mut self, now: MonoTime) {
        if !matches!(self.program, Program::Off) && !self.is_supplied() {
            self.lose_power(now);
        }
    }

    /// Everything stops, and what is not in flash is gone.
    pub(super) fn lose_power(&mut self, now: MonoTime) {
        self.stop(now, Program::Off);
        self.memory.lose_power();
    }
}
