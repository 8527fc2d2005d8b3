//! `release`: lets go of every line of a bench that we drive. Power stays as it is.

use super::Failure;
use super::args::Release;
use super::select::chosen_boards;
use super::talk::Talk;
use crate::bench::Board;
use crate::line::{LineConfig, release_all};
use crate::report::Exit;
use crate::runner::words::describe_error;
use crate::timeline::masked;

pub(super) fn release(args: &Release, talk: &Talk) -> Result<Exit, Failure> {
    let bench = match crate::bench::Bench::load(&args.bench) {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    // A board's reset line is called by the board's name.
    let named = |board: &Board, line: &LineConfig| match line.name.as_str() {
        "reset" => board.name.to_string(),
        name => format!("{} {name}", board.name),
    };
    let boards = chosen_boards(&bench, &args.board)?;
    let lines: Vec<_> = boards.into_iter().flat_map(|board| board.outputs().map(move |line| (named(board, line), line.clone()))).collect();
    let (mut exit, secrets) = (Exit::Passed, bench.secrets.all());
    for (board, result) in release_all(&lines) {
        match result {
            Ok(()) => talk.say(&format!("{board}: released")),
            Err(error) => {
                talk.say(&format!("{board}: not released: {}", masked(&secrets, describe_error(&error))));
                exit = Exit::Rig;
            }
        }
    }
    Ok(exit)
}
