//! Judging an answer by its deadline: in time, late, or *this computer looked too late to tell*.

use std::time::Duration;

use super::inbox::Read;
use super::stop::{Finding, Stop};
use crate::time::MonoTime;

/// How an answer that came around its deadline is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It came in time.
    InTime,
    /// It came after the deadline.
    Late,
    /// It came before this computer looked, and this computer looked late: nobody can tell.
    HostLate(Duration),
}

/// Judges an answer that a read brought: the stream was last seen empty at `since`, the read ended at `at`.
///
/// Read before the deadline: in time. Empty until after it: late. The deadline between the two: in time if the reader was at most `allowance` late, else
/// the host's fault.
#[must_use]
pub fn judge(read: &Read, deadline: MonoTime, allowance: Duration) -> Timing {
    if read.at <= deadline {
        Timing::InTime
    } else if read.since >= deadline {
        Timing::Late
    } else {
        let late = read.at - deadline;
        if late <= allowance { Timing::InTime } else { Timing::HostLate(late) }
    }
}

/// The stop for an answer that came around its deadline when this computer looked too late.
#[must_use]
pub fn host_late(late: Duration, allowance: Duration, seq: u64) -> Stop {
    Stop::Rig(Finding::new(
        format!("this computer was {:.1} ms late", late.as_secs_f64() * 1e3),
        format!("to look at the port at most {:.1} ms after the deadline (`host-late` in the bench file)", allowance.as_secs_f64() * 1e3),
        format!(
            "the answer was there, but it was read {:.1} ms after its deadline: nobody can tell whether it came in time",
            late.as_secs_f64() * 1e3
        ),
        vec![seq],
    ))
}
