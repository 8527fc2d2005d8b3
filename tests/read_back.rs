//! A line that the host has let go of is read back: by the conductor, on simulated time, on the real seam and through the control socket of a virtual board.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::line::{Backend, LineConfig, LineError, OutputLine, Progress, open};
use evkit_hil::link::{ControlClient, PtyBoard, PtyConfig};
use evkit_hil::model::evkit::{Settings, VirtualEvkit};
use evkit_hil::model::{DeviceModel, Input, ModelLine, Output};
use evkit_hil::port::{Port, PortName};
use evkit_hil::runner::conductor::Conductor;
use evkit_hil::runner::progress::Progress as Shown;
use evkit_hil::runner::stop::Stop;
use evkit_hil::runner::watch::Watch;
use evkit_hil::seam::real::RealSeam;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::seam::{Direction, LineId, LineState, Seam};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{EventKind, Source};
use evkit_hil::timeline::{ClockKind, Reader, Timeline};

const WAKE: LineId = LineId::FIRST_NAMED;
const RING: LineId = LineId(3);
const ASSERTED: Option<LineState> = Some(LineState::Asserted);
const RELEASED: Option<LineState> = Some(LineState::Released);

/// A board whose reset line a push-button holds.
struct Pressed;

impl DeviceModel for Pressed {
    fn advance(&mut self, _: MonoTime, _: Input<'_>, _: &mut Output) -> Option<MonoTime> {
        None
    }
    fn lines(&self) -> &'static [ModelLine] {
        &[
            ModelLine::RESET,
            ModelLine { id: LineId::POWER, name: "power", direction: Direction::Out },
            ModelLine { id: WAKE, name: "wake", direction: Direction::Out },
            ModelLine { id: RING, name: "ring", direction: Direction::In },
        ]
    }
    fn level(&self, line: LineId) -> Option<LineState> {
        (line == LineId::RESET).then_some(LineState::Asserted)
    }
}

/// Lets a conductor act on a seam, and returns what the timeline has of levels and notes: the event's source, and what it says.
fn conduct(seam: &mut dyn Seam, act: impl FnOnce(&mut Conductor<'_>)) -> Vec<(Source, String)> {
    let folder = tempfile::tempdir().unwrap();
    let timeline = Timeline::create(folder.path(), ClockKind::Simulated).unwrap();
    let (sender, _receiver) = std::sync::mpsc::channel();
    let progress = Shown::new("kit", sender);
    let mut conductor = Conductor::new(seam, timeline, Baud::DEFAULT, Duration::from_millis(1), Watch::off(), &progress);
    act(&mut conductor);
    conductor.flush().unwrap();
    let events = Reader::open(folder.path()).unwrap().map(Result::unwrap);
    events
        .filter_map(|event| match event.kind {
            EventKind::Level(level) => Some((event.source, format!("{} {:?}", level.line, level.state))),
            EventKind::Note(note) => Some((event.source, note.text)),
            _ => None,
        })
        .collect()
}

fn simulated() -> SimulatedSeam {
    SimulatedSeam::new(Box::new(Pressed), Baud::DEFAULT)
}

fn observed(text: &str) -> (Source, String) {
    (Source::Observed, text.to_owned())
}

#[test]
fn a_line_that_something_holds_is_told_from_one_that_is_let_go() {
    let said = conduct(&mut simulated(), |conductor| {
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), ASSERTED);
        assert_eq!(conductor.read_back(WAKE).unwrap(), RELEASED);
    });
    assert_eq!(said, [observed("reset Asserted"), observed("wake Released")]);
}

#[test]
fn a_line_that_is_not_let_go_is_not_read_back() {
    let said = conduct(&mut simulated(), |conductor| {
        conductor.drive(WAKE, LineState::Asserted, None).unwrap();
        for line in [WAKE, LineId::POWER, RING] {
            assert_eq!(conductor.read_back(line).unwrap(), None, "{line:?}");
        }
        conductor.drive(WAKE, LineState::Released, None).unwrap();
        assert_eq!(conductor.read_back(WAKE).unwrap(), RELEASED);
        conductor.power_off().unwrap();
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), None, "nothing pulls it up");
    });
    assert_eq!(said, [observed("wake Released")]);
}

