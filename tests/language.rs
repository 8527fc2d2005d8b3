//! The language beyond waiting and sending: values that are kept, control words, handlers, fragments, damaged images and secrets, on simulated time against a device that plays a script.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use evkit_hil::bench::{Bench, BoardKind};
use evkit_hil::document::Diagnostic;
use evkit_hil::model::{DeviceModel, Input, ModelLine, Output};
use evkit_hil::plan::{Case, Effect, Place};
use evkit_hil::runner::case::Circumstances;
use evkit_hil::runner::moments::Fineness;
use evkit_hil::scenario;
use evkit_hil::seam::LineState;
use evkit_hil::secret::Secret;
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{EventKind, Outcome};
use rstest::rstest;
use scripted::{Ran, Scripted, at, ms, passed, reports, run, run_around, run_with, says};

#[track_caller]
fn failed(ran: &Ran, step: u16, reason: &str) {
    assert_eq!(
        (ran.verdict.outcome, ran.verdict.step, ran.verdict.reason.as_str()),
        (Outcome::Failed, Some(step), reason),
        "{:?}",
        ran.verdict
    );
}

const KEEP: &str = "steps:\n  - expect: { regex: 'v(?<version>[0-9.]+);(?<level>-?[0-9]+)\\r', within: 10 ms }\n";

#[rstest]
#[case("$version", ">=2.7.0", None)]
#[case("$version", ">2.7.9, <3.0.0", None)]
#[case("$version", "<2.7.9", Some("$version is 2.7.10, which is not <2.7.9"))]
#[case("$level", "<-51", None)]
#[case("$level", "=-113.0", None)]
#[case("$version", "=2.7.10", None)]
#[case("$version", "!=2.7.10", Some("$version is 2.7.10, which is not !=2.7.10"))]
#[case("v$version", "v2.7.10", None)]
#[case("$version", "=$level", Some("$version is 2.7.10, which is not =$level (-113)"))]
fn what_a_group_captured_is_compared(#[case] value: &str, #[case] is: &str, #[case] reason: Option<&str>) {
    let ran = run(&format!("{KEEP}  - check: {{ value: {value}, is: \"{is}\" }}\n"), reports(b"v2.7.10;-113\r"), |_| {});
    assert_eq!(ran.kept(), [("version", "2.7.10"), ("level", "-113")]);
    match reason {
        None => passed(&ran),
        Some(reason) => {
            failed(&ran, 1, reason);
            let kept = ran.events.iter().find(|event| matches!(event.kind, EventKind::Kept(_))).unwrap();
            assert!(!ran.verdict.evidence.is_empty() && ran.verdict.evidence.iter().all(|seq| *seq < kept.seq), "the match proves it");
        }
    }
}

#[rstest]
#[case("$version", ">=2.6", "$version is 2.7.10, and 2.6 is of another kind: the scenario compares what nobody can compare")]
#[case("$level", ">=2.7.0", "$level is -113, and 2.7.0 is of another kind: the scenario compares what nobody can compare")]
#[case("$level", "<1 s", "$level is -113, and 1 s is of another kind: the scenario compares what nobody can compare")]
fn what_the_file_should_not_compare_is_no_failure_of_the_board(#[case] value: &str, #[case] is: &str, #[case] reason: &str) {
    for verb in
        [format!("check: {{ value: {value}, is: \"{is}\" }}"), format!("when: {{ value: {value}, is: \"{is}\", steps: [ wait: 1 ms ] }}")]
    {
        let ran = run(&format!("{KEEP}  - {verb}\n"), reports(b"v2.7.10;-113\r"), |_| {});
        assert_eq!((ran.verdict.outcome, ran.verdict.reason.as_str()), (Outcome::Error, reason), "{verb}");
    }
}

#[test]
fn a_value_without_an_order_is_a_failure_of_the_board() {
    let body = "steps:\n  - expect: { regex: 'v(?<version>\\S+)\\r', within: 10 ms }\n  - check: { value: $version, is: \">=2.7.0\" }\n";
    failed(&run(body, reports(b"vnone\r"), |_| {}), 1, "$version is \"none\", which cannot be compared with 2.7.0");
}

#[rstest]
#[case("=010", true)]
#[case("=10", false)]
#[case("!=10", true)]
#[case("=10.0", true)]
#[case(">=10, <=10", true)]
fn leading_zeros_tell_codes_apart_and_numbers_not(#[case] is: &str, #[case] holds: bool) {
    let body =
        format!("steps:\n  - expect: {{ regex: 'pin (?<pin>\\d+)\\r', within: 10 ms }}\n  - check: {{ value: $pin, is: \"{is}\" }}\n");
    let ran = run(&body, reports(b"pin 010\r"), |_| {});
    assert_eq!(ran.verdict.outcome == Outcome::Passed, holds, "{:?}", ran.verdict);
}

#[test]
fn a_group_that_took_no_part_keeps_nothing() {
    let body = "steps:\n  - expect: { regex: 'a(?<x>b)?\\r', within: 10 ms }\n  - check: { value: $x, is: b }\n";
    passed(&run(body, reports(b"ab\r"), |_| {}));
    failed(&run(body, reports(b"a\r"), |_| {}), 1, "nothing was kept as x");
}

