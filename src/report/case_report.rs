//! A case as reports see it: read from its timeline, and from nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::transcript::{Line, Transcript, TranscriptBuilder};
use super::{ReportError, evidence};
use crate::baud::Baud;
use crate::diagnosis::Probe;
use crate::plan::units::show_duration;
use crate::seam::{LineState, MarkKind};
use crate::time::MonoTime;
use crate::timeline::event::{self, Bytes, Case, Direction, Event, EventKind, Measured, Outcome, Property, StepInfo, StepOutcome, Verdict};
use crate::timeline::{BYTES_FILE, ClockKind, EVENTS_FILE, Reader};

/// What reports say of one case.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// The timeline's directory.
    pub dir: PathBuf,
    /// What the times are counted on.
    pub clock: ClockKind,
    /// What ran.
    pub case: Case,
    /// What is known of the board and the case; where a name was given twice, its last value.
    pub properties: Vec<Property>,
    /// How it ended. A timeline without a verdict (its writer was killed) reads as an error that says so.
    pub verdict: Verdict,
    /// From the `case` event to the verdict.
    pub duration: Duration,
    /// The step that decided it.
    pub step: Option<StepInfo>,
    /// What happened on the wire and around it.
    pub transcript: Transcript,
    /// The last lines of both directions, in their order, at most five each: up to the end of the step that the verdict names, else of the first that
    /// did not pass, else up to the end.
    pub last_lines: Vec<Line>,
    /// The lines that prove the diagnosis, else the verdict: those of at most five events.
    pub evidence: Vec<Line>,
    /// The probes that were carried out to find the cause.
    pub probes: Vec<ProbeMade>,
    /// The tries before this one, the first one first; each failed. Empty until [`join_tries`](super::join_tries) has found them.
    pub earlier: Vec<CaseReport>,
}

/// A probe that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeMade {
    /// Which.
    pub probe: Probe,
    /// The port's speed at its begin, where that was not the board's own.
    pub at: Option<Baud>,
    /// How long it took.
    pub took: Duration,
}

impl CaseReport {
    /// Reads the timeline in `dir`, however long it is, in bounded memory (a few MiB at most, and under 100 KiB kept).
    ///
    /// # Errors
    /// [`ReportError::Timeline`] when it cannot be read, [`ReportError::NoCase`] when it does not say what ran.
    pub fn read(dir: &Path) -> Result<Self, ReportError> {
        let mut reader = Reader::open(dir)?;
        let (case, origin) = match reader.next().transpose()? {
            Some(Event { kind: EventKind::Case(case), t, .. }) => (case, t),
            _ => return Err(ReportError::NoCase { dir: dir.to_owned() }),
        };
        let mut transcript = TranscriptBuilder::new(origin);
        let mut properties: Vec<Property> = Vec::new();
        let mut verdict = None;
        let mut last_lines = BTreeMap::new();
        let mut running = None;
        let mut end = origin;
        let mut probes = Vec::new();
        let mut probing: Option<(ProbeMade, MonoTime)> = None;
        let mut speed = None;
        while let Some(event) = reader.next().transpose()? {
            end = end.max(event.t);
            if matches!(
                event.kind,
                EventKind::StepStart(_) | EventKind::Probe(_) | EventKind::Diagnosis(_) | EventKind::Property(_) | EventKind::Verdict(_)
            ) && let Some((made, began)) = probing.take()
            {
                probes.push(ProbeMade { took: event.t.since(began), ..made });
            }
            match &event.kind {
                EventKind::Probe(event::Probe { probe }) => {
                    let at = speed.filter(|speed| Some(*speed) != case.home_speed);
                    probing = Some((ProbeMade { probe: *probe, at, took: Duration::ZERO }, event.t));
                }
                EventKind::Speed(event::Speed { actual, .. }) => speed = Some(*actual),
                _ => {}
            }
            match &event.kind {
                EventKind::Bytes(bytes) => {
                    transcript.wire(&reader, event.t, bytes)?;
                    if let Some(words) = marks_in_words(bytes) {
                        transcript.words(event.t, &words);
                    }
                }
                EventKind::Property(property) => set_property(&mut properties, &property.name, property.value.clone()),
                kind => {
                    if let EventKind::Measured(measured) = kind {
                        let name = format!("measured.{}", measured.name);
                        set_property(&mut properties, &name, format!("{} ({})", figure(measured), measured.how));
                    }
                    if let Some(words) = in_words(kind, event.step, &case) {
                        transcript.words(event.t, &words);
                    }
                }
            }
            match event.kind {
                EventKind::StepStart(_) => running = event.step,
                EventKind::StepEnd(step) => {
                    running = None;
                    // A step may be done again and again: what counts is its last time.
                    if step.outcome != StepOutcome::Passed {
                        last_lines.insert(event.step, transcript.last_lines(&reader)?);
                    }
                }
                EventKind::Verdict(written) => {
                    verdict = Some(written);
                    end = event.t;
                }
                _ => {}
            }
        }
        let verdict = verdict.unwrap_or_else(|| no_verdict(running));
        let of_verdict = verdict.step.and_then(|step| last_lines.remove(&Some(step)));
        let last_lines = match of_verdict.or_else(|| last_lines.into_values().next()) {
            Some(lines) => lines,
            None => transcript.last_lines(&reader)?,
        };
        let transcript = transcript.finish(&reader)?;
        let step = verdict.step.and_then(|id| case.steps.iter().find(|step| step.id == id)).cloned();
        // A second pass, over the events alone.
        let evidence = evidence::read(Reader::open(dir)?, &case, origin, &verdict)?;
        let duration = end.since(origin);
        let clock = reader.header().clock;
        Ok(Self {
            dir: dir.to_owned(),
            clock,
            case,
            properties,
            verdict,
            duration,
            step,
            transcript,
            last_lines,
            evidence,
            probes,
            earlier: Vec::new(),
        })
    }

