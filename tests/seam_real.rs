//! The real seam on real PTYs and in real time. Orders and recorded times are asserted, never tight figures: this machine may be busy.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod board;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use board::{Board, PATIENCE};
use evkit_hil::baud::Baud;
use evkit_hil::line::{LineError, OutputLine, Progress};
use evkit_hil::port::Port;
use evkit_hil::seam::real::RealSeam;
use evkit_hil::seam::{Happening, LineId, LineState, Seam, SeamError, StreamId, Ticket};
use evkit_hil::time::MonoTime;
use rustix::event::PollFlags;
use rustix::io::Errno;

const PORT: StreamId = StreamId::PORT;
const RESET: LineId = LineId::RESET;

/// What a line was driven to, and when.
type Drives = Arc<Mutex<Vec<(LineState, MonoTime)>>>;

/// A line that is driven at once.
struct Wire(Drives);

impl OutputLine for Wire {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        self.0.lock().unwrap().push((state, MonoTime::now()));
        Ok(Progress::Done)
    }
    fn proceed(&mut self) -> Result<Progress, LineError> {
        unreachable!("nothing is ever pending")
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
    fn describe(&self) -> String {
        "a wire".to_owned()
    }
}

/// A line whose backend answers each drive with one byte on a pipe.
struct Remote(OwnedFd);

impl OutputLine for Remote {
    fn begin(&mut self, _: LineState) -> Result<Progress, LineError> {
        Ok(Progress::Pending)
    }
    fn proceed(&mut self) -> Result<Progress, LineError> {
        let mut answer = [0];
        match rustix::io::read(&self.0, &mut answer) {
            Ok(1) if answer == *b"." => Ok(Progress::Done),
            Ok(1) => Ok(Progress::Pending),
            other => Err(LineError::Refused(format!("{other:?} instead of an answer"))),
        }
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }
    fn describe(&self) -> String {
        "a remote line".to_owned()
    }
}

fn seam_with(board: &Board, line: impl OutputLine + 'static, interrupt: Option<Arc<OwnedFd>>) -> RealSeam {
    RealSeam::new(Port::open(&board.name(), Baud::DEFAULT).unwrap(), Box::new(line), interrupt)
}

fn seam(board: &Board) -> RealSeam {
    seam_with(board, Wire(Drives::default()), None)
}

fn later(after: Duration) -> MonoTime {
    MonoTime::now() + after
}

fn patience() -> MonoTime {
    later(PATIENCE)
}

/// What the board hears: at least one byte.
fn hear_some(board: &Board, buffer: &mut [u8]) -> usize {
    let end = Instant::now() + PATIENCE;
    loop {
        match rustix::io::read(board.terminal(), &mut *buffer) {
            Ok(count) => return count,
            Err(Errno::AGAIN | Errno::INTR) => assert!(board.poll(PollFlags::IN, end - Instant::now()), "the board hears nothing"),
            Err(error) => panic!("the board cannot read: {error}"),
        }
    }
}

/// What the board hears, this many bytes.
fn hear(board: &Board, count: usize) -> Vec<u8> {
    let mut heard = vec![0; count];
    let mut have = 0;
    while have < count {
        have += hear_some(board, &mut heard[have..]);
    }
    heard
}

/// Waits for bytes until there are `count`.
fn read(seam: &mut RealSeam, count: usize) -> Vec<u8> {
    let (mut all, until) = (Vec::new(), patience());
    while all.len() < count {
        match seam.wait(until).unwrap() {
            Happening::Bytes { bytes, .. } => all.extend_from_slice(bytes),
            other => panic!("{other:?} instead of bytes"),
        }
    }
    all
}

