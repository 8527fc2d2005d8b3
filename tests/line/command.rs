//! The `command` backend, with a small program that keeps a log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use evkit_hil::line::{Backend, Guardian, LineConfig, OutputLine, Progress, Role, drive_within, open, release};
use evkit_hil::seam::LineState;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::board::SOON;
use crate::common::process::{Process, write_program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_evkit-hil");
/// Names the switch's folder to the owner process that a test makes of itself.
const OWNER: &str = "EVKIT_HIL_TEST_SWITCH";
/// Long enough for a shell to start on a busy machine, for programs that do not end.
const BRIEF: Duration = Duration::from_secs(3);

/// A switch: a program beside a log of what it was told.
struct Switch {
    folder: tempfile::TempDir,
}

impl Switch {
    /// One whose program does this after it has written its arguments to the log.
    fn that(does: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("switch");
        let text = format!("#!/bin/sh\necho \"$@\" >> {}\n{does}\n", folder.path().join("log").display());
        write_program(&program, &text);
        Self { folder }
    }

    fn config(&self, within: Duration) -> LineConfig {
        config(self.folder.path(), within)
    }

    fn log(&self) -> Vec<String> {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

fn config(folder: &Path, within: Duration) -> LineConfig {
    let list = |word: &str| vec![folder.join("switch").display().to_string(), word.to_owned(), "R 1".to_owned()];
    LineConfig::output("reset", Backend::Command { assert: list("assert"), release: list("release"), within })
}

const ASSERT: &str = "assert R 1";
const RELEASE: &str = "release R 1";

fn readable(line: &dyn OutputLine) {
    let mut fds = [PollFd::from_borrowed_fd(line.fd().expect("it has one"), PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&Timespec { tv_sec: 20, tv_nsec: 0 })), Ok(1), "the program ends");
}

/// Whether a process is there and no zombie.
fn lives(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

#[test]
fn a_claim_releases_a_drive_is_done_when_the_program_has_ended_and_a_drop_releases() {
    let switch = Switch::that("");
    let mut line = open(&switch.config(SOON)).expect("claimed");
    assert_eq!(switch.log(), [RELEASE], "each argument arrives as it is");
    assert_eq!(line.begin(LineState::Asserted).expect("begun"), Progress::Pending);
    let mut progress = Progress::Pending;
    while progress == Progress::Pending {
        readable(&*line);
        progress = line.proceed().expect("no error");
    }
    assert_eq!(switch.log(), [RELEASE, ASSERT]);
    drop(line);
    assert_eq!(switch.log(), [RELEASE, ASSERT, RELEASE]);
}

#[test]
fn a_drop_of_a_released_line_runs_nothing() {
    let switch = Switch::that("");
    drop(open(&switch.config(SOON)).expect("claimed"));
    assert_eq!(switch.log(), [RELEASE]);
}

#[test]
fn power_is_switched_on_at_the_claim_and_left_as_it_is() {
    let switch = Switch::that("");
    let power = LineConfig { role: Role::Power, name: "power".to_owned(), ..switch.config(SOON) };
    let mut line = open(&power).expect("claimed");
    drive_within(&mut *line, LineState::Released, SOON).expect("off");
    drop(line);
    assert_eq!(switch.log(), [ASSERT, RELEASE], "on, off, and nothing more");
}

#[test]
fn an_exit_code_is_an_error_with_what_the_program_said() {
    let switch = Switch::that("[ $1 = release ] || { echo 'no relay'; echo 'no such relay:\n  R1' >&2; exit 3; }");
    let mut line = open(&switch.config(SOON)).expect("claimed");
    let error = drive_within(&mut *line, LineState::Asserted, SOON).expect_err("it fails").to_string();
    assert!(error.ends_with("/switch assert R 1 ended with exit status: 3; it said: no such relay: R1"), "{error}");
    drop(line);
    assert_eq!(switch.log(), [RELEASE, ASSERT, RELEASE], "nobody knows what it did, so it is released");
}

#[test]
fn a_program_that_talks_a_lot_does_not_hang_on_it() {
    let switch = Switch::that("head -c 300000 /dev/zero | tr '\\0' 'x' >&2; exit 1");
    let error = open(&switch.config(SOON)).err().expect("it fails").to_string();
    assert!(error.contains("ended with exit status: 1; it said: xxx") && error.len() < 1000, "{} characters", error.len());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "nothing tells when another process is gone")]
fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    let switch = Switch::that("[ $1 = release ] && exit; sleep 600 & echo $! > $0.child; echo waiting >&2; wait");
    let mut line = open(&switch.config(BRIEF)).expect("claimed");
    let started = Instant::now();
    let error = drive_within(&mut *line, LineState::Asserted, SOON).expect_err("it does not end").to_string();
    assert!(started.elapsed() >= BRIEF);
    assert!(error.contains("/switch assert R 1 did not end within 3 s and was killed") && error.ends_with("it said: waiting"), "{error}");
    let child = fs::read_to_string(switch.folder.path().join("switch.child")).expect("written");
    // The signal is sent when the error is there; that the process is gone takes the kernel its time.
    let deadline = Instant::now() + Duration::from_secs(20);
    while lives(child.trim()) {
        assert!(Instant::now() < deadline, "{child} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_that_does_not_end_is_an_error_of_the_claim() {
    let switch = Switch::that("echo thinking >&2; exec sleep 600");
    let error = open(&switch.config(BRIEF)).err().expect("it does not end").to_string();
    assert!(
        error.contains("/switch release R 1 did not end within 3 s and was killed: what the line does now is not known; it said: thinking"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let lists = |program: &str| (vec![program.to_owned()], vec![program.to_owned()]);
    for program in ["/nonexistent/switch", "no-such-program-anywhere"] {
        let (assert, release) = lists(program);
        let config = LineConfig::output("reset", Backend::Command { assert, release, within: SOON });
        let error = open(&config).err().expect("not there").to_string();
        assert!(error.starts_with(&format!("the program {program} is not there: it is looked for in PATH")), "{error}");
    }
}

#[test]
fn release_runs_the_releasing_program_once() {
    let switch = Switch::that("");
    release(&switch.config(SOON)).expect("released");
    assert_eq!(switch.log(), [RELEASE]);
}

/// A program that is in the middle of asserting when its run dies must not assert after the guardian has released.
#[test]
fn an_owner_that_is_killed_in_the_middle_of_a_drive_takes_the_program_along() {
    if let Some(folder) = std::env::var_os(OWNER) {
        own(Path::new(&folder));
    }
    let switch = Switch::that("[ $1 = assert ] && sleep 4 && echo done >> $0.late; true");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let test = "command::an_owner_that_is_killed_in_the_middle_of_a_drive_takes_the_program_along";
    command.args([test, "--exact", "--nocapture"]).env(OWNER, switch.folder.path());
    let owner = Process::start(command, Duration::from_secs(20));
    let wait = |count| {
        let end = Instant::now() + SOON;
        while switch.log().len() < count {
            assert!(Instant::now() < end, "{:?}", switch.log());
            std::thread::yield_now();
        }
    };
    wait(2);
    let killed = Instant::now();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(owner.id().cast_signed()).expect("a number"),
        rustix::process::Signal::KILL,
    )
    .expect("killed");
    wait(3);
    assert_eq!(switch.log(), [RELEASE, ASSERT, RELEASE]);
    // It would have been through by then.
    while killed.elapsed() < Duration::from_secs(5) {
        assert!(!switch.folder.path().join("switch.late").exists(), "it asserted behind the release");
        std::thread::yield_now();
    }
    drop(owner);
}

/// The owner is this test program, started again with the same test's name: it claims, starts a guardian, asserts and is killed.
#[test]
fn an_owner_that_is_killed_leaves_the_line_released() {
    if let Some(folder) = std::env::var_os(OWNER) {
        own(Path::new(&folder));
    }
    let switch = Switch::that("");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["command::an_owner_that_is_killed_leaves_the_line_released", "--exact", "--nocapture"]).env(OWNER, switch.folder.path());
    let owner = Process::start(command, Duration::from_secs(20));
    owner.wait_for("asserted\n");
    owner.kill_group();
    let end = Instant::now() + SOON;
    while switch.log().len() < 3 {
        assert!(Instant::now() < end, "{:?}", switch.log());
        std::thread::yield_now();
    }
    assert_eq!(switch.log(), [RELEASE, ASSERT, RELEASE]);
    drop(owner);
}

fn own(folder: &Path) -> ! {
    let config = config(folder, SOON);
    let mut line = open(&config).expect("claimed");
    let guardian = Guardian::start(&PathBuf::from(PROGRAM), &[config]).expect("on guard");
    drive_within(&mut *line, LineState::Asserted, SOON).expect("asserted");
    println!("asserted");
    loop {
        std::thread::park();
        std::hint::black_box(&guardian);
    }
}
