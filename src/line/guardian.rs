//! The guardian: a process that releases a board's lines when the run that owns them dies.
//!
//! A destructor does not run when its process is killed by SIGKILL or by the kernel for want of memory. So a run starts a guardian
//! before it first asserts, and holds one end of a pipe to it. However the run ends, the kernel closes that end, and unless the
//! run said `bye` before, the guardian releases every line. It lives in a session of its own, so that neither a signal to the run's
//! process group nor a closed terminal reaches it; it passes over INT, TERM, HUP and QUIT; and it holds nothing of the run but its pipes
//! and standard error, so that a port or a lock is free the moment the run is dead.
//!
//! It is given every line that we drive but power, which stays as it is: nobody knows whether a module that is off may be switched on, or one that is on may be switched off.
//!
//! The guardian does not claim the lines while the run lives: the kernel gives a line to one program, and a socket's program may serve
//! one client.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};

use super::manual::order;
use super::release::{each, release_until};
use super::{Backend, LineConfig, LineError};
use crate::seam::LineState;
use crate::sys::descriptors;
use crate::time::MonoTime;

/// How long the guardian may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(5);
/// How long the owner waits for the guardian's end.
const END_WITHIN: Duration = Duration::from_secs(2);
/// How long the guardian tries to release.
const RELEASE_WITHIN: Duration = Duration::from_secs(5);
/// What the guardian says once it is on guard.
const READY: &str = "ready\n";
/// What the owner says when the lines are released and the guardian is to do nothing.
const BYE: &str = "bye\n";

/// What can go wrong with the guardian, as its owner sees it.
#[derive(Debug, thiserror::Error)]
pub enum GuardianError {
    /// It could not be started.
    #[error("the guardian could not be started ({}): {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be told its lines, or did not say that it is ready.
    #[error("the guardian was not ready within {within:?}: expected `ready`, saw {seen}")]
    NotReady {
        /// How long it was given.
        within: Duration,
        /// What came instead.
        seen: String,
    },
    /// A line's configuration cannot be written as text.
    #[error("the lines cannot be handed to the guardian: {0}")]
    Lines(serde_json::Error),
    /// It had ended before it was dismissed: nobody would have released the lines.
    #[error("the guardian ended before it was dismissed ({0}): a run that was killed would have left its lines as they were")]
    EndedEarly(ExitStatus),
    /// It ended without having released every line.
    #[error(
        "the guardian could not release every line ({0}): its message is on standard error; press the board's reset button or run `evkit-hil release`"
    )]
    NotReleased(ExitStatus),
    /// It has not ended yet.
    #[error("the guardian is still busy releasing after {0:?}; it goes on for up to 5 s")]
    StillBusy(Duration),
    /// A system call on it failed.
    #[error("{call} on the guardian failed: {source}")]
    System {
        /// The system call.
        call: &'static str,
        /// What it said.
        source: io::Error,
    },
}

/// The owner's end of a guardian process.
///
/// Dropped without [`Guardian::dismiss`], it lets the guardian release the lines and waits at most 2 s for that. Drop the lines first:
/// while this process is the one client of a board's socket, or has claimed a GPIO line, the guardian can only wait.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
    /// The pipe whose end is the alarm. Made with `O_CLOEXEC`, as all of std's, so that no other child keeps it open.
    alarm: Option<ChildStdin>,
    /// Reaches its end when the guardian ends.
    voice: ChildStdout,
}

