//! A small model on a real pseudo-terminal: bytes, speeds, control clients, names.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;
use tempfile::TempDir;

use super::control::{CLIENTS_LIMIT, LINE_LIMIT};
use super::{ControlClient, ControlError, ControlTarget, LinkError, PtyBoard, PtyConfig};
use crate::baud::Baud;
use crate::model::{DeviceModel, Input, Output};
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// What it is about to say, and when.
    due: Vec<(MonoTime, Vec<u8>)>,
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
        }
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let (_, bytes) = self.due.remove(0);
            self.note(Seen::Said(bytes.len()));
            output.bytes.extend(bytes);
        }
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
                *self = Self { log: Arc::clone(&self.log), delay: Duration::from_millis(delay), asserted: false, due: Vec::new() };
                self.note(Seen::Setup);
                Ok(String::new())
            }
            ("flood", count) => {
                let count: usize = count.parse().map_err(|_| "flood takes a count")?;
                self.due.push((now, (0..count).map(flood_byte).collect()));
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
        let dir = tempfile::tempdir().unwrap();
        let log = Log::default();
        let config = PtyConfig { link: Some(dir.path().join("board")), control: dir.path().join("control") };
        let board = PtyBoard::start(echo(&log), &config).unwrap();
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
    Echo { log: Arc::clone(log), delay: Duration::ZERO, asserted: false, due: Vec::new() }
}

/// The host's end.
struct Host(OwnedFd);

impl Host {
    fn open(rig: &Rig) -> Self {
        let path = rig.dir.path().join("board");
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
    rig.control().command("setup delay_ms=300").unwrap();
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
        "error `reset` takes `assert` or `release`",
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
fn stop_and_drop_remove_both_names() {
    let Rig { dir, board, .. } = Rig::start();
    let port = board.port_path().to_owned();
    board.stop().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(!port.exists());
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

fn start_with(config: &PtyConfig) -> Result<PtyBoard, LinkError> {
    PtyBoard::start(echo(&Log::default()), config)
}

#[test]
fn a_stale_control_socket_is_replaced_and_a_live_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = PtyConfig { link: None, control: dir.path().join("control") };
    drop(UnixListener::bind(&config.control).unwrap());
    let board = start_with(&config).unwrap();
    let error = start_with(&config).unwrap_err();
    assert!(matches!(&error, LinkError::ControlInUse { path } if *path == config.control), "{error}");
    assert_eq!(ControlClient::connect(board.control_path()).unwrap().command("state").unwrap(), r#"{"asserted":false}"#);
    drop(board);
    fs::write(&config.control, "mine").unwrap();
    assert!(matches!(start_with(&config), Err(LinkError::ControlNotSocket { .. })));
    assert_eq!(fs::read(&config.control).unwrap(), b"mine");
}

#[test]
fn a_live_control_socket_that_accepts_nobody_is_refused_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let config = PtyConfig { link: None, control: dir.path().join("control") };
    let _listener = UnixListener::bind(&config.control).unwrap();
    // Fill its queue, so that one more would have to wait.
    let mut waiting = Vec::new();
    loop {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        match rustix::net::connect(&socket, &rustix::net::SocketAddrUnix::new(&config.control).unwrap()) {
            Ok(()) if waiting.len() < 500 => waiting.push(socket),
            // The queue of this system is longer than the descriptors that a test may use: one that connects is as good.
            Ok(()) | Err(rustix::io::Errno::AGAIN) => break,
            Err(e) => panic!("{e}"),
        }
    }
    assert!(matches!(start_with(&config), Err(LinkError::ControlInUse { .. })));
}

#[test]
fn a_control_socket_of_another_owner_is_left_alone_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let config = PtyConfig { link: None, control: dir.path().join("control") };
    let board = start_with(&config).unwrap();
    fs::remove_file(&config.control).unwrap();
    let _other = UnixListener::bind(&config.control).unwrap();
    board.stop().unwrap();
    assert!(config.control.exists());
}

#[test]
fn a_control_path_that_is_too_long_is_refused_with_its_length() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().as_os_str().len();
    let fits = PathBuf::from(dir.path()).join("c".repeat(107 - base - 1));
    drop(start_with(&PtyConfig { link: None, control: fits }).unwrap());
    let control = PathBuf::from(dir.path()).join("c".repeat(108 - base - 1));
    let error = start_with(&PtyConfig { link: None, control }).unwrap_err();
    assert!(matches!(error, LinkError::ControlPathTooLong { length: 108, limit: 107, .. }), "{error}");
}

#[test]
fn the_link_replaces_only_what_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("board");
    let config = PtyConfig { link: Some(link.clone()), control: dir.path().join("control") };

    symlink("/dev/pts/no-such-port", &link).unwrap();
    let board = start_with(&config).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), board.port_path());
    drop(board);
    assert!(fs::symlink_metadata(&link).is_err());

    symlink("/dev/null", &link).unwrap();
    let error = start_with(&config).unwrap_err();
    assert!(matches!(&error, LinkError::LinkTaken { what, .. } if what == "a link to /dev/null, which exists"), "{error}");
    fs::remove_file(&link).unwrap();

    fs::write(&link, "mine").unwrap();
    assert!(matches!(start_with(&config), Err(LinkError::LinkTaken { .. })));
    assert_eq!(fs::read(&link).unwrap(), b"mine");
    assert!(!config.control.exists(), "a start that failed leaves nothing behind");
}

#[test]
fn a_link_that_a_killed_run_left_to_the_same_port_is_taken_over_and_one_that_moved_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let (link, port) = (dir.path().join("board"), dir.path().join("port"));
    fs::write(&port, "").unwrap();
    symlink(&port, &link).unwrap();
    let taken = super::files::PortLink::create(&link, &port).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("/dev/null", &link).unwrap();
    drop(taken);
    assert_eq!(fs::read_link(&link).unwrap(), PathBuf::from("/dev/null"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn a_control_client_waits_no_longer_than_it_was_told_and_takes_no_late_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    assert!(matches!(ControlClient::connect(&path), Err(ControlError::Connect { .. })));

    let listener = UnixListener::bind(&path).unwrap();
    let mut client = ControlClient::connect(&path).unwrap().with_deadline(Duration::from_millis(20));
    let (mut server, _) = listener.accept().unwrap();
    assert!(matches!(client.command("state"), Err(ControlError::Deadline { .. })));
    server.write_all(b"ok late\n").unwrap();
    assert!(matches!(client.command("help"), Err(ControlError::Closed { .. })));
    assert!(matches!(client.command("two\nlines"), Err(ControlError::NotALine { .. })));

    let mut client = ControlClient::connect(&path).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"HTTP/1.1 400\r\n").unwrap();
    assert!(matches!(client.command("state"), Err(ControlError::Foreign { answer, .. }) if answer == "HTTP/1.1 400"));
    drop(server);
    assert!(matches!(client.command("state"), Err(ControlError::Closed { .. } | ControlError::System { .. })));
}
