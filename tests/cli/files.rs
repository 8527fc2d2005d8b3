//! Commands that touch no board: `check`, `list`, `image`, `settings`, `schema`, `man`, `completions`, and every `--help`.

use std::fs;
use std::process::Command;

use evkit_hil::image::sha256_hex;
use rstest::rstest;

use crate::common::process::{Output, Process};
use crate::place::{PROGRAM, Place, SOON};

/// Runs the program in the package's folder, so that files are named relative to it.
fn here(args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env("COLUMNS", "80");
    Process::start(command, SOON).wait()
}

#[rstest]
#[case(&["check"], "unknown-verb")]
#[case(&["check"], "duplicate-key")]
#[case(&["check", "--bench"], "bench-one-port")]
#[case(&["list"], "wrong-unit")]
#[case(&["run"], "effects-too-few")]
#[case(&["run", "--bench"], "bench-unknown-key")]
#[case(&["release", "--bench"], "bench-duplicate-board")]
fn a_bad_file_is_refused_with_its_place_and_text(#[case] command: &[&str], #[case] file: &str) {
    let file = format!("fixtures/refused/{file}.yaml");
    let output = here(&[command, &[file.as_str()]].concat());
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{output:?}");
    let text = fs::read_to_string(format!("{}/{}", env!("CARGO_MANIFEST_DIR"), file.replace(".yaml", ".txt"))).expect("beside it");
    assert_eq!(output.stderr.trim_end(), text.trim_end());
    assert!(output.stderr.contains(&format!("--> {file}:")), "{output:?}");
}

