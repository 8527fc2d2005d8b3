//! Values with units, as files write them and reports show them: `15 ms`, `16 KiB`, `460800`.
//!
//! A value is a number, one blank and its unit; a bare number is nowhere taken for a duration or a size.

use std::time::Duration;

use crate::baud::Baud;

/// Why a value with a unit is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is no unit.
    #[error("`{text}` has no unit")]
    NoUnit {
        /// The value.
        text: String,
        /// What to write.
        hint: String,
    },
    /// The unit is not one of those that there are.
    #[error("`{unit}` is not a unit of {quantity}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// `time` or `size`.
        quantity: &'static str,
        /// What to write.
        hint: String,
    },
    /// The value is not written as it should be.
    #[error("`{text}` is not {expected}")]
    Malformed {
        /// The value.
        text: String,
        /// What was expected.
        expected: &'static str,
        /// What to write.
        hint: String,
    },
    /// The value is out of its range.
    #[error("`{text}` is out of range")]
    OutOfRange {
        /// The value.
        text: String,
        /// The range.
        hint: String,
    },
}

impl UnitError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::NoUnit { hint, .. } | Self::UnknownUnit { hint, .. } | Self::Malformed { hint, .. } | Self::OutOfRange { hint, .. } => {
                hint
            }
        }
    }
}

/// Units of time and their nanoseconds. Both characters that look like a micro sign are taken.
pub(crate) const TIME_UNITS: &[(&str, u64)] = &[
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Units of size and their bytes.
pub(crate) const SIZE_UNITS: &[(&str, u64)] = &[("B", 1), ("KiB", 1024), ("MiB", 1024 * 1024)];

/// The longest duration that a file may give.
pub const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The highest speed that a file may give, in bits a second.
pub const MAX_BAUD: u32 = 4_000_000;

/// A duration: `200 us`, `15 ms`, `1.5 s`, `1 min`, `2 h`; at most 24 hours.
///
/// # Errors
/// [`UnitError`] with what to write instead.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let ns = parse_scaled(text, TIME_UNITS, "time", "15 ms", "a duration")?;
    let duration = Duration::from_nanos(ns);
    if duration > MAX_DURATION {
        return Err(UnitError::OutOfRange { text: text.to_owned(), hint: "a duration is at most 24 hours (`24 h`)".to_owned() });
    }
    Ok(duration)
}

/// The longest duration that a command line may give.
pub const MAX_TYPED_DURATION: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// A duration as it is typed: as in a file, with days as well, and also without the blank: `2h`, `90 min`, `3 d`; at most 31 days.
///
/// # Errors
/// [`UnitError`] with what to write instead.
pub fn parse_typed_duration(text: &str) -> Result<Duration, UnitError> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let is_as_typed = number.is_empty() || unit.is_empty() || unit.starts_with(' ');
    let spaced = if is_as_typed { text.to_owned() } else { format!("{number} {unit}") };
    let units: Vec<(&str, u64)> = TIME_UNITS.iter().copied().chain([("d", 86_400_000_000_000)]).collect();
    let duration = Duration::from_nanos(parse_scaled(&spaced, &units, "time", "30 s", "a duration")?);
    if duration > MAX_TYPED_DURATION {
        return Err(UnitError::OutOfRange { text: text.to_owned(), hint: "a duration is at most 31 days (`31 d`)".to_owned() });
    }
    Ok(duration)
}

/// A number of bytes: `512 B`, `16 KiB`, `1 MiB`.
///
/// # Errors
/// [`UnitError`] with what to write instead.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    parse_scaled(text, SIZE_UNITS, "size", "16 KiB", "a size")
}

/// A speed in bits a second: `460800`.
///
/// # Errors
/// [`UnitError`] with what to write instead.
pub fn parse_baud(text: &str) -> Result<Baud, UnitError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UnitError::Malformed {
            text: text.to_owned(),
            expected: "a speed",
            hint: "a speed is a bare number of baud: `460800`".to_owned(),
        });
    }
    text.parse().ok().filter(|speed| *speed <= MAX_BAUD).and_then(Baud::new).ok_or_else(|| UnitError::OutOfRange {
        text: text.to_owned(),
        hint: format!("a speed is from 1 to {MAX_BAUD} baud; the module starts at {}", Baud::DEFAULT),
    })
}

