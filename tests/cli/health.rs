//! The health case of a board, its identity, and boards of which nothing is assumed.

use evkit_hil::diagnosis::Cause;
use evkit_hil::report::CaseReport;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Direction, EventKind, Outcome};
use rstest::rstest;
use rustix::process::Signal;

use crate::place::{Case, Kit, Place, QUICK, briefs, junit_cases};

const IMEI: &str = "359876543210987";

fn all_cases(place: &Place) -> Vec<Case> {
    junit_cases(&place.path("out/junit.xml"))
}

fn property<'a>(report: &'a CaseReport, name: &str) -> Option<&'a str> {
    report.properties.iter().find(|property| property.name == name).map(|property| property.value.as_str())
}

/// The speed, what was sent and the edges of a timeline.
fn commanded(place: &Place, folder: &str) -> (Vec<u8>, usize) {
    let mut reader = Reader::open(&place.path("out/timelines").join(folder)).expect("readable");
    let (mut sent, mut edges) = (Vec::new(), 0);
    while let Some(event) = reader.next() {
        match event.expect("whole").kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => {
                sent.extend(reader.bytes_at(bytes.offset, bytes.length as usize).expect("there"));
            }
            EventKind::Edge(_) => edges += 1,
            _ => {}
        }
    }
    (sent, edges)
}

