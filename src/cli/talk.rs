//! Talking to the person at the terminal: what goes to standard error, in which width and colours.

use std::io::{IsTerminal, Write};

use super::Failure;
use super::args::Color;
use crate::document::Diagnostic;
use crate::report::Exit;
use crate::report::Palette;

/// Width of lines where nobody looks at a terminal: lines are data then, and are not cut for a screen.
const WIDTH_OF_A_FILE: usize = 400;

/// How to talk on standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    coloured: bool,
    terminal: bool,
}

impl Talk {
    pub(super) fn new(color: Color) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let coloured = match color {
            Color::Always => true,
            Color::Never => false,
            // Looks at NO_COLOR, CLICOLOR and TERM as well.
            Color::Auto => anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
        };
        Self { coloured, terminal }
    }

    /// Whether standard error is a terminal.
    pub(super) fn is_terminal(self) -> bool {
        self.terminal
    }

    pub(super) fn palette(self) -> Palette {
        if self.coloured { Palette::coloured() } else { Palette::plain() }
    }

    /// How many columns a line may have.
    pub(super) fn width(self) -> usize {
        if !self.terminal {
            return WIDTH_OF_A_FILE;
        }
        rustix::termios::tcgetwinsize(std::io::stderr()).map_or(80, |size| match size.ws_col {
            0 => 80,
            columns => usize::from(columns),
        })
    }

    /// Writes a line to standard error. A closed standard error is no reason to stop a run on a board.
    #[expect(clippy::unused_self, reason = "whoever talks has decided how")]
    pub(super) fn say(self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// Writes what was asked for to standard output. A reader that closes the pipe early (`list | head`) has what it wanted.
    #[expect(clippy::unused_self, reason = "whoever talks has decided how")]
    pub(super) fn data(self, text: &str) -> Result<Exit, Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::rig(format!("standard output cannot be written: {error}")))
            }
            _ => Ok(Exit::Passed),
        }
    }

    /// Shows what is wrong with files.
    pub(super) fn diagnostics(self, diagnostics: &[Diagnostic]) -> Exit {
        self.say(Diagnostic::render_all(diagnostics, self.coloured).trim_end());
        Exit::Usage
    }

    /// Shows why the command ended.
    pub(super) fn error(self, failure: &Failure) -> Exit {
        let style = self.palette().fail;
        self.say(&format!("{style}error{style:#}: {}", failure.message));
        if let Some(hint) = &failure.hint {
            self.say(&format!("hint: {hint}"));
        }
        failure.exit
    }
}
