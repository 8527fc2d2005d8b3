//! Where results go, and what a command that takes boards needs to know of this computer.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Failure;
use super::signals::Interrupts;
use crate::bench::Bench;
use crate::runner::session::Rig;
use crate::secret::Secrets;

/// Under `target` in a checkout, where build results are looked for; else in a folder of its own.
pub(super) fn default_out() -> PathBuf {
    if Path::new("Cargo.toml").exists() { PathBuf::from("target/evkit-hil") } else { PathBuf::from("evkit-hil-out") }
}

/// Takes the folder of results for this command, and makes `below` in it: two runs in one folder would remove each other's timelines. Free again when what is returned is dropped.
pub(super) fn claim(out: &Path, below: &Path) -> Result<File, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("results cannot be written to {}: {error}", out.display())).hint("--out names another folder")
    };
    std::fs::create_dir_all(below).map_err(failed)?;
    let file = File::create(out.join(".lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::usage(format!("another run is writing its results to {}", out.display()))
            .hint("give this one a folder of its own: --out DIR")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// This computer, for boards of `bench` or for virtual ones.
pub(super) fn rig(bench: Option<&Bench>, interrupts: Interrupts, wait: Option<Duration>, seed: u64) -> Rig {
    Rig {
        state_dir: crate::line::state_dir(),
        sysfs: PathBuf::from(crate::port::SYSFS),
        program: PathBuf::from("/proc/self/exe"),
        wait,
        interrupted: interrupts.flag,
        interrupt: interrupts.fd,
        host_late: bench.map_or(crate::bench::HOST_LATE, |bench| bench.host_late),
        seed,
        secrets: bench.map_or_else(|| Secrets::default().all(), |bench| bench.secrets.all()).into(),
    }
}
