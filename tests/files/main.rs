//! What is said of both kinds of files as a whole: the two parsers read them alike, their JSON Schemas are right, and every key has a mistake that is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alike;
mod keys;
mod parsers;
mod refusals;
mod samples;
mod schema;
mod validator;
