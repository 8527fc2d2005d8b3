//! `expect` and `quiet`: what must come, and what must not.

use std::sync::Arc;
use std::time::Duration;

use super::any::came;
use crate::matcher::{DEFAULT_WINDOW, PatternSet, PatternSource};
use crate::plan::units::show_duration;
use crate::plan::{Anchor, Expect, Quiet};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::runner::words::describe_bytes;
use crate::timeline::event::EndedBy;

/// Of so many letters one may be another.
const LETTERS: usize = 5;

pub(super) fn expect(conductor: &mut Conductor<'_>, expect: &Expect) -> Result<(), Stop> {
    let set = &expect.patterns.set;
    let wanted = (0..expect.patterns.wanted).map(|index| set.pattern(index).to_string()).collect::<Vec<_>>().join(" or ");
    let from = conductor.moment(&expect.of, "of")?.at;
    let expected = format!("{wanted} within {}", within(expect.within, &expect.of));
    let (begun, taken) = (conductor.received(), conductor.taken());
    match conductor.find(set, from + expect.within, expect.capture_limit)? {
        Some(found) if found.pattern < expect.patterns.wanted => {
            if let (Some(name), Some(matched)) = (&expect.name, conductor.moments.matched) {
                conductor.moments.name(name, matched);
            }
            conductor.keep_captures(&found.captures, found.seq)
        }
        Some(found) => Err(came(set, &found, &expected)),
        None => Err(Stop::Failed(Finding::new(
            format!("{wanted} did not come"),
            expected,
            seen(conductor, begun, taken, &[(set, expect.patterns.wanted)]),
            conductor.evidence(),
        ))),
    }
}

/// What has come behind the first `begun` bytes; and of the first patterns of each set of `wanted` one that had come in what steps had taken, the first `taken` bytes, where no step finds
/// it any more, or the line that is nearly one.
pub(super) fn seen(conductor: &Conductor<'_>, begun: u64, taken: u64, wanted: &[(&Arc<PatternSet>, usize)]) -> String {
    let came = conductor.last_received(begun);
    let shown = describe_bytes(&came);
    let before = wanted.iter().filter_map(|(set, count)| Some(set.pattern(conductor.came_before(set, *count, taken)?).to_string()));
    match before.collect::<Vec<_>>().join(" and ") {
        before if before.is_empty() => {
            let mut patterns = wanted.iter().flat_map(|(set, count)| (0..*count).map(|index| set.pattern(index)));
            let near = patterns.find_map(|pattern| Some((pattern, nearly(&came, pattern.source())?)));
            near.map_or(shown.clone(), |(pattern, line)| format!("{shown}; nearly {pattern} is {}", describe_bytes(line)))
        }
        before => format!("{shown}; {before} had come before, and a step before this one took it, or what came behind it"),
    }
}

/// The line of what came that is a text but for a letter or two, or but for how it ends.
fn nearly<'a>(came: &'a [u8], wanted: &PatternSource) -> Option<&'a [u8]> {
    let PatternSource::Text(wanted) = wanted else { return None };
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let wanted = String::from_utf8_lossy(wanted.trim_ascii());
    // A line is what stands between two ends, with its own.
    came.chunk_by(|one, next| !is_end(one) || is_end(next)).find_map(|line| {
        let length = line.iter().position(is_end).unwrap_or(line.len());
        let text = String::from_utf8_lossy(&line[..length]);
        let is_near = length > 0 && strsim::damerau_levenshtein(text.trim(), &wanted) <= wanted.chars().count() / LETTERS;
        is_near.then(|| &line[..line.len().min(length + 2)])
    })
}

/// A time limit and what it counts from, in words.
pub(super) fn within(duration: Duration, of: &Anchor) -> String {
    match of {
        Anchor::StepBefore => show_duration(duration),
        of => format!("{} of {}", show_duration(duration), of.name()),
    }
}

pub(super) fn quiet(conductor: &mut Conductor<'_>, quiet: &Quiet) -> Result<(), Stop> {
    let until = conductor.moments.step_before + quiet.duration;
    if let Some(never) = &quiet.never {
        return match conductor.find(never, until, DEFAULT_WINDOW)? {
            None => Ok(()),
            Some(found) => {
                let pattern = never.pattern(found.pattern);
                Err(Stop::Forbidden(
                    Finding::new(
                        format!("{pattern} came, which must not"),
                        format!("no {pattern} for {}", show_duration(quiet.duration)),
                        format!("{pattern}"),
                        vec![found.seq],
                    )
                    .by(EndedBy::Never),
                ))
            }
        };
    }
    // What came before the step began is no noise of its time.
    conductor.skip_input();
    conductor.until_input(until)?;
    match conductor.waiting() {
        Some(read) if conductor.in_time(&read, until)? => Err(Stop::Failed(
            Finding::new(
                "bytes came where nothing may come",
                format!("nothing for {}", show_duration(quiet.duration)),
                conductor.unread(),
                vec![read.seq],
            )
            .by(EndedBy::Bytes),
        )),
        _ => Ok(()),
    }
}
