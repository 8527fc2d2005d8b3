//! What the terminal shows of cases and runs, made from timelines that the real writer wrote.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use evkit_hil::report::terminal::{Progress, case_line, failure_block, given_up_block, progress_line, summary_line};
use evkit_hil::report::{CaseReport, Exit, GivenUp, LineKind, Palette, RunReport, TRANSCRIPT_LIMIT};
use evkit_hil::seam::{Mark, MarkKind, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, Note, Outcome, StepOutcome, Verdict};
use snapbox::{IntoData, assert_data_eq, str};

use timelines::{Recorder, case, ended, failed, passed};

mod timelines;

const PLAIN: Palette = Palette::plain();

fn run(cases: Vec<CaseReport>) -> RunReport {
    RunReport { started: None, duration: Duration::ZERO, seed: 7, cases, boards: Vec::new(), given_up: Vec::new(), missing: Vec::new() }
}

fn not_run(dir: &Path, outcome: Outcome, reason: &str) -> CaseReport {
    Recorder::new(dir, case("upgrade", "upgrade [to=2.8.0]", None)).verdict(ended(outcome, reason))
}

#[test]
fn one_line_a_case_and_one_for_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut errored = Recorder::new(&at("error"), case("wrong baud", "wrong baud", Some("kit-2")));
    errored.after(62_000);
    let mut run = run(vec![
        passed(&at("passed"), "healthy handshake", "healthy handshake", "kit-1"),
        failed(&at("failed")),
        errored.verdict(ended(Outcome::Error, "port took none of 3 bytes")),
        not_run(&at("skipped"), Outcome::Skipped, "requires firmware >=2.7.0, and the board reports 2.6.0, as its property says"),
        not_run(&at("blocked"), Outcome::Blocked, "board kit-2"),
        Recorder::new(&at("interrupted"), case("upgrade", "upgrade", Some("kit-1"))).verdict(ended(Outcome::Interrupted, "")),
    ]);
    run.given_up.push(GivenUp { board: "kit-2".to_owned(), reason: "gone".to_owned(), hint: None });
    let mut lines: Vec<String> = run.cases.iter().map(|case| case_line(case, 80, &PLAIN)).collect();
    lines.push(summary_line(&run, &PLAIN));
    assert!(lines.iter().flat_map(|line| line.lines()).all(|line| line.chars().count() <= 80 || line.starts_with("Summary")));
    assert_data_eq!(
        lines.join("\n").raw(),
        str![[r#"
  PASS [   1.234s] kit-1  healthy handshake
  FAIL [   3.320s] kit-1  early reset [late=3 s]
 ERROR [  62.000s] kit-2  wrong baud
  SKIP [         ] -  upgrade [to=2.8.0] (requires firmware >=2.7.0, and the
                   board reports 2.6.0, as its property says)
 BLOCK [         ] -  upgrade [to=2.8.0] (board kit-2)
 ABORT [   0.000s] kit-1  upgrade
Summary [  66.554s] 6 cases: 1 passed, 1 failed, 1 error, 1 interrupted, 1 skipped, 1 blocked, 1 board given up
"#]]
        .raw()
    );
}

#[test]
fn a_failure_tells_all_that_is_known_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let report = failed(&dir.path().join("case"));
    let block = failure_block(&report, 80, &PLAIN).replace(&dir.path().display().to_string(), "[DIR]");
    assert!(block.lines().all(|line| line.chars().count() <= 80), "{block}");
    assert_data_eq!(
        block.raw(),
        str![[r#"
  FAIL kit-1  early reset [late=3 s]
   --> scenarios/early-reset.yaml:11
    step       expect: { text: "OK\r\n", within: 300 ms, because: only the
               application answers OK }
    reason     no OK within 300 ms
    expected   "OK\r\n" within 300 ms of the send, because only the application
               answers OK
    seen       \x9a\x1b[31m\x00\xff]]>4003\r
    cause      acknowledged-silent (very likely): the boot code acknowledged the
               hotkey 3.017 s after the release, and no command was answered in
               the application's way
    evidence   +3.017000 s  <- \x9a
    next       look whether the board's push-button or a debugger holds it in
               boot code
    last bytes +3.015000 s  -> AT+IPR=460800\r
               +3.017000 s  <- \x9a
               +3.117000 s  <- \x1b[31m\x00\xff]]>4003\r
    timeline   [DIR]/case
"#]]
        .raw()
    );
}

