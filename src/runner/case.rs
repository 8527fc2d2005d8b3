//! One case on one board: steps, `finally`, the verdict, and the lines released on every way out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::conductor::Conductor;
use super::moments::Fineness;
use super::probe::{self, Reach};
use super::progress::Progress;
use super::steps::{self, BoardFacts, Firmware};
use super::stop::{Finding, Stop};
use super::watch::{Restarts, Watch};
use crate::baud::Baud;
use crate::bench::{Board, BoardKind, HOST_LATE, START_UP, Sim};
use crate::image::Version;
use crate::plan::units::show_duration;
use crate::plan::{self, Action, Restore};
use crate::seam::Seam;
use crate::secret::Secret;
use crate::time::{MonoTime, duration_ns};
use crate::timeline::event::{self, Outcome};
use crate::timeline::{ClockKind, Timeline, TimelineError};

/// How long `finally` may take once the run was interrupted, up to its `restore`.
const INTERRUPTED_FINALLY: Duration = Duration::from_secs(5);

/// How long `restore` and what follows it may take once the run was interrupted: two starts that are waited for for 5 s each, and the ladder twice.
const INTERRUPTED_RESTORE: Duration = Duration::from_secs(25);

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
    /// What the record may not show, beside the secrets that the case's own steps name.
    pub secrets: Arc<[Secret]>,
    /// Which try of the case it is; `None` where the run tries no case again.
    pub attempt: Option<event::Attempt>,
    /// The speed at which the application answers after a plain start.
    pub home_speed: Baud,
    /// The speed of the host's port now.
    pub port_speed: Baud,
    /// Speeds that the port was seen to make.
    pub speeds_made: Vec<Baud>,
    /// How late this computer may be.
    pub host_late: Duration,
    /// How finely the link measures.
    pub fineness: Fineness,
    /// Wall-clock time of the start, RFC 3339 in UTC; `None` on simulated time.
    pub started: Option<String>,
    /// The installed version, where the board was set up with it for this case; else the application is asked.
    pub firmware: Option<String>,
    /// What the board is.
    pub kind: BoardKind,
    /// What is known of the unit: names and values of properties.
    pub identity: Vec<(String, String)>,
    /// What is done to the board before the first step.
    pub before_case: plan::BoardSteps,
    /// What is done about the network that the module may register with.
    pub sim: Sim,
    /// Whether the radio is known to be off.
    pub is_quiet: bool,
    /// Whether the board is set up anew for the next case. Else that case would meet what `finally` left undone, so the board is given up then.
    pub set_up_anew: bool,
    /// How long the application takes at most from a restart to its messages.
    pub start_up: Duration,
    /// The commanded restarts that a message in this case may belong to. Of a board that was set up, that is the only one.
    pub restarts: Restarts,
}

impl Circumstances {
    /// Of a board on simulated time that has just been made: it is at `speed`, and so is the port.
    #[must_use]
    pub fn simulated(board: impl Into<String>, speed: Baud) -> Self {
        Self {
            board: board.into(),
            link: "simulated",
            seed: 0,
            secrets: [].into(),
            attempt: None,
            home_speed: speed,
            port_speed: speed,
            speeds_made: vec![speed],
            host_late: HOST_LATE,
            fineness: Fineness::SIMULATED,
            started: None,
            firmware: None,
            kind: BoardKind::St87m01,
            identity: Vec::new(),
            before_case: plan::BoardSteps::default(),
            sim: Sim::None,
            is_quiet: false,
            set_up_anew: true,
            start_up: START_UP,
            restarts: Restarts::default(),
        }
    }
}

/// How a case ended, for whoever goes on with the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The verdict's outcome.
    pub outcome: Outcome,
    /// The verdict's cause.
    pub diagnosis: Option<event::Diagnosis>,
    /// Why the board cannot go on, where it cannot. Without secrets.
    pub given_up: Option<Finding>,
    /// The speed of the host's port now.
    pub port_speed: Baud,
    /// Speeds that the port was seen to make.
    pub speeds_made: Vec<Baud>,
    /// The commanded restarts that a message in the next case may belong to.
    pub restarts: Restarts,
    /// How many restarts were commanded.
    pub commanded: u32,
    /// Whether the module's radio is known to be off.
    pub is_quiet: bool,
}

