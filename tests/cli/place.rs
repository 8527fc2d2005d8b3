//! A folder in which the program is run, the virtual EVKITs beside it, and what a run leaves there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use evkit_hil::link::ControlClient;
use evkit_hil::report::CaseReport;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Event, EventKind};

use crate::common::process::{Output, Process};
use crate::xml::{self, Element};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_evkit-hil");
/// How long anything here may take, on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// Settings of a virtual EVKIT that starts at once.
pub(crate) const QUICK: &[&str] = &["boot-window=20 ms", "application-start=50 ms"];

/// Waits until `look` finds something.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(SOON, what, look)
}

/// Waits until `look` finds something, for so long.
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        pause();
    }
}

/// Between two looks at what another process does; nothing relies on how long it is.
#[expect(clippy::disallowed_methods, reason = "the state of a process that is no child of ours cannot be polled for")]
fn pause() {
    thread::sleep(Duration::from_millis(2));
}

/// A folder of its own, open to every user; results go to `out` in it and locks to `state`.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("open to all");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    /// A scenario file: its name is the scenario's with `.yaml`.
    pub(crate) fn scenario(&self, name: &str, body: &str) {
        self.write(&format!("{name}.yaml"), &format!("format: 1\nscenario: {name}\n{body}"));
    }

    /// `bench.yaml` with these boards, each a name (of a kit) and its further keys.
    pub(crate) fn bench(&self, boards: &[(&str, &str)]) {
        let board = |(name, keys): &(&str, &str)| {
            format!("  {name}:\n    port: {name}\n    reset: {{ backend: socket, path: {name}.ctl }}\n    {keys}\n")
        };
        let boards: String = boards.iter().map(board).collect();
        self.write("bench.yaml", &format!("format: 1\nhost-late: 200 ms\nboards:\n{boards}"));
    }

    /// `bench.yaml` with one board, `kit`, that has a wake line and a supply to switch.
    pub(crate) fn bench_with_lines(&self) {
        let line = "{ backend: socket, path: kit.ctl }";
        let keys = format!("lines: {{ wake: {line} }}\n    power: {line}\n    allow: [power]");
        self.bench(&[("kit", &keys)]);
    }

    /// The program with these arguments, in this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.folder.path()).env("EVKIT_HIL_STATE_DIR", self.path("state"));
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Process {
        Process::start(self.command(args), SOON)
    }

    /// Runs the program to its end.
    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.start(args).wait()
    }

    /// `run` on the boards of `bench.yaml`, with results in `out`.
    pub(crate) fn start_run(&self, args: &[&str]) -> Process {
        self.start(&[&RUN, args].concat())
    }

    /// The same to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.start_run(args).wait()
    }

    /// The cases of the JUnit file of the last run. Boards that passed their health cases are not among them.
    pub(crate) fn junit(&self) -> Vec<Case> {
        let cases = junit_cases(&self.path("out/junit.xml"));
        cases.into_iter().filter(|case| case.suite != "boards" || case.end != "passed").collect()
    }

    /// The timeline's folder of the case with this number, from 1.
    pub(crate) fn timeline(&self, number: usize) -> Option<PathBuf> {
        let folders = fs::read_dir(self.path("out/timelines")).ok()?;
        let beginning = format!("{number:03}-");
        folders
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&beginning)))
    }

    /// The report of the case with this number.
    pub(crate) fn report(&self, number: usize) -> CaseReport {
        CaseReport::read(&self.timeline(number).expect("a timeline")).expect("readable")
    }

    /// Waits until a step of a case has begun; steps count from 0, through `finally`.
    pub(crate) fn wait_for_step(&self, case: usize, step: u16) {
        let what = format!("step {step} of case {case}");
        self.wait_for_event(case, &what, |event| event.step == Some(step) && matches!(event.kind, EventKind::StepStart(_)));
    }

    /// Waits until the timeline of a case, which may be growing, has such an event.
    pub(crate) fn wait_for_event(&self, number: usize, what: &str, is_it: impl Fn(&Event) -> bool) {
        // Its first line may not be whole yet.
        let events = || Reader::open(&self.timeline(number)?).ok();
        eventually(what, || events()?.map(|event| event.expect("a whole event")).find(&is_it).map(drop));
    }
}

