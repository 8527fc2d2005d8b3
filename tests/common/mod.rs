//! What integration tests share. Include it with `#[cfg(test)] mod common;` (the attribute tells clippy that `expect` is welcome).
//!
//! Each helper comes with tests of its own, which run in every test program that includes it; they use all of it, so that nothing here
//! is dead code in a test program that needs only a part.

pub(crate) mod process;
