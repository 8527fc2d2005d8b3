//! What to try next is what was not tried yet: a case fails by a fault on simulated time, and the advice is that for what was seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../boards/mod.rs"]
mod boards;

mod answers;
mod apart;
mod boot;
mod own;
mod shipped;
mod speeds;
mod starts;
mod uploads;
mod written;

use std::path::Path;

use evkit_hil::diagnosis::Advice;
use evkit_hil::model::evkit::Settings;
use evkit_hil::plan::Case;
use evkit_hil::report::CaseReport;
use evkit_hil::scenario;
use evkit_hil::timeline::event::Diagnosis;

/// The last case of a shipped scenario, with a fault, on a board that `seed` draws.
fn failed(fault: &str, scenario: &str, seed: u64) -> CaseReport {
    let plan = scenario::load_shipped(None).unwrap();
    let mut case = plan.cases.into_iter().rfind(|case| case.scenario == scenario).unwrap();
    case.virtual_board.settings.insert(0, (Settings::FAULT.to_owned(), fault.to_owned()));
    simulated(case, seed)
}

/// The case of a scenario that is not shipped, from its `virtual:` on.
fn ran(rest: &str) -> CaseReport {
    ran_on(0, rest)
}

/// The same, on a board that `seed` draws.
fn ran_on(seed: u64, rest: &str) -> CaseReport {
    let text = format!("format: 1\nscenario: own\nsummary: It fails.\n{rest}");
    let mut plan = scenario::load_text(Path::new("own.yaml"), &text, None).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    simulated(plan.cases.remove(0), seed)
}

fn simulated(case: Case, seed: u64) -> CaseReport {
    let folder = tempfile::tempdir().unwrap();
    CaseReport::read(&boards::simulated(&[case], seed, folder.path())[0]).unwrap()
}

fn diagnosis(report: &CaseReport) -> Diagnosis {
    report.verdict.diagnosis.clone().unwrap_or_else(|| panic!("no cause: {:?}", report.verdict))
}

/// A case that is not shipped ends in this advice, whatever stands in the place of its words in capitals.
fn advised(rest: &str, advice: Advice) {
    let found = diagnosis(&ran(rest));
    assert!(found.cause == advice.cause() && advice.is_said(&found.next), "{advice:?} expected: {found:?}");
}

#[test]
fn each_is_given_in_a_case() {
    let tables = [
        include_str!("answers.rs"),
        include_str!("boot.rs"),
        include_str!("speeds.rs"),
        include_str!("starts.rs"),
        include_str!("uploads.rs"),
    ];
    let here = [&tables[..], &[include_str!("own.rs"), include_str!("shipped.rs"), include_str!("written.rs")]].concat().concat();
    for advice in Advice::ALL {
        assert!(here.contains(&format!("Advice::{advice:?}")), "{advice:?}");
    }
}
