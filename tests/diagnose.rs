//! The examination of a board, on virtual EVKITs in simulated time: each fault with its cause, nothing that outlives a reset, and the board left well.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::bench::{Board, Sim};
use evkit_hil::diagnosis::{Advice, Cause, Sure};
use evkit_hil::model::DeviceModel;
use evkit_hil::model::evkit::{Settings, VirtualEvkit};
use evkit_hil::report::{CaseReport, Palette, terminal};
use evkit_hil::runner::case::Circumstances;
use evkit_hil::runner::examination::{Examined, LISTEN, Scope, examine};
use evkit_hil::runner::progress::Progress;
use evkit_hil::runner::watch::Restarts;
use evkit_hil::seam::LineState;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::timeline::event::{Direction, EventKind, Outcome};
use evkit_hil::timeline::{ClockKind, Reader};
use rstest::rstest;
use scripted::{Scripted, at};

struct Seen {
    examined: Examined,
    report: CaseReport,
    /// All that was sent.
    sent: Vec<u8>,
    /// What the reset line and the others were driven to.
    edges: Vec<(String, LineState)>,
}

impl Seen {
    fn property(&self, name: &str) -> &str {
        self.report.properties.iter().find(|property| property.name == name).map_or("", |property| property.value.as_str())
    }

    fn cause(&self) -> Option<Cause> {
        self.report.verdict.diagnosis.as_ref().map(|diagnosis| diagnosis.cause)
    }

    /// What a terminal shows of it.
    fn text(&self) -> String {
        let mut text = String::new();
        for name in ["listen", "ask", "identity", "reset", "boot code", "leave"] {
            let found = self.property(&name.replace(' ', "-"));
            if !found.is_empty() {
                text.push_str(&terminal::phase_line(name, found, 80, &Palette::plain()));
                text.push('\n');
            }
        }
        text.push_str(&terminal::examined_block(&self.report, 80, &Palette::plain()));
        text.push('\n');
        text
    }
}

fn kit(settings: &[(&str, &str)]) -> Box<dyn DeviceModel> {
    kit_of(Settings::default(), settings)
}

fn kit_of(mut all: Settings, settings: &[(&str, &str)]) -> Box<dyn DeviceModel> {
    for (key, value) in settings {
        all.set(key, value).unwrap();
    }
    Box::new(VirtualEvkit::new(all, at(0)))
}

fn seen(
    model: Box<dyn DeviceModel>,
    scope: Scope,
    order: impl FnOnce(&mut SimulatedSeam),
    change: impl FnOnce(&mut Circumstances),
) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let mut seam = SimulatedSeam::new(model, Baud::DEFAULT);
    order(&mut seam);
    let mut around = Circumstances {
        speeds_made: Vec::new(),
        set_up_anew: false,
        restarts: Restarts::unknown_before(at(0)),
        ..Circumstances::simulated("kit-1", Baud::DEFAULT)
    };
    change(&mut around);
    let (sender, _receiver) = std::sync::mpsc::channel();
    let progress = Progress::new("kit-1", sender);
    let timeline = folder.path().join("timeline");
    let board = Board::at_port("/dev/ttyUSB0".as_ref());
    let examined = examine(&mut seam, ClockKind::Simulated, &board, &around, scope, LISTEN, &timeline, &progress).unwrap();
    let report = CaseReport::read(&timeline).unwrap();
    let mut reader = Reader::open(&timeline).unwrap();
    let (mut sent, mut edges, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(event) = reader.next() {
        let event = event.unwrap();
        match &event.kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => sent.extend(reader.bytes(bytes).unwrap()),
            EventKind::Edge(edge) => edges.push((edge.line.clone(), edge.state)),
            _ => {}
        }
        last = Some(event.kind);
    }
    assert!(matches!(last, Some(EventKind::Verdict(_))), "{last:?}");
    let all = Seen { examined, report, sent, edges };
    assert_nothing_outlives_a_reset(&all.sent);
    assert_released(&all.edges);
    all
}

fn examined(settings: &[(&str, &str)], scope: Scope) -> Seen {
    seen(kit(settings), scope, |_| {}, |_| {})
}

/// Its AT+IPR outlives a reset: the start cannot be read at the board's own speed, and the board is there all the same.
#[test]
fn a_board_that_starts_at_the_speed_where_it_was_found() {
    let seen = examined(&[("speed", "460800"), ("speed-outlives-reset", "always")], Scope::Whole);
    assert_eq!(seen.cause(), Some(Cause::WrongSpeed));
    assert_eq!(
        seen.property("reset"),
        "AT is answered at 460800 baud again: a reset does not put the speed back, and #SYSSTART came at that one"
    );
    assert!(seen.text().contains("found at 460800 baud, left at 460800 baud\n"), "{}", seen.text());
}

