//! Timelines of cases for the tests of reports, written by the real writer on simulated time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use evkit_hil::diagnosis::{Cause, Sure};
use evkit_hil::report::CaseReport;
use evkit_hil::seam::{LineState, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EventKind, Outcome, Source, StepInfo, StepOutcome, Verdict};
use evkit_hil::timeline::{ClockKind, Timeline};

/// A case whose timeline is being written. Time moves by [`Recorder::after`] alone.
pub(crate) struct Recorder {
    pub(crate) timeline: Timeline,
    dir: PathBuf,
    now: MonoTime,
    step: Option<u16>,
}

impl Recorder {
    pub(crate) fn new(dir: &Path, case: event::Case) -> Self {
        let mut recorder = Self {
            timeline: Timeline::create(dir, ClockKind::Simulated).unwrap(),
            dir: dir.to_owned(),
            now: MonoTime::from_ns(5_000_000_000),
            step: None,
        };
        recorder.event(case);
        recorder
    }

    pub(crate) fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }

    pub(crate) fn event(&mut self, kind: impl Into<EventKind>) -> u64 {
        self.timeline.record(self.now, Source::Computed, self.step, kind).unwrap()
    }

    pub(crate) fn property(&mut self, name: &str, value: &str) {
        self.event(event::Property { name: name.to_owned(), value: value.to_owned() });
    }

    pub(crate) fn begin(&mut self, step: u16) {
        self.step = Some(step);
        self.event(event::StepStart {});
    }

    pub(crate) fn end(&mut self, outcome: StepOutcome) {
        self.event(event::StepEnd { outcome, by: None });
        self.step = None;
    }

    pub(crate) fn edge(&mut self, state: LineState) {
        let now = self.now.as_ns();
        self.event(event::Edge { line: "reset".to_owned(), state, before_ns: now, after_ns: now, planned_ns: None });
    }

    pub(crate) fn bytes(&mut self, direction: Direction, bytes: &[u8]) -> u64 {
        self.timeline.record_bytes(self.step, StreamId::PORT, direction, self.now, self.now, None, bytes, &[]).unwrap()
    }

    /// Writes the verdict and reads the case as reports see it.
    pub(crate) fn verdict(mut self, verdict: Verdict) -> CaseReport {
        self.event(verdict);
        self.killed()
    }

    /// Ends without a verdict.
    pub(crate) fn killed(self) -> CaseReport {
        let Self { timeline, dir, .. } = self;
        drop(timeline);
        CaseReport::read(&dir).unwrap()
    }
}

pub(crate) fn case(scenario: &str, name: &str, board: Option<&str>) -> event::Case {
    let step = |id, line, section: &str, text: &str| StepInfo { id, section: section.to_owned(), file: None, line, text: text.to_owned() };
    event::Case {
        name: name.to_owned(),
        scenario: scenario.to_owned(),
        summary: "The reset lies before the loader's first word.".to_owned(),
        file: format!("scenarios/{}.yaml", scenario.replace(' ', "-")),
        line: 2,
        tags: vec!["default".to_owned()],
        effects: vec!["speed".to_owned()],
        matrix: Vec::new(),
        board: board.map(str::to_owned),
        link: board.map(|_| "simulated".to_owned()),
        seed: 7,
        attempt: None,
        started: None,
        start_up_ns: None,
        home_speed: None,
        steps: vec![
            step(0, 9, "steps", "reset: { pulse: 15 ms }"),
            step(1, 10, "steps", r#"send: { text: "AT+IPR=460800\r", at: release + $late }"#),
            step(2, 11, "steps", r#"expect: { text: "OK\r\n", within: 300 ms, because: only the application answers OK }"#),
            step(3, 15, "finally", "restore:"),
        ],
    }
}

pub(crate) fn ended(outcome: Outcome, reason: &str) -> Verdict {
    Verdict { outcome, reason: reason.to_owned(), step: None, expected: None, seen: None, diagnosis: None, evidence: Vec::new() }
}

/// A case that passed after 1.234 s, with a word in each direction.
pub(crate) fn passed(dir: &Path, scenario: &str, name: &str, board: &str) -> CaseReport {
    let mut case = Recorder::new(dir, case(scenario, name, Some(board)));
    case.begin(1);
    case.bytes(Direction::Out, b"AT\r");
    case.after(34).bytes(Direction::In, b"\r\nOK\r\n");
    case.end(StepOutcome::Passed);
    case.after(1200);
    case.verdict(ended(Outcome::Passed, ""))
}

/// A case in which the boot code answered with its acknowledge and numeric results where the application should have said OK.
pub(crate) fn failed(dir: &Path) -> CaseReport {
    let mut info = case("early reset", "early reset [late=3 s]", Some("kit-1"));
    info.matrix = vec![("late".to_owned(), "3 s".to_owned())];
    let mut case = Recorder::new(dir, info);
    case.property("firmware", "2.6.0");
    case.property("firmware", "2.7.0");
    case.property("image", "ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_key0405.img");
    case.property("image sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    case.begin(0);
    case.edge(LineState::Asserted);
    case.after(15).edge(LineState::Released);
    case.end(StepOutcome::Passed);
    case.begin(1);
    case.after(3000).bytes(Direction::Out, b"AT+IPR=460800\r");
    case.end(StepOutcome::Passed);
    case.begin(2);
    let answer = case.after(2).bytes(Direction::In, b"\x9a");
    case.after(100).bytes(Direction::In, b"\x1b[31m\x00\xff]]>4003\r");
    case.after(198);
    case.end(StepOutcome::Failed);
    case.begin(3);
    case.bytes(Direction::Out, b"AT\r");
    case.after(5).bytes(Direction::In, b"AT\r\r\nOK\r\n");
    case.end(StepOutcome::Passed);
    case.verdict(Verdict {
        outcome: Outcome::Failed,
        reason: "no OK within 300 ms".to_owned(),
        step: Some(2),
        expected: Some(r#""OK\r\n" within 300 ms of the send, because only the application answers OK"#.to_owned()),
        seen: Some(r"\x9a\x1b[31m\x00\xff]]>4003\r".to_owned()),
        diagnosis: Some(event::Diagnosis {
            cause: Cause::AcknowledgedSilent,
            sure: Sure::VeryLikely,
            against: None,
            or: Vec::new(),
            probe: None,
            at: None,
            because:
                "the boot code acknowledged the hotkey 3.017 s after the release, and no command was answered in the application's way"
                    .to_owned(),
            next: "look whether the board's push-button or a debugger holds it in boot code".to_owned(),
            evidence: vec![answer],
        }),
        evidence: vec![0],
    })
}