#[test]
fn check_counts_what_is_right() {
    let output = here(&["check"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{output:?}");
    assert!(
        output.stderr.starts_with("36 cases, no mistakes; worst-case time ") && output.stderr.ends_with(" on one board\n"),
        "{output:?}"
    );
    let output = here(&["check", "scenarios", "--tag", "nosuch"]);
    assert!(output.stderr.starts_with("0 cases, no mistakes"), "{output:?}");
}

#[test]
fn a_scenario_that_is_not_there_names_the_nearest() {
    for command in ["check", "list", "run"] {
        let output = here(&[command, "helthy-handshake"]);
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{output:?}");
        assert!(
            output
                .stderr
                .starts_with("error: helthy-handshake is neither a file nor a shipped scenario\nhint: did you mean healthy-handshake? "),
            "{output:?}"
        );
    }
}

#[test]
fn list_shows_cases_with_tags_effects_and_time() {
    let output = here(&["list"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let line = output.stdout.lines().find(|line| line.starts_with("early reset [late=8 s]")).expect("listed");
    for word in ["default", "nightly", "speed"] {
        assert!(line.contains(word), "{line}");
    }
    let output = here(&["list", "--tag", "nosuch"]);
    assert_eq!(
        (output.status.code(), output.stdout.as_str(), output.stderr.as_str()),
        (Some(4), "", "nothing selected: no case has the tag nosuch; `evkit-hil list` shows which there are\n")
    );
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for args in [
        &["list"][..],
        &["settings"],
        &["image", "show", "fixtures/images/README.md"],
        &["man"],
        &["completions", "zsh"],
        &["check"],
        &["--help"],
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = Process::start_unheard(command, SOON).wait();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn an_image_is_made_shown_and_never_overwritten() {
    let place = Place::new();
    fs::create_dir(place.path("images")).expect("made");
    let new = ["image", "new", "--version", "2.8.0", "--gnss", "1.2.3", "--key", "0999", "--size", "2 KiB", "--out", "images"];
    let name = "images/ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_G_1_2_3_key0999.img";
    let output = place.output(&new);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(0), ""), "{output:?}");
    let made = fs::read(place.path(name)).expect("made");
    assert_eq!(output.stderr, format!("{name} ({} bytes, made up: no real module takes it)\n", made.len()));

    let output = place.output(&["image", "show", name]);
    let parts = "A 2.8.0, M 2.8.0, S 2.8.0, G 1.2.3, key 0999";
    let expected = format!(
        "file:    {name}\nsize:    2048 bytes\nsha256:  {}\nby name: {parts}\ninside:  {parts}, {} bytes of payload, CRC right (the project's made-up format)\n",
        sha256_hex(&made),
        evkit_hil::image::Image::parse(&made).expect("whole").payload().len()
    );
    assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(0), expected.as_str(), ""));

    place.write(name, "somebody's");
    let output = place.output(&new);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.starts_with(&format!("error: {name} cannot be made: ")), "{output:?}");
    assert!(output.stderr.ends_with("\nhint: nothing is overwritten: remove it first\n"), "{output:?}");
    assert_eq!(fs::read(place.path(name)).expect("there"), b"somebody's");

    let mut damaged = made;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(place.path("damaged.img"), damaged).expect("written");
    let output = place.output(&["image", "show", "damaged.img"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.contains("inside:  the project's made-up format, but "), "{output:?}");
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_help_has_an_example_and_fits_80_columns() {
    let mut left = vec![Vec::new()];
    let mut seen = Vec::new();
    while let Some(command) = left.pop() {
        let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let output = here(&args);
        assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{args:?}");
        let help = output.stdout;
        let examples = help.lines().skip_while(|line| !line.starts_with("Example")).filter(|line| line.starts_with("  evkit-hil"));
        assert!(examples.count() > 0, "{args:?} has no example:\n{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {} columns: {line}", line.chars().count());
        }
        let deeper = commands(&help).into_iter().map(|name| [command.clone(), vec![name]].concat());
        left.extend(deeper);
        seen.push(command.join(" "));
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "",
            "board",
            "board list",
            "board lock",
            "board unlock",
            "check",
            "completions",
            "control",
            "diagnose",
            "doctor",
            "faults",
            "image",
            "image new",
            "image show",
            "list",
            "man",
            "release",
            "run",
            "schema",
            "settings",
            "virtual"
        ]
    );
}

#[test]
fn every_command_has_its_page_and_none_is_made_for_what_is_hidden() {
    let place = Place::new();
    let output = place.output(&["man", "pages/man1"]);
    assert_eq!((output.status.code(), output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", "21 pages in pages/man1\n"));
    let mut names: Vec<String> = fs::read_dir(place.path("pages/man1"))
        .expect("made")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort_unstable();
    let mut left = vec![Vec::new()];
    let mut expected = Vec::new();
    while let Some(command) = left.pop() {
        let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        left.extend(commands(&here(&args).stdout).into_iter().map(|name| [command.clone(), vec![name]].concat()));
        expected.push(format!("{}.1", [vec!["evkit-hil".to_owned()], command].concat().join("-")));
    }
    expected.sort_unstable();
    assert_eq!(names, expected);
    for name in &names {
        let page = fs::read_to_string(place.path("pages/man1").join(name)).expect("text");
        let name = name.trim_end_matches(".1").replace('-', r"\-");
        for part in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLE", &name] {
            assert!(page.contains(part), "no {part} in\n{page}");
        }
    }

    let output = place.output(&["man"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
    assert_eq!(output.stdout, fs::read_to_string(place.path("pages/man1/evkit-hil.1")).expect("text"));
    for part in [r"evkit\-hil\-run", r"evkit\-hil\-check", r"evkit\-hil\-list", ".SH \"EXIT CODES\""] {
        assert!(output.stdout.contains(part), "no {part} in\n{}", output.stdout);
    }
    assert!(!output.stdout.contains("guardian"), "{}", output.stdout);

    place.write("file", "");
    let output = place.output(&["man", "file"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.starts_with("error: pages cannot be written into file: "), "{output:?}");
}

#[test]
fn the_schema_is_the_committed_one() {
    let place = Place::new();
    for (files, committed) in [
        ("scenario", include_str!("../../docs/schema/scenario.schema.json")),
        ("bench", include_str!("../../docs/schema/bench.schema.json")),
    ] {
        let output = place.output(&["schema", files]);
        assert_eq!((output.status.code(), output.stderr.as_str(), output.stdout == committed), (Some(0), "", true), "{files}");
    }
    let output = place.output(&["schema", "timeline"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn completions_offer_the_commands_and_not_what_is_hidden() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = place.output(&["completions", shell]);
        assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["run", "check", "list", "control", "simulate", "bench"] {
            assert!(output.stdout.contains(word), "{shell} does not complete {word}");
        }
        assert!(!output.stdout.contains("guardian"), "{shell}");
    }

    // A real shell takes the script and completes with it.
    place.write("completions.bash", &place.output(&["completions", "bash"]).stdout);
    let script = r#". ./completions.bash
function=$(complete -p evkit-hil | sed 's/.* -F \([^ ]*\) .*/\1/')
COMP_WORDS=(evkit-hil "") COMP_CWORD=1
"$function" evkit-hil "" evkit-hil
echo "${COMPREPLY[*]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script]).current_dir(place.path(""));
    let output = Process::start(bash, SOON).wait();
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let offered: Vec<&str> = output.stdout.split_whitespace().collect();
    for command in ["run", "check", "list"] {
        assert!(offered.contains(&command), "{offered:?}");
    }

    let script = script.replace(r#"(evkit-hil "") COMP_CWORD=1"#, "(evkit-hil run --simu) COMP_CWORD=2");
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &script.replace(r#"evkit-hil "" evkit-hil"#, "evkit-hil --simu run")]).current_dir(place.path(""));
    let output = Process::start(bash, SOON).wait();
    assert_eq!(output.stdout, "--simulate\n", "an option of a command: {output:?}");

    let output = place.output(&["completions", "tcsh"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{output:?}");
}
