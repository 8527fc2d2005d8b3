//! Handlers at work: what a handler of a waiting step does, queued and completed while its step goes on waiting.

use std::sync::Arc;
use std::time::Duration;

use super::conductor::{Conductor, Pumped};
use super::standing::{Seen, Standing};
use super::stop::{Finding, Stop};
use crate::plan::{Action, Beside, Handler, LineAct, Reset, Step, Trigger};
use crate::seam::{LineId, LineState, StreamId, Ticket};
use crate::time::MonoTime;
use crate::timeline::event::{self, EndedBy, StepOutcome};

/// At most so many operations of handlers wait to be carried out: a board that says a pattern again and again asks for no more.
const QUEUED_LIMIT: usize = 256;

/// What handlers of the step that runs wait for, and what they have queued.
#[derive(Debug, Default)]
pub(super) struct Handling {
    standing: Option<Standing>,
    /// What was seen and is not dealt with yet, each with the event that brought it.
    seen: Vec<(Seen, u64)>,
    /// Operations that are queued and not carried out.
    queued: Vec<Ticket>,
    /// Assertions of pulses: the line, and the time after which its release is queued.
    pulses: Vec<(Ticket, LineId, Duration)>,
    /// Releases of the reset line.
    releases: Vec<Ticket>,
    /// When the last of the pulses that have begun ends.
    pulses_end: MonoTime,
    /// Whether a handler has reset the board since the step began.
    has_reset: bool,
}

impl Handling {
    /// Takes bytes that came with the event `seq`.
    pub(super) fn look(&mut self, bytes: &[u8], seq: u64) {
        if let Some(standing) = &mut self.standing {
            self.seen.extend(standing.take(bytes).into_iter().map(|seen| (seen, seq)));
        }
    }

    /// Whether there is something to deal with after a wait.
    pub(super) fn is_busy(&self) -> bool {
        !self.seen.is_empty() || !self.queued.is_empty()
    }
}

