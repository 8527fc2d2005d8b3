//! Virtual boards: `virtual` runs one as a program, and a run without a bench starts a pool of them.

use std::io::Write;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Failure;
use super::args::{self, Virtual};
use super::signals::{self, Interrupts};
use super::talk::Talk;
use crate::link::{LinkError, PtyBoard, PtyConfig, QemuBoard, QemuConfig};
use crate::model::evkit::{Fault, Settings, VirtualEvkit};
use crate::report::Exit;
use crate::runner::words::describe_error;
use crate::time::MonoTime;

/// How often the board is asked whether it still runs.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Runs one virtual EVKIT until INT, TERM or HUP.
pub(super) fn run(args: &Virtual, talk: &Talk) -> Result<Exit, Failure> {
    let mut settings = Settings::drawn(args.seed);
    for fault in &args.fault {
        settings.break_as(fault).map_err(|error| no_such_fault(fault, &error))?;
    }
    for assignment in &args.set {
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(Failure::usage(format!("--set {assignment}: expected KEY=VALUE")).hint("`evkit-hil settings` lists the keys"));
        };
        settings.set(key, value).map_err(|error| Failure::usage(format!("--set {assignment}: {error}")))?;
    }
    for (option, path) in [("--link", &args.link), ("--qemu", &args.qemu), ("--qtest", &args.qtest)] {
        if path.as_ref() == Some(&args.control) {
            return Err(Failure::usage(format!("{option} and --control are both {}", args.control.display()))
                .hint("they are two files: give each its own path"));
        }
    }
    let interrupts = signals::listen("interrupted again: ended at once")
        .map_err(|error| Failure::rig(format!("signals cannot be taken over: {error}")))?;
    let model = VirtualEvkit::new(settings, MonoTime::now());
    let control = args.control.display();
    let ended = if let (Some(uart), Some(qtest)) = (&args.qemu, &args.qtest) {
        let config = QemuConfig {
            uart: uart.clone(),
            qtest: qtest.clone(),
            reset_gpio: args.reset_gpio,
            uart_clock: args.uart_clock,
            control: args.control.clone(),
        };
        let board = QemuBoard::start(model, &config).map_err(|error| refused(&error))?;
        talk.say(&format!(
            "virtual EVKIT at {}, reset by GPIO{} (edges as QEMU reports them, its direction every {} ms), control socket {control}; INT, TERM or HUP ends it",
            uart.display(),
            args.reset_gpio,
            QemuBoard::LOOKED_AT_EVERY.as_secs_f64() * 1000.0,
        ));
        wait(&interrupts, || board.is_running());
        board.stop()
    } else {
        let board = PtyBoard::start(model, &PtyConfig { link: args.link.clone(), control: args.control.clone() })
            .map_err(|error| refused(&error))?;
        // Standard output is for whoever starts this as a program and reads the port from it.
        let _ = writeln!(std::io::stdout().lock(), "{}", board.port_path().display());
        let link = args.link.as_deref().unwrap_or(board.port_path()).display();
        talk.say(&format!("virtual EVKIT at {link} ({}), control socket {control}; INT, TERM or HUP ends it", board.port_path().display()));
        wait(&interrupts, || board.is_running());
        board.stop()
    };
    ended.map_err(|error| Failure::rig(describe_error(&error)))?;
    Ok(Exit::Passed)
}

/// What is said of a `--fault` that is none.
pub(super) fn no_such_fault(fault: &str, why: &impl std::fmt::Display) -> Failure {
    Failure::usage(format!("--fault {fault}: {why}")).hint("`evkit-hil settings --faults` lists the faults")
}

/// Waits until a signal comes, or the board has ended.
fn wait(interrupts: &Interrupts, is_running: impl Fn() -> bool) {
    while is_running() {
        let mut waited = [PollFd::from_borrowed_fd(interrupts.fd.as_fd(), PollFlags::IN)];
        if poll(&mut waited, Some(&LOOK)).is_ok_and(|ready| ready > 0) {
            break;
        }
    }
}

/// Prints every setting of the virtual EVKIT with its kind, default, range and meaning; or every fault with what it sets, looks like and stands for.
pub(super) fn settings(args: &args::Settings, talk: &Talk) -> Result<Exit, Failure> {
    if args.faults {
        return talk.data(&faults());
    }
    let mut out = String::new();
    for setting in Settings::describe() {
        let drawn = setting.drawn.map(|range| format!("; a seed draws {range}")).unwrap_or_default();
        out.push_str(&format!(
            "{} = {}  ({})\n    {}\n    takes {}{drawn}\n",
            setting.name, setting.default, setting.kind, setting.meaning, setting.takes
        ));
    }
    talk.data(&out)
}

fn faults() -> String {
    let mut out = String::new();
    for fault in Fault::ALL {
        let sets = fault.settings().into_iter().map(|(setting, range)| format!("{setting} = {range}")).collect::<Vec<_>>().join("; ");
        out.push_str(&format!("{}\n    {}\n    Stands for: {}\n    sets {sets}\n", fault.name, fault.wire, fault.stands_for));
    }
    out
}

fn refused(error: &LinkError) -> Failure {
    Failure::usage(describe_error(error))
}
