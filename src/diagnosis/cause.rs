//! The named causes, in one table: what each means, and the next thing to try.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the causes. A row: variant, name in files, what it means, the next thing to try.
macro_rules! causes {
    ($($variant:ident = $name:literal, $meaning:literal, $next:expr;)+) => {
        /// A named cause. Sources of the patterns: the table *What goes wrong on a real bench* of the module's facts; docs/diagnosis.md has each with a transcript.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Cause { $(#[doc = $meaning] $variant,)+ }

        impl Cause {
            /// Every cause, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that scenarios and reports use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in one or two sentences.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// Whether bytes that are damaged on the way can look like it.
            pub(super) const fn may_be_noise(self) -> bool {
                !matches!(
                    self,
                    Self::PortLost | Self::LineStuck | Self::UncommandedReset | Self::WrongSpeed | Self::WrongPort | Self::EchoOnly | Self::StillStarting
                        | Self::AcceptedLower | Self::AcceptedDamaged | Self::AcceptedWrongKey | Self::PowerWithoutEffect | Self::ToolFailed
                )
            }

            /// Whether it can be told of a board of which nothing is assumed: the others are about an ST87M01.
            #[must_use]
            pub const fn is_of_the_rig(self) -> bool {
                matches!(self, Self::PortLost | Self::LineStuck | Self::ToolFailed)
            }

            /// The next thing to try, in plain words.
            #[must_use]
            pub const fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)+ }
            }
        }
    };
}

