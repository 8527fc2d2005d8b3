//! `board`: reserving boards, and who has them.

use std::fs;
use std::path::PathBuf;

use rustix::process::geteuid;

use crate::common::process::{Output, Process};
use crate::place::{Kit, Place, QUICK, SOON, briefs};
use crate::ports::wait_until_it_waits;

fn board(place: &Place, args: &[&str]) -> Output {
    place.output(&[&["board"], args, &["--bench", "bench.yaml"]].concat())
}

fn lock(place: &Place, duration: &str) -> Output {
    board(place, &["lock", "kit", "--for", duration, "--why", "RF tests"])
}

/// The one file of a reservation.
fn reservation(place: &Place) -> PathBuf {
    let files = fs::read_dir(place.path("state/locks")).expect("made").map(|entry| entry.expect("read").path());
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "reserved")).expect("a reservation")
}

/// Makes the reservation that of a user with another number and another name.
fn of_somebody_else(place: &Place) {
    let file = reservation(place);
    let mut said: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("there")).expect("JSON");
    said["uid"] = 4_000_000_000_u32.into();
    said["holder"] = "somebody\u{1b}[2J".into();
    fs::write(file, said.to_string()).expect("written");
}

fn with_a_kit() -> (Place, Kit) {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "kind: generic")]);
    place.scenario("pulse", "steps:\n  - reset: { pulse: 15 ms }\n");
    (place, kit)
}

#[test]
fn ones_own_runs_are_let_in() {
    let (place, _kit) = with_a_kit();
    let output = lock(&place, "2h");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.starts_with("kit: reserved by ") && output.stderr.ends_with("Z: RF tests\n"), "{output:?}");
    assert_eq!(place.run(&["pulse.yaml"]).status.code(), Some(0));
    let output = board(&place, &["unlock", "kit"]);
    assert!(output.stderr.starts_with("kit: no longer reserved; it was by "), "{output:?}");
    assert_eq!(board(&place, &["unlock", "kit"]).stderr, "kit: nobody had reserved it\n");
}

