//! `schema`: what an editor needs to know of the files.

use super::Failure;
use super::args::Files;
use super::talk::Talk;
use crate::report::Exit;

/// Prints the JSON Schema of one kind of file.
pub(super) fn schema(files: Files, talk: &Talk) -> Result<Exit, Failure> {
    let schema = match files {
        Files::Scenario => crate::scenario::schema(),
        Files::Fragment => crate::scenario::fragment_schema(),
        Files::Bench => crate::bench::schema(),
    };
    talk.data(&format!("{schema:#}\n"))
}
