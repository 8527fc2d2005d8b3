//! The timeline: everything that happens in a case, as events on one monotonic clock, on disk.

pub mod event;
