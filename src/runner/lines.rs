//! The board's lines, as the conductor drives and watches them: any output, edges of inputs, the supply.
//!
//! **Before the supply goes off, every line to the board lets go or goes low, and TX is held low where the port can**: a module without a supply lives on through its pins otherwise, half
//! dead, and a power cycle is none. Every line comes back released, and TX idle, once the supply is on again.

use std::time::Duration;

use super::conductor::{CANNOT_HOLD, Conductor, Pumped, name_of};
use super::edges::InputEdge;
use super::moments::Moment;
use super::stop::{Finding, Stop};
use crate::plan::units::show_duration;
use crate::seam::{Direction, LineId, LineInfo, LineState, StreamId};
use crate::time::MonoTime;

/// How much later than the edge the kernel may stamp it: its interrupt has to be served. An assumption, generous for a busy Raspberry Pi.
const KERNEL_LATE: Duration = Duration::from_micros(200);

/// What a drive may take without that the case gets more time for it.
const USUAL: Duration = Duration::from_secs(2);

/// How long after it was driven a line is read back: one that was let go rises only as fast as its pull-up fills what hangs on it. An assumption, ten times that of 10 kΩ and 100 nF.
const SETTLE: Duration = Duration::from_millis(10);

/// How long a reading is waited for, what is queued on the line before it included.
const READ_WITHIN: Duration = Duration::from_secs(1);

