//! `doctor`: what stands in the way on this computer and its boards, a line and a remedy each.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use super::Failure;
use super::args::Doctor;
use super::results::default_out;
use super::select::chosen_boards;
use super::talk::Talk;
use crate::bench::Bench;
use crate::doctor::{self, Linux, State, System, User};
use crate::report::{Exit, finding_block, findings_summary};

pub(super) fn doctor(args: &Doctor, talk: &Talk) -> Result<Exit, Failure> {
    let bench = match args.bench.as_deref().map(Bench::load).transpose() {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(talk.diagnostics(&diagnostics)),
    };
    let boards = match &bench {
        Some(bench) => chosen_boards(bench, &args.board)?,
        None => Vec::new(),
    };
    let system = System { root: PathBuf::from("/"), user: User::of_this_process(), results: default_out(), kernel: &Linux };
    let mut states: Vec<State> = Vec::new();
    let mut ask = |question: &str| if args.yes { Some(true) } else { asked(question) };
    doctor::examine(&system, &boards, &mut ask, &mut |finding| {
        talk.say(&finding_block(&finding, talk.width(), &talk.palette()));
        states.push(finding.state);
    });
    talk.say(&findings_summary(&states, &talk.palette()));
    Ok(if states.contains(&State::Failed) { Exit::Failed } else { Exit::Passed })
}

/// Asks at the terminal; `None` where there is none. What is no yes is a no.
fn asked(question: &str) -> Option<bool> {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return None;
    }
    let _ = write!(output, "{question} [y/N] ").and_then(|()| output.flush());
    let mut answer = String::new();
    input.lock().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}
