//! JUnit XML, as Jenkins, GitLab and GitHub's actions read it: written by `junit-report`, what it lacks added by [`gaps`].
//!
//! One suite is one scenario, one test case one case; a board is one case of the suite `boards` where it was asked who it is or was given up: an error then. What the run had to show and did not is an error
//! of the suite `required`. Elements and attributes are those of
//! Jenkins' schema, and what pytest writes beyond it: `properties` in a test case, and its `line`. The tries of a case are written as Maven's surefire writes them: one
//! that passed when it was tried again has a `flakyFailure` for each try before, one that failed in all of them a `rerunFailure` for each after the first.

mod gaps;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use junit_report::{Report, TestCase, TestCaseBuilder, TestSuite};
use time::OffsetDateTime;

use self::gaps::Gaps;
use super::explanation::{Text, place, reasons};
use super::width::{LONGEST, cut, wrap};
use super::{CaseReport, GivenUp, Missing, ReportError, RunReport, Transcript, escape};
use crate::plan::BOARDS;
use crate::timeline::event::Outcome;

/// Writes the JUnit file of a run to `path`, with its parent directories; a file that is there is replaced whole or, on an error, left as it is.
///
/// Any byte that a board can send gives a well-formed file. On simulated time (`started` is `None`) the same timelines give the same file to the byte:
/// timestamps are then 1970-01-01. Paths of timelines are written relative to the file's directory where they lie below it.
///
/// # Errors
/// [`ReportError::Io`], [`ReportError::Junit`] and [`ReportError::Xml`] when it could not be written.
pub fn write_junit(path: &Path, run: &RunReport) -> Result<(), ReportError> {
    let dir = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let text = junit(run, dir)?;
    fs::create_dir_all(dir).map_err(|source| ReportError::Io { call: "creation", file: dir.to_owned(), source })?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = fs::write(&temporary, text)
        .map_err(|source| ReportError::Io { call: "writing", file: temporary.clone(), source })
        .and_then(|()| fs::rename(&temporary, path).map_err(|source| ReportError::Io { call: "renaming", file: path.to_owned(), source }));
    if written.is_err() {
        // The error that is returned matters more than a file that is left behind.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The file's text.
fn junit(run: &RunReport, dir: &Path) -> Result<Vec<u8>, ReportError> {
    let timestamp = run.started.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut report = Report::new();
    let mut gaps = Gaps::new(run);
    for cases in suites(run) {
        let scenario = escape::text(&cases[0].case.scenario);
        let mut suite = new_suite(&scenario, &escape::text(&cases[0].case.file), timestamp);
        for case in cases {
            let Tries { main, others } = tries(case);
            suite.add_testcase(testcase(main, &unique_name(case, run), dir));
            let others = others.into_iter().map(|other| gaps::Try {
                element: gaps::Element::of(case),
                kind: kind(other).to_owned(),
                message: escape::text(&other.verdict.reason).into_owned(),
                trace: trace(other),
                output: system_out(other, dir),
            });
            gaps.case(case.case.line, properties(case), others.collect());
        }
        gaps.suite(suite.skipped());
        report.add_testsuite(suite);
    }
    let boards = run.told_of_boards();
    if !boards.is_empty() {
        let mut suite = new_suite(BOARDS, BOARDS, timestamp);
        for (report, given_up) in boards {
            match (report, given_up) {
                (Some(report), None) => suite.add_testcase(testcase(report, &escape::text(&report.case.name), dir)),
                // What its own case says is more than the reason.
                (Some(report), Some(_)) if report.outcome() != Outcome::Passed => {
                    suite.add_testcase(testcase(report, &escape::text(&report.case.name), dir));
                }
                (_, Some(given_up)) => suite.add_testcase(board_case(given_up)),
                (None, None) => continue,
            }
            let mut known = report.map(properties).unwrap_or_default();
            if let (None, Some(given_up)) = (report, given_up) {
                known.push(("board".to_owned(), given_up.board.clone()));
            }
            gaps.case(report.map(|report| report.case.line), known, Vec::new());
        }
        gaps.suite(0);
        report.add_testsuite(suite);
    }
    if !run.missing.is_empty() {
        let mut suite = new_suite(REQUIRED, REQUIRED, timestamp);
        for missing in &run.missing {
            suite.add_testcase(required_case(missing));
            gaps.case(None, Vec::new(), Vec::new());
        }
        gaps.suite(0);
        report.add_testsuite(suite);
    }
    let mut xml = Vec::new();
    report.write_xml(&mut xml)?;
    gaps.mend(&xml)
}

/// How wide a line of words is.
const WIDTH: usize = 100;

/// The suite of what a run had to show and did not.
const REQUIRED: &str = "required";

/// The cases of each scenario, in the order in which scenarios first appear.
fn suites(run: &RunReport) -> Vec<Vec<&CaseReport>> {
    let mut suites: Vec<Vec<&CaseReport>> = Vec::new();
    for case in &run.cases {
        let same = |other: &&CaseReport| other.case.scenario == case.case.scenario && other.case.file == case.case.file;
        match suites.iter_mut().find(|suite| suite.first().is_some_and(same)) {
            Some(suite) => suite.push(case),
            None => suites.push(vec![case]),
        }
    }
    suites
}

fn new_suite(name: &str, package: &str, timestamp: OffsetDateTime) -> TestSuite {
    let mut suite = TestSuite::new(name);
    package.clone_into(&mut suite.package);
    suite.set_timestamp(timestamp);
    suite
}

/// The case's name; with its board where more than one board ran it, since consumers tell cases apart by their names.
fn unique_name(case: &CaseReport, run: &RunReport) -> String {
    let same = |other: &&CaseReport| {
        other.case.name == case.case.name && other.case.scenario == case.case.scenario && other.case.file == case.case.file
    };
    let name = escape::text(&case.case.name);
    match &case.case.board {
        Some(board) if run.cases.iter().filter(same).count() > 1 => format!("{name} on {}", escape::text(board)),
        _ => name.into_owned(),
    }
}

/// The tries of a case: the one that its element tells of, and those that are elements in it.
struct Tries<'a> {
    main: &'a CaseReport,
    others: Vec<&'a CaseReport>,
}

/// Of a case that failed in every try the first one is the failure and the later ones are reruns, as Maven's surefire and nextest have it; else the last try decides.
fn tries(report: &CaseReport) -> Tries<'_> {
    match report.earlier.split_first() {
        Some((first, later)) if report.outcome() == Outcome::Failed => {
            Tries { main: first, others: later.iter().chain([report]).collect() }
        }
        _ => Tries { main: report, others: report.earlier.iter().collect() },
    }
}

