//! A person at the kit, who is asked: *press and HOLD the reset button of kit-1, then Enter*.
//!
//! At claim the terminal is opened, and nothing is asked: a button that nobody holds is released. Without a terminal of the process's own (`/dev/tty`), or in its background, that is an error. A drive
//! asks and waits for Enter, for as long as `within` says; whoever drives the line shows the question. At drop, where the line is not known to be released, the person is told to let go and
//! not waited for. When the process is killed the button stays as the person holds it; the guardian, whom nobody can answer, prints what the person must do.

use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{QueueSelector, tcflush, tcgetpgrp};

use super::{Backend, LineConfig, LineError, OutputLine, Progress, drive_within};
use crate::plan::units::show_duration;
use crate::seam::LineState;

/// A line that a person drives.
pub(super) struct ManualLine {
    terminal: OwnedFd,
    within: Duration,
    /// What the person is told to assert and to release.
    questions: [String; 2],
    asked: Option<LineState>,
    /// It writes its questions to the terminal itself: nobody else does.
    shows_questions: bool,
    /// The state that was confirmed last; `None` while that is not known.
    known: Option<LineState>,
}

impl ManualLine {
    /// Opens the terminal.
    pub(super) fn claim(config: &LineConfig) -> Result<Self, LineError> {
        let Backend::Manual { within, .. } = &config.backend else {
            return Err(LineError::Refused("this line is not driven by a person".to_owned()));
        };
        let questions = [LineState::Asserted, LineState::Released].map(|state| format!("{}, then Enter", order(config, state)));
        let missing = |hint: &str| LineError::Missing { what: "a person at a terminal".to_owned(), hint: hint.to_owned() };
        let no_terminal =
            "a line of `backend: manual` is driven by whoever sits there; start the run at a terminal, or give the board another backend";
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open("/dev/tty", flags, Mode::empty()).map_err(|_| missing(no_terminal))?;
        // A read in the background would stop the whole run.
        if tcgetpgrp(&terminal).ok() != Some(getpgrp()) {
            return Err(missing("this run is in the background of its terminal, where nobody can answer it; bring it to the front"));
        }
        // Whoever drives the line shows the question on standard error, which may be a file.
        let shows_questions = !std::io::stderr().is_terminal();
        Ok(Self { terminal, within: *within, questions, asked: None, shows_questions, known: Some(LineState::Released) })
    }

    /// Asks the person to let go, prints that by itself, and waits for Enter.
    pub(super) fn ask_to_release(mut self) -> Result<(), LineError> {
        self.shows_questions = true;
        let within = self.within;
        drive_within(&mut self, LineState::Released, within)
    }

    /// A line on the terminal, which may be gone.
    fn say(&self, text: &str) {
        let _ = rustix::io::write(&self.terminal, format!("\r\n{text}\r\n").as_bytes());
    }
}

/// What a person is told to do, without how to confirm it.
pub(super) fn order(config: &LineConfig, state: LineState) -> String {
    let Backend::Manual { board, .. } = &config.backend else { return String::new() };
    match (config.name.as_str(), state) {
        ("reset", LineState::Asserted) => format!("press and HOLD the reset button of {board}"),
        ("reset", LineState::Released) => format!("let go of the reset button of {board}"),
        (name, LineState::Asserted) => format!("assert the line {name} of {board} and HOLD it"),
        (name, LineState::Released) => format!("release the line {name} of {board}"),
    }
}

impl OutputLine for ManualLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        // An Enter of before is no answer.
        let _ = tcflush(&self.terminal, QueueSelector::IFlush);
        self.known = None;
        self.asked = Some(state);
        if let Some(question) = self.question().filter(|_| self.shows_questions) {
            self.say(question);
        }
        Ok(Progress::Pending)
    }

    fn proceed(&mut self) -> Result<Progress, LineError> {
        let Some(state) = self.asked else { return Ok(Progress::Done) };
        let mut buffer = [0_u8; 256];
        // The terminal gives whole lines, so that whatever comes ends with Enter.
        match rustix::io::read(&self.terminal, &mut buffer) {
            Ok(0) | Err(Errno::IO) => Err(LineError::Gone { what: self.describe(), pending: true }),
            Ok(_) => {
                self.asked = None;
                self.known = Some(state);
                Ok(Progress::Done)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Progress::Pending),
            Err(source) => Err(LineError::System { call: "read", what: self.describe(), source: source.into() }),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.terminal.as_fd())
    }

    fn answer_within(&self) -> Duration {
        self.within
    }

    fn overdue(&mut self) -> LineError {
        self.asked = None;
        LineError::Refused(format!("nobody confirmed it at the terminal within {}", show_duration(self.within)))
    }

    fn question(&self) -> Option<&str> {
        Some(match self.asked? {
            LineState::Asserted => &self.questions[0],
            LineState::Released => &self.questions[1],
        })
    }

    fn withdraw(&mut self) -> bool {
        self.asked.take().is_some()
    }

    fn describe(&self) -> String {
        "the person at the terminal".to_owned()
    }
}

impl Drop for ManualLine {
    fn drop(&mut self) {
        if self.known != Some(LineState::Released) {
            self.say(&self.questions[1].replace(", then Enter", ""));
        }
    }
}
