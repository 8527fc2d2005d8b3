//! The real seam with several lines: outputs that do not wait for each other, questions to a person, inputs and their edges, a transmit line that cannot be held.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod board;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use board::{Board, PATIENCE};
use evkit_hil::baud::Baud;
use evkit_hil::line::{InputLine, LineError, OutputLine, Progress, READ_BACK_WITHIN, SeenEdge};
use evkit_hil::port::Port;
use evkit_hil::seam::real::RealSeam;
use evkit_hil::seam::{Direction, Happening, LineId, LineState, Seam, SeamError, StreamId};
use evkit_hil::time::MonoTime;
use rustix::event::PollFlags;

const WAKE: LineId = LineId(2);
const RING: LineId = LineId(3);

/// A line that is driven at once.
struct Wire;

impl OutputLine for Wire {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }
    fn describe(&self) -> String {
        "a wire".to_owned()
    }
}

/// A line whose backend is answered by a byte on a pipe: a person who takes back what is not yet confirmed, or somebody who never answers.
struct Slow {
    answers: OwnedFd,
    question: Option<&'static str>,
    is_pending: bool,
    answer_within: Duration,
}

impl OutputLine for Slow {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        self.is_pending = true;
        Ok(Progress::Pending)
    }
    fn proceed(&mut self) -> Result<Progress, LineError> {
        rustix::io::read(&self.answers, &mut [0]).unwrap();
        self.is_pending = false;
        Ok(Progress::Done)
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.answers.as_fd())
    }
    fn answer_within(&self) -> Duration {
        self.answer_within
    }
    fn overdue(&mut self) -> LineError {
        LineError::Refused("nobody was there".to_owned())
    }
    fn question(&self) -> Option<&str> {
        self.question.filter(|_| self.is_pending)
    }
    fn withdraw(&mut self) -> bool {
        self.question.is_some() && std::mem::take(&mut self.is_pending)
    }
    fn describe(&self) -> String {
        "a slow line".to_owned()
    }
}

/// A line that something else holds whatever we do, and whose reading is answered by a byte on a pipe.
struct Held {
    answers: OwnedFd,
    failure: Option<&'static str>,
    level: Option<LineState>,
}

impl OutputLine for Held {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Done)
    }
    fn read_back(&mut self) -> Result<Progress, LineError> {
        self.level = None;
        self.failure.map_or(Ok(Progress::Pending), |why| Err(LineError::Refused(why.to_owned())))
    }
    fn level(&self) -> Option<LineState> {
        self.level
    }
    fn proceed(&mut self) -> Result<Progress, LineError> {
        rustix::io::read(&self.answers, &mut [0]).unwrap();
        self.level = Some(LineState::Asserted);
        Ok(Progress::Done)
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.answers.as_fd())
    }
    fn describe(&self) -> String {
        "a line that is held".to_owned()
    }
}

/// A seam with such a line, and what answers its readings.
fn held(board: &Board, failure: Option<&'static str>) -> (RealSeam, OwnedFd) {
    let (answers, answer) = rustix::pipe::pipe().unwrap();
    let line = Held { answers, failure, level: None };
    (seam(board).with_output(WAKE, "wake", LineState::Released, Box::new(line)), answer)
}

/// An input whose edges a test makes: a byte on the pipe for each.
struct Fed {
    bell: OwnedFd,
    edges: Arc<Mutex<VecDeque<Result<SeenEdge, LineError>>>>,
}

impl InputLine for Fed {
    fn fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
    fn next_edge(&mut self) -> Result<Option<SeenEdge>, LineError> {
        let Some(edge) = self.edges.lock().unwrap().pop_front() else { return Ok(None) };
        rustix::io::read(&self.bell, &mut [0]).unwrap();
        edge.map(Some)
    }
}

fn seam(board: &Board) -> RealSeam {
    RealSeam::new(Port::open(&board.name(), Baud::DEFAULT).unwrap(), Box::new(Wire), None)
}

fn patience() -> MonoTime {
    MonoTime::now() + PATIENCE
}

