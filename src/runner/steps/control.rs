//! `retry`, `repeat` and `when`: steps inside a step.

use super::{Around, check, run_list};
use crate::plan::units::show_duration;
use crate::plan::{Repeat, Retry, Rounds, When};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

pub(super) fn retry(conductor: &mut Conductor<'_>, around: Around<'_>, retry: &Retry) -> Result<(), Stop> {
    let mut attempt = 1;
    loop {
        let stop = match run_list(conductor, around, &retry.steps) {
            Err(stop) => stop,
            Ok(()) => return Ok(()),
        };
        // What must not come and came, what is not the board's doing, and a case whose time is over, is not tried again.
        let Stop::Failed(finding) = &stop else { return Err(stop) };
        if attempt >= retry.times || conductor.is_over() {
            return Err(stop.with_reason(|reason| format!("in try {attempt} of {}: {reason}", retry.times)));
        }
        attempt += 1;
        conductor.note(format!("retry, try {attempt} of {}: {}", retry.times, finding.reason))?;
        conductor.stopped_in = None;
        let until = conductor.now() + retry.pause;
        conductor.sleep_until(until)?;
        conductor.moments.step_before = conductor.now();
    }
}

pub(super) fn repeat(conductor: &mut Conductor<'_>, around: Around<'_>, repeat: &Repeat) -> Result<(), Stop> {
    let begun = conductor.now();
    let mut round = 1;
    loop {
        let round_begun = conductor.now();
        conductor.note(match repeat.rounds {
            Rounds::Times(times) => format!("repeat, round {round} of {times}"),
            Rounds::For(_) => format!("repeat, round {round}"),
        })?;
        run_list(conductor, around, &repeat.steps).map_err(|stop| stop.with_reason(|reason| format!("in round {round}: {reason}")))?;
        let done = match repeat.rounds {
            Rounds::Times(times) => round >= times,
            Rounds::For(duration) => conductor.now() >= begun + duration,
        };
        if done {
            return Ok(());
        }
        // Simulated time stands still where nothing waits.
        if let Rounds::For(duration) = repeat.rounds
            && conductor.now() == round_begun
        {
            return Err(Stop::Rig(Finding::new(
                format!("round {round} took no time, so `for: {}` would never be over", show_duration(duration)),
                "steps that wait for something, in each round",
                "simulated time that stands still",
                vec![],
            )));
        }
        // Rounds in which nothing waits let the run be ended too.
        conductor.sleep_until(conductor.now())?;
        round += 1;
    }
}

pub(super) fn when(conductor: &mut Conductor<'_>, around: Around<'_>, when: &When) -> Result<(), Stop> {
    let broken = check::broken(conductor, &when.condition)?;
    let (text, steps) = match &broken {
        None => (format!("when: {} holds", when.condition.value), &when.steps),
        Some(broken) => (format!("when: {}", broken.reason), &when.otherwise),
    };
    conductor.note(text)?;
    run_list(conductor, around, steps)
}
