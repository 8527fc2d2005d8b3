//! Scenarios: YAML files become a [`Plan`], checked whole before any hardware is touched.
//!
//! A file is read as it is written ([`file`](self)), its matrix is expanded, variables are filled in, and every value gets its meaning; all complaints are collected and placed. docs/scenarios.md
//! is the reference of the language. Nothing in here knows a port or a line.

mod board;
mod comparison;
mod convert;
mod file;
mod fragments;
mod images;
mod matrix;
mod patterns;
mod reader;
mod requires;
mod schema;
mod setup;
mod shipped;
#[cfg(test)]
mod tests;
mod variables;
mod verbs;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

pub(crate) use board::StepList;
pub(crate) use schema::settings as settings_schema;
pub(crate) use setup::{SetupMap, Words};
pub(crate) use variables::{IMAGE_NAME, IMAGE_NAME_PATTERN, is_image_name};

pub use file::VERBS;
pub use schema::{fragment_schema, schema};
pub use shipped::SHIPPED;

use crate::bench::Bench;
use crate::document::{Diagnostic, Document, Excerpt, Problems};
use crate::plan::Plan;
use crate::secret::Secrets;

/// Reads scenario files and makes the plan of them, in the order given. Images of the bench, where there is one, go before those that a file makes under the same name.
///
/// # Errors
/// Every mistake found, in all the files, each with its place; at least one.
pub fn load(files: &[PathBuf], bench: Option<&Bench>) -> Result<Plan, Vec<Diagnostic>> {
    plan(files.iter().map(|file| Source::File(file.clone()).open()), bench)
}

/// The same for the scenarios that are shipped in the program, whose files are shown as `scenarios/NAME.yaml`.
///
/// # Errors
/// As [`load`]: a bench may lack what a shipped scenario needs.
pub fn load_shipped(bench: Option<&Bench>) -> Result<Plan, Vec<Diagnostic>> {
    plan(SHIPPED.iter().map(|(name, text)| Source::Shipped(name, text).open()), bench)
}

/// The same for a mixture of files and shipped scenarios, in the order given.
///
/// # Errors
/// As [`load`].
pub fn load_sources(sources: &[Source], bench: Option<&Bench>) -> Result<Plan, Vec<Diagnostic>> {
    plan(sources.iter().map(Source::open), bench)
}

/// Where a scenario comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A shipped scenario: its file's name and text.
    Shipped(&'static str, &'static str),
}

impl Source {
    /// The shipped scenario of this name: that of its file, with or without `.yaml`, or the scenario's own (`early reset`).
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let wanted = name.strip_suffix(".yaml").unwrap_or(name).replace(' ', "-");
        let (file, text) = SHIPPED.iter().find(|(file, _)| file.strip_suffix(".yaml") == Some(wanted.as_str()))?;
        Some(Self::Shipped(file, text))
    }

    fn open(&self) -> Opened {
        match self {
            Self::File(file) => (Document::open(file), file.parent().map(Path::to_owned)),
            Self::Shipped(name, text) => (Document::parse(&Path::new("scenarios").join(name), text.as_bytes()), None),
        }
    }
}

/// The same for one scenario in memory, which is called `file` in messages.
///
/// # Errors
/// As [`load`].
pub fn load_text(file: &Path, text: &str, bench: Option<&Bench>) -> Result<Plan, Vec<Diagnostic>> {
    plan(std::iter::once((Document::parse(file, text.as_bytes()), file.parent().map(Path::to_owned))), bench)
}

/// A document, and what the paths of fragments in it are relative to; `None` where it can include none.
type Opened = (Result<Document, Box<Diagnostic>>, Option<PathBuf>);

fn plan(documents: impl Iterator<Item = Opened>, bench: Option<&Bench>) -> Result<Plan, Vec<Diagnostic>> {
    let (no_images, no_file) = (BTreeMap::new(), Secrets::default());
    let mut around = convert::Around {
        images: bench.map_or(&no_images, |bench| &bench.images),
        secrets: bench.map_or(&no_file, |bench| &bench.secrets),
        made: images::Made::default(),
        fragments: fragments::Fragments::default(),
    };
    let mut problems = Problems::default();
    let mut names = HashMap::<String, (PathBuf, Excerpt)>::new();
    let mut plan = Plan::default();
    for (document, directory) in documents {
        let document = match document {
            Ok(document) => document,
            Err(diagnostic) => {
                problems.push(*diagnostic);
                continue;
            }
        };
        if document.root().find("boards").is_some() && document.root().find("scenario").is_none() {
            let problem = document.root().get("boards").key_problem("this is a bench file, not a scenario");
            problems.push(problem.hint("a bench file goes behind `--bench`"));
            continue;
        }
        if let Some(fragment) = document.root().find("fragment").filter(|_| document.root().find("scenario").is_none()) {
            let problem = fragment.key_problem("this is a fragment, not a scenario");
            problems.push(problem.hint("a scenario takes its steps in: `- include: FILE`"));
            continue;
        }
        let cases = convert::cases(&document, directory.as_deref(), &mut around, &mut problems);
        if let Some(case) = cases.first() {
            let name = document.root().get("scenario");
            if let Some((file, excerpt)) = names.get(&case.scenario) {
                problems.push(
                    name.problem(format!("a second scenario is called `{}`", case.scenario))
                        .related(file, excerpt.clone(), "first here")
                        .hint("reports tell scenarios apart by name; give each its own, and each file once"),
                );
            } else {
                names.insert(case.scenario.clone(), (document.file().to_owned(), name.excerpt()));
            }
        }
        plan.cases.extend(cases);
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems.into_sorted()) }
}
