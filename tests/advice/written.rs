//! Boards that no simulated one is.

use evkit_hil::baud::Baud;
use evkit_hil::diagnosis::{Advice, Cause, Probe, diagnose};
use evkit_hil::seam::{LineState, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Diagnosis, Direction, Source};
use evkit_hil::timeline::{ClockKind, Timeline};

/// A board that no simulated one is: what happened to it is written down.
struct Written {
    folder: tempfile::TempDir,
    timeline: Timeline,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let timeline = Timeline::create(folder.path(), ClockKind::Simulated).unwrap();
        Self { folder, timeline }
    }

    fn bytes(&mut self, ms: u64, direction: Direction, bytes: &[u8]) {
        self.timeline.record_bytes(None, StreamId::PORT, direction, at(ms), at(ms), None, bytes, &[]).unwrap();
    }

    fn asked(&mut self, ms: u64, command: &str) {
        self.bytes(ms, Direction::Out, format!("{command}\r").as_bytes());
    }

    fn answered(&mut self, ms: u64, command: &str) {
        self.asked(ms, command);
        self.bytes(ms + 2, Direction::In, format!("{command}\r\r\nOK\r\n").as_bytes());
    }

    fn reset(&mut self, ms: u64, state: LineState) {
        self.drive(ms, "reset", state);
    }

    fn drive(&mut self, ms: u64, line: &str, state: LineState) {
        let ns = at(ms).as_ns();
        let edge = event::Edge { line: line.to_owned(), state, before_ns: ns, after_ns: ns, planned_ns: None };
        self.timeline.record(at(ms), Source::Commanded, None, edge).unwrap();
    }

    fn pulse(&mut self, ms: u64) {
        self.reset(ms, LineState::Asserted);
        self.reset(ms, LineState::Released);
    }

    fn speed(&mut self, ms: u64, baud: u32) {
        let (speed, ns) = (Baud::new(baud).unwrap(), at(ms).as_ns());
        let speed = event::Speed { stream: "port".to_owned(), requested: speed, actual: speed, before_ns: ns, after_ns: ns };
        self.timeline.record(at(ms), Source::Commanded, None, speed).unwrap();
    }

    fn probe(&mut self, ms: u64, probe: Probe) {
        self.timeline.record(at(ms), Source::Computed, None, event::Probe { probe }).unwrap();
    }

    /// Probes that bring nothing, from 1 s on.
    fn is_silent(&mut self) {
        self.probe(1000, Probe::Ask);
        for (number, baud) in [460_800, 115_200, 9600, 57_600, 230_400, 921_600].into_iter().enumerate() {
            let ms = 1000 + 500 * u64::try_from(number).unwrap();
            self.speed(ms, baud);
            self.asked(ms, "AT");
        }
        self.speed(5000, 115_200);
        self.probe(5000, Probe::Wait);
        self.probe(9000, Probe::Reset);
        self.pulse(9000);
        self.asked(40_000, "AT");
        self.speed(45_000, 460_800);
        self.probe(45_000, Probe::Reset);
        self.pulse(45_000);
        self.asked(80_000, "AT");
        self.speed(81_000, 115_200);
    }

    fn diagnosis(mut self) -> Diagnosis {
        self.timeline.flush().unwrap();
        diagnose(self.folder.path()).unwrap().unwrap()
    }
}

fn at(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * 1_000_000)
}

/// The application had answered at the same speed before: that boot code had listened at another one was not true.
#[test]
fn a_hotkey_that_is_taken_the_second_time_was_missed_the_first_time() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.pulse(100);
    (0..500).for_each(|tick| board.bytes(100 + tick, Direction::Out, b"\xc5"));
    board.bytes(700, Direction::In, b"\r\n#REBOOT_RESET\r\n\r\n#SYSSTART\r\n");
    board.probe(1000, Probe::Ask);
    board.answered(1000, "AT");
    board.probe(1100, Probe::Boot);
    board.pulse(1100);
    board.bytes(1100, Direction::Out, b"\xc5");
    board.bytes(1103, Direction::In, b"\x9a");
    let found = board.diagnosis();
    assert!(found.cause == Cause::NotAcknowledged && Advice::NowAndThen.is_said(&found.next), "{found:?}");
}

