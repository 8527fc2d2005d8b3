//! A board held for a run: locked, its line released, its guardian started, its port open. In that order, and back in reverse.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::case::{Circumstances, Ended, run_case};
use super::progress::Progress;
use super::watch::Restarts;
use crate::bench::{Board, START_UP};
use crate::line::{self, BoardLock, Guardian, LockInfo};
use crate::link::ControlClient;
use crate::model::evkit::VirtualEvkit;
use crate::plan;
use crate::port::Port;
use crate::seam::real::RealSeam;
use crate::seam::simulated::SimulatedSeam;
use crate::time::MonoTime;
use crate::timeline::ClockKind;

/// What opening and running boards needs to know of this run.
#[derive(Debug, Clone)]
pub struct Rig {
    /// Where locks are.
    pub state_dir: PathBuf,
    /// The program that is started as a guardian: ours.
    pub program: PathBuf,
    /// How long to wait for a board that somebody else holds; `None` for not at all.
    pub wait: Option<Duration>,
    /// Set once the run was asked to end.
    pub interrupted: Arc<AtomicBool>,
    /// Becomes readable when the run is asked to end, and stays so.
    pub interrupt: Arc<OwnedFd>,
    /// How late this computer may be.
    pub host_late: Duration,
    /// The seed of the run.
    pub seed: u64,
}

/// A board that cannot be taken, or cannot go on: why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Trouble {
    /// An error with its sources as the reason.
    pub fn of(error: &dyn std::error::Error, hint: Option<String>) -> Self {
        Self { reason: super::words::describe_error(error), hint }
    }
}

/// A board that takes cases.
pub trait Station {
    /// Runs a case and writes its timeline to `folder`.
    ///
    /// # Errors
    /// [`Trouble`] when the case could not even begin. The board is given up.
    fn run(&mut self, case: &plan::Case, folder: &std::path::Path, progress: &Progress) -> Result<Ended, Trouble>;

    /// Lets the board go, whose line is known to be released. A board that was given up is dropped instead: its guardian, where it has one, then
    /// releases the line once more.
    ///
    /// # Errors
    /// [`Trouble`] when the guardian had died: nobody would have released the line had this run been killed.
    fn close(self: Box<Self>) -> Result<(), Trouble>;
}

/// A board at a port of this computer: a kit, or a virtual EVKIT on a PTY.
pub struct Session {
    board: Board,
    rig: Rig,
    // Dropped in this order: the port and the line (which releases), then the guardian, then the lock.
    seam: RealSeam,
    guarded: Option<Guarded>,
    control: Option<ControlClient>,
    port_speed: crate::baud::Baud,
    restarts: Restarts,
    link: &'static str,
}

/// What keeps a board safe from other runs and from the death of this one.
struct Guarded {
    guardian: Guardian,
    _lock: BoardLock,
}

/// Whose a board is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It goes on when this run ends: it is locked, and a guardian releases its line if this run dies.
    Bench,
    /// It is a part of this process and dies with it.
    ThisRun,
}

impl Session {
    /// Takes a board: lock, then the released state, then the guardian, then the port. **Releases the reset line**, does nothing else to the board.
    ///
    /// # Errors
    /// [`Trouble`] says what stood in the way.
    pub fn open(board: &Board, owner: Owner, rig: &Rig) -> Result<Self, Trouble> {
        let port = board.port.resolve().map_err(|error| Trouble::of(&error, Some(error.hint())))?;
        let lock = match owner {
            Owner::Bench => {
                let info = LockInfo::of_this_process(&board.name.0);
                let lock = BoardLock::acquire(&rig.state_dir, &port.device, &info, rig.wait, &rig.interrupted);
                Some(lock.map_err(|error| Trouble::of(&error, None))?)
            }
            Owner::ThisRun => None,
        };
        // Declared before the line, and so dropped after it when something below fails: a guardian can release a line only once this process has let go of it.
        let guarded;
        let line = line::open(&board.reset).map_err(|error| Trouble::of(&error, None))?;
        guarded = match lock {
            Some(lock) => {
                let guardian = Guardian::start(&rig.program, std::slice::from_ref(&board.reset));
                Some(Guarded { guardian: guardian.map_err(|error| Trouble::of(&error, None))?, _lock: lock })
            }
            None => None,
        };
        let port = Port::open(&board.port, board.baud).map_err(|error| Trouble::of(&error, Some(error.hint())))?;
        let link = if port.is_pty() { "pty" } else { "serial" };
        let control = match &board.virtual_control {
            Some(path) => Some(ControlClient::connect(path).map_err(|error| {
                Trouble::of(
                    &error,
                    Some("`virtual:` in the bench file names the control socket of a running `evkit-hil virtual`".to_owned()),
                )
            })?),
            None => None,
        };
        let seam = RealSeam::new(port, line, Some(Arc::clone(&rig.interrupt)));
        // What was done to it before is not known, and letting go of the line may have started it.
        let restarts = Restarts::unknown_before(MonoTime::now());
        Ok(Self { board: board.clone(), rig: rig.clone(), seam, guarded, control, port_speed: board.baud, restarts, link })
    }
}

