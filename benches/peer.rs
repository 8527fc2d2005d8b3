//! The harness as one contestant among others: does what a measuring instrument asks for, through the released program, and says when things happened.
//!
//! The instrument is a board behind a PTY that logs, in nanoseconds of `CLOCK_MONOTONIC`, each reset edge that it sees, each byte and each answer. It acknowledges the hotkey, answers `ATI01` as boot
//! code would and `AT` as the application does; what it says is no ST87M01's, so that the steps are `send` and `expect`. It starts a contestant with:
//!
//! | variable | |
//! | --- | --- |
//! | `BENCH_MODE` | `handshake`, `at`, `flood`, `delay`: the board is driven `BENCH_N` times; `suite`, `suite8`: `BENCH_N` cases a board become a JUnit file |
//! | `BENCH_N` | how often |
//! | `BENCH_PTY` | the board's port; in `suite8` several, with commas |
//! | `BENCH_CTL_STREAM` | the stream socket of the board's reset line, likewise |
//! | `BENCH_CTL` | the datagram socket that takes `F1000000`, a flood of so many bytes |
//! | `BENCH_FLOOD` | the size of the flood |
//! | `BENCH_OUT` | where the times go: `{"miss":…,"extra":[begin,end],"iters":[[release issued,release done,answered,matched],…]}` |
//! | `BENCH_XML` | where the JUnit file goes |
//!
//! Nothing here is a shortcut: `evkit-hil run` does the work, with its lock, its guardian and its timeline on disk, and the times are those of the timeline. A try is timed from the entry of the call that
//! releases the line (`at`: from the step's start) to the record of the match (`at`: to the step's end).
//!
//! `cargo build --release --bins --example peer`, then `target/release/examples/peer`, which starts `target/release/evkit-hil`.

use std::error::Error;
use std::fmt::Write as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use evkit_hil::seam::LineState;
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Direction, Event, EventKind, Outcome};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// From the release on: hotkey, acknowledge, version.
const HANDSHAKE: &str = r#"
  - send: { hex: "c5" }
  - expect: { hex: "9a", within: 2 s }
  - send: { text: "ATI01\r" }
  - expect: { regex: 'ST87M01 BOOT \d+\.\d+\.\d+\r\n\r\nOK\r\n', within: 2 s }"#;

fn main() -> Fallible<()> {
    let mode = variable("BENCH_MODE")?;
    let tries: usize = variable("BENCH_N")?.parse()?;
    let folder = tempfile::Builder::new().prefix("evkit-hil-peer-").tempdir()?;
    let bench = folder.path().join("bench.yaml");
    std::fs::write(&bench, bench_file(&variable("BENCH_PTY")?, &variable("BENCH_CTL_STREAM")?))?;
    let scenario = folder.path().join("scenario.yaml");
    std::fs::write(&scenario, scenario_file(&mode, tries)?)?;

    let mut run = Command::new(program()?);
    run.args(["run", "--allow", "raw", "--bench"]).arg(&bench).arg("--out").arg(folder.path()).arg(&scenario);
    run.env("EVKIT_HIL_STATE_DIR", folder.path()).stdin(Stdio::null());
    if mode.starts_with("suite") {
        let xml = variable("BENCH_XML").unwrap_or_else(|_| "/dev/null".to_owned());
        // This process becomes the run, so that its end is seen at once. What it leaves is the instrument's to clear away.
        let _ = folder.keep();
        return Err(run.arg("--junit").arg(xml).exec().into());
    }
    if mode == "flood" {
        let control = UnixDatagram::unbound()?;
        control.send_to(format!("F{}", variable("BENCH_FLOOD")?).as_bytes(), variable("BENCH_CTL")?)?;
    }
    let status = run.status()?;
    let events = read(&folder.path().join("timelines"))?;
    std::fs::write(variable("BENCH_OUT")?, times(&mode, &events))?;
    if status.success() { Ok(()) } else { Err(format!("evkit-hil: {status}").into()) }
}