causes! {
    NothingCame = "nothing-came",
        "Bytes were sent or a reset was pulsed, and nothing at all came back: no supply, the wrong port, or a wire that is off.",
        "check in this order: the supply; the port (the kit shows several: is this another port?); that nothing holds the reset line; the wire from the module's TX to the host's RX; the speed on both sides";
    WrongSpeed = "wrong-speed",
        "The module talks at another speed than the host.",
        "put the board back by a step `restore`, which looks for it at the usual speeds; a reset alone may not do it, because whether AT+IPR outlives one is not published";
    Garbage = "garbage",
        "Bytes come that are no known answer at any usual speed.",
        "look at the signal: ground between host and kit, logic levels (a Pi's pin is 3.3 V), the length of the wires, a second sender on the same line";
    LineNoise = "line-noise",
        "Known words come damaged, or commands arrive damaged: bytes are lost, doubled or changed on the way.",
        "shorten the wires, connect ground next to them, try another USB adapter or a lower speed. If the errors stay when wires and adapter are others, the kit is at fault";
    ApplicationAnswered = "application-answered",
        "The application answered where boot code should have: the reset came before the loader asked for it, and the boot window had passed.",
        "let go of reset only after the loader asks for it, and send the hotkey from the release on; a step `handshake` does both";
    BootCodeAnswered = "boot-code-answered",
        "Boot code answered where the application should have.",
        "leave boot code with AT#BOOT, or pulse reset and wait for #SYSSTART before the first command";
    AcknowledgedSilent = "acknowledged-silent",
        "The boot code acknowledged the hotkey and then answered no command.",
        "see whether the application still starts after a reset, then keep the timeline and ask ST: no way to repair a boot code over the UART is published";
    NotAcknowledged = "not-acknowledged",
        "The module was reset and started, and its boot code did not acknowledge the hotkey.",
        "send the hotkey from the release on, often and for long (`handshake: { strategy: repeat, every: 1 ms, within: 5 s }`): the boot window may be short, or open late";
    ResetWithoutEffect = "reset-without-effect",
        "The reset line was pulsed and the application went on as if it had not been.",
        "look at the wire to MODEM_RESET (K207 pin 2) and its ground (pin 7), at the GPIO's number and polarity in the bench file, and whether a level shifter drives against it";
    PowerWithoutEffect = "power-without-effect",
        "The supply was switched and the module went on, or did not start anew.",
        "measure the supply at the kit while it is off. Where all of it is there, the switch does not switch this supply; where a part, the module is fed through its pins: `power` holds TX low and lets go of its lines, \
         so look for another one that is driven (the kit's second host, a line by `command` or `manual`)";
    LineStuck = "line-stuck",
        "The reset line is asserted although the host has let go of it: the module is held in reset.",
        "look for what pulls it low: the push-button, a missing pull-up behind a level shifter (`bias: pull-up` or `drive: push-pull`), another program or host on the line, a Pi's pin that wakes with a pull-down \
         (GPIO9 to 27), the polarity in the bench file (`active`)";
    UncommandedReset = "uncommanded-reset",
        "The module restarted and nobody had asked it to.",
        "look at the supply under load, at the reset line's wire, and at who else may have reset it; a restart that says nothing of why may also be the firmware's";
    StillStarting = "still-starting",
        "The application is still starting: it answers +CME ERROR: 1120, or nothing yet, up to about 30 s after a reset.",
        "wait for #SYSSTART, or give the step more time";
    DoesNotStart = "does-not-start",
        "After a restart the application does not come up.",
        concat!(
            "see whether boot code takes the hotkey (`evkit-hil diagnose`), and whether AT#BOOT starts an application then; if it does not, upload the installed version again (",
            same_version_again!(),
            ")"
        );
    Asleep = "asleep",
        "The module sleeps: it said so, or it answers only after it was woken.",
        "send AT twice (the first is lost after a sleep), pulse the wake line if the kit has one wired, or turn sleep off at the beginning of a case (`before-case` in the bench file)";
    ShutDown = "shut-down",
        "The application had answered and fell silent without a restart, although nothing else has changed: it has shut itself down, or hangs until a reset.",
        "measure its supply and look at its temperature (AT#TEMPLIMIT and AT#VBATLIMIT are about the limits at which it shuts itself down), at what was sent last, and whether power saving is on";
    ApplicationHangs = "application-hangs",
        "The application says that it starts, and answers no command, not even right after a reset, although the host is heard over the same wires.",
        concat!(
            "the wires are not the problem: both directions work. Switch the supply off and on. If it still answers nothing, upload the version again that it had last (",
            same_version_again!(),
            "); if it stays so, it is a finding about the firmware: keep the timeline"
        );
    EchoOnly = "echo-only",
        "What comes back is what was sent, byte for byte, and nothing else: TX and RX touch each other, or the far end is not connected.",
        "look for a loop-back plug or solder bridge, and that K209 pin 1 and 2 go to the host's RX and TX, not to each other";
    TalksButDoesNotHear = "talks-but-does-not-hear",
        "Start-up messages come and no command is answered: the module does not hear the host.",
        "look at the wire from the host's TX, at which of the kit's two hosts (PC or associated board) drives the module's RXD, and that flow control (RTS, CTS) is off";
    WrongPort = "wrong-port",
        "The port talks, and it is no AT port.",
        "the kit shows several ports and only one carries AT commands: try the others (`ls -l /dev/serial/by-id` lists them by name)";
    Refused = "refused",
        "The device refused the image.",
        "upload it once more first: an image is refused as well when a byte of it is damaged on the way. Then compare the versions in the file's name with what is installed (AT+CGMR), and its checksum with the release's. Then try the image of the installed version (`evkit-hil run --bench … --allow firmware same-version-again`), which must be \
         accepted: if that is refused as well, it is not the version";
    AcceptedLower = "accepted-lower",
        "The device installed a lower version, which it should have refused.",
        "this is a finding about the module's downgrade protection: keep the timeline and report it; do not go on testing on this unit before it runs the released version again";
    AcceptedDamaged = "accepted-damaged",
        "The device installed an image that was damaged on purpose.",
        "the module does not check what it installs: keep the timeline and report it, and upload a sound image before the unit is used";
    AcceptedWrongKey = "accepted-wrong-key",
        "The device installed an image that another key has signed.",
        "see which key the unit needs and which one the file's name has, and whether M or S in it is lower than what the unit has. Where either is so, the module does not check what it should: keep the timeline and report it, and upload a released image before the unit is used. \
         Where neither is, this image should go in: `result: accepted`";
    VersionNotAsInstalled = "version-not-as-installed",
        "The version that the application reports is not the one that should be installed.",
        "pulse reset and read it once more. If it stays so, it is a finding about the firmware: keep the timeline";
    UploadStalled = "upload-stalled",
        "The device stopped asking for the image in the middle of an upload.",
        "try once more. If it stops at the same byte, it is the device (flash, image size); if at another, it is the link: shorten the wires";
    UploadProtocol = "upload-protocol",
        "The device broke the rules of an upload: it said that it had all of the image before it had.",
        "try once more; if it repeats, the boot code's version matters (ATI0): report it with the timeline, and check which version runs now";
    NotAsExpected = "not-as-expected",
        "The module speaks clearly, nothing is seen to be wrong with board or bench, and what came is not what the step wants: the firmware, or the scenario.",
        "compare what came with what the step wants, and when (`within`) and in which order it came. Where the scenario is wrong, mend it. Where this firmware does otherwise than the one before (AT+CGMR says which it is), that is a finding: keep the timeline";
    PortLost = "port-lost",
        "The port vanished while it was in use.",
        "look at the USB cable, the hub's supply and `dmesg`; name the port by its place on USB or its serial number, so that it is found again under any name";
    ToolFailed = "tool-failed",
        "A program that was to do a part of the case failed by itself.",
        "run the program by hand with the same arguments and read what it says";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sure {
    /// Another cause fits as well.
    Possible,
    /// It fits, and something else could look the same.
    Likely,
    /// It fits everything that was seen, and nothing else known does.
    VeryLikely,
    /// What was seen leaves no other.
    Certain,
}

impl fmt::Display for Sure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::VeryLikely => "very likely",
            Self::Certain => "certain",
        })
    }
}

