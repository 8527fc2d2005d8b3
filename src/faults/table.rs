//! The matrix as text: a line for each fault, and what is not right.

use std::collections::BTreeMap;

use super::matrix::{Matrix, Row, Verdict};

/// All rows, and a line for the whole.
#[must_use]
pub fn render(matrix: &Matrix) -> String {
    let mut text = format!("{:<25}{:<26}{:>6}{:>8}\n", "fault", "must be named", "acted", "right");
    for row in &matrix.rows {
        text += &render_row(row);
    }
    let (acted, right): (u32, u32) = matrix.rows.iter().fold((0, 0), |(acted, right), row| (acted + row.acted(), right + row.right()));
    let broken = matrix.rows.iter().filter(|row| !row.holds()).count();
    let whole = if broken == 0 { "every row holds".to_owned() } else { format!("{broken} rows do not hold") };
    text + &format!("{right} of {acted} cases right; {whole}\n")
}

/// One row, with what it was named instead and every such case.
fn render_row(row: &Row) -> String {
    let name = row.fault.map_or("healthy boards", |fault| fault.name);
    let expected = row.expected.map_or_else(|| "passes".to_owned(), |expected| expected.to_string());
    let (acted, right) = (row.acted(), row.right());
    let share = if acted == 0 { "-".to_owned() } else { format!("{:.1} %", f64::from(right) * 100.0 / f64::from(acted)) };
    let mark = if row.holds() { "" } else { "  <-" };
    let mut text = format!("{name:<25}{expected:<26}{acted:>6}{share:>8}{mark}\n");
    for (verdict, count) in &row.verdicts {
        let words = match verdict {
            Verdict::DidNotAct | Verdict::Right => continue,
            Verdict::Named(cause) => format!("named {cause}"),
            Verdict::Undecided(cause) => format!("undecided, {cause} first"),
            Verdict::Unnamed => "failed without a cause".to_owned(),
            Verdict::Passed => "passed".to_owned(),
        };
        text += &format!("    {count:>5} {words}\n");
        let mut cases: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (case, seed, _) in row.wrong.iter().filter(|(.., other)| other == verdict) {
            cases.entry(case).or_default().push(*seed);
        }
        for (case, seeds) in cases {
            let word = if seeds.len() == 1 { "seed" } else { "seeds" };
            text += &format!("          {case}, {word} {}\n", spans(&seeds));
        }
    }
    text
}

/// Numbers in ascending order, neighbours as a span: `1-3 7`.
fn spans(numbers: &[u64]) -> String {
    let span = |numbers: &[u64]| match numbers {
        [first, .., last] => format!("{first}-{last}"),
        [only] => only.to_string(),
        [] => String::new(),
    };
    numbers.chunk_by(|a, b| a + 1 == *b).map(span).collect::<Vec<_>>().join(" ")
}
