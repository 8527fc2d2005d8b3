//! Child processes that may not outlive the one that started them.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};

/// Has the kernel kill the program that `command` starts when the thread that starts it has ended, also by SIGKILL.
#[expect(unsafe_code, reason = "what a child does before its program runs is set only by `pre_exec`")]
pub(crate) fn dies_with_its_starter(command: &mut Command) {
    let die = || set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(die);
    }
}
