//! The board lock between processes.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use evkit_hil::line::{BoardLock, LockError, LockInfo};
use rustix::fs::Mode;
use rustix::process::{Signal, geteuid};

use crate::board::SOON;
use crate::common::process::Process;

/// The state directory, for the holder process that a test makes of itself.
const HOLDER: &str = "EVKIT_HIL_TEST_HOLDER";
static NOT_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A state directory and a port, both open to every user.
struct Bench {
    _directory: tempfile::TempDir,
    state: PathBuf,
    port: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir_in("/tmp").expect("a directory");
        fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).expect("open to all");
        let (state, port) = (directory.path().join("state"), directory.path().join("ttyUSB0"));
        fs::write(&port, "").expect("a port");
        Self { _directory: directory, state, port }
    }

    fn acquire(&self, wait: Option<Duration>) -> Result<BoardLock, LockError> {
        BoardLock::acquire(&self.state, &self.port, &LockInfo::of_this_process("kit2"), wait, &NOT_INTERRUPTED)
    }

    /// This test program, started again to hold the lock in the test of this name.
    fn holder(&self, test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([test, "--exact", "--nocapture"]).env(HOLDER, &self.state);
        command
    }

    fn lock_file(&self) -> PathBuf {
        let mut files = fs::read_dir(self.state.join("locks")).expect("made").map(|e| e.expect("read").path());
        files.next().expect("one lock")
    }
}

/// In the holder process, whose umask allows nobody else anything: takes the lock, says so, holds it until a line or the end comes on
/// standard input, then lets it go.
fn hold_if_told() {
    let Some(state) = std::env::var_os(HOLDER) else { return };
    let port = Path::new(&state).with_file_name("ttyUSB0");
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let mut info = LockInfo::of_this_process("kit1");
    info.command = "evkit-hil run scenarios/upgrade.yaml".to_owned();
    let lock = BoardLock::acquire(Path::new(&state), &port, &info, None, &NOT_INTERRUPTED).expect("free");
    println!("locked by {}", info.holder);
    let mut word = String::new();
    std::io::stdin().read_line(&mut word).expect("read");
    drop(lock);
    std::process::exit(0);
}

#[test]
fn a_second_run_is_told_who_has_the_board() {
    hold_if_told();
    let bench = Bench::new();
    let mut holder = Process::start(bench.holder("lock::a_second_run_is_told_who_has_the_board"), SOON);
    let pipe = holder.stdin();
    let said = holder.wait_for("locked by");
    let user = said.split("locked by ").nth(1).and_then(|rest| rest.lines().next()).expect("named").to_owned();
    let error = bench.acquire(None).expect_err("held");
    let text = error.to_string();
    assert!(text.starts_with(&format!("{} is in use by {user} since 20", bench.port.display())), "{text}");
    assert!(text.contains(&format!("(process {}, board kit1): evkit-hil run scenarios/upgrade.yaml", holder.id())), "{text}");
    assert!(text.ends_with("; `--wait` waits for it"), "{text}");
    // A wait that is too short says how long it was.
    let text = bench.acquire(Some(Duration::from_millis(60))).expect_err("held").to_string();
    assert!(text.ends_with("; waited 60ms for it"), "{text}");
    drop(pipe);
    assert!(holder.wait().status.success());
    bench.acquire(None).expect("free");
}

#[test]
fn a_wait_ends_when_the_holder_does() {
    hold_if_told();
    let bench = Bench::new();
    let mut holder = Process::start(bench.holder("lock::a_wait_ends_when_the_holder_does"), SOON);
    let mut pipe = holder.stdin();
    holder.wait_for("locked by");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bench.acquire(Some(SOON)));
        assert!(bench.acquire(None).is_err(), "the holder still has it");
        pipe.write_all(b"enough\n").expect("told");
        waiting.join().expect("no panic").expect("had it after the holder");
    });
}

#[test]
fn a_crashed_holder_holds_nothing_and_is_not_reported() {
    hold_if_told();
    let bench = Bench::new();
    let holder = Process::start(bench.holder("lock::a_crashed_holder_holds_nothing_and_is_not_reported"), SOON);
    holder.wait_for("locked by");
    let file = bench.lock_file();
    holder.signal(Signal::KILL);
    assert!(!holder.wait().status.success());
    assert!(fs::read_to_string(&file).expect("left behind").contains("kit1"), "a crash leaves its name in the file");
    // Somebody locks and has not yet written its name over the crashed one's.
    let unnamed = fs::File::open(&file).expect("opened");
    unnamed.try_lock().expect("free at once");
    let text = bench.acquire(None).expect_err("held").to_string();
    assert!(text.contains("in use by a process that has not said who it is"), "{text}");
    drop(unnamed);
    // A program that another test is starting may have it for a moment, until it is executed.
    let lock = bench.acquire(Some(SOON)).expect("free soon");
    assert!(fs::read_to_string(&file).expect("read").contains("kit2"), "the new holder's name replaced it");
    drop(lock);
    assert_eq!(fs::read_to_string(&file).expect("read"), "", "nobody has it");
}

