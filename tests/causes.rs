//! The transcripts of fixtures/transcripts/causes, which were written from the public sources before the diagnosis was: each is made a timeline, and the cause that is named in it
//! must be the one that the transcript names. The README there says what a line means.

#![expect(clippy::unwrap_used, reason = "a transcript that cannot be read fails its test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use evkit_hil::baud::Baud;
use evkit_hil::diagnosis::{Cause, diagnose};
use evkit_hil::seam::{LineState, StreamId};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EventKind, Source};
use evkit_hil::timeline::{ClockKind, Timeline};
use rstest::rstest;

#[rstest]
fn transcript(#[files("fixtures/transcripts/causes/*.txt")] file: PathBuf) {
    let text = fs::read_to_string(&file).unwrap();
    let header = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")));
    assert!(header("source").is_some(), "a transcript has a source");
    let folder = tempfile::tempdir().unwrap();
    write_timeline(&text, folder.path());
    let found = diagnose(folder.path()).unwrap();
    let cause = header("cause").expect("a transcript has a cause");
    let Some(found) = found else {
        assert_eq!(cause, "none", "no cause was found");
        return;
    };
    assert_eq!(cause, found.cause.name(), "{found:?}");
    if let Some(also) = header("also") {
        assert!(found.causes().any(|named| named.name() == also), "{also} is not named: {found:?}");
    }
    assert_eq!(found.or.is_empty(), found.probe.is_none(), "several causes, and something that decides: {found:?}");
    assert!(!found.evidence.is_empty(), "{found:?}");
    let words = format!("{} {}", found.because, found.next);
    for says in header("says").iter().flat_map(|says| says.split(", ")) {
        assert!(words.contains(says), "{says:?} is not in {words:?}");
    }
}

/// The post's three failures are there, and at least twelve in all.
#[test]
fn the_transcripts_are_there() {
    let names: BTreeSet<String> =
        fs::read_dir("fixtures/transcripts/causes").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() > 12);
    assert_eq!(names.iter().filter(|name| name.starts_with("post-")).count(), 3);
    let text = |name: &str| fs::read_to_string(Path::new("fixtures/transcripts/causes").join(name)).unwrap();
    for name in names.iter().filter(|name| Path::new(name).extension().is_some_and(|ext| ext == "txt")) {
        let text = text(name);
        let cause = text.lines().find_map(|line| line.strip_prefix("# cause: ")).unwrap();
        assert!(cause == "none" || Cause::ALL.iter().any(|known| known.name() == cause), "{name}: {cause}");
    }
}

/// Writes what a transcript tells as the harness would have recorded it.
fn write_timeline(text: &str, folder: &Path) {
    let mut writer = Writer { timeline: Timeline::create(folder, ClockKind::Simulated).unwrap(), upload: None };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (time, what) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        let ms: f64 = time.parse::<f64>().unwrap() * 1000.0;
        writer.line(MonoTime::from_ns((ms.round() as u64) * 1_000_000), what);
    }
    writer.timeline.flush().unwrap();
}

struct Writer {
    timeline: Timeline,
    upload: Option<Upload>,
}

/// The loader's side of an upload: what it records of the bytes.
struct Upload {
    total: u64,
    sent: u64,
    /// `AT#UP` was answered.
    begun: bool,
}

impl Writer {
    fn record(&mut self, at: MonoTime, source: Source, kind: impl Into<EventKind>) {
        self.timeline.record(at, source, None, kind).unwrap();
    }

    fn line(&mut self, at: MonoTime, what: &str) {
        let words: Vec<&str> = what.split(' ').collect();
        match words[..] {
            ["installed", version] => {
                self.record(at, Source::Computed, event::Property { name: "firmware".to_owned(), value: version.to_owned() });
            }
            ["speed", speed] => {
                let speed = Baud::new(speed.parse().unwrap()).unwrap();
                let ns = at.as_ns();
                let event = event::Speed { stream: "port".to_owned(), requested: speed, actual: speed, before_ns: ns, after_ns: ns };
                self.record(at, Source::Commanded, event);
            }
            ["reset", state] => {
                let state = if state == "asserted" { LineState::Asserted } else { LineState::Released };
                let ns = at.as_ns();
                let edge = event::Edge { line: "reset".to_owned(), state, before_ns: ns, after_ns: ns, planned_ns: None };
                self.record(at, Source::Commanded, edge);
            }
            ["upload", file, size, "bytes"] => {
                self.record(at, Source::Computed, event::Property { name: "image.offered".to_owned(), value: file.to_owned() });
                self.upload = Some(Upload { total: size.parse().unwrap(), sent: 0, begun: false });
            }
            ["restarted", ..] => {
                let message = what["restarted ".len()..].to_owned();
                let last_seq = self.timeline.len() - 1;
                let restart = event::Restart { stream: "port".to_owned(), message, last_seq, commanded: false, by: None };
                self.record(at, Source::Computed, restart);
            }
            ["end"] => self.record(at, Source::Computed, event::Note { text: "nothing more came".to_owned() }),
            _ => {
                let (who, items) = what.split_once(": ").unwrap_or_else(|| panic!("{what}"));
                let bytes = items_of(items);
                let direction = if who == "host" { Direction::Out } else { Direction::In };
                self.timeline.record_bytes(None, StreamId::PORT, direction, at, at, None, &bytes, &[]).unwrap();
                self.follow_upload(at, direction, &bytes);
            }
        }
    }

    /// While an image is being pulled, each byte of the device is a request.
    fn follow_upload(&mut self, at: MonoTime, direction: Direction, bytes: &[u8]) {
        let Some(upload) = &mut self.upload else { return };
        match direction {
            Direction::In if !upload.begun => upload.begun = bytes == b"0\r",
            Direction::In => {
                let asked = bytes[0].cast_signed();
                let request = event::Request { asked, sent: upload.sent, total: upload.total };
                if asked <= 0 {
                    self.upload = None;
                }
                self.record(at, Source::Computed, request);
            }
            Direction::Out if upload.begun => upload.sent += bytes.len() as u64,
            Direction::Out => {}
        }
    }
}

/// Bytes in the notation of fixtures/transcripts/README.md: hex, hex with a count, text in quotes.
fn items_of(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap();
            out.extend_from_slice(&quoted.as_bytes()[..end]);
            rest = quoted[end + 1..].trim_start();
        } else {
            let (item, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            let (hex, count) = item.split_once('*').map_or((item, 1), |(hex, count)| (hex, count.parse().unwrap()));
            out.extend(std::iter::repeat_n(u8::from_str_radix(hex, 16).unwrap(), count));
            rest = behind;
        }
    }
    out
}