/// The `case` event for what the harness asks of a board by itself, without a scenario file.
pub(super) fn own_case(name: String, scenario: &str, summary: &str, board: &Board, around: &Circumstances) -> event::Case {
    event::Case {
        name,
        scenario: scenario.to_owned(),
        summary: summary.to_owned(),
        file: board.file.display().to_string(),
        line: board.line,
        tags: Vec::new(),
        effects: Vec::new(),
        matrix: Vec::new(),
        board: Some(around.board.clone()),
        link: Some(around.link.to_owned()),
        seed: around.seed,
        attempt: None,
        started: around.started.clone(),
        start_up_ns: Some(duration_ns(around.start_up)),
        home_speed: Some(around.home_speed),
        steps: Vec::new(),
    }
}

/// The `case` event for a case.
#[must_use]
pub fn case_event(case: &plan::Case, around: Option<&Circumstances>, seed: u64) -> event::Case {
    let section = |name: &str, steps: &[plan::Step]| {
        let info = |step: &plan::Step| event::StepInfo {
            id: step.id,
            section: name.to_owned(),
            file: step.file.as_ref().map(|file| file.display().to_string()),
            line: step.line,
            text: step.text.clone(),
        };
        plan::walk(steps).into_iter().map(info).collect::<Vec<_>>()
    };
    let mut steps = around.map_or_else(Vec::new, |around| section("before-case", &around.before_case.steps));
    steps.extend(section("steps", &case.steps));
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
        attempt: around.and_then(|around| around.attempt),
        started: around.and_then(|around| around.started.clone()),
        start_up_ns: around.map(|around| duration_ns(around.start_up)),
        home_speed: around.map(|around| around.home_speed),
        steps,
    }
}

