//! The thread that carries a model: it owns the port, the model and the control socket, and waits for whatever comes next.

use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::control::ControlServer;
use super::end::{HostEnd, Place};
use super::error::LinkError;
use crate::baud::Baud;
use crate::model::{ControlTarget, Input, Output, PortChange};
use crate::seam::{Direction, LineId, LineState};
use crate::time::MonoTime;

/// At most so many bytes are taken from the host in one turn: as much as a pseudo-terminal gives in one read.
const READ_SIZE: usize = 4096;

/// What every link's control socket takes, whatever the model, beside the model's lines.
const HELP: [(&str, &str); 2] = [("unplug", "closes the port as if it had been pulled out"), ("help", "this")];

/// What is said of a line that the host drives: the words for asserted and released.
const fn words_of(line: LineId) -> [&'static str; 2] {
    match line {
        LineId::POWER => ["on", "off"],
        _ => ["assert", "release"],
    }
}

/// See the module.
pub(super) struct Carrier<M> {
    model: M,
    board: Board,
    control: ControlServer,
    stop: Arc<OwnedFd>,
}

/// The board as the link sees it, apart from its model.
struct Board {
    place: Box<dyn Place>,
    /// `None` while it is unplugged or has vanished.
    port: Option<Box<dyn HostEnd>>,
    /// A client has unplugged it: for good.
    is_unplugged: bool,
    /// It has come back under another name.
    is_elsewhere: bool,
    /// The host's speed as the model was last told.
    speed: Baud,
    /// Lines that the host has driven away from their rest.
    driven: Vec<(LineId, LineState)>,
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
    pub(super) fn new(model: M, place: Box<dyn Place>, port: Box<dyn HostEnd>, control: ControlServer, stop: Arc<OwnedFd>) -> Self {
        let board = Board {
            place,
            port: Some(port),
            is_unplugged: false,
            is_elsewhere: false,
            speed: Baud::DEFAULT,
            driven: Vec::new(),
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
        let look_at = self.board.port.as_ref().and_then(|port| port.look_at());
        let timeout = self.board.wake.into_iter().chain(look_at).min().map(|wake| {
            let left = wake.since(MonoTime::now());
            // A duration of nanoseconds in 64 bits has far fewer seconds than fit.
            Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
        });
        let mut fds = vec![PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN)];
        if let Some(port) = &self.board.port {
            port.poll(&mut fds);
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
        while let Some((line, state)) = board.port.as_mut().and_then(|port| port.driven()) {
            board.drive(model, line, state);
        }
        control.serve(|line, watched| board.carry_out(model, line, watched));
        board.hand_over(model);
        for edge in board.output.edges.drain(..) {
            if let Some(line) = model.lines().iter().find(|line| line.id == edge.line) {
                control.tell(line.name, edge.state, edge.at);
            }
        }
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
        if let Some(port) = &mut self.port {
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
        let changes = self.output.port.iter().map(|event| event.change).collect::<Vec<_>>();
        self.output.clear();
        for change in changes.into_iter().filter(|_| !self.is_unplugged) {
            // The old one is closed first: it may be in the way of its own name.
            self.port = None;
            self.is_elsewhere = change == PortChange::BackElsewhere;
            self.port = match change {
                PortChange::Gone => None,
                PortChange::Back => Some(self.place.open()?),
                PortChange::BackElsewhere => Some(self.place.open_elsewhere()?),
            };
        }
        Ok(())
    }

    /// Carries out a command of a client.
    fn carry_out(&mut self, model: &mut impl ControlTarget, line: &str, watched: &mut Vec<&'static str>) -> Result<String, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let named = |name: &str, direction| model.lines().iter().find(|line| line.name == name && line.direction == direction).copied();
        if let [name, state @ ..] = words.as_slice()
            && let Some(line) = named(name, Direction::Out)
        {
            let [assert, release] = words_of(line.id);
            let state = match state {
                [word] if *word == assert => LineState::Asserted,
                [word] if *word == release => LineState::Released,
                ["level"] if line.id != LineId::POWER => return Ok(self.level(model, line.id)),
                _ if line.id == LineId::POWER => return Err(format!("`{name}` takes `{assert}` or `{release}`")),
                _ => return Err(format!("`{name}` takes `{assert}`, `{release}` or `level`")),
            };
            self.drive(model, line.id, state);
            return Ok(String::new());
        }
        match words.as_slice() {
            [] => Err("no command: try `help`".to_owned()),
            ["unplug"] if self.is_unplugged => Err("the port is unplugged already".to_owned()),
            ["unplug"] => {
                self.is_unplugged = true;
                self.port = None;
                Ok(String::new())
            }
            ["help"] => Ok(help(model)),
            ["watch", name] => match named(name, Direction::In) {
                Some(line) => {
                    if !watched.contains(&line.name) {
                        watched.push(line.name);
                    }
                    Ok(String::new())
                }
                None => Err(format!("the board drives no line `{name}`")),
            },
            [command, ..] => {
                let answer = model.command(MonoTime::now(), line)?;
                if *command == "setup" {
                    self.power_on(model).map_err(|error| error.to_string())?;
                } else {
                    // It may have changed when it wants to be called.
                    self.advance(model, Input::Time);
                }
                Ok(answer)
            }
        }
    }

    /// What a line is now, whoever makes it so, in a word.
    fn level(&mut self, model: &mut impl ControlTarget, line: LineId) -> String {
        self.advance(model, Input::Time);
        let driven = self.driven.iter().find(|(driven, _)| *driven == line).map_or(rest_of(line), |(_, state)| *state);
        match model.level(line).unwrap_or(driven) {
            LineState::Asserted => "asserted".to_owned(),
            LineState::Released => "released".to_owned(),
        }
    }

    fn drive(&mut self, model: &mut impl ControlTarget, line: LineId, state: LineState) {
        self.driven.retain(|(driven, _)| *driven != line);
        if state != rest_of(line) {
            self.driven.push((line, state));
        }
        self.advance(model, Input::Line { line, state });
    }

    /// The model is as if just powered: nothing of before is on the wire, and it does not know yet what the host does to it. A port that had vanished is there again, under its first name.
    fn power_on(&mut self, model: &mut impl ControlTarget) -> Result<(), LinkError> {
        self.taken = 0;
        self.output.clear();
        if std::mem::take(&mut self.is_elsewhere) {
            self.port = None;
        }
        match &mut self.port {
            Some(port) => port.discard(),
            None if self.is_unplugged => {}
            None => self.port = Some(self.place.open()?),
        }
        self.advance(model, Input::HostSpeed(self.speed));
        for (line, state) in self.driven.clone() {
            self.advance(model, Input::Line { line, state });
        }
        Ok(())
    }
}

/// What a line is in while the host does nothing.
fn rest_of(line: LineId) -> LineState {
    if line == LineId::POWER { LineState::Asserted } else { LineState::Released }
}

fn level_help(line: &str) -> String {
    format!("{line} level (answers `asserted` or `released`: what the line is, whoever makes it so)")
}

/// Every command with what it does.
fn help(model: &impl ControlTarget) -> String {
    let mut commands = Vec::new();
    for line in model.lines() {
        let [assert, release] = words_of(line.id);
        match (line.direction, line.id) {
            (Direction::In, _) => commands.push(format!("watch {} (tells each edge of the line from now on)", line.name)),
            (_, LineId::RESET) => {
                commands.push(format!("{} {assert} (holds the board in reset)", line.name));
                commands.push(format!("{} {release} (lets the board run)", line.name));
                commands.push(level_help(line.name));
            }
            (_, LineId::POWER) => commands.push(format!("{} {assert}, {} {release} (switches the module's supply)", line.name, line.name)),
            (_, _) => {
                commands.push(format!("{} {assert}, {} {release} (drives the line)", line.name, line.name));
                commands.push(level_help(line.name));
            }
        }
    }
    commands.extend(HELP.iter().chain(model.help()).map(|(command, does)| format!("{command} ({does})")));
    commands.join("; ")
}
