//! The one way in which tests start processes: each leads a process group of its own, and when its deadline has passed the whole group is
//! killed, whatever the test is doing then.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, kill_process, kill_process_group, pidfd_open};

/// Makes a program of the script `text`, written by another process: while this one has it open for writing, a process that another thread forks has so too, and nobody can start it.
pub(crate) fn write_program(path: &Path, text: &str) {
    let mut source = path.as_os_str().to_owned();
    source.push(".source");
    fs::write(&source, text).expect("written");
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(&source).arg(path);
    let output = Process::start(install, Duration::from_secs(20)).wait();
    assert!(output.status.success(), "{output:?}");
}

/// The user that has no rights.
const NOBODY: u32 = 65_534;

/// A running process. Dropped, it is killed with its group.
pub(crate) struct Process {
    child: Child,
    ended: OwnedFd,
    stdout: Arc<Captured>,
    stderr: Arc<Captured>,
    deadline: Instant,
    /// The copy of the program that nobody may run; goes with it.
    _copy: Option<tempfile::TempDir>,
}

/// What a process did.
#[derive(Debug)]
pub(crate) struct Output {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it wrote.
    pub(crate) stdout: String,
    /// What it said.
    pub(crate) stderr: String,
}

impl Process {
    /// Starts `command` with all three standard streams piped. `within` is how long its group may live.
    pub(crate) fn start(command: Command, within: Duration) -> Self {
        Self::start_with(command, within, None)
    }

    /// Starts `command` with nobody at the other end of its standard output and error: whatever it writes there fails with EPIPE. They show as
    /// empty.
    pub(crate) fn start_unheard(command: Command, within: Duration) -> Self {
        let (nobody, writer) = std::io::pipe().expect("a pipe");
        drop(nobody);
        Self::start_as(command, within, None, || writer.try_clone().expect("a second descriptor").into())
    }

    /// Starts `command` as nobody when we are root, for what root is always allowed; else as we are. A program that nobody cannot reach
    /// (a checkout below /root) is run from a copy.
    pub(crate) fn start_as_nobody(command: Command, within: Duration) -> Self {
        if !geteuid().is_root() {
            return Self::start(command, within);
        }
        let program = PathBuf::from(command.get_program());
        let copy = (!all_may_reach(&program)).then(|| {
            let directory = tempfile::tempdir_in("/tmp").expect("a directory for the copy");
            fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).expect("open to all");
            fs::copy(&program, directory.path().join("program")).expect("copies");
            directory
        });
        let mut lowered = Command::new(copy.as_ref().map_or(program, |directory| directory.path().join("program")));
        lowered.args(command.get_args()).uid(NOBODY).gid(NOBODY).current_dir("/");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => lowered.env(name, value),
                None => lowered.env_remove(name),
            };
        }
        Self::start_with(lowered, within, copy)
    }

    fn start_with(command: Command, within: Duration, copy: Option<tempfile::TempDir>) -> Self {
        Self::start_as(command, within, copy, Stdio::piped)
    }

    fn start_as(mut command: Command, within: Duration, copy: Option<tempfile::TempDir>, voice: impl Fn() -> Stdio) -> Self {
        command.stdin(Stdio::piped());
        Self::start_between(command, within, copy, voice(), voice())
    }

    /// Starts `command`, whose standard input is set, with these for standard output and error.
    pub(crate) fn start_between(
        mut command: Command,
        within: Duration,
        copy: Option<tempfile::TempDir>,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Self {
        command.process_group(0).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?} starts: {e}"));
        let deadline = Instant::now() + within;
        let ended = pidfd_open(pid_of(&child), PidfdFlags::empty()).expect("a descriptor of the child");
        let watched = ended.try_clone().expect("a second descriptor");
        let group = pid_of(&child);
        // Not joined: it ends with the child. The child is reaped only after its group was killed, so the number stays its own.
        thread::spawn(move || {
            if !readable_until(&watched, deadline) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        });
        let stdout = child.stdout.take().map_or_else(Captured::nothing, Captured::of);
        let stderr = child.stderr.take().map_or_else(Captured::nothing, Captured::of);
        Self { child, ended, stdout, stderr, deadline, _copy: copy }
    }

    /// Its process id, and that of its group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, once. Dropping it closes the pipe.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("standard input is taken once")
    }

    /// Waits until its standard output has `text` in it and returns all of it so far.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let seen = self.stdout.wait(self.deadline, |bytes| String::from_utf8_lossy(bytes).contains(text));
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert!(seen.contains(text), "expected {text:?} on standard output, saw {seen:?}; standard error: {:?}", self.stderr.so_far());
        seen
    }

    /// Waits until its standard error has `text` in it and returns all of it so far.
    pub(crate) fn wait_for_talk(&self, text: &str) -> String {
        let seen = self.stderr.wait(self.deadline, |bytes| String::from_utf8_lossy(bytes).contains(text));
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert!(seen.contains(text), "expected {text:?} on standard error, saw {seen:?}; standard output: {:?}", self.stdout.so_far());
        seen
    }

    /// Sends it a signal; its group does not get it.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid_of(&self.child), signal).expect("signalled");
    }

    /// Kills its whole group, as `kill -9 -PGID` does.
    pub(crate) fn kill_group(&self) {
        kill_process_group(pid_of(&self.child), Signal::KILL).expect("killed");
    }

    /// Waits for its end, kills what is left of its group, and returns what it did. A process that was killed at its deadline shows
    /// that in its status. Output is complete unless a process outside of the group holds the pipes beyond the deadline and 5 s more.
    pub(crate) fn wait(mut self) -> Output {
        drop(self.child.stdin.take());
        readable_until(&self.ended, self.deadline + Duration::from_secs(5));
        let _ = kill_process_group(pid_of(&self.child), Signal::KILL);
        let status = self.child.wait().expect("reaped");
        // Of a group that was killed the pipes end at once, and their readers may be behind.
        let end = self.deadline.max(Instant::now()) + Duration::from_secs(5);
        let text = |captured: &Captured| String::from_utf8_lossy(&captured.wait(end, |_| false)).into_owned();
        Output { status, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Reaped by `wait`, it leads no group any more, and its number may be somebody else's.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(pid_of(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// What comes out of a pipe, read by a thread as it comes.
struct Captured {
    state: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Captured {
    fn nothing() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new((Vec::new(), true)), changed: Condvar::new() })
    }

    fn of(mut pipe: impl Read + Send + 'static) -> Arc<Self> {
        let captured = Arc::new(Self { state: Mutex::new((Vec::new(), false)), changed: Condvar::new() });
        let filled = Arc::clone(&captured);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let n = pipe.read(&mut buffer).unwrap_or(0);
                let mut state = filled.state.lock().expect("no reader panics");
                state.0.extend_from_slice(&buffer[..n]);
                state.1 = n == 0;
                filled.changed.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        captured
    }

    /// What has come once `enough` says so, at the end of the pipe, or at the deadline.
    fn wait(&self, deadline: Instant, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let state = self.state.lock().expect("no reader panics");
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self.changed.wait_timeout_while(state, left, |(bytes, end)| !*end && !enough(bytes)).expect("no reader panics");
        state.0.clone()
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().expect("no reader panics").0).into_owned()
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Whether a descriptor can be read before the deadline; a process's own becomes readable when it ends.
fn readable_until(fd: &OwnedFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&Timespec::try_from(left).expect("a short time"))) {
            Ok(n) => return n > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => panic!("poll: {e}"),
        }
    }
}

