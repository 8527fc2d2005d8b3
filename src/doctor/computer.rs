//! This computer: what runs on it, its supply, clock, disk and rights.

use std::collections::BTreeMap;

use super::{Report, State, System};
use crate::bench::Board;
use crate::line::Backend;
use crate::port::KnownPort;

/// Programs that open serial ports by themselves, what they take them for, and the name of their service.
const MEDDLERS: &[(&str, &str, &str)] = &[
    ("ModemManager", "a modem", "ModemManager"),
    ("brltty", "a Braille display", "brltty brltty-udev"),
    ("gpsd", "a GPS receiver", "gpsd gpsd.socket"),
];
/// The udev property that keeps ModemManager away from a device.
const LEFT_ALONE: &str = "E:ID_MM_DEVICE_IGNORE=1";
/// Where results are all but sure to be lost, and where they may be: a nightly run with its timelines takes some MB.
const DISK_FULL: u64 = 20 << 20;
const DISK_LOW: u64 = 200 << 20;
/// Bits of a Raspberry Pi's `get_throttled`: the supply is too low now, the processor is slowed down now, and the same since the start.
const LOW_NOW: u32 = 1 << 0;
const SLOW_NOW: u32 = 1 << 2;
const LOW_SINCE: u32 = 1 << 16;
const SLOW_SINCE: u32 = 1 << 18;
/// Where Raspberry Pi's drivers say whether a freed output stays driven, and the word for that there.
const FREED: &[(&str, &str)] = &[
    ("/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "Y"),
    ("/sys/module/pinctrl_rp1/parameters/persist_gpio_outputs", "Y"),
    ("/sys/module/pinctrl_bcm2835/parameters/strict_gpiod", "N"),
    ("/sys/module/pinctrl_rp1/parameters/strict_gpiod", "N"),
];

pub(super) fn check(system: &System<'_>, boards: &[&Board], report: &mut Report<'_>) {
    let ports = KnownPort::all_in(&system.sysfs());
    services(system, &ports, report);
    voltage(system, report);
    clock(system, report);
    disk(system, report);
    realtime(system, report);
    usb_serials(ports, report);
    let backends = || boards.iter().flat_map(|board| board.all_lines()).map(|line| &line.backend);
    if backends().any(|backend| matches!(backend, Backend::Rppal { .. } | Backend::RaspberryPi { .. })) {
        rppal(system, backends().any(|backend| matches!(backend, Backend::Rppal { .. })), report);
    }
    if backends().any(|backend| matches!(backend, Backend::Gpiocdev { .. } | Backend::RaspberryPi { .. })) {
        freed_lines(system, report);
    }
}

fn services(system: &System<'_>, ports: &[KnownPort], report: &mut Report<'_>) {
    const CHECK: &str = "services";
    let running = system.programs();
    let on_usb: Vec<&KnownPort> = ports.iter().filter(|port| port.usb.is_some()).collect();
    let is_left_alone = |port: &&&KnownPort| {
        let name = port.device.file_name().unwrap_or_default().to_string_lossy();
        let number = system.read(format!("/sys/class/tty/{name}/dev")).unwrap_or_default();
        system.read(format!("/run/udev/data/c{number}")).is_some_and(|data| data.lines().any(|line| line == LEFT_ALONE))
    };
    let mut is_quiet = true;
    for (program, taken_for, service) in MEDDLERS {
        let Some((pid, _)) = running.iter().find(|(_, name)| name == program) else { continue };
        let open_to_it = on_usb.iter().filter(|port| *program != "ModemManager" || !is_left_alone(port));
        let names: Vec<String> = open_to_it.map(|port| port.device.display().to_string()).collect();
        if names.is_empty() {
            continue;
        }
        is_quiet = false;
        let says = format!("{program} (process {pid}) may open {} and talk to it, taking it for {taken_for}", names.join(", "));
        let rule = if *program == "ModemManager" {
            ", or a udev rule with ENV{ID_MM_DEVICE_IGNORE}=\"1\" for the adapter (docs/nightly.md)"
        } else {
            ""
        };
        report.fail(CHECK, says, format!("sudo systemctl disable --now {service}{rule}"));
    }
    if is_quiet {
        report.fine(CHECK, "no service opens serial ports that are not its own");
    }
}

fn voltage(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "voltage";
    const REMEDY: &str =
        "a supply for this model of 5.1 V at the Pi itself, and a short thick cable; feed the kit and the hub by themselves";
    let flags = system
        .read("/sys/devices/platform/soc/soc:firmware/get_throttled")
        .and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    let Some(flags) = flags else {
        return match alarm(system) {
            Some(true) => report.fail(CHECK, "the supply is, or was, too low", REMEDY),
            Some(false) => report.fine(CHECK, "the supply has not been too low"),
            None => report.not_looked(CHECK, "this computer does not tell whether its supply suffices", None),
        };
    };
    let is = |bit: u32| flags & bit != 0;
    if is(LOW_NOW) {
        report.fail(CHECK, "the supply is too low now: lines and ports may do anything", REMEDY);
    } else if is(SLOW_NOW) {
        report.warn(CHECK, "the processor is slowed down now, so timed steps may be late", "cool it, or give it a better supply");
    } else if is(LOW_SINCE) {
        report.warn(CHECK, "the supply has been too low since the start", REMEDY);
    } else if is(SLOW_SINCE) {
        report.warn(CHECK, "the processor has been slowed down since the start", "cool it, or give it a better supply");
    } else {
        report.fine(CHECK, "the supply has not been too low, and the processor not slowed down");
    }
}

/// What the driver `rpi_volt` says; `None` where there is none.
fn alarm(system: &System<'_>) -> Option<bool> {
    let sensors = std::fs::read_dir(system.at("/sys/class/hwmon")).ok()?;
    let sensor = sensors
        .flatten()
        .map(|entry| entry.path())
        .find(|path| std::fs::read_to_string(path.join("name")).is_ok_and(|name| name.trim() == "rpi_volt"))?;
    Some(std::fs::read_to_string(sensor.join("in0_lcrit_alarm")).ok()?.trim() == "1")
}

fn clock(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "clock";
    match system.kernel.clock_is_synchronized() {
        Ok(true) => report.fine(CHECK, "it is kept right over the network"),
        Ok(false) => report.warn(
            CHECK,
            "nobody keeps it right: dates in reports may be wrong (times of steps do not depend on it)",
            "sudo timedatectl set-ntp true",
        ),
        Err(error) => report.not_looked(CHECK, format!("whether it is kept right is not known: {error}"), None),
    }
}

fn disk(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "disk";
    let folder = system.results.display();
    let free = match system.kernel.free_space(&system.results) {
        Ok(free) => free,
        Err(error) => return report.not_looked(CHECK, format!("the room for {folder} is not known: {error}"), None),
    };
    let says = format!("{} MB are free for {folder}", free >> 20);
    let remedy = "make room, or name another folder: --out DIR";
    match free {
        ..DISK_FULL => report.fail(CHECK, says, remedy),
        DISK_FULL..DISK_LOW => report.warn(CHECK, says, remedy),
        _ => report.fine(CHECK, says),
    }
}

fn realtime(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "realtime";
    match system.kernel.realtime_priority() {
        0 => report.warn(
            CHECK,
            "no right to a realtime priority: on a busy computer timed steps are late, and say so",
            "`@dialout - rtprio 50` in /etc/security/limits.d/evkit-hil.conf, log in again, and run `chrt --rr 10 evkit-hil run …`",
        ),
        most => report.fine(CHECK, format!("a realtime priority up to {most} may be taken: `chrt --rr 10 evkit-hil run …`")),
    }
}

fn usb_serials(ports: Vec<KnownPort>, report: &mut Report<'_>) {
    const CHECK: &str = "usb serials";
    let mut adapters: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for port in ports {
        let Some(usb) = port.usb else { continue };
        let (Some(serial), Some(place)) = (usb.serial, usb.place) else { continue };
        adapters.entry(serial).or_default().entry(place).or_default().push(port.device.display().to_string());
    }
    let doubled: Vec<_> = adapters.into_iter().filter(|(_, places)| places.len() > 1).collect();
    if doubled.is_empty() {
        return report.fine(CHECK, "no two adapters have the same serial number");
    }
    for (serial, places) in doubled {
        let says: Vec<String> = places.iter().map(|(place, ports)| format!("{} at {place}", ports.join(" and "))).collect();
        let remedy =
            format!("name them by their places, as in `port: {{ usb-path: {} }}`", places.keys().next().map_or("1-1", String::as_str));
        report.warn(CHECK, format!("{} share the serial number {serial}", says.join(", ")), remedy);
    }
}

fn rppal(system: &System<'_>, is_asked_for: bool, report: &mut Report<'_>) {
    const CHECK: &str = "rppal";
    let model = system.model().unwrap_or_else(|| "this computer".to_owned());
    match system.kernel.rppal_model() {
        Some(known) => {
            report.fine(CHECK, format!("it knows this computer as {known}"));
            registers(system, report);
        }
        None if is_asked_for => {
            report.fail(
                CHECK,
                format!("it does not know {model}: its list of models is closed"),
                "`backend: gpiocdev, line: GPIO17` with your pin",
            );
        }
        None => report.fine(CHECK, format!("it does not know {model}, so pins are driven through the GPIO character device")),
    }
}

/// The device over which `rppal` reaches the pins.
fn registers(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "gpio registers";
    let device = ["/dev/gpiomem0", "/dev/gpiomem"].map(std::path::Path::new).into_iter().find(|path| system.at(path).exists());
    let (state, says, remedy) = match device {
        Some(device) => match system.refused(device) {
            None => (State::Fine, format!("{} may be opened", device.display()), None),
            remedy => (State::Failed, format!("{} may not be opened by this user", device.display()), remedy),
        },
        None if system.command_line().iter().any(|word| word == "iomem=relaxed") && system.user.uid == 0 => {
            (State::Fine, "without /dev/gpiomem, /dev/mem is used: as root, and with iomem=relaxed, that works".to_owned(), None)
        }
        None => {
            let remedy = "`backend: gpiocdev`, or run as root with iomem=relaxed on the kernel's command line";
            (State::Failed, "there is no /dev/gpiomem, and /dev/mem is not open to this user".to_owned(), Some(remedy.to_owned()))
        }
    };
    report.say(CHECK, state, says, remedy);
}

fn freed_lines(system: &System<'_>, report: &mut Report<'_>) {
    const CHECK: &str = "freed lines";
    let told = FREED.iter().find_map(|(file, stays)| Some(system.read(file)? == *stays));
    match told {
        Some(true) => report.warn(
            CHECK,
            "the kernel leaves the line of a killed program driven: only the guardian then releases the board",
            "`dtparam=strict_gpiod` in /boot/firmware/config.txt, and start again",
        ),
        Some(false) => report.fine(CHECK, "the kernel makes the line of a killed program an input"),
        None => report.not_looked(CHECK, "the kernel does not say what it makes of the line of a killed program", None),
    }
}
