//! The table of settings. A row: kind, name in files, field, type, default, what it takes, what a seed draws it from, meaning.

use std::collections::BTreeSet;
use std::time::Duration;

use super::value::{Range, Value, between};
use super::{
    BootSpeed, Chunks, DamageDirection, Description, ErrorCode, ErrorForm, Imei, Kind, Line, PowerOnMessage, Rate, RebootMessage,
    ReturnsAs, SettingError, SpeedOutlives, VersionCheck, WrongPort, nearest,
};
use crate::baud::Baud;
use crate::image::{KeyNumber, Version};
use crate::model::evkit::random::Random;

const fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

const fn baud(speed: u32) -> Baud {
    match Baud::new(speed) {
        Some(baud) => baud,
        None => Baud::DEFAULT,
    }
}

const BOOT_VERSIONS: &[Line] = &[Line::new("ST8700 BOOT 1.4.0"), Line::new("BOOT_V02.01"), Line::new("1.0")];
const FASTEST: &[Baud] = &[baud(460_800), baud(921_600), baud(3_000_000)];
const BOTH: Range<bool> = Range::OneOf(&[false, true]);

/// What `set` takes, in words.
fn takes<T: Value>(range: &Range<T>) -> String {
    match range {
        Range::Between(..) => format!("{} ({})", T::expected(), range.describe().unwrap_or_default()),
        Range::OneOf(_) | Range::Any | Range::Fixed => T::expected().into_owned(),
    }
}

macro_rules! settings {
    ($($kind:ident $name:literal $field:ident: $type:ty = $default:expr, $takes:expr, $drawn:expr, $meaning:literal;)+) => {
        /// Every assumption, every fault and the identity of a virtual EVKIT. [`Settings::describe`] lists them with their meaning.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            /// What the board's own randomness (sizes of requests in an upload) follows from.
            pub seed: u64,
            /// Names of the faults of the catalogue that were put in ([`Fault::apply`](crate::model::evkit::Fault::apply)).
            pub faults: BTreeSet<&'static str>,
            $(#[doc = $meaning] pub $field: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { seed: 0, faults: BTreeSet::new(), $($field: $default,)+ }
            }
        }

        impl Settings {
            /// Every name that files may use, in the order of the reference.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// Draws each assumption from its range by `seed`; seed 0 gives the defaults. Identity and faults keep their defaults. The same seed gives the
            /// same values on every machine, and a setting's value does not depend on which others there are.
            #[must_use]
            pub fn drawn(seed: u64) -> Self {
                if seed == 0 {
                    return Self::default();
                }
                Self { seed, faults: BTreeSet::new(), $($field: Range::<$type>::draw(&$drawn, $default, &mut Random::new(seed, $name)),)+ }
            }

            /// Sets one by its name in files, from its text: `200 ms`, `115200`, `2.7.0`, `true`.
            ///
            /// # Errors
            /// [`SettingError`] when there is none of that name (with the nearest one), or when it does not take the value (with what it takes).
            pub fn set(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
                match key {
                    $($name => {
                        let range: Range<$type> = $takes;
                        let read = <$type as Value>::read(value.trim()).filter(|value| range.contains(value));
                        self.$field = read.ok_or_else(|| SettingError::Value { key: $name, expected: takes(&range), value: value.to_owned() })?;
                    })+
                    _ => return Err(SettingError::Unknown { key: key.to_owned(), nearest: nearest(key, Self::NAMES.iter().copied()) }),
                }
                Ok(())
            }

            /// The value of one by its name in files, in the form that [`Settings::set`] takes; `None` when there is none of that name.
            #[must_use]
            pub fn get(&self, key: &str) -> Option<String> {
                match key {
                    $($name => Some(self.$field.show()),)+
                    _ => None,
                }
            }

            /// Every setting, in the order of the reference.
            #[must_use]
            pub fn describe() -> Vec<Description> {
                vec![$(Description {
                    name: $name,
                    kind: Kind::$kind,
                    default: <$type as Value>::show(&$default),
                    takes: takes::<$type>(&$takes),
                    words: <$type as Value>::words(),
                    drawn: Range::<$type>::describe(&$drawn),
                    meaning: $meaning,
                },)+]
            }
        }
    };
}

