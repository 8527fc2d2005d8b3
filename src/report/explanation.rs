//! Why a case ended as it did, in the order in which a person asks: the words that the terminal and JUnit share.

use std::time::Duration;

use super::{CaseReport, Line, ProbeMade};
use crate::plan::{BOARDS, Effect};
use crate::timeline::event::{Outcome, StepInfo};

/// What took less is shown in milliseconds.
const TENTH: Duration = Duration::from_millis(100);

/// One line of an explanation: what it is about, and what it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reason<'a> {
    pub(super) label: &'static str,
    pub(super) text: Text<'a>,
}

/// What a line of an explanation says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// Words, not escaped yet.
    Words(String),
    /// A line of the transcript.
    Line(&'a Line),
}

/// The reasons of a case, from the step that decided it to the next thing to try. Empty for a case that passed.
pub(super) fn reasons(report: &CaseReport) -> Vec<Reason<'_>> {
    let verdict = &report.verdict;
    let mut reasons = Vec::new();
    let mut words = |label, text: Option<String>| {
        reasons.extend(text.filter(|text| !text.is_empty()).map(|text| Reason { label, text: Text::Words(text) }));
    };
    words("step", report.step.as_ref().map(|step| step.text.clone()));
    words("reason", Some(verdict.reason.clone()));
    words("expected", verdict.expected.clone());
    words("seen", verdict.seen.clone());
    let diagnosis = verdict.diagnosis.as_ref();
    words("cause", diagnosis.map(|diagnosis| format!("{} ({}): {}", diagnosis.cause, diagnosis.sure, diagnosis.because)));
    words("against", diagnosis.and_then(|diagnosis| diagnosis.against.as_ref()).map(|against| against.why.clone()));
    for other in diagnosis.iter().flat_map(|diagnosis| &diagnosis.or) {
        words("or", Some(format!("{}: {}", other.cause, other.because)));
    }
    // A health case does next to nothing to a board.
    let who = if report.case.scenario == BOARDS { " (`evkit-hil diagnose` does that)" } else { "" };
    words("decides", diagnosis.and_then(|diagnosis| diagnosis.probe).map(|probe| format!("{}{who}", probe.words())));
    let evidence = report.evidence.iter().enumerate();
    reasons.extend(evidence.map(|(i, line)| Reason { label: if i == 0 { "evidence" } else { "" }, text: Text::Line(line) }));
    if !report.probes.is_empty() {
        let figure =
            |took: Duration| if took < TENTH { format!("{} ms", took.as_millis()) } else { format!("{:.1} s", took.as_secs_f64()) };
        let shown = report.probes.iter().map(|ProbeMade { probe, at, took }| {
            let at = at.map_or_else(String::new, |at| format!(" at {at} baud"));
            format!("{probe}{at} ({})", figure(*took))
        });
        let words = format!("carried out to find the cause: {}", shown.collect::<Vec<_>>().join(", "));
        reasons.push(Reason { label: "probes", text: Text::Words(words) });
    }
    if let Some(diagnosis) = diagnosis {
        reasons.push(Reason { label: "next", text: Text::Words(diagnosis.next.clone()) });
    }
    reasons.extend(why_no_more(report).map(|text| Reason { label: "tries", text: Text::Words(text) }));
    reasons
}

/// Why a case was not tried again, in a run that tries cases again.
fn why_no_more(report: &CaseReport) -> Option<String> {
    let attempt = report.case.attempt?;
    match report.outcome() {
        Outcome::Failed if attempt.of == 1 => {
            let wears = Effect::ALL.iter().filter(|effect| effect.wears()).map(|effect| effect.name());
            let wears = wears.filter(|name| report.case.effects.iter().any(|effect| effect == name)).collect::<Vec<_>>().join(", ");
            Some(format!("no more: what can wear a board ({wears}) is never tried again, whatever --retries says"))
        }
        Outcome::Error if attempt.number < attempt.of => {
            Some("no more: only what the board failed is tried again, not an error of the rig".to_owned())
        }
        _ => None,
    }
}

/// Whether two cases ended for the same reason, word for word: the values of a matrix often do.
pub(super) fn is_same(one: &CaseReport, other: &CaseReport) -> bool {
    let words = |report: &CaseReport| -> Vec<(&'static str, String)> {
        let board = format!("board {}", report.case.board.as_deref().unwrap_or_default());
        let of = |reason: Reason<'_>| match reason.text {
            Text::Words(words) => Some((reason.label, words.replace(&board, "board"))),
            Text::Line(_) => None,
        };
        reasons(report).into_iter().filter_map(of).collect()
    };
    let is_alike = one.outcome() == other.outcome() && one.case.scenario == other.case.scenario && place(one) == place(other);
    is_alike && !words(one).is_empty() && words(one) == words(other)
}

/// Where the deciding line stands: `scenarios/early-reset.yaml:12`.
pub(super) fn place(report: &CaseReport) -> String {
    match &report.step {
        Some(StepInfo { file: Some(file), line, .. }) => format!("{file}:{line}"),
        _ => format!("{}:{}", report.case.file, report.line()),
    }
}
