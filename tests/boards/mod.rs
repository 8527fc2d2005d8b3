//! Cases on boards, for tests.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use evkit_hil::plan::Case;
use evkit_hil::runner::pool::{Member, Order, Run};
use evkit_hil::runner::session::Rig;

/// The read end of a pipe whose writer stays open for the whole test: nobody interrupts.
fn never() -> (Arc<OwnedFd>, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    (Arc::new(reader), writer)
}

/// What boards have around them, without locks or guardians, and what must live as long.
pub(crate) fn rig(seed: u64, folder: &Path) -> (Rig, OwnedFd) {
    let (interrupt, writer) = never();
    let rig = Rig {
        state_dir: folder.join("state"),
        sysfs: folder.join("sysfs"),
        program: PathBuf::from(env!("CARGO_BIN_EXE_evkit-hil")),
        wait: None,
        interrupted: Arc::new(AtomicBool::new(false)),
        interrupt,
        // A busy machine that builds this beside it is not what these tests are about.
        host_late: Duration::from_millis(500),
        seed,
        secrets: [].into(),
    };
    (rig, writer)
}

/// Runs cases on boards, without locks or guardians. Returns the folder of each case's timeline.
pub(crate) fn run(cases: &[Case], members: &[Member], seed: u64, folder: &Path) -> Vec<PathBuf> {
    let (rig, _writer) = rig(seed, folder);
    let (sender, receiver) = mpsc::channel();
    let folders =
        Run { cases, members, permitted: &[], order: Order::default(), folder: &folder.join("timelines"), rig: &rig }.carry_out(&sender);
    drop(sender);
    drop(receiver);
    folders
}

/// The same on one simulated board.
pub(crate) fn simulated(cases: &[Case], seed: u64, folder: &Path) -> Vec<PathBuf> {
    run(cases, &[Member::Simulated("simulated".to_owned())], seed, folder)
}
