//! The timeline on disk: what is written is read back, whatever happens to the writer, and docs/timeline.md describes all of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::diagnosis::{Cause, Probe, Sure};
use evkit_hil::seam::{LineState, Mark, MarkKind, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EndedBy, Event, EventKind, Outcome, Source, StepOutcome};
use evkit_hil::timeline::{BYTES_FILE, ClockKind, EVENTS_FILE, MAX_BYTES, MAX_LINE, Reader, Timeline, TimelineError};
use proptest::prelude::*;

/// One event of every kind, with every field filled.
fn samples() -> Vec<EventKind> {
    let diagnosis = event::Diagnosis {
        cause: Cause::ApplicationAnswered,
        sure: Sure::Possible,
        against: Some(event::Against { why: "a start-up message came after it".to_owned(), evidence: vec![6] }),
        or: vec![event::Other { cause: Cause::ResetWithoutEffect, because: "no start-up message came before it".to_owned() }],
        probe: Some(Probe::Ask),
        at: Baud::new(460_800),
        because: "OK came where boot code ends a line with CR alone".to_owned(),
        next: "hold reset until the loader asks for it".to_owned(),
        evidence: vec![4, 8],
    };
    vec![
        event::Case {
            name: "early reset [late=3 s]".to_owned(),
            scenario: "early reset".to_owned(),
            summary: "The reset lies before the loader's first word.".to_owned(),
            file: "scenarios/early-reset.yaml".to_owned(),
            line: 2,
            tags: vec!["default".to_owned()],
            effects: vec!["speed".to_owned()],
            matrix: vec![("late".to_owned(), "3 s".to_owned())],
            board: Some("kit-1".to_owned()),
            link: Some("pty".to_owned()),
            seed: 7,
            attempt: Some(event::Attempt { number: 2, of: 3 }),
            started: Some("2026-11-03T02:00:00Z".to_owned()),
            start_up_ns: Some(30_000_000_000),
            home_speed: Baud::new(115_200),
            steps: vec![event::StepInfo {
                id: 0,
                section: "steps".to_owned(),
                file: Some("enter.yaml".to_owned()),
                line: 9,
                text: "reset: { pulse: 15 ms }".to_owned(),
            }],
        }
        .into(),
        event::Property { name: "firmware".to_owned(), value: "2.7.0".to_owned() }.into(),
        event::StepStart {}.into(),
        event::StepEnd { outcome: StepOutcome::Failed, by: Some(EndedBy::Deadline) }.into(),
        event::Bytes {
            stream: "port".to_owned(),
            direction: Direction::In,
            offset: 0,
            length: 4,
            from_ns: 10,
            to_ns: 20,
            planned_ns: Some(9),
            marks: vec![(1, MarkKind::Framing), (3, MarkKind::Break)],
        }
        .into(),
        event::Edge { line: "reset".to_owned(), state: LineState::Asserted, before_ns: 1, after_ns: 2, planned_ns: Some(1) }.into(),
        event::InputEdge { line: "ring".to_owned(), state: LineState::Released }.into(),
        event::Level { line: "reset".to_owned(), state: LineState::Asserted }.into(),
        event::Asked { line: "reset".to_owned(), question: "press and HOLD".to_owned() }.into(),
        event::Confirmed { line: "reset".to_owned(), asked: 7 }.into(),
        event::Break { stream: "port".to_owned(), held: true, before_ns: 1, after_ns: 2 }.into(),
        event::Speed {
            stream: "port".to_owned(),
            requested: Baud::DEFAULT,
            actual: Baud::new(115_107).unwrap(),
            before_ns: 3,
            after_ns: 4,
        }
        .into(),
        event::Match {
            stream: "port".to_owned(),
            pattern: "OK\\r\\n".to_owned(),
            first_seq: 4,
            last_seq: 4,
            first_ns: 20,
            last_ns: 20,
            text: "OK\\r\\n".to_owned(),
            captures: vec![("1".to_owned(), "K".to_owned())],
        }
        .into(),
        event::Request { asked: -3, sent: 127, total: 16_384 }.into(),
        event::Restart { stream: "port".to_owned(), message: "#REBOOT_WD: 1".to_owned(), last_seq: 4, commanded: false, by: Some(2) }
            .into(),
        event::Kept { name: "csq".to_owned(), value: "17".to_owned(), by: 6 }.into(),
        event::Measured {
            name: "start".to_owned(),
            from: "release".to_owned(),
            to: "match".to_owned(),
            value_ns: 7,
            uncertainty_ns: 2,
            how: "by hand".to_owned(),
            evidence: vec![4],
        }
        .into(),
        event::Note { text: "the reader was 2 ms late".to_owned() }.into(),
        event::Gone { stream: "port".to_owned(), reason: "hung up".to_owned() }.into(),
        event::Interrupted {}.into(),
        event::Probe { probe: Probe::Wait }.into(),
        diagnosis.clone().into(),
        event::Verdict {
            outcome: Outcome::Failed,
            reason: "the application answered".to_owned(),
            step: Some(3),
            expected: Some("an acknowledge".to_owned()),
            seen: Some("OK\\r\\n".to_owned()),
            diagnosis: Some(diagnosis),
            evidence: vec![4],
        }
        .into(),
    ]
}