fn variable(name: &str) -> Fallible<String> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// The released program: beside the folder of the examples.
fn program() -> Fallible<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).ok_or("this program lies in no folder")?;
    Ok(folder.join("evkit-hil"))
}

fn bench_file(ports: &str, lines: &str) -> String {
    let mut text = "format: 1\nboards:\n".to_owned();
    for (number, (port, line)) in ports.split(',').zip(lines.split(',')).enumerate() {
        let _ = write!(
            text,
            "  b{number}:\n    port: {port}\n    reset: {{ backend: socket, path: {line} }}\n    allow: [raw]\n    health: false\n"
        );
    }
    text
}

fn scenario_file(mode: &str, tries: usize) -> Fallible<String> {
    let boards = variable("BENCH_PTY")?.split(',').count();
    let mut text = format!("format: 1\nscenario: {mode}\neffects: [raw]\n");
    let body = match mode {
        "handshake" => format!("\n  - reset: {{ pulse: 2 ms }}{HANDSHAKE}\n  - wait: 1 ms").repeat(tries),
        "at" => "\n  - at: { command: AT, within: 2 s }\n  - wait: 500 us".repeat(tries),
        "delay" => "\n  - reset: { pulse: 2 ms }\n  - send: { hex: \"c5\", at: release + 20 ms }\n  - expect: { hex: \"9a\", within: 1 s }"
            .repeat(tries),
        "flood" => "\n  - expect: { regex: 'BOOT-DONE (\\d+)\\r', within: 150 s }".to_owned(),
        "suite" | "suite8" => {
            let numbers: Vec<String> = (1..=tries * boards).map(|number| number.to_string()).collect();
            let _ = writeln!(text, "matrix: {{ try: [{}] }}", numbers.join(", "));
            format!("\n  - reset: assert\n  - reset: release{HANDSHAKE}")
        }
        other => return Err(format!("BENCH_MODE={other}: no such mode").into()),
    };
    let _ = writeln!(text, "steps:{body}");
    Ok(text)
}

/// The events of the one timeline in `folder`.
fn read(folder: &Path) -> Fallible<Vec<Event>> {
    let timeline = std::fs::read_dir(folder)?.next().ok_or("no timeline")??;
    Ok(Reader::open(&timeline.path())?.collect::<Result<_, _>>()?)
}

/// A try: release issued, release done, answer written, matched; in nanoseconds.
type Try = [u64; 4];

fn times(mode: &str, events: &[Event]) -> String {
    let mut tries: Vec<Try> = Vec::new();
    let mut extra = [0; 2];
    for Event { t, step, kind, .. } in events {
        let t: MonoTime = *t;
        match kind {
            EventKind::Edge(edge) if edge.state == LineState::Released && mode != "at" => tries.push([edge.before_ns, edge.after_ns, 0, 0]),
            EventKind::StepStart(_) if mode == "flood" => extra[0] = t.as_ns(),
            EventKind::Match(_) if mode == "flood" => extra[1] = t.as_ns(),
            // Every second step is the pause between two commands.
            EventKind::StepStart(_) if mode == "at" && is_even(*step) => tries.push([t.as_ns(), 0, 0, 0]),
            EventKind::StepEnd(_) if mode == "at" && is_even(*step) => set(&mut tries, 3, t.as_ns()),
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => set(&mut tries, 2, bytes.from_ns),
            EventKind::Match(_) => set(&mut tries, 3, t.as_ns()),
            _ => {}
        }
    }
    let passed = events.iter().any(|event| matches!(&event.kind, EventKind::Verdict(verdict) if verdict.outcome == Outcome::Passed));
    serde_json::json!({ "miss": u8::from(!passed), "extra": extra, "iters": tries }).to_string()
}

fn is_even(step: Option<u16>) -> bool {
    step.is_some_and(|step| step.is_multiple_of(2))
}

fn set(tries: &mut [Try], place: usize, ns: u64) {
    if let Some(last) = tries.last_mut() {
        last[place] = ns;
    }
}
