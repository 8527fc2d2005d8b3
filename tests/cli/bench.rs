//! `run` on the boards of a bench file: virtual EVKITs in other processes, which count as virtual boards or, where the bench does not say so, as real ones.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use crate::common::process::{Process, write_program};
use crate::place::{Kit, Place, QUICK, SOON, briefs};

const EARLY_RESET: &str = include_str!("../../scenarios/early-reset.yaml");

#[test]
fn shipped_scenarios_pass_on_virtual_boards_in_other_processes() {
    let place = Place::new();
    let _kits = [Kit::start(&place, "one", &[]), Kit::start(&place, "two", &[])];
    let all = "allow: [speed, nvm, firmware, downgrade-attempt, raw]";
    place.bench(&[("one", &format!("virtual: one.ctl\n    {all}")), ("two", &format!("virtual: two.ctl\n    {all}"))]);
    assert!(EARLY_RESET.contains("late: [3 s, 8 s]"));
    place.write("early.yaml", &EARLY_RESET.replace("late: [3 s, 8 s]", "late: [1 s]"));
    let output = place.run(&["downgrade-attempt", "healthy-handshake", "left-at-460800", "early.yaml"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{output:?}");
    let cases = place.junit();
    let names = ["downgrade attempt", "healthy handshake", "left at 460800", "early reset [late=1 s]"];
    assert_eq!(briefs(&cases), names.map(|name| (name, "passed", "")));
    let boards: Vec<_> = (1..=4).map(|number| place.report(number).case.board.expect("a board")).collect();
    assert!(["one", "two"].iter().all(|board| boards.iter().any(|on| on == board)), "the boards share the cases: {boards:?}");
}

#[test]
fn what_a_real_board_may_not_take_is_skipped_with_the_reason() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &[]);
    place.scenario("up", "effects: [firmware]\nsteps:\n  - at: { command: AT#UP, answer: ERROR }\n");
    place.scenario("raw", "effects: [raw]\nsteps:\n  - send: { hex: '00' }\n");
    place.bench(&[("kit", "allow: [speed, firmware]")]);
    let output = place.run(&["healthy-handshake", "left-at-460800", "downgrade-attempt", "raw.yaml", "up.yaml"]);
    assert_eq!(output.status.code(), Some(0), "one passed, the others were skipped for reasons of their own: {output:?}");
    let cases = place.junit();
    assert_eq!(
        briefs(&cases),
        [
            ("healthy handshake", "passed", ""),
            ("left at 460800", "skipped", "needs a virtual board: its `virtual:` sets what a real board cannot be put into"),
            ("downgrade attempt", "skipped", "image installed is made up: name a real one under `images:` in the bench file"),
            ("raw", "skipped", "has the effect raw, which the bench does not allow on kit"),
            ("up", "skipped", "has the effect firmware, which can wear or harm a board: permit it with --allow firmware"),
        ]
    );
    assert!(output.stderr.contains("5 cases: 1 passed, 4 skipped\n"), "{output:?}");
    for case in &cases[1..] {
        assert!(output.stderr.contains(&format!("  {} ({})\n", case.name, case.message)), "{output:?}");
    }

    let edges = kit.command("state");
    let output = place.run(&["up.yaml", "raw.yaml"]);
    assert_eq!(output.status.code(), Some(5), "everything was skipped: {output:?}");
    assert_eq!(kit.command("state"), edges, "nothing touched the board");

    let output = place.run(&["up.yaml", "--allow", "firmware"]);
    assert_eq!(output.status.code(), Some(0), "permitted twice: {output:?}");
    assert_eq!(briefs(&place.junit()), [("up", "passed", "")]);
    let output = place.run(&["raw.yaml", "--allow", "raw"]);
    assert_eq!(output.status.code(), Some(5), "permitted by the command alone: {output:?}");
}

