//! File descriptors that a process was given by the one that started it.

use std::fs;
use std::io;
use std::os::fd::RawFd;

/// Closes every descriptor above standard error.
///
/// For a process that outlives the one that started it and must not keep its ports and locks open. Call it first, before anything else
/// of the process has opened a file: whatever owned one of these descriptors would from then on use a closed or a foreign one.
///
/// # Errors
/// When `/proc/self/fd` cannot be read; nothing has been closed then.
pub(crate) fn close_inherited() -> io::Result<()> {
    let open: Vec<RawFd> =
        fs::read_dir("/proc/self/fd")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|&fd| fd > 2).collect();
    for fd in open {
        // The listing's own descriptor is among them and closed already: closing it again says EBADF, and nothing has been opened in
        // between that could have its number. (rustix's close asserts that there is no error.)
        #[expect(unsafe_code, reason = "the descriptors were inherited as numbers, nobody in this process owns them")]
        unsafe {
            libc::close(fd);
        }
    }
    Ok(())
}
