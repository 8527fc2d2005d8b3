//! What was typed. Help, man page and completions come from here.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Drives the reset line of an EVKITST87M01 in sync with its UART, replays scenarios and writes JUnit.
#[derive(Debug, Parser)]
#[command(
    name = "evkit-hil",
    version,
    about,
    max_term_width = 80,
    arg_required_else_help = true,
    after_help = "Examples:
  evkit-hil run                           default scenarios on virtual boards
  evkit-hil run --bench bench.yaml        the same on the boards of a bench
  evkit-hil run early-reset my-case.yaml  one shipped scenario, one of yours
  evkit-hil diagnose --bench bench.yaml   what is the matter with a board
  evkit-hil check my-case.yaml            what is wrong with a file
  evkit-hil virtual --link kit --control kit.ctl
                                          a virtual EVKIT for any program

Exit codes:
  0    every case passed, or was skipped for a reason of its own
  1    a case failed: the board misbehaved
  2    usage, or a bad file
  3    the rig failed, or a board was given up
  4    nothing was selected
  5    incomplete: a case was blocked, every case was skipped, a required
       case did not pass at once, or a board ran nothing (--each-board)
  130  interrupted"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to use colors: auto (on a terminal), always, never
    #[arg(long = "color", alias = "colour", global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_possible_values = true)]
    pub(super) color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios on boards and write JUnit
    #[command(after_help = "Examples:
  evkit-hil run                     default scenarios on virtual boards
  evkit-hil run --simulate --seed 7
                                    all shipped scenarios on simulated time
  evkit-hil run --simulate --fault deaf healthy-handshake
                                    what the report says of a board that is broken
  evkit-hil run --bench bench.yaml --tag nightly
                                    on the boards of a bench
  evkit-hil run downgrade-attempt --bench bench.yaml \\
      --allow firmware,downgrade-attempt
                                    what can wear a board is permitted twice
  evkit-hil run --bench bench.yaml --each-board --retries 2 \\
      --require healthy-handshake   flaky shows; what must pass is named

A name in --require is a case's, a scenario's or that of a scenario's file.
Several are separated by commas.")]
    Run(Run),
    /// Say what is the matter with one board, step by step; changes nothing that outlives a reset
    #[command(after_help = "Examples:
  evkit-hil diagnose --bench bench.yaml --board kit-1
                                    resets it, and leaves it answering
  evkit-hil diagnose --bench bench.yaml --no-reset
                                    AT only
  evkit-hil diagnose --port /dev/ttyUSB0
                                    without a bench file: AT only
  evkit-hil diagnose --port /dev/ttyUSB0 --listen --for 1min
                                    sends nothing

Exit codes:
  0    no cause was found
  1    the board is not well: the cause is shown
  2    usage, or a bad file
  3    the rig failed, or somebody else has the board
  130  interrupted")]
    Diagnose(Diagnose),
    /// Look at this computer, its ports and lines, and say what stands in the way
    #[command(after_help = "Examples:
  evkit-hil doctor                  this computer
  evkit-hil doctor --bench bench.yaml
                                    and the boards of a bench
  evkit-hil doctor --bench bench.yaml --board kit-1 --yes
                                    reads the released reset pin unasked,
                                    which may reset the board

Exit codes:
  0    nothing is in the way; there may be warnings
  1    something is in the way: it is shown with its remedy
  2    usage, or a bad file")]
    Doctor(Doctor),
    /// Check scenario and bench files; touches no hardware
    #[command(after_help = "Examples:
  evkit-hil check my-case.yaml
  evkit-hil check --bench bench.yaml  the shipped scenarios against a bench")]
    Check(Check),
    /// List cases with their tags, effects and worst-case time
    #[command(after_help = "Examples:
  evkit-hil list
  evkit-hil list --tag nightly my-case.yaml")]
    List(List),
    /// Release every line of a bench, whoever holds the boards; the supply stays as it is
    #[command(after_help = "Examples:
  evkit-hil release --bench bench.yaml
  evkit-hil release --bench bench.yaml --board kit-1
  evkit-hil release --bench bench.yaml --if-free
                                    for the end of a service: a run of
                                    somebody else is left alone")]
    Release(Release),
    /// Reserve boards of a bench, and see who has them; touches no hardware
    #[command(
        subcommand,
        after_help = "Examples:
  evkit-hil board list --bench bench.yaml
  evkit-hil board lock kit-1 --bench bench.yaml --for 2h --why \"RF tests\"
  evkit-hil board unlock kit-1 --bench bench.yaml"
    )]
    Board(Board),
    /// Run a virtual EVKIT until it is interrupted, on a PTY or wired to an
    /// emulated Raspberry Pi
    #[command(after_help = "Examples:
  evkit-hil virtual --link kit --control kit.ctl
  evkit-hil virtual --link kit --control kit.ctl --set speed=460800
  evkit-hil virtual --link kit --control kit.ctl \\
      --fault lost-bytes --fault \"sleeps-after=2 s\" --seed 7
  evkit-hil virtual --qemu uart.sock --qtest qtest.sock --control kit.ctl
                                    wired to a Raspberry Pi that QEMU emulates

