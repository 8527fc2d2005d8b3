//! A board held for a run: locked, its supply on and its lines released, its guardian started, its port open. In that order, and back in reverse. A line that is a signal of the board's own port
//! comes after the port.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use super::case::{Circumstances, Ended, run_case, write_unrun};
use super::examination::{self, Examined, Scope};
use super::health;
use super::moments::Fineness;
use super::progress::Progress;
use super::resets::{Begun, Resets};
use super::stop::Finding;
use super::watch::Restarts;
use crate::baud::Baud;
use crate::bench::{Board, HOST_LATE, Sim};
use crate::line::{self, BoardLock, Guardian, InputLine, LineConfig, LineError, LockError, LockInfo, OutputLine, Role};
use crate::link::ControlClient;
use crate::model::evkit::{FaultLog, VirtualEvkit};
use crate::plan::{self, BoardSteps, VirtualSetup};
use crate::port::{self, Port};
use crate::seam::real::RealSeam;
use crate::seam::simulated::SimulatedSeam;
use crate::seam::{LineId, LineState};
use crate::secret::Secret;
use crate::time::MonoTime;
use crate::timeline::event::{Attempt, Outcome};
use crate::timeline::{ClockKind, masked};

/// What opening and running boards needs to know of this run.
#[derive(Debug, Clone)]
pub struct Rig {
    /// Where locks are.
    pub state_dir: PathBuf,
    /// Where the kernel shows its devices: `/sys`.
    pub sysfs: PathBuf,
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
    /// What no record may show, whichever case names it.
    pub secrets: Arc<[Secret]>,
}

impl Rig {
    /// For boards on simulated time, which need nothing of this computer. `interrupted` and `interrupt` are as in [`Rig`].
    #[must_use]
    pub fn simulated(interrupted: Arc<AtomicBool>, interrupt: Arc<OwnedFd>) -> Self {
        Self {
            state_dir: PathBuf::new(),
            sysfs: PathBuf::new(),
            program: PathBuf::new(),
            wait: None,
            interrupted,
            interrupt,
            host_late: HOST_LATE,
            seed: 0,
            secrets: [].into(),
        }
    }
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

    /// The same without these secrets, which a program may have said.
    #[must_use]
    pub fn masked(self, secrets: &[Secret]) -> Self {
        Self { reason: masked(secrets, self.reason), hint: self.hint.map(|hint| masked(secrets, hint)) }
    }
}

/// A board that takes cases.
pub trait Station {
    /// Runs a case, for the first time or again, and writes its timeline to `folder`.
    ///
    /// # Errors
    /// [`Trouble`] when the case could not even begin. The board is given up.
    fn run(&mut self, case: &plan::Case, attempt: Option<Attempt>, folder: &Path, progress: &Progress) -> Result<Ended, Trouble>;

    /// Asks the board who it is and whether it is well, before its first case, and writes the timeline of that to `folder`. A board that is not asked is taken as it is.
    ///
    /// # Errors
    /// [`Trouble`] when the board must not be used. It is given up.
    fn check(&mut self, folder: &Path, progress: &Progress) -> Result<(), Trouble> {
        let _ = (folder, progress);
        Ok(())
    }

    /// Lets the board go, whose line is known to be released. A board that was given up is dropped instead: its guardian, where it has one, then
    /// releases the line once more.
    ///
    /// # Errors
    /// [`Trouble`] when the guardian had died, and nobody would have released the line had this run been killed; or when what the bench wants done afterwards failed.
    /// Before that, what the bench wants done to the board after its last case, whose timeline goes to `folder`.
    fn close(self: Box<Self>, folder: &Path, progress: &Progress) -> Result<(), Trouble>;
}

/// A board at a port of this computer: a kit, or a virtual EVKIT on a PTY.
pub struct Session {
    board: Board,
    rig: Rig,
    // Dropped in this order: the lines (which releases them) and the port, then the guardian, then the lock.
    seam: RealSeam,
    guarded: Option<Guarded>,
    control: Option<ControlClient>,
    port_speed: Baud,
    speeds_made: Vec<Baud>,
    restarts: Restarts,
    link: &'static str,
    fineness: Fineness,
    identity: Vec<(String, String)>,
    is_quiet: bool,
    /// The restarts of the last hour, from the first case on, where they are counted.
    resets: Option<Resets>,
    device: PathBuf,
}

