//! The cases of a plan as a table: what `evkit-hil list` shows.

use super::Plan;
use super::units::show_duration;

impl Plan {
    /// One line a case: its name, tags, effects and worst-case time, in columns, under a line of titles. Ends with a line feed.
    #[must_use]
    pub fn table(&self) -> String {
        let titles = ["CASE", "TAGS", "EFFECTS", "AT MOST"].map(str::to_owned);
        let row = |case: &super::Case| {
            let effects = case.effects.iter().map(|effect| effect.name()).collect::<Vec<_>>().join(",");
            [case.name.clone(), case.tags.join(","), effects, show_duration(case.worst_case())]
                .map(|cell| if cell.is_empty() { "-".to_owned() } else { cell })
        };
        let rows = std::iter::once(titles).chain(self.cases.iter().map(row)).collect::<Vec<_>>();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        let mut table = String::new();
        for [name, tags, effects, time] in &rows {
            table.push_str(&format!("{name:<a$}  {tags:<b$}  {effects:<c$}  {time}\n", a = widths[0], b = widths[1], c = widths[2]));
        }
        table
    }
}
