//! The lock of a board: one run at a time, and whoever comes second is told who has it.
//!
//! The lock is the kernel's (`flock`) on a file in the state directory that is never removed, so a holder that crashed holds nothing:
//! its lock is free at once, and what it wrote into the file is no longer reported. The file is named after the port's real path, so
//! that two names of one port (`/dev/ttyUSB0` and its link under `/dev/serial/by-id`) are one lock; the board's name is in it.
//!
//! Two users of one machine share the locks in the system's directory: it is made world-writable and sticky, and the files are readable
//! and writable for all, because a lock that only its first user can open would keep the second from the board for ever.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, geteuid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Reservation;
use super::pause::pause;

/// How often a lock that is waited for is tried.
const POLL: Duration = Duration::from_millis(50);
/// How long a holder may take from its lock to its name in the file.
const NAMED_WITHIN: Duration = Duration::from_millis(200);

/// What a lock's file says of its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// The user's name, or `uid N`.
    pub holder: String,
    /// The process.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// When it took the lock: RFC 3339 in UTC.
    pub since: String,
    /// The board's name in its bench file.
    pub board: String,
    /// What is known of the unit, in words: `imei 359876543210987`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl LockInfo {
    /// This process, from now on, for a board of this name.
    #[must_use]
    pub fn of_this_process(board: &str) -> Self {
        let arguments: Vec<_> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
        Self {
            holder: user_name(),
            pid: std::process::id(),
            command: arguments.join(" "),
            since: OffsetDateTime::now_utc().truncate_to_second().format(&Rfc3339).unwrap_or_default(),
            board: board.to_owned(),
            identity: None,
        }
    }

    /// The holder in one line. What is printed here was written by another user: control characters are escaped.
    #[must_use]
    pub fn in_words(&self) -> String {
        without_control(&format!("{} since {} (process {}, board {}): {}", self.holder, self.since, self.pid, self.board, self.command))
    }
}

/// `text` with its control characters escaped.
pub(super) fn without_control(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Why a board could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{port} is in use by {}{}",
        .holder.as_ref().map_or_else(|| "a process that has not said who it is".to_owned(), |holder| holder.in_words()),
        match .waited { None => "; `--wait` waits for it".to_owned(), Some(t) => format!("; waited {t:?} for it") }
    )]
    Busy {
        /// The port.
        port: String,
        /// Who; `None` when it has not said so.
        holder: Option<Box<LockInfo>>,
        /// How long it was waited for; `None` when waiting was not asked for.
        waited: Option<Duration>,
    },
    /// Another user has reserved it.
    #[error(
        "{port} is reserved by {by}{}",
        match .waited { None => String::new(), Some(t) => format!("; waited {t:?} for it") }
    )]
    Reserved {
        /// The port.
        port: String,
        /// Who, until when, and what for.
        by: Box<Reservation>,
        /// How long it was waited for; `None` when waiting was not asked for.
        waited: Option<Duration>,
    },
    /// Somebody asked this run to end while it waited.
    #[error("interrupted while waiting for {port}")]
    Interrupted {
        /// The port.
        port: String,
    },
    /// The port whose lock is wanted is not there.
    #[error("{} is not there: {source}", .port.display())]
    NoPort {
        /// The port.
        port: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock's file or directory cannot be used.
    #[error("{doing} {} failed: {source}; {hint}", .path.display())]
    Unusable {
        /// `making`, `opening`, `locking`, `writing`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What to do.
        hint: String,
    },
}

/// A board's lock, held until it is dropped or its process ends.
#[derive(Debug)]
pub struct BoardLock {
    file: File,
    path: PathBuf,
}

impl BoardLock {
    /// Locks the board on this port for `info`, under `state_dir` (see [`super::state_dir()`]), which is made where it is missing. With
    /// `wait`, a lock that is held, or a board that another user has reserved, is tried again for so long, or until `interrupted` is set; without, that is an error at once. May
    /// block, and so belongs before the seam. Does nothing to the hardware.
    ///
    /// # Errors
    /// [`LockError`]: busy and by whom, reserved and by whom, interrupted, no such port, or a directory or file that cannot be used.
    pub fn acquire(
        state_dir: &Path,
        port: &Path,
        info: &LockInfo,
        wait: Option<Duration>,
        interrupted: &AtomicBool,
    ) -> Result<Self, LockError> {
        let (file, path, real) = open_of_port(state_dir, port)?;
        let name = || shown(port, &real);
        let started = Instant::now();
        loop {
            let reserved = Reservation::read(state_dir, &real)?.filter(|reservation| !reservation.is_mine());
            if reserved.is_none() && is_taken(&file, &path)? {
                break;
            }
            if interrupted.load(Ordering::Relaxed) {
                return Err(LockError::Interrupted { port: name() });
            }
            match (wait, reserved) {
                (Some(limit), _) if started.elapsed() < limit => pause(POLL.min(limit.saturating_sub(started.elapsed()))),
                (_, Some(by)) => return Err(LockError::Reserved { port: name(), by: Box::new(by), waited: wait }),
                (_, None) => match who(&file, &path)? {
                    Who::Nobody => {}
                    Who::Unnamed => return Err(LockError::Busy { port: name(), holder: None, waited: wait }),
                    Who::Holder(holder) => return Err(LockError::Busy { port: name(), holder: Some(Box::new(holder)), waited: wait }),
                },
            }
        }
        Self::described(file, path, info)
    }

