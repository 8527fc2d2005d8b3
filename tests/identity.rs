//! Which unit is on a port, as far as its USB adapter tells, with a sysfs of the test's own: a virtual board's PTY is made an adapter's port in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use evkit_hil::bench::Identity;
use evkit_hil::report::CaseReport;
use evkit_hil::runner::pool::Member;
use evkit_hil::runner::virtual_pool::VirtualPool;
use evkit_hil::scenario;
use evkit_hil::timeline::event::Outcome;
use rstest::rstest;

#[expect(dead_code, reason = "one of its two ways is enough here")]
mod boards;

/// Makes `device` the port of an adapter with the serial number 0001 at 1-1.2.
fn plug_in(sysfs: &Path, device: &Path) {
    let adapter = sysfs.join("devices/usb1/1-1/1-1.2");
    let port = adapter.join("1-1.2:1.0/port");
    fs::create_dir_all(&port).unwrap();
    for (file, value) in [("idVendor", "10c4"), ("idProduct", "ea60"), ("serial", "0001")] {
        fs::write(adapter.join(file), value).unwrap();
    }
    let name = device.strip_prefix("/dev").unwrap().to_str().unwrap().replace('/', "!");
    let entry = sysfs.join("class/tty").join(name);
    fs::create_dir_all(&entry).unwrap();
    symlink(port, entry.join("device")).unwrap();
}

fn identity(usb_serial: Option<&str>, usb_path: Option<&str>) -> Identity {
    Identity { imei: None, usb_serial: usb_serial.map(str::to_owned), usb_path: usb_path.map(str::to_owned) }
}

/// Runs a case that passes on every board.
fn run_fine(members: &[Member], folder: &Path) -> CaseReport {
    let file = folder.join("fine.yaml");
    fs::write(&file, "format: 1\nscenario: fine\nsteps:\n  - at: { command: AT, tries: 20, within: 100 ms }\n").unwrap();
    let plan = scenario::load(&[file], None).unwrap();
    let folders: Vec<PathBuf> = boards::run(&plan.cases, members, 0, folder);
    CaseReport::read(&folders[0]).unwrap()
}

#[rstest]
#[case::of_nobody(identity(None, None), true, Outcome::Passed)]
#[case::by_both(identity(Some("0001"), Some("1-1.2")), true, Outcome::Passed)]
#[case::another_serial(identity(Some("0002"), None), true, Outcome::Blocked)]
#[case::another_place(identity(Some("0001"), Some("1-1.3")), true, Outcome::Blocked)]
#[case::no_adapter_at_all(identity(Some("0001"), None), false, Outcome::Blocked)]
fn a_unit_is_told_by_its_adapter_before_anything_is_done(#[case] wanted: Identity, #[case] plugged: bool, #[case] outcome: Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let pool = VirtualPool::start(1).unwrap();
    let mut members = pool.members();
    let [Member::Port(board, _)] = &mut members[..] else { panic!("one board") };
    board.identity = wanted;
    if plugged {
        plug_in(&folder.path().join("sysfs"), &board.port.resolve().unwrap().device);
    }
    let report = run_fine(&members, folder.path());
    assert_eq!(report.outcome(), outcome, "{}", report.verdict.reason);
    assert_eq!(report.ran(), outcome == Outcome::Passed, "a board that is another unit's is not touched");
    let known: Vec<_> = report.properties.iter().map(|property| (property.name.as_str(), property.value.as_str())).collect();
    if outcome == Outcome::Passed {
        assert_eq!(known[..2], [("usb-serial", "0001"), ("usb-path", "1-1.2")]);
    }
}

#[rstest]
#[case::refused(false, Outcome::Blocked)]
#[case::accepted(true, Outcome::Passed)]
fn a_mini_uart_is_refused_unless_it_is_accepted(#[case] accepted: bool, #[case] outcome: Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let pool = VirtualPool::start(1).unwrap();
    let mut members = pool.members();
    let [Member::Port(board, _)] = &mut members[..] else { panic!("one board") };
    board.accept_mini_uart = accepted;
    let device = board.port.resolve().unwrap().device;
    plug_in(&folder.path().join("sysfs"), &device);
    let node = folder.path().join("sysfs/devices/usb1/1-1/1-1.2/1-1.2:1.0/port/of_node");
    fs::create_dir_all(&node).unwrap();
    fs::write(node.join("compatible"), b"brcm,bcm2835-aux-uart\0").unwrap();
    let report = run_fine(&members, folder.path());
    assert_eq!(report.outcome(), outcome, "{}", report.verdict.reason);
}
