//! A small model on a real pseudo-terminal: bytes, speeds, control clients.

mod lines;
mod names;
mod qemu;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;
use tempfile::TempDir;

use super::control::{CLIENTS_LIMIT, LINE_LIMIT};
use super::{ControlClient, ControlError, LinkError, PtyBoard, PtyConfig};
use crate::baud::Baud;
use crate::model::ControlTarget;
use crate::model::{DeviceModel, Input, Output, PortChange, PortEvent};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Speed(u32),
    Bytes(Vec<u8>, u32),
    Line(LineState),
    Setup,
    Said(usize),
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Says what it hears once the wire would have carried it, and a delay on top.
struct Echo {
    log: Log,
    delay: Duration,
    asserted: bool,
    /// What happens to its port at once.
    port: Vec<PortChange>,
    /// What it is about to say, and when.
    due: Vec<(MonoTime, Vec<u8>)>,
    /// What the command `meanwhile` does, in the board's own thread.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl Echo {
    fn note(&self, seen: Seen) {
        self.log.lock().unwrap().push(seen);
    }
}

impl DeviceModel for Echo {
    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        match input {
            Input::Time => {}
            Input::HostSpeed(speed) => self.note(Seen::Speed(speed.bits_per_second())),
            Input::Bytes { bytes, host_speed } => {
                self.note(Seen::Bytes(bytes.to_vec(), host_speed.bits_per_second()));
                if !self.asserted {
                    self.due.push((now + host_speed.wire_time(bytes.len() as u64) + self.delay, bytes.to_vec()));
                }
            }
            Input::Line { line, state } => {
                assert_eq!(line, LineId::RESET);
                self.asserted = state == LineState::Asserted;
                self.note(Seen::Line(state));
            }
            Input::HostTransmitHeld(_) => panic!("a pseudo-terminal carries no break"),
        }
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let (_, bytes) = self.due.remove(0);
            self.note(Seen::Said(bytes.len()));
            output.bytes.extend(bytes);
        }
        output.port.extend(self.port.drain(..).map(|change| PortEvent { at: now, change }));
        self.due.first().map(|(at, _)| *at)
    }
}

impl ControlTarget for Echo {
    fn command(&mut self, now: MonoTime, words: &str) -> Result<String, String> {
        match words.split_once(' ').unwrap_or((words, "")) {
            ("state", "") => Ok(format!("{{\"asserted\":{}}}", self.asserted)),
            ("two", "") => Ok("two\nlines".to_owned()),
            ("setup", delay) => {
                let delay = delay.strip_prefix("delay_ms=").and_then(|ms| ms.parse().ok()).ok_or("setup takes delay_ms=N")?;
                *self = Self { delay: Duration::from_millis(delay), ..echo(&self.log) };
                self.note(Seen::Setup);
                Ok(String::new())
            }
            ("flood", count) => {
                let count: usize = count.parse().map_err(|_| "flood takes a count")?;
                self.due.push((now, (0..count).map(flood_byte).collect()));
                Ok(String::new())
            }
            ("port", change) => {
                let change = match change {
                    "gone" => PortChange::Gone,
                    "back" => PortChange::Back,
                    _ => PortChange::BackElsewhere,
                };
                self.port.push(change);
                Ok(String::new())
            }
            ("meanwhile", "") => {
                self.meanwhile.take().ok_or("nothing to do")?();
                Ok(String::new())
            }
            ("panic", _) => panic!("asked to"),
            _ => Err(format!("unknown command `{words}`")),
        }
    }

    fn help(&self) -> &'static [(&'static str, &'static str)] {
        &[("state", "what it is in"), ("setup delay_ms=N", "powers it on anew")]
    }
}

fn flood_byte(index: usize) -> u8 {
    u8::try_from(index % 251).unwrap()
}

struct Rig {
    dir: TempDir,
    log: Log,
    board: PtyBoard,
}

impl Rig {
    fn start() -> Self {
        let log = Log::default();
        Self::start_model(echo(&log))
    }

