//! Versions of firmware, the set of them in one image, and the file names that carry them.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::KeyNumber;

/// A version of firmware: `2.7.0`. Ordered by its numbers from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

/// A text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a version of three numbers from 0 to 65535, as in `2.7.0`, got `{seen}`")]
pub struct VersionError {
    /// The text.
    pub seen: String,
}

impl Version {
    /// The version of these three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads three numbers with `separator` between them.
    fn split(text: &str, separator: char) -> Option<Self> {
        let mut numbers =
            text.split(separator).map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten());
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::split(text, '.').ok_or_else(|| VersionError { seen: text.to_owned() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The versions of the parts of one image (source of the letters: RN0145).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versions {
    /// A: the application core.
    pub a: Version,
    /// M: the modem core.
    pub m: Version,
    /// S: the secure core.
    pub s: Version,
    /// G: GNSS, where the image has it.
    pub g: Option<Version>,
    /// W: wireless M-Bus, where the image has it.
    pub w: Option<Version>,
}

/// A file name is none of ST's releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no release's file name: {problem}; expected one like `ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_key0405.img`")]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Versions {
    /// One version for A, M and S, without G and W.
    #[must_use]
    pub const fn all(version: Version) -> Self {
        Self { a: version, m: version, s: version, g: None, w: None }
    }

    /// The letter and version of each part that is there, in the order of file names.
    pub fn parts(&self) -> impl Iterator<Item = (char, Version)> {
        let Self { a, m, s, g, w } = *self;
        [('A', Some(a)), ('M', Some(m)), ('S', Some(s)), ('G', g), ('W', w)]
            .into_iter()
            .filter_map(|(letter, version)| version.map(|version| (letter, version)))
    }

    /// The name of a file of these versions, signed with `key`, as ST's releases form it.
    #[must_use]
    pub fn file_name(&self, key: KeyNumber) -> String {
        let mut name = String::from("ST87M01");
        for (letter, Version { major, minor, patch }) in self.parts() {
            // Writing to a String does not fail.
            let _ = write!(name, "_{letter}_{major}_{minor}_{patch}");
        }
        let _ = write!(name, "_key{key}.img");
        name
    }

    /// Reads the versions and the key from the name of one of ST's releases (the name alone, without its folder). The parts may stand in any order.
    ///
    /// # Errors
    /// [`NameError`] when the name is not of that form.
    pub fn from_file_name(name: &str) -> Result<(Self, KeyNumber), NameError> {
        let error = |problem: String| NameError { name: name.to_owned(), problem };
        let rest = name.strip_suffix(".img").ok_or_else(|| error("it does not end in `.img`".to_owned()))?;
        let rest = rest.strip_prefix("ST87M01_").ok_or_else(|| error("it does not begin with `ST87M01_`".to_owned()))?;
        let (parts, key) = rest.rsplit_once("_key").ok_or_else(|| error("it names no key".to_owned()))?;
        let key = key.parse::<KeyNumber>().map_err(|source| error(source.to_string()))?;
        let mut found = [None; 5];
        let words: Vec<&str> = parts.split('_').collect();
        for group in words.chunks(4) {
            let index = match group[0] {
                "A" => 0,
                "M" => 1,
                "S" => 2,
                "G" => 3,
                "W" => 4,
                other => return Err(error(format!("`{other}` is none of the parts A, M, S, G, W"))),
            };
            let text = group[1..].join("_");
            let version = Version::split(&text, '_').ok_or_else(|| error(format!("`{text}` is no version of part {}", group[0])))?;
            if found[index].replace(version).is_some() {
                return Err(error(format!("part {} is there twice", group[0])));
            }
        }
        let [a, m, s, g, w] = found;
        let part = |version: Option<Version>, letter| version.ok_or_else(|| error(format!("part {letter} is missing")));
        Ok((Self { a: part(a, 'A')?, m: part(m, 'M')?, s: part(s, 'S')?, g, w }, key))
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyNumber, Version, Versions};

    #[test]
    fn versions_compare_by_number_not_by_text() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.7.10") > version("2.7.9"));
        assert!(version("2.10.0") > version("2.9.9"));
        assert!(version("10.0.0") > version("9.9.9"));
        assert_eq!(version("2.7.0").to_string(), "2.7.0");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "2", "2.7", "2.7.0.1", "2..0", "+2.7.0", "2.7.-1", "2.7.65536", " 2.7.0", "v2.7.0"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_those_of_releases() {
        let mut versions = Versions::all(Version::new(2, 7, 0));
        assert_eq!(versions.file_name(KeyNumber::DEFAULT), "ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_key0405.img");
        versions.g = Some(Version::new(2, 7, 1));
        versions.w = Some(Version::new(1, 2, 3));
        let name = versions.file_name(KeyNumber::DEFAULT);
        assert_eq!(name, "ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_G_2_7_1_W_1_2_3_key0405.img");
        assert_eq!(Versions::from_file_name(&name), Ok((versions, KeyNumber::DEFAULT)));
    }

    #[test]
    fn names_that_are_none_say_why() {
        let problem = |name| Versions::from_file_name(name).unwrap_err().problem;
        assert_eq!(problem("ST87M01_A_2_7_0_key0405.bin"), "it does not end in `.img`");
        assert_eq!(problem("A_2_7_0_key0405.img"), "it does not begin with `ST87M01_`");
        assert_eq!(problem("ST87M01_A_2_7_0.img"), "it names no key");
        assert_eq!(problem("ST87M01_A_2_7_0_M_2_7_0_key0405.img"), "part S is missing");
        assert_eq!(problem("ST87M01_A_2_7_0_A_2_7_0_key0405.img"), "part A is there twice");
        assert_eq!(problem("ST87M01_A_2_7_key0405.img"), "`2_7` is no version of part A");
        assert_eq!(problem("ST87M01_X_2_7_0_key0405.img"), "`X` is none of the parts A, M, S, G, W");
        assert_eq!(problem("ST87M01_A_2_7_0_key405.img"), "expected a key number of four digits, as in `0405`, got `405`");
    }
}
