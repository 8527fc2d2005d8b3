//! How long a case can take at most: the sum of the bounds of its steps.

use std::time::Duration;

use super::{Action, Case, Handshake, Reset, Step, Strategy};

/// What is added to the worst case of the steps for the deadline of a case that names none.
pub const DEADLINE_SLACK: Duration = Duration::from_secs(5);

/// Easy Connect's wait after a reset, and for the acknowledge; its tries.
const ST_AFTER_RESET: Duration = Duration::from_millis(500);
const ST_ACKNOWLEDGE: Duration = Duration::from_millis(100);
const ST_TRIES: u32 = 3;

/// Easy Connect's pulse.
const PULSE: Duration = Duration::from_millis(15);

/// How long one character can take: 8N1 at 9600 baud, the lowest speed of the ladder.
const CHARACTER: Duration = Duration::from_micros(1042);

impl Case {
    /// How long the case can take at most, `finally` included: the sum of the bounds of its steps, and never more than its deadlines.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        worst_case(&self.steps).min(self.deadline) + worst_case(&self.finally).min(self.finally_deadline)
    }
}

/// The sum of the bounds of `steps`.
#[must_use]
pub fn worst_case(steps: &[Step]) -> Duration {
    steps.iter().fold(Duration::ZERO, |sum, step| sum.saturating_add(step.action.worst_case()))
}

impl Action {
    /// How long the action can take at most. What counts from an event counts in full, as though the event were now.
    #[must_use]
    pub fn worst_case(&self) -> Duration {
        match self {
            Self::Reset(Reset::Pulse(pulse)) => *pulse,
            Self::Reset(Reset::Hold(_)) | Self::Uart { .. } | Self::Diagnosis(_) => Duration::ZERO,
            Self::Send(send) => {
                let characters = u32::try_from(send.bytes.len()).unwrap_or(u32::MAX);
                send.at.map_or(Duration::ZERO, |(_, after)| after).saturating_add(CHARACTER.saturating_mul(characters))
            }
            Self::Expect(expect) => expect.within,
            Self::Quiet(quiet) => quiet.duration,
            Self::Wait { duration } => *duration,
            Self::At(at) => at.within.saturating_mul(at.tries),
            Self::Handshake(handshake) => of_handshake(handshake),
            // The first sending, and one more after each of two further acknowledges.
            Self::Boot(boot) => boot.within.saturating_add(ST_ACKNOWLEDGE).saturating_mul(ST_TRIES),
            Self::Upload(upload) => upload.within,
            Self::Restore(restore) => restore.within,
        }
    }
}

fn of_handshake(handshake: &Handshake) -> Duration {
    let pulse = handshake.pulse.unwrap_or(PULSE);
    match handshake.strategy {
        Strategy::Repeat { .. } => pulse.saturating_add(handshake.within),
        Strategy::St => (pulse + ST_AFTER_RESET + ST_ACKNOWLEDGE).saturating_mul(ST_TRIES),
    }
}
