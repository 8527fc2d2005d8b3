//! The module as a whole: its reset line, which of its programs runs, and the order in which things happen.

use super::agenda::{Agenda, Cause, Event, Restart};
use super::application::Application;
use super::boot::{Boot, Parts};
use super::memory::Memory;
use super::settings::Settings;
use super::uart::{Interest, Uart};
use crate::baud::Baud;
use crate::model::{DeviceModel, Input, Output};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// A virtual EVKITST87M01. See [`super`] for what it is made from.
///
/// A fresh one has its application running, as a long time after its start. Bytes of the host are taken when their wire time has passed, and bytes for the host are given when
/// theirs has, in batches of at most 1 ms. What it does follows from its settings (the seed among them) and from what reaches it at which times, to the byte; how the
/// host's bytes are cut into chunks, and how often it is called, changes nothing.
#[derive(Debug)]
pub struct VirtualEvkit {
    pub(super) settings: Settings,
    pub(super) memory: Memory,
    pub(super) uart: Uart,
    pub(super) program: Program,
    /// Edges of the reset line that reached it.
    pub(super) edges: u64,
    agenda: Agenda,
    reset: LineState,
    now: MonoTime,
}

/// What runs.
#[derive(Debug)]
pub(super) enum Program {
    /// Nothing: reset is asserted.
    Reset,
    /// The boot code.
    Boot(Boot),
    /// The application, perhaps still starting.
    Application(Application),
    /// Nothing, for a fault.
    Dead,
}

impl VirtualEvkit {
    /// A board with these settings, at `now`, with its reset line released.
    #[must_use]
    pub fn new(settings: Settings, now: MonoTime) -> Self {
        let memory = Memory::new(&settings);
        let uart = Uart::new(memory.running_speed, Baud::DEFAULT, now);
        let (program, reset) = (Program::Dead, LineState::Released);
        let mut board = Self { settings, memory, uart, program, edges: 0, agenda: Agenda::default(), reset, now };
        if !board.memory.application_dead {
            let application = Application::settled(now, &mut board.split().1);
            board.program = Program::Application(application);
        }
        board
    }

    /// Makes a fresh board of it, as [`VirtualEvkit::new`] does, at `now`. What belongs to the host stays: the speed of its port and the state of the reset line.
    /// What was on the wires is gone. Its next wake may be another: call [`DeviceModel::advance`] afterwards.
    pub fn setup(&mut self, now: MonoTime, settings: Settings) {
        let (host_speed, reset) = (self.uart.host_speed(), self.reset);
        *self = Self::new(settings, now.max(self.now));
        self.uart.set_host_speed(self.now, host_speed);
        self.reset = reset;
        if reset == LineState::Asserted && !self.settings.ignores_reset {
            self.agenda.clear();
            self.program = Program::Reset;
        }
    }

    /// The program, and what it works with.
    fn split(&mut self) -> (&mut Program, Parts<'_>) {
        let Self { settings, memory, uart, agenda, program, .. } = self;
        (program, Parts { settings, memory, uart, agenda })
    }

    /// Everything that happens by `now`, in the order of its times. A byte that is complete at the very end of a window is in time.
    fn run_until(&mut self, now: MonoTime) {
        loop {
            let limit = self.agenda.due().map_or(now, |due| due.min(now));
            if let Some(received) = self.uart.receive(limit) {
                if !self.settings.deaf {
                    self.received(received.at, received.byte, received.framing_error);
                }
            } else if let Some((at, event)) = self.agenda.take(now) {
                self.happen(at, event);
            } else {
                return;
            }
        }
    }

    fn received(&mut self, at: MonoTime, byte: u8, framing_error: bool) {
        if framing_error && self.settings.hangs_when_misframed {
            if !matches!(self.program, Program::Reset) {
                self.restart(at, Restart::Nowhere);
            }
            return;
        }
        if framing_error && !self.settings.keeps_misframed {
            return;
        }
        let (program, mut parts) = self.split();
        match program {
            Program::Boot(boot) => boot.byte(at, byte, &mut parts),
            Program::Application(application) => application.byte(at, byte, &mut parts),
            Program::Reset | Program::Dead => {}
        }
    }

