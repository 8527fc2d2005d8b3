//! How long a case can take at most: the sum of the bounds of its steps.

use std::time::Duration;

use super::{Action, Beside, Case, Handshake, LineAct, LineDrive, Plan, Power, Reset, Rounds, Step, Strategy};

/// What is added to the worst case of the steps for the deadline of a case that names none.
pub const DEADLINE_SLACK: Duration = Duration::from_secs(5);

/// Easy Connect's wait after a reset, and for the acknowledge; its tries.
const ST_AFTER_RESET: Duration = Duration::from_millis(500);
const ST_ACKNOWLEDGE: Duration = Duration::from_millis(100);
const ST_TRIES: u32 = 3;

/// Easy Connect's pulse.
const PULSE: Duration = Duration::from_millis(15);

/// How long one character can take: 8N1 at 9600 baud, the lowest usual speed.
const CHARACTER: Duration = Duration::from_micros(1042);

impl Plan {
    /// How long the cases can take at most, one after another.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        self.cases.iter().map(Case::worst_case).fold(Duration::ZERO, Duration::saturating_add)
    }
}

impl Case {
    /// How long the case can take at most, `finally` included: the sum of the bounds of its steps, and never more than its deadlines.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        worst_case(&self.steps).min(self.deadline).saturating_add(worst_case(&self.finally).min(self.finally_deadline))
    }
}

/// The sum of the bounds of `steps`.
#[must_use]
pub fn worst_case(steps: &[Step]) -> Duration {
    steps.iter().fold(Duration::ZERO, |sum, step| sum.saturating_add(step.action.worst_case()).saturating_add(of_handlers(&step.beside)))
}

/// How long the pulses of handlers can go on behind their step's end: each handler's once.
fn of_handlers(beside: &Beside) -> Duration {
    beside.handlers.iter().fold(Duration::ZERO, |sum, handler| sum.saturating_add(worst_case(&handler.steps)))
}

impl Action {
    /// How long the action can take at most. What counts from an event counts in full, as though the event were now.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        match self {
            Self::Reset(Reset::Pulse(pulse)) => *pulse,
            Self::Reset(Reset::Hold(_)) | Self::Uart { .. } | Self::Diagnosis(_) | Self::Check(_) | Self::Measure(_) | Self::Note(_) => {
                Duration::ZERO
            }
            Self::Send(send) => {
                let characters = u32::try_from(send.bytes.len()).unwrap_or(u32::MAX);
                send.at.as_ref().map_or(Duration::ZERO, |(_, after)| *after).saturating_add(CHARACTER.saturating_mul(characters))
            }
            Self::Line(LineDrive { act: LineAct::Pulse(time), .. }) | Self::Power(Power::Cycle(time)) => *time,
            Self::Line(LineDrive { act: LineAct::Hold(_), .. }) | Self::Power(Power::On | Power::Off) => Duration::ZERO,
            Self::Expect(expect) => expect.within,
            Self::ExpectEdge(expect) => expect.within,
            Self::Quiet(quiet) => quiet.duration,
            Self::Wait { duration } => *duration,
            Self::At(at) => at.within.saturating_mul(at.tries),
            Self::Handshake(handshake) => of_handshake(handshake),
            Self::Boot(boot) => of_boot_command(boot.within),
            Self::Upload(upload) => upload.within.max(of_boot_command(upload.answer_within)),
            Self::Restore(restore) => restore.within,
            Self::Retry(retry) => {
                let pauses = retry.pause.saturating_mul(retry.times.saturating_sub(1));
                worst_case(&retry.steps).saturating_mul(retry.times).saturating_add(pauses)
            }
            Self::Repeat(repeat) => match repeat.rounds {
                Rounds::Times(times) => worst_case(&repeat.steps).saturating_mul(times),
                // The last round may begin just before the end.
                Rounds::For(duration) => duration.saturating_add(worst_case(&repeat.steps)),
            },
            Self::All(all) => all.within,
            Self::Any(any) => any.within,
            Self::When(when) => worst_case(&when.steps).max(worst_case(&when.otherwise)),
        }
    }
}

/// The first sending, and one more after each of two further acknowledges.
const fn of_boot_command(within: Duration) -> Duration {
    within.saturating_add(ST_ACKNOWLEDGE).saturating_mul(ST_TRIES)
}

fn of_handshake(handshake: &Handshake) -> Duration {
    let pulse = handshake.pulse.unwrap_or(PULSE);
    match handshake.strategy {
        Strategy::Repeat { .. } => pulse.saturating_add(handshake.within),
        Strategy::St => pulse.saturating_add(ST_AFTER_RESET + ST_ACKNOWLEDGE).saturating_mul(ST_TRIES),
    }
}
