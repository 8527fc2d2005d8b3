//! Into boot code, and out of it.

use evkit_hil::diagnosis::Advice;
use rstest::rstest;

use super::advised;

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
// What a loader says to the application.
#[case(
    "virtual: { application-start: 10 s }\nsteps:\n  - handshake:\n  - boot: { command: AT#BOOT, result: any }\n  - boot: { command: ATI0 }\n",
    Advice::ResetLeavesBootCode
)]
#[case("steps:\n  - handshake:\n  - expect: { hex: 9a, within: 1 s }\n", Advice::WaitsForCommand)]
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
    "steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 20 s }
  - boot: { command: ATI0 }
",
    Advice::NotEntered
)]
#[case(
    "virtual: { boot-window: 3 ms }
steps:
  - at: { command: AT }
  - handshake: {}
",
    Advice::MoreOften
)]
// The speed that the application took is put back by `finally`, and was meant for the application where the port follows it.
#[case(
    "effects: [speed]
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - wait: 1 s
  - boot: { command: AT+IPR=460800 }
finally:
  - restore:
",
    Advice::SpeedTakenAndBack
)]
// Nothing leads out of boot code after an upload, taken or refused.
#[case(
    "effects: [firmware]
images: { newer: { make: { A: 2.8.0, size: 4 KiB } } }
steps:
  - handshake:
  - upload: { image: newer }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
",
    Advice::WaitsAfterUpload
)]
#[case(
    "effects: [firmware, downgrade-attempt]
images: { older: { make: { A: 2.6.0, size: 4 KiB } } }
steps:
  - handshake:
  - upload: { image: older, result: refused }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
",
    Advice::WaitsAfterUpload
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
#[case("effects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - wait: 1 s\n  - at: { command: AT }\n", Advice::HotkeyFirst)]
#[case("effects: [nvm]\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - at: { command: AT#BOOT }\n", Advice::HotkeyFirst)]
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
fn what_was_seen_decides_what_to_try_next(#[case] rest: &str, #[case] advice: Advice) {
    advised(rest, advice);
}