fn write_samples(dir: &Path) {
    let mut timeline = Timeline::create(dir, ClockKind::Simulated).unwrap();
    for (i, kind) in samples().into_iter().enumerate() {
        let step = (i % 2 == 1).then_some(3);
        timeline.record(MonoTime::from_ns(i as u64), Source::Computed, step, kind).unwrap();
    }
}

fn events_of(dir: &Path) -> Vec<Event> {
    Reader::open(dir).unwrap().collect::<Result<_, _>>().unwrap()
}

fn append(file: &Path, text: &str) {
    use std::io::Write;
    fs::OpenOptions::new().append(true).open(file).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn every_kind_is_read_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    write_samples(dir.path());
    let names: Vec<_> = samples().iter().map(EventKind::name).collect();
    assert_eq!(names, EventKind::NAMES, "the samples lack a kind");
    let expected: Vec<_> = samples()
        .into_iter()
        .enumerate()
        .map(|(i, kind)| Event {
            seq: i as u64,
            t: MonoTime::from_ns(i as u64),
            source: Source::Computed,
            step: (i % 2 == 1).then_some(3),
            kind,
        })
        .collect();
    assert_eq!(events_of(dir.path()), expected);
}

#[test]
fn the_header_is_the_first_line_and_is_on_disk_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let _timeline = Timeline::create(dir.path(), ClockKind::Monotonic).unwrap();
    let text = fs::read_to_string(dir.path().join(EVENTS_FILE)).unwrap();
    assert_eq!(text, format!("{{\"format\":1,\"clock\":\"monotonic\",\"program\":\"evkit-hil {}\"}}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bytes_are_found_by_the_event_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
    let [t1, t2] = [MonoTime::from_ns(100), MonoTime::from_ns(250)];
    let mark = Mark { offset: 1, kind: MarkKind::Framing };
    timeline.record_bytes(Some(2), StreamId::PORT, Direction::Out, t1, t2, Some(t1), b"AT\r", &[]).unwrap();
    timeline.record_bytes(None, StreamId::PORT, Direction::In, t1, t2, None, b"\xff\x00", &[mark]).unwrap();
    assert_eq!((timeline.len(), timeline.last_seq()), (2, Some(1)));
    timeline.flush().unwrap();

    let events = events_of(dir.path());
    assert_eq!((events[0].t, events[0].source, events[0].step), (t1, Source::Commanded, Some(2)));
    assert_eq!((events[1].t, events[1].source, events[1].step), (t2, Source::Read, None));
    let reader = Reader::open(dir.path()).unwrap();
    let bytes: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            EventKind::Bytes(bytes) => (reader.bytes(bytes).unwrap(), bytes.marks.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(bytes, [(b"AT\r".to_vec(), vec![]), (b"\xff\x00".to_vec(), vec![(1, MarkKind::Framing)])]);
}

/// Both roads to a `bytes` event make the same line.
#[test]
fn recording_bytes_and_recording_their_event_give_the_same_line() {
    let dir = tempfile::tempdir().unwrap();
    let [t1, t2] = [MonoTime::from_ns(100), MonoTime::from_ns(250)];
    let marks = [Mark { offset: 0, kind: MarkKind::Framing }, Mark { offset: 2, kind: MarkKind::Break }];
    let line = |name: &str, record: &dyn Fn(&mut Timeline)| {
        let dir = dir.path().join(name);
        record(&mut Timeline::create(&dir, ClockKind::Simulated).unwrap());
        fs::read_to_string(dir.join(EVENTS_FILE)).unwrap()
    };
    for (i, (planned, marks)) in [(None, &marks[..]), (Some(t1), &[])].into_iter().enumerate() {
        let by_bytes = line(&format!("bytes{i}"), &|timeline| {
            timeline.record_bytes(Some(1), StreamId::PORT, Direction::In, t1, t2, planned, b"abc", marks).unwrap();
        });
        let by_event = line(&format!("event{i}"), &|timeline| {
            let data = event::Bytes {
                stream: "port".to_owned(),
                direction: Direction::In,
                offset: 0,
                length: 3,
                from_ns: 100,
                to_ns: 250,
                planned_ns: planned.map(MonoTime::as_ns),
                marks: marks.iter().map(|mark| (u32::try_from(mark.offset).unwrap(), mark.kind)).collect(),
            };
            timeline.record(t2, Source::Read, Some(1), data).unwrap();
        });
        assert_eq!(by_bytes, by_event);
    }
}

#[test]
fn kinds_of_a_later_version_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    write_samples(dir.path());
    let events = dir.path().join(EVENTS_FILE);
    let seq = samples().len();
    append(&events, &format!("{{\"seq\":{seq},\"t_ns\":1,\"kind\":\"weather\",\"source\":\"forecast\",\"data\":[1],\"more\":2}}\n"));
    append(
        &events,
        &format!("{{\"seq\":{},\"t_ns\":2,\"kind\":\"interrupted\",\"source\":\"observed\",\"data\":{{\"by\":\"x\"}}}}\n", seq + 1),
    );
    let read = events_of(dir.path());
    assert_eq!(read.len(), seq + 1);
    assert_eq!(read[seq].seq, seq as u64 + 1);
}

#[test]
fn a_torn_last_line_ends_the_timeline_without_an_error() {
    let whole = tempfile::tempdir().unwrap();
    write_samples(whole.path());
    let text = fs::read(whole.path().join(EVENTS_FILE)).unwrap();
    let header = text.iter().position(|b| *b == b'\n').unwrap() + 1;
    // Wherever the write was cut, what is read is what stands in whole lines before it.
    for cut in header..text.len() {
        fs::write(whole.path().join(EVENTS_FILE), &text[..cut]).unwrap();
        let mut reader = Reader::open(whole.path()).unwrap();
        let read = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(read.len(), text[header..cut].iter().filter(|b| **b == b'\n').count());
        assert_eq!(reader.torn(), text[cut - 1] != b'\n');
        assert!(reader.next().is_none());
    }
}

#[test]
fn a_bad_line_in_the_middle_is_an_error_with_its_number() {
    let good = "{\"seq\":0,\"t_ns\":0,\"kind\":\"interrupted\",\"source\":\"read\",\"data\":{}}";
    let later = "{\"seq\":5,\"t_ns\":0,\"kind\":\"interrupted\",\"source\":\"read\",\"data\":{}}";
    let unknown_source = "{\"seq\":1,\"t_ns\":0,\"kind\":\"interrupted\",\"source\":\"guessed\",\"data\":{}}";
    for (bad, reason) in [
        ("not json", "expected ident"),
        ("{\"seq\":1}", "missing field `t_ns`"),
        (later, "expected the event with seq 1, found seq 5"),
        (unknown_source, "unknown variant `guessed`"),
        ("", "EOF while parsing"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        drop(Timeline::create(dir.path(), ClockKind::Simulated).unwrap());
        append(&dir.path().join(EVENTS_FILE), &format!("{good}\n{bad}\n{good}\n"));
        let mut reader = Reader::open(dir.path()).unwrap();
        assert!(reader.next().unwrap().is_ok());
        let error = reader.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("events.jsonl:3: ") && error.contains(reason), "{error}");
        assert!(reader.next().is_none() && !reader.torn());
    }
}

#[test]
fn a_line_without_end_is_refused_and_not_held() {
    let dir = tempfile::tempdir().unwrap();
    drop(Timeline::create(dir.path(), ClockKind::Simulated).unwrap());
    append(&dir.path().join(EVENTS_FILE), &"x".repeat(MAX_LINE + 1));
    let error = Reader::open(dir.path()).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().ends_with("events.jsonl:2: the line is longer than 262144 bytes"), "{error}");
}