/// Every command is one of those that change nothing.
fn assert_nothing_outlives_a_reset(sent: &[u8]) {
    for line in sent.split(|byte| *byte == b'\r') {
        let line: Vec<u8> = line.iter().copied().filter(|byte| !matches!(byte, 0x08 | 0xC5 | 0xFF)).collect();
        let known: [&[u8]; 7] = [b"", b"AT", b"ATI", b"AT+CGMR", b"ATI0", b"AT#BOOT", b"AT+CFUN=0"];
        assert!(known.contains(&line.as_slice()), "{}", line.escape_ascii());
    }
}

fn assert_released(edges: &[(String, LineState)]) {
    for line in ["reset", "wake"] {
        let last = edges.iter().rfind(|(name, _)| name == line).map(|(_, state)| *state);
        assert_ne!(last, Some(LineState::Asserted), "{line}: {edges:?}");
    }
}

const HOME: &str = "115200 baud";
const NONE: &str = "no usual speed";

#[rstest]
#[case::left_at_another_speed(&[("speed", "460800")], Cause::WrongSpeed, "460800 baud", HOME)]
#[case::whose_speed_outlives_a_reset(&[("speed", "460800"), ("speed-outlives-reset", "always")], Cause::WrongSpeed, "460800 baud", "460800 baud")]
#[case::damaged_boot_code(&[("silent-after-acknowledge", "true")], Cause::AcknowledgedSilent, HOME, HOME)]
#[case::without_its_reset_line(&[("ignores-reset", "true")], Cause::ResetWithoutEffect, HOME, HOME)]
#[case::that_takes_no_hotkey(&[("no-acknowledge", "true")], Cause::NotAcknowledged, HOME, HOME)]
#[case::deaf(&[("deaf", "true")], Cause::TalksButDoesNotHear, NONE, NONE)]
#[case::mute(&[("mute", "true")], Cause::NothingCame, NONE, NONE)]
#[case::silent_application(&[("application-silent", "true")], Cause::ApplicationHangs, NONE, NONE)]
#[case::dead_application(&[("application-dead", "true")], Cause::DoesNotStart, NONE, NONE)]
#[case::dead_after_a_command(&[("does-not-restart", "true")], Cause::DoesNotStart, HOME, HOME)]
#[case::dead_after_a_command_that_is_not_answered(&[("does-not-restart", "true"), ("boot-command-answered", "false")], Cause::DoesNotStart, HOME, HOME)]
#[case::garbled_application(&[("application-garbles", "true")], Cause::Garbage, NONE, NONE)]
#[case::garbled_boot_code(&[("boot-garbles", "true")], Cause::Garbage, HOME, HOME)]
#[case::on_a_line_that_loses_bytes(&[("lost-bytes", "4 %"), ("damage-direction", "to-host")], Cause::LineNoise, HOME, HOME)]
#[case::restarts_by_itself(&[("watchdog-after", "1500 ms")], Cause::UncommandedReset, HOME, HOME)]
fn a_board_that_is_not_well(#[case] settings: &[(&str, &str)], #[case] cause: Cause, #[case] found: &str, #[case] left: &str) {
    let seen = examined(settings, Scope::Whole);
    assert_eq!((seen.examined.outcome, seen.cause()), (Outcome::Failed, Some(cause)), "{}", seen.text());
    assert_eq!((seen.property("found-at"), seen.property("left-at")), (found, left), "{}", seen.text());
    assert_eq!(seen.examined.given_up, None);
    assert_eq!(seen.examined.port_speed, Baud::DEFAULT);
    assert!(seen.report.duration < Duration::from_secs(180), "{:?}\n{}", seen.report.duration, seen.text());
    // Whatever else is assumed of the module.
    for seed in 1..=8 {
        let seen = self::seen(kit_of(Settings::drawn(seed), settings), Scope::Whole, |_| {}, |_| {});
        assert_eq!(seen.cause(), Some(cause), "seed {seed}: {}", seen.text());
    }
}

/// Whatever is assumed of the module: a board without a fault has no cause.
#[test]
fn what_was_tried_at_the_end_is_not_advised() {
    let diagnosis = examined(&[("application-dead", "true")], Scope::Whole).report.verdict.diagnosis.unwrap();
    assert!(Advice::BootedInVain.is_said(&diagnosis.next), "{diagnosis:?}");
}