/// Runs `case` on the board behind `seam` and writes its timeline to `folder`. **Does to the board what the case's effects say.** Whatever happens, the
/// supply is on and every line released at the end, or the board is given up.
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
    let mut timeline = Timeline::create(folder, clock)?;
    timeline.mask(case.secrets.iter().chain(&around.before_case.secrets).chain(around.secrets.iter()));
    progress.started(&case.name);
    plan::walk(&around.before_case.steps).into_iter().chain(plan::walk(&case.steps)).for_each(steps::prepare);
    let watch = match around.kind {
        BoardKind::St87m01 => Watch::new(around.restarts, around.start_up),
        BoardKind::Generic => Watch::off(),
    };
    let mut conductor = Conductor::new(seam, timeline, around.port_speed, around.host_late, watch, progress);
    conductor.set_fineness(around.fineness);
    let all = [&around.before_case.steps, &case.steps, &case.finally].map(|steps| plan::walk(steps)).concat();
    conductor.set_limits(steps::limits(&all));
    let count = |steps: &[plan::Step]| plan::walk(steps).len();
    conductor.set_steps(count(&around.before_case.steps), count(&case.steps) + count(&case.finally));
    conductor.set_speeds_made(around.speeds_made.clone());
    if case.may_reset {
        conductor.let_reset();
    }
    let board = BoardFacts { home_speed: around.home_speed, start_up: around.start_up, sim: around.sim };
    let Ran { mut verdict, mut given_up, begun } = run_steps(&mut conductor, case, around, board);
    if around.kind == BoardKind::Generic {
        verdict.diagnosis = verdict.diagnosis.filter(|diagnosis| diagnosis.cause.is_of_the_rig());
    }
    let mut is_undone = false;
    let mut is_quiet = around.is_quiet && !begun;
    conductor.enter_finally();
    if begun && given_up.is_none() {
        let Left { undone, why, is_gone, is_quiet: left_quiet } = run_finally(&mut conductor, case, around, board);
        is_quiet = left_quiet;
        if let Some((step, finding)) = undone {
            let is_lost = is_gone || !around.set_up_anew;
            if verdict.outcome == Outcome::Passed {
                is_undone = !is_lost;
                // Of what `finally` has seen: it has asked and reset already. Where the board is well at its end, of the step that failed.
                let diagnosis = conductor.diagnose().ok().flatten().filter(|_| around.kind == BoardKind::St87m01).or(why);
                let undone = if is_lost { blocked_by(&around.board, step, &finding) } else { verdict_of(Outcome::Error, step, &finding) };
                verdict = event::Verdict { diagnosis, ..undone };
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
        let diagnosis = conductor.diagnose().ok().flatten().filter(|_| around.kind == BoardKind::St87m01);
        verdict = event::Verdict { diagnosis, ..verdict_of(Outcome::Failed, None, &finding) };
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
    if case.is_of_board && matches!(verdict.outcome, Outcome::Failed | Outcome::Blocked) {
        // What the bench file wants done to a board is a part of the rig, and blocked by nothing.
        verdict.outcome = Outcome::Error;
    }
    // What `finally` has done need not be done again.
    verdict.diagnosis = verdict.diagnosis.map(|found| conductor.revised(found));
    let (outcome, diagnosis) = (verdict.outcome, verdict.diagnosis.clone());
    let port_speed = conductor.speed;
    let speeds_made = conductor.speeds_made();
    let restarts = conductor.restarts_left();
    let commanded = conductor.restarts_commanded();
    // A timeline that cannot be written any more has given the board up already: there is nowhere left to say so.
    let recorded = conductor.record(verdict).and_then(|_| conductor.flush());
    if let Err(stop) = recorded {
        given_up = given_up.or_else(|| stop.finding().cloned());
    }
    let given_up = given_up.map(|finding| conductor.masked(finding));
    let folder = conductor.folder().to_owned();
    drop(conductor);
    if case.is_of_board {
        progress.checked(folder);
    } else {
        progress.ended(folder);
    }
    Ok(Ended { outcome, diagnosis, given_up, port_speed, speeds_made, restarts, commanded, is_quiet })
}

/// Writes the timeline of a case that did not run: skipped or blocked, with the reason. `board` is the one that had to run it, where only one could.
///
/// # Errors
/// [`TimelineError`] when the files cannot be made.
pub fn write_unrun(
    case: &plan::Case,
    board: Option<&str>,
    folder: &Path,
    clock: ClockKind,
    seed: u64,
    outcome: Outcome,
    reason: &str,
) -> Result<(), TimelineError> {
    let at = if clock == ClockKind::Simulated { MonoTime::ZERO } else { MonoTime::now() };
    let mut timeline = Timeline::create(folder, clock)?;
    let info = event::Case { board: board.map(str::to_owned), ..case_event(case, None, seed) };
    timeline.record(at, event::Source::Computed, None, info)?;
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
        for (name, value) in &around.identity {
            conductor.record(event::Property { name: name.clone(), value: value.clone() })?;
        }
        if around.set_up_anew {
            conductor.was_set_up(seq);
        }
        // A case before may have ended at another speed.
        if conductor.speed != around.home_speed {
            conductor.set_speed(around.home_speed)?;
        }
        if around.sim == Sim::Quiet && !around.is_quiet {
            steps::turn_off_radio(conductor)?;
        }
        match unmet_requirement(conductor, case, around)? {
            Some(reason) => Ok(Some(reason)),
            // Once the first step runs, the module may be set to a speed at any time.
            None => case.speeds_set().into_iter().try_for_each(|speed| conductor.try_speed(speed)).map(|()| None),
        }
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
    let mut run = |steps: &[plan::Step], deadline| {
        conductor.set_deadline(conductor.now() + deadline);
        conductor.moments.step_before = conductor.now();
        steps::run_list(conductor, steps::Around { case, board }, steps)
    };
    let before = &around.before_case.steps;
    let result = run(before, plan::worst_case(before).saturating_add(plan::DEADLINE_SLACK)).and_then(|()| run(&case.steps, case.deadline));
    let result = result.and_then(|()| {
        // No step's fault, and none that was tried again.
        conductor.stopped_in = None;
        let noise = if around.kind == BoardKind::St87m01 && !case.may_damage { conductor.noise()? } else { None };
        noise.map_or(Ok(()), |found| {
            let reason = format!("all steps passed, and {}", found.reason);
            let expected = format!("{}; a scenario in which they may come damaged says `may-damage: true`", found.expected);
            Err(Stop::Failed(Finding { reason, expected, ..found }))
        })
    });
    match result {
        Ok(()) => Ran { verdict: passed(), given_up: None, begun: true },
        Err(stop) => {
            let stopped_in = conductor.stopped_in;
            let step = plan::walk(before).into_iter().chain(plan::walk(&case.steps)).find(|step| Some(step.id) == stopped_in);
            Ran { begun: true, ..ended_by(conductor, around, step, stop) }
        }
    }
}

/// The reason why the case does not fit the board as it reports itself; `None` when it fits. Records the board's firmware.
fn unmet_requirement(conductor: &mut Conductor<'_>, case: &plan::Case, around: &Circumstances) -> Result<Option<String>, Stop> {
    if around.kind == BoardKind::Generic || case.is_of_board {
        // Nobody knows what the question would do to it. A case that requires a version was not given to it.
        return Ok(None);
    }
    let required = !case.requires.firmware.is_empty();
    let reported = match &around.firmware {
        // A board that was set up may be in a state in which a question would change the case.
        Some(firmware) if !required => Firmware::Reported(firmware.clone()),
        _ => steps::read_firmware(conductor, FIRMWARE)?,
    };
    if let Firmware::Reported(version) = &reported {
        conductor.record(event::Property { name: "firmware".to_owned(), value: version.clone() })?;
    }
    if !required {
        return Ok(None);
    }
    let unmet = unmet_by(case, &reported)?;
    let is_known = matches!(&reported, Firmware::Reported(text) if around.firmware.as_ref() == Some(text));
    if unmet.is_some() && !is_known {
        // A case that a damaged answer has skipped would hide the line that damages it.
        let again = steps::read_firmware(conductor, FIRMWARE)?;
        if unmet != unmet_by(case, &again)? {
            let seen = format!("{}, then {}", reported.describe(), again.describe());
            let reason = "AT+CGMR brings another version each time, before the first step";
            return Err(Stop::Rig(Finding::new(reason, "the same one each time", seen, conductor.evidence())));
        }
    }
    Ok(unmet)
}

/// Why the case does not fit a board whose application reports this; `None` when it fits.
fn unmet_by(case: &plan::Case, reported: &Firmware) -> Result<Option<String>, Stop> {
    let text = match reported {
        Firmware::Reported(text) => text,
        Firmware::NotReported => return Ok(Some("requires: firmware, but the application reports no version".to_owned())),
        // Nobody can tell whether the case would fit: to skip it would hide a board that is dead, or a port that is the wrong one.
        Firmware::Silent(answer) => {
            let expected = format!("the version that `requires` asks for, in answer to AT+CGMR within {}", show_duration(FIRMWARE));
            let reason = if answer.lines.is_empty() {
                "the application does not answer, before the first step"
            } else {
                "AT+CGMR brings no OK, before the first step"
            };
            return Err(Stop::Rig(Finding::new(reason, expected, answer.describe(), answer.evidence.clone())));
        }
    };
    let Ok(version) = text.parse::<Version>() else {
        return Ok(Some(format!("requires: firmware, but the application reports {text}, which is no version x.y.z")));
    };
    let bound = case.requires.firmware.iter().find(|bound| !bound.holds(version));
    Ok(bound.map(|bound| format!("requires: firmware {bound}, the board has {version}")))
}

fn ended_by(conductor: &mut Conductor<'_>, around: &Circumstances, step: Option<&plan::Step>, stop: Stop) -> Ran {
    let begun = step.is_some();
    let id = step.map(|step| step.id);
    // Of a rig's fault within the case, bytes tell nothing; before its first step it is the board that does not answer.
    let is_of_board = !matches!(stop, Stop::Interrupted | Stop::Rig(_)) || (matches!(stop, Stop::Rig(_)) && step.is_none());
    let is_of_steps = matches!(stop, Stop::Failed(_) | Stop::Forbidden(_));
    let (outcome, finding) = match stop {
        Stop::Interrupted => {
            let mut verdict = passed();
            verdict.outcome = Outcome::Interrupted;
            verdict.step = id;
            "interrupted".clone_into(&mut verdict.reason);
            return Ran { verdict, given_up: None, begun };
        }
        // The step's reason has nothing to do with it.
        Stop::Restarted(finding) => {
            let mut verdict = verdict_of(Outcome::Failed, id, &finding);
            let probed = probe::diagnose(conductor, around, Reach::Lines, false);
            let given_up = probed.given_up();
            verdict.diagnosis = probed.diagnosis;
            return Ran { verdict, given_up, begun };
        }
        Stop::Failed(finding) | Stop::Forbidden(finding) if step.is_some_and(|step| step.control) => {
            let reason = format!("inconclusive: {} (this step is a positive control: without it the case proves nothing)", finding.reason);
            (Outcome::Error, Finding { reason, ..finding })
        }
        Stop::Failed(finding) | Stop::Forbidden(finding) if step.is_some_and(|step| step.id >= plan::BOARD_STEPS) => {
            let reason = format!("{} (`before-case` of the board in the bench file)", finding.reason);
            (Outcome::Error, Finding { reason, ..finding })
        }
        Stop::Failed(finding) | Stop::Forbidden(finding) => (Outcome::Failed, finding),
        Stop::Rig(finding) => (Outcome::Error, finding),
        Stop::GivenUp(finding) => {
            let mut verdict = blocked_by(&around.board, id, &finding);
            verdict.diagnosis = conductor.diagnose().ok().flatten();
            return Ran { verdict, given_up: Some(finding), begun };
        }
    };
    let mut verdict = verdict_of(outcome, id, &finding);
    if let Some(because) = step.and_then(|step| step.because.as_deref()) {
        verdict.expected = verdict.expected.map(|expected| format!("{expected}, because {because}"));
    }
    let mut given_up = None;
    if is_of_board {
        let probed = probe::diagnose(conductor, around, Reach::Lines, is_of_steps);
        given_up = probed.given_up();
        verdict.diagnosis = probed.diagnosis;
    }
    Ran { verdict, given_up, begun }
}

/// What `finally` left.
struct Left {
    /// The first step that did not do what it says, and what it found.
    undone: Option<(Option<u16>, Finding)>,
    /// The cause that fitted when it had failed.
    why: Option<event::Diagnosis>,
    is_gone: bool,
    /// Whether the module's radio is off.
    is_quiet: bool,
}

impl Left {
    fn take(&mut self, step: Option<u16>, result: Result<(), Stop>) {
        match result {
            Ok(()) | Err(Stop::Interrupted) => {}
            Err(Stop::Failed(finding) | Stop::Forbidden(finding) | Stop::Restarted(finding) | Stop::Rig(finding)) => {
                self.undone.get_or_insert((step, finding));
            }
            Err(Stop::GivenUp(finding)) => *self = Self { undone: Some((step, finding)), why: None, is_gone: true, is_quiet: false },
        }
    }
}

/// Runs `finally`, and puts a board back that is not set up anew for the next case, where `finally` does not.
fn run_finally(conductor: &mut Conductor<'_>, case: &plan::Case, around: &Circumstances, board: BoardFacts) -> Left {
    conductor.set_deadline(conductor.now() + case.finally_deadline);
    conductor.limit_when_interrupted(INTERRUPTED_FINALLY);
    conductor.moments.step_before = conductor.now();
    let mut left = Left { undone: None, why: None, is_gone: false, is_quiet: false };
    let first_restore = case.finally.iter().find(|step| matches!(step.action, Action::Restore(_))).map(|step| step.id);
    for step in &case.finally {
        if Some(step.id) == first_restore {
            conductor.limit_when_interrupted(INTERRUPTED_RESTORE);
        }
        let result = steps::run_step(conductor, steps::Around { case, board }, step);
        let is_first = left.undone.is_none() && matches!(result, Err(Stop::Failed(_) | Stop::Forbidden(_)));
        left.take(Some(step.id), result);
        if is_first && around.kind == BoardKind::St87m01 {
            left.why = conductor.diagnose().ok().flatten().or_else(|| conductor.not_as_expected());
        }
        if left.is_gone {
            break;
        }
    }
    conductor.set_step(None);
    if !left.is_gone && conductor.is_off() {
        let result = conductor.note("the case left the module without its supply: it is switched on").and_then(|_| conductor.power_on());
        left.take(None, result);
    }
    if around.kind == BoardKind::Generic {
        // Its line is released below like every board's; more is not known of how it is put back.
        return left;
    }
    if !left.is_gone && first_restore.is_none() && !around.set_up_anew && !conductor.interrupted() {
        let restore = Restore::default();
        conductor.set_deadline(conductor.now() + restore.within + plan::DEADLINE_SLACK);
        let result = conductor
            .note("`finally` has no restore: the board is put back for the next case")
            .and_then(|_| steps::restore(conductor, &restore, board));
        left.take(None, result);
    }
    // Whatever was reset in the case, and whoever has put it back: it must not register until the next one.
    if around.sim == Sim::Quiet && left.undone.is_none() && !conductor.interrupted() {
        conductor.set_deadline(conductor.now() + steps::RADIO_WITHIN + INTERRUPTED_FINALLY);
        let result = steps::turn_off_radio(conductor);
        left.is_quiet = result.is_ok();
        left.take(None, result);
    }
    left
}

/// Brings every line to its rest where the case left it otherwise: released, and the supply on. What was found when that failed.
fn release(conductor: &mut Conductor<'_>) -> Option<Finding> {
    conductor.set_deadline(MonoTime::FAR_FUTURE);
    conductor.let_go().err().and_then(|stop| stop.finding().cloned())
}

pub(super) fn passed() -> event::Verdict {
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

pub(super) fn verdict_of(outcome: Outcome, step: Option<u16>, finding: &Finding) -> event::Verdict {
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
