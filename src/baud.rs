//! The speed of a serial line.

use std::fmt;
use std::time::Duration;

/// Bits a second on a serial line, never zero. One character is ten bits (8N1), the only framing of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Baud(u32);

impl Baud {
    /// The speed at which the module starts (source: the ST Community post; 115200 8N1).
    pub const DEFAULT: Self = Self(115_200);

    /// A speed of `bits_per_second`; `None` for zero.
    #[must_use]
    pub const fn new(bits_per_second: u32) -> Option<Self> {
        if bits_per_second == 0 { None } else { Some(Self(bits_per_second)) }
    }

    /// Bits a second.
    #[must_use]
    pub const fn bits_per_second(self) -> u32 {
        self.0
    }

    /// How long `bits` take on the wire, in whole nanoseconds, rounded up.
    #[must_use]
    pub const fn bits_time(self, bits: u64) -> Duration {
        Duration::from_nanos((bits * 1_000_000_000).div_ceil(self.0 as u64))
    }

    /// How long `bytes` characters of ten bits take on the wire, rounded up.
    #[must_use]
    pub const fn wire_time(self, bytes: u64) -> Duration {
        self.bits_time(bytes * 10)
    }
}

impl TryFrom<u32> for Baud {
    type Error = &'static str;
    fn try_from(value: u32) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("a speed of 0 baud")
    }
}

impl From<Baud> for u32 {
    fn from(value: Baud) -> Self {
        value.0
    }
}

impl fmt::Display for Baud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
