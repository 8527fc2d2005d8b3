//! A scenario file becomes cases: one for each combination of its matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::file::{ScenarioFile, VERBS};
use super::fragments::Fragments;
use super::images::Made;
use super::matrix::{Combination, combinations};
use super::reader::{Reader, says_nothing};
use super::requires::bounds;
use super::setup::setup;
use super::variables::{IMAGE_NAME, is_image_name};
use super::verbs::{MAX_STEPS, Steps, positive};
use crate::document::{Cursor, Diagnostic, Document, Entries, FORMAT, Problems, TRUTH, Text, known, one_of};
use crate::plan::effects::{Derived, derive};
use crate::plan::units::show_duration;
use crate::plan::{Case, DEADLINE_SLACK, Effect, PlannedImage, Requires, Step, worst_case};
use crate::secret::Secrets;

/// The longest name of a scenario, in characters.
const MAX_NAME: usize = 100;

/// Complaints after which the rest of a matrix is not looked at.
const ENOUGH_PROBLEMS: usize = 20;

/// What the files of one plan share.
pub(super) struct Around<'b> {
    /// Images of the bench, which go before those that a file makes under the same name.
    pub(super) images: &'b BTreeMap<String, PlannedImage>,
    /// Where secrets come from.
    pub(super) secrets: &'b Secrets,
    /// Images made so far.
    pub(super) made: Made,
    /// Fragments read so far.
    pub(super) fragments: Fragments,
}

/// The cases of one file; complaints go to `problems`, and the cases are then of no use. Fragments are looked for from `directory` on.
pub(super) fn cases(document: &Document, directory: Option<&Path>, around: &mut Around<'_>, problems: &mut Problems) -> Vec<Case> {
    let before = problems.len();
    document.refuse_empty_keys(problems);
    check_shape_of_steps(document.root(), problems);
    if problems.len() > before {
        return Vec::new();
    }
    let file = match document.read_as::<ScenarioFile>() {
        Ok(file) => file,
        Err(diagnostic) => {
            problems.push(*diagnostic);
            return Vec::new();
        }
    };
    let root = document.root();
    if &*file.format != FORMAT {
        problems.push(root.get("format").problem(format!("format {} is not known", &*file.format)).hint("this version reads `format: 1`"));
        return Vec::new();
    }
    check_name(&file.scenario, root.get("scenario"), problems);
    if let Some(problem) = file.summary.as_ref().and_then(|summary| says_nothing(root.get("summary"), summary, "what the scenario is for"))
    {
        problems.push(problem);
    }
    let tags = tags(&file, root, problems);
    let declared = declared_effects(&file, root, problems);
    if file.steps.is_empty() {
        problems.push(root.get("steps").key_problem("there are no steps, so nothing would be tested").hint("give it at least one"));
    }
    if file.steps.len() + file.finally.as_ref().map_or(0, Vec::len) > usize::from(MAX_STEPS) {
        problems.push(root.get("steps").key_problem(format!("more than {MAX_STEPS} steps")).hint("split the scenario"));
        return Vec::new();
    }
    let Some(combinations) = combinations(file.matrix.as_ref(), root.get("matrix"), problems) else { return Vec::new() };

    let mut shared = Shared { file: &file, root, directory, around, declared: &declared, missing: BTreeMap::new() };
    let mut cases = Vec::with_capacity(combinations.len());
    for combination in combinations {
        if problems.len() >= before + ENOUGH_PROBLEMS {
            break;
        }
        if let Some(case) = shared.case(combination, problems) {
            cases.push(Case { tags: tags.clone(), effects: declared.iter().copied().collect(), ..case });
        }
    }
    if problems.len() == before {
        shared.check_effects(problems);
    }
    cases
}

/// What the cases of one file share.
struct Shared<'f, 'b> {
    file: &'f ScenarioFile,
    root: Cursor<'f>,
    directory: Option<&'f Path>,
    around: &'f mut Around<'b>,
    /// The effects that the file declares.
    declared: &'f BTreeSet<Effect>,
    /// Those that it does not declare, each at the first step that has it.
    missing: BTreeMap<Effect, (Derived, Diagnostic)>,
}

