//! Fragments: files of steps that scenarios and bench files include, with parameters.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::convert::check_shape_of_steps;
use super::file::FragmentFile;
use super::reader::says_nothing;
use super::variables::{RESERVED, is_variable};
use crate::document::{Diagnostic, Document, Entries, Problems};

/// A fragment as it was read.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) document: Document,
    pub(super) file: FragmentFile,
}

/// Fragments read so far, by their real path.
#[derive(Debug, Default)]
pub(super) struct Fragments(HashMap<PathBuf, Option<Rc<Fragment>>>);

impl Fragments {
    /// The fragment in `file`; `None` when it was refused, now or before.
    pub(super) fn load(&mut self, file: &Path) -> Result<Option<Rc<Fragment>>, Vec<Diagnostic>> {
        let key = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let read = read(file);
        let fragment = read.as_ref().ok().map(Rc::clone);
        self.0.insert(key, fragment);
        read.map(Some)
    }
}

fn read(file: &Path) -> Result<Rc<Fragment>, Vec<Diagnostic>> {
    let document = Document::open(file).map_err(|diagnostic| vec![*diagnostic])?;
    let root = document.root();
    for (key, what) in [("scenario", "a scenario"), ("boards", "a bench file")] {
        if root.find("fragment").is_none()
            && let Some(found) = root.find(key)
        {
            let problem = found.key_problem(format!("this is {what}, not a fragment"));
            return Err(vec![problem.hint("a fragment begins with `format: 1` and `fragment: NAME`, and has `steps`")]);
        }
    }
    let mut problems = Problems::default();
    document.refuse_empty_keys(&mut problems);
    check_shape_of_steps(root, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_sorted());
    }
    let fragment = document.read_as::<FragmentFile>().map_err(|diagnostic| vec![*diagnostic])?;
    if &*fragment.format != "1" {
        let problem = root.get("format").problem(format!("format {} is not known", &*fragment.format));
        return Err(vec![problem.hint("this version reads `format: 1`")]);
    }
    if fragment.name.trim().is_empty() {
        problems.push(root.get("fragment").problem("a fragment without a name").hint("say in a few words what its steps do"));
    }
    if let Some(summary) = &fragment.summary
        && let Some(problem) = says_nothing(root.get("summary"), summary, "what it is for")
    {
        problems.push(problem);
    }
    if fragment.steps.is_empty() {
        problems.push(root.get("steps").key_problem("there are no steps").hint("give it at least one"));
    }
    for (name, _) in fragment.parameters.as_ref().map_or(&[][..], |Entries(parameters)| parameters) {
        let at = root.get("parameters").get(name);
        if !is_variable(name) {
            let hint = "a name is letters, digits and `_`, and begins with a letter";
            problems.push(at.key_problem(format!("`{name}` cannot be used as a variable")).hint(hint));
        } else if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| reserved == name) {
            problems.push(at.key_problem(*why).hint("choose another name"));
        }
    }
    if problems.is_empty() { Ok(Rc::new(Fragment { document, file: fragment })) } else { Err(problems.into_sorted()) }
}
