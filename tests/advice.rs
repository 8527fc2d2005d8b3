//! What to try next is what was not tried yet: a case fails by a fault on simulated time, and the advice is that for what was seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::path::Path;

use evkit_hil::baud::Baud;
use evkit_hil::diagnosis::{Advice, Cause, Probe, Sure, diagnose};
use evkit_hil::model::evkit::Settings;
use evkit_hil::plan::Case;
use evkit_hil::report::{CaseReport, Palette, terminal};
use evkit_hil::scenario;
use evkit_hil::seam::{LineState, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Diagnosis, Direction, Source};
use evkit_hil::timeline::{ClockKind, Timeline};
use rstest::rstest;

/// The last case of a shipped scenario, with a fault, on a board that `seed` draws.
fn failed(fault: &str, scenario: &str, seed: u64) -> CaseReport {
    let plan = scenario::load_shipped(None).unwrap();
    let mut case = plan.cases.into_iter().rfind(|case| case.scenario == scenario).unwrap();
    case.virtual_board.settings.insert(0, (Settings::FAULT.to_owned(), fault.to_owned()));
    simulated(case, seed)
}

/// The case of a scenario that is not shipped, from its `virtual:` on.
fn ran(rest: &str) -> CaseReport {
    let text = format!("format: 1\nscenario: own\nsummary: It fails.\n{rest}");
    let mut plan = scenario::load_text(Path::new("own.yaml"), &text, None).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    simulated(plan.cases.remove(0), 0)
}

fn simulated(case: Case, seed: u64) -> CaseReport {
    let folder = tempfile::tempdir().unwrap();
    CaseReport::read(&boards::simulated(&[case], seed, folder.path())[0]).unwrap()
}

fn diagnosis(report: &CaseReport) -> Diagnosis {
    report.verdict.diagnosis.clone().unwrap_or_else(|| panic!("no cause: {:?}", report.verdict))
}

#[rstest]
#[case("boot-garbles", "healthy handshake", Advice::OneProgramGarbled)]
#[case("application-garbles", "asleep", Advice::AnswersGarbled)]
#[case("application-garbles", "acknowledged and silent", Advice::AnswersGarbled)]
// `finally` has pulsed reset.
#[case("does-not-restart", "restart by command", Advice::ResetBringsIt)]
#[case("application-dead", "healthy handshake", Advice::BootCodeAlone)]
#[case("application-dead", "asleep", Advice::BootCodeAlone)]
#[case("dead-after-refusal", "downgrade attempt", Advice::AfterUpload)]
#[case("refuses-same-version", "same version again", Advice::RefusedInstalled)]
#[case("no-power", "asleep", Advice::NothingAndNotHeld)]
#[case("mute", "healthy handshake", Advice::NothingAndNotHeld)]
// The restore that failed had sent it.
#[case("speed-not-restorable", "left at 460800", Advice::DoesNotSwitch)]
#[case("left-at-speed", "asleep", Advice::IsBack)]
// The case had sent hotkeys from the release on, every 5 ms.
#[case("window-too-short", "acknowledged and silent", Advice::EnterByCommand)]
#[case("no-acknowledge", "healthy handshake", Advice::EnterByCommand)]
#[case("window-too-late", "healthy handshake", Advice::SendForLonger)]
#[case("no-acknowledge", "boot entry by AT#LDRST", Advice::BothWaysTried)]
#[case("interruption-locks", "interrupted upload", Advice::AfterBrokenUpload)]
#[case("hangs-when-misframed", "left at 460800", Advice::SentAtOtherSpeed)]
#[case("silent-after-acknowledge", "healthy handshake", Advice::ApplicationRuns)]
#[case("watchdog-after", "early reset", Advice::ByWatchdog)]
#[case("resets-itself", "between the windows", Advice::ByItsLineOrSupply)]
#[case("still-booting", "healthy handshake", Advice::CoreIsStarting)]
#[case("still-booting", "boot entry by AT#LDRST", Advice::WaitThenEnter)]
#[case("keeps-old-version", "upgrade", Advice::NotInstalled)]
#[case("loses-version", "downgrade attempt", Advice::InstalledAllTheSame)]
#[case("reports-version", "downgrade attempt", Advice::OtherVersion)]
// The restore behind it has sent AT in vain.
#[case("sleeps-after", "early reset", Advice::SleepsOn)]
#[case("ignores-wake", "wake by the wake line", Advice::WakeLine)]
#[case("upload-stalls", "upgrade", Advice::StalledFast)]
#[case("corrupted-bytes", "corrupt image", Advice::CommandHit)]
fn what_was_seen_decides_what_to_try_next(#[case] fault: &str, #[case] scenario: &str, #[case] advice: Advice) {
    let found = diagnosis(&failed(fault, scenario, 0));
    assert!(found.cause == advice.cause() && advice.is_said(&found.next), "{advice:?} expected: {found:?}");
}