impl Shared<'_, '_> {
    /// One case, without its tags and effects.
    fn case(&mut self, combination: Combination, problems: &mut Problems) -> Option<Case> {
        let images = self.images(&combination, problems)?;
        let mut reader = Reader::new(combination.clone(), &images, self.around.secrets, problems);
        let requires = self.requires(&mut reader);
        let virtual_board = setup(self.file.virtual_board.as_ref(), self.root.get("virtual"), &mut reader);
        let may_reset = truth(self.file.may_reset.as_ref(), self.root.get("may-reset"), &mut reader);
        let may_damage = truth(self.file.may_damage.as_ref(), self.root.get("may-damage"), &mut reader);
        let directory = self.directory.map(Path::to_owned);
        let mut reading = Steps::new(&mut reader, &images, &mut self.around.made, &mut self.around.fragments, directory, 0);
        let steps = reading.section(&self.file.steps, self.root.get("steps"));
        let finally = reading.section(self.file.finally.as_deref().unwrap_or_default(), self.root.get("finally"));
        let (used, places) = (reading.used, reading.places);
        let (steps, finally) = (steps?, finally?);
        let deadline = deadline(self.file.deadline.as_ref(), self.root.get("deadline"), &steps, &mut reader);
        let finally_deadline =
            deadline_of_finally(self.file.finally_deadline.as_ref(), self.root.get("finally-deadline"), &finally, &mut reader);
        let secrets = reader.secrets_used.into_iter().collect();
        for derived in derive(steps.iter().chain(&finally)).into_iter().filter(|derived| !self.declared.contains(&derived.effect)) {
            if let Some(place) = places.get(usize::from(derived.step)) {
                self.missing.entry(derived.effect).or_insert_with(|| (derived, place.clone()));
            }
        }
        Some(Case {
            name: case_name(&self.file.scenario, &combination),
            scenario: self.file.scenario.0.clone(),
            summary: self.file.summary.as_ref().map_or_else(String::new, |text| text.trim().to_owned()),
            file: self.root.document().file().to_owned(),
            line: self.root.get("scenario").line(),
            tags: Vec::new(),
            effects: Vec::new(),
            requires: requires?,
            virtual_board: virtual_board?,
            matrix: combination,
            steps,
            finally,
            deadline: deadline?,
            finally_deadline: finally_deadline?,
            may_reset: may_reset?,
            may_damage: may_damage?,
            images: used,
            secrets,
            is_of_board: false,
        })
    }

    /// Refuses a file that declares less than its steps do; each missing effect once, at the first step that has it.
    fn check_effects(&self, problems: &mut Problems) {
        let all = self.declared.iter().chain(self.missing.keys()).collect::<BTreeSet<_>>();
        let all = all.into_iter().map(|effect| effect.name()).collect::<Vec<_>>().join(", ");
        for (effect, (derived, place)) in &self.missing {
            let mut diagnostic = place
                .clone()
                .message(format!("the step may have the effect `{effect}`, which the file does not declare"))
                .label(format!("it {}", derived.because))
                .hint(format!("write `effects: [{all}]`"));
            if let Some(effects) = self.root.find("effects") {
                diagnostic = diagnostic.related(self.root.document().file(), effects.excerpt(), "declared here");
            }
            problems.push(diagnostic);
        }
    }

    /// The images that steps may name. One of the bench goes before one of the same name in the file, which is checked all the same.
    fn images(&mut self, combination: &Combination, problems: &mut Problems) -> Option<BTreeMap<String, PlannedImage>> {
        let mut images = BTreeMap::new();
        let place = self.root.get("images");
        let mut all = true;
        for (name, map) in self.file.images.as_ref().map_or(&[][..], |Entries(images)| images) {
            let entry = place.get(name);
            // A copy may be one of an image of the bench, or of one that stands before it.
            let known = images.clone().into_iter().chain(self.around.images.clone()).collect();
            let mut reader = Reader::new(combination.clone(), &known, self.around.secrets, problems);
            if !is_image_name(name) {
                reader.push(entry.key_problem(format!("`{name}` cannot be the name of an image")).hint(IMAGE_NAME));
                all = false;
            }
            match self.around.made.image(name, map, entry, &known, &mut reader) {
                Some(image) => drop(images.insert(name.clone(), image)),
                None => all = false,
            }
        }
        images.extend(self.around.images.iter().map(|(name, image)| (name.clone(), image.clone())));
        all.then_some(images)
    }

    fn requires(&self, reader: &mut Reader<'_>) -> Option<Requires> {
        let Some(firmware) = self.file.requires.as_ref().and_then(|requires| requires.firmware.as_ref()) else {
            return Some(Requires::default());
        };
        let firmware = reader.value(self.root.get("requires").get("firmware"), firmware, bounds)?;
        Some(Requires { firmware })
    }
}

/// Keys under which a list of steps stands inside a step.
const INNER_LISTS: &[&str] = &["steps", "else"];

