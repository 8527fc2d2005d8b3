//! One pattern, as a file has it and checked.

use std::fmt;
use std::sync::Arc;

use regex_automata::meta;
use regex_syntax::ast::parse::Parser as AstParser;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Hir, Look};

use super::automaton::{self, NFA_LIMIT};
use super::check;
use super::error::PatternError;

/// A pattern as the scenario has it. `Display` shows it as its author would recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PatternSource {
    /// These bytes, written as text: shown as `"OK\r\n"`.
    Text(Vec<u8>),
    /// These bytes, written in hex: shown as `hex 9a`.
    Hex(Vec<u8>),
    /// A regular expression of the `regex` crate, on bytes: shown as `/OK\r/`.
    Regex(String),
}

impl fmt::Display for PatternSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(bytes) => write!(f, "\"{}\"", Escaped(bytes)),
            Self::Hex(bytes) => {
                f.write_str("hex")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
            // A regex may hold control bytes in its source; a slash in it is shown as it is, for it ends nothing in a scenario.
            Self::Regex(regex) => {
                f.write_str("/")?;
                regex.chars().try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { write!(f, "{c}") })?;
                f.write_str("/")
            }
        }
    }
}

/// Bytes of a text, the unprintable ones escaped as scenarios write them; letters outside ASCII stay as they are.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    '\r' => f.write_str("\\r")?,
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                    c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => write!(f, "{c}")?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// One checked pattern. Cheap to clone. `Display` is that of its source.
#[derive(Clone)]
pub struct Pattern(Arc<Checked>);

struct Checked {
    source: PatternSource,
    hir: Hir,
    second_pass: SecondPass,
}

/// How the start of a match is found once its end is known.
pub(super) enum SecondPass {
    /// The pattern is these bytes.
    Literal(Vec<u8>),
    /// The pattern tied to the end of what is searched, so that the leftmost match is the leftmost start whose match ends there.
    Regex(Box<meta::Regex>),
}

impl Pattern {
    /// Checks and compiles a pattern.
    ///
    /// # Errors
    /// [`PatternError`] when it is no regex, when a stream cannot decide it on the byte that completes it, when it matches nothing or the empty string, or when
    /// it is too big.
    pub fn new(source: PatternSource) -> Result<Self, PatternError> {
        let (hir, second_pass) = match &source {
            PatternSource::Text(bytes) | PatternSource::Hex(bytes) => {
                if bytes.is_empty() {
                    return Err(PatternError::Empty);
                }
                let hir = Hir::literal(bytes.as_slice());
                automaton::compile(&[&hir], NFA_LIMIT)?;
                (hir, SecondPass::Literal(bytes.clone()))
            }
            PatternSource::Regex(regex) => {
                let hir = parse(regex)?;
                let tied = Hir::concat(vec![hir.clone(), Hir::look(Look::End)]);
                // It is used once or twice in a case, on a few bytes: a lazy DFA would cost far more to begin (and to page in) than it saves.
                let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(NFA_LIMIT)).hybrid(false).dfa(false);
                let second =
                    meta::Builder::new().configure(config).build_from_hir(&tied).map_err(|_| PatternError::TooBig { limit: NFA_LIMIT })?;
                (hir, SecondPass::Regex(Box::new(second)))
            }
        };
        Ok(Self(Arc::new(Checked { source, hir, second_pass })))
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn source(&self) -> &PatternSource {
        &self.0.source
    }

    /// The names of the regex's groups that have one, in their order.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        let info = match &self.0.second_pass {
            SecondPass::Regex(regex) => Some(regex.group_info()),
            SecondPass::Literal(_) => None,
        };
        info.into_iter().flat_map(|info| info.pattern_names(regex_automata::PatternID::ZERO)).flatten()
    }

    pub(super) fn hir(&self) -> &Hir {
        &self.0.hir
    }

    pub(super) fn second_pass(&self) -> &SecondPass {
        &self.0.second_pass
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source.fmt(f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.0.source).finish()
    }
}

/// A regex on bytes, refused where a stream cannot decide it.
fn parse(regex: &str) -> Result<Hir, PatternError> {
    let ast =
        AstParser::new().parse(regex).map_err(|e| PatternError::Syntax { offset: e.span().start.offset, message: e.kind().to_string() })?;
    let hir = TranslatorBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .translate(regex, &ast)
        .map_err(|e| PatternError::Syntax { offset: e.span().start.offset, message: e.kind().to_string() })?;
    check::check(regex, &ast, &hir)?;
    Ok(hir)
}