#[rstest]
#[case("deaf", "between the windows", Cause::TalksButDoesNotHear)]
#[case("shuts-down-after", "restart by command", Cause::ShutDown)]
// Boot code heard the host over the same wires.
#[case("application-silent", "acknowledged and silent", Cause::ApplicationHangs)]
#[case("application-silent", "asleep", Cause::ApplicationHangs)]
// It ran at 115200 already.
#[case("upload-stalls", "downgrade attempt", Cause::UploadStalled)]
fn where_no_more_was_seen_it_is_that_of_the_cause(#[case] fault: &str, #[case] scenario: &str, #[case] cause: Cause) {
    let found = diagnosis(&failed(fault, scenario, 0));
    assert!(found.cause == cause && found.next == cause.next(), "{found:?}");
}

/// Its frames of bytes were taken for a word at another speed, very likely, although AT was not answered there.
#[test]
fn a_word_that_fits_a_part_of_what_came_is_no_other_speed() {
    let found = diagnosis(&failed("wrong-port", "asleep", 0));
    assert_eq!((found.cause, found.sure, found.or.as_slice()), (Cause::WrongPort, Sure::VeryLikely, &[][..]), "{found:?}");
    // Nothing is sent to a board whose supply is off.
    let found = diagnosis(&failed("wrong-port", "power cycle", 0));
    assert_eq!((found.sure, found.or.len()), (Sure::Possible, 1), "{found:?}");
    assert!(
        found.next.starts_with("first do what `decides` says; if it is wrong-speed: ") && Advice::TryAt.is_said(&found.next),
        "{}",
        found.next
    );
}

