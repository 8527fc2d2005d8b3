//! Firmware images: the project's own **made-up** format, and the file names of ST's releases.
//!
//! The inside of a real ST87M01 image is unknown and not needed: a loader passes an image on unread. What is here is made up by this project, so that the virtual
//! EVKIT has something to check a version, a key and a checksum in. No real module takes such an image, and no real image is made or read here.
//!
//! File names are as ST's releases have them (source: release note RN0145): `ST87M01_A_2_7_0_M_2_7_0_S_2_7_0_key0405.img`.

mod format;
mod key;
mod version;

pub use format::{Header, Image, ImageError};
pub use key::{KeyError, KeyNumber};
pub use version::{NameError, Version, VersionError, Versions};

use sha2::{Digest, Sha256};

/// SHA-256 of `bytes` in lower-case hex, 64 characters.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::sha256_hex;

    #[test]
    fn sha256_of_abc_is_the_one_of_fips_180() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
