//! Letting go of lines without running anything.

use std::time::Duration;

use super::manual::ManualLine;
use super::pause::pause;
use super::{Backend, LineConfig, LineError, open};
use crate::time::MonoTime;

/// How long [`release_until`] pauses between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Releases a line: claims it, which writes the released state first, and lets it go again. A person is asked to let go. May block, as [`open()`] does.
/// **Not for power**, which its claim switches on.
///
/// # Errors
/// [`LineError`] when the line could not be claimed or released.
pub fn release(config: &LineConfig) -> Result<(), LineError> {
    match config.backend {
        Backend::Manual { .. } => ManualLine::claim(config)?.ask_to_release(),
        _ => open(config).map(drop),
    }
}

/// Releases every line, by name, all at once; the answers are in the order of `lines`. This is `evkit-hil release`.
///
/// **Takes no lock, on purpose**: it is for a board that a run, dead or alive, holds in reset, and so it also ends a pulse in the
/// middle of somebody's case. What the operating system itself keeps from us stays so: a `gpiocdev` line that a living run has claimed
/// is [`LineError::Busy`], and a `socket` whose program serves one client at a time is [`LineError::NoAnswer`] while a living run is
/// that client. End the run then; its guardian releases the line.
#[must_use]
pub fn release_all(lines: &[(String, LineConfig)]) -> Vec<(String, Result<(), LineError>)> {
    each(lines, |(name, config)| (name.clone(), release(config)))
}

/// Releases a line, trying again until `deadline`: the claim or the connection of an owner that has just died may take a moment to go.
pub(super) fn release_until(config: &LineConfig, deadline: MonoTime) -> Result<(), LineError> {
    loop {
        match release(config) {
            Err(_) if MonoTime::now() + PAUSE < deadline => pause(PAUSE),
            last => return last,
        }
    }
}

/// Does something with each line at the same time, so that one that hangs delays no other; the results are in order.
pub(super) fn each<T: Sync, R: Send>(lines: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = lines.iter().map(|line| scope.spawn(move || act(line))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
