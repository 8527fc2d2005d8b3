//! A device that plays a script on simulated time, and cases run on it.

#![allow(dead_code, reason = "each test program uses its part")]

use std::time::Duration;

use evkit_hil::baud::Baud;
use evkit_hil::bench::Bench;
use evkit_hil::model::{DeviceModel, Input, ModelLine, Output};
use evkit_hil::runner::case::{Circumstances, Ended, run_case};
use evkit_hil::runner::moments::Fineness;
use evkit_hil::runner::progress::Progress;
use evkit_hil::scenario;
use evkit_hil::seam::simulated::SimulatedSeam;
use evkit_hil::seam::{self, LineId, LineState};
use evkit_hil::time::MonoTime;
use evkit_hil::timeline::event::{self, Direction, EventKind, Outcome};
use evkit_hil::timeline::{ClockKind, Reader};

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) const fn at(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * 1_000_000)
}

/// Says what its script says, when it says it, whatever it hears; answers a release after `after_release`.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) script: Vec<(MonoTime, &'static [u8])>,
    pub(crate) after_release: Option<(Duration, &'static [u8])>,
    /// What is answered, 1 ms later, each time that a chunk of bytes ends with this.
    pub(crate) answers: Vec<(&'static [u8], &'static [u8])>,
    pub(crate) edges: Vec<(LineId, LineState)>,
}

impl DeviceModel for Scripted {
    fn lines(&self) -> &'static [ModelLine] {
        &[ModelLine::RESET, ModelLine { id: LineId::FIRST_NAMED, name: "wake", direction: seam::Direction::Out }]
    }

    fn advance(&mut self, now: MonoTime, input: Input<'_>, output: &mut Output) -> Option<MonoTime> {
        if let Input::Line { line, state } = input {
            self.edges.push((line, state));
            if let (LineState::Released, Some((after, bytes))) = (state, self.after_release) {
                self.script.push((now + after, bytes));
            }
        }
        if let Input::Bytes { bytes, .. } = input {
            let answers = self.answers.iter().filter(|(heard, _)| bytes.ends_with(heard));
            self.script.extend(answers.map(|(_, said)| (now + ms(1), *said)));
        }
        self.script.retain(|(when, bytes)| {
            if *when <= now {
                output.bytes.extend_from_slice(bytes);
            }
            *when > now
        });
        self.script.iter().map(|(when, _)| *when).min()
    }
}

pub(crate) struct Ran {
    pub(crate) ended: Ended,
    pub(crate) verdict: event::Verdict,
    pub(crate) events: Vec<event::Event>,
    /// What `bytes.bin` holds.
    pub(crate) bytes: Vec<u8>,
    /// What `events.jsonl` holds.
    pub(crate) text: String,
}

impl Ran {
    pub(crate) fn edges(&self) -> Vec<LineState> {
        self.events.iter().filter_map(|event| if let EventKind::Edge(edge) = &event.kind { Some(edge.state) } else { None }).collect()
    }

    /// The restarts on the timeline: what was said, and which event commanded it.
    pub(crate) fn restarts(&self) -> Vec<(String, bool, Option<u64>)> {
        let restart = |event: &'_ event::Event| match &event.kind {
            EventKind::Restart(restart) => Some((restart.message.clone(), restart.commanded, restart.by)),
            _ => None,
        };
        self.events.iter().filter_map(restart).collect()
    }

    /// The notes on the timeline.
    pub(crate) fn notes(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| if let EventKind::Note(note) = &event.kind { Some(note.text.as_str()) } else { None })
            .collect()
    }

    /// The values that were kept.
    pub(crate) fn kept(&self) -> Vec<(&str, &str)> {
        self.events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Kept(kept) => Some((kept.name.as_str(), kept.value.as_str())),
                _ => None,
            })
            .collect()
    }

    /// How often each step began.
    pub(crate) fn begun(&self, step: u16) -> usize {
        self.events.iter().filter(|event| event.step == Some(step) && matches!(event.kind, EventKind::StepStart(_))).count()
    }

    pub(crate) fn sent(&self) -> Vec<event::Bytes> {
        let sent = |event: &'_ event::Event| match &event.kind {
            EventKind::Bytes(bytes) if bytes.direction == Direction::Out => Some(bytes.clone()),
            _ => None,
        };
        self.events.iter().filter_map(sent).collect()
    }
}

/// Runs a scenario's steps on a scripted device; `order` gives the host its troubles.
pub(crate) fn run(body: &str, device: Scripted, order: impl FnOnce(&mut SimulatedSeam)) -> Ran {
    run_with(body, None, Fineness::SIMULATED, device, order)
}

/// The same, with something else around the case than is usual here.
pub(crate) fn run_around(
    body: &str,
    device: impl DeviceModel + 'static,
    order: impl FnOnce(&mut SimulatedSeam),
    change: impl FnOnce(&mut Circumstances),
) -> Ran {
    run_in(body, None, device, order, change)
}

/// The same with a bench, on a link that measures as finely as this.
pub(crate) fn run_with(
    body: &str,
    bench: Option<&Bench>,
    fineness: Fineness,
    device: Scripted,
    order: impl FnOnce(&mut SimulatedSeam),
) -> Ran {
    run_in(body, bench, device, order, |around| around.fineness = fineness)
}

fn run_in(
    body: &str,
    bench: Option<&Bench>,
    device: impl DeviceModel + 'static,
    order: impl FnOnce(&mut SimulatedSeam),
    change: impl FnOnce(&mut Circumstances),
) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.yaml");
    std::fs::write(&file, format!("format: 1\nscenario: rules\nsummary: rules\neffects: [speed, raw, nvm, firmware]\n{body}")).unwrap();
    let plan = scenario::load(&[file], bench).unwrap_or_else(|problems| {
        panic!("{}", evkit_hil::document::Diagnostic::render_all(&problems, false));
    });
    let mut seam = SimulatedSeam::new(Box::new(device), Baud::DEFAULT);
    order(&mut seam);
    let mut around = Circumstances {
        speeds_made: Vec::new(),
        firmware: Some("2.7.0".to_owned()),
        ..Circumstances::simulated("scripted", Baud::DEFAULT)
    };
    change(&mut around);
    let (sender, _receiver) = std::sync::mpsc::channel();
    let timeline = folder.path().join("timeline");
    let progress = Progress::new("scripted", sender);
    let ended = run_case(&mut seam, ClockKind::Simulated, &plan.cases[0], &around, &timeline, &progress).unwrap();
    let events: Vec<event::Event> = Reader::open(&timeline).unwrap().collect::<Result<_, _>>().unwrap();
    let Some(EventKind::Verdict(verdict)) = events.last().map(|event| event.kind.clone()) else { panic!("the last event is no verdict") };
    let bytes = std::fs::read(timeline.join("bytes.bin")).unwrap();
    let text = std::fs::read_to_string(timeline.join("events.jsonl")).unwrap();
    Ran { ended, verdict, events, bytes, text }
}

pub(crate) fn says(script: Vec<(MonoTime, &'static [u8])>) -> Scripted {
    Scripted { script, ..Scripted::default() }
}

pub(crate) fn reports(said: &'static [u8]) -> Scripted {
    says(vec![(at(1), said)])
}

pub(crate) fn passed(ran: &Ran) {
    assert_eq!(ran.verdict.outcome, Outcome::Passed, "{:?}", ran.verdict);
}
