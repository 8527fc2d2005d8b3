//! A reset line that a person drives, at a terminal that the test holds.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use evkit_hil::seam::LineState;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::EventKind;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::OpenptFlags;

use crate::common::process::Process;
use crate::place::{Kit, PROGRAM, Place, QUICK, RUN, SOON, eventually};

const PRESS: &str = "press and HOLD the reset button of kit, then Enter";
const LET_GO: &str = "let go of the reset button of kit, then Enter";

/// A terminal, and what was written to it.
struct Terminal {
    master: Arc<OwnedFd>,
    slave: OwnedFd,
    seen: Arc<(Mutex<String>, Condvar)>,
}

impl Terminal {
    fn new() -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        rustix::pty::grantpt(&master).expect("granted");
        rustix::pty::unlockpt(&master).expect("unlocked");
        let name = rustix::pty::ptsname(&master, Vec::new()).expect("named").into_bytes();
        let path = PathBuf::from(std::ffi::OsString::from_vec(name));
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).expect("opened");
        let (master, seen) = (Arc::new(master), Arc::<(Mutex<String>, Condvar)>::default());
        let (reader, filled) = (Arc::clone(&master), Arc::clone(&seen));
        // Ends with the test program: the other end stays open for as long as the test holds it.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = rustix::io::read(&*reader, &mut buffer) {
                filled.0.lock().expect("no panic").push_str(&String::from_utf8_lossy(&buffer[..n]));
                filled.1.notify_all();
            }
        });
        Self { master, slave, seen }
    }

    /// Waits until it shows `text` for the `count`th time, and returns all that it was sent.
    fn wait_for(&self, text: &str, count: usize) -> String {
        let seen = self.seen.0.lock().expect("no panic");
        let (seen, timeout) = self.seen.1.wait_timeout_while(seen, SOON, |seen| seen.matches(text).count() < count).expect("no panic");
        assert!(!timeout.timed_out(), "{text} was not shown, only {seen:?}");
        seen.clone()
    }

    fn type_text(&self, text: &str) {
        rustix::io::write(&*self.master, text.as_bytes()).expect("typed");
    }
}

/// A kit whose button is pressed by hand, at a terminal.
fn at_terminal() -> (Place, Kit, Terminal) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.write(
        "bench.yaml",
        "format: 1\nhost-late: 200 ms\nboards:\n  kit: { port: kit, reset: { backend: manual, within: 1 min }, allow: [speed] }\n",
    );
    place.scenario("pulse", "deadline: 3 s\nsteps:\n  - reset: { pulse: 15 ms }\n  - at: { command: AT, tries: 20, within: 100 ms }\n");
    (place, kit, Terminal::new())
}

/// Starts the program in a session of its own with the terminal as its controlling terminal, standard input and standard error, behind a `setsid` that waits for it.
fn start_at(place: &Place, terminal: &Terminal, args: &[&str]) -> Process {
    let end = || Stdio::from(terminal.slave.try_clone().expect("a second descriptor"));
    let mut command = behind_setsid(place, &["--ctty", "--wait"], args);
    command.stdin(end());
    Process::start_between(command, SOON, None, Stdio::piped(), end())
}

fn behind_setsid(place: &Place, options: &[&str], args: &[&str]) -> Command {
    let mut command = Command::new("setsid");
    command.args(options).arg(PROGRAM).args(args).current_dir(place.path("")).env("EVKIT_HIL_STATE_DIR", place.path("state"));
    command
}

/// The number of the program that a `setsid` has started, once it is there.
fn inner(process: &Process) -> Pid {
    child_of(process.id())
}

fn child_of(parent: u32) -> Pid {
    let children = format!("/proc/{parent}/task/{parent}/children");
    eventually("a child", || {
        let listed = std::fs::read_to_string(&children).ok()?;
        listed.split_whitespace().next()?.parse().ok().and_then(Pid::from_raw)
    })
}

fn start(place: &Place, terminal: &Terminal) -> Process {
    start_at(place, terminal, &[&RUN[..], &["pulse.yaml"]].concat())
}

#[test]
fn a_person_is_asked_confirms_and_both_are_on_the_timeline() {
    let (place, kit, terminal) = at_terminal();
    let run = start(&place, &terminal);
    // What is typed before the question is no answer to it.
    terminal.type_text("\n");
    terminal.wait_for(PRESS, 1);
    kit.command("reset assert");
    place.wait_for_event(1, "the question", |event| matches!(event.kind, EventKind::Asked(_)));
    // The person takes far longer than the progress is left alone between two drawings, and longer than the case may take.
    let pressed = Instant::now() + Duration::from_millis(3300);
    while Instant::now() < pressed {
        kit.program();
    }
    terminal.type_text("\n");
    let shown = terminal.wait_for(LET_GO, 1);
    let between = shown.split(PRESS).nth(1).and_then(|rest| rest.split(LET_GO).next()).expect("both questions");
    assert!(between.starts_with("\r\n\r\n"), "the end of the question, and then the Enter: {between:?}");
    kit.command("reset release");
    terminal.type_text("\n");
    let output = run.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}: {}", terminal.wait_for("Summary", 1));

    let events: Vec<_> =
        Reader::open(&place.timeline(1).expect("a timeline")).expect("readable").map(|event| event.expect("whole")).collect();
    let story: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Asked(asked) => Some(format!("asked {}: {}", asked.line, asked.question)),
            EventKind::Confirmed(confirmed) => {
                assert!(matches!(&events[usize::try_from(confirmed.asked).expect("small")].kind, EventKind::Asked(_)));
                Some(format!("confirmed {}", confirmed.line))
            }
            EventKind::Edge(edge) => {
                assert!(edge.before_ns < edge.after_ns);
                Some(format!("{} {:?}", edge.line, edge.state))
            }
            _ => None,
        })
        .collect();
    let half =
        |question: &str, state: LineState| [format!("asked reset: {question}"), "confirmed reset".to_owned(), format!("reset {state:?}")];
    assert_eq!(story, [half(PRESS, LineState::Asserted), half(LET_GO, LineState::Released)].concat());
}

