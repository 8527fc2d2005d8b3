//! What the system can do and no safe crate offers: the only `unsafe` of the program, each function one call, wrapped so that its callers need none.

pub(crate) mod children;
mod clock;
pub(crate) mod descriptors;
mod tty;

pub(crate) use clock::clock_is_synchronized;
#[cfg(test)]
pub(crate) use tty::modem_lines;
pub(crate) use tty::{ModemLines, adopt, borrow, is_exclusive, set_modem_lines};
