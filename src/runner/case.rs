//! One case on one board: steps, `finally`, the verdict, and the line released on every way out.

use std::path::Path;
use std::time::Duration;

use super::conductor::Conductor;
use super::progress::Progress;
use super::steps::{self, BoardFacts, Firmware};
use super::stop::{Finding, Stop};
use super::watch::{Restarts, Watch};
use crate::baud::Baud;
use crate::diagnosis;
use crate::image::Version;
use crate::plan::units::show_duration;
use crate::plan::{self, Action, Relation, Restore};
use crate::seam::{LineState, Seam};
use crate::time::MonoTime;
use crate::timeline::event::{self, Outcome, StepOutcome};
use crate::timeline::{ClockKind, Timeline, TimelineError};

/// How long `finally` may take once the run was interrupted.
pub const INTERRUPTED_FINALLY: Duration = Duration::from_secs(5);

/// How long the application may take to report its version before a case.
const FIRMWARE: Duration = Duration::from_millis(500);

/// The board, the run and the computer around one case.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The board's name.
    pub board: String,
    /// What carries it: `serial`, `pty`, `simulated`.
    pub link: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// The speed at which the application answers after a plain start.
    pub home_speed: Baud,
    /// The speed of the host's port now.
    pub port_speed: Baud,
    /// How late this computer may be.
    pub host_late: Duration,
    /// Wall-clock time of the start, RFC 3339 in UTC; `None` on simulated time.
    pub started: Option<String>,
    /// The installed version, where the board was set up with it for this case; else the application is asked.
    pub firmware: Option<String>,
    /// Whether the board is set up anew for the next case. Else that case would meet what `finally` left undone, so the board is given up then.
    pub set_up_anew: bool,
    /// How long the application takes at most from a restart to its messages.
    pub start_up: Duration,
    /// The commanded restarts that a message in this case may belong to. Of a board that was set up, that is the only one.
    pub restarts: Restarts,
}

/// How a case ended, for whoever goes on with the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The verdict's outcome.
    pub outcome: Outcome,
    /// Why the board cannot go on, where it cannot.
    pub given_up: Option<Finding>,
    /// The speed of the host's port now.
    pub port_speed: Baud,
    /// The commanded restarts that a message in the next case may belong to.
    pub restarts: Restarts,
}

/// The `case` event for a case.
#[must_use]
pub fn case_event(case: &plan::Case, around: Option<&Circumstances>, seed: u64) -> event::Case {
    let section = |name: &str, steps: &[plan::Step]| {
        let name = name.to_owned();
        let info =
            move |step: &plan::Step| event::StepInfo { id: step.id, section: name.clone(), line: step.line, text: step.text.clone() };
        steps.iter().map(info).collect::<Vec<_>>()
    };
    let mut steps = section("steps", &case.steps);
    steps.extend(section("finally", &case.finally));
    event::Case {
        name: case.name.clone(),
        scenario: case.scenario.clone(),
        summary: case.summary.clone(),
        file: case.file.display().to_string(),
        line: case.line,
        tags: case.tags.clone(),
        effects: case.effects.iter().map(plan::Effect::to_string).collect(),
        matrix: case.matrix.clone(),
        board: around.map(|around| around.board.clone()),
        link: around.map(|around| around.link.to_owned()),
        seed,
        started: around.and_then(|around| around.started.clone()),
        steps,
    }
}

