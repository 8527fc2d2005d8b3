//! The module as a whole: which of its programs runs, and the order in which things happen. What its lines do to it is in [`super::lines`].

use std::time::Duration;

use super::agenda::{Agenda, Cause, Event, Restart};
use super::application::{Application, GOES_TO_SLEEP};
use super::boot::{Boot, HOTKEY, Parts};
use super::chatter::Chatter;
use super::faults::FaultLog;
use super::lines::{HostLines, LINES, Ring, WAKE};
use super::memory::Memory;
use super::random::Random;
use super::settings::{ReturnsAs, Settings, WrongPort};
use super::uart::{Interest, Received, Uart};
use crate::baud::Baud;
use crate::model::{DeviceModel, Input, ModelLine, Output, PortChange, PortEvent};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// So long after a release hosts still send the hotkey: Easy Connect's three tries and what they wait for. What came later would be too late for any window.
const HOTKEYS_END: Duration = Duration::from_millis(2100);

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
    pub(super) agenda: Agenda,
    pub(super) host: HostLines,
    pub(super) ring: Ring,
    pub(super) log: FaultLog,
    /// What happens around the module, whatever it does itself.
    around: Agenda,
    port: HostPort,
    chatter: Chatter,
    noise: Random,
    /// When the boot window began that was the last to end without a hotkey, while what followed it still runs.
    window: Option<MonoTime>,
    /// The fault that restarted it, until that shows: by a message, or by a byte that is lost on it.
    unseen_restart: Option<&'static str>,
    now: MonoTime,
}

/// The port of the host, of which a fault makes something that vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostPort {
    /// The host has sent nothing yet.
    Idle,
    Used,
    Gone,
}

/// What runs.
#[derive(Debug)]
pub(super) enum Program {
    /// Nothing: reset is asserted.
    Reset,
    /// Nothing: there is no supply.
    Off,
    /// The boot code.
    Boot(Boot),
    /// The application, perhaps still starting.
    Application(Application),
    /// Nothing, for the fault of this name.
    Dead(&'static str),
}

impl VirtualEvkit {
    /// A board with these settings, at `now`, with its supply on and every line to it released.
    #[must_use]
    pub fn new(settings: Settings, now: MonoTime) -> Self {
        let mut board = Self::stopped(settings, now, FaultLog::default(), HostLines::default());
        board.begin();
        board
    }

    /// A fresh board before anything runs.
    fn stopped(settings: Settings, now: MonoTime, log: FaultLog, host: HostLines) -> Self {
        Self {
            memory: Memory::new(&settings),
            uart: Uart::new(&settings, now, &log),
            program: Program::Off,
            edges: 0,
            agenda: Agenda::default(),
            host,
            ring: Ring::default(),
            log,
            around: Agenda::default(),
            port: HostPort::Idle,
            chatter: Chatter::new(&settings),
            noise: Random::new(settings.seed, "noise"),
            window: None,
            unseen_restart: None,
            now,
            settings,
        }
    }

    /// What runs of a fresh board, as the host's lines and its supply let it.
    fn begin(&mut self) {
        let now = self.now;
        if self.settings.wrong_port != WrongPort::None {
            self.around.add(now + self.settings.wrong_port_period, Event::Chatter);
        }
        if !self.is_supplied() {
            self.lose_power(now);
        } else if self.is_in_reset() {
            self.program = Program::Reset;
        } else if let Some(fault) = self.memory.application_dead {
            self.program = Program::Dead(fault);
        } else {
            let application = Application::settled(now, &mut self.split().1);
            self.program = Program::Application(application);
        }
    }

    /// How often each of its faults acted since the last setup.
    #[must_use]
    pub fn log(&self) -> FaultLog {
        self.log.clone()
    }

