//! `expect` and `quiet`: what must come, and what must not.

use super::{Steps, given_and_read};
use crate::document::{Cursor, Refusal, Short};
use crate::matcher::DEFAULT_WINDOW;
use crate::plan::units::parse_size;
use crate::plan::{Anchor, Expect, Quiet};
use crate::scenario::file::{ExpectMap, QuietMap};
use crate::scenario::patterns::{Forms, never_set, patterns_of};

/// The most that a match's begin and captures are looked for in.
const MAX_CAPTURE: usize = 1 << 20;

impl Steps<'_, '_> {
    pub(super) fn expect(&mut self, map: &ExpectMap, at: Cursor<'_>) -> Option<Expect> {
        let forms = Forms { text: map.text.as_ref(), hex: map.hex.as_ref(), regex: map.regex.as_ref() };
        let wanted = forms.pattern(at, self.reader);
        let known = wanted.is_some();
        let patterns = patterns_of(wanted.into_iter().collect(), map.never.as_deref(), at, self.reader).filter(|_| known);
        let within = self.positive(at.get("within"), &map.within);
        let of = map.of.as_ref().map_or(Some(Anchor::StepBefore), |text| self.anchor(at.get("of"), text));
        let capture_limit = map.capture_limit.as_ref().map_or(Some(DEFAULT_WINDOW), |text| {
            self.reader.value(at.get("capture-limit"), text, |text| {
                let bytes = usize::try_from(parse_size(text)?).unwrap_or(usize::MAX);
                let out_of_range = || Refusal::new(format!("a capture limit of {text}"), "from 1 B to 1 MiB");
                Some(bytes).filter(|bytes| (1..=MAX_CAPTURE).contains(bytes)).ok_or_else(out_of_range)
            })
        });
        let name = map.r#as.as_ref().map(|text| self.new_name(at.get("as"), text));
        let (patterns, name) = (patterns?, given_and_read(name)?);
        self.keeps_groups(&patterns.set, patterns.wanted, at)?;
        Some(Expect { patterns, within: within?, of: of?, capture_limit: capture_limit?, name })
    }

    pub(super) fn quiet(&mut self, quiet: &Short<QuietMap>, at: Cursor<'_>) -> Option<Quiet> {
        match quiet {
            Short::Scalar(text) => Some(Quiet { duration: self.positive(at, text)?, never: None }),
            Short::Map(map) => {
                let duration = self.positive(at.get("for"), &map.r#for);
                let never = map.never.as_deref().map(|never| never_set(never, at, self.reader));
                Some(Quiet { duration: duration?, never: given_and_read(never)? })
            }
            Short::Nothing => self.needs(at, "quiet: 200 ms"),
        }
    }
}
