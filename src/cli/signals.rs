//! INT, TERM and HUP. The first asks the run to end: steps stop, `finally` runs, reports are written. The second releases every line and ends the
//! process at once.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::report::Exit;

/// How the rest of the program hears of a signal.
#[derive(Debug, Clone)]
pub(super) struct Interrupts {
    /// Set by the first signal.
    pub(super) flag: Arc<AtomicBool>,
    /// Becomes readable with the first signal and stays so.
    pub(super) fd: Arc<OwnedFd>,
}

/// Takes over INT, TERM and HUP for the rest of the process, whose `last_words` are said at the second one.
pub(super) fn listen(last_words: &'static str) -> io::Result<Interrupts> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let flag = Arc::new(AtomicBool::new(false));
    let interrupts = Interrupts { flag: Arc::clone(&flag), fd: Arc::new(reader) };
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut writer = Some(writer);
        for _ in signals.forever() {
            if writer.take().is_none() {
                // The second: this process ends at once, and the guardians release the lines because it has. That nobody may hear of it changes nothing.
                let _ = writeln!(std::io::stderr(), "{last_words}");
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            // Dropping the writer has hung the pipe up: that is what waits on it see.
            flag.store(true, Ordering::Relaxed);
        }
    })?;
    Ok(interrupts)
}
