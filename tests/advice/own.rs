//! Scenarios that are not shipped.

use evkit_hil::diagnosis::{Advice, Cause, Sure};
use evkit_hil::report::CaseReport;
use evkit_hil::timeline::event::Outcome;
use rstest::rstest;

use super::{diagnosis, ran, ran_on};

/// The case ends at what the module says, and no board or bench is to blame for it.
#[rstest]
#[case(
    "  - at: { command: AT+CGMR, shows: { text: \"9.9.9\" } }\n",
    "AT+CGMR was answered by \"2.7.0\" and OK, 3 ms after it was sent, whole and clean"
)]
#[case(
    "  - reset: { pulse: 15 ms }\n  - expect: { text: \"READY\\r\\n\", within: 5 s }\n",
    "what came (\"#REBOOT_RESET\", \"#SYSSTART\", \"#SIMST: 1\") is whole and clean, and nothing is seen to be wrong with board or bench"
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
    assert!(found.because.contains("3 hotkeys, in 3 tries and a reset between them, were sent"), "{found:?}");
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

#[test]
fn what_putting_a_board_back_has_found_is_said() {
    let seen = |report: CaseReport| report.verdict.seen.unwrap();
    let seen_on = |fault: &str| seen(ran(&format!("virtual: {{ fault: {fault} }}\nsteps:\n  - restore:\n")));
    let locked = "[left-at-speed=460800, speed-not-restorable], speed-outlives-reset: always";
    assert_eq!(seen_on(locked), "OK at 460800 baud, and none at 115200 after AT+IPR=115200 there");
    assert_eq!(seen_on("no-power"), "no OK at 115200, 460800, 921600, 230400, 57600, 38400, 19200, 9600, 1000000, 2000000, 3000000");
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

/// What is awaited had come, and a step before took it; what had come before the last command is no answer to it.
#[test]
fn what_had_come_before_is_said() {
    let seen = |steps: &str| ran(&format!("steps:\n{steps}")).verdict.seen.unwrap();
    let taken = "  - at: { command: ATI }\n  - expect: { text: ST87M01, within: 1 s }\n";
    assert_eq!(seen(taken), "nothing; \"ST87M01\" had come before, and a step before this one took it, or what came behind it");
    let both = "  - at: { command: ATI }\n  - all: { patterns: [{ text: ST87M01 }, { text: OK }, { text: READY }], within: 1 s }\n";
    assert_eq!(seen(both), "nothing; \"ST87M01\" and \"OK\" had come before, and a step before this one took it, or what came behind it");
    let long_ago = "  - at: { command: ATI }\n  - uart: { baud: 460800 }\n  - send: { text: \"AT\\r\" }\n  - any: { patterns: { a: { text: OK } }, within: 1 s }\n";
    assert!(!seen(long_ago).contains("before"));
}

/// The cause and what to try agree where `finally` has found more.
#[test]
fn a_sleep_that_goes_on_in_finally() {
    let report = ran("virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - wait: 8 s
  - at: { command: AT+CGMR }
finally:
  - restore:
");
    let found = diagnosis(&report);
    assert!(
        found
            .because
            .ends_with("3 commands after that brought nothing: commands alone do not wake it (2 of them were sent after the steps)"),
        "{found:?}"
    );
}

/// An upload whose own time is over says so, and no word of a device that stopped.
#[test]
fn an_upload_that_was_going_on() {
    let report = ran("effects: [firmware]
virtual: { request-delay: 20 ms }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 64 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, within: 10 s }
");
    let sent = report.verdict.seen.clone().unwrap();
    assert_eq!(report.verdict.reason, "the upload was not over within 10 s");
    assert!(sent.ends_with(" of 65536 bytes") && diagnosis(&report).because.contains(&sent), "{report:?}");
}

/// `answer-within` gives a slow boot code its time.
#[test]
fn a_boot_code_that_needs_longer_for_at_up() {
    let report = ran("effects: [firmware]
virtual: { boot-answer-delay: 500 ms }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, answer-within: 1 s }
");
    assert!(report.verdict.diagnosis.is_none() && report.verdict.reason.is_empty(), "{report:?}");
}

/// What the line did to the version must not skip the case.
#[test]
fn a_damaged_version_skips_no_case() {
    let rest = "virtual: { fault: \"corrupted-bytes=15 %\", damage-direction: to-host }
requires: { firmware: \">=2.0.0\" }
steps:
  - at: { command: AT }
";
    let reports: Vec<CaseReport> = (0..20).map(|seed| ran_on(seed, rest)).collect();
    assert!(reports.iter().all(|report| report.verdict.outcome != Outcome::Skipped));
    let mut asked_twice = reports.iter().filter(|report| report.verdict.reason.starts_with("AT+CGMR brings another version each time"));
    assert_eq!(diagnosis(asked_twice.next().unwrap()).cause, Cause::LineNoise);
}

/// A letter is missing, or the line ends otherwise.
#[rstest]
#[case("\"#SYSTART\"", "nearly \"#SYSTART\" is \"#SYSSTART\\r\\n\"")]
#[case("\"#SYSSTART\\n\"", "nearly \"#SYSSTART\\n\" is \"#SYSSTART\\r\\n\"")]
#[case("READY", "#SIMST: 1\\r\\n\"")]
fn a_line_that_is_nearly_what_is_awaited_is_shown(#[case] text: &str, #[case] end: &str) {
    let report = ran(&format!("steps:\n  - reset: {{ pulse: 15 ms }}\n  - expect: {{ text: {text}, within: 5 s }}\n"));
    let seen = report.verdict.seen.unwrap();
    assert!(seen.ends_with(end), "{seen}");
}

/// The upload passed, and what the application reports shows what went in.
#[test]
fn a_lower_version_that_runs() {
    let report = ran("virtual: { fault: accepts-downgrade }
effects: [firmware]
images: { older: { make: { A: 2.5.0, size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake:
  - upload: { image: older }
  - boot: { command: AT#BOOT, result: any }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+CGMR, shows: { text: 2.7.0 } }
");
    let found = diagnosis(&report);
    assert!(found.cause == Cause::AcceptedLower && found.because.ends_with("; AT+CGMR reports it"), "{found:?}");
}

/// Several commands in one write, and one in two: each is a command, and comes back as it was sent.
#[rstest]
#[case("send: { text: \"AT+CGMR\\rAT+CGSN\\r\" }\n  - wait: 1 s")]
#[case("send: { text: \"AT+CG\" }\n  - send: { text: \"MR\\r\" }\n  - expect: { text: 2.7.0, within: 1 s }")]
fn commands_that_are_sent_together_or_in_pieces_are_no_damage(#[case] steps: &str) {
    let report = ran(&format!("effects: [raw]\nsteps:\n  - {steps}\n"));
    assert!(report.verdict.diagnosis.is_none() && report.verdict.reason.is_empty(), "{report:?}");
}

/// What answered at a speed that it was told, and answers at another one since, has restarted.
#[test]
fn a_restart_on_a_fast_link() {
    let report = ran("virtual: { fault: \"watchdog-after=10 s\" }
effects: [speed]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: ATI }
  - wait: 12 s
  - at: { command: ATI, tries: 2 }
");
    assert_eq!(diagnosis(&report).cause, Cause::UncommandedReset);
}

/// Boot code goes on through a reset and through a power cycle, and a case asks the application.
#[rstest]
#[case("fault: ignores-power", "power: { cycle: 2 s }", Cause::PowerWithoutEffect)]
#[case("fault: ignores-reset", "reset: { pulse: 15 ms }", Cause::ResetWithoutEffect)]
fn boot_code_that_goes_on(#[case] virtual_board: &str, #[case] step: &str, #[case] cause: Cause) {
    let report = ran(&format!(
        "virtual: {{ {virtual_board} }}
effects: [power, nvm]
steps:
  - at: {{ command: \"AT#LDRST=2,2\" }}
  - handshake: {{ pulse: none }}
  - boot: {{ command: ATI0 }}
  - {step}
  - expect: {{ text: \"#SYSSTART\\r\\n\", within: 35 s }}
"
    ));
    assert_eq!(diagnosis(&report).cause, cause);
}

/// Only what boot code answers came damaged in the steps: a reset and a start-up message tell.
#[test]
fn boot_code_whose_answer_is_damaged() {
    let report = ran("virtual: { fault: \"doubled-bytes=10 %\" }
steps:
  - handshake:
  - boot: { command: ATI0, shows: { text: \"BOOT 1.4.0\" } }
");
    assert_eq!(diagnosis(&report).cause, Cause::LineNoise);
}

/// It shut itself down on a fast link, and a reset brings it back at its own speed.
#[test]
fn a_module_that_shuts_down_on_a_fast_link() {
    let report = ran("effects: [speed]
virtual: { shuts-down-after: 5 s, speed-outlives-reset: never }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+IPR=921600 }
  - uart: { baud: 921600 }
  - wait: 300 ms
  - repeat: { times: 30, steps: [ at: { command: AT+CGMR }, wait: 500 ms ] }
");
    let found = diagnosis(&report);
    assert!(found.cause == Cause::ShutDown && found.because.ends_with("after a reset it answers again at 115200 baud"), "{found:?}");
}

/// Boot code that says nothing but 0x9A does not leave either, whether the hotkey is sent again or not.
#[rstest]
#[case("boot: { command: AT#BOOT }")]
#[case("boot: { command: AT#BOOT, result: any }")]
#[case("send: { text: \"AT#BOOT\\r\" }")]
fn boot_code_that_does_not_leave(#[case] step: &str) {
    let report = ran(&format!(
        "virtual: {{ fault: silent-after-acknowledge }}
steps:
  - handshake:
  - {step}
  - expect: {{ text: \"#SYSSTART\\r\\n\", within: 35 s }}
"
    ));
    let found = diagnosis(&report);
    assert!(found.cause == Cause::AcknowledgedSilent && Advice::ApplicationRuns.is_said(&found.next), "{found:?}");
}

/// A fault is found whatever letters a command has.
#[rstest]
#[case("deaf", Cause::TalksButDoesNotHear)]
#[case("application-silent", Cause::ApplicationHangs)]
#[case("shuts-down-after=2 s", Cause::ShutDown)]
#[case("sleeps-after=1 s", Cause::Asleep)]
fn a_command_in_small_letters(#[case] fault: &str, #[case] cause: Cause) {
    let report = ran(&format!(
        "virtual: {{ fault: {fault} }}
steps:
  - reset: {{ pulse: 15 ms }}
  - wait: 4 s
  - at: {{ command: at+cgmr, tries: 2 }}
"
    ));
    assert_eq!(diagnosis(&report).cause, cause);
}

/// The version that is read says what became of the upload before.
#[test]
fn a_version_behind_a_refusal() {
    let report = ran("effects: [firmware, downgrade-attempt]
images: { older: { make: { A: 2.6.0, size: 4 KiB } } }
steps:
  - handshake:
  - upload: { image: older, result: refused }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+CGMR, shows: { text: 2.6.0 } }
");
    let because = diagnosis(&report).because;
    assert!(because.ends_with("; the upload of ST87M01_A_2_6_0_M_2_6_0_S_2_6_0_key0405.img was refused before"), "{because}");
}

/// The OK to what leads into boot code comes behind the first hotkey.
#[test]
fn an_entry_that_is_answered_behind_the_first_hotkey() {
    let report = ran("virtual: { fault: no-acknowledge }
effects: [nvm]
steps:
  - at: { command: AT }
  - send: { text: \"AT#LDRST=2,2\\r\" }
  - handshake: { pulse: none, within: 2 s }
");
    let because = diagnosis(&report).because;
    assert_eq!(because, "AT#LDRST=2,2 was answered OK, 400 hotkeys were sent after that, and no 0x9A came");
}
