//! The number of a signing key, as it stands in the names of release images.

use std::fmt;
use std::str::FromStr;

/// The number of a signing key: four hexadecimal digits, kept as text. ST's file names have `key0405` (source: RN0145); whether that is decimal or
/// hexadecimal is published nowhere, so it is never counted with, only compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNumber([u8; 4]);

/// A text is no key number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a key number of four digits, as in `0405`, got `{seen}`")]
pub struct KeyError {
    /// The text.
    pub seen: String,
}

impl KeyNumber {
    /// The key of the releases that RN0145 lists.
    pub const DEFAULT: Self = Self(*b"0405");

    /// The four digits in ASCII, letters in lower case.
    #[must_use]
    pub const fn digits(self) -> [u8; 4] {
        self.0
    }

    /// The key number of four ASCII digits; `None` when one is no hexadecimal digit.
    #[must_use]
    pub fn from_digits(digits: [u8; 4]) -> Option<Self> {
        digits.iter().all(u8::is_ascii_hexdigit).then(|| Self(digits.map(|digit| digit.to_ascii_lowercase())))
    }
}

impl FromStr for KeyNumber {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let digits = <[u8; 4]>::try_from(text.as_bytes()).ok();
        digits.and_then(Self::from_digits).ok_or_else(|| KeyError { seen: text.to_owned() })
    }
}

impl fmt::Display for KeyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::KeyNumber;

    #[test]
    fn leading_zeros_and_letters_stay() {
        assert_eq!("0405".parse::<KeyNumber>().unwrap().to_string(), "0405");
        assert_eq!("0A0f".parse::<KeyNumber>().unwrap().to_string(), "0a0f");
    }

    #[test]
    fn anything_but_four_digits_is_refused() {
        for text in ["", "405", "00405", "04 5", "04g5", "٠٤٠٥"] {
            let error = text.parse::<KeyNumber>().unwrap_err();
            assert_eq!(error.to_string(), format!("expected a key number of four digits, as in `0405`, got `{text}`"));
        }
    }
}
