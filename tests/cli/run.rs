//! `run` without a bench: virtual boards of the run's own, on PTYs and on simulated time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use evkit_hil::report::CaseReport;
use evkit_hil::timeline::event::Outcome;

use crate::place::{Place, briefs, junit_cases};

#[test]
fn a_run_on_virtual_boards_writes_junit_and_timelines_and_says_where() {
    let place = Place::new();
    place.write("Cargo.toml", "");
    let output = place.output(&["run", "healthy-handshake", "left-at-460800"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{output:?}");
    assert!(!output.stderr.contains('\u{1b}'), "an escape code although this is no terminal: {output:?}");
    let mut lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.pop(), Some("   JUnit target/evkit-hil/junit.xml"));
    assert!(lines.pop().is_some_and(|line| line.starts_with("Summary [") && line.ends_with("] 2 cases: 2 passed")), "{output:?}");
    lines.sort_unstable_by_key(|line| line.rsplit("  ").next());
    assert_eq!(lines.len(), 2, "{output:?}");
    for (line, case) in lines.iter().zip(["healthy handshake", "left at 460800"]) {
        assert!(line.starts_with("  PASS [") && line.contains("] virtual-") && line.ends_with(case), "{line}");
    }

    let cases = junit_cases(&place.path("target/evkit-hil/junit.xml"));
    assert_eq!(briefs(&cases), [("healthy handshake", "passed", ""), ("left at 460800", "passed", "")]);
    for case in &cases {
        let places = case.transcript.lines().next().and_then(|line| line.strip_prefix("timeline: ")).expect("named first");
        let files: Vec<PathBuf> = places.split(" and ").map(|file| place.path("target/evkit-hil").join(file)).collect();
        assert!(files.len() == 2 && files.iter().all(|file| file.is_file()), "{files:?}");
        let report = CaseReport::read(files[0].parent().expect("a folder")).expect("readable");
        assert_eq!((report.case.name.as_str(), report.outcome()), (case.name.as_str(), Outcome::Passed));
        assert_eq!(report.case.link.as_deref(), Some("pty"));
    }
}

#[test]
fn a_failed_case_is_told_again_at_the_end_with_its_line_and_the_run_exits_with_1() {
    let place = Place::new();
    place.scenario("wrong", "steps:\n  - at: { command: AT, answer: ERROR, because: nobody is that rude }\n");
    let output = place.output(&["run", "--simulate", "wrong.yaml", "healthy-handshake"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let block = output.stderr.split("  FAIL simulated  wrong\n").nth(1).expect("told again");
    for part in [
        "   --> wrong.yaml:4\n",
        "expected   ",
        "because nobody is that rude",
        "seen       ",
        "-> AT\\r\n",
        "timeline   evkit-hil-out/timelines/001-wrong\n",
    ] {
        assert!(block.contains(part), "{part:?} is missing in {block}");
    }
    assert!(block.contains("2 cases: 1 passed, 1 failed\n   JUnit evkit-hil-out/junit.xml\n"), "{block}");
    let cases = junit_cases(&place.path("evkit-hil-out/junit.xml"));
    assert_eq!([cases[0].end.as_str(), cases[1].end.as_str()], ["failure", "passed"]);
}

/// Every file below a folder, by its path in it.
fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder").map(|entry| entry.expect("read").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let content = fs::read(&entry).expect("read");
                found.insert(entry.strip_prefix(folder).expect("below").to_owned(), content);
            }
        }
    }
    found
}

