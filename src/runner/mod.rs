//! The runner: one thread owns one board, and it alone decides.
//!
//! In reading order: [`pool`] hands cases to boards; [`session`] opens a board and holds it to the end of the run; [`case`] runs one case on it; [`conductor`] is the one
//! place that waits on the seam and writes the timeline; [`watch`] looks for restarts that nobody commanded in all that comes; [`steps`] has a file for each verb. Nothing here formats a report.

pub mod case;
pub mod conductor;
pub mod inbox;
pub mod pool;
pub mod progress;
pub mod session;
pub mod steps;
pub mod stop;
pub mod timing;
pub mod virtual_pool;
pub mod watch;
pub mod words;