    /// Locks the board on this port as [`Self::acquire`] does, whoever has reserved it: for `info`, who lets go of its lines and wants nothing more of it. Never waits. Does
    /// nothing to the hardware.
    ///
    /// # Errors
    /// [`LockError`]: busy and by whom, no such port, or a directory or file that cannot be used.
    pub fn acquire_for_release(state_dir: &Path, port: &Path, info: &LockInfo) -> Result<Self, LockError> {
        let (file, path, real) = open_of_port(state_dir, port)?;
        loop {
            if is_taken(&file, &path)? {
                return Self::described(file, path, info);
            }
            let holder = match who(&file, &path)? {
                Who::Nobody => continue,
                Who::Unnamed => None,
                Who::Holder(holder) => Some(Box::new(holder)),
            };
            return Err(LockError::Busy { port: shown(port, &real), holder, waited: None });
        }
    }

    fn described(file: File, path: PathBuf, info: &LockInfo) -> Result<Self, LockError> {
        let mut lock = Self { file, path };
        lock.describe(info)?;
        Ok(lock)
    }

    /// Who holds the board on this port now; `None` when nobody does, or has not said so. `port` is the device, no link. Makes nothing.
    ///
    /// # Errors
    /// [`LockError::Unusable`] when the lock's file cannot be read.
    pub fn holder(state_dir: &Path, port: &Path) -> Result<Option<LockInfo>, LockError> {
        let path = lock_path(&state_dir.join("locks"), port, ".lock");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
            Err(source) => return Err(unusable("opening", &path, source)),
        };
        match file.try_lock_shared() {
            // Closing the file unlocks it; a run that found it held in between asks who has it, and then again.
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => match who(&file, &path)? {
                Who::Holder(holder) => Ok(Some(holder)),
                Who::Nobody | Who::Unnamed => Ok(None),
            },
            Err(TryLockError::Error(source)) => Err(unusable("locking", &path, source)),
        }
    }

    /// Says anew who holds the lock: more may be known of the unit by now.
    ///
    /// # Errors
    /// [`LockError::Unusable`] when that cannot be written.
    pub fn describe(&mut self, info: &LockInfo) -> Result<(), LockError> {
        let mut text = serde_json::to_vec(info).map_err(|e| unusable("writing", &self.path, e.into()))?;
        text.push(b'\n');
        let written = self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(&text));
        written.map_err(|source| unusable("writing", &self.path, source))
    }
}

impl Drop for BoardLock {
    fn drop(&mut self) {
        // The file is emptied while it is still ours; closing it unlocks, and a reader that finds it empty asks the lock.
        let _ = self.file.set_len(0);
    }
}

/// The lock's file of a port, its path, and the device that the port's name leads to.
fn open_of_port(state_dir: &Path, port: &Path) -> Result<(File, PathBuf, PathBuf), LockError> {
    let real = fs::canonicalize(port).map_err(|source| LockError::NoPort { port: port.to_owned(), source })?;
    let directory = make_directory(state_dir, "locks")?;
    let path = lock_path(&directory, &real, ".lock");
    Ok((open_shared(&path)?, path, real))
}

/// Whether the lock was free, and is ours now.
fn is_taken(file: &File, path: &Path) -> Result<bool, LockError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(unusable("locking", path, source)),
    }
}

/// A port with the device that its name leads to.
fn shown(port: &Path, real: &Path) -> String {
    if real == port { real.display().to_string() } else { format!("{} ({})", port.display(), real.display()) }
}

/// Who holds a lock that was found held.
enum Who {
    /// Nobody any more.
    Nobody,
    /// Somebody who has not said so.
    Unnamed,
    /// This process.
    Holder(LockInfo),
}

/// Reads the holder. A holder locks first and then writes its name, so for a moment the file is empty or still has the name of one
/// that crashed; neither is an answer.
fn who(file: &File, path: &Path) -> Result<Who, LockError> {
    let started = Instant::now();
    loop {
        let mut text = String::new();
        let mut reader = file;
        let read = reader.rewind().and_then(|()| reader.read_to_string(&mut text));
        let named = read.ok().and_then(|_| serde_json::from_str::<LockInfo>(&text).ok());
        if let Some(holder) = named.filter(|holder| is_alive(holder.pid)) {
            return Ok(Who::Holder(holder));
        }
        if started.elapsed() > NAMED_WITHIN {
            return Ok(Who::Unnamed);
        }
        pause(NAMED_WITHIN / 10);
        match file.try_lock() {
            Ok(()) => {
                file.unlock().map_err(|source| unusable("unlocking", path, source))?;
                return Ok(Who::Nobody);
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(unusable("locking", path, source)),
        }
    }
}

/// Whether a process is there, a foreign one included.
fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    matches!(test_kill_process(pid), Ok(()) | Err(rustix::io::Errno::PERM))
}

