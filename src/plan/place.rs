//! Places in an image: so many bytes from its begin, or a share of its length.

/// A place in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// So many bytes from the begin.
    Bytes(u64),
    /// So many percent of the length.
    Percent(u8),
}

impl Place {
    /// The offset of the byte that it names in an image of this length: 0 % is the first byte, 100 % the last.
    #[must_use]
    pub fn offset(self, length: u64) -> u64 {
        match self {
            Self::Bytes(offset) => offset,
            Self::Percent(percent) => length.saturating_sub(1) * u64::from(percent) / 100,
        }
    }

    /// How many bytes of an image of this length lie before it: 0 % is none, 100 % all of them.
    #[must_use]
    pub fn count(self, length: u64) -> u64 {
        match self {
            Self::Bytes(count) => count,
            Self::Percent(percent) => length * u64::from(percent) / 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_names_the_first_byte_the_last_one_and_those_between() {
        let at = |length: u64| [0, 50, 100].map(|percent| (Place::Percent(percent).offset(length), Place::Percent(percent).count(length)));
        assert_eq!(at(16_384), [(0, 0), (8191, 8192), (16_383, 16_384)]);
        assert_eq!(at(1), [(0, 0), (0, 0), (0, 1)]);
        assert_eq!((Place::Bytes(12).offset(10), Place::Bytes(12).count(10)), (12, 12), "whoever uses it finds that it lies outside");
    }
}
