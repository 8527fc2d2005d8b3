//! Files that must be refused stand in fixtures/refused, each beside the exact text that it is refused with. `bench-*.yaml` are bench files, and `fragment-*.yaml` are included.
//!
//! `SNAPSHOTS=overwrite cargo test --test refused` writes the texts anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use evkit_hil::bench::Bench;
use evkit_hil::document::{Diagnostic, Document};
use evkit_hil::scenario;
use proptest::prelude::*;
use rstest::rstest;

/// The complaints about a file, as `evkit-hil check` shows them. Tests run in the package's directory, so that files are named relative to it.
fn refused(file: &Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let result = if name.starts_with("bench-") {
        Bench::load(file).map(drop)
    } else if name.starts_with("fragment-") {
        let text = format!("format: 1\nscenario: s\nsteps: [ include: {name} ]\n");
        scenario::load_text(&file.with_file_name("including.yaml"), &text, None).map(drop)
    } else {
        scenario::load(&[file.to_owned()], None).map(drop)
    };
    match result {
        Ok(()) => panic!("{} was taken", file.display()),
        Err(problems) => Diagnostic::render_all(&problems, false),
    }
}

#[rstest]
fn is_refused_with_this_text(#[files("fixtures/refused/*.yaml")] file: PathBuf) {
    let file = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
    let text = file.with_extension("txt");
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(refused(file), snapbox::Data::read_from(&text, None).raw());
}

/// The texts without a file beside them would be compared with nothing.
#[test]
fn every_text_has_its_file() {
    for entry in std::fs::read_dir("fixtures/refused").unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("yaml").exists(), "{} stands alone", path.display());
    }
}

#[test]
fn a_hundred_thousand_brackets_are_refused_at_once() {
    for (bracket, column) in [("[", 263), ("{", 263), ("- ", 127)] {
        let text = format!("steps: {}{}", if bracket == "- " { "\n" } else { "" }, bracket.repeat(100_000));
        let started = Instant::now();
        let problem = Document::parse(Path::new("brackets.yaml"), text.as_bytes()).unwrap_err();
        let rendered = problem.render(false);
        let took = started.elapsed();
        let excerpt = problem.excerpt.unwrap();
        assert_eq!(
            (problem.message.as_str(), excerpt.column),
            ("nested deeper than 64 levels, which is not taken here", column),
            "{bracket}"
        );
        assert!(took < Duration::from_secs(5), "{bracket}: took {took:?}");
        assert!(rendered.len() < 4_000, "{bracket}: {} bytes of message", rendered.len());
    }
}

/// Each took longer than a minute, or would have: what is looked up entry by entry costs the square of them.
#[test]
fn a_hundred_thousand_entries_are_refused_at_once() {
    for (before, entry) in [("matrix:\n", "  k# : [1]\n"), ("effects:\n", "  - none\n"), ("virtual:\n", "  k# : 1\n")] {
        let entries = (0..70_000).map(|number| entry.replace('#', &number.to_string())).collect::<String>();
        let text = format!("format: 1\nscenario: entries\n{before}{entries}steps:\n  - wait: 1 s\n");
        let started = Instant::now();
        let problems = scenario::load_text(Path::new("entries.yaml"), &text, None).unwrap_err();
        let line = problems[0].excerpt.as_ref().unwrap().line;
        assert_eq!(
            (problems[0].message.as_str(), line),
            ("a list or a map of more than 2000 entries, which is not taken here", 2_004),
            "{before}"
        );
        assert!(started.elapsed() < Duration::from_secs(5), "{before}: took {:?}", started.elapsed());
    }
}