#[test]
fn without_a_terminal_the_board_is_given_up_with_the_reason() {
    let (place, _kit, _terminal) = at_terminal();
    let command = behind_setsid(&place, &["--wait"], &[&RUN[..], &["pulse.yaml"]].concat());
    let output = Process::start(command, SOON).wait();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        output.stderr.contains(
            "board kit is given up: a person at a terminal is not there: a line of `backend: manual` is driven by whoever sits there"
        ),
        "{output:?}"
    );
}

#[test]
fn a_run_that_is_told_to_end_while_it_asks_asks_to_let_go_and_a_second_signal_ends_it() {
    let (place, _kit, terminal) = at_terminal();
    let run = start(&place, &terminal);
    terminal.wait_for(PRESS, 1);
    kill_process(inner(&run), Signal::TERM).expect("signalled");
    terminal.wait_for(LET_GO, 1);
    terminal.type_text("\n");
    let output = run.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}: {:?}", terminal.seen.0.lock());
}

#[test]
fn when_the_run_is_killed_the_guardian_says_what_the_person_must_do() {
    let (place, _kit, terminal) = at_terminal();
    // A shell leads the session, as it does at a real terminal: with its leader's death a terminal is hung up, and nobody could be told anything there.
    let shell = ["--ctty", "--wait", "sh", "-c", "\"$0\" \"$@\"; exec sleep 60"];
    let mut command = behind_setsid(&place, &shell, &[&RUN[..], &["pulse.yaml"]].concat());
    let end = || Stdio::from(terminal.slave.try_clone().expect("a second descriptor"));
    command.stdin(end());
    let run = Process::start_between(command, SOON, None, Stdio::piped(), end());
    terminal.wait_for(PRESS, 1);
    let shell = inner(&run);
    kill_process(child_of(shell.as_raw_nonzero().get().cast_unsigned()), Signal::KILL).expect("killed");
    let said = terminal.wait_for("evkit-hil guardian: the run has ended: let go of the reset button of kit", 1);
    assert!(!said.contains("NOT released"), "{said}");
    kill_process(shell, Signal::KILL).expect("killed");
    drop(run);
}

#[test]
fn release_asks_the_person() {
    let (place, _kit, terminal) = at_terminal();
    let release = start_at(&place, &terminal, &["release", "--bench", "bench.yaml"]);
    terminal.wait_for(LET_GO, 1);
    terminal.type_text("\n");
    let output = release.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    eventually("the end", || terminal.seen.0.lock().expect("no panic").contains("kit: released").then_some(()));
}

#[test]
fn a_question_reaches_the_person_also_when_standard_error_is_a_file() {
    let (place, _kit, terminal) = at_terminal();
    let log = std::fs::File::create(place.path("log")).expect("made");
    let mut command = behind_setsid(&place, &["--ctty", "--wait"], &[&RUN[..], &["pulse.yaml"]].concat());
    command.stdin(Stdio::from(terminal.slave.try_clone().expect("a second descriptor")));
    let run = Process::start_between(command, SOON, None, Stdio::piped(), log.into());
    for question in [PRESS, LET_GO] {
        terminal.wait_for(question, 1);
        terminal.type_text("\n");
    }
    let output = run.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_person_is_asked_once_for_a_diagnosis_which_does_not_try_a_window_that_is_over() {
    let (place, kit, terminal) = at_terminal();
    let run = start_at(&place, &terminal, &["diagnose", "--bench", "bench.yaml", "--out", "out"]);
    terminal.wait_for(PRESS, 1);
    kit.command("reset assert");
    terminal.type_text("\n");
    terminal.wait_for(LET_GO, 1);
    kit.command("reset release");
    // The application has started long before the person says so.
    let confirmed = Instant::now() + Duration::from_millis(1300);
    while Instant::now() < confirmed {
        kit.program();
    }
    terminal.type_text("\n");
    let output = run.wait();
    let shown = terminal.wait_for("timeline out", 1);
    assert_eq!(output.status.code(), Some(0), "{output:?}: {shown}");
    assert!(shown.contains("#REBOOT_RESET, #SYSSTART ") && shown.contains("not asked: the boot window may be over"), "{shown}");
    assert_eq!(shown.matches(PRESS).count(), 2, "the question, and the transcript: {shown}");
    assert_eq!(kit.program(), "application");
}
