//! Plays the transcripts of fixtures/transcripts, which were written from the public sources before the virtual EVKIT was, against the virtual EVKIT on simulated
//! time: with its defaults and with every assumption drawn by many seeds. fixtures/transcripts/README.md says what a line means.

#![expect(clippy::unwrap_used, reason = "a transcript that cannot be read fails its test")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::image::{Image, KeyNumber, Versions};
use evkit_hil::model::evkit::{Settings, VirtualEvkit};
use evkit_hil::model::{DeviceModel, Input, Output};
use evkit_hil::seam::{LineId, LineState};
use evkit_hil::time::MonoTime;
use regex::bytes::Regex;
use rstest::rstest;

/// How many seeds each transcript is played with, beside the defaults.
const SEEDS: u64 = 60;

/// By how much a drawn start is shortened: the transcripts' hosts wait 5 s for it (arduino polls for so long), and a seed draws up to 30 s.
const SHORTER_START: u32 = 12;

#[rstest]
fn transcript(#[files("fixtures/transcripts/*.txt")] file: PathBuf) {
    let text = fs::read_to_string(&file).unwrap();
    for seed in 0..=SEEDS {
        if let Err(failure) = play(&text, seed) {
            panic!("{} with seed {seed}: {failure}", file.display());
        }
    }
}

/// The player itself must notice a board that does otherwise.
#[rstest]
#[case("silent 1 s\nhost: \"AT\" 0d\nboard within 1 s: \"NO\"", "line 3: expected")]
#[case("host: \"AT\" 0d\nsilent 1 s", "line 2: expected silence")]
#[case("host: \"AT\" 0d\nnever 1 s: \"OK\"", "line 2: came all the same")]
#[case("reset assert\nwait 15 ms\nreset release\nboard within 100 ms: 9a", "line 4: expected")]
#[case("upload 2.7.0 size 300: accepted", "line 1: no request came")]
fn a_transcript_that_does_not_hold_fails(#[case] text: &str, #[case] message: &str) {
    let failure = play(text, 0).unwrap_err();
    assert!(failure.starts_with(message), "{failure}");
}

fn play(text: &str, seed: u64) -> Result<(), String> {
    let lines = || {
        text.lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    };
    let mut settings = Settings::drawn(seed);
    if seed > 0 {
        settings.application_start /= SHORTER_START;
    }
    for (number, line) in lines() {
        if let Some(setting) = line.strip_prefix("set ") {
            let (key, value) = setting.split_once('=').unwrap();
            settings.set(key, value).map_err(|error| format!("line {number}: {error}"))?;
        }
    }
    let mut player = Player::new(settings);
    lines().try_for_each(|(number, line)| player.step(line).map_err(|failure| format!("line {number}: {failure}")))
}

struct Player {
    board: VirtualEvkit,
    now: MonoTime,
    wake: Option<MonoTime>,
    host_speed: Baud,
    /// What came and was not looked at.
    seen: Vec<u8>,
}

impl Player {
    fn new(settings: Settings) -> Self {
        let now = MonoTime::from_ns(1_000_000_000);
        let mut player = Self { board: VirtualEvkit::new(settings, now), now, wake: None, host_speed: Baud::DEFAULT, seen: Vec::new() };
        player.hand(Input::Time);
        player
    }