#[test]
fn what_is_no_timeline_is_told_apart_from_what_is_too_new() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(BYTES_FILE), "").unwrap();
    let open = |text: &str| {
        fs::write(dir.path().join(EVENTS_FILE), text).unwrap();
        Reader::open(dir.path()).unwrap_err()
    };
    assert!(matches!(open(""), TimelineError::Header { .. }));
    assert!(matches!(open("{\"format\":1}"), TimelineError::Header { .. }));
    assert!(matches!(open("<html>\n"), TimelineError::Header { .. }));
    assert!(matches!(open("{\"format\":1}\n"), TimelineError::Header { .. }));
    let error = open("{\"format\":2,\"program\":\"evkit-hil 3.0.0\",\"clock\":{\"kind\":\"gps\"}}\n");
    assert!(matches!(error, TimelineError::Format { found: 2, .. }));
    assert!(error.to_string().contains("(evkit-hil 3.0.0)"), "{error}");
    fs::remove_file(dir.path().join(EVENTS_FILE)).unwrap();
    let error = Reader::open(dir.path()).unwrap_err().to_string();
    assert!(error.starts_with("opening of ") && error.contains("events.jsonl failed: ") && error.contains("os error 2"), "{error}");
}

#[test]
fn a_timeline_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    write_samples(dir.path());
    let error = Timeline::create(dir.path(), ClockKind::Simulated).unwrap_err();
    assert!(matches!(error, TimelineError::Io { ref source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists), "{error}");
    assert_eq!(events_of(dir.path()).len(), samples().len());
}

