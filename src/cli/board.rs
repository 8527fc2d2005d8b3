//! `board`: who has the boards of a bench, and reserving them. Looks at the bench file, sysfs and the state directory; opens no port and drives no line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Failure;
use super::args;
use super::select::its_boards;
use super::talk::Talk;
use crate::bench::{Bench, Board, BoardKind};
use crate::line::{BoardLock, LockError, Reservation, state_dir};
use crate::port::{KnownPort, SYSFS};
use crate::report::Exit;
use crate::report::escape;
use crate::runner::words::describe_error;

pub(super) fn board(args: &args::Board, talk: &Talk) -> Result<Exit, Failure> {
    let (args::Board::List { bench: file } | args::Board::Lock { bench: file, .. } | args::Board::Unlock { bench: file, .. }) = args;
    let bench = match Bench::load(file) {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    match args {
        args::Board::List { .. } => list(&bench, talk),
        args::Board::Lock { name, duration, why, .. } => lock(one(&bench, name)?, *duration, why, talk),
        args::Board::Unlock { name, force, .. } => unlock(one(&bench, name)?, *force, talk),
    }
}

fn one<'b>(bench: &'b Bench, name: &str) -> Result<&'b Board, Failure> {
    bench.boards.iter().find(|board| board.name.0 == name).ok_or_else(|| {
        let names: Vec<&str> = bench.boards.iter().map(|board| board.name.0.as_str()).collect();
        Failure::usage(format!("{}: no board is called {name}", bench.file.display())).hint(its_boards(name, &names))
    })
}

fn lock(board: &Board, duration: Duration, why: &str, talk: &Talk) -> Result<Exit, Failure> {
    if why.trim().is_empty() || duration.is_zero() {
        let what = if duration.is_zero() { "--for 0: a reservation that has ended" } else { "--why says nothing" };
        return Err(Failure::usage(what).hint("others are told what the board is needed for, and until when"));
    }
    let (state_dir, port) = (state_dir(), device(board)?);
    let reservation = Reservation::of_this_user(&board.name.0, duration, why);
    reservation.make(&state_dir, &port).map_err(|error| refused(&error, board))?;
    talk.say(&format!("{}: reserved by {}", board.name, reservation));
    if let Some(holder) = BoardLock::holder(&state_dir, &port).map_err(|error| refused(&error, board))? {
        talk.say(&format!("{}: a run has it now, and keeps it to its end: {}", board.name, holder.in_words()));
    }
    Ok(Exit::Passed)
}

fn unlock(board: &Board, force: bool, talk: &Talk) -> Result<Exit, Failure> {
    let ended = Reservation::end(&state_dir(), &device(board)?, force).map_err(|error| refused(&error, board))?;
    talk.say(&match ended {
        Some(reservation) => format!("{}: no longer reserved; it was by {reservation}", board.name),
        None => format!("{}: nobody had reserved it", board.name),
    });
    Ok(Exit::Passed)
}

fn device(board: &Board) -> Result<PathBuf, Failure> {
    let resolved = board.port.resolve().map_err(|error| Failure::rig(describe_error(&error)).hint(error.hint()))?;
    Ok(resolved.device)
}

fn refused(error: &LockError, board: &Board) -> Failure {
    let failure = Failure::rig(describe_error(error));
    match error {
        LockError::Reserved { .. } => {
            failure.hint(format!("`evkit-hil board unlock {} --bench {} --force` ends it: ask first", board.name, board.file.display()))
        }
        _ => failure,
    }
}

/// One line a board, under a line of titles; a second one where a run has a board that is also reserved.
fn list(bench: &Bench, talk: &Talk) -> Result<Exit, Failure> {
    let titles = ["BOARD", "PORT", "KIND", "IDENTITY", "HELD BY", "UNTIL", "WHY"].map(str::to_owned);
    let mut rows = vec![titles];
    for board in &bench.boards {
        rows.extend(rows_of(board, &state_dir()).map_err(|error| refused(&error, board))?);
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        table.push_str(cells.join("  ").trim_end());
        table.push('\n');
    }
    talk.data(&table)
}

fn rows_of(board: &Board, state_dir: &Path) -> Result<Vec<[String; 7]>, LockError> {
    let kind = match board.kind {
        BoardKind::St87m01 if board.virtual_control.is_some() => "virtual",
        BoardKind::St87m01 => "st87m01",
        BoardKind::Generic => "generic",
    };
    let device = board.port.resolve().ok().map(|resolved| resolved.device);
    let (holder, reservation) = match &device {
        Some(device) => (BoardLock::holder(state_dir, device)?, Reservation::read(state_dir, device)?),
        None => (None, None),
    };
    let known = holder.as_ref().and_then(|holder| holder.identity.clone()).or_else(|| identity(board, device.as_deref()));
    let port = if device.is_some() { board.port.to_string() } else { format!("{} (not there)", board.port) };
    let cell = |text: &str| if text.is_empty() { "-".to_owned() } else { escape::text(text).into_owned() };
    let about = [board.name.to_string(), cell(&port), kind.to_owned(), cell(&known.unwrap_or_default())];
    let held = reservation.map(|one| [cell(&one.holder), cell(&one.until), cell(&one.why)]);
    let running = holder.map(|one| [cell(&one.holder), "its end".to_owned(), cell(&one.command)]);
    let mut rows: Vec<[String; 7]> = Vec::new();
    for [by, until, why] in held.into_iter().chain(running) {
        let [name, port, kind, identity] = if rows.is_empty() { about.clone() } else { Default::default() };
        rows.push([name, port, kind, identity, by, until, why]);
    }
    if rows.is_empty() {
        let [name, port, kind, identity] = about;
        rows.push([name, port, kind, identity, cell(""), cell(""), cell("")]);
    }
    Ok(rows)
}

/// What the bench says that the unit is, and what its USB adapter says where the bench does not.
fn identity(board: &Board, device: Option<&Path>) -> Option<String> {
    let usb = device.and_then(|device| KnownPort::of(Path::new(SYSFS), device)).and_then(|port| port.usb);
    let (serial, place) = usb.map_or((None, None), |usb| (usb.serial, usb.place));
    let wanted = &board.identity;
    let parts = [
        ("imei", wanted.imei.clone()),
        ("usb-serial", wanted.usb_serial.clone().or(serial)),
        ("usb-path", wanted.usb_path.clone().or(place)),
    ];
    let words: Vec<String> = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect();
    if words.is_empty() { None } else { Some(words.join(", ")) }
}