    fn hand(&mut self, input: Input<'_>) {
        let mut output = Output::default();
        self.wake = self.board.advance(self.now, input, &mut output);
        assert!(self.wake.is_none_or(|wake| wake > self.now), "the board wants to be called again at the same moment");
        self.seen.extend_from_slice(&output.bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        self.hand(Input::Bytes { bytes, host_speed: self.host_speed });
        let _ = self.run(self.host_speed.wire_time(bytes.len() as u64), |_| false);
    }

    /// Lets time pass until `done` or for `limit`. Returns whether it was `done`.
    fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Vec<u8>) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if done(&mut self.seen) {
                return true;
            }
            if self.now == end {
                return false;
            }
            self.now = self.wake.map_or(end, |wake| wake.min(end));
            self.hand(Input::Time);
        }
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let (head, items) = line.split_once(": ").unwrap_or((line, ""));
        let words: Vec<&str> = head.split_whitespace().collect();
        match words.as_slice() {
            ["set", ..] => {}
            ["reset", state] => {
                let state = if *state == "assert" { LineState::Asserted } else { LineState::Released };
                self.hand(Input::Line { line: LineId::RESET, state });
            }
            ["baud", speed] => {
                self.host_speed = Baud::new(speed.parse().unwrap()).unwrap();
                self.hand(Input::HostSpeed(self.host_speed));
            }
            ["wait", number, unit] => drop(self.run(duration(number, unit), |_| false)),
            ["drop", number, unit] => {
                self.run(duration(number, unit), |_| false);
                self.seen.clear();
            }
            ["host"] => self.send(&bytes(items)),
            ["board", "within", number, unit] => self.expect(&format!("^(?:{})", pattern(items)), duration(number, unit), items)?,
            ["board", "shows", "within", number, unit] => self.expect(&pattern(items), duration(number, unit), items)?,
            ["never", number, unit] => {
                self.run(duration(number, unit), |_| false);
                if regex(&pattern(items)).is_match(&self.seen) {
                    return Err(format!("came all the same: {items} in {}", self.seen.escape_ascii()));
                }
                self.seen.clear();
            }
            ["silent", number, unit] => {
                self.run(duration(number, unit), |seen| !seen.is_empty());
                if !self.seen.is_empty() {
                    return Err(format!("expected silence, got {}", self.seen.escape_ascii()));
                }
            }
            ["upload", version, "size", size] => self.upload(version, size.parse().unwrap(), items == "accepted")?,
            _ => panic!("no such line: {line}"),
        }
        Ok(())
    }

    fn expect(&mut self, pattern: &str, within: Duration, items: &str) -> Result<(), String> {
        let regex = regex(pattern);
        if !self.run(within, |seen| regex.is_match(seen)) {
            return Err(format!("expected {items} within {within:?}, got {}", self.seen.escape_ascii()));
        }
        if items.ends_with(']') {
            // Time for the byte that may be missing.
            self.run(Duration::from_millis(5), |_| false);
        }
        let end = regex.find(&self.seen).unwrap().end();
        self.seen.drain(..end);
        Ok(())
    }

    /// The host's half of an upload, as Easy Connect does it.
    fn upload(&mut self, version: &str, size: u64, accepted: bool) -> Result<(), String> {
        let image = Image::make(Versions::all(version.parse().unwrap()), KeyNumber::DEFAULT, size).unwrap().to_bytes();
        let mut sent = 0;
        loop {
            if !self.run(Duration::from_secs(10), |seen| !seen.is_empty()) {
                return Err(format!("no request came after {sent} bytes"));
            }
            let said = i8::from_ne_bytes([self.seen.remove(0)]);
            let Some(asked) = usize::try_from(said).ok().filter(|asked| *asked > 0) else {
                let whole = sent >= image.len();
                return match (said, accepted) {
                    (0, true) if whole => Ok(()),
                    (..0, false) => Ok(()),
                    _ => Err(format!("it ended with {said} after {sent} of {} bytes", image.len())),
                };
            };
            if sent >= image.len() {
                return Err(format!("it asked for {asked} more although it has all of it"));
            }
            let piece: Vec<u8> = image.iter().copied().chain(std::iter::repeat(0)).skip(sent).take(asked).collect();
            sent += asked;
            self.send(&piece);
        }
    }
}

fn duration(number: &str, unit: &str) -> Duration {
    let number = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => panic!("no such unit: {unit}"),
    }
}

/// The items of a line: texts in quotes keep their blanks.
fn items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 1 {
            items.push(format!("\"{part}"));
        } else {
            items.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    items
}

fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items(text) {
        if let Some(text) = item.strip_prefix('"') {
            bytes.extend_from_slice(text.as_bytes());
        } else {
            let (byte, times) = item.split_once('*').unwrap_or((&item, "1"));
            bytes.extend(std::iter::repeat_n(u8::from_str_radix(byte, 16).unwrap(), times.parse().unwrap()));
        }
    }
    bytes
}

fn pattern(text: &str) -> String {
    let piece = |item: &String| match item.as_str() {
        "<text>" => r"[^\r\n]+".to_owned(),
        "<error>" => r"(?:ERROR|\+CME ERROR(?:: [0-9]+)?)".to_owned(),
        "<xx>" => r"[^\r\n]{2}".to_owned(),
        text if text.starts_with('"') => regex::escape(&text[1..]),
        byte if byte.starts_with('[') => format!(r"(?:\x{})?", &byte[1..3]),
        byte => format!(r"\x{byte}"),
    };
    items(text).iter().map(piece).collect()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?-u){pattern}")).unwrap()
}