On the control socket, a line each:
  reset assert, reset release, power on, power off, wake assert,
  wake release, watch ring, state, acted, setup KEY=VALUE, unplug, help
Each is answered by ok, or by error and why.")]
    Virtual(Virtual),
    /// Send one line to the control socket of a virtual board
    #[command(after_help = "Examples:
  evkit-hil control kit.ctl state
  evkit-hil control kit.ctl reset assert
  evkit-hil control kit.ctl setup firmware=2.6.0 boot-window=\"20 ms\"
  evkit-hil control kit.ctl help    which lines there are

What is answered behind ok goes to standard output.

Exit codes:
  0    the board has carried it out
  1    the board answered error
  2    usage
  3    no board answers there")]
    Control(Control),
    /// List the settings of the virtual EVKIT: what is assumed, what can break
    #[command(after_help = "Examples:
  evkit-hil settings
  evkit-hil settings --faults
  evkit-hil virtual --link kit --control kit.ctl --set boot-window=\"20 ms\"")]
    Settings(Settings),
    /// Show how well causes are told apart: every fault of the virtual EVKIT in every shipped scenario, on simulated time
    #[command(after_help = "Examples:
  evkit-hil faults
  evkit-hil faults --fault deaf --fault mute --seeds 10
  evkit-hil faults --scenario upgrade

