//! The runner: one thread owns one board, and it alone decides.
//!
//! In reading order: [`pool`] hands cases to boards, out of a queue that they share; [`session`] opens a board and holds it to the end of the run; [`health`] asks the board who it is; [`case`] runs one case on it; [`conductor`] is the one
//! place that waits on the seam and writes the timeline, with `lines` beside it for all that is no byte; [`watch`] looks for restarts that nobody commanded in all that comes; [`steps`] has a file for each verb; `probe` is what is done to a board on which a case failed, to decide between causes; [`examination`] looks at one board for `diagnose`. Nothing here formats a report.

pub mod case;
pub mod conductor;
pub mod edges;
pub mod examination;
mod handling;
pub mod health;
pub mod inbox;
pub mod kept;
mod lines;
pub mod moments;
pub mod pool;
mod probe;
pub mod progress;
mod queue;
mod resets;
pub mod search;
pub mod session;
mod standing;
pub mod steps;
pub mod stop;
pub mod timing;
mod unit;
pub mod virtual_pool;
pub mod watch;
mod wire;
pub mod words;
