//! What must have passed in a run on the bench.

use super::Require;
use super::file::RequireMap;
use super::reader::Reader;
use crate::document::{Cursor, Text};

impl Reader<'_> {
    pub(super) fn require(&mut self, map: Option<&RequireMap>, at: Cursor<'_>) -> Require {
        let Some(map) = map else { return Require::default() };
        let cases = self.names(map.cases.as_deref(), at.get("cases"));
        let tags = self.names(map.tags.as_deref(), at.get("tags"));
        if cases.is_empty() && tags.is_empty() {
            self.problems
                .push(at.key_problem("`require` names nothing").hint("give it `cases`, `tags` or both: `require: { tags: [release] }`"));
        }
        Require { cases, tags }
    }

    fn names(&mut self, texts: Option<&[Text]>, list: Cursor<'_>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (index, Text(name)) in texts.unwrap_or_default().iter().enumerate() {
            let at = list.item(index);
            if name.is_empty() {
                self.problems.push(at.problem("an empty name"));
            } else if names.contains(name) {
                self.problems.push(at.problem(format!("`{name}` is named twice")));
            }
            names.push(name.clone());
        }
        names
    }
}
