//! The examination of one board, phase by phase on one timeline: what it says by itself, who answers at which speed, who it is, whether reset and boot code work. **Changes nothing that
//! outlives a reset**: no AT+IPR, no upload, nothing that is saved. Beyond [`Scope::Words`] it **resets the board**, and ends with its application answering, where it can.
//!
//! At the first phase that does not bring what a well board brings the cause is asked for, there: what happened last is what a diagnosis judges. Then the phases go on that still make sense.

use std::path::Path;
use std::time::Duration;

use super::case::{self, Circumstances, own_case};
use super::conductor::Conductor;
use super::health;
use super::probe::{self, Probed, Reach};
use super::progress::Progress;
use super::steps::{self, RESET_PULSE, Reply};
use super::stop::{Finding, Stop};
use super::watch::{Restarts, Watch};
use super::words::describe_bytes;
use crate::baud::Baud;
use crate::bench::{Board, BoardKind, Sim};
use crate::diagnosis::Cause;
use crate::plan::Handshake;
use crate::plan::units::show_duration;
use crate::report::{escape, terminal};
use crate::seam::Seam;
use crate::time::MonoTime;
use crate::timeline::event::{self, Outcome};
use crate::timeline::{ClockKind, Timeline, TimelineError};

/// How long is listened before anything is sent.
pub const LISTEN: Duration = Duration::from_secs(2);
/// How many times an examination can restart a module: the phases `reset`, `boot code` and `leave`, one of the first two anew, and a reset where leaving boot code did not bring the application.
pub const MOST_RESTARTS: u32 = 5;
/// How long the application may take to say who it is.
const IDENTITY: Duration = Duration::from_secs(10);
/// How long is waited for an application that has never said a word.
const NEVER_HEARD: Duration = Duration::from_secs(5);
/// How long an application that starts is listened to before it is asked again: its messages may have come before that.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the end may take once the run was interrupted: two starts, and the ladder.
const INTERRUPTED: Duration = Duration::from_secs(20);
/// Nothing comes for so long: the messages of a start are over.
const QUIET: Duration = Duration::from_millis(100);

/// How far an examination goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing is sent.
    Listen,
    /// AT only: the board is not reset.
    Words,
    /// All phases.
    Whole,
}

/// A part of the examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Listen,
    Ask,
    Identity,
    Reset,
    BootCode,
    Leave,
}

impl Phase {
    const ALL: [Self; 6] = [Self::Listen, Self::Ask, Self::Identity, Self::Reset, Self::BootCode, Self::Leave];

    const fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Ask => "ask",
            Self::Identity => "identity",
            Self::Reset => "reset",
            Self::BootCode => "boot code",
            Self::Leave => "leave",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Listen => "nothing is sent",
            Self::Ask => "AT, here and at each usual speed",
            Self::Identity => "ATI and AT+CGMR",
            Self::Reset => "a reset, #SYSSTART awaited, AT",
            Self::BootCode => "a reset, the hotkey, ATI0",
            Self::Leave => "the application started, AT",
        }
    }
}

/// What boot code did with the hotkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BootCode {
    /// It is not known to have taken it.
    NotEntered,
    /// It acknowledged it and answers nothing.
    Silent,
    /// It answers commands.
    Answers,
}

/// How an examination ended, for whoever goes on with the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Passed: no cause was found. Failed: the board is not well. Error: the rig is not.
    pub outcome: Outcome,
    /// Why the board cannot go on, where it cannot. Without secrets.
    pub given_up: Option<Finding>,
    /// The speed of the host's port now.
    pub port_speed: Baud,
    /// The commanded restarts that a message after this may belong to.
    pub restarts: Restarts,
    /// How many restarts were commanded.
    pub commanded: u32,
}