/// The type of a failure or error: its cause, where one was found.
fn kind(report: &CaseReport) -> &'static str {
    let cause = report.verdict.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.name());
    cause.unwrap_or(if report.outcome() == Outcome::Failed { "failed" } else { "rig" })
}

fn testcase(report: &CaseReport, name: &str, dir: &Path) -> TestCase {
    let time = seconds(report.duration);
    let reason = escape::text(&report.verdict.reason).into_owned();
    let mut builder = match report.outcome() {
        Outcome::Passed => TestCaseBuilder::success(name, time),
        Outcome::Failed => TestCaseBuilder::failure(name, time, kind(report), &reason),
        Outcome::Error => TestCaseBuilder::error(name, time, kind(report), &reason),
        Outcome::Interrupted => TestCaseBuilder::error(name, time, "interrupted", &or(reason, "the run was asked to end")),
        Outcome::Skipped => TestCaseBuilder::skipped_with_cause(name, "skipped", &reason),
        Outcome::Blocked => TestCaseBuilder::skipped_with_cause(name, "blocked", &blocked(report, &reason)),
    };
    builder.set_classname(&escape::text(&report.case.scenario));
    builder.set_filepath(&escape::text(&report.case.file));
    builder.set_trace(&escape::cdata(&trace(report)));
    if !report.transcript.is_empty() {
        builder.set_system_out(&escape::cdata(&system_out(report, dir)));
    }
    builder.build()
}