    /// Makes a fresh board of it, as [`VirtualEvkit::new`] does, at `now`. What belongs to the host stays: the speed of its port and the state of its lines and of the supply.
    /// What was on the wires is gone. Its next wake may be another: call [`DeviceModel::advance`] afterwards.
    pub fn setup(&mut self, now: MonoTime, settings: Settings) {
        let host_speed = self.uart.host_speed();
        let now = now.max(self.now);
        let mut ring = std::mem::take(&mut self.ring);
        ring.end(now);
        self.log.clear();
        *self = Self { ring, ..Self::stopped(settings, now, self.log.clone(), self.host) };
        self.uart.set_host_speed(now, host_speed);
        self.begin();
    }

    /// The program, and what it works with.
    pub(super) fn split(&mut self) -> (&mut Program, Parts<'_>) {
        let Self { settings, memory, uart, agenda, program, log, .. } = self;
        (program, Parts { settings, memory, uart, agenda, log })
    }

    /// Everything that happens by `now`, in the order of its times. A byte that is complete at the very end of a window is in time.
    fn run_until(&mut self, now: MonoTime, output: &mut Output) {
        loop {
            let due = [self.agenda.due(), self.around.due()].into_iter().flatten().min();
            let limit = due.map_or(now, |due| due.min(now));
            let hears = match &self.program {
                Program::Boot(_) => true,
                Program::Application(application) => application.hears(&self.settings),
                Program::Reset | Program::Off | Program::Dead(_) => false,
            };
            let unheard = if self.settings.deaf { Some("deaf") } else { self.uart.misses_module() };
            if let Some(received) = self.uart.receive(limit, hears && unheard.is_none()) {
                match unheard {
                    Some(fault) if hears => self.log.note(fault),
                    Some(_) => {}
                    None => self.received(received),
                }
            } else if let Some((at, event)) = self.around.take(limit) {
                self.happen_around(at, event, output);
            } else if let Some((at, event)) = self.agenda.take(limit) {
                self.happen(at, event);
            } else {
                return;
            }
        }
    }

    fn received(&mut self, Received { at, byte, framing_error }: Received) {
        if framing_error && self.settings.hangs_when_misframed {
            if matches!(self.program, Program::Boot(_) | Program::Application(_)) {
                self.log.note("hangs-when-misframed");
                self.stop(at, Program::Dead("hangs-when-misframed"));
            }
            return;
        }
        if framing_error && !self.settings.keeps_misframed {
            return;
        }
        let is_understood = self.uart.is_at_hosts_speed();
        if let Some(fault) = self.unseen_restart.take_if(|_| is_understood) {
            self.log.note(fault);
        }
        if byte.arrived == Some(HOTKEY) && self.missed_window(at) {
            self.split().1.note_if_put_in("window-too-short");
        }
        let misses_power = self.misses_power();
        let is_let_go = self.host.reset == LineState::Released;
        let (program, mut parts) = self.split();
        match program {
            Program::Boot(boot) => boot.byte(at, byte, &mut parts),
            Program::Application(application) => application.byte(at, byte, &mut parts),
            Program::Dead(fault) => parts.log.note(fault),
            Program::Reset if is_let_go => parts.log.note("stuck-in-reset"),
            Program::Off if misses_power => parts.log.note("no-power"),
            Program::Reset | Program::Off => {}
        }
    }

    /// Whether a hotkey that came now would have found a boot code that had waited for it.
    fn missed_window(&self, at: MonoTime) -> bool {
        let is_past = !matches!(self.program, Program::Boot(_));
        is_past && self.window.is_some_and(|began| (began + self.settings.boot_ready..=began + HOTKEYS_END).contains(&at))
    }

    /// Something happens around the module.
    fn happen_around(&mut self, at: MonoTime, event: Event, output: &mut Output) {
        match event {
            Event::Chatter => {
                let said = self.chatter.next(self.settings.wrong_port);
                self.uart.say_aside(at, &said);
                self.log.note("wrong-port");
                self.around.add(at + self.settings.wrong_port_period, Event::Chatter);
            }
            Event::PortGone => {
                // What came before it is with the host.
                self.give(at, output);
                self.port = HostPort::Gone;
                self.uart.host_vanishes(at);
                self.log.note("port-vanishes");
                output.port.push(PortEvent { at, change: PortChange::Gone });
                if let Some(after) = self.settings.port_returns_after {
                    self.around.add(at + after, Event::PortBack);
                }
            }
            Event::PortBack => {
                self.give(at, output);
                self.port = HostPort::Used;
                let change = match self.settings.port_returns_as {
                    ReturnsAs::Same => PortChange::Back,
                    ReturnsAs::Other => PortChange::BackElsewhere,
                };
                output.port.push(PortEvent { at, change });
            }
            _ => {}
        }
    }

