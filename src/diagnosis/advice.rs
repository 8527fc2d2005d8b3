//! The next thing to try where more was seen than the cause alone says: a rule that knows better than [`Cause::next`] gives one of these.

use super::Cause;

/// What a rule fills in.
const WORDS: [&str; 6] = ["SPEED", "HOME", "PORT", "TOOK", "ENOUGH", "CODE"];

/// Declares the advice. A row: its name, its cause, when it is given, and the next thing to try; words in capitals are those that a rule fills in, [`WORDS`].
macro_rules! advice {
    ($($variant:ident: $cause:ident, $when:literal, $next:expr;)+) => {
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
    HeldByCase: NothingCame,
        "reset is asserted, by a step",
        "let go of reset before anything is asked: a step `reset: release`, or `reset: { pulse: 15 ms }` in the place of `reset: assert`";
    OffByCase: NothingCame,
        "the supply is off, by a step",
        "switch the supply on before anything is asked or awaited: a step `power: on`, or `power: { cycle: 1 s }` in the place of `power: off`";
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
        "it is at SPEED baud: put it back by a step `restore`, which may be all that a scenario has, or by AT+IPR=HOME from a terminal program at SPEED baud. A \
         bench whose health case gives the board up wants `health: false` for that";
    IsBack: WrongSpeed,
        "it answers at its own speed again",
        "it answers at HOME baud since (a reset or `restore` has brought it back), so that nothing is left to be done to it. Look for what had left it at another speed: a case, a loader or a person whose AT+IPR was not undone";
    DoesNotSwitch: WrongSpeed,
        "AT+IPR is answered OK and changes nothing",
        "the module stays at SPEED baud, whatever AT+IPR says: leave the port at SPEED, and try AT+IPR with one other speed. A speed that is confirmed and not taken is a finding about the firmware: \
         keep the timeline";
    GoneAfterSwitch: WrongSpeed,
        "AT+IPR was answered OK, and nobody answers at any usual speed since",
        "switch the supply off and on, and send AT at HOME baud, then at the speed of the AT+IPR. Where it answers at HOME, it had not switched or has forgotten it; where at the other, it had; where at neither, \
         the speed is not it";
    TryAt: WrongSpeed,
        "what came looks like another speed",
        "send AT at SPEED baud; if that is answered, put it back by a step `restore`, or by AT+IPR=HOME there";
    PortElsewhere: WrongSpeed,
        "the board is at its own speed or at the one that the case told it, and the port is at another",
        "the board is at SPEED baud, where it should be: mend the case, not the board. The port was at PORT, and `uart: { baud: SPEED }` sets it to that. Where board and port are both to be at PORT, the case sends AT+IPR=PORT first and waits for its \
         OK (boot code says 0), and does so again after a restart, which may undo it";
    SpeedRefused: WrongSpeed,
        "the port followed an AT+IPR that was refused",
        "the board is at SPEED baud: AT+IPR=PORT was answered by CODE, so that it has not gone there. Leave the port at SPEED, or take another speed: which ones boot code takes is published nowhere (Easy Connect uses 115200 and 460800), and which ones the application takes is in ST's AT manual. \
         A step that goes on whatever is answered (`result: any`, `answer: any`) does not see this";
    UndoneByReset: WrongSpeed,
        "the case moved the board, and a restart has moved it back",
        "the board is at SPEED baud again since it was restarted: mend the case, not the board. AT+IPR=PORT of this case held until then only, so set the port back as well: `uart: { baud: SPEED }` behind the restart, and before a step that restarts it itself (`handshake`)";
    StillAsTold: WrongSpeed,
        "the board is at the speed that the case told it before a restart",
        "the board is at SPEED baud, as the case told it before the restart: whether a restart undoes AT+IPR is published nowhere. Set the port to SPEED baud (`uart`) and restart it there: where #SYSSTART comes, this board keeps the speed, so leave the port at SPEED; where not, \
         the reset line or the switch of the supply does not reach it";
    BootCodeElsewhere: WrongSpeed,
        "boot code takes the hotkey at another speed than the board's",
        "leave boot code by AT#BOOT or a pulse of reset, and send AT at HOME baud. If that is not answered, send it at SPEED, and put the board back by a step `restore`";
    BootCodeListensAt: WrongSpeed,
        "the hotkey is taken at another speed than the port's",
        "set the port to SPEED baud before the step `handshake` (`uart: { baud: SPEED }`): boot code listens there, whatever speed the application has. AT+IPR=PORT, sent to boot code, moves it, and the port follows (`uart`)";
    OneProgramGarbled: Garbage,
        "boot code is garbled at a speed at which its acknowledge, or the application, is clean",
        "the wires, the ground and the levels are good: bad ones would garble 0x9A and the application's answers too, and only boot code's answers are. Where it is so after each reset, boot code is \
         damaged, or answers at another speed or format: keep the timeline and report it with what is known of its versions";
    AnswersGarbled: Garbage,
        "start-up messages or echoes are clean at this speed, and answers are not",
        "the wires, the ground and the levels are good: what comes by itself or is sent back is clean. Where it is so after each reset, the application itself garbles its answers: keep the timeline \
         and report it with the version that was installed last";
    CommandHit: LineNoise,
        "what comes is clean, and a command was taken for another one",
        "look first at the direction from the host to the module: the wire from the host's TX, its level, and a second host that drives the module's RXD. Then shorten the wires, lay ground next to them, \
         and try another adapter or a lower speed";
    IsItKnown: LineNoise,
        "a command that not every module knows was answered by an error",
        "send it again by hand: if it is answered by the same error each time, it arrives as it is sent, and this module does not take it";
    SpeedTaken: ApplicationAnswered,
        "the application took an AT+IPR",
        "the application now runs at SPEED baud: put it back by a step `restore`, or by AT+IPR=HOME there. Then enter boot code before anything is said to it: a step `handshake` resets the module and sends the hotkey \
         from the release on; with another loader let go of reset only after it asks for that";
    SpeedTakenAndBack: ApplicationAnswered,
        "the application took an AT+IPR, and is back at its own speed since",
        "the application had taken the speed and answers at HOME baud again, so that nothing is left to be put back. Enter boot code before anything is said to it: a step `handshake` resets the module and sends the hotkey \
         from the release on; with another loader let go of reset only after it asks for that";
    NotEntered: ApplicationAnswered,
        "no hotkey was sent since the start",
        "no hotkey was sent since the module last started (AT#BOOT starts the application as well): put a step `handshake` right before this one, which resets the module and sends the hotkey";
    NoReset: ApplicationAnswered,
        "hotkeys were sent without a reset before them",
        "boot code takes the hotkey right after a reset only, and this case has pulsed none before it: send it by a step `handshake` without `pulse: none`, which resets the module first";
    EntryRefused: ApplicationAnswered,
        "the command before the hotkeys was answered by an error, and no reset went before",
        "AT#LDRST=2,2 is what leads from the application into boot code: see how the command is spelt that was refused, and where it is spelt so, send it once more (one that is damaged on its way is refused as well), as the shipped *boot entry by AT#LDRST* does. Or enter by a reset: a step `handshake` without `pulse: none`";
    TookIt: BootCodeAnswered,
        "0x9A was the last thing that came",
        "where the case wants the application, leave boot code with AT#BOOT, or pulse reset and send no hotkey. Boot code takes the hotkey right after a reset, as it should: where the case wants it not to, mend the case \
         (`outcome` of the step `handshake`, or the pause before it)";
    WaitsForCommand: BootCodeAnswered,
        "0x9A came before the step, and nothing in it",
        "boot code waits for a command, and says nothing by itself. Where the step waits for 0x9A, a step before (`handshake`) has taken it: leave this one out. Where it waits for the application, leave boot code by AT#BOOT or a pulse of reset before it";
    WaitsAfterUpload: BootCodeAnswered,
        "an upload was accepted, and nothing came since",
        "boot code waits: start the application by AT#BOOT (`boot: { command: AT#BOOT, result: any }`) or a pulse of reset, then wait for #SYSSTART";
    EntryUnanswered: BootCodeAnswered,
        "AT#LDRST came back, and nothing is answered since",
        "send it without waiting for an answer (a step `send`, as the shipped *boot entry by AT#LDRST* does), and the hotkey then, `handshake: { pulse: none }`: where boot code takes it, it was entered";
    HotkeyFirst: BootCodeAnswered,
        "AT#LDRST was answered OK, and no hotkey was sent behind it, or a command before it",
        "boot code takes commands after the hotkey only (`handshake: { pulse: none }`), and its own only. To be back in the application send AT#BOOT behind that (a step `boot`), or pulse reset and wait for #SYSSTART";
    RunsWhileHeld: BootCodeAnswered,
        "0x9A came while reset was asserted",
        "a module in reset says nothing: look at the wire to MODEM_RESET (K207 pin 2) and at its polarity in the bench file";
    ApplicationRuns: AcknowledgedSilent,
        "the application starts after a reset",
        "boot code had TOOK to answer: ask once more and wait for longer (`boot: { command: ATI0, within: ENOUGH }`), because how long boot code may take is published nowhere. If it stays silent: the application still runs, so that the unit can be used as it is. Its boot code is probably damaged, and no way to repair that over the UART is published: try no upload, keep the timeline, and ask ST";
    NothingRuns: AcknowledgedSilent,
        "no application starts after a reset either",
        "boot code had TOOK to answer: switch the supply off and on, and ask once more and for longer (`boot: { command: ATI0, within: ENOUGH }`), because how long boot code may take is published nowhere. If it stays so, keep the timeline and ask ST: no way to repair a boot code over the UART is published";
    SendForLonger: NotAcknowledged,
        "a later hotkey is acknowledged",
        "send the hotkey for longer after the release: `handshake: { strategy: repeat, within: 10 s }`";
    SendSooner: NotAcknowledged,
        "an earlier hotkey is acknowledged",
        "send the hotkey from the release on and often: `handshake: { strategy: repeat }`, without `pulse: none` and with nothing between the release and the step";
    ByItsLine: NotAcknowledged,
        "the hotkey was sent behind a command to restart, and behind a reset by its line it is acknowledged",
        "whether a restart by command passes the boot window is published nowhere: enter boot code by a reset by its line (a step `handshake` without `pulse: none`), or by AT#LDRST from the application, once that has said #SYSSTART";
    MoreOften: NotAcknowledged,
        "hotkeys were missed, and of those with less than half the pause between them one is acknowledged",
        "send it more often: `handshake: { every: 1 ms }`, some ten times (`repeat`). If it is missed now and then all the same, see whether the timeline says that this computer was late";
    NowAndThen: NotAcknowledged,
        "the same hotkeys were acknowledged after one more reset",
        "try it some ten times (`repeat`), and see how often it fails and whether the timeline says that this computer was late. A boot code that misses hotkeys every millisecond has a very short window, or one that \
         moves: a finding about the firmware, so keep the timelines";
    EnterByCommand: NotAcknowledged,
        "the hotkey was sent from the release on, every 1 ms or nearly so",
        "sending it sooner or more often will not help: it was sent from the release on, in the end every 1 ms. Enter boot code from the application: `evkit-hil run --bench … boot-entry-by-ldrst`. If that works, boot code does \
         not wait for a host after a plain reset; if not, it is locked, or one that takes no hotkey: ask ST which this unit has";
    NotEnteredByCommand: NotAcknowledged,
        "AT#LDRST was sent, and no hotkey behind it was taken",
        "how long AT#LDRST takes to lead into boot code is published nowhere: send the hotkey for longer (`handshake: { pulse: none, within: 10 s }`). Where that is in vain as well, enter boot code by a reset (`handshake`); if neither \
         leads into it, keep the timeline, and ask ST which boot code this unit has and how it is entered";
    BothWaysTried: NotAcknowledged,
        "AT#LDRST was answered OK as well",
        "neither AT#LDRST nor a reset leads into boot code: keep the timeline, and ask ST which boot code this unit has and how it is entered";
    AfterBrokenUpload: NotAcknowledged,
        "an upload had been broken off before",
        "the broken-off upload may have closed boot code: switch the supply off and on and send the hotkey once more; then try `evkit-hil run --bench … boot-entry-by-ldrst` while the application still runs. If neither \
         helps, it is a finding about the firmware: keep the timeline, and break off no upload on another unit";
    ResetAtItsSpeed: ResetWithoutEffect,
        "nothing came since the reset, and it is answered at another speed",
        "set the port to SPEED baud (`uart`) and pulse reset there: where #SYSSTART comes, the reset works and this board keeps its speed through it; where not, look at the wire to MODEM_RESET (K207 pin 2) and its ground (pin 7), and at the GPIO's number and polarity in the bench file";
    TransmitMayFeedIt: PowerWithoutEffect,
        "the port could not hold its transmit line low while the supply was off",
        "this port cannot hold TX low: it idled high while the supply was off, and may have fed the module through its pin. Take TX off for as long, or use a port that carries a break; then measure the supply at the kit while it is off: where all of it is there, \
         the switch does not switch this supply";
    PowerAtItsSpeed: PowerWithoutEffect,
        "nothing came since the supply came on, and it is answered at another speed",
        "set the port to SPEED baud (`uart`) and switch the supply off and on there: where #SYSSTART comes, the switch works and this board keeps its speed; where not, measure the supply at the kit while it is off";
    ByWatchdog: UncommandedReset,
        "#REBOOT_WD came",
        "the watchdog is a matter of the firmware: if anything was sent just before, try without it, and report it with the firmware's version and the timeline";
    ByItsLineOrSupply: UncommandedReset,
        "#REBOOT_RESET came",
        "ask who else resets it (the push-button, the kit's second host), then measure the supply while the radio transmits, and look at the reset line's wire";
    BySomebodyElse: UncommandedReset,
        "#REBOOT_HOST came",
        "a host has asked it to restart, and this program has not: look for another program or another host (the kit's second one) that sends AT#RESET";
    OrStartsSlowly: UncommandedReset,
        "it was the first thing that came since a commanded start, later than any start should take",
        "pulse reset once more and see when it comes. Where it comes as late again, this board takes so long to start: say so in the bench file (`start-up`). Where not, it restarted by itself: look at the supply under load, \
         and at who else may have reset it";
    CoreIsStarting: StillStarting,
        "it says +CME ERROR: 1120",
        "repeat the command once a second until it is no longer answered by +CME ERROR: 1120, which takes up to about 30 s (`retry: { times: 40, pause: 1 s, steps: … }`): neither #SYSSTART nor an OK to AT means that the core is up";
    NeverUp: StillStarting,
        "it says +CME ERROR: 1120 for longer than any start is known to take",
        "no start is known to take longer than about 30 s, so that waiting will hardly help: pulse reset once. If it stays so, the core does not come up: a finding about the firmware or the unit, so keep \
         the timeline";
    WaitThenEnter: StillStarting,
        "AT#LDRST was refused by +CME ERROR: 1120",
        "send AT#LDRST=2,2 again until it is answered OK (`retry` with a pause, up to 30 s), or enter boot code by a pulse of reset and the hotkey";
    AskedTooEarly: StillStarting,
        "a command came before the application said that it has started",
        "nothing is wrong with the board: wait for #SYSSTART before the first command (`expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }`) in the place of a fixed time: boards start at different speeds";
    EntryTooEarly: StillStarting,
        "AT#LDRST came before the application said that it has started",
        "wait for #SYSSTART before AT#LDRST, or enter boot code by a reset and the hotkey (a step `handshake`)";
    AskedWithoutHotkey: StillStarting,
        "a boot code's command came before the application said that it has started",
        "boot code takes commands after the hotkey only: put a step `handshake` before it, which resets the module and sends the hotkey. Where the application was to be asked, wait for #SYSSTART first";
    GiveItTime: StillStarting,
        "it came up when it was waited for longer",
        "nothing is wrong with the board: it took TOOK here, and the step gave it less. Where the step waits for the start, give it more, with some to spare (`within: ENOUGH`); what answers a command does not come of a start";
    LongerThanStartUp: StillStarting,
        "it took longer than `start-up` of the board",
        "nothing is wrong with the board: it took TOOK here, and the bench file says that its starts take less (`start-up`, 35 s where it says nothing). Where each start takes so long, say so there (`start-up: ENOUGH`), and give the step as much (`within: ENOUGH`)";
    DeadlineAtStart: StillStarting,
        "the deadline of the case ended the step",
        "nothing is wrong with the board: it took TOOK here, and it was the case's `deadline` that ended this step, not its own time. Make it longer, or leave it out (it is then what the steps may take in all)";
    OrNoHotkey: StillStarting,
        "it came up when it was waited for longer, and no hotkey was sent since the reset",
        "nothing is wrong with the board. Where the step waits for the start: it took TOOK here, and the step gave it less; give it more, with some to spare (`within: ENOUGH`). Where it waits for 0x9A: boot code says that to a hotkey (0xC5) only, and none was sent since the reset (a step `handshake` sends it)";
    ResetFirst: DoesNotStart,
        "only a command to restart was tried",
        "pulse reset: if the application starts then, only the restart by command hangs, and a reset does what it should. If a reset does not help either, see whether boot code takes the hotkey \
         (`evkit-hil diagnose` does both)";
    ResetBringsIt: DoesNotStart,
        "a reset brought it after all",
        "a pulse of reset starts the application, and the command to restart does not: use a reset instead, and report the restart that hangs with the version of the program that took it (ATI0 in boot code, ATI in \
         the application) and the timeline";
    NorDoesReset: DoesNotStart,
        "neither a command to restart nor a reset brought it",
        concat!(
            "a reset after the case brought nothing either: see whether boot code takes the hotkey (`evkit-hil diagnose`). If so, upload the version again that it was delivered with or had last \
         (",
            same_version_again!(),
            ")"
        );
    BootCodeAlone: DoesNotStart,
        "boot code takes the hotkey",
        concat!(
            "boot code is there: try AT#BOOT first, which starts an application that is there, and wait for longer than before (a board that takes longer to start than others says so in the bench file, `start-up`). If none starts, the unit still takes an upload: upload the version again that it was delivered with or had last (",
            same_version_again!(),
            "), \
         and read the version then (AT+CGMR)"
        );
    BootedInVain: DoesNotStart,
        "boot code takes the hotkey, and AT#BOOT was sent and started nothing",
        concat!(
            "boot code is there, and AT#BOOT started nothing: the unit still takes an upload. Upload the version again that it was delivered with or had last (",
            same_version_again!(),
            "), and read the version then (AT+CGMR). Where an upload went before, keep the timeline: a unit that an attempt to update leaves without an application is a finding about the firmware"
        );
    AfterUpload: DoesNotStart,
        "it does not start since an upload",
        concat!(
            "keep the timeline: a unit that an attempt to update leaves without an application is a finding about the firmware. Then see whether boot code takes the hotkey (`evkit-hil diagnose`); if so, upload the \
         installed version again (",
            same_version_again!(),
            ")"
        );
    AfterInterruption: DoesNotStart,
        "it does not start since an upload that was broken off",
        concat!(
            "nobody promises that an application survives an upload that is broken off: upload the whole image once more, or the installed version (",
            same_version_again!(),
            "), as the shipped *interrupted upload* does. Where that goes in, the unit is as it was. Keep the timeline: what this firmware leaves after an interruption is worth knowing"
        );
    SleepsOrDead: DoesNotStart,
        "it said #SLEEP before it was reset",
        "see first whether the reset reaches it: pulse reset while the module is awake, before it says #SLEEP. Where it goes on without #SYSSTART, the reset line is not wired (K207 pin 2) and it only sleeps; where nothing comes, \
         see whether boot code takes the hotkey (`evkit-hil diagnose`)";
    SleepsUnasked: Asleep,
        "it said #SLEEP, and nothing was sent after that",
        "power saving is on: turn it off at the beginning of a case (`before-case` in the bench file) where it is to stay awake, or pulse the wake line before anything is awaited. A step that wants silence, where the module may sleep, comes after #SLEEP";
    SleepsByItself: Asleep,
        "it said #SLEEP",
        "power saving is on: send AT twice (the first is lost after a sleep), pulse the wake line, or turn sleep off at the beginning of a case (`before-case` in the bench file)";
    SleepsOn: Asleep,
        "it said #SLEEP, and several commands brought nothing",
        "several commands have not woken it, so that sending AT again will not help: pulse the wake line (`wake` under `lines:` of the bench file), or reset, and turn power saving off at the beginning of a case (`before-case` of the bench file). By which \
         command is in ST's AT manual; 3GPP has AT+CPSMS=0 and AT+CEDRXS=0";
    HotkeyToASleeper: Asleep,
        "hotkeys were sent to an application that had said #SLEEP",
        "enter boot code by a reset (a step `handshake`, which pulses it), or wake the application first and enter by AT#LDRST. A case that wants the application awake pulses the wake line, or turns power saving off at its beginning";
    AskedWhileWaking: Asleep,
        "a command was sent right after the wake line was asserted",
        "how long a module takes to wake is published nowhere: wait for longer before the command (`wait: 1 s`), or send it twice (`tries: 2`). Where that brings nothing either, look at the wake line: its wire (K207 pin 1 is MODEM_WAKE-UP) and its polarity in the bench file";
    WakeLine: Asleep,
        "the wake line was pulsed, and the next command was lost all the same",
        "look at the wake line: its wire (K207 pin 1 is MODEM_WAKE-UP) and its polarity in the bench file (public hosts disagree on its level at rest)";
    HangsAfterPower: ApplicationHangs,
        "it had been started by switching its supply on",
        "the wires are not the problem: both directions work; and it hangs when its supply was off as well. Upload the installed version again; if it stays so, it is a finding about the firmware: keep the timeline";
    SentAtOtherSpeed: ShutDown,
        "it fell silent after bytes at another speed",
        "it fell silent after bytes at another speed than its own: run the same steps without these (a case that tells the module another speed sets the port to it as well, `uart`). If it answers then, its receiver hangs after a byte that it cannot read: a finding about the firmware. \
         If not, look at its temperature and its supply (AT#TEMPLIMIT, AT#VBATLIMIT)";
    SupplyMayBeGone: ShutDown,
        "not even a reset brings it back",
        "measure the supply at the kit and look at the wires: not even a reset brings it back";
    RefusedAtOnce: Refused,
        "AT#UP itself was answered by an error",
        "try once more: a command that is damaged on its way is answered by an error as well. Then ask ATI0 for the boot version; older firmware wanted commands before the reset into boot code (AT#LDCORE, AT#NVMSV)";
    RefusedLower: Refused,
        "the image is lower than what is installed",
        "that is what should happen: only the installed version or a higher one goes in. Take another image, or say `result: refused` where the refusal is what is tested";
    RefusedDamaged: Refused,
        "the image was damaged on purpose",
        "that is what should happen: take the sound image, or say `result: refused` where the refusal is what is tested";
    RefusedInstalled: Refused,
        "the image has the installed version",
        "upload it once more first: an image is refused as well when a byte of it is damaged on the way. Part A's version is not the reason, because this one is installed; see whether M or S in the file's name is lower than what the unit has. Compare the file's checksum with the release's, and ask whoever ordered the unit which key its images need (the file's name has one; no command \
         reads it back). If all are right, try a higher version: if that is refused as well, this unit takes no image, so keep the timeline and ask ST what the byte means";
    RefusedHigher: Refused,
        "the image is higher than what is installed",
        "upload it once more first: an image is refused as well when a byte of it is damaged on the way. Part A's version is not the reason; see whether M or S in the file's name is lower than what the unit has. Then compare the file's checksum with the release's, and ask whoever ordered the unit which key its images need (the file's name has one; no command reads it back). Then upload the \
         image of the installed version (`evkit-hil run --bench … --allow firmware same-version-again`): if that goes in, it is this file; if not, this unit takes no image: ask ST";
    RefusedFast: Refused,
        "the upload ran faster than 115200 baud, and nothing speaks against the image",
        "upload it once more at 115200 baud first (no AT+IPR and no `uart` before it): an image of which a byte is damaged on the way is refused as well, and a fast link damages more. If it is refused there as well, look at the file, its key and the unit: what is said of it then";
    RefusedThough: Refused,
        "the image is higher, and the installed version had gone in before",
        "the installed version went in just before, so that boot code and link are good, and it is probably this file: compare its key number and the versions in its name (A, M, S) with those of the image that went in, and \
         its checksum with the release's";
    NotInstalled: VersionNotAsInstalled,
        "the upload was accepted, and the version before runs",
        "where it is so after a pulse of reset as well, the upload was acknowledged and not installed: a finding about the firmware, so keep the timeline";
    NotInstalledAfterReset: VersionNotAsInstalled,
        "the upload was accepted, and the version before runs after a reset as well",
        "a reset has not changed it: the upload was acknowledged and not installed, a finding about the firmware, so keep the timeline";
    InstalledAllTheSame: VersionNotAsInstalled,
        "the upload was refused, and its version runs",
        "keep the timeline, and do not go on testing on this unit: an image that was refused is installed all the same, a finding about the module's downgrade protection. Then upload the version that it had \
         before";
    OtherVersion: VersionNotAsInstalled,
        "the version is neither the one before nor the one offered",
        "compare the image's file name with what is in it, and AT+CGMR with ATI: the version is none of those that this case knows, so that a file or a release is labelled wrongly";
    StalledFast: UploadStalled,
        "the upload ran faster than 115200 baud",
        "try again at 115200 baud. If it stops at the same byte, it is the device (flash, image size); if at another or not at all, it is the link: shorten the wires";
    AsksLater: UploadStalled,
        "it was waited for less than 2 s",
        "the step gave the device TOOK to ask again: give it more (`request-within`, 10 s where it is not said), because how long a device takes between two requests is published nowhere. If it stops all the same, at the same byte it is the device (flash, image size), at another the link: shorten the wires";
    NeverAsked: UploadStalled,
        "not a byte was asked for",
        "try once more and wait for longer (`request-within` of the step, and `within` where that is shorter): how long an erase takes before the first request is published nowhere. If it never asks, compare the image's kind with what AT#UP expects";
    NoVerdict: UploadStalled,
        "all of it was sent, and no verdict came",
        "all of the image was sent, and what the device thinks of it did not come: wait for longer (`request-within` of the step, and `within` where that is shorter): how long it checks an image is published nowhere. If nothing ever comes, read which version \
         runs (AT+CGMR) and keep the timeline";
    StillAsking: NotAsExpected,
        "the device was asking for the image still",
        "the upload was going on when the step's time was over: give it more (`within`), or a faster port";
    TooLate: NotAsExpected,
        "an answer came after the step had given up",
        "give the step more time (`within`). Where this firmware was quicker before, that is a finding: keep the timeline";
    AcknowledgedTooLate: NotAsExpected,
        "0x9A came after the step had given up",
        "wait for it longer: `within` of the step `handshake`; its strategy `st` has no more than 100 ms each time, `repeat` has. Where this boot code was quicker before, that is a finding: keep the timeline";
    UpByItself: NotAsExpected,
        "AT#UP was sent by a step of its own",
        "the step `upload` sends AT#UP by itself, and then the image: take away the step that sends it before";
    SlowerThanThat: NotAsExpected,
        "a command was given less time than each one before it took",
        "give the step more time (`within: ENOUGH`). Where this firmware was quicker before, that is a finding: keep the timeline";
    UploadTooLate: NotAsExpected,
        "the answer to AT#UP came after the step had given up",
        "give AT#UP more time (`answer-within` of the step `upload`; Easy Connect gives it 300 ms). Where this boot code was quicker before, that is a finding: keep the timeline";
    ShouldGoIn: NotAsExpected,
        "an image that should go in was accepted",
        "nothing that is seen speaks against this image, so that it should go in: `result: accepted`. Where the case is about another key, see which one its image has (`key` under `make`, or the file's name)";
    WasOn: NotAsExpected,
        "the supply was switched on and had not been off",
        "switch the supply off first: `power: { cycle: 2 s }` in the place of `power: on`";
    WasReleased: NotAsExpected,
        "reset was let go and had not been asserted",
        "assert reset first: `reset: { pulse: 15 ms }` in the place of `reset: release`";
    RestartEnded: NotAsExpected,
        "a command to restart was answered, and the step ended there",
        "compare the answer with what the step wants: `result` of a step `boot`, `answer` of a step `at`";
    ByStepBoot: NotAsExpected,
        "a command for boot code was sent as one for the application",
        "boot code answers by 0 or 40xx with CR alone, and a step `at` waits for OK or ERROR: send it by a step `boot`. Where another step waited, compare what came with what it wants";
    RestartsUnanswered: NotAsExpected,
        "AT#RESET was carried out without an answer",
        "a module may restart before its OK is out: send it without waiting for that (`send: { text: \"AT#RESET=1\\r\" }`), and wait for #SYSSTART, as the shipped *restart by command* does";
    FollowedTooEarly: NotAsExpected,
        "the port was set to another speed before AT+IPR was answered",
        "wait for the answer to AT+IPR first (a step `at` or `boot`, or `expect` in between), then set the port (`uart`), then `wait: 300 ms` before the next command";
    SwitchesLater: NotAsExpected,
        "a command was sent at once behind the answer to AT+IPR",
        "give the module time to switch: `wait: 300 ms` behind the step `uart`, as Easy Connect does. What it received at the wrong speed stands in its line until a CR comes";
    NotBrokenOff: NotAsExpected,
        "an upload went to its end that was to be broken off",
        "see what should break it off (`on` or `never` of the step): a byte behind the image's end never comes, and neither does a word that the device does not say. The image is installed now: where it is not to stay, upload the one before where that goes in";
    ResetLeavesBootCode: NotAsExpected,
        "a boot code's command came behind a reset or AT#BOOT without a hotkey",
        "a reset, a supply that comes on and AT#BOOT lead out of boot code: take it out, or put a step `handshake` right before this one, with nothing in between";
    AwaitedInVain: NotAsExpected,
        "nothing was sent in the step, and nothing came in it",
        "a module that runs says little by itself, and what had come before this step is behind it: pulse reset before a start is awaited (`reset: { pulse: 15 ms }`), send the command before its answer is, and leave out a step that waits for what a step before it has taken";
    SpeedNotOfApplication: NotAsExpected,
        "the application answered AT+IPR by an error",
        "take another speed: which ones this firmware takes is in ST's AT manual (the usual ones are 9600, 19200, 38400, 57600, 115200, 230400, 460800 and 921600). The board has stayed at its speed, so the port must as well";
    SwitchesSlowly: NotAsExpected,
        "AT+IPR was answered, and the new speed only later than the first command there",
        "give the module more time to switch: `wait: ENOUGH` behind the step `uart` (Easy Connect gives it 300 ms; how long it may take is published nowhere), or ask more than once (`tries: 3`). Where this firmware was quicker before, that is a finding: keep the timeline";
    DeadlinePassed: NotAsExpected,
        "the deadline of the case ended the step",
        "it was the case's `deadline` that ended this step, and not its own time: make it longer, or leave it out (it is then what the steps may take in all)";
    GoesUnanswered: NotAsExpected,
        "AT#BOOT was carried out without an answer",
        "a boot code may leave without an answer to AT#BOOT: send it by a step `boot` with `result: any`, and wait for #SYSSTART";
    NoCr: NotAsExpected,
        "a command was sent without CR",
        "put `\\r` behind the command (not `\\n`; a step `at` or `boot` does that by itself): nothing is carried out before it comes";
    FloatsAtStart: NotAsExpected,
        "the step ended at bytes of a line that floats",
        "a line floats while a module is reset or starts: let the step begin behind that (a `wait` before it), or say what must not come (`quiet: { for: …, never: [ … ] }`)";
    AnswerFirst: NotAsExpected,
        "the answer to a command ended a step in which it may not come",
        "let the answer go first: a step `at` or `boot` in the place of `send`, or an `expect` of it before this step; behind what may restart before its answer is out (AT#RESET, AT#LDRST, AT#BOOT), a `wait: 1 s`. \
         Or say what must not come (`quiet: { for: …, never: [ … ] }`)";
    StartFirst: NotAsExpected,
        "a start-up message ended a step in which it may not come",
        "wait for the start first (`expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }`, then `wait: 1 s` for #SIMST and the reason), or say what must not come (`quiet: { for: …, never: [ … ] }`)";
    ReasonComesLate: NotAsExpected,
        "the reason of a start that was awaited came in a step in which nothing may come",
        "let it come first: an `expect` of it behind the first command (`expect: { regex: '#REBOOT_\\w+\\r\\n', within: 5 s }`), or say what must not come (`quiet: { for: …, never: [ … ] }`)";
    NeverAtStart: NotAsExpected,
        "a start-up message came that `never` names",
        "a start says #REBOOT_…, #SYSSTART and #SIMST each time, in which order and with how much time between them is published nowhere: take out of `never` what belongs to it, or let the step begin behind it";
    NeverCame: NotAsExpected,
        "what `never` names came, and is no start-up message",
        "compare it with `never`: where it belongs there, take it out of `never`, or turn off what says it (what tells of the network ends with AT+CFUN=0). Where not, it is a finding: keep the timeline";
    SaysByItself: NotAsExpected,
        "a line that nobody had asked for ended a step in which it may not come",
        "the module says such lines by itself: say what must not come in the place of everything (`quiet: { for: …, never: [ … ] }`), or turn off what says it (#ENERGY and #SLEEP are of power saving; what tells of the network ends with AT+CFUN=0)";
    HotkeyToApplication: NotAsExpected,
        "a command had started the application before the first hotkey",
        "boot code takes the hotkey right after a reset, and the application not at all: send it by a step `handshake` without `pulse: none`, which resets the module first, or enter by AT#LDRST from the application, as the shipped *boot entry by AT#LDRST* does";
    HotkeyAsText: NotAsExpected,
        "the hotkey was sent as text",
        "send it as a byte (`send: { hex: c5 }`), or by a step `handshake`, which resets the module and sends it as often as it takes";
    LineNotClean: NotAsExpected,
        "bytes had been sent before it that were not its own",
        "what was sent before stood in the module's line still: send a lone CR (`send: { text: \"\\r\" }`) before the command, as the shipped *wrong baud* does";
    AnswersTheOneBefore: NotAsExpected,
        "the result came before the echo",
        "wait for the answer to the command before (a step `at`, or `expect` behind `send`; `within` gives a slow one its time): what came first answers that one";
    NotTaken: NotAsExpected,
        "the application answered by an error, and its echo came back as it was sent",
        "look in ST's AT manual whether this firmware has the command (ATI and AT+CGMR say which it is), whether it is spelt so, and what it needs before (SIM, radio, another command); the numbers behind +CME ERROR \
         are in 3GPP TS 27.007, ST's own ones are not published. Where the error is what should come, say `answer: ERROR` (AT+CMEE decides in which form it comes)";
    NotOfBootCode: NotAsExpected,
        "boot code answered by 40xx",
        "boot code is known to take ATI0, AT+IPR, AT#UP and AT#BOOT, in capitals, and nothing else; what its 40xx mean is not published. What is meant for the application wants AT#BOOT and #SYSSTART before it. Where the code is what \
         should come, say it: `result: CODE`";
    SpeedNotOfBootCode: NotAsExpected,
        "boot code answered AT+IPR by 40xx",
        "boot code knows AT+IPR, and does not take this speed: which ones it takes is published nowhere. Easy Connect uses 115200 and 460800. Where the code is what should come, say it: `result: CODE`";
    StaysInBootCode: NotAsExpected,
        "boot code answered last",
        "compare what came with what the step wants. Where the step waits for a word of the application: boot code waits for commands and says nothing by itself, so leave it by AT#BOOT, or by a pulse of reset, before";
    NothingWasDone: NotAsExpected,
        "nothing was sent, and the module was not restarted",
        "a module that runs says little by itself: pulse reset or send a command before something is waited for";
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
