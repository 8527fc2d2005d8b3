//! Each check on a made-up computer, once as it should be and once for each thing that can be wrong.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::bench::Bench;
use crate::line::{Active, LineConfig, LineError, PinLevels};

const KIT: &str = "port: /dev/ttyAMA0\n    reset: { gpio: 5 }\n";

/// What the kernel of a made-up computer says.
struct Told {
    user: Option<&'static str>,
    levels: PinLevels,
    model: Option<&'static str>,
    synchronized: bool,
    free: u64,
    priority: u64,
    pins_read: Cell<u32>,
}

impl Default for Told {
    fn default() -> Self {
        let levels = PinLevels { alone: Active::High, pulled: Active::High };
        let model = Some("Raspberry Pi 4 B");
        Self { user: None, levels, model, synchronized: true, free: 1 << 40, priority: 50, pins_read: Cell::new(0) }
    }
}

impl Kernel for Told {
    fn line_user(&self, _: &LineConfig) -> Result<Option<String>, LineError> {
        Ok(self.user.map(str::to_owned))
    }
    fn released_levels(&self, _: &LineConfig) -> Result<PinLevels, LineError> {
        self.pins_read.set(self.pins_read.get() + 1);
        Ok(self.levels)
    }
    fn rppal_model(&self) -> Option<String> {
        self.model.map(str::to_owned)
    }
    fn clock_is_synchronized(&self) -> io::Result<bool> {
        Ok(self.synchronized)
    }
    fn free_space(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free)
    }
    fn realtime_priority(&self) -> u64 {
        self.priority
    }
}

/// A Raspberry Pi 4 as it should be, until something is changed.
struct Pi {
    root: TempDir,
    told: Told,
    uid: u32,
    groups: Vec<u32>,
    board: String,
    answer: Option<bool>,
}

