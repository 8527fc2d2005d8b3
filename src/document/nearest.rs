//! The nearest known word to one that is not known.

/// The known word that `unknown` is most likely to have meant; `None` when none is near.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    known
        .into_iter()
        .map(|word| (word, strsim::damerau_levenshtein(&unknown, &word.to_lowercase())))
        .filter(|(word, distance)| *distance <= (word.chars().count().max(unknown.chars().count()) / 3).max(1))
        .min_by_key(|(_, distance)| *distance)
        .map(|(word, _)| word)
}

/// How many known words are listed beside the nearest one; more would hide it.
const SHOWN_BESIDE_NEAREST: usize = 20;

/// A hint for an unknown word: the nearest known one, and all of them where they are not too many.
#[must_use]
pub fn known<'a>(unknown: &str, words: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let all = words.clone().into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    match (nearest(unknown, words), all.is_empty()) {
        (_, true) => "none is known here".to_owned(),
        (Some(word), false) if all.len() == 1 || all.len() > SHOWN_BESIDE_NEAREST => format!("did you mean `{word}`?"),
        (Some(word), false) => format!("did you mean `{word}`? known: {}", all.join(", ")),
        (None, false) => format!("known: {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["expect", "reset", "restore"];
        assert_eq!(nearest("exepct", words), Some("expect"));
        assert_eq!(nearest("Reset", words), Some("reset"));
        assert_eq!(nearest("banana", words), None);
        assert_eq!(known("rset", words), "did you mean `reset`? known: `expect`, `reset`, `restore`");
        assert_eq!(known("banana", words), "known: `expect`, `reset`, `restore`");
    }
}
