//! `release`: lets go of every line of a bench, whoever holds the boards.

use rustix::process::Signal;

use crate::place::{Kit, Place, QUICK};

#[test]
fn release_lets_go_of_a_board_that_another_run_holds() {
    let place = Place::new();
    let [one, _two] = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "")]);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 50 s\n");
    let run = place.start_run(&["--board", "one", "hold.yaml"]);
    one.wait_until_held();
    let output = place.output(&["release", "--bench", "bench.yaml"]);
    assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", "one: released\ntwo: released\n"));
    assert_ne!(one.program(), "reset");
    // What the holder makes of it is its own affair.
    drop(run);
}

#[test]
fn release_of_what_is_free_leaves_a_run_alone() {
    let place = Place::new();
    let [one, two] = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "")]);
    place.scenario("hold", "steps:\n  - reset: assert\n  - wait: 50 s\n");
    let run = place.start_run(&["--board", "one", "hold.yaml"]);
    one.wait_until_held();
    two.command("reset assert");
    let output = place.output(&["release", "--bench", "bench.yaml", "--if-free"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines: Vec<_> = output.stderr.lines().collect();
    assert!(lines[0].starts_with("one: left alone, in use by ") && lines[0].ends_with("hold.yaml"), "{output:?}");
    assert_eq!(lines[1..], ["two: released"]);
    assert_eq!((one.program().as_str(), two.program() == "reset"), ("reset", false));

    run.signal(Signal::INT);
    assert_eq!(run.wait().status.code(), Some(130));
    one.command("reset assert");
    let output = place.output(&["release", "--bench", "bench.yaml", "--if-free"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), "one: released\ntwo: released\n"));
    assert_ne!(one.program(), "reset");
}

#[test]
fn release_lets_go_of_the_boards_that_are_named_and_of_no_others() {
    let place = Place::new();
    let [one, two] = ["one", "two"].map(|name| Kit::start(&place, name, QUICK));
    place.bench(&[("one", ""), ("two", "")]);
    for kit in [&one, &two] {
        kit.command("reset assert");
    }
    let output = place.output(&["release", "--bench", "bench.yaml", "--board", "two"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), "two: released\n"));
    assert_eq!(one.program(), "reset");
    let output = place.output(&["release", "--bench", "bench.yaml", "--board", "tow"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("did you mean two?"), "{output:?}");
}

#[test]
fn release_says_which_line_it_could_not_release_and_releases_the_others() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    kit.command("reset assert");
    place.bench(&[("gone", ""), ("kit", "")]);
    let output = place.output(&["release", "--bench", "bench.yaml"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(3), ""), "{output:?}");
    let expected = "gone: not released: socket gone.ctl is not there: \
                    start the program that makes it (`evkit-hil virtual --control PATH`), or mend the path\nkit: released\n";
    assert_eq!(output.stderr, expected);
    assert_ne!(kit.program(), "reset");
}

#[test]
fn release_lets_go_of_every_line_and_leaves_the_supply() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", QUICK);
    place.bench_with_lines();
    for command in ["power off", "wake assert", "reset assert"] {
        kit.command(command);
    }
    let output = place.output(&["release", "--bench", "bench.yaml"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), "kit: released\nkit wake: released\n"));
    assert_eq!(kit.power_and_wake(), ("off".to_owned(), "released".to_owned()));
}
