//! The board and the seam of an interleaving, watched: what reaches the board's lines, and how often either is asked.
//!
//! Each has a limit, so that what would go on for ever on simulated time fails instead.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use evkit_hil::baud::Baud;
use evkit_hil::model::evkit::VirtualEvkit;
use evkit_hil::model::{DeviceModel, Input, ModelLine, Output};
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::seam::{Capabilities, Happening, LineId, LineInfo, LineState, Seam, SeamError, StreamId, Ticket};
use evkit_hil::time::MonoTime;

/// So often a board may be called in one run, far above what any drawn script brings about.
const CALLS: u64 = 4_000_000;

/// So often a seam may be waited on.
const WAITS: u64 = 4_000_000;

/// What has reached a board.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) calls: u64,
    /// Lines that are not at their rest: asserted, and of power off.
    pub(crate) away: BTreeSet<LineId>,
    pub(crate) is_transmit_held: bool,
}

/// A board that tells what reaches it.
pub(crate) struct WatchedBoard {
    board: VirtualEvkit,
    reached: Arc<Mutex<Reached>>,
}

impl WatchedBoard {
    pub(crate) fn new(board: VirtualEvkit) -> (Self, Arc<Mutex<Reached>>) {
        let reached = Arc::<Mutex<Reached>>::default();
        (Self { board, reached: Arc::clone(&reached) }, reached)
    }
}

impl DeviceModel for WatchedBoard {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.calls += 1;
        assert!(reached.calls <= CALLS, "hangs: the board was called {CALLS} times until {now}");
        match input {
            Input::Line { line, state } => {
                reached.away.remove(&line);
                if (state == LineState::Asserted) != (line == LineId::POWER) {
                    reached.away.insert(line);
                }
            }
            Input::HostTransmitHeld(held) => reached.is_transmit_held = held,
            Input::Time | Input::Bytes { .. } | Input::HostSpeed(_) => {}
        }
        self.board.advance(now, input, output)
    }

    fn lines(&self) -> &'static [ModelLine] {
        self.board.lines()
    }

    fn level(&self, line: LineId) -> Option<LineState> {
        self.board.level(line)
    }
}

/// A simulated seam that refuses to be waited on for ever.
pub(crate) struct WatchedSeam {
    seam: SimulatedSeam,
    pub(crate) waits: u64,
}

impl WatchedSeam {
    pub(crate) fn new(seam: SimulatedSeam) -> Self {
        Self { seam, waits: 0 }
    }
}

impl Seam for WatchedSeam {
    fn now(&self) -> MonoTime {
        self.seam.now()
    }

    fn capabilities(&self) -> Capabilities {
        self.seam.capabilities()
    }

    fn lines(&self) -> &[LineInfo] {
        self.seam.lines()
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8], at: Option<MonoTime>) -> Ticket {
        self.seam.send(stream, bytes, at)
    }

    fn set_speed(&mut self, stream: StreamId, speed: Baud) -> Ticket {
        self.seam.set_speed(stream, speed)
    }

    fn hold_transmit(&mut self, stream: StreamId, held: bool) -> Ticket {
        self.seam.hold_transmit(stream, held)
    }

    fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Ticket {
        self.seam.drive(line, state, at)
    }

    fn read_back(&mut self, line: LineId) -> Ticket {
        self.seam.read_back(line)
    }

    fn withdraw_send(&mut self, ticket: Ticket) {
        self.seam.withdraw_send(ticket);
    }

    fn forget_queued(&mut self) {
        self.seam.forget_queued();
    }

    fn wait(&mut self, until: MonoTime) -> Result<Happening<'_>, SeamError> {
        self.waits += 1;
        assert!(self.waits <= WAITS, "hangs: the seam was waited on {WAITS} times until {}", self.seam.now());
        self.seam.wait(until)
    }
}
