//! Signals, kills and lost terminals: whatever ends a run, the reset line is released.

use std::time::{Duration, Instant};

use evkit_hil::line::BoardLock;
use evkit_hil::report::CaseReport;
use evkit_hil::seam::LineState;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{EventKind, Outcome, StepOutcome};
use rstest::rstest;
use rustix::process::Signal;

use crate::common::process::{Process, write_program};
use crate::place::{Kit, PROGRAM, Place, QUICK, RUN, SOON, within};

/// How long the guardian may take.
const RELEASE: Duration = Duration::from_secs(10);

/// A board that is treated as a real one, and scenarios that hold it for long.
fn held() -> (Place, Kit) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("pulse", "steps:\n  - reset: { pulse: 30 s }\nfinally:\n  - restore:\n");
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 30 s\nfinally:\n  - wait: 30 s\n");
    place.scenario("short", "steps:\n  - reset: { pulse: 15 ms }\n  - at: { command: AT, tries: 20, within: 100 ms }\n");
    (place, kit)
}

fn events(place: &Place, number: usize) -> Vec<(Option<u16>, EventKind)> {
    let reader = Reader::open(&place.timeline(number).expect("a timeline")).expect("readable");
    reader.map(|event| event.map(|event| (event.step, event.kind)).expect("a whole event")).collect()
}

#[rstest]
#[case(Signal::TERM)]
#[case(Signal::INT)]
#[case(Signal::HUP)]
fn the_first_signal_in_a_pulse_releases_puts_back_and_reports(#[case] signal: Signal) {
    let (place, kit) = held();
    let run = place.start_run(&["pulse.yaml", "short.yaml"]);
    kit.wait_until_held();
    run.signal(signal);
    let output = run.wait();
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(130), ""), "{output:?}");
    assert_eq!(kit.program(), "application");
    assert!(output.stderr.contains("interrupted: putting boards back (again to"), "{output:?}");
    assert!(output.stderr.contains("2 cases: 1 interrupted, 1 skipped\n"), "{output:?}");

    let cases = place.junit();
    assert_eq!(cases[0].brief(), ("pulse", "error", "interrupted"));
    assert_eq!(cases[1].brief(), ("short", "skipped", "the run was interrupted before this case began"));
    assert_eq!(cases.len(), 2, "{cases:?}");
    let events = events(&place, 1);
    let edges: Vec<_> =
        events.iter().filter_map(|(_, kind)| if let EventKind::Edge(edge) = kind { Some(edge.state) } else { None }).collect();
    assert_eq!(edges, [LineState::Asserted, LineState::Released]);
    let steps: Vec<_> = events
        .iter()
        .filter_map(|(step, kind)| if let EventKind::StepEnd(end) = kind { Some((*step, end.outcome)) } else { None })
        .collect();
    assert_eq!(steps, [(Some(0), StepOutcome::Interrupted), (Some(1), StepOutcome::Passed)], "finally has run");
}

#[test]
fn the_second_signal_ends_the_run_at_once_and_the_line_is_released() {
    let (place, kit) = held();
    let run = place.start_run(&["hold.yaml"]);
    kit.wait_until_held();
    run.signal(Signal::TERM);
    place.wait_for_step(1, 2);
    assert_eq!(kit.program(), "reset", "finally waits with the line asserted");
    let second = Instant::now();
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(second.elapsed() < Duration::from_secs(4), "finally would have taken 5 s");
    within(RELEASE, "released", || (kit.program() != "reset").then_some(()));
    let last = events(&place, 1).pop();
    assert!(matches!(last, Some((Some(2), EventKind::StepStart(_)))), "it did not go on: {last:?}");
}

