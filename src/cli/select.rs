//! Which cases a command means: files, folders and names of shipped scenarios, read with the bench, filtered by tag.

use std::path::{Path, PathBuf};

use super::Failure;
use super::args::Selection;
use super::talk::Talk;
use crate::bench::{Bench, Board};
use crate::document::nearest;
use crate::plan::{Case, Plan};
use crate::report::Exit;
use crate::scenario::{self, SHIPPED, Source};

/// What a selection comes to.
pub(super) struct Selected {
    pub(super) plan: Plan,
    /// Cases of the files that were read, which the tags left out.
    pub(super) left_out: Vec<Case>,
    pub(super) bench: Option<Bench>,
}

/// Reads the files of a selection. `tags` holds where none were given. What is wrong with the files is shown here.
pub(super) fn select(selection: &Selection, tags: &[&str], talk: Talk) -> Result<Result<Selected, Exit>, Failure> {
    let bench = match selection.bench.as_deref().map(Bench::load).transpose() {
        Ok(bench) => bench,
        Err(diagnostics) => return Ok(Err(talk.diagnostics(&diagnostics))),
    };
    let loaded = if selection.scenarios.is_empty() {
        scenario::load_shipped(bench.as_ref())
    } else {
        scenario::load_sources(&resolve(&selection.scenarios)?, bench.as_ref())
    };
    let plan = match loaded {
        Ok(plan) => plan,
        Err(diagnostics) => return Ok(Err(talk.diagnostics(&diagnostics))),
    };
    let given = !selection.tag.is_empty();
    let wanted = |case: &Case| match (given, tags.is_empty()) {
        (true, _) => case.tags.iter().any(|tag| selection.tag.contains(tag)),
        (false, true) => true,
        (false, false) => case.tags.iter().any(|tag| tags.contains(&tag.as_str())),
    };
    let (cases, left_out) = plan.cases.into_iter().partition(wanted);
    Ok(Ok(Selected { plan: Plan { cases }, left_out, bench }))
}

/// Files, and names of shipped scenarios.
fn resolve(names: &[String]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for name in names {
        let path = Path::new(name);
        if path.is_dir() {
            sources.extend(files_in(path)?.into_iter().map(Source::File));
        } else if path.exists() {
            sources.push(Source::File(path.to_owned()));
        } else if let Some(source) = Source::shipped(name) {
            sources.push(source);
        } else {
            let known: Vec<&str> = SHIPPED.iter().map(|(file, _)| file.trim_end_matches(".yaml")).collect();
            let failure = Failure::usage(format!("{name} is neither a file nor a shipped scenario"));
            return Err(failure.hint(match nearest(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean {nearest}? `evkit-hil list` shows all that are shipped"),
                None => "`evkit-hil list` shows the scenarios that are shipped".to_owned(),
            }));
        }
    }
    Ok(sources)
}

/// The scenario files of a folder, by name.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| Failure::usage(format!("the folder {} cannot be read: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(format!("the folder {} holds no .yaml file", folder.display())));
    }
    Ok(files)
}

/// Says that no case has one of the tags: those that were given, or those that hold where none were.
pub(super) fn no_such_tag(given: &[String], default: &[&str]) -> String {
    let tags = if given.is_empty() { default.join(", ") } else { given.join(", ") };
    format!("nothing selected: no case has the tag {tags}; `evkit-hil list` shows which there are")
}

/// A hint for the name of a board that a bench does not have.
pub(super) fn its_boards(unknown: &str, names: &[&str]) -> String {
    match (names, nearest(unknown, names.iter().copied())) {
        ([only], _) => format!("its only board is {only}"),
        (_, Some(nearest)) => format!("did you mean {nearest}? its boards are {}", names.join(", ")),
        (_, None) => format!("its boards are {}", names.join(", ")),
    }
}

/// The boards of a bench that `--board` names; all of them where it names none.
pub(super) fn chosen_boards<'b>(bench: &'b Bench, wanted: &[String]) -> Result<Vec<&'b Board>, Failure> {
    if let Some(unknown) = wanted.iter().find(|name| bench.boards.iter().all(|board| board.name.0 != **name)) {
        let names: Vec<&str> = bench.boards.iter().map(|board| board.name.0.as_str()).collect();
        let failure = Failure::usage(format!("--board {unknown}: {} has no such board", bench.file.display()));
        return Err(failure.hint(its_boards(unknown, &names)));
    }
    Ok(bench.boards.iter().filter(|board| wanted.is_empty() || wanted.contains(&board.name.0)).collect())
}
