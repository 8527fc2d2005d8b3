//! Any bytes as a scenario, as a bench file and as a fragment that a scenario includes: what is taken, both parsers read alike; what is loaded is valid by its schema; what is refused has a placed complaint that can be shown. Nothing panics
//! or hangs. `fuzz/run` builds and runs this.

#![no_main]

#[path = "../tests/files/alike.rs"]
mod alike;
#[path = "../tests/files/validator.rs"]
mod validator;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use alike::difference;
use evkit_hil::bench::{self, Bench};
use evkit_hil::document::{Diagnostic, Document};
use evkit_hil::scenario;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use validator::{complaints, json};

static SCENARIO: LazyLock<Value> = LazyLock::new(scenario::schema);
static BENCH: LazyLock<Value> = LazyLock::new(bench::schema);
static FRAGMENT: LazyLock<Value> = LazyLock::new(scenario::fragment_schema);
/// Where fragments are put, which are read from files alone.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(std::env::temp_dir);
const INCLUDES: &str = "format: 1\nscenario: includes\nsummary: a fragment\neffects: [speed, nvm, firmware, raw]\nsteps:\n  - include: fuzzed.yaml\n";

fuzz_target!(|bytes: &[u8]| {
    // A folder that is not there: images and ports of a bench file are found nowhere.
    let file = Path::new("no-such-folder/fuzzed.yaml");
    let document = match Document::parse(file, bytes) {
        Ok(document) => document,
        Err(problem) => return shown(&[*problem]),
    };
    if let Some(difference) = difference(&document) {
        panic!("read in two ways: {difference}");
    }
    let text = document.text();
    match scenario::load_text(file, text, None) {
        Ok(_) => valid(&SCENARIO, text),
        Err(problems) => shown(&problems),
    }
    match Bench::load_text(file, text) {
        Ok(_) => valid(&BENCH, text),
        Err(problems) => shown(&problems),
    }
    if document.root().find("fragment").is_some() {
        std::fs::write(FOLDER.join("fuzzed.yaml"), bytes).expect("room for a fragment");
        match scenario::load_text(&FOLDER.join("includes.yaml"), INCLUDES, None) {
            Ok(_) => valid(&FRAGMENT, text),
            Err(problems) => shown(&problems),
        }
    }
});

/// What is loaded is valid by its schema.
fn valid(schema: &Value, text: &str) {
    let value = match serde_yaml::from_str(text) {
        Ok(value) => value,
        // A number beyond 64 bits is no number to an editor either.
        Err(error) if error.to_string().contains("128") => return,
        Err(error) => panic!("only the first parser takes it: {error}"),
    };
    let complaints = complaints(schema, schema, &json(value));
    assert!(complaints.is_empty(), "the schema is stricter than the reading: {complaints:?}");
}

/// A refusal has a complaint; each names the file and can be shown.
fn shown(problems: &[Diagnostic]) {
    assert!(!problems.is_empty(), "refused without a word");
    for problem in problems {
        let shown = problem.render(false);
        assert!(shown.contains("fuzzed.yaml") || shown.contains("includes.yaml"), "a complaint that names no file");
    }
    let placed = problems.iter().any(|problem| problem.excerpt.is_some());
    let whole = ["the file is empty", "the file is longer than 1 MiB, and was not read"];
    assert!(placed || whole.contains(&problems[0].message.as_str()), "no place: {}", problems[0].message);
}