A line a fault: what it must be named, in how many cases it acted (as the board's own log says, which diagnosis never reads), and how many of them are right. Exit code 1 when a line does not \
hold: fewer than 98 % right, a case that passed although the fault acted, or a healthy board that failed.")]
    Faults(Faults),
    /// Make and show images of the project's own made-up format
    #[command(
        subcommand,
        after_help = "Examples:
  evkit-hil image new --version 2.8.0 --key 0405
  evkit-hil image show my.img"
    )]
    Image(Image),
    /// Print the completions for a shell
    #[command(after_help = "Examples:
  evkit-hil completions bash > \\
      ~/.local/share/bash-completion/completions/evkit-hil
  evkit-hil completions fish > ~/.config/fish/completions/evkit-hil.fish")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands into a folder
    #[command(after_help = "Examples:
  evkit-hil man | man -l -
  evkit-hil man ~/.local/share/man/man1  a page for each command")]
    Man {
        /// The folder; it is made if it is not there, and pages in it are replaced
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print the JSON Schema of scenario, fragment or bench files, for editors
    #[command(after_help = "Examples:
  evkit-hil schema scenario > scenario.schema.json
  evkit-hil schema bench > bench.schema.json

The first line of a file tells an editor's YAML language server:
  # yaml-language-server: $schema=scenario.schema.json")]
    Schema {
        /// Which files
        #[arg(value_name = "FILES", value_enum)]
        files: Files,
    },
    /// Let go of lines when the parent process has died (started by `run`)
    #[command(hide = true)]
    Guardian,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Files {
    /// Scenario files
    Scenario,
    /// Fragments that scenarios include
    Fragment,
    /// Bench files
    Bench,
}

#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Scenario files, folders of them, or names of shipped scenarios; none: the shipped ones
    #[arg(value_name = "SCENARIO")]
    pub(super) scenarios: Vec<String>,
    /// Only cases with one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    pub(super) tag: Vec<String>,
    /// The bench file: the boards on this machine and how each is wired
    #[arg(long, value_name = "FILE")]
    pub(super) bench: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Only these boards of the bench; `NAME,NAME` for several
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "bench")]
    pub(super) board: Vec<String>,
    /// Run every case on every board; else the boards share the cases
    #[arg(long)]
    pub(super) each_board: bool,
    /// After the first failure or error no board begins another case
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Try a failed case again, so often at most; never one that can wear a board
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = |text: &str| whole(text, 0..=100_u32))]
    pub(super) retries: u32,
    /// Cases that must pass at once, or the run is incomplete; a scenario's name means all of its cases
    #[arg(long, value_name = "NAME")]
    pub(super) require: Vec<String>,
    /// Run on a simulated board in simulated time
    #[arg(long, conflicts_with_all = ["bench", "board", "boards"])]
    pub(super) simulate: bool,
    /// Draw every assumption about the module from its range; 0 takes the defaults
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = |text: &str| whole(text, 0..=u64::MAX))]
    pub(super) seed: u64,
    /// Put a fault into the virtual board of every case (see `settings --faults`), drawn by the seed or with a value, NAME=VALUE; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Vec<String>,
    /// How many virtual boards to start
    #[arg(long, value_name = "N", conflicts_with = "bench", value_parser = |text: &str| whole(text, 1..=64_u16))]
    pub(super) boards: Option<u16>,
    /// Permit effects that can wear or harm a real board (the bench must allow them as well)
    #[arg(long, value_name = "EFFECT", value_delimiter = ',')]
    pub(super) allow: Vec<String>,
    /// Wait so long for boards that another run holds or somebody has reserved
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) wait: Option<Duration>,
    /// Where the results go [default: target/evkit-hil beside a Cargo.toml, else evkit-hil-out]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Where the JUnit file goes [default: junit.xml in the results]
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["bench", "port"])))]
pub(super) struct Diagnose {
    /// The bench file
    #[arg(long, value_name = "FILE")]
    pub(super) bench: Option<PathBuf>,
    /// The board of the bench; it may be left out where there is only one
    #[arg(long, value_name = "NAME", requires = "bench")]
    pub(super) board: Option<String>,
    /// A port without a bench: no line can be driven, so this is AT only
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<PathBuf>,
    /// Ask AT only: drive no line
    #[arg(long)]
    pub(super) no_reset: bool,
    /// Send nothing, and show what comes by itself
    #[arg(long, conflicts_with = "no_reset")]
    pub(super) listen: bool,
    /// How long to listen [default: 10 s]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// Show the transcript at more length than its first and last lines
    #[arg(long)]
    pub(super) transcript: bool,
    /// Wait so long for a board that a run holds or somebody has reserved
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) wait: Option<Duration>,
    /// Where the timeline goes [default: diagnose in target/evkit-hil beside a Cargo.toml, else in evkit-hil-out]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The bench file: its boards are looked at as well
    #[arg(long, value_name = "FILE")]
    pub(super) bench: Option<PathBuf>,
    /// Only these boards of the bench; `NAME,NAME` for several
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "bench")]
    pub(super) board: Vec<String>,
    /// Read the released reset pins without asking, which may reset the boards
    #[arg(long, requires = "bench")]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct Release {
    /// The bench file
    #[arg(long, value_name = "FILE")]
    pub(super) bench: PathBuf,
    /// Only these boards of the bench; `NAME,NAME` for several
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) board: Vec<String>,
    /// Leave boards alone that a run has: it lets go of their lines itself
    #[arg(long)]
    pub(super) if_free: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Board {
    /// List the boards of a bench: port, kind, identity, and who has them
    #[command(after_help = "Example:
  evkit-hil board list --bench bench.yaml")]
    List {
        /// The bench file
        #[arg(long, value_name = "FILE")]
        bench: PathBuf,
    },
    /// Reserve a board: runs of other users do not get it until then
    #[command(
        override_usage = "evkit-hil board lock <NAME> --bench <FILE> --for <DURATION> --why <TEXT>",
        after_help = "Examples:
  evkit-hil board lock kit-1 --bench bench.yaml --for 2h --why \"RF tests\"

It ends by itself. Runs of yours are let in; a run that has the board now
keeps it to its end. Locking again replaces your reservation.

Exit codes:
  0    reserved
  2    usage, or a bad file
  3    somebody else has reserved it, or there is no such port"
    )]
    Lock {
        /// The board's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The bench file
        #[arg(long, value_name = "FILE")]
        bench: PathBuf,
        /// For how long: 90 min, 2h, 3 d
        #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
        duration: Duration,
        /// What for, told to everybody who wants the board
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// End a reservation
    #[command(after_help = "Examples:
  evkit-hil board unlock kit-1 --bench bench.yaml
  evkit-hil board unlock kit-1 --bench bench.yaml --force
                                    somebody else's; says whose it was

Exit codes:
  0    nobody has reserved it any more
  2    usage, or a bad file
  3    somebody else has reserved it, or there is no such port")]
    Unlock {
        /// The board's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The bench file
        #[arg(long, value_name = "FILE")]
        bench: PathBuf,
        /// Also somebody else's
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("wired to").args(["link", "qemu"]).required(true)),
    override_usage = "evkit-hil virtual --link <PATH> --control <SOCKET> [OPTIONS]
       evkit-hil virtual --qemu <SOCKET> --qtest <SOCKET> --control <SOCKET>"
)]
pub(super) struct Virtual {
    /// Where to make a link to the virtual board's port
    #[arg(long, value_name = "PATH")]
    pub(super) link: Option<PathBuf>,
    /// Wire the board to a Raspberry Pi that QEMU emulates instead: the socket of its PL011
    #[arg(long, value_name = "SOCKET", requires = "qtest")]
    pub(super) qemu: Option<PathBuf>,
    /// QEMU's test interface, which tells what the Pi does to its GPIOs and at which speed its UART is
    #[arg(long, value_name = "SOCKET", requires = "qemu")]
    pub(super) qtest: Option<PathBuf>,
    /// The GPIO of the emulated Pi that drives the board's reset line
    #[arg(long, value_name = "N", requires = "qemu", default_value_t = 17, value_parser = clap::value_parser!(u8).range(0..=53))]
    pub(super) reset_gpio: u8,
    /// The clock of the emulated Pi's PL011 in Hz, as its kernel has it
    #[arg(long, value_name = "HZ", requires = "qemu", default_value_t = 48_000_000, value_parser = clap::value_parser!(u32).range(1_000_000..))]
    pub(super) uart_clock: u32,
    /// Where to make the control socket
    #[arg(long, value_name = "SOCKET")]
    pub(super) control: PathBuf,
    /// Draw every assumption about the module from its range; 0 takes the defaults
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = |text: &str| whole(text, 0..=u64::MAX))]
    pub(super) seed: u64,
    /// Put in a fault (see `settings --faults`), drawn by the seed or with this value; may be given several times
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(super) fault: Vec<String>,
    /// Set one setting, KEY=VALUE (see `settings`), over what faults set; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// The faults by name instead: what each looks like, and what it stands for
    #[arg(long)]
    pub(super) faults: bool,
}

