//! The kinds of values that settings have: how each is read, shown and drawn.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::baud::Baud;
use crate::image::{KeyNumber, Version};
use crate::model::evkit::random::Random;

/// A kind of value.
pub(super) trait Value: Clone + PartialEq + PartialOrd + 'static {
    /// What a text of this kind looks like, for messages.
    fn expected() -> Cow<'static, str>;
    /// Reads it; `None` when the text is none.
    fn read(text: &str) -> Option<Self>;
    /// Shows it in the form that [`Value::read`] takes.
    fn show(&self) -> String;
}

/// A kind of value of which one between two others can be drawn.
pub(super) trait Drawable: Value {
    fn ordinal(&self) -> u64;
    fn from_ordinal(ordinal: u64) -> Self;
}

/// Which values there are to take or to draw.
pub(super) enum Range<T: 'static> {
    /// Any of its kind.
    Any,
    /// From the first to the second, both included, and how one of them is drawn.
    Between(T, T, fn(&T, &T, &mut Random) -> T),
    /// One of these.
    OneOf(&'static [T]),
    /// Not drawn: the default.
    Fixed,
}

/// From `low` to `high`, both included.
pub(super) fn between<T: Drawable>(low: T, high: T) -> Range<T> {
    Range::Between(low, high, |low, high, random| T::from_ordinal(random.between(low.ordinal(), high.ordinal())))
}

impl<T: Value> Range<T> {
    pub(super) fn contains(&self, value: &T) -> bool {
        match self {
            Self::Any | Self::Fixed => true,
            Self::Between(low, high, _) => low <= value && value <= high,
            Self::OneOf(list) => list.contains(value),
        }
    }

    pub(super) fn draw(&self, default: T, random: &mut Random) -> T {
        match self {
            Self::Any | Self::Fixed => default,
            Self::Between(low, high, draw) => draw(low, high, random),
            Self::OneOf(list) => {
                let index = random.between(0, (list.len() as u64).saturating_sub(1));
                usize::try_from(index).ok().and_then(|index| list.get(index)).cloned().unwrap_or(default)
            }
        }
    }

    /// In words: `20 ms to 600 ms`; `None` for [`Range::Fixed`].
    pub(super) fn describe(&self) -> Option<String> {
        match self {
            Self::Any => Some(T::expected().into_owned()),
            Self::Between(low, high, _) => Some(format!("{} to {}", low.show(), high.show())),
            Self::OneOf(list) => Some(list.iter().map(T::show).collect::<Vec<_>>().join(", ")),
            Self::Fixed => None,
        }
    }
}

impl Value for Duration {
    fn expected() -> Cow<'static, str> {
        "a time with its unit, as in `200 ms`".into()
    }

    fn read(text: &str) -> Option<Self> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = text.split_at(unit_at);
        let ns_a_unit = match unit.trim() {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if part.is_empty() || part.len() > 9 {
            return None;
        }
        let scale = 10_u64.pow(u32::try_from(part.len()).ok()?);
        let part = u128::from(part.parse::<u64>().ok()?) * u128::from(ns_a_unit) / u128::from(scale);
        let whole = whole.parse::<u64>().ok()?.checked_mul(ns_a_unit)?;
        whole.checked_add(u64::try_from(part).ok()?).map(Self::from_nanos)
    }

    fn show(&self) -> String {
        match self.as_nanos() {
            ns if ns % 1_000_000_000 == 0 && ns > 0 => format!("{} s", ns / 1_000_000_000),
            ns if ns % 1_000_000 == 0 => format!("{} ms", ns / 1_000_000),
            ns if ns % 1_000 == 0 => format!("{} us", ns / 1_000),
            ns => format!("{ns} ns"),
        }
    }
}

/// Durations are drawn in whole microseconds.
impl Drawable for Duration {
    fn ordinal(&self) -> u64 {
        u64::try_from(self.as_micros()).unwrap_or(u64::MAX)
    }

    fn from_ordinal(ordinal: u64) -> Self {
        Self::from_micros(ordinal)
    }
}