/// Runs `case` on the board behind `seam` and writes its timeline to `folder`. **Does to the board what the case's effects say.** Whatever happens, the
/// reset line is released at the end, or the board is given up.
///
/// # Errors
/// [`TimelineError`] when the timeline's files cannot be made: nothing was done to the board then.
pub fn run_case(
    seam: &mut dyn Seam,
    clock: ClockKind,
    case: &plan::Case,
    around: &Circumstances,
    folder: &Path,
    progress: &Progress,
) -> Result<Ended, TimelineError> {
    let timeline = Timeline::create(folder, clock)?;
    progress.started(&case.name);
    // On simulated time nothing comes late.
    if clock == ClockKind::Monotonic {
        case.steps.iter().for_each(steps::prepare);
    }
    let watch = Watch::new(around.restarts, around.start_up);
    let mut conductor = Conductor::new(seam, timeline, around.port_speed, around.host_late, watch, progress);
    if case.may_reset {
        conductor.let_reset();
    }
    let board = BoardFacts { home_speed: around.home_speed };
    let Ran { mut verdict, mut given_up, begun } = run_steps(&mut conductor, case, around, board);
    let mut is_undone = false;
    conductor.enter_finally();
    if begun && given_up.is_none() {
        let Left { undone, is_gone } = run_finally(&mut conductor, case, around, board);
        if let Some((step, finding)) = undone {
            let is_lost = is_gone || !around.set_up_anew;
            if verdict.outcome == Outcome::Passed {
                is_undone = !is_lost;
                verdict = if is_lost { blocked_by(&around.board, step, &finding) } else { verdict_of(Outcome::Error, step, &finding) };
            }
            given_up = is_lost.then_some(finding);
        }
    }
    // A line that cannot be driven is worse than all that came before.
    given_up = release(&mut conductor).or(given_up);
    if let Some(finding) = conductor.take_restarted()
        && (is_undone || verdict.outcome == Outcome::Passed)
    {
        // Where `finally` did not end as it should, this is why.
        verdict = verdict_of(Outcome::Failed, None, &finding);
    }
    if let Some(finding) = &given_up
        && matches!(verdict.outcome, Outcome::Passed | Outcome::Skipped)
    {
        verdict = blocked_by(&around.board, None, finding);
    }
    if conductor.interrupted() && verdict.outcome == Outcome::Passed {
        verdict.outcome = Outcome::Interrupted;
        "interrupted".clone_into(&mut verdict.reason);
    }
    let outcome = verdict.outcome;
    let port_speed = conductor.speed;
    let restarts = conductor.restarts_left();
    // A timeline that cannot be written any more has given the board up already: there is nowhere left to say so.
    let recorded = conductor.record(verdict).and_then(|_| conductor.flush());
    if let Err(stop) = recorded {
        given_up = given_up.or_else(|| stop.finding().cloned());
    }
    let folder = conductor.folder().to_owned();
    drop(conductor);
    progress.ended(folder);
    Ok(Ended { outcome, given_up, port_speed, restarts })
}

/// Writes the timeline of a case that no board ran: skipped or blocked, with the reason.
///
/// # Errors
/// [`TimelineError`] when the files cannot be made.
pub fn write_unrun(
    case: &plan::Case,
    folder: &Path,
    clock: ClockKind,
    seed: u64,
    outcome: Outcome,
    reason: &str,
) -> Result<(), TimelineError> {
    let at = if clock == ClockKind::Simulated { MonoTime::ZERO } else { MonoTime::now() };
    let mut timeline = Timeline::create(folder, clock)?;
    timeline.record(at, event::Source::Computed, None, case_event(case, None, seed))?;
    let mut verdict = passed();
    verdict.outcome = outcome;
    reason.clone_into(&mut verdict.reason);
    timeline.record(at, event::Source::Computed, None, verdict)?;
    timeline.flush()
}

struct Ran {
    verdict: event::Verdict,
    given_up: Option<Finding>,
    /// Whether a step began, so that `finally` has something to put back.
    begun: bool,
}

fn run_steps(conductor: &mut Conductor<'_>, case: &plan::Case, around: &Circumstances, board: BoardFacts) -> Ran {
    let mut prepare = || {
        let seq = conductor.record(case_event(case, Some(around), around.seed))?;
        if around.set_up_anew {
            conductor.was_set_up(seq);
        }
        // A case before may have ended at another speed.
        if conductor.speed != around.home_speed {
            conductor.set_speed(around.home_speed)?;
        }
        unmet_requirement(conductor, case, around)
    };
    match prepare() {
        Ok(None) => {}
        Ok(Some(reason)) => {
            let mut verdict = passed();
            verdict.outcome = Outcome::Skipped;
            verdict.reason = reason;
            return Ran { verdict, given_up: None, begun: false };
        }
        Err(stop) => return Ran { begun: false, ..ended_by(conductor, around, None, stop) },
    }
    conductor.set_deadline(conductor.now() + case.deadline);
    conductor.step_before = conductor.now();
    for step in &case.steps {
        if let Err(stop) = run_step(conductor, case, board, step) {
            return ended_by(conductor, around, Some(step), stop);
        }
    }
    Ran { verdict: passed(), given_up: None, begun: true }
}

