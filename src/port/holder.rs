//! Who has a port that is busy, as far as /proc says. Only asked when an opening has failed.

use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::below;

/// A process that has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its command, without arguments; empty when it cannot be read.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == std::process::id() {
            f.write_str("this program itself")
        } else if self.command.is_empty() {
            write!(f, "process {}", self.pid)
        } else {
            write!(f, "process {} ({})", self.pid, self.command)
        }
    }
}

/// Who has `device`: the holder of its advisory lock, else another process that has it open. `None` when /proc does not say, as a plain user
/// is not shown the open files of others.
pub(super) fn find(device: &Path) -> Option<Holder> {
    holder_below(Path::new("/"), device)
}

/// The same on the computer whose files are below `root`.
pub(crate) fn holder_below(root: &Path, device: &Path) -> Option<Holder> {
    let (file, proc) = (below(root, device), root.join("proc"));
    let locked = || lock_holder(&proc, &file);
    let pid = locked().filter(|pid| *pid != std::process::id()).or_else(|| opener(&proc, device)).or_else(locked)?;
    let command = fs::read_to_string(proc.join(pid.to_string()).join("comm")).unwrap_or_default();
    Some(Holder { pid, command: command.trim_end().to_owned() })
}

/// Looks the device's inode up in /proc/locks.
fn lock_holder(proc: &Path, file: &Path) -> Option<u32> {
    let file = fs::metadata(file).ok()?;
    let inode = format!("{:02x}:{:02x}:{}", rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()), file.ino());
    // The kernel counts its way to where the last read ended, so a lock that goes in between hides another one. A read that is offered much room takes a
    // page at once, which is nearly always all; a small first one, as without the capacity, takes one line.
    let mut locks = String::with_capacity(64 * 1024);
    (0..3).find_map(|_| {
        locks.clear();
        fs::File::open(proc.join("locks")).ok()?.read_to_string(&mut locks).ok()?;
        locks.lines().find_map(|line| lock_on(line, &inode))
    })
}

/// The process of one line of /proc/locks (`1: FLOCK  ADVISORY  WRITE 1234 00:1c:5 0 EOF`) if it is a lock of `inode`.
fn lock_on(line: &str, inode: &str) -> Option<u32> {
    // Somebody who waits for the lock has an arrow in the second place, and is not the holder. A process outside this one's namespace is shown as 0.
    match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [_, "FLOCK", _, _, pid, on, ..] if on == inode => pid.parse().ok().filter(|pid| *pid != 0),
        _ => None,
    }
}

/// Looks for another process with the device among its open files.
fn opener(proc: &Path, device: &Path) -> Option<u32> {
    let own = std::process::id();
    let pids = fs::read_dir(proc).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own).find(|pid| {
        fs::read_dir(proc.join(pid.to_string()).join("fd"))
            .is_ok_and(|fds| fds.filter_map(Result::ok).any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == device)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_read_from_its_line() {
        let line = "3: FLOCK  ADVISORY  WRITE 1234 00:1c:5 0 EOF";
        assert_eq!(lock_on(line, "00:1c:5"), Some(1234));
        assert_eq!(lock_on(line, "00:1c:55"), None);
        assert_eq!(lock_on("3: -> FLOCK  ADVISORY  WRITE 1234 00:1c:5 0 EOF", "00:1c:5"), None);
        assert_eq!(lock_on("3: POSIX  ADVISORY  WRITE 1234 00:1c:5 0 EOF", "00:1c:5"), None);
        assert_eq!(lock_on("3: FLOCK  ADVISORY  WRITE 0 00:1c:5 0 EOF", "00:1c:5"), None);
        assert_eq!(lock_on("", "00:1c:5"), None);
    }

    #[test]
    fn a_lock_of_this_process_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(lock_holder(Path::new("/proc"), file.path()), None);
        file.as_file().lock().unwrap();
        assert_eq!(find(file.path()).unwrap().to_string(), "this program itself");
    }
}