#[test]
fn a_virtual_board_of_the_bench_has_its_faults_in_every_case_before_the_case_s_own() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &[]);
    place.bench(&[("kit", "virtual: { control: kit.ctl, fault: first-command-lost, firmware: 2.8.1 }")]);
    place.scenario(
        "other",
        "steps:\n  - at: { command: AT, answer: silent, within: 500 ms }\n  - at: { command: AT+CGMR, shows: { text: 2.8.1 } }\n",
    );
    place.scenario(
        "own",
        "virtual: { fault: still-booting, first-command-lost: false }\nsteps:\n  - at: { command: AT+CGMR, answer: \"+CME ERROR: 1120\" }\n",
    );
    let output = place.run(&["other.yaml", "own.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(briefs(&place.junit()), [("other", "passed", ""), ("own", "passed", "")]);
    assert_eq!(kit.command("acted"), r#"{"still-booting":1}"#, "of the last case");
}

#[rstest]
#[case::is_given_up_when_it_is_real("", "skipped", "blocked: board kit")]
#[case::goes_on_when_it_is_virtual("virtual: kit.ctl", "passed", "")]
fn a_board_that_finally_did_not_put_back(#[case] keys: &str, #[case] next: &str, #[case] message: &str) {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", keys)]);
    place.scenario("mess", "steps:\n  - at: { command: AT }\nfinally:\n  - at: { command: AT, answer: ERROR }\n");
    place.scenario("next", "steps:\n  - at: { command: AT, tries: 20, within: 100 ms }\n");
    let output = place.run(&["mess.yaml", "next.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let cases = place.junit();
    let errors: Vec<_> = cases.iter().filter(|case| case.end == "error").collect();
    assert_eq!(errors.len(), 1, "{cases:?}");
    assert_eq!(errors[0].name, if next == "passed" { "mess" } else { "board kit" }, "{cases:?}");
    assert_eq!(cases[1].brief(), ("next", next, message));
}

#[test]
fn a_board_that_is_not_chosen_is_not_touched() {
    let place = Place::new();
    let [_one, two] = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "")]);
    place.scenario("pulse", "steps:\n  - reset: { pulse: 15 ms }\n");
    let before = two.command("state");
    let output = place.run(&["--board", "one", "pulse.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(place.report(1).case.board.as_deref(), Some("one"));
    assert_eq!(two.command("state"), before);
    let output = place.run(&["--board", "three", "pulse.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stderr, "error: --board three: bench.yaml has no such board\nhint: its boards are one, two\n");
    let output = place.run(&["--board", "twoo", "pulse.yaml"]);
    assert_eq!(output.stderr, "error: --board twoo: bench.yaml has no such board\nhint: did you mean two? its boards are one, two\n");
}

#[test]
fn a_real_board_is_put_back_after_a_case_whose_finally_does_not() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "allow: [speed]")]);
    place.scenario("leaves", "effects: [speed]\nsteps:\n  - at: { command: AT+IPR=460800 }\n  - reset: assert\n");
    place.scenario("next", "steps:\n  - at: { command: AT }\n");
    let output = place.run(&["leaves.yaml", "next.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(briefs(&place.junit()), [("leaves", "passed", ""), ("next", "passed", "")]);
    assert_eq!(kit.program(), "application");
}

#[test]
fn what_a_program_says_when_a_line_is_claimed_shows_no_secret() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    write_program(&place.path("wake"), "#!/bin/sh\necho \"PIN=$(cat pin) ${EVKIT_HIL_SECRET_OTHER-kept}\" >&2\nexit 3\n");
    place.write("pin", "hunter2-secret\n");
    place.write("secrets", "PIN=hunter2-secret\n");
    fs::set_permissions(place.path("secrets"), Permissions::from_mode(0o600)).expect("set");
    place.bench(&[("kit", "lines: { wake: { backend: command, assert: [./wake, on], release: [./wake, off] } }")]);
    let bench = fs::read_to_string(place.path("bench.yaml")).expect("written");
    place.write("bench.yaml", &format!("{bench}secrets: secrets\n"));
    place.scenario("fine", "steps:\n  - wait: 1 ms\n");
    for args in [&["run", "fine.yaml", "--out", "out"][..], &["diagnose", "--out", "out"], &["release"]] {
        let mut command = place.command(&[args, &["--bench", "bench.yaml"]].concat());
        command.env("EVKIT_HIL_SECRET_OTHER", "swordfish");
        let output = Process::start(command, SOON).wait();
        assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        assert!(output.stderr.contains("it said: PIN=*** kept"), "{args:?}: {output:?}");
        assert!(!output.stderr.contains("hunter2") && !output.stderr.contains("swordfish"), "{args:?}: {output:?}");
    }
    let junit = fs::read_to_string(place.path("out/junit.xml")).expect("written");
    assert!(junit.contains("PIN=***") && !junit.contains("hunter2"), "{junit}");
}