/// Examines `board` behind `seam`, and listens for `listen` before it asks anything. Writes the timeline to `folder`: what each phase found is a property of it. Whatever happens, every line is released at the end,
/// or the board is given up.
///
/// # Errors
/// [`TimelineError`] when the timeline's files cannot be made: nothing was done to the board then.
#[expect(
    clippy::too_many_arguments,
    reason = "as for a case: the seam and its clock, the board and what is around it, the order, and where the record goes"
)]
pub fn examine(
    seam: &mut dyn Seam,
    clock: ClockKind,
    board: &Board,
    around: &Circumstances,
    scope: Scope,
    listen: Duration,
    folder: &Path,
    progress: &Progress,
) -> Result<Examined, TimelineError> {
    let mut timeline = Timeline::create(folder, clock)?;
    timeline.mask(around.secrets.iter());
    progress.started("diagnose");
    let watch = Watch::new(around.restarts, around.start_up);
    let mut conductor = Conductor::new(seam, timeline, around.port_speed, around.host_late, watch, progress);
    conductor.set_fineness(around.fineness);
    conductor.set_speeds_made(around.speeds_made.clone());
    let phases = match scope {
        Scope::Listen => 1,
        Scope::Words => 3,
        Scope::Whole => Phase::ALL.len(),
    };
    conductor.set_steps(0, phases);
    let mut examination = Examination {
        conductor,
        around,
        scope,
        listen,
        progress,
        unwell: None,
        found: None,
        left: None,
        answers_after_reset: false,
        did_not_start: false,
        is_heard: false,
        is_reset: false,
        boot_code: BootCode::NotEntered,
    };
    let mut stop = examination.begin(board).err();
    stop = examination.end(stop);
    let Examination { mut conductor, unwell, .. } = examination;
    conductor.set_deadline(MonoTime::FAR_FUTURE);
    // A line that cannot be driven is worse than all that came before.
    let released = conductor.let_go().err().and_then(|stop| stop.finding().cloned());
    let mut given_up = released.or(if let Some(Stop::GivenUp(finding)) = stop { Some(finding) } else { None });
    let verdict = match (&given_up, unwell) {
        (Some(finding), _) => {
            let diagnosis = conductor.diagnose().ok().flatten();
            event::Verdict { diagnosis, ..case::verdict_of(Outcome::Error, None, finding) }
        }
        (None, unwell) if conductor.interrupted() => {
            let diagnosis = unwell.and_then(|unwell| unwell.diagnosis);
            event::Verdict { outcome: Outcome::Interrupted, reason: "interrupted".to_owned(), diagnosis, ..case::passed() }
        }
        (None, Some(Unwell { phase, finding, is_rig, diagnosis })) => {
            let diagnosis = diagnosis.map(|found| conductor.revised(found));
            let outcome = if is_rig { Outcome::Error } else { Outcome::Failed };
            let reason = format!("{}: {}", phase.name(), finding.reason);
            event::Verdict { reason, diagnosis, ..case::verdict_of(outcome, None, &finding) }
        }
        (None, None) => match conductor.noise() {
            Ok(Some(finding)) if around.kind == BoardKind::St87m01 => {
                let diagnosis = conductor.diagnose().ok().flatten();
                event::Verdict { diagnosis, ..case::verdict_of(Outcome::Failed, None, &finding) }
            }
            _ => case::passed(),
        },
    };
    let outcome = verdict.outcome;
    let (port_speed, restarts, commanded) = (conductor.speed, conductor.restarts_left(), conductor.restarts_commanded());
    if let Err(stop) = conductor.record(verdict).and_then(|_| conductor.flush()) {
        given_up = given_up.or_else(|| stop.finding().cloned());
    }
    let given_up = given_up.map(|finding| conductor.masked(finding));
    let folder = conductor.folder().to_owned();
    drop(conductor);
    progress.ended(folder);
    Ok(Examined { outcome, given_up, port_speed, restarts, commanded })
}

/// The first thing that a well board does not do.
struct Unwell {
    phase: Phase,
    finding: Finding,
    is_rig: bool,
    diagnosis: Option<event::Diagnosis>,
}