#[test]
fn the_same_seed_gives_the_same_files_to_the_byte() {
    let place = Place::new();
    let run = |seed, out| {
        let output = place.output(&["run", "--simulate", "--seed", seed, "--out", out]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        files_in(&place.path(out))
    };
    let (first, second) = (run("3", "first"), run("3", "second"));
    assert!(first.contains_key(Path::new("junit.xml")) && first.len() > 20, "{:?}", first.keys());
    assert!(first.keys().eq(second.keys()), "{:?}\n{:?}", first.keys(), second.keys());
    for (file, content) in &first {
        assert!(second[file] == *content, "{} differs", file.display());
    }
    assert!(run("4", "third")[Path::new("junit.xml")] != first[Path::new("junit.xml")], "another seed changes nothing");
}

#[test]
fn a_run_removes_the_timelines_of_the_run_before_and_nothing_else() {
    let place = Place::new();
    let run = |scenarios: &[&str]| {
        let output = place.output(&[&["run", "--simulate", "--out", "out", "--junit", "here/results.xml"], scenarios].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.ends_with("\n   JUnit here/results.xml\n"), "{output:?}");
    };
    run(&["healthy-handshake", "upgrade"]);
    fs::create_dir(place.path("out/timelines/mine")).expect("made");
    place.write("out/timelines/mine/notes", "keep");
    run(&["upgrade"]);
    let mut left: Vec<_> =
        fs::read_dir(place.path("out/timelines")).expect("there").map(|entry| entry.expect("read").file_name()).collect();
    left.sort_unstable();
    assert_eq!(left, ["001-upgrade", "mine"]);
    assert_eq!(junit_cases(&place.path("here/results.xml")).len(), 1);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let place = Place::new();
    let stderr = |args: &[&str]| place.output(&[&["run", "--simulate", "healthy-handshake"], args].concat()).stderr;
    assert!(stderr(&["--color", "always"]).contains("\u{1b}["));
    for plain in [&[][..], &["--color", "never"]] {
        assert!(!stderr(plain).contains('\u{1b}'), "{plain:?}");
    }
}

/// What docs/diagnosis.md shows can be repeated.
#[test]
fn a_fault_is_put_into_every_virtual_board() {
    let place = Place::new();
    place.write("own.yaml", "format: 1\nscenario: own\nsteps:\n  - handshake:\n");
    for link in [&["--simulate"][..], &[]] {
        let output = place.output(&[&["run", "--fault", "deaf", "--fault", "sleeps-after=60 s", "own.yaml"], link].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stderr.contains("cause      talks-but-does-not-hear (very likely)"), "{output:?}");
    }
}

#[test]
fn what_cannot_be_run_is_said_before_anything_is_written() {
    let place = Place::new();
    place.write("file", "");
    for (args, code, said) in [
        (&["--tag", "nosuch"][..], 4, "nothing selected: no case has the tag nosuch; `evkit-hil list` shows which there are\n"),
        (&["erly-reset"], 2, "hint: did you mean early-reset? `evkit-hil list` shows all that are shipped\n"),
        (&["nosuch"], 2, "hint: `evkit-hil list` shows the scenarios that are shipped\n"),
        (&["--set", "key=0405"], 2, "tip: a scenario or a board of the bench sets a virtual board up (`virtual: { firmware: 2.6.0 }`)"),
        (&["--fault", "deafness"], 2, "hint: `evkit-hil settings --faults` lists the faults"),
        (&["--wait", "soon"], 2, ": `soon` is not a duration: "),
        (&["--seed", "minus"], 2, ": a whole number is needed, for example `7`\n"),
        (&["--boards", "100"], 2, ": a number from 1 to 64 is needed\n"),
        (&["--allow", "fire"], 2, "error: --allow fire: no such effect\nhint: the effects are speed, "),
        (&["--out", "file/out"], 2, "error: results cannot be written to file/out: Not a directory (os error 20)\nhint: --out names "),
        (&["--board", "kit"], 2, "--bench <FILE>"),
        (&["--simulate", "--boards", "2"], 2, "cannot be used with"),
    ] {
        let output = place.output(&[&["run"], args].concat());
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(code), ""), "{args:?}: {output:?}");
        assert!(output.stderr.contains(said), "{args:?}: {output:?}");
    }
    assert_eq!(files_in(&place.path("")).len(), 1, "only what was there before");
}

#[test]
fn a_file_that_is_no_junit_file_is_not_written_over() {
    let place = Place::new();
    place.scenario("ok", "steps:\n  - wait: 1 ms\n");
    let before = fs::read(place.path("ok.yaml")).expect("there");
    let run = |junit: &str| place.output(&["run", "--simulate", "--out", "out", "--junit", junit, "ok.yaml"]);
    let output = run("ok.yaml");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("ok.yaml is no JUnit file, and is not written over"), "{output:?}");
    assert_eq!(fs::read(place.path("ok.yaml")).expect("there"), before);
    assert!(run(".").stderr.contains(". is no file that could be written anew"), "a folder");
    for _ in 0..2 {
        assert_eq!(run("deeper/j.xml").status.code(), Some(0), "new, and then its own");
    }
}

#[test]
fn a_case_without_a_record_is_told_of_once() {
    let place = Place::new();
    place.scenario("one", "steps:\n  - wait: 1 ms\n");
    place.scenario("real", "requires: { firmware: \">=9.0.0\" }\nsteps:\n  - wait: 1 ms\n");
    fs::create_dir_all(place.path("out/timelines")).expect("made");
    fs::write(place.path("out/timelines/002-real"), "in the way").expect("written");
    let output = place.output(&["run", "--simulate", "--out", "out", "one.yaml", "real.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.contains("Summary") && !output.stderr.contains("board record"), "{output:?}");
}
