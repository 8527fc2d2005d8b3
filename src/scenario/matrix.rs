//! The matrix: one case for each combination of its values.

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
        if !is_name(name) {
            problems.push(
                entry
                    .key_problem(format!("`{name}` cannot be used as a variable"))
                    .hint("a name is letters, digits and `_`, and begins with a letter"),
            );
        } else if name == "image" {
            problems.push(entry.key_problem("`image` is kept for the versions of images").hint("choose another name"));
        }
        if values.is_empty() {
            problems.push(
                entry.key_problem(format!("`{name}` has no values, so there would be no case")).hint("give it at least one, or remove it"),
            );
        }
        for (index, value) in values.iter().enumerate() {
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

/// Whether a word can stand behind `$`.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A hint for a variable that there is not.
pub(super) fn unknown_variable(name: &str, combination: &Combination) -> String {
    let known = combination.iter().map(|(name, _)| format!("`${name}`")).collect::<Vec<_>>();
    let near = nearest(name, combination.iter().map(|(name, _)| name.as_str())).map(|near| format!("did you mean `${near}`? "));
    let all = if known.is_empty() { "this file has no `matrix`".to_owned() } else { format!("known: {}", known.join(", ")) };
    format!("{}{all}; `$$` is a dollar", near.unwrap_or_default())
}
