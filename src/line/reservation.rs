//! A person's lock on a board: a reservation, which outlives the command that made it and ends by itself.
//!
//! It stands in a file beside the board's lock, named after the port like that, and is never removed: an empty file is no reservation. Runs of the user who made it are let in, those of all
//! others are told who has the board, until when, and why. It takes nothing from a run that holds the board already.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::lock::{LockError, lock_path, open_shared, unusable, user_name, without_control};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The user's name, or `uid N`.
    pub holder: String,
    /// The user's number, by which its runs are let in.
    pub uid: u32,
    /// The board's name in its bench file.
    pub board: String,
    /// When it was made: RFC 3339 in UTC.
    pub since: String,
    /// When it ends by itself: RFC 3339 in UTC.
    pub until: String,
    /// What for.
    pub why: String,
}

impl Reservation {
    /// One of this user's, from now on.
    #[must_use]
    pub fn of_this_user(board: &str, duration: Duration, why: &str) -> Self {
        let now = OffsetDateTime::now_utc();
        let shown = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        Self {
            holder: user_name(),
            uid: rustix::process::getuid().as_raw(),
            board: board.to_owned(),
            since: shown(now.truncate_to_second()),
            until: shown((now + duration).truncate_to_millisecond()),
            why: why.to_owned(),
        }
    }

    /// Whether it was made by the user of this process.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        self.uid == rustix::process::getuid().as_raw()
    }

    /// The reservation of the board on this port, if there is one that has not ended. `port` is the device, no link. Makes nothing.
    ///
    /// # Errors
    /// [`LockError::Unusable`] when its file cannot be read.
    pub fn read(state_dir: &Path, port: &Path) -> Result<Option<Self>, LockError> {
        let path = lock_path(&state_dir.join("locks"), port, SUFFIX);
        match File::open(&path) {
            Ok(mut file) => {
                file.lock_shared().map_err(|source| unusable("locking", &path, source))?;
                Ok(in_file(&mut file, &path)?.filter(Self::is_running))
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(unusable("opening", &path, source)),
        }
    }

    /// Reserves the board on this port. One that this user has already is replaced.
    ///
    /// # Errors
    /// [`LockError::Reserved`] when somebody else has it; [`LockError::Unusable`] when its file cannot be written.
    pub fn make(&self, state_dir: &Path, port: &Path) -> Result<(), LockError> {
        let directory = super::lock::make_directory(state_dir, "locks")?;
        let path = lock_path(&directory, port, SUFFIX);
        let mut file = open_shared(&path)?;
        file.lock().map_err(|source| unusable("locking", &path, source))?;
        if let Some(other) = in_file(&mut file, &path)?.filter(|there| there.is_running() && !there.is_mine()) {
            return Err(LockError::Reserved { port: port.display().to_string(), by: Box::new(other), waited: None });
        }
        let mut text = serde_json::to_vec(self).map_err(|error| unusable("writing", &path, error.into()))?;
        text.push(b'\n');
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text));
        written.map_err(|source| unusable("writing", &path, source))
    }

    /// Ends the reservation of the board on this port and returns it; `None` when there was none. Somebody else's only with `force`.
    ///
    /// # Errors
    /// As [`Reservation::make`].
    pub fn end(state_dir: &Path, port: &Path, force: bool) -> Result<Option<Self>, LockError> {
        if Self::read(state_dir, port)?.is_none() {
            return Ok(None);
        }
        let path = lock_path(&state_dir.join("locks"), port, SUFFIX);
        let mut file = open_shared(&path)?;
        file.lock().map_err(|source| unusable("locking", &path, source))?;
        let Some(there) = in_file(&mut file, &path)?.filter(Self::is_running) else { return Ok(None) };
        if !there.is_mine() && !force {
            return Err(LockError::Reserved { port: port.display().to_string(), by: Box::new(there), waited: None });
        }
        file.set_len(0).map_err(|source| unusable("writing", &path, source))?;
        Ok(Some(there))
    }

    fn is_running(&self) -> bool {
        // One whose end nobody can read would never end.
        OffsetDateTime::parse(&self.until, &Rfc3339).is_ok_and(|until| until > OffsetDateTime::now_utc())
    }
}

impl fmt::Display for Reservation {
    /// In one line. What is printed here was written by another user: control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_control(&format!("{} until {}: {}", self.holder, self.until, self.why)))
    }
}

/// The end of the file's name.
const SUFFIX: &str = ".reserved";

/// What the file says; nothing in it that can be read is no reservation.
fn in_file(file: &mut File, path: &Path) -> Result<Option<Reservation>, LockError> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).map_err(|source| unusable("reading", path, source))?;
    Ok(serde_json::from_str(&text).ok())
}
