//! Lines and supply in cases: the order in which the supply is switched, edges and their times, what a board lacks, and what a case leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::path::Path;

use boards::{run, simulated};
use evkit_hil::bench::Bench;
use evkit_hil::document::Diagnostic;
use evkit_hil::plan::Case;
use evkit_hil::report::CaseReport;
use evkit_hil::runner::pool::Member;
use evkit_hil::runner::session::Owner;
use evkit_hil::runner::virtual_pool::VirtualPool;
use evkit_hil::scenario;
use evkit_hil::seam::LineState;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Event, EventKind, Outcome, Source};
use rstest::rstest;

fn cases(body: &str) -> Vec<Case> {
    let text = format!("format: 1\nscenario: here\n{body}");
    let plan = scenario::load_text(Path::new("here.yaml"), &text, None);
    plan.unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false))).cases
}

fn events(timeline: &Path) -> Vec<Event> {
    Reader::open(timeline).unwrap().map(Result::unwrap).collect()
}

/// Edges, breaks and notes in words, in the order of recording.
fn story(timeline: &Path) -> Vec<String> {
    let word = |state| if state == LineState::Asserted { "asserted" } else { "released" };
    events(timeline)
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Edge(edge) => Some(format!("{} {}", edge.line, word(edge.state))),
            EventKind::Break(line) => Some(format!("TX {}", if line.held { "held" } else { "free" })),
            EventKind::Note(note) => Some(note.text.clone()),
            _ => None,
        })
        .collect()
}

/// On simulated time, and how it ended.
fn alone(body: &str) -> (Vec<String>, CaseReport) {
    let folder = tempfile::tempdir().unwrap();
    let timeline = &simulated(&cases(body), 0, folder.path())[0];
    (story(timeline), CaseReport::read(timeline).unwrap())
}

#[test]
fn every_line_and_tx_let_go_before_the_supply_goes_and_come_back_released_after_it() {
    let (story, report) = alone(
        "effects: [power]\nsteps:\n  - reset: assert\n  - line: { name: wake, state: assert }\n  - power: { cycle: 1 s }\n  \
         - expect: { text: \"#SYSSTART\\r\\n\", within: 30 s, of: power-on }\n",
    );
    assert_eq!(report.outcome(), Outcome::Passed, "{:?}", report.verdict);
    let expected =
        ["reset asserted", "wake asserted", "reset released", "wake released", "TX held", "power released", "power asserted", "TX free"];
    assert_eq!(story, expected);
}

#[rstest]
#[case::reset("reset: { pulse: 15 ms }", "reset")]
#[case::a_line("line: { name: wake, pulse: 15 ms }", "wake")]
#[case::the_reset_of_a_handshake("handshake:", "reset")]
fn nothing_is_driven_into_a_module_without_its_supply(#[case] step: &str, #[case] line: &str) {
    let (story, report) = alone(&format!("effects: [power]\nsteps:\n  - power: off\n  - {step}\n"));
    let reason = format!("{line} would be driven while the supply is off");
    assert_eq!((report.outcome(), report.verdict.reason), (Outcome::Error, reason));
    assert!(!story.contains(&format!("{line} asserted")), "{story:?}");
    assert_eq!(story.last().map(String::as_str), Some("TX free"), "the supply comes back: {story:?}");
}

