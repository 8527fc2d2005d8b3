//! The JUnit file: what it says of cases, that every parser takes it whatever a board sends, and that it keeps to Jenkins' schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use evkit_hil::report::{CaseReport, GivenUp, RunReport, join_tries, write_junit};
use evkit_hil::timeline::event::{self, Direction, Note, Outcome, StepOutcome, Verdict};
use proptest::prelude::*;
use snapbox::{IntoData, assert_data_eq, str};
use time::OffsetDateTime;

use timelines::{Recorder, case, ended, failed, passed};
use xml::{Element, parse};

mod timelines;
mod xml;

fn run(cases: Vec<CaseReport>) -> RunReport {
    RunReport {
        started: None,
        duration: Duration::from_secs(99),
        seed: 7,
        cases,
        boards: Vec::new(),
        given_up: Vec::new(),
        missing: Vec::new(),
    }
}

/// Writes the file beside the timelines, reads it back, and checks what every file must be.
fn written(dir: &Path, run: &RunReport) -> (String, Element) {
    let path = dir.join("deeper/junit.xml");
    write_junit(&path, run).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let root = parse(&text);
    keeps_to_the_schema(&root);
    counts_add_up(&root);
    (text, root)
}

#[test]
fn a_run_as_its_file_tells_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join("deeper/runs").join(name);
    let skipped = |name: &str, outcome, reason: &str| Recorder::new(&at(name), case("upgrade", name, None)).verdict(ended(outcome, reason));
    let mut run = run(vec![
        passed(&at("1"), "healthy handshake", "healthy handshake", "kit-1"),
        failed(&at("2")),
        skipped("upgrade [to=2.7.0]", Outcome::Skipped, "requires firmware >=2.7.0, the board reports 2.6.0"),
        skipped("upgrade [to=2.8.0]", Outcome::Blocked, "board kit-2"),
    ]);
    run.given_up.push(GivenUp {
        board: "kit-2".to_owned(),
        reason: "read of /dev/ttyUSB0 failed: Input/output error (os error 5)".to_owned(),
        hint: Some("plug the adapter in and run again".to_owned()),
    });
    let (text, _) = written(dir.path(), &run);
    assert_data_eq!(text.raw(), str![[r#"
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="evkit-hil" tests="5" failures="1" errors="1" time="4.554000">
  <testsuite id="0" name="healthy handshake" package="scenarios/healthy-handshake.yaml" tests="1" errors="0" failures="0" hostname="localhost" timestamp="1970-01-01T00:00:00Z" time="1.234" skipped="0">
    <testcase name="healthy handshake" time="1.234" classname="healthy handshake" file="scenarios/healthy-handshake.yaml" line="2">
      <properties>
        <property name="board" value="kit-1"/>
        <property name="link" value="simulated"/>
        <property name="seed" value="7"/>
      </properties>
      <system-out><![CDATA[timeline: runs/1/events.jsonl and runs/1/bytes.bin
+0.000000 s  -- step 2/4 (line 10): send: { text: "AT+IPR=460800\r", at: release + $late }
+0.000000 s  -> AT\r
+0.034000 s  <- \r\nOK\r\n
]]></system-out>
    </testcase>
  </testsuite>
  <testsuite id="1" name="early reset" package="scenarios/early-reset.yaml" tests="1" errors="0" failures="1" hostname="localhost" timestamp="1970-01-01T00:00:00Z" time="3.32" skipped="0">
    <testcase name="early reset [late=3 s]" time="3.32" classname="early reset" file="scenarios/early-reset.yaml" line="2">
      <properties>
        <property name="board" value="kit-1"/>
        <property name="link" value="simulated"/>
        <property name="seed" value="7"/>
        <property name="matrix.late" value="3 s"/>
        <property name="firmware" value="2.7.0"/>
        <property name="image" value="ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_key0405.img"/>
        <property name="image sha256" value="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"/>
      </properties>
      <failure type="acknowledged-silent" message="no OK within 300 ms"><![CDATA[at: scenarios/early-reset.yaml:11
step: expect: { text: "OK\r\n", within: 300 ms, because: only the application answers OK }
reason: no OK within 300 ms
expected: "OK\r\n" within 300 ms of the send, because only the application answers OK
seen: \x9a\x1b[31m\x00\xff]]\x3e4003\r
cause: acknowledged-silent (very likely): the boot code acknowledged the hotkey 3.017 s after the release,
  and no command was answered in the application's way
evidence:
  +3.017000 s  <- \x9a
next: look whether the board's push-button or a debugger holds it in boot code
last bytes:
  +3.015000 s  -> AT+IPR=460800\r
  +3.017000 s  <- \x9a
  +3.117000 s  <- \x1b[31m\x00\xff]]\x3e4003\r
]]></failure>
      <system-out><![CDATA[timeline: runs/2/events.jsonl and runs/2/bytes.bin
+0.000000 s  -- step 1/4 (line 9): reset: { pulse: 15 ms }
+0.000000 s  -- reset asserted
+0.015000 s  -- reset released
+0.015000 s  -- step 2/4 (line 10): send: { text: "AT+IPR=460800\r", at: release + $late }
+3.015000 s  -> AT+IPR=460800\r
+3.015000 s  -- step 3/4 (line 11): expect: { text: "OK\r\n", within: 300 ms, because: only the application answers OK }
+3.017000 s  <- \x9a
+3.117000 s  <- \x1b[31m\x00\xff]]\x3e4003\r
+3.315000 s  -- step failed
+3.315000 s  -- step 4/4 (line 15): restore:
+3.315000 s  -> AT\r
+3.320000 s  <- AT\r
+3.320000 s  <- \r\nOK\r\n
]]></system-out>
    </testcase>
  </testsuite>
  <testsuite id="2" name="upgrade" package="scenarios/upgrade.yaml" tests="2" errors="0" failures="0" hostname="localhost" timestamp="1970-01-01T00:00:00Z" time="0" skipped="2">
    <testcase name="upgrade [to=2.7.0]" time="0" classname="upgrade" file="scenarios/upgrade.yaml" line="2">
      <properties>
        <property name="seed" value="7"/>
      </properties>
      <skipped type="skipped" message="requires firmware &gt;=2.7.0, the board reports 2.6.0"/>
    </testcase>
    <testcase name="upgrade [to=2.8.0]" time="0" classname="upgrade" file="scenarios/upgrade.yaml" line="2">
      <properties>
        <property name="seed" value="7"/>
      </properties>
      <skipped type="blocked" message="blocked: board kit-2"/>
    </testcase>
  </testsuite>
  <testsuite id="3" name="boards" package="boards" tests="1" errors="1" failures="0" hostname="localhost" timestamp="1970-01-01T00:00:00Z" time="0" skipped="0">
    <testcase name="board kit-2" time="0" classname="boards">
      <properties>
        <property name="board" value="kit-2"/>
      </properties>
      <error type="board given up" message="read of /dev/ttyUSB0 failed: Input/output error (os error 5)"><![CDATA[hint: plug the adapter in and run again
]]></error>
    </testcase>
  </testsuite>
