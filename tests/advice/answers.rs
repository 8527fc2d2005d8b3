//! What is not as expected, although nothing is wrong with the board.

use evkit_hil::diagnosis::Advice;
use rstest::rstest;

use super::advised;

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
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
#[case(
    "effects: [speed]\nvirtual: { fastest-speed: 460800 }\nsteps:\n  - handshake:\n  - boot: { command: AT+IPR=921600 }\n",
    Advice::SpeedNotOfBootCode
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
#[case(
    "effects: [raw]\nsteps:\n  - reset: { pulse: 15 ms }\n  - send: { text: C5 }\n  - expect: { hex: 9a, within: 1 s }\n",
    Advice::HotkeyAsText
)]
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
#[case("effects: [speed]\nsteps:\n  - at: { command: AT+IPR=123456 }\n", Advice::SpeedNotOfApplication)]
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
// Whatever is usual in the application, boot code does not take.
#[case("steps:\n  - handshake:\n  - boot: { command: AT+CGMR }\n", Advice::NotOfBootCode)]
#[case("effects: [nvm]\nsteps:\n  - handshake:\n  - boot: { command: AT#RESET=1 }\n", Advice::NotOfBootCode)]
// Answers that come when the step has tried once more.
#[case(
    "virtual: { answer-delay: 700 ms }
steps:
  - retry:
      times: 2
      pause: 100 ms
      steps:
        - send: { text: \"AT+CGMR\\r\" }
        - expect: { text: \"OK\\r\\n\", within: 200 ms }
",
    Advice::TooLate
)]
#[case("virtual: { answer-delay: 2500 ms }\nsteps:\n  - at: { command: AT+CGMR, within: 1 s, tries: 2 }\n", Advice::TooLate)]
// Reset is let go that was not asserted, and the supply switched on that was on.
#[case(
    "steps:\n  - at: { command: AT }\n  - reset: release\n  - expect: { text: \"#SYSSTART\", within: 5 s, of: release }\n",
    Advice::WasReleased
)]
#[case(
    "effects: [power]\nsteps:\n  - at: { command: AT }\n  - power: on\n  - expect: { text: \"#SYSSTART\", within: 5 s, of: power-on }\n",
    Advice::WasOn
)]
// AT#UP by a step of its own.
#[case(
    "effects: [firmware]
images: { newer: { make: { A: 2.8.0, size: 4 KiB } } }
steps:
  - handshake:
  - boot: { command: AT#UP }
  - upload: { image: newer }
",
    Advice::UpByItself
)]
// A speed that the application was told on purpose has nothing to do with what is not as expected later.
#[case("effects: [speed]\nsteps:\n  - at: { command: AT+IPR=115200 }\n  - at: { command: AT+FOO }\n", Advice::NotTaken)]
// Small letters, which the application takes and boot code does not; no command at all.
#[case("effects: [raw]\nsteps:\n  - send: { text: \"at+cgmr\\n\" }\n  - expect: { text: \"OK\", within: 2 s }\n", Advice::NoCr)]
#[case("effects: [raw]\nsteps:\n  - send: { text: help }\n  - expect: { text: \"OK\", within: 2 s }\n", Advice::NoCr)]
#[case("steps:\n  - at: { command: at+foo }\n", Advice::NotTaken)]
#[case("steps:\n  - at: { command: +CGMR }\n", Advice::NotTaken)]
#[case("steps:\n  - handshake:\n  - boot: { command: ati0 }\n", Advice::NotOfBootCode)]
#[case("effects: [speed]\nsteps:\n  - handshake:\n  - boot: { command: AT+IPR=12345 }\n", Advice::SpeedNotOfBootCode)]
// The port goes before AT+IPR is answered: the application's and boot code's.
#[case(
    "effects: [speed]
steps:
  - send: { text: \"AT+IPR=9600\\r\" }
  - uart: { baud: 9600 }
  - expect: { text: \"OK\\r\\n\", within: 1 s }
",
    Advice::FollowedTooEarly
)]
#[case(
    "effects: [speed]
steps:
  - at: { command: AT }
  - send: { text: \"AT+IPR=230400\\r\" }
  - uart: { baud: 230400 }
  - expect: { text: \"OK\\r\\n\", within: 1 s }
",
    Advice::FollowedTooEarly
)]
#[case(
    "effects: [speed]
steps:
  - handshake:
  - send: { text: \"AT+IPR=460800\\r\" }
  - uart: { baud: 460800 }
  - expect: { text: \"0\\r\", within: 1 s }
",
    Advice::FollowedTooEarly
)]
#[case(
    "effects: [speed]
steps:
  - send: { text: \"AT+IPR=460800\\r\" }
  - uart: { baud: 460800 }
  - at: { command: AT }
",
    Advice::FollowedTooEarly
)]
#[case(
    "effects: [speed]
steps:
  - send: { text: \"AT+IPR=460800\\r\" }
  - uart: { baud: 460800 }
  - at: { command: AT, tries: 2 }
",
    Advice::FollowedTooEarly
)]
#[case(
    "effects: [speed]
steps:
  - send: { text: \"AT+IPR=230400\\r\" }
  - uart: { baud: 230400 }
  - at: { command: AT }
",
    Advice::FollowedTooEarly
)]
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
#[case("virtual: { answer-delay: 200 ms, echo: false }\nsteps:\n  - at: { command: AT, within: 100 ms }\n", Advice::TooLate)]
#[case("virtual: { answer-delay: 500 ms, echo: false }\nsteps:\n  - at: { command: AT+CGMR, within: 300 ms }\n", Advice::TooLate)]
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
fn what_was_seen_decides_what_to_try_next(#[case] rest: &str, #[case] advice: Advice) {
    advised(rest, advice);
}
