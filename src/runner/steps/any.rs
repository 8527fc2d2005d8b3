//! `all` and `any`: several patterns, of which all or the first must come.

use super::expect::{seen, within};
use crate::matcher::{DEFAULT_WINDOW, PatternSet};
use crate::plan::{All, Any};
use crate::runner::conductor::Conductor;
use crate::runner::search::Found;
use crate::runner::stop::{Finding, Stop};
use crate::timeline::event::EndedBy;

pub(super) fn all(conductor: &mut Conductor<'_>, all: &All) -> Result<(), Stop> {
    let deadline = conductor.moment(&all.of, "of")?.at + all.within;
    let (begun, taken) = (conductor.received(), conductor.taken());
    let (found, never) = conductor.find_all(&all.patterns, all.never.as_ref(), deadline)?;
    let limit = within(all.within, &all.of);
    let wanted = all.patterns.iter().map(|set| set.pattern(0).to_string()).collect::<Vec<_>>().join(" and ");
    if let (Some(found), Some(set)) = (never, &all.never) {
        return Err(came(set, &found, &format!("{wanted} within {limit}")));
    }
    let absent = all.patterns.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(set, _)| (set, 1)).collect::<Vec<_>>();
    let missing = absent.iter().map(|(set, _)| set.pattern(0).to_string()).collect::<Vec<_>>().join(" and ");
    if missing.is_empty() {
        return found.iter().flatten().try_for_each(|found| conductor.keep_captures(&found.captures, found.seq));
    }
    Err(Stop::Failed(Finding::new(
        format!("{missing} did not come"),
        format!("{wanted}, in any order, within {limit}"),
        seen(conductor, begun, taken, &absent),
        conductor.evidence(),
    )))
}

pub(super) fn any(conductor: &mut Conductor<'_>, any: &Any) -> Result<(), Stop> {
    let deadline = conductor.moment(&any.of, "of")?.at + any.within;
    let (begun, taken) = (conductor.received(), conductor.taken());
    let set = &any.patterns.set;
    let wanted = (0..any.patterns.wanted).map(|index| set.pattern(index).to_string()).collect::<Vec<_>>().join(" or ");
    let expected = format!("{wanted} within {}", within(any.within, &any.of));
    match conductor.find(set, deadline, DEFAULT_WINDOW)? {
        Some(found) => match any.names.get(found.pattern) {
            Some(name) => {
                if let Some(keep) = &any.keep {
                    conductor.keep(keep, name.clone(), found.seq)?;
                }
                conductor.keep_captures(&found.captures, found.seq)
            }
            None => Err(came(set, &found, &expected)),
        },
        None => Err(Stop::Failed(Finding::new(
            "none of the patterns came",
            expected,
            seen(conductor, begun, taken, &[(set, any.patterns.wanted)]),
            conductor.evidence(),
        ))),
    }
}

/// What must not come has come.
pub(super) fn came(set: &PatternSet, found: &Found, expected: &str) -> Stop {
    let never = set.pattern(found.pattern);
    Stop::Forbidden(
        Finding::new(
            format!("{never} came, which must not"),
            format!("{expected}, and never {never}"),
            format!("{never}"),
            vec![found.seq],
        )
        .by(EndedBy::Never),
    )
}
