//! The `socket` backend.

use std::time::{Duration, Instant};

use evkit_hil::line::{LineError, OutputLine, Progress, Role, drive_within, open, open_input};
use evkit_hil::seam::LineState;
use rstest::rstest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::board::{Board, Entry, Manner, SOON, named_line, socket_line};

const ASSERT: &str = "reset assert";
const RELEASE: &str = "reset release";
const LEVEL: &str = "reset level";

fn refused(result: Result<(), LineError>) -> String {
    result.expect_err("an error").to_string()
}

fn asserted(board: &Board) -> Box<dyn OutputLine> {
    let mut line = open(&board.config()).expect("claimed");
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    line
}

/// Waits until the line's descriptor can be read.
fn readable(line: &dyn OutputLine) {
    let mut fds = [PollFd::from_borrowed_fd(line.fd().expect("a socket has one"), PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&Timespec { tv_sec: 10, tv_nsec: 0 })), Ok(1), "an answer comes");
}

#[test]
fn a_claim_releases_first() {
    let board = Board::new();
    let line = open(&board.config()).expect("claimed");
    assert_eq!(board.lines(), [RELEASE], "written and answered before `open` returned");
    assert_eq!(line.describe(), format!("socket {}", board.path().display()));
}

#[test]
fn a_drive_begins_without_waiting_and_is_done_when_answered() {
    let board = Board::with(|_, _| Manner::Says("ok at once\n"));
    let mut line = open(&board.config()).expect("claimed");
    let before = Instant::now();
    assert_eq!(line.begin(LineState::Asserted).expect("begun"), Progress::Pending);
    readable(&*line);
    assert_eq!(line.proceed().expect("answered"), Progress::Done);
    let after = Instant::now();
    let carried_out = board.wait_for("the assert", |seen| seen.last() == Some(&Entry::Line(ASSERT.to_owned())));
    assert!(before <= carried_out && carried_out <= after, "done means carried out");
    assert_eq!(line.begin(LineState::Released).expect("begun"), Progress::Pending);
    readable(&*line);
    assert_eq!(line.proceed().expect("answered"), Progress::Done);
    assert_eq!(board.lines(), [RELEASE, ASSERT, RELEASE]);
}

#[test]
fn an_unanswered_drive_stays_pending_without_blocking() {
    let board = Board::with(|n, _| if n == 0 { Manner::Says("ok\n") } else { Manner::KeepsSilent });
    let mut line = open(&board.config()).expect("claimed");
    assert_eq!(line.begin(LineState::Asserted).expect("begun"), Progress::Pending);
    board.wait_for_lines(2);
    assert_eq!(line.proceed().expect("nothing yet"), Progress::Pending);
}

#[test]
fn drives_that_overlap_are_done_when_the_last_is_answered() {
    let board = Board::with(|n, _| match n {
        0 => Manner::Says("ok\n"),
        1 => Manner::KeepsSilent,
        _ => Manner::Says("ok\nok\n"),
    });
    let mut line = open(&board.config()).expect("claimed");
    line.begin(LineState::Asserted).expect("begun");
    assert_eq!(line.begin(LineState::Released).expect("begun"), Progress::Pending);
    board.wait_for_lines(3);
    readable(&*line);
    assert_eq!(line.proceed().expect("both"), Progress::Done);
}

#[test]
fn an_answer_in_pieces_is_one_answer() {
    let board = Board::with(|n, _| Manner::Says(["ok\n", "o", "k\nok\n"][n]));
    let mut line = open(&board.config()).expect("claimed");
    line.begin(LineState::Asserted).expect("begun");
    readable(&*line);
    assert_eq!(line.proceed().expect("half an answer"), Progress::Pending);
    line.begin(LineState::Released).expect("begun");
    readable(&*line);
    assert_eq!(line.proceed().expect("the other half and the next"), Progress::Done);
}

#[test]
fn the_reason_of_an_error_is_passed_on() {
    let board = Board::with(|_, line| Manner::Says(if line == ASSERT { "error relay 3 is stuck\n" } else { "ok\n" }));
    let mut line = open(&board.config()).expect("claimed");
    let text = refused(drive_within(&mut *line, LineState::Asserted, SOON));
    assert_eq!(text, format!("socket {} refused `reset assert`: relay 3 is stuck", board.path().display()));
}

#[test]
fn a_claim_whose_release_is_refused_is_no_claim() {
    let board = Board::with(|_, _| Manner::Says("error\n"));
    let text = refused(open(&board.config()).map(drop));
    assert!(text.ends_with("refused `reset release`: no reason given"), "{text}");
}

/// Asks what the line is, and waits for the answer.
fn read_back(line: &mut dyn OutputLine) -> Option<LineState> {
    assert_eq!(line.read_back().expect("asked"), Progress::Pending);
    readable(line);
    assert_eq!(line.proceed().expect("answered"), Progress::Done);
    line.level()
}

