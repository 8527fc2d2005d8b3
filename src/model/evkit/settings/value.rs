//! The kinds of values that settings have: how each is read, shown and drawn.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::baud::Baud;
use crate::image::{KeyNumber, Version};
use crate::model::evkit::random::Random;

/// A kind of value.
pub(in crate::model::evkit) trait Value: Clone + PartialEq + PartialOrd + 'static {
    /// What a text of this kind looks like, for messages.
    fn expected() -> Cow<'static, str>;
    /// The words that there are, where they are few.
    fn words() -> &'static [&'static str] {
        &[]
    }
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
            "h" => 3_600_000_000_000,
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

/// A time, or never.
impl Value for Option<Duration> {
    fn expected() -> Cow<'static, str> {
        "a time with its unit, as in `200 ms`, or `never`".into()
    }

    fn read(text: &str) -> Option<Self> {
        if text == "never" { Some(None) } else { Duration::read(text).map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "never".to_owned(), |time| time.show())
    }
}

/// How often something happens, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

impl Rate {
    /// Never.
    pub const ZERO: Self = Self(0);
    const ALWAYS: u32 = 1_000_000;
    const PERCENT: u32 = 10_000;

    /// Whether it happens this time.
    pub(in crate::model::evkit) fn strikes(self, random: &mut Random) -> bool {
        self.0 > 0 && random.between(0, u64::from(Self::ALWAYS) - 1) < u64::from(self.0)
    }
}

impl Value for Rate {
    fn expected() -> Cow<'static, str> {
        "a share from 0 % to 100 %, as in `12.5 %`".into()
    }

    fn read(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return None;
        }
        let millionths = whole.parse::<u32>().ok()? * Self::PERCENT + format!("{part:0<4}").parse::<u32>().ok()?;
        (millionths <= Self::ALWAYS).then_some(Self(millionths))
    }

    fn show(&self) -> String {
        let (whole, part) = (self.0 / Self::PERCENT, self.0 % Self::PERCENT);
        if part == 0 { format!("{whole} %") } else { format!("{whole}.{} %", format!("{part:04}").trim_end_matches('0')) }
    }
}

impl Value for bool {
    fn expected() -> Cow<'static, str> {
        "true or false".into()
    }

    fn words() -> &'static [&'static str] {
        &["true", "false"]
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

/// A number of bytes or of requests.
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
        assert_eq!(read("1 h"), Some(3_600_000_000));
        for text in ["", "200", "ms", "-1 ms", "1 d", "1. s", ".5 s", "1.2.3 s", "99999999999999999999 s", "1 ms 2"] {
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
        for duration in [None, Some(Duration::from_millis(20))] {
            assert_eq!(Option::<Duration>::read(&duration.show()), Some(duration));
        }
        for millionths in [0, 1, 12_500, 100_000, 999_999, 1_000_000] {
            assert_eq!(Rate::read(&Rate(millionths).show()), Some(Rate(millionths)));
        }
    }

    #[test]
    fn a_share_is_a_percentage() {
        assert_eq!(Rate::read("10 %"), Some(Rate(100_000)));
        assert_eq!(Rate::read("12.5%"), Some(Rate(125_000)));
        assert_eq!(Rate::read("0.0001 %"), Some(Rate(1)));
        for text in ["", "%", "10", "100.1 %", "-1 %", ".5 %", "5. %", "1.00001 %", "1 % %"] {
            assert_eq!(Rate::read(text), None, "{text}");
        }
        let mut random = Random::new(1, "test");
        let mut strikes = |rate: u32| (0..10_000).filter(|_| Rate(rate).strikes(&mut random)).count();
        assert_eq!((strikes(0), strikes(1_000_000)), (0, 10_000));
        assert!((800..1200).contains(&strikes(100_000)));
    }

    #[test]
    fn a_text_that_is_a_result_is_no_version_text() {
        for text in ["0", "4001", "40zz", "", "a\rb", "é"] {
            assert_eq!(Line::read(text), None, "{text:?}");
        }
        assert!(Line::read("4.0.1").is_some());
    }
}
