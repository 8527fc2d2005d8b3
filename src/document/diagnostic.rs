//! A complaint about a file: its place, its line, what was expected and what to do, and the one renderer of it.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How much of a line is kept behind the place of the complaint.
const KEPT_BEHIND: usize = 120;

/// A complaint about a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The file, as it was named.
    pub file: PathBuf,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; `None` for a file that could not be read, or that is wrong as a whole.
    pub excerpt: Option<Excerpt>,
    /// A second place that has to do with it.
    pub related: Option<Box<Related>>,
    /// What to do.
    pub hint: Option<String>,
}

/// A line of a file and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Excerpt {
    /// The line's number, from 1.
    pub line: u32,
    /// The column of the first character meant, from 1, in characters.
    pub column: u32,
    /// The line's text (its end may be cut).
    pub text: String,
    /// The bytes of `text` that are meant.
    pub span: Range<usize>,
    /// What is written under them.
    pub label: Option<String>,
}

/// A second place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Related {
    /// Its file.
    pub file: PathBuf,
    /// Its line.
    pub excerpt: Excerpt,
}

impl Excerpt {
    /// The `span` of a line's `text`, moved to the nearest character borders and cut at the line's end.
    #[must_use]
    pub fn new(line: u32, text: &str, span: Range<usize>) -> Self {
        let border = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = border(span.start);
        let end = border(span.end.max(start).min(start + KEPT_BEHIND)).max(start);
        let cut = border(end + KEPT_BEHIND);
        let column = u32::try_from(text[..start].chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        Self { line, column, text: text[..cut].to_owned(), span: start..end, label: None }
    }

    fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    fn snippet<'a>(&'a self, file: &Path, kind: AnnotationKind) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let label = self.label.as_deref();
        Snippet::source(self.text.as_str())
            .line_start(self.line as usize)
            .path(file.display().to_string())
            .annotation(kind.span(self.span.clone()).label(label))
    }
}

impl Diagnostic {
    /// A complaint about a file as a whole.
    #[must_use]
    pub fn new(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), message: message.into(), excerpt: None, related: None, hint: None }
    }

    /// The same with another message.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same, placed.
    #[must_use]
    pub fn at(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(excerpt);
        self
    }

    /// The same, with words under its place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.excerpt = self.excerpt.map(|excerpt| excerpt.labelled(label));
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with what to do where there is something.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// The same, with a second place.
    #[must_use]
    pub fn related(mut self, file: &Path, excerpt: Excerpt, label: impl Into<String>) -> Self {
        self.related = Some(Box::new(Related { file: file.to_owned(), excerpt: excerpt.labelled(label) }));
        self
    }

    /// The complaint as a terminal shows it, in colour or plain. Ends without a line feed.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match &self.excerpt {
            Some(excerpt) => {
                let group = Group::with_title(title).element(excerpt.snippet(&self.file, AnnotationKind::Primary));
                match &self.related {
                    Some(related) => group.element(related.excerpt.snippet(&related.file, AnnotationKind::Context)),
                    None => group,
                }
            }
            None => Group::with_title(title).element(annotate_snippets::Origin::path(self.file.display().to_string())),
        };
        let mut report = vec![group];
        if let Some(hint) = &self.hint {
            report.push(Group::with_title(Level::HELP.with_name("hint").secondary_title(hint.as_str())));
        }
        renderer.render(&report)
    }

    /// Several complaints, one below the other with an empty line between, ending with a line feed.
    #[must_use]
    pub fn render_all(diagnostics: &[Self], coloured: bool) -> String {
        let mut text = diagnostics.iter().map(|diagnostic| diagnostic.render(coloured)).collect::<Vec<_>>().join("\n\n");
        text.push('\n');
        text
    }
}

/// Complaints being collected. The same complaint about the same place is kept once: a step is read once for each case of its matrix.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Diagnostic>,
    seen: HashSet<Diagnostic>,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.seen.insert(diagnostic.clone()) {
            self.list.push(diagnostic);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order of their lines within each file.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        let place = |diagnostic: &Diagnostic| diagnostic.excerpt.as_ref().map_or((0, 0), |excerpt| (excerpt.line, excerpt.column));
        // Stable, and by file only where files differ: files keep the order in which they were named.
        self.list.sort_by(|a, b| if a.file == b.file { place(a).cmp(&place(b)) } else { std::cmp::Ordering::Equal });
        self.list
    }
}