fn parse_scaled(
    text: &str,
    units: &[(&str, u64)],
    quantity: &'static str,
    example: &str,
    expected: &'static str,
) -> Result<u64, UnitError> {
    let all = units
        .iter()
        .map(|(unit, _)| *unit)
        .filter(|unit| *unit != "\u{3bc}s")
        .map(|unit| format!("`{unit}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let number = &text[..text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len())];
    let rest = &text[number.len()..];
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') || fraction.len() > 9 {
        return Err(UnitError::Malformed {
            text: text.to_owned(),
            expected,
            hint: format!("{expected} is a number, a blank and a unit ({all}): `{example}`"),
        });
    }
    let unit = rest.trim();
    if unit.is_empty() {
        let example_unit = example.split_once(' ').map_or("", |(_, unit)| unit);
        return Err(UnitError::NoUnit {
            text: text.to_owned(),
            hint: format!("write `{number} {example_unit}`; units of {quantity} are {all}"),
        });
    }
    let Some((_, scale)) = units.iter().find(|(known, _)| *known == unit) else {
        let near = units.iter().find(|(known, _)| known.eq_ignore_ascii_case(unit)).map(|(known, _)| format!("write `{number} {known}`; "));
        return Err(UnitError::UnknownUnit {
            unit: unit.to_owned(),
            quantity,
            hint: format!("{}units of {quantity} are {all}", near.unwrap_or_default()),
        });
    };
    if rest != format!(" {unit}") {
        return Err(UnitError::Malformed {
            text: text.to_owned(),
            expected,
            hint: format!("one blank stands before the unit: `{number} {unit}`"),
        });
    }
    let out_of_range = || UnitError::OutOfRange { text: text.to_owned(), hint: format!("{expected} like `{example}` is expected") };
    let parts = u64::try_from(10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0))).map_err(|_| out_of_range())?;
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(*scale)).ok_or_else(out_of_range)?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().map_err(|_| out_of_range())? };
    let part = fraction.checked_mul(*scale).ok_or_else(out_of_range)?;
    if part % parts != 0 {
        return Err(UnitError::Malformed {
            text: text.to_owned(),
            expected,
            hint: format!("it is no whole number of {}", if quantity == "time" { "nanoseconds" } else { "bytes" }),
        });
    }
    whole.checked_add(part / parts).ok_or_else(out_of_range)
}

/// A duration as people read it: `15 ms`, `1.5 s`, `12 min 4 s`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let scaled = |scale: u128, unit: &str| {
        let text = format!("{}.{:03}", ns / scale, ns % scale * 1000 / scale);
        format!("{} {unit}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match ns {
        0 => "0 s".to_owned(),
        1..1_000_000 => scaled(1_000, "us"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => scaled(1_000_000_000, "s"),
        _ => match (duration.as_secs() / 60, duration.as_secs() % 60) {
            (minutes, 0) => format!("{minutes} min"),
            (minutes, seconds) => format!("{minutes} min {seconds} s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, ns) in [
            ("200 us", 200_000),
            ("200 \u{b5}s", 200_000),
            ("200 \u{3bc}s", 200_000),
            ("15 ms", 15_000_000),
            ("1.5 s", 1_500_000_000),
            ("0.000000001 s", 1),
            ("1 min", 60_000_000_000),
            ("1.5 h", 5_400_000_000_000),
            ("0 ms", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_says_what_to_write() {
        for (text, message, hint) in [
            ("15", "`15` has no unit", "write `15 ms`; units of time are `us`, `\u{b5}s`, `ms`, `s`, `min`, `h`"),
            ("15ms", "`15ms` is not a duration", "one blank stands before the unit: `15 ms`"),
            ("15  ms", "`15  ms` is not a duration", "one blank stands before the unit: `15 ms`"),
            ("15 sec", "`sec` is not a unit of time", "units of time are `us`, `\u{b5}s`, `ms`, `s`, `min`, `h`"),
            ("3 S", "`S` is not a unit of time", "write `3 s`; units of time are `us`, `\u{b5}s`, `ms`, `s`, `min`, `h`"),
            ("0.0001 us", "`0.0001 us` is not a duration", "it is no whole number of nanoseconds"),
            ("1441 min", "`1441 min` is out of range", "a duration is at most 24 hours (`24 h`)"),
            ("99999999999999999999 s", "`99999999999999999999 s` is out of range", "a duration like `15 ms` is expected"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.hint()), (message, hint), "{text}");
        }
        for text in ["", "ms", "-1 ms", "1. s", "1.2.3 s", "fast", "1e3 ms"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_typed_may_lack_the_blank_and_have_days() {
        for (text, seconds) in [("2h", 7_200), ("2 h", 7_200), ("1.5h", 5_400), ("90min", 5_400), ("15 s", 15), ("3 d", 259_200)] {
            assert_eq!(parse_typed_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_typed_duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_typed_duration("2").unwrap_err().to_string(), "`2` has no unit");
        assert!(parse_typed_duration("2").unwrap_err().hint().starts_with("write `2 s`; "));
        assert!(parse_typed_duration("soon").unwrap_err().to_string().starts_with("`soon` is not a duration"));
        assert_eq!(parse_typed_duration("32d").unwrap_err().hint(), "a duration is at most 31 days (`31 d`)");
        for text in ["", "h", "2  h", "2 weeks", "-2h", "two h"] {
            assert!(parse_typed_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("2 d").is_err() && parse_duration("2h").is_err(), "a file's durations are as they were");
    }

    #[test]
    fn sizes_and_speeds() {
        assert_eq!(parse_size("16 KiB"), Ok(16 * 1024));
        assert_eq!(parse_size("1.5 KiB"), Ok(1536));
        assert_eq!(parse_size("16 kb").unwrap_err().hint(), "units of size are `B`, `KiB`, `MiB`");
        assert_eq!(parse_baud("460800"), Ok(Baud::new(460_800).unwrap()));
        for text in ["0", "4000001", "115200 baud", "115k", "", "-9600", "99999999999"] {
            assert!(parse_baud(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_as_people_read_them() {
        for (ns, text) in [
            (0, "0 s"),
            (200_000, "200 us"),
            (15_000_000, "15 ms"),
            (1_500_000_000, "1.5 s"),
            (60_000_000_000, "1 min"),
            (724_000_000_000, "12 min 4 s"),
        ] {
            assert_eq!(show_duration(Duration::from_nanos(ns)), text);
        }
    }
}