#[test]
fn boot_code_that_runs_while_it_is_held_in_reset() {
    let mut board = Written::new();
    board.reset(0, LineState::Asserted);
    board.bytes(100, Direction::Out, b"\xc5");
    board.bytes(101, Direction::In, b"\x9a");
    let found = board.diagnosis();
    assert!(found.cause == Cause::BootCodeAnswered && Advice::RunsWhileHeld.is_said(&found.next), "{found:?}");
    assert!(found.because.contains("although reset was asserted"), "{found:?}");
}

#[test]
fn a_restart_that_another_host_asked_for() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.bytes(5000, Direction::In, b"\r\n#REBOOT_HOST\r\n\r\n#SYSSTART\r\n");
    let message = "#REBOOT_HOST".to_owned();
    let restart = event::Restart { stream: "port".to_owned(), message, last_seq: 2, commanded: false, by: None };
    board.timeline.record(at(5000), Source::Computed, None, restart).unwrap();
    let found = board.diagnosis();
    assert!(found.cause == Cause::UncommandedReset && Advice::BySomebodyElse.is_said(&found.next), "{found:?}");
}

#[test]
fn silence_at_every_speed_where_nobody_reads_the_reset_line_back() {
    let mut board = Written::new();
    board.asked(0, "AT");
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::NothingCame && Advice::NothingAtAnySpeed.is_said(&found.next), "{found:?}");
}

#[test]
fn not_even_a_reset_brings_back_what_had_answered() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.asked(500, "ATI");
    board.probe(900, Probe::Wake);
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::ShutDown && Advice::SupplyMayBeGone.is_said(&found.next), "{found:?}");
}

#[test]
fn boot_code_that_takes_no_upload_at_all() {
    let mut board = Written::new();
    board.pulse(0);
    board.bytes(1, Direction::Out, b"\xc5");
    board.bytes(3, Direction::In, b"\x9a");
    board.asked(10, "AT#UP");
    board.bytes(12, Direction::In, b"4005\r");
    let found = board.diagnosis();
    assert!(found.cause == Cause::Refused && Advice::RefusedAtOnce.is_said(&found.next), "{found:?}");
}

/// No probe is made of a case whose board is no module of this kind, or which was interrupted.
#[test]
fn an_error_where_nobody_knows_whether_the_command_exists() {
    let mut board = Written::new();
    board.asked(0, "AT#FOO");
    board.bytes(5, Direction::In, b"\r\nERROR\r\n");
    let found = board.diagnosis();
    assert!(found.cause == Cause::LineNoise && Advice::IsItKnown.is_said(&found.next), "{found:?}");
}

/// It took AT+IPR, and then nothing brings it back: whether it had switched is to be found out at both speeds.
#[test]
fn nobody_answers_since_a_speed_was_confirmed() {
    let mut board = Written::new();
    board.speed(0, 115_200);
    board.answered(0, "AT");
    board.answered(100, "AT+IPR=460800");
    board.speed(200, 460_800);
    board.asked(300, "AT");
    board.is_silent();
    let found = board.diagnosis();
    assert!(found.cause == Cause::WrongSpeed && Advice::GoneAfterSwitch.is_said(&found.next), "{found:?}");
    assert!(found.next.starts_with("switch the supply off and on, and send AT at 115200 baud"), "{found:?}");
}

/// The port cannot hold its transmit line low, which may feed the module.
#[test]
fn a_port_that_may_feed_the_module() {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.drive(100, "power", LineState::Released);
    board.drive(2100, "power", LineState::Asserted);
    board.answered(2200, "AT");
    let found = board.diagnosis();
    assert!(found.cause == Cause::PowerWithoutEffect && Advice::TransmitMayFeedIt.is_said(&found.next), "{found:?}");
}

/// AT+IPR was taken, as a probe shows: `brought` is what came of it.
fn taken(brought: &[u8]) -> Diagnosis {
    let mut board = Written::new();
    board.answered(0, "AT");
    board.asked(10, "AT+IPR=230400");
    board.bytes(12, Direction::In, brought);
    board.probe(2000, Probe::Ask);
    board.speed(2000, 230_400);
    board.answered(2000, "AT");
    board.speed(2100, 115_200);
    board.diagnosis()
}

#[test]
fn a_speed_that_was_taken_without_a_word_that_can_be_read() {
    let found = taken(b"\r\noK\r\n");
    assert!(found.cause == Cause::LineNoise && found.because.contains("it was taken, and its answer came damaged"), "{found:?}");
    let found = taken(b"");
    assert!(found.cause == Cause::WrongSpeed && Advice::PutBack.is_said(&found.next), "{found:?}");
}
