//! Bounds on versions: `>=2.6.0`, `>=2.6.0, <3.0.0`.

use crate::document::Refusal;
use crate::plan::{Relation, VersionBound};

/// Bounds with commas between, all of which must hold.
pub(super) fn bounds(text: &str) -> Result<Vec<VersionBound>, Refusal> {
    text.split(',').map(|part| bound(part.trim())).collect()
}

fn bound(text: &str) -> Result<VersionBound, Refusal> {
    let found = Relation::SIGNS.iter().find_map(|(sign, relation)| text.strip_prefix(sign).map(|version| (*relation, version.trim())));
    let (relation, version) = found.ok_or_else(|| {
        Refusal::new(format!("`{text}` is not a bound on a version"), "write `>=2.6.0`; relations are `<`, `<=`, `=`, `!=`, `>=`, `>`")
    })?;
    Ok(VersionBound { relation, version: version.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_anything_else_is_refused() {
        let shown = |text: &str| {
            bounds(text).map(|bounds| bounds.iter().map(|bound| format!("{:?} {}", bound.relation, bound.version)).collect::<Vec<_>>())
        };
        assert_eq!(shown(">=2.6.0, <3.0.0"), Ok(vec!["AtLeast 2.6.0".to_owned(), "Less 3.0.0".to_owned()]));
        assert_eq!(
            shown("=2.6.0,<= 2.7.1,>1.0.0"),
            Ok(vec!["Equal 2.6.0".to_owned(), "AtMost 2.7.1".to_owned(), "Greater 1.0.0".to_owned()])
        );
        for text in ["", "2.6.0", ">=2.6", ">=2.6.0,", "~2.6.0", ">=2.6.0 <3.0.0"] {
            assert!(bounds(text).is_err(), "{text}");
        }
    }
}
