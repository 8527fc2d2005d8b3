//! What the doctor found, for the terminal: a line and a remedy each.

use super::palette::paint;
use super::width::wrap;
use super::{Palette, escape};
use crate::doctor::{Finding, State};

/// Where the text of a finding begins: behind the word for its state.
const INDENT: usize = 7;
const ARROW: &str = "-> ";

/// A finding in lines of at most `width` columns, its remedy below it.
#[must_use]
pub fn finding_block(finding: &Finding, width: usize, palette: &Palette) -> String {
    let (style, word) = match finding.state {
        State::Fine => (palette.pass, "OK"),
        State::Warning => (palette.skip, "WARN"),
        State::Failed => (palette.fail, "FAIL"),
        State::NotLooked => (palette.dim, "-"),
    };
    let board = finding.board.as_ref().map(|board| format!("{board} ")).unwrap_or_default();
    let about = format!("{board}{}:", finding.check);
    let lines = wrap(&format!("{about} {}", escape::text(&finding.says)), width.saturating_sub(INDENT));
    // The first line begins with what it is about, unless that alone is wider than a line.
    let first =
        lines[0].strip_prefix(about.as_str()).map_or_else(|| lines[0].clone(), |rest| format!("{}{rest}", paint(palette.strong, &about)));
    let mut block = format!("{} {first}", paint(style, &format!("{word:>6}")));
    for line in &lines[1..] {
        block.push_str(&format!("\n{:INDENT$}{line}", ""));
    }
    let Some(remedy) = &finding.remedy else { return block };
    for (index, line) in wrap(&escape::text(remedy), width.saturating_sub(INDENT + ARROW.len())).iter().enumerate() {
        let arrow = if index == 0 { ARROW } else { "   " };
        block.push_str(&format!("\n{:INDENT$}{arrow}{line}", ""));
    }
    block
}

/// How many checks ended how, in one line.
#[must_use]
pub fn findings_summary(states: &[State], palette: &Palette) -> String {
    let parts = [
        (State::Failed, "in the way", palette.fail),
        (State::Warning, "to be wary of", palette.skip),
        (State::NotLooked, "not looked at", palette.dim),
        (State::Fine, "as it should be", palette.pass),
    ];
    let counted = parts.map(|(state, words, style)| (states.iter().filter(|found| **found == state).count(), words, style));
    let shown = counted.iter().filter(|(count, ..)| *count > 0).map(|(count, words, style)| paint(*style, &format!("{count} {words}")));
    format!("Summary {} checks: {}", states.len(), shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_and_its_remedy_are_wrapped_below_their_beginning() {
        let finding = Finding {
            check: "port",
            board: Some("kit-1".to_owned()),
            state: State::Failed,
            says: "/dev/ttyAMA0 may not be opened by this user".to_owned(),
            remedy: Some("sudo usermod -aG dialout $USER, then log in again".to_owned()),
        };
        let block = finding_block(&finding, 40, &Palette::plain());
        assert_eq!(
            block,
            "  FAIL kit-1 port: /dev/ttyAMA0 may not\n       be opened by this user\n       -> sudo usermod -aG dialout\n          $USER, then log in again"
        );
        let fine = Finding { state: State::Fine, remedy: None, board: None, ..finding };
        assert_eq!(finding_block(&fine, 80, &Palette::plain()), "    OK port: /dev/ttyAMA0 may not be opened by this user");
    }

    #[test]
    fn the_summary_counts_what_there_is() {
        let states = [State::Fine, State::Failed, State::Fine];
        assert_eq!(findings_summary(&states, &Palette::plain()), "Summary 3 checks: 1 in the way, 2 as it should be");
    }
}