/// Each step is a map with one key, a verb that there is. serde's own words for this do not help, so it is checked before. The lists are those of `root`.
pub(super) fn check_shape_of_steps(root: Cursor<'_>, problems: &mut Problems) {
    for list in ["steps", "finally"].into_iter().filter_map(|key| root.find(key)) {
        check_shape_of_list(list, problems);
    }
}

/// The same for one list, and for those inside of its steps.
pub(super) fn check_shape_of_list(list: Cursor<'_>, problems: &mut Problems) {
    for step in list.items() {
        let mut verbs = step.entries();
        match (verbs.next(), verbs.next()) {
            (Some(verb), None) => {
                let name = verb.key().unwrap_or_default();
                if !VERBS.contains(&name) {
                    problems.push(verb.key_problem(format!("unknown verb `{name}`")).hint(known(name, VERBS.iter().copied())));
                }
                let handlers = verb.find("on").into_iter().flat_map(|on| on.items());
                for inner in
                    std::iter::once(verb).chain(handlers).flat_map(|holder| INNER_LISTS.iter().filter_map(move |key| holder.find(key)))
                {
                    check_shape_of_list(inner, problems);
                }
            }
            (Some(_), Some(second)) => {
                let hint = "a step has one verb; what belongs to it is indented below it or stands in its braces";
                problems.push(second.key_problem("a second key beside the step's verb").hint(hint));
            }
            (None, _) => {
                problems.push(
                    step.problem("expected a step, which is a map with one key, the verb")
                        .hint("write `- reset: { pulse: 15 ms }`; `- restore:` has a colon, too"),
                );
            }
        }
    }
}

fn check_name(name: &str, at: Cursor<'_>, problems: &mut Problems) {
    if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) || name.chars().count() > MAX_NAME {
        problems.push(
            at.problem("the scenario's name does not fit")
                .hint(format!("one line of 1 to {MAX_NAME} characters, without blanks around it")),
        );
    }
}

fn tags(file: &ScenarioFile, root: Cursor<'_>, problems: &mut Problems) -> Vec<String> {
    let list = root.get("tags");
    let tags = file.tags.as_deref().unwrap_or_default();
    for (index, tag) in tags.iter().enumerate() {
        let fits = !tag.is_empty() && tag.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !fits {
            problems.push(list.item(index).problem(format!("`{}` is not a tag", &**tag)).hint("a tag is small letters, digits and `-`"));
        }
    }
    tags.iter().map(|tag| tag.0.clone()).collect()
}

/// The effects that a file declares.
fn declared_effects(file: &ScenarioFile, root: Cursor<'_>, problems: &mut Problems) -> BTreeSet<Effect> {
    let words = Effect::ALL.iter().map(|effect| (effect.name(), *effect)).collect::<Vec<_>>();
    let mut declared = BTreeSet::new();
    for (index, text) in file.effects.as_deref().unwrap_or_default().iter().enumerate() {
        match one_of(text, "an effect", &words) {
            Ok(effect) => drop(declared.insert(effect)),
            Err(refusal) => problems.push(root.get("effects").item(index).refused(refusal)),
        }
    }
    declared
}

/// `false` where the key is not given.
fn truth(text: Option<&Text>, at: Cursor<'_>, reader: &mut Reader<'_>) -> Option<bool> {
    text.map_or(Some(false), |text| reader.word(at, text, "`true` or `false`", TRUTH))
}

/// What the file says, or the worst case of the steps and some slack.
fn deadline(text: Option<&Text>, at: Cursor<'_>, steps: &[Step], reader: &mut Reader<'_>) -> Option<Duration> {
    text.map_or_else(|| Some(worst_case(steps).saturating_add(DEADLINE_SLACK)), |text| reader.value(at, text, positive))
}

/// The same for `finally`, whose deadline may not cut its steps short: they put the board back.
fn deadline_of_finally(text: Option<&Text>, at: Cursor<'_>, finally: &[Step], reader: &mut Reader<'_>) -> Option<Duration> {
    let needed = worst_case(finally);
    let deadline = deadline(text, at, finally, reader)?;
    if deadline < needed {
        let message = format!("the steps of `finally` may take {}, longer than their deadline", show_duration(needed));
        reader.push(at.problem(message).hint("raise it, or give the steps less time (`restore: { within: 20 s }`)"));
        return None;
    }
    Some(deadline)
}

fn case_name(scenario: &str, combination: &Combination) -> String {
    let values = combination.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
    if values.is_empty() { scenario.to_owned() } else { format!("{scenario} [{values}]") }
}