fn run_step(conductor: &mut Conductor<'_>, case: &plan::Case, board: BoardFacts, step: &plan::Step) -> Result<(), Stop> {
    conductor.set_step(Some(step.id));
    conductor.show_step(usize::from(step.id) + 1, case.steps.len() + case.finally.len(), &step.text);
    conductor.record(event::StepStart {})?;
    let result = steps::run(conductor, case, board, step);
    let outcome = match &result {
        Ok(()) => StepOutcome::Passed,
        Err(Stop::Failed(_) | Stop::Restarted(_)) => StepOutcome::Failed,
        Err(Stop::Rig(_) | Stop::GivenUp(_)) => StepOutcome::Error,
        Err(Stop::Interrupted) => StepOutcome::Interrupted,
    };
    conductor.forget_queued();
    conductor.record(event::StepEnd { outcome })?;
    conductor.step_before = conductor.now();
    result
}

/// The reason why the case does not fit the board as it reports itself; `None` when it fits. Records the board's firmware.
fn unmet_requirement(conductor: &mut Conductor<'_>, case: &plan::Case, around: &Circumstances) -> Result<Option<String>, Stop> {
    let required = !case.requires.firmware.is_empty();
    let reported = match &around.firmware {
        // A board that was set up may be in a state in which a question would change the case.
        Some(firmware) if !required => Firmware::Reported(firmware.clone()),
        _ => steps::read_firmware(conductor, FIRMWARE)?,
    };
    if let Firmware::Reported(version) = &reported {
        conductor.record(event::Property { name: "firmware".to_owned(), value: version.clone() })?;
    }
    let text = match reported {
        _ if !required => return Ok(None),
        Firmware::Reported(text) => text,
        Firmware::NotReported => return Ok(Some("requires: firmware, but the application reports no version".to_owned())),
        // Nobody can tell whether the case would fit: to skip it would hide a board that is dead, or a port that is the wrong one.
        Firmware::Silent(seen, evidence) => {
            let expected = format!("the version that `requires` asks for, in answer to AT+CGMR within {}", show_duration(FIRMWARE));
            return Err(Stop::Rig(Finding::new("the application does not answer, before the first step", expected, seen, evidence)));
        }
    };
    let Ok(version) = text.parse::<Version>() else {
        return Ok(Some(format!("requires: firmware, but the application reports {text}, which is no version x.y.z")));
    };
    let unmet = case.requires.firmware.iter().find(|bound| !bound.holds(version));
    Ok(unmet.map(|bound| format!("requires: firmware {bound}, the board has {version}")))
}

fn ended_by(conductor: &mut Conductor<'_>, around: &Circumstances, step: Option<&plan::Step>, stop: Stop) -> Ran {
    let begun = step.is_some();
    let id = step.map(|step| step.id);
    let (outcome, finding) = match stop {
        Stop::Interrupted => {
            let mut verdict = passed();
            verdict.outcome = Outcome::Interrupted;
            verdict.step = id;
            "interrupted".clone_into(&mut verdict.reason);
            return Ran { verdict, given_up: None, begun };
        }
        // Neither the step's reason nor a cause that is looked for in what it sent has to do with it.
        Stop::Restarted(finding) => return Ran { verdict: verdict_of(Outcome::Failed, id, &finding), given_up: None, begun },
        Stop::Failed(finding) if step.is_some_and(|step| step.control) => {
            let reason = format!("inconclusive: {} (this step is a positive control: without it the case proves nothing)", finding.reason);
            (Outcome::Error, Finding { reason, ..finding })
        }
        Stop::Failed(finding) => (Outcome::Failed, finding),
        Stop::Rig(finding) => (Outcome::Error, finding),
        Stop::GivenUp(finding) => {
            return Ran { verdict: blocked_by(&around.board, id, &finding), given_up: Some(finding), begun };
        }
    };
    let mut verdict = verdict_of(outcome, id, &finding);
    if let Some(because) = step.and_then(|step| step.because.as_deref()) {
        verdict.expected = verdict.expected.map(|expected| format!("{expected}, because {because}"));
    }
    if outcome == Outcome::Failed && conductor.flush().is_ok() {
        // A diagnosis is a help, not a condition: a case that has none has failed all the same.
        verdict.diagnosis = diagnosis::diagnose(conductor.folder()).ok().flatten();
    }
    Ran { verdict, given_up: None, begun }
}

