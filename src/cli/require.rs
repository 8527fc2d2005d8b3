//! What must have passed: names of the command line and of the bench file, looked up among the cases that were read.

use std::path::Path;

use super::Failure;
use crate::bench::{Bench, Require};
use crate::document::nearest;
use crate::plan::Case;
use crate::report::Required;

/// Looks names up among `cases`, those included that the tags left out: what is required and was not selected is missing.
///
/// A name of the command line that is nobody's is a mistake. One of the bench file may be another run's, whose files this one has not read: that is missing like
/// the rest, and only the report can say so.
pub(super) fn requirements(names: &[String], bench: Option<&Bench>, cases: &[&Case]) -> Result<Vec<Required>, Failure> {
    let mut required = Vec::new();
    for name in names.iter().flat_map(|names| split(names)) {
        let found = by_name(name, cases);
        if found.is_empty() {
            let failure = Failure::usage(format!("--require {name}: no case and no scenario that was read has this name"));
            return Err(failure.hint(did_you_mean(name, cases)));
        }
        required.push(Required { what: name.to_owned(), cases: found, none: String::new() });
    }
    let Some(Bench { require: Require { cases: names, tags }, .. }) = bench else { return Ok(required) };
    for name in names {
        let none = format!("the bench requires it, and no case or scenario that was read has this name; {}", did_you_mean(name, cases));
        required.push(Required { what: name.clone(), cases: by_name(name, cases), none });
    }
    for tag in tags {
        let tagged = cases.iter().filter(|case| case.tags.contains(tag)).map(|case| case.name.clone()).collect();
        let none = "the bench requires it, and no case that was read has this tag".to_owned();
        required.push(Required { what: format!("the tag {tag}"), cases: tagged, none });
    }
    Ok(required)
}

/// What to say beforehand of something that is required and that nobody has: it is missing whatever the boards do.
pub(super) fn unknown(required: &Required) -> Option<String> {
    required.cases.is_empty().then(|| format!("note: {}: {}", required.what, required.none))
}

/// The names that commas separate. A case's name has commas in its brackets: `late reset [every=5 ms, late=3 s]`.
fn split(names: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = names.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ',' && depth <= 0
    });
    parts.map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// The cases of this name, of a scenario of this name, or of a file of this name.
fn by_name(name: &str, cases: &[&Case]) -> Vec<String> {
    let means = |case: &&&Case| case.name == name || case.scenario == name || stem(&case.file) == name;
    cases.iter().filter(means).map(|case| case.name.clone()).collect()
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn did_you_mean(name: &str, cases: &[&Case]) -> String {
    let known = cases.iter().flat_map(|case| [case.name.as_str(), case.scenario.as_str()]);
    match nearest(name, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`evkit-hil list` shows the cases".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_comma_in_brackets_separates_nothing() {
        assert_eq!(split("early reset [a=1 s, b=2], upgrade,,x"), ["early reset [a=1 s, b=2]", "upgrade", "x"]);
    }
}