#[test]
fn a_board_that_is_well_has_no_cause() {
    for seed in 0..=60 {
        let seen = seen(kit_of(Settings::drawn(seed), &[]), Scope::Whole, |_| {}, |_| {});
        assert!(seen.property("boot-code").starts_with("0x9A"), "seed {seed}: {}", seen.text());
        assert_eq!((seen.examined.outcome, seen.cause()), (Outcome::Passed, None), "seed {seed}: {}", seen.text());
        assert_eq!((seen.property("found-at"), seen.property("left-at")), (HOME, HOME));
    }
}

#[test]
fn what_a_terminal_shows() {
    let text = |settings: &[(&str, &str)]| examined(settings, Scope::Whole).text();
    assert_eq!(
        text(&[]),
        "    listen     nothing came in 2.0 s
    ask        AT is answered at 115200 baud
    identity   ST87M01, version 2.7.0
    reset      #REBOOT_RESET, #SYSSTART 0.70 s after the release
    boot code  0x9A 5 ms after the release; ATI0: ST8700 BOOT 1.4.0
    leave      the application answers AT
no cause was found: the application answers AT, it is an ST87M01, the reset line
works, boot code takes the hotkey and answers, the application comes back. An
upload, sleep and the supply were not tried
found at 115200 baud, left at 115200 baud
"
    );
    let moved = text(&[("speed", "460800")]);
    assert!(include_str!("../docs/diagnose.md").contains(&moved), "docs/diagnose.md shows something else");
    assert_eq!(
        moved,
        r"    listen     nothing came in 2.0 s
    ask        AT is answered at 460800 baud, not at 115200
    identity   ST87M01, version 2.7.0
    reset      #REBOOT_RESET, #SYSSTART 0.70 s after the release
    boot code  0x9A 5 ms after the release; ATI0: ST8700 BOOT 1.4.0
    leave      the application answers AT
    cause      wrong-speed (certain): nobody answers at 115200 baud, and AT is
               answered at 460800
    evidence   +2.000108 s  <- \xcf
               +2.340546 s  <- \x7fw\xfe
               +3.301411 s  -> AT\r  (at 460800 baud)
               +3.302498 s  <- \r\nOK\r\n  (at 460800 baud)
    probes     carried out to find the cause: ask (0.8 s)
    next       it answers at 115200 baud since (a reset or `restore` has brought
               it back), so that nothing is left to be done to it. Look for what
               had left it at another speed: a case, a loader or a person whose
               AT+IPR was not undone
found at 460800 baud, left at 115200 baud
"
    );
    let silent = text(&[("silent-after-acknowledge", "true")]);
    let leave = "    leave      the application answers AT after a reset
    cause      acknowledged-silent (very likely): 0x9A came, ";
    assert!(silent.contains(leave), "{silent}");
}

#[test]
fn the_transcript_is_its_first_and_last_lines() {
    let seen = examined(&[("deaf", "true")], Scope::Whole);
    let shown = |most| terminal::transcript_block(&seen.report, most, 80, &Palette::plain());
    let (some, all) = (shown(Some(40)), shown(None));
    assert_eq!(some.lines().count(), 41);
    let left_out = all.lines().count() - 40;
    assert_eq!(some.lines().nth(20), Some(format!("[{left_out} lines are left out here; --transcript shows them]").as_str()));
    assert!(all.starts_with("+0.000000 s  -- listen: nothing is sent\n") && some.lines().last() == all.lines().last());
    assert!(some.lines().all(|line| line.chars().count() <= 80));
    assert_eq!(shown(Some(10_000)), all);
}

#[rstest]
#[case::well(&[], None)]
#[case::left_at_another_speed(&[("speed", "460800")], Some(Cause::WrongSpeed))]
#[case::mute(&[("mute", "true")], Some(Cause::NothingCame))]
#[case::without_its_reset_line(&[("ignores-reset", "true")], None)]
fn without_a_reset_it_is_only_asked(#[case] settings: &[(&str, &str)], #[case] cause: Option<Cause>) {
    let seen = examined(settings, Scope::Words);
    assert_eq!((seen.cause(), seen.edges.len(), seen.examined.commanded), (cause, 0, 0), "{}", seen.text());
    assert!(!seen.sent.contains(&0xC5), "no hotkey");
    assert_eq!(seen.property("left-at"), seen.property("found-at"));
    assert_eq!((seen.property("reset"), seen.property("leave")), ("", ""));
}