/// How runs begin here.
pub(crate) const RUN: [&str; 5] = ["run", "--bench", "bench.yaml", "--out", "out"];

/// A virtual EVKIT in a process of its own.
pub(crate) struct Kit {
    pub(crate) process: Process,
    control: PathBuf,
}

impl Kit {
    /// `evkit-hil virtual` with its port at `NAME` and its control socket at `NAME.ctl`.
    pub(crate) fn start(place: &Place, name: &str, settings: &[&str]) -> Self {
        let control = format!("{name}.ctl");
        let mut args = vec!["virtual", "--link", name, "--control", &control];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        let process = place.start(&args);
        process.wait_for("\n");
        Self { process, control: place.path(&control) }
    }

    /// Sends a command on a connection of its own, and returns what is answered behind `ok`.
    pub(crate) fn command(&self, command: &str) -> String {
        let mut client = ControlClient::connect(&self.control).expect("connected").with_deadline(SOON);
        client.command(command).expect("carried out")
    }

    /// What it runs: `reset` while it is held.
    pub(crate) fn program(&self) -> String {
        let state: serde_json::Value = serde_json::from_str(&self.command("state")).expect("JSON");
        state["program"].as_str().expect("a word").to_owned()
    }

    /// What somebody does with its supply and its wake line.
    pub(crate) fn power_and_wake(&self) -> (String, String) {
        let state: serde_json::Value = serde_json::from_str(&self.command("state")).expect("JSON");
        let word = |key: &str| state[key].as_str().expect("a word").to_owned();
        (word("power"), word("wake"))
    }

    /// Waits until somebody holds it in reset.
    pub(crate) fn wait_until_held(&self) {
        eventually("held in reset", || (self.program() == "reset").then_some(()));
    }
}

/// A test case of a JUnit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) suite: String,
    pub(crate) name: String,
    /// `passed`, or the element that says how it ended.
    pub(crate) end: String,
    /// That element's message.
    pub(crate) message: String,
    /// What it wrote to standard output, which is the transcript.
    pub(crate) transcript: String,
}

impl Case {
    /// Name, end and message.
    pub(crate) fn brief(&self) -> (&str, &str, &str) {
        (&self.name, &self.end, &self.message)
    }
}

/// The cases of a JUnit file, which must be well-formed and count them rightly.
pub(crate) fn junit_cases(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let root = xml::parse(&text);
    let cases: Vec<Case> =
        root.children.iter().flat_map(|suite| suite.all("testcase").into_iter().map(|case| junit_case(suite, case))).collect();
    let count = |end: &str| cases.iter().filter(|case| case.end == end).count().to_string();
    assert_eq!(root.attribute("tests"), cases.len().to_string());
    assert_eq!((root.attribute("errors"), root.attribute("failures")), (count("error").as_str(), count("failure").as_str()));
    cases
}

fn junit_case(suite: &Element, case: &Element) -> Case {
    let ended = case.children.iter().find(|child| ["failure", "error", "skipped"].contains(&child.name.as_str()));
    Case {
        suite: suite.attribute("name").to_owned(),
        name: case.attribute("name").to_owned(),
        end: ended.map_or_else(|| "passed".to_owned(), |ended| ended.name.clone()),
        message: ended.map(|ended| ended.attribute("message").to_owned()).unwrap_or_default(),
        transcript: case.all("system-out").into_iter().map(|out| out.text.as_str()).collect(),
    }
}

/// Names, ends and messages of cases, for a comparison.
pub(crate) fn briefs(cases: &[Case]) -> Vec<(&str, &str, &str)> {
    cases.iter().map(Case::brief).collect()
}
