//! The shipped scenarios: the same on simulated time and on a PTY, the same for any seed, and failing for the right reason on a board with one
//! behaviour broken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use boards::{run, simulated};
use evkit_hil::baud::Baud;
use evkit_hil::bench::Sim;
use evkit_hil::diagnosis::Cause;
use evkit_hil::model::evkit::VirtualEvkit;
use evkit_hil::plan::Case;
use evkit_hil::report::CaseReport;
use evkit_hil::runner::case::{Circumstances, run_case};
use evkit_hil::runner::progress::Progress;
use evkit_hil::runner::session::case_seed;
use evkit_hil::runner::virtual_pool::VirtualPool;
use evkit_hil::scenario;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{Direction, EventKind, Outcome};
use evkit_hil::timeline::{ClockKind, Reader};
use rstest::rstest;

fn shipped() -> Vec<Case> {
    let plan = scenario::load_shipped(None);
    plan.unwrap_or_else(|problems| panic!("{}", evkit_hil::document::Diagnostic::render_all(&problems, false))).cases
}

/// What a case came to, without its times: verdict, cause, steps, and between two edges or speed changes the joined bytes of each direction.
fn essence(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut joined: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
    let mut reader = Reader::open(folder).unwrap();
    while let Some(event) = reader.next() {
        let event = event.unwrap();
        let line = match &event.kind {
            EventKind::Bytes(bytes) => {
                let data = reader.bytes(bytes).unwrap();
                joined[usize::from(bytes.direction == Direction::In)].extend(data);
                continue;
            }
            EventKind::StepStart(_) => format!("step {:?}", event.step),
            EventKind::StepEnd(end) => format!("step {:?} {:?}", event.step, end.outcome),
            EventKind::Diagnosis(diagnosis) => format!("diagnosis {}", diagnosis.cause),
            EventKind::Verdict(verdict) => {
                format!(
                    "verdict {:?} {} {:?} {:?}",
                    verdict.outcome,
                    verdict.reason,
                    verdict.step,
                    verdict.diagnosis.as_ref().map(|d| d.cause)
                )
            }
            EventKind::Edge(edge) => format!("edge {} {:?}", edge.line, edge.state),
            EventKind::Speed(speed) => format!("speed {} {}", speed.requested, speed.actual),
            EventKind::Request(request) => format!("request {} {}", request.asked, request.sent),
            _ => continue,
        };
        if matches!(event.kind, EventKind::Edge(_) | EventKind::Speed(_) | EventKind::Verdict(_)) {
            for (direction, bytes) in ["out", "in"].iter().zip(&mut joined) {
                let mut bytes = std::mem::take(bytes);
                // How many hotkeys a handshake sends until it has seen the first acknowledge depends on the moment, not on the board.
                bytes.dedup_by(|a, b| a == b && matches!(*a, 0xC5 | 0x9A));
                out.push(format!("{direction} {}", bytes.escape_ascii()));
            }
        }
        out.push(line);
    }
    out
}

#[test]
fn a_pty_in_real_time_and_a_simulated_board_tell_the_same_story() {
    let cases = shipped();
    let folder = tempfile::tempdir().unwrap();
    let pool = VirtualPool::start(6).unwrap();
    let on_pty = run(&cases, &pool.members(), 0, &folder.path().join("pty"));
    let on_simulated = simulated(&cases, 0, &folder.path().join("simulated"));
    for ((case, pty), simulated) in cases.iter().zip(&on_pty).zip(&on_simulated) {
        let (mut pty, simulated) = (essence(pty).join("\n"), essence(simulated).join("\n"));
        assert!(simulated.contains("verdict Passed"), "{}:\n{simulated}", case.name);
        // A computer that was held up for tens of milliseconds asks at another moment, and hears the same in another order. That passes; a difference between the links stays.
        for again in 1..=3 {
            if pty == simulated {
                break;
            }
            let folder = folder.path().join(format!("pty-again-{again}"));
            pty = essence(&run(std::slice::from_ref(case), &pool.members()[..1], 0, &folder)[0]).join("\n");
        }
        let differs = pty.lines().zip(simulated.lines()).position(|(a, b)| a != b);
        assert!(pty == simulated, "{}, first at line {differs:?}\n--- PTY\n{pty}\n--- simulated\n{simulated}", case.name);
    }
}

