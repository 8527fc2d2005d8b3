//! `release`: lets go of every reset line of a bench.

use super::Failure;
use super::args::Release;
use super::talk::Talk;
use crate::line::release_all;
use crate::report::Exit;
use crate::runner::words::describe_error;

pub(super) fn release(args: &Release, talk: &Talk) -> Result<Exit, Failure> {
    let bench = match crate::bench::Bench::load(&args.bench) {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    let lines: Vec<_> = bench.boards.iter().map(|board| (board.name.to_string(), board.reset.clone())).collect();
    let mut exit = Exit::Passed;
    for (board, result) in release_all(&lines) {
        match result {
            Ok(()) => talk.say(&format!("{board}: released")),
            Err(error) => {
                talk.say(&format!("{board}: not released: {}", describe_error(&error)));
                exit = Exit::Rig;
            }
        }
    }
    Ok(exit)
}
