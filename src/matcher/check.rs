//! What a stream cannot decide: patterns that are refused when their file is loaded.
//!
//! A stream has no end, so a pattern must be complete at a byte that it names. What may come last in a pattern (its *tail*) is therefore neither a repetition whose count is
//! open, nor an assertion, nor an alternation of which one branch is the beginning of another. In the middle of a pattern all of these are welcome.

use std::collections::HashMap;

use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange, Span};
use regex_syntax::hir::{Hir, HirKind};

use super::automaton::{self, Automaton, Before, NFA_LIMIT, Place};
use super::error::PatternError;

/// How many states a check of what a pattern can match may visit. A pattern that needs more is given the benefit of the doubt.
const STATES_LIMIT: usize = 2000;

/// Refuses what a stream cannot decide.
pub(super) fn check(regex: &str, ast: &Ast, hir: &Hir) -> Result<(), PatternError> {
    if hir.properties().look_set().contains_word_unicode() {
        return Err(PatternError::UnicodeBoundary);
    }
    let mut alternations = Vec::new();
    tail(regex, ast, &mut alternations)?;
    if nullable(ast) {
        return Err(PatternError::Empty);
    }
    if !can_match(hir)? {
        return Err(PatternError::MatchesNothing);
    }
    if branch_begins_another(hir)? {
        let place = if let [only] = alternations.as_slice() { Some(*only) } else { None };
        let part = place.map_or(regex, |span| written(regex, span)).to_owned();
        return Err(PatternError::BranchBeginsAnother { offset: place.map(|span| span.start.offset), part });
    }
    Ok(())
}

fn written(regex: &str, span: Span) -> &str {
    &regex[span.start.offset..span.end.offset]
}

/// Walks what may come last, and collects the alternations there.
fn tail(regex: &str, ast: &Ast, alternations: &mut Vec<Span>) -> Result<(), PatternError> {
    match ast {
        Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Literal(_)
        | Ast::Dot(_)
        | Ast::ClassUnicode(_)
        | Ast::ClassPerl(_)
        | Ast::ClassBracketed(_) => Ok(()),
        Ast::Assertion(assertion) => {
            Err(PatternError::EndAssertion { offset: assertion.span.start.offset, part: written(regex, assertion.span).to_owned() })
        }
        Ast::Repetition(repetition) => match repetition.op.kind {
            RepetitionKind::Range(RepetitionRange::Exactly(0)) => Ok(()),
            RepetitionKind::Range(RepetitionRange::Exactly(_)) => tail(regex, &repetition.ast, alternations),
            RepetitionKind::Range(RepetitionRange::Bounded(least, most)) if least == most => {
                if most == 0 {
                    Ok(())
                } else {
                    tail(regex, &repetition.ast, alternations)
                }
            }
            _ => Err(PatternError::OpenEnd { offset: repetition.span.start.offset, part: written(regex, repetition.span).to_owned() }),
        },
        Ast::Group(group) => tail(regex, &group.ast, alternations),
        Ast::Alternation(alternation) => {
            alternations.push(alternation.span);
            alternation.asts.iter().try_for_each(|branch| tail(regex, branch, alternations))?;
            let empty = alternation.asts.iter().filter(|branch| nullable(branch)).count();
            if empty > 0 && empty < alternation.asts.len() {
                return Err(PatternError::EmptyBranch {
                    offset: alternation.span.start.offset,
                    part: written(regex, alternation.span).to_owned(),
                });
            }
            Ok(())
        }
        Ast::Concat(concat) => {
            for part in concat.asts.iter().rev() {
                tail(regex, part, alternations)?;
                if !nullable(part) {
                    break;
                }
            }
            Ok(())
        }
    }
}

/// Whether it can match without a byte.
fn nullable(ast: &Ast) -> bool {
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => true,
        Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => false,
        Ast::Repetition(repetition) => match repetition.op.kind {
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => true,
            RepetitionKind::OneOrMore => nullable(&repetition.ast),
            RepetitionKind::Range(
                RepetitionRange::Exactly(least) | RepetitionRange::AtLeast(least) | RepetitionRange::Bounded(least, _),
            ) => least == 0 || nullable(&repetition.ast),
        },
        Ast::Group(group) => nullable(&group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().any(nullable),
        Ast::Concat(concat) => concat.asts.iter().all(nullable),
    }
}

