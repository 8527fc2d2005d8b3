//! Proof that diagnosis tells causes apart: every fault of the virtual EVKIT in every shipped scenario, on boards drawn by many seeds, on simulated time.
//!
//! The board's own log says whether the fault acted in a case; diagnosis sees the timeline alone. What a fault must be named is in [`expected`]; the rest is counting.

mod expected;
mod matrix;
mod table;

pub use expected::{Expected, expected};
pub use matrix::{Matrix, Row, Scope, Verdict, run};
pub use table::render;