#[test]
fn a_line_just_let_go_has_time_to_rise() {
    let mut seam = simulated();
    conduct(&mut seam, |conductor| {
        conductor.pulse_reset(Duration::from_millis(15)).unwrap();
        let released = conductor.now();
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), ASSERTED);
        assert!(conductor.now() - released >= Duration::from_millis(9), "{:?}", conductor.now() - released);
        let before = conductor.now();
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), ASSERTED);
        assert!(conductor.now() - before < Duration::from_millis(1), "that time has passed");
    });
}

#[test]
fn a_line_is_read_back_though_the_time_of_the_case_is_over() {
    let mut seam = simulated();
    conduct(&mut seam, |conductor| {
        conductor.set_deadline(MonoTime::from_ns(1_000_000));
        conductor.sleep_until(MonoTime::from_ns(1_000_000)).unwrap();
        assert!(conductor.is_over());
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), ASSERTED);
        assert!(conductor.is_over(), "the case got no more time by that");
    });
}

#[test]
fn a_reading_that_does_not_get_its_turn_is_given_up_with_a_note() {
    let mut seam = simulated();
    seam.drive(WAKE, LineState::Released, Some(MonoTime::from_ns(60_000_000_000)));
    let said = conduct(&mut seam, |conductor| assert_eq!(conductor.read_back(WAKE).unwrap(), None));
    assert_eq!(said, [(Source::Computed, "the wake line was not read back within 1 s".to_owned())]);
}

#[test]
fn an_interruption_ends_a_reading_as_it_ends_any_wait() {
    let mut seam = simulated();
    seam.interrupt(MonoTime::from_ns(1_000));
    conduct(&mut seam, |conductor| assert_eq!(conductor.read_back(WAKE), Err(Stop::Interrupted)));
}

/// A line whose backend never answers a reading, or cannot be read.
struct Deaf {
    silence: OwnedFd,
    can_be_asked: bool,
}

impl OutputLine for Deaf {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }
    fn read_back(&mut self) -> Result<Progress, LineError> {
        Ok(if self.can_be_asked { Progress::Pending } else { Progress::Done })
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.silence.as_fd())
    }
    fn describe(&self) -> String {
        "a deaf line".to_owned()
    }
}

/// A virtual board as a program is, and its port.
fn virtual_board(folder: &Path) -> (PtyBoard, Port) {
    let config = PtyConfig { link: None, control: folder.join("kit.ctl") };
    let board = PtyBoard::start(VirtualEvkit::new(Settings::default(), MonoTime::now()), &config).unwrap();
    let port = Port::open(&PortName::Path(board.port_path().to_owned()), Baud::DEFAULT).unwrap();
    (board, port)
}

#[test]
fn a_backend_that_does_not_answer_costs_no_board() {
    for (can_be_asked, notes) in [(true, 1), (false, 0)] {
        let (silence, _end) = rustix::pipe::pipe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (_board, port) = virtual_board(folder.path());
        let mut seam = RealSeam::new(port, Box::new(Deaf { silence, can_be_asked }), None);
        let said = conduct(&mut seam, |conductor| {
            assert_eq!(conductor.read_back(LineId::RESET).unwrap(), None);
            conductor.drive_reset(LineState::Released, None).unwrap();
        });
        assert_eq!(said.len(), notes, "{said:?}");
        assert!(said.iter().all(|(_, text)| text.starts_with("the reset line was not read back: a deaf line did not answer")), "{said:?}");
    }
}

#[test]
fn the_lines_of_a_virtual_board_are_read_back_through_its_control_socket() {
    let folder = tempfile::tempdir().unwrap();
    let (board, port) = virtual_board(folder.path());
    let line = |name: &str| {
        let backend = Backend::Socket { path: board.control_path().to_owned(), line: name.to_owned() };
        open(&LineConfig::output(name, backend)).unwrap()
    };
    let mut seam = RealSeam::new(port, line("reset"), None).with_output(WAKE, "wake", LineState::Released, line("wake"));
    let mut other = ControlClient::connect(board.control_path()).unwrap();
    let said = conduct(&mut seam, |conductor| {
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), RELEASED);
        // Another program on the same line.
        other.command("reset assert").unwrap();
        assert_eq!(conductor.read_back(LineId::RESET).unwrap(), ASSERTED);
        assert_eq!(conductor.read_back(WAKE).unwrap(), RELEASED);
    });
    assert_eq!(said, [observed("reset Released"), observed("reset Asserted"), observed("wake Released")]);
}
