//! Firmware images: the project's own made-up format.

/// A version of firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

/// A made-up image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {}

impl Image {
    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
    /// The name.
    #[must_use]
    pub fn file_name(&self) -> String {
        String::new()
    }
}

/// SHA-256 of `bytes` in lower-case hex.
#[must_use]
pub fn sha256_hex(_bytes: &[u8]) -> String {
    String::new()
}
