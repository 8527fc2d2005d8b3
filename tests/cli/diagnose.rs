//! `diagnose` on virtual EVKITs that are treated as real boards.

use evkit_hil::diagnosis::Cause;
use evkit_hil::report::CaseReport;
use evkit_hil::seam::LineState;
use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Direction, EventKind};
use regex::Regex;
use rstest::rstest;
use rustix::process::Signal;

use crate::common::process::Output;
use crate::place::{Kit, Place, QUICK, eventually};

/// Answers at once and starts soon, with a boot window that a busy computer meets.
fn with_a_kit(settings: &[&str]) -> (Place, Kit) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", &[QUICK, &["boot-window=300 ms"], settings].concat());
    place.bench(&[("kit", "start-up: 5 s")]);
    (place, kit)
}

const BENCH: [&str; 5] = ["diagnose", "--bench", "bench.yaml", "--out", "out"];

fn diagnose(place: &Place, args: &[&str]) -> Output {
    place.output(&[&BENCH, args].concat())
}

fn report(place: &Place) -> CaseReport {
    CaseReport::read(&place.path("out")).expect("a timeline")
}

/// What was sent, and what lines were driven to.
fn commanded(place: &Place) -> (Vec<u8>, Vec<LineState>) {
    let mut reader = Reader::open(&place.path("out")).expect("readable");
    let (mut sent, mut edges) = (Vec::new(), Vec::new());
    while let Some(event) = reader.next() {
        match event.expect("whole").kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => sent.extend(reader.bytes(&bytes).expect("there")),
            EventKind::Edge(edge) => edges.push(edge.state),
            _ => {}
        }
    }
    (sent, edges)
}

