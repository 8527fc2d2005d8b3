//! What a waiting step watches for beside what it waits for: patterns that must not come, and handlers.
//!
//! It looks only at what comes while the step runs, each read once, whatever the step itself makes of it.

use std::sync::Arc;

use crate::matcher::Matcher;
use crate::plan::{Beside, Step, Trigger};

/// The watch of one step.
#[derive(Debug)]
pub(super) struct Standing {
    never: Option<Matcher>,
    handlers: Vec<(Matcher, Arc<[Step]>)>,
}

/// What came.
#[derive(Debug)]
pub(super) enum Seen {
    /// A pattern that must not come: as the scenario has it.
    Never(String),
    /// The pattern of a handler, and what is to be done.
    Handler(String, Arc<[Step]>),
}

impl Standing {
    /// A watch for what `beside` names; `None` where there is nothing to watch for.
    pub(super) fn new(beside: &Beside) -> Option<Self> {
        let handlers = beside.handlers.iter().filter_map(|handler| match &handler.trigger {
            Trigger::Pattern(set) => Some((Matcher::new(Arc::clone(set)), Arc::clone(&handler.steps))),
            // The upload itself knows how far it is.
            Trigger::Sent(_) => None,
        });
        let watch = Self { never: beside.never.as_ref().map(|set| Matcher::new(Arc::clone(set))), handlers: handlers.collect() };
        (watch.never.is_some() || !watch.handlers.is_empty()).then_some(watch)
    }

    /// Takes bytes that came; says what is in them, handlers in the order of the file.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::new();
        if let Some(never) = &mut self.never
            && let Some(hit) = never.feed(bytes)
        {
            seen.push(Seen::Never(never.set().pattern(hit.pattern).to_string()));
        }
        for (matcher, steps) in &mut self.handlers {
            let mut rest = bytes;
            while let Some(hit) = matcher.feed(rest) {
                rest = &rest[hit.consumed..];
                seen.push(Seen::Handler(matcher.set().pattern(hit.pattern).to_string(), Arc::clone(steps)));
                // The next match shares no byte with this one.
                matcher.restart();
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Pattern, PatternSet, PatternSource};
    use crate::plan::Handler;

    fn set(text: &str) -> Arc<PatternSet> {
        Arc::new(PatternSet::new(vec![Pattern::new(PatternSource::Text(text.into())).unwrap()]).unwrap())
    }

    #[test]
    fn a_handler_fires_each_time_however_the_bytes_are_cut_and_nothing_is_found_twice() {
        let handler = Handler { trigger: Trigger::Pattern(set("aa")), steps: Arc::from(Vec::new()) };
        let beside = Beside { never: Some(set("bad")), handlers: vec![handler] };
        let count = |seen: Vec<Seen>| seen.iter().map(|seen| matches!(seen, Seen::Handler(..))).collect::<Vec<_>>();
        for cut in 0..=7 {
            let mut standing = Standing::new(&beside).unwrap();
            let (first, second) = b"aaa.aaa".split_at(cut);
            let mut seen = count(standing.take(first));
            seen.extend(count(standing.take(second)));
            assert_eq!(seen, [true, true], "cut at {cut}");
        }
        let mut standing = Standing::new(&beside).unwrap();
        assert!(standing.take(b"..ba").is_empty());
        assert!(matches!(&standing.take(b"d")[..], [Seen::Never(pattern)] if pattern == "\"bad\""));
        assert!(Standing::new(&Beside::default()).is_none());
    }
}