impl Station for Session {
    fn run(&mut self, case: &plan::Case, folder: &std::path::Path, progress: &Progress) -> Result<Ended, Trouble> {
        let seed = case_seed(self.rig.seed, &case.name);
        if let Some(control) = &mut self.control {
            let command = setup_command(case, seed);
            control.command(&command).map_err(|error| Trouble::of(&error, None))?;
        }
        let around = Circumstances {
            board: self.board.name.to_string(),
            link: self.link,
            seed: self.rig.seed,
            home_speed: self.board.baud,
            port_speed: self.port_speed,
            host_late: self.rig.host_late,
            started: Some(now_rfc3339()),
            firmware: self.control.as_ref().map(|_| case.virtual_board.settings_for(seed).firmware.to_string()),
            set_up_anew: self.control.is_some(),
            start_up: self.board.start_up,
            restarts: self.restarts,
        };
        let ended =
            run_case(&mut self.seam, ClockKind::Monotonic, case, &around, folder, progress).map_err(|error| Trouble::of(&error, None))?;
        self.port_speed = ended.port_speed;
        self.restarts = ended.restarts;
        Ok(ended)
    }

    fn close(self: Box<Self>) -> Result<(), Trouble> {
        let Self { seam, guarded, .. } = *self;
        // Dropping the seam releases the line and puts the port's modes back: the guardian has nothing left to do.
        drop(seam);
        match guarded {
            Some(guarded) => guarded.guardian.dismiss().map_err(|error| Trouble::of(&error, None)),
            None => Ok(()),
        }
    }
}

/// A virtual EVKIT on simulated time: made anew for each case.
pub struct SimulatedStation {
    name: String,
    rig: Rig,
}

impl SimulatedStation {
    /// A simulated board called `name`.
    #[must_use]
    pub fn new(name: &str, rig: &Rig) -> Self {
        Self { name: name.to_owned(), rig: rig.clone() }
    }
}

impl Station for SimulatedStation {
    fn run(&mut self, case: &plan::Case, folder: &std::path::Path, progress: &Progress) -> Result<Ended, Trouble> {
        let settings = case.virtual_board.settings_for(case_seed(self.rig.seed, &case.name));
        let home = crate::baud::Baud::DEFAULT;
        let firmware = settings.firmware.to_string();
        let mut seam = SimulatedSeam::new(Box::new(VirtualEvkit::new(settings, MonoTime::ZERO)), home);
        seam.interrupt_by(Arc::clone(&self.rig.interrupted));
        let around = Circumstances {
            board: self.name.clone(),
            link: "simulated",
            seed: self.rig.seed,
            home_speed: home,
            port_speed: home,
            host_late: self.rig.host_late,
            started: None,
            firmware: Some(firmware),
            set_up_anew: true,
            start_up: START_UP,
            restarts: Restarts::default(),
        };
        run_case(&mut seam, ClockKind::Simulated, case, &around, folder, progress).map_err(|error| Trouble::of(&error, None))
    }

    fn close(self: Box<Self>) -> Result<(), Trouble> {
        Ok(())
    }
}

/// The seed from which a case's virtual board is drawn: the run's seed and the case's name, so that a case keeps its board
/// whatever else runs. 0 stays 0: the defaults.
#[must_use]
pub fn case_seed(run_seed: u64, case: &str) -> u64 {
    if run_seed == 0 {
        return 0;
    }
    // FNV-1a, over the seed's bytes and the name's.
    let hash = run_seed
        .to_le_bytes()
        .iter()
        .chain(case.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash.max(1)
}

/// What is said to a virtual board's control socket before a case.
fn setup_command(case: &plan::Case, seed: u64) -> String {
    let mut command = format!("setup seed={seed}");
    for (key, value) in &case.virtual_board.settings {
        command.push_str(&format!(" {key}=\"{value}\""));
    }
    command
}

fn now_rfc3339() -> String {
    time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