#[test]
fn a_run_that_is_killed_in_a_pulse_leaves_the_line_released_the_timeline_readable_and_the_board_free() {
    let (place, kit) = held();
    let output = place.run(&["short.yaml"]);
    assert!(output.status.success() && place.path("out/junit.xml").exists(), "{output:?}");
    let run = place.start_run(&["pulse.yaml"]);
    kit.wait_until_held();
    place.wait_for_event(1, "the edge", |event| matches!(event.kind, EventKind::Edge(_)));
    run.kill_group();
    within(RELEASE, "released by the guardian", || (kit.program() != "reset").then_some(()));
    let output = run.wait();
    assert_eq!(output.status.code(), None, "{output:?}");
    assert!(!place.path("out/junit.xml").exists(), "what the run before reported is no result of one that was killed");

    let killed = events(&place, 1);
    assert!(matches!(killed.last(), Some((Some(0), EventKind::Edge(edge))) if edge.state == LineState::Asserted), "{killed:?}");
    let report = place.report(1);
    assert_eq!((report.outcome(), report.verdict.reason.as_str()), (Outcome::Error, "the run ended before a verdict was written"));
    assert_eq!(report.step.map(|step| step.text), Some("reset: { pulse: 30 s }".to_owned()));

    let output = place.run(&["short.yaml"]);
    assert_eq!(output.status.code(), Some(0), "nobody has the board any more: {output:?}");
}

#[test]
fn rounds_in_which_nothing_waits_are_ended_by_a_signal() {
    let place = Place::new();
    place.scenario("rounds", "steps:\n  - repeat: { times: 100000, steps: [ repeat: { times: 100000, steps: [ note: x ] } ] }\n");
    let run = place.start(&["run", "--simulate", "--out", "out", "rounds.yaml"]);
    within(SOON, "a timeline", || place.timeline(1));
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(place.junit()[0].brief(), ("rounds", "error", "interrupted"));
}

#[test]
fn a_run_that_nobody_hears_goes_on_and_releases() {
    let (place, kit) = held();
    let unheard = |args: &[&str]| Process::start_unheard(place.command(&[&RUN, args].concat()), SOON);
    let output = unheard(&["short.yaml"]).wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(place.junit()[0].end, "passed");
    assert_eq!(kit.program(), "application");

    // Its terminal is gone, and then it is told to end.
    let run = unheard(&["pulse.yaml"]);
    kit.wait_until_held();
    run.signal(Signal::HUP);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_ne!(kit.program(), "reset");
    assert_eq!(place.junit()[0].brief(), ("pulse", "error", "interrupted"));
}

#[test]
fn a_signal_ends_the_waiting_for_a_board() {
    let (place, kit) = held();
    let holder = place.start_run(&["hold.yaml"]);
    kit.wait_until_held();
    let waiting = place.start(&["run", "--bench", "bench.yaml", "--out", "waiting", "--wait", "1 min", "short.yaml"]);
    // It has opened the lock's file, so it waits or is about to.
    crate::ports::wait_until_it_waits(&place, &waiting);
    waiting.signal(Signal::TERM);
    let output = waiting.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let report = CaseReport::read(&place.path("waiting/timelines/001-short")).expect("readable");
    assert_eq!(report.outcome(), Outcome::Skipped, "{:?}", report.verdict);
    assert_eq!(kit.program(), "reset", "the board was not the waiting run's to release");
    holder.kill_group();
    within(RELEASE, "released", || (kit.program() != "reset").then_some(()));
}

/// A board with more lines than reset, in a case that has done `steps` and waits for long.
fn left_so(steps: &[&str]) -> (Place, Kit, Process) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench_with_lines();
    let listed: String = steps.iter().map(|step| format!("  - {step}\n")).collect();
    place.scenario("left", &format!("effects: [power]\nsteps:\n{listed}  - wait: 30 s\nfinally:\n  - restore:\n"));
    let run = place.start_run(&["left.yaml", "--allow", "power"]);
    place.wait_for_step(1, u16::try_from(steps.len()).expect("few"));
    (place, kit, run)
}

const OFF: &[&str] = &["power: off"];
const ASSERTED: &[&str] = &["line: { name: wake, state: assert }", "reset: assert"];

fn power_and_wake(power: &str, wake: &str) -> (String, String) {
    (power.to_owned(), wake.to_owned())
}

#[test]
fn a_run_that_is_killed_leaves_the_supply_as_it_was() {
    let (place, kit, run) = left_so(OFF);
    assert_eq!(kit.power_and_wake(), power_and_wake("off", "released"));
    let port = place.path("kit").canonicalize().expect("the port");
    run.kill_group();
    let is_free = || BoardLock::holder(&place.path("state"), &port).expect("readable").is_none();
    within(RELEASE, "let go by the guardian", || is_free().then_some(()));
    assert_eq!(kit.power_and_wake().0, "off", "nobody knows why it was off");
}

