//! What the bench file wants done to a board beside its cases.

use evkit_hil::report::CaseReport;
use evkit_hil::timeline::event::Outcome;
use rustix::process::Signal;

use crate::place::{Kit, Place, QUICK, briefs, eventually, junit_cases};

fn report(place: &Place, folder: &str) -> CaseReport {
    CaseReport::read(&place.path("out/timelines").join(folder)).expect("a timeline like any case's")
}

fn sent(report: &CaseReport) -> Vec<String> {
    let lines = report.transcript.head.lines().filter_map(|line| line.split_once("-> "));
    lines.map(|(_, text)| text.trim_end_matches("\\r").to_owned()).collect()
}

const KEYS: &str = "before-run: [ at: { command: ATE0 } ]\n    before-case: [ include: cmee.yaml ]\n    after-run: [ at: { command: ATE1 } ]\n    health: false";

#[test]
fn a_boards_own_steps_come_before_the_run_before_each_case_and_after_the_run() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", KEYS)]);
    place.write("cmee.yaml", "format: 1\nfragment: errors in numbers\nsteps: [ at: { command: AT+CMEE=1 } ]\n");
    place.scenario("one", "steps:\n  - at: { command: AT }\n");
    place.scenario("two", "steps:\n  - at: { command: ATI }\n");
    let output = place.run(&["one.yaml", "two.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let cases = junit_cases(&place.path("out/junit.xml"));
    assert_eq!(
        briefs(&cases),
        [("one", "passed", ""), ("two", "passed", ""), ("board kit: before-run", "passed", ""), ("board kit: after-run", "passed", "")]
    );
    assert!(output.stderr.contains("] 2 cases: 2 passed\n"), "what the bench wants is no case: {output:?}");
    assert_eq!(sent(&report(&place, "000-board-kit-before-run"))[0], "ATE0");
    assert_eq!(sent(&report(&place, "999-board-kit-after-run"))[0], "ATE1");
    let case = report(&place, "002-two");
    assert_eq!(sent(&case)[..3], ["AT+CGMR", "AT+CMEE=1", "ATI"]);
    let sections = case.case.steps.iter().map(|step| (step.section.as_str(), step.file.is_some())).collect::<Vec<_>>();
    assert_eq!(sections, [("before-case", true), ("steps", false)]);
}

#[test]
fn a_step_of_the_board_that_fails_is_the_rigs_fault() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.scenario("one", "steps:\n  - at: { command: AT }\n");
    for (keys, brief, code) in [
        ("before-run: [ at: { command: AT+NONE } ]", "blocked", 3),
        ("before-case: [ at: { command: AT+NONE } ]", "error", 3),
        ("after-run: [ at: { command: AT+NONE } ]", "passed", 3),
    ] {
        place.bench(&[("kit", keys)]);
        let output = place.run(&["one.yaml"]);
        assert_eq!(output.status.code(), Some(code), "{keys}: {output:?}");
        let cases = junit_cases(&place.path("out/junit.xml"));
        let of = |name: &str| cases.iter().find(|case| case.name == name).map(|case| (case.end.as_str(), case.message.as_str()));
        let (outcome, _) = of("one").unwrap_or_else(|| panic!("{cases:?}"));
        assert_eq!(outcome, if brief == "blocked" { "skipped" } else { brief }, "{keys}");
        assert!(output.stderr.contains("AT+NONE was answered ERROR"), "{keys}: {output:?}");
        if brief != "error" {
            let key = keys.split(':').next().unwrap_or_default();
            let (outcome, _) = of(&format!("board kit: {key}")).unwrap_or_else(|| panic!("{cases:?}"));
            assert_eq!(outcome, "error", "{keys}");
        }
    }
}

#[test]
fn what_is_to_be_done_after_a_run_is_done_after_an_interrupted_one() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "after-run: [ at: { command: ATE1 } ]\n    health: false")]);
    place.scenario("long", "steps:\n  - wait: 60 s\n");
    let run = place.start_run(&["long.yaml"]);
    eventually("the step", || place.path("out/timelines/001-long/events.jsonl").metadata().ok().filter(|file| file.len() > 900));
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let after = report(&place, "999-board-kit-after-run");
    assert_eq!((after.outcome(), sent(&after)[0].as_str()), (Outcome::Passed, "ATE1"), "{:?}", after.verdict);
}
