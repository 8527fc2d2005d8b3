//! Reading a bench file: as strictly as a scenario, and checked as far as it can be without touching a board.
//!
//! Paths are relative to the bench file. Ports and sockets need not exist when the file is read; images do.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::file::BenchFile;
use super::{Bench, HOST_LATE};
use crate::document::{Cursor, Diagnostic, Document, Excerpt, FORMAT, Problems, Refusal, Text, one_of};
use crate::plan::units::parse_duration;
use crate::scenario::StepList;
use crate::secret::Secrets;

impl Bench {
    /// Reads a bench file and the images that it names. Touches no port and no line.
    ///
    /// # Errors
    /// Every mistake found, each with its place; at least one.
    pub fn load(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        Document::open(file).map_err(|diagnostic| vec![*diagnostic]).and_then(|document| Self::read(&document))
    }

    /// The same for a text in memory, which is called `file` in messages and whose paths are relative to where `file` would be.
    ///
    /// # Errors
    /// As [`Bench::load`].
    pub fn load_text(file: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        Document::parse(file, text.as_bytes()).map_err(|diagnostic| vec![*diagnostic]).and_then(|document| Self::read(&document))
    }

    fn read(document: &Document) -> Result<Self, Vec<Diagnostic>> {
        if document.root().find("scenario").is_some() && document.root().find("boards").is_none() {
            let problem = document.root().get("scenario").key_problem("this is a scenario, not a bench file");
            return Err(vec![problem.hint("a scenario is named without an option: `evkit-hil run FILE --bench BENCH`")]);
        }
        let mut problems = Problems::default();
        document.refuse_empty_keys(&mut problems);
        for board in document.root().find("boards").into_iter().flat_map(|boards| boards.entries()) {
            for list in ["before-run", "before-case", "after-run"].into_iter().filter_map(|key| board.find(key)) {
                StepList::check_shape(list, &mut problems);
            }
            // The others say themselves what they lack.
            ["allow", "lines"].into_iter().filter_map(|key| board.find(key)).for_each(|list| list.refuse_empty(&mut problems));
        }
        document.root().find("require").into_iter().flat_map(|require| require.entries()).for_each(|list| list.refuse_empty(&mut problems));
        if !problems.is_empty() {
            return Err(problems.into_sorted());
        }
        let raw = document.read_as::<BenchFile>().map_err(|diagnostic| vec![*diagnostic])?;
        let root = document.root();
        if &*raw.format != FORMAT {
            let problem = root.get("format").problem(format!("format {} is not known", &*raw.format));
            return Err(vec![problem.hint("this version reads `format: 1`")]);
        }
        let mut reader = Reader {
            directory: document.file().parent().unwrap_or(Path::new("")),
            secrets: Secrets::default(),
            problems,
            taken: HashMap::new(),
        };
        let host_late = match &raw.host_late {
            Some(text) => reader.value(root.get("host-late"), text, |text| Ok(parse_duration(text)?)),
            None => Some(HOST_LATE),
        };
        let secrets = match &raw.secrets {
            Some(text) => {
                let at = root.get("secrets");
                let path = reader.path(at, text);
                path.and_then(|path| {
                    reader.value(at, text, |_| Secrets::with_file(&path).map_err(|error| Refusal::new(error.to_string(), error.hint())))
                })
            }
            None => Some(Secrets::default()),
        };
        // Steps of boards may name them.
        reader.secrets = secrets.clone().unwrap_or_default();
        let boards = reader.boards(&raw.boards, root.get("boards"));
        let images = reader.images(raw.images.as_ref(), root.get("images"));
        let require = reader.require(raw.require.as_ref(), root.get("require"));
        match (host_late, secrets) {
            (Some(host_late), Some(secrets)) if reader.problems.is_empty() => {
                Ok(Self { file: document.file().to_owned(), boards, images, secrets, host_late, require })
            }
            _ => Err(reader.problems.into_sorted()),
        }
    }
}

/// Reading the values of one bench file.
pub(super) struct Reader<'d> {
    /// What paths are relative to.
    pub(super) directory: &'d Path,
    /// Where secrets come from.
    pub(super) secrets: Secrets,
    pub(super) problems: Problems,
    /// Ports, lines and sockets that a board has: which board, and where it says so.
    pub(super) taken: HashMap<String, (String, Excerpt)>,
}

impl Reader<'_> {
    pub(super) fn value<T>(&mut self, at: Cursor<'_>, text: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        parse(text).map_err(|refusal| self.problems.push(at.refused(refusal))).ok()
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        at: Cursor<'_>,
        text: Option<&Text>,
        default: T,
        what: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        text.map_or(Some(default), |text| self.value(at, text, |text| one_of(text, what, words)))
    }

    pub(super) fn path(&mut self, at: Cursor<'_>, text: &str) -> Option<PathBuf> {
        if text.is_empty() {
            self.problems.push(at.problem("an empty path"));
            return None;
        }
        Some(self.directory.join(text))
    }

    /// Notes that a board has something; complains when it or another has it already.
    pub(super) fn take(&mut self, board: &str, at: Cursor<'_>, what: &str, key: &str) {
        let Some((other, excerpt)) = self.taken.get(key) else {
            self.taken.insert(key.to_owned(), (board.to_owned(), at.excerpt()));
            return;
        };
        let file = at.document().file();
        self.problems.push(if other == board {
            at.problem(format!("`{board}` has this {what} twice")).related(file, excerpt.clone(), "the same")
        } else {
            at.problem(format!("`{board}` and `{other}` have the same {what}"))
                .label(format!("of `{board}`"))
                .related(file, excerpt.clone(), format!("of `{other}`"))
                .hint("two boards share nothing; links to one device are one device")
        });
    }

    /// Whether the board is known to have something.
    pub(super) fn has(&self, board: &str, key: &str) -> bool {
        self.taken.get(key).is_some_and(|(other, _)| other == board)
    }

    /// Notes that the person at the terminal stands at a board; complains when that is another one.
    pub(super) fn take_terminal(&mut self, board: &str, at: Cursor<'_>) {
        match self.taken.get("terminal") {
            Some((other, excerpt)) if other != board => self.problems.push(
                at.problem(format!("`{board}` and `{other}` both ask a person"))
                    .label(format!("of `{board}`"))
                    .related(at.document().file(), excerpt.clone(), format!("of `{other}`"))
                    .hint("there is one terminal and one person: boards with `backend: manual` go into bench files of their own"),
            ),
            Some(_) => {}
            None => drop(self.taken.insert("terminal".to_owned(), (board.to_owned(), at.excerpt()))),
        }
    }
}

/// The device behind a path, where there is one yet: two links to it are one device.
pub(super) fn resolved(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
