//! The next thing to try where more was seen than the cause alone says: a rule that knows better than [`Cause::next`] gives one of these.

use super::Cause;

/// What a rule fills in.
const WORDS: [&str; 2] = ["SPEED", "HOME"];

/// Declares the advice. A row: its name, its cause, when it is given, and the next thing to try; words in capitals are those that a rule fills in, [`WORDS`].
macro_rules! advice {
    ($($variant:ident: $cause:ident, $when:literal, $next:literal;)+) => {
        /// The next thing to try for a cause, by what was seen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Advice { $(#[doc = $when] $variant,)+ }

        impl Advice {
            /// All, in the order of the causes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The cause that it belongs to.
            #[must_use]
            pub const fn cause(self) -> Cause {
                match self { $(Self::$variant => Cause::$cause,)+ }
            }

            /// When it is given, behind *where*.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self { $(Self::$variant => $when,)+ }
            }

            /// The next thing to try, in plain words.
            #[must_use]
            pub const fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)+ }
            }
        }
    };
}

advice! {
    NothingAtAnySpeed: NothingCame,
        "AT was sent at every usual speed",
        "check in this order: the supply; the port (the kit shows several: is this another port?); that nothing holds the reset line; the wire from the module's TX to the host's RX. \
         The speed is not it: nothing came at any usual one";
    NothingAndNotHeld: NothingCame,
        "AT was sent at every usual speed, and the reset line reads back as released",
        "check in this order: the supply; the port (the kit shows several: is this another port?); the wire from the module's TX to the host's RX. It is not the speed (nothing came at \
         any usual one), and nothing holds the reset line (it reads back as released)";
    PutBack: WrongSpeed,
        "it was answered at another speed",
        "it is at SPEED baud: put it back with AT+IPR=HOME there, or `restore` in a scenario";
    IsBack: WrongSpeed,
        "it answers at its own speed again",
        "it is back at HOME baud, so that nothing has to be put back. Look for what had left it at another speed: a case, a loader or a person whose AT+IPR was not undone";
    DoesNotSwitch: WrongSpeed,
        "AT+IPR is answered OK and changes nothing",
        "the module stays at SPEED baud whatever AT+IPR says, so that sending it again will not help: talk to it at SPEED baud, try one other speed, and keep the timeline: a speed that is \
         confirmed and not taken is a finding about the firmware";
    GoneAfterSwitch: WrongSpeed,
        "AT+IPR was answered OK, and nobody answers at any usual speed since",
        "pulse reset and send AT at HOME baud, then at the speed of the AT+IPR: which of them answers says whether it had switched; none of them is another cause";
    TryAt: WrongSpeed,
        "what came looks like another speed",
        "send AT at SPEED baud; if that is answered, put it back with AT+IPR=HOME there, or `restore` in a scenario";
    PortElsewhere: WrongSpeed,
        "the board is at its own speed, and the port was set to another one",
        "the board is at HOME baud, its own speed, and the port is at SPEED: look at the step that set the port (`uart`). Leave it out, or bring the board to that speed before it: AT+IPR=SPEED, answered OK, \
         and no reset since, which may undo it";
    BootCodeElsewhere: WrongSpeed,
        "boot code takes the hotkey at another speed than the board's",
        "leave boot code with AT#BOOT or a pulse of reset, and send AT at HOME baud; if that is not answered, at SPEED, and put it back with AT+IPR=HOME there";
    OneProgramGarbled: Garbage,
        "one of the module's programs is clean at this speed, and the other is not",
        "the wires, the ground and the levels are good: the same bytes would be garbled from both programs. Try again after a pulse of reset; if it stays, that program is damaged or sends at another \
         speed or format: keep the timeline and report it with the versions (ATI0, ATI)";
    AnswersGarbled: Garbage,
        "start-up messages or echoes are clean at this speed, and answers are not",
        "the wires, the ground and the levels are good: what comes by itself or is sent back is clean. Try again after a pulse of reset; if it stays, it is the application's own doing: keep the timeline \
         and report it with its version (boot code's is in ATI0)";
    CommandHit: LineNoise,
        "what comes is clean, and a command was taken for another one",
        "look at the direction from the host to the module first: the wire from its TX, its level, and a second host that drives the module's RXD. Then shorter wires, ground next to them, another \
         adapter or a lower speed";
    IsItKnown: LineNoise,
        "a command that not every module knows was answered by an error",
        "send it again by hand: if it is answered by the same error each time, it arrives as it is sent, and this module does not take it";
    SpeedTaken: ApplicationAnswered,
        "the application took an AT+IPR",
        "the application now runs at SPEED baud: put it back with AT+IPR=HOME there. Then let go of reset only after the loader asks for it, and send the hotkey from the release on";
    RunsWhileHeld: BootCodeAnswered,
        "0x9A came while reset was asserted",
        "a module in reset says nothing: look at the wire to MODEM_RESET (K207 pin 2) and at its polarity in the bench file";
    ApplicationRuns: AcknowledgedSilent,
        "the application starts after a reset",
        "the application still runs, so that the unit can be used as it is. That its boot code is damaged is likely and not proved, and nobody has published a way to mend it over the UART: keep the \
         timeline, and ask ST before anything else is tried";
    NothingRuns: AcknowledgedSilent,
        "no application starts after a reset either",
        "switch the supply off and on and try once more; if it stays, keep the timeline and ask ST: nobody has published a way to mend a boot code over its UART";
    SendForLonger: NotAcknowledged,
        "a later hotkey is acknowledged",
        "send the hotkey for longer after the release: `handshake: { within: 10 s }`";
    SendSooner: NotAcknowledged,
        "an earlier hotkey is acknowledged",
        "send the hotkey from the release on and often: `handshake: { strategy: repeat }`";
    NowAndThen: NotAcknowledged,
        "the same hotkeys were acknowledged after one more reset",
        "try it some ten times (`repeat`) and see how often it fails: boot code that takes the hotkey now and then has a short window, and needs it more often (`every: 1 ms`). Look also whether the timeline \
         says that this computer was late";
    EnterByCommand: NotAcknowledged,
        "the hotkey was sent from the release on, and often",
        "neither a pause nor the strategy is it: the hotkey was there from the release on. Try AT#LDRST=2,2 from the application (scenario *boot entry by AT#LDRST*): if boot code is entered by that, it does \
         not wait for a host after a plain reset; else it is locked or another one: ask ST which this unit has";
    BothWaysTried: NotAcknowledged,
        "AT#LDRST was answered OK as well",
        "neither AT#LDRST nor a reset leads into boot code: keep the timeline, and ask ST which boot code this unit has and how it is entered";
    AfterBrokenUpload: NotAcknowledged,
        "an upload had been broken off before",
        "it may be the broken-off upload that has closed boot code: switch the supply off and on and send the hotkey once more, then try AT#LDRST=2,2 while the application still runs; if neither \
         helps, it is a finding about the firmware: keep the timeline, and break off no upload on another unit";
    ByWatchdog: UncommandedReset,
        "#REBOOT_WD came",
        "the watchdog is a matter of the firmware: if anything was sent just before, try without it, and report it with the firmware's version and the timeline";
    ByItsLineOrSupply: UncommandedReset,
        "#REBOOT_RESET came",
        "look at the supply while the radio transmits, at the reset line's wire, and at who else drives it: the push-button, the other host of the kit";
    BySomebodyElse: UncommandedReset,
        "#REBOOT_HOST came",
        "a host has asked it to restart, and this program has not: look for another program or another host (the kit's second one) that sends AT#RESET";
    CoreIsStarting: StillStarting,
        "it says +CME ERROR: 1120",
        "ask again until the answer is another one (`retry` with a pause), for up to 30 s: neither #SYSSTART nor an OK to AT means that the core is up";
    NeverUp: StillStarting,
        "it says +CME ERROR: 1120 for longer than any start is known to take",
        "this is longer than a start is known to take (about 30 s), so that more waiting will hardly help: pulse reset once; if it stays, the core does not come up: a finding about the firmware or the unit, \
         so keep the timeline";
    WaitThenEnter: StillStarting,
        "AT#LDRST was refused by +CME ERROR: 1120",
        "send AT#LDRST=2,2 again until it is answered OK (`retry` with a pause, up to 30 s), or enter boot code by a pulse of reset and the hotkey";
    GiveItTime: StillStarting,
        "it came up when it was waited for longer",
        "nothing is wrong with the board: give the step more time (`within`), as much as it took here";
    ResetFirst: DoesNotStart,
        "only a command to restart was tried",
        "pulse reset first: if the application starts then, the restart by command is what hangs, and a reset is the way out of boot code. Only if that brings nothing either see whether boot code still takes \
         the hotkey";
    ResetBringsIt: DoesNotStart,
        "a reset brought it after all",
        "a pulse of reset starts the application, and the command to restart does not: use a reset instead of it, and report the restart that hangs with the boot code's version (ATI0) and the timeline";
    NorDoesReset: DoesNotStart,
        "neither a command to restart nor a reset brought it",
        "a pulse of reset was tried behind it and brought nothing either: see whether boot code still takes the hotkey; if so, upload the installed version again";
    BootCodeAlone: DoesNotStart,
        "boot code takes the hotkey",
        "boot code is there, so that the unit can be uploaded to: upload the installed version again, and read the version then (AT+CGMR)";
    AfterUpload: DoesNotStart,
        "it does not start since an upload",
        "keep the timeline: a unit that an update attempt leaves without an application is a finding about the firmware. Then see whether boot code still takes the hotkey; if so, upload the installed \
         version again";
    SleepsByItself: Asleep,
        "it said #SLEEP",
        "power saving is on: send AT twice (the first is lost after a sleep), pulse the wake line, or turn sleep off at the beginning of a case (`before-case` in the bench file)";
    WakeLine: Asleep,
        "the wake line was pulsed, and the next command was lost all the same",
        "look at the wake line: its wire (K207 pin 1 is MODEM_WAKE-UP) and its polarity in the bench file (public hosts disagree on its level at rest). Until then send AT twice: the first only wakes it";
    SentAtOtherSpeed: ShutDown,
        "it fell silent after bytes at another speed",
        "it fell silent after bytes at another speed than its own: send the same without these, at its speed alone; if it stays awake then, its receiver hangs after a byte that it cannot read, which is a \
         finding about the firmware. If not, look at its temperature and its supply (AT#TEMPLIMIT, AT#VBATLIMIT)";
    HostWasHeard: ShutDown,
        "it talks and answers nothing, and the host was heard before",
        "leave the wires: they are good in both directions. Switch the supply off and on; if it still answers nothing, upload the installed version again, and if it stays, it is a finding about the \
         firmware: keep the timeline";
    SupplyMayBeGone: ShutDown,
        "not even a reset brings it back",
        "measure the supply at the kit and look at the wires: not even a reset brings it back";
    RefusedAtOnce: Refused,
        "AT#UP itself was answered by an error",
        "ask ATI0 for the boot version; older firmware wanted commands before the reset into boot code (AT#LDCORE, AT#NVMSV)";
    RefusedLower: Refused,
        "the image is lower than what is installed",
        "that is what should happen: only the installed version or a higher one goes in. Take another image, or say `result: refused` where the refusal is what is tested";
    RefusedDamaged: Refused,
        "the image was damaged on purpose",
        "that is what should happen: take the sound image, or say `result: refused` where the refusal is what is tested";
    RefusedInstalled: Refused,
        "the image has the installed version",
        "it is not the version, because this one is installed: compare the key number in the file's name with the unit's and the file's checksum with the release's. If both are right, nothing can be uploaded to this unit: \
         keep the timeline and ask ST what the byte means";
    RefusedThough: Refused,
        "the image is higher, and the installed version had gone in before",
        "the installed version went in just before, so that boot code and link are good: compare this image's key number and core with the board's, and its checksum with the release's";
    NotInstalled: VersionNotAsInstalled,
        "the upload was accepted, and the version before runs",
        "pulse reset and read it once more; if it stays, the upload was acknowledged and not installed: a finding about the firmware";
    InstalledAllTheSame: VersionNotAsInstalled,
        "the upload was refused, and its version runs",
        "keep the timeline and do not go on testing on this unit: an image that was refused is installed all the same, a finding about the module's downgrade protection. Then bring back the version \
         before";
    OtherVersion: VersionNotAsInstalled,
        "the version is neither the one before nor the one offered",
        "compare the image's file name with what is in it, and AT+CGMR with ATI: the version is none of those that this case knows, so that a file or a release is labelled wrongly";
    StalledFast: UploadStalled,
        "the upload ran faster than 115200 baud",
        "try again at 115200 baud and with shorter wires; if it stops at the same byte, it is the device (flash, image size), else the link";
    NeverAsked: UploadStalled,
        "not a byte was asked for",
        "try once more and wait for longer: how long an erase takes before the first request is published nowhere. If it never asks, compare the image's kind with what AT#UP expects";
    TurnedOff: PowerWithoutEffect,
        "bytes came while the supply was off",
        "measure the supply at the kit while it is off: the switch may switch something else, or the module lives through its pins: TX and every line low or let go before the supply goes off";
}

impl Advice {
    /// Whether `next` ends in this, whatever stands in the place of the words in capitals.
    #[must_use]
    pub fn is_said(self, next: &str) -> bool {
        let text = WORDS.iter().fold(self.next().to_owned(), |text, word| text.replace(word, "|"));
        let rest = text.split('|').try_fold(next, |rest, part| rest.split_once(part).map(|(_, behind)| behind));
        rest == Some("")
    }

    /// The next thing to try, with what a rule knows in the place of its words in capitals.
    pub(super) fn filled(self, words: &[(&str, &dyn std::fmt::Display)]) -> String {
        words.iter().fold(self.next().to_owned(), |text, (word, value)| text.replace(word, &value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_something_else_than_the_cause() {
        for advice in Advice::ALL {
            assert_ne!(advice.next(), advice.cause().next(), "{advice:?}");
            assert!(!advice.next().contains("  ") && !advice.next().ends_with('.'), "{advice:?}");
        }
        assert_eq!(Advice::PutBack.filled(&[("SPEED", &9600), ("HOME", &115_200)]).matches("AT+IPR=115200").count(), 1);
    }
}