    fn start_model(model: Echo) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Arc::clone(&model.log);
        let config = PtyConfig { link: Some(dir.path().join("board")), control: dir.path().join("control") };
        let board = PtyBoard::start(model, &config).unwrap();
        Self { dir, log, board }
    }

    fn control(&self) -> ControlClient {
        ControlClient::connect(self.board.control_path()).unwrap().with_deadline(PATIENCE)
    }

    fn raw_control(&self) -> UnixStream {
        let stream = UnixStream::connect(self.board.control_path()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the model has seen, once that holds.
    fn seen(&self, holds: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let until = MonoTime::now() + PATIENCE;
        loop {
            let seen = self.log.lock().unwrap().clone();
            if holds(&seen) {
                return seen;
            }
            assert!(MonoTime::now() < until, "not within {PATIENCE:?}: {seen:?}");
            std::thread::yield_now();
        }
    }
}

fn echo(log: &Log) -> Echo {
    Echo { log: Arc::clone(log), delay: Duration::ZERO, asserted: false, port: Vec::new(), due: Vec::new(), meanwhile: None }
}

/// The host's end.
struct Host(OwnedFd);

impl Host {
    fn open(rig: &Rig) -> Self {
        Self::open_path(&rig.dir.path().join("board"))
    }

    fn open_path(path: &Path) -> Self {
        Self(rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap())
    }

    fn set_speed(&self, speed: u32) {
        let mut termios = rustix::termios::tcgetattr(&self.0).unwrap();
        termios.set_speed(speed).unwrap();
        rustix::termios::tcsetattr(&self.0, OptionalActions::Now, &termios).unwrap();
    }

    fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.0, bytes).unwrap(), bytes.len());
    }

    fn poll(&self) -> PollFlags {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        let patience = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut fds, Some(&patience)).unwrap(), 1, "nothing came");
        fds[0].revents()
    }

    /// The next `count` bytes.
    fn read(&self, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while all.len() < count {
            self.poll();
            match rustix::io::read(&self.0, &mut buffer) {
                Ok(n) => all.extend_from_slice(&buffer[..n]),
                Err(rustix::io::Errno::AGAIN) => {}
                Err(e) => panic!("{e} after {} of {count} bytes", all.len()),
            }
        }
        assert_eq!(all.len(), count, "more came than expected");
        all
    }

    fn hung_up(&self) -> bool {
        let read = rustix::io::read(&self.0, &mut [0; 16]);
        self.poll().contains(PollFlags::HUP) && matches!(read, Ok(0) | Err(rustix::io::Errno::IO))
    }
}

#[test]
fn bytes_go_both_ways_unharmed_and_not_before_the_wire_has_carried_them() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    host.set_speed(9600);
    // Every byte that a terminal might tamper with, and few enough for one read.
    let all: Vec<u8> = (0..=255).collect();
    let before = MonoTime::now();
    host.write(&all);
    assert_eq!(host.read(256), all);
    assert!(MonoTime::now().since(before) >= Baud::new(9600).unwrap().wire_time(256));
}

#[test]
fn the_model_is_told_the_speed_that_the_host_has_set() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    host.write(b"a");
    host.read(1);
    host.set_speed(460_800);
    host.write(b"b");
    host.read(1);
    host.set_speed(0);
    host.write(b"c");
    host.read(1);
    let expected = [
        Seen::Speed(115_200),
        Seen::Bytes(b"a".to_vec(), 115_200),
        Seen::Said(1),
        Seen::Speed(460_800),
        Seen::Bytes(b"b".to_vec(), 460_800),
        Seen::Said(1),
        // B0 is 9600, as Linux's serial core has it.
        Seen::Speed(9600),
        Seen::Bytes(b"c".to_vec(), 9600),
        Seen::Said(1),
    ];
    assert_eq!(rig.seen(|seen| seen.len() == expected.len()), expected);
}

#[test]
fn a_new_speed_is_told_before_anything_is_said() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    rig.control().command("setup delay_ms=3000").unwrap();
    host.write(b"a");
    rig.seen(|seen| matches!(seen, [.., Seen::Bytes(..)]));
    host.set_speed(57_600);
    host.read(1);
    assert!(matches!(rig.seen(|seen| seen.contains(&Seen::Said(1))).as_slice(), [.., Seen::Bytes(..), Seen::Speed(57_600), Seen::Said(1)]));
}

#[test]
fn a_command_sent_before_a_byte_is_carried_out_before_it() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    let mut control = rig.raw_control();
    let mut expected = vec![];
    for round in 0..300 {
        let (command, state) =
            if round % 2 == 0 { ("reset assert\n", LineState::Asserted) } else { ("reset release\n", LineState::Released) };
        control.write_all(command.as_bytes()).unwrap();
        host.write(b"x");
        expected.extend([Seen::Line(state), Seen::Bytes(b"x".to_vec(), 115_200)]);
        let count = expected.len();
        let events =
            |seen: &[Seen]| seen.iter().filter(|seen| matches!(seen, Seen::Line(_) | Seen::Bytes(..))).cloned().collect::<Vec<_>>();
        assert_eq!(events(&rig.seen(|seen| events(seen).len() >= count)), expected);
    }
}