#[test]
fn who_only_listens_sends_nothing() {
    let seen = examined(&[], Scope::Listen);
    assert_eq!((seen.sent.len(), seen.edges.len(), seen.examined.outcome), (0, 0, Outcome::Passed));
    assert_eq!(seen.text(), "    listen     nothing came in 2.0 s\nno cause: nothing was asked\n");
    let satellites =
        || Scripted { script: (0..60).map(|second| (at(second * 1000 + 500), &b"$GPGGA,1,2*47\r\n"[..])).collect(), ..Scripted::default() };
    let listened = seen_of(satellites(), Scope::Listen);
    assert_eq!(listened.property("listen"), r#"30 bytes came in 2.0 s: "$GPGGA,1,2*47\r\n$GPGGA,1,2*47\r\n""#);
    let asked = seen_of(satellites(), Scope::Words);
    assert_eq!((asked.cause(), asked.examined.outcome), (Some(Cause::WrongPort), Outcome::Failed), "{}", asked.text());
}

fn seen_of(device: Scripted, scope: Scope) -> Seen {
    seen(Box::new(device), scope, |_| {}, |_| {})
}

/// Whenever it is told to end: in the middle of a pulse, of the hotkeys, of boot code.
#[test]
fn an_interruption_leaves_the_line_released_and_the_application_answering() {
    let whole = examined(&[], Scope::Whole).report.duration;
    let mut when = Duration::from_millis(1);
    while when < whole {
        let seen = seen(kit(&[]), Scope::Whole, |seam| seam.interrupt(at(0) + when), |_| {});
        assert_eq!((seen.examined.outcome, &seen.examined.given_up), (Outcome::Interrupted, &None), "{when:?}");
        let is_reset = seen.edges.iter().any(|(_, state)| *state == LineState::Asserted);
        let left = seen.property("leave");
        assert_eq!(left.starts_with("the application answers AT"), is_reset, "{when:?}: {left}");
        assert!(seen.report.duration < when + Duration::from_secs(25), "{when:?}");
        when += Duration::from_millis(19);
    }
}

#[test]
fn a_port_that_is_lost_is_a_fault_of_the_rig() {
    for ms in [1000, 2010, 2_140, 2_900, 3_010] {
        let seen = seen(kit(&[]), Scope::Whole, |seam| seam.unplug(at(ms)), |_| {});
        assert_eq!((seen.examined.outcome, seen.cause()), (Outcome::Error, Some(Cause::PortLost)), "{ms}: {}", seen.text());
        assert!(seen.examined.given_up.is_some(), "{ms}");
    }
}

#[test]
fn a_port_that_cannot_make_every_speed_is_asked_at_those_that_it_can() {
    let slow = |speed: &'static str| seen(kit(&[("speed", speed)]), Scope::Words, |seam| seam.fastest(Baud::new(500_000).unwrap()), |_| {});
    let found = slow("57600");
    assert_eq!((found.cause(), found.property("found-at")), (Some(Cause::WrongSpeed), "57600 baud"), "{}", found.text());
    let too_fast = slow("921600");
    assert_eq!((too_fast.property("found-at"), &too_fast.examined.given_up), (NONE, &None));
}

#[test]
fn a_module_that_must_not_register_is_kept_off_the_network() {
    let quiet = seen(kit(&[]), Scope::Whole, |_| {}, |around| around.sim = Sim::Quiet);
    assert_eq!(quiet.property("leave"), "the application answers AT; its radio is off");
    assert!(quiet.sent.ends_with(b"AT+CFUN=0\r"));
    // No reset is done for a guess.
    let live = seen(kit(&[("mute", "true")]), Scope::Whole, |_| {}, |around| around.sim = Sim::Live);
    assert!(live.examined.commanded <= evkit_hil::runner::examination::MOST_RESTARTS, "{}", live.examined.commanded);
}

/// It was taken for an answer to AT at the speed before, and the speed not found.
#[test]
fn an_answer_to_bytes_of_another_speed_is_none_to_the_command_before() {
    let seen = examined(&[("speed", "460800"), ("echo", "false")], Scope::Words);
    assert_eq!(
        seen.report.verdict.diagnosis.as_ref().map(|diagnosis| (diagnosis.cause, diagnosis.sure)),
        Some((Cause::WrongSpeed, Sure::Certain))
    );
}

/// It was taken for what a port says by itself, and the port for the wrong one.
#[test]
fn what_is_asked_for_by_a_probe_does_not_come_by_itself() {
    let seen = examined(&[("application-garbles", "true")], Scope::Words);
    assert_eq!(seen.cause(), Some(Cause::Garbage), "{}", seen.text());
}
