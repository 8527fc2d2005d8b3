//! The thread that carries a model: it owns the port, the model and the control socket, and waits for whatever comes next.

use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::control::ControlServer;
use super::error::LinkError;
use super::port::Port;
use crate::baud::Baud;
use crate::model::{ControlTarget, Input, Output};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// At most so many bytes are taken from the host in one turn: as much as a pseudo-terminal gives in one read.
const READ_SIZE: usize = 4096;

/// What every link's control socket takes, whatever the model.
const HELP: [(&str, &str); 4] = [
    ("reset assert", "holds the board in reset"),
    ("reset release", "lets the board run"),
    ("unplug", "closes the port as if it had been pulled out"),
    ("help", "this"),
];

/// See the module.
pub(super) struct Carrier<M> {
    model: M,
    board: Board,
    control: ControlServer,
    stop: Arc<OwnedFd>,
}

/// The board as the link sees it, apart from its model.
struct Board {
    /// `None` once it is unplugged.
    port: Option<Port>,
    /// The host's speed as the model was last told.
    speed: Baud,
    reset: LineState,
    input: Box<[u8]>,
    /// How much of `input` the host has written in this turn, as far as it still counts.
    taken: usize,
    output: Output,
    /// When the model was last called.
    moved: MonoTime,
    /// When the model wants to be called.
    wake: Option<MonoTime>,
}

impl<M: ControlTarget> Carrier<M> {
    pub(super) fn new(model: M, port: Port, control: ControlServer, stop: Arc<OwnedFd>) -> Self {
        let board = Board {
            port: Some(port),
            speed: Baud::DEFAULT,
            reset: LineState::Released,
            input: vec![0; READ_SIZE].into(),
            taken: 0,
            output: Output::default(),
            moved: MonoTime::ZERO,
            wake: None,
        };
        Self { model, board, control, stop }
    }

    /// Carries the model until `stop` is readable.
    pub(super) fn run(mut self) -> Result<(), LinkError> {
        // Without this the kernel may end each wait up to 50 µs late. Where it cannot be set, the board is that much less punctual and still right.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        self.board.advance(&mut self.model, Input::HostSpeed(self.board.speed));
        self.board.write()?;
        while !self.wait()? {
            self.turn()?;
        }
        Ok(())
    }

    /// Waits for the next thing to do; `true` when it is to end.
    fn wait(&self) -> Result<bool, LinkError> {
        let timeout = self.board.wake.map(|wake| {
            let left = wake.since(MonoTime::now());
            // A duration of nanoseconds in 64 bits has far fewer seconds than fit.
            Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
        });
        let mut fds = vec![PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN)];
        if let Some(port) = &self.board.port {
            let (fd, events) = port.poll();
            fds.push(PollFd::from_borrowed_fd(fd, events));
        }
        self.control.poll(&mut fds);
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(!fds[0].revents().is_empty()),
            Err(e) => Err(LinkError::system("ppoll", "the board")(e)),
        }
    }

    /// What the host has written is read first and handed over last: so a command that was sent before a byte was written is carried out before that byte, though the two come
    /// on different ways.
    fn turn(&mut self) -> Result<(), LinkError> {
        let Self { model, board, control, .. } = self;
        board.read(model)?;
        control.serve(|line| board.carry_out(model, line));
        board.hand_over(model);
        board.write()
    }
}

impl Board {
    /// Moves the model to the present and hands it something.
    fn advance(&mut self, model: &mut impl ControlTarget, input: Input<'_>) {
        self.moved = MonoTime::now();
        self.wake = model.advance(self.moved, input, &mut self.output);
    }

    /// Reads what the host has written, and tells the model the host's speed where that has changed. The speed is read after the bytes: a host that waits until its bytes have left the
    /// wire before it changes its speed is then seen right. Nothing tells when the host changed it, only that it has since the model was last called, so that is when the model is told it did: what
    /// the device has said since then is sampled at the new speed.
    fn read(&mut self, model: &mut impl ControlTarget) -> Result<(), LinkError> {
        if let Some(port) = &self.port {
            self.taken = port.read(&mut self.input)?;
            let speed = port.speed()?;
            if speed != self.speed {
                self.speed = speed;
                self.wake = model.advance(self.moved, Input::HostSpeed(speed), &mut self.output);
            }
        }
        Ok(())
    }

    /// Hands over what was read, or the time if the model waits for that.
    fn hand_over(&mut self, model: &mut impl ControlTarget) {
        let taken = std::mem::take(&mut self.taken);
        if taken > 0 {
            let bytes = Input::Bytes { bytes: &self.input[..taken], host_speed: self.speed };
            self.moved = MonoTime::now();
            self.wake = model.advance(self.moved, bytes, &mut self.output);
        } else if self.wake.is_some_and(|wake| wake <= MonoTime::now()) {
            self.advance(model, Input::Time);
        }
    }

    /// Writes what the model gave. Where there is no port any more it is lost, as are marks, which a pseudo-terminal cannot carry.
    fn write(&mut self) -> Result<(), LinkError> {
        if let Some(port) = &mut self.port {
            port.write(&self.output.bytes)?;
        }
        self.output.clear();
        Ok(())
    }

    /// Carries out a command of a client.
    fn carry_out(&mut self, model: &mut impl ControlTarget, line: &str) -> Result<String, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => Err("no command: try `help`".to_owned()),
            ["reset", "assert"] => Ok(self.drive_reset(model, LineState::Asserted)),
            ["reset", "release"] => Ok(self.drive_reset(model, LineState::Released)),
            ["reset", ..] => Err("`reset` takes `assert` or `release`".to_owned()),
            ["unplug"] => match self.port.take() {
                Some(_) => Ok(String::new()),
                None => Err("the port is unplugged already".to_owned()),
            },
            ["help"] => {
                let commands: Vec<String> = HELP.iter().chain(model.help()).map(|(command, does)| format!("{command} ({does})")).collect();
                Ok(commands.join("; "))
            }
            [command, ..] => {
                let answer = model.command(MonoTime::now(), line)?;
                if *command == "setup" {
                    self.power_on(model);
                } else {
                    // It may have changed when it wants to be called.
                    self.advance(model, Input::Time);
                }
                Ok(answer)
            }
        }
    }

    fn drive_reset(&mut self, model: &mut impl ControlTarget, state: LineState) -> String {
        self.reset = state;
        self.advance(model, Input::Line { line: LineId::RESET, state });
        String::new()
    }

    /// The model is as if just powered: nothing of before is on the wire, and it does not know yet what the host does to it.
    fn power_on(&mut self, model: &mut impl ControlTarget) {
        self.taken = 0;
        self.output.clear();
        if let Some(port) = &mut self.port {
            port.discard();
        }
        self.advance(model, Input::HostSpeed(self.speed));
        if self.reset == LineState::Asserted {
            self.advance(model, Input::Line { line: LineId::RESET, state: LineState::Asserted });
        }
    }
}