#[test]
fn bytes_came_after_since_and_before_at() {
    let board = Board::new();
    let mut seam = seam(&board);
    for round in 0..50_u8 {
        let asked = MonoTime::now();
        assert!(matches!(seam.wait(asked).unwrap(), Happening::Deadline { .. }));
        let before = MonoTime::now();
        board.say(&[round, 0x00, 0xFF, b'x']);
        let after = MonoTime::now();
        match seam.wait(patience()).unwrap() {
            Happening::Bytes { stream, at, since, bytes, marks } => {
                assert_eq!((stream, bytes, marks.len()), (PORT, [round, 0x00, 0xFF, b'x'].as_slice(), 0));
                assert!(asked <= since && since <= before, "seen empty by the wait before, and not since: {asked} {since} {before}");
                assert!(at >= after);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn since_stands_still_while_bytes_are_read_and_the_stream_is_not_seen_empty() {
    let board = Board::new();
    let mut seam = seam(&board);
    assert!(matches!(seam.wait(MonoTime::ZERO).unwrap(), Happening::Deadline { .. }));
    board.say(&[b'a'; 100]);
    let Happening::Bytes { since: first, .. } = seam.wait(patience()).unwrap() else { panic!() };
    board.say(b"b");
    let Happening::Bytes { since: second, .. } = seam.wait(patience()).unwrap() else { panic!() };
    assert_eq!(first, second, "no read found it empty in between");
}

#[test]
fn bytes_that_are_there_at_the_deadline_come_before_it() {
    let board = Board::new();
    let mut seam = seam(&board);
    for _ in 0..50 {
        board.say(b"late");
        let until = MonoTime::now();
        match seam.wait(until).unwrap() {
            Happening::Bytes { bytes, at, .. } => assert!(bytes == b"late" && at >= until),
            other => panic!("{other:?}"),
        }
        let Happening::Deadline { at } = seam.wait(until).unwrap() else { panic!() };
        assert!(at >= until);
    }
}

#[test]
fn a_deadline_is_never_early() {
    let board = Board::new();
    let mut seam = seam(&board);
    for us in [0, 1, 50, 150, 250, 1000, 5000, 20_000] {
        let until = later(Duration::from_micros(us));
        let Happening::Deadline { at } = seam.wait(until).unwrap() else { panic!() };
        assert!(at >= until && MonoTime::now() >= at);
    }
}

#[test]
fn a_send_says_what_was_written_and_when() {
    let board = Board::new();
    let mut seam = seam(&board);
    let first = seam.send(PORT, b"AT\r", None);
    let second = seam.send(PORT, b"", None);
    assert_ne!(first, second);
    assert!(!board.poll(PollFlags::IN, Duration::ZERO), "only wait writes");
    let asked = MonoTime::now();
    match seam.wait(patience()).unwrap() {
        Happening::Sent { stream, ticket, planned, before, after, bytes } => {
            assert_eq!((stream, ticket, planned, bytes), (PORT, first, None, b"AT\r".as_slice()));
            assert!(asked <= before && before <= after);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Sent { ticket, bytes: b"", .. } if ticket == second));
    assert_eq!(hear(&board, 3), b"AT\r");
}

#[test]
fn timed_operations_are_never_early_and_say_when_they_were_planned() {
    let board = Board::new();
    let drives = Drives::default();
    let mut seam = seam_with(&board, Wire(Arc::clone(&drives)), None);
    for us in [0, 100, 199, 300, 2000, 7000] {
        let release = later(Duration::from_micros(us));
        let hotkey = release + Duration::from_micros(300);
        // Queued the wrong way round: stream and line do not wait for each other.
        let sent = seam.send(PORT, &[0xC5], Some(hotkey));
        let driven = seam.drive(RESET, LineState::Released, Some(release));
        match seam.wait(patience()).unwrap() {
            Happening::Driven { line, ticket, state, planned, before, after } => {
                assert_eq!((line, ticket, state, planned), (RESET, driven, LineState::Released, Some(release)));
                let (_, at) = drives.lock().unwrap().pop().unwrap();
                assert!(release <= before && before <= at && at <= after);
            }
            other => panic!("{other:?}"),
        }
        match seam.wait(patience()).unwrap() {
            Happening::Sent { ticket, planned, before, bytes, .. } => {
                assert_eq!((ticket, planned, bytes), (sent, Some(hotkey), [0xC5].as_slice()));
                assert!(before >= hotkey);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(hear(&board, 1), [0xC5]);
    }
}

#[test]
fn one_stream_keeps_its_order() {
    let board = Board::new();
    let mut seam = seam(&board);
    let at = later(Duration::from_millis(5));
    let tickets = [seam.send(PORT, b"1", Some(at)), seam.set_speed(PORT, Baud::new(460_800).unwrap()), seam.send(PORT, b"2", None)];
    let mut done = Vec::new();
    while done.len() < 3 {
        match seam.wait(patience()).unwrap() {
            Happening::Sent { ticket, before, .. } | Happening::SpeedSet { ticket, before, .. } => {
                assert!(before >= at);
                done.push(ticket);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done, tickets);
    assert_eq!(hear(&board, 2), b"12");
}

#[test]
fn bytes_are_returned_while_a_timed_operation_waits() {
    let board = Board::new();
    let mut seam = seam(&board);
    let at = later(Duration::from_secs(1));
    seam.send(PORT, b"later", Some(at));
    board.say(b"sooner");
    assert_eq!(read(&mut seam, 6), b"sooner");
    let Happening::Sent { before, .. } = seam.wait(patience()).unwrap() else { panic!() };
    assert!(before >= at);
}

#[test]
fn a_speed_change_waits_for_the_wire() {
    let board = Board::new();
    let mut seam = seam(&board);
    let (slow, fast) = (Baud::new(9600).unwrap(), Baud::new(460_800).unwrap());
    seam.set_speed(PORT, slow);
    let Happening::SpeedSet { requested, actual, before, after, .. } = seam.wait(patience()).unwrap() else { panic!() };
    assert_eq!((requested, actual), (slow, slow));
    assert!(before <= after);

    let sent = seam.send(PORT, &[b'U'; 100], None);
    let change = seam.set_speed(PORT, fast);
    let written = match seam.wait(patience()).unwrap() {
        Happening::Sent { ticket, before, .. } if ticket == sent => before,
        other => panic!("{other:?}"),
    };
    assert_eq!(hear(&board, 100), [b'U'; 100]);
    assert_eq!(rustix::termios::tcgetattr(board.terminal()).unwrap().output_speed(), 9600, "the bytes are still on the wire");
    let Happening::SpeedSet { ticket, before, .. } = seam.wait(patience()).unwrap() else { panic!() };
    assert_eq!(ticket, change);
    assert!(before - written >= slow.wire_time(100), "{:?} after the write", before - written);
    assert_eq!(rustix::termios::tcgetattr(board.terminal()).unwrap().output_speed(), 460_800);
}

#[test]
fn a_big_send_to_a_slow_board_arrives_whole() {
    let board = Board::new();
    let mut seam = seam(&board);
    let sent: Vec<u8> = (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let length = sent.len();
    seam.send(PORT, &sent, None);
    thread::scope(|threads| {
        let heard = threads.spawn(|| {
            let (mut heard, mut buffer) = (Vec::new(), [0; 1500]);
            while heard.len() < length {
                let count = hear_some(&board, &mut buffer);
                heard.extend_from_slice(&buffer[..count]);
            }
            heard
        });
        match seam.wait(patience()).unwrap() {
            Happening::Sent { bytes, before, after, .. } => assert!(bytes == sent && before <= after),
            other => panic!("{other:?}"),
        }
        assert!(heard.join().unwrap() == sent, "what the board heard is not what was sent");
    });
}

#[test]
fn a_board_that_speaks_while_it_is_written_to_is_read() {
    let board = Board::new();
    let mut seam = seam(&board);
    seam.send(PORT, &vec![b'w'; 1 << 20], None);
    board.say(b"stop");
    assert_eq!(read(&mut seam, 4), b"stop");
}

#[test]
fn a_board_that_does_not_read_is_a_stuck_write() {
    let board = Board::new();
    let mut seam = seam(&board);
    seam.send(PORT, &vec![b'w'; 1 << 20], None);
    let began = MonoTime::now();
    match seam.wait(patience()) {
        Err(SeamError::WriteStuck { stream: "port", left, waited }) => {
            assert!((1..1 << 20).contains(&left), "{left}");
            assert!(waited >= Duration::from_secs(2) && MonoTime::now() - began >= waited);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }), "the rest is forgotten");
}

#[test]
fn what_is_forgotten_never_happens() {
    let board = Board::new();
    let drives = Drives::default();
    let mut seam = seam_with(&board, Wire(Arc::clone(&drives)), None);
    let at = later(Duration::from_millis(20));
    seam.send(PORT, b"x", Some(at));
    seam.drive(RESET, LineState::Asserted, Some(at));
    seam.forget_queued();
    assert!(matches!(seam.wait(at + Duration::from_millis(20)).unwrap(), Happening::Deadline { .. }));
    assert!(!board.poll(PollFlags::IN, Duration::ZERO));
    assert!(drives.lock().unwrap().is_empty());

    // A send that is half written is forgotten in its rest, and the next one is its own.
    seam.send(PORT, &vec![b'w'; 1 << 20], None);
    assert!(matches!(seam.wait(later(Duration::from_millis(1))).unwrap(), Happening::Deadline { .. }));
    seam.forget_queued();
    let mut buffer = [0; 4096];
    while board.poll(PollFlags::IN, Duration::from_millis(100)) {
        assert!(hear_some(&board, &mut buffer) > 0);
    }
    let ticket = seam.send(PORT, b"AT\r", None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Sent { ticket: sent, bytes: b"AT\r", .. } if sent == ticket));
    assert_eq!(hear(&board, 3), b"AT\r");
}

#[test]
fn an_interrupt_is_returned_once() {
    let board = Board::new();
    let (interrupt, raise) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Wire(Drives::default()), Some(Arc::new(interrupt)));
    assert!(matches!(seam.wait(MonoTime::ZERO).unwrap(), Happening::Deadline { .. }));
    rustix::io::write(&raise, b"!").unwrap();
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Interrupted { .. }));
    assert!(matches!(seam.wait(later(Duration::from_millis(5))).unwrap(), Happening::Deadline { .. }));
}

#[test]
fn an_interrupt_ends_a_wait_without_end() {
    let board = Board::new();
    let (interrupt, raise) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Wire(Drives::default()), Some(Arc::new(interrupt)));
    let raiser = thread::spawn(move || {
        rustix::io::write(&raise, b"!").unwrap();
        raise
    });
    assert!(matches!(seam.wait(MonoTime::FAR_FUTURE).unwrap(), Happening::Interrupted { .. }));
    raiser.join().unwrap();
}

#[test]
fn a_flood_starves_neither_queue_nor_interrupt() {
    let board = Board::new();
    let (interrupt, raise) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Wire(Drives::default()), Some(Arc::new(interrupt)));
    let (stop, stopped) = rustix::pipe::pipe().unwrap();
    thread::scope(|threads| {
        threads.spawn(|| {
            let mut over = [rustix::event::PollFd::new(&stop, PollFlags::IN)];
            let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            while rustix::event::poll(&mut over, Some(&now)).unwrap() == 0 {
                match rustix::io::write(board.terminal(), &[b'f'; 4096]) {
                    Ok(_) => {}
                    Err(Errno::AGAIN) => drop(board.poll(PollFlags::OUT, Duration::from_millis(10))),
                    Err(error) => panic!("{error}"),
                }
            }
        });
        // Ends the flood on every way out, a failed assertion included.
        let _stopped = stopped;
        let mut flooded = 0;
        while flooded < 1 << 20 {
            let Happening::Bytes { bytes, .. } = seam.wait(patience()).unwrap() else { panic!() };
            flooded += bytes.len();
        }
        let at = later(Duration::from_millis(2));
        seam.drive(RESET, LineState::Asserted, Some(at));
        seam.send(PORT, b"x", Some(at));
        let (mut driven, mut sent, mut interrupted, mut after_due) = (false, false, false, 0);
        while !(driven && sent) {
            match seam.wait(patience()).unwrap() {
                Happening::Bytes { at: read, .. } => after_due += usize::from(read > at),
                Happening::Driven { .. } => driven = true,
                Happening::Sent { .. } => sent = true,
                other => panic!("{other:?}"),
            }
            assert!(after_due <= 1, "reads went before what was due");
        }
        rustix::io::write(&raise, b"!").unwrap();
        for _ in 0..16 {
            match seam.wait(patience()).unwrap() {
                Happening::Bytes { .. } => {}
                Happening::Interrupted { .. } => {
                    interrupted = true;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(interrupted, "not within 16 reads");
    });
}

#[test]
fn a_pending_drive_ends_with_its_answer_and_holds_nothing_up() {
    let board = Board::new();
    let (answers, answer) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Remote(answers), None);
    let first = seam.drive(RESET, LineState::Asserted, None);
    let second = seam.drive(RESET, LineState::Released, None);
    board.say(b"boot");
    seam.send(PORT, b"x", None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Sent { .. }));
    assert_eq!(read(&mut seam, 4), b"boot");
    // One byte that is not the answer, then it.
    rustix::io::write(&answer, b"-").unwrap();
    assert!(matches!(seam.wait(later(Duration::from_millis(5))).unwrap(), Happening::Deadline { .. }));
    let answered = MonoTime::now();
    rustix::io::write(&answer, b".").unwrap();
    match seam.wait(patience()).unwrap() {
        Happening::Driven { ticket, state: LineState::Asserted, before, after, .. } => {
            assert!(ticket == first && before < answered && answered <= after);
        }
        other => panic!("{other:?}"),
    }
    rustix::io::write(&answer, b".").unwrap();
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { ticket, state: LineState::Released, .. } if ticket == second));
}

#[test]
fn a_pending_drive_without_an_answer_is_an_error_of_the_line() {
    let board = Board::new();
    let (answers, _answer) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Remote(answers), None);
    seam.drive(RESET, LineState::Asserted, None);
    let error = seam.wait(patience()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the reset line could not be asserted: a remote line did not answer within 2s: it serves another client, or its program hangs; \
         end the other client, or restart the program"
    );
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }));
}

