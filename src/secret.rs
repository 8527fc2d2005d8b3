//! Secrets that scenarios name as `$secret.NAME`: where they come from, and what keeps them out of everything that is shown or written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Mode, OFlags};

/// What comes before a secret's name in the environment.
pub const VARIABLE: &str = "EVKIT_HIL_SECRET_";

/// Keeps the secrets of the environment from a program that is started: what it writes to standard error goes into messages.
pub(crate) fn keep_from(command: &mut Command) {
    let variables = std::env::vars_os().map(|(name, _)| name).filter(|name| name.as_encoded_bytes().starts_with(VARIABLE.as_bytes()));
    variables.for_each(|name| {
        command.env_remove(name);
    });
}

/// The shortest secret: a shorter one would be masked all over a record, and so be known by where it is not.
const SHORTEST: usize = 4;

/// The longest secret: the longest command that a module takes is not much longer.
const LONGEST: usize = 1024;

/// The largest file of secrets that is read.
const MAX_FILE: u64 = 64 * 1024;

/// A secret's value. Shown nowhere: not even by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// A secret of this value.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when it is too short, too long, or not printable ASCII.
    pub fn new(name: &str, value: &str) -> Result<Self, SecretError> {
        let why = match value {
            _ if value.len() < SHORTEST => "is shorter than 4 characters, which cannot be masked without showing by its gaps what it is",
            _ if value.len() > LONGEST => "is longer than 1024 characters",
            _ if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) => "has a character that is not printable ASCII",
            _ => return Ok(Self(value.to_owned())),
        };
        Err(SecretError::Unusable { name: name.to_owned(), why })
    }

    /// The value, for the wire. Whatever else shows it must mask it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why there is no secret to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nobody has given it.
    #[error("there is no secret `{name}`")]
    Missing {
        /// Its name.
        name: String,
    },
    /// Its value cannot be used.
    #[error("the secret `{name}` {why}")]
    Unusable {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Somebody else could read the file.
    #[error("others than its owner can read or write {} (mode {mode:o})", .file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is somebody else's.
    #[error("{} belongs to another user", .file.display())]
    Owner {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// What is there is no file: a folder, a pipe, a device.
    #[error("{} is no regular file", .file.display())]
    Kind {
        /// Its path.
        file: PathBuf,
    },
    /// The file is larger than one that is read.
    #[error("{} is larger than {} KiB", .file.display(), MAX_FILE / 1024)]
    Large {
        /// The file.
        file: PathBuf,
    },
    /// A value of the file stands in quotes.
    #[error("line {line} of {} has its value in quotes", .file.display())]
    Quoted {
        /// The file.
        file: PathBuf,
        /// The line's number, from 1. Its text is not shown.
        line: usize,
    },
    /// A line of the file is not `NAME=VALUE`.
    #[error("line {line} of {} is not NAME=VALUE", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line's number, from 1. Its text is not shown.
        line: usize,
    },
}

impl SecretError {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { name } => {
                format!("set {VARIABLE}{name} in the environment, or give `{name}=…` in the file that `secrets:` of the bench file names")
            }
            Self::Unusable { .. } => format!("from {SHORTEST} to {LONGEST} printable ASCII characters"),
            Self::Open { file, .. } => format!("only its owner may read a file of secrets: `chmod 600 {}`", file.display()),
            Self::Owner { .. } => "a file of secrets belongs to the user who runs this program".to_owned(),
            Self::Unreadable { .. } => "the path is relative to the bench file".to_owned(),
            Self::Kind { .. } => "secrets are read from a file of lines `NAME=VALUE`".to_owned(),
            Self::Large { .. } => "a file of secrets holds secrets and nothing else".to_owned(),
            Self::Quoted { .. } => "leave the quotes out: all that stands behind `=` is the secret".to_owned(),
            Self::Line { .. } => "a secret is a line `NAME=VALUE`; lines that begin with `#` and empty lines are passed over".to_owned(),
        }
    }
}