#[test]
fn two_users_share_the_system_directory() {
    hold_if_told();
    let bench = Bench::new();
    let command = || bench.holder("lock::two_users_share_the_system_directory");
    assert!(Process::start(command(), SOON).wait().status.success(), "as root, makes the directory for all");
    let mut holder = Process::start_as_nobody(command(), SOON);
    let pipe = holder.stdin();
    holder.wait_for("locked by");
    assert!(matches!(bench.acquire(None), Err(LockError::Busy { holder: Some(info), .. }) if info.pid == holder.id()));
    drop(pipe);
    assert!(holder.wait().status.success());
    bench.acquire(None).expect("a file of another user is opened as well");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&bench.lock_file()), 0o666, "whatever the umask");
    let expected = if geteuid().is_root() { (0o755, 0o1777) } else { (0o700, 0o700) };
    assert_eq!((mode(&bench.state), mode(&bench.state.join("locks"))), expected);
}

#[test]
fn a_file_made_by_nobody_can_be_locked_by_root() {
    hold_if_told();
    let bench = Bench::new();
    let locks = bench.state.join("locks");
    fs::create_dir_all(&locks).expect("made");
    fs::set_permissions(&locks, PermissionsExt::from_mode(0o1777)).expect("as an administrator makes it");
    let mut holder = Process::start_as_nobody(bench.holder("lock::a_file_made_by_nobody_can_be_locked_by_root"), SOON);
    let pipe = holder.stdin();
    holder.wait_for("locked by");
    drop(pipe);
    assert!(holder.wait().status.success());
    bench.acquire(None).expect("opened without creating, which the kernel refuses in a sticky directory");
}

#[test]
fn a_directory_that_cannot_be_made_says_what_to_do() {
    hold_if_told();
    let bench = Bench::new();
    fs::write(&bench.state, "a file in the way").expect("written");
    let text = bench.acquire(None).expect_err("no directory").to_string();
    let locks = bench.state.join("locks");
    assert!(text.contains(&format!("making {} failed", locks.display())), "{text}");
    assert!(text.contains("sudo install -d -m 1777") && text.contains("EVKIT_HIL_STATE_DIR"), "{text}");
}

#[test]
fn a_user_who_may_not_make_the_directory_is_told_how() {
    if let Some(state) = std::env::var_os(HOLDER) {
        let port = Path::new(&state).with_file_name("ttyUSB0");
        let result = BoardLock::acquire(Path::new(&state), &port, &LockInfo::of_this_process("kit"), None, &NOT_INTERRUPTED);
        println!("{}", result.expect_err("not allowed"));
        std::process::exit(0);
    }
    let bench = Bench::new();
    fs::create_dir(&bench.state).expect("made");
    fs::set_permissions(&bench.state, PermissionsExt::from_mode(0o555)).expect("closed");
    let denied = Process::start_as_nobody(bench.holder("lock::a_user_who_may_not_make_the_directory_is_told_how"), SOON);
    let output = denied.wait();
    assert!(output.stdout.contains("Permission denied") && output.stdout.contains("sudo install -d -m 1777"), "{output:?}");
}

#[test]
fn two_names_of_a_port_are_one_lock_and_two_ports_are_two() {
    let bench = Bench::new();
    let link = bench.port.with_file_name("by-id");
    std::os::unix::fs::symlink(&bench.port, &link).expect("linked");
    let other = bench.port.with_file_name("ttyUSB1");
    fs::write(&other, "").expect("a port");
    let info = LockInfo::of_this_process("kit");
    let _held = bench.acquire(None).expect("free");
    let error = BoardLock::acquire(&bench.state, &link, &info, None, &NOT_INTERRUPTED).expect_err("the same port").to_string();
    assert!(error.starts_with(&format!("{} ({}) is in use by", link.display(), bench.port.display())), "{error}");
    BoardLock::acquire(&bench.state, &other, &info, None, &NOT_INTERRUPTED).expect("another port");
}

#[test]
fn a_wait_is_interrupted() {
    let bench = Bench::new();
    let _held = bench.acquire(None).expect("free");
    let interrupted = AtomicBool::new(false);
    let started = Instant::now();
    let info = LockInfo::of_this_process("kit");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| BoardLock::acquire(&bench.state, &bench.port, &info, Some(Duration::from_secs(60)), &interrupted));
        interrupted.store(true, Ordering::Relaxed);
        assert!(matches!(waiting.join().expect("no panic"), Err(LockError::Interrupted { .. })));
    });
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_port_that_is_not_there_is_named() {
    let bench = Bench::new();
    let missing = Path::new("/dev/ttyUSB-none");
    let result = BoardLock::acquire(&bench.state, missing, &LockInfo::of_this_process("kit"), None, &NOT_INTERRUPTED);
    assert!(result.expect_err("no port").to_string().starts_with("/dev/ttyUSB-none is not there: No such file"));
}
