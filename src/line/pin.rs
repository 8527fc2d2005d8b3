//! Which writes to a pin claim, assert and release a line, and what its level says: the decision, apart from any register.
//!
//! A claim must never glitch to asserted, whatever the pin did before: a run that was killed may have left it asserted, a push-pull run
//! released and driven, a boot as an input with a pull-down, another program in some other function. So an open drain sets its pull
//! first, which then already counts when the pin becomes an input, and its latch last: preset under a driven pin, it would assert. A
//! push-pull line sets its latch first, then becomes an output, and sets its pull last: on an input, a pull to the asserted level
//! would assert.

use super::{Active, Bias, Drive, LineConfig};
use crate::seam::LineState;

/// A level of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Ground.
    Low,
    /// The supply.
    High,
}

/// One write to a pin's registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PinWrite {
    /// Sets the pull resistor.
    PullUp,
    /// Sets the pull resistor.
    PullDown,
    /// Sets the output latch, which shows on the pin only while it is an output.
    Latch(Level),
    /// Makes the pin an output.
    Output,
    /// Makes the pin an input: lets go.
    Input,
}

/// The writes that claim a line, released, in their order.
pub(super) fn claim(config: &LineConfig) -> impl Iterator<Item = PinWrite> + use<> {
    let pull = match config.bias {
        Bias::None => None,
        Bias::PullUp => Some(PinWrite::PullUp),
        Bias::PullDown => Some(PinWrite::PullDown),
    };
    match config.drive {
        Drive::OpenDrain => [pull, Some(PinWrite::Input), Some(PinWrite::Latch(asserted_level(config.active)))],
        Drive::PushPull => [Some(PinWrite::Latch(released_level(config.active))), Some(PinWrite::Output), pull],
    }
    .into_iter()
    .flatten()
}

/// The writes that drive a claimed line, in their order.
pub(super) fn drive(config: &LineConfig, state: LineState) -> impl Iterator<Item = PinWrite> + use<> {
    match (config.drive, state) {
        // The latch is preset since the claim; it is set again because nothing keeps another program from the registers.
        (Drive::OpenDrain, LineState::Asserted) => [Some(PinWrite::Latch(asserted_level(config.active))), Some(PinWrite::Output)],
        (Drive::OpenDrain, LineState::Released) => [Some(PinWrite::Input), None],
        (Drive::PushPull, LineState::Asserted) => [Some(PinWrite::Latch(asserted_level(config.active))), None],
        (Drive::PushPull, LineState::Released) => [Some(PinWrite::Latch(released_level(config.active))), None],
    }
    .into_iter()
    .flatten()
}

/// What a pin's level says of the line; `None` where it is only what we drive.
pub(super) fn level(config: &LineConfig, read: Level) -> Option<LineState> {
    let state = if read == asserted_level(config.active) { LineState::Asserted } else { LineState::Released };
    config.is_let_go().then_some(state)
}

/// The level that asserts.
const fn asserted_level(active: Active) -> Level {
    match active {
        Active::Low => Level::Low,
        Active::High => Level::High,
    }
}