#[test]
fn the_garbage_is_shown_and_what_was_clean_beside_it() {
    let report = failed("boot-garbles", "healthy handshake", 0);
    let found = diagnosis(&report);
    assert!(found.because.contains(r#""RU9611!CNNU!0/5/1\x0c1\x0c""#), "{}", found.because);
    assert!(report.evidence.iter().any(|line| line.text == r"RU9611!CNNU!0/5/1\x0c1\x0c"), "{:?}", report.evidence);
    assert!(report.evidence.iter().any(|line| line.text.ends_with(r"OK\r\n")), "{:?}", report.evidence);
}

/// Pieces of lines were shown as their reads had brought them, and a command hid behind its preamble.
#[test]
fn evidence_is_whole_lines() {
    let start = failed("no-acknowledge", "healthy handshake", 0);
    assert!(start.evidence.iter().any(|line| line.text.starts_with(r"\r\n#REBOOT_RESET\r\n")), "{:?}", start.evidence);
    let upload = failed("upload-stalls", "upgrade", 0);
    assert!(upload.evidence.iter().any(|line| line.text == r"\x08{×128}\rAT#UP\r  (at 460800 baud)"), "{:?}", upload.evidence);
    let block = terminal::failure_block(&failed("resets-itself", "between the windows", 0), 80, &Palette::plain());
    assert!(block.contains("the module has restarted, and\n                               nobody commanded it\n"), "{block}");
    assert!(block.lines().all(|line| line.chars().count() <= 80 || line.starts_with("    timeline")), "{block}");
}

/// The last bytes were five hotkeys and five echoes.
#[test]
fn what_is_sent_and_comes_back_again_and_again_is_shown_once() {
    let report = failed("ignores-reset", "healthy handshake", 0);
    let texts: Vec<&str> = report.last_lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, [r"\xc5", r"\xc5", "the same again and again until here"]);
}

#[test]
fn a_case_that_ended_as_another_is_told_of_in_short() {
    let [one, other] = [0, 0].map(|seed| failed("no-acknowledge", "healthy handshake", seed));
    let short = terminal::same_block(&other, &one, 80, &Palette::plain()).unwrap();
    assert!(
        short.starts_with("  FAIL simulated  healthy handshake\n    as         simulated  healthy handshake, above\n    timeline "),
        "{short}"
    );
    let deaf = failed("deaf", "healthy handshake", 0);
    assert_eq!(terminal::same_block(&deaf, &one, 80, &Palette::plain()), None);
}

/// The case ends at what the module says, and no board or bench is to blame for it.
#[rstest]
#[case(
    "  - at: { command: AT+CGMR, shows: { text: \"9.9.9\" } }\n",
    "AT+CGMR was answered by \"2.7.0\" and OK, 3 ms after it was sent, whole and clean"
)]
#[case(
    "  - reset: { pulse: 15 ms }\n  - expect: { text: \"READY\\r\\n\", within: 5 s }\n",
    "what came is whole and clean, and nothing is seen to be wrong with board or bench"
)]
#[case(
    "  - handshake:\n  - boot: { command: ATI0, result: error }\n",
    "boot code answered ATI0 by \"ST8700 BOOT 1.4.0\" and 0, and waits for the next command"
)]
fn where_the_module_says_something_else_no_board_is_blamed(#[case] steps: &str, #[case] because: &str) {
    let found = diagnosis(&ran(&format!("steps:\n{steps}")));
    assert_eq!((found.cause, found.sure, found.because.as_str()), (Cause::NotAsExpected, Sure::Likely, because), "{found:?}");
}

/// It answers while reset is asserted, and a port that says something now and then while nothing is sent.
#[rstest]
#[case(
    "virtual: { fault: ignores-reset }\nsteps:\n  - reset: assert\n  - at: { command: AT, answer: silent }\n",
    Cause::ResetWithoutEffect
)]
#[case("virtual: { wrong-port: nmea, wrong-port-period: 5 s }\nsteps:\n  - at: { command: AT, tries: 2 }\n", Cause::WrongPort)]
#[case("effects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - wait: 1 s\n  - at: { command: AT }\n", Cause::BootCodeAnswered)]
fn what_tells_it_from_another_cause(#[case] rest: &str, #[case] cause: Cause) {
    let found = diagnosis(&ran(rest));
    assert_eq!(found.cause, cause, "{found:?}");
}

/// Three tries of one step, of which only the last was counted.
#[test]
fn hotkeys_of_all_tries_are_counted() {
    let found = diagnosis(&ran("virtual: { fault: no-acknowledge }\nsteps:\n  - handshake: { strategy: st }\n"));
    assert!(found.because.contains("3 hotkeys, in 3 tries with a reset before each, were sent"), "{found:?}");
}

/// The supply is switched off, and the module talks on.
#[test]
fn a_module_that_lives_without_its_supply() {
    let report = ran("virtual: { fault: [ignores-power, watchdog-after=500 ms] }
effects: [power]
steps:
  - power: off
  - quiet: 5 s
");
    let found = diagnosis(&report);
    assert!(found.cause == Cause::PowerWithoutEffect && found.because == "bytes came while the supply was off", "{found:?}");
}

/// It is asked for 40 s, and no start is known to take more than 30 s.
#[test]
fn a_core_that_never_comes_up() {
    let report = ran("virtual: { still-booting: 60 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - retry:
      times: 9
      pause: 5 s
      steps:
        - at: { command: AT+CGMR }
");
    let found = diagnosis(&report);
    assert!(Advice::NeverUp.is_said(&found.next) && found.because.contains(", for 40."), "{found:?}");
}

#[test]
fn an_erase_that_takes_longer_than_anybody_waits() {
    let report = ran("virtual: { erase-time: 60 s }
effects: [firmware]
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } } }
steps:
  - handshake:
  - boot: { command: ATI0 }
  - upload: { image: newer, result: accepted, request-within: 20 s }
");
    let found = diagnosis(&report);
    assert!(found.cause == Cause::UploadStalled && Advice::NeverAsked.is_said(&found.next), "{found:?}");
}