#[test]
fn a_line_is_read_back_as_the_program_says_it_is() {
    let board = Board::with(|n, line| {
        Manner::Says(if line != LEVEL {
            "ok\n"
        } else if n == 1 {
            "ok asserted\n"
        } else {
            "ok released\n"
        })
    });
    let mut line = open(&board.config()).expect("claimed");
    assert_eq!(line.level(), None, "not asked yet");
    assert_eq!(read_back(&mut *line), Some(LineState::Asserted));
    assert_eq!(read_back(&mut *line), Some(LineState::Released));
    assert_eq!(board.lines(), [RELEASE, LEVEL, LEVEL]);
    drop(line);
    board.wait_for("the end of the client", |seen| seen.last() == Some(&Entry::Closed));
    assert_eq!(board.lines().len(), 3, "a line that is known to be released is not released again");
}

#[rstest]
#[case::error("error unknown command\n")]
#[case::ok_to_everything("ok\n")]
#[case::another_text("ok high\n")]
#[case::no_answer_of_the_protocol("what?\n")]
fn a_program_that_cannot_tell_is_no_fault_and_can_be_driven_on(#[case] answer: &'static str) {
    let board = Board::with(move |n, line| {
        Manner::Says(if line != LEVEL {
            "ok\n"
        } else if n == 1 {
            "ok asserted\n"
        } else {
            answer
        })
    });
    let mut line = open(&board.config()).expect("claimed");
    assert_eq!(read_back(&mut *line), Some(LineState::Asserted));
    assert_eq!(read_back(&mut *line), None, "what was read before does not count");
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    drive_within(&mut *line, LineState::Released, SOON).expect("released");
}

#[rstest]
#[case::never("ok\n")]
#[case::late("ok asserted\nok\n")]
#[case::late_that_it_cannot("error unknown command\nok\n")]
fn a_reading_without_an_answer_is_not_mixed_up_with_the_next_drive(#[case] answer: &'static str) {
    let board = Board::with(move |_, line| match line {
        LEVEL => Manner::KeepsSilent,
        ASSERT => Manner::Says(answer),
        _ => Manner::Says("ok\n"),
    });
    let mut line = open(&board.config()).expect("claimed");
    assert_eq!(line.read_back().expect("asked"), Progress::Pending);
    board.wait_for_lines(2);
    assert_eq!(line.proceed().expect("nothing yet"), Progress::Pending);
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    drive_within(&mut *line, LineState::Released, SOON).expect("released");
}

#[test]
fn an_error_of_a_drive_behind_a_late_reading_is_that_of_the_drive() {
    let board = Board::with(|_, line| match line {
        LEVEL => Manner::KeepsSilent,
        ASSERT => Manner::Says("ok released\nerror relay 3 is stuck\n"),
        _ => Manner::Says("ok\n"),
    });
    let mut line = open(&board.config()).expect("claimed");
    assert_eq!(line.read_back().expect("asked"), Progress::Pending);
    let text = refused(drive_within(&mut *line, LineState::Asserted, SOON));
    assert!(text.ends_with("refused `reset assert`: relay 3 is stuck"), "{text}");
}

#[test]
fn power_is_not_read_back() {
    let board = Board::new();
    let mut line = open(&named_line(board.path(), "power", Role::Power)).expect("claimed");
    assert_eq!((line.read_back().expect("nothing to do"), line.level()), (Progress::Done, None));
    assert_eq!(board.lines(), ["power on"]);
}

#[test]
fn a_connection_lost_in_the_middle_of_a_drive_is_an_error() {
    let board = Board::with(|n, _| if n == 0 { Manner::Says("ok\n") } else { Manner::Leaves("") });
    let mut line = open(&board.config()).expect("claimed");
    line.begin(LineState::Asserted).expect("begun");
    readable(&*line);
    let text = refused(line.proceed().map(drop));
    assert!(text.ends_with("closed the connection before it answered: what the line does now is not known"), "{text}");
}

#[test]
fn a_connection_lost_between_drives_is_an_error_of_the_next() {
    let board = Board::with(|n, _| if n == 0 { Manner::Says("ok\n") } else { Manner::Leaves("ok\n") });
    let mut line = asserted(&board);
    board.wait_for("the end of the client", |seen| seen.last() == Some(&Entry::Closed));
    let text = refused(line.begin(LineState::Released).map(drop));
    assert!(text.ends_with("closed the connection"), "{text}");
}

#[test]
fn an_answer_that_nobody_asked_for_is_an_error() {
    let board = Board::with(|_, _| Manner::Says("ok\nok\n"));
    let text = refused(open(&board.config()).map(drop));
    assert!(text.contains("said \"ok\", expected silence"), "{text}");
}

#[test]
fn something_else_than_ok_or_error_is_an_error() {
    let board = Board::with(|_, _| Manner::Says("HTTP/1.1 400 Bad Request\r\n"));
    let text = refused(open(&board.config()).map(drop));
    assert!(text.contains("said \"HTTP/1.1 400 Bad Request\", expected `ok`, or `error` and why"), "{text}");
}

