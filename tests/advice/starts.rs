//! Starts, sleep and silence.

use evkit_hil::diagnosis::Advice;
use rstest::rstest;

use super::advised;

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
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
    "steps:
  - reset: assert
  - wait: 100 ms
  - at: { command: AT }
",
    Advice::HeldByCase
)]
// It was asked too early after a reset, and after a command to restart.
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
// The case has switched the supply off, or holds reset.
#[case("effects: [power]\nsteps:\n  - power: off\n  - at: { command: AT, tries: 2 }\n", Advice::OffByCase)]
#[case("effects: [power]\nsteps:\n  - power: off\n  - expect: { text: \"#SYSSTART\", within: 5 s }\n", Advice::OffByCase)]
#[case("steps:\n  - reset: assert\n  - expect: { text: \"#SYSSTART\", within: 5 s }\n", Advice::HeldByCase)]
#[case("steps:\n  - at: { command: AT }\n  - reset: assert\n  - at: { command: AT, tries: 2 }\n", Advice::HeldByCase)]
#[case("steps:\n  - reset: { pulse: 15 ms }\n  - expect: { hex: 9a, within: 500 ms }\n", Advice::OrNoHotkey)]
#[case(
    "virtual: { reset-command-answered: false, application-start: 10 s }\neffects: [nvm]\nsteps:\n  - at: { command: AT#RESET=1 }\n",
    Advice::RestartsUnanswered
)]
#[case(
    "virtual: { noise-at-start: 3, application-start: 10 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - quiet: 100 ms\n",
    Advice::FloatsAtStart
)]
// What was to be quiet was not: the answer to what was sent before it, a start, and a line that nobody had asked for.
#[case("steps:\n  - at: { command: AT }\n  - send: { text: \"ATI\\r\" }\n  - quiet: 1 s\n", Advice::AnswerFirst)]
#[case(
    "virtual: { echo: true }\nsteps:\n  - at: { command: AT }\n  - send: { text: \"AT#LDRST=2,2\\r\" }\n  - quiet: 1 s\n",
    Advice::AnswerFirst
)]
#[case(
    "virtual: { echo: true }\neffects: [nvm]\nsteps:\n  - at: { command: AT }\n  - send: { text: \"AT#RESET=1\\r\" }\n  - quiet: 30 s\n",
    Advice::AnswerFirst
)]
#[case("steps:\n  - reset: { pulse: 15 ms }\n  - quiet: 35 s\n", Advice::StartFirst)]
#[case(
    "steps:\n  - handshake:\n  - boot: { command: AT#BOOT, result: any }\n  - quiet: { for: 30 s, never: [ { text: \"#SYSSTART\" } ] }\n",
    Advice::NeverAtStart
)]
#[case(
    "virtual: { reboot-message: after-first-command }\nsteps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n  - wait: 1 s\n  - at: { command: AT }\n  - quiet: 1 s\n",
    Advice::ReasonComesLate
)]
#[case(
    "steps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SIMST\", within: 35 s, never: [ { text: \"#SYSSTART\" } ] }\n",
    Advice::NeverAtStart
)]
#[case("virtual: { unsolicited: true }\nsteps:\n  - at: { command: AT+CGMR, never: [ { text: \"+CEREG\" } ] }\n", Advice::NeverCame)]
// Its time was over in the middle of an answer: nothing said that it must not come.
#[case(
    "steps:\n  - at: { command: AT }\n  - send: { text: \"ATI\\r\" }\n  - quiet: { for: 1 s, never: [ { text: \"#REBOOT\" } ] }\n  - expect: { text: Quectel, within: 1 s }\n",
    Advice::AwaitedInVain
)]
#[case("steps:\n  - at: { command: AT }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n", Advice::AwaitedInVain)]
#[case(
    "virtual: { application-start: 10 s }\nsteps:\n  - handshake:\n  - boot: { command: ATI0 }\n  - reset: { pulse: 15 ms }\n  - wait: 2 s\n  - boot: { command: ATI0 }\n",
    Advice::ResetLeavesBootCode
)]
#[case("virtual: { energy-lines: true }\nsteps:\n  - at: { command: AT }\n  - quiet: 1 s\n", Advice::SaysByItself)]
#[case(
    "steps:\n  - handshake:\n  - boot: { command: AT#BOOT, result: any }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n  - handshake: { pulse: none }\n",
    Advice::HotkeyToApplication
)]
#[case(
    "effects: [nvm]\nsteps:\n  - send: { text: \"AT#RESET=1\\r\" }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n  - handshake: { pulse: none }\n",
    Advice::HotkeyToApplication
)]
// The case's own interruption left no application.
#[case(
    "virtual: { fault: interruption-erases }\neffects: [firmware, interrupt-upload]\nimages:\n  newer: { make: { A: 2.8.0, size: 8 KiB } }\nsteps:\n  - handshake:\n  - upload: { image: newer, result: interrupted, on: [ { byte: 50 %, steps: [ { reset: { pulse: 15 ms } } ] } ] }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s, of: release }\n",
    Advice::AfterInterruption
)]
// What leads into boot code was mistyped.
#[case("steps:\n  - send: { text: \"AT#LDRTS=2,2\\r\" }\n  - wait: 1 s\n  - handshake: { pulse: none }\n", Advice::EntryRefused)]
// A start that takes longer than the bench says, asked on its way up.
#[case(
    "virtual: { application-start: 36 s, start-keeps-input: true }\nsteps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 30 s }\n",
    Advice::LongerThanStartUp
)]
// The deadline of the case is shorter than the step's own time.
#[case(
    "virtual: { application-start: 8 s }\ndeadline: 3 s\nsteps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n",
    Advice::DeadlineAtStart
)]
#[case("deadline: 10 s\nsteps:\n  - quiet: 20 s\n", Advice::DeadlinePassed)]
#[case(
    "virtual: { answer-delay: 100 ms }\ndeadline: 2005 ms\nsteps:\n  - wait: 2 s\n  - at: { command: AT+CGMR }\n",
    Advice::DeadlinePassed
)]
// AT#LDRST, or the hotkey, while the application is on its way up.
#[case(
    "virtual: { application-start: 10 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - wait: 3 s\n  - send: { text: \"AT#LDRST=2,2\\r\" }\n  - wait: 1 s\n  - handshake: { pulse: none }\n",
    Advice::EntryTooEarly
)]
#[case(
    "virtual: { window-after-reset-command: false }\neffects: [nvm]\nsteps:\n  - send: { text: \"AT#RESET=1\\r\" }\n  - handshake: { pulse: none, within: 300 ms }\n",
    Advice::ByItsLine
)]
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
#[case("virtual: { application-start: 3 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - at: { command: AT }\n", Advice::AskedTooEarly)]
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
#[case("virtual: { sleeps-after: 3 s }\nsteps:\n  - at: { command: AT }\n  - quiet: 10 s\n", Advice::SleepsUnasked)]
#[case(
    "virtual: { sleeps-after: 2 s }
steps:
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SIMST: 1\", within: 5 s }
  - expect: { text: \"+CEREG: 1\", within: 10 s }
",
    Advice::SleepsUnasked
)]
#[case(
    "virtual: { application-start: 3 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - send: { text: \"ATI0\\r\" }\n  - expect: { text: \"\\r0\\r\", within: 1 s }\n",
    Advice::AskedWithoutHotkey
)]
#[case(
    "virtual: { first-command-lost: true }
steps:
  - line: { name: wake, state: assert }
  - at: { command: AT }
",
    Advice::AskedWhileWaking
)]
#[case(
    "virtual: { fault: ignores-power }
effects: [power, speed]
steps:
  - at: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - at: { command: AT }
  - power: { cycle: 2 s }
  - uart: { baud: 115200 }
  - wait: 40 s
  - at: { command: AT, tries: 3 }
",
    Advice::PowerAtItsSpeed
)]
fn what_was_seen_decides_what_to_try_next(#[case] rest: &str, #[case] advice: Advice) {
    advised(rest, advice);
}