/// Where secrets come from: the environment first, then a file.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    file: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Those of the environment and of a file of lines `NAME=VALUE`, which only its owner may be able to read and write.
    ///
    /// # Errors
    /// [`SecretError`] when the file is not this user's alone, or not of that form.
    pub fn with_file(path: &Path) -> Result<Self, SecretError> {
        let file = path.to_owned();
        let unreadable = |error: std::io::Error| SecretError::Unreadable { file: file.clone(), why: error.to_string() };
        // A pipe that nobody writes to would not open otherwise.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| unreadable(errno.into()))?);
        // Asked of the open file: what is read is what was looked at.
        let found = opened.metadata().map_err(unreadable)?;
        if !found.is_file() {
            return Err(SecretError::Kind { file });
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(SecretError::Owner { file });
        }
        if found.mode() & 0o077 != 0 {
            return Err(SecretError::Open { file, mode: found.mode() & 0o777 });
        }
        let mut bytes = Vec::new();
        opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(SecretError::Large { file });
        }
        let text = String::from_utf8(bytes).map_err(|error| SecretError::Unreadable { file: file.clone(), why: error.to_string() })?;
        let mut secrets = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once('=')
                .filter(|(name, _)| is_name(name))
                .ok_or_else(|| SecretError::Line { file: file.clone(), line: index + 1 })?;
            if ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote)) {
                return Err(SecretError::Quoted { file, line: index + 1 });
            }
            secrets.insert(name.to_owned(), Secret::new(name, value)?);
        }
        Ok(Self { file: secrets })
    }

    /// Every secret that can be used, whether a scenario names it or not: a board may say what it was told in another case, or on another day.
    #[must_use]
    pub fn all(&self) -> Vec<Secret> {
        let named = std::env::vars_os().filter_map(|(variable, _)| Some(variable.to_str()?.strip_prefix(VARIABLE)?.to_owned()));
        let names: BTreeSet<String> = named.chain(self.file.keys().cloned()).collect();
        // What cannot be used is refused where it is named.
        let secrets: BTreeSet<Secret> = names.iter().filter_map(|name| self.get(name).ok()).collect();
        secrets.into_iter().collect()
    }

    /// The secret called `name`.
    ///
    /// # Errors
    /// [`SecretError::Missing`], or [`SecretError::Unusable`] for a value of the environment.
    pub fn get(&self, name: &str) -> Result<Secret, SecretError> {
        match std::env::var(format!("{VARIABLE}{name}")) {
            Ok(value) => Secret::new(name, &value),
            Err(std::env::VarError::NotUnicode(_)) => Secret::new(name, "\u{fffd}\u{fffd}"),
            Err(std::env::VarError::NotPresent) => {
                self.file.get(name).cloned().ok_or_else(|| SecretError::Missing { name: name.to_owned() })
            }
        }
    }
}

/// Whether `name` can be the name of a secret: letters, digits and `_`, a letter first.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_that_is_its_owners_alone_is_read() {
        let (_folder, path) = file("# keys\n\nPSK=a=b c\nPIN=12345\n", 0o600);
        let secrets = Secrets::with_file(&path).unwrap();
        assert_eq!(secrets.get("PSK").unwrap().reveal(), "a=b c");
        assert_eq!(format!("{secrets:?}"), r#"Secrets { file: {"PIN": Secret(…), "PSK": Secret(…)} }"#);
        assert_eq!(secrets.get("PUK").unwrap_err(), SecretError::Missing { name: "PUK".to_owned() });
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_of_another_form_is_refused() {
        let (_folder, path) = file("PSK=abcdef\n", 0o640);
        assert!(matches!(Secrets::with_file(&path), Err(SecretError::Open { mode: 0o640, .. })));
        for (text, line) in [("PSK abcdef\n", 1), ("\n1PSK=abcdef\n", 2)] {
            let (_folder, path) = file(text, 0o600);
            assert!(matches!(Secrets::with_file(&path), Err(SecretError::Line { line: seen, .. }) if seen == line), "{text}");
        }
        for value in ["abc", "caf\u{e9}s", "a\u{7}bcd"] {
            let (_folder, path) = file(&format!("PSK={value}\n"), 0o600);
            assert!(matches!(Secrets::with_file(&path), Err(SecretError::Unusable { .. })), "{value}");
        }
        assert!(matches!(Secrets::with_file(Path::new("/nonexistent/secrets")), Err(SecretError::Unreadable { .. })));
    }

    #[test]
    fn a_value_in_quotes_is_refused() {
        for value in ["\"abcdef\"", "'abcdef'"] {
            let (_folder, path) = file(&format!("PIN=1234\nPSK={value}\n"), 0o600);
            assert!(matches!(Secrets::with_file(&path), Err(SecretError::Quoted { line: 2, .. })), "{value}");
        }
        let (_folder, path) = file("PSK=\"abc'\n", 0o600);
        assert_eq!(Secrets::with_file(&path).unwrap().get("PSK").unwrap().reveal(), "\"abc'", "quotes may be a part of it");
    }

    #[test]
    fn a_file_that_is_too_large_and_what_is_no_file_are_refused() {
        let most = usize::try_from(MAX_FILE).unwrap();
        let text = format!("#{}\nPSK=abcdef", "x".repeat(most - 12));
        assert_eq!(text.len(), most);
        let (_folder, path) = file(&text, 0o600);
        assert_eq!(Secrets::with_file(&path).unwrap().get("PSK").unwrap().reveal(), "abcdef");
        let (folder, path) = file(&format!("{text}g"), 0o600);
        assert_eq!(Secrets::with_file(&path).unwrap_err(), SecretError::Large { file: path });
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [pipe, folder.path().to_owned()] {
            assert_eq!(Secrets::with_file(&path).unwrap_err(), SecretError::Kind { file: path });
        }
    }
}