#[rstest]
#[case(0..=10)]
#[case(11..=20)]
#[case(21..=30)]
#[case(31..=40)]
fn every_case_passes_whatever_is_assumed_of_the_module(#[case] seeds: std::ops::RangeInclusive<u64>) {
    let cases = shipped();
    let folder = tempfile::tempdir().unwrap();
    for seed in seeds {
        for timeline in simulated(&cases, seed, &folder.path().join(seed.to_string())) {
            let report = CaseReport::read(&timeline).unwrap();
            assert_eq!(report.outcome(), Outcome::Passed, "seed {seed}, {}: {:?}", report.case.name, report.verdict);
        }
    }
}

/// The file says when its board starts; one that does otherwise is as healthy.
#[test]
fn a_board_that_starts_when_it_likes_is_not_named_faulty() {
    let mut cases = shipped();
    cases.retain(|case| case.scenario == "between the windows");
    let folder = tempfile::tempdir().unwrap();
    let mut failed = 0;
    for start in 10..95 {
        let start = format!("{start}0 ms");
        cases[0].virtual_board.settings = vec![("application-start".to_owned(), start.clone())];
        let report = CaseReport::read(&simulated(&cases, 0, &folder.path().join(&start))[0]).unwrap();
        failed += u32::from(report.outcome() == Outcome::Failed);
        let cause = report.verdict.diagnosis.as_ref().map(|diagnosis| diagnosis.cause);
        // What came too early and what the application took: the steps are told, not the board.
        let is_of_the_host =
            cause.is_none_or(|cause| matches!(cause, Cause::StillStarting | Cause::ApplicationAnswered | Cause::NotAsExpected));
        assert!(is_of_the_host, "{start}: {:?}", report.verdict);
    }
    assert!(failed > 30, "{failed}");
}

/// Of everything sent before the next restart, what follows a start of the application.
fn sent_after_starts(folder: &Path) -> Vec<String> {
    let mut sent: Vec<String> = Vec::new();
    let mut is_started = false;
    let mut reader = Reader::open(folder).unwrap();
    while let Some(event) = reader.next() {
        match event.unwrap().kind {
            EventKind::Restart(restart) if restart.message == "#SYSSTART" => {
                is_started = true;
                sent.push(String::new());
            }
            EventKind::Edge(_) => is_started = false,
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out && is_started => {
                let text = String::from_utf8_lossy(&reader.bytes(&bytes).unwrap()).into_owned();
                sent.last_mut().unwrap().push_str(&text);
            }
            _ => {}
        }
    }
    sent
}

#[test]
fn a_sim_that_must_not_register_changes_no_verdict_and_is_kept_off_after_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let (mut starts, mut first) = (0, 0);
    for (case, seed) in shipped().iter().flat_map(|case| (0..4).map(move |seed| (case, seed))) {
        let settings = case.virtual_board.settings_for(case_seed(seed, &case.name));
        let around = Circumstances {
            sim: Sim::Quiet,
            is_quiet: true,
            firmware: Some(settings.firmware.to_string()),
            ..Circumstances::simulated("quiet", Baud::DEFAULT)
        };
        let mut seam = SimulatedSeam::new(Box::new(VirtualEvkit::new(settings, MonoTime::ZERO)), Baud::DEFAULT);
        let timeline = folder.path().join(format!("{seed} {}", case.name.replace('/', "-")));
        let progress = Progress::new("quiet", mpsc::channel().0);
        let ended = run_case(&mut seam, ClockKind::Simulated, case, &around, &timeline, &progress).unwrap();
        let report = CaseReport::read(&timeline).unwrap();
        assert_eq!(ended.outcome, Outcome::Passed, "seed {seed}, {}: {:?}", case.name, report.verdict);
        assert!(ended.is_quiet, "seed {seed}, {}", case.name);
        for sent in sent_after_starts(&timeline).iter().filter(|sent| !sent.is_empty()) {
            starts += 1;
            first += usize::from(sent.trim_start_matches('\r').starts_with("AT+CFUN=0\r"));
        }
    }
    assert!(starts > 100 && first == starts, "{first} of {starts} starts were followed by it first");
}

