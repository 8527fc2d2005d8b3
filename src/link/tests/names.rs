//! The names that a board leaves in the file system.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::super::files::PortLink;
use super::super::{ControlClient, LinkError, PtyBoard, PtyConfig};
use super::{Log, echo};

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
    let taken = PortLink::create(&link, &port).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("/dev/null", &link).unwrap();
    drop(taken);
    assert_eq!(fs::read_link(&link).unwrap(), PathBuf::from("/dev/null"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}