#[test]
fn the_lines_of_a_board_are_listed_with_their_names() {
    let board = Board::new();
    let (bell, _ringer) = rustix::pipe::pipe().unwrap();
    let seam = seam(&board).with_output(LineId::POWER, "power", LineState::Released, Box::new(Wire));
    assert!(!seam.capabilities().observed_edges);
    let seam = seam.with_input(RING, "ring", Box::new(Fed { bell, edges: Arc::default() }));
    assert!(seam.capabilities().observed_edges);
    let lines: Vec<_> = seam.lines().iter().map(|line| (line.id, line.name.as_str(), line.direction)).collect();
    let (out, input) = (Direction::Out, Direction::In);
    assert_eq!(lines, [(LineId::RESET, "reset", out), (LineId::POWER, "power", out), (RING, "ring", input)]);
}

#[test]
fn a_line_that_waits_for_its_backend_holds_no_other_up() {
    let board = Board::new();
    let (answers, answer) = rustix::pipe::pipe().unwrap();
    let slow = Slow { answers, question: None, is_pending: false, answer_within: PATIENCE };
    let mut seam = seam(&board).with_output(WAKE, "wake", LineState::Released, Box::new(slow));
    let first = seam.drive(WAKE, LineState::Asserted, None);
    let second = seam.drive(LineId::RESET, LineState::Asserted, None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { line: LineId::RESET, ticket, .. } if ticket == second));
    board.say(b"boot");
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Bytes { .. }));
    rustix::io::write(&answer, b".").unwrap();
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { line: WAKE, ticket, .. } if ticket == first));
}

#[test]
fn a_backend_has_a_deadline_of_its_own() {
    let board = Board::new();
    let (answers, _answer) = rustix::pipe::pipe().unwrap();
    let slow = Slow { answers, question: None, is_pending: false, answer_within: Duration::from_millis(300) };
    let mut seam = seam(&board).with_output(WAKE, "wake", LineState::Released, Box::new(slow));
    let begun = MonoTime::now();
    seam.drive(WAKE, LineState::Asserted, None);
    assert_eq!(seam.wait(patience()).unwrap_err().to_string(), "the wake line could not be asserted: nobody was there");
    assert!(MonoTime::now() - begun >= Duration::from_millis(300));
}

#[test]
fn a_question_is_told_of_once_and_one_that_is_withdrawn_is_not_answered() {
    let board = Board::new();
    let (answers, answer) = rustix::pipe::pipe().unwrap();
    let slow = Slow { answers, question: Some("press it"), is_pending: false, answer_within: PATIENCE };
    let mut seam = seam(&board).with_output(WAKE, "wake", LineState::Released, Box::new(slow));
    let asked = seam.drive(WAKE, LineState::Asserted, None);
    match seam.wait(patience()).unwrap() {
        Happening::Asked { line: WAKE, ticket, question, .. } => assert_eq!((ticket, question.as_str()), (asked, "press it")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(seam.wait(MonoTime::now() + Duration::from_millis(5)).unwrap(), Happening::Deadline { .. }));
    seam.forget_queued();
    // Withdrawn: the next drive is asked for at once, and the answer is that one's.
    let released = seam.drive(WAKE, LineState::Released, None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Asked { ticket, .. } if ticket == released));
    rustix::io::write(&answer, b".").unwrap();
    let driven = seam.wait(patience()).unwrap();
    assert!(matches!(driven, Happening::Driven { ticket, state: LineState::Released, .. } if ticket == released), "{driven:?}");
}

#[test]
fn a_reading_waits_for_its_backend_in_its_turn_and_holds_no_other_line_up() {
    let board = Board::new();
    let (mut seam, answer) = held(&board, None);
    let released = seam.drive(WAKE, LineState::Released, None);
    let read = seam.read_back(WAKE);
    let again = seam.drive(WAKE, LineState::Released, None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { line: WAKE, ticket, .. } if ticket == released));
    let other = seam.drive(LineId::RESET, LineState::Released, None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { line: LineId::RESET, ticket, .. } if ticket == other));
    let before = MonoTime::now();
    rustix::io::write(&answer, b".").unwrap();
    match seam.wait(patience()).unwrap() {
        Happening::Level { line: WAKE, ticket, state: Some(LineState::Asserted), at, refused: None } => {
            assert!(ticket == read && at >= before);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { line: WAKE, ticket, .. } if ticket == again));
}

#[test]
fn a_backend_that_cannot_tell_says_so_at_once() {
    let board = Board::new();
    let mut seam = seam(&board);
    let read = seam.read_back(LineId::RESET);
    let level = seam.wait(MonoTime::ZERO).unwrap();
    assert!(
        matches!(level, Happening::Level { line: LineId::RESET, ticket, state: None, refused: None, .. } if ticket == read),
        "{level:?}"
    );
}

