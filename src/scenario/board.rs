//! Steps of a board in the bench file, in the language of scenarios.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::convert::check_shape_of_list;
use super::file::Verb;
use super::fragments::Fragments;
use super::images::Made;
use super::reader::Reader;
use super::verbs::Steps;
use crate::document::{Cursor, Problems};
use crate::plan::effects::derive;
use crate::plan::{BoardSteps, Effect};
use crate::secret::Secrets;

/// A list of steps as the bench file has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StepList(Vec<Verb>);

impl StepList {
    /// Complains of what stands in the list at `at` and is no step. serde's own words for that do not help, so it is checked before the file is read.
    pub(crate) fn check_shape(at: Cursor<'_>, problems: &mut Problems) {
        check_shape_of_list(at, problems);
    }

    /// The steps, which stand at `at`; their numbers begin at `first`. Paths of fragments are relative to `directory`. An effect that is not `allowed`, or that can wear a board, is refused: these steps are
    /// done on every run.
    pub(crate) fn read(
        &self,
        at: Cursor<'_>,
        directory: &Path,
        secrets: &Secrets,
        allowed: &[Effect],
        first: u16,
        problems: &mut Problems,
    ) -> Option<BoardSteps> {
        let none = BTreeMap::new();
        if self.0.is_empty() {
            problems.push(at.key_problem("there are no steps in it").hint("give it at least one, or remove it"));
            return None;
        }
        let mut reader = Reader::new(Vec::new(), &none, secrets, problems);
        let (mut made, mut fragments) = (Made::default(), Fragments::default());
        let mut reading = Steps::new(&mut reader, &none, &mut made, &mut fragments, Some(directory.to_owned()), first);
        reading.own_file = Some(at.document().file().to_owned());
        let steps = reading.section(&self.0, at);
        let places = reading.places;
        let steps = steps?;
        let mut fits = true;
        for derived in derive(&steps) {
            let hint = if derived.effect.wears() {
                "what can wear or harm a board is done by a scenario, with two permissions"
            } else if allowed.contains(&derived.effect) {
                continue;
            } else {
                "add it to `allow` of the board"
            };
            fits = false;
            if let Some(place) = places.get(usize::from(derived.step - first)) {
                let message = format!("the step may have the effect `{}`, which it must not have here", derived.effect);
                reader.push(place.clone().message(message).label(format!("it {}", derived.because)).hint(hint));
            }
        }
        fits.then(|| BoardSteps { steps, secrets: reader.secrets_used.into_iter().collect() })
    }
}
