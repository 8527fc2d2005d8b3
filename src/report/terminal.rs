//! Text for a terminal (or a log): one line a case, a block for each failure, a line for the whole, and a line for what a board does now.
//!
//! Pure formatting: nothing here writes, asks for the terminal's width or decides on colour. No returned text ends with a line feed. Everything fits
//! `width` columns except places and paths, which stay whole so that they can be copied.

use std::time::Duration;

use super::escape;
use super::explanation::{Reason, Text, is_same, place, reasons};
use super::palette::{Palette, paint};
use super::width::{LONGEST, columns, cut, wrap};
use super::{CaseReport, GivenUp, Line, Missing, RunReport, Transcript};
use crate::timeline::event::Outcome;

/// What the speeds of an examination say where no application answered.
pub(crate) const NOWHERE: &str = "no usual speed";
/// Columns of the labels in a failure's block, with the blanks around them.
const LABEL: usize = 15;

/// One case in one line: `  PASS [   1.234s] kit-1  early reset [late=3 s]`. A case that did not run shows why behind its name, on as many lines as that takes; of one that may be tried again, each try
/// has its line: `  FAIL 1/3 […`, ` FLAKY 2/3 […`.
#[must_use]
pub fn case_line(report: &CaseReport, width: usize, palette: &Palette) -> String {
    let outcome = report.outcome();
    let ran = !matches!(outcome, Outcome::Skipped | Outcome::Blocked);
    let time = if ran { format!("[{:>9}]", seconds(report.duration)) } else { format!("[{:>9}]", "") };
    let mut what = subject(report);
    if !ran && !report.verdict.reason.is_empty() {
        what = format!("{what} ({})", escape::text(&report.verdict.reason));
    }
    let label = label(report);
    let before = columns(&label) + columns(&time) + 2;
    let room = width.saturating_sub(before);
    let what = if ran { cut(&what, room).into_owned() } else { wrap(&what, room).join(&format!("\n{:before$}", "")) };
    format!("{} {time} {what}", paint(style(report, palette), &label))
}

/// All that the timeline says of why a case failed: the step and its place, what was expected and seen, the cause with its evidence, the next thing to
/// try, the last bytes both ways and where the rest is.
#[must_use]
pub fn failure_block(report: &CaseReport, width: usize, palette: &Palette) -> String {
    let mut block = Block { width, palette, text: String::new() };
    block.head(report);
    block.line(&format!("   {} {}", paint(palette.dim, "-->"), escape::text(&place(report))));
    block.reasons(reasons(report));
    for (i, line) in report.last_lines.iter().enumerate() {
        block.cut(if i == 0 { "last bytes" } else { "" }, &line.to_string());
    }
    if report.last_lines.is_empty() {
        block.words("last bytes", "none, in either direction");
    }
    block.whole("timeline", &escape::text(&report.dir.display().to_string()));
    block.text
}

/// The same, in short, of a case that ended as another one that is shown already; `None` where it ended otherwise.
#[must_use]
pub fn same_block(report: &CaseReport, shown: &CaseReport, width: usize, palette: &Palette) -> Option<String> {
    if !is_same(report, shown) {
        return None;
    }
    let mut block = Block { width, palette, text: String::new() };
    block.head(report);
    block.words("as", &format!("{}, above", subject(shown)));
    block.whole("timeline", &escape::text(&report.dir.display().to_string()));
    Some(block.text)
}

/// What one phase of an examination found: `    ask        AT is answered at 460800 baud, not at 115200`.
#[must_use]
pub fn phase_line(name: &str, found: &str, width: usize, palette: &Palette) -> String {
    let mut block = Block { width, palette, text: String::new() };
    block.words(name, &escape::text(found));
    block.text
}

/// What an examination came to: the cause, as in [`failure_block`], or that there is none, and at which speed the board was found and is left.
#[must_use]
pub fn examined_block(report: &CaseReport, width: usize, palette: &Palette) -> String {
    let mut block = Block { width, palette, text: String::new() };
    let property = |name: &str| report.properties.iter().find(|property| property.name == name).map(|property| property.value.as_str());
    let speeds = property("found-at").zip(property("left-at"));
    match report.outcome() {
        Outcome::Passed if speeds.is_some() => {
            let checked: &[(&str, &str)] = &[
                ("ask", "the application answers AT"),
                ("identity", "it is an ST87M01"),
                ("reset", "the reset line works"),
                ("boot-code", "boot code takes the hotkey and answers"),
                ("leave", "the application comes back"),
            ];
            let checked: Vec<&str> = checked.iter().filter(|(phase, _)| property(phase).is_some()).map(|(_, words)| *words).collect();
            for line in wrap(&format!("no cause was found: {}. An upload, sleep and the supply were not tried", checked.join(", ")), width)
            {
                block.line(&paint(palette.pass, &line));
            }
        }
        Outcome::Passed => block.line("no cause: nothing was asked"),
        Outcome::Interrupted if report.verdict.diagnosis.is_none() => block.line(&paint(palette.fail, "interrupted")),
        _ => {
            // What was seen stands in the lines of the phases: here it counts where it is all that is known.
            let is_known = report.verdict.diagnosis.is_some();
            block
                .reasons(reasons(report).into_iter().filter(|reason| !is_known || !["reason", "expected", "seen"].contains(&reason.label)));
        }
    }
    if let Some((found, left)) = speeds {
        block.line(&match (found, left) {
            (NOWHERE, NOWHERE) => "AT was answered at no usual speed, neither at first nor at the end".to_owned(),
            (NOWHERE, left) => format!("AT was answered at no usual speed at first, and is answered at {} now", escape::text(left)),
            (found, NOWHERE) => format!("found at {}, and AT is answered at no usual speed now", escape::text(found)),
            (found, left) => format!("found at {}, left at {}", escape::text(found), escape::text(left)),
        });
    }
    block.text
}