/// What keeps a board safe from other runs and from the death of this one.
struct Guarded {
    guardian: Guardian,
    lock: BoardLock,
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
    /// Takes a board: lock, then the supply on and the lines released, then the guardian, then the port. **Switches the supply on and releases every line**, does nothing else to the board.
    ///
    /// # Errors
    /// [`Trouble`] says what stood in the way.
    pub fn open(board: &Board, owner: Owner, rig: &Rig) -> Result<Self, Trouble> {
        let found = board.port.resolve_in(&rig.sysfs).map_err(|error| Trouble::of(&error, Some(error.hint())))?;
        if !board.accept_mini_uart && port::is_mini_uart(&rig.sysfs, &found.device) {
            return Err(Trouble {
                reason: format!("{found} is {}", port::MINI_UART),
                hint: Some("use the PL011, which `dtoverlay=disable-bt` in config.txt puts on GPIO14 and 15 as /dev/ttyAMA0, or say `accept-mini-uart: true` on the board".to_owned()),
            });
        }
        let identity = super::unit::on_usb(&rig.sysfs, &found.device, &board.identity)?;
        let lock = match owner {
            Owner::Bench => {
                let info = LockInfo { identity: super::unit::in_words(&identity), ..LockInfo::of_this_process(&board.name.0) };
                let lock = BoardLock::acquire(&rig.state_dir, &found.device, &info, rig.wait, &rig.interrupted);
                Some(lock.map_err(|error| {
                    let hint = matches!(error, LockError::Reserved { .. }).then(|| {
                        let (name, bench) = (&board.name, board.file.display());
                        format!(
                            "`--wait` waits for it; `evkit-hil board unlock {name} --bench {bench} --force` ends the reservation: ask first"
                        )
                    });
                    Trouble::of(&error, hint)
                })?)
            }
            Owner::ThisRun => None,
        };
        // Declared before the lines, and so dropped after them when something below fails: a guardian can release a line only once this process has let go of it.
        let guarded;
        let trouble = |error: LineError| Trouble::of(&error, None);
        // First: a line that is driven feeds a module that has no supply.
        let power = board.power.as_ref().map(line::open).transpose().map_err(trouble)?;
        let mut lines = Vec::new();
        for config in board.outputs().filter(|config| !config.is_of_own_port()) {
            lines.push((config, line::open(config).map_err(trouble)?));
        }
        let mut inputs = Vec::new();
        for config in board.lines.iter().filter(|config| config.role == Role::Input) {
            inputs.push((config, line::open_input(config).map_err(trouble)?));
        }
        guarded = match lock {
            Some(lock) => {
                let outputs: Vec<_> = board.outputs().cloned().collect();
                let guardian = Guardian::start(&rig.program, &outputs);
                Some(Guarded { guardian: guardian.map_err(|error| Trouble::of(&error, None))?, lock })
            }
            None => None,
        };
        let port = Port::open_resolved(found.clone(), board.baud).map_err(|error| Trouble::of(&error, Some(error.hint())))?;
        for config in board.outputs().filter(|config| config.is_of_own_port()) {
            lines.push((config, line::open_on(&port, config).map_err(trouble)?));
        }
        let link = if port.is_pty() { "pty" } else { "serial" };
        let latency = port.latency();
        let fineness = Fineness { read: rig.host_late + latency.time, how: latency.how };
        let control = match &board.virtual_control {
            Some(path) => Some(ControlClient::connect(path).map_err(|error| {
                Trouble::of(
                    &error,
                    Some("`virtual:` in the bench file names the control socket of a running `evkit-hil virtual`".to_owned()),
                )
            })?),
            None => None,
        };
        let device = found.device;
        let seam = wired(board, port, Claimed { power, lines, inputs }, Some(Arc::clone(&rig.interrupt)));
        // What was done to it before is not known, and letting go of the line may have started it.
        let restarts = Restarts::unknown_before(MonoTime::now());
        Ok(Self {
            board: board.clone(),
            rig: rig.clone(),
            seam,
            guarded,
            control,
            port_speed: board.baud,
            speeds_made: vec![board.baud],
            restarts,
            link,
            fineness,
            identity,
            is_quiet: false,
            resets: None,
            device,
        })
    }
}

