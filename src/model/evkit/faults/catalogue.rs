//! The catalogue of faults.

use std::time::Duration;

use super::{Fault, Faulty, Parameter};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn sets(setting: &'static str, faulty: Faulty) -> Parameter {
    Parameter { setting, faulty }
}

const fn fault(name: &'static str, parameters: &'static [Parameter], wire: &'static str, stands_for: &'static str) -> Fault {
    Fault { name, wire, stands_for, parameters }
}

/// A fault that is there or not, with a setting of its own name.
macro_rules! plain {
    ($name:literal, $wire:literal, $stands_for:literal) => {
        fault($name, &[sets($name, Faulty::Is("true"))], $wire, $stands_for)
    };
}

const DIRECTION: Parameter = sets("damage-direction", Faulty::OneOf(&["to-host", "to-board", "both"]));
/// A tenth to three tenths of all bytes.
const OFTEN: Faulty = Faulty::Tenths(100, 300);

pub(super) const ALL: &[Fault] = &[
    // Supply, port and reset.
    plain!("no-power", "Silence, whatever the host sends and drives.", "The board has no supply: a cable, a jumper or a switch."),
    fault(
        "wrong-port",
        &[sets("wrong-port", Faulty::OneOf(&["nmea", "log", "binary"])), sets("wrong-port-period", Faulty::Times(ms(200), ms(2000)))],
        "The port talks by itself, in sentences of a receiver, lines of a log or frames of bytes. Nothing is answered, and no reset shows.",
        "Another of the COM ports that the kit shows was taken.",
    ),
    plain!(
        "ignores-reset",
        "A pulse of the reset line changes nothing: no start-up message, no boot window.",
        "The reset line is not wired, or to another pin."
    ),
    plain!(
        "stuck-in-reset",
        "Silence, as while reset is asserted.",
        "The reset line is held low: a pull-down of the host, a short, a pressed button, the wrong polarity."
    ),
    plain!("ignores-wake", "A sleeping module does not wake by the wake line.", "The wake line is not wired, or its polarity is wrong."),
    plain!(
        "ignores-power",
        "Switching the supply off and on changes nothing.",
        "The switch of the supply is not wired, or switches something else."
    ),
    plain!(
        "parasitic-power",
        "Without its supply the module answers on, and a supply that comes back is no start.",
        "The module lives through its pins: TX, or a line that is not let go, feeds it."
    ),
    // Wires.
    plain!(
        "deaf",
        "Start-up messages come, and nothing that is sent is heard: no command is answered, no hotkey acknowledged.",
        "The host's TX is not wired, the other host drives RXD, or flow control."
    ),
    plain!("mute", "Nothing comes, and what is sent is carried out.", "The module's TX is not wired to the host's RX."),
    plain!(
        "echo-only",
        "What the host sends comes back, at once and unchanged, and nothing else comes.",
        "TX and RX are shorted, or a loop-back plug is on the port."
    ),
    fault(
        "left-at-speed",
        &[sets("speed", Faulty::UsualSpeeds)],
        "At 115200 there is silence or garbage; at the speed that it was left at all is well.",
        "An AT+IPR of before was not undone.",
    ),
    fault(
        "lost-bytes",
        &[sets("lost-bytes", OFTEN), DIRECTION],
        "Bytes are missing, any of them.",
        "An overrun of a receiver without flow control, a bad contact.",
    ),
    fault(
        "doubled-bytes",
        &[sets("doubled-bytes", OFTEN), DIRECTION],
        "Bytes come twice, any of them.",
        "A converter or a driver that repeats what it took for lost.",
    ),
    fault(
        "corrupted-bytes",
        &[sets("corrupted-bytes", OFTEN), DIRECTION],
        "Bytes have one bit inverted, any of them.",
        "Noise, a missing ground, a level that is out of range.",
    ),
    plain!(
        "break-at-start",
        "A break, which is read as a NUL, comes at each release of reset and right before the application's first message.",
        "A TX that is low until the UART is set up."
    ),
    fault(
        "noise-at-start",
        &[sets("noise-at-start", Faulty::Numbers(1, 8))],
        "Some bytes, NUL or 0xFF, come at each release of reset and right before the application's first message.",
        "A TX that floats until the UART is set up.",
    ),
    fault(
        "port-vanishes",
        &[
            sets("port-vanishes", Faulty::Times(ms(50), ms(3000))),
            sets("port-returns-after", Faulty::OneOf(&["never", "100 ms", "1 s", "5 s"])),
            sets("port-returns-as", Faulty::OneOf(&["same", "other"])),
        ],
        "The port is gone so long after the first byte that is sent, and may come back later, under its name or another.",
        "A USB adapter with a bad plug, or one that resets itself.",
    ),
    // The boot code.
    fault(
        "window-too-short",
        &[sets("boot-window", Faulty::Times(ms(0), ms(3)))],
        "The hotkey is not acknowledged: it comes when the application has been started already.",
        "A boot code that hardly waits for a host, or none at all.",
    ),
    fault(
        "window-too-late",
        &[sets("boot-ready", Faulty::Times(ms(1500), ms(2800))), sets("boot-window", Faulty::BehindBootReady)],
        "The hotkey is not acknowledged for a second or more after the release, and start-up messages come as much later.",
        "A boot code that checks the flash, or waits for a supply, before it listens.",
    ),
    plain!(
        "no-acknowledge",
        "The hotkey is not acknowledged, and the application starts as usual.",
        "A boot code that was locked, or is not the one that the loader knows."
    ),
    plain!(
        "silent-after-acknowledge",
        "The hotkey is acknowledged, again and again, and no command is answered; the application still runs.",
        "A damaged boot code: the module cannot be updated over its UART (the post)."
    ),
    plain!("boot-garbles", "The lowest bit of each byte of the boot code's answers is inverted.", "A boot code with a defect."),
    plain!(
        "hangs-when-misframed",
        "After a byte at a wrong speed there is silence until the reset line is pulsed.",
        "A receiver that does not come back from a framing error."
    ),
    plain!(
        "does-not-restart",
        "After AT#BOOT or AT#RESET=1 there is silence until the reset line is pulsed.",
        "A restart by software that hangs."
    ),
    // Uploads.
    plain!("accepts-downgrade", "A lower version is installed.", "A module without protection against downgrades, or with one that fails."),
    plain!("accepts-wrong-key", "An image that is signed with another key is installed.", "A signature that is not checked."),
    plain!("accepts-corrupt", "An image whose checksum is wrong is installed.", "A checksum that is not checked."),
    plain!("refuses-same-version", "The installed version is refused when it is offered again.", "A comparison that is off by one."),
    fault(
        "refuses-at-header",
        &[sets("refuses-upgrade", Faulty::Is("true")), sets("version-check", Faulty::Is("header"))],
        "A higher version is refused after its first bytes.",
        "A module that takes a release for one that is not meant for it.",
    ),
    fault(
        "refuses-at-end",
        &[sets("refuses-upgrade", Faulty::Is("true")), sets("version-check", Faulty::Is("end"))],
        "A higher version is refused when all of it was sent.",
        "A module that takes a release for one that is not meant for it.",
    ),
    plain!(
        "keeps-old-version",
        "An upload ends well, and the version of before runs on.",
        "A second bank that is written and never started."
    ),
    plain!("loses-version", "A lower version is refused, and installed all the same.", "A check whose answer nobody heeds."),
    plain!(
        "dead-after-refusal",
        "After a refused upload no application starts any more.",
        "A flash that is erased before an image is judged."
    ),
    fault(
        "upload-ends-early",
        &[sets("upload-ends-early", Faulty::Is("true")), sets("upload-ends-early-after", Faulty::Numbers(1, 100))],
        "The device says that it has all of an image long before it has.",
        "A length that is counted wrongly.",
    ),
    fault(
        "upload-stalls",
        &[sets("upload-stalls", Faulty::Is("true")), sets("upload-stalls-after", Faulty::Numbers(1, 100))],
        "The device asks for some pieces of an image and never again.",
        "A flash that does not get done with erasing or writing.",
    ),
    plain!(
        "interruption-erases",
        "After an upload that a reset broke off no application starts, until one has gone through.",
        "A flash with one bank."
    ),
    plain!(
        "interruption-locks",
        "After an upload that a reset broke off the hotkey is not acknowledged any more.",
        "A boot code that takes a broken image for an attack."
    ),
    fault(
        "asks-past-end",
        &[sets("asks-past-end", Faulty::Is("true"))],
        "The last request asks for more than is left of the image.",
        "A device that pulls whole blocks (Easy Connect).",
    ),
    // The application.
    plain!(
        "application-dead",
        "Nothing comes after the boot window; the boot code answers.",
        "An application that is damaged or was erased."
    ),
    plain!(
        "application-silent",
        "Start-up messages come, and no command is answered or echoed.",
        "An application whose command task hangs."
    ),
    plain!("application-garbles", "The lowest bit of each byte of the application's answers is inverted.", "An application with a defect."),
    plain!(
        "first-command-lost",
        "The first command is not answered, the next one is.",
        "A module that sleeps: the first AT only wakes it (arduino)."
    ),
    fault(
        "still-booting",
        &[sets("still-booting", Faulty::Times(ms(2000), ms(30_000)))],
        "AT is answered by OK, other commands by +CME ERROR: 1120, for seconds after the start.",
        "A core of the module that takes its time (mbed: up to about 30 s).",
    ),
    fault(
        "sleeps-after",
        &[sets("sleeps-after", Faulty::Times(ms(500), ms(5000)))],
        "After so long without a byte come #ENERGY and #SLEEP, and then no command is heard until the wake line is asserted.",
        "Power saving that is on, with a wake line that nobody drives.",
    ),
    fault(
        "shuts-down-after",
        &[sets("shuts-down-after", Faulty::Times(ms(100), ms(3000)))],
        "So long after the start there is silence until reset is pulsed.",
        "A module that shuts itself down: AT#TEMPLIMIT, AT#VBATLIMIT.",
    ),
    fault(
        "watchdog-after",
        &[sets("watchdog-after", Faulty::Times(ms(200), ms(3000)))],
        "#REBOOT_WD: 1 and the other start-up messages come again and again.",
        "An application that its watchdog restarts.",
    ),
    fault(
        "resets-itself",
        &[sets("resets-itself", Faulty::Times(ms(200), ms(3000)))],
        "#REBOOT_RESET and the other start-up messages come again and again, though nobody pulsed the reset line.",
        "A supply that breaks down when the radio transmits.",
    ),
    fault(
        "unsolicited",
        &[sets("unsolicited", Faulty::Is("true"))],
        "+CEREG: 2 comes in the middle of each answer that has lines.",
        "Unsolicited messages that were left on.",
    ),
    plain!(
        "energy-lines",
        "After each answer come #ENERGY, #SLEEP and #WAKEUP, and the module does not sleep.",
        "Messages of power saving between answers (arduino)."
    ),
    fault(
        "late-reboot-message",
        &[sets("reboot-message", Faulty::Is("after-first-command"))],
        "#REBOOT_RESET or #REBOOT_HOST comes after the answer to the first command.",
        "What public hosts saw: the message that waits for a host.",
    ),
    fault(
        "bare-cme-error",
        &[sets("error-form", Faulty::Is("cme-bare"))],
        "What the application does not take is answered by +CME ERROR without a number.",
        "The form of errors that arduino saw.",
    ),
    fault(
        "reset-command-unanswered",
        &[sets("reset-command-answered", Faulty::Is("false"))],
        "AT#RESET=1 restarts without an OK.",
        "A reboot that comes before its OK (mbed).",
    ),
    fault(
        "reports-version",
        &[sets("reports-version", Faulty::OneOf(&["1.9.9", "2.6.1", "2.7.1", "2.8.1", "3.0.0"]))],
        "After an upload AT+CGMR and ATI tell another version than the one that runs.",
        "A release whose number was not raised, or a label that was put on another.",
    ),
    plain!("speed-not-restorable", "AT+IPR is answered by OK and changes nothing.", "A speed that is locked."),
];
