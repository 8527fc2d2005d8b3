//! Shipped scenarios with a fault.

use evkit_hil::diagnosis::{Advice, Cause, Sure};
use evkit_hil::report::{Palette, terminal};
use rstest::rstest;

use super::{diagnosis, failed};

#[rstest]
#[case("boot-garbles", "healthy handshake", Advice::OneProgramGarbled)]
#[case("application-garbles", "asleep", Advice::AnswersGarbled)]
#[case("application-garbles", "acknowledged and silent", Advice::AnswersGarbled)]
// `finally` has pulsed reset.
#[case("does-not-restart", "restart by command", Advice::ResetBringsIt)]
#[case("application-dead", "healthy handshake", Advice::BootedInVain)]
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