#[test]
fn a_reading_that_fails_or_is_not_answered_is_no_error_of_the_rig() {
    let board = Board::new();
    let (mut seam, _answer) = held(&board, Some("it hangs by a thread"));
    seam.read_back(WAKE);
    match seam.wait(patience()).unwrap() {
        Happening::Level { state: None, refused: Some(why), .. } => assert_eq!(why, "it hangs by a thread"),
        other => panic!("{other:?}"),
    }
    drop(seam);

    let (mut seam, _answer) = held(&board, None);
    let begun = MonoTime::now();
    seam.read_back(WAKE);
    let driven = seam.drive(WAKE, LineState::Released, None);
    match seam.wait(patience()).unwrap() {
        Happening::Level { state: None, refused: Some(why), .. } => {
            assert_eq!(why, "a line that is held did not answer within 500ms: a program that cannot tell what the line is answers `error`");
        }
        other => panic!("{other:?}"),
    }
    assert!(MonoTime::now() - begun >= READ_BACK_WITHIN);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { ticket, .. } if ticket == driven), "the line goes on");
}

#[test]
fn a_reading_that_is_forgotten_is_not_waited_for() {
    let board = Board::new();
    let (mut seam, _answer) = held(&board, None);
    seam.read_back(WAKE);
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }));
    seam.forget_queued();
    let released = seam.drive(WAKE, LineState::Released, None);
    let driven = seam.wait(patience()).unwrap();
    assert!(matches!(driven, Happening::Driven { ticket, .. } if ticket == released), "{driven:?}");
}

#[test]
fn edges_come_with_their_own_times_and_before_a_deadline_that_has_passed() {
    let board = Board::new();
    let (bell, ringer) = rustix::pipe::pipe().unwrap();
    let edges = Arc::<Mutex<VecDeque<_>>>::default();
    let mut seam = seam(&board).with_input(RING, "ring", Box::new(Fed { bell, edges: Arc::clone(&edges) }));
    let ring = |edge| {
        edges.lock().unwrap().push_back(edge);
        rustix::io::write(&ringer, b".").unwrap();
    };
    let edge = |at, state| Ok(SeenEdge { at: MonoTime::from_ns(at), state });
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }));
    ring(edge(5, LineState::Asserted));
    ring(edge(7, LineState::Released));
    // The deadline has passed, and they were there before it was looked at.
    for (wanted, time) in [(LineState::Asserted, 5), (LineState::Released, 7)] {
        let seen = seam.wait(MonoTime::now()).unwrap();
        assert!(matches!(seen, Happening::Edge { line: RING, state, at } if state == wanted && at.as_ns() == time), "{seen:?}");
    }
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }));

    ring(Err(LineError::LostEdges { count: 3 }));
    ring(edge(9, LineState::Asserted));
    let lost = seam.wait(patience()).unwrap_err();
    assert!(matches!(&lost, SeamError::LostEdges { line, count: 3 } if line == "ring"), "{lost}");
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Edge { .. }), "what came after a gap is told");

    ring(Err(LineError::Gone { what: "socket kit.ctl".to_owned(), pending: false }));
    let gone = seam.wait(patience()).unwrap_err().to_string();
    assert_eq!(gone, "the ring line could not be watched: socket kit.ctl closed the connection");
    assert!(matches!(seam.wait(MonoTime::now() + Duration::from_millis(5)).unwrap(), Happening::Deadline { .. }), "told once");
}

#[test]
fn a_pseudo_terminal_says_that_its_transmit_line_cannot_be_held() {
    let board = Board::new();
    let mut seam = seam(&board);
    seam.send(StreamId::PORT, b"before", None);
    let ticket = seam.hold_transmit(StreamId::PORT, true);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Sent { .. }));
    match seam.wait(patience()).unwrap() {
        Happening::TransmitHeld { ticket: held, held: true, refused: Some(why), .. } if held == ticket => {
            assert_eq!(why, "a pseudo-terminal has no transmit line");
        }
        other => panic!("{other:?}"),
    }
    let mut heard = [0; 6];
    assert!(board.poll(PollFlags::IN, PATIENCE));
    assert_eq!((rustix::io::read(board.terminal(), &mut heard), &heard), (Ok(6), b"before"), "what was queued before it was written first");
}