/// What can be done to a board to decide between causes. None of it changes anything that outlives a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// `AT`, twice, at the host's speed and then at each usual speed.
    Ask,
    /// Nothing is sent until the application has had its start-up time; then [`Probe::Ask`].
    Wait,
    /// The reset line is pulsed, and the start awaited; then `AT`.
    Reset,
    /// The wake line is pulsed where there is one; then `AT`, twice.
    Wake,
    /// Nothing is sent for three seconds.
    Listen,
    /// The reset line is pulsed and the hotkey sent from the release on, as in a handshake; another pulse leaves boot code.
    Boot,
}

impl Probe {
    /// Every probe.
    pub const ALL: &'static [Self] = &[Self::Ask, Self::Wait, Self::Reset, Self::Wake, Self::Listen, Self::Boot];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Wait => "wait",
            Self::Reset => "reset",
            Self::Wake => "wake",
            Self::Listen => "listen",
            Self::Boot => "boot",
        }
    }

    /// What is done, for a line that tells what a board does now.
    #[must_use]
    pub const fn in_short(self) -> &'static str {
        match self {
            Self::Ask => "AT at each usual speed",
            Self::Wait => "nothing is sent for a start",
            Self::Reset => "a reset, #SYSSTART, AT",
            Self::Wake => "the wake line, AT",
            Self::Listen => "nothing is sent for 3 s",
            Self::Boot => "a reset, the hotkey",
        }
    }

    /// What is done, in words that a person could follow by hand.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ask => "send AT twice at this speed, then at each usual speed, and see who answers",
            Self::Wait => "send nothing until the application has had all the time it may take to start, then send AT",
            Self::Reset => "pulse the reset line, wait for #SYSSTART, then send AT",
            Self::Wake => "pulse the wake line, then send AT twice",
            Self::Listen => "send nothing for three seconds and see what comes by itself",
            Self::Boot => "pulse the reset line, send the hotkey from the release on, and see whether boot code takes it",
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
