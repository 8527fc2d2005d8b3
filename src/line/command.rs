//! A program that is run for each drive: `usbrelay R1=1`.
//!
//! At claim the releasing program is run (of power: the one that switches on) and waited for. At drop, where the line is not known to be released, it is run and waited for once more. When the
//! process is killed a program that runs is killed with it, so that it cannot assert behind the guardian's back, and the line stays as it was; the guardian runs the releasing program. Power is left as it is at drop and by the guardian.
//!
//! The program is given as an argument list and started without a shell, in a process group of its own, so that a Ctrl-C at the terminal does not end a release in its middle. Its standard input is
//! empty, secrets of the environment (`EVKIT_HIL_SECRET_…`) are kept from it, what it writes to standard output is thrown away, and what it writes to standard error goes into the error when it fails. It fails with an exit code other than 0, or by taking
//! longer than `within`: then it is killed with its group, and what the line does now is not known. `drive`, `bias` and `active` mean nothing here: they are the affair of the program.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rustix::event::epoll;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Backend, LineConfig, LineError, OutputLine, Progress, drive_within};
use crate::plan::units::show_duration;
use crate::seam::LineState;
use crate::sys::children::dies_with_its_starter;

/// How much of what a program said goes into an error, in bytes.
const SAID_LIMIT: usize = 400;

/// How much longer a wait is than the program may take: for reaping it.
const GRACE: Duration = Duration::from_millis(500);

/// A line that programs drive.
pub(super) struct CommandLine {
    /// What asserts and what releases.
    commands: [Vec<String>; 2],
    within: Duration,
    running: Option<Running>,
    /// The state that was carried out last; `None` while that is not known.
    known: Option<LineState>,
    /// What a drop leaves; `None` for the line as it is.
    dropped: Option<LineState>,
    /// Where the exit of the running program and what it says are waited for.
    events: OwnedFd,
}

/// A program that has not ended, or whose end was not looked at.
struct Running {
    child: Child,
    state: LineState,
    voice: ChildStderr,
    said: Vec<u8>,
    /// Kept open for `events`.
    _ended: OwnedFd,
}

impl CommandLine {
    /// Runs the program for the line's first state and waits for it.
    pub(super) fn claim(config: &LineConfig) -> Result<Self, LineError> {
        let Backend::Command { assert, release, within } = &config.backend else {
            return Err(LineError::Refused("this line is not driven by a program".to_owned()));
        };
        let system = |call: &'static str| {
            move |source: rustix::io::Errno| LineError::System { call, what: "a program's end".to_owned(), source: source.into() }
        };
        let events = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system("epoll_create"))?;
        let commands = [assert.clone(), release.clone()];
        let mut line = Self { commands, within: *within, running: None, known: None, dropped: None, events };
        drive_within(&mut line, config.claimed(), *within)?;
        line.dropped = config.dropped();
        Ok(line)
    }

    fn command(&self, state: LineState) -> &[String] {
        match state {
            LineState::Asserted => &self.commands[0],
            LineState::Released => &self.commands[1],
        }
    }

    fn failed(&self, state: LineState, how: String, said: &[u8]) -> LineError {
        let said = String::from_utf8_lossy(said);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        LineError::Command { what: self.command(state).join(" "), how, said }
    }

    fn start(&self, state: LineState) -> Result<Running, LineError> {
        let failed = |call: &'static str| {
            let what = self.command(state).join(" ");
            move |source: std::io::Error| LineError::System { call, what, source }
        };
        let (program, arguments) = self.command(state).split_first().ok_or_else(|| LineError::Refused("no program is named".to_owned()))?;
        let mut command = Command::new(program);
        crate::secret::keep_from(&mut command);
        command.args(arguments).process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        dies_with_its_starter(&mut command);
        let mut child = command.spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => LineError::Missing {
                what: format!("the program {program}"),
                hint: "it is looked for in PATH, or, with a slash in its name, beside the bench file; no shell is involved".to_owned(),
            },
            _ => failed("exec")(source),
        })?;
        // From here on a child that is not watched must not be left behind.
        let watched = (|| {
            let voice = child.stderr.take().ok_or(rustix::io::Errno::BADF)?;
            rustix::io::ioctl_fionbio(&voice, true)?;
            let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
            epoll::add(&self.events, &voice, epoll::EventData::new_u64(0), epoll::EventFlags::IN)?;
            epoll::add(&self.events, &ended, epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
            Ok((voice, ended))
        })();
        match watched {
            Ok((voice, ended)) => Ok(Running { child, state, voice, said: Vec::new(), _ended: ended }),
            Err(source) => {
                end(&mut child);
                Err(failed("watching")(rustix::io::Errno::into(source)))
            }
        }
    }
}

/// Kills a program with its group, and reaps it.
fn end(child: &mut Child) {
    // It is not reaped yet, so its number is its own; one that has ended is only reaped.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

impl Running {
    /// Reads what there is, and keeps the beginning.
    fn listen(&mut self) {
        let mut buffer = [0; 1024];
        // An error is no reason to think that the drive failed: its exit code says that.
        while let Ok(n @ 1..) = self.voice.read(&mut buffer) {
            let room = SAID_LIMIT.saturating_sub(self.said.len());
            self.said.extend_from_slice(&buffer[..n.min(room)]);
        }
    }
}

impl OutputLine for CommandLine {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        // One that was given up on is not left to undo what follows.
        if let Some(mut old) = self.running.take() {
            end(&mut old.child);
        }
        self.known = None;
        self.running = Some(self.start(state)?);
        Ok(Progress::Pending)
    }

    fn proceed(&mut self) -> Result<Progress, LineError> {
        let Some(running) = &mut self.running else { return Ok(Progress::Done) };
        // Its end is looked for first: what it said before that is then all there.
        let status = running.child.try_wait();
        running.listen();
        let Some(status) = status.map_err(|source| LineError::System { call: "waitpid", what: self.describe(), source })? else {
            return Ok(Progress::Pending);
        };
        let Some(running) = self.running.take() else { return Ok(Progress::Done) };
        if !status.success() {
            return Err(self.failed(running.state, format!("ended with {status}"), &running.said));
        }
        self.known = Some(running.state);
        Ok(Progress::Done)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.events.as_fd())
    }

    fn answer_within(&self) -> Duration {
        self.within
    }

    fn overdue(&mut self) -> LineError {
        let Some(mut running) = self.running.take() else {
            return LineError::Refused(format!("{} has not ended", self.describe()));
        };
        running.listen();
        end(&mut running.child);
        let how = format!("did not end within {} and was killed: what the line does now is not known", show_duration(self.within));
        self.failed(running.state, how, &running.said)
    }

    fn describe(&self) -> String {
        format!("the program {}", self.command(LineState::Released).first().map_or("", String::as_str))
    }
}

impl Drop for CommandLine {
    fn drop(&mut self) {
        if let Some(state) = self.dropped
            && self.known != Some(state)
        {
            // Nobody is left to be told; the guardian, which runs it anew, reports what it cannot do.
            let within = self.within + GRACE;
            let _ = drive_within(self, state, within);
        }
        if let Some(mut running) = self.running.take() {
            end(&mut running.child);
        }
    }
}
