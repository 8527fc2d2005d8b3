//! Variables in the text of a file: `$late` from the matrix or a fragment's parameters, `$image.newer.A` from an image, `$secret.PSK` from outside, `$version` from a step that keeps it, `$$` for a
//! dollar.

use std::collections::BTreeMap;

use super::matrix::{Combination, unknown_variable};
use super::reader::Keeps;
use crate::document::{Refusal, known};
use crate::image::Version;
use crate::plan::{Piece, PlannedImage};
use crate::secret::{Secret, Secrets};

/// What variables stand for in one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// Matrix values, or a fragment's parameters.
    pub(super) combination: &'s Combination,
    /// Images by name.
    pub(super) images: &'s BTreeMap<String, PlannedImage>,
    /// Names under which a step before keeps a value.
    pub(super) kept: &'s BTreeMap<String, Keeps>,
    /// Where secrets come from.
    pub(super) secrets: &'s Secrets,
}

/// How a value is put into the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// As it is.
    Text,
    /// As it is, into what goes to the board or is looked for in what comes from it: the only places for a secret.
    Bytes,
    /// So that a regular expression matches just it; else as [`Target::Bytes`].
    Regex,
}

/// A text with its variables filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) pieces: Vec<Piece>,
    /// The secrets in it.
    pub(super) secrets: Vec<Secret>,
}

impl Filled {
    /// The text, where it holds nothing that is known only while the case runs.
    pub(super) fn text(&self) -> Result<String, Refusal> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Kept(name) => {
                    return Err(Refusal::new(
                        format!("`${name}` is kept while the case runs, and cannot stand here"),
                        "`check`, `when` and `note` take such a value",
                    ));
                }
            }
        }
        Ok(text)
    }

    fn push(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }
}

impl Scope<'_> {
    /// `text` with its variables filled in.
    pub(super) fn fill(&self, text: &str, target: Target) -> Result<Filled, Refusal> {
        let mut filled = Filled { pieces: Vec::new(), secrets: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('$') {
                filled.push("$");
                rest = behind;
                continue;
            }
            let name = word(rest, false);
            if name.is_empty() {
                if target == Target::Regex {
                    // The matcher refuses it with what it means there; `\$` is a dollar.
                    filled.push("$");
                    continue;
                }
                return Err(Refusal::new("a dollar that begins no variable", "write `$$` for a dollar"));
            }
            rest = &rest[name.len()..];
            let value = match name {
                "image" => self.image(&mut rest)?,
                "secret" => {
                    let secret = self.secret(&mut rest, target)?;
                    let value = secret.reveal().to_owned();
                    filled.secrets.push(secret);
                    value
                }
                _ => match self.value(name) {
                    Some(value) => value.clone(),
                    None if self.kept.contains_key(name) => {
                        filled.pieces.push(Piece::Kept(name.to_owned()));
                        continue;
                    }
                    None => return Err(self.unknown(name)),
                },
            };
            match target {
                Target::Text | Target::Bytes => filled.push(&value),
                Target::Regex => filled.push(&regex::escape(&value)),
            }
        }
        filled.push(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Option<&String> {
        self.combination.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn unknown(&self, name: &str) -> Refusal {
        Refusal::new(format!("there is no variable `${name}`"), unknown_variable(name, self.combination, self.kept))
    }

    /// The secret behind `$secret`, whose name is taken off `rest`.
    fn secret(&self, rest: &mut &str, target: Target) -> Result<Secret, Refusal> {
        let name = rest.strip_prefix('.').map_or("", |behind| word(behind, false));
        if name.is_empty() {
            return Err(Refusal::new("a secret without its name", "write `$secret.NAME`; a name is letters, digits and `_`"));
        }
        if target == Target::Text {
            return Err(Refusal::new(
                format!("the secret `{name}` cannot stand here"),
                "a secret goes into a command, into `text` and into `regex`, and nowhere else",
            ));
        }
        *rest = &rest[1 + name.len()..];
        self.secrets.get(name).map_err(|error| Refusal::new(error.to_string(), error.hint()))
    }

    /// The rest of `$image.NAME.A`, which is taken off `rest`.
    fn image(&self, rest: &mut &str) -> Result<String, Refusal> {
        let form =
            || Refusal::new("a variable of an image without its name or letter", "write `$image.NAME.A`; letters are A, M, S, G and W");
        let name = word(rest.strip_prefix('.').ok_or_else(form)?, true);
        let behind = &rest[1 + name.len()..];
        let letter = behind.strip_prefix('.').and_then(|behind| behind.get(..1)).ok_or_else(form)?;
        let image = self
            .images
            .get(name)
            .ok_or_else(|| Refusal::new(format!("there is no image `{name}`"), known(name, self.images.keys().map(String::as_str))))?;
        let versions = image.versions.ok_or_else(|| {
            Refusal::new(
                format!("nothing says which versions the image `{name}` holds"),
                "name its file as ST's releases are named, or give `versions: { A: 2.8.0 }` with it in the bench file",
            )
        })?;
        let version: Option<Version> = match letter {
            "A" => Some(versions.a),
            "M" => Some(versions.m),
            "S" => Some(versions.s),
            "G" => versions.g,
            "W" => versions.w,
            _ => return Err(form()),
        };
        *rest = &behind[2..];
        version.map(|version| version.to_string()).ok_or_else(|| {
            Refusal::new(format!("the image `{name}` has no version {letter}"), "it has those that its file name or `versions` shows")
        })
    }
}

/// Whether `name` can be a variable: letters, digits and `_`, a letter first.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && word(name, false) == name
}

/// What stands where a name of the file's own would hide a variable that there always is.
pub(super) const RESERVED: &[(&str, &str)] =
    &[("image", "`image` is kept for the versions of images"), ("secret", "`secret` is kept for secrets")];

/// What the name of an image may be, so that `$image.NAME.A` can name it.
pub(crate) const IMAGE_NAME: &str = "letters, digits, `_` and `-`, a letter first";

/// The same as a pattern, for editors.
pub(crate) const IMAGE_NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_-]*$";