/// The level that releases, where it is driven.
const fn released_level(active: Active) -> Level {
    match active {
        Active::Low => Level::High,
        Active::High => Level::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Backend, Role};

    const LEVELS: [Level; 2] = [Level::Low, Level::High];

    /// A pin with its registers, and a board that pulls the line to its released level, weaker than the pin's own pull.
    #[derive(Debug, Clone, Copy)]
    struct Pin {
        output: bool,
        latch: Level,
        pull: Option<Level>,
    }

    impl Pin {
        fn write(&mut self, write: PinWrite) {
            match write {
                PinWrite::PullUp => self.pull = Some(Level::High),
                PinWrite::PullDown => self.pull = Some(Level::Low),
                PinWrite::Latch(level) => self.latch = level,
                PinWrite::Output => self.output = true,
                PinWrite::Input => self.output = false,
            }
        }

        fn level(self, active: Active) -> Level {
            if self.output { self.latch } else { self.pull.unwrap_or(released_level(active)) }
        }

        fn is_asserted(self, active: Active) -> bool {
            self.level(active) == asserted_level(active)
        }
    }

    /// Every configuration that can release at all: an open drain whose own pull asserts cannot.
    fn configs() -> Vec<LineConfig> {
        let mut all = Vec::new();
        for drive in [Drive::OpenDrain, Drive::PushPull] {
            for bias in [Bias::None, Bias::PullUp, Bias::PullDown] {
                for active in [Active::Low, Active::High] {
                    let pulls_to_asserted = matches!((bias, active), (Bias::PullDown, Active::Low) | (Bias::PullUp, Active::High));
                    if !(drive == Drive::OpenDrain && pulls_to_asserted) {
                        all.push(LineConfig { drive, bias, active, ..LineConfig::output("reset", Backend::Rppal { gpio: 17 }) });
                    }
                }
            }
        }
        all
    }

    fn pins_before() -> Vec<Pin> {
        let mut all = Vec::new();
        for output in [false, true] {
            for latch in LEVELS {
                for pull in [None, Some(Level::Low), Some(Level::High)] {
                    all.push(Pin { output, latch, pull });
                }
            }
        }
        all
    }

    #[test]
    fn a_claim_never_asserts_a_released_line_and_ends_released() {
        for config in configs() {
            for before in pins_before() {
                // Without a bias setting, an open drain can only let go: what a foreign pull does then is not ours to change.
                if config.drive == Drive::OpenDrain && config.bias == Bias::None && before.pull.is_some() {
                    continue;
                }
                let mut pin = before;
                let mut seen_released = !pin.is_asserted(config.active);
                for write in claim(&config) {
                    pin.write(write);
                    let asserted = pin.is_asserted(config.active);
                    assert!(!(seen_released && asserted), "{config:?} from {before:?}: {write:?} asserts the line");
                    seen_released |= !asserted;
                }
                assert!(!pin.is_asserted(config.active), "{config:?} from {before:?} ends asserted");
            }
        }
    }

    #[test]
    fn assert_and_release_have_one_edge_each() {
        for config in configs() {
            let mut pin = Pin { output: false, latch: Level::Low, pull: None };
            claim(&config).for_each(|write| pin.write(write));
            for state in [LineState::Asserted, LineState::Released, LineState::Asserted, LineState::Released] {
                let mut edges = 0;
                for write in drive(&config, state) {
                    let before = pin.level(config.active);
                    pin.write(write);
                    edges += u32::from(pin.level(config.active) != before);
                }
                assert_eq!(edges, 1, "{config:?} to {state:?}");
                assert_eq!(pin.is_asserted(config.active), state == LineState::Asserted, "{config:?} to {state:?}");
            }
        }
    }

    #[test]
    fn an_open_drain_never_drives_the_released_level() {
        for config in configs().into_iter().filter(|c| c.drive == Drive::OpenDrain) {
            for before in pins_before() {
                let mut pin = before;
                for write in claim(&config).chain(drive(&config, LineState::Asserted)).chain(drive(&config, LineState::Released)) {
                    let was_output = pin.output;
                    pin.write(write);
                    assert!(
                        !pin.output || was_output || pin.latch == asserted_level(config.active),
                        "{config:?} from {before:?}: {write:?}"
                    );
                }
                assert!(!pin.output, "{config:?} from {before:?} still drives after its release");
            }
        }
    }

    #[test]
    fn a_pin_that_is_let_go_says_who_else_holds_it_and_one_that_is_driven_says_nothing() {
        for config in configs() {
            let mut pin = Pin { output: false, latch: Level::Low, pull: None };
            claim(&config).chain(drive(&config, LineState::Released)).for_each(|write| pin.write(write));
            let is_let_go = config.drive == Drive::OpenDrain;
            assert_eq!(super::level(&config, pin.level(config.active)), is_let_go.then_some(LineState::Released), "{config:?}");
            // A push-button is stronger than any pull.
            let held = super::level(&config, asserted_level(config.active));
            assert_eq!(held, is_let_go.then_some(LineState::Asserted), "{config:?}");
            let power = LineConfig { role: Role::Power, ..config };
            assert_eq!(super::level(&power, Level::Low), None, "a supply is not let go: {power:?}");
        }
    }

    #[test]
    fn the_order_of_writes_is_as_documented() {
        let config = |drive, bias, active| LineConfig { drive, bias, active, ..LineConfig::output("reset", Backend::Rppal { gpio: 17 }) };
        let default = config(Drive::OpenDrain, Bias::None, Active::Low);
        assert_eq!(claim(&default).collect::<Vec<_>>(), [PinWrite::Input, PinWrite::Latch(Level::Low)]);
        assert_eq!(drive(&default, LineState::Asserted).collect::<Vec<_>>(), [PinWrite::Latch(Level::Low), PinWrite::Output]);
        assert_eq!(drive(&default, LineState::Released).collect::<Vec<_>>(), [PinWrite::Input]);
        let pushed = config(Drive::PushPull, Bias::PullUp, Active::Low);
        assert_eq!(claim(&pushed).collect::<Vec<_>>(), [PinWrite::Latch(Level::High), PinWrite::Output, PinWrite::PullUp]);
        assert_eq!(drive(&pushed, LineState::Asserted).collect::<Vec<_>>(), [PinWrite::Latch(Level::Low)]);
        assert_eq!(drive(&pushed, LineState::Released).collect::<Vec<_>>(), [PinWrite::Latch(Level::High)]);
        let inverted = config(Drive::OpenDrain, Bias::PullDown, Active::High);
        assert_eq!(claim(&inverted).collect::<Vec<_>>(), [PinWrite::PullDown, PinWrite::Input, PinWrite::Latch(Level::High)]);
        assert_eq!(drive(&inverted, LineState::Asserted).collect::<Vec<_>>(), [PinWrite::Latch(Level::High), PinWrite::Output]);
    }
}
