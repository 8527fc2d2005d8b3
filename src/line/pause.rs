//! The one sleep of the program, for the ways in and out of a run: taking a lock, connecting, releasing after a death. A run itself waits in
//! [`crate::seam::Seam::wait`] and nowhere else.

use std::time::Duration;

/// Blocks for `duration`.
#[expect(clippy::disallowed_methods, reason = "nothing can be polled for a lock, a full queue of clients or a claim to become free")]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