#[rstest]
#[case::a_real_board("", true)]
#[case::a_real_board_that_is_taken_as_it_is("health: false", false)]
#[case::a_virtual_board("virtual: kit.ctl", false)]
#[case::a_virtual_board_whose_bench_asks_for_it("virtual: kit.ctl\n    health: true", true)]
#[case::a_virtual_board_with_an_imei("virtual: kit.ctl\n    identity: { imei: 359876543210987 }", true)]
fn who_is_asked_before_the_first_case(#[case] keys: &str, #[case] asked: bool) {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["application-start=50 ms", "imei=359876543210987"]);
    place.bench(&[("kit", keys)]);
    place.scenario("pulse", "steps:\n  - reset: { pulse: 15 ms }\n");
    let output = place.run(&["pulse.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let cases = all_cases(&place);
    if !asked {
        assert_eq!(briefs(&cases), [("pulse", "passed", "")]);
        return;
    }
    assert_eq!(briefs(&cases), [("pulse", "passed", ""), ("board kit", "passed", "")]);
    assert_eq!(cases[1].suite, "boards");
    assert!(output.stderr.contains("] kit  board kit\n"), "{output:?}");
    assert!(output.stderr.contains("] 1 case: 1 passed\n"), "a board is no case: {output:?}");
    let health = CaseReport::read(&place.path("out/timelines/000-board-kit")).expect("a timeline like any case's");
    assert_eq!((health.outcome(), property(&health, "imei"), property(&health, "firmware")), (Outcome::Passed, Some(IMEI), Some("2.7.0")));
    assert_eq!((health.case.scenario.as_str(), health.case.file.as_str(), health.line()), ("boards", "bench.yaml", 4));
    assert_eq!(property(&place.report(1), "imei"), Some(IMEI), "the unit is named with each case");
    let (sent, edges) = commanded(&place, "000-board-kit");
    assert_eq!(edges, 0);
    assert!(sent.ends_with(b"ATI\rAT+CGMR\rAT+CGSN\r"), "{}", String::from_utf8_lossy(&sent));
}

#[rstest]
#[case::silent(&["application-silent=true"], "", "the application does not answer AT at 115200 baud", Some(Cause::NothingCame))]
#[case::at_another_speed(&["speed=460800"], "", "the application does not answer AT at 115200 baud", Some(Cause::WrongSpeed))]
#[case::another_unit(&["imei=359876543210987"], "identity: { imei: 351111111111111 }", "another unit is on this port: IMEI 359876543210987, expected 351111111111111", None)]
fn a_board_that_is_not_well_is_one_error_and_nothing_is_done_to_it(
    #[case] settings: &[&str],
    #[case] keys: &str,
    #[case] reason: &str,
    #[case] cause: Option<Cause>,
) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &[&["application-start=50 ms"], settings].concat());
    place.bench(&[("kit", keys)]);
    for name in ["pulse", "again"] {
        place.scenario(name, "steps:\n  - reset: { pulse: 15 ms }\n");
    }
    let output = place.run(&["pulse.yaml", "again.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let blocked = "blocked: board kit";
    assert_eq!(briefs(&all_cases(&place)), [("pulse", "skipped", blocked), ("again", "skipped", blocked), ("board kit", "error", reason)]);
    assert_eq!(output.stderr.matches(" ERROR kit  board kit\n").count(), 1, "told once: {output:?}");
    assert!(output.stderr.contains("   --> bench.yaml:4\n") && output.stderr.contains("1 board given up"), "{output:?}");
    let health = CaseReport::read(&place.path("out/timelines/000-board-kit")).expect("a timeline like any case's");
    assert_eq!(health.verdict.diagnosis.map(|diagnosis| diagnosis.cause), cause);
    let (sent, edges) = commanded(&place, "000-board-kit");
    assert_eq!(edges, 0);
    assert!(!String::from_utf8_lossy(&sent).contains('='), "nothing was set");
    assert_eq!(kit.program(), "application");
}

#[test]
fn a_board_whose_application_core_still_starts_is_waited_for() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["application-start=50 ms", "still-booting=3 s"]);
    place.bench(&[("kit", "")]);
    place.scenario("fine", "steps:\n  - at: { command: AT }\n");
    let output = place.run(&["fine.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_run_that_is_interrupted_while_it_asks_a_board_has_begun_no_case() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["application-silent=true"]);
    place.bench(&[("kit", "")]);
    place.scenario("pulse", "steps:\n  - reset: { pulse: 15 ms }\n");
    let run = place.start_run(&["pulse.yaml"]);
    crate::place::eventually("asked", || place.path("out/timelines/000-board-kit/events.jsonl").exists().then_some(()));
    run.signal(Signal::TERM);
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let cases = all_cases(&place);
    let reason = "the run was interrupted before this case began";
    assert_eq!(briefs(&cases), [("pulse", "skipped", reason), ("board kit", "error", "interrupted")]);
}

#[test]
fn of_a_generic_board_nothing_is_assumed() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "kind: generic\n    allow: [speed]")]);
    place.scenario(
        "bytes",
        "steps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 5 s }\n  - reset: assert\n",
    );
    place.scenario("at", "steps:\n  - at: { command: AT }\n");
    place.scenario("put back", "steps:\n  - wait: 1 ms\nfinally:\n  - restore:\n");
    place.scenario("version", "requires: { firmware: '>=2.0.0' }\nsteps:\n  - wait: 1 ms\n");
    let output = place.run(&["bytes.yaml", "at.yaml", "put back.yaml", "version.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let skipped = |what: &str| format!("{what}, and kit is `kind: generic`, of which nothing is assumed");
    assert_eq!(
        briefs(&all_cases(&place)),
        [
            ("bytes", "passed", ""),
            ("at", "skipped", skipped("uses at").as_str()),
            ("put back", "skipped", skipped("uses restore").as_str()),
            ("version", "skipped", skipped("requires a firmware").as_str()),
        ]
    );
    let (sent, edges) = commanded(&place, "001-bytes");
    assert_eq!((sent, edges), (Vec::new(), 4), "nothing was sent but what the steps say, and the line was released");
    assert_ne!(kit.program(), "reset");
}

#[test]
fn a_generic_board_may_restart_as_it_likes() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["boot-window=20 ms", "application-start=50 ms", "watchdog-after=200 ms"]);
    place.bench(&[("kit", "kind: generic")]);
    place.scenario("looks on", "steps:\n  - expect: { text: \"#REBOOT_WD\", within: 10 s }\n");
    let output = place.run(&["looks on.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn of_a_generic_board_no_cause_is_told_that_is_an_st87m01s() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["application-silent=true"]);
    place.bench(&[("kit", "kind: generic")]);
    place.scenario("waits", "steps:\n  - expect: { text: ready, within: 10 ms }\n");
    let output = place.run(&["waits.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(place.report(1).verdict.diagnosis, None);
    assert!(!output.stderr.contains("    cause "), "{output:?}");
}

#[test]
fn what_a_board_claimed_that_is_not_well_is_run_by_another() {
    let place = Place::new();
    let _well = Kit::start(&place, "well", QUICK);
    let _ill = Kit::start(&place, "ill", &["application-silent=true"]);
    place.bench(&[("ill", ""), ("well", "")]);
    let names = ["a", "b", "c"];
    for name in names {
        place.scenario(name, "steps:\n  - at: { command: AT }\n");
    }
    let output = place.run(&["a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!(output.status.code(), Some(3), "a board was given up: {output:?}");
    let cases = place.junit();
    assert_eq!(briefs(&cases[..3]), names.map(|name| (name, "passed", "")));
    assert_eq!(cases[3].brief(), ("board ill", "error", "the application does not answer AT at 115200 baud"));
}