#[derive(Debug, Args)]
pub(super) struct Faults {
    /// Only this fault (see `settings --faults`); may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Vec<String>,
    /// Only this shipped scenario
    #[arg(long, value_name = "NAME")]
    pub(super) scenario: Option<String>,
    /// How many boards to draw for each fault
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = |text: &str| whole(text, 0..=u64::MAX))]
    pub(super) seeds: u64,
    /// How many boards without a fault to draw
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = |text: &str| whole(text, 0..=u64::MAX))]
    pub(super) healthy: u64,
}

#[derive(Debug, Args)]
pub(super) struct Control {
    /// The control socket
    #[arg(value_name = "SOCKET")]
    pub(super) socket: PathBuf,
    /// The line, in one word or several
    #[arg(value_name = "COMMAND", required = true, num_args = 1..)]
    pub(super) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Image {
    /// Make an image in the project's own made-up format (no real module takes it)
    #[command(after_help = "Example:
  evkit-hil image new --version 2.8.0 --key 0405 --size \"16 KiB\"")]
    New(ImageNew),
    /// Show what an image says of itself
    #[command(after_help = "Example:
  evkit-hil image show ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img")]
    Show {
        /// The image
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct ImageNew {
    /// Version of application, modem and secure core, unless one is given apart
    #[arg(long, value_name = "X.Y.Z")]
    pub(super) version: crate::image::Version,
    /// Version of the modem core
    #[arg(long, value_name = "X.Y.Z")]
    pub(super) modem: Option<crate::image::Version>,
    /// Version of the secure core
    #[arg(long, value_name = "X.Y.Z")]
    pub(super) secure: Option<crate::image::Version>,
    /// Version of the GNSS core
    #[arg(long, value_name = "X.Y.Z")]
    pub(super) gnss: Option<crate::image::Version>,
    /// Version of the wM-Bus core
    #[arg(long, value_name = "X.Y.Z")]
    pub(super) wmbus: Option<crate::image::Version>,
    /// Number of the signing key, as in ST's file names
    #[arg(long, value_name = "NNNN", default_value = "0405")]
    pub(super) key: String,
    /// Size, in bytes or with a unit (16 KiB)
    #[arg(long, value_name = "SIZE", default_value = "16 KiB")]
    pub(super) size: String,
    /// A folder, in which the file is named as ST names its releases, or a file
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(super) out: PathBuf,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::plan::units::parse_typed_duration(text).map_err(|error| format!("{error}: {}", error.hint()))
}

/// A whole number of this range.
fn whole<T: FromStr + PartialOrd + Display>(text: &str, range: RangeInclusive<T>) -> Result<T, String> {
    let number = text.parse::<T>().map_err(|_| "a whole number is needed, for example `7`".to_owned())?;
    let (first, last) = (range.start(), range.end());
    if range.contains(&number) { Ok(number) } else { Err(format!("a number from {first} to {last} is needed")) }
}