/// The file of a port, which is no link, in the directory of the locks.
pub(super) fn lock_path(directory: &Path, real: &Path, suffix: &str) -> PathBuf {
    directory.join(file_name(real) + suffix)
}

/// The name of a port's files: its real path, kept readable and free of collisions.
fn file_name(real: &Path) -> String {
    let mut name = String::new();
    for &byte in real.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or(real.as_os_str().as_bytes()) {
        match byte {
            b'/' => name.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    // A file name has at most 255 bytes. The end of a path tells more than its beginning.
    if name.len() > 200 {
        let digest = Sha256::digest(real.as_os_str().as_bytes());
        let short: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        name = format!("{short}~{}", &name[name.len() - 160..]);
    }
    name
}

/// Makes a directory of state that all users of a machine share, as that of the locks. As root it is for everybody (sticky, so that nobody removes a file of somebody else); else ours.
pub(crate) fn make_directory(state_dir: &Path, name: &str) -> Result<PathBuf, LockError> {
    let directory = state_dir.join(name);
    if directory.is_dir() {
        return Ok(directory);
    }
    let shared = geteuid().is_root();
    let new_state_dir = !state_dir.exists();
    let made = DirBuilder::new().recursive(true).mode(if shared { 0o755 } else { 0o700 }).create(&directory);
    made.and_then(|()| {
        // The umask took bits from the mode above, and sticky is not among those that mkdir gives.
        if shared && new_state_dir {
            fs::set_permissions(state_dir, Permissions::from_mode(0o755))?;
        }
        if shared { fs::set_permissions(&directory, Permissions::from_mode(0o1777)) } else { Ok(()) }
    })
    .map_err(|source| LockError::Unusable {
        doing: "making",
        hint: format!(
            "make it once for all users with `sudo install -d -m 1777 {}`, or set EVKIT_HIL_STATE_DIR to a directory of yours",
            directory.display()
        ),
        path: directory.clone(),
        source,
    })?;
    Ok(directory)
}

/// Opens a file of shared state, made where it is missing, for all users.
///
/// In a sticky directory the kernel refuses `O_CREAT` on an existing file of another user (`fs.protected_regular`), even to root: so it
/// is first opened without, then created anew.
pub(crate) fn open_shared(path: &Path) -> Result<File, LockError> {
    let options = |create: bool| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(create).mode(0o666).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        options
    };
    loop {
        match options(false).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            other => return other.map_err(|source| unusable("opening", path, source)),
        }
        match options(true).open(path) {
            // Another run made it in between.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(unusable("opening", path, source)),
            Ok(file) => {
                // The umask took bits from the mode above.
                file.set_permissions(Permissions::from_mode(0o666)).map_err(|source| unusable("opening", path, source))?;
                return Ok(file);
            }
        }
    }
}

pub(super) fn unusable(doing: &'static str, path: &Path, source: io::Error) -> LockError {
    let hint =
        format!("it must be readable and writable for you (`ls -l {}`); an administrator can remove it while nobody runs", path.display());
    LockError::Unusable { doing, path: path.to_owned(), source, hint }
}

/// The name of the user, from the passwd file; directories of a network are not asked.
pub(super) fn user_name() -> String {
    let uid = getuid().as_raw();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    entry.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/dev/ttyUSB0", "dev+ttyUSB0")]
    #[case("/dev/pts/3", "dev+pts+3")]
    #[case("/dev/pts+3", "dev+pts%2B3")]
    #[case("/tmp/a b%/ü", "tmp+a%20b%25+%C3%BC")]
    fn a_port_names_its_file(#[case] port: &str, #[case] expected: &str) {
        assert_eq!(file_name(Path::new(port)), expected);
    }

    #[test]
    fn long_paths_fit_a_file_name_and_stay_apart() {
        let base = format!("/tmp/{}", "x/".repeat(300));
        let (one, two) = (file_name(Path::new(&format!("/a{base}tty"))), file_name(Path::new(&format!("/b{base}tty"))));
        assert!(one.len() <= 240 && two.len() <= 240);
        assert_ne!(one, two);
    }

    #[test]
    fn what_another_user_wrote_cannot_steer_the_terminal() {
        let mut info = LockInfo::of_this_process("kit\u{1b}[2J");
        info.since = "2026-11-23T03:21:32Z".to_owned();
        let words = info.in_words();
        assert!(words.contains("kit\\u{1b}[2J") && words.contains("since 2026-11-23T03:21:32Z"), "{words}");
    }
}