/// The same boot code took the installed version just before.
#[test]
fn a_higher_version_is_refused_where_the_installed_one_went_in() {
    let report = ran("virtual: { fault: refuses-at-end }
effects: [firmware]
images:
  installed: { make: { A: 2.7.0, M: 2.7.0, S: 2.7.0, key: \"0405\", size: 4 KiB } }
  newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } }
steps:
  - at: { command: AT+CGMR }
  - handshake:
  - boot: { command: ATI0 }
  - upload: { image: installed, result: accepted }
  - handshake:
  - boot: { command: ATI0 }
  - upload: { image: newer, result: accepted }
");
    let found = diagnosis(&report);
    assert!(found.cause == Cause::Refused && Advice::RefusedThough.is_said(&found.next), "{found:?}");
}

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
// Boot code that keeps the speed that the application had been left at.
#[case(
    "virtual: { fault: left-at-speed=460800, speed-outlives-reset: always, boot-speed: saved }
steps:
  - uart: { baud: 460800 }
  - handshake: {}
  - expect: { text: never, within: 100 ms }
",
    Advice::BootCodeElsewhere
)]
// The case forgets to tell the board.
#[case(
    "steps:
  - uart: { baud: 460800 }
  - at: { command: AT }
finally:
  - restore:
",
    Advice::PortElsewhere
)]
#[case(
    "steps:
  - uart: { baud: 460800 }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\", within: 20 s }
finally:
  - restore:
",
    Advice::PortElsewhere
)]
// What a loader says to the application.
#[case(
    "effects: [speed]
steps:
  - boot: { command: AT+IPR=460800 }
",
    Advice::SpeedTaken
)]
#[case(
    "virtual: { fault: [silent-after-acknowledge, application-dead] }
steps:
  - handshake: {}
  - boot: { command: ATI0 }
",
    Advice::NothingRuns
)]
#[case(
    "virtual: { boot-window: 50 ms }
steps:
  - reset: { pulse: 15 ms }
  - wait: 300 ms
  - handshake: { strategy: repeat, pulse: none }
",
    Advice::SendSooner
)]
#[case(
    "virtual: { application-start: 4 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 2 s }
",
    Advice::GiveItTime
)]
#[case(
    "virtual: { fault: does-not-restart }
steps:
  - handshake: {}
  - boot: { command: AT#BOOT, result: any }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
",
    Advice::ResetFirst
)]
#[case(
    "steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - boot: { command: ATI0 }
",
    Advice::NotEntered
)]
// The case moved the board and not the port, or the port to another speed.
#[case(
    "effects: [speed]
steps:
  - at: { command: AT+IPR=460800 }
  - wait: 300 ms
  - at: { command: AT }
finally:
  - restore:
",
    Advice::PortElsewhere
)]
#[case(
    "effects: [speed]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 9600 }
  - wait: 300 ms
  - at: { command: AT }
finally:
  - restore:
",
    Advice::PortElsewhere
)]
#[case(
    "virtual: { boot-window: 3 ms }
steps:
  - at: { command: AT }
  - handshake: {}
",
    Advice::MoreOften
)]
#[case(
    "virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - wait: 8 s
  - at: { command: AT, tries: 3 }
",
    Advice::SleepsOn
)]
#[case(
    "effects: [firmware]
virtual: { fault: refuses-at-end }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: newer, result: accepted }
",
    Advice::RefusedHigher
)]
#[case(
    "effects: [speed]
steps:
  - handshake: {}
  - boot: { command: AT+IPR=460800 }
  - boot: { command: ATI0 }
",
    Advice::PortElsewhere
)]
#[case(
    "steps:
  - reset: assert
  - wait: 100 ms
  - at: { command: AT }
