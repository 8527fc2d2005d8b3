//! What a value is compared with: `>=2.7.0`, `>=10, <=31`, `ST87M01`.

use super::reader::{Keeps, Reader};
use crate::document::{Cursor, Refusal};
use crate::plan::units::parse_duration;
use crate::plan::{Bound, Comparison, Piece, Relation, Template, has_order};

/// The first of the characters that stand for values which are known only while the case runs, so that a text with them can be cut like any other.
const FIRST_PLACEHOLDER: u32 = 0xF_0000;

/// The comparison of `value` with `is`, which stand under the keys of those names at `cursor`.
pub(super) fn comparison(value: &str, is: &str, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<Comparison> {
    let compared = reader.template(cursor.get("value"), value);
    if reader.kept.contains_key(value.trim()) {
        let refusal =
            Refusal::new(format!("`{value}` is the name of what is kept, not what is kept"), format!("write `${}`", value.trim()));
        reader.refuse(cursor.get("value"), refusal);
        return None;
    }
    let place = cursor.get("is");
    let with = reader.template(place, is);
    let bounds = bounds(&with?).map_err(|refusal| reader.refuse(place, refusal)).ok();
    let (compared, bounds) = (compared?, bounds?);
    for bound in &bounds {
        let sides = [(&compared, &bound.with, place), (&bound.with, &compared, cursor.get("value"))];
        if let Some((name, text, at)) = sides.into_iter().find_map(|(time, other, at)| Some((time_of(time, reader)?, other.text()?, at)))
            && parse_duration(text).is_err()
        {
            let refusal =
                Refusal::new(format!("`${name}` is a time, and `{text}` is none"), "write a number with its unit: `<500 ms`, `>=2 s`");
            reader.refuse(at, refusal);
            return None;
        }
    }
    Some(Comparison { value: compared, bounds })
}

/// The name of the time that a text is, where it is one that was measured and nothing else.
fn time_of<'t>(template: &'t Template, reader: &Reader<'_>) -> Option<&'t str> {
    template.only_name().filter(|name| reader.kept.get(*name) == Some(&Keeps::Time))
}

/// Bounds with commas between. A comma that no relation follows is a part of the text, and a text without a relation at its begin is to be equal.
fn bounds(template: &Template) -> Result<Vec<Bound>, Refusal> {
    let names = template.names().map(str::to_owned).collect::<Vec<_>>();
    let mut at = FIRST_PLACEHOLDER..;
    let mut placeholder = || at.next().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    let text = template.pieces().iter().fold(String::new(), |mut text, piece| {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Kept(_) => text.push(placeholder()),
        }
        text
    });
    parts(&text).into_iter().map(|part| bound(part, &names)).collect()
}

fn parts(text: &str) -> Vec<&str> {
    let text = text.trim();
    if sign(text).is_none() {
        return vec![text];
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    for (comma, _) in text.match_indices(',') {
        if sign(text[comma + 1..].trim_start()).is_some() {
            parts.push(text[begin..comma].trim());
            begin = comma + 1;
        }
    }
    parts.push(text[begin..].trim());
    parts
}

/// The relation that a text begins with, and what follows it.
fn sign(text: &str) -> Option<(Relation, &str)> {
    Relation::SIGNS.iter().find_map(|(sign, relation)| text.strip_prefix(sign).map(|rest| (*relation, rest.trim_start())))
}

fn bound(part: &str, names: &[String]) -> Result<Bound, Refusal> {
    let (relation, with) = sign(part).unwrap_or((Relation::Equal, part));
    if with.is_empty() && relation.is_ordering() {
        return Err(Refusal::new(format!("`{relation}` is followed by nothing"), "write what to compare with: `>=2.7.0`"));
    }
    if with.starts_with(['<', '>', '=', '~', '^', '≤', '≥', '≠']) {
        let message = format!("`{part}` begins with no relation that there is");
        return Err(Refusal::new(
            message,
            "relations are `=`, `!=`, `<`, `<=`, `>` and `>=`, and a comma stands between two: `>=2.7.0, <3.0.0`",
        ));
    }
    if let Some((low, high)) = with.split_once("..").filter(|(low, high)| has_order(low) && has_order(high)) {
        return Err(Refusal::new(format!("`{part}` is no range"), format!("write `>={low}, <={high}`")));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for c in with.chars() {
        let name = u32::from(c).checked_sub(FIRST_PLACEHOLDER).and_then(|index| names.get(index as usize));
        match (name, pieces.last_mut()) {
            (Some(name), _) => pieces.push(Piece::Kept(name.clone())),
            (None, Some(Piece::Text(text))) => text.push(c),
            (None, _) => pieces.push(Piece::Text(c.to_string())),
        }
    }
    let with = Template::new(pieces);
    match with.text() {
        Some(text) if relation.is_ordering() && !has_order(text) => Err(Refusal::new(
            format!("`{text}` has no order, so nothing is `{relation}` it"),
            "versions (`2.7.0`), durations (`20 ms`) and decimal numbers (`-113`) have one; any other text can be `=` or `!=`",
        )),
        _ => Ok(Bound { relation, with }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> Result<Vec<String>, String> {
        bounds(&Template::new(pieces.to_vec()))
            .map(|bounds| bounds.iter().map(Bound::to_string).collect())
            .map_err(|refusal| refusal.message)
    }

    fn text(text: &str) -> Result<Vec<String>, String> {
        shown(&[Piece::Text(text.to_owned())])
    }

    #[test]
    fn bounds_are_cut_where_a_relation_follows_a_comma() {
        assert_eq!(text(">=10, <=31"), Ok(vec![">=10".to_owned(), "<=31".to_owned()]));
        assert_eq!(text("=a, b,!= c"), Ok(vec!["=a, b".to_owned(), "!=c".to_owned()]));
        assert_eq!(text("a, >b"), Ok(vec!["=a, >b".to_owned()]));
        assert_eq!(text(""), Ok(vec!["=".to_owned()]));
        let kept = |name: &str| Piece::Kept(name.to_owned());
        assert_eq!(
            shown(&[Piece::Text(">=".to_owned()), kept("low"), Piece::Text(", <".to_owned()), kept("high")]),
            Ok(vec![">=$low".to_owned(), "<$high".to_owned()])
        );
    }

    #[test]
    fn what_has_no_order_can_only_be_equal() {
        assert_eq!(text("<fast"), Err("`fast` has no order, so nothing is `<` it".to_owned()));
        assert_eq!(text(">="), Err("`>=` is followed by nothing".to_owned()));
        assert_eq!(text("!=fast"), Ok(vec!["!=fast".to_owned()]));
    }
}