impl Unwell {
    /// Where boot code has acknowledged the hotkey, it is not true that nothing comes.
    fn is_disproved_by(&self, boot_code: BootCode) -> bool {
        boot_code != BootCode::NotEntered && self.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.cause == Cause::NothingCame)
    }
}

struct Examination<'a> {
    conductor: Conductor<'a>,
    around: &'a Circumstances,
    scope: Scope,
    listen: Duration,
    progress: &'a Progress,
    unwell: Option<Unwell>,
    /// The speed at which the application answered before anything was done to it.
    found: Option<Baud>,
    /// The speed at which it answered at the end.
    left: Option<Baud>,
    /// Whether it answered after the reset.
    answers_after_reset: bool,
    /// A probe has reset the board, and nothing of a start came.
    did_not_start: bool,
    /// Whether the application was ever heard.
    is_heard: bool,
    is_reset: bool,
    boot_code: BootCode,
}

impl Examination<'_> {
    /// All phases but the last.
    fn begin(&mut self, board: &Board) -> Result<(), Stop> {
        self.conductor.record(own_case("diagnose".to_owned(), "diagnose", "What is the matter with this board.", board, self.around))?;
        for (name, value) in &self.around.identity {
            self.conductor.record(event::Property { name: name.clone(), value: value.clone() })?;
        }
        self.phase(Phase::Listen, Self::listen)?;
        if self.scope == Scope::Listen {
            return Ok(());
        }
        self.phase(Phase::Ask, Self::ask)?;
        if let Some(speed) = self.found {
            self.phase(Phase::Identity, |examination| examination.identity(speed))?;
        }
        if self.scope == Scope::Words {
            return Ok(());
        }
        self.phase(Phase::Reset, Self::reset)?;
        if self.answers_after_reset && self.found.is_none() {
            let home = self.around.home_speed;
            self.phase(Phase::Identity, |examination| examination.identity(home))?;
        }
        let release = self.conductor.moments.release;
        if release.is_some_and(|release| release.uncertainty > Handshake::WITHIN) {
            let why = "not asked: the boot window may be over before anybody knows that this reset line is let go";
            return self.say(Phase::BootCode, why.to_owned());
        }
        self.phase(Phase::BootCode, Self::boot_code)
    }

    /// The last phase, and at which speed the board was found and is left. What stopped the phases before it, or this one.
    fn end(&mut self, stop: Option<Stop>) -> Option<Stop> {
        let mut stop = stop;
        if self.scope == Scope::Listen || matches!(stop, Some(Stop::GivenUp(_))) {
            return stop;
        }
        if self.scope == Scope::Whole && (stop.is_none() || self.is_reset) {
            self.conductor.enter_finally();
            self.conductor.limit_when_interrupted(INTERRUPTED);
            stop = self.phase(Phase::Leave, Self::leave).err().or(stop);
        } else {
            self.left = self.found;
        }
        if let Some(finding) = self.conductor.take_restarted() {
            self.judge(Phase::Leave, finding, false);
        }
        let [found, left] =
            [self.found, self.left].map(|speed| speed.map_or_else(|| terminal::NOWHERE.to_owned(), |speed| format!("{speed} baud")));
        let recorded = self.property("found-at", found).and_then(|()| self.property("left-at", left));
        stop.or(recorded.err())
    }

    fn property(&mut self, name: &str, value: String) -> Result<(), Stop> {
        self.conductor.record(event::Property { name: name.to_owned(), value }).map(drop)
    }

    /// Carries out a phase, ends what it has left, and says what it found.
    fn phase(&mut self, phase: Phase, act: impl Fn(&mut Self) -> Result<String, Stop>) -> Result<(), Stop> {
        self.conductor.show_step(phase as u16, &format!("{}: {}", phase.name(), phase.words()));
        self.conductor.note(format!("{}: {}", phase.name(), phase.words()))?;
        let mut acted = self.acted(&act);
        if let Err(Stop::Restarted(finding)) = acted {
            // That is found once, and the phase is begun anew.
            let restarted = finding.reason.clone();
            if let Some(stop) = self.judge(phase, finding, false) {
                return Err(stop);
            }
            self.conductor.let_reset();
            let and = |words: &str| format!("{restarted}; {words}");
            acted = self.acted(&act).map(|found| and(&found)).map_err(|stop| stop.with_reason(and));
        }
        let is_rig = matches!(acted, Err(Stop::Rig(_)));
        match acted {
            Ok(found) => self.say(phase, found),
            Err(Stop::Interrupted) => Err(Stop::Interrupted),
            Err(Stop::GivenUp(finding)) => {
                // Whether that can still be written is another matter.
                let _ = self.say(phase, finding.reason.clone());
                Err(Stop::GivenUp(finding))
            }
            Err(Stop::Failed(finding) | Stop::Forbidden(finding) | Stop::Restarted(finding) | Stop::Rig(finding)) => {
                let reason = finding.reason.clone();
                let stop = self.judge(phase, finding, is_rig);
                self.say(phase, reason)?;
                stop.map_or(Ok(()), Err)
            }
        }
    }

    /// Does what a phase does, and ends what it has left.
    fn acted(&mut self, act: &impl Fn(&mut Self) -> Result<String, Stop>) -> Result<String, Stop> {
        let acted = act(self);
        self.conductor.end_handlers();
        match (self.conductor.end_pulses(), acted) {
            (Err(stop @ Stop::GivenUp(_)), _) => Err(stop),
            (Err(stop), Ok(_)) => Err(stop),
            (_, acted) => acted,
        }
    }

    fn say(&mut self, phase: Phase, found: String) -> Result<(), Stop> {
        self.property(&phase.name().replace(' ', "-"), found.clone())?;
        self.progress.phase(phase.name(), &found);
        Ok(())
    }

    /// Asks for the cause of the first thing that is not well. Returns why nothing goes on, where that is so.
    fn judge(&mut self, phase: Phase, finding: Finding, is_rig: bool) -> Option<Stop> {
        match &self.unwell {
            Some(unwell) if !unwell.is_disproved_by(self.boot_code) => return None,
            Some(_) => {
                if let Err(stop) = self.conductor.diagnose_anew() {
                    return Some(stop);
                }
            }
            None => {}
        }
        let reach = if self.scope == Scope::Whole { Reach::Lines } else { Reach::Words };
        let mut probed = if is_rig { Probed::default() } else { probe::diagnose(&mut self.conductor, self.around, reach, false) };
        if let Some(diagnosis) = &probed.diagnosis
            && let Err(stop) = self.conductor.record(diagnosis.clone())
        {
            probed.stop = Some(stop);
        }
        self.is_reset |= probed.started.is_some();
        self.did_not_start = probed.started == Some(false);
        self.is_heard |= probed.started == Some(true);
        self.unwell = Some(Unwell { phase, finding, is_rig, diagnosis: probed.diagnosis });
        probed.stop.filter(|stop| matches!(stop, Stop::Interrupted | Stop::GivenUp(_)))
    }

    fn listen(&mut self) -> Result<String, Stop> {
        let from = self.conductor.received();
        let until = self.conductor.now() + self.listen;
        self.conductor.sleep_until(until)?;
        let came = self.conductor.last_received(from);
        let time = figure(self.listen);
        if came.is_empty() {
            return Ok(format!("nothing came in {time}"));
        }
        self.is_heard |= is_of_a_start(&came);
        let count = self.conductor.received() - from;
        Ok(format!("{count} {} came in {time}: {}", if count == 1 { "byte" } else { "bytes" }, describe_bytes(&came)))
    }

    fn ask(&mut self) -> Result<String, Stop> {
        let home = self.conductor.speed;
        let from = self.conductor.received();
        if probe::asked_here(&mut self.conductor)? {
            (self.found, self.is_heard) = (Some(home), true);
            return Ok(format!("AT is answered at {home} baud"));
        }
        let (came, evidence) = (describe_bytes(&self.conductor.last_received(from)), self.conductor.evidence());
        self.found = probe::look(&mut self.conductor)?;
        let reason = match self.found {
            Some(speed) if speed == home => format!("AT is answered at {home} baud, but not at once"),
            Some(speed) => format!("AT is answered at {speed} baud, not at {home}"),
            None => format!("AT is answered neither at {home} baud nor at any other usual speed"),
        };
        self.is_heard |= self.found.is_some();
        Err(Stop::Failed(Finding::new(reason, format!("OK to AT at {home} baud"), came, evidence)))
    }

    fn identity(&mut self, speed: Baud) -> Result<String, Stop> {
        let home = self.conductor.speed;
        if speed != home {
            self.conductor.set_speed(speed)?;
        }
        let named = self.name();
        if speed != home {
            self.conductor.set_speed(home)?;
        }
        named
    }

    fn name(&mut self) -> Result<String, Stop> {
        steps::settle(&mut self.conductor)?;
        let deadline = self.conductor.now() + IDENTITY;
        let lines = health::ask(&mut self.conductor, "ATI", deadline)?;
        if !lines.iter().any(|line| line == health::NAME.as_bytes()) {
            let expected = format!("{} in the answer to ATI", health::NAME);
            let reason = format!("no {} answers ATI: {}", health::NAME, health::shown(&lines));
            return Err(Stop::Failed(Finding::new(reason, expected, health::shown(&lines), self.conductor.evidence())));
        }
        let version = health::one_line(&mut self.conductor, "AT+CGMR", deadline, |line| line.first().is_some_and(u8::is_ascii_digit))?;
        self.property("firmware", version.clone())?;
        Ok(format!("{}, version {version}", health::NAME))
    }

    fn reset(&mut self) -> Result<String, Stop> {
        let start_up = self.around.start_up;
        let never = |came: &[u8], evidence| {
            let reason = format!("no #SYSSTART in {} after the release: {} came", show_duration(start_up), describe_bytes(came));
            Finding::new(reason, format!("#SYSSTART within {} of the release", show_duration(start_up)), describe_bytes(came), evidence)
        };
        if self.did_not_start {
            // The probe that was to decide did just this.
            return Err(Stop::Failed(never(&[], self.conductor.evidence())));
        }
        let from = self.conductor.received();
        self.is_reset = true;
        self.conductor.pulse_reset(RESET_PULSE)?;
        let release = self.conductor.moments.release.map_or_else(|| self.conductor.now(), |release| release.at);
        // From the assertion on: a person lets go of a button before the release is confirmed.
        let has_started = probe::started(&mut self.conductor, from, release + start_up)?;
        let took = self.conductor.now().since(release);
        if has_started {
            self.settled()?;
        }
        let came = self.conductor.last_received(from);
        self.is_heard |= has_started;
        let answers = probe::asked_here(&mut self.conductor)?;
        self.is_heard |= answers;
        self.answers_after_reset = answers;
        if !has_started
            && !answers
            && let Some(speed) = self.found.filter(|speed| *speed != self.conductor.speed)
            && self.answers_at(speed)?
        {
            return Ok(format!(
                "AT is answered at {speed} baud again: a reset does not put the speed back, and #SYSSTART came at that one"
            ));
        }
        self.did_not_start = !has_started && !answers;
        match (has_started, answers) {
            (true, true) => Ok(format!("{} {} after the release", messages(&came), figure(took))),
            (true, false) => Err(Stop::Failed(Finding::new(
                format!("{} {} after the release, but AT is not answered", messages(&came), figure(took)),
                "OK to AT after #SYSSTART",
                describe_bytes(&self.conductor.last_received(from)),
                self.conductor.evidence(),
            ))),
            (false, answers) => {
                let mut finding = never(&came, self.conductor.evidence());
                if answers {
                    finding.reason.push_str("; AT is answered all the same");
                }
                Err(Stop::Failed(finding))
            }
        }
    }

    /// Whether AT is answered at another speed; the port goes back to its own.
    fn answers_at(&mut self, speed: Baud) -> Result<bool, Stop> {
        let home = self.conductor.speed;
        self.conductor.set_speed(speed)?;
        let answers = probe::asked_here(&mut self.conductor)?;
        self.conductor.set_speed(home)?;
        Ok(answers)
    }

    /// Waits for what follows a start-up message at once.
    fn settled(&mut self) -> Result<(), Stop> {
        self.conductor.skip_input();
        let until = self.conductor.now() + QUIET;
        self.conductor.sleep_until(until)
    }

    fn boot_code(&mut self) -> Result<String, Stop> {
        self.is_reset = true;
        // From the first hotkey on it may have been taken, also where an interruption comes before that is heard of.
        self.boot_code = BootCode::Silent;
        if let Err(stop) = steps::handshake(&mut self.conductor, &Handshake::default()) {
            if !matches!(stop, Stop::Interrupted) {
                self.boot_code = BootCode::NotEntered;
            }
            return Err(stop);
        }
        let moments = &self.conductor.moments;
        let took = moments.acknowledge.zip(moments.release).map(|(acknowledge, release)| acknowledge.at.since(release.at));
        let acknowledged = format!("0x9A {} after the release", figure(took.unwrap_or_default()));
        let answer = steps::identify_boot_code(&mut self.conductor)?;
        if answer.result == Reply::Success {
            self.boot_code = BootCode::Answers;
            let lines: Vec<String> = answer.lines.iter().map(|line| escape::bytes(line)).collect();
            return Ok(format!("{acknowledged}; ATI0: {}", if lines.is_empty() { "0".to_owned() } else { lines.join(", ") }));
        }
        Err(Stop::Failed(Finding::new(
            format!("{acknowledged}; ATI0: {}", answer.describe()),
            "the boot version and 0 in answer to ATI0",
            answer.describe(),
            answer.evidence,
        )))
    }

    fn leave(&mut self) -> Result<String, Stop> {
        let home = self.around.home_speed;
        // A pulse that was broken off.
        self.conductor.end_pulses()?;
        if self.conductor.speed != home {
            self.conductor.set_speed(home)?;
        }
        let mut answers = match self.boot_code {
            BootCode::Answers => {
                steps::leave_boot_code(&mut self.conductor)?;
                let now = self.conductor.now();
                self.comes_up(now)? || self.stays_away()?
            }
            BootCode::Silent => false,
            BootCode::NotEntered => {
                let release = self.conductor.moments.release.map_or_else(|| self.conductor.now(), |release| release.at);
                probe::asked_here(&mut self.conductor)? || self.comes_up(release)?
            }
        };
        let mut how = "";
        if !answers {
            self.conductor.pulse_reset(RESET_PULSE)?;
            let release = self.conductor.now();
            answers = self.comes_up(release)?;
            how = if self.boot_code == BootCode::Answers { " after a reset, and did not after AT#BOOT" } else { " after a reset" };
        }
        if answers {
            self.left = Some(home);
            let silent = if self.around.sim == Sim::Quiet { self.keep_quiet()? } else { "" };
            return Ok(format!("the application answers AT{how}{silent}"));
        }
        self.left = probe::look(&mut self.conductor)?;
        let reason = match self.left {
            Some(speed) => format!("the application answers AT at {speed} baud, not at {home}"),
            None => "the application does not answer AT".to_owned(),
        };
        let seen = reason.clone();
        Err(Stop::Failed(Finding::new(reason, format!("OK to AT at {home} baud"), seen, self.conductor.evidence())))
    }

    /// AT#BOOT has not brought the application, which is judged before a reset does. Whether what decided has brought it.
    fn stays_away(&mut self) -> Result<bool, Stop> {
        let evidence = self.conductor.evidence();
        let finding = Finding::new("AT#BOOT does not bring the application", "OK to AT after AT#BOOT", "no answer to AT", evidence);
        match self.judge(Phase::Leave, finding, false) {
            Some(stop) => Err(stop),
            None => probe::asked_here(&mut self.conductor),
        }
    }

    /// Waits for an application that starts at `from`; whether it then answers. One that was never heard is not waited for long.
    fn comes_up(&mut self, from: MonoTime) -> Result<bool, Stop> {
        let patience = if self.is_heard && !self.did_not_start { self.around.start_up } else { NEVER_HEARD.min(self.around.start_up) };
        let deadline = from + patience;
        loop {
            let until = deadline.min(self.conductor.now() + AGAIN);
            let received = self.conductor.received();
            if probe::started(&mut self.conductor, received, until)? {
                self.settled()?;
            }
            if probe::asked_here(&mut self.conductor)? {
                return Ok(true);
            }
            if self.conductor.now() >= deadline {
                return Ok(false);
            }
        }
    }

    /// Whatever was reset: a module with `sim: quiet` must not register.
    fn keep_quiet(&mut self) -> Result<&'static str, Stop> {
        steps::settle(&mut self.conductor)?;
        steps::turn_off_radio(&mut self.conductor)?;
        Ok("; its radio is off")
    }
}