    /// How the case ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.verdict.outcome
    }

    /// Whether it passed, but not on its first try.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.outcome() == Outcome::Passed && self.case.attempt.is_some_and(|attempt| attempt.number > 1)
    }

    /// Whether a board took it. Else there is only the reason why none did.
    #[must_use]
    pub fn ran(&self) -> bool {
        self.case.link.is_some()
    }

    /// The file with the events.
    #[must_use]
    pub fn events_file(&self) -> PathBuf {
        self.dir.join(EVENTS_FILE)
    }

    /// The file with the bytes.
    #[must_use]
    pub fn bytes_file(&self) -> PathBuf {
        self.dir.join(BYTES_FILE)
    }

    /// The line of the scenario's file that decided the case: the deciding step's, else (and where that stands in another file) the scenario's first.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.step.as_ref().filter(|step| step.file.is_none()).map_or(self.case.line, |step| step.line)
    }
}

/// Sets a property; where its name was given before, its last value counts.
fn set_property(properties: &mut Vec<Property>, name: &str, value: String) {
    match properties.iter_mut().find(|known| known.name == name) {
        Some(known) => known.value = value,
        None => properties.push(Property { name: name.to_owned(), value }),
    }
}

fn no_verdict(running: Option<u16>) -> Verdict {
    Verdict {
        outcome: Outcome::Error,
        reason: "the run ended before a verdict was written".to_owned(),
        step: running,
        expected: Some("a verdict as the timeline's last event".to_owned()),
        seen: Some("a timeline that breaks off: the program was killed, or the computer stopped".to_owned()),
        diagnosis: None,
        evidence: Vec::new(),
    }
}