#[test]
fn events_are_written_by_themselves_before_they_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
    let file = dir.path().join(EVENTS_FILE);
    let header = fs::metadata(&file).unwrap().len();
    timeline.record(MonoTime::ZERO, Source::Computed, None, event::Note { text: "first".to_owned() }).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().len(), header, "written one by one");
    for _ in 0..40 {
        timeline.record(MonoTime::ZERO, Source::Computed, None, event::Note { text: "x".repeat(1024) }).unwrap();
    }
    assert!(fs::metadata(&file).unwrap().len() > 32 * 1024);
    assert!(fs::read(&file).unwrap().ends_with(b"}\n"));
    drop(timeline);
    assert_eq!(events_of(dir.path()).len(), 41);
}

#[test]
fn what_stands_before_a_position_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
    let mut record = |range: std::ops::Range<u64>| {
        for n in range {
            let note = event::Note { text: format!("{n} {}", "x".repeat(100)) };
            assert_eq!(timeline.record(MonoTime::ZERO, Source::Computed, None, note).unwrap(), n);
        }
        timeline.end()
    };
    let (first, middle, last) = (record(0..0), record(0..500), record(500..502));
    drop(timeline);
    append(&dir.path().join(EVENTS_FILE), "no event\n");
    for (position, rest) in [(first, 0), (middle, 500), (last, 502)] {
        let mut reader = Reader::open(dir.path()).unwrap();
        reader.skip_to(position).unwrap();
        let seqs: Vec<u64> = reader.by_ref().map_while(|event| Some(event.ok()?.seq)).collect();
        assert_eq!(seqs, (rest..502).collect::<Vec<_>>());
        let mut reader = Reader::open(dir.path()).unwrap();
        reader.skip_to(position).unwrap();
        let error = reader.find_map(Result::err).unwrap().to_string();
        assert!(error.contains("504"), "{error}");
    }
}