#[test]
fn another_user_is_told_who_until_when_and_why() {
    let (place, kit) = with_a_kit();
    lock(&place, "2 h");
    of_somebody_else(&place);
    let before = kit.command("state");
    let output = place.run(&["pulse.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("is reserved by somebody\\u{1b}[2J until 20"), "{output:?}");
    assert!(
        output
            .stderr
            .contains("`--wait` waits for it; `evkit-hil board unlock kit --bench bench.yaml --force` ends the reservation: ask first")
    );
    let cases = place.junit();
    assert_eq!(cases[0].brief(), ("pulse", "skipped", "blocked: board kit"));
    assert_eq!(kit.command("state"), before, "nothing was done to it");

    for args in [&["unlock", "kit"][..], &["lock", "kit", "--for", "1h", "--why", "mine"]] {
        let output = board(&place, args);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(output.stderr.contains("is reserved by somebody") && output.stderr.contains("--force"), "{output:?}");
    }
    let output = board(&place, &["unlock", "kit", "--force"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.starts_with("kit: no longer reserved; it was by somebody\\u{1b}[2J until 20"), "{output:?}");
    assert_eq!(place.run(&["pulse.yaml"]).status.code(), Some(0));
}

#[test]
fn a_reserved_board_that_no_run_has_is_let_go_of() {
    let (place, kit) = with_a_kit();
    lock(&place, "2 h");
    of_somebody_else(&place);
    kit.command("reset assert");
    let output = place.output(&["release", "--bench", "bench.yaml", "--if-free"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), "kit: released\n"));
    assert_ne!(kit.program(), "reset");
}

#[test]
fn two_users_of_a_machine_see_each_others_reservations() {
    let (place, _kit) = with_a_kit();
    // The directory of the locks is made by whoever comes first, for all where that is root.
    lock(&place, "1h");
    board(&place, &["unlock", "kit"]);
    let bench = place.path("bench.yaml");
    let bench = bench.to_str().expect("text");
    let command = place.command(&["board", "lock", "kit", "--for", "1h", "--why", "RF tests", "--bench", bench]);
    let output = Process::start_as_nobody(command, SOON).wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = place.run(&["pulse.yaml"]);
    if geteuid().is_root() {
        assert!(output.status.code() == Some(3) && output.stderr.contains("is reserved by nobody until 20"), "{output:?}");
    } else {
        // There is no other user to be had: it is our own.
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(board(&place, &["unlock", "kit", "--force"]).status.code(), Some(0));
    assert_eq!(place.run(&["pulse.yaml"]).status.code(), Some(0));
}

#[test]
fn a_reservation_ends_by_itself_and_can_be_waited_for() {
    let (place, _kit) = with_a_kit();
    lock(&place, "1 ms");
    of_somebody_else(&place);
    crate::place::eventually("the reservation to end", || (board(&place, &["unlock", "kit"]).status.code() == Some(0)).then_some(()));
    lock(&place, "1h");
    of_somebody_else(&place);
    let run = place.start_run(&["pulse.yaml", "--wait", "1h"]);
    wait_until_it_waits(&place, &run);
    assert_eq!(board(&place, &["unlock", "kit", "--force"]).status.code(), Some(0));
    let output = run.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(briefs(&place.junit()), [("pulse", "passed", "")]);
    // One that is too short for it says how long it was.
    lock(&place, "1h");
    of_somebody_else(&place);
    let output = place.run(&["pulse.yaml", "--wait", "60ms"]);
    assert!(output.status.code() == Some(3) && output.stderr.contains("; waited 60ms for it"), "{output:?}");
}

#[test]
fn the_list_says_who_has_which_board_and_touches_none() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench(&[("kit", "identity: { imei: 359876543210987 }\n    health: true"), ("gone", "kind: generic")]);
    let before = kit.command("state");
    let output = board(&place, &["list"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(
        output.stdout,
        "BOARD  PORT              KIND     IDENTITY              HELD BY  UNTIL  WHY\n\
         kit    kit               st87m01  imei 359876543210987  -        -      -\n\
         gone   gone (not there)  generic  -                     -        -      -\n"
    );
    assert!(!place.path("state").exists(), "looking makes nothing");
    lock(&place, "1h");
    let listed = board(&place, &["list"]).stdout;
    assert!(listed.lines().nth(1).is_some_and(|line| line.contains("Z  RF tests")), "{listed}");
    assert_eq!(kit.command("state"), before);
}

#[test]
fn the_list_names_a_run_and_the_unit_that_it_found() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", &["application-start=50 ms", "imei=359876543210987"]);
    place.bench(&[("kit", "")]);
    place.scenario("long", "steps:\n  - wait: 30 s\n");
    let run = place.start_run(&["long.yaml"]);
    place.wait_for_step(1, 0);
    lock(&place, "1h");
    let listed = board(&place, &["list"]).stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[1].contains("imei 359876543210987") && lines[1].ends_with("Z  RF tests"), "{listed}");
    assert!(lines[2].starts_with("      ") && lines[2].contains("its end") && lines[2].ends_with("long.yaml"), "{listed}");
    run.signal(rustix::process::Signal::INT);
    assert_eq!(run.wait().status.code(), Some(130));
}

#[test]
fn what_is_wrong_with_a_reservation_is_said() {
    let (place, _kit) = with_a_kit();
    for (args, said) in [
        (&["lock", "kot", "--for", "1h", "--why", "x"][..], "error: bench.yaml: no board is called kot\nhint: its only board is kit\n"),
        (&["lock", "kit", "--for", "2", "--why", "x"], "`2` has no unit"),
        (&["lock", "kit", "--for", "0s", "--why", "x"], "error: --for 0: a reservation that has ended\n"),
        (&["lock", "kit", "--for", "1h", "--why", " "], "error: --why says nothing\n"),
        (&["lock", "kit", "--for", "1h"], "--why <TEXT>"),
    ] {
        let output = board(&place, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stderr.contains(said), "{args:?}: {output:?}");
    }
    place.bench(&[("gone", "kind: generic")]);
    let output = board(&place, &["lock", "gone", "--for", "1h", "--why", "x"]);
    assert!(output.status.code() == Some(3) && output.stderr.contains("there is no port"), "{output:?}");
}
