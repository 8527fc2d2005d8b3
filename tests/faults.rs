//! Faults in whole cases on simulated boards: what the board's log says of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use boards::{rig, simulated};
use evkit_hil::model::evkit::{Fault, Settings};
use evkit_hil::plan::Case;
use evkit_hil::report::CaseReport;
use evkit_hil::runner::progress::Progress;
use evkit_hil::runner::session::{SimulatedStation, Station as _};
use evkit_hil::scenario;
use evkit_hil::timeline::event::Outcome;
use rstest::rstest;

/// Runs a case on a board of its own. Returns the faults that acted, and how the case ended.
fn run(case: &Case, seed: u64, folder: &Path) -> (BTreeSet<&'static str>, CaseReport) {
    let (rig, _never) = rig(seed, folder);
    let mut station = SimulatedStation::new("simulated", &rig);
    let (sender, _receiver) = mpsc::channel();
    station.run(case, None, &folder.join("timeline"), &Progress::new("simulated", sender)).unwrap();
    (station.log().acted().into_keys().collect(), CaseReport::read(&folder.join("timeline")).unwrap())
}

/// The faults of the catalogue that set what the case sets, or that it names.
fn faults_of(case: &Case) -> BTreeSet<&'static str> {
    let is_set = |fault: &&Fault| {
        let sets = |name: &str| fault.settings().iter().any(|(setting, _)| *setting == name);
        case.virtual_board.has_faults && case.virtual_board.settings.iter().any(|(key, value)| sets(key) || value == fault.name)
    };
    Fault::ALL.iter().filter(is_set).map(|fault| fault.name).collect()
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(2)]
#[case(3)]
fn a_board_without_a_fault_logs_none_in_all_shipped_scenarios(#[case] seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut acted = BTreeSet::new();
    for (number, case) in scenario::load_shipped(None).unwrap().cases.iter().enumerate() {
        let (logged, _) = run(case, seed, &folder.path().join(number.to_string()));
        let faults = faults_of(case);
        assert!(logged.is_subset(&faults), "{}: {logged:?}, and its board has {faults:?}", case.name);
        acted.extend(logged);
    }
    assert_eq!(acted, BTreeSet::from(["first-command-lost", "left-at-speed", "silent-after-acknowledge"]), "what the scenarios are about");
}

#[test]
fn a_port_that_vanishes_gives_the_board_up() {
    let text = "format: 1\nscenario: gone\nmatrix: { when: [20 ms, 5 s] }\nvirtual: { fault: port-vanishes=$when }\n\
                steps:\n  - at: { command: AT }\n  - wait: 500 ms\n";
    let plan = scenario::load_text(Path::new("gone.yaml"), text, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let outcome = |folder: &PathBuf| CaseReport::read(folder).unwrap().outcome();
    let outcomes = |cases: &[Case], name: &str| simulated(cases, 0, &folder.path().join(name)).iter().map(outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&plan.cases[1..], "late"), [Outcome::Passed]);
    assert_eq!(outcomes(&plan.cases, "early")[..2], [Outcome::Blocked, Outcome::Blocked]);
}

#[test]
fn a_fault_that_a_case_names_acts() {
    let text = "format: 1\nscenario: broken\nmatrix: { what: [deaf, application-silent, energy-lines] }\nvirtual: { fault: $what }\n\
                steps:\n  - at: { command: AT+CGMR, shows: { text: 2.7.0 } }\n  - wait: 500 ms\n";
    let plan = scenario::load_text(Path::new("broken.yaml"), text, None);
    let plan = plan.unwrap_or_else(|problems| panic!("{}", evkit_hil::document::Diagnostic::render_all(&problems, false)));
    let folder = tempfile::tempdir().unwrap();
    let outcomes = [Outcome::Failed, Outcome::Failed, Outcome::Passed];
    for (number, (case, outcome)) in plan.cases.iter().zip(outcomes).enumerate() {
        let (logged, report) = run(case, 7, &folder.path().join(number.to_string()));
        let what = case.matrix[0].1.as_str();
        assert_eq!((logged.into_iter().collect::<Vec<_>>(), report.outcome()), (vec![what], outcome), "{:?}", report.verdict);
    }
}

#[rstest]
#[case("healthy handshake")]
#[case("upgrade")]
#[case("downgrade attempt")]
#[case("power cycle")]
#[case("late reset")]
fn a_case_fails_only_where_its_fault_acted_and_nothing_else_is_logged(#[case] scenario: &str) {
    let folder = tempfile::tempdir().unwrap();
    let cases = scenario::load_shipped(None).unwrap().cases;
    let healthy = cases.iter().find(|case| case.scenario == scenario).unwrap();
    for fault in Fault::ALL {
        let mut case = healthy.clone();
        case.virtual_board.settings.insert(0, (Settings::FAULT.to_owned(), fault.name.to_owned()));
        let (logged, report) = run(&case, 1, &folder.path().join(fault.name));
        assert!(logged.iter().all(|name| *name == fault.name), "{}: {logged:?}", fault.name);
        assert!(!logged.is_empty() || report.outcome() == Outcome::Passed, "{} did nothing: {:?}", fault.name, report.verdict);
    }
}