#[test]
fn an_event_that_no_reader_takes_is_not_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
    let error = timeline.record(MonoTime::ZERO, Source::Computed, None, event::Note { text: "x".repeat(MAX_LINE) }).unwrap_err();
    assert!(matches!(error, TimelineError::EventTooLong { kind: "note", .. }), "{error}");
    assert_eq!(timeline.record(MonoTime::ZERO, Source::Computed, None, event::Interrupted {}).unwrap(), 0);
    drop(timeline);
    assert_eq!(events_of(dir.path()).len(), 1);
}

#[test]
fn bytes_that_are_not_there_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
    timeline.record_bytes(None, StreamId::PORT, Direction::In, MonoTime::ZERO, MonoTime::ZERO, None, b"abc", &[]).unwrap();
    drop(timeline);
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.bytes_at(1, 2).unwrap(), b"bc");
    let error = reader.bytes_at(1, 3).unwrap_err().to_string();
    assert!(error.contains("bytes 1 to 4 of ") && error.ends_with("the file ends before them"), "{error}");
    assert!(matches!(reader.bytes_at(0, MAX_BYTES + 1), Err(TimelineError::Bytes { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is read, marked as it may be, comes back joined as it was, from events that each stay within the reader's bounds.
    #[test]
    fn reads_of_any_size_come_back(
        reads in proptest::collection::vec((0usize..150_000, 1usize..40), 1..4),
        mark_all in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
        let mut expected = Vec::new();
        let mut expected_marks = Vec::new();
        let mut last = None;
        for (length, every) in reads {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 + every) as u8).collect();
            let every = if mark_all { 1 } else { every };
            let marks: Vec<Mark> = (0..length).step_by(every).map(|offset| Mark { offset, kind: MarkKind::Framing }).collect();
            expected_marks.extend(marks.iter().map(|mark| expected.len() + mark.offset));
            expected.extend_from_slice(&bytes);
            let t = MonoTime::ZERO + Duration::from_micros(length as u64);
            last = Some(timeline.record_bytes(None, StreamId::PORT, Direction::In, t, t, None, &bytes, &marks).unwrap());
        }
        prop_assert_eq!(last, timeline.last_seq());
        drop(timeline);
        let mut reader = Reader::open(dir.path()).unwrap();
        let events: Vec<Event> = reader.by_ref().collect::<Result<_, _>>().unwrap();
        let (mut joined, mut joined_marks) = (Vec::new(), Vec::new());
        for event in events {
            let EventKind::Bytes(data) = event.kind else { panic!("not bytes") };
            prop_assert_eq!(data.offset, joined.len() as u64);
            joined_marks.extend(data.marks.iter().map(|(at, _)| joined.len() + *at as usize));
            joined.extend(reader.bytes(&data).unwrap());
        }
        prop_assert!(joined == expected && joined_marks == expected_marks);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text travels through a line unharmed.
    #[test]
    fn any_text_comes_back(text in any::<String>(), t in any::<u64>(), step in any::<Option<u16>>()) {
        let dir = tempfile::tempdir().unwrap();
        let mut timeline = Timeline::create(dir.path(), ClockKind::Simulated).unwrap();
        timeline.record(MonoTime::from_ns(t), Source::Observed, step, event::Note { text: text.clone() }).unwrap();
        drop(timeline);
        let expected = Event { seq: 0, t: MonoTime::from_ns(t), source: Source::Observed, step, kind: event::Note { text }.into() };
        prop_assert_eq!(events_of(dir.path()), [expected]);
    }
}

/// docs/timeline.md as a map from each `### kind` to the text below it.
fn documented() -> (String, Vec<(String, String)>) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/timeline.md")).unwrap();
    let kinds = text.split_once("\n## Kinds\n").unwrap().1.split_once("\n## ").unwrap().0;
    let sections = kinds.split("\n### `").skip(1).map(|section| {
        let (kind, text) = section.split_once("`\n").unwrap();
        (kind.to_owned(), text.to_owned())
    });
    let sections = sections.collect();
    (text, sections)
}

/// The keys of all objects in a JSON value.
fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(key.clone());
            keys(value, found);
        }),
        serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_kind_and_field_is_documented_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    write_samples(dir.path());
    let (text, sections) = documented();
    let kinds: Vec<_> = sections.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, EventKind::NAMES);

    let lines = fs::read_to_string(dir.path().join(EVENTS_FILE)).unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let before_kinds = text.split_once("\n## Kinds\n").unwrap().0;
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned())).collect()
    };
    let mut envelope: Vec<String> = Vec::new();
    keys(&lines.next().unwrap(), &mut envelope);
    for (event, (kind, section)) in lines.zip(&sections) {
        for key in event.as_object().unwrap().keys() {
            if !envelope.contains(key) {
                envelope.push(key.clone());
            }
        }
        let data = event["data"].as_object().unwrap();
        let mut fields: Vec<_> = data.keys().cloned().collect();
        let mut described = rows(section);
        fields.sort();
        described.sort();
        assert_eq!(described, fields, "the fields of `{kind}`");
        if kind == "case" {
            let mut within = Vec::new();
            keys(&data["steps"], &mut within);
            assert!(within.iter().all(|field| section.contains(&format!("`{field}`"))), "the fields of a step");
        }
    }
    let mut described = rows(before_kinds);
    described.retain(|name| !name.contains('.'));
    envelope.sort();
    described.sort();
    assert_eq!(described, envelope, "the fields of the header and of every event");
}