settings! {
    Identity "firmware" firmware: Version = Version::new(2, 7, 0), Range::Any, Range::Fixed,
        "The version of part A (application) that is installed. Parts M and S have the same unless they are given.";
    Identity "firmware-modem" firmware_modem: Option<Version> = None, Range::Any, Range::Fixed,
        "The version of part M (modem) that is installed; `follows` for that of part A.";
    Identity "firmware-secure" firmware_secure: Option<Version> = None, Range::Any, Range::Fixed,
        "The version of part S (secure core) that is installed; `follows` for that of part A.";
    Identity "imei" imei: Imei = Imei::DEFAULT, Range::Any, Range::Fixed,
        "The IMEI that AT+CGSN answers: it tells one unit from another.";
    Identity "key" key: KeyNumber = KeyNumber::DEFAULT, Range::Any, Range::Fixed,
        "The number of the key with which images must be signed.";

    Assumption "boot-ready" boot_ready: Duration = ms(1), between(ms(0), s(60)), between(ms(0), ms(5)),
        "How long after the release of reset, or after a restart, the boot code begins to listen. Assumption.";
    Assumption "boot-window" boot_window: Duration = ms(200), between(ms(0), s(60)), between(ms(50), s(2)),
        "How long after the release of reset the boot code takes the hotkey. Assumption: no source says how long after a plain reset.";
    Assumption "boot-speed" boot_speed: BootSpeed = BootSpeed::Default, Range::Any, Range::OneOf(BootSpeed::ALL),
        "At which speed the boot code listens after a reset. Assumption.";
    Assumption "boot-version" boot_version: Line = Line::new("ST8700 BOOT 1.4.0"), Range::Any,
        Range::OneOf(BOOT_VERSIONS),
        "What ATI0 and ATI01 answer in boot code. Assumption: the text is published nowhere.";
    Assumption "boot-answer-delay" boot_answer_delay: Duration = us(300), between(us(0), s(60)), between(us(100), ms(100)),
        "How long the boot code takes to answer a command. Assumption; Easy Connect waits 300 ms.";
    Assumption "result-gap" result_gap: Duration = us(0), between(us(0), s(1)), between(us(0), ms(3)),
        "A pause between a result of the boot code and its CR. Assumption.";
    Assumption "acknowledge-delay" acknowledge_delay: Duration = us(200), between(us(0), s(60)), between(us(50), ms(2)),
        "How long the boot code takes to acknowledge the hotkey. Assumption; Easy Connect waits 100 ms.";
    Assumption "acknowledge-cr" acknowledge_cr: bool = false, Range::Any, BOTH,
        "Whether a CR follows the acknowledge 0x9A. Assumption.";
    Assumption "code-unknown-command" code_unknown_command: ErrorCode = ErrorCode::new(1), Range::Any, between(ErrorCode::new(1), ErrorCode::new(99)),
        "The error code for a command that the boot code does not know. Assumption: which 40xx means what is published nowhere.";
    Assumption "code-too-long" code_too_long: ErrorCode = ErrorCode::new(2), Range::Any, between(ErrorCode::new(1), ErrorCode::new(99)),
        "The error code for a command of more than 160 characters. Assumption.";
    Assumption "code-bad-value" code_bad_value: ErrorCode = ErrorCode::new(3), Range::Any, between(ErrorCode::new(1), ErrorCode::new(99)),
        "The error code of the boot code for a speed that it does not have. Assumption.";
    Assumption "boot-command-answered" boot_command_answered: bool = true, Range::Any, BOTH,
        "Whether AT#BOOT is answered by 0 before the restart. Assumption.";

    Assumption "erase-time" erase_time: Duration = ms(50), between(ms(0), s(60)), between(ms(0), s(5)),
        "How long after the answer to AT#UP the first request comes: the flash is erased. Assumption.";
    Assumption "request-delay" request_delay: Duration = us(100), between(us(0), s(60)), between(us(50), ms(20)),
        "How long after the bytes of a request the next one comes. Assumption.";
    Assumption "check-time" check_time: Duration = ms(5), between(ms(0), s(60)), between(ms(0), s(2)),
        "How long after the last byte of an image its result comes. Assumption.";
    Assumption "chunks" chunks: Chunks = Chunks::Largest, Range::Any, Range::OneOf(Chunks::ALL),
        "How many bytes of an image are asked for at once. Easy Connect: 1 to 127, and it may well be 10 or 13; which is an assumption.";
    Assumption "largest-chunk" largest_chunk: u8 = 127, between(1, 127), between(10, 127),
        "The most bytes of an image that are asked for at once. Easy Connect: 127 at most; how many is an assumption.";
    Assumption "asks-past-end" asks_past_end: bool = false, Range::Any, BOTH,
        "Whether the last request may ask for more than is left of the image. Easy Connect sends zero bytes then; whether it happens is an assumption.";
    Assumption "version-check" version_check: VersionCheck = VersionCheck::Header, Range::Any, Range::OneOf(VersionCheck::ALL),
        "When versions and key of an image are checked. Assumption.";
    Assumption "code-lower-version" code_lower_version: i8 = -4, between(-128, -1), between(-42, -1),
        "The negative byte by which a lower version is refused. Assumption: which byte means what is published nowhere.";
    Assumption "code-wrong-key" code_wrong_key: i8 = -43, between(-128, -1), between(-84, -43),
        "The negative byte by which an image with another key is refused. Assumption.";
    Assumption "code-corrupt" code_corrupt: i8 = -85, between(-128, -1), between(-128, -85),
        "The negative byte by which a corrupt image, or what is no image at all, is refused. Assumption.";

    Assumption "application-start" application_start: Duration = ms(500), between(ms(0), s(60)), between(ms(500), s(30)),
        "How long the application takes from its start to its first message. Assumption; seconds on a real board.";
    Assumption "start-keeps-input" start_keeps_input: bool = false, Range::Any, BOTH,
        "Whether what arrives before the application's first message is kept and taken then, or lost. Assumption.";
    Assumption "still-booting" still_booting: Duration = ms(0), between(ms(0), s(60)), Range::Fixed,
        "How long after its first message the application answers commands other than AT, ATE and AT+IPR by +CME ERROR: 1120 (mbed: up to about 30 s). How long is an assumption.";
    Assumption "reboot-message" reboot_message: RebootMessage = RebootMessage::First, Range::Any, Range::OneOf(RebootMessage::ALL),
        "When #REBOOT_RESET or #REBOOT_HOST comes. It was seen to come after the first command; when it does is an assumption.";
    Assumption "sysstart-delay" sysstart_delay: Duration = ms(2), between(ms(0), s(60)), between(ms(0), ms(50)),
        "How long after the first start-up message the second one comes. Assumption.";
    Assumption "simst-delay" simst_delay: Duration = ms(100), between(ms(0), s(60)), between(ms(10), ms(500)),
        "How long after the other start-up messages #SIMST: 1 comes. Assumption.";
    Assumption "answer-delay" answer_delay: Duration = ms(1), between(us(0), s(60)), between(us(200), ms(20)),
        "How long the application takes to answer a command. Assumption.";
    Assumption "echo" echo: bool = true, Range::Any, BOTH,
        "Whether the application repeats what it receives, after each start. Inference: on, since hosts turn it off.";
    Assumption "backspace-deletes" backspace_deletes: bool = true, Range::Any, BOTH,
        "Whether a backspace deletes the last character of the application's line, as ITU-T V.250 has it, or is one more character. Assumption.";
    Assumption "error-form" error_form: ErrorForm = ErrorForm::Plain, Range::Any, Range::OneOf(ErrorForm::ALL),
        "How the application answers what it does not take, until AT+CMEE. All three forms were seen; which comes when is an assumption.";
    Assumption "unsolicited" unsolicited: bool = false, Range::Any, BOTH,
        "Whether an unsolicited line (+CEREG: 2) comes in the middle of each answer that has lines. They can come at any place; where is an assumption.";
    Assumption "reset-command-answered" reset_command_answered: bool = true, Range::Any, BOTH,
        "Whether AT#RESET=1 is answered by OK before the reboot. It may reboot before its OK (mbed); when is an assumption.";
    Assumption "window-after-reset-command" window_after_reset_command: bool = true, Range::Any, BOTH,
        "Whether the reboot of AT#RESET=1 passes through the boot window. Assumption.";
    Assumption "ldrst-answered" ldrst_answered: bool = true, Range::Any, BOTH,
        "Whether AT#LDRST=2,2 is answered by OK before the restart into boot code. Assumption.";
    Assumption "ldrst-time" ldrst_time: Duration = ms(20), between(ms(0), s(60)), between(ms(5), ms(500)),
        "How long AT#LDRST=2,2 takes until the boot code is reached. Easy Connect waits 1000 ms; the time is an assumption.";
    Assumption "ldrst-latched" ldrst_latched: bool = false, Range::Any, Range::Fixed,
        "Whether the boot code that AT#LDRST=2,2 reached stays through reset pulses, until AT#BOOT. Easy Connect's order of steps leaves it open. Assumption.";
    Assumption "speed-outlives-reset" speed_outlives_reset: SpeedOutlives = SpeedOutlives::Saved, Range::Any, Range::OneOf(SpeedOutlives::ALL),
        "Whether the speed of AT+IPR outlives a reset. mbed saves it by AT#RESET=1; the rest is an assumption.";
    Assumption "speed-switch-delay" speed_switch_delay: Duration = us(500), between(us(0), s(1)), between(us(0), ms(10)),
        "How long after the end of the answer to AT+IPR the new speed holds. Assumption.";
    Assumption "fastest-speed" fastest_speed: Baud = baud(921_600), between_bauds(), Range::OneOf(FASTEST),
        "The fastest speed that AT+IPR takes; the slowest is 9600, and all usual ones between are there. Assumption.";
    Assumption "power-on-message" power_on_message: PowerOnMessage = PowerOnMessage::None, Range::Any, Range::OneOf(PowerOnMessage::ALL),
        "What the application gives as the cause of its start after the supply came on: nothing, or #REBOOT_RESET. Assumption.";
    Assumption "wake-time" wake_time: Duration = ms(5), between(ms(0), s(60)), between(ms(0), ms(50)),
        "How long after the wake line was asserted a sleeping application takes commands. Assumption: the sources name the line (mbed, arduino) and no time.";
    Assumption "wake-message" wake_message: bool = false, Range::Any, BOTH,
        "Whether #WAKEUP comes when the wake line ends a sleep. The message exists (zephyr, arduino); when it comes is an assumption.";
    Assumption "ring-pulse" ring_pulse: Duration = ms(50), between(ms(0), s(60)), between(ms(5), ms(200)),
        "How long the ring line is asserted from the beginning of a line that comes unasked, start-up messages among them; 0 ms for never. zephyr turns it on by AT#RINGPIN; that it is on is an assumption, and the time is.";
    Assumption "keeps-misframed" keeps_misframed: bool = true, Range::Any, BOTH,
        "Whether the module takes a byte whose stop bit was missing, as most UARTs deliver it, or drops it. Assumption.";

    Fault "speed" speed: Baud = Baud::DEFAULT, between_bauds(), Range::Fixed,
        "The speed of the application at the beginning, as an AT+IPR of before left it.";
    Fault "silent-after-acknowledge" silent_after_acknowledge: bool = false, Range::Any, Range::Fixed,
        "The boot code acknowledges the hotkey and answers no command: it is damaged, and the application still runs (the post).";
    Fault "accepts-downgrade" accepts_downgrade: bool = false, Range::Any, Range::Fixed,
        "A lower version is installed.";
    Fault "accepts-wrong-key" accepts_wrong_key: bool = false, Range::Any, Range::Fixed,
        "An image that is signed with another key is installed.";
    Fault "accepts-corrupt" accepts_corrupt: bool = false, Range::Any, Range::Fixed,
        "An image whose checksum is wrong is installed.";
    Fault "refuses-same-version" refuses_same_version: bool = false, Range::Any, Range::Fixed,
        "The installed version is refused when it is offered again.";
    Fault "refuses-upgrade" refuses_upgrade: bool = false, Range::Any, Range::Fixed,
        "A higher version is refused.";
    Fault "keeps-old-version" keeps_old_version: bool = false, Range::Any, Range::Fixed,
        "An upload ends well and installs nothing.";
    Fault "loses-version" loses_version: bool = false, Range::Any, Range::Fixed,
        "A lower version is refused, and installed all the same.";
    Fault "dead-after-refusal" dead_after_refusal: bool = false, Range::Any, Range::Fixed,
        "After a refused upload the application never starts again.";
    Fault "interruption-erases" interruption_erases: bool = false, Range::Any, Range::Fixed,
        "An upload that a reset breaks off leaves no application, until one has gone through.";
    Fault "interruption-locks" interruption_locks: bool = false, Range::Any, Range::Fixed,
        "After an upload that a reset broke off the boot code does not take the hotkey any more.";
    Fault "upload-ends-early" upload_ends_early: bool = false, Range::Any, Range::Fixed,
        "The device says too early that it has all of an image.";
    Fault "upload-ends-early-after" upload_ends_early_after: u8 = 1, between(1, 255), Range::Fixed,
        "With `upload-ends-early`: after how many requests.";
    Fault "upload-stalls" upload_stalls: bool = false, Range::Any, Range::Fixed,
        "The device asks for some pieces of an image and never again.";
    Fault "upload-stalls-after" upload_stalls_after: u8 = 1, between(1, 255), Range::Fixed,
        "With `upload-stalls`: after how many requests.";
    Fault "no-acknowledge" no_acknowledge: bool = false, Range::Any, Range::Fixed,
        "The boot code does not take the hotkey.";
    Fault "boot-garbles" boot_garbles: bool = false, Range::Any, Range::Fixed,
        "The lowest bit of every byte of the boot code's answers is inverted.";
    Fault "does-not-restart" does_not_restart: bool = false, Range::Any, Range::Fixed,
        "AT#BOOT and AT#RESET=1 leave the module dead until its reset line is pulsed.";
    Fault "application-silent" application_silent: bool = false, Range::Any, Range::Fixed,
        "The application sends its start-up messages and answers no command.";
    Fault "application-garbles" application_garbles: bool = false, Range::Any, Range::Fixed,
        "The lowest bit of every byte of the application's answers is inverted.";
    Fault "application-dead" application_dead: bool = false, Range::Any, Range::Fixed,
        "The application does not start: nothing comes after the boot window.";
    Fault "first-command-lost" first_command_lost: bool = false, Range::Any, Range::Fixed,
        "The application sleeps at the beginning, and the first command is lost (arduino: after a sleep the first AT is lost).";
    Fault "speed-not-restorable" speed_not_restorable: bool = false, Range::Any, Range::Fixed,
        "AT+IPR is answered by OK and changes nothing.";
    Fault "hangs-when-misframed" hangs_when_misframed: bool = false, Range::Any, Range::Fixed,
        "A byte without its stop bit, as a host at a wrong speed sends it, leaves the module dead until its reset line is pulsed.";
    Fault "watchdog-after" watchdog_after: Duration = ms(0), between(ms(0), s(3600)), Range::Fixed,
        "The watchdog restarts the application so long after its first message (#REBOOT_WD: 1), and so on; 0 ms for never.";
    Fault "deaf" deaf: bool = false, Range::Any, Range::Fixed,
        "The module hears nothing: the host's TX is not wired, or the other host drives RXD.";
    Fault "mute" mute: bool = false, Range::Any, Range::Fixed,
        "Nothing of what the module says reaches the host.";
    Fault "ignores-reset" ignores_reset: bool = false, Range::Any, Range::Fixed,
        "The reset line is not wired.";
    Fault "ignores-wake" ignores_wake: bool = false, Range::Any, Range::Fixed,
        "The wake line is not wired.";
    Fault "ignores-power" ignores_power: bool = false, Range::Any, Range::Fixed,
        "The switch of the module's supply is not wired: it is on whatever the host does.";
    Fault "parasitic-power" parasitic_power: bool = false, Range::Any, Range::Fixed,
        "Without its supply the module lives on through its pins, as long as the host's TX is not held low or a line to it is not let go.";
    Fault "no-power" no_power: bool = false, Range::Any, Range::Fixed,
        "The module has no supply, whatever the host does.";
    Fault "stuck-in-reset" stuck_in_reset: bool = false, Range::Any, Range::Fixed,
        "The reset line is asserted, whatever the host does.";
    Fault "wrong-port" wrong_port: WrongPort = WrongPort::None, Range::OneOf(WrongPort::ALL), Range::Fixed,
        "The port is another one of the kit: it talks by itself and hears nothing, and the module's UART is not on it. What it says.";
    Fault "wrong-port-period" wrong_port_period: Duration = s(1), between(ms(1), s(3600)), Range::Fixed,
        "With `wrong-port`: how often it talks.";
    Fault "echo-only" echo_only: bool = false, Range::Any, Range::Fixed,
        "TX and RX of the host are shorted: it hears what it sends, and the module is on neither.";
    Fault "sleeps-after" sleeps_after: Duration = ms(0), between(ms(0), s(3600)), Range::Fixed,
        "The application sleeps after so long without a byte in either direction, says so, and hears nothing until the wake line is asserted, a reset or a power cycle; 0 ms for never.";
    Fault "shuts-down-after" shuts_down_after: Duration = ms(0), between(ms(0), s(3600)), Range::Fixed,
        "The module shuts itself down so long after the application's first message, until reset is pulsed or the power cycled; 0 ms for never.";
    Fault "resets-itself" resets_itself: Duration = ms(0), between(ms(0), s(3600)), Range::Fixed,
        "The module restarts so long after the application's first message, as by its reset line, and so on; 0 ms for never.";
    Fault "lost-bytes" lost_bytes: Rate = Rate::ZERO, Range::Any, Range::Fixed,
        "The share of bytes that are lost on the wire.";
    Fault "doubled-bytes" doubled_bytes: Rate = Rate::ZERO, Range::Any, Range::Fixed,
        "The share of bytes that arrive twice.";
    Fault "corrupted-bytes" corrupted_bytes: Rate = Rate::ZERO, Range::Any, Range::Fixed,
        "The share of bytes of which one bit is inverted on the wire.";
    Fault "damage-direction" damage_direction: DamageDirection = DamageDirection::Both, Range::OneOf(DamageDirection::ALL), Range::Fixed,
        "With `lost-bytes`, `doubled-bytes` and `corrupted-bytes`: bytes of which direction.";
    Fault "break-at-start" break_at_start: bool = false, Range::Any, Range::Fixed,
        "The module's TX is low for a character at each release of reset and right before the application's first message.";
    Fault "noise-at-start" noise_at_start: u8 = 0, between(0, 8), Range::Fixed,
        "How many bytes, NUL or 0xFF, come at each release of reset and right before the application's first message.";
    Fault "energy-lines" energy_lines: bool = false, Range::Any, Range::Fixed,
        "After each answer the application says that it sleeps and that it has woken up, and does not sleep.";
    Fault "reports-version" reports_version: Option<Version> = None, Range::Any, Range::Fixed,
        "The version that the application reports once an upload has come to its end, whichever that was; `follows` for that of the firmware that runs.";
    Fault "port-vanishes" port_vanishes: Duration = ms(0), between(ms(0), s(3600)), Range::Fixed,
        "The host's port vanishes so long after the host's first byte, once; 0 ms for never.";
    Fault "port-returns-after" port_returns_after: Option<Duration> = None, Range::Any, Range::Fixed,
        "With `port-vanishes`: after how long the port comes back.";
    Fault "port-returns-as" port_returns_as: ReturnsAs = ReturnsAs::Same, Range::OneOf(ReturnsAs::ALL), Range::Fixed,
        "With `port-vanishes`: under which name the port comes back.";
}

/// Speeds that a UART can have.
fn between_bauds() -> Range<Baud> {
    Range::Between(baud(9600), baud(3_000_000), |low, _, _| *low)
}
