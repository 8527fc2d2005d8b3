//! Variables in the text of a file: `$late` from the matrix, `$image.newer.A` from an image, `$$` for a dollar.

use std::collections::BTreeMap;

use super::matrix::{Combination, unknown_variable};
use crate::document::{Refusal, known};
use crate::image::{Version, Versions};
use crate::plan::PlannedImage;

/// What variables stand for in one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// Matrix values.
    pub(super) combination: &'s Combination,
    /// Images by name.
    pub(super) images: &'s BTreeMap<String, PlannedImage>,
}

/// How a value is put into the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// As it is.
    Text,
    /// So that a regular expression matches just it.
    Regex,
}

impl Scope<'_> {
    /// `text` with its variables filled in.
    pub(super) fn fill(&self, text: &str, target: Target) -> Result<String, Refusal> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('$') {
                filled.push('$');
                rest = behind;
                continue;
            }
            let name = word(rest, false);
            if name.is_empty() {
                if target == Target::Regex {
                    // The matcher refuses it with what it means there; `\$` is a dollar.
                    filled.push('$');
                    continue;
                }
                return Err(Refusal::new("a dollar that begins no variable", "write `$$` for a dollar"));
            }
            rest = &rest[name.len()..];
            let value = if name == "image" { self.image(&mut rest)? } else { self.value(name)? };
            match target {
                Target::Text => filled.push_str(&value),
                Target::Regex => filled.push_str(&regex::escape(&value)),
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String, Refusal> {
        match self.combination.iter().find(|(known, _)| known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(Refusal::new(format!("there is no variable `${name}`"), unknown_variable(name, self.combination))),
        }
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
        let (versions, _) = Versions::from_file_name(&image.file_name).map_err(|error| {
            Refusal::new(format!("the image `{name}` shows no versions: {error}"), "name its file as ST's releases are named")
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
        version
            .map(|version| version.to_string())
            .ok_or_else(|| Refusal::new(format!("the image `{name}` has no version {letter}"), "it has those that its file name shows"))
    }
}

/// What the name of an image may be, so that `$image.NAME.A` can name it.
pub(crate) const IMAGE_NAME: &str = "letters, digits, `_` and `-`, a letter first";

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
    use crate::image::{Image, KeyNumber};

    fn fill(text: &str, target: Target) -> Result<String, Refusal> {
        let versions =
            |a: &str| Versions { a: a.parse().unwrap(), m: "2.8.1".parse().unwrap(), s: "2.8.2".parse().unwrap(), g: None, w: None };
        let image = PlannedImage::made("newer-one", &Image::make(versions("2.8.0"), KeyNumber::DEFAULT, 1024).unwrap());
        let images = BTreeMap::from([("newer-one".to_owned(), image)]);
        let combination = vec![("late".to_owned(), "3 s".to_owned()), ("late2".to_owned(), "8.5".to_owned())];
        Scope { combination: &combination, images: &images }.fill(text, target)
    }

    #[test]
    fn variables_are_filled_in() {
        for (text, filled) in [
            ("release + $late", "release + 3 s"),
            ("$late2$late.", "8.53 s."),
            ("5 $$late $$", "5 $late $"),
            ("A$image.newer-one.A, M$image.newer-one.M.x", "A2.8.0, M2.8.1.x"),
        ] {
            assert_eq!(fill(text, Target::Text).as_deref(), Ok(filled));
        }
    }

    #[test]
    fn in_a_regex_a_value_matches_itself_and_a_lone_dollar_is_left_to_the_matcher() {
        assert_eq!(fill("v$late2;$", Target::Regex).as_deref(), Ok(r"v8\.5;$"));
        assert_eq!(fill(r"\$5", Target::Regex).as_deref(), Ok(r"\$5"));
    }

    #[test]
    fn what_is_no_variable_is_refused_with_the_nearest() {
        for (text, message, hint) in [
            ("$lat", "there is no variable `$lat`", "did you mean `$late`? known: `$late`, `$late2`; `$$` is a dollar"),
            ("5 $", "a dollar that begins no variable", "write `$$` for a dollar"),
            ("$image.newer.A", "there is no image `newer`", "known: `newer-one`"),
            ("$image.newer-one.G", "the image `newer-one` has no version G", "it has those that its file name shows"),
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
}