</testsuites>

"#]].raw());
}

#[test]
fn failure_error_and_skip_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let report = |outcome: Outcome, reason: &str, board| {
        let name = format!("{outcome:?}");
        Recorder::new(&dir.path().join(&name), case("s", &name, board)).verdict(ended(outcome, reason))
    };
    let run = run(vec![
        report(Outcome::Passed, "", Some("kit-1")),
        report(Outcome::Failed, "no OK", Some("kit-1")),
        report(Outcome::Error, "no adapter", Some("kit-1")),
        report(Outcome::Interrupted, "", Some("kit-1")),
        report(Outcome::Skipped, "no break on this link", None),
        report(Outcome::Blocked, "anything", Some("kit-1")),
    ]);
    let (_, root) = written(dir.path(), &run);
    let results: Vec<_> = root
        .all("testcase")
        .iter()
        .map(|case| {
            let result = case.children.iter().find(|child| ["failure", "error", "skipped"].contains(&child.name.as_str()));
            result.map(|result| (result.name.as_str(), result.attribute("type"), result.attribute("message")))
        })
        .collect();
    assert_eq!(
        results,
        [
            None,
            Some(("failure", "failed", "no OK")),
            Some(("error", "rig", "no adapter")),
            Some(("error", "interrupted", "the run was asked to end")),
            Some(("skipped", "skipped", "no break on this link")),
            Some(("skipped", "blocked", "blocked: board kit-1")),
        ]
    );
}