",
    Advice::HeldByCase
)]
// By a reset, and by a command.
#[case(
    "virtual: { start-keeps-input: false }
steps:
  - reset: { pulse: 15 ms }
  - at: { command: AT }
",
    Advice::AskedTooEarly
)]
#[case(
    "effects: [nvm]
steps:
  - at: { command: AT#RESET=1 }
  - at: { command: AT+CGMR }
",
    Advice::AskedTooEarly
)]
#[case(
    "virtual: { fault: does-not-restart, application-start: 60 s }
effects: [nvm]
steps:
  - at: { command: AT#RESET=1 }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
finally:
  - reset: { pulse: 15 ms }
  - wait: 35 s
",
    Advice::NorDoesReset
)]
// The board is dead, whatever the image was.
#[case(
    "virtual: { fault: dead-after-refusal }
effects: [firmware, downgrade-attempt]
images: { older: { make: { A: 2.6.0, M: 2.6.0, S: 2.6.0, key: \"0405\", size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: older, result: accepted }
",
    Advice::AfterUpload
)]
#[case(
    "virtual: { fault: left-at-speed=460800 }
steps:
  - at: { command: AT }
",
    Advice::PutBack
)]
#[case(
    "effects: [firmware, downgrade-attempt]
images: { older: { make: { A: 2.6.0, M: 2.6.0, S: 2.6.0, key: \"0405\", size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: older, result: accepted }
",
    Advice::RefusedLower
)]
#[case(
    "effects: [firmware]
images:
  newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } }
  corrupt: { from: newer, damage: { offset: 50 %, xor: \"01\" } }
steps:
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: corrupt, result: accepted }
",
    Advice::RefusedDamaged
)]
// The module hangs at bytes at another speed than its own: those of a port that did not follow, or went elsewhere.
#[case(
    "effects: [speed]
virtual: { fault: hangs-when-misframed }
steps:
  - at: { command: AT }
  - at: { command: AT+IPR=460800 }
  - wait: 300 ms
  - at: { command: AT }
",
    Advice::SentAtOtherSpeed
)]
#[case(
    "effects: [speed]
virtual: { fault: hangs-when-misframed }
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 9600 }
  - wait: 300 ms
  - at: { command: AT }
",
    Advice::SentAtOtherSpeed
)]
// What `finally` has found since is not asked for.
#[case(
    "virtual: { fault: left-at-speed=460800, speed-outlives-reset: always }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
finally:
  - restore:
",
    Advice::IsBack
)]
#[case(
    "virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - wait: 8 s
  - at: { command: AT+CGMR }
finally:
  - restore:
",
    Advice::SleepsOn
)]
#[case(
    "virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - wait: 8 s
  - at: { command: AT+CGMR }
",
    Advice::SleepsByItself
)]
#[case(
    "virtual: { application-start: 40 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 60 s }
",
    Advice::OrStartsSlowly
)]
// The case has switched the supply off, or its reset has put back what it had told the board.
#[case("effects: [power]\nsteps:\n  - power: off\n  - at: { command: AT, tries: 2 }\n", Advice::OffByCase)]
#[case("effects: [power]\nsteps:\n  - power: off\n  - expect: { text: \"#SYSSTART\", within: 5 s }\n", Advice::OffByCase)]
#[case("steps:\n  - reset: assert\n  - expect: { text: \"#SYSSTART\", within: 5 s }\n", Advice::HeldByCase)]
#[case(
    "effects: [speed]
virtual: { speed-outlives-reset: never }
steps:
  - at: { command: AT+IPR=57600 }
  - uart: { baud: 57600 }
  - wait: 300 ms
  - at: { command: AT }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\", within: 35 s }
",
    Advice::UndoneByReset
)]
// The port is not where boot code had taken the hotkey.
#[case("steps:\n  - handshake:\n  - uart: { baud: 460800 }\n  - boot: { command: ATI0 }\n", Advice::PortElsewhere)]
#[case(
    "effects: [speed]
