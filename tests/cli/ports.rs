//! Ports that are missing, busy, not permitted, or vanish: each is an error of the rig that says what to do, and the JUnit file is complete.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::id;

use rstest::rstest;
use rustix::fs::FlockOperation;
use rustix::process::{Signal, geteuid};

use crate::common::process::{Output, Process};
use crate::place::{Kit, Place, QUICK, SOON, briefs, eventually};

const PULSE: &str = "steps:\n  - reset: { pulse: 15 ms }\n";

/// A board that could not be taken is one error with this reason and hint; its cases are blocked.
fn assert_given_up(place: &Place, output: &Output, reason: &str, hint: &str) {
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(3), ""), "{output:?}");
    assert!(output.stderr.contains("1 case: 1 blocked, 1 board given up\n"), "{output:?}");
    assert!(output.stderr.contains(hint), "{hint:?} is missing: {output:?}");
    let cases = place.junit();
    assert_eq!(cases.len(), 2, "{cases:?}");
    assert_eq!(cases[0].brief(), ("pulse", "skipped", "blocked: board kit"));
    assert_eq!((cases[1].suite.as_str(), cases[1].name.as_str(), cases[1].end.as_str()), ("boards", "board kit", "error"));
    assert!(cases[1].message.contains(reason), "{reason:?} is missing: {:?}", cases[1]);
    assert!(output.stderr.contains(reason), "{reason:?} is missing: {output:?}");
}

/// The device behind a kit's link.
fn device(place: &Place) -> PathBuf {
    fs::canonicalize(place.path("kit")).expect("a link")
}

/// Waits until a run has the lock's file open, which another one holds.
pub(crate) fn wait_until_it_waits(place: &Place, run: &Process) {
    let locks = place.path("state/locks");
    eventually("the lock's file open", || {
        let open = fs::read_dir(format!("/proc/{}/fd", run.id())).expect("it lives");
        open.flatten().find(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(&locks))).map(drop)
    });
}

#[test]
fn a_missing_port_says_what_was_looked_for() {
    let place = Place::new();
    place.scenario("pulse", PULSE);
    place.bench(&[("kit", "")]);
    let output = place.run(&["pulse.yaml"]);
    assert_given_up(&place, &output, "there is no port kit; ", "only while a program makes it");
    assert!(!place.path("state").exists(), "what is not there is not locked");
}

#[test]
fn a_board_that_another_run_holds_says_who_and_can_be_waited_for() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("pulse", PULSE);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 50 s\n");
    let holder = place.start(&["run", "--bench", "bench.yaml", "--out", "holder", "hold.yaml"]);
    kit.wait_until_held();

    let output = place.run(&["pulse.yaml"]);
    let holder_is = format!("(process {}, board kit): ", holder.id());
    assert_given_up(&place, &output, &holder_is, "; `--wait` waits for it");
    assert!(output.stderr.contains("evkit-hil run --bench bench.yaml --out holder hold.yaml"), "{output:?}");
    assert!(output.stderr.contains(&format!("given up: {} is in use by ", device(&place).display())), "{output:?}");
    let output = place.output(&["run", "--simulate", "--out", "holder"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{output:?}");
    let said = "error: another run is writing its results to holder\nhint: give this one a folder of its own: --out DIR\n";
    assert_eq!(output.stderr, said);
    let output = place.run(&["pulse.yaml", "--wait", "100 ms"]);
    assert_given_up(&place, &output, &holder_is, "; waited 100ms for it");
    assert_eq!(kit.program(), "reset", "the others did nothing to the board");

    let waiting = place.start_run(&["pulse.yaml", "--wait", "50 s"]);
    wait_until_it_waits(&place, &waiting);
    holder.signal(Signal::TERM);
    assert_eq!(holder.wait().status.code(), Some(130));
    let output = waiting.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(briefs(&place.junit()), [("pulse", "passed", "")]);
}

#[test]
fn a_port_that_another_program_holds_says_which() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("pulse", PULSE);
    let device = device(&place);
    let held = File::options().read(true).write(true).open(&device).expect("opened");
    rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).expect("ours");
    let before = kit.command("state");
    let output = place.run(&["pulse.yaml"]);
    let reason = format!("kit ({}) is busy: process {} (", device.display(), id());
    assert_given_up(&place, &output, &reason, "end that program, or wait for it");
    assert_eq!(kit.command("state"), before, "not a byte and not an edge");
    drop(held);
    assert_eq!(place.run(&["pulse.yaml"]).status.code(), Some(0), "free again");
}

