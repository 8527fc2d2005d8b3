//! `retry`, `repeat` and `when`: steps inside a step, always bounded.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Steps;
use crate::document::{Cursor, Diagnostic, Refusal, Text};
use crate::plan::{Action, Repeat, Retry, Rounds, Step, When, worst_case};
use crate::scenario::comparison::comparison;
use crate::scenario::file::{RepeatMap, RetryMap, Verb, WhenMap};

/// How often a `retry` may try.
pub(in crate::scenario) const RETRIES: RangeInclusive<u32> = 2..=100;
/// How many rounds a `repeat` may have.
pub(in crate::scenario) const ROUNDS: RangeInclusive<u32> = 1..=100_000;

impl Steps<'_, '_> {
    pub(super) fn retry(&mut self, map: &RetryMap, at: Cursor<'_>) -> Option<Retry> {
        let times = self.times(at.get("times"), &map.times, &RETRIES);
        let pause = self.duration_or(at, "pause", map.pause.as_ref(), Duration::ZERO);
        let steps = self.inside(&map.steps, at.get("steps"));
        let upload = steps.iter().flatten().flat_map(Step::walk).find(|step| matches!(step.action, Action::Upload(_)));
        if let Some(place) = upload.and_then(|upload| self.place_of(upload)) {
            let problem =
                place.message("an `upload` in a `retry` may install firmware, or break its upload off, in a try that does not count");
            self.reader.push(problem.hint("put it before the `retry`, or try the whole case again: `evkit-hil run --retries 2`"));
            return None;
        }
        Some(Retry { times: times?, pause: pause?, steps: steps? })
    }

    pub(super) fn repeat(&mut self, map: &RepeatMap, at: Cursor<'_>) -> Option<Repeat> {
        let rounds = match (&map.times, &map.r#for) {
            (Some(times), None) => self.times(at.get("times"), times, &ROUNDS).map(Rounds::Times),
            (None, Some(duration)) => self.positive(at.get("for"), duration).map(Rounds::For),
            _ => self.needs(at, "repeat: { times: 100, steps: [ … ] }` or `repeat: { for: 10 min, steps: [ … ] }"),
        };
        let steps = self.inside(&map.steps, at.get("steps"))?;
        let rounds = rounds?;
        if matches!(rounds, Rounds::For(_)) && worst_case(&steps).is_zero() {
            let problem = at.get("steps").key_problem("the steps take no time, so `for` would count only how fast the machine is");
            self.reader.push(problem.hint("give them one that waits, such as `quiet`, `at` or `expect`, or say `times`"));
            return None;
        }
        Some(Repeat { rounds, steps })
    }

    pub(super) fn when(&mut self, map: &WhenMap, at: Cursor<'_>) -> Option<When> {
        let condition = comparison(&map.value, &map.is, at, self.reader);
        // Only one of the lists is done: what one of them makes or keeps is not there for what follows.
        let (events, kept) = (self.events.clone(), self.reader.kept.clone());
        let steps = self.inside(&map.steps, at.get("steps"));
        self.events.clone_from(&events);
        self.reader.kept.clone_from(&kept);
        let otherwise = map.r#else.as_deref().map_or(Some(Vec::new()), |otherwise| self.inside(otherwise, at.get("else")));
        self.events = events;
        self.reader.kept = kept;
        Some(When { condition: condition?, steps: steps?, otherwise: otherwise? })
    }

    /// A complaint without words about a step that was read.
    fn place_of(&self, step: &Step) -> Option<Diagnostic> {
        self.places.get(usize::from(step.id - self.first)).cloned()
    }

    /// A list of steps that a step holds.
    fn inside(&mut self, verbs: &[Verb], list: Cursor<'_>) -> Option<Vec<Step>> {
        if verbs.is_empty() {
            self.reader.push(list.key_problem("there are no steps in it").hint("give it at least one"));
            return None;
        }
        self.list(verbs, list)
    }

    fn times(&mut self, at: Cursor<'_>, text: &Text, range: &RangeInclusive<u32>) -> Option<u32> {
        self.reader.value(at, text, |text| {
            text.parse()
                .ok()
                .filter(|times| range.contains(times))
                .ok_or_else(|| Refusal::new(format!("`{text}` times"), format!("a whole number from {} to {}", range.start(), range.end())))
        })
    }
}
