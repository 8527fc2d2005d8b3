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
#[case("steps:\n  - at: { command: AT }\n  - reset: assert\n  - at: { command: AT, tries: 2 }\n", Advice::HeldByCase)]
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
// What boot code was told, a restart has undone.
#[case(
    "effects: [speed]
steps:
  - handshake:
  - boot: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - boot: { command: AT#BOOT, result: any }
  - wait: 2 s
  - at: { command: AT, tries: 3 }
",
    Advice::UndoneByReset
)]
#[case(
    "effects: [speed]
steps:
  - handshake:
  - boot: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - boot: { command: ATI0 }
  - handshake:
",
    Advice::UndoneByReset
)]
// Hotkeys without a reset, to an application with its echo on and off.
#[case("steps:\n  - handshake: { pulse: none }\n", Advice::NoReset)]
#[case("virtual: { echo: false }\nsteps:\n  - handshake: { pulse: none }\n", Advice::NoReset)]
#[case("steps:\n  - handshake: { outcome: not-acknowledged }\n", Advice::TookIt)]
#[case("virtual: { ldrst-answered: false }\neffects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n", Advice::EntryUnanswered)]
#[case(
    "virtual: { ldrst-answered: false }\neffects: [nvm]\nsteps:\n  - at: { command: AT }\n  - at: { command: \"AT#LDRST=2,2\" }\n",
    Advice::EntryUnanswered
)]
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
    Advice::SlowerThanThat
)]
// What was sent meanwhile comes back behind the answer.
#[case("virtual: { answer-delay: 700 ms }\nsteps:\n  - at: { command: ATI, within: 500 ms }\n", Advice::TooLate)]
#[case("virtual: { answer-delay: 1 s }\nsteps:\n  - at: { command: ATI, within: 500 ms }\n", Advice::TooLate)]
#[case("virtual: { answer-delay: 3 s }\nsteps:\n  - at: { command: ATE0, within: 5 s }\n  - at: { command: AT }\n", Advice::SlowerThanThat)]
#[case(
    "effects: [firmware]
virtual: { boot-answer-delay: 500 ms }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer }
",
    Advice::UploadTooLate
)]
#[case("effects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - wait: 1 s\n  - at: { command: AT }\n", Advice::HotkeyFirst)]
#[case("effects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - at: { command: AT#BOOT }\n", Advice::HotkeyFirst)]
#[case("steps:\n  - reset: { pulse: 15 ms }\n  - expect: { hex: 9a, within: 500 ms }\n", Advice::OrNoHotkey)]
#[case("steps:\n  - handshake:\n  - at: { command: AT#BOOT }\n", Advice::ByStepBoot)]
#[case("steps:\n  - handshake:\n  - at: { command: ATI0 }\n", Advice::ByStepBoot)]
#[case("steps:\n  - handshake:\n  - boot: { command: AT#BOOT, result: error }\n", Advice::RestartEnded)]
#[case(
    "effects: [nvm]
virtual: { reset-command-answered: false }
steps:
  - at: { command: AT }
  - at: { command: AT#RESET=1 }
",
    Advice::RestartsUnanswered
)]
#[case(
    "effects: [firmware, downgrade-attempt]
images:
  installed: { make: { A: 2.7.0, M: 2.7.0, S: 2.7.0, key: \"0405\", size: 4 KiB } }
  newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } }
steps:
  - handshake:
  - upload: { image: installed }
  - handshake:
  - upload: { image: newer, result: refused }
",
    Advice::ShouldGoIn
)]
// The application is at one speed, and boot code at another.
#[case(
    "virtual: { fault: left-at-speed=460800, speed-outlives-reset: always }
steps:
  - uart: { baud: 460800 }
  - handshake:
",
    Advice::BootCodeListensAt
)]
#[case("virtual: { fault: boot-garbles }\nsteps:\n  - handshake:\n  - boot: { command: AT#BOOT }\n", Advice::OneProgramGarbled)]
#[case(
    "virtual: { fault: [sleeps-after=2 s, ignores-reset] }
