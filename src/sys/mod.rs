//! What the system can do and no safe crate offers: the only `unsafe` of the program, each function one call, wrapped so that its callers need none.

pub(crate) mod descriptors;
mod tty;

pub(crate) use tty::{adopt, borrow, is_exclusive};
