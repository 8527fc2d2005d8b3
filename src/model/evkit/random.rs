//! The only randomness of the virtual EVKIT: SplitMix64 from a seed, the same on every machine and in every version.

/// SplitMix64 (Steele, Lea, Flood: *Fast splittable pseudorandom number generators*, 2014). Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A stream of its own for `purpose`: what one purpose draws does not depend on what others draw, so that a new setting leaves the others as they were.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a of the purpose.
        let name = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut random = Self(seed);
        Self(random.next() ^ name)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included. `low` when `high` is not above it.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        let Some(span) = high.checked_sub(low) else { return low };
        // The high half of a product spreads evenly; its bias is below 2^-32 for the spans here.
        let scaled = (u128::from(self.next()) * (u128::from(span) + 1)) >> 64;
        low + u64::try_from(scaled).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn it_is_splitmix64() {
        // The first outputs for seed 1234567, as the reference implementation in C gives them.
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn both_ends_are_drawn_and_nothing_beyond() {
        let mut random = Random::new(1, "test");
        let drawn: Vec<u64> = (0..200).map(|_| random.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(random.between(9, 9), 9);
    }

    #[test]
    fn purposes_and_seeds_differ() {
        let first = |seed, purpose| Random::new(seed, purpose).next();
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_eq!(first(7, "a"), first(7, "a"));
    }
}