impl Value for bool {
    fn expected() -> Cow<'static, str> {
        "true or false".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Baud {
    fn expected() -> Cow<'static, str> {
        "a speed in baud, as in `115200`".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.strip_suffix("baud").unwrap_or(text).trim().parse().ok().and_then(Self::new)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u64 {
    fn expected() -> Cow<'static, str> {
        "a whole number".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Drawable for u64 {
    fn ordinal(&self) -> u64 {
        *self
    }

    fn from_ordinal(ordinal: u64) -> Self {
        ordinal
    }
}

/// A number of bytes that one request of an upload may ask for: 1 to 127 (source: Easy Connect).
impl Value for u8 {
    fn expected() -> Cow<'static, str> {
        "a whole number from 0 to 255".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Drawable for u8 {
    fn ordinal(&self) -> u64 {
        u64::from(*self)
    }

    fn from_ordinal(ordinal: u64) -> Self {
        Self::try_from(ordinal).unwrap_or(Self::MAX)
    }
}

/// The signed byte by which an upload is refused.
impl Value for i8 {
    fn expected() -> Cow<'static, str> {
        "a whole number from -128 to 127".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Drawable for i8 {
    fn ordinal(&self) -> u64 {
        u64::from(self.cast_unsigned() ^ 0x80)
    }

    fn from_ordinal(ordinal: u64) -> Self {
        (u8::from_ordinal(ordinal) ^ 0x80).cast_signed()
    }
}

impl Value for Version {
    fn expected() -> Cow<'static, str> {
        "a version, as in `2.7.0`".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A version that may follow another.
impl Value for Option<Version> {
    fn expected() -> Cow<'static, str> {
        "a version, as in `2.7.0`, or `follows`".into()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "follows" { Some(None) } else { text.parse().ok().map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "follows".to_owned(), |version| version.to_string())
    }
}

impl Value for KeyNumber {
    fn expected() -> Cow<'static, str> {
        "a key number of four digits, as in `0405`".into()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// An International Mobile Equipment Identity: 15 digits (source: 3GPP TS 23.003). The check digit is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Imei([u8; 15]);

impl Imei {
    /// One from the range that is set aside for tests (it begins with 00).
    pub const DEFAULT: Self = Self(*b"004402990000014");
}

impl fmt::Display for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl Value for Imei {
    fn expected() -> Cow<'static, str> {
        "an IMEI of 15 digits".into()
    }

    fn read(text: &str) -> Option<Self> {
        let digits = <[u8; 15]>::try_from(text.as_bytes()).ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A text of one line: printable ASCII, 1 to 100 characters, not `0` and not an error code, so that it cannot be taken for a result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(Cow<'static, str>);

impl Line {
    pub(super) const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Line {
    fn expected() -> Cow<'static, str> {
        "a text of 1 to 100 printable ASCII characters that is no result of the boot code".into()
    }

    fn read(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let result = text == "0" || (text.len() == 4 && text.starts_with("40"));
        ((1..=100).contains(&text.len()) && printable && !result).then(|| Self(text.to_owned().into()))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// An error code of the boot code: four characters, of which the first two are `40` (source: Easy Connect).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorCode(u8);

impl ErrorCode {
    /// `40` and the two digits of `number`, which is below 100.
    pub(super) const fn new(number: u8) -> Self {
        Self(number % 100)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "40{:02}", self.0)
    }
}

impl Value for ErrorCode {
    fn expected() -> Cow<'static, str> {
        "an error code from `4000` to `4099`".into()
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("40").filter(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse().ok().map(Self)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Drawable for ErrorCode {
    fn ordinal(&self) -> u64 {
        u64::from(self.0)
    }

    fn from_ordinal(ordinal: u64) -> Self {
        Self(u8::from_ordinal(ordinal) % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_their_unit() {
        let read = |text| Duration::read(text).map(|d| d.as_micros());
        assert_eq!(read("200 ms"), Some(200_000));
        assert_eq!(read("200ms"), Some(200_000));
        assert_eq!(read("1.5 s"), Some(1_500_000));
        assert_eq!(read("2 min"), Some(120_000_000));
        assert_eq!(read("0 ms"), Some(0));
        for text in ["", "200", "ms", "-1 ms", "1 h", "1. s", ".5 s", "1.2.3 s", "99999999999999999999 s", "1 ms 2"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for duration in [0, 1, 1_500, 86_806_000, 2_000_000, 3_000_000_000].map(Duration::from_nanos) {
            assert_eq!(Duration::read(&duration.show()), Some(duration));
        }
        for number in -128..=127_i8 {
            assert_eq!(i8::from_ordinal(number.ordinal()), number);
        }
        assert_eq!(ErrorCode::read("4007").map(|code| code.show()).as_deref(), Some("4007"));
        assert_eq!(Imei::read("004402990000014"), Some(Imei::DEFAULT));
    }

    #[test]
    fn a_text_that_is_a_result_is_no_version_text() {
        for text in ["0", "4001", "40zz", "", "a\rb", "é"] {
            assert_eq!(Line::read(text), None, "{text:?}");
        }
        assert!(Line::read("4.0.1").is_some());
    }
}