impl Session {
    /// What is around a case on this board, apart from the case.
    fn around(&self, attempt: Option<Attempt>) -> Circumstances {
        Circumstances {
            board: self.board.name.to_string(),
            link: self.link,
            seed: self.rig.seed,
            secrets: Arc::clone(&self.rig.secrets),
            attempt,
            home_speed: self.board.baud,
            port_speed: self.port_speed,
            speeds_made: self.speeds_made.clone(),
            host_late: self.rig.host_late,
            fineness: self.fineness,
            started: Some(now_rfc3339()),
            firmware: None,
            kind: self.board.kind,
            identity: self.identity.clone(),
            before_case: BoardSteps::default(),
            sim: self.board.sim,
            is_quiet: self.is_quiet,
            set_up_anew: self.control.is_some(),
            start_up: self.board.start_up,
            restarts: self.restarts,
        }
    }
}

/// Whether the restarts of a case are counted.
enum Counted {
    Not,
    From(Begun),
    /// They would be too many: why, and from when on they are not.
    TooMany(String),
}

impl Session {
    /// Writes down that a module that registers can be restarted `most` times, if it may.
    fn count_restarts(&mut self, most: u32) -> Result<Counted, Trouble> {
        if self.board.sim != Sim::Live {
            return Ok(Counted::Not);
        }
        let resets = match &mut self.resets {
            Some(resets) => resets,
            none => none.insert(Resets::open(&self.rig.state_dir, &unit_name(&self.identity, &self.device))?),
        };
        let now = SystemTime::now();
        match resets.room_for(most, now) {
            Ok(()) => Ok(Counted::From(resets.begin(most, now)?)),
            Err(reason) => Ok(Counted::TooMany(reason)),
        }
    }

    /// Examines the board for `diagnose`, as far as `scope` says, and writes the timeline to `folder`.
    ///
    /// # Errors
    /// [`Trouble`] when it could not even begin, or when the board is one that registers and would be restarted too often.
    pub fn examine(&mut self, scope: Scope, listen: Duration, folder: &Path, progress: &Progress) -> Result<Examined, Trouble> {
        let counted = if scope == Scope::Whole { self.count_restarts(examination::MOST_RESTARTS)? } else { Counted::Not };
        if let Counted::TooMany(reason) = counted {
            return Err(Trouble { reason, hint: Some("--no-reset asks the board and does not restart it".to_owned()) });
        }
        // Nothing sets it up: what it is now is the question.
        let around = Circumstances { set_up_anew: false, ..self.around(None) };
        let examined = examination::examine(&mut self.seam, ClockKind::Monotonic, &self.board, &around, scope, listen, folder, progress)
            .map_err(|error| Trouble::of(&error, None))?;
        self.port_speed = examined.port_speed;
        self.restarts = examined.restarts;
        if let (Some(resets), Counted::From(begun)) = (&mut self.resets, counted) {
            resets.end(&begun, examined.commanded, SystemTime::now())?;
        }
        Ok(examined)
    }

    /// Lets the board go, whose lines are known to be released.
    ///
    /// # Errors
    /// [`Trouble`] when the guardian had died, and nobody would have released the lines had this run been killed.
    pub fn let_go(self) -> Result<(), Trouble> {
        let Self { seam, guarded, .. } = self;
        // Dropping the seam releases the lines and puts the port's modes back: the guardian has nothing left to do.
        drop(seam);
        guarded.map_or(Ok(()), |guarded| guarded.guardian.dismiss().map_err(|error| Trouble::of(&error, None)))
    }

    /// Asks the board who it is and whether it is well.
    fn ask(&mut self, folder: &Path, progress: &Progress) -> Result<(), Trouble> {
        let around = self.around(None);
        let checked = health::check(&mut self.seam, ClockKind::Monotonic, &self.board, &around, folder, progress);
        let health::Health { ended, imei } = checked.map_err(|error| Trouble::of(&error, None))?;
        self.port_speed = ended.port_speed;
        self.restarts = ended.restarts;
        self.is_quiet = ended.is_quiet;
        if let Some(imei) = imei {
            self.identity.insert(0, ("imei".to_owned(), imei));
            if let Some(guarded) = &mut self.guarded {
                let info = LockInfo { identity: super::unit::in_words(&self.identity), ..LockInfo::of_this_process(&self.board.name.0) };
                guarded.lock.describe(&info).map_err(|error| Trouble::of(&error, None))?;
            }
        }
        match ended.given_up {
            Some(finding) => Err(Trouble { reason: finding.reason, hint: Some(finding.seen) }),
            None => Ok(()),
        }
    }