impl Conductor<'_> {
    /// The line of this name; `None` when the board has none.
    #[must_use]
    pub fn line_named(&self, name: &str) -> Option<LineInfo> {
        self.seam.lines().iter().find(|info| info.name == name).cloned()
    }

    /// How long the backend of a line may take for a drive; `None` when the board has no such line.
    #[must_use]
    pub fn answer_within(&self, line: LineId) -> Option<Duration> {
        self.seam.lines().iter().find(|info| info.id == line).map(|info| info.answer_within)
    }

    /// Drives a line, at `at` or at once, and waits until that is carried out. Returns how many bytes had come before. What a slow backend takes (a program, a person) is not counted
    /// against the case's deadline.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn drive(&mut self, line: LineId, state: LineState, at: Option<MonoTime>) -> Result<usize, Stop> {
        self.feeds_nothing(line, state)?;
        let patience = match self.answer_within(line) {
            Some(within) if !self.interrupted() => within.saturating_sub(USUAL),
            _ => Duration::ZERO,
        };
        let (deadline, begun) = (self.deadline, at.unwrap_or_else(|| self.now()).max(self.now()));
        self.deadline = deadline + patience;
        let ticket = self.seam.drive(line, state, at);
        if (state == LineState::Asserted) != (line == LineId::POWER) {
            // What interrupts the wait for its backend's answer does not take it back: whoever puts it back must know.
            self.note_state(line, state);
        }
        let already = self.complete(Pumped::Driven(ticket), at, patience);
        if !self.interrupted() {
            self.deadline = if patience.is_zero() { deadline } else { deadline + self.now().since(begun) };
        }
        already
    }

    /// Reads back a line that the host has let go of: asserted means that something else holds it. `None` where the host asserts it, where it is no line that the host lets go of, while the supply
    /// is off (nothing pulls it up then), and where its backend cannot tell or does not answer, which is noted. Nothing is driven. What was read is on the timeline as the latest `level`. It may be asked when the case's time is over, and takes
    /// little more than a second at most.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn read_back(&mut self, line: LineId) -> Result<Option<LineState>, Stop> {
        let is_output = self.seam.lines().iter().any(|info| info.id == line && info.direction == Direction::Out);
        if !is_output || line == LineId::POWER || self.is_off() || self.state_of(line) == LineState::Asserted {
            return Ok(None);
        }
        let (risen, now) = (self.driven_at + SETTLE, self.now());
        let limit = risen.max(now) + READ_WITHIN;
        let (deadline, was_interrupted) = (self.deadline, self.interrupted());
        self.deadline = deadline.max(limit);
        let settled = if risen > now { self.sleep_until(risen) } else { Ok(()) };
        let read = settled.and_then(|()| self.await_level(line, limit));
        if self.interrupted() == was_interrupted {
            self.deadline = deadline;
        }
        read
    }

    fn await_level(&mut self, line: LineId, limit: MonoTime) -> Result<Option<LineState>, Stop> {
        let ticket = self.seam.read_back(line);
        loop {
            match self.pump(limit)? {
                Pumped::Level(read, state) if read == ticket => return Ok(state),
                Pumped::Deadline => {
                    let (line, waited) = (name_of(self.seam, line), show_duration(READ_WITHIN));
                    self.note(format!("the {line} line was not read back within {waited}"))?;
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    /// Whether a line may be driven so, which it may not while the supply is off, except to where it feeds nothing.
    ///
    /// # Errors
    /// [`Stop::Rig`] says which line it is.
    pub(super) fn feeds_nothing(&self, line: LineId, state: LineState) -> Result<(), Stop> {
        let info = self.seam.lines().iter().find(|info| info.id == line && line != LineId::POWER);
        match info.filter(|info| self.is_off() && info.unpowered != state) {
            None => Ok(()),
            Some(info) => Err(Stop::Rig(Finding::new(
                format!("{} would be driven while the supply is off", info.name),
                "`power: on` before a line is driven",
                "the supply is off, and the module would live on through the line. Nothing was driven",
                Vec::new(),
            ))),
        }
    }

    /// Drives the reset line, at `at` or at once. **Asserting resets the board.** A release moves the cursor to it.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn drive_reset(&mut self, state: LineState, at: Option<MonoTime>) -> Result<(), Stop> {
        let from = at.unwrap_or_else(|| self.now());
        let already = self.drive(LineId::RESET, state, at)?;
        if state == LineState::Released {
            self.move_cursor(already, from);
        }
        Ok(())
    }

    /// Asserts the reset line for `pulse`, counted from the assertion, and releases it. **Resets the board.** Input is drained while it is held.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn pulse_reset(&mut self, pulse: Duration) -> Result<(), Stop> {
        self.owed.push((LineId::RESET, None));
        self.drive_reset(LineState::Asserted, None)?;
        let release = self.moments.assert.map_or_else(|| self.now(), |assert| assert.at) + pulse;
        self.drive_reset(LineState::Released, Some(release))?;
        self.pulse_ended(LineId::RESET);
        Ok(())
    }

    /// Notes what a line is now.
    pub(super) fn note_state(&mut self, line: LineId, state: LineState) {
        if line == LineId::RESET {
            self.line = state;
            return;
        }
        self.away.retain(|other| *other != line);
        if (state == LineState::Asserted) != (line == LineId::POWER) {
            self.away.push(line);
        }
    }

    /// Asserts a line for `pulse`, counted from the assertion, and releases it. **Not for the reset line.**
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn pulse_line(&mut self, line: LineId, pulse: Duration) -> Result<(), Stop> {
        self.owed.push((line, None));
        self.drive(line, LineState::Asserted, None)?;
        let release = self.driven_at + pulse;
        self.drive(line, LineState::Released, Some(release))?;
        self.pulse_ended(line);
        Ok(())
    }

    fn pulse_ended(&mut self, line: LineId) {
        if let Some(index) = self.owed.iter().position(|owed| *owed == (line, None)) {
            self.owed.swap_remove(index);
        }
    }

    /// Ends the pulses that a step has left: releases their lines, and waits for that.
    ///
    /// # Errors
    /// [`Stop`] for a line that could not be released.
    pub fn end_pulses(&mut self) -> Result<(), Stop> {
        let mut lines: Vec<LineId> = std::mem::take(&mut self.owed).into_iter().map(|(line, _)| line).collect();
        lines.sort_unstable();
        lines.dedup();
        lines.retain(|line| self.state_of(*line) == LineState::Asserted && !self.is_off());
        let mut ended = Ok(());
        for line in lines {
            // The case's time may be what is over.
            let limit = self.now() + super::conductor::OPERATION_LIMIT;
            let deadline = std::mem::replace(&mut self.deadline, limit);
            let release = |conductor: &mut Self| match line {
                LineId::RESET => conductor.drive_reset(LineState::Released, None),
                line => conductor.drive(line, LineState::Released, None).map(drop),
            };
            let released = match release(self) {
                // That is said once, and ends no pulse.
                Err(Stop::Interrupted) => release(self),
                released => released,
            };
            self.deadline = deadline;
            ended = ended.and(released);
        }
        ended
    }

    /// Whether the module's supply was switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.away.contains(&LineId::POWER)
    }

    /// Switches the module's supply off. **Whatever the module does ends.** Before that every line to it goes where it feeds nothing, and TX is held low.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn power_off(&mut self) -> Result<(), Stop> {
        if self.is_off() {
            return Ok(());
        }
        let lines = self.seam.lines().to_vec();
        for info in lines.iter().filter(|info| info.direction == Direction::Out && info.id != LineId::POWER) {
            if self.state_of(info.id) != info.unpowered {
                self.drive(info.id, info.unpowered, None)?;
            }
        }
        self.hold_transmit(true)?;
        self.drive(LineId::POWER, LineState::Released, None).map(drop)
    }

    /// Switches the module's supply on, which starts it, and lets go of its lines and of TX. The cursor moves to it.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn power_on(&mut self) -> Result<(), Stop> {
        let from = self.now();
        let already = self.drive(LineId::POWER, LineState::Asserted, None)?;
        self.move_cursor(already, from);
        self.free_transmit().and(self.release_lines())
    }

    /// Brings every line to its rest: the supply on, all others released. What a case leaves behind is put back by this, and costs the board where that fails.
    ///
    /// # Errors
    /// As [`Conductor::pump`]; the lines behind the one that failed were tried all the same.
    pub fn let_go(&mut self) -> Result<(), Stop> {
        let powered = if self.is_off() { self.power_on() } else { self.free_transmit() };
        powered.and(self.release_lines())
    }

    /// Releases every line that is not.
    fn release_lines(&mut self) -> Result<(), Stop> {
        let mut all = if self.line == LineState::Asserted { self.drive_reset(LineState::Released, None) } else { Ok(()) };
        for line in self.away.clone() {
            if line != LineId::POWER {
                all = all.and(self.drive(line, LineState::Released, None).map(drop));
            }
        }
        all
    }

    fn state_of(&self, line: LineId) -> LineState {
        match line {
            LineId::RESET => self.line,
            line if self.away.contains(&line) => LineState::Asserted,
            _ => LineState::Released,
        }
    }

    /// Lets TX idle where it is held low: after a supply that came on, or one that could not be switched off.
    fn free_transmit(&mut self) -> Result<(), Stop> {
        if self.is_transmit_held { self.hold_transmit(false) } else { Ok(()) }
    }

    /// Holds TX low, or no longer, where the link can; where it cannot, that is noted.
    fn hold_transmit(&mut self, held: bool) -> Result<(), Stop> {
        if !self.seam.capabilities().break_signal {
            return self.note(format!("{CANNOT_HOLD}: this link carries no break")).map(drop);
        }
        let ticket = self.seam.hold_transmit(StreamId::PORT, held);
        self.complete(Pumped::TransmitHeld(ticket), None, Duration::ZERO).map(drop)
    }

    /// Waits until the board drives `line` to `wanted` (or to either), counted from the cursor. `None` when that did not happen until `deadline`, and then what did, on that line.
    ///
    /// # Errors
    /// As [`Conductor::pump`]; [`Stop::Rig`] when more edges came than are kept.
    pub fn find_edge(
        &mut self,
        line: LineId,
        wanted: Option<LineState>,
        deadline: MonoTime,
    ) -> Result<Result<InputEdge, Vec<InputEdge>>, Stop> {
        let mut others = Vec::new();
        // An edge has its own time. One that was told of a little late was still in time.
        let looked_until = deadline + self.host_late();
        loop {
            while let Some(edge) = self.edges.take(line, deadline) {
                if wanted.is_none_or(|wanted| wanted == edge.state) {
                    self.moments.matched = Some(Moment { at: edge.at, since: edge.at, uncertainty: KERNEL_LATE, seq: Some(edge.seq) });
                    return Ok(Ok(edge));
                }
                if others.len() < 16 {
                    others.push(edge);
                }
            }
            if self.pump(looked_until)? == Pumped::Deadline {
                return match self.edges.lost() {
                    0 => Ok(Err(others)),
                    lost => Err(Stop::Rig(Finding::new(
                        format!("{lost} edges came before this step that no step took"),
                        format!("a step that takes edges before the board has made {} more", super::edges::LIMIT),
                        "the edge is not among the last ones; whether it was among those that were let go, nobody can tell (the timeline has them)",
                        self.evidence(),
                    ))),
                };
            }
        }
    }
}
