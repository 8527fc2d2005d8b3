//! A board's serial port: whether it is there and free, what else uses it, and whether it is the right kind.

use std::path::Path;

use super::{Report, System};
use crate::bench::Board;
use crate::line::Backend;
use crate::port::{self, PortName};

/// The UART of a Raspberry Pi 5 that is on its debug connector.
const DEBUG_UART: &str = "ttyAMA10";
/// How a Raspberry Pi is given its better UART for GPIO14 and 15.
const FREE_PL011: &str = "`dtoverlay=disable-bt` in /boot/firmware/config.txt, start again, and name /dev/ttyAMA0";
/// How a Raspberry Pi 5 is given a UART on GPIO14 and 15.
const PI_5_UART: &str = "`dtparam=uart0=on` in /boot/firmware/config.txt, start again, and name /dev/ttyAMA0";
/// An adapter's latency timer, in ms, from which on bytes are seen late.
const LATE_MS: u32 = 2;

pub(super) fn check(system: &System<'_>, board: &Board, report: &mut Report<'_>) {
    const CHECK: &str = "port";
    if board.virtual_control.is_some() {
        return report.not_looked(CHECK, "the board is a virtual one", None);
    }
    let device = match system.device(&board.port) {
        Ok(device) => device,
        Err(error) => {
            let remedy = missing_uart(system, &board.port).unwrap_or_else(|| error.hint());
            return report.fail(CHECK, error.to_string(), remedy);
        }
    };
    let shown = device.display();
    match system.refused(&device) {
        Some(remedy) => report.fail(CHECK, format!("{shown} may not be opened by this user"), remedy),
        None => match port::holder_below(&system.root, &device) {
            Some(holder) => report.fail(CHECK, format!("{shown} is in use by {holder}"), "end that program, or wait for it with `--wait`"),
            None => report.fine(CHECK, format!("{shown} is there, free, and may be opened")),
        },
    }
    let name = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    console(system, &name, report);
    uart(system, board, &name, report);
    latency(system, &name, report);
    modem_lines(board, report);
}

/// What a Raspberry Pi lacks so that its own UART is there.
fn missing_uart(system: &System<'_>, port: &PortName) -> Option<String> {
    let (PortName::Path(path), Some(model)) = (port, system.model()) else { return None };
    let is_own = ["/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"].iter().any(|own| path == Path::new(own));
    if !is_own || !model.starts_with("Raspberry Pi") {
        return None;
    }
    Some(if is_pi_5(&model) { PI_5_UART.to_owned() } else { format!("`enable_uart=1` and {FREE_PL011}") })
}

fn is_pi_5(model: &str) -> bool {
    ["Raspberry Pi 5", "Raspberry Pi Compute Module 5"].iter().any(|known| model.starts_with(known))
}

/// A port on which the kernel or a login talks is none for a board: the AT parser gets the boot log, and the login gets what the board says.
fn console(system: &System<'_>, name: &str, report: &mut Report<'_>) {
    const CHECK: &str = "console";
    let words = system.command_line();
    let consoles = words.iter().filter_map(|word| word.strip_prefix("console="));
    if let Some(console) = consoles.map(|console| console.split(',').next().unwrap_or_default()).find(|console| *console == name) {
        return report.fail(
            CHECK,
            format!("the kernel writes its messages to {name} (console={console}), and the board reads them as commands"),
            "remove it from /boot/firmware/cmdline.txt (`sudo raspi-config nonint do_serial_cons 1`), and start again",
        );
    }
    let logs_in = |(pid, program): &(u32, String)| {
        let has_argument = |arguments: String| arguments.split('\0').any(|word| word.trim_start_matches("/dev/") == name);
        program.ends_with("getty") && system.read(format!("/proc/{pid}/cmdline")).is_some_and(has_argument)
    };
    let remedy = format!("sudo systemctl disable --now serial-getty@{name}.service");
    if let Some((pid, program)) = system.programs().into_iter().find(logs_in) {
        return report.fail(CHECK, format!("{program} (process {pid}) waits for a login on {name}, and answers the board"), remedy);
    }
    let wanted = format!("/etc/systemd/system/getty.target.wants/serial-getty@{name}.service");
    if std::fs::symlink_metadata(system.at(wanted)).is_ok() {
        return report.fail(CHECK, format!("with the next start a login waits on {name}"), remedy);
    }
    report.fine(CHECK, format!("neither the kernel nor a login uses {name}"));
}

/// Which of a Raspberry Pi's UARTs it is.
fn uart(system: &System<'_>, board: &Board, name: &str, report: &mut Report<'_>) {
    const CHECK: &str = "uart";
    if port::is_mini_uart(&system.sysfs(), Path::new("/dev").join(name).as_path()) {
        let says = format!("{name} is {}", port::MINI_UART);
        return if board.accept_mini_uart {
            report.warn(CHECK, says, FREE_PL011)
        } else {
            report.fail(CHECK, says, format!("{FREE_PL011}; `accept-mini-uart: true` on the board takes it as it is"))
        };
    }
    if name == DEBUG_UART && system.model().is_some_and(|model| is_pi_5(&model)) {
        return report.fail(CHECK, format!("{name} is the debug connector between the HDMI sockets, not GPIO14 and 15"), PI_5_UART);
    }
    let bluetooth = system.at(format!("/sys/class/tty/{name}/device/of_node/bluetooth"));
    let is_on = bluetooth.is_dir() && !std::fs::read(bluetooth.join("status")).is_ok_and(|status| status.starts_with(b"disabled"));
    if is_on {
        return report.fail(CHECK, format!("{name} is wired to the Bluetooth chip, not to GPIO14 and 15"), FREE_PL011);
    }
    report.fine(CHECK, format!("{name} is neither a mini UART nor one that is wired to something else"));
}

fn latency(system: &System<'_>, name: &str, report: &mut Report<'_>) {
    const CHECK: &str = "latency";
    let file = format!("/sys/class/tty/{name}/device/latency_timer");
    let Some(timer) = system.read(&file).and_then(|text| text.parse::<u32>().ok()) else {
        return report.fine(CHECK, format!("{name} has no latency timer"));
    };
    if timer >= LATE_MS {
        let rule = "or for good by a udev rule: ATTR{latency_timer}=\"1\"";
        report.warn(CHECK, format!("the adapter hands bytes over up to {timer} ms late"), format!("echo 1 | sudo tee {file}, {rule}"));
    } else {
        report.fine(CHECK, format!("the adapter hands bytes over within {timer} ms"));
    }
}

/// A reset line that is a signal of the port moves when anybody opens it.
fn modem_lines(board: &Board, report: &mut Report<'_>) {
    const CHECK: &str = "modem lines";
    let own = board.outputs().find_map(|line| match &line.backend {
        Backend::ModemLine { own: true, signal, .. } => Some((line, signal)),
        _ => None,
    });
    match own {
        Some((line, signal)) => report.warn(
            CHECK,
            format!(
                "{} is {} of the port: whoever opens the port drives it, and the kernel raises it at every opening",
                line.name,
                signal.name()
            ),
            "wire it to a GPIO; until then let nothing else open the port",
        ),
        None => report.fine(CHECK, "neither DTR nor RTS is a line of the board"),
    }
}
