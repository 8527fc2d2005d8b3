//! The guardian, as the real program: what it does when its owner dies, dismisses it, or asks for the release now.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use evkit_hil::line::{Guardian, GuardianError, LineConfig, drive_within, open};
use evkit_hil::seam::LineState;
use rustix::process::Signal;

use crate::board::{Board, Entry, Manner, SOON, socket_line};
use crate::common::process::{Output, Process};

const PROGRAM: &str = env!("CARGO_BIN_EXE_evkit-hil");
const ASSERT: &str = "reset assert";
const RELEASE: &str = "reset release";
/// Names the board's socket to the owner process that a test makes of itself.
const OWNER: &str = "EVKIT_HIL_TEST_OWNER";

/// The guardian program by itself, on guard.
fn on_guard(lines: &[LineConfig]) -> (Process, std::process::ChildStdin) {
    let mut command = Command::new(PROGRAM);
    command.arg("guardian");
    let mut guardian = Process::start(command, Duration::from_secs(20));
    let mut pipe = guardian.stdin();
    serde_json::to_writer(&mut pipe, lines).expect("written");
    pipe.write_all(b"\n").expect("written");
    guardian.wait_for("ready\n");
    (guardian, pipe)
}

fn assert_success(output: &Output) {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_end_of_the_pipe_releases() {
    let board = Board::new();
    let (guardian, pipe) = on_guard(&[board.config()]);
    assert_eq!(board.seen(), [], "a guardian that waits holds no connection");
    drop(pipe);
    assert_success(&guardian.wait());
    assert_eq!(board.lines(), [RELEASE]);
}

#[test]
fn bye_releases_nothing() {
    let board = Board::new();
    let (guardian, mut pipe) = on_guard(&[board.config()]);
    pipe.write_all(b"bye\n").expect("written");
    drop(pipe);
    assert_success(&guardian.wait());
    assert_eq!(board.seen(), []);
}

#[test]
fn half_a_bye_is_no_bye() {
    let board = Board::new();
    let (guardian, mut pipe) = on_guard(&[board.config()]);
    pipe.write_all(b"by").expect("written");
    drop(pipe);
    assert_success(&guardian.wait());
    assert_eq!(board.lines(), [RELEASE]);
}

#[test]
fn signals_do_not_end_the_guard() {
    let board = Board::new();
    let (guardian, pipe) = on_guard(&[board.config()]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::PIPE] {
        guardian.signal(signal);
    }
    drop(pipe);
    assert_success(&guardian.wait());
    assert_eq!(board.lines(), [RELEASE]);
}

#[test]
fn a_line_that_hangs_delays_no_other_and_is_reported() {
    let (silent, good) = (Board::with(|_, _| Manner::KeepsSilent), Board::new());
    let (guardian, pipe) = on_guard(&[silent.config(), socket_line("/nonexistent/board".as_ref()), good.config()]);
    drop(pipe);
    good.wait_for_lines(1);
    let output = guardian.wait();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: Vec<_> = output.stderr.lines().collect();
    assert_eq!(said.len(), 2, "one line for each: {output:?}");
    assert!(said[0].contains("NOT released") && said[0].contains("did not answer"), "{output:?}");
    assert!(said[1].contains("/nonexistent/board is not there") && said[1].contains("run `evkit-hil release`"), "{output:?}");
}

#[test]
fn lines_that_cannot_be_read_are_refused_before_ready() {
    let mut command = Command::new(PROGRAM);
    command.arg("guardian");
    let mut guardian = Process::start(command, Duration::from_secs(20));
    guardian.stdin().write_all(b"[{}]\n").expect("written");
    let output = guardian.wait();
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("cannot stand guard: the lines on standard input: missing field `backend`"), "{output:?}");
}