#[test]
fn a_gigabyte_is_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("long.yaml");
    std::fs::File::create(&file).and_then(|long| long.set_len(1 << 30)).unwrap();
    let started = Instant::now();
    let text = refused(&file);
    assert!(started.elapsed() < Duration::from_secs(5));
    let expected = format!(
        "error: the file is longer than 1 MiB, and was not read\n--> {}\n |\nhint: split it; a file of this kind has a few kilobytes\n",
        file.display()
    );
    assert_eq!(text, expected);
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let directory = tempfile::tempdir().unwrap();
    let mut seen = String::new();
    for file in [directory.path().to_owned(), directory.path().join("missing.yaml")] {
        let problems = scenario::load(&[file], None).unwrap_err();
        let hint = problems[0].hint.as_deref().unwrap();
        writeln!(seen, "{}; {hint}", problems[0].message).unwrap();
    }
    assert_eq!(
        seen,
        "cannot read the file: Is a directory (os error 21); name the files in it\n\
         cannot read the file: No such file or directory (os error 2); check the name; names are relative to the directory that the command runs in\n"
    );
}

#[test]
fn a_byte_order_mark_is_tolerated_and_moves_nothing() {
    let text = "\u{feff}format: 1\nscenario: with a mark\nsteps:\n  - wait: 300\n";
    let problems = scenario::load_text(Path::new("mark.yaml"), text, None).unwrap_err();
    let excerpt = problems[0].excerpt.as_ref().unwrap();
    assert_eq!((excerpt.line, excerpt.column), (4, 11));
    let text = text.replace("300", "300 ms");
    assert_eq!(scenario::load_text(Path::new("mark.yaml"), &text, None).unwrap().cases.len(), 1);
}

#[test]
fn two_scenarios_of_one_name_are_refused_wherever_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    let files = ["a.yaml", "b.yaml"].map(|name| directory.path().join(name));
    for file in &files {
        std::fs::write(file, "format: 1\nscenario: twin\nsteps: [ wait: 300 ms ]\n").unwrap();
    }
    let problems = scenario::load(&files, None).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "a second scenario is called `twin`");
    assert_eq!((&problems[0].file, &problems[0].related.as_ref().unwrap().file), (&files[1], &files[0]));
}

#[test]
fn mistakes_of_several_files_are_all_shown() {
    let files = ["fixtures/refused/missing-unit.yaml", "fixtures/refused/alias.yaml"].map(PathBuf::from);
    let problems = scenario::load(&files, None).unwrap_err();
    let places = problems.iter().map(|problem| (problem.file == files[0], problem.excerpt.as_ref().unwrap().line)).collect::<Vec<_>>();
    assert_eq!(places, [(true, 4), (true, 5), (true, 6), (true, 7), (false, 5)]);
}

/// Files that load, as what damage is done to.
const SOUND: &[&str] = &[
    include_str!("../scenarios/early-reset.yaml"),
    "format: 1\nscenario: '\u{e9}'\nmatrix: { a: [1 s, \"2 s\"] }\nimages: { n: { make: { A: 2.8.0 } } }\nsteps:\n  - expect: { regex: '$image.n.A\\r', within: $a }\n",
    "format: 1\nboards:\n  kit-1:\n    port: { usb-serial: 01, interface: 1 }\n    reset: { backend: gpiocdev, line: GPIO17 }\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is cut out of a file or put into it, it loads or is refused with a text; nothing panics or hangs.
    #[test]
    fn a_damaged_file_is_loaded_or_refused(
        which in 0..SOUND.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, "[-\\[\\]{}:,#&*!|>'\"%@`$?~<. \\t\\n\\r0a\u{e9}\u{feff}]{0,4}"), 1..4),
    ) {
        let mut text = SOUND[which].chars().collect::<Vec<_>>();
        for (at, cut, put) in damage {
            let start = at.index(text.len() + 1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, put.chars());
        }
        let text = text.into_iter().collect::<String>();
        let file = Path::new("damaged.yaml");
        for result in [scenario::load_text(file, &text, None).map(drop), Bench::load_text(file, &text).map(drop)] {
            if let Err(problems) = result {
                prop_assert!(!problems.is_empty());
                prop_assert!(Diagnostic::render_all(&problems, true).contains("damaged.yaml"));
            }
        }
    }
}