steps:
  - at: { command: AT }
  - wait: 5 s
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\", within: 30 s }
",
    Advice::SleepsOrDead
)]
#[case(
    "effects: [speed]\nvirtual: { fastest-speed: 460800 }\nsteps:\n  - handshake:\n  - boot: { command: AT+IPR=921600 }\n",
    Advice::NotOfBootCode
)]
#[case(
    "virtual: { acknowledge-delay: 300 ms, boot-window: 2 s }
steps:
  - handshake: { strategy: st }
",
    Advice::AcknowledgedTooLate
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
// Hotkeys that nobody took stand in the application's line, and what it could not read before it had switched.
#[case(
    "virtual: { fault: no-acknowledge }\nsteps:\n  - handshake: { outcome: not-acknowledged }\n  - at: { command: AT+CGMR }\n",
    Advice::LineNotClean
)]
#[case(
    "virtual: { echo: false }
steps:
  - at: { command: AT }
  - handshake: { pulse: none, within: 200 ms, outcome: not-acknowledged }
  - at: { command: AT }
",
    Advice::LineNotClean
)]
#[case(
    "effects: [speed]
steps:
  - at: { command: AT+IPR=921600 }
  - uart: { baud: 921600 }
  - at: { command: AT+CGMR, tries: 3 }
",
    Advice::SwitchesLater
)]
#[case(
    "effects: [speed]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - at: { command: AT+CGMR }
",
    Advice::SwitchesLater
)]
#[case(
    "effects: [speed]
virtual: { speed-switch-delay: 10 ms }
steps:
  - handshake:
  - boot: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - boot: { command: ATI0 }
",
    Advice::SwitchesLater
)]
#[case(
    "virtual: { sleeps-after: 5 s }
steps:
  - at: { command: AT }
  - wait: 10 s
  - line: { name: wake, state: assert }
  - at: { command: AT+CGMR }
",
    Advice::AskedWhileWaking
)]
#[case(
    "virtual: { sleeps-after: 1 s, wake-time: 50 ms }
steps:
  - at: { command: AT }
  - wait: 3 s
  - line: { name: wake, pulse: 10 ms }
  - at: { command: AT }
",
    Advice::AskedWhileWaking
)]
#[case(
    "virtual: { fault: application-dead }
steps:
  - handshake:
  - boot: { command: AT#BOOT }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
finally:
  - restore:
",
    Advice::BootedInVain
)]
// Whatever is usual in the application, boot code does not take.
#[case("steps:\n  - handshake:\n  - boot: { command: AT+CGMR }\n", Advice::NotOfBootCode)]
#[case("effects: [nvm]\nsteps:\n  - handshake:\n  - boot: { command: AT#RESET=1 }\n", Advice::NotOfBootCode)]
// Nothing is wrong with the board.
#[case("steps:\n  - at: { command: AT }\n  - at: { command: AT+FOO }\n", Advice::NotTaken)]
// Commands that are sent before the answer to the one before, and answers behind the end of a step.
#[case("steps:\n  - send: { text: \"AT\\r\" }\n  - at: { command: AT+CGMR, shows: { text: 2.7.0 } }\n", Advice::AnswersTheOneBefore)]
#[case("steps:\n  - send: { text: \"AT+CGMR\\r\" }\n  - at: { command: ATI, shows: { text: ST87M01 } }\n", Advice::AnswersTheOneBefore)]
#[case(
    "steps:
  - at: { command: ATE0 }
  - send: { text: \"AT\\r\" }
  - at: { command: AT+CGMR, shows: { text: 2.7.0 } }
",
    Advice::AnswersTheOneBefore
)]
#[case("virtual: { answer-delay: 150 ms }\nsteps:\n  - at: { command: AT }\n  - at: { command: ATI, within: 149 ms }\n", Advice::TooLate)]
#[case("virtual: { answer-delay: 150 ms }\nsteps:\n  - at: { command: ATI, within: 100 ms }\n", Advice::TooLate)]
// The module sleeps, on a fast link and when a hotkey is sent; the wake line was pulsed in vain.
#[case(
    "effects: [speed]