impl Conductor<'_> {
    /// From here on, `beside` is watched for.
    pub fn stand_by(&mut self, beside: &Beside) {
        self.handling = Handling { standing: Standing::new(beside), ..Handling::default() };
    }

    /// Waits until all that handlers have queued is carried out, and watches no more.
    ///
    /// # Errors
    /// As [`Conductor::pump`].
    pub fn stand_down(&mut self) -> Result<(), Stop> {
        self.handling.standing = None;
        let answer_within = self.seam.lines().iter().map(|info| info.answer_within).max().unwrap_or_default();
        let to_come: Duration = self.handling.pulses.iter().map(|(.., pulse)| *pulse).sum();
        let backstop = self.handling.pulses_end.max(self.now()) + to_come + answer_within + super::conductor::OPERATION_LIMIT;
        while !self.handling.queued.is_empty() {
            if self.pump(backstop)? == Pumped::Deadline {
                return Err(self.never_ended());
            }
        }
        Ok(())
    }

    /// Ends what handlers do with their step, however that ended: nothing is watched for any more, and what is queued and has not begun is forgotten. What that leaves asserted is released by
    /// [`Conductor::end_pulses`].
    pub fn end_handlers(&mut self) {
        self.seam.forget_queued();
        self.withdraw_question();
        self.handling.standing = None;
        self.handling.seen.clear();
        self.handling.queued.clear();
        self.handling.pulses.clear();
    }

    /// Whether a handler has reset the board since the step began.
    #[must_use]
    pub fn handler_has_reset(&self) -> bool {
        self.handling.has_reset
    }

    /// Deals with what a wait has brought for handlers.
    pub(super) fn handle(&mut self, pumped: Pumped) -> Result<(), Stop> {
        if let Pumped::Sent(ticket) | Pumped::SpeedSet(ticket) | Pumped::Driven(ticket) = pumped {
            self.handling.queued.retain(|queued| *queued != ticket);
            if let Some(index) = self.handling.releases.iter().position(|release| *release == ticket) {
                self.handling.releases.swap_remove(index);
                // What came before is no answer to a board that was reset.
                self.inbox.cut();
            }
            if let Some(index) = self.handling.pulses.iter().position(|(assert, ..)| *assert == ticket) {
                let (_, line, pulse) = self.handling.pulses.swap_remove(index);
                let end = self.driven_at + pulse;
                let release = self.seam.drive(line, LineState::Released, Some(end));
                self.handling.pulses_end = self.handling.pulses_end.max(end);
                self.handling.queued.push(release);
                if line == LineId::RESET {
                    self.handling.releases.push(release);
                }
                if let Some(owed) = self.owed.iter_mut().find(|owed| **owed == (line, None)) {
                    owed.1 = Some(release);
                }
            }
        }
        for (seen, seq) in std::mem::take(&mut self.handling.seen) {
            match seen {
                Seen::Never(pattern) => {
                    return Err(Stop::Forbidden(
                        Finding::new(
                            format!("{pattern} came, which must not"),
                            format!("never {pattern} while the step runs"),
                            pattern,
                            vec![seq],
                        )
                        .by(EndedBy::Never),
                    ));
                }
                Seen::Handler(pattern, steps) => self.react(&format!("on {pattern}"), &steps)?,
            }
        }
        Ok(())
    }

    /// Does what handlers are there to do once `count` bytes of an image of `length` bytes have been sent, of which `before` were known before.
    ///
    /// # Errors
    /// As [`Conductor::record`].
    pub fn sent_of_image(&mut self, handlers: &[Handler], before: Option<u64>, count: u64, length: u64) -> Result<(), Stop> {
        for handler in handlers {
            if let Trigger::Sent(place) = handler.trigger {
                let wanted = place.count(length);
                if before.is_none_or(|before| before < wanted) && wanted <= count {
                    self.react(&format!("on byte {wanted} of {length}"), &Arc::clone(&handler.steps))?;
                }
            }
        }
        Ok(())
    }

    /// Queues the steps of a handler. None of them waits.
    fn react(&mut self, why: &str, steps: &[Step]) -> Result<(), Stop> {
        let waiting = self.step;
        self.note(why)?;
        for step in steps {
            self.set_step(Some(step.id));
            self.record(event::StepStart {})?;
            self.queue(step)?;
            self.record(event::StepEnd { outcome: StepOutcome::Passed, by: None })?;
        }
        self.set_step(waiting);
        Ok(())
    }

    fn queue(&mut self, step: &Step) -> Result<(), Stop> {
        if self.handling.queued.len() >= QUEUED_LIMIT {
            return Err(Stop::Rig(Finding::new(
                format!("handlers have {QUEUED_LIMIT} operations queued that are not carried out"),
                "patterns that come less often than what is done about them takes",
                format!("one more `{}`", step.text),
                self.evidence(),
            )));
        }
        let ticket = match &step.action {
            Action::Send(send) => self.seam.send(StreamId::PORT, &send.bytes, None),
            Action::Uart { baud } => self.seam.set_speed(StreamId::PORT, *baud),
            Action::Reset(Reset::Hold(LineState::Released)) => {
                self.feeds_nothing(LineId::RESET, LineState::Released)?;
                let ticket = self.seam.drive(LineId::RESET, LineState::Released, None);
                self.handling.releases.push(ticket);
                ticket
            }
            Action::Reset(reset) => {
                self.feeds_nothing(LineId::RESET, LineState::Asserted)?;
                // What interrupts the wait for its backend's answer does not take it back: whoever releases must know.
                self.line = LineState::Asserted;
                self.handling.has_reset = true;
                let ticket = self.seam.drive(LineId::RESET, LineState::Asserted, None);
                if let Reset::Pulse(pulse) = reset {
                    self.owed.push((LineId::RESET, None));
                    self.handling.pulses.push((ticket, LineId::RESET, *pulse));
                }
                ticket
            }
            Action::Line(drive) => {
                // The plan's needs are checked before a board takes a case.
                let Some(line) = self.line_named(&drive.name).map(|info| info.id) else { return Ok(()) };
                let (state, pulse) = match drive.act {
                    LineAct::Pulse(pulse) => (LineState::Asserted, Some(pulse)),
                    LineAct::Hold(state) => (state, None),
                };
                self.feeds_nothing(line, state)?;
                if state == LineState::Asserted {
                    self.note_state(line, state);
                }
                let ticket = self.seam.drive(line, state, None);
                if let Some(pulse) = pulse {
                    self.owed.push((line, None));
                    self.handling.pulses.push((ticket, line, pulse));
                }
                ticket
            }
            Action::Note(text) => {
                let text = text.fill(|name| self.kept.text(name)).unwrap_or_else(|name| format!("nothing is kept under {name}"));
                return self.note(text).map(drop);
            }
            // The loader lets nothing else into a handler.
            _ => return Ok(()),
        };
        self.handling.queued.push(ticket);
        Ok(())
    }
}