/// The transcript: all of it that a report keeps, or its first and last lines, `most` in all. Empty when nothing happened.
#[must_use]
pub fn transcript_block(report: &CaseReport, most: Option<usize>, width: usize, palette: &Palette) -> String {
    let Transcript { head, left_out, tail } = &report.transcript;
    let gap = left_out.is_any().then(|| left_out.to_string());
    let lines: Vec<&str> = head.lines().chain(gap.as_deref()).chain(tail.lines()).collect();
    let most = most.filter(|most| *most < lines.len()).unwrap_or(lines.len());
    let (first, last) = (most.div_ceil(2), most / 2);
    let mut block = Block { width, palette, text: String::new() };
    lines[..first].iter().for_each(|line| block.line(&cut(line, width)));
    if most < lines.len() {
        block.line(&paint(palette.dim, &format!("[{} lines are left out here; --transcript shows them]", lines.len() - most)));
    }
    lines[lines.len() - last..].iter().for_each(|line| block.line(&cut(line, width)));
    block.text
}

/// Why a board was given up, and what to do about it.
#[must_use]
pub fn given_up_block(given_up: &GivenUp, width: usize, palette: &Palette) -> String {
    let mut block = Block { width, palette, text: String::new() };
    let name = format!("board {}", escape::text(&given_up.board));
    let room = width.saturating_sub(" ERROR ".len());
    block.line(&format!("{} {}", paint(palette.fail, " ERROR"), paint(palette.strong, &cut(&name, room))));
    block.words("given up", &escape::text(&given_up.reason));
    if let Some(hint) = &given_up.hint {
        block.words("hint", &escape::text(hint));
    }
    block.text
}

/// What the run had to show and did not, and why.
#[must_use]
pub fn missing_block(missing: &Missing, width: usize, palette: &Palette) -> String {
    let mut block = Block { width, palette, text: String::new() };
    let what = escape::text(&missing.what).into_owned();
    let room = width.saturating_sub("  LACK ".len());
    block.line(&format!("{} {}", paint(palette.skip, "  LACK"), paint(palette.strong, &cut(&what, room))));
    block.words("why", &escape::text(&missing.why));
    block.text
}

/// The whole run in one line: `Summary [  12.345s] 14 cases: 12 passed, 1 failed, 1 skipped`.
#[must_use]
pub fn summary_line(run: &RunReport, palette: &Palette) -> String {
    let errors = if run.count(Outcome::Error) == 1 { "error" } else { "errors" };
    let mut counts: Vec<String> = [
        (Outcome::Passed, "passed"),
        (Outcome::Failed, "failed"),
        (Outcome::Error, errors),
        (Outcome::Interrupted, "interrupted"),
        (Outcome::Skipped, "skipped"),
        (Outcome::Blocked, "blocked"),
    ]
    .into_iter()
    .map(|(outcome, word)| (run.count(outcome), palette.outcome(outcome), word))
    .filter(|(count, ..)| *count > 0)
    .map(|(count, style, word)| paint(style, &format!("{count} {word}")))
    .collect();
    if run.flaky() > 0 {
        let after_passed = usize::from(run.count(Outcome::Passed) > 0);
        counts.insert(after_passed, paint(palette.skip, &format!("{} flaky", run.flaky())));
    }
    match run.given_up.len() {
        0 => {}
        1 => counts.push(paint(palette.fail, "1 board given up")),
        boards => counts.push(paint(palette.fail, &format!("{boards} boards given up"))),
    }
    if !run.missing.is_empty() {
        counts.push(paint(palette.skip, &format!("{} lacking", run.missing.len())));
    }
    let cases = run.cases.len();
    let plural = if cases == 1 { "" } else { "s" };
    let colon = if counts.is_empty() { "" } else { ": " };
    let time = seconds(run.shown_duration());
    format!("{} [{time:>9}] {cases} case{plural}{colon}{}", paint(palette.strong, "Summary"), counts.join(", "))
}