steps:
  - handshake:
  - boot: { command: AT+IPR=460800 }
  - uart: { baud: 921600 }
  - wait: 300 ms
  - boot: { command: ATI0 }
",
    Advice::PortElsewhere
)]
// Hotkeys without a reset, to an application with its echo on and off.
#[case("steps:\n  - handshake: { pulse: none }\n", Advice::NoReset)]
#[case("virtual: { echo: false }\nsteps:\n  - handshake: { pulse: none }\n", Advice::NoReset)]
#[case("steps:\n  - handshake: { outcome: not-acknowledged }\n", Advice::TookIt)]
#[case("virtual: { ldrst-answered: false }\neffects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n", Advice::EntryUnanswered)]
#[case(
    "effects: [firmware]
virtual: { check-time: 2 s }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, request-within: 1 s }
",
    Advice::NoVerdict
)]
#[case(
    "effects: [firmware]
virtual: { request-delay: 20 ms }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 64 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, within: 10 s }
",
    Advice::StillAsking
)]
// An answer that comes when the step has given up: of boot code, and of the application, before it has said anything and after.
#[case("virtual: { boot-answer-delay: 100 ms }\nsteps:\n  - handshake:\n  - boot: { command: ATI0, within: 50 ms }\n", Advice::TooLate)]
#[case("virtual: { answer-delay: 500 ms }\nsteps:\n  - at: { command: AT+CGMR, within: 200 ms }\n", Advice::TooLate)]
#[case(
    "virtual: { answer-delay: 300 ms }\nsteps:\n  - at: { command: AT }\n  - at: { command: AT+CGMR, within: 100 ms }\n",
    Advice::TooLate
)]
#[case("virtual: { boot-command-answered: false }\nsteps:\n  - handshake:\n  - boot: { command: AT#BOOT }\n", Advice::GoesUnanswered)]
#[case("effects: [raw]\nsteps:\n  - send: { text: ATI }\n  - expect: { text: OK, within: 2 s }\n", Advice::NoCr)]
#[case("effects: [raw]\nsteps:\n  - send: { text: AT+CGMR }\n  - wait: 100 ms\n  - at: { command: AT }\n", Advice::LineNotClean)]
#[case(
    "steps:
  - uart: { baud: 460800 }
  - at: { command: AT, within: 300 ms, answer: silent }
  - uart: { baud: 115200 }
  - at: { command: AT }
",
    Advice::LineNotClean
)]
#[case("effects: [raw]\nsteps:\n  - send: { text: \"AT+FOO\\r\" }\n  - at: { command: AT+CGMR }\n", Advice::AnswersTheOneBefore)]
#[case("effects: [speed]\nsteps:\n  - at: { command: AT+IPR=123456 }\n", Advice::NotTaken)]
#[case("virtual: { application-start: 3 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - at: { command: AT }\n", Advice::AskedTooEarly)]
#[case("virtual: { fault: application-garbles, echo: false }\nsteps:\n  - at: { command: AT+CGMR }\n", Advice::AnswersGarbled)]
// Nothing is wrong with the board.
#[case("steps:\n  - at: { command: AT }\n  - at: { command: AT+FOO }\n", Advice::NotTaken)]
#[case("steps:\n  - handshake:\n  - boot: { command: ATI9 }\n", Advice::NotOfBootCode)]
#[case(
    "steps:
  - handshake:
  - boot: { command: ATI0 }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 5 s }
",
    Advice::StaysInBootCode
)]
#[case("steps:\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 1 s }\n", Advice::NothingWasDone)]
fn what_was_seen_in_a_case_that_is_not_shipped(#[case] rest: &str, #[case] advice: Advice) {
    let found = diagnosis(&ran(rest));
    assert!(found.cause == advice.cause() && advice.is_said(&found.next), "{advice:?} expected: {found:?}");
}