#[test]
fn every_value_of_an_enumeration_is_documented() {
    let (text, sections) = documented();
    let section = |kind: &str| sections.iter().find(|(known, _)| known == kind).unwrap().1.as_str();
    fn names<T: serde::Serialize>(values: &[T]) -> Vec<String> {
        values.iter().map(|value| format!("`{}`", serde_json::to_value(value).unwrap().as_str().unwrap())).collect()
    }
    for (text, names) in [
        (text.as_str(), names(&[Source::Commanded, Source::Read, Source::Observed, Source::Computed])),
        (&text, names(&[ClockKind::Monotonic, ClockKind::Simulated])),
        (section("step-end"), names(&[StepOutcome::Passed, StepOutcome::Failed, StepOutcome::Error, StepOutcome::Interrupted])),
        (section("step-end"), names(&[EndedBy::Deadline, EndedBy::Never, EndedBy::Bytes, EndedBy::Whole])),
        (section("bytes"), names(&[Direction::In, Direction::Out])),
        (section("bytes"), names(&[MarkKind::Framing, MarkKind::Break])),
        (section("edge"), names(&[LineState::Asserted, LineState::Released])),
        (section("diagnosis"), names(Cause::ALL)),
        (section("diagnosis"), names(&[Sure::Possible, Sure::Likely, Sure::VeryLikely, Sure::Certain])),
        (section("probe"), names(Probe::ALL)),
        (section("level"), names(&[LineState::Asserted, LineState::Released])),
        (section("verdict"), names(&[Outcome::Passed, Outcome::Failed, Outcome::Error])),
        (section("verdict"), names(&[Outcome::Skipped, Outcome::Blocked, Outcome::Interrupted])),
    ] {
        for name in names {
            assert!(text.contains(&name), "{name} is not documented");
        }
    }
}

#[test]
fn the_documented_example_is_a_timeline() {
    let (text, _) = documented();
    let example = text.split_once("```jsonl\n").unwrap().1.split_once("```").unwrap().0;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(EVENTS_FILE), example).unwrap();
    fs::write(dir.path().join(BYTES_FILE), "AT\r\r\nOK\r\n").unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    // Written again, its events are the same to the byte.
    let again = tempfile::tempdir().unwrap();
    let mut timeline = Timeline::create(again.path(), reader.header().clock).unwrap();
    let mut read = Vec::new();
    for event in events_of(dir.path()) {
        if let EventKind::Bytes(bytes) = &event.kind {
            read.push(reader.bytes(bytes).unwrap());
        }
        timeline.record(event.t, event.source, event.step, event.kind).unwrap();
    }
    drop(timeline);
    assert_eq!(read, [b"AT\r".to_vec(), b"\r\nOK\r\n".to_vec()]);
    let again = fs::read_to_string(again.path().join(EVENTS_FILE)).unwrap();
    assert_eq!(again.split_once('\n').unwrap().1, example.split_once('\n').unwrap().1);
}