#[test]
fn the_same_seed_gives_the_same_timeline_to_the_byte_and_another_seed_another() {
    let cases = shipped();
    let folder = tempfile::tempdir().unwrap();
    let files = |name: &str, seed| {
        let timelines = simulated(&cases, seed, &folder.path().join(name));
        timelines
            .iter()
            .flat_map(|dir| ["events.jsonl", "bytes.bin"].map(|file| std::fs::read(dir.join(file)).unwrap()))
            .collect::<Vec<_>>()
    };
    let first = files("a", 7);
    assert!(first == files("b", 7), "two runs with one seed differ");
    assert!(first != files("c", 8), "another seed changes nothing");
}

/// A scenario on a board with one behaviour broken: how the case ends, and what it says.
#[rstest]
#[case("healthy handshake", "no-acknowledge", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("healthy handshake", "boot-garbles", Outcome::Failed, "boot code did not answer ATI0")]
#[case("healthy handshake", "does-not-restart", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("healthy handshake", "ignores-reset", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("upgrade", "refuses-upgrade", Outcome::Failed, "the device refused ST87M01_A_2_8_0")]
#[case("upgrade", "keeps-old-version", Outcome::Failed, "the answer to AT+CGMR does not show")]
#[case("upgrade", "upload-ends-early", Outcome::Failed, "the device says that it has all of it after 48 of 16384 bytes")]
#[case("upgrade", "upload-stalls", Outcome::Failed, "the device stopped asking after 48 of 16384 bytes")]
#[case("wrong baud [speed=57600]", "hangs-when-misframed", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("left at 460800", "speed-not-restorable", Outcome::Failed, "the board could not be put back")]
#[case("left at 460800", "hangs-when-misframed", Outcome::Failed, "the board could not be put back")]
#[case("early reset", "ignores-reset", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("early reset", "watchdog-after=1s", Outcome::Failed, "the module restarted by itself: #REBOOT_WD: 1")]
#[case("early reset", "application-silent", Outcome::Error, "the application does not answer, before the first step")]
#[case("downgrade attempt", "accepts-downgrade", Outcome::Failed, "the device accepted ST87M01_A_2_6_0")]
#[case("downgrade attempt", "loses-version", Outcome::Failed, "the answer to AT+CGMR does not show")]
#[case("downgrade attempt", "dead-after-refusal", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("downgrade attempt", "refuses-same-version", Outcome::Error, "inconclusive: the device refused ST87M01_A_2_7_0")]
#[case("acknowledged and silent", "mute", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("acknowledged and silent", "application-dead", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("same version again", "refuses-same-version", Outcome::Failed, "the device refused ST87M01_A_2_7_0")]
#[case("same version again", "does-not-restart", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("late reset", "ignores-reset", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("late reset", "application-silent", Outcome::Failed, "AT was not answered")]
#[case("between the windows", "application-start=200ms", Outcome::Failed, "bytes came where nothing may come")]
#[case("between the windows", "application-dead", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("boot entry by AT#LDRST", "ldrst-time=20s", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("boot entry by AT#LDRST", "ldrst-time=20s boot-window=10s", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("boot entry by AT#LDRST", "application-silent", Outcome::Error, "inconclusive: AT was not answered")]
#[case("wrong key", "accepts-wrong-key", Outcome::Failed, "the device accepted ST87M01_A_2_8_0")]
#[case("wrong key", "dead-after-refusal", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("wrong key", "refuses-upgrade", Outcome::Error, "inconclusive: the device refused ST87M01_A_2_8_0")]
#[case("corrupt image [place=0 B]", "dead-after-refusal", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("corrupt image [place=50 %]", "accepts-corrupt", Outcome::Failed, "the device accepted damaged_ST87M01_A_2_8_0")]
#[case("corrupt image", "refuses-upgrade", Outcome::Error, "inconclusive: the device refused ST87M01_A_2_8_0")]
#[case("interrupted upload", "interruption-locks", Outcome::Failed, "the hotkey was not acknowledged")]
#[case("interrupted upload", "keeps-old-version", Outcome::Failed, "the answer to AT+CGMR does not show")]
#[case(
    "interrupted upload [place=50 %]",
    "upload-ends-early",
    Outcome::Failed,
    "the device says that it has all of it after 48 of 16384 bytes"
)]
#[case("still booting", "still-booting=60s", Outcome::Failed, "AT+CGMR was answered +CME ERROR: 1120")]
#[case("soak", "application-start=40s", Outcome::Failed, "in round 1: \"#SYSSTART\\r\\n\" did not come")]
#[case("asleep", "application-silent", Outcome::Failed, "AT was not answered")]
#[case("asleep", "first-command-lost=false", Outcome::Failed, "AT was answered OK")]
#[case("unsolicited lines", "application-garbles", Outcome::Failed, "ATI was not answered")]
#[case("speed ladder", "speed-not-restorable", Outcome::Failed, "AT was not answered")]
#[case("wake by the wake line", "ignores-wake", Outcome::Failed, "AT was not answered")]
#[case("wake by the wake line", "wake-time=10s", Outcome::Failed, "AT was not answered")]
#[case("power cycle", "ignores-power", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
#[case("power cycle", "application-silent", Outcome::Failed, "AT+CGMR was not answered")]
#[case("power cycle", "application-dead", Outcome::Failed, "\"#SYSSTART\\r\\n\" did not come")]
fn a_broken_behaviour_fails_its_scenario_for_that_reason(
    #[case] scenario: &str,
    #[case] broken: &str,
    #[case] outcome: Outcome,
    #[case] reason: &str,
) {
    let mut cases = shipped();
    cases.retain(|case| case.scenario == scenario || case.name == scenario);
    assert!(!cases.is_empty(), "{scenario} is not shipped");
    for case in &mut cases {
        for setting in broken.split(' ') {
            let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
            case.virtual_board.settings.push((key.to_owned(), value.to_owned()));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for timeline in simulated(&cases, 0, folder.path()) {
        let report = CaseReport::read(&timeline).unwrap();
        assert_eq!(report.outcome(), outcome, "{}: {:?}", report.case.name, report.verdict);
        assert!(report.verdict.reason.contains(reason), "{}: {:?}", report.case.name, report.verdict);
    }
}

#[test]
fn a_boot_code_that_does_answer_fails_the_scenario_that_wants_silence() {
    let mut cases = shipped();
    cases.retain(|case| case.scenario == "acknowledged and silent");
    cases[0].virtual_board.settings.clear();
    let folder = tempfile::tempdir().unwrap();
    let report = CaseReport::read(&simulated(&cases, 0, folder.path())[0]).unwrap();
    assert_eq!((report.outcome(), report.verdict.reason.as_str()), (Outcome::Failed, "boot code answered ATI01 with 0"));
}

#[test]
fn an_interrupted_upload_can_be_done_again_whether_or_not_the_application_survives_it() {
    let mut cases = shipped();
    cases.retain(|case| case.scenario == "interrupted upload");
    for case in &mut cases {
        case.virtual_board.settings.push(("interruption-erases".to_owned(), "true".to_owned()));
    }
    let folder = tempfile::tempdir().unwrap();
    for timeline in simulated(&cases, 0, folder.path()) {
        let report = CaseReport::read(&timeline).unwrap();
        assert_eq!(report.outcome(), Outcome::Passed, "{}: {:?}", report.case.name, report.verdict);
    }
}

#[test]
fn unsolicited_lines_do_come_between_an_answer_and_its_end() {
    let mut cases = shipped();
    cases.retain(|case| case.scenario == "unsolicited lines");
    let folder = tempfile::tempdir().unwrap();
    let story = essence(&simulated(&cases, 0, folder.path())[0]).join("\n");
    for answer in ["ST87M01", "004402990000014"] {
        let (_, behind) = story.split_once(answer).unwrap_or_else(|| panic!("no {answer} in\n{story}"));
        let (between, _) = behind.split_once(r"\r\nOK\r\n").unwrap();
        assert!(between.contains("+CEREG: 2"), "{answer}: {between}");
    }
}

#[rstest]
#[case("default", 80)]
#[case("pi", 60)]
#[case("nightly", 120)]
#[case("soak", 30)]
fn the_cases_of_a_tag_take_no_more_of_a_boards_time(#[case] wanted: &str, #[case] seconds: u64) {
    let mut cases = shipped();
    cases.retain(|case| case.tags.iter().any(|tag| tag == wanted));
    assert!(!cases.is_empty(), "no case has the tag {wanted}");
    let folder = tempfile::tempdir().unwrap();
    let took = simulated(&cases, 0, folder.path()).iter().map(|timeline| CaseReport::read(timeline).unwrap().duration).sum::<Duration>();
    assert!(took < Duration::from_secs(seconds), "{took:?}");
}
