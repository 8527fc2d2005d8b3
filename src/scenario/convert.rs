//! A scenario file becomes cases: one for each combination of its matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::anchors;
use super::file::{ScenarioFile, VERBS, Verb};
use super::images::Made;
use super::matrix::{Combination, combinations};
use super::reader::Reader;
use super::requires::bounds;
use super::setup::setup;
use super::variables::{IMAGE_NAME, Scope, is_image_name};
use super::verbs::{Steps, positive};
use crate::document::{Cursor, Document, Entries, Problems, Text, known, one_of};
use crate::plan::effects::{Derived, derive};
use crate::plan::units::show_duration;
use crate::plan::{Case, DEADLINE_SLACK, Effect, PlannedImage, Requires, Step, worst_case};

/// The most steps that a scenario may have.
const MAX_STEPS: usize = 1_000;

/// The longest name of a scenario, in characters.
const MAX_NAME: usize = 100;

/// Complaints after which the rest of a matrix is not looked at.
const ENOUGH_PROBLEMS: usize = 20;

/// The cases of one file; complaints go to `problems`, and the cases are then of no use.
pub(super) fn cases(
    document: &Document,
    bench_images: &BTreeMap<String, PlannedImage>,
    made: &mut Made,
    problems: &mut Problems,
) -> Vec<Case> {
    let before = problems.len();
    document.refuse_empty_keys(problems);
    check_shape_of_steps(document, problems);
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
    if &*file.format != "1" {
        problems.push(root.get("format").problem(format!("format {} is not known", &*file.format)).hint("this version reads `format: 1`"));
        return Vec::new();
    }
    check_name(&file.scenario, root.get("scenario"), problems);
    let tags = tags(&file, root, problems);
    let declared = declared_effects(&file, root, problems);
    if file.steps.is_empty() {
        problems.push(root.get("steps").key_problem("there are no steps, so nothing would be tested").hint("give it at least one"));
    }
    if file.steps.len() + file.finally.as_ref().map_or(0, Vec::len) > MAX_STEPS {
        problems.push(root.get("steps").key_problem(format!("more than {MAX_STEPS} steps")).hint("split the scenario"));
        return Vec::new();
    }
    let Some(combinations) = combinations(file.matrix.as_ref(), root.get("matrix"), problems) else { return Vec::new() };

    let mut cases = Vec::with_capacity(combinations.len());
    for combination in combinations {
        if problems.len() >= before + ENOUGH_PROBLEMS {
            break;
        }
        let mut shared = Shared { file: &file, root, bench_images, made };
        if let Some(case) = shared.case(combination, problems) {
            cases.push(Case { tags: tags.clone(), effects: declared.iter().copied().collect(), ..case });
        }
    }
    if problems.len() == before {
        check_effects(&cases, &declared, root, problems);
    }
    cases
}

/// What the cases of one file share.
struct Shared<'f> {
    file: &'f ScenarioFile,
    root: Cursor<'f>,
    bench_images: &'f BTreeMap<String, PlannedImage>,
    made: &'f mut Made,
}

