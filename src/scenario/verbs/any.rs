//! `all` and `any`: several patterns, of which all or the first must come.

use super::{Steps, given_and_read};
use crate::document::{Cursor, Entries};
use crate::plan::{All, Anchor, Any};
use crate::scenario::file::{AllMap, AnyMap};
use crate::scenario::patterns::{Forms, never_set, patterns_of, single};
use crate::scenario::reader::Keeps;

/// The most patterns that one step waits for.
const MAX_PATTERNS: usize = 64;

impl Steps<'_, '_> {
    pub(super) fn all(&mut self, map: &AllMap, at: Cursor<'_>) -> Option<All> {
        let list = at.get("patterns");
        let count = self.check_count(map.patterns.len(), list);
        let mut patterns = Vec::new();
        for (index, pattern) in map.patterns.iter().enumerate() {
            patterns.push(single(pattern, list.item(index), self.reader));
        }
        let never = map.never.as_deref().map(|never| never_set(never, at, self.reader));
        let within = self.positive(at.get("within"), &map.within);
        let of = map.of.as_ref().map_or(Some(Anchor::StepBefore), |text| self.anchor(at.get("of"), text));
        count?;
        let patterns = patterns.into_iter().collect::<Option<Vec<_>>>()?;
        for (index, set) in patterns.iter().enumerate() {
            self.keeps_groups(set, 1, list.item(index))?;
        }
        Some(All { patterns, never: given_and_read(never)?, within: within?, of: of? })
    }

    pub(super) fn any(&mut self, map: &AnyMap, at: Cursor<'_>) -> Option<Any> {
        let list = at.get("patterns");
        let Entries(entries) = &map.patterns;
        let count = self.check_count(entries.len(), list);
        let mut wanted = Vec::new();
        for (name, pattern) in entries {
            wanted.push(Forms::from(pattern).pattern(list.get(name), self.reader));
        }
        let wanted = wanted.into_iter().collect::<Option<Vec<_>>>();
        let patterns = wanted.filter(|_| count.is_some()).and_then(|wanted| patterns_of(wanted, map.never.as_deref(), at, self.reader));
        let within = self.positive(at.get("within"), &map.within);
        let of = map.of.as_ref().map_or(Some(Anchor::StepBefore), |text| self.anchor(at.get("of"), text));
        let keep = map.keep.as_ref().map(|text| self.new_name(at.get("keep"), text));
        count?;
        let (patterns, keep) = (patterns?, given_and_read(keep)?);
        self.keeps_groups(&patterns.set, patterns.wanted, list)?;
        self.reader.kept.extend(keep.clone().map(|name| (name, Keeps::Text)));
        Some(Any { patterns, names: entries.iter().map(|(name, _)| name.clone()).collect(), keep, within: within?, of: of? })
    }

    fn check_count(&mut self, count: usize, list: Cursor<'_>) -> Option<()> {
        if (1..=MAX_PATTERNS).contains(&count) {
            return Some(());
        }
        self.reader.push(list.key_problem(format!("{count} patterns")).hint(format!("give it from 1 to {MAX_PATTERNS}")));
        None
    }
}
