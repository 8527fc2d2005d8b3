//! `release`: lets go of every line of a bench that we drive. Power stays as it is.

use super::Failure;
use super::args::Release;
use super::select::chosen_boards;
use super::talk::Talk;
use crate::bench::Board;
use crate::line::{BoardLock, LineConfig, LockError, LockInfo, release_all, state_dir};
use crate::report::Exit;
use crate::runner::words::describe_error;
use crate::timeline::masked;

pub(super) fn release(args: &Release, talk: &Talk) -> Result<Exit, Failure> {
    let bench = match crate::bench::Bench::load(&args.bench) {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    let (mut exit, secrets) = (Exit::Passed, bench.secrets.all());
    let mut boards = chosen_boards(&bench, &args.board)?;
    // Held until the lines are released: a run that begins meanwhile does not find them claimed by us.
    let mut locks = Vec::new();
    if args.if_free {
        boards.retain(|board| match lock(board) {
            Ok(lock) => {
                locks.extend(lock);
                true
            }
            Err(LockError::Busy { holder, .. }) => {
                let by = holder.map_or_else(|| "a process that has not said who it is".to_owned(), |holder| holder.in_words());
                talk.say(&format!("{}: left alone, in use by {by}", board.name));
                false
            }
            // No run got this lock either, and so none drove the lines.
            Err(error) => {
                talk.say(&format!("{}: not released: {}", board.name, describe_error(&error)));
                exit = Exit::Rig;
                false
            }
        });
    }
    // A board's reset line is called by the board's name.
    let named = |board: &Board, line: &LineConfig| match line.name.as_str() {
        "reset" => board.name.to_string(),
        name => format!("{} {name}", board.name),
    };
    let lines: Vec<_> = boards.into_iter().flat_map(|board| board.outputs().map(move |line| (named(board, line), line.clone()))).collect();
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

/// The lock of a board that no run has; `None` for one whose port is not there: no run can have it, and its lines may still be asserted.
fn lock(board: &Board) -> Result<Option<BoardLock>, LockError> {
    let Ok(found) = board.port.resolve() else { return Ok(None) };
    match BoardLock::acquire_for_release(&state_dir(), &found.device, &LockInfo::of_this_process(&board.name.0)) {
        Err(LockError::NoPort { .. }) => Ok(None),
        lock => lock.map(Some),
    }
}
