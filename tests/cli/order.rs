//! How boards share cases and what follows when one fails: `--each-board`, `--fail-fast`, `--retries`, and what must have passed.

use std::fs;

use rstest::rstest;

use crate::place::{Kit, Place, QUICK, briefs};
use crate::xml;

/// Passes only on the second try on a board that is not set up anew: the first leaves what the second looks for.
const SECOND_TIME: &str = "steps:\n  - at: { command: AT+CMEE?, shows: { text: '+CMEE: 1' } }\nfinally:\n  - at: { command: AT+CMEE=1 }\n";

/// Fails whenever it is tried.
const NEVER: &str = "steps:\n  - at: { command: AT, answer: ERROR }\n";

const ALWAYS: &str = "steps:\n  - at: { command: AT }\n";

#[test]
fn each_board_runs_each_case_and_both_are_told_apart() {
    let place = Place::new();
    let _kits = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "allow: [speed]")]);
    place.scenario("fine", ALWAYS);
    place.scenario("speed", "effects: [speed]\nsteps:\n  - at: { command: AT }\n");
    let output = place.run(&["--each-board", "fine.yaml", "speed.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.contains("4 cases: 3 passed, 1 skipped\n"), "{output:?}");
    let not_allowed = "has the effect speed, which the bench does not allow on one";
    let cases: Vec<_> = place.junit().into_iter().filter(|case| case.suite != "boards").collect();
    assert_eq!(
        briefs(&cases),
        [
            ("fine on one", "passed", ""),
            ("fine on two", "passed", ""),
            ("speed on one", "skipped", not_allowed),
            ("speed on two", "passed", "")
        ]
    );
    let folders = ["001-fine-on-one", "002-fine-on-two", "003-speed-on-one", "004-speed-on-two"];
    assert!(folders.iter().all(|folder| place.path("out/timelines").join(folder).is_dir()), "{output:?}");
}

#[test]
fn a_board_that_ran_nothing_of_what_each_board_runs_makes_the_run_incomplete() {
    let place = Place::new();
    let _kits = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "allow: [speed]")]);
    place.scenario("speed", "effects: [speed]\nsteps:\n  - at: { command: AT }\n");
    let output = place.run(&["--each-board", "speed.yaml"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(output.stderr.contains("  LACK board one\n    why        it ran nothing\n"), "{output:?}");
    assert!(output.stderr.contains("2 cases: 1 passed, 1 skipped, 1 lacking\n"), "{output:?}");
    let output = place.run(&["--each-board", "--board", "two", "speed.yaml"]);
    assert_eq!(output.status.code(), Some(0), "a board that was not chosen need not run anything: {output:?}");
    let output = place.run(&["speed.yaml"]);
    assert_eq!(output.status.code(), Some(0), "boards that share the cases need not all have one: {output:?}");
}

#[test]
fn each_of_as_many_virtual_boards_as_are_asked_for_runs_each_case() {
    let place = Place::new();
    place.scenario("fine", ALWAYS);
    let output = place.output(&["run", "--boards", "3", "--each-board", "--out", "out", "fine.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(briefs(&place.junit()), ["fine on virtual-1", "fine on virtual-2", "fine on virtual-3"].map(|name| (name, "passed", "")));
}

#[test]
fn after_a_failure_fail_fast_begins_nothing_more() {
    let place = Place::new();
    place.scenario("a", ALWAYS);
    place.scenario("b", NEVER);
    place.scenario("c", ALWAYS);
    let run = |args: &[&str]| place.output(&[&["run", "--boards", "1", "--out", "out", "a.yaml", "b.yaml", "c.yaml"], args].concat());
    let output = run(&["--fail-fast"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let cases = place.junit();
    assert_eq!(cases[0].brief(), ("a", "passed", ""));
    assert_eq!(cases[1].end, "failure");
    assert_eq!(cases[2].brief(), ("c", "skipped", "not run: --fail-fast after b failed"));
    assert_eq!(run(&[]).status.code(), Some(1));
    assert_eq!(place.junit()[2].brief(), ("c", "passed", ""), "without the option the others run");
}

#[test]
fn fail_fast_counts_a_board_that_was_given_up() {
    let place = Place::new();
    place.scenario("a", ALWAYS);
    // Nobody is behind this port, so that the only board is lost before its first case.
    place.bench(&[("gone", "")]);
    let output = place.run(&["--fail-fast", "a.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(place.junit()[0].brief(), ("a", "skipped", "not run: --fail-fast after board gone was given up"));
}

#[test]
fn a_case_that_passes_when_it_is_tried_again_is_flaky_and_says_so() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("second time", SECOND_TIME);
    let output = place.run(&["--retries", "2", "second time.yaml"]);
    assert_eq!(output.status.code(), Some(0), "a case that is not required may be flaky: {output:?}");
    for part in ["  FAIL 1/3 [", " FLAKY 2/3 [", "  FAIL 1/3 kit  second time\n   --> second time.yaml:4\n", "] 1 case: 1 flaky\n"] {
        assert!(output.stderr.contains(part), "{part:?} is missing in {output:?}");
    }
    let folders = ["001-second-time", "001-second-time.try-2"];
    assert!(folders.iter().all(|folder| place.path("out/timelines").join(folder).is_dir()), "{output:?}");
    assert!(!place.path("out/timelines/001-second-time.try-3").exists(), "it passed already");

    let text = fs::read_to_string(place.path("out/junit.xml")).expect("there");
    // CI gives this file to parsers that are not ours.
    fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("flaky-junit.xml"), &text).expect("kept");
    let root = xml::parse(&text);
    let cases = root.all("testcase");
    let case = cases.iter().find(|case| case.attribute("name") == "second time").expect("the case");
    let names: Vec<&str> = case.children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["properties", "flakyFailure", "system-out"]);
    assert_eq!(root.attribute("failures"), "0");
    let flaky = &case.children[1];
    assert!(flaky.attribute("message").contains("does not show"), "{text}");
    assert!(flaky.all("system-out")[0].text.starts_with("timeline: timelines/001-second-time/events.jsonl"), "{text}");
}

#[test]
fn a_case_that_fails_in_every_try_is_one_failure_with_reruns() {
    let place = Place::new();
    place.scenario("never", NEVER);
    place.scenario("fine", ALWAYS);
    let output = place.output(&["run", "--simulate", "--retries", "2", "--out", "out", "never.yaml", "fine.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("] 2 cases: 1 passed, 1 failed\n"), "{output:?}");
    for label in ["  FAIL 1/3 simulated  never", "  FAIL 2/3 simulated  never", "  FAIL 3/3 simulated  never"] {
        assert_eq!(output.stderr.matches(label).count(), 1, "{label}: {output:?}");
    }
    let text = fs::read_to_string(place.path("out/junit.xml")).expect("there");
    fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("rerun-junit.xml"), &text).expect("kept");
    let root = xml::parse(&text);
    let cases = root.all("testcase");
    let names: Vec<&str> = cases[0].children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["properties", "failure", "rerunFailure", "rerunFailure", "system-out"]);
    assert_eq!((root.attribute("failures"), root.attribute("tests")), ("1", "2"));
    let timelines: Vec<&str> = cases[0].all("system-out").iter().filter_map(|out| out.text.split_whitespace().nth(1)).collect();
    assert_eq!(
        timelines,
        ["001-never", "001-never.try-2", "001-never.try-3"].map(|folder| format!("timelines/{folder}/events.jsonl")),
        "in the order of the elements"
    );
}

#[rstest]
#[case::a_failure_of_the_board("effects: [speed]", "answer: ERROR", None)]
#[case::a_case_that_can_wear_a_board("effects: [speed, nvm]", "answer: ERROR", Some("what can wear a board (nvm) is never tried again"))]
#[case::an_error("effects: [speed]", "answer: ERROR, control: true", Some("only what the board failed is tried again"))]
fn only_a_failure_is_tried_again_and_never_what_wears_a_board(#[case] effects: &str, #[case] answer: &str, #[case] why_not: Option<&str>) {
    let place = Place::new();
    place.scenario("case", &format!("{effects}\nsteps:\n  - at: {{ command: AT, {answer} }}\n"));
    let output = place.output(&["run", "--simulate", "--retries", "1", "--out", "out", "case.yaml"]);
    assert!(place.path("out/timelines/001-case").is_dir());
    assert_eq!(place.path("out/timelines/001-case.try-2").is_dir(), why_not.is_none());
    let why_not = why_not.map(|why| format!("tries      no more: {why}"));
    assert!(why_not.as_deref().is_none_or(|why| output.stderr.contains(why)), "{output:?}");
    let plain = place.output(&["run", "--simulate", "--out", "out", "case.yaml"]);
    assert!(!plain.stderr.contains("tries "), "nobody asked for more: {plain:?}");
}

#[test]
fn what_is_required_must_have_passed_at_once() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    let bench = fs::read_to_string(place.path("bench.yaml")).expect("there");
    place.write("bench.yaml", &format!("{bench}require: {{ cases: [fine, elsewhere, second-time], tags: [release] }}\n"));
    place.scenario("fine", ALWAYS);
    place.scenario("second time", SECOND_TIME);
    place.write("second-time.yaml", &fs::read_to_string(place.path("second time.yaml")).expect("there"));
    place.scenario("worn", "tags: [release]\neffects: [nvm]\nsteps:\n  - at: { command: AT }\n");
    let output = place.run(&["--retries", "1", "fine.yaml", "second-time.yaml", "worn.yaml"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let lacking = output.stderr.split("  LACK ").skip(1).map(|part| part.lines().take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!(
        lacking,
        [
            "elsewhere     why        the bench requires it, and no case or scenario that was read has this name; `evkit-hil list` shows the cases",
            "second time on kit     why        it passed only on try 2 of 2",
            "worn     why        it was skipped: has the effect nvm, which the bench does not allow on kit",
        ]
    );
    assert!(output.stderr.contains("3 cases: 1 passed, 1 flaky, 1 skipped, 3 lacking\n"), "{output:?}");
    let required: Vec<_> = place.junit().into_iter().filter(|case| case.suite == "required").collect();
    let names: Vec<_> = required.iter().map(|case| (case.name.as_str(), case.end.as_str())).collect();
    assert_eq!(names, [("elsewhere", "error"), ("second time on kit", "error"), ("worn", "error")], "who reads JUnit alone sees it");
    let note =
        "note: elsewhere: the bench requires it, and no case or scenario that was read has this name; `evkit-hil list` shows the cases\n";
    assert!(output.stderr.starts_with(note), "what nobody has is said beforehand as well: {output:?}");
    let output = place.output(&["check", "--bench", "bench.yaml", "fine.yaml", "second-time.yaml", "worn.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.starts_with(note) && output.stderr.lines().count() == 2, "{output:?}");
}

#[test]
fn a_name_on_the_command_line_is_required_and_a_wrong_one_is_a_mistake() {
    let place = Place::new();
    place.scenario("fine", ALWAYS);
    place.scenario("other", &format!("tags: [other]\n{ALWAYS}"));
    let run = |args: &[&str]| place.output(&[&["run", "--simulate", "--out", "out", "fine.yaml", "other.yaml"], args].concat());
    assert_eq!(run(&["--require", "fine,other"]).status.code(), Some(0));
    let output = run(&["--require", "fine,other", "--tag", "other"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(output.stderr.contains("  LACK fine\n    why        it was not selected\n"), "{output:?}");
    fs::remove_dir_all(place.path("out")).expect("removed");
    let output = run(&["--require", "fyne"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stderr, "error: --require fyne: no case and no scenario that was read has this name\nhint: did you mean `fine`?\n");
    assert!(!place.path("out").exists(), "nothing was run");
}