/// Whether any bytes match, whatever came before them.
fn can_match(hir: &Hir) -> Result<bool, PatternError> {
    if hir.properties().look_set().is_empty() && hir.properties().minimum_len().is_some() {
        return Ok(true);
    }
    let automaton = Automaton::anchored(automaton::compile(&[hir], NFA_LIMIT)?);
    let graph = Graph::explore(&automaton, &Before::ALL);
    Ok(graph.is_none_or(|graph| graph.states.iter().any(|state| !state.matches.is_empty())))
}

/// Whether in an alternation in the tail one branch is the beginning of another: `2\.7\.1|2\.7\.10`.
///
/// Only alternations of bounded length are looked at: in `a.*b|a.*c` the author has said that anything may lie between, and the first end is what is wanted.
fn branch_begins_another(hir: &Hir) -> Result<bool, PatternError> {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => Ok(false),
        HirKind::Repetition(repetition) => branch_begins_another(&repetition.sub),
        HirKind::Capture(capture) => branch_begins_another(&capture.sub),
        HirKind::Concat(parts) => {
            for part in parts.iter().rev() {
                if branch_begins_another(part)? {
                    return Ok(true);
                }
                if part.properties().minimum_len() != Some(0) {
                    break;
                }
            }
            Ok(false)
        }
        HirKind::Alternation(branches) => {
            for branch in branches {
                if branch_begins_another(branch)? {
                    return Ok(true);
                }
            }
            if hir.properties().maximum_len().is_none() {
                return Ok(false);
            }
            let automaton = Automaton::anchored(automaton::compile(&branches.iter().collect::<Vec<_>>(), NFA_LIMIT)?);
            let graph = Graph::explore(&automaton, &[Before::Start]);
            Ok(graph.is_some_and(|graph| {
                graph.states.iter().any(|state| state.matches.iter().any(|&branch| graph.another_matches_behind(state, branch)))
            }))
        }
    }
}

/// All states of a small automaton.
struct Graph {
    states: Vec<GraphState>,
}

struct GraphState {
    /// What matches here.
    matches: Vec<usize>,
    /// The states one byte on.
    next: Vec<usize>,
}

impl Graph {
    /// Visits every state that can be reached behind any of `before`; `None` when there are too many.
    fn explore(automaton: &Automaton, before: &[Before]) -> Option<Self> {
        let mut cache = automaton.cache();
        let mut places: Vec<Place> = Vec::new();
        let mut numbers: HashMap<Place, usize> = HashMap::new();
        let mut number_of = |place: Place, places: &mut Vec<Place>| {
            *numbers.entry(place).or_insert_with(|| {
                places.push(place);
                places.len() - 1
            })
        };
        for &before in before {
            number_of(automaton.start(&mut cache, before), &mut places);
        }
        let mut states = Vec::new();
        while let Some(&place) = places.get(states.len()) {
            let mut next: Vec<usize> = Vec::new();
            for &byte in automaton.representatives() {
                let number = number_of(automaton.step(&mut cache, place, byte), &mut places);
                if next.last() != Some(&number) {
                    next.push(number);
                }
            }
            states.push(GraphState { matches: automaton.matches(&cache, place).collect(), next });
            if places.len() > STATES_LIMIT || cache.clears() > 0 {
                return None;
            }
        }
        Some(Self { states })
    }

    /// Whether a pattern other than `this` matches one byte or more behind `state`.
    fn another_matches_behind(&self, state: &GraphState, this: usize) -> bool {
        let mut seen = vec![false; self.states.len()];
        let mut left = state.next.clone();
        while let Some(number) = left.pop() {
            if std::mem::replace(&mut seen[number], true) {
                continue;
            }
            let state = &self.states[number];
            if state.matches.iter().any(|&pattern| pattern != this) {
                return true;
            }
            left.extend(&state.next);
        }
        false
    }
}