/// What `finally` left.
struct Left {
    /// The first step that did not do what it says, and what it found.
    undone: Option<(Option<u16>, Finding)>,
    is_gone: bool,
}

impl Left {
    fn take(&mut self, step: Option<u16>, result: Result<(), Stop>) {
        match result {
            Ok(()) | Err(Stop::Interrupted) => {}
            Err(Stop::Failed(finding) | Stop::Restarted(finding) | Stop::Rig(finding)) => {
                self.undone.get_or_insert((step, finding));
            }
            Err(Stop::GivenUp(finding)) => *self = Self { undone: Some((step, finding)), is_gone: true },
        }
    }
}

/// Runs `finally`, and puts a board back that is not set up anew for the next case, where `finally` does not.
fn run_finally(conductor: &mut Conductor<'_>, case: &plan::Case, around: &Circumstances, board: BoardFacts) -> Left {
    let limit = |own| if conductor.interrupted() { INTERRUPTED_FINALLY.min(own) } else { own };
    conductor.set_deadline(conductor.now() + limit(case.finally_deadline));
    conductor.step_before = conductor.now();
    let mut left = Left { undone: None, is_gone: false };
    for step in &case.finally {
        let result = run_step(conductor, case, board, step);
        left.take(Some(step.id), result);
        if left.is_gone {
            break;
        }
    }
    conductor.set_step(None);
    let restores = case.finally.iter().any(|step| matches!(step.action, Action::Restore(_)));
    if !left.is_gone && !restores && !around.set_up_anew && !conductor.interrupted() {
        let restore = Restore::default();
        conductor.set_deadline(conductor.now() + restore.within);
        let result = conductor
            .note("`finally` has no restore: the board is put back for the next case")
            .and_then(|_| steps::restore(conductor, &restore, board));
        left.take(None, result);
    }
    left
}

/// Releases the reset line if the case left it asserted; what was found when that failed.
fn release(conductor: &mut Conductor<'_>) -> Option<Finding> {
    conductor.set_deadline(MonoTime::FAR_FUTURE);
    if conductor.line == LineState::Released {
        return None;
    }
    conductor.drive_reset(LineState::Released, None).err().and_then(|stop| stop.finding().cloned())
}

fn passed() -> event::Verdict {
    event::Verdict {
        outcome: Outcome::Passed,
        reason: String::new(),
        step: None,
        expected: None,
        seen: None,
        diagnosis: None,
        evidence: Vec::new(),
    }
}

fn verdict_of(outcome: Outcome, step: Option<u16>, finding: &Finding) -> event::Verdict {
    event::Verdict {
        outcome,
        reason: finding.reason.clone(),
        step,
        expected: Some(finding.expected.clone()),
        seen: Some(finding.seen.clone()),
        diagnosis: None,
        evidence: finding.evidence.clone(),
    }
}

/// The verdict of the case in which `board` was given up. The error is the board's, one for all of its cases, and this case is blocked by it like
/// those that come after.
fn blocked_by(board: &str, step: Option<u16>, finding: &Finding) -> event::Verdict {
    let mut verdict = verdict_of(Outcome::Blocked, step, finding);
    verdict.reason = format!("board {board}: {}", finding.reason);
    verdict
}

impl std::fmt::Display for plan::VersionBound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let relation = match self.relation {
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::Equal => "=",
            Relation::AtLeast => ">=",
            Relation::Greater => ">",
        };
        write!(f, "{relation}{}", self.version)
    }
}

impl plan::VersionBound {
    /// Whether `version` keeps to the bound.
    #[must_use]
    pub fn holds(&self, version: Version) -> bool {
        match self.relation {
            Relation::Less => version < self.version,
            Relation::AtMost => version <= self.version,
            Relation::Equal => version == self.version,
            Relation::AtLeast => version >= self.version,
            Relation::Greater => version > self.version,
        }
    }
}