#[test]
fn a_board_that_is_well() {
    let (place, kit) = with_a_kit(&[]);
    let output = diagnose(&place, &["--board", "kit"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{output:?}");
    let shape = r"^kit
    listen     nothing came in 2\.0 s
    ask        AT is answered at 115200 baud
    identity   ST87M01, version 2\.7\.0
    reset      #REBOOT_RESET, #SYSSTART [\d.]+ m?s after the release
    boot code  0x9A [\d.]+ m?s after the release; ATI0: ST8700 BOOT 1\.4\.0
    leave      the application answers AT

no cause was found: the application answers AT, it is an ST87M01, the reset line works, boot code takes the hotkey and answers, the application comes back\. An upload, sleep and the supply were not tried
found at 115200 baud, left at 115200 baud

\+0\.\d{6} s  -- listen: nothing is sent
(?:[+\[].*\n)+
timeline out
$";
    assert!(Regex::new(shape).expect("a pattern").is_match(&output.stderr), "{}", output.stderr);
    assert_eq!(kit.program(), "application");
    let (sent, edges) = commanded(&place);
    assert!(!sent.windows(3).any(|three| three == b"IPR") && !sent.windows(3).any(|three| three == b"#UP"));
    assert_eq!(edges, [LineState::Asserted, LineState::Released].repeat(2));
    // Again, into the same folder, with all of the transcript.
    let again = diagnose(&place, &["--transcript"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(!again.stderr.contains("are left out here"), "{again:?}");
}

#[test]
fn a_board_that_was_left_at_another_speed() {
    let (place, kit) = with_a_kit(&["speed=460800"]);
    let output = diagnose(&place, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for line in [
        "    ask        AT is answered at 460800 baud, not at 115200\n",
        "    cause      wrong-speed (certain): ",
        "    next       it answers at 115200 baud since ",
        "\nfound at 460800 baud, left at 115200 baud\n",
    ] {
        assert!(output.stderr.contains(line), "{line}: {}", output.stderr);
    }
    assert_eq!(report(&place).verdict.diagnosis.map(|diagnosis| diagnosis.cause), Some(Cause::WrongSpeed));
    assert_eq!(kit.program(), "application");
}

#[rstest]
#[case::of_a_bench(&["--bench", "bench.yaml", "--no-reset"], "")]
#[case::without_a_bench(&["--port", "kit"], "note: a port without a bench has no reset line: AT only, as with --no-reset\n")]
fn a_board_that_is_only_asked(#[case] args: &[&str], #[case] note: &str) {
    let (place, kit) = with_a_kit(&[]);
    let output = place.output(&[&["diagnose", "--out", "out"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.starts_with(&format!("{note}kit\n    listen  ")), "{output:?}");
    assert!(
        output.stderr.contains(
            "\nno cause was found: the application answers AT, it is an ST87M01. An upload, sleep and the supply were not tried\n"
        ),
        "{output:?}"
    );
    let (sent, edges) = commanded(&place);
    assert_eq!(edges, []);
    assert_eq!(String::from_utf8_lossy(&sent), "\rAT\rATI\rAT+CGMR\r");
    assert!(kit.command("state").contains(r#""speed":115200"#) && kit.command("state").contains(r#""edges":0"#));
}

#[test]
fn a_board_that_is_listened_to() {
    let (place, kit) = with_a_kit(&[]);
    let output = diagnose(&place, &["--listen", "--for", "300ms"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.contains("    listen     nothing came in 0.30 s\n\nno cause: nothing was asked\n"), "{output:?}");
    assert_eq!(commanded(&place), (Vec::new(), Vec::new()));
    assert_eq!(kit.program(), "application");
}

#[test]
fn what_cannot_be_diagnosed_is_said_and_nothing_is_touched() {
    let place = Place::new();
    place.bench(&[("kit", "kind: generic"), ("kat", "")]);
    for (args, said) in [
        (&["--board", "kot"][..], "error: --board kot: bench.yaml has no such board\nhint: did you mean k"),
        (&[], "error: bench.yaml has 2 boards, and one is diagnosed at a time\nhint: --board NAME says which: kit, kat\n"),
        (&["--board", "kit"], "error: kit is `kind: generic`: nobody knows what AT or a hotkey would do to it\n"),
        (&["--board", "kat", "--listen", "--no-reset"], "cannot be used with"),
        (&["--board", "kat", "--for", "3s"], "--listen"),
        (&["--port", "kat"], "cannot be used with"),
    ] {
        let output = diagnose(&place, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stderr.contains(said), "{args:?}: {output:?}");
    }
    let output = place.output(&["diagnose"]);
    assert!(output.status.code() == Some(2) && output.stderr.contains("<--bench <FILE>|--port <PORT>>"), "{output:?}");
    let output = diagnose(&place, &["--board", "kat"]);
    assert!(output.status.code() == Some(3) && output.stderr.contains("there is no port"), "{output:?}");
}

#[test]
fn a_board_that_a_run_holds_is_not_touched() {
    let (place, _kit) = with_a_kit(&[]);
    place.scenario("long", "steps:\n  - wait: 30 s\n");
    let run = place.start(&["run", "--bench", "bench.yaml", "--out", "run", "long.yaml"]);
    eventually("begun", || place.path("run/timelines/001-long/events.jsonl").exists().then_some(()));
    let output = diagnose(&place, &[]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("is in use by") && output.stderr.contains("long.yaml"), "{output:?}");
    run.signal(Signal::INT);
    run.wait();
}

#[rstest]
#[case(Signal::INT)]
#[case(Signal::TERM)]
fn a_diagnosis_that_is_told_to_end_leaves_the_line_released_and_the_application_answering(#[case] signal: Signal) {
    // Nothing comes after the release for as long as the examination waits for it.
    let (place, kit) = with_a_kit(&["application-start=2 s"]);
    let examination = place.start(&BENCH);
    kit.wait_until_held();
    examination.signal(signal);
    let output = examination.wait();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(output.stderr.contains("interrupted: putting the board back"), "{output:?}");
    assert!(output.stderr.contains("    leave      the application answers AT"), "{output:?}");
    assert!(output.stderr.contains("\ninterrupted\nfound at 115200 baud, left at 115200 baud\n"), "{output:?}");
    assert_eq!(kit.program(), "application");
}

#[test]
fn a_module_that_registers_is_not_restarted_too_often() {
    let (place, kit) = with_a_kit(&[]);
    place.bench(&[("kit", "start-up: 5 s\n    sim: live")]);
    let port = place.path("kit").canonicalize().expect("the port");
    let unit = format!("port{}", port.display().to_string().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    std::fs::create_dir_all(place.path("state/resets")).expect("made");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let file = format!("state/resets/{unit}.jsonl");
    place.write(&file, &format!("{{\"at_ms\":{now},\"restarts\":16}}\n"));
    let output = diagnose(&place, &[]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("16 in the last hour, and this case may do 5"), "{output:?}");
    assert!(output.stderr.contains("\nhint: --no-reset asks the board and does not restart it\n"), "{output:?}");
    assert_eq!(diagnose(&place, &["--no-reset"]).status.code(), Some(0));
    assert!(kit.command("state").contains(r#""edges":0"#));

    place.write(&file, &format!("{{\"at_ms\":{now},\"restarts\":15}}\n"));
    let output = diagnose(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let entries = std::fs::read_to_string(place.path(&file)).expect("there");
    let restarts =
        entries.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["restarts"].as_i64().expect("a number"));
    assert_eq!(restarts.collect::<Vec<_>>(), [15, 5, -5, 3]);
}
