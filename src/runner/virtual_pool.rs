//! Virtual boards that a run starts for itself, when no bench names real ones.

use std::path::PathBuf;

use crate::baud::Baud;
use crate::bench::{Board, BoardKind, BoardName, Identity, Sim};
use crate::line::{Backend, LineConfig, Role};
use crate::link::{LinkError, PtyBoard, PtyConfig};
use crate::model::evkit::{Settings, VirtualEvkit};
use crate::plan::{BoardSteps, Effect, VirtualSetup};
use crate::port::PortName;
use crate::runner::pool::Member;
use crate::runner::session::Owner;
use crate::time::MonoTime;

/// Virtual boards of this process, on PTYs, with their control sockets in a folder of their own. All gone when it is dropped.
pub struct VirtualPool {
    boards: Vec<PtyBoard>,
    folder: tempfile::TempDir,
}

impl VirtualPool {
    /// Starts `count` virtual EVKITs.
    ///
    /// # Errors
    /// [`LinkError`] when the system refuses.
    pub fn start(count: u16) -> Result<Self, LinkError> {
        let folder = tempfile::Builder::new().prefix("evkit-hil-").tempdir().map_err(LinkError::system("mkdir", "the sockets' folder"))?;
        let mut pool = Self { boards: Vec::new(), folder };
        for number in 1..=count {
            let config = PtyConfig { link: None, control: pool.folder.path().join(format!("{number}.ctl")) };
            let model = VirtualEvkit::new(Settings::drawn(0), MonoTime::now());
            pool.boards.push(PtyBoard::start(model, &config)?);
        }
        Ok(pool)
    }

    /// The boards as a pool takes them.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let member = |(number, board): (usize, &PtyBoard)| {
            let line = |name: &str, role| {
                let backend = Backend::Socket { path: board.control_path().to_owned(), line: name.to_owned() };
                LineConfig { role, ..LineConfig::output(name, backend) }
            };
            let board = Board {
                name: BoardName(format!("virtual-{}", number + 1)),
                line: 0,
                file: PathBuf::new(),
                kind: BoardKind::St87m01,
                identity: Identity::default(),
                health: false,
                sim: Sim::None,
                port: PortName::Path(board.port_path().to_owned()),
                baud: Baud::DEFAULT,
                accept_mini_uart: false,
                start_up: crate::bench::START_UP,
                reset: Some(line("reset", Role::Output)),
                power: Some(line("power", Role::Power)),
                lines: vec![line("wake", Role::Output), line("ring", Role::Input)],
                allow: Effect::ALL.to_vec(),
                before_run: BoardSteps::default(),
                before_case: BoardSteps::default(),
                after_run: BoardSteps::default(),
                virtual_setup: VirtualSetup::default(),
                virtual_control: Some(board.control_path().to_owned()),
            };
            Member::Port(Box::new(board), Owner::ThisRun)
        };
        self.boards.iter().enumerate().map(member).collect()
    }
}
