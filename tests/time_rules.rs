//! The rules of time, cursor and lateness, each on simulated time against a device that plays a script: the host that overslept included.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::bench::START_UP;
use evkit_hil::diagnosis::Probe;
use evkit_hil::model::evkit::{Settings, VirtualEvkit};
use evkit_hil::runner::case::Circumstances;
use evkit_hil::seam::LineState;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EventKind, Outcome};
use scripted::{Ran, Scripted, at, ms, run, run_around, says};

const EXPECT_OK: &str = "steps:\n  - expect: { text: \"OK\\r\\n\", within: 10 ms }\n";

#[test]
fn read_before_the_deadline_is_in_time() {
    let ran = run(EXPECT_OK, says(vec![(at(9), b"OK\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}

#[test]
fn empty_until_after_the_deadline_is_a_failure_of_the_board() {
    let ran = run(EXPECT_OK, says(vec![(at(11), b"OK\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
}

#[test]
fn an_answer_around_the_deadline_is_in_time_when_the_host_was_hardly_late() {
    let ran = run(EXPECT_OK, says(vec![(at(9), b"OK\r\n")]), |seam| seam.oversleep(at(8), Duration::from_micros(2_900)));
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}

#[test]
fn an_answer_around_the_deadline_is_the_rigs_fault_when_the_host_overslept() {
    let ran = run(EXPECT_OK, says(vec![(at(9), b"OK\r\n")]), |seam| seam.oversleep(at(8), ms(50)));
    assert_eq!(ran.verdict.outcome, Outcome::Error, "{:?}", ran.verdict);
    assert!(ran.verdict.reason.contains("this computer was 48.0 ms late"), "{}", ran.verdict.reason);
    assert!(ran.ended.given_up.is_none(), "the board can go on");
}

#[test]
fn an_answer_that_came_late_while_the_host_overslept_is_not_held_against_the_board() {
    // Nobody can tell 9 ms from 30 ms when the host looked at 58 ms.
    let ran = run(EXPECT_OK, says(vec![(at(30), b"OK\r\n")]), |seam| seam.oversleep(at(8), ms(50)));
    assert_eq!(ran.verdict.outcome, Outcome::Error, "{:?}", ran.verdict);
}

#[test]
fn a_host_that_overslept_and_found_nothing_is_no_excuse() {
    let ran = run(EXPECT_OK, says(vec![(at(200), b"OK\r\n")]), |seam| seam.oversleep(at(8), ms(50)));
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
}

#[test]
fn what_came_before_a_command_is_never_its_answer() {
    let body = "steps:\n  - wait: 10 ms\n  - send: { text: \"AT\\r\" }\n  - expect: { text: \"OK\\r\\n\", within: 10 ms }\n";
    let ran = run(body, says(vec![(at(5), b"OK\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
}

#[test]
fn what_came_while_another_step_waited_is_still_seen() {
    let body = "steps:\n  - send: { text: \"AT\\r\" }\n  - wait: 50 ms\n  - expect: { text: \"OK\\r\\n\", within: 1 ms }\n";
    let ran = run(body, says(vec![(at(20), b"OK\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}

#[test]
fn a_match_moves_the_cursor_to_its_end() {
    let twice = "steps:\n  - expect: { text: \"OK\\r\\n\", within: 10 ms }\n  - expect: { text: \"OK\\r\\n\", within: 10 ms }\n";
    let ran = run(twice, says(vec![(at(1), b"OK\r\n")]), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(1)), "{:?}", ran.verdict);
    let ran = run(twice, says(vec![(at(1), b"OK\r\nOK\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}

#[test]
fn a_reset_moves_the_cursor_to_its_release() {
    let body = "steps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: READY, within: 10 ms }\n";
    let ran = run(body, says(vec![(at(5), b"READY")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
    let device = Scripted { after_release: Some((ms(5), b"READY")), ..Scripted::default() };
    let ran = run(body, device, |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}

#[test]
fn within_counts_from_the_event_that_of_names() {
    let body = "steps:\n  - reset: { pulse: 15 ms }\n  - wait: 30 ms\n  - expect: { text: READY, within: 40 ms, of: release }\n";
    let device = |after| Scripted { after_release: Some((after, b"READY")), ..Scripted::default() };
    assert_eq!(run(body, device(ms(39)), |_| {}).verdict.outcome, Outcome::Passed);
    assert_eq!(run(body, device(ms(45)), |_| {}).verdict.outcome, Outcome::Failed);
}

#[test]
fn a_timed_send_enters_its_write_when_it_was_planned_and_both_times_are_recorded() {
    let body = "steps:\n  - reset: { pulse: 15 ms }\n  - send: { hex: c5, at: release + 12 ms }\n";
    let ran = run(body, Scripted::default(), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    let release = ran.events.iter().find_map(|event| match &event.kind {
        EventKind::Edge(edge) if edge.state == LineState::Released => Some(edge.after_ns),
        _ => None,
    });
    let sent = &ran.sent()[0];
    assert_eq!(sent.planned_ns, Some(release.unwrap() + 12_000_000));
    assert_eq!(Some(sent.from_ns), sent.planned_ns);
    let late = run(body, Scripted::default(), |seam| seam.oversleep(at(20), ms(30)));
    let sent = &late.sent()[0];
    assert!(sent.from_ns > sent.planned_ns.unwrap() + 20_000_000, "the host overslept, and the record says so");
}

#[test]
fn a_pulse_counts_from_its_assertion() {
    let ran = run("steps:\n  - reset: { pulse: 15 ms }\n", Scripted::default(), |_| {});
    let edges: Vec<&event::Edge> =
        ran.events.iter().filter_map(|event| if let EventKind::Edge(edge) = &event.kind { Some(edge) } else { None }).collect();
    assert_eq!(edges.len(), 2);
    assert_eq!(edges[1].before_ns, edges[0].after_ns + 15_000_000);
}

#[test]
fn quiet_is_broken_by_a_byte_in_its_time_and_only_then() {
    let body = "steps:\n  - wait: 10 ms\n  - quiet: 20 ms\n";
    assert_eq!(run(body, says(vec![(at(5), b"x")]), |_| {}).verdict.outcome, Outcome::Passed, "before");
    assert_eq!(run(body, says(vec![(at(15), b"x")]), |_| {}).verdict.outcome, Outcome::Failed, "in it");
    assert_eq!(run(body, says(vec![(at(31), b"x")]), |_| {}).verdict.outcome, Outcome::Passed, "after");
}

#[test]
fn what_must_not_come_fails_the_step_at_once() {
    let body = "steps:\n  - expect: { text: OK, within: 1 s, never: [{ text: ERROR }] }\n";
    let ran = run(body, says(vec![(at(5), b"ERROR"), (at(6), b"OK")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed);
    assert!(ran.verdict.reason.contains("must not"), "{}", ran.verdict.reason);
    let failed = ran.events.iter().find(|event| matches!(event.kind, EventKind::StepEnd(_))).unwrap();
    assert!(failed.t < at(6), "it did not wait for the rest");
}

#[test]
fn a_port_that_vanishes_blocks_its_case_and_the_line_is_released() {
    let body = "steps:\n  - reset: assert\n  - wait: 1 s\nfinally:\n  - restore:\n";
    let ran = run(body, Scripted::default(), |seam| seam.unplug(at(100)));
    assert_eq!(ran.verdict.outcome, Outcome::Blocked, "{:?}", ran.verdict);
    assert!(ran.verdict.reason.starts_with("board ") && ran.verdict.reason.contains(": the port is gone"), "{:?}", ran.verdict);
    assert!(ran.ended.given_up.is_some());
    assert_eq!(ran.edges(), [LineState::Asserted, LineState::Released]);
}

#[test]
fn a_port_that_vanishes_while_the_cause_of_a_failure_is_looked_for_gives_the_board_up() {
    let body = "steps:\n  - reset: { pulse: 1 ms }\n  - expect: { text: \"OK\\r\\n\", within: 2 ms }\n";
    // Not in the step, which has failed by then, but while the line is read back, and in the first probe.
    for unplugged in [5, 500] {
        let ran = run(body, Scripted::default(), |seam| seam.unplug(at(unplugged)));
        assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
        assert_eq!(ran.ended.given_up.map(|finding| finding.reason).as_deref(), Some("the port is gone: unplugged"), "{unplugged} ms");
    }
}

#[test]
fn an_interruption_in_a_pulse_releases_and_runs_finally() {
    let body = "steps:\n  - reset: { pulse: 500 ms }\nfinally:\n  - send: { text: bye }\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    assert_eq!(ran.verdict.outcome, Outcome::Interrupted, "{:?}", ran.verdict);
    assert_eq!(ran.edges(), [LineState::Asserted, LineState::Released]);
    assert_eq!(ran.sent().len(), 1, "finally ran");
}

/// When each edge of the reset line was, in milliseconds, rounded down. Without those of probes.
fn edges_at(ran: &Ran) -> Vec<(LineState, u64)> {
    let of = |event: &evkit_hil::timeline::event::Event| match &event.kind {
        EventKind::Edge(edge) => Some((edge.state, edge.before_ns / 1_000_000)),
        _ => None,
    };
    ran.events.iter().take_while(|event| !matches!(event.kind, EventKind::Probe(_))).filter_map(of).collect()
}

#[test]
fn a_pulse_that_is_interrupted_ends_before_finally() {
    let body = "steps:\n  - reset: { pulse: 1 s }\nfinally:\n  - wait: 2 s\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    assert_eq!(edges_at(&ran), [(LineState::Asserted, 0), (LineState::Released, 100)]);
}

#[test]
fn a_handlers_pulse_ends_with_its_step_that_fails() {
    let body = "steps:\n  - expect: { text: zz, within: 50 ms, on: [ { text: go, steps: [ reset: { pulse: 2 s } ] } ] }\nfinally:\n  - wait: 3 s\n";
    let ran = run(body, says(vec![(at(1), b"go")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
    assert_eq!(edges_at(&ran), [(LineState::Asserted, 1), (LineState::Released, 50)]);
}

#[test]
fn lines_do_not_wait_for_each_others_pulses_and_all_of_them_end() {
    let body =
        "steps:\n  - wait: { for: 50 ms, on: [ { text: go, steps: [ line: { name: wake, pulse: 1 s }, reset: { pulse: 15 ms } ] } ] }\n";
    let ran = run(body, says(vec![(at(1), b"go")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    let mut edges = edges_at(&ran);
    edges.sort_by_key(|(_, at)| *at);
    assert_eq!(edges[2..], [(LineState::Released, 16), (LineState::Released, 1_001)]);
    let failing = body.replace("wait: { for: 50 ms", "expect: { text: zz, within: 50 ms");
    let ran = run(&format!("{failing}finally:\n  - wait: 3 s\n"), says(vec![(at(1), b"go")]), |_| {});
    assert_eq!(edges_at(&ran)[2..], [(LineState::Released, 16), (LineState::Released, 50)]);
}

#[test]
fn each_of_a_handlers_pulses_ends_with_its_step() {
    let body = "steps:\n  - retry:\n      times: 2\n      steps:\n        - expect: { text: zz, within: 150 ms, on: [ { text: go, steps: [ reset: { pulse: 100 ms } ] } ] }\n";
    let ran = run(body, says(vec![(at(1), b"go"), (at(51), b"go"), (at(200), b"zz")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    let edges = edges_at(&ran);
    assert_eq!(edges.last().copied(), Some((LineState::Released, 150)), "the next try begins with a board that runs: {edges:?}");
    assert_eq!(edges.len(), 4, "{edges:?}");
}

#[test]
fn a_handlers_pulse_may_take_longer_than_its_step_and_a_minute() {
    let body = "steps:\n  - wait: { for: 300 ms, on: [ { text: go, steps: [ reset: { pulse: 90 s } ] } ] }\n";
    let ran = run(body, says(vec![(at(1), b"go")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(edges_at(&ran), [(LineState::Asserted, 1), (LineState::Released, 90_001)]);
}

#[test]
fn an_acknowledge_takes_back_the_hotkey_and_nothing_else() {
    let body = "steps:\n  - handshake: { pulse: 15 ms, on: [ { hex: 9a, steps: [ send: { text: HELLO }, reset: { pulse: 200 ms } ] } ] }\n";
    let device = Scripted { answers: vec![(b"\xc5", b"\x9a")], ..Scripted::default() };
    let ran = run(body, device, |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert!(String::from_utf8_lossy(&ran.bytes).contains("HELLO"), "what a handler has queued is carried out");
    let edges = edges_at(&ran);
    assert_eq!(edges.len(), 4, "{edges:?}");
    assert!(edges[3].1 - edges[2].1 >= 200, "{edges:?}");
}

#[test]
fn what_came_before_a_handlers_reset_is_no_answer_after_it() {
    let handler = "on: [ { text: go, steps: [ reset: { pulse: 15 ms } ] } ]";
    let body = format!("steps:\n  - wait: {{ for: 300 ms, {handler} }}\n  - expect: {{ text: READY, within: 10 ms }}\n");
    assert_eq!(run(&body, says(vec![(at(1), b"READYgo")]), |_| {}).verdict.outcome, Outcome::Failed);
    assert_eq!(run(&body, says(vec![(at(1), b"go"), (at(30), b"READY")]), |_| {}).verdict.outcome, Outcome::Passed);
    let body = format!("steps:\n  - expect: {{ text: READYgoREADY, within: 300 ms, {handler} }}\n");
    assert_eq!(run(&body, says(vec![(at(1), b"READYgo"), (at(30), b"READY")]), |_| {}).verdict.outcome, Outcome::Failed);
    assert_eq!(run(&body, says(vec![(at(1), b"go"), (at(30), b"READYgoREADY")]), |_| {}).verdict.outcome, Outcome::Passed);
}

#[test]
fn a_board_that_asks_a_handler_for_more_than_it_can_do_is_told_of() {
    let said = "go".repeat(1000).into_bytes().leak();
    let body = "steps:\n  - wait: { for: 300 ms, on: [ { text: go, steps: [ send: { text: x } ] } ] }\n";
    let ran = run(body, says(vec![(at(1), said)]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Error, "{:?}", ran.verdict);
    assert_eq!(ran.verdict.reason, "handlers have 256 operations queued that are not carried out");
}

#[test]
fn handlers_of_a_step_that_has_failed_do_nothing_while_the_cause_is_looked_for() {
    let body =
        "steps:\n  - reset: { pulse: 1 ms }\n  - expect: { text: OK, within: 10 ms, on: [ { text: T, steps: [ reset: assert ] } ] }\n";
    let device = Scripted { answers: vec![(b"AT\r", b"T")], ..Scripted::default() };
    let ran = run(body, device, |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
    assert!(ran.sent().len() > 1, "it was probed");
    assert!(!ran.notes().iter().any(|note| note.starts_with("on ")), "{:?}", ran.notes());
    assert_eq!(ran.edges().last(), Some(&LineState::Released));
}

#[test]
fn a_probe_that_is_interrupted_sends_no_more_and_ends_its_pulse_before_finally() {
    let body = "steps:\n  - reset: { pulse: 1 ms }\n  - expect: { text: OK, within: 10 ms }\nfinally:\n  - note: the end\n";
    let whole = run(body, Scripted::default(), |_| {});
    let begins = |event: &event::Event| matches!(&event.kind, EventKind::Probe(probe) if probe.probe == Probe::Boot);
    let of_boot = || whole.events.iter().skip_while(|event| !begins(event));
    let pulses = of_boot().filter(|event| matches!(&event.kind, EventKind::Edge(edge) if edge.state == LineState::Asserted));
    // Just before a hotkey, at the other speed: what puts the speed back waits.
    let faster = of_boot().skip_while(|event| !matches!(event.kind, EventKind::Speed(_)));
    let hotkeys = faster.filter(|event| matches!(event.kind, EventKind::Bytes(_))).take(3);
    let moments = pulses.map(|event| event.t + ms(5)).chain(hotkeys.map(|event| event.t.minus(Duration::from_nanos(500))));
    let moments: Vec<MonoTime> = moments.collect();
    assert!(moments.len() > 4, "{moments:?}");
    for interrupted in moments {
        let ran = run(body, Scripted::default(), |seam| seam.interrupt(interrupted));
        let cut = ran.events.iter().position(|event| matches!(event.kind, EventKind::Interrupted(_))).unwrap();
        let after = &ran.events[cut..];
        assert!(!after.iter().any(|event| matches!(event.kind, EventKind::Bytes(_))), "{after:?}");
        let finally = after.iter().position(|event| matches!(event.kind, EventKind::StepStart(_))).unwrap();
        let released = after.iter().position(|event| matches!(event.kind, EventKind::Edge(_)));
        assert!(released.is_none_or(|released| released < finally), "{after:?}");
        assert_eq!(ran.edges().last(), Some(&LineState::Released));
    }
}

#[test]
fn finally_ends_in_time_when_the_run_was_interrupted() {
    let body = "steps:\n  - wait: 60 s\nfinally:\n  - wait: 60 s\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    let end = ran.events.last().unwrap().t;
    assert!(end <= at(5_200), "it took until {end}");
}

#[test]
fn a_wire_that_is_busy_for_hours_holds_no_probe_up() {
    let said = "AT\\r".repeat(500);
    let steps = "steps:\n  - reset: { pulse: 1 ms }\n  - uart: { baud: 1 }\n";
    let body = format!("{steps}  - send: {{ text: \"{said}\" }}\n  - expect: {{ text: OK, within: 10 ms }}\n");
    let ran = run(&body, Scripted::default(), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "{:?}", ran.verdict);
    assert!(ran.events.iter().any(|event| matches!(event.kind, EventKind::Probe(_))), "it was probed");
    assert!(ran.events.last().unwrap().t < at(10 * 60 * 1000), "{:?}", ran.events.last());
}

#[test]
fn restores_share_what_an_interrupted_run_has_for_them() {
    let body = "steps:\n  - wait: 1 s\nfinally:\n  - restore: { within: 15 s }\n  - restore: { within: 15 s }\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    assert_eq!(ran.verdict.outcome, Outcome::Interrupted, "{:?}", ran.verdict);
    let end = ran.events.last().unwrap().t;
    assert!(end > at(25_000) && end < at(25_200), "{end}");
}

#[test]
fn a_failed_step_ends_the_steps_and_finally_still_runs() {
    let body = "steps:\n  - expect: { text: OK, within: 10 ms }\n  - send: { text: never }\nfinally:\n  - send: { text: bye }\n";
    let ran = run(body, Scripted::default(), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(0)));
    assert_eq!(ran.sent().len(), 1);
}

#[test]
fn a_positive_control_that_fails_makes_the_case_inconclusive() {
    let ran = run("steps:\n  - expect: { text: OK, within: 10 ms, control: true }\n", Scripted::default(), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Error);
    assert!(ran.verdict.reason.starts_with("inconclusive"), "{}", ran.verdict.reason);
}

#[test]
fn the_line_is_released_when_a_case_leaves_it_asserted() {
    let ran = run("steps:\n  - reset: assert\n", Scripted::default(), |_| {});
    assert_eq!(ran.edges(), [LineState::Asserted, LineState::Released]);
    assert_eq!(ran.verdict.outcome, Outcome::Passed);
}

#[test]
fn a_case_that_outlives_its_deadline_fails() {
    let ran = run("deadline: 50 ms\nsteps:\n  - wait: 40 ms\n  - wait: 40 ms\n", Scripted::default(), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(1)), "{:?}", ran.verdict);
}

#[test]
fn captures_are_recorded_and_end_where_their_limit_does() {
    let body =
        |limit: &str| format!("steps:\n  - expect: {{ regex: 'v(\\d+)\\.(?P<minor>\\d+)\\r', within: 10 ms, capture-limit: {limit} }}\n");
    let script = || says(vec![(at(1), b"x v2"), (at(2), b".71\r")]);
    let found = |ran: Ran| {
        assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
        let matched =
            ran.events.iter().find_map(|event| if let EventKind::Match(matched) = &event.kind { Some(matched.clone()) } else { None });
        matched.unwrap()
    };
    let whole = found(run(&body("4 KiB"), script(), |_| {}));
    assert_eq!(whole.captures, [("1".to_owned(), "2".to_owned()), ("minor".to_owned(), "71".to_owned())]);
    assert_eq!((whole.first_ns, whole.last_ns), (at(1).as_ns(), at(2).as_ns()), "the reads that brought its ends");
    let cut = found(run(&body("3 B"), script(), |_| {}));
    assert!(cut.captures.is_empty(), "{:?}", cut.captures);
}

#[test]
fn a_flood_that_no_step_took_makes_a_missing_pattern_the_rigs_fault() {
    static FLOOD: [u8; 2 << 20] = [b'x'; 2 << 20];
    let body = "steps:\n  - wait: 10 ms\n  - expect: { text: NEEDLE, within: 10 ms }\n";
    let ran = run(body, says(vec![(at(1), b"NEEDLE"), (at(2), &FLOOD)]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Error, "{:?}", ran.verdict);
    assert!(ran.verdict.reason.contains("no step took"), "{}", ran.verdict.reason);
    let ran = run(body, says(vec![(at(2), &FLOOD), (at(3), b"NEEDLE")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "what came last is there: {:?}", ran.verdict);
}

#[test]
fn only_a_final_result_is_judged_by_the_deadline_not_what_else_is_said_around_it() {
    let body = "steps:\n  - at: { command: AT, within: 10 ms, tries: 3 }\n";
    let unsolicited = run(body, says(vec![(at(5), b"\r\n#SIMST: 1\r\n"), (at(70), b"\r\nOK\r\n")]), |seam| seam.oversleep(at(4), ms(50)));
    assert_eq!(unsolicited.verdict.outcome, Outcome::Passed, "{:?}", unsolicited.verdict);
    let result = run(body, says(vec![(at(5), b"\r\nOK\r\n")]), |seam| seam.oversleep(at(4), ms(50)));
    assert_eq!(result.verdict.outcome, Outcome::Error, "{:?}", result.verdict);
}

#[test]
fn a_start_that_nobody_commanded_ends_the_step_at_once_and_finally_still_runs() {
    let body = "steps:\n  - wait: 60 s\n  - send: { text: never }\nfinally:\n  - send: { text: bye }\n";
    let ran = run(body, says(vec![(at(31_000), b"\r\n#SYSSTART\r\n")]), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(0)), "{:?}", ran.verdict);
    assert_eq!(ran.verdict.reason, "the module restarted by itself: #SYSSTART");
    let [read] = ran.verdict.evidence[..] else { panic!("{:?}", ran.verdict) };
    assert!(matches!(&ran.events[read as usize].kind, EventKind::Bytes(bytes) if bytes.direction == Direction::In));
    assert_eq!(ran.restarts(), [("#SYSSTART".to_owned(), false, None)]);
    assert_eq!(ran.sent().len(), 1, "only finally's");
    assert!(ran.events.last().unwrap().t < at(32_000));
    assert!(ran.ended.given_up.is_none(), "the board can go on");
}

#[test]
fn a_start_after_a_release_or_a_command_is_no_start_by_itself() {
    let device = Scripted { after_release: Some((ms(2_000), b"\r\n#REBOOT_RESET\r\n#SYSSTART\r\n")), ..Scripted::default() };
    let ran = run("steps:\n  - wait: 40 s\n  - reset: { pulse: 15 ms }\n  - wait: 10 s\n", device, |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    let is_release = |event: &&event::Event| matches!(&event.kind, EventKind::Edge(edge) if edge.state == LineState::Released);
    let release = ran.events.iter().find(is_release).map(|event| event.seq);
    assert_eq!(ran.restarts(), [("#REBOOT_RESET".to_owned(), true, release), ("#SYSSTART".to_owned(), true, release)]);

    let body = "steps:\n  - wait: 40 s\n  - send: { text: AT#RES }\n  - send: { text: \"ET=1\\r\" }\n  - wait: 10 s\n";
    let ran = run(body, says(vec![(at(45_000), b"\r\n#REBOOT_HOST\r\n\r\n#SYSSTART\r\n")]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(ran.restarts().len(), 2);
}

#[test]
fn a_board_may_restart_for_having_taken_an_image() {
    let body = "images: { new: { make: { A: 2.8.0, size: 1 KiB } } }\nsteps:\n  - wait: 40 s\n  - upload: { image: new }\n  - wait: 10 s\n";
    // Nine times 127 bytes, and it has all.
    let mut script: Vec<(MonoTime, &[u8])> = vec![(at(40_100), b"0\r")];
    script.extend((0..9).map(|request| (at(40_200 + 100 * request), &b"\x7f"[..])));
    script.extend([(at(41_500), &b"\0"[..]), (at(43_000), b"\r\n#SYSSTART\r\n")]);
    let ran = run(body, says(script), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    let ended = ran.events.iter().find(|event| matches!(&event.kind, EventKind::Request(request) if request.asked == 0));
    assert_eq!(ran.restarts(), [("#SYSSTART".to_owned(), true, ended.map(|event| event.seq))]);
}

#[test]
fn the_reason_of_a_restart_may_come_as_late_as_the_first_command_but_only_once() {
    let body = "steps:\n  - reset: { pulse: 15 ms }\n  - wait: 100 s\n  - at: { command: AT }\n  - wait: 10 s\n";
    let answer: (MonoTime, &[u8]) = (at(100_100), b"\r\nOK\r\n\r\n#REBOOT_RESET\r\n");
    let ran = run(body, says(vec![answer]), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert!(ran.restarts()[0].1);
    let ran = run(body, says(vec![answer, (at(103_000), b"\r\n#REBOOT_RESET\r\n")]), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(3)), "{:?}", ran.verdict);
}

#[test]
fn a_watchdog_right_after_a_release_fails_the_case_even_in_a_positive_control() {
    for step in ["wait: 10 s", "expect: { text: \"OK\\r\\n\", within: 10 s, control: true }"] {
        let device = Scripted { after_release: Some((ms(500), b"\r\n#REBOOT_WD: 1\r\n")), ..Scripted::default() };
        let ran = run(&format!("steps:\n  - reset: {{ pulse: 15 ms }}\n  - {step}\n"), device, |_| {});
        assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, Some(1)), "{step}: {:?}", ran.verdict);
        assert_eq!(ran.verdict.reason, "the module restarted by itself: #REBOOT_WD: 1");
    }
}

#[test]
fn where_the_module_may_reset_its_restarts_are_recorded_and_no_more() {
    let device = || says(vec![(at(31_000), b"\r\n#REBOOT_WD: 1\r\n\r\n#SYSSTART\r\n")]);
    let body = "steps:\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 40 s }\n";
    let ran = run(&format!("may-reset: true\n{body}"), device(), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(ran.restarts(), [("#REBOOT_WD: 1".to_owned(), false, None), ("#SYSSTART".to_owned(), false, None)]);
    let ran = run(&format!("may-reset: false\n{body}"), device(), |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Failed, "the step's own pattern does not hide it");
}

#[test]
fn a_message_inside_an_echo_or_another_text_is_none() {
    let device = says(vec![(at(31_000), b"AT#SYSSTART\r\r\nERROR\r\n+X: #REBOOT_WD: 1\r\n")]);
    let ran = run("steps:\n  - wait: 40 s\n", device, |_| {});
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(ran.restarts(), []);
}

#[test]
fn a_restart_in_finally_fails_a_case_that_had_passed_and_finally_goes_on() {
    let body = "steps:\n  - wait: 1 s\nfinally:\n  - wait: 60 s\n  - send: { text: bye }\n";
    let ran = run(body, says(vec![(at(31_000), b"\r\n#SYSSTART\r\n")]), |_| {});
    assert_eq!((ran.verdict.outcome, ran.verdict.step), (Outcome::Failed, None), "{:?}", ran.verdict);
    assert_eq!(ran.verdict.reason, "the module restarted by itself: #SYSSTART");
    assert_eq!(ran.sent().len(), 1);
}

#[test]
fn a_host_that_overslept_does_not_send_the_missed_hotkeys_in_one_go() {
    let body = "steps:\n  - handshake: { every: 5 ms, within: 150 ms, outcome: not-acknowledged }\n";
    let sent = run(body, Scripted::default(), |seam| seam.oversleep(at(40), ms(50))).sent();
    let gaps: Vec<u64> = sent.windows(2).map(|pair| pair[1].from_ns - pair[0].from_ns).collect();
    assert!(gaps.iter().all(|gap| *gap >= 2_500_000), "{gaps:?}");
    assert!(gaps.iter().filter(|gap| **gap == 5_000_000).count() >= 10, "the grid holds where the host was in time: {gaps:?}");
}

/// A board whose radio has to be off before a case, and is not known to be.
fn quiet(around: &mut Circumstances) {
    around.sim = evkit_hil::bench::Sim::Quiet;
}

#[test]
fn a_module_that_is_not_kept_off_the_network_is_not_reset_either() {
    let ran = run_around("steps:\n  - reset: { pulse: 15 ms }\n", Scripted::default(), |_| {}, quiet);
    assert_eq!(ran.verdict.outcome, Outcome::Error, "{:?}", ran.verdict);
    assert!(ran.verdict.reason.starts_with("the module was not kept off the network"), "{:?}", ran.verdict);
    assert_eq!(ran.edges(), []);
    assert!(ran.ended.given_up.is_none() && !ran.ended.is_quiet);
}

#[test]
fn a_module_that_is_still_starting_is_told_again_to_keep_off_the_network() {
    let script: Vec<(MonoTime, &'static [u8])> =
        vec![(at(5), b"\r\n+CME ERROR: 1120\r\n"), (at(300), b"\r\nOK\r\n"), (at(900), b"\r\nOK\r\n")];
    let ran = run_around("steps:\n  - wait: 500 ms\n", says(script), |_| {}, quiet);
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(ran.sent().len(), 3, "twice before the case, once after it");
    assert!(ran.ended.is_quiet);
}

fn slow_adapter(seam: &mut SimulatedSeam) {
    seam.fastest(Baud::new(230_400).unwrap());
}

/// The speeds that the port was set to, before and after anything was sent.
fn speeds(ran: &Ran) -> Vec<u32> {
    let speed = |event: &event::Event| match &event.kind {
        EventKind::Speed(speed) => Some(speed.actual.bits_per_second()),
        _ => None,
    };
    ran.events.iter().filter_map(speed).collect()
}

#[test]
fn a_speed_that_the_port_cannot_make_is_found_before_the_board_is_touched() {
    for set in ["at: { command: AT+IPR=460800 }", "boot: { command: AT+IPR=460800 }", "send: { text: \"AT+IPR=460800\\r\" }"] {
        let body = format!("steps:\n  - reset: {{ pulse: 15 ms }}\n  - {set}\n");
        let ran = run(&body, Scripted::default(), slow_adapter);
        assert_eq!(ran.verdict.outcome, Outcome::Error, "{set}: {:?}", ran.verdict);
        assert_eq!(ran.verdict.reason, "the port cannot make 460800 baud, to which the module is to be set");
        assert!(
            ran.verdict.seen.as_deref().is_some_and(|seen| seen.starts_with("it reports 230400 baud, 50.0 % off")),
            "{:?}",
            ran.verdict
        );
        assert!(ran.edges().is_empty() && ran.sent().is_empty(), "{set}: the board was touched");
        assert!(ran.ended.given_up.is_none(), "{set}: the board can go on");
        assert_eq!((speeds(&ran), ran.ended.port_speed), (vec![115_200], Baud::DEFAULT), "{set}: the port is back at its speed");
    }
}

#[test]
fn a_speed_that_the_port_makes_is_tried_once_and_the_port_is_back_before_the_first_step() {
    let body = "steps:\n  - at: { command: AT+IPR=230400, answer: silent, within: 1 ms }\n  - at: { command: AT+IPR=230400, answer: silent, within: 1 ms }\n";
    let ran = run(body, Scripted::default(), slow_adapter);
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(speeds(&ran), [230_400, 115_200]);
    assert_eq!(ran.ended.speeds_made, [Baud::new(230_400).unwrap()]);
    let known = ran.ended.speeds_made;
    let ran = run_around(body, Scripted::default(), slow_adapter, |around| around.speeds_made = known);
    assert_eq!(speeds(&ran), [0_u32; 0], "once a run");
}

fn usual(around: &mut Circumstances) {
    around.start_up = START_UP;
}

/// A virtual board with these settings.
fn evkit(settings: &[(&str, &str)]) -> VirtualEvkit {
    let mut all = Settings::default();
    settings.iter().for_each(|(key, value)| all.set(key, value).unwrap());
    VirtualEvkit::new(all, MonoTime::ZERO)
}

const SLOW: &[(&str, &str)] = &[("boot-window", "2 s"), ("application-start", "30 s")];
const HELD: &str = "steps:\n  - reset: assert\n  - wait: 20 ms\nfinally:\n  - restore:\n";

#[test]
fn restore_waits_for_a_start_as_long_as_it_may_take_on_this_board() {
    let ran = run_around(HELD, evkit(SLOW), |_| {}, usual);
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
    assert_eq!(ran.edges(), [LineState::Asserted, LineState::Released], "it was reset no second time");
    let impatient = run_around(HELD, evkit(SLOW), |_| {}, |around| around.start_up = Duration::from_secs(5));
    assert_eq!(impatient.verdict.reason, "the board could not be put back", "{:?}", impatient.verdict);
    assert_eq!(impatient.edges().len(), 4);
}

#[test]
fn a_board_that_does_not_start_costs_no_more_than_restore_may_take() {
    let ran = run_around(HELD, evkit(&[("application-dead", "true")]), |_| {}, usual);
    assert_eq!(ran.verdict.reason, "the board could not be put back", "{:?}", ran.verdict);
    assert!(ran.events.last().unwrap().t < at(61_000), "{:?}", ran.events.last());
}

#[test]
fn an_interrupted_run_leaves_a_slow_board_to_start_and_says_nothing_against_it() {
    for interrupted in [100, 10_000] {
        let ran = run_around(HELD, evkit(SLOW), |seam| seam.interrupt(at(interrupted)), usual);
        assert_eq!(ran.verdict.outcome, Outcome::Interrupted, "{:?}", ran.verdict);
        assert!(ran.ended.given_up.is_none());
        assert!(ran.events.last().unwrap().t < at(interrupted + 25_000), "{:?}", ran.events.last());
    }
}