    fn happen(&mut self, at: MonoTime, event: Event) {
        let (program, mut parts) = self.split();
        match event {
            Event::WindowEnds => {
                if let Program::Boot(boot) = program
                    && let Some(cause) = boot.window_over()
                {
                    self.restart(at, Restart::Application(cause));
                }
            }
            Event::Restart(restart) => self.restart(at, restart),
            Event::Speed(speed) => {
                if let Program::Application(_) = program {
                    parts.memory.running_speed = speed;
                }
                parts.uart.set_speed(at, speed);
            }
            Event::Say(message) => {
                parts.uart.transmit(at, format!("\r\n{message}\r\n").as_bytes());
            }
            Event::Ready => {
                if let Program::Application(application) = program {
                    application.ready(at, &mut parts);
                }
            }
            Event::Upload => {
                if let Program::Boot(boot) = program {
                    boot.upload(at, &mut parts);
                }
            }
        }
    }

    /// One program ends and another begins.
    fn restart(&mut self, at: MonoTime, restart: Restart) {
        self.agenda.clear();
        self.uart.reset(at);
        self.program = match restart {
            Restart::Window(cause) => {
                self.agenda.add(at + self.settings.boot_window, Event::WindowEnds);
                self.boot(at, cause)
            }
            Restart::Loader => self.boot(at, Cause::Host),
            Restart::Application(cause) if !self.memory.application_dead => {
                let speed = self.memory.start_speed(&self.settings);
                self.memory.running_speed = speed;
                self.uart.set_speed(at, speed);
                Program::Application(Application::start(at, cause, &mut self.split().1))
            }
            Restart::Application(_) | Restart::Nowhere => Program::Dead,
        };
    }

    fn boot(&mut self, at: MonoTime, cause: Cause) -> Program {
        self.uart.set_speed(at, self.memory.boot_speed(&self.settings));
        Program::Boot(Boot::new(at, &self.settings, cause))
    }

    fn drive_reset(&mut self, now: MonoTime, state: LineState) {
        if state == self.reset {
            return;
        }
        self.reset = state;
        if self.settings.ignores_reset {
            return;
        }
        self.edges += 1;
        match state {
            LineState::Asserted => {
                self.restart(now, Restart::Nowhere);
                self.program = Program::Reset;
            }
            LineState::Released if self.memory.latched => self.restart(now, Restart::Loader),
            LineState::Released => self.restart(now, Restart::Window(Cause::Line)),
        }
    }

    fn next_wake(&mut self) -> Option<MonoTime> {
        let interest = match &self.program {
            Program::Boot(boot) => boot.interest(),
            Program::Application(_) => Application::INTEREST,
            Program::Reset | Program::Dead => Interest::Values(&[]),
        };
        let given = if self.settings.mute { None } else { self.uart.collect_due() };
        [self.agenda.due(), self.uart.receive_due(interest), given].into_iter().flatten().min()
    }

    fn give(&mut self, now: MonoTime, output: &mut Output) {
        if self.settings.mute {
            self.uart.lose(now);
        } else {
            self.uart.collect(now, output);
        }
    }
}

impl DeviceModel for VirtualEvkit {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        let now = now.max(self.now);
        self.now = now;
        self.run_until(now);
        // Before the input: what is complete by now was sampled at the host's old speed.
        self.give(now, output);
        match input {
            Input::Time => {}
            Input::Bytes { bytes, host_speed } => self.uart.host_sends(now, bytes, host_speed),
            Input::HostSpeed(speed) => self.uart.set_host_speed(now, speed),
            Input::Line { line: LineId::RESET, state } => self.drive_reset(now, state),
            Input::Line { .. } => {}
        }
        self.run_until(now);
        self.next_wake()
    }
}