#[test]
fn a_value_of_the_round_before_is_no_value_of_this_one() {
    let body =
        "steps:\n  - repeat: { times: 2, steps: [ expect: { regex: 'r(?<x>b)?\\r', within: 10 ms }, check: { value: $x, is: b } ] }\n";
    passed(&run(body, says(vec![(at(1), b"rb\r"), (at(3), b"rb\r")]), |_| {}));
    failed(&run(body, says(vec![(at(1), b"rb\r"), (at(3), b"r\r")]), |_| {}), 2, "in round 2: nothing was kept as x");
}

#[test]
fn a_value_of_another_pattern_is_forgotten_too() {
    let body = "steps:\n  - repeat: { times: 2, steps: [ any: { patterns: { one: { regex: 'a(?<x>b)\\r' }, two: { text: c } }, keep: who, within: 10 ms }, check: { value: $x, is: b } ] }\n";
    failed(&run(body, says(vec![(at(1), b"ab\r"), (at(3), b"c")]), |_| {}), 2, "in round 2: nothing was kept as x");
}

#[test]
fn a_command_keeps_what_its_answer_shows() {
    let device = Scripted { answers: vec![(b"AT+CSQ\r", b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n")], ..Scripted::default() };
    let body = "steps:\n  - at: { command: AT+CSQ, shows: { regex: '\\+CSQ: (?<rssi>\\d+),' } }\n  - check: { value: $rssi, is: \">=10, <=31\" }\n  - note: the level is $rssi\n";
    let ran = run(body, device, |_| {});
    passed(&ran);
    assert_eq!((ran.kept(), ran.notes()), (vec![("rssi", "17")], vec!["the level is 17"]));
}

fn started(limit: &str) -> String {
    format!(
        "steps:\n  - reset: {{ pulse: 15 ms }}\n  - expect: {{ text: up, within: 1 s, as: up }}\n  - wait: 5 ms\n  - measure: {{ name: start, from: release, to: up }}\n{limit}"
    )
}

fn starts() -> Scripted {
    Scripted { after_release: Some((ms(20), b"up")), ..Scripted::default() }
}

#[test]
fn a_time_is_measured_between_two_events_and_kept() {
    let ran = run(&started("  - check: { value: $start, is: \">=19 ms, <=21 ms\" }\n"), starts(), |_| {});
    passed(&ran);
    let measured =
        ran.events.iter().find_map(|event| if let EventKind::Measured(measured) = &event.kind { Some(measured.clone()) } else { None });
    let measured = measured.unwrap();
    assert_eq!((measured.name.as_str(), measured.from.as_str(), measured.to.as_str()), ("start", "release", "up"));
    assert!(measured.value_ns.abs_diff(20_000_000) <= 10_000, "{measured:?}");
    assert_eq!((measured.uncertainty_ns, measured.evidence.len()), (2_000, 2), "{measured:?}");
    failed(
        &run(&started("  - check: { value: $start, is: \"<10 ms\" }\n"), starts(), |_| {}),
        4,
        "$start is 19.999000 ms, which is not <10 ms",
    );
}

#[test]
fn the_limit_of_a_measurement_is_one_that_this_link_can_decide() {
    let within = |limit: &str| started("").replace("to: up }", &format!("to: up, within: {limit} }}"));
    passed(&run(&within("30 ms"), starts(), |_| {}));
    failed(&run(&within("10 ms"), starts(), |_| {}), 3, "start is 19.999 ms, more than 10 ms");
    let coarse = Fineness { read: ms(3), how: "by hand" };
    for (limit, reason) in
        [("2 ms", "a limit of 2 ms is finer than what this link measures, 3.001 ms"), ("22 ms", "start is too close to 22 ms to tell")]
    {
        let ran = run_with(&within(limit), None, coarse, starts(), |_| {});
        assert_eq!((ran.verdict.outcome, ran.verdict.reason.as_str()), (Outcome::Error, reason), "{limit}");
    }
    let ran = run_with(&started("  - check: { value: $start, is: \">=18 ms\" }\n"), None, coarse, starts(), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.reason.as_str()), (Outcome::Error, "$start is too close to 18 ms to tell"));
}

#[test]
fn a_late_computer_does_not_count_against_a_measured_board() {
    let late = |body: &str| run(body, starts(), |seam| seam.oversleep(at(30), ms(100)));
    let within = started("").replace("to: up }", "to: up, within: 30 ms }");
    for body in
        [&within, &started("  - check: { value: $start, is: \"<=30 ms\" }\n"), &started("  - check: { value: 30 ms, is: \">$start\" }\n")]
    {
        passed(&run(body, starts(), |_| {}));
        let ran = late(body);
        assert_eq!(
            (ran.verdict.outcome, ran.verdict.reason.as_str()),
            (Outcome::Error, "this computer was 85.0 ms late"),
            "{:?}",
            ran.verdict
        );
    }
    // The look at the limit found nothing: the board is late, however late the computer was afterwards.
    let ran = late(&within.replace("within: 30 ms", "within: 14 ms"));
    failed(&ran, 3, "start is 114.998 ms, more than 14 ms");
}

#[test]
fn the_uncertainty_of_a_measured_time_counts_on_both_sides() {
    let other = "  - measure: { name: other, from: assert, to: up }\n";
    for (read, value, is, reason) in [
        (3, "22 ms", ">=$start", Some("$start is too close to 22 ms to tell")),
        (3, "24 ms", ">=$start", None),
        (7, "$start", "<=$other", None),
        (8, "$start", "<=$other", Some("$start is too close to 35 ms to tell")),
    ] {
        let coarse = Fineness { read: ms(read), how: "by hand" };
        let body = started(&format!("{other}  - check: {{ value: {value}, is: \"{is}\" }}\n"));
        let ran = run_with(&body, None, coarse, starts(), |_| {});
        let (outcome, reason) = reason.map_or((Outcome::Passed, ""), |reason| (Outcome::Error, reason));
        assert_eq!((ran.verdict.outcome, ran.verdict.reason.as_str()), (outcome, reason), "{value} {is}");
    }
}

#[test]
fn an_event_that_came_before_the_other_is_no_time_but_an_error_of_the_file() {
    let body = "steps:\n  - expect: { text: up, within: 10 ms, as: up }\n  - reset: { pulse: 1 ms }\n  - measure: { name: t, from: release, to: up }\n";
    let ran = run(body, reports(b"up"), |_| {});
    assert_eq!(
        (ran.verdict.outcome, ran.verdict.reason.as_str()),
        (Outcome::Error, "up came before release, so there is no time between them")
    );
}

#[test]
fn a_named_match_stays_where_it_was_when_others_come() {
    let body = "steps:\n  - expect: { text: one, within: 10 ms, as: first }\n  - expect: { text: two, within: 100 ms }\n  - send: { text: \"AT\\r\", at: first + 60 ms }\n  - expect: { text: three, within: 70 ms, of: first }\n";
    let ran = run(body, says(vec![(at(1), b"one"), (at(50), b"two"), (at(65), b"three")]), |_| {});
    passed(&ran);
    assert_eq!(ran.sent()[0].planned_ns.unwrap() / 1_000_000, 61);
}

#[test]
fn a_retry_passes_with_its_first_good_try_and_says_what_the_others_lacked() {
    let body = "steps:\n  - retry:\n      times: 3\n      pause: 20 ms\n      steps:\n        - send: { text: \"AT\\r\" }\n        - expect: { text: OK, within: 10 ms }\n";
    let ran = run(body, says(vec![(at(45), b"OK")]), |_| {});
    failed(&ran, 2, "in try 3 of 3: \"OK\" did not come");
    assert_eq!((ran.begun(0), ran.begun(1), ran.begun(2)), (1, 3, 3));
    let ran = run(body, says(vec![(at(35), b"OK")]), |_| {});
    passed(&ran);
    assert_eq!((ran.begun(2), ran.notes()), (2, vec!["retry, try 2 of 3: \"OK\" did not come"]));
}

#[rstest]
#[case("expect: { text: OK, within: 10 ms, never: [ { text: PANIC } ] }")]
#[case("quiet: { for: 10 ms, never: [ { text: PANIC } ] }")]
#[case("all: { patterns: [ { text: OK } ], within: 10 ms, never: [ { text: PANIC } ] }")]
#[case("wait: { for: 10 ms, never: [ { text: PANIC } ] }")]
fn what_must_not_come_and_came_is_not_tried_again(#[case] step: &str) {
    let ran =
        run(&format!("steps:\n  - retry: {{ times: 3, steps: [ {step} ] }}\n"), says(vec![(at(1), b"PANIC"), (at(15), b"OK")]), |_| {});
    failed(&ran, 1, "\"PANIC\" came, which must not");
    assert_eq!(ran.begun(1), 1);
}

#[test]
fn what_the_rig_did_and_what_is_over_is_not_tried_again() {
    let body = "deadline: 50 ms\nsteps:\n  - retry: { times: 5, steps: [ expect: { text: OK, within: 30 ms } ] }\n";
    let ran = run(body, says(vec![]), |_| {});
    failed(&ran, 1, "in try 2 of 5: the deadline of the case has passed");
    assert_eq!(ran.begun(1), 2);
    let body = "steps:\n  - retry: { times: 5, steps: [ expect: { text: OK, within: 10 ms } ] }\n";
    let ran = run(body, says(vec![(at(9), b"OK")]), |seam| seam.oversleep(at(8), ms(50)));
    assert_eq!((ran.verdict.outcome, ran.begun(1)), (Outcome::Error, 1));
}

#[test]
fn each_round_of_a_repeat_must_pass_and_the_round_that_does_not_is_named() {
    let body = |rounds: &str| {
        format!("steps:\n  - repeat: {{ {rounds}, steps: [ send: {{ text: \"AT\\r\" }}, expect: {{ text: OK, within: 10 ms }} ] }}\n")
    };
    let answers = || Scripted { answers: vec![(b"AT\r", b"OK")], ..Scripted::default() };
    let ran = run(&body("times: 100"), answers(), |_| {});
    passed(&ran);
    assert_eq!(ran.begun(2), 100);
    let ran = run(&body("for: 50 ms"), answers(), |_| {});
    passed(&ran);
    assert!((25..=51).contains(&ran.begun(2)), "{} rounds", ran.begun(2));
    let ran = run(&body("times: 3"), says(vec![(at(1), b"OK"), (at(11), b"OK")]), |_| {});
    failed(&ran, 2, "in round 3: \"OK\" did not come");
}

#[test]
fn a_diagnosis_of_a_round_looks_at_that_round() {
    let body = "steps:\n  - repeat:\n      times: 3\n      steps:\n        - reset: { pulse: 15 ms }\n        - send: { text: \"AT#UP\\r\" }\n        - quiet: 5 ms\n        - diagnosis: nothing-came\n        - expect: { text: up, within: 50 ms }\n";
    let ran = run(body, starts(), |_| {});
    passed(&ran);
    let (mut released, mut found) = (0, 0);
    for event in &ran.events {
        match &event.kind {
            EventKind::Edge(edge) if edge.state == LineState::Released => released = event.seq,
            EventKind::Diagnosis(diagnosis) => {
                assert_eq!(diagnosis.evidence[0], released);
                found += 1;
            }
            _ => {}
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn a_repeat_for_a_time_ends_where_a_round_takes_none() {
    let body = "steps:\n  - repeat: { for: 1 s, steps: [ when: { value: a, is: b, steps: [ wait: 1 ms ] } ] }\n";
    let ran = run(body, says(vec![]), |_| {});
    let reason = "round 1 took no time, so `for: 1 s` would never be over";
    assert_eq!((ran.verdict.outcome, ran.verdict.step, ran.verdict.reason.as_str()), (Outcome::Error, Some(0), reason));
}

#[test]
fn all_come_in_any_order_and_the_cursor_is_behind_the_last() {
    let body = "steps:\n  - all:\n      within: 10 ms\n      patterns: [ { text: one }, { regex: 'tw(?<o>.)' }, { hex: 9a } ]\n      never: [ { text: bad } ]\n  - expect: { text: rest, within: 10 ms }\n";
    for script in [
        vec![(at(1), &b"one\x9atworest"[..])],
        vec![(at(1), b"t"), (at(2), b"wo"), (at(3), b"\x9a"), (at(4), b"..one"), (at(5), b"rest")],
        vec![(at(1), b"\x9aoneonetworest")],
        vec![(at(1), b"two\x9aone bad rest")],
    ] {
        let ran = run(body, says(script), |_| {});
        passed(&ran);
        assert_eq!(ran.kept(), [("o", "o")]);
    }
    failed(&run(body, says(vec![(at(1), b"one\x9a")]), |_| {}), 0, "/tw(?<o>.)/ did not come");
    failed(&run(body, says(vec![(at(1), b"one\x9abadtwo")]), |_| {}), 0, "\"bad\" came, which must not");
    failed(&run(body, says(vec![(at(1), b"rest")]), |_| {}), 0, "\"one\" and /tw(?<o>.)/ and hex 9a did not come");
}

const ANY: &str = "steps:\n  - any: { within: 10 ms, keep: who, patterns: { application: { text: OK }, boot: { text: \"0\\r\" } }, never: [ { text: ERROR } ] }\n";

#[test]
fn the_first_of_any_wins_and_is_kept() {
    let body = format!("{ANY}  - when: {{ value: $who, is: boot, steps: [ note: boot ], else: [ note: other ] }}\n");
    let ran = run(&body, reports(b"..0\rOK"), |_| {});
    passed(&ran);
    assert_eq!((ran.kept(), ran.notes()), (vec![("who", "boot")], vec!["when: $who holds", "boot"]));
    let ran = run(&body, reports(b"OK0\r"), |_| {});
    assert_eq!((ran.kept(), ran.notes()), (vec![("who", "application")], vec!["when: $who is application, which is not =boot", "other"]));
    assert_eq!((ran.begun(2), ran.begun(3)), (0, 1), "only one list is done");
    failed(&run(&body, reports(b"ERROR"), |_| {}), 0, "\"ERROR\" came, which must not");
    failed(&run(&body, says(vec![]), |_| {}), 0, "none of the patterns came");
}

#[test]
fn a_step_inside_is_the_one_that_failed_with_its_own_reason() {
    let body = "steps:\n  - repeat: { times: 2, steps: [ retry: { times: 2, steps: [ expect: { text: OK, within: 5 ms, because: it should } ] } ] }\n";
    let ran = run(body, says(vec![]), |_| {});
    failed(&ran, 2, "in round 1: in try 2 of 2: \"OK\" did not come");
    assert!(ran.verdict.expected.unwrap().ends_with(", because it should"));
}

#[test]
fn a_handler_acts_while_its_step_waits_and_moves_nothing() {
    let body = "steps:\n  - expect:\n      text: done\n      within: 100 ms\n      on:\n        - { regex: '\\+CEREG: \\d\\r', steps: [ send: { text: \"AT\\r\" }, note: seen ] }\n";
    let ran = run(body, says(vec![(at(1), b"+CER"), (at(2), b"EG: 1\r\n"), (at(9), b"+CEREG: 2\r\n"), (at(20), b"done")]), |_| {});
    passed(&ran);
    assert_eq!(ran.sent().iter().map(|sent| sent.from_ns / 1_000_000).collect::<Vec<_>>(), [2, 9]);
    assert_eq!((ran.begun(1), ran.notes().iter().filter(|note| **note == "seen").count()), (2, 2));
    let ran = run(body, says(vec![(at(1), b"done+CEREG: 1\r")]), |_| {});
    passed(&ran);
    assert_eq!(ran.sent().len(), 1, "what its step was to do is done before the step ends");
}

#[test]
fn a_handler_that_pulses_reset_releases_it_whatever_becomes_of_its_step() {
    let body = |then: &str| {
        format!("steps:\n  - expect: {{ text: {then}, within: 40 ms, on: [ {{ text: now, steps: [ reset: {{ pulse: 15 ms }} ] }} ] }}\n")
    };
    let script = || vec![(at(10), &b"now"[..]), (at(30), b"done")];
    for (then, outcome) in [("now", Outcome::Passed), ("done", Outcome::Passed), ("other", Outcome::Failed)] {
        let ran = run(&body(then), says(script()), |_| {});
        assert_eq!((ran.verdict.outcome, ran.edges()), (outcome, vec![LineState::Asserted, LineState::Released]), "{then}");
    }
    // The run is interrupted while the line is held.
    let ran = run(&body("done"), says(script()), |seam| seam.interrupt(at(12)));
    assert_eq!((ran.verdict.outcome, ran.edges()), (Outcome::Interrupted, vec![LineState::Asserted, LineState::Released]));
}

#[test]
fn what_must_not_come_ends_any_waiting_step() {
    let body = "steps:\n  - wait: { for: 50 ms, never: [ { text: bad } ] }\n";
    failed(&run(body, says(vec![(at(10), b"ba"), (at(20), b"d")]), |_| {}), 0, "\"bad\" came, which must not");
    passed(&run(body, says(vec![(at(10), b"good")]), |_| {}));
    let at_command = "steps:\n  - at: { command: AT, within: 50 ms, never: [ { text: bad } ] }\n";
    let device = Scripted { answers: vec![(b"AT\r", b"\r\nbad\r\n\r\nOK\r\n")], ..Scripted::default() };
    failed(&run(at_command, device, |_| {}), 0, "\"bad\" came, which must not");
}

/// A folder with a scenario and fragments.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self) -> Result<Vec<Case>, String> {
        let folder = self.0.path();
        let plan = scenario::load(&[folder.join("case.yaml")], None);
        plan.map(|plan| plan.cases)
            .map_err(|problems| Diagnostic::render_all(&problems, false).replace(&format!("{}/", folder.display()), ""))
    }
}

const CASE: &str = "format: 1\nscenario: includes\nmatrix: { speed: [9600, 460800] }\neffects: [speed]\nsteps:\n  - wait: 1 ms\n  - include: { file: parts/speed.yaml, with: { to: $speed } }\n  - check: { value: $rssi, is: \">0\" }\n";
const SPEED: &str = "format: 1\nfragment: to a speed\nparameters: { to: , within: 300 ms }\nsteps:\n  - at: { command: AT+IPR=$to, within: $within }\n  - uart: { baud: $to }\n  - include: level.yaml\n";
const LEVEL: &str = "format: 1\nfragment: the level\nsteps:\n  - at: { command: AT+CSQ, shows: { regex: ': (?<rssi>\\d+),' } }\n";

#[test]
fn a_fragments_steps_stand_in_the_place_of_the_include_with_its_parameters() {
    let files = Files::new(&[("case.yaml", CASE), ("parts/speed.yaml", SPEED), ("parts/level.yaml", LEVEL)]);
    let cases = files.load().unwrap();
    let steps = cases[1].steps.iter().map(|step| {
        let file = step.file.as_ref().map_or("", |file| file.file_name().unwrap().to_str().unwrap());
        (step.id, file, step.line, step.text.as_str())
    });
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [
            (0, "", 6, "wait: 1 ms"),
            (1, "speed.yaml", 5, "at: { command: AT+IPR=$to, within: $within }"),
            (2, "speed.yaml", 6, "uart: { baud: $to }"),
            (3, "level.yaml", 4, "at: { command: AT+CSQ, shows: { regex: ': (?<rssi>\\d+),' } }"),
            (4, "", 8, "check: { value: $rssi, is: \">0\" }"),
        ]
    );
    let at = format!("{:?}", cases[1].steps[1].action);
    assert!(at.contains("AT+IPR=460800") && at.contains("300ms"), "{at}");
}

#[rstest]
#[case(&[("parts/speed.yaml", "format: 1\nfragment: x\nsteps: [ include: speed.yaml ]\n")], "the fragment has no parameter `to`")]
#[case(&[("parts/speed.yaml", "format: 1\nfragment: x\nparameters: { to: , x: }\nsteps: [ wait: 1 s ]\n")], "the parameter `x` of the fragment is missing")]
#[case(&[("parts/speed.yaml", "format: 1\nfragment: x\nparameters: { to: }\nsteps: [ include: { file: speed.yaml, with: { to: 1 } } ]\n")], "the fragment includes itself")]
#[case(&[("parts/speed.yaml", "format: 1\nfragment: x\nparameters: { to: }\nsteps: [ wait: $speed ]\n")], "there is no variable `$speed`")]
#[case(&[("parts/speed.yaml", "format: 1\nscenario: x\nsteps: [ wait: 1 s ]\n")], "this is a scenario, not a fragment")]
#[case(&[("parts/speed.yaml", "format: 1\nfragment: x\nparameters: { to: }\nsteps: [ wait: 1 ]\n")], "`1` has no unit")]
#[case(&[], "there is no fragment")]
fn a_fragment_that_does_not_fit_is_refused_where_the_mistake_is(#[case] parts: &[(&str, &str)], #[case] message: &str) {
    let mut all = vec![("case.yaml", CASE)];
    all.extend(parts);
    let refused = Files::new(&all).load().unwrap_err();
    assert!(refused.contains(message), "{refused}");
}

/// Eight fragments, each of which includes the next thirty times.
fn nested(deepest: &str) -> Vec<(String, String)> {
    let part = |depth: usize, steps: &str| (format!("part{depth}.yaml"), format!("format: 1\nfragment: x\nsteps: [ {steps} ]\n"));
    let mut files = (1..8).map(|depth| part(depth, &vec![format!("include: part{}.yaml", depth + 1); 30].join(", "))).collect::<Vec<_>>();
    files.push(part(8, deepest));
    files.push(("case.yaml".to_owned(), "format: 1\nscenario: x\nsteps: [ include: part1.yaml ]\n".to_owned()));
    files
}

#[rstest]
#[case("wait: 1 s, wait: 1 s", "more than 1000 steps")]
#[case("include: part9.yaml", "more than 1000 includes")]
fn fragments_that_include_without_end_are_refused_soon(#[case] deepest: &str, #[case] message: &str) {
    let files = nested(deepest);
    let files = Files::new(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>());
    let started = Instant::now();
    let refused = files.load().unwrap_err();
    assert!(refused.contains(message), "{refused}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_value_that_grows_with_each_fragment_is_refused() {
    let grows = "$x".repeat(100);
    let mut files = (1..8)
        .map(|depth| {
            let include = format!("include: {{ file: part{}.yaml, with: {{ x: {grows} }} }}", depth + 1);
            (format!("part{depth}.yaml"), format!("format: 1\nfragment: x\nparameters: {{ x: ab }}\nsteps: [ {include} ]\n"))
        })
        .collect::<Vec<_>>();
    files.push(("part8.yaml".to_owned(), "format: 1\nfragment: x\nparameters: { x: ab }\nsteps: [ wait: 1 s ]\n".to_owned()));
    files.push(("case.yaml".to_owned(), "format: 1\nscenario: x\nsteps: [ include: part1.yaml ]\n".to_owned()));
    let refused = Files::new(&files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>()).load().unwrap_err();
    assert!(refused.contains("the value of `x` is longer than 4096 bytes") && refused.contains("part2.yaml"), "{refused}");
}

#[test]
fn a_mistake_in_a_fragment_is_placed_in_the_fragment() {
    let wrong = "format: 1\nfragment: x\nparameters: { to: }\nsteps:\n  - uart: { baud: fast }\n";
    let refused = Files::new(&[("case.yaml", CASE), ("parts/speed.yaml", wrong)]).load().unwrap_err();
    assert!(refused.contains("parts/speed.yaml:5:19"), "{refused}");
}

#[test]
fn a_damaged_copy_differs_where_it_is_said_to() {
    let text = "format: 1\nscenario: s\nmatrix: { place: [16 B, 50 %, 100 %] }\neffects: [firmware, downgrade-attempt]\nimages:\n  sound: { make: { A: 2.8.0, size: 4 KiB } }\n  broken: { from: sound, damage: { offset: $place, xor: 81 } }\nsteps:\n  - upload: { image: sound }\n  - upload: { image: broken, result: refused }\n";
    let plan = scenario::load_text(Path::new("s.yaml"), text, None).unwrap();
    let places = plan.cases.iter().map(|case| {
        let [sound, broken] = ["sound", "broken"].map(|name| &case.images[name]);
        assert_eq!(broken.file_name, format!("damaged_{}", sound.file_name));
        assert!(broken.made_up && broken.sha256 != sound.sha256 && broken.versions == sound.versions);
        sound
            .bytes
            .iter()
            .zip(broken.bytes.iter())
            .enumerate()
            .filter(|(_, (a, b))| a != b)
            .map(|(at, (a, b))| (at, a ^ b))
            .collect::<Vec<_>>()
    });
    assert_eq!(places.collect::<Vec<_>>(), [[(16, 0x81)], [(2047, 0x81)], [(4095, 0x81)]]);
    assert!(plan.cases[0].images["sound"].damaged("x", Place::Bytes(4095), &[1, 1]).is_none(), "it would go past the end");
}

#[test]
fn an_upload_that_a_handler_breaks_off_has_that_effect() {
    let text = |effects: &str| {
        format!(
            "format: 1\nscenario: s\neffects: [{effects}]\nsteps:\n  - upload:\n      image: {{ make: {{ A: 2.8.0 }} }}\n      result: interrupted\n      on: [ {{ byte: 50 %, steps: [ reset: assert ] }} ]\n"
        )
    };
    let load = |effects: &str| scenario::load_text(Path::new("s.yaml"), &text(effects), None);
    assert_eq!(load("firmware, interrupt-upload").unwrap().cases[0].effects, [Effect::Firmware, Effect::InterruptUpload]);
    let refused = load("firmware").unwrap_err();
    assert_eq!(refused[0].message, "the step may have the effect `interrupt-upload`, which the file does not declare");
}

fn with_secret(value: &str) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    std::fs::write(&file, format!("PSK={value}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = "format: 1\nsecrets: secrets\nboards: { kit: { port: /dev/ttyUSB9, reset: { gpio: 17 } } }\n";
    let bench = Bench::load_text(&folder.path().join("bench.yaml"), text);
    (folder, bench.unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false))))
}

#[rstest]
#[case(true)]
#[case(false)]
fn a_secret_goes_over_the_wire_and_into_no_file(#[case] passes: bool) {
    let (_folder, bench) = with_secret("s3cr3t.key");
    let body = "steps:\n  - at: { command: 'AT+KEY=\"$secret.PSK\"', within: 50 ms, shows: { regex: '(?<said>$secret.PSK)\\r' } }\n  - note: $said\n  - check: { value: $said, is: \"!=1\" }\n  - expect: { text: $secret.PSK, within: 5 ms }\n";
    let (heard, said) = (&b"AT+KEY=\"s3cr3t.key\"\r"[..], &b"AT+KEY=\"s3cr3t.key\"\r\r\n+KEY: s3cr3t.key\r\n\r\nOK\r\n"[..]);
    let mut device = Scripted { answers: vec![(heard, said)], ..Scripted::default() };
    if passes {
        // It comes in two reads, of which the first one is on the disk before the second.
        device.script = vec![(at(3), b"s3cr3t"), (at(4), b".key")];
    }
    let ran = run_with(body, Some(&bench), Fineness::SIMULATED, device, |_| {});
    assert_eq!(ran.verdict.outcome, if passes { Outcome::Passed } else { Outcome::Failed }, "{:?}", ran.verdict);
    let bytes = String::from_utf8_lossy(&ran.bytes);
    assert!(bytes.starts_with("AT+KEY=\"**********\"\rAT+KEY=\"**********\"\r\r\n+KEY: **********\r\n"), "{bytes}");
    for (what, text) in [("bytes", &*bytes), ("events", &ran.text)] {
        for piece in ["s3cr3t", "cr3t.key", "s3cr3t\\\\.key"] {
            assert!(!text.contains(piece), "{piece} is in the {what}: {text}");
        }
    }
    assert_eq!(ran.kept(), [("said", "***")]);
}

#[test]
fn a_secret_that_a_message_cut_in_two_is_masked() {
    let (_folder, bench) = with_secret("0123456789abcdefghij");
    let body = "steps:\n  - send: { text: \"$secret.PSK\\r\" }\n  - expect: { text: OK, within: 5 ms }\n";
    let said = format!("0123456789abcdefghij{}", "x ".repeat(75)).into_bytes().leak();
    let ran = run_with(body, Some(&bench), Fineness::SIMULATED, says(vec![(at(2), said)]), |_| {});
    let seen = ran.verdict.seen.unwrap();
    assert!(seen.starts_with("\"…***x x "), "{seen}");
}

fn knows(secret: &str) -> impl FnOnce(&mut Circumstances) {
    let secret = Secret::new("PSK", secret).unwrap();
    move |around| {
        around.secrets = [secret].into();
        around.kind = BoardKind::Generic;
        around.set_up_anew = false;
    }
}

#[test]
fn a_case_that_names_no_secret_masks_what_the_run_knows() {
    let body = "steps:\n  - expect: { text: hunter2-secret, within: 5 ms }\n  - expect: { text: OK, within: 5 ms }\n";
    let ran = run_around(body, reports(b"+KEY: hunter2-secret\r\n"), |_| {}, knows("hunter2-secret"));
    failed(&ran, 1, "\"OK\" did not come");
    assert_eq!(String::from_utf8_lossy(&ran.bytes), "+KEY: **************\r\n");
    assert!(!ran.text.contains("hunter2"), "{}", ran.text);
}

#[test]
fn an_echo_that_breaks_off_in_a_secret_is_masked() {
    let body = "steps:\n  - expect: { regex: 'k=(?<k>[a-z0-9]+)-', within: 5 ms }\n  - expect: { text: OK, within: 5 ms }\n";
    let ran =
        run_around(body, says(vec![(at(1), b"k=hunter2-secret\r\n"), (at(4), b"AT+K=hunter2-secr")]), |_| {}, knows("hunter2-secret"));
    assert_eq!((ran.kept(), ran.verdict.seen.as_deref()), (vec![("k", "***")], Some("\"AT+K=***\"")));
    assert_eq!(String::from_utf8_lossy(&ran.bytes), "k=**************\r\nAT+K=************");
    assert!(!ran.text.contains("hunt"), "{}", ran.text);
}

#[test]
fn why_a_board_is_given_up_does_not_show_a_secret() {
    let body = "steps:\n  - wait: 1 ms\nfinally:\n  - at: { command: AT+NOSUCH=hunter2-secret, within: 50 ms }\n";
    let device = Scripted { answers: vec![(b"AT+NOSUCH=hunter2-secret\r", b"\r\nERROR\r\n")], ..Scripted::default() };
    let ran = run_around(body, device, |_| {}, knows("hunter2-secret"));
    let given_up = ran.ended.given_up.expect("the board is not put back");
    assert_eq!(given_up.reason, "AT+NOSUCH=*** was answered ERROR");
    assert!(!format!("{given_up:?}").contains("hunter2"), "{given_up:?}");
}

#[test]
fn a_message_about_a_value_does_not_show_a_secret() {
    let (_folder, bench) = with_secret("0123456789abcdef");
    let text =
        format!("format: 1\nscenario: s\nsteps:\n  - boot: {{ command: \"AT{}$secret.PSK\" }}\n  - note: $secret.PSK\n", "x".repeat(150));
    let refused = scenario::load_text(Path::new("s.yaml"), &text, Some(&bench)).unwrap_err();
    let shown = Diagnostic::render_all(&refused, false);
    assert!(shown.contains("a command of 168 characters") && shown.contains("the secret `PSK` cannot stand here"), "{shown}");
    assert!(!shown.contains("0123456789"), "{shown}");
}

#[test]
fn the_worst_case_counts_what_is_done_again() {
    let text = "format: 1\nscenario: s\nsteps:\n  - retry: { times: 3, pause: 1 s, steps: [ wait: 2 s ] }\n  - repeat: { times: 10, steps: [ wait: 1 s ] }\n  - repeat: { for: 20 s, steps: [ wait: 1 s ] }\n  - when: { value: a, is: b, steps: [ wait: 4 s ], else: [ wait: 5 s ] }\n  - all: { within: 6 s, patterns: [ { text: a } ] }\n";
    let case = scenario::load_text(Path::new("s.yaml"), text, None).unwrap().cases.remove(0);
    assert_eq!(case.worst_case(), Duration::from_secs(8 + 10 + 21 + 5 + 6));
}

#[test]
fn a_restore_that_must_not_reset_asks_at_each_speed_and_gives_up() {
    let body = |reset: bool| format!("steps:\n  - restore: {{ reset: {reset}, within: 20 s }}\n");
    // Afterwards, to tell the cause, it is reset.
    let is_reset = |ran: &Ran| {
        let mut in_step = ran.events.iter().take_while(|event| !matches!(event.kind, EventKind::Probe(_)));
        in_step.any(|event| matches!(event.kind, EventKind::Edge(_)))
    };
    let silent = run(&body(false), says(vec![]), |_| {});
    assert_eq!((silent.verdict.outcome, is_reset(&silent)), (Outcome::Failed, false), "{:?}", silent.verdict);
    assert!(is_reset(&run(&body(true), says(vec![]), |_| {})));
    let answers = || Scripted { answers: vec![(b"AT\r", b"\r\nOK\r\n")], ..Scripted::default() };
    let there = run(&body(false), answers(), |_| {});
    passed(&there);
    assert_eq!(there.edges(), []);
}

/// Boot code that acknowledges so many hotkeys, and says nothing else.
struct SilentBoot(u32);

impl DeviceModel for SilentBoot {
    fn lines(&self) -> &'static [ModelLine] {
        &[ModelLine::RESET]
    }

    fn advance(&mut self, _now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        if self.0 > 0 && matches!(input, Input::Bytes { bytes: [0xc5, ..], .. }) {
            self.0 -= 1;
            output.bytes.push(0x9a);
        }
        None
    }
}

#[rstest]
#[case::each_time(u32::MAX, true)]
#[case::the_first_time(1, false)]
#[case::not_the_last_time(2, false)]
fn boot_code_that_is_silent_acknowledges_each_hotkey(#[case] acknowledges: u32, #[case] passes: bool) {
    let body =
        "steps:\n  - reset: { pulse: 15 ms }\n  - handshake: { every: 50 ms, within: 1 s }\n  - boot: { command: ATI0, result: silent }\n";
    let ran = run_around(body, SilentBoot(acknowledges), |_| {}, |_| {});
    assert_eq!(ran.verdict.outcome == Outcome::Passed, passes, "{:?}", ran.verdict);
    assert!(passes || ran.verdict.step == Some(2), "{:?}", ran.verdict);
}
