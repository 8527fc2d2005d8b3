//! The matrix: one case for each combination of its values.

use std::collections::BTreeMap;

use super::reader::Keeps;
use super::variables::{RESERVED, is_variable};
use crate::document::{Cursor, Entries, Problems, Text, nearest};

/// The most cases that one file may come to.
pub(super) const MAX_CASES: usize = 1_000;

/// Names and values of one case, in the order of the file.
pub(super) type Combination = Vec<(String, String)>;

/// Every combination, the last name's values changing fastest; `None` when the matrix is refused. Without a matrix there is one, of nothing.
pub(super) fn combinations(matrix: Option<&Entries<Vec<Text>>>, cursor: Cursor<'_>, problems: &mut Problems) -> Option<Vec<Combination>> {
    let Some(Entries(names)) = matrix else { return Some(vec![Vec::new()]) };
    let before = problems.len();
    if names.is_empty() {
        problems.push(
            cursor
                .key_problem("the matrix is empty, so there would be no case")
                .hint("give it a name with values, `late: [3 s, 8 s]`, or remove it"),
        );
    }
    for (name, values) in names {
        let entry = cursor.get(name);
        if !is_variable(name) {
            problems.push(
                entry
                    .key_problem(format!("`{name}` cannot be used as a variable"))
                    .hint("a name is letters, digits and `_`, and begins with a letter"),
            );
        } else if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| reserved == name) {
            problems.push(entry.key_problem(*why).hint("choose another name"));
        }
        if values.is_empty() {
            problems.push(
                entry.key_problem(format!("`{name}` has no values, so there would be no case")).hint("give it at least one, or remove it"),
            );
        }
        for (index, value) in values.iter().enumerate() {
            if value.contains("$secret") {
                let problem = entry.item(index).problem("a secret cannot be a value of the matrix: cases are named by those");
                problems.push(problem.hint("write `$secret.NAME` where it is sent"));
            }
            if let Some(first) = values[..index].iter().position(|earlier| earlier == value) {
                let first = entry.item(first);
                let related = (cursor.document().file().to_owned(), first.excerpt());
                problems.push(
                    entry
                        .item(index)
                        .problem(format!("`{name}` has the value `{}` twice", &**value))
                        .label("again")
                        .related(&related.0, related.1, "first here")
                        .hint("two cases would have the same name; keep one"),
                );
            }
        }
    }
    let count = names.iter().fold(1_usize, |count, (_, values)| count.saturating_mul(values.len()));
    if count > MAX_CASES {
        problems.push(
            cursor
                .key_problem(format!("the matrix comes to {count} cases; a file may have {MAX_CASES}"))
                .hint("take out values, or split the file"),
        );
    }
    if problems.len() > before {
        return None;
    }
    Some(names.iter().fold(vec![Vec::new()], |combinations, (name, values)| {
        combinations
            .iter()
            .flat_map(|combination| {
                values.iter().map(move |value| {
                    let mut longer: Combination = combination.clone();
                    longer.push((name.clone(), value.0.clone()));
                    longer
                })
            })
            .collect()
    }))
}

/// What [`is_variable`] takes, as a pattern for editors.
pub(super) const NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_]*$";

/// A hint for a variable that there is not.
pub(super) fn unknown_variable(name: &str, combination: &Combination, kept: &BTreeMap<String, Keeps>) -> String {
    let names = combination.iter().map(|(name, _)| name.as_str()).chain(kept.keys().map(String::as_str)).collect::<Vec<_>>();
    let near = nearest(name, names.iter().copied()).map(|near| format!("did you mean `${near}`? "));
    let shown = names.iter().map(|name| format!("`${name}`")).collect::<Vec<_>>().join(", ");
    let all = if names.is_empty() { "this file has no `matrix`".to_owned() } else { format!("known: {shown}") };
    format!("{}{all}; `$$` is a dollar", near.unwrap_or_default())
}