/// `blocked: board NAME`, which is the name of the test case that says why.
fn blocked(report: &CaseReport, reason: &str) -> String {
    match (&report.case.board, reason.strip_prefix("blocked: ")) {
        (_, Some(_)) => reason.to_owned(),
        (Some(board), None) => format!("blocked: board {}", escape::text(board)),
        (None, None) => format!("blocked: {reason}"),
    }
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

fn board_case(given_up: &GivenUp) -> TestCase {
    let name = format!("board {}", escape::text(&given_up.board));
    let mut builder = TestCaseBuilder::error(&name, time::Duration::ZERO, "board given up", &escape::text(&given_up.reason));
    builder.set_classname(BOARDS);
    if let Some(hint) = &given_up.hint {
        builder.set_trace(&escape::cdata(&format!("hint: {}\n", escape::text(hint))));
    }
    builder.build()
}

fn required_case(missing: &Missing) -> TestCase {
    let mut builder = TestCaseBuilder::error(&escape::text(&missing.what), time::Duration::ZERO, "required", &escape::text(&missing.why));
    builder.set_classname(REQUIRED);
    builder.build()
}

/// The body of a failure or error: what the terminal says of it, without colours and columns.
fn trace(report: &CaseReport) -> String {
    let mut trace = format!("at: {}\n", escape::text(&place(report)));
    for reason in reasons(report) {
        match reason.text {
            Text::Words(words) => {
                let words = escape::text(&words);
                let lines = wrap(&words, WIDTH).join("\n  ");
                trace.push_str(&format!("{}: {lines}\n", reason.label));
            }
            Text::Line(line) => {
                if !reason.label.is_empty() {
                    trace.push_str(&format!("{}:\n", reason.label));
                }
                trace.push_str(&format!("  {line}\n"));
            }
        }
    }
    for (i, line) in report.last_lines.iter().enumerate() {
        let line = line.to_string();
        let line = cut(&line, LONGEST);
        trace.push_str(&format!("{}  {line}\n", if i == 0 { "last bytes:\n" } else { "" }));
    }
    trace
}

/// The transcript, with the names of the files that hold all of it.
fn system_out(report: &CaseReport, dir: &Path) -> String {
    let shown = |file: PathBuf| match file.strip_prefix(dir) {
        Ok(below) => below.display().to_string(),
        Err(_) => file.display().to_string(),
    };
    let (events, bytes) = (shown(report.events_file()), shown(report.bytes_file()));
    let Transcript { head, left_out, tail } = &report.transcript;
    let mut out = format!("timeline: {} and {}\n{head}", escape::text(&events), escape::text(&bytes));
    if left_out.is_any() {
        out.push_str(&format!("{left_out}\n"));
    }
    out.push_str(tail);
    out
}

/// What is known of a case: from its first event, then from its `property` events, which win.
fn properties(report: &CaseReport) -> Vec<(String, String)> {
    let case = &report.case;
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: &str| match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => value.clone_into(known),
        None => all.push((name.to_owned(), value.to_owned())),
    };
    if let Some(board) = &case.board {
        add("board", board);
    }
    if let Some(link) = &case.link {
        add("link", link);
    }
    add("seed", &case.seed.to_string());
    for (name, value) in &case.matrix {
        add(&format!("matrix.{name}"), value);
    }
    for property in &report.properties {
        add(&property.name, &property.value);
    }
    all
}

/// Microseconds are enough, and no consumer chokes on them.
fn seconds(duration: Duration) -> time::Duration {
    time::Duration::microseconds(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