/// Whether a message of the application's start is in it.
fn is_of_a_start(came: &[u8]) -> bool {
    [&b"#SYSSTART"[..], b"#REBOOT"].iter().any(|message| came.windows(message.len()).any(|window| window == *message))
}

/// The start-up messages among what came, up to the last one that was waited for: `#REBOOT_RESET, #SYSSTART`.
fn messages(came: &[u8]) -> String {
    let lines = came.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| line.starts_with(b"#"));
    let mut messages: Vec<String> = lines.map(escape::bytes).collect();
    if let Some(last) = messages.iter().position(|message| message == "#SYSSTART") {
        messages.truncate(last + 1);
    }
    messages.join(", ")
}

/// A time in as many digits as a person reads: `3 ms`, `0.51 s`.
fn figure(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.0} ms", seconds * 1000.0),
        seconds if seconds < 1.0 => format!("{seconds:.2} s"),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Probe;
    use crate::report::terminal;

    #[test]
    fn figures_have_the_digits_that_say_something() {
        let ms = |ms| figure(Duration::from_millis(ms));
        assert_eq!([ms(3), ms(99), ms(510), ms(704), ms(2_000), ms(12_345)], ["3 ms", "99 ms", "0.51 s", "0.70 s", "2.0 s", "12.3 s"]);
        assert_eq!(figure(Duration::from_micros(1_499)), "1 ms");
    }

    /// The step's text was cut in the middle of a word.
    #[test]
    fn what_is_done_now_fits_a_narrow_terminal() {
        let phases = Phase::ALL.iter().map(|phase| format!("{}: {}", phase.name(), phase.words()));
        let probes = Probe::ALL.iter().map(|probe| format!("probe {probe}: {}", probe.in_short()));
        for text in phases.chain(probes) {
            let elapsed = Duration::from_secs(200);
            let shown = terminal::Progress { board: "kit-1", case: "diagnose", step: Some((6, 6, &text)), elapsed };
            let line = terminal::progress_line(&shown, 80);
            assert!(line.contains(&text), "{line}");
        }
    }

    #[test]
    fn start_up_messages_are_told_by_their_lines() {
        assert_eq!(messages(b"\r\n#REBOOT_RESET\r\n\r\n#SYSSTART\r\n+CEREG: 2\r\n#SIMST: 1\r\n"), "#REBOOT_RESET, #SYSSTART");
    }
}