#[test]
fn a_board_that_does_not_answer_the_claim_is_an_error_after_two_seconds() {
    let board = Board::with(|_, _| Manner::KeepsSilent);
    let started = Instant::now();
    let text = refused(open(&board.config()).map(drop));
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert!(text.contains("did not answer within 2s: it serves another client"), "{text}");
}

#[test]
fn a_second_client_waits_for_the_first() {
    let board = Board::new();
    let first = asserted(&board);
    let config = board.config();
    let second = std::thread::spawn(move || open(&config).map(drop));
    // The second is connected, and not served, while the first is there; nothing can be waited for that does not happen.
    assert_eq!(board.lines(), [RELEASE, ASSERT]);
    drop(first);
    second.join().expect("no panic").expect("served once the first has gone");
    assert_eq!(board.lines(), [RELEASE, ASSERT, RELEASE, RELEASE]);
}

#[test]
fn a_drop_releases_an_asserted_line_and_hears_the_answer() {
    // A relay takes its time to switch.
    let board = Board::with(|n, _| {
        if n == 2 {
            #[expect(clippy::disallowed_methods, reason = "the board's own time, not a wait for something")]
            std::thread::sleep(Duration::from_millis(50));
        }
        Manner::Says("ok\n")
    });
    let mut line = asserted(&board);
    // An answer is still owed: a server like this one would never read a release sent behind it if the connection closed at once.
    line.begin(LineState::Asserted).expect("begun");
    drop(line);
    assert_eq!(board.lines(), [RELEASE, ASSERT, ASSERT, RELEASE]);
}

#[test]
fn a_drop_of_a_released_line_sends_nothing() {
    let board = Board::new();
    drop(open(&board.config()).expect("claimed"));
    board.wait_for("the end of the client", |seen| seen.last() == Some(&Entry::Closed));
    assert_eq!(board.lines(), [RELEASE]);
}

#[test]
fn a_missing_socket_says_what_makes_it() {
    let text = refused(open(&socket_line("/nonexistent/evkit.ctl".as_ref())).map(drop));
    assert_eq!(
        text,
        "socket /nonexistent/evkit.ctl is not there: start the program that makes it (`evkit-hil virtual --control PATH`), or mend the path"
    );
}

#[test]
fn a_socket_that_nobody_listens_on_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("left");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    let text = refused(open(&socket_line(&path)).map(drop));
    assert!(text.contains("no program listens on it"), "{text}");
}

#[test]
fn a_path_that_no_socket_can_have_is_refused() {
    let text = refused(open(&socket_line(format!("/tmp/{}", "x".repeat(120)).as_ref())).map(drop));
    assert!(text.contains("at most 107 bytes"), "{text}");
}

#[test]
fn another_line_is_called_by_its_name() {
    let board = Board::new();
    let mut line = open(&named_line(board.path(), "wake", Role::Output)).expect("claimed");
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    drop(line);
    assert_eq!(board.wait_for_lines(3), ["wake release", "wake assert", "wake release"]);
}

#[test]
fn power_is_claimed_on_switched_by_on_and_off_and_left_as_it_is() {
    let board = Board::new();
    let mut line = open(&named_line(board.path(), "power", Role::Power)).expect("claimed");
    drive_within(&mut *line, LineState::Released, SOON).expect("off");
    drop(line);
    board.wait_for("the end of the client", |seen| seen.last() == Some(&Entry::Closed));
    assert_eq!(board.lines(), ["power on", "power off"], "nobody switched it on again");
}

#[test]
fn an_input_is_watched_and_its_edges_come_with_their_times() {
    let board = Board::with(|_, _| Manner::Says("ok\nedge ring assert 5000\nedge ring release 7000\n"));
    let mut input = open_input(&named_line(board.path(), "ring", Role::Input)).expect("watched");
    assert_eq!(board.lines(), ["watch ring"]);
    let mut edges = Vec::new();
    while edges.len() < 2 {
        let mut fds = [PollFd::from_borrowed_fd(input.fd(), PollFlags::IN)];
        // What came with the answer is there already, and is not waited for.
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 1_000_000 }));
        edges.extend(input.next_edge().expect("read").map(|edge| (edge.state, edge.at.as_ns())));
    }
    assert_eq!(edges, [(LineState::Asserted, 5000), (LineState::Released, 7000)]);
    assert_eq!(input.next_edge().expect("read"), None);
}

#[test]
fn an_input_that_is_refused_or_talks_nonsense_is_an_error() {
    let watch = |answer| {
        let board = Board::with(move |_, _| Manner::Says(answer));
        let opened = open_input(&named_line(board.path(), "ring", Role::Input));
        opened.and_then(|mut input| {
            let mut fds = [PollFd::from_borrowed_fd(input.fd(), PollFlags::IN)];
            let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 1_000_000 }));
            input.next_edge().map(drop)
        })
    };
    assert!(refused(watch("error no such line\n")).ends_with("refused `watch ring`: no such line"));
    assert!(refused(watch("ok\nedge wake assert 5\n")).contains("said \"edge wake assert 5\", expected `edge`, the line's name"));
    assert!(refused(watch("yes\n")).contains("said \"yes\", expected `ok`"));
}