#[test]
fn a_case_that_two_boards_ran_has_two_names() {
    let dir = tempfile::tempdir().unwrap();
    let cases = ["kit-1", "kit-2"].map(|board| passed(&dir.path().join(board), "early reset", "early reset", board));
    let alone = passed(&dir.path().join("alone"), "early reset", "early reset [late=3 s]", "kit-1");
    let (_, root) = written(dir.path(), &run([cases.to_vec(), vec![alone]].concat()));
    let names: Vec<_> = root.all("testcase").iter().map(|case| case.attribute("name")).collect();
    assert_eq!(names, ["early reset on kit-1", "early reset on kit-2", "early reset [late=3 s]"]);
    assert_eq!(root.all("testsuite").len(), 1);
}

/// A try of one case; it failed unless it `passes`.
fn attempt(dir: &Path, number: u32, passes: bool) -> CaseReport {
    let mut info = case("early reset", "early reset", Some("kit-1"));
    info.attempt = Some(event::Attempt { number, of: 3 });
    let mut recorder = Recorder::new(&dir.join(number.to_string()), info);
    recorder.bytes(Direction::In, &hostile());
    let text = String::from_utf8_lossy(&hostile()).into_owned();
    recorder.verdict(if passes { ended(Outcome::Passed, "") } else { ended(Outcome::Failed, &format!("try {number} {text}")) })
}

#[test]
fn the_tries_of_a_case_are_one_case() {
    let dir = tempfile::tempdir().unwrap();
    let tries = |name: &str, passes: [bool; 3]| {
        let dir = dir.path().join(name);
        // In the order in which they are written, whatever that is.
        [3, 1, 2].map(|number| attempt(&dir, number, passes[number as usize - 1])).to_vec()
    };
    let children = |reports: Vec<CaseReport>| {
        let (_, root) = written(dir.path(), &run(join_tries(reports)));
        let case = root.all("testcase")[0];
        let message = |child: &Element| child.attribute("message").chars().take(5).collect::<String>();
        let told = case.children.iter().filter(|child| child.name.ends_with("ailure"));
        told.map(|child| (child.name.clone(), message(child))).collect::<Vec<_>>()
    };
    let told = |name: &str, message: &str| (name.to_owned(), message.to_owned());
    assert_eq!(children(tries("flaky", [false, false, true])), [told("flakyFailure", "try 1"), told("flakyFailure", "try 2")]);
    assert_eq!(
        children(tries("failed", [false, false, false])),
        [told("failure", "try 1"), told("rerunFailure", "try 2"), told("rerunFailure", "try 3")]
    );
}

#[test]
fn a_try_that_was_left_out_does_not_hide_the_failure_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut info = case("early reset", "early reset", Some("kit-1"));
    info.attempt = Some(event::Attempt { number: 2, of: 3 });
    let left_out = Recorder::new(&dir.path().join("2"), info).verdict(ended(Outcome::Skipped, "too many restarts"));
    let joined = join_tries(vec![attempt(dir.path(), 1, false), left_out]);
    assert_eq!((joined.len(), joined[0].outcome()), (1, Outcome::Failed));
}