/// What a board does now.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The board.
    pub board: &'a str,
    /// The case.
    pub case: &'a str,
    /// The step: its number from 1, how many there are, and its text.
    pub step: Option<(usize, usize, &'a str)>,
    /// Since the case began.
    pub elapsed: Duration,
}

/// What a board does now, in one line: `kit-1  early reset [late=3 s]  step 3/7 expect "OK\r\n"  1.2 s`. When it is too long, the step's text gives way.
#[must_use]
pub fn progress_line(progress: &Progress<'_>, width: usize) -> String {
    let tenths = progress.elapsed.as_millis() / 100;
    let time = format!("  {}.{} s", tenths / 10, tenths % 10);
    let mut what = format!("{}  {}", escape::text(progress.board), escape::text(progress.case));
    if let Some((number, of, text)) = progress.step {
        what = format!("{what}  step {number}/{of} {}", escape::text(text));
    }
    let line = format!("{}{time}", cut(&what, width.saturating_sub(columns(&time))));
    cut(&line, width).into_owned()
}

/// The word for an outcome, at most six columns.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "PASS",
        Outcome::Failed => "FAIL",
        Outcome::Error => "ERROR",
        Outcome::Skipped => "SKIP",
        Outcome::Blocked => "BLOCK",
        Outcome::Interrupted => "ABORT",
    }
}

/// An outcome's word, and which try it was, where there may be several.
fn label(report: &CaseReport) -> String {
    let word = if report.is_flaky() { "FLAKY" } else { word(report.outcome()) };
    match report.case.attempt.filter(|attempt| attempt.number > 1 || (attempt.of > 1 && report.outcome() != Outcome::Passed)) {
        Some(attempt) => format!("{word:>6} {}/{}", attempt.number, attempt.of),
        None => format!("{word:>6}"),
    }
}

fn style(report: &CaseReport, palette: &Palette) -> anstyle::Style {
    if report.is_flaky() { palette.skip } else { palette.outcome(report.outcome()) }
}

/// The board and the case.
fn subject(report: &CaseReport) -> String {
    format!("{}  {}", escape::text(report.case.board.as_deref().unwrap_or("-")), escape::text(&report.case.name))
}

/// Seconds with three digits: `1.234s`.
fn seconds(duration: Duration) -> String {
    format!("{}.{:03}s", duration.as_secs(), duration.subsec_millis())
}

/// A block of labelled lines.
struct Block<'a> {
    width: usize,
    palette: &'a Palette,
    text: String,
}

impl Block<'_> {
    /// The line above a case that did not pass: how it ended, on which board, and its name.
    fn head(&mut self, report: &CaseReport) {
        let label = label(report);
        let room = self.width.saturating_sub(columns(&label) + 1);
        let (label, subject) = (paint(style(report, self.palette), &label), paint(self.palette.strong, &cut(&subject(report), room)));
        self.line(&format!("{label} {subject}"));
    }

    fn line(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let label = format!("    {label:<11}");
        if label.trim().is_empty() {
            self.line(&format!("{label}{text}"));
        } else {
            let style = self.palette.dim;
            self.line(&format!("{}{text}", paint(style, &label)));
        }
    }

    /// Why a case ended as it did.
    fn reasons<'r>(&mut self, reasons: impl IntoIterator<Item = Reason<'r>>) {
        for reason in reasons {
            match reason.text {
                Text::Words(words) => self.words(reason.label, &escape::text(&words)),
                Text::Line(line) => self.wrapped(reason.label, line),
            }
        }
    }

    /// Words, wrapped.
    fn words(&mut self, label: &str, words: &str) {
        for (i, line) in wrap(words, self.width.saturating_sub(LABEL)).iter().enumerate() {
            self.labelled(if i == 0 { label } else { "" }, line);
        }
    }

    /// A line of the transcript, whole, its text wrapped below its beginning.
    fn wrapped(&mut self, label: &str, line: &Line) {
        let prefix = line.prefix();
        let room = self.width.saturating_sub(LABEL + columns(&prefix));
        for (i, text) in wrap(&line.text, room).iter().enumerate() {
            if i == 0 {
                self.labelled(label, &format!("{prefix}{text}"));
            } else {
                self.labelled("", &format!("{:1$}{text}", "", columns(&prefix)));
            }
        }
    }

    /// One line, cut.
    fn cut(&mut self, label: &str, line: &str) {
        self.labelled(label, &cut(line, self.width.min(LONGEST).saturating_sub(LABEL)));
    }

    /// One line, whole.
    fn whole(&mut self, label: &str, line: &str) {
        self.labelled(label, line);
    }
}
