//! The port, the module and their speeds; what comes garbled.

use evkit_hil::diagnosis::Advice;
use rstest::rstest;

use super::advised;

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
// Boot code that keeps the speed that the application had been left at.
#[case("effects: [speed]\nsteps:\n  - at: { command: AT }\n  - at: { command: AT+IPR=460000 }\n", Advice::SpeedNotOfApplication)]
#[case(
    "virtual: { speed-switch-delay: 900 ms }
effects: [speed]
steps:
  - at: { command: AT }
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: AT, within: 200 ms }
",
    Advice::SwitchesSlowly
)]
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
    "effects: [speed]
steps:
  - handshake: {}
  - boot: { command: AT+IPR=460800 }
  - boot: { command: ATI0 }
",
    Advice::PortElsewhere
)]
#[case(
    "virtual: { fault: left-at-speed=460800 }
steps:
  - at: { command: AT }
",
    Advice::PutBack
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
// The port follows a speed that boot code has refused.
#[case(
    "effects: [speed]
steps:
  - handshake:
  - boot: { command: AT+IPR=1000000, result: any }
  - uart: { baud: 1000000 }
  - wait: 300 ms
  - boot: { command: ATI0 }
",
    Advice::SpeedRefused
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
#[case("virtual: { fault: application-garbles, echo: false }\nsteps:\n  - at: { command: AT+CGMR }\n", Advice::AnswersGarbled)]
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
    "steps:
  - uart: { baud: 9600 }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 10 s }
finally:
  - restore:
",
    Advice::PortElsewhere
)]
#[case(
    "virtual: { fault: ignores-power }
effects: [power, speed]
steps:
  - at: { command: AT+IPR=460800 }
  - power: { cycle: 2 s }
  - wait: 5 s
  - at: { command: AT, tries: 3 }
",
    Advice::StillAsTold
)]
fn what_was_seen_decides_what_to_try_next(#[case] rest: &str, #[case] advice: Advice) {
    advised(rest, advice);
}