#[test]
fn on_simulated_time_the_same_run_gives_the_same_file() {
    let files = [1, 2].map(|_| {
        let dir = tempfile::tempdir().unwrap();
        let mut run = run(vec![failed(&dir.path().join("deeper/1"))]);
        run.duration = Duration::from_nanos(u64::from(std::process::id()));
        written(dir.path(), &run).0
    });
    assert_eq!(files[0], files[1]);
    assert!(files[0].contains(r#"timestamp="1970-01-01T00:00:00Z""#));
}

#[test]
fn on_real_time_the_file_says_when_and_how_long() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = run(vec![failed(&dir.path().join("1"))]);
    run.started = Some(OffsetDateTime::from_unix_timestamp(1_793_671_200).unwrap());
    let (_, root) = written(dir.path(), &run);
    assert_eq!(root.all("testsuite")[0].attribute("timestamp"), "2026-11-03T02:00:00Z");
    assert_eq!(root.attribute("time"), "99.000000");
    // The timeline does not lie below the file's directory.
    let out = &root.all("system-out")[0].text;
    assert!(out.starts_with(&format!("timeline: {}/1/events.jsonl and ", dir.path().display())), "{out}");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("junit.xml");
    fs::write(&path, "the night before").unwrap();
    write_junit(&path, &run(Vec::new())).unwrap();
    parse(&fs::read_to_string(&path).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a temporary file was left behind");

    let in_the_way = dir.path().join("directory.xml");
    fs::create_dir_all(in_the_way.join("full")).unwrap();
    let error = write_junit(&in_the_way, &run(Vec::new())).unwrap_err().to_string();
    assert!(error.starts_with("renaming of ") && error.contains("directory.xml failed: ") && error.contains("os error"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "a temporary file was left behind");

    let below_a_file = path.join("junit.xml");
    let error = write_junit(&below_a_file, &run(Vec::new())).unwrap_err().to_string();
    assert!(error.starts_with("creation of "), "{error}");
}

#[test]
fn a_flood_is_shown_by_its_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(&dir.path().join("1"), case("soak", "soak", Some("kit-1")));
    recorder.bytes(Direction::Out, b"START\r");
    for _ in 0..100 {
        recorder.after(1).bytes(Direction::In, &[0, 1].repeat(2048));
    }
    recorder.bytes(Direction::Out, b"STOP\r");
    let (text, root) = written(dir.path(), &run(vec![recorder.verdict(ended(Outcome::Passed, ""))]));
    let out = &root.all("system-out")[0].text;
    assert!(out.contains("-> START\\r\n") && out.ends_with("-> STOP\\r\n"));
    assert!(out.contains(" bytes and 0 other lines are left out here; the timeline has them]\n"));
    assert!((64_000..70_000).contains(&text.len()), "{}", text.len());
}

/// Everything that XML, terminals or careless writers stumble over.
fn hostile() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).collect();
    for part in [&b"\0"[..], b"\x1b[2J\x1b]0;x\x07", b"]]>", b"]]]]>><![CDATA[", "\u{ffff}\u{fffe}".as_bytes(), b"\xc3\x28\xed\xa0\x80\xf8"]
    {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice("\u{202e}\u{85}\u{2028}&amp;<a b='\"'>&#0;-->".as_bytes());
    bytes
}

/// A case in which the same bytes stand everywhere a board, a file or a person can put them.
fn everywhere(dir: &Path, bytes: &[u8]) -> CaseReport {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut info = case(&text, &text, Some(&text));
    (info.file, info.link) = (text.clone(), Some(text.clone()));
    info.matrix = vec![(text.clone(), text.clone())];
    info.steps[2].text.clone_from(&text);
    let mut recorder = Recorder::new(dir, info);
    recorder.property(&text, &text);
    recorder.begin(2);
    let evidence = recorder.bytes(Direction::In, bytes);
    recorder.bytes(Direction::Out, bytes);
    recorder.event(Note { text: text.clone() });
    recorder.end(StepOutcome::Failed);
    recorder.verdict(Verdict {
        step: Some(2),
        expected: Some(text.clone()),
        seen: Some(text.clone()),
        evidence: vec![evidence],
        ..ended(Outcome::Failed, &text)
    })
}

#[test]
fn any_byte_of_a_board_gives_well_formed_xml() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = hostile();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut run = run(vec![everywhere(&dir.path().join("1"), &bytes)]);
    run.given_up.push(GivenUp { board: text.clone(), reason: text.clone(), hint: Some(text) });
    let (text, root) = written(dir.path(), &run);
    // CI gives this file to parsers that are not ours.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-junit.xml");
    std::fs::write(kept, text).unwrap();
    let out = &root.all("system-out")[0].text;
    for shown in [r"\x00\x01\x02", r"\x1b[2J\x1b]0;x\x07", r"]]\x3e", r"\xef\xbf\xbf", r"\xc3(\xed\xa0\x80\xf8", "&amp;<a b='\"'>&#0;-->"] {
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_anywhere_give_well_formed_xml(bytes in proptest::collection::vec(any::<u8>(), 0..300), words in any::<String>()) {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), &run(vec![everywhere(&dir.path().join("1"), &bytes), everywhere(&dir.path().join("2"), words.as_bytes())]));
    }
}