    /// Does what the bench wants done to the board beside its cases: `steps`, and `finally` also when the run was interrupted. Nothing where there is nothing to do.
    fn do_steps(
        &mut self,
        what: &str,
        steps: &BoardSteps,
        finally: &BoardSteps,
        folder: &Path,
        progress: &Progress,
    ) -> Result<(), Trouble> {
        if steps.steps.is_empty() && finally.steps.is_empty() {
            return Ok(());
        }
        let name = format!("board {}: {what}", self.board.name);
        let case = plan::Case::of_board(name, &self.board.file, self.board.line, steps, finally);
        // It stays as it is left: no set-up comes after it that would hide what went wrong.
        let around = Circumstances { set_up_anew: false, ..self.around(None) };
        let ended =
            run_case(&mut self.seam, ClockKind::Monotonic, &case, &around, folder, progress).map_err(|error| Trouble::of(&error, None))?;
        self.port_speed = ended.port_speed;
        self.restarts = ended.restarts;
        self.speeds_made.clone_from(&ended.speeds_made);
        self.is_quiet = ended.is_quiet;
        match (ended.outcome, ended.given_up) {
            (Outcome::Passed | Outcome::Interrupted, None) => Ok(()),
            (_, given_up) => {
                let reason = given_up.map_or_else(String::new, |finding| format!(": {}", finding.reason));
                let hint = format!("{} has what happened; the steps are those of the board in the bench file", folder.display());
                Err(Trouble { reason: format!("its `{what}` did not pass{reason}"), hint: Some(hint) })
            }
        }
    }

    /// Leaves a case out that this board may not run now.
    fn skip(&self, case: &plan::Case, folder: &Path, reason: &str, progress: &Progress) -> Result<Ended, Trouble> {
        let board = Some(self.board.name.0.as_str());
        write_unrun(case, board, folder, ClockKind::Monotonic, self.rig.seed, Outcome::Skipped, reason)
            .map_err(|error| Trouble::of(&error, None))?;
        progress.ended(folder.to_owned());
        Ok(Ended {
            outcome: Outcome::Skipped,
            diagnosis: None,
            given_up: None,
            port_speed: self.port_speed,
            speeds_made: self.speeds_made.clone(),
            restarts: self.restarts,
            commanded: 0,
            is_quiet: self.is_quiet,
        })
    }
}

