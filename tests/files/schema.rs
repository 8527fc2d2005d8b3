//! The JSON Schemas: committed as they are generated, never stricter than the reading, and with a word about every key.

use std::path::Path;

use evkit_hil::document::Diagnostic;
use evkit_hil::{bench, scenario};
use serde_json::Value;

use crate::samples::{self, Kind, Sample};
use crate::validator::{complaints, json};

pub(crate) fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Scenario => scenario::schema(),
        Kind::Fragment => scenario::fragment_schema(),
        Kind::Bench => bench::schema(),
    }
}

#[test]
fn the_schemas_are_committed_as_they_are_generated() {
    for (kind, file) in Kind::ALL.map(|kind| (kind, format!("docs/schema/{kind}.schema.json"))) {
        let text = format!("{:#}\n", schema(kind));
        snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::Data::read_from(Path::new(&file), None).raw());
    }
}

/// What an editor makes of a file, and what the schema says to that.
fn refused_by_schema(sample: &Sample) -> Vec<String> {
    let value = match serde_yaml::from_str::<serde_yaml::Value>(&sample.text) {
        Ok(value) => value,
        Err(error) => return vec![format!("not YAML: {error}")],
    };
    let schema = schema(sample.kind);
    complaints(&schema, &schema, &json(value))
}

#[test]
fn what_is_loaded_is_valid() {
    let mut refused = Vec::new();
    let mut sound = 0;
    for sample in samples::all() {
        if sample.load().is_ok() {
            sound += 1;
            refused.extend(refused_by_schema(&sample).into_iter().map(|why| format!("{}: {why}", sample.name)));
        }
    }
    assert_eq!(refused, Vec::<String>::new(), "the schema is stricter than the reading");
    assert!(sound >= 30, "only {sound} files that load were found");
}

/// The reading is the stricter of the two, but an editor shows most mistakes while they are made.
#[test]
fn the_schema_alone_finds_most_refused_files() {
    let (found, missed) = samples::refused().into_iter().partition::<Vec<_>, _>(|sample| !refused_by_schema(sample).is_empty());
    let names = |samples: &[Sample]| samples.iter().map(|sample| format!("  {}\n", sample.name)).collect::<String>();
    println!("the schema finds {} of {}:\n{}and not:\n{}", found.len(), found.len() + missed.len(), names(&found), names(&missed));
    assert!(found.len() > missed.len(), "it finds {} and misses {}:\n{}", found.len(), missed.len(), names(&missed));
    for name in [
        "unknown-verb",
        "unknown-key",
        "unknown-words",
        "missing-unit",
        "two-verbs",
        "missing-key",
        "bench-unknown-key",
        "bench-missing-key",
    ] {
        assert!(found.iter().any(|sample| sample.name.ends_with(&format!("/{name}.yaml"))), "an editor does not show {name}.yaml");
    }
}

/// Texts that mean one thing to these files and another to YAML: the schema takes what the reading takes.
#[test]
fn words_that_look_like_something_else_are_valid() {
    let step = |step: &str| {
        format!(
            "format: 1\nscenario: words\nmatrix: {{ late: [3 s], yes: [~x, 0x10, 1e5, .inf, .nan, 007, true, 1_000] }}\nsteps:\n  - handshake:\n  - {step}\n"
        )
    };
    let mut texts = [
        "wait: $late",
        "wait: { for: \"$late\" }",
        "quiet: 1.5 min",
        "boot: { command: ATI0, result: 40e1 }",
        "boot: { command: ATI0, result: 4012 }",
        "boot: { command: ATI0, result: 40ff }",
        "boot: { command: ATI0, result: \"0\" }",
        "at: { command: AT, tries: +5, control: \"true\", because: 1e5 }",
        "at: { command: 007, tries: \"007\", answer: \"+CME ERROR: 7\", control: false }",
        "expect: { hex: 00, within: $late, of: acknowledge }",
        "send: { text: true, at: acknowledge + $late }",
        "send: { text: .inf, at: acknowledge + 200 \u{b5}s }",
        "handshake: { pulse: none, outcome: acknowledged }",
        "uart: { baud: \"9600\" }",
        "uart: { baud: 0009600 }",
        "restore: { speeds: [115200, \"460800\"] }",
    ]
    .map(|text| (Kind::Scenario, step(text)))
    .to_vec();
    texts.push((Kind::Scenario, "format: \"1\"\nscenario: 2026\nsummary: true\nmay-reset: \"false\"\nvirtual: { echo: \" true\", key: 0405, boot-speed: 115200, code-corrupt: -7 }\nsteps: [ wait: 1 s ]\n".to_owned()));
    texts.push((Kind::Bench, "format: 1\nhost-late: 0 s\nboards:\n  1:\n    port: { usb-serial: 0123, interface: 007 }\n    baud: \"9600\"\n    reset: { gpio: \"17\" }\n".to_owned()));
    texts.push((
        Kind::Bench,
        "format: 1\nboards:\n  null:\n    port: 1e5\n    reset: { backend: gpiocdev, chip: /dev/gpiochip0, line: 17 }\n    allow: []\n"
            .to_owned(),
    ));
    for (kind, text) in texts {
        let sample = Sample { name: text.clone(), kind, text };
        if let Err(problems) = sample.load() {
            panic!("{}", Diagnostic::render_all(&problems, false));
        }
        assert_eq!(refused_by_schema(&sample), Vec::<String>::new(), "{}", sample.text);
    }
}

/// What an editor shows beside a key.
#[test]
fn every_key_says_what_it_is() {
    fn walk(schema: &Value, path: &str, silent: &mut Vec<String>) {
        if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
            silent.extend(keys.iter().filter(|(_, schema)| schema.get("description").is_none()).map(|(key, _)| format!("{path}/{key}")));
        }
        match schema {
            Value::Object(map) => map.iter().for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), silent)),
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, path, silent)),
            _ => {}
        }
    }
    for kind in Kind::ALL {
        let mut silent = Vec::new();
        walk(&schema(kind), "", &mut silent);
        assert_eq!(silent, Vec::<String>::new(), "write a doc comment at the key: editors show it");
    }
}

#[test]
fn the_steps_of_the_schema_are_the_verbs() {
    let schema = scenario::schema();
    let verbs = schema["definitions"]["Verb"]["oneOf"].as_array().unwrap();
    let verbs = verbs.iter().flat_map(|verb| verb["properties"].as_object().unwrap().keys()).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(verbs, scenario::VERBS);
}