/// Whether `name` can be the name of an image.
pub(crate) fn is_image_name(name: &str) -> bool {
    !name.is_empty() && word(name, true) == name
}

/// The name at the beginning of `text`: letters, digits, `_` and, in the names of images, `-`; it begins with a letter.
fn word(text: &str, image: bool) -> &str {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return "";
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || image && c == '-')).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Image, KeyNumber, Versions};

    fn fill(text: &str, target: Target) -> Result<Filled, Refusal> {
        let versions =
            |a: &str| Versions { a: a.parse().unwrap(), m: "2.8.1".parse().unwrap(), s: "2.8.2".parse().unwrap(), g: None, w: None };
        let image = PlannedImage::made("newer-one", &Image::make(versions("2.8.0"), KeyNumber::DEFAULT, 1024).unwrap());
        let images = BTreeMap::from([("newer-one".to_owned(), image)]);
        let combination = vec![("late".to_owned(), "3 s".to_owned()), ("late2".to_owned(), "8.5".to_owned())];
        let kept = BTreeMap::from([("csq".to_owned(), Keeps::Text)]);
        Scope { combination: &combination, images: &images, kept: &kept, secrets: &Secrets::default() }.fill(text, target)
    }

    #[test]
    fn variables_are_filled_in() {
        for (text, filled) in [
            ("release + $late", "release + 3 s"),
            ("$late2$late.", "8.53 s."),
            ("5 $$late $$", "5 $late $"),
            ("A$image.newer-one.A, M$image.newer-one.M.x", "A2.8.0, M2.8.1.x"),
        ] {
            assert_eq!(fill(text, Target::Text).unwrap().text().as_deref(), Ok(filled));
        }
    }

    #[test]
    fn in_a_regex_a_value_matches_itself_and_a_lone_dollar_is_left_to_the_matcher() {
        assert_eq!(fill("v$late2;$", Target::Regex).unwrap().text().as_deref(), Ok(r"v8\.5;$"));
        assert_eq!(fill(r"\$5", Target::Regex).unwrap().text().as_deref(), Ok(r"\$5"));
    }

    #[test]
    fn what_is_no_variable_is_refused_with_the_nearest() {
        for (text, message, hint) in [
            ("$lat", "there is no variable `$lat`", "did you mean `$late`? known: `$late`, `$late2`, `$csq`; `$$` is a dollar"),
            ("5 $", "a dollar that begins no variable", "write `$$` for a dollar"),
            ("$image.newer.A", "there is no image `newer`", "known: `newer-one`"),
            ("$image.newer-one.G", "the image `newer-one` has no version G", "it has those that its file name or `versions` shows"),
            (
                "$image.newer-one",
                "a variable of an image without its name or letter",
                "write `$image.NAME.A`; letters are A, M, S, G and W",
            ),
            (
                "$image.newer-one.X",
                "a variable of an image without its name or letter",
                "write `$image.NAME.A`; letters are A, M, S, G and W",
            ),
        ] {
            assert_eq!(fill(text, Target::Text), Err(Refusal::new(message, hint)), "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_a_piece_of_its_own_and_stands_in_no_plain_text() {
        let filled = fill("v$csq, $late", Target::Text).unwrap();
        assert_eq!(filled.pieces, [Piece::Text("v".to_owned()), Piece::Kept("csq".to_owned()), Piece::Text(", 3 s".to_owned())]);
        assert_eq!(filled.text().unwrap_err().message, "`$csq` is kept while the case runs, and cannot stand here");
    }

    #[test]
    fn a_secret_stands_where_bytes_are_and_nowhere_else() {
        let message = |target| fill("$secret.NONE_SUCH", target).unwrap_err().message;
        assert_eq!(message(Target::Text), "the secret `NONE_SUCH` cannot stand here");
        assert_eq!(message(Target::Bytes), "there is no secret `NONE_SUCH`");
        assert_eq!(fill("$secret", Target::Bytes).unwrap_err().message, "a secret without its name");
    }
}