#[test]
fn a_port_that_this_user_may_not_open_says_whose_it_is() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("pulse", PULSE);
    let device = device(&place);
    fs::set_permissions(&device, Permissions::from_mode(0o000)).expect("closed");
    // The reset line is permitted: it is the port that is not.
    fs::set_permissions(place.path("kit.ctl"), Permissions::from_mode(0o777)).expect("open to all");
    let absolute = |name: &str| place.path(name).display().to_string();
    let (bench, out, pulse) = (absolute("bench.yaml"), absolute("out"), absolute("pulse.yaml"));
    let command = place.command(&["run", "--bench", &bench, "--out", &out, &pulse]);
    let output = Process::start_as_nobody(command, SOON).wait();
    let owner = if geteuid().is_root() { "root" } else { "" };
    let reason = format!("no permission to open {} ({}): it belongs to {owner}", place.path("kit").display(), device.display());
    assert_given_up(&place, &output, &reason, "dialout");
    assert!(output.stderr.contains(", mode 0000"), "{output:?}");
}

#[rstest]
#[case::that_counts_as_real("")]
#[case::that_counts_as_virtual("virtual: kit.ctl")]
fn a_port_that_vanishes_in_a_case_is_one_error_and_blocks_the_rest(#[case] keys: &str) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", keys)]);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 50 s\nfinally:\n  - restore:\n");
    let run = place.start_run(&["hold.yaml", "healthy-handshake"]);
    place.wait_for_step(1, 1);
    kit.command("unplug");
    let output = run.wait();
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(3), ""), "{output:?}");
    assert_ne!(kit.program(), "reset", "the line is not the port's, and is released");

    let cases = place.junit();
    assert_eq!(cases.len(), 3, "{cases:?}");
    assert_eq!(cases[0].brief(), ("hold", "skipped", "blocked: board kit"));
    assert_eq!(cases[1].brief(), ("healthy handshake", "skipped", "blocked: board kit"));
    let (name, end, message) = cases[2].brief();
    assert_eq!((cases[2].suite.as_str(), name, end), ("boards", "board kit", "error"));
    assert!(message.starts_with("the port is gone: ") && message.ends_with(" (in the case hold)"), "{message}");
    assert!(cases[0].transcript.contains("port is gone"), "what came before is kept: {:?}", cases[0]);

    assert!(output.stderr.contains("2 cases: 2 blocked, 1 board given up\n"), "{output:?}");
    let block = output.stderr.split(" BLOCK kit  hold\n").nth(1).expect("told again");
    assert!(block.contains("   --> hold.yaml:5\n") && block.contains("step       wait: 50 s\n"), "{block}");
    assert!(
        block.contains("    cause      port-lost (certain): ") && block.contains("Look at the cable and the adapter, then run again"),
        "{block}"
    );
    assert!(!output.stderr.contains(" ERROR board kit\n"), "told of in the case: {output:?}");
}

#[test]
fn a_board_whose_process_is_killed_in_a_case_is_one_error() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "")]);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 50 s\n");
    let run = place.start_run(&["hold.yaml", "healthy-handshake"]);
    place.wait_for_step(1, 1);
    kit.process.kill_group();
    let output = run.wait();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("hint       the reset line could not be released: "), "{output:?}");
    let guardian = "a line of a run that ended was NOT released: socket kit.ctl is not there";
    assert!(output.stderr.contains(guardian), "the guardian tried as well: {output:?}");
    let cases = place.junit();
    let ends: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.end.as_str())).collect();
    assert_eq!(ends, [("hold", "skipped"), ("healthy handshake", "skipped"), ("board kit", "error")]);
}

/// The board that is set up is another process than the one that runs the case, and dies first.
#[test]
fn a_board_that_cannot_be_set_up_for_its_next_case_is_one_error() {
    let place = Place::new();
    let [kit, other] = ["kit", "other"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("kit", "virtual: other.ctl")]);
    place.scenario("first", "may-reset: true\nsteps:\n  - reset: assert\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 50 s }\n");
    let run = place.start_run(&["first.yaml", "healthy-handshake"]);
    kit.wait_until_held();
    other.process.kill_group();
    kit.command("reset release");
    let output = run.wait();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let cases = place.junit();
    let ends: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.end.as_str())).collect();
    assert_eq!(ends, [("first", "passed"), ("healthy handshake", "skipped"), ("board kit", "error")]);
    assert!(cases[2].message.contains("other.ctl closed the connection"), "{cases:?}");
}
