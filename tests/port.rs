//! Ports on real PTYs: finding, opening, keeping others out, putting back.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

mod board;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;

use board::{Board, PATIENCE};
use evkit_hil::baud::Baud;
use evkit_hil::port::{Port, PortError, PortName};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::process::{Gid, Uid, geteuid};
use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};

fn baud(n: u32) -> Baud {
    Baud::new(n).unwrap()
}

/// Does `what` as a plain user: as nobody when the tests are run by the superuser. Users are a thread's own in the kernel.
fn as_plain_user<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let act = move || {
        if geteuid().is_root() {
            rustix::thread::set_thread_groups(&[]).unwrap();
            rustix::thread::set_thread_gid(Gid::from_raw(65534)).unwrap();
            rustix::thread::set_thread_uid(Uid::from_raw(65534)).unwrap();
        }
        what()
    };
    thread::spawn(act).join().unwrap()
}

/// An opening that must fail.
fn refused(name: &PortName) -> PortError {
    Port::open(name, Baud::DEFAULT).expect_err("the port was opened")
}

#[test]
fn a_second_opening_is_busy_and_says_who() {
    let board = Board::new();
    let _first = Port::open(&board.name(), Baud::DEFAULT).unwrap();
    let error = refused(&board.name());
    assert!(matches!(error, PortError::Busy { .. }), "{error}");
    assert_eq!(error.to_string(), format!("{} is busy: this program itself has it", board.device.display()));
}

#[test]
fn a_second_opening_by_a_plain_user_is_busy() {
    let board = Board::new();
    fs::set_permissions(&board.device, Permissions::from_mode(0o666)).unwrap();
    let _first = Port::open(&board.name(), Baud::DEFAULT).unwrap();
    let name = board.name();
    let error = as_plain_user(move || refused(&name));
    assert!(matches!(error, PortError::Busy { .. }), "{error}");
}

#[test]
fn a_port_that_a_program_has_exclusively_is_busy_without_its_lock() {
    let board = Board::new();
    let other = rustix::fs::open(&board.device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    rustix::termios::ioctl_tiocexcl(&other).unwrap();
    let error = refused(&board.name());
    assert!(matches!(error, PortError::Busy { .. }), "{error}");
    rustix::termios::ioctl_tiocnxcl(&other).unwrap();
    Port::open(&board.name(), Baud::DEFAULT).unwrap();
}

#[test]
fn a_refused_opening_leaves_the_holder_alone() {
    let board = Board::new();
    let other = rustix::fs::open(&board.device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    rustix::fs::flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
    rustix::termios::ioctl_tiocexcl(&other).unwrap();
    let before = tcgetattr(board.terminal()).unwrap();
    refused(&board.name());
    let after = tcgetattr(board.terminal()).unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"), "its modes were touched");
    rustix::fs::flock(&other, FlockOperation::Unlock).unwrap();
    assert!(matches!(refused(&board.name()), PortError::Busy { .. }), "the first refusal took its exclusiveness away");
}

#[test]
fn a_closed_port_can_be_opened_again() {
    let board = Board::new();
    fs::set_permissions(&board.device, Permissions::from_mode(0o666)).unwrap();
    Port::open(&board.name(), Baud::DEFAULT).unwrap().close().unwrap();
    let name = board.name();
    as_plain_user(move || Port::open(&name, Baud::DEFAULT).map(drop)).unwrap();
}

#[test]
fn no_permission_names_owner_and_mode() {
    let board = Board::new();
    fs::set_permissions(&board.device, Permissions::from_mode(0o000)).unwrap();
    let name = board.name();
    let error = as_plain_user(move || refused(&name));
    assert!(matches!(error, PortError::NoPermission { .. }), "{error}");
    assert!(error.to_string().contains("mode 0000"), "{error}");
    assert!(error.hint().contains("dialout"), "{}", error.hint());
}

#[test]
fn what_is_no_terminal_is_said_so() {
    for path in ["/dev/null", "/"] {
        let error = refused(&PortName::Path(path.into()));
        assert!(matches!(error, PortError::NotATerminal { .. }), "{path}: {error}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(refused(&PortName::Path(file.path().into())), PortError::NotATerminal { .. }));
}

#[test]
fn what_is_not_there_is_missing() {
    let error = refused(&PortName::Path("/dev/serial/by-id/usb-none".into()));
    assert!(matches!(error, PortError::Missing { .. }), "{error}");
    let error = refused(&PortName::Usb { serial: "no such serial number".into(), interface: None });
    assert!(error.to_string().starts_with("there is no port USB serial no such serial number; "), "{error}");
}

#[test]
fn a_link_is_opened_at_its_device_and_shown_as_both() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("kit");
    symlink(&board.device, &link).unwrap();
    let port = Port::open(&PortName::Path(link.clone()), Baud::DEFAULT).unwrap();
    assert_eq!(port.resolved().to_string(), format!("{} ({})", link.display(), board.device.display()));
    assert!(matches!(refused(&board.name()), PortError::Busy { .. }), "the device itself is locked, not the link");
}

#[test]
fn a_pty_carries_neither_marks_nor_break_nor_modem_lines() {
    let board = Board::new();
    let port = Port::open(&board.name(), Baud::DEFAULT).unwrap();
    let can = port.capabilities();
    assert!(!can.framing_marks && !can.break_signal && !can.modem_lines && !can.observed_edges, "{can:?}");
    assert!(!port.is_marked());
}

#[test]
fn the_modes_are_raw_and_put_back_at_drop() {
    let board = Board::new();
    let mut found = tcgetattr(board.terminal()).unwrap();
    found.input_modes |= InputModes::IGNPAR | InputModes::IXON | InputModes::ICRNL;
    found.local_modes |= LocalModes::ICANON;
    found.set_speed(9600).unwrap();
    tcsetattr(board.terminal(), OptionalActions::Now, &found).unwrap();

    let port = Port::open(&board.name(), baud(460_800)).unwrap();
    let open = tcgetattr(board.terminal()).unwrap();
    assert_eq!(open.output_speed(), 460_800);
    assert_eq!(open.input_modes, InputModes::empty());
    assert_eq!(open.local_modes & (LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), LocalModes::empty());

    drop(port);
    let after = tcgetattr(board.terminal()).unwrap();
    assert_eq!(after.input_modes, found.input_modes);
    assert_eq!(after.local_modes, found.local_modes);
    assert_eq!(after.control_modes, found.control_modes);
    assert_eq!(after.output_speed(), 9600);
}

#[test]
fn input_from_before_the_opening_is_thrown_away() {
    let board = Board::new();
    let keep = rustix::fs::open(&board.device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    board.say(b"old");
    let mut waiting = [PollFd::new(&keep, PollFlags::IN)];
    let patience = Timespec { tv_sec: PATIENCE.as_secs().try_into().unwrap(), tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut waiting, Some(&patience)).unwrap(), 1);
    let port = Port::open(&board.name(), Baud::DEFAULT).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(port.read(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    board.say(b"new");
    assert_eq!(port.read(&mut buffer).unwrap(), 3);
}

#[test]
fn a_path_through_a_file_is_missing() {
    let error = refused(&PortName::Path(Path::new("/dev/null/ttyUSB0").into()));
    assert!(matches!(error, PortError::Missing { .. }), "{error}");
}

#[test]
fn closing_a_port_whose_board_is_gone_says_so() {
    let board = Board::new();
    let port = Port::open(&board.name(), Baud::DEFAULT).unwrap();
    drop(board);
    assert!(matches!(port.close(), Err(PortError::System { call: "tcsetattr", .. })));
}