    /// The host sends. Its first byte sets off what a fault does to its port.
    fn host_sends(&mut self, now: MonoTime, bytes: &[u8], speed: Baud) {
        if self.port == HostPort::Gone {
            return;
        }
        if self.port == HostPort::Idle && !bytes.is_empty() {
            self.port = HostPort::Used;
            if !self.settings.port_vanishes.is_zero() {
                self.around.add(now + self.settings.port_vanishes, Event::PortGone);
            }
        }
        self.uart.host_sends(now, bytes, speed);
    }

    fn happen(&mut self, at: MonoTime, event: Event) {
        let wake_is_asserted = self.host.wake == LineState::Asserted && !self.settings.ignores_wake;
        let (program, mut parts) = self.split();
        match event {
            Event::WindowEnds => {
                if let Program::Boot(boot) = program
                    && let Some(cause) = boot.window_over(parts.log)
                {
                    let (window, unseen) = (self.window, self.unseen_restart);
                    self.restart(at, Restart::Application(cause));
                    (self.window, self.unseen_restart) = (window, unseen);
                }
            }
            Event::Restart(restart) => {
                // What is on its way out has been told to.
                let is_leaving = match &program {
                    Program::Boot(boot) => boot.is_leaving(),
                    Program::Application(application) => application.is_leaving(),
                    Program::Reset | Program::Off | Program::Dead(_) => false,
                };
                let mut unseen = None;
                match restart {
                    Restart::Application(Cause::Watchdog) if !is_leaving => unseen = Some("watchdog-after"),
                    Restart::Window(Cause::BrownOut) if !is_leaving => unseen = Some("resets-itself"),
                    Restart::Nowhere(fault) => self.log.note(fault),
                    Restart::Window(_) | Restart::Application(_) | Restart::Loader => {}
                }
                self.restart(at, restart);
                self.unseen_restart = unseen;
            }
            Event::Speed(speed) => {
                if let Program::Application(_) = program {
                    parts.memory.running_speed = speed;
                }
                parts.uart.set_speed(at, speed);
                parts.uart.is_set_anew();
            }
            Event::Say(message) => {
                parts.uart.transmit(at, format!("\r\n{message}\r\n").as_bytes());
                if let Program::Application(application) = program {
                    application.stays_awake(at, &mut parts);
                }
                let is_understood = self.uart.is_at_hosts_speed();
                if let Some(fault) = self.unseen_restart.take_if(|_| is_understood) {
                    self.log.note(fault);
                }
                self.ring(at);
            }
            Event::Sleep => {
                if let Program::Application(application) = program {
                    if wake_is_asserted {
                        application.stays_awake(at, &mut parts);
                        return;
                    }
                    application.fall_asleep();
                    parts.log.note("sleeps-after");
                    parts.uart.transmit(at, format!("\r\n{GOES_TO_SLEEP}\r\n").as_bytes());
                    self.ring(at);
                }
            }
            Event::Noise => self.make_noise(at),
            Event::Awake => {
                if let Program::Application(application) = program {
                    application.wake(at, &mut parts);
                }
            }
            Event::RingEnds => self.ring.end(at),
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
            // Of what is around the module.
            Event::Chatter | Event::PortGone | Event::PortBack => {}
        }
    }

    /// What faults put on the module's TX while it starts.
    pub(super) fn make_noise(&mut self, at: MonoTime) {
        if self.settings.break_at_start {
            self.uart.transmit_break(at);
            self.log.note("break-at-start");
        }
        if self.settings.noise_at_start > 0 {
            let noise = (0..self.settings.noise_at_start).map(|_| if self.noise.between(0, 1) == 0 { 0x00 } else { 0xff });
            let noise = noise.collect::<Vec<_>>();
            self.uart.transmit(at, &noise);
            self.log.note("noise-at-start");
        }
    }