#[test]
fn a_module_that_would_live_on_through_its_pins_is_switched_off_all_the_same() {
    let body = "virtual: { parasitic-power: true }\neffects: [power]\nsteps:\n  - line: { name: wake, state: assert }\n  - power: { cycle: 1 s }\n  \
                - expect: { text: \"#SYSSTART\\r\\n\", within: 5 s, of: power-on }\n";
    let (_, report) = alone(body);
    assert_eq!(report.outcome(), Outcome::Passed, "{:?}", report.verdict);

    // On a pseudo-terminal TX cannot be held, so that it does live on, and the timeline says why.
    let (folder, pool) = (tempfile::tempdir().unwrap(), VirtualPool::start(1).unwrap());
    let timeline = &run(&cases(body), &pool.members(), 0, folder.path())[0];
    let report = CaseReport::read(timeline).unwrap();
    assert_eq!((report.outcome(), report.verdict.reason.as_str()), (Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come"));
    let said = story(timeline).join("\n");
    assert!(said.contains("cannot be held low while the module has no supply") && said.contains("carries no break"), "{said}");
}

#[test]
fn a_case_that_ends_without_a_supply_is_put_back() {
    for (finally, note) in [("", true), ("finally:\n  - restore:\n", false), ("finally:\n  - wait: 1 s\n", true)] {
        let (story, report) = alone(&format!("effects: [power]\nsteps:\n  - power: off\n{finally}"));
        assert_eq!(report.outcome(), Outcome::Passed, "{:?}", report.verdict);
        assert_eq!(story.iter().any(|text| text.contains("without its supply: it is switched on")), note, "{finally}: {story:?}");
        let after: Vec<_> =
            story.iter().skip_while(|text| *text != "power released").filter(|text| !text.contains(' ') || text.len() < 20).collect();
        assert_eq!(after, ["power released", "power asserted", "TX free"], "{finally}: {story:?}");
    }
}

#[test]
fn a_line_that_a_case_leaves_asserted_is_released_at_its_end() {
    let (story, report) = alone("steps:\n  - line: { name: wake, state: assert }\n  - at: { command: AT, answer: ERROR }\n");
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(story, ["wake asserted", "wake released"]);
}

#[test]
fn the_supply_that_comes_on_is_a_commanded_restart() {
    let (_, report) =
        alone("effects: [power]\nsteps:\n  - power: off\n  - wait: 2 min\n  - power: on\n  - wait: 10 s\n  - at: { command: AT }\n");
    assert_eq!(report.outcome(), Outcome::Passed, "{:?}", report.verdict);
    let (_, report) = alone("virtual: { watchdog-after: 2 s }\neffects: [power]\nsteps:\n  - power: { cycle: 1 s }\n  - wait: 10 s\n");
    assert_eq!(report.verdict.reason, "the module restarted by itself: #REBOOT_WD: 1");
}

const RING: &str = "steps:\n  - reset: { pulse: 15 ms }\n  - expect: { line: ring, edge: assert, within: 5 s, of: release }\n  \
                    - expect: { line: ring, edge: release, within: 1 s }\n  - expect: { line: ring, edge: any, within: 2 s }\n";

#[test]
fn edges_of_the_ring_line_are_observed_on_simulated_time_and_on_a_pty() {
    let (folder, pool) = (tempfile::tempdir().unwrap(), VirtualPool::start(1).unwrap());
    let on_pty = run(&cases(RING), &pool.members(), 0, &folder.path().join("pty"));
    let on_simulated = simulated(&cases(RING), 0, &folder.path().join("simulated"));
    for timeline in [&on_pty[0], &on_simulated[0]] {
        let report = CaseReport::read(timeline).unwrap();
        assert_eq!(report.outcome(), Outcome::Passed, "{:?}", report.verdict);
        let events = events(timeline);
        let edges: Vec<_> = events.iter().filter(|event| matches!(event.kind, EventKind::InputEdge(_))).collect();
        assert!(edges.len() >= 3 && edges.iter().all(|edge| edge.source == Source::Observed), "{edges:?}");
        let release = events.iter().find_map(|event| match &event.kind {
            EventKind::Edge(edge) if edge.line == "reset" && edge.state == LineState::Released => Some(edge.before_ns),
            _ => None,
        });
        // Boot window and start of the application: the edge has the time at which the board made it, not that at which it was noticed.
        let after = edges[0].t.as_ns() - release.unwrap();
        assert!(after >= 700_000_000, "{after}");
    }
}

#[rstest]
#[case("line: ring, edge: assert, within: 100 ms", "ring was not asserted", "no edge of ring")]
#[case("line: ring, edge: release, within: 720 ms, of: release", "ring was not released", "ring asserted after 0.700 s")]
#[case("line: ring, edge: any, within: 600 ms, of: release", "ring did not change", "no edge of ring")]
fn an_edge_that_does_not_come_in_time_fails_with_what_came(#[case] step: &str, #[case] reason: &str, #[case] seen: &str) {
    let (_, report) = alone(&format!("steps:\n  - reset: {{ pulse: 15 ms }}\n  - expect: {{ {step} }}\n"));
    assert_eq!((report.outcome(), report.verdict.reason.as_str()), (Outcome::Failed, reason));
    assert_eq!(report.verdict.seen.as_deref(), Some(seen));
}

#[test]
fn an_edge_of_before_a_command_is_no_answer_to_it() {
    let (_, report) = alone(
        "steps:\n  - reset: { pulse: 15 ms }\n  - wait: 5 s\n  - expect: { line: ring, edge: assert, within: 1 s, because: it came while we waited }\n  \
         - at: { command: AT }\n  - expect: { line: ring, edge: any, within: 1 s }\n",
    );
    assert_eq!((report.outcome(), report.step.map(|step| step.id)), (Outcome::Failed, Some(4)), "{:?}", report.verdict);
}

#[rstest]
#[case("  - line: { name: wake, pulse: 1 ms }\n", "needs the line wake, which kit does not have")]
#[case("  - line: { name: input, pulse: 1 ms }\n", "needs the line input as an output, and the board drives it on kit")]
#[case("  - expect: { line: output, edge: any, within: 1 s }\n", "needs the line output as an input, and it is an output on kit")]
#[case("  - power: { cycle: 1 s }\n", "needs power that can be switched, which kit does not have")]
fn a_case_is_skipped_where_the_board_lacks_what_it_needs(#[case] step: &str, #[case] reason: &str) {
    let bench = Bench::load_text(
        Path::new("bench.yaml"),
        "format: 1\nboards:\n  kit:\n    port: /dev/nonexistent\n    reset: { gpio: 17 }\n    lines: { input: { gpio: 4, direction: in }, output: { gpio: 5 } }\n    allow: [power]\n",
    );
    let bench = bench.unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)));
    let folder = tempfile::tempdir().unwrap();
    let effects = if step.contains("power") { "effects: [power]\n" } else { "" };
    let member = Member::Port(Box::new(bench.boards[0].clone()), Owner::Bench);
    let timeline = &run(&cases(&format!("{effects}steps:\n{step}")), &[member], 0, folder.path())[0];
    let report = CaseReport::read(timeline).unwrap();
    assert_eq!((report.outcome(), report.verdict.reason.as_str()), (Outcome::Skipped, reason));
}
