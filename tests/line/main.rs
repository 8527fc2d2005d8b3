//! Lines against a small board behind a socket, and programs that switch one: the backend, the guardian, the lock and `release`, with processes that die.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod board;
mod command;
mod guardian;
mod lock;
mod release;
mod socket;