/// Jenkins' schema (junit-4.xsd, which later ones only widen), and the two things that pytest writes beyond it: `properties` in a test case, and its `line`.
fn keeps_to_the_schema(element: &Element) {
    let (attributes, required, children): (&[&str], &[&str], &[&str]) = match element.name.as_str() {
        "testsuites" => (&["name", "time", "tests", "failures", "disabled", "errors"], &[], &["testsuite"]),
        "testsuite" => (
            &["name", "tests", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"],
            &["name", "tests"],
            &["properties", "testcase", "system-out", "system-err"],
        ),
        "testcase" => (
            &["name", "assertions", "time", "classname", "file", "status", "line"],
            &["name"],
            &["properties", "skipped", "error", "failure", "rerunFailure", "flakyFailure", "system-out", "system-err"],
        ),
        "properties" => (&[], &[], &["property"]),
        "property" => (&["name", "value"], &["name", "value"], &[]),
        "failure" | "error" | "skipped" => (&["type", "message"], &["type"], &[]),
        // Surefire's schema, which Jenkins reads as well.
        "rerunFailure" | "flakyFailure" => (&["type", "message"], &["type"], &["stackTrace", "system-out", "system-err"]),
        "system-out" | "system-err" | "stackTrace" => (&[], &[], &[]),
        other => panic!("<{other}> is in no schema"),
    };
    for (name, value) in &element.attributes {
        assert!(attributes.contains(&name.as_str()), "{name} of <{}>", element.name);
        if ["time", "tests", "failures", "errors", "skipped", "line"].contains(&name.as_str()) {
            assert!(value.bytes().all(|b| b.is_ascii_digit() || b == b'.'), "{name}={value}");
        }
    }
    for name in required {
        assert!(element.attributes.iter().any(|(known, _)| known == name), "<{}> lacks {name}", element.name);
    }
    let places: Vec<_> = element
        .children
        .iter()
        .map(|child| {
            children.iter().position(|name| *name == child.name).unwrap_or_else(|| panic!("<{}> in <{}>", child.name, element.name))
        })
        .collect();
    assert!(places.is_sorted(), "the order in <{}>: {places:?}", element.name);
    element.children.iter().for_each(keeps_to_the_schema);
}

fn counts_add_up(root: &Element) {
    let number = |element: &Element, name: &str| element.attribute(name).parse::<usize>().unwrap();
    for suite in root.all("testsuite") {
        for (attribute, name) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            assert_eq!(number(suite, attribute), suite.all(name).len(), "{attribute} of {}", suite.attribute("name"));
        }
    }
    for (attribute, name) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
        assert_eq!(number(root, attribute), root.all(name).len(), "{attribute}");
    }
}