    /// What runs ends, and so does everything that it would have done; what is left is `program`.
    pub(super) fn stop(&mut self, at: MonoTime, program: Program) {
        if let Program::Boot(boot) = &self.program
            && boot.is_uploading()
        {
            self.memory.interrupted = true;
            if self.settings.interruption_erases && self.memory.application_dead.is_none() {
                self.memory.application_dead = Some("interruption-erases");
                self.log.note("interruption-erases");
            }
        }
        self.agenda.clear();
        self.ring.end(at);
        self.uart.reset(at);
        self.window = None;
        self.program = program;
    }

    /// One program ends and another begins.
    pub(super) fn restart(&mut self, at: MonoTime, restart: Restart) {
        self.stop(at, Program::Reset);
        self.unseen_restart = None;
        self.program = match restart {
            Restart::Window(cause) => {
                self.window = Some(at);
                self.agenda.add(at + self.settings.boot_window, Event::WindowEnds);
                self.boot(at, cause)
            }
            Restart::Loader => self.boot(at, Cause::Host),
            Restart::Application(cause) => {
                if let Some(fault) = self.memory.application_dead {
                    self.log.note(fault);
                    self.program = Program::Dead(fault);
                    return;
                }
                let speed = self.memory.start_speed(&self.settings);
                if speed != self.memory.running_speed {
                    self.uart.is_set_anew();
                }
                self.memory.running_speed = speed;
                self.uart.set_speed(at, speed);
                Program::Application(Application::start(at, cause, &mut self.split().1))
            }
            Restart::Nowhere(fault) => Program::Dead(fault),
        };
    }

    fn boot(&mut self, at: MonoTime, cause: Cause) -> Program {
        self.uart.set_speed(at, self.memory.boot_speed(&self.settings));
        Program::Boot(Boot::new(at, &self.settings, cause))
    }

    fn next_wake(&mut self) -> Option<MonoTime> {
        let interest = match &self.program {
            Program::Boot(boot) => boot.interest(),
            Program::Application(_) => Application::INTEREST,
            Program::Reset | Program::Off | Program::Dead(_) => Interest::Values(&[]),
        };
        let due = [self.agenda.due(), self.around.due(), self.uart.receive_due(interest), self.uart.collect_due()];
        due.into_iter().flatten().min()
    }

    fn give(&mut self, now: MonoTime, output: &mut Output) {
        if self.port == HostPort::Gone {
            self.uart.lose(now);
        } else if self.settings.mute {
            for _ in 0..self.uart.lose(now) {
                self.log.note("mute");
            }
        } else {
            self.uart.collect(now, output);
        }
    }
}

impl DeviceModel for VirtualEvkit {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        let now = now.max(self.now);
        self.now = now;
        self.run_until(now, output);
        // Before the input: what is complete by now was sampled at the host's old speed.
        self.give(now, output);
        match input {
            Input::Time => {}
            Input::Bytes { bytes, host_speed } => self.host_sends(now, bytes, host_speed),
            Input::HostSpeed(speed) => self.uart.set_host_speed(now, speed),
            Input::HostTransmitHeld(held) => self.hold_host_transmit(now, held),
            Input::Line { line: LineId::RESET, state } => self.drive_reset(now, state),
            Input::Line { line: LineId::POWER, state } => self.switch_power(now, state),
            Input::Line { line: WAKE, state } => self.drive_wake(now, state),
            Input::Line { .. } => {}
        }
        self.run_until(now, output);
        output.edges.extend(self.ring.take());
        self.next_wake()
    }

    fn lines(&self) -> &'static [ModelLine] {
        LINES
    }

    fn level(&self, line: LineId) -> Option<LineState> {
        (line == LineId::RESET).then(|| self.reset_level())
    }
}