#[test]
fn a_run_that_is_killed_leaves_every_line_released() {
    let (_place, kit, run) = left_so(ASSERTED);
    assert_eq!(kit.power_and_wake(), power_and_wake("on", "asserted"));
    run.kill_group();
    within(RELEASE, "released by the guardian", || (kit.power_and_wake().1 == "released").then_some(()));
    within(RELEASE, "no reset", || (kit.program() != "reset").then_some(()));
}

#[rstest]
#[case(OFF)]
#[case(ASSERTED)]
fn a_run_that_is_told_to_end_switches_the_supply_on_and_releases_every_line(#[case] steps: &[&str]) {
    let (_place, kit, run) = left_so(steps);
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(kit.power_and_wake(), power_and_wake("on", "released"));
    assert_ne!(kit.program(), "reset");
}

/// A board whose reset line is driven by a program: ours, which says it on the control socket.
fn held_by_a_program() -> (Place, Kit, Process) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    let list = |state| format!("[{PROGRAM}, control, kit.ctl, reset, {state}]");
    let reset = format!("{{ backend: command, assert: {}, release: {} }}", list("assert"), list("release"));
    place.write("bench.yaml", &format!("format: 1\nhost-late: 200 ms\nboards:\n  kit: {{ port: kit, reset: {reset} }}\n"));
    place.scenario("pulse", "steps:\n  - reset: { pulse: 30 s }\nfinally:\n  - restore:\n");
    let run = place.start_run(&["pulse.yaml"]);
    kit.wait_until_held();
    (place, kit, run)
}

#[test]
fn a_line_that_a_program_drives_is_released_when_the_run_is_told_to_end_and_when_it_is_killed() {
    let (place, kit, run) = held_by_a_program();
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(kit.program(), "application");
    let states: Vec<_> = events(&place, 1)
        .into_iter()
        .filter_map(|(_, kind)| if let EventKind::Edge(edge) = kind { Some(edge.state) } else { None })
        .collect();
    assert_eq!(states, [LineState::Asserted, LineState::Released]);

    let (_place, kit, run) = held_by_a_program();
    run.kill_group();
    within(SOON, "released by the guardian", || (kit.program() != "reset").then_some(()));
}

#[test]
fn a_board_whose_supply_cannot_be_switched_on_again_is_given_up() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    write_program(
        &place.path("power"),
        "#!/bin/sh\n[ $1 = off ] && exec touch was-off\n[ -e was-off ] && echo 'the fuse has blown' >&2 && exit 1\nexit 0\n",
    );
    place.bench(&[("kit", "power: { backend: command, on: [./power, on], off: [./power, off] }\n    allow: [power]")]);
    place.scenario("off", "effects: [power]\nsteps:\n  - power: off\n");
    place.scenario("next", "steps:\n  - wait: 1 ms\n");
    let output = place.run(&["off.yaml", "next.yaml", "--allow", "power"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let why = "the power line could not be switched on: ./power on ended with exit status: 1; it said: the fuse has blown";
    assert!(output.stderr.contains(&format!("board kit is given up: {why}")), "{output:?}");
    let ends: Vec<_> = place.junit().iter().map(|case| (case.name.clone(), case.end.clone())).collect();
    let expected = [("board kit", "error"), ("off", "skipped"), ("next", "skipped")];
    for (name, end) in expected {
        assert!(ends.contains(&(name.to_owned(), end.to_owned())), "{name} {end}: {ends:?}");
    }
}

#[test]
fn an_interrupted_run_puts_a_board_back_that_takes_seconds_to_start() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &["boot-window=20 ms", "application-start=3 s"]);
    place.bench(&[("kit", "")]);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 30 s\nfinally:\n  - restore:\n");
    let run = place.start_run(&["hold.yaml"]);
    kit.wait_until_held();
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(!output.stderr.contains("given up"), "{output:?}");
    let resets =
        events(&place, 1).into_iter().filter(|(_, kind)| matches!(kind, EventKind::Edge(edge) if edge.state == LineState::Asserted));
    assert_eq!(resets.count(), 1, "a board that is starting is not reset again");
}
