//! The two parsers over every file that there is: what the first one takes, the second one reads alike. `fuzz/run` goes on where the files end.

use std::path::Path;

use evkit_hil::document::Document;

use crate::alike::difference;
use crate::samples;

#[test]
fn every_file_is_read_alike() {
    let mut compared = 0;
    let mut unlike = Vec::new();
    let seeds = std::fs::read_dir("fuzz/seeds").unwrap().map(|entry| entry.unwrap().path());
    let seeds = seeds.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()));
    for (name, bytes) in samples::all().into_iter().map(|sample| (sample.name, sample.text.into_bytes())).chain(seeds) {
        let Ok(document) = Document::parse(Path::new(&name), &bytes) else { continue };
        compared += 1;
        unlike.extend(difference(&document).map(|what| format!("{name}{what}")));
    }
    assert_eq!(unlike, Vec::<String>::new());
    assert!(compared >= 90, "only {compared} files were compared");
}

/// Everything here was found by the fuzzer: the first parser takes it and the second reads it otherwise, or not at all. None may be loaded.
#[test]
fn what_is_read_in_two_ways_is_refused() {
    for text in [
        "a: {?b: c}",
        "a: [?b]",
        "a: { b\n  c: 1 }",
        "a: {: b }",
        ": b",
        "a: b\n...\n",
        "...\na: b\n",
        "a: b\n...\n \t",
        "a: \u{1f}",
        "a: \u{85} b",
        "%YAML 1.3\n---\na: b\n",
    ] {
        let result = Document::parse(Path::new("unlike.yaml"), text.as_bytes());
        let problem = result.err().unwrap_or_else(|| panic!("{text:?} was taken"));
        assert!(problem.excerpt.is_some(), "{text:?}: {}", problem.message);
    }
}

/// A last line without its line feed is as good as one with it.
#[test]
fn a_block_of_text_at_the_end_of_a_file_needs_no_line_feed() {
    for text in ["a: |\n  b", "a: >\n  b\n  c", "a: |-\n  b", "a: |+\n  b"] {
        let document = Document::parse(Path::new("end.yaml"), text.as_bytes()).unwrap();
        assert_eq!(difference(&document), None, "{text:?}");
    }
}

/// The comparison can fail.
#[test]
fn a_difference_is_seen() {
    let document = Document::structure(Path::new("unlike.yaml"), b"a: [?b]").unwrap();
    assert!(difference(&document).is_some());
    assert!(document.agrees().is_err());
}