/// A board that no simulated one is: what happened to it is written down.
struct Written {
    folder: tempfile::TempDir,
    timeline: Timeline,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let timeline = Timeline::create(folder.path(), ClockKind::Simulated).unwrap();
        Self { folder, timeline }
    }

    fn bytes(&mut self, ms: u64, direction: Direction, bytes: &[u8]) {
        self.timeline.record_bytes(None, StreamId::PORT, direction, at(ms), at(ms), None, bytes, &[]).unwrap();
    }

    fn asked(&mut self, ms: u64, command: &str) {
        self.bytes(ms, Direction::Out, format!("{command}\r").as_bytes());
    }

    fn answered(&mut self, ms: u64, command: &str) {
        self.asked(ms, command);
        self.bytes(ms + 2, Direction::In, format!("{command}\r\r\nOK\r\n").as_bytes());
    }

    fn reset(&mut self, ms: u64, state: LineState) {
        let ns = at(ms).as_ns();
        let edge = event::Edge { line: "reset".to_owned(), state, before_ns: ns, after_ns: ns, planned_ns: None };
        self.timeline.record(at(ms), Source::Commanded, None, edge).unwrap();
    }

    fn pulse(&mut self, ms: u64) {
        self.reset(ms, LineState::Asserted);
        self.reset(ms, LineState::Released);
    }

    fn speed(&mut self, ms: u64, baud: u32) {
        let (speed, ns) = (Baud::new(baud).unwrap(), at(ms).as_ns());
        let speed = event::Speed { stream: "port".to_owned(), requested: speed, actual: speed, before_ns: ns, after_ns: ns };
        self.timeline.record(at(ms), Source::Commanded, None, speed).unwrap();
    }

    fn probe(&mut self, ms: u64, probe: Probe) {
        self.timeline.record(at(ms), Source::Computed, None, event::Probe { probe }).unwrap();
    }

    /// Probes that bring nothing, from 1 s on.
    fn is_silent(&mut self) {
        self.probe(1000, Probe::Ask);
        for (number, baud) in [460_800, 115_200, 9600, 57_600, 230_400, 921_600].into_iter().enumerate() {
            let ms = 1000 + 500 * u64::try_from(number).unwrap();
            self.speed(ms, baud);
            self.asked(ms, "AT");
        }
        self.speed(5000, 115_200);
        self.probe(5000, Probe::Wait);
        self.probe(9000, Probe::Reset);
        self.pulse(9000);
        self.asked(40_000, "AT");
        self.speed(45_000, 460_800);
        self.probe(45_000, Probe::Reset);
        self.pulse(45_000);
        self.asked(80_000, "AT");
        self.speed(81_000, 115_200);
    }

    fn diagnosis(mut self) -> Diagnosis {
        self.timeline.flush().unwrap();
        diagnose(self.folder.path()).unwrap().unwrap()
    }
}

fn at(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * 1_000_000)
}

/// The application had answered at the same speed before: that boot code had listened at another one was not true.
#[test]
fn a_hotkey_that_is_taken_the_second_time_was_missed_the_first_time() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.pulse(100);
    (0..500).for_each(|tick| board.bytes(100 + tick, Direction::Out, b"\xc5"));
    board.bytes(700, Direction::In, b"\r\n#REBOOT_RESET\r\n\r\n#SYSSTART\r\n");
    board.probe(1000, Probe::Ask);
    board.answered(1000, "AT");
    board.probe(1100, Probe::Boot);
    board.pulse(1100);
    board.bytes(1100, Direction::Out, b"\xc5");
    board.bytes(1103, Direction::In, b"\x9a");
    let found = board.diagnosis();
    assert!(found.cause == Cause::NotAcknowledged && Advice::NowAndThen.is_said(&found.next), "{found:?}");
}

#[test]
fn boot_code_that_runs_while_it_is_held_in_reset() {
    let mut board = Written::new();
    board.reset(0, LineState::Asserted);
    board.bytes(100, Direction::Out, b"\xc5");
    board.bytes(101, Direction::In, b"\x9a");
    let found = board.diagnosis();
    assert!(found.cause == Cause::BootCodeAnswered && Advice::RunsWhileHeld.is_said(&found.next), "{found:?}");
    assert!(found.because.contains("although reset was asserted"), "{found:?}");
}