virtual: { sleeps-after: 2 s }
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: AT }
  - wait: 10 s
  - at: { command: AT+CGMR, tries: 3 }
",
    Advice::SleepsOn
)]
#[case(
    "virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - wait: 5 s
  - boot: { command: ATI0 }
",
    Advice::HotkeyToASleeper
)]
#[case(
    "virtual: { fault: [sleeps-after=1 s, ignores-wake] }
steps:
  - at: { command: AT }
  - wait: 3 s
  - line: { name: wake, pulse: 100 ms }
  - wait: 2 s
  - at: { command: AT, tries: 2 }
",
    Advice::WakeLine
)]
// Into boot code by a command, in vain: alone, and by a reset as well.
#[case(
    "virtual: { fault: no-acknowledge }
effects: [nvm]
steps:
  - send: { text: \"AT#LDRST=2,2\\r\" }
  - wait: 1 s
  - handshake: { pulse: none }
",
    Advice::NotEnteredByCommand
)]
#[case(
    "virtual: { fault: no-acknowledge }
effects: [nvm]
steps:
  - at: { command: \"AT#LDRST=2,2\" }
  - handshake: { pulse: none, outcome: not-acknowledged }
  - handshake:
",
    Advice::BothWaysTried
)]
#[case(
    "virtual: { fault: no-acknowledge, ldrst-answered: false, echo: false }
effects: [nvm]
steps:
  - at: { command: AT }
  - send: { text: \"AT#LDRST=2,2\\r\" }
  - wait: 1 s
  - handshake: { pulse: none }
",
    Advice::NotEnteredByCommand
)]
// It went on through a reset and through a power cycle, at the speed that it had been told.
#[case(
    "virtual: { fault: ignores-reset }
effects: [speed]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: AT }
  - uart: { baud: 115200 }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 10 s }
",
    Advice::ResetAtItsSpeed
)]
#[case(
    "virtual: { fault: ignores-power }
effects: [speed, power]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: AT }
  - uart: { baud: 115200 }
  - power: { cycle: 2 s }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
",
    Advice::PowerAtItsSpeed
)]
#[case(
    "virtual: { fault: application-silent }
effects: [power]
steps:
  - power: { cycle: 2 s }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+CGSN, tries: 5 }
",
    Advice::HangsAfterPower
)]
// The port goes where the board was not told to be; what comes back is no start-up message.
#[case(
    "effects: [speed]
steps:
  - uart: { baud: 460800 }
  - at: { command: AT+IPR=460800, tries: 2 }
",
    Advice::PortElsewhere
)]
#[case(
    "virtual: { fault: keeps-old-version }
effects: [firmware]
images: { newer: { make: { A: 2.8.0, size: 4 KiB } } }
steps:
  - handshake:
  - upload: { image: newer }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+CGMR, shows: { text: 2.8.0 } }
",
    Advice::NotInstalledAfterReset
)]
// What went in before in this case is what is installed.
#[case(
    "effects: [firmware]
images:
  newer: { make: { A: 2.8.0, size: 4 KiB } }
  same: { make: { A: 2.7.0, size: 4 KiB } }
steps:
  - handshake:
  - upload: { image: newer }
  - handshake:
  - upload: { image: same }
",
    Advice::RefusedLower
)]
// A reset in `finally` that nobody waited for says nothing, and one that brought the application back does.
#[case(
    "virtual: { fault: does-not-restart }
effects: [nvm]
steps:
  - send: { text: \"AT#RESET=1\\r\" }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 10 s }
finally:
  - reset: { pulse: 15 ms }
",
    Advice::ResetFirst
)]
#[case(
    "virtual: { fault: does-not-restart }
effects: [nvm]
steps:
  - send: { text: \"AT#RESET=1\\r\" }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 10 s }
finally:
  - reset: { pulse: 15 ms }
  - wait: 5 s
",
    Advice::ResetBringsIt
)]
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
