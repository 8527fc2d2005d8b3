//! Cases that look like another cause: each is named by what is told of it.

use evkit_hil::diagnosis::Cause;
use evkit_hil::timeline::event::Outcome;
use rstest::rstest;

use super::{diagnosis, ran_on};

/// What stands in the place of a word in braces.
const PARTS: [(&str, &str); 3] = [
    ("{IMAGE}", "images:\n  newer: { make: { A: 2.8.0, size: 4 KiB } }\n"),
    ("{START}", "  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s, of: release }\n"),
    ("{ENTERS}", "  - send: { text: \"AT#LDRST=2,2\\r\" }\n  - wait: 1 s\n  - handshake: { pulse: none, within: 2 s }\n"),
];

#[rstest]
// Boot code was told a speed, and the port was set back before it was left, or asked again.
#[case(
    "steps:\n  - handshake:\n  - boot: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - wait: 300 ms\n  - boot: { command: ATI0 }\n  - uart: { baud: 115200 }\n  - boot: { command: AT#BOOT, result: any }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n",
    Cause::WrongSpeed,
    "boot code had taken AT+IPR=460800, and the port was at 115200 baud when AT#BOOT was sent; AT is answered at 460800"
)]
#[case(
    "{IMAGE}steps:\n  - handshake:\n  - boot: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - wait: 300 ms\n  - boot: { command: ATI0 }\n  - uart: { baud: 115200 }\n  - upload: { image: newer }\n",
    Cause::WrongSpeed,
    "the port was at 115200 baud when AT#UP was sent; AT is answered at 460800"
)]
// An application that answers by +CME ERROR, with or without a number, and takes the preamble for a line of its own.
#[case(
    "virtual: { error-form: cme-bare }\n{IMAGE}steps:\n  - at: { command: AT }\n  - upload: { image: newer }\n",
    Cause::ApplicationAnswered,
    "AT#UP was answered by +CME ERROR"
)]
#[case(
    "virtual: { error-form: cme-number, echo: true }\nsteps:\n  - at: { command: AT }\n  - boot: { command: AT#BOOT }\n",
    Cause::ApplicationAnswered,
    "AT#BOOT was answered by +CME ERROR: 100"
)]
#[case(
    "virtual: { error-form: cme-bare, backspace-deletes: false, echo: true }\nsteps:\n  - at: { command: AT }\n  - boot: { command: AT+IPR=460800 }\n",
    Cause::ApplicationAnswered,
    "AT+IPR=460800 was answered by OK"
)]
// AT#LDRST that never arrived.
#[case("virtual: { fault: no-power }\nsteps:\n{ENTERS}", Cause::NothingCame, "not one came back")]
#[case("virtual: { fault: left-at-speed=460800 }\nsteps:\n{ENTERS}", Cause::WrongSpeed, "AT is answered at 460800")]
#[case(
    "virtual: { fault: echo-only }\nsteps:\n{ENTERS}",
    Cause::EchoOnly,
    "400 hotkeys were sent, and what was sent came back byte for byte"
)]
#[case("virtual: { wrong-port: nmea }\nsteps:\n{ENTERS}", Cause::WrongPort, "none of it is a word of the module")]
#[case(
    "virtual: { fault: first-command-lost }\nsteps:\n{ENTERS}",
    Cause::Asleep,
    "AT#LDRST=2,2 brought nothing, 400 hotkeys were sent behind it in vain"
)]
#[case(
    "virtual: { fault: no-acknowledge }\nsteps:\n  - at: { command: AT }\n{ENTERS}",
    Cause::NotAcknowledged,
    "400 hotkeys were sent after that, and no 0x9A came"
)]
#[case(
    "steps:\n  - at: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - wait: 300 ms\n  - at: { command: AT }\n{ENTERS}",
    Cause::WrongSpeed,
    "one at 115200 is: boot code listens there"
)]
// Long after its start nobody answers: the hotkey is none that boot code could have taken.
#[case(
    "virtual: { fault: application-silent }\nsteps:\n{START}  - wait: 1 s\n  - handshake: { pulse: none, within: 500 ms }\n",
    Cause::ApplicationHangs,
    "boot code answers over the same wires"
)]
#[case(
    "virtual: { fault: shuts-down-after=500 ms }\nsteps:\n{START}  - wait: 5 s\n  - handshake: { pulse: none }\n",
    Cause::ShutDown,
    "AT is right after a reset"
)]
#[case(
    "virtual: { fault: deaf }\n{IMAGE}steps:\n{START}  - wait: 1 s\n  - upload: { image: newer }\n",
    Cause::TalksButDoesNotHear,
    "the hotkey brought no 0x9A either"
)]
// Silent before bytes at another speed were sent.
#[case(
    "virtual: { fault: shuts-down-after=1 s }\nsteps:\n{START}  - wait: 3 s\n  - restore: { reset: false }\n",
    Cause::ShutDown,
    "answers AT right after another start"
)]
// 0x9A came when the step had given up.
#[case(
    "virtual: { acknowledge-delay: 150 ms, boot-window: 2 s }\nsteps:\n  - handshake: { strategy: st }\n",
    Cause::NotAsExpected,
    "acknowledged, and not before the step had given up"
)]
// Asked while it starts, and answered when it has started.
#[case(
    "virtual: { application-start: 8 s, start-keeps-input: true }\nsteps:\n  - reset: { pulse: 15 ms }\n  - wait: 1 s\n  - at: { command: AT, tries: 2 }\n",
    Cause::StillStarting,
    "AT was sent before the application said that it has started"
)]
// It had started while it was asked at other speeds.
#[case(
    "virtual: { application-start: 40 s }\nsteps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n",
    Cause::StillStarting,
    "nothing "
)]
// Boot code's answers, where AT#LDRST had none and came back.
#[case(
    "virtual: { fault: accepts-downgrade, ldrst-answered: false }\nimages:\n  old: { make: { A: 2.6.0, size: 4 KiB } }\nsteps:\n  - at: { command: AT }\n{ENTERS}  - upload: { image: old, result: refused }\n",
    Cause::AcceptedLower,
    "version 2.6.0 went in over 2.7.0"
)]
#[case(
    "virtual: { ldrst-answered: false }\nsteps:\n  - at: { command: AT }\n{ENTERS}  - at: { command: AT+CGMR }\n",
    Cause::BootCodeAnswered,
    "AT+CGMR was meant for the application"
)]
#[case(
    "virtual: { ldrst-answered: false }\nsteps:\n  - at: { command: AT }\n  - send: { text: \"AT#LDRST=2,2\\r\" }\n  - wait: 1 s\n  - send: { text: \"ATI0\\r\" }\n  - expect: { text: \"0\\r\", within: 1 s }\n",
    Cause::BootCodeAnswered,
    "it may have led into boot code without an OK"
)]
#[case(
    "virtual: { fault: echo-only }\nsteps:\n  - at: { command: \"AT#LDRST=2,2\" }\n",
    Cause::EchoOnly,
    "AT#LDRST=2,2 came back byte for byte"
)]
// A restart without an answer that no step has waited for, long before.
#[case(
    "virtual: { boot-command-answered: false }\nsteps:\n  - handshake:\n  - boot: { command: AT#BOOT, result: any }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n  - at: { command: AT+CGMR, shows: { text: 9.9.9 } }\n",
    Cause::NotAsExpected,
    "AT+CGMR was answered by \"2.7.0\" and OK"
)]
// It restarts by itself, and is on its way up when it is asked; the start of before is no second one.
#[case(
    "virtual: { fault: resets-itself=800 ms }\nsteps:\n{START}  - wait: 2 s\n  - boot: { command: ATI0 }\n",
    Cause::UncommandedReset,
    "came although this program had not restarted it"
)]
#[case(
    "virtual: { fault: application-dead, boot-command-answered: false }\nsteps:\n  - handshake:\n  - boot: { command: AT#BOOT }\n",
    Cause::DoesNotStart,
    "neither by AT#BOOT nor by a reset"
)]
// The speed of before a restart by command, which the module keeps.
#[case(
    "virtual: { speed-outlives-reset: saved }\nsteps:\n  - at: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - wait: 300 ms\n  - send: { text: \"AT#RESET=1\\r\" }\n  - uart: { baud: 115200 }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n",
    Cause::WrongSpeed,
    "as AT+IPR=460800 of this case told it to be"
)]
#[case(
    "virtual: { fault: application-garbles }\nsteps:\n{START}  - wait: 1 s\n  - handshake: { pulse: none, within: 500 ms }\n",
    Cause::Garbage,
    "what the module says of its start comes clean"
)]
// A command to restart that nobody has heard.
#[case(
    "virtual: { fault: deaf }\nsteps:\n{START}  - at: { command: AT#RESET=1 }\n",
    Cause::TalksButDoesNotHear,
    "the hotkey brought no 0x9A either"
)]
#[case(
    "virtual: { fault: application-silent }\nsteps:\n{START}  - at: { command: AT#RESET=1 }\n",
    Cause::ApplicationHangs,
    "boot code answers over the same wires"
)]
#[case(
    "virtual: { fault: shuts-down-after=500 ms }\nsteps:\n{START}  - wait: 5 s\n  - at: { command: AT#RESET=1 }\n",
    Cause::ShutDown,
    "AT was answered"
)]
#[case(
    "virtual: { fault: sleeps-after=1 s }\nsteps:\n{START}  - wait: 5 s\n  - at: { command: AT#RESET=1 }\n",
    Cause::Asleep,
    "it said #SLEEP, and AT#RESET=1"
)]
#[case("virtual: { fault: echo-only }\nsteps:\n  - at: { command: AT#RESET=1 }\n", Cause::EchoOnly, "every AT came back byte for byte")]
#[case(
    "virtual: { fault: no-acknowledge }\nsteps:\n  - at: { command: AT }\n  - send: { text: \"AT#RESET=1\\r\" }\n  - handshake: { pulse: none, within: 500 ms }\n",
    Cause::NotAcknowledged,
    "the application has started since the command to restart"
)]
// The reason of a restart comes behind the start.
#[case(
    "virtual: { fault: watchdog-after=2 s, reboot-message: after-sysstart }\nsteps:\n{START}  - wait: 5 s\n  - at: { command: AT, tries: 2 }\n",
    Cause::UncommandedReset,
    "#REBOOT_WD"
)]
#[case(
    "steps:\n  - at: { command: \"AT#LDRST=2,2\" }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n",
    Cause::BootCodeAnswered,
    "it led into boot code, which waits for the hotkey"
)]
// The case's own restart has undone the case's own AT+IPR.
#[case(
    "virtual: { speed-outlives-reset: never, reset-command-answered: true }\nsteps:\n  - at: { command: AT }\n  - at: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - wait: 300 ms\n  - send: { text: \"AT#RESET=1\\r\" }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n",
    Cause::WrongSpeed,
    "sent at 115200 baud and read at 460800"
)]
// What it says is cut off by the case's own reset, or by its supply.
#[case(
    "steps:\n  - at: { command: AT }\n  - send: { text: \"ATI\\r\" }\n  - expect: { text: STMICRO, within: 1 s }\n  - reset: assert\n  - wait: 100 ms\n  - at: { command: AT, tries: 2 }\n",
    Cause::NothingCame,
    "reset is asserted by a step"
)]
#[case(
    "steps:\n  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n  - reset: assert\n  - expect: { text: \"#SYSSTART\", within: 5 s }\n",
    Cause::NothingCame,
    "reset is asserted by a step"
)]
#[case(
    "steps:\n  - at: { command: AT }\n  - send: { text: \"ATI\\r\" }\n  - expect: { text: STMICRO, within: 1 s }\n  - power: off\n  - wait: 1 s\n  - at: { command: AT, tries: 2 }\n",
    Cause::NothingCame,
    "the supply was switched off by a step"
)]
// It was to be on its way up, and answers.
#[case(
    "virtual: { fault: ignores-reset }\nsteps:\n  - at: { command: AT }\n  - reset: { pulse: 15 ms }\n  - wait: 300 ms\n  - send: { text: \"AT\\r\" }\n  - quiet: 200 ms\n",
    Cause::ResetWithoutEffect,
    "without a word of having started"
)]
// The port alone went to another speed, or right behind boot code's answer.
#[case(
    "steps:\n  - at: { command: AT }\n  - uart: { baud: 250000 }\n  - at: { command: AT }\n",
    Cause::WrongSpeed,
    "it answered AT at 115200 baud, and AT went out at 250000"
)]
#[case(
    "steps:\n  - at: { command: AT }\n  - at: { command: AT+IPR=300000, answer: any }\n  - uart: { baud: 300000 }\n  - wait: 300 ms\n  - at: { command: AT }\n",
    Cause::WrongSpeed,
    "went out at 300000"
)]
#[case(
    "virtual: { speed-switch-delay: 12 ms }\nsteps:\n  - handshake:\n  - boot: { command: AT+IPR=460800 }\n  - uart: { baud: 460800 }\n  - boot: { command: ATI0 }\n",
    Cause::NotAsExpected,
    "the module may not have switched by then"
)]
// AT#RESET was answered, and what is sent behind it comes too early.
#[case(
    "virtual: { echo: true, application-start: 10 s, reset-command-answered: true }\nsteps:\n  - at: { command: AT#RESET=1 }\n  - wait: 2 s\n  - at: { command: AT+CGMR, tries: 2 }\n",
    Cause::StillStarting,
    "AT+CGMR was sent before the application said that it has started"
)]
// Boot code was heard before the application hung, or is by a probe.
#[case(
    "virtual: { fault: application-silent }\n{IMAGE}steps:\n  - handshake:\n  - upload: { image: newer }\n  - boot: { command: AT#BOOT, result: any }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }\n  - restore: { reset: false }\n",
    Cause::ApplicationHangs,
    "boot code answers over the same wires"
)]
#[case(
    "virtual: { fault: application-silent, boot-window: 200 ms }\nsteps:\n  - handshake: { strategy: st }\n",
    Cause::ApplicationHangs,
    "boot code answers over the same wires"
)]
#[case(
    "virtual: { boot-command-answered: true, application-start: 10 s }\nsteps:\n  - handshake:\n  - at: { command: AT#BOOT }\n",
    Cause::NotAsExpected,
    "AT#BOOT was answered by 0 with CR alone"
)]
fn each_is_told_from_what_it_looks_like(#[case] template: &str, #[case] cause: Cause, #[case] because: &str) {
    let text = PARTS.iter().fold(template.to_owned(), |text, (word, part)| text.replace(word, part));
    let text = format!("effects: [speed, nvm, firmware, downgrade-attempt, power]\n{text}");
    let found = diagnosis(&ran_on(1, &text));
    assert!(found.cause == cause && found.because.contains(because), "{found:?}");
}

/// A line of the module's that the case's own reset has cut off is no damaged one.
#[rstest]
#[case("  - repeat: { times: 10, steps: [ { reset: { pulse: 15 ms } }, { expect: { text: \"#SYSSTART\", within: 35 s } } ] }\n")]
#[case("{CUT}  - handshake:\n{CUT}  - handshake:\n")]
fn a_reset_in_the_middle_of_a_line_damages_nothing(#[case] steps: &str, #[values(1, 2, 3)] seed: u64) {
    let cut = "  - reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\", within: 35 s }\n";
    let verdict = ran_on(seed, &format!("steps:\n{}", steps.replace("{CUT}", cut))).verdict;
    assert_eq!((verdict.outcome, verdict.reason.as_str()), (Outcome::Passed, ""));
}