#[test]
fn colours_add_nothing_but_colours() {
    let dir = tempfile::tempdir().unwrap();
    let report = failed(&dir.path().join("case"));
    for width in [10, 40, 80, usize::MAX] {
        let plain = failure_block(&report, width, &PLAIN);
        let coloured = failure_block(&report, width, &Palette::coloured());
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
        let line = case_line(&report, width, &Palette::coloured());
        assert_eq!(anstream::adapter::strip_str(&line).to_string(), case_line(&report, width, &PLAIN));
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "the board steers the terminal: {plain:?}");
    }
}

#[test]
fn a_timeline_without_a_verdict_is_an_error_in_the_step_that_ran() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    case.begin(0);
    case.end(StepOutcome::Passed);
    case.begin(1);
    case.after(250).bytes(Direction::Out, b"AT\r");
    let report = case.killed();
    assert_eq!((report.outcome(), report.duration), (Outcome::Error, Duration::from_millis(250)));
    let block = failure_block(&report, 80, &PLAIN).replace(&dir.path().display().to_string(), "[DIR]");
    assert_data_eq!(
        block.raw(),
        str![[r#"
 ERROR kit-1  early reset
   --> scenarios/early-reset.yaml:10
    step       send: { text: "AT+IPR=460800\r", at: release + $late }
    reason     the run ended before a verdict was written
    expected   a verdict as the timeline's last event
    seen       a timeline that breaks off: the program was killed, or the
               computer stopped
    last bytes +0.250000 s  -> AT\r
    timeline   [DIR]/case
"#]]
        .raw()
    );
}

#[test]
fn what_a_board_does_now_fits_the_line() {
    let progress = Progress {
        board: "kit-1",
        case: "early reset [late=3 s]",
        step: Some((3, 7, r#"expect "OK\r\n\x1b[0m""#)),
        elapsed: Duration::from_millis(1_250),
    };
    let lines: Vec<String> = [80, 60, 49, 48, 47, 20, 3].into_iter().map(|width| progress_line(&progress, width)).collect();
    assert_data_eq!(
        lines.join("\n").raw(),
        str![[r#"
kit-1  early reset [late=3 s]  step 3/7 expect "OK\r\n\x1b[0m"  1.2 s
kit-1  early reset [late=3 s]  step 3/7 expect "OK\r…  1.2 s
kit-1  early reset [late=3 s]  step 3/7 e…  1.2 s
kit-1  early reset [late=3 s]  step 3/7 …  1.2 s
kit-1  early reset [late=3 s]  step 3/7…  1.2 s
kit-1  early…  1.2 s
  …
"#]]
        .raw()
    );
}

#[test]
fn a_board_that_was_given_up_is_told_with_its_hint() {
    let given_up = GivenUp {
        board: "kit-2".to_owned(),
        reason: "read of /dev/ttyUSB0 failed: Input/output error (os error 5)".to_owned(),
        hint: Some("the adapter was unplugged, or the hub lost power: see `dmesg`, plug it in and run again".to_owned()),
    };
    assert_data_eq!(
        given_up_block(&given_up, 60, &PLAIN).raw(),
        str![[r#"
 ERROR board kit-2
    given up   read of /dev/ttyUSB0 failed: Input/output
               error (os error 5)
    hint       the adapter was unplugged, or the hub lost
               power: see `dmesg`, plug it in and run again
"#]]
        .raw()
    );
}

#[test]
fn the_last_bytes_are_those_before_the_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    case.begin(0);
    case.bytes(Direction::Out, b"first and long ago\r");
    for i in 0..100 {
        case.after(20).bytes(Direction::In, format!("line {i}\r\n").as_bytes());
    }
    case.end(StepOutcome::Failed);
    case.begin(3);
    case.bytes(Direction::Out, b"restored\r");
    case.end(StepOutcome::Failed);
    let report = case.verdict(ended(Outcome::Failed, "no prompt"));
    let texts: Vec<_> = report.last_lines.iter().map(|line| (line.kind, line.text.as_str())).collect();
    assert_eq!(
        texts,
        [
            (LineKind::Out, r"first and long ago\r"),
            (LineKind::Words, "some lines are left out"),
            (LineKind::In, r"line 95\r\n"),
            (LineKind::In, r"line 96\r\n"),
            (LineKind::In, r"line 97\r\n"),
            (LineKind::In, r"line 98\r\n"),
            (LineKind::In, r"line 99\r\n"),
        ]
    );
}

#[test]
fn the_last_bytes_of_a_conversation_miss_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    case.begin(0);
    for i in 0..4 {
        case.after(20).bytes(Direction::Out, format!("ATI{i}\r").as_bytes());
        case.after(20).bytes(Direction::In, b"1\r\n2\r\n");
        case.end(StepOutcome::Failed);
    }
    let report = case.verdict(ended(Outcome::Failed, "no prompt"));
    let texts: Vec<_> = report.last_lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, [r"2\r\n", r"ATI2\r", r"1\r\n", r"2\r\n", r"ATI3\r", r"1\r\n", r"2\r\n"]);
}

#[test]
fn bytes_become_lines_as_a_person_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    // Cut by the reads of a millisecond each; ended by line feeds, or by carriage returns alone as the boot code does.
    for part in [&b"\r\nO"[..], b"K", b"\r", b"\n4003\r0", b"\r", b"no end"] {
        case.after(1).bytes(Direction::In, part);
    }
    case.bytes(Direction::Out, b"AT\r");
    case.after(20).bytes(Direction::Out, b"AT\r");
    case.bytes(Direction::In, &b"xy".repeat(65));
    case.bytes(Direction::Out, &[0x08; 128]);
    case.after(9).event(Note { text: "two\nlines".to_owned() });
    let marked = Mark { offset: 0, kind: MarkKind::Framing };
    case.timeline
        .record_bytes(None, StreamId::PORT, Direction::In, MonoTime::ZERO, MonoTime::from_ns(5_050_000_000), None, b"\x80", &[marked])
        .unwrap();
    let report = case.verdict(ended(Outcome::Passed, ""));
    assert_eq!(report.transcript.tail, "");
    assert_data_eq!(
        report.transcript.head.clone().raw(),
        str![[r#"
+0.001000 s  <- \r\nOK\r\n
+0.004000 s  <- 4003\r
+0.004000 s  <- 0\r
+0.006000 s  <- no end
+0.006000 s  -> AT\r
+0.026000 s  -> AT\r
+0.026000 s  <- xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy
+0.026000 s  <- xy
+0.026000 s  -> \x08{×128}
+0.035000 s  -- two\nlines
+0.050000 s  <- \x80
+0.050000 s  -- the port marked 1 framing errors and 0 breaks among the last 1 bytes

"#]]
        .raw()
    );
}

/// What a flood leaves in a report: its two ends, and a true count of what lies between them.
#[test]
fn a_flood_keeps_its_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("soak", "soak", Some("kit-1")));
    let (mut number, mut sent) = (0, 0);
    for _ in 0..200 {
        let mut chunk = Vec::new();
        while chunk.len() < 5_000 {
            chunk.extend_from_slice(format!("{number:08}\r\n").as_bytes());
            number += 1;
        }
        sent += chunk.len();
        // Cut where no line ends, so that lines go from one event to the next.
        let (a, b) = chunk.split_at(2_003);
        case.after(1).bytes(Direction::In, a);
        case.bytes(Direction::In, b);
    }
    let transcript = case.verdict(ended(Outcome::Passed, "")).transcript;
    let numbers = |text: &str| -> Vec<u64> {
        text.lines().map(|line| line.split_once("<- ").unwrap().1.strip_suffix(r"\r\n").unwrap().parse().unwrap()).collect()
    };
    let (head, tail) = (numbers(&transcript.head), numbers(&transcript.tail));
    assert!((TRANSCRIPT_LIMIT..TRANSCRIPT_LIMIT + 64).contains(&transcript.head.len()), "{}", transcript.head.len());
    assert!((TRANSCRIPT_LIMIT - 64..=TRANSCRIPT_LIMIT).contains(&transcript.tail.len()), "{}", transcript.tail.len());
    assert!(head.iter().copied().eq(0..head.len() as u64));
    assert!(tail.iter().copied().eq(number - tail.len() as u64..number));
    assert_eq!(transcript.left_out.bytes as usize, sent - 10 * (head.len() + tail.len()));
    assert_eq!(transcript.left_out.words, 0);
}

/// A gibibyte of a board's log, in a file that is all hole, is reported from its ends and never held.
#[test]
fn a_gibibyte_is_reported_in_bounded_memory() {
    const EVENTS: u64 = 16 * 1024;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("case");
    let mut case = Recorder::new(&dir, case("soak", "soak", Some("kit-1")));
    for i in 0..EVENTS {
        let (offset, length) = (i * 64 * 1024, 64 * 1024);
        let bytes = event::Bytes {
            stream: "port".to_owned(),
            direction: Direction::In,
            offset,
            length,
            from_ns: 0,
            to_ns: 0,
            planned_ns: None,
            marks: Vec::new(),
        };
        case.event(bytes);
    }
    std::fs::OpenOptions::new().write(true).open(dir.join("bytes.bin")).unwrap().set_len(EVENTS * 64 * 1024).unwrap();
    let report = case.verdict(ended(Outcome::Failed, "flooded"));
    let text = report.transcript.head.clone() + &report.transcript.tail;
    let shown: u64 = text.split(r"\x00{×").skip(1).map(|rest| rest.split('}').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(report.transcript.left_out.bytes, EVENTS * 64 * 1024 - shown);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!(kib < 128 * 1024, "this process held {kib} KiB");
}

#[test]
fn exit_codes_hide_each_other_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0;
    let mut report = |outcome| {
        count += 1;
        Recorder::new(&dir.path().join(count.to_string()), case("s", "s", Some("kit-1"))).verdict(ended(outcome, ""))
    };
    let given_up = |mut run: RunReport| {
        run.given_up.push(GivenUp { board: "kit-1".to_owned(), reason: "gone".to_owned(), hint: None });
        run
    };
    use Outcome::{Blocked, Error, Failed, Interrupted, Passed, Skipped};
    for (outcomes, exit) in [
        (&[][..], Exit::NothingSelected),
        (&[Passed], Exit::Passed),
        (&[Passed, Skipped], Exit::Passed),
        (&[Skipped], Exit::Incomplete),
        (&[Passed, Blocked], Exit::Incomplete),
        (&[Passed, Blocked, Failed], Exit::Failed),
        (&[Failed, Error], Exit::Rig),
        (&[Failed, Error, Interrupted], Exit::Interrupted),
    ] {
        let run = run(outcomes.iter().map(|outcome| report(*outcome)).collect());
        assert_eq!(Exit::of(&run, false), exit, "{outcomes:?}");
        assert_eq!(Exit::of(&run, true), Exit::Interrupted, "{outcomes:?}");
        let expected = if exit == Exit::Interrupted { exit } else { Exit::Rig };
        assert_eq!(Exit::of(&given_up(run), false), expected, "{outcomes:?}");
    }
    let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
    assert_eq!(codes, [130, 2, 3, 1, 5, 4, 0]);
}

#[test]
fn a_timeline_that_does_not_say_what_ran_is_no_case() {
    let dir = tempfile::tempdir().unwrap();
    drop(evkit_hil::timeline::Timeline::create(dir.path(), evkit_hil::timeline::ClockKind::Simulated).unwrap());
    let error = CaseReport::read(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("does not begin with a case event: nothing is known of what ran"), "{error}");
}

#[test]
fn evidence_may_be_any_event() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    let note = case.after(5).event(Note { text: "the reader was 2 ms late".to_owned() });
    let run = case.after(5).bytes(Direction::In, &[0xff; 65]);
    let long = case.after(50).bytes(Direction::In, &[b"0123456789".as_slice(); 30].concat());
    let verdict = Verdict { evidence: vec![long, run, note, note, 0, 999], ..ended(Outcome::Error, "late") };
    let lines: Vec<String> = case.verdict(verdict).evidence.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "+0.000000 s  -- case".to_owned(),
            "+0.005000 s  -- the reader was 2 ms late".to_owned(),
            r"+0.010000 s  <- \xff{×65}".to_owned(),
            format!("+0.060000 s  <- {}012345678… (the timeline has all of it)", "0123456789".repeat(23)),
        ]
    );
}

#[test]
fn a_restart_is_told_with_who_commanded_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Recorder::new(&dir.path().join("case"), case("early reset", "early reset", Some("kit-1")));
    let mut told = Vec::new();
    for (commanded, by) in [(true, Some(0)), (true, None), (false, None)] {
        let message = "#SYSSTART".to_owned();
        told.push(case.event(event::Restart { stream: "port".to_owned(), message, last_seq: 0, commanded, by }));
    }
    let verdict = Verdict { evidence: told, ..ended(Outcome::Failed, "restarted") };
    let lines: Vec<String> = case.verdict(verdict).evidence.iter().map(|line| line.text.clone()).collect();
    assert_eq!(
        lines,
        [
            "#SYSSTART: the module has restarted, as commanded",
            "#SYSSTART: the module has restarted, which may have been commanded before this began",
            "#SYSSTART: the module has restarted, and nobody commanded it",
        ]
    );
}
