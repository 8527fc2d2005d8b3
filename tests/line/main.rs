//! Reset lines against a small board behind a socket: the backend, the guardian, the lock and `release`, with processes that die.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod board;
mod guardian;
mod lock;
mod release;
mod socket;