/// The lines of a board, each with what the bench says of it.
struct Claimed<'b> {
    power: Option<Box<dyn OutputLine>>,
    lines: Vec<(&'b LineConfig, Box<dyn OutputLine>)>,
    inputs: Vec<(&'b LineConfig, Box<dyn InputLine>)>,
}

/// The seam to a board: named lines are numbered in the order of the bench.
fn wired(board: &Board, port: Port, claimed: Claimed<'_>, interrupt: Option<Arc<OwnedFd>>) -> RealSeam {
    let Claimed { power, lines, inputs } = claimed;
    let id_of = |config: &LineConfig| {
        let index = board.lines.iter().position(|line| line.name == config.name);
        index.and_then(|index| u8::try_from(index).ok()).map_or(LineId::RESET, |index| LineId(LineId::FIRST_NAMED.0 + index))
    };
    let mut seam = RealSeam::unwired(port, interrupt);
    for (config, line) in lines {
        seam = seam.with_output(id_of(config), &config.name, config.unpowered(), line);
    }
    if let Some(power) = power {
        seam = seam.with_output(LineId::POWER, "power", LineState::Released, power);
    }
    inputs.into_iter().fold(seam, |seam, (config, line)| seam.with_input(id_of(config), &config.name, line))
}

impl Station for Session {
    fn check(&mut self, folder: &Path, progress: &Progress) -> Result<(), Trouble> {
        if self.board.health {
            self.ask(folder, progress)?;
        }
        let before = self.board.before_run.clone();
        let mut name = folder.as_os_str().to_owned();
        name.push("-before-run");
        self.do_steps("before-run", &before, &BoardSteps::default(), Path::new(&name), progress)
    }

    fn run(&mut self, case: &plan::Case, attempt: Option<Attempt>, folder: &Path, progress: &Progress) -> Result<Ended, Trouble> {
        let seed = case_seed(self.rig.seed, &case.name);
        let begun = match self.count_restarts(case.most_restarts())? {
            Counted::Not => None,
            Counted::From(begun) => Some(begun),
            Counted::TooMany(reason) => return self.skip(case, folder, &reason, progress),
        };
        let setup = self.board.virtual_setup.followed_by(&case.virtual_board);
        if let Some(control) = &mut self.control {
            let command = setup_command(&setup, seed);
            control.command(&command).map_err(|error| Trouble::of(&error, None))?;
        }
        let firmware = self.control.as_ref().map(|_| setup.settings_for(seed).firmware.to_string());
        let around = Circumstances { firmware, before_case: self.board.before_case.clone(), ..self.around(attempt) };
        let ended =
            run_case(&mut self.seam, ClockKind::Monotonic, case, &around, folder, progress).map_err(|error| Trouble::of(&error, None))?;
        self.port_speed = ended.port_speed;
        self.restarts = ended.restarts;
        self.speeds_made.clone_from(&ended.speeds_made);
        self.is_quiet = ended.is_quiet;
        if let (Some(resets), Some(begun)) = (&mut self.resets, begun)
            && let Err(trouble) = resets.end(&begun, ended.commanded, SystemTime::now())
        {
            // The case has its verdict; what it did still counts for the most that it could do.
            let expected = "room and permission for the count of restarts";
            let finding = Finding::new(trouble.reason, expected, trouble.hint.unwrap_or_default(), Vec::new());
            return Ok(Ended { given_up: ended.given_up.or(Some(finding)), ..ended });
        }
        Ok(ended)
    }

    fn close(mut self: Box<Self>, folder: &Path, progress: &Progress) -> Result<(), Trouble> {
        let after = self.board.after_run.clone();
        let done = self.do_steps("after-run", &BoardSteps::default(), &after, folder, progress);
        self.let_go().and(done)
    }
}

/// A virtual EVKIT on simulated time: made anew for each case.
pub struct SimulatedStation {
    name: String,
    rig: Rig,
    log: FaultLog,
}

impl SimulatedStation {
    /// A simulated board called `name`.
    #[must_use]
    pub fn new(name: &str, rig: &Rig) -> Self {
        Self { name: name.to_owned(), rig: rig.clone(), log: FaultLog::default() }
    }

    /// What the faults of the board did in the last case.
    #[must_use]
    pub fn log(&self) -> FaultLog {
        self.log.clone()
    }
}

impl Station for SimulatedStation {
    fn run(&mut self, case: &plan::Case, attempt: Option<Attempt>, folder: &Path, progress: &Progress) -> Result<Ended, Trouble> {
        let settings = case.virtual_board.settings_for(case_seed(self.rig.seed, &case.name));
        let home = Baud::DEFAULT;
        let firmware = settings.firmware.to_string();
        let board = VirtualEvkit::new(settings, MonoTime::ZERO);
        self.log = board.log();
        let mut seam = SimulatedSeam::new(Box::new(board), home);
        seam.interrupt_by(Arc::clone(&self.rig.interrupted));
        let around = Circumstances {
            seed: self.rig.seed,
            secrets: Arc::clone(&self.rig.secrets),
            attempt,
            host_late: self.rig.host_late,
            firmware: Some(firmware),
            ..Circumstances::simulated(self.name.clone(), home)
        };
        run_case(&mut seam, ClockKind::Simulated, case, &around, folder, progress).map_err(|error| Trouble::of(&error, None))
    }

    fn close(self: Box<Self>, _folder: &Path, _progress: &Progress) -> Result<(), Trouble> {
        Ok(())
    }
}

/// The name of a unit's file: its IMEI, else its port, with a dash for what file names do not take.
fn unit_name(identity: &[(String, String)], device: &Path) -> String {
    match identity.iter().find(|(name, _)| name == "imei") {
        Some((_, imei)) => format!("imei-{imei}"),
        None => format!("port{}", device.display().to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
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
fn setup_command(setup: &VirtualSetup, seed: u64) -> String {
    let mut command = format!("setup seed={seed}");
    for (key, value) in &setup.settings {
        command.push_str(&format!(" {key}=\"{value}\""));
    }
    command
}

fn now_rfc3339() -> String {
    time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
