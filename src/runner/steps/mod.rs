//! The verbs, a file each. A verb gets the [`Conductor`] and its part of the plan and returns when it has done what it says, or why it stopped.

mod at;
mod boot;
mod diagnosis;
mod expect;
mod handshake;
mod lines;
mod reset;
mod restore;
mod send;
mod upload;

pub(super) use at::{Firmware, read_firmware};

use std::time::Duration;

use super::conductor::Conductor;
use super::stop::Stop;
use crate::baud::Baud;
use crate::plan::{Action, Case, Quiet, Restore, Step};

/// The hotkey that boot code takes after a reset (source: the ST Community post and Easy Connect).
const HOTKEY: u8 = 0xC5;
/// The hotkey as Easy Connect sends it.
const HOTKEY_ST: [u8; 2] = [0xC5, 0xFF];
/// The boot code's acknowledge of the hotkey (source: the ST Community post and Easy Connect).
const ACKNOWLEDGE: u8 = 0x9A;
/// How long hosts assert the reset line (source: Easy Connect, mbed, Zephyr).
const RESET_PULSE: Duration = Duration::from_millis(15);

/// What the verbs know of the board beside what they see.
#[derive(Debug, Clone, Copy)]
pub struct BoardFacts {
    /// The speed at which the application answers after a plain start.
    pub home_speed: Baud,
}

/// Carries out one step.
///
/// # Errors
/// [`Stop`] says why it stopped before its end.
pub fn run(conductor: &mut Conductor<'_>, case: &Case, board: BoardFacts, step: &Step) -> Result<(), Stop> {
    match &step.action {
        Action::Reset(reset) => reset::run(conductor, *reset),
        Action::Uart { baud } => conductor.set_speed(*baud),
        Action::Send(send) => send::run(conductor, send),
        Action::Expect(expect) => expect::expect(conductor, expect),
        Action::Quiet(quiet) => expect::quiet(conductor, quiet),
        Action::Wait { duration } => {
            let until = conductor.step_before + *duration;
            conductor.sleep_until(until)
        }
        Action::At(at) => at::run(conductor, at),
        Action::Handshake(handshake) => handshake::run(conductor, handshake),
        Action::Boot(boot) => boot::run(conductor, boot),
        Action::Upload(upload) => upload::run(conductor, case, upload),
        Action::Diagnosis(cause) => diagnosis::run(conductor, *cause),
        Action::Restore(restore) => restore::run(conductor, restore, board),
    }
}

/// Makes ready what a step looks for, before any step runs: what is built then does not stand between an answer and the reaction to it.
pub(super) fn prepare(step: &Step) {
    match &step.action {
        Action::Expect(expect) => expect.patterns.set.prepare(),
        Action::Quiet(Quiet { never: Some(never), .. }) => never.set.prepare(),
        _ => {}
    }
}

/// Puts the board back, as the verb `restore` does.
///
/// # Errors
/// As [`run`].
pub(super) fn restore(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts) -> Result<(), Stop> {
    restore::run(conductor, restore, board)
}