impl Pi {
    fn new() -> Self {
        let told = Told::default();
        // Whoever runs the tests owns the files, so the user of the made-up computer is that one.
        let own = User::of_this_process();
        let pi = Self { root: tempfile::tempdir().unwrap(), told, uid: own.uid, groups: own.groups, board: KIT.to_owned(), answer: None };
        pi.file("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0");
        pi.file("/proc/cmdline", "console=tty1 root=PARTUUID=1 rootwait\n");
        pi.file("/proc/1/comm", "systemd\n");
        pi.file("/etc/group", "root:x:0:\ndialout:x:20:\ngpio:x:997:\n");
        pi.file("/sys/devices/platform/soc/soc:firmware/get_throttled", "0\n");
        pi.file("/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "N\n");
        pi.file("/dev/gpiomem", "");
        pi.tty("ttyAMA0", "soc/fe201000.serial");
        pi
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A terminal with a device behind it.
    fn tty(&self, name: &str, device: &str) {
        let behind = self.at(&format!("/sys/devices/{device}"));
        fs::create_dir_all(&behind).unwrap();
        let entry = self.at(&format!("/sys/class/tty/{name}"));
        fs::create_dir_all(&entry).unwrap();
        symlink(behind, entry.join("device")).unwrap();
        self.file(&format!("/dev/{name}"), "");
    }

    /// A USB adapter.
    fn adapter(&self, name: &str, place: &str, serial: &str) {
        self.tty(name, &format!("usb1/{place}/{place}:1.0/{name}"));
        for (file, text) in [("idVendor", "0403"), ("idProduct", "6001"), ("serial", serial)] {
            self.file(&format!("/sys/devices/usb1/{place}/{file}"), text);
        }
        self.file(&format!("/sys/class/tty/{name}/dev"), "188:0\n");
    }

    fn program(&self, pid: u32, name: &str, arguments: &str) {
        self.file(&format!("/proc/{pid}/comm"), &format!("{name}\n"));
        self.file(&format!("/proc/{pid}/cmdline"), arguments);
    }

    fn findings(&self) -> Vec<Finding> {
        let text = format!("format: 1\nboards:\n  kit:\n    {}", self.board);
        let bench = Bench::load_text(Path::new("bench.yaml"), &text).unwrap();
        let user = User { uid: self.uid, groups: self.groups.clone() };
        let system = System { root: self.root.path().to_owned(), user, results: "out".into(), kernel: &self.told };
        let mut findings = Vec::new();
        examine(&system, &[&bench.boards[0]], &mut |_| self.answer, &mut |finding| findings.push(finding));
        findings
    }

    /// How a check ended, and what it said with its remedy.
    fn finds(&self, check: &str) -> (State, String) {
        let found: Vec<Finding> = self.findings().into_iter().filter(|finding| finding.check == check).collect();
        let [one] = &found[..] else { panic!("{check}: {found:?}") };
        (one.state, format!("{} -> {}", one.says, one.remedy.as_deref().unwrap_or("nothing")))
    }

    #[track_caller]
    fn assert(&self, check: &str, state: State, words: &[&str]) {
        let (found, text) = self.finds(check);
        assert_eq!(found, state, "{check}: {text}");
        for word in words {
            assert!(text.contains(word), "{check}: no {word:?} in {text:?}");
        }
    }
}

#[test]
fn nothing_is_in_the_way_of_a_pi_as_it_should_be() {
    let mut pi = Pi::new();
    pi.answer = Some(true);
    let wrong: Vec<Finding> = pi.findings().into_iter().filter(|finding| finding.state != State::Fine).collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_finding_that_is_in_the_way_has_a_remedy() {
    let pi = Pi::new();
    pi.file("/proc/cmdline", "console=ttyAMA0,115200");
    pi.file("/sys/devices/platform/soc/soc:firmware/get_throttled", "1");
    let found = pi.findings();
    assert!(found.iter().any(|finding| finding.state == State::Failed));
    assert!(found.iter().all(|finding| finding.remedy.is_some() || matches!(finding.state, State::Fine | State::NotLooked)), "{found:?}");
}

#[test]
fn a_service_that_opens_usb_ports_is_in_the_way_of_usb_ports_only() {
    let pi = Pi::new();
    pi.program(700, "ModemManager", "/usr/sbin/ModemManager");
    pi.program(701, "brltty", "brltty");
    pi.assert("services", State::Fine, &[]);
    pi.adapter("ttyUSB0", "1-1.1", "00A1");
    let found: Vec<Finding> = pi.findings().into_iter().filter(|finding| finding.check == "services").collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].says.contains("ModemManager (process 700) may open /dev/ttyUSB0"), "{found:?}");
    assert!(found[1].remedy.as_ref().unwrap().contains("disable --now brltty"), "{found:?}");
    // The rule that the package brings.
    pi.file("/run/udev/data/c188:0", "E:ID_MM_DEVICE_IGNORE=1\n");
    pi.assert("services", State::Failed, &["brltty"]);
}

#[test]
fn gpsd_is_in_the_way() {
    let pi = Pi::new();
    pi.adapter("ttyUSB0", "1-1.1", "00A1");
    pi.program(9, "gpsd", "gpsd");
    pi.assert("services", State::Failed, &["gpsd (process 9)", "gpsd.socket"]);
}

#[test]
fn a_supply_that_is_too_low_is_told_by_the_firmware_or_by_the_driver() {
    const THROTTLED: &str = "/sys/devices/platform/soc/soc:firmware/get_throttled";
    let pi = Pi::new();
    for (flags, state, words) in [
        ("50005", State::Failed, "too low now"),
        ("4", State::Warning, "slowed down now"),
        ("50000", State::Warning, "too low since"),
        ("40000", State::Warning, "slowed down since"),
    ] {
        pi.file(THROTTLED, flags);
        pi.assert("voltage", state, &[words]);
    }
    fs::remove_file(pi.at(THROTTLED)).unwrap();
    pi.assert("voltage", State::NotLooked, &[]);
    pi.file("/sys/class/hwmon/hwmon1/name", "rpi_volt\n");
    for (alarm, state) in [("0\n", State::Fine), ("1\n", State::Failed)] {
        pi.file("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", alarm);
        pi.assert("voltage", state, &[]);
    }
}

#[test]
fn a_clock_that_nobody_keeps_right_is_told() {
    let mut pi = Pi::new();
    pi.told.synchronized = false;
    pi.assert("clock", State::Warning, &["timedatectl set-ntp true"]);
}

#[test]
fn a_disk_that_is_all_but_full_is_in_the_way() {
    let mut pi = Pi::new();
    pi.told.free = 100 << 20;
    pi.assert("disk", State::Warning, &["100 MB", "--out"]);
    pi.told.free = 1 << 20;
    pi.assert("disk", State::Failed, &["1 MB"]);
}

#[test]
fn a_user_without_a_realtime_priority_is_told_how_to_get_one() {
    let mut pi = Pi::new();
    pi.told.priority = 0;
    pi.assert("realtime", State::Warning, &["rtprio", "chrt"]);
}

#[test]
fn adapters_with_one_serial_number_are_told() {
    let pi = Pi::new();
    pi.adapter("ttyUSB0", "1-1.1", "0001");
    pi.assert("usb serials", State::Fine, &[]);
    pi.adapter("ttyUSB1", "1-1.2", "0001");
    pi.assert("usb serials", State::Warning, &["/dev/ttyUSB0 at 1-1.1, /dev/ttyUSB1 at 1-1.2", "usb-path: 1-1.1"]);
}

#[test]
fn a_model_that_rppal_does_not_know_is_in_the_way_of_rppal_only() {
    let mut pi = Pi::new();
    pi.told.model = None;
    pi.assert("rppal", State::Fine, &["character device"]);
    pi.board = "port: /dev/ttyAMA0\n    reset: { backend: rppal, gpio: 5 }\n".to_owned();
    pi.assert("rppal", State::Failed, &["Raspberry Pi 4 Model B Rev 1.4", "backend: gpiocdev"]);
}

#[test]
fn the_registers_must_be_open_to_the_user() {
    let mut pi = Pi::new();
    pi.uid = 4_000_000;
    pi.groups = vec![4_000_000];
    pi.mode("/dev/gpiomem", 0o660);
    pi.assert("gpio registers", State::Failed, &["/dev/gpiomem", "$USER"]);
    fs::remove_file(pi.at("/dev/gpiomem")).unwrap();
    pi.assert("gpio registers", State::Failed, &["backend: gpiocdev"]);
    pi.uid = 0;
    pi.file("/proc/cmdline", "iomem=relaxed");
    pi.assert("gpio registers", State::Fine, &["/dev/mem"]);
}

#[test]
fn a_kernel_that_leaves_freed_lines_driven_is_told() {
    const PERSIST: &str = "/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs";
    let pi = Pi::new();
    pi.file(PERSIST, "Y\n");
    pi.assert("freed lines", State::Warning, &["strict_gpiod"]);
    fs::remove_file(pi.at(PERSIST)).unwrap();
    pi.assert("freed lines", State::NotLooked, &[]);
    pi.file("/sys/module/pinctrl_rp1/parameters/strict_gpiod", "N\n");
    pi.assert("freed lines", State::Warning, &[]);
}

#[test]
fn a_port_that_the_user_may_not_open_says_which_group_may() {
    let mut pi = Pi::new();
    pi.uid = 4_000_000;
    pi.groups = Vec::new();
    pi.mode("/dev/ttyAMA0", 0o600);
    pi.assert("port", State::Failed, &["may not be opened", "udev rule"]);
    pi.mode("/dev/ttyAMA0", 0o606);
    pi.assert("port", State::Fine, &[]);
}

#[test]
fn a_port_that_is_in_use_says_by_whom() {
    let pi = Pi::new();
    pi.program(44, "picocom", "picocom");
    fs::create_dir_all(pi.at("/proc/44/fd")).unwrap();
    symlink("/dev/ttyAMA0", pi.at("/proc/44/fd/3")).unwrap();
    pi.assert("port", State::Failed, &["process 44 (picocom)"]);
}

#[test]
fn a_uart_that_is_not_there_says_what_turns_it_on() {
    let pi = Pi::new();
    fs::remove_file(pi.at("/dev/ttyAMA0")).unwrap();
    pi.assert("port", State::Failed, &["there is no port /dev/ttyAMA0", "enable_uart=1", "disable-bt"]);
    pi.file("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
    pi.assert("port", State::Failed, &["dtparam=uart0=on"]);
    pi.file("/proc/device-tree/model", "Some Other Board\0");
    pi.assert("port", State::Failed, &["/dev/serial/by-id"]);
}

#[test]
fn a_link_to_a_port_is_followed_on_the_made_up_computer() {
    let mut pi = Pi::new();
    symlink("ttyAMA0", pi.at("/dev/serial0")).unwrap();
    pi.board = "port: /dev/serial0\n    reset: { gpio: 5 }\n".to_owned();
    pi.assert("port", State::Fine, &["/dev/ttyAMA0 is there"]);
    pi.assert("console", State::Fine, &["ttyAMA0"]);
}

#[test]
fn a_console_or_a_login_on_the_port_is_in_the_way() {
    let pi = Pi::new();
    pi.file("/proc/cmdline", "console=ttyAMA0,115200 console=tty1");
    pi.assert("console", State::Failed, &["console=ttyAMA0", "cmdline.txt"]);
    pi.file("/proc/cmdline", "console=tty1");
    pi.program(500, "agetty", "/sbin/agetty\0--keep-baud\x00115200\0ttyAMA0\0vt220\0");
    pi.assert("console", State::Failed, &["agetty (process 500)", "serial-getty@ttyAMA0.service"]);
    pi.program(500, "agetty", "/sbin/agetty\0tty1\0");
    pi.assert("console", State::Fine, &[]);
    fs::create_dir_all(pi.at("/etc/systemd/system/getty.target.wants")).unwrap();
    symlink("/lib/systemd/system/serial-getty@.service", pi.at("/etc/systemd/system/getty.target.wants/serial-getty@ttyAMA0.service"))
        .unwrap();
    pi.assert("console", State::Failed, &["next start"]);
}

#[test]
fn the_mini_uart_is_refused_unless_it_is_accepted() {
    let mut pi = Pi::new();
    pi.tty("ttyS0", "soc/fe215040.serial");
    pi.file("/sys/devices/soc/fe215040.serial/of_node/compatible", "brcm,bcm2835-aux-uart\0");
    pi.board = "port: /dev/ttyS0\n    reset: { gpio: 5 }\n".to_owned();
    pi.assert("uart", State::Failed, &["mini UART", "disable-bt", "accept-mini-uart: true"]);
    pi.board.push_str("    accept-mini-uart: true\n");
    pi.assert("uart", State::Warning, &["mini UART"]);
}

#[test]
fn a_uart_that_goes_to_bluetooth_or_to_the_debug_connector_is_the_wrong_one() {
    let mut pi = Pi::new();
    pi.file("/sys/devices/soc/fe201000.serial/of_node/bluetooth/compatible", "brcm,bcm43438-bt\0");
    pi.assert("uart", State::Failed, &["Bluetooth", "disable-bt"]);
    pi.file("/sys/devices/soc/fe201000.serial/of_node/bluetooth/status", "disabled\0");
    pi.assert("uart", State::Fine, &[]);
    pi.tty("ttyAMA10", "soc/107d001000.serial");
    pi.board = "port: /dev/ttyAMA10\n    reset: { gpio: 5 }\n".to_owned();
    pi.assert("uart", State::Fine, &[]);
    pi.file("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
    pi.assert("uart", State::Failed, &["debug connector", "dtparam=uart0=on"]);
}

#[test]
fn an_adapter_that_hands_bytes_over_late_is_told() {
    let mut pi = Pi::new();
    pi.adapter("ttyUSB0", "1-1.1", "00A1");
    pi.board = "port: /dev/ttyUSB0\n    reset: { gpio: 5 }\n".to_owned();
    pi.assert("latency", State::Fine, &[]);
    for (timer, state) in [("16\n", State::Warning), ("1\n", State::Fine)] {
        pi.file("/sys/devices/usb1/1-1.1/1-1.1:1.0/ttyUSB0/latency_timer", timer);
        pi.assert("latency", state, &[]);
    }
}

#[test]
fn a_reset_line_that_is_a_signal_of_the_port_is_told() {
    let mut pi = Pi::new();
    pi.board = "port: /dev/ttyAMA0\n    reset: { backend: modem-line, signal: dtr }\n".to_owned();
    pi.assert("modem lines", State::Warning, &["reset is DTR"]);
}

#[test]
fn a_line_that_is_in_use_says_by_whom_and_is_not_read() {
    let mut pi = Pi::new();
    pi.told.user = Some("w1-gpio");
    pi.answer = Some(true);
    pi.assert("line", State::Failed, &["reset is in use by \"w1-gpio\""]);
    assert_eq!(pi.told.pins_read.get(), 0);
}

#[test]
fn a_chip_that_the_user_may_not_open_is_told() {
    let mut pi = Pi::new();
    pi.file("/dev/gpiochip0", "");
    pi.mode("/dev/gpiochip0", 0o600);
    pi.uid = 4_000_000;
    pi.groups = Vec::new();
    pi.board = "port: /dev/ttyAMA0\n    reset: { backend: gpiocdev, chip: /dev/gpiochip0, line: 5 }\n".to_owned();
    pi.assert("line", State::Failed, &["/dev/gpiochip0 may not be opened"]);
}

#[test]
fn a_pin_that_wakes_where_it_asserts_is_told() {
    let mut pi = Pi::new();
    for (reset, state, words) in [
        ("gpio: 17", State::Warning, "GPIO5 or GPIO6"),
        ("gpio: 17, active: high", State::Fine, "pulled down"),
        ("gpio: 6, active: high", State::Warning, "GPIO9 to GPIO27"),
        ("backend: gpiocdev, line: GPIO22", State::Warning, "GPIO22 wakes pulled down"),
        ("backend: gpiocdev, chip: /dev/gpiochip0, line: 40", State::NotLooked, ""),
    ] {
        pi.board = format!("port: /dev/ttyAMA0\n    reset: {{ {reset} }}\n");
        pi.assert("wake-up pull", state, &[words]);
    }
}

#[test]
fn the_released_pin_is_read_only_where_somebody_agrees() {
    let mut pi = Pi::new();
    pi.assert("released pin", State::NotLooked, &["--yes"]);
    pi.answer = Some(false);
    pi.assert("released pin", State::NotLooked, &["you said no"]);
    assert_eq!(pi.told.pins_read.get(), 0);
    pi.answer = Some(true);
    pi.assert("released pin", State::Fine, &[]);
    assert!(pi.told.pins_read.get() > 0);
}

#[test]
fn a_released_pin_that_nothing_keeps_released_is_in_the_way() {
    let mut pi = Pi::new();
    pi.answer = Some(true);
    pi.told.levels = PinLevels { alone: Active::High, pulled: Active::Low };
    pi.assert("released pin", State::Failed, &["nothing outside", "bias: pull-up", "push-pull"]);
    pi.told.levels = PinLevels { alone: Active::Low, pulled: Active::Low };
    pi.assert("released pin", State::Failed, &["held in reset", "button"]);
    let read = pi.told.pins_read.get();
    for mended in ["bias: pull-up", "drive: push-pull"] {
        pi.board = format!("port: /dev/ttyAMA0\n    reset: {{ gpio: 5, {mended} }}\n");
        pi.assert("released pin", State::Fine, &[]);
    }
    assert_eq!(pi.told.pins_read.get(), read, "what is mended needs no reading");
}

#[test]
fn of_a_virtual_board_no_port_is_looked_at() {
    let mut pi = Pi::new();
    pi.board = "port: kit\n    reset: { backend: socket, path: kit.ctl }\n    virtual: kit.ctl\n".to_owned();
    pi.assert("port", State::NotLooked, &["virtual"]);
}

#[test]
fn every_check_is_documented_in_its_order() {
    let mut pi = Pi::new();
    pi.answer = Some(true);
    let found: Vec<String> = pi.findings().into_iter().map(|finding| finding.check.to_owned()).collect();
    let text = fs::read_to_string("docs/doctor.md").unwrap();
    let documented: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(found, documented);
}
