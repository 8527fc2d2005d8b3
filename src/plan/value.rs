//! Values that are known only while a case runs, and what they are compared with.

use std::cmp::Ordering;
use std::fmt;

use super::units::parse_duration;
use crate::image::Version;

/// Text with the names of values that are kept while the case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A value that a step before keeps under this name.
    Kept(String),
}

impl Template {
    /// A template of these pieces.
    #[must_use]
    pub const fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// Its parts, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The names of the values in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Kept(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The name of the one value that it is, where it is nothing else.
    #[must_use]
    pub fn only_name(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Kept(name)] => Some(name),
            _ => None,
        }
    }

    /// Its text, where it holds no value.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Its text with the values filled in.
    ///
    /// # Errors
    /// The first name that has no value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, &str> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Kept(name) => filled.push_str(value(name).ok_or(name.as_str())?),
            }
        }
        Ok(filled)
    }
}

/// As a file has it: `$version`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Kept(name) => write!(f, "${name}"),
        })
    }
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

impl Relation {
    /// Every relation with its sign as files write it, longer signs first.
    pub const SIGNS: &'static [(&'static str, Self)] =
        &[("<=", Self::AtMost), (">=", Self::AtLeast), ("!=", Self::NotEqual), ("<", Self::Less), (">", Self::Greater), ("=", Self::Equal)];

    /// Whether it needs an order, and not only equality.
    #[must_use]
    pub const fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds for what compares like this.
    #[must_use]
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::AtLeast => ordering.is_ge(),
            Self::Greater => ordering.is_gt(),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::SIGNS.iter().find(|(_, relation)| relation == self).map_or("", |(sign, _)| sign))
    }
}

/// A value and the bounds that it must keep to, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub value: Template,
    /// With what.
    pub bounds: Vec<Bound>,
}

/// One bound: `>=2.7.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How to compare.
    pub relation: Relation,
    /// With what.
    pub with: Template,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.relation, self.with)
    }
}

/// Whether a text has an order: versions, durations with their unit, and decimal numbers do.
#[must_use]
pub fn has_order(text: &str) -> bool {
    text.parse::<Version>().is_ok() || parse_duration(text).is_ok() || decimal(text).is_some()
}

/// How `left` compares with `right`, where both are versions, both durations or both decimal numbers; `None` for any other pair.
#[must_use]
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<Version>(), right.parse::<Version>()) {
        return Some(left.cmp(&right));
    }
    if let (Ok(left), Ok(right)) = (parse_duration(left), parse_duration(right)) {
        return Some(left.cmp(&right));
    }
    Some(decimal(left)?.cmp(&decimal(right)?))
}

/// Whether both are digits and nothing else. Such texts may be codes (a PIN, an IMEI), which leading zeros tell apart: they are equal only as texts.
#[must_use]
pub fn are_digits(left: &str, right: &str) -> bool {
    [left, right].iter().all(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A decimal number, exact however long: the number of a SIM card has twenty digits, more than a float can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal<'t> {
    is_negative: bool,
    /// Without leading zeros.
    whole: &'t str,
    /// Without trailing zeros.
    fraction: &'t str,
}

fn decimal(text: &str) -> Option<Decimal<'_>> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if whole.is_empty() || rest.ends_with('.') || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some(Decimal { is_negative: is_negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction })
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            left.whole
                .len()
                .cmp(&right.whole.len())
                .then_with(|| left.whole.cmp(right.whole))
                .then_with(|| left.fraction.cmp(right.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_durations_and_numbers_have_an_order_and_nothing_else_has() {
        use Ordering::{Equal, Greater, Less};
        for (left, right, expected) in [
            ("2.7.10", "2.7.9", Some(Greater)),
            ("2.7.0", "2.7.0", Some(Equal)),
            ("20 ms", "0.5 s", Some(Less)),
            ("1000 ms", "1 s", Some(Equal)),
            ("9", "10", Some(Less)),
            ("-113", "-51", Some(Less)),
            ("-1", "0", Some(Less)),
            ("-0", "0.0", Some(Equal)),
            ("12.50", "12.5", Some(Equal)),
            ("12.45", "12.5", Some(Less)),
            ("89430103220000000001", "89430103220000000002", Some(Less)),
            ("010", "10", Some(Equal)),
            ("OK", "OK", None),
            ("2.7", "2.7.0", None),
            ("1.", "1", None),
            ("", "1", None),
            ("5 s", "5", None),
        ] {
            assert_eq!(compare(left, right), expected, "{left} and {right}");
        }
        assert!(has_order("2.7.0") && has_order("5 ms") && has_order("31") && !has_order("fast") && !has_order(""));
    }

    #[test]
    fn relations_are_shown_as_files_write_them() {
        for (sign, relation) in Relation::SIGNS {
            assert_eq!(relation.to_string(), *sign);
        }
        assert!(
            Relation::AtMost.holds(Ordering::Equal) && !Relation::Less.holds(Ordering::Equal) && Relation::NotEqual.holds(Ordering::Less)
        );
    }

    #[test]
    fn a_template_is_filled_or_says_what_is_missing() {
        let template = Template::new(vec![Piece::Text("v".to_owned()), Piece::Kept("version".to_owned())]);
        assert_eq!(template.to_string(), "v$version");
        assert_eq!(template.fill(|name| (name == "version").then_some("2.7.0")), Ok("v2.7.0".to_owned()));
        assert_eq!(template.fill(|_| None), Err("version"));
        assert_eq!((template.text(), template.only_name()), (None, None));
    }
}