#[test]
fn a_backend_that_hangs_up_is_an_error_of_the_line() {
    let board = Board::new();
    let (answers, answer) = rustix::pipe::pipe().unwrap();
    let mut seam = seam_with(&board, Remote(answers), None);
    seam.drive(RESET, LineState::Released, None);
    drop(answer);
    let error = seam.wait(patience()).unwrap_err();
    assert_eq!(error.to_string(), "the reset line could not be released: Ok(0) instead of an answer");
}

#[test]
fn a_board_that_goes_is_gone_once_and_lines_go_on() {
    let board = Board::new();
    let drives = Drives::default();
    let mut seam = seam_with(&board, Wire(Arc::clone(&drives)), None);
    seam.send(PORT, b"never", Some(MonoTime::FAR_FUTURE));
    drop(board);
    let mut gone = 0;
    while gone == 0 {
        match seam.wait(patience()).unwrap() {
            Happening::Bytes { .. } => {}
            Happening::Gone { stream, reason, .. } => {
                assert!(stream == PORT && !reason.is_empty());
                gone += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(seam.wait(later(Duration::from_millis(5))).unwrap(), Happening::Deadline { .. }), "what was queued is forgotten");
    seam.drive(RESET, LineState::Released, None);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Driven { .. }));
    assert_eq!(drives.lock().unwrap().len(), 1);
    seam.send(PORT, b"x", None);
    let error = seam.wait(patience()).unwrap_err();
    assert!(error.to_string().starts_with("write on port failed: the port is gone: "), "{error}");
    assert!(matches!(seam.wait(MonoTime::now()).unwrap(), Happening::Deadline { .. }));
}

#[test]
fn a_board_that_goes_during_a_write_is_gone() {
    let board = Board::new();
    let mut seam = seam(&board);
    seam.send(PORT, &vec![b'w'; 1 << 20], None);
    assert!(matches!(seam.wait(later(Duration::from_millis(1))).unwrap(), Happening::Deadline { .. }), "nobody reads");
    drop(board);
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Gone { .. }));
}

#[test]
fn an_operation_for_a_stream_that_is_not_there_is_an_error() {
    let board = Board::new();
    let mut seam = seam(&board);
    seam.send(StreamId(1), b"x", None);
    assert!(matches!(seam.wait(patience()), Err(SeamError::Stream { stream: "stream", call: "send", .. })));
    seam.drive(LineId(1), LineState::Asserted, None);
    assert!(matches!(seam.wait(patience()), Err(SeamError::Stream { stream: "line", call: "drive", .. })));
    assert!(seam.send(PORT, b"x", None) > Ticket(0));
    assert!(matches!(seam.wait(patience()).unwrap(), Happening::Sent { .. }));
}