#[test]
fn a_dismissed_guardian_leaves_the_line_alone() {
    let board = Board::new();
    let guardian = Guardian::start(Path::new(PROGRAM), &[board.config()]).expect("on guard");
    let mut line = open(&board.config()).expect("claimed");
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    drive_within(&mut *line, LineState::Released, SOON).expect("released");
    guardian.dismiss().expect("ended");
    drop(line);
    board.wait_for("the end of the client", |seen| seen.last() == Some(&Entry::Closed));
    assert_eq!(board.lines(), [RELEASE, ASSERT, RELEASE]);
    assert_eq!(board.seen().iter().filter(|entry| **entry == Entry::Connected).count(), 1);
}

#[test]
fn a_guardian_that_is_dropped_releases() {
    let board = Board::new();
    drop(Guardian::start(Path::new(PROGRAM), &[board.config()]).expect("on guard"));
    assert_eq!(board.lines(), [RELEASE], "released before the drop was over");
}

#[test]
fn release_now_releases_and_tells_a_failure() {
    let board = Board::new();
    Guardian::start(Path::new(PROGRAM), &[board.config()]).expect("on guard").release_now().expect("released");
    assert_eq!(board.lines(), [RELEASE]);
    // While this process is the board's one client, the guardian can only wait; it goes on by itself.
    let held = Board::new();
    let line = open(&held.config()).expect("claimed");
    let mut guardian = Guardian::start(Path::new(PROGRAM), &[held.config()]).expect("on guard");
    assert!(matches!(guardian.release_now(), Err(GuardianError::StillBusy(_))));
    drop(line);
    guardian.release_now().expect("released once the connection was free");
    assert!(held.lines().len() >= 2 && held.lines().iter().all(|line| line == RELEASE), "{:?}", held.lines());
}

#[test]
fn a_program_that_is_no_guardian_is_never_ready() {
    let error = Guardian::start(Path::new("/bin/false"), &[]).expect_err("says nothing").to_string();
    assert!(error.contains("was not ready") && error.contains("exit status: 1"), "{error}");
    let error = Guardian::start(Path::new("/nonexistent/program"), &[]).expect_err("is not there").to_string();
    assert!(error.contains("could not be started (/nonexistent/program)"), "{error}");
}

/// The owner is this test program, started again with the same test's name: it claims, starts a guardian, asserts and is killed.
#[test]
fn an_owner_that_is_killed_in_the_middle_of_a_pulse_leaves_the_line_released() {
    if let Some(socket) = std::env::var_os(OWNER) {
        own(Path::new(&socket));
    }
    let board = Board::new();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["guardian::an_owner_that_is_killed_in_the_middle_of_a_pulse_leaves_the_line_released", "--exact", "--nocapture"])
        .env(OWNER, board.path());
    let owner = Process::start(command, Duration::from_secs(20));
    let said = owner.wait_for("asserted\n");
    let guardian: u32 = said.split("guardian ").nth(1).and_then(|rest| rest.lines().next()).expect("named").parse().expect("a number");
    assert_eq!(board.lines(), [RELEASE, ASSERT]);
    // Nothing of the owner's but the pipes and standard error, and a session of its own.
    let mut open: Vec<u32> = fs::read_dir(format!("/proc/{guardian}/fd"))
        .expect("it lives")
        .map(|entry| entry.expect("read").file_name().to_str().expect("a number").parse().expect("a number"))
        .collect();
    open.sort_unstable();
    assert_eq!(open, [0, 1, 2]);
    let stat = fs::read_to_string(format!("/proc/{guardian}/stat")).expect("it lives");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    assert_eq!(fields[3], guardian.to_string(), "it leads its session");

    owner.kill_group();
    assert_eq!(board.wait_for_lines(3), [RELEASE, ASSERT, RELEASE]);
    drop(owner);
}

/// Claims, starts a guardian, asserts, says so and waits to be killed. Holds a descriptor without close-on-exec, which the guardian must
/// not keep.
fn own(socket: &Path) -> ! {
    let config = socket_line(socket);
    let inherited = rustix::pipe::pipe().expect("without close-on-exec");
    let mut line = open(&config).expect("claimed");
    let guardian = Guardian::start(Path::new(PROGRAM), &[config]).expect("on guard");
    println!("guardian {}", guardian.id());
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    println!("asserted");
    loop {
        std::thread::park();
        std::hint::black_box(&inherited);
    }
}
