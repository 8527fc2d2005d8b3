//! How often a module was restarted in the last hour, kept in the state directory: a module that registers too often is locked out by its network, and the network does not
//! forget when this program is killed.
//!
//! Before a case the most that it can do is written down, and after it what it did: a run that is killed in between counts for too much, never for too little. The file grows by
//! whole lines; a line that a crash tore is of a case that had not begun. Whoever holds the board's lock is alone with it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::session::Trouble;
use super::words::describe_error;
use crate::line;

/// How many restarts an hour a module with a live SIM may have. An assumption: networks do not publish where they begin to lock out.
const LIMIT: u32 = 20;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A line of the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Entry {
    at_ms: u64,
    /// Negative where less was done than had been written down.
    restarts: i64,
}

/// The restarts of one module.
#[derive(Debug)]
pub(super) struct Resets {
    file: File,
    entries: Vec<Entry>,
}

impl Resets {
    /// Reads what is known of a unit, by its IMEI or, where that is not known, its port.
    pub(super) fn open(state_dir: &Path, unit: &str) -> Result<Self, Trouble> {
        let folder = line::make_directory(state_dir, "resets").map_err(|error| unusable(&error))?;
        let path = folder.join(format!("{unit}.jsonl"));
        let mut file = line::open_shared(&path).map_err(|error| unusable(&error))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| unusable(&error))?;
        if !text.is_empty() && !text.ends_with('\n') {
            // Behind a torn line the next one would be lost with it.
            file.write_all(b"\n").map_err(|error| unusable(&error))?;
        }
        let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { file, entries })
    }

    /// Whether `most` more are within the limit; else why not, and from when on.
    pub(super) fn room_for(&self, most: u32, now: SystemTime) -> Result<(), String> {
        let because =
            format!("`sim: live` allows {LIMIT} restarts an hour, for a module that registers too often is locked out by its network");
        if most > LIMIT {
            return Err(format!("{because}; this case may do {most}"));
        }
        let now_ms = in_ms(now);
        let last_hour = self.since(now_ms.saturating_sub(in_ms(UNIX_EPOCH + HOUR)));
        if last_hour + i64::from(most) <= i64::from(LIMIT) {
            return Ok(());
        }
        // The first time after which so much lies further back than an hour that there is room.
        let mut times: Vec<u64> = self.entries.iter().map(|entry| entry.at_ms).collect();
        times.sort_unstable();
        let from = times.into_iter().find(|at| self.since(at + 1) + i64::from(most) <= i64::from(LIMIT));
        let from = from.map_or(now, |at| UNIX_EPOCH + Duration::from_millis(at + 1) + HOUR);
        let from = OffsetDateTime::from(from).truncate_to_second().format(&Rfc3339).unwrap_or_default();
        Err(format!("{because}: {last_hour} in the last hour, and this case may do {most}; it may run from {from} on"))
    }

    /// The sum of what was done since then. What a clock that was set back made lie in the future counts as well.
    fn since(&self, at_ms: u64) -> i64 {
        self.entries.iter().filter(|entry| entry.at_ms >= at_ms).map(|entry| entry.restarts).sum()
    }

    /// Writes down the most that a case can do, before it begins.
    pub(super) fn begin(&mut self, most: u32, now: SystemTime) -> Result<Begun, Trouble> {
        let at_ms = in_ms(now);
        self.add(&[Entry { at_ms, restarts: i64::from(most) }])?;
        Ok(Begun { at_ms, most })
    }

    /// Writes down what the case did.
    pub(super) fn end(&mut self, begun: &Begun, done: u32, now: SystemTime) -> Result<(), Trouble> {
        let taken_back = Entry { at_ms: begun.at_ms, restarts: -i64::from(begun.most) };
        self.add(&[taken_back, Entry { at_ms: in_ms(now), restarts: i64::from(done) }])
    }

    fn add(&mut self, entries: &[Entry]) -> Result<(), Trouble> {
        let mut text = String::new();
        for entry in entries {
            text.push_str(&serde_json::to_string(entry).map_err(|error| unusable(&error))?);
            text.push('\n');
        }
        let written =
            self.file.seek(SeekFrom::End(0)).and_then(|_| self.file.write_all(text.as_bytes())).and_then(|()| self.file.sync_data());
        written.map_err(|error| unusable(&error))?;
        self.entries.extend_from_slice(entries);
        Ok(())
    }
}

/// What was written down for a case that runs.
#[derive(Debug)]
pub(super) struct Begun {
    at_ms: u64,
    most: u32,
}

fn in_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn unusable(error: &dyn std::error::Error) -> Trouble {
    Trouble {
        reason: format!("the restarts of the last hour cannot be kept: {}", describe_error(error)),
        hint: Some("`sim: live` of the board needs them; EVKIT_HIL_STATE_DIR names another directory".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn what_lies_an_hour_back_makes_room_and_says_when() {
        let folder = tempfile::tempdir().unwrap();
        let mut resets = Resets::open(folder.path(), "unit").unwrap();
        for (second, done) in [(0, 12), (600, 6)] {
            let begun = resets.begin(15, at(second)).unwrap();
            assert_eq!(resets.room_for(6, at(second)).is_ok(), second == 0 && 15 + 6 <= LIMIT, "what may be done counts until it was done");
            resets.end(&begun, done, at(second + 10)).unwrap();
        }
        let resets = Resets::open(folder.path(), "unit").unwrap();
        assert_eq!(resets.room_for(2, at(700)), Ok(()));
        let refused = resets.room_for(3, at(700)).unwrap_err();
        assert!(refused.ends_with(": 18 in the last hour, and this case may do 3; it may run from 2027-01-15T09:00:10Z on"), "{refused}");
        assert_eq!(resets.room_for(14, at(3612)), Ok(()), "twelve lie an hour back");
        assert!(resets.room_for(15, at(3612)).is_err());
        assert!(resets.room_for(21, at(100_000)).unwrap_err().ends_with("; this case may do 21"));
    }

    #[test]
    fn a_torn_line_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resets/unit.jsonl");
        Resets::open(folder.path(), "unit").unwrap().begin(10, at(0)).unwrap();
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{whole}{{\"at_ms\":18000")).unwrap();
        Resets::open(folder.path(), "unit").unwrap().begin(9, at(1)).unwrap();
        let resets = Resets::open(folder.path(), "unit").unwrap();
        assert!(resets.room_for(1, at(2)).is_ok() && resets.room_for(2, at(2)).is_err());
    }

    #[test]
    fn a_run_that_was_killed_counts_for_the_most() {
        let folder = tempfile::tempdir().unwrap();
        Resets::open(folder.path(), "unit").unwrap().begin(18, at(0)).unwrap();
        let resets = Resets::open(folder.path(), "unit").unwrap();
        assert!(resets.room_for(3, at(1)).is_err());
        assert!(Resets::open(folder.path(), "another").unwrap().room_for(3, at(1)).is_ok());
    }
}
