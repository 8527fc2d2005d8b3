//! Tests of the whole module, and the host that they use.

mod faults;
mod lines;
mod programs;
mod settings;
mod timing;

use std::time::Duration;

use super::{FaultLog, Settings, VirtualEvkit};
use crate::baud::Baud;
use crate::image::{Image, KeyNumber, Version, Versions};
use crate::model::{DeviceModel as _, Input, Output, OutputEdge, PortEvent};
use crate::seam::{LineId, LineState, Mark, MarkKind};
use crate::time::MonoTime;

/// A host with one virtual board, on a clock of its own.
struct Host {
    board: VirtualEvkit,
    now: MonoTime,
    wake: Option<MonoTime>,
    speed: Baud,
    seen: Vec<u8>,
    marks: Vec<Mark>,
    edges: Vec<OutputEdge>,
    /// For each batch: when it was given, and how many bytes there were then in all.
    given: Vec<(MonoTime, usize)>,
    calls: usize,
    port: Vec<PortEvent>,
    /// What must be in the board's log at the end.
    expected: Option<Expected>,
}

/// What must be in a board's log when it is dropped: this fault alone, or nothing.
struct Expected {
    log: FaultLog,
    name: Option<&'static str>,
}

impl Drop for Expected {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.log.acted().into_keys().collect::<Vec<_>>(), self.name.into_iter().collect::<Vec<_>>());
        }
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn baud(speed: u32) -> Baud {
    Baud::new(speed).unwrap()
}

impl Host {
    /// With a board of these settings, beside the defaults.
    fn with(settings: &[(&str, &str)]) -> Self {
        let mut all = Settings::default();
        for (key, value) in settings {
            all.set(key, value).unwrap();
        }
        Self::of(all)
    }

    fn of(settings: Settings) -> Self {
        let now = MonoTime::from_ns(1_000_000_000);
        let board = VirtualEvkit::new(settings, now);
        let (seen, marks, edges, given) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut host =
            Self { board, now, wake: None, speed: Baud::DEFAULT, seen, marks, edges, given, calls: 0, expected: None, port: Vec::new() };
        host.hand(Input::Time);
        host
    }

    /// What must be in its log is no more what was expected at first.
    fn log_is_compared_here(&mut self) {
        std::mem::forget(self.expected.take());
    }

    fn hand(&mut self, input: Input<'_>) {
        let mut output = Output::default();
        self.calls += 1;
        self.wake = self.board.advance(self.now, input, &mut output);
        assert!(self.wake.is_none_or(|wake| wake > self.now), "it wants to be called again at the same moment");
        assert!(output.edges.iter().all(|edge| edge.at <= self.now), "an edge of the future");
        self.edges.extend(output.edges);
        self.port.extend(output.port);
        if !output.bytes.is_empty() {
            self.marks.extend(output.marks.iter().map(|mark| Mark { offset: mark.offset + self.seen.len(), kind: mark.kind }));
            self.seen.extend_from_slice(&output.bytes);
            self.given.push((self.now, self.seen.len()));
        }
    }

    fn wait(&mut self, time: Duration) {
        self.wait_until(self.now + time);
    }

    fn wait_until(&mut self, end: MonoTime) {
        while self.now < end {
            self.now = self.wake.map_or(end, |wake| wake.min(end));
            self.hand(Input::Time);
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.hand(Input::Bytes { bytes, host_speed: self.speed });
    }

    fn set_speed(&mut self, speed: u32) {
        self.speed = baud(speed);
        self.hand(Input::HostSpeed(self.speed));
    }

    fn line(&mut self, state: LineState) {
        self.drive(LineId::RESET, state);
    }

    fn drive(&mut self, line: LineId, state: LineState) {
        self.hand(Input::Line { line, state });
    }

    /// Switches the supply off as the runner does, TX held low first.
    fn power_off(&mut self) {
        self.hand(Input::HostTransmitHeld(true));
        self.drive(LineId::POWER, LineState::Released);
    }

    fn power_on(&mut self) {
        self.drive(LineId::POWER, LineState::Asserted);
        self.hand(Input::HostTransmitHeld(false));
    }

    /// Takes what came.
    fn take(&mut self) -> Vec<u8> {
        self.marks.clear();
        self.given.clear();
        std::mem::take(&mut self.seen)
    }

    /// Sends `text` and CR and returns what came within half a second.
    fn ask(&mut self, text: &str) -> String {
        self.take();
        self.send(format!("{text}\r").as_bytes());
        self.wait(ms(500));
        String::from_utf8_lossy(&self.take()).into_owned()
    }

    fn pulse(&mut self) {
        self.line(LineState::Asserted);
        self.wait(ms(15));
        self.take();
        self.line(LineState::Released);
    }

    /// A reset pulse and a hotkey. Returns what the board said to that.
    fn enter_boot(&mut self) -> Vec<u8> {
        self.pulse();
        self.wait(ms(10));
        self.send(b"\xc5\xff");
        self.wait(ms(50));
        self.take()
    }

    /// A reset pulse, and the time that the application takes. Returns its messages.
    fn start_application(&mut self) -> String {
        self.pulse();
        self.wait(ms(3000));
        String::from_utf8_lossy(&self.take()).into_owned()
    }

    /// Enters the boot code and uploads `bytes`. Returns the sizes that were asked for, and the byte that ended it; `None` when nothing more came.
    fn upload(&mut self, bytes: &[u8]) -> (Vec<usize>, Option<i8>) {
        assert_eq!(self.enter_boot()[..1], [0x9a]);
        self.send(b"AT#UP\r");
        self.wait(ms(20));
        assert_eq!(self.take(), b"0\r");
        let mut sizes = Vec::new();
        loop {
            let end = self.now + Duration::from_secs(2);
            while self.seen.is_empty() && self.now < end {
                self.now = self.wake.map_or(end, |wake| wake.min(end));
                self.hand(Input::Time);
            }
            let Some(&said) = self.take().first() else { return (sizes, None) };
            let Ok(asked @ 1..) = usize::try_from(said.cast_signed()) else { return (sizes, Some(said.cast_signed())) };
            let sent: usize = sizes.iter().sum();
            sizes.push(asked);
            let piece: Vec<u8> = bytes.iter().copied().chain(std::iter::repeat(0)).skip(sent).take(asked).collect();
            self.send(&piece);
        }
    }

    /// Uploads an image of 300 bytes of this version. Returns the byte that ended it.
    fn install(&mut self, version: &str) -> Option<i8> {
        self.upload(&image(version).to_bytes()).1
    }

    /// The version that the application reports after a reset.
    fn version(&mut self) -> String {
        self.start_application();
        self.ask("ATE0");
        self.ask("AT+CGMR").replace("OK", "").trim().to_owned()
    }
}

fn image(version: &str) -> Image {
    Image::make(Versions::all(version.parse::<Version>().unwrap()), KeyNumber::DEFAULT, 300).unwrap()
}
