//! The verbs, a file each. A verb gets the [`Conductor`] and its part of the plan and returns when it has done what it says, or why it stopped.

mod any;
mod at;
mod boot;
mod check;
mod control;
mod diagnosis;
mod expect;
mod handshake;
mod line;
mod lines;
mod power;
mod radio;
mod reset;
mod restore;
mod send;
mod upload;

pub(super) use at::{Final, Firmware, answers, exchange as question, read_firmware, settle};
pub(super) use boot::{Reply, identify as identify_boot_code, leave as leave_boot_code};
pub(super) use check::limits;
pub(super) use handshake::run as handshake;
pub(super) use radio::{WITHIN as RADIO_WITHIN, turn_off as turn_off_radio};

use std::time::Duration;

use super::conductor::Conductor;
use super::stop::Stop;
use crate::baud::Baud;
use crate::bench::Sim;
use crate::plan::{Action, Case, Quiet, Restore, Step, Trigger};
use crate::timeline::event::{self, StepOutcome};

/// The hotkey that boot code takes after a reset (source: the ST Community post and Easy Connect).
const HOTKEY: u8 = 0xC5;
/// The hotkey as Easy Connect sends it.
const HOTKEY_ST: [u8; 2] = [0xC5, 0xFF];
/// The boot code's acknowledge of the hotkey (source: the ST Community post and Easy Connect).
const ACKNOWLEDGE: u8 = 0x9A;
/// How long hosts assert the reset line (source: Easy Connect, mbed, Zephyr).
pub(super) const RESET_PULSE: Duration = Duration::from_millis(15);

/// What the verbs know of the board beside what they see.
#[derive(Debug, Clone, Copy)]
pub struct BoardFacts {
    /// The speed at which the application answers after a plain start.
    pub home_speed: Baud,
    /// How long the application takes at most from a restart to its messages.
    pub start_up: Duration,
    /// What is done about the network that it may register with.
    pub sim: Sim,
}

/// What a step works with beside the conductor.
#[derive(Debug, Clone, Copy)]
pub struct Around<'c> {
    /// The case.
    pub case: &'c Case,
    /// The board.
    pub board: BoardFacts,
}

/// Carries out the steps of a list, until one stops.
///
/// # Errors
/// [`Stop`] says why it stopped before its end; [`Conductor::stopped_in`] is the step that did.
pub fn run_list(conductor: &mut Conductor<'_>, around: Around<'_>, steps: &[Step]) -> Result<(), Stop> {
    steps.iter().try_for_each(|step| run_step(conductor, around, step))
}

/// Carries out one step, from its begin on the timeline to its end.
///
/// # Errors
/// As [`run_list`].
pub fn run_step(conductor: &mut Conductor<'_>, around: Around<'_>, step: &Step) -> Result<(), Stop> {
    if around.board.sim == Sim::Quiet {
        radio::keep_off(conductor, around.board.home_speed, &step.action)?;
    }
    conductor.set_step(Some(step.id));
    conductor.show_step(step.id, &step.text);
    conductor.record(event::StepStart {})?;
    conductor.kept.forget_those_of(&step.action);
    conductor.stand_by(&step.beside);
    let mut result = run(conductor, around, step).and_then(|()| conductor.stand_down());
    conductor.end_handlers();
    if let Err(stop) = conductor.end_pulses()
        && (result.is_ok() || matches!(stop, Stop::GivenUp(_)))
    {
        result = Err(stop);
    }
    let outcome = match &result {
        Ok(()) => StepOutcome::Passed,
        Err(Stop::Failed(_) | Stop::Forbidden(_) | Stop::Restarted(_)) => StepOutcome::Failed,
        Err(Stop::Rig(_) | Stop::GivenUp(_)) => StepOutcome::Error,
        Err(Stop::Interrupted) => StepOutcome::Interrupted,
    };
    if result.is_err() {
        conductor.stopped_in.get_or_insert(step.id);
    }
    // Steps inside of it were the last ones to be named.
    conductor.set_step(Some(step.id));
    let by = result.as_ref().err().and_then(Stop::finding).and_then(|finding| finding.by);
    conductor.record(event::StepEnd { outcome, by })?;
    conductor.moments.step_before = conductor.now();
    result
}

fn run(conductor: &mut Conductor<'_>, around: Around<'_>, step: &Step) -> Result<(), Stop> {
    match &step.action {
        Action::Reset(reset) => reset::run(conductor, *reset),
        Action::Line(line) => line::run(conductor, line),
        Action::Power(power) => power::run(conductor, *power),
        Action::ExpectEdge(expect) => line::expect_edge(conductor, expect),
        Action::Uart { baud } => conductor.set_speed(*baud),
        Action::Send(send) => send::run(conductor, send),
        Action::Expect(expect) => expect::expect(conductor, expect),
        Action::Quiet(quiet) => expect::quiet(conductor, quiet),
        Action::Wait { duration } => {
            let until = conductor.moments.step_before + *duration;
            conductor.sleep_until(until)
        }
        Action::At(at) => at::run(conductor, at),
        Action::Handshake(handshake) => handshake::run(conductor, handshake),
        Action::Boot(boot) => boot::run(conductor, boot),
        Action::Upload(upload) => upload::run(conductor, around.case, upload, &step.beside.handlers),
        Action::Diagnosis(cause) => diagnosis::run(conductor, *cause),
        Action::Restore(restore) => restore::run(conductor, restore, around.board),
        Action::Check(check) => check::check(conductor, check),
        Action::Measure(measure) => check::measure(conductor, measure),
        Action::Note(text) => check::note(conductor, text),
        Action::Retry(retry) => control::retry(conductor, around, retry),
        Action::Repeat(repeat) => control::repeat(conductor, around, repeat),
        Action::All(all) => any::all(conductor, all),
        Action::Any(any) => any::any(conductor, any),
        Action::When(when) => control::when(conductor, around, when),
    }
}

/// Makes ready what a step looks for, before any step runs: what is built then does not stand between an answer and the reaction to it.
pub(super) fn prepare(step: &Step) {
    match &step.action {
        Action::Expect(expect) => expect.patterns.set.prepare(),
        Action::Quiet(Quiet { never: Some(never), .. }) => never.prepare(),
        Action::All(all) => all.patterns.iter().chain(&all.never).for_each(|set| set.prepare()),
        Action::Any(any) => any.patterns.set.prepare(),
        _ => {}
    }
    if let Some(never) = &step.beside.never {
        never.prepare();
    }
    for handler in &step.beside.handlers {
        if let Trigger::Pattern(set) = &handler.trigger {
            set.prepare();
        }
    }
}

/// Puts the board back, as the verb `restore` does.
///
/// # Errors
/// As [`run_step`].
pub(super) fn restore(conductor: &mut Conductor<'_>, restore: &Restore, board: BoardFacts) -> Result<(), Stop> {
    restore::run(conductor, restore, board)
}
