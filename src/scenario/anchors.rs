//! Events that times count from: refused where no step before can have made them.

use super::reader::Reader;
use crate::document::Cursor;
use crate::plan::{Action, Anchor, Reset, Step};
use crate::seam::LineState;

/// Checks the steps of one list, which stands at `list`. The events of `steps` are not counted on in `finally`: the case may have ended before them.
pub(super) fn check(steps: &[Step], list: Cursor<'_>, reader: &mut Reader<'_>) -> Option<()> {
    let mut made = vec![Anchor::StepBefore];
    let mut all = true;
    for (step, at) in steps.iter().zip(list.items()) {
        let verb = at.entries().next().unwrap_or(at);
        let (needed, key) = match &step.action {
            Action::Send(send) => (send.at.map(|(anchor, _)| anchor), "at"),
            Action::Expect(expect) => (Some(expect.of), "of"),
            _ => (None, ""),
        };
        if let Some(needed) = needed.filter(|needed| !made.contains(needed)) {
            let maker = match needed {
                Anchor::Release => "`reset`, or `handshake` with its pulse",
                Anchor::Assert => "`reset: assert` or a pulse",
                Anchor::Acknowledge => "`handshake`",
                Anchor::Match => "`expect`",
                Anchor::StepBefore => "a step",
            };
            let place = verb.get(key);
            reader.push(
                place.problem(format!("no step before makes a `{}` to count from", needed.name())).hint(format!("put {maker} before it")),
            );
            all = false;
        }
        match &step.action {
            Action::Reset(Reset::Pulse(_)) => made.extend([Anchor::Assert, Anchor::Release]),
            Action::Reset(Reset::Hold(LineState::Asserted)) => made.push(Anchor::Assert),
            Action::Reset(Reset::Hold(LineState::Released)) => made.push(Anchor::Release),
            Action::Handshake(handshake) => {
                made.push(Anchor::Acknowledge);
                if handshake.pulse.is_some() {
                    made.extend([Anchor::Assert, Anchor::Release]);
                }
            }
            Action::Expect(_) => made.push(Anchor::Match),
            _ => {}
        }
    }
    all.then_some(())
}
