//! `diagnose`: what is the matter with one board.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::Failure;
use super::args::Diagnose;
use super::results::{claim, default_out, rig};
use super::run::watch::bar;
use super::select::chosen_boards;
use super::signals;
use super::talk::Talk;
use crate::bench::{Bench, Board, BoardKind};
use crate::report::{CaseReport, Exit, terminal};
use crate::runner::examination::{Examined, LISTEN, Scope};
use crate::runner::progress::{Message, Progress};
use crate::runner::session::{Owner, Rig, Session, Trouble};
use crate::runner::words::describe_error;
use crate::timeline::event::Outcome;
use crate::timeline::{BYTES_FILE, EVENTS_FILE};

/// How long is listened with `--listen`.
const LISTEN_ONLY: Duration = Duration::from_secs(10);
/// How many lines of the transcript are shown.
const TRANSCRIPT_LINES: usize = 40;
/// How often the progress is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

pub(super) fn diagnose(args: &Diagnose, talk: &Talk) -> Result<Exit, Failure> {
    let bench = match args.bench.as_deref().map(Bench::load).transpose() {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    let board = match (&bench, &args.port) {
        (Some(bench), _) => the_board(bench, args.board.as_deref())?.clone(),
        (None, Some(port)) => Board::at_port(port),
        (None, None) => return Err(Failure::usage("no board is named").hint("--bench FILE or --port PORT names one")),
    };
    if board.kind == BoardKind::Generic {
        return Err(Failure::usage(format!("{} is `kind: generic`: nobody knows what AT or a hotkey would do to it", board.name))
            .hint("--port with --listen sends nothing, and `evkit-hil run` replays scenarios on it"));
    }
    if args.duration.is_some() && !args.listen {
        return Err(Failure::usage("--for says for how long --listen listens, and --listen is not there")
            .hint("add --listen, and nothing is sent; without it the board is listened to for 2 s and then asked"));
    }
    let scope = match (args.listen, args.no_reset || board.reset.is_none()) {
        (true, _) => Scope::Listen,
        (false, true) => Scope::Words,
        (false, false) => Scope::Whole,
    };
    let listen = args.duration.unwrap_or(if args.listen { LISTEN_ONLY } else { LISTEN });
    let folder = args.out.clone().unwrap_or_else(|| default_out().join("diagnose"));
    let _mine = claim(&folder, &folder)?;
    remove_old(&folder)?;
    let interrupts = signals::listen("interrupted again: ended at once, guardians release the lines")
        .map_err(|error| Failure::rig(format!("signals cannot be taken over: {error}")))?;
    let rig = rig(bench.as_ref(), interrupts, args.wait, 0);
    if scope == Scope::Words && !args.no_reset {
        talk.say("note: a port without a bench has no reset line: AT only, as with --no-reset");
    }
    let (name, port) = (board.name.to_string(), board.port.to_string());
    talk.say(&if name == port { port } else { format!("{name} on {port}") });
    let (sender, receiver) = mpsc::channel();
    let examined = std::thread::scope(|scope_of_threads| {
        let (board, rig, folder) = (&board, &rig, &folder);
        let runner = scope_of_threads.spawn(move || {
            let progress = Progress::new(&board.name.0, sender);
            examine(board, rig, scope, listen, folder, &progress)
        });
        watch(&receiver, &rig.interrupted, talk);
        runner.join()
    });
    let examined = examined.unwrap_or_else(|_| Err(Trouble { reason: "the runner panicked".to_owned(), hint: None }));
    let interrupted = rig.interrupted.load(Ordering::Relaxed);
    let examined = match examined {
        Ok(examined) => examined,
        Err(_) if interrupted => return Ok(Exit::Interrupted),
        Err(trouble) => {
            let Trouble { reason, hint } = trouble.masked(&rig.secrets);
            let failure = Failure::rig(reason);
            return Err(match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
    };
    conclude(&folder, args.transcript, talk)?;
    Ok(match examined.outcome {
        _ if interrupted => Exit::Interrupted,
        _ if examined.given_up.is_some() => Exit::Rig,
        Outcome::Passed => Exit::Passed,
        Outcome::Failed => Exit::Failed,
        _ => Exit::Rig,
    })
}

/// The board of this name, or the only one.
fn the_board<'b>(bench: &'b Bench, name: Option<&str>) -> Result<&'b Board, Failure> {
    let wanted: Vec<String> = name.map(str::to_owned).into_iter().collect();
    match chosen_boards(bench, &wanted)?[..] {
        [board] => Ok(board),
        ref boards => {
            let names: Vec<&str> = boards.iter().map(|board| board.name.0.as_str()).collect();
            Err(Failure::usage(format!("{} has {} boards, and one is diagnosed at a time", bench.file.display(), boards.len()))
                .hint(format!("--board NAME says which: {}", names.join(", "))))
        }
    }
}

/// Removes the timeline of the diagnosis before, and nothing else.
fn remove_old(folder: &Path) -> Result<(), Failure> {
    for name in [EVENTS_FILE, BYTES_FILE] {
        let file = folder.join(name);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::rig(format!("{} of an earlier diagnosis cannot be removed: {error}", file.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes the board, examines it and lets it go. One that is given up is dropped, so that its guardian releases its lines as well.
fn examine(board: &Board, rig: &Rig, scope: Scope, listen: Duration, folder: &Path, progress: &Progress) -> Result<Examined, Trouble> {
    let mut session = Session::open(board, Owner::Bench, rig)?;
    let examined = session.examine(scope, listen, folder, progress)?;
    if examined.given_up.is_none() {
        session.let_go()?;
    }
    Ok(examined)
}

/// Shows each phase as it ends, and on a terminal what is done now, until the last sender is gone.
fn watch(receiver: &Receiver<Message>, interrupted: &AtomicBool, talk: &Talk) {
    let target = || if talk.is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar: ProgressBar = bar();
    bar.set_draw_target(target());
    let mut doing = None;
    let mut told = false;
    let say = |line: &str| bar.suspend(|| talk.say(line));
    loop {
        if !told && interrupted.load(Ordering::Relaxed) {
            told = true;
            say("interrupted: putting the board back (again to release the lines and end at once)");
        }
        match receiver.recv_timeout(REDRAW) {
            Ok(Message::Started { board, case, doing: now }) => doing = Some((board, case, now, Instant::now())),
            Ok(Message::Phase { name, found }) => say(&terminal::phase_line(name, &found, talk.width(), &talk.palette())),
            Ok(Message::Asked { question }) => {
                // A line that is drawn ten times a second would run over the question, and over what is typed.
                bar.set_message("");
                bar.set_draw_target(ProgressDrawTarget::hidden());
                talk.say(&question);
            }
            Ok(Message::Answered) => bar.set_draw_target(target()),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Some((board, case, doing, since)) = doing.as_ref().filter(|_| talk.is_terminal()) {
            let doing = doing.now();
            let step = (doing.number > 0).then_some((doing.number, doing.of, doing.text.as_str()));
            let shown = terminal::Progress { board, case, step, elapsed: since.elapsed() };
            bar.set_message(terminal::progress_line(&shown, talk.width()));
        }
    }
    bar.finish_and_clear();
}

/// What it came to, from the timeline alone.
fn conclude(folder: &Path, whole: bool, talk: &Talk) -> Result<(), Failure> {
    let report = CaseReport::read(folder).map_err(|error| Failure::rig(describe_error(&error)))?;
    let (width, palette) = (talk.width(), talk.palette());
    talk.say("");
    talk.say(&terminal::examined_block(&report, width, &palette));
    let transcript = terminal::transcript_block(&report, (!whole).then_some(TRANSCRIPT_LINES), width, &palette);
    if !transcript.is_empty() {
        talk.say(&format!("\n{transcript}"));
    }
    talk.say(&format!("\ntimeline {}", folder.display()));
    Ok(())
}
