//! `expect` and `quiet`: what must come, and what must not.

use crate::matcher::DEFAULT_WINDOW;
use crate::plan::units::show_duration;
use crate::plan::{Anchor, Expect, Quiet};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::runner::words::describe_bytes;

pub(super) fn expect(conductor: &mut Conductor<'_>, expect: &Expect) -> Result<(), Stop> {
    let set = &expect.patterns.set;
    let wanted = (0..expect.patterns.wanted).map(|index| set.pattern(index).to_string()).collect::<Vec<_>>().join(" or ");
    let Some(from) = conductor.anchor(expect.of) else {
        return Err(Stop::Rig(Finding::new(
            "`of` names an event that has not happened in this case",
            format!("a step before this one that brings about: {}", expect.of.name()),
            "no such event on the timeline",
            Vec::new(),
        )));
    };
    let counted = match expect.of {
        Anchor::StepBefore => String::new(),
        of => format!(" of {}", of.name()),
    };
    let expected = format!("{wanted} within {}{counted}", show_duration(expect.within));
    let begun = conductor.received();
    match conductor.find(set, from + expect.within, expect.capture_limit)? {
        Some(found) if found.pattern < expect.patterns.wanted => Ok(()),
        Some(found) => {
            let never = set.pattern(found.pattern);
            Err(Stop::Failed(Finding::new(
                format!("{never} came, which must not"),
                format!("{expected}, and never {never}"),
                format!("{never}"),
                vec![found.seq],
            )))
        }
        None => Err(Stop::Failed(Finding::new(
            format!("{wanted} did not come"),
            expected,
            describe_bytes(&conductor.last_received(begun)),
            conductor.evidence(),
        ))),
    }
}

pub(super) fn quiet(conductor: &mut Conductor<'_>, quiet: &Quiet) -> Result<(), Stop> {
    let until = conductor.step_before + quiet.duration;
    if let Some(never) = &quiet.never {
        return match conductor.find(&never.set, until, DEFAULT_WINDOW)? {
            None => Ok(()),
            Some(found) => {
                let pattern = never.set.pattern(found.pattern);
                Err(Stop::Failed(Finding::new(
                    format!("{pattern} came, which must not"),
                    format!("no {pattern} for {}", show_duration(quiet.duration)),
                    format!("{pattern}"),
                    vec![found.seq],
                )))
            }
        };
    }
    // What came before the step began is no noise of its time.
    conductor.skip_input();
    conductor.until_input(until)?;
    match conductor.waiting() {
        Some(read) if conductor.in_time(&read, until)? => Err(Stop::Failed(Finding::new(
            "bytes came where nothing may come",
            format!("nothing for {}", show_duration(quiet.duration)),
            conductor.unread(),
            vec![read.seq],
        ))),
        _ => Ok(()),
    }
}
