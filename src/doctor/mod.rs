//! What stands in the way of a bench: this computer, its ports and its lines are looked at one by one, and what is wrong is said with its remedy.
//!
//! Nothing is opened, sent or driven. One check is an exception and is asked for first: the reading of a released reset pin, which lets go of it and pulls it, and so may reset the board.

mod computer;
mod lines;
mod ports;
mod system;
#[cfg(test)]
mod tests;

pub use system::{Kernel, Linux, System, User};

use crate::bench::Board;

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// The board that it is about; `None` for the computer itself.
    pub board: Option<String>,
    /// How it is.
    pub state: State,
    /// What was seen, in a line.
    pub says: String,
    /// What to do, where something is to be done.
    pub remedy: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// As it has to be.
    Fine,
    /// Runs are possible, and something may go wrong in them.
    Warning,
    /// In the way of a run.
    Failed,
    /// It could not be looked at, or nobody agreed to it.
    NotLooked,
}

/// Asks a person, and returns the answer; `None` where nobody can be asked.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Option<bool>;

/// Looks at this computer and at these boards of a bench. `tell` is given each finding as soon as it is there.
///
/// Opens and drives nothing, but for the reset pins of which `ask` agrees that they are read: each becomes an input for a moment, first without a pull resistor, then pulled to where it asserts.
pub fn examine(system: &System<'_>, boards: &[&Board], ask: Ask<'_>, tell: &mut dyn FnMut(Finding)) {
    let mut report = Report { tell, board: None };
    computer::check(system, boards, &mut report);
    for board in boards {
        report.board = Some(board.name.to_string());
        ports::check(system, board, &mut report);
        lines::check(system, board, ask, &mut report);
    }
}

/// Where the checks say what they found.
struct Report<'a> {
    tell: &'a mut dyn FnMut(Finding),
    board: Option<String>,
}

impl Report<'_> {
    fn say(&mut self, check: &'static str, state: State, says: impl Into<String>, remedy: Option<String>) {
        (self.tell)(Finding { check, board: self.board.clone(), state, says: says.into(), remedy });
    }

    fn fine(&mut self, check: &'static str, says: impl Into<String>) {
        self.say(check, State::Fine, says, None);
    }

    fn warn(&mut self, check: &'static str, says: impl Into<String>, remedy: impl Into<String>) {
        self.say(check, State::Warning, says, Some(remedy.into()));
    }

    fn fail(&mut self, check: &'static str, says: impl Into<String>, remedy: impl Into<String>) {
        self.say(check, State::Failed, says, Some(remedy.into()));
    }

    fn not_looked(&mut self, check: &'static str, why: impl Into<String>, remedy: Option<String>) {
        self.say(check, State::NotLooked, why, remedy);
    }
}