#[test]
fn a_restart_that_another_host_asked_for() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.bytes(5000, Direction::In, b"\r\n#REBOOT_HOST\r\n\r\n#SYSSTART\r\n");
    let message = "#REBOOT_HOST".to_owned();
    let restart = event::Restart { stream: "port".to_owned(), message, last_seq: 2, commanded: false, by: None };
    board.timeline.record(at(5000), Source::Computed, None, restart).unwrap();
    let found = board.diagnosis();
    assert!(found.cause == Cause::UncommandedReset && Advice::BySomebodyElse.is_said(&found.next), "{found:?}");
}

#[test]
fn silence_at_every_speed_where_nobody_reads_the_reset_line_back() {
    let mut board = Written::new();
    board.asked(0, "AT");
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::NothingCame && Advice::NothingAtAnySpeed.is_said(&found.next), "{found:?}");
}

#[test]
fn not_even_a_reset_brings_back_what_had_answered() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.asked(500, "ATI");
    board.probe(900, Probe::Wake);
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::ShutDown && Advice::SupplyMayBeGone.is_said(&found.next), "{found:?}");
}

#[test]
fn boot_code_that_takes_no_upload_at_all() {
    let mut board = Written::new();
    board.pulse(0);
    board.bytes(1, Direction::Out, b"\xc5");
    board.bytes(3, Direction::In, b"\x9a");
    board.asked(10, "AT#UP");
    board.bytes(12, Direction::In, b"4005\r");
    let found = board.diagnosis();
    assert!(found.cause == Cause::Refused && Advice::RefusedAtOnce.is_said(&found.next), "{found:?}");
}

/// No probe is made of a case whose board is no module of this kind, or which was interrupted.
#[test]
fn an_error_where_nobody_knows_whether_the_command_exists() {
    let mut board = Written::new();
    board.asked(0, "AT#FOO");
    board.bytes(5, Direction::In, b"\r\nERROR\r\n");
    let found = board.diagnosis();
    assert!(found.cause == Cause::LineNoise && Advice::IsItKnown.is_said(&found.next), "{found:?}");
}

/// It took AT+IPR, and then nothing brings it back: whether it had switched is to be found out at both speeds.
#[test]
fn nobody_answers_since_a_speed_was_confirmed() {
    let mut board = Written::new();
    board.speed(0, 115_200);
    board.answered(0, "AT");
    board.answered(100, "AT+IPR=460800");
    board.speed(200, 460_800);
    board.asked(300, "AT");
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::WrongSpeed && Advice::GoneAfterSwitch.is_said(&found.next), "{found:?}");
    assert!(found.next.starts_with("switch the supply off and on, and send AT at 115200 baud"), "{found:?}");
}

#[test]
fn what_putting_a_board_back_has_found_is_said() {
    let seen = |report: CaseReport| report.verdict.seen.unwrap();
    let seen_on = |fault: &str| seen(ran(&format!("virtual: {{ fault: {fault} }}\nsteps:\n  - restore:\n")));
    let locked = "[left-at-speed=460800, speed-not-restorable], speed-outlives-reset: always";
    assert_eq!(seen_on(locked), "OK at 460800 baud, and none at 115200 after AT+IPR=115200 there");
    assert_eq!(seen_on("no-power"), "no OK at 115200, 460800, 921600, 230400, 57600, 38400, 9600");
    let held = "steps:\n  - handshake:\n  - restore: { reset: false }\n";
    assert_eq!(seen(ran(held)), "boot code, which has acknowledged the hotkey and was not left");
}

/// Its steps passed: why it cannot be put back is said all the same.
#[test]
fn a_board_that_cannot_be_put_back_has_a_cause() {
    let report = ran("virtual: { fault: application-silent }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
finally:
  - restore:
");
    assert_eq!(report.verdict.reason, "the board could not be put back");
    assert_eq!(diagnosis(&report).cause, Cause::TalksButDoesNotHear);
}

#[test]
fn each_is_given_in_a_case_above() {
    let here = include_str!("advice.rs");
    for advice in Advice::ALL {
        assert!(here.contains(&format!("Advice::{advice:?}")), "{advice:?}");
    }
}