/// The same where it is hardest to get right: both come in the middle of a turn, when the sender of the command was looked at already and the port was not.
#[test]
fn a_command_and_a_byte_that_come_in_the_middle_of_a_turn_keep_their_order() {
    let (give, take) = std::sync::mpsc::channel::<(UnixStream, Host)>();
    let mut model = echo(&Log::default());
    model.meanwhile = Some(Box::new(move || {
        let (mut control, host) = take.recv().unwrap();
        control.write_all(b"reset assert\n").unwrap();
        host.write(b"x");
        // Kept open, so that nothing but the order of the two is at stake.
        std::mem::forget((control, host));
    }));
    let rig = Rig::start_model(model);
    // Clients are looked at in the order in which they came.
    give.send((rig.raw_control(), Host::open(&rig))).unwrap();
    rig.control().command("meanwhile").unwrap();
    assert!(matches!(
        rig.seen(|seen| seen.iter().any(|seen| matches!(seen, Seen::Bytes(..)))).as_slice(),
        [.., Seen::Line(LineState::Asserted), Seen::Bytes(..)]
    ));
}

#[test]
fn several_clients_are_answered_each_in_its_order() {
    let rig = Rig::start();
    let (mut first, mut second, mut third) = (rig.control(), rig.control(), rig.raw_control());
    assert_eq!(first.command("state").unwrap(), r#"{"asserted":false}"#);
    assert_eq!(second.command("reset assert").unwrap(), "");
    assert!(rig.log.lock().unwrap().contains(&Seen::Line(LineState::Asserted)), "answered only when carried out");
    assert_eq!(first.command("  state ").unwrap(), r#"{"asserted":true}"#);
    third.write_all(b"reset release\r\nstate\n\nreset\nnonsense here\ntwo\nset\xffup\nsta").unwrap();
    third.write_all(b"te\n").unwrap();
    let answers: Vec<String> = BufReader::new(&third).lines().take(8).map(Result::unwrap).collect();
    let expected = [
        "ok",
        r#"ok {"asserted":false}"#,
        "error no command: try `help`",
        "error `reset` takes `assert`, `release` or `level`",
        "error unknown command `nonsense here`",
        "ok two lines",
        "error the command is not UTF-8",
        r#"ok {"asserted":false}"#,
    ];
    assert_eq!(answers, expected);
    let help = second.command("help").unwrap();
    for command in ["reset assert", "reset release", "unplug", "help", "state", "setup delay_ms=N"] {
        assert!(help.contains(command), "{help}");
    }
    assert!(matches!(second.command("setup"), Err(ControlError::Refused { why }) if why == "setup takes delay_ms=N"));
}

#[test]
fn a_line_without_end_is_not_collected() {
    let rig = Rig::start();
    let mut client = rig.raw_control();
    let mut long = vec![b'x'; LINE_LIMIT];
    long.push(b'\n');
    client.write_all(&long).unwrap();
    client.write_all(&[b'y'; LINE_LIMIT + 1]).unwrap();
    let mut answers = String::new();
    // It is closed with what it sent unread, which some kernels tell as a reset behind the answer.
    let _ = client.read_to_string(&mut answers);
    let lines: Vec<&str> = answers.lines().collect();
    assert!(matches!(lines.as_slice(), [unknown, "error line too long"] if unknown.starts_with("error unknown command")), "{lines:?}");
    assert_eq!(rig.control().command("state").unwrap(), r#"{"asserted":false}"#);
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody() {
    let rig = Rig::start();
    let mut deaf = rig.raw_control();
    deaf.set_nonblocking(true).unwrap();
    // Until nothing more is taken from it: its answers, and then its commands, have filled what there is.
    let mut sent = 0;
    let mut healthy = rig.control();
    loop {
        match deaf.write(b"state\n") {
            Ok(n) => sent += n,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                healthy.command("state").unwrap();
                if deaf.write(b"state\n").map(|n| sent += n).is_err() {
                    break;
                }
            }
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(healthy.command("reset assert").unwrap(), "");
    // Then it reads after all, and finds every answer.
    deaf.set_nonblocking(false).unwrap();
    deaf.shutdown(std::net::Shutdown::Write).unwrap();
    let answers = BufReader::new(&deaf).lines().map(Result::unwrap).filter(|line| line.starts_with("ok {")).count();
    assert_eq!(answers, sent / "state\n".len());
}

#[test]
fn one_client_too_many_is_told_so() {
    let rig = Rig::start();
    let mut clients: Vec<ControlClient> = (0..CLIENTS_LIMIT).map(|_| rig.control()).collect();
    for client in &mut clients {
        client.command("state").unwrap();
    }
    let mut answer = String::new();
    rig.raw_control().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "error 64 clients are connected: close one\n");
    clients.pop();
    // The board notices in its own time.
    let until = MonoTime::now() + PATIENCE;
    while let Err(e) = rig.control().command("state") {
        assert!(MonoTime::now() < until, "{e}");
    }
}

#[test]
fn what_a_host_does_not_read_is_kept_and_then_lost_and_counted() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    let count = 3 << 20;
    rig.control().command(&format!("flood {count}")).unwrap();
    rig.seen(|seen| seen.contains(&Seen::Said(count)));
    let until = MonoTime::now() + PATIENCE;
    while rig.board.lost_bytes() == 0 {
        assert!(MonoTime::now() < until, "nothing was lost");
        std::thread::yield_now();
    }
    let lost = usize::try_from(rig.board.lost_bytes()).unwrap();
    let all: Vec<u8> = (0..count).map(flood_byte).collect();
    let came = host.read(count - lost);
    // What the kernel took at once, then a gap, then the last MiB.
    let kernel = came.len() - (1 << 20);
    assert!(kernel > 0);
    assert!(
        came[..kernel] == all[..kernel] && came[kernel..] == all[count - (1 << 20)..],
        "the oldest of what waited was lost, and nothing else"
    );
    host.write(b"x");
    assert_eq!(host.read(1), b"x");
}

#[test]
fn setup_drops_what_is_queued_and_tells_the_model_what_the_host_does() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    host.set_speed(57_600);
    let mut control = rig.control();
    control.command("reset assert").unwrap();
    control.command("flood 200000").unwrap();
    rig.seen(|seen| seen.contains(&Seen::Said(200_000)));
    control.command("setup delay_ms=0").unwrap();
    assert!(matches!(rig.seen(|_| true).as_slice(), [.., Seen::Setup, Seen::Speed(57_600), Seen::Line(LineState::Asserted)]));
    control.command("reset release").unwrap();
    host.write(b"first");
    assert_eq!(host.read(5), b"first");
}

#[test]
fn unplug_hangs_up_and_takes_the_link_along() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    let link = rig.dir.path().join("board");
    assert_eq!(fs::read_link(&link).unwrap(), rig.board.port_path());
    let mut control = rig.control();
    control.command("unplug").unwrap();
    assert!(host.hung_up());
    assert!(fs::symlink_metadata(&link).is_err());
    assert!(matches!(control.command("unplug"), Err(ControlError::Refused { why }) if why == "the port is unplugged already"));
    control.command("reset assert").unwrap();
    rig.board.stop().unwrap();
}

#[test]
fn a_port_that_the_model_lets_vanish_comes_back_under_its_name_or_another() {
    let rig = Rig::start();
    let mut control = rig.control();
    let link = rig.dir.path().join("board");
    let other = rig.dir.path().join("board-2");
    // A command is answered before its turn ends: the next one waits for that.
    let mut port = |change: &str| {
        control.command(&format!("port {change}")).unwrap();
        control.command("state").unwrap();
    };
    let mut host = Host::open(&rig);
    for (change, back) in [("back", &link), ("elsewhere", &other)] {
        port("gone");
        assert!(host.hung_up());
        assert!(fs::symlink_metadata(&link).is_err());
        port(change);
        host = Host::open_path(&fs::read_link(back).unwrap());
        host.write(b"again");
        assert_eq!(host.read(5), b"again");
    }
    assert!(fs::symlink_metadata(&link).is_err(), "it is under the other name alone");
    control.command("setup delay_ms=0").unwrap();
    assert!(host.hung_up() && fs::symlink_metadata(&other).is_err());
    assert!(fs::symlink_metadata(&link).is_ok(), "a fresh board has its name");
    let mut port = |change: &str| control.command(change).unwrap();
    port("port gone");
    port("unplug");
    port("port back");
    port("setup delay_ms=0");
    port("state");
    assert!(fs::symlink_metadata(&link).is_err(), "what a client has pulled stays so");
    rig.board.stop().unwrap();
}

#[test]
fn stop_and_drop_remove_both_names() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    let Rig { dir, board, .. } = rig;
    board.stop().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(host.hung_up());
    let Rig { dir, board, .. } = Rig::start();
    drop(board);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_model_that_panics_is_told_and_hangs_up() {
    let rig = Rig::start();
    let host = Host::open(&rig);
    assert!(matches!(rig.control().command("panic"), Err(ControlError::Closed { .. })));
    assert!(host.hung_up());
    let until = MonoTime::now() + PATIENCE;
    while rig.board.is_running() {
        assert!(MonoTime::now() < until);
        std::thread::yield_now();
    }
    assert!(matches!(rig.board.stop(), Err(LinkError::ModelFailed { message }) if message == "asked to"));
    assert_eq!(fs::read_dir(rig.dir.path()).unwrap().count(), 0);
}