impl Shared<'_> {
    /// One case, without its tags and effects.
    fn case(&mut self, combination: Combination, problems: &mut Problems) -> Option<Case> {
        let images = self.images(&combination, problems)?;
        let scope = Scope { combination: &combination, images: &images };
        let mut reader = Reader::new(scope, problems);
        let requires = self.requires(&mut reader);
        let virtual_board = setup(self.file.virtual_board.as_ref(), self.root.get("virtual"), &mut reader);
        let may_reset = may_reset(self.file.may_reset.as_ref(), self.root.get("may-reset"), &mut reader);
        let mut reading = Steps { reader: &mut reader, images: &images, made: self.made, used: BTreeMap::new() };
        let steps = read_steps(&self.file.steps, self.root.get("steps"), 0, &mut reading);
        let finally =
            read_steps(self.file.finally.as_deref().unwrap_or_default(), self.root.get("finally"), self.file.steps.len(), &mut reading);
        let used = reading.used;
        let (steps, finally) = (steps?, finally?);
        let deadline = deadline(self.file.deadline.as_ref(), self.root.get("deadline"), &steps, &mut reader);
        let finally_deadline =
            deadline_of_finally(self.file.finally_deadline.as_ref(), self.root.get("finally-deadline"), &finally, &mut reader);
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
            images: used,
        })
    }

    /// The images that steps may name. One of the bench goes before one of the same name in the file, which is checked all the same.
    fn images(&mut self, combination: &Combination, problems: &mut Problems) -> Option<BTreeMap<String, PlannedImage>> {
        let mut images = BTreeMap::new();
        let place = self.root.get("images");
        let none = BTreeMap::new();
        let mut reader = Reader::new(Scope { combination, images: &none }, problems);
        let mut all = true;
        for (name, image) in self.file.images.as_ref().map_or(&[][..], |Entries(images)| images) {
            let entry = place.get(name);
            if !is_image_name(name) {
                reader.push(entry.key_problem(format!("`{name}` cannot be the name of an image")).hint(IMAGE_NAME));
                all = false;
            }
            match self.made.image(name, &image.make, entry.get("make"), &mut reader) {
                Some(image) => drop(images.insert(name.clone(), image)),
                None => all = false,
            }
        }
        images.extend(self.bench_images.iter().map(|(name, image)| (name.clone(), image.clone())));
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

/// Each step is a map with one key, a verb that there is. serde's own words for this do not help, so it is checked before.
fn check_shape_of_steps(document: &Document, problems: &mut Problems) {
    for list in ["steps", "finally"].into_iter().filter_map(|key| document.root().find(key)) {
        for step in list.items() {
            let mut verbs = step.entries();
            match (verbs.next(), verbs.next()) {
                (Some(verb), None) => {
                    let name = verb.key().unwrap_or_default();
                    if !VERBS.contains(&name) {
                        problems.push(verb.key_problem(format!("unknown verb `{name}`")).hint(known(name, VERBS.iter().copied())));
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

/// Refuses a file that declares less than its steps do; each missing effect once, at the first step that has it.
fn check_effects(cases: &[Case], declared: &BTreeSet<Effect>, root: Cursor<'_>, problems: &mut Problems) {
    let mut missing = BTreeMap::<Effect, Derived>::new();
    for derived in cases.iter().flat_map(|case| derive(case.steps.iter().chain(&case.finally))) {
        if !declared.contains(&derived.effect) {
            missing.entry(derived.effect).or_insert(derived);
        }
    }
    let all = declared.iter().chain(missing.keys()).collect::<BTreeSet<_>>();
    let all = all.into_iter().map(|effect| effect.name()).collect::<Vec<_>>().join(", ");
    let steps = root.get("steps").items().chain(root.find("finally").into_iter().flat_map(|finally| finally.items())).collect::<Vec<_>>();
    for (effect, derived) in &missing {
        let step = steps.get(derived.step).copied().unwrap_or(root);
        let mut diagnostic = step
            .key_problem(format!("the step may have the effect `{effect}`, which the file does not declare"))
            .label(format!("it {}", derived.because))
            .hint(format!("write `effects: [{all}]`"));
        if let Some(effects) = root.find("effects") {
            diagnostic = diagnostic.related(root.document().file(), effects.excerpt(), "declared here");
        }
        problems.push(diagnostic);
    }
}

fn read_steps(verbs: &[Verb], list: Cursor<'_>, first_id: usize, reading: &mut Steps<'_, '_>) -> Option<Vec<Step>> {
    // All are read before any is missed, so that every mistake is shown.
    let id = |index: usize| u16::try_from(first_id + index).unwrap_or(u16::MAX);
    let steps = verbs.iter().enumerate().map(|(index, verb)| reading.step(verb, list.item(index), id(index))).collect::<Vec<_>>();
    let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
    anchors::check(&steps, list, reading.reader)?;
    Some(steps)
}

fn may_reset(text: Option<&Text>, at: Cursor<'_>, reader: &mut Reader<'_>) -> Option<bool> {
    text.map_or(Some(false), |text| reader.word(at, text, "`true` or `false`", &[("true", true), ("false", false)]))
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
