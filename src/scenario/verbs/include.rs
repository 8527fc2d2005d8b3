//! `include`: the steps of a fragment, with its parameters filled in, in place of the step.

use super::{MAX_STEPS, Steps};
use crate::document::{Cursor, Entries, Short, Text, known};
use crate::plan::Step;
use crate::scenario::file::IncludeMap;
use crate::scenario::fragments::Fragment;
use crate::scenario::matrix::Combination;

/// The deepest nesting of fragments.
const MAX_DEPTH: usize = 8;

/// The most includes that a scenario may have, those in fragments counted as often as they are done.
const MAX_INCLUDES: u16 = 1_000;

/// The longest value of a parameter, in bytes: values are made of values, and would grow with each fragment.
const MAX_VALUE: usize = 4_096;

impl Steps<'_, '_> {
    /// The steps of the fragment that `include`, which stands at `at`, names.
    pub(super) fn include(&mut self, include: &Short<IncludeMap>, at: Cursor<'_>) -> Option<Vec<Step>> {
        if self.included > MAX_INCLUDES || self.places.len() > usize::from(MAX_STEPS) {
            // It was said.
            return None;
        }
        self.included += 1;
        if self.included > MAX_INCLUDES {
            self.reader.push(at.key_problem(format!("more than {MAX_INCLUDES} includes")).hint("split the scenario"));
            return None;
        }
        let none = Entries(Vec::new());
        let (place, text, with) = match include {
            Short::Scalar(text) => (at, text.as_str(), &none),
            Short::Map(map) => (at.get("file"), &*map.file, map.with.as_ref().unwrap_or(&none)),
            Short::Nothing => return self.needs(at, "include: boot-entry.yaml"),
        };
        let Some(directory) = self.directory.clone() else {
            let problem = place.problem("a scenario that is shipped in the program includes nothing");
            self.reader.push(problem.hint("copy the scenario into a file of your own"));
            return None;
        };
        let name = self.reader.value(place, text, |text| Ok(text.to_owned()))?;
        let file = directory.join(&name);
        if self.including.contains(&file) || self.including.len() >= MAX_DEPTH {
            let message = if self.including.contains(&file) { "the fragment includes itself" } else { "fragments nested deeper than 8" };
            self.reader.push(place.problem(message).hint("give its steps here, or in a fragment that includes none"));
            return None;
        }
        if !file.is_file() {
            let problem = place.problem(format!("there is no fragment {}", file.display()));
            self.reader.push(problem.hint("the path is relative to the file that names it"));
            return None;
        }
        let fragment = match self.fragments.load(&file) {
            Ok(fragment) => fragment?,
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.reader.push(problem));
                return None;
            }
        };
        let parameters = self.parameters(&fragment, with, at)?;
        let outer = std::mem::replace(&mut self.reader.combination, parameters);
        let above = file.parent().map(std::path::Path::to_owned);
        let outer_directory = std::mem::replace(&mut self.directory, above);
        self.including.push(file);
        let steps = self.list(&fragment.file.steps, fragment.document.root().get("steps"));
        self.including.pop();
        self.directory = outer_directory;
        self.reader.combination = outer;
        steps
    }

    /// The value of each parameter of the fragment; what is given wins over the default.
    fn parameters(&mut self, fragment: &Fragment, Entries(with): &Entries<Text>, at: Cursor<'_>) -> Option<Combination> {
        let none = Vec::new();
        let declared = fragment.file.parameters.as_ref().map_or(&none, |Entries(parameters)| parameters);
        let place = at.get("with");
        let mut values = Combination::new();
        let mut all = true;
        for (name, text) in with {
            let entry = place.get(name);
            if !declared.iter().any(|(known, _)| known == name) {
                let message = format!("the fragment has no parameter `{name}`");
                self.reader.push(entry.key_problem(message).hint(known(name, declared.iter().map(|(name, _)| name.as_str()))));
                all = false;
            }
            match self.reader.value(entry, text, |text| Ok(text.to_owned())) {
                Some(value) if value.len() > MAX_VALUE => {
                    let problem = entry.problem(format!("the value of `{name}` is longer than {MAX_VALUE} bytes"));
                    self.reader.push(problem.hint("write long texts into the fragment's steps"));
                    all = false;
                }
                Some(value) => values.push((name.clone(), value)),
                None => all = false,
            }
        }
        for (name, default) in declared {
            if self.reader.kept.contains_key(name) {
                let parameter = fragment.document.root().get("parameters").get(name);
                let problem = parameter.key_problem(format!("`{name}` is kept by a step before, and would be hidden here"));
                self.reader.push(problem.hint("choose another name"));
                all = false;
            }
            if with.iter().any(|(given, _)| given == name) {
                continue;
            }
            match default {
                Some(default) => values.push((name.clone(), default.0.clone())),
                None => {
                    let problem = at.key_problem(format!("the parameter `{name}` of the fragment is missing"));
                    self.reader.push(problem.hint(format!("write `include: {{ file: …, with: {{ {name}: … }} }}`")));
                    all = false;
                }
            }
        }
        all.then_some(values)
    }
}
