//! The rules of time, cursor and lateness, each on simulated time against a device that plays a script: the host that overslept included.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::model::{DeviceModel, Input, Output};
use evkit_hil::runner::case::{Circumstances, Ended, run_case};
use evkit_hil::runner::progress::Progress;
use evkit_hil::runner::watch::Restarts;
use evkit_hil::scenario;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::seam::{LineId, LineState};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EventKind, Outcome};
use evkit_hil::timeline::{ClockKind, Reader};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn at(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * 1_000_000)
}

/// Says what its script says, when it says it, whatever it hears; answers a release after `after_release`.
#[derive(Default)]
struct Scripted {
    script: Vec<(MonoTime, &'static [u8])>,
    after_release: Option<(Duration, &'static [u8])>,
    edges: Vec<(LineId, LineState)>,
}

impl DeviceModel for Scripted {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        if let Input::Line { line, state } = input {
            self.edges.push((line, state));
            if let (LineState::Released, Some((after, bytes))) = (state, self.after_release) {
                self.script.push((now + after, bytes));
            }
        }
        self.script.retain(|(when, bytes)| {
            if *when <= now {
                output.bytes.extend_from_slice(bytes);
            }
            *when > now
        });
        self.script.iter().map(|(when, _)| *when).min()
    }
}

struct Ran {
    ended: Ended,
    verdict: event::Verdict,
    events: Vec<event::Event>,
}

impl Ran {
    fn edges(&self) -> Vec<LineState> {
        self.events.iter().filter_map(|event| if let EventKind::Edge(edge) = &event.kind { Some(edge.state) } else { None }).collect()
    }

    /// The restarts on the timeline: what was said, and which event commanded it.
    fn restarts(&self) -> Vec<(String, bool, Option<u64>)> {
        let restart = |event: &'_ event::Event| match &event.kind {
            EventKind::Restart(restart) => Some((restart.message.clone(), restart.commanded, restart.by)),
            _ => None,
        };
        self.events.iter().filter_map(restart).collect()
    }

    fn sent(&self) -> Vec<event::Bytes> {
        let sent = |event: &'_ event::Event| match &event.kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => Some(bytes.clone()),
            _ => None,
        };
        self.events.iter().filter_map(sent).collect()
    }
}

/// Runs a scenario's steps on a scripted device; `order` gives the host its troubles.
fn run(body: &str, device: Scripted, order: impl FnOnce(&mut SimulatedSeam)) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.yaml");
    std::fs::write(&file, format!("format: 1\nscenario: rules\nsummary: rules\neffects: [speed, raw, nvm, firmware]\n{body}")).unwrap();
    let plan = scenario::load(&[file], None).unwrap_or_else(|problems| {
        panic!("{}", evkit_hil::document::Diagnostic::render_all(&problems, false));
    });
    let mut seam = SimulatedSeam::new(Box::new(device), Baud::DEFAULT);
    order(&mut seam);
    let around = Circumstances {
        board: "scripted".to_owned(),
        link: "simulated",
        seed: 0,
        home_speed: Baud::DEFAULT,
        port_speed: Baud::DEFAULT,
        host_late: ms(1),
        started: None,
        firmware: Some("2.7.0".to_owned()),
        set_up_anew: true,
        start_up: Duration::from_secs(30),
        restarts: Restarts::default(),
    };
    let (sender, _receiver) = std::sync::mpsc::channel();
    let timeline = folder.path().join("timeline");
    let progress = Progress::new("scripted", sender);
    let ended = run_case(&mut seam, ClockKind::Simulated, &plan.cases[0], &around, &timeline, &progress).unwrap();
    let events: Vec<event::Event> = Reader::open(&timeline).unwrap().collect::<Result<_, _>>().unwrap();
    let Some(EventKind::Verdict(verdict)) = events.last().map(|event| event.kind.clone()) else { panic!("the last event is no verdict") };
    Ran { ended, verdict, events }
}

fn says(script: Vec<(MonoTime, &'static [u8])>) -> Scripted {
    Scripted { script, ..Scripted::default() }
}

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
    assert!(ran.events.last().unwrap().t < at(6), "it did not wait for the rest");
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
fn an_interruption_in_a_pulse_releases_and_runs_finally() {
    let body = "steps:\n  - reset: { pulse: 500 ms }\nfinally:\n  - send: { text: bye }\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    assert_eq!(ran.verdict.outcome, Outcome::Interrupted, "{:?}", ran.verdict);
    assert_eq!(ran.edges(), [LineState::Asserted, LineState::Released]);
    assert_eq!(ran.sent().len(), 1, "finally ran");
}

#[test]
fn finally_ends_in_time_when_the_run_was_interrupted() {
    let body = "steps:\n  - wait: 60 s\nfinally:\n  - wait: 60 s\n";
    let ran = run(body, Scripted::default(), |seam| seam.interrupt(at(100)));
    let end = ran.events.last().unwrap().t;
    assert!(end <= at(5_200), "it took until {end}");
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
    let unsolicited = run(body, says(vec![(at(5), b"\r\n#SYSSTART\r\n"), (at(70), b"\r\nOK\r\n")]), |seam| seam.oversleep(at(4), ms(50)));
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
