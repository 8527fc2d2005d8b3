//! Virtual boards that a run starts for itself, when no bench names real ones.

use crate::baud::Baud;
use crate::bench::{Board, BoardName};
use crate::line::{Active, Backend, Bias, Drive, LineConfig};
use crate::link::{LinkError, PtyBoard, PtyConfig};
use crate::model::evkit::{Settings, VirtualEvkit};
use crate::plan::Effect;
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
            let board = Board {
                name: BoardName(format!("virtual-{}", number + 1)),
                line: 0,
                port: PortName::Path(board.port_path().to_owned()),
                baud: Baud::DEFAULT,
                start_up: crate::bench::START_UP,
                reset: LineConfig {
                    backend: Backend::Socket { path: board.control_path().to_owned() },
                    drive: Drive::default(),
                    bias: Bias::default(),
                    active: Active::default(),
                },
                allow: Effect::ALL.to_vec(),
                virtual_control: Some(board.control_path().to_owned()),
            };
            Member::Port(board, Owner::ThisRun)
        };
        self.boards.iter().enumerate().map(member).collect()
    }
}