/// Whether every directory above a file, and the file, are open to all.
fn all_may_reach(file: &Path) -> bool {
    file.ancestors().filter(|p| !p.as_os_str().is_empty()).all(|p| fs::metadata(p).is_ok_and(|m| m.permissions().mode() & 0o001 != 0))
}

mod tests {
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_process_helper_captures_and_feeds() {
        let mut process = Process::start(shell("echo ready; read word; echo \"got $word\"; echo talk >&2; exit 3"), LONG);
        assert_eq!(process.wait_for("ready"), "ready\n");
        process.stdin().write_all(b"it\n").expect("fed");
        assert_eq!(process.wait_for_talk("talk"), "talk\n");
        let output = process.wait();
        assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(3), "ready\ngot it\n", "talk\n"));
    }

    #[test]
    fn the_process_helper_writes_programs() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        write_program(&program, "#!/bin/sh\nexit 7\n");
        assert_eq!(Process::start(Command::new(&program), LONG).wait().status.code(), Some(7));
    }

    #[test]
    fn the_process_helper_hears_nothing() {
        let output = Process::start_unheard(shell("trap '' PIPE; echo text || exit 3"), LONG).wait();
        assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(3), "", ""));
    }

    #[test]
    fn the_process_helper_kills_the_group_at_the_deadline() {
        // The grandchild holds the pipe: only its end lets `wait` see all of the output before the deadline of the test.
        let output = Process::start(shell("echo started; sleep 600 & wait"), Duration::from_secs(3)).wait();
        assert_eq!(output.status.signal(), Some(9));
        assert_eq!(output.stdout, "started\n");
    }

    #[test]
    fn the_process_helper_signals_and_kills() {
        let process = Process::start(shell("trap 'echo caught; exit 0' TERM; echo ready; while :; do sleep 0.01; done"), LONG);
        process.wait_for("ready");
        process.signal(Signal::TERM);
        assert!(process.wait().stdout.ends_with("caught\n"));
        let process = Process::start(shell("echo $$; exec sleep 600"), LONG);
        assert_eq!(process.wait_for("\n").trim(), process.id().to_string());
        process.kill_group();
        assert_eq!(process.wait().status.signal(), Some(9));
    }

    #[test]
    fn the_process_helper_lowers_root_to_nobody() {
        let output = Process::start_as_nobody(shell("id -u"), LONG).wait();
        let expected = if geteuid().is_root() { NOBODY } else { geteuid().as_raw() };
        assert_eq!(output.stdout.trim(), expected.to_string(), "{}", output.stderr);
    }
}
