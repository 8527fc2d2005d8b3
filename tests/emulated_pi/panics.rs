//! A run that panics while it holds a board in reset: `panics BENCH SCENARIO OUT`. The run is the real one, on the real backend of the bench's reset line; what panics is the line `fuse`, when a step drives it.
//! There is no guardian, so that what releases the line is the unwinding alone.
#![expect(clippy::unwrap_used, reason = "this is a part of a test")]

use std::path::{Path, PathBuf};

use evkit_hil::bench::{Bench, BoardKind};
use evkit_hil::line::{LineError, OutputLine, Progress, open};
use evkit_hil::port::Port;
use evkit_hil::runner::case::{Circumstances, run_case};
use evkit_hil::runner::progress;
use evkit_hil::scenario;
use evkit_hil::seam::real::RealSeam;
use evkit_hil::seam::{LineId, LineState};
use evkit_hil::timeline::ClockKind;

/// A line that is released like any other, and cannot be asserted.
struct Fuse;

impl OutputLine for Fuse {
    fn begin(&mut self, state: LineState) -> Result<Progress, LineError> {
        assert_eq!(state, LineState::Released, "the fuse has blown");
        Ok(Progress::Done)
    }

    fn describe(&self) -> String {
        "the fuse".to_owned()
    }
}

fn main() {
    let [bench, scenario, out] = std::env::args().skip(1).map(PathBuf::from).collect::<Vec<_>>().try_into().unwrap();
    let bench = Bench::load(&bench).unwrap();
    let plan = scenario::load(&[scenario], Some(&bench)).unwrap();
    let board = &bench.boards[0];
    let reset = open(board.reset.as_ref().unwrap()).unwrap();
    let port = Port::open(&board.port, board.baud).unwrap();
    let mut seam = RealSeam::new(port, reset, None).with_output(LineId::FIRST_NAMED, "fuse", LineState::Released, Box::new(Fuse));
    let around = Circumstances { link: "serial", kind: BoardKind::Generic, ..Circumstances::simulated(board.name.to_string(), board.baud) };
    let (sender, _receiver) = std::sync::mpsc::channel();
    let progress = progress::Progress::new("panics", sender);
    let ended = run_case(&mut seam, ClockKind::Monotonic, &plan.cases[0], &around, Path::new(&out), &progress);
    unreachable!("the run has not panicked: {ended:?}");
}
