//! The colours of the terminal. Everything that a colour says is said by a word as well.

use anstyle::{AnsiColor, Style};

use crate::timeline::event::Outcome;

/// The styles that terminal reports are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Palette {
    /// What passed.
    pub pass: Style,
    /// What the board did wrong, and what the rig did.
    pub fail: Style,
    /// What did not run.
    pub skip: Style,
    /// Labels and names that structure a report.
    pub strong: Style,
    /// What is there to be looked up, not read.
    pub dim: Style,
}

impl Palette {
    /// No styles: for files, pipes and `NO_COLOR`.
    #[must_use]
    pub const fn plain() -> Self {
        let none = Style::new();
        Self { pass: none, fail: none, skip: none, strong: none, dim: none }
    }

    /// The sixteen colours that every terminal has, as its user set them.
    #[must_use]
    pub const fn coloured() -> Self {
        let bold = Style::new().bold();
        Self {
            pass: bold.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))),
            fail: bold.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))),
            skip: bold.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow))),
            strong: bold,
            dim: Style::new().dimmed(),
        }
    }

    /// The style of an outcome.
    #[must_use]
    pub const fn outcome(&self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::Passed => self.pass,
            Outcome::Failed | Outcome::Error | Outcome::Interrupted => self.fail,
            Outcome::Skipped | Outcome::Blocked => self.skip,
        }
    }
}

/// `text` in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