/// What an event other than bytes says in a transcript; `None` for what is said elsewhere.
pub(super) fn in_words(kind: &EventKind, step: Option<u16>, case: &Case) -> Option<String> {
    Some(match kind {
        EventKind::Case(_) | EventKind::Property(_) | EventKind::Bytes(_) | EventKind::Verdict(_) => return None,
        EventKind::StepStart(_) => {
            let index = case.steps.iter().position(|info| Some(info.id) == step)?;
            let info = &case.steps[index];
            let place = info.file.as_ref().map_or_else(|| format!("line {}", info.line), |file| format!("{file}:{}", info.line));
            format!("step {}/{} ({place}): {}", index + 1, case.steps.len(), info.text)
        }
        EventKind::StepEnd(end) => match end.outcome {
            StepOutcome::Passed => return None,
            StepOutcome::Failed => "step failed".to_owned(),
            StepOutcome::Error => "step ended with an error".to_owned(),
            StepOutcome::Interrupted => "step interrupted".to_owned(),
        },
        EventKind::Edge(edge) => {
            format!("{} {}", edge.line, state_in_words(&edge.line, edge.state))
        }
        EventKind::InputEdge(edge) => format!("{} was {} by the board", edge.line, state_in_words(&edge.line, edge.state)),
        EventKind::Asked(asked) => format!("asked: {}", asked.question),
        EventKind::Confirmed(_) => "confirmed at the terminal".to_owned(),
        EventKind::Break(line) if line.held => format!("{} transmit line held low", line.stream),
        EventKind::Break(line) => format!("{} transmit line let go", line.stream),
        EventKind::Speed(speed) if speed.requested == speed.actual => format!("{} at {} baud", speed.stream, speed.actual),
        EventKind::Speed(speed) => format!("{} at {} baud, which reports {}", speed.stream, speed.requested, speed.actual),
        EventKind::Match(found) => format!("{} matched \"{}\"", found.pattern, found.text),
        EventKind::Request(request) => match request.asked {
            1.. => format!("asked for {} bytes after {} of {}", request.asked, request.sent, request.total),
            0 => format!("says it has all after {} of {} bytes", request.sent, request.total),
            _ => format!("refused with {} after {} of {} bytes", request.asked, request.sent, request.total),
        },
        EventKind::Restart(restart) if restart.commanded && restart.by.is_some() => {
            format!("{}: the module has restarted, as commanded", restart.message)
        }
        EventKind::Restart(restart) if restart.commanded => {
            format!("{}: the module has restarted, which may have been commanded before this began", restart.message)
        }
        EventKind::Restart(restart) => format!("{}: the module has restarted, and nobody commanded it", restart.message),
        EventKind::Kept(kept) => format!("kept {} = {}", kept.name, kept.value),
        EventKind::Measured(measured) => {
            format!("measured {} = {}, from {} to {}", measured.name, figure(measured), measured.from, measured.to)
        }
        EventKind::Note(note) => note.text.clone(),
        EventKind::Gone(gone) => format!("{} is gone: {}", gone.stream, gone.reason),
        EventKind::Interrupted(_) => "the run was asked to end".to_owned(),
        EventKind::Level(level) => {
            format!("{} reads back as {}", level.line, if level.state == LineState::Asserted { "asserted" } else { "released" })
        }
        EventKind::Probe(probe) => format!("probe {}: {}", probe.probe, probe.probe.words()),
        EventKind::Diagnosis(diagnosis) => format!("{}: {}", diagnosis.title(), diagnosis.because),
    })
}

/// A time with its uncertainty.
fn figure(measured: &Measured) -> String {
    let [value, uncertainty] = [measured.value_ns, measured.uncertainty_ns].map(|ns| show_duration(Duration::from_nanos(ns)));
    format!("{value} ± {uncertainty}")
}

/// What a line is in: of power, on or off.
fn state_in_words(line: &str, state: LineState) -> &'static str {
    match (line, state) {
        ("power", LineState::Asserted) => "on",
        ("power", LineState::Released) => "off",
        (_, LineState::Asserted) => "asserted",
        (_, LineState::Released) => "released",
    }
}

fn marks_in_words(bytes: &Bytes) -> Option<String> {
    if bytes.marks.is_empty() || bytes.direction == Direction::Out {
        return None;
    }
    let breaks = bytes.marks.iter().filter(|(_, kind)| *kind == MarkKind::Break).count();
    let framing = bytes.marks.len() - breaks;
    Some(format!("the port marked {framing} framing errors and {breaks} breaks among the last {} bytes", bytes.length))
}