impl Guardian {
    /// Starts `program guardian` for these lines and returns once it is on guard. Does nothing to the hardware. `program` is this
    /// program; `/proc/self/exe` names it even when its file has been replaced since.
    ///
    /// # Errors
    /// [`GuardianError`] when it could not be started or is not ready within 5 s. Do not assert then.
    pub fn start(program: &Path, lines: &[LineConfig]) -> Result<Self, GuardianError> {
        let mut handed = serde_json::to_vec(lines).map_err(GuardianError::Lines)?;
        handed.push(b'\n');
        let mut child = Command::new(program)
            .arg("guardian")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| GuardianError::Start { program: program.to_owned(), source })?;
        let (Some(mut alarm), Some(voice)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GuardianError::System { call: "pipe", source: io::ErrorKind::BrokenPipe.into() });
        };
        let told = alarm.write_all(&handed);
        let mut guardian = Self { child, alarm: Some(alarm), voice };
        match told.and_then(|()| guardian.hear(READY.len(), READY_WITHIN)) {
            Ok(seen) if seen == READY.as_bytes() => Ok(guardian),
            Ok(seen) if seen.is_empty() => Err(guardian.never_ready("nothing".to_owned())),
            Ok(seen) => Err(guardian.never_ready(format!("{:?}", String::from_utf8_lossy(&seen)))),
            Err(e) => Err(guardian.never_ready(e.to_string())),
        }
    }

    /// The guardian's process id, for the record of a run.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the guard, for an owner that has released the lines itself: the guardian ends without touching them. Waits at most 2 s.
    ///
    /// # Errors
    /// [`GuardianError::EndedEarly`] when nobody stood guard any more, [`GuardianError::StillBusy`] when it does not end.
    pub fn dismiss(mut self) -> Result<(), GuardianError> {
        if let Some(status) = self.child.try_wait().map_err(|source| GuardianError::System { call: "waitpid", source })? {
            self.alarm = None;
            return Err(GuardianError::EndedEarly(status));
        }
        let told = self.alarm.take().map_or(Ok(()), |mut alarm| alarm.write_all(BYE.as_bytes()));
        let status = self.end_within(END_WITHIN)?;
        match told {
            Ok(()) if status.success() => Ok(()),
            Ok(()) | Err(_) => Err(GuardianError::EndedEarly(status)),
        }
    }

    /// Has the guardian release the lines now and waits at most 2 s: the way out at a second signal. Drop the lines first, or the
    /// guardian waits for this process to end; it goes on by itself when this returns [`GuardianError::StillBusy`], and calling this again
    /// waits again.
    ///
    /// # Errors
    /// [`GuardianError`] when the lines are not, or not yet, released.
    pub fn release_now(&mut self) -> Result<(), GuardianError> {
        self.alarm = None;
        let status = self.end_within(END_WITHIN)?;
        if status.success() { Ok(()) } else { Err(GuardianError::NotReleased(status)) }
    }

    /// Ends a guardian that never stood guard, with what it said.
    fn never_ready(&mut self, seen: String) -> GuardianError {
        self.alarm = None;
        let seen = match self.end_within(END_WITHIN) {
            Ok(status) => format!("{seen}, then its end ({status})"),
            Err(_) => {
                // It holds no line and never asserted anything: ending it leaves nothing behind.
                let _ = self.child.kill().and_then(|()| self.child.wait());
                seen
            }
        };
        GuardianError::NotReady { within: READY_WITHIN, seen }
    }

    /// Waits for the guardian's end, which closes its end of the pipe from it.
    fn end_within(&mut self, within: Duration) -> Result<ExitStatus, GuardianError> {
        self.hear(usize::MAX, within).map_err(|source| GuardianError::System { call: "poll", source })?;
        // Its last descriptor is closed an instant before it can be reaped, so a guardian that is heard to the end is waited for.
        match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) if self.is_silent() => self.child.wait().map_err(|source| GuardianError::System { call: "waitpid", source }),
            Ok(None) => Err(GuardianError::StillBusy(within)),
            Err(source) => Err(GuardianError::System { call: "waitpid", source }),
        }
    }

    /// Whether the pipe from the guardian has ended.
    fn is_silent(&self) -> bool {
        let mut fds = [PollFd::new(&self.voice, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().contains(PollFlags::HUP)
    }

    /// Reads up to `count` bytes from the guardian: fewer at its end, or when `within` has passed.
    fn hear(&mut self, count: usize, within: Duration) -> io::Result<Vec<u8>> {
        let deadline = MonoTime::now() + within;
        let mut heard = Vec::new();
        while heard.len() < count {
            let left = deadline.since(MonoTime::now());
            let mut fds = [PollFd::new(&self.voice, PollFlags::IN)];
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(0) => break,
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
            }
            let mut buffer = [0_u8; 64];
            match self.voice.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => heard.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(heard)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // One that takes longer goes on by itself and says on standard error what it could not do.
        if self.alarm.take().is_some() {
            let _ = self.end_within(END_WITHIN);
        }
    }
}

/// The guardian process: what `evkit-hil guardian` runs. Reads the lines as one line of JSON from standard input, says `ready`, and
/// waits there for `bye` (ends, touching nothing) or the end of input (releases every line, trying for up to 5 s each). Call it first
/// of all: it closes what it inherited.
///
/// Returns failure when a line could not be released, with one line on standard error for each.
#[must_use]
pub fn guardian_main() -> ExitCode {
    let lines = match stand_guard() {
        Ok(lines) => lines,
        Err(why) => {
            say(&format!("cannot stand guard: {why}"));
            return ExitCode::from(2);
        }
    };
    let mut last_words = String::new();
    // An error of the pipe is no `bye`.
    if io::stdin().lock().read_to_string(&mut last_words).is_ok() && last_words == BYE {
        return ExitCode::SUCCESS;
    }
    let deadline = MonoTime::now() + RELEASE_WITHIN;
    // Nobody can answer a guardian; whoever held the button may still do so.
    let (by_hand, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|config| matches!(config.backend, Backend::Manual { .. }));
    for config in &by_hand {
        say(&format!("the run has ended: {}", order(config, LineState::Released)));
    }
    let results = each(&lines, |config| release_until(config, deadline));
    let failed: Vec<&LineError> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    for error in &failed {
        say(&format!(
            "a line of a run that ended was NOT released: {error}; the board may be held in reset: run `evkit-hil release`, or let go of the line by hand"
        ));
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything up to `ready`; returns the lines.
fn stand_guard() -> Result<Vec<LineConfig>, String> {
    descriptors::close_inherited().map_err(|e| format!("/proc/self/fd cannot be read: {e}"))?;
    // Fails only for the leader of a process group, whom a signal to its starter's group does not reach anyhow.
    let _ = rustix::process::setsid();
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] {
        // A handler that only sets a flag nobody reads: as good as ignoring, without unsafe code, and gone after an exec.
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(|e| format!("signal {signal}: {e}"))?;
    }
    let mut handed = String::new();
    io::stdin().lock().read_line(&mut handed).map_err(|e| format!("standard input: {e}"))?;
    let lines = serde_json::from_str(&handed).map_err(|e| format!("the lines on standard input: {e}"))?;
    let mut out = io::stdout().lock();
    out.write_all(READY.as_bytes()).and_then(|()| out.flush()).map_err(|e| format!("standard output: {e}"))?;
    Ok(lines)
}

/// One line on standard error, which may be gone with its terminal. In one write: others, the shell among them, write there as well when a run has died.
fn say(what: &str) {
    let _ = io::stderr().write_all(format!("evkit-hil guardian: {what}\n").as_bytes());
}
