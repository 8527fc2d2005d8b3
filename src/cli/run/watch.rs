//! Watching a run: what each board does now while standard error is a terminal, a line for each case that ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::talk::Talk;
use crate::plan::Plan;
use crate::report::{CaseReport, GivenUp, join_tries, terminal};
use crate::runner::progress::{Doing, Message};

/// How often the lines of boards are drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

/// What the run came to.
pub(super) struct Seen {
    /// Every case, in the order of the plan, and of the boards where each ran it.
    pub(super) cases: Vec<CaseReport>,
    /// The boards' health cases, in the order of the boards.
    pub(super) boards: Vec<CaseReport>,
    /// Boards that were given up.
    pub(super) given_up: Vec<GivenUp>,
    /// Why cases have no record that can be read; one reason for each.
    pub(super) unrecorded: Vec<String>,
}

struct BoardLine {
    bar: ProgressBar,
    case: String,
    doing: Doing,
    since: Instant,
}

/// Shows messages until the last sender is gone. `names` are the boards, in their order.
pub(super) fn watch(receiver: &Receiver<Message>, interrupted: &AtomicBool, plan: &Plan, names: &[String], talk: &Talk) -> Seen {
    let target = || if talk.is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bars = MultiProgress::with_draw_target(target());
    let mut boards: BTreeMap<String, BoardLine> = BTreeMap::new();
    let mut seen = Seen { cases: Vec::new(), boards: Vec::new(), given_up: Vec::new(), unrecorded: Vec::new() };
    let mut told = false;
    let say = |line: &str| bars.suspend(|| talk.say(line));
    loop {
        if !told && interrupted.load(Ordering::Relaxed) {
            told = true;
            say("interrupted: putting boards back (again to release the lines and end at once)");
        }
        match receiver.recv_timeout(REDRAW) {
            Ok(Message::Started { board, case, doing }) => {
                let line = BoardLine { bar: bars.add(bar()), case, doing, since: Instant::now() };
                if let Some(old) = boards.insert(board, line) {
                    bars.remove(&old.bar);
                }
            }
            Ok(Message::Ended { board, folder }) => {
                if let Some(line) = board.and_then(|board| boards.remove(&board)) {
                    bars.remove(&line.bar);
                }
                match read(&folder, &say, talk) {
                    Ok(report) => seen.cases.push(report),
                    Err(why) => seen.unrecorded.push(why),
                }
            }
            Ok(Message::Checked { board, folder }) => {
                if let Some(line) = boards.remove(&board) {
                    bars.remove(&line.bar);
                }
                match read(&folder, &say, talk) {
                    Ok(report) => seen.boards.push(report),
                    Err(why) => seen.unrecorded.push(why),
                }
            }
            Ok(Message::Unrecorded { reason }) => seen.unrecorded.push(reason),
            Ok(Message::Asked { question }) => {
                // Lines that are drawn ten times a second would run over the question, and over what is typed.
                let _ = bars.clear();
                bars.set_draw_target(ProgressDrawTarget::hidden());
                talk.say(&question);
            }
            // Cases have steps.
            Ok(Message::Phase { .. }) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::Answered) => bars.set_draw_target(target()),
            Ok(Message::GivenUp { board, reason, hint }) => {
                say(&format!("board {board} is given up: {reason}"));
                seen.given_up.push(GivenUp { board, reason, hint });
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if talk.is_terminal() {
            for (board, line) in &boards {
                let doing = line.doing.now();
                let step = (doing.number > 0).then_some((doing.number, doing.of, doing.text.as_str()));
                let shown = terminal::Progress { board, case: &line.case, step, elapsed: line.since.elapsed() };
                line.bar.set_message(terminal::progress_line(&shown, talk.width()));
            }
        }
    }
    // What a board did last is no news any more; clearing a screen that is gone is no fault either.
    let _ = bars.clear();
    let place = |report: &CaseReport| {
        let case = plan.cases.iter().position(|case| case.name == report.case.name);
        (case, names.iter().position(|name| report.case.board.as_ref() == Some(name)))
    };
    seen.boards.sort_by_key(|report| names.iter().position(|name| report.case.board.as_ref() == Some(name)));
    seen.cases = join_tries(std::mem::take(&mut seen.cases));
    seen.cases.sort_by_key(place);
    seen
}

/// Reads a case that ended and shows its line.
fn read(folder: &Path, say: &dyn Fn(&str), talk: &Talk) -> Result<CaseReport, String> {
    let report = CaseReport::read(folder).map_err(|error| crate::runner::words::describe_error(&error))?;
    say(&terminal::case_line(&report, talk.width(), &talk.palette()));
    Ok(report)
}

pub(in crate::cli) fn bar() -> ProgressBar {
    // A template without a placeholder for anything but the message cannot fail to parse; if it did, the default shows it too.
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
