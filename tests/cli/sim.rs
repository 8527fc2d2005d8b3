//! What is done about the network that a module's SIM may register with.

use std::fs;

use evkit_hil::timeline::Reader;
use evkit_hil::timeline::event::{Direction, EventKind};

use crate::place::{Kit, Place, briefs};

const IMEI: &str = "359876543210987";
const STARTS: &[&str] = &["boot-window=20 ms", "application-start=50 ms", "imei=359876543210987"];
const PULSE: &str = "steps:\n  - reset: { pulse: 15 ms }\n";
const OFF: &str = "AT+CFUN=0\r";

/// What was sent in a case, up to the first edge and after the last one.
fn sent(place: &Place, folder: &str) -> (String, String) {
    let mut reader = Reader::open(&place.path("out/timelines").join(folder)).expect("readable");
    let (mut before, mut after, mut edges) = (String::new(), String::new(), 0);
    while let Some(event) = reader.next() {
        match event.expect("whole").kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => {
                let text = reader.bytes_at(bytes.offset, bytes.length as usize).expect("there");
                let part = if edges == 0 { &mut before } else { &mut after };
                part.push_str(&String::from_utf8_lossy(&text));
            }
            EventKind::Edge(_) => {
                edges += 1;
                after.clear();
            }
            _ => {}
        }
    }
    (before, after)
}

#[test]
fn a_quiet_board_is_told_so_after_its_health_case_and_after_each_case() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", STARTS);
    place.bench(&[("kit", "sim: quiet")]);
    place.scenario("first", PULSE);
    place.scenario("second", "steps:\n  - at: { command: 'AT+CFUN?', shows: { text: '+CFUN: 0' } }\n");
    let output = place.run(&["first.yaml", "second.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(sent(&place, "000-board-kit").0.ends_with(OFF), "after the health case");
    let (before, after) = sent(&place, "001-first");
    assert!(!before.contains(OFF) && after.ends_with(OFF), "once it was put back: {before:?} {after:?}");
    let (all, _) = sent(&place, "002-second");
    assert_eq!(all.matches(OFF).count(), 1, "it was off when the case began: {all:?}");
    assert!(all.ends_with(OFF));
}

#[test]
fn a_quiet_board_that_was_not_asked_is_told_so_before_its_first_case() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", STARTS);
    place.bench(&[("kit", "sim: quiet\n    health: false")]);
    place.scenario("first", PULSE);
    let output = place.run(&["first.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(sent(&place, "001-first").0.starts_with(OFF));
}

#[test]
fn a_live_board_is_not_restarted_too_often_and_the_count_outlives_the_run() {
    let place = Place::new();
    let kit = Kit::start(&place, "kit", STARTS);
    place.bench(&[("kit", "sim: live")]);
    place.scenario("pulses", &format!("steps:\n{}", "  - reset: { pulse: 15 ms }\n".repeat(12)));
    place.scenario("one", PULSE);
    // Twelve, and the putting back may need one more: two of them are more than an hour takes.
    let output = place.run(&["pulses.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let file = place.path(&format!("state/resets/imei-{IMEI}.jsonl"));
    let lines = fs::read_to_string(&file).expect("kept");
    let restarts: Vec<i64> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["restarts"].as_i64().expect("a number"))
        .collect();
    assert_eq!(restarts, [13, -13, 12], "first the most, then what was done");

    let before = kit.command("state");
    let output = place.run(&["pulses.yaml", "one.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let cases = place.junit();
    assert_eq!((cases[0].end.as_str(), cases[1].brief()), ("skipped", ("one", "passed", "")));
    let reason = "`sim: live` allows 20 restarts an hour, for a module that registers too often is locked out by its network: \
                  12 in the last hour, and this case may do 13; it may run from 20";
    assert!(cases[0].message.starts_with(reason), "{}", cases[0].message);
    assert_ne!(kit.command("state"), before, "the other case was run");

    place.scenario("many", &format!("steps:\n{}", "  - reset: { pulse: 15 ms }\n".repeat(21)));
    let output = place.run(&["many.yaml"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(place.junit()[0].message.ends_with("; this case may do 22"), "{output:?}");
}

#[test]
fn a_board_whose_sim_nobody_speaks_of_is_neither_told_nor_counted() {
    let place = Place::new();
    let _kit = Kit::start(&place, "kit", STARTS);
    place.bench(&[("kit", "")]);
    place.scenario("one", PULSE);
    assert_eq!(place.run(&["one.yaml"]).status.code(), Some(0));
    assert_eq!(briefs(&place.junit()), [("one", "passed", "")]);
    let (before, after) = sent(&place, "001-one");
    assert!(!before.contains(OFF) && !after.contains(OFF) && !place.path("state/resets").exists());
}
