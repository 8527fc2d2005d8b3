//! The inside of a made-up image: header, payload, checksum.
//!
//! Made up by this project (format 1; numbers are little-endian):
//!
//! | offset | length | what |
//! | --- | --- | --- |
//! | 0 | 8 | magic: `MADE-UP` and LF |
//! | 8 | 1 | format: 1 |
//! | 9 | 1 | parts beside A, M, S: bit 0 is G, bit 1 is W, the others 0 |
//! | 10 | 30 | versions of A, M, S, G, W: three 16-bit numbers each, zero for a part that is not there |
//! | 40 | 4 | key number: four ASCII digits |
//! | 44 | 4 | length of the payload |
//! | 48 | n | payload |
//! | 48+n | 4 | CRC-32 (ISO-HDLC, as in zip files) of all that stands before it |

use crc::{CRC_32_ISO_HDLC, Crc};
use sha2::{Digest, Sha256};

use super::{KeyNumber, Version, Versions};

const MAGIC: &[u8; 8] = b"MADE-UP\n";
const FORMAT: u8 = 1;
const HAS_G: u8 = 1;
const HAS_W: u8 = 2;
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Why bytes are no made-up image, or why none could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It does not begin as a made-up image does.
    #[error("this is no made-up image: expected it to begin with `MADE-UP` and a line feed, saw {seen:02x?}")]
    Magic {
        /// Its first bytes, 8 at most.
        seen: Vec<u8>,
    },
    /// A later format.
    #[error("expected a made-up image of format 1, saw format {seen}")]
    Format {
        /// The number in the file.
        seen: u8,
    },
    /// A field of the header holds what this format does not have.
    #[error("the header's {field} is none of this format: saw {seen:02x?}")]
    Field {
        /// Which field.
        field: &'static str,
        /// Its bytes.
        seen: Vec<u8>,
    },
    /// There are fewer bytes than the header says, or than a header has.
    #[error("the image is cut short: expected {expected} bytes, saw {seen}")]
    Truncated {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        seen: u64,
    },
    /// There are more bytes than the header says.
    #[error("the image is followed by something: expected {expected} bytes, saw {seen}")]
    TooLong {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        seen: u64,
    },
    /// The checksum is another.
    #[error("the image is corrupt: its CRC-32 should be {expected:08x}, the file says {seen:08x}")]
    Checksum {
        /// Computed from the bytes.
        expected: u32,
        /// Read from the file.
        seen: u32,
    },
    /// An image of this size cannot be made.
    #[error("a made-up image has {least} to {most} bytes, header and checksum included; {asked} were asked for")]
    Size {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// Asked for.
        asked: u64,
    },
}

/// What stands at the beginning of a made-up image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Versions of its parts.
    pub versions: Versions,
    /// The key that it says it is signed with. Nothing is signed: a key is just a number here.
    pub key: KeyNumber,
    /// Bytes of payload.
    pub payload: u32,
}

impl Header {
    /// Bytes that a header takes.
    pub const LEN: usize = 48;

    /// The size of the whole image in bytes.
    #[must_use]
    pub const fn image_len(&self) -> u64 {
        self.payload as u64 + Image::OVERHEAD as u64
    }

    /// Reads the header at the beginning of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`ImageError`] when these are not the first bytes of a made-up image.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        if !bytes.starts_with(MAGIC) {
            return Err(ImageError::Magic { seen: bytes[..bytes.len().min(MAGIC.len())].to_vec() });
        }
        let Some(header) = bytes.first_chunk::<{ Self::LEN }>() else {
            return Err(ImageError::Truncated { expected: Image::OVERHEAD as u64, seen: bytes.len() as u64 });
        };
        if header[8] != FORMAT {
            return Err(ImageError::Format { seen: header[8] });
        }
        let parts = header[9];
        if parts & !(HAS_G | HAS_W) != 0 {
            return Err(ImageError::Field { field: "list of parts", seen: vec![parts] });
        }
        let number = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let version = |part: usize| Version::new(number(10 + part * 6), number(12 + part * 6), number(14 + part * 6));
        let digits = [header[40], header[41], header[42], header[43]];
        let key = KeyNumber::from_digits(digits).ok_or_else(|| ImageError::Field { field: "key number", seen: digits.to_vec() })?;
        Ok(Self {
            versions: Versions {
                a: version(0),
                m: version(1),
                s: version(2),
                g: (parts & HAS_G != 0).then(|| version(3)),
                w: (parts & HAS_W != 0).then(|| version(4)),
            },
            key,
            payload: u32::from_le_bytes([header[44], header[45], header[46], header[47]]),
        })
    }

    fn to_bytes(self) -> [u8; Self::LEN] {
        let Self { versions: Versions { a, m, s, g, w }, key, payload } = self;
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8] = FORMAT;
        bytes[9] = if g.is_some() { HAS_G } else { 0 } | if w.is_some() { HAS_W } else { 0 };
        for (part, version) in [Some(a), Some(m), Some(s), g, w].into_iter().enumerate() {
            let Version { major, minor, patch } = version.unwrap_or(Version::new(0, 0, 0));
            for (place, number) in [major, minor, patch].into_iter().enumerate() {
                let at = 10 + part * 6 + place * 2;
                bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
            }
        }
        bytes[40..44].copy_from_slice(&key.digits());
        bytes[44..].copy_from_slice(&payload.to_le_bytes());
        bytes
    }
}

/// A made-up image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Versions of its parts.
    pub versions: Versions,
    /// The key that it says it is signed with.
    pub key: KeyNumber,
    /// What stands where a real image has firmware.
    payload: Vec<u8>,
}

impl Image {
    /// Bytes of an image that are not payload: header and checksum. The smallest image.
    pub const OVERHEAD: usize = Header::LEN + 4;
    /// The largest image that is made or read: 64 MiB, far above what the module's flash can hold.
    pub const LARGEST: u64 = 64 << 20;

    /// Makes an image whose file has `size` bytes in all. The payload looks random and follows from versions, key and size alone: the same arguments give
    /// the same bytes, on every machine.
    ///
    /// # Errors
    /// [`ImageError::Size`] when `size` is below [`Image::OVERHEAD`] or above [`Image::LARGEST`].
    pub fn make(versions: Versions, key: KeyNumber, size: u64) -> Result<Self, ImageError> {
        let out_of_range = || ImageError::Size { least: Self::OVERHEAD as u64, most: Self::LARGEST, asked: size };
        if size > Self::LARGEST {
            return Err(out_of_range());
        }
        let length = size.checked_sub(Self::OVERHEAD as u64).and_then(|length| u32::try_from(length).ok()).ok_or_else(out_of_range)?;
        let header = Header { versions, key, payload: length }.to_bytes();
        let blocks = (0_u64..).flat_map(|block| Sha256::new().chain_update(header).chain_update(block.to_le_bytes()).finalize());
        Ok(Self { versions, key, payload: blocks.take(length as usize).collect() })
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { versions, key, payload } = self;
        // No image has more than LARGEST bytes: both ways to get one see to that.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(payload.len() + Self::OVERHEAD);
        bytes.extend_from_slice(&Header { versions: *versions, key: *key, payload: length }.to_bytes());
        bytes.extend_from_slice(payload);
        let checksum = CRC.checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`ImageError`] when they are no made-up image, or one that is cut short, too long or corrupt.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let header = Header::parse(bytes)?;
        let (expected, seen) = (header.image_len(), bytes.len() as u64);
        if expected > Self::LARGEST {
            return Err(ImageError::Size { least: Self::OVERHEAD as u64, most: Self::LARGEST, asked: expected });
        }
        if seen < expected {
            return Err(ImageError::Truncated { expected, seen });
        }
        if seen > expected {
            return Err(ImageError::TooLong { expected, seen });
        }
        let Some((body, &checksum)) = bytes.split_last_chunk::<4>() else {
            return Err(ImageError::Truncated { expected, seen });
        };
        let (expected, seen) = (CRC.checksum(body), u32::from_le_bytes(checksum));
        if expected != seen {
            return Err(ImageError::Checksum { expected, seen });
        }
        Ok(Self { versions: header.versions, key: header.key, payload: body[Header::LEN..].to_vec() })
    }

    /// The name of its file, as ST's releases form it.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.versions.file_name(self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn image() -> Image {
        let mut versions = Versions::all(Version::new(2, 7, 0));
        versions.w = Some(Version::new(1, 2, 3));
        Image::make(versions, KeyNumber::DEFAULT, 300).unwrap()
    }

    #[test]
    fn the_size_is_that_of_the_file() {
        assert_eq!(image().to_bytes().len(), 300);
        assert_eq!(Image::make(image().versions, KeyNumber::DEFAULT, 52).unwrap().payload(), b"");
        let error = Image::make(image().versions, KeyNumber::DEFAULT, 51).unwrap_err();
        assert_eq!(error.to_string(), "a made-up image has 52 to 67108864 bytes, header and checksum included; 51 were asked for");
        assert!(Image::make(image().versions, KeyNumber::DEFAULT, u64::MAX).is_err());
    }

    #[test]
    fn the_payload_follows_from_the_contents() {
        let other = Image::make(image().versions, "0406".parse().unwrap(), 300).unwrap();
        assert_eq!(image(), image());
        assert_ne!(image().payload(), other.payload());
    }

    #[test]
    fn each_defect_is_told_apart() {
        let good = image().to_bytes();
        assert_eq!(Image::parse(&good), Ok(image()));
        assert_eq!(Image::parse(&good[..200]), Err(ImageError::Truncated { expected: 300, seen: 200 }));
        assert_eq!(Image::parse(&good[..20]), Err(ImageError::Truncated { expected: 52, seen: 20 }));
        assert_eq!(Image::parse(b"MZ"), Err(ImageError::Magic { seen: b"MZ".to_vec() }));
        assert_eq!(Image::parse(&[good.as_slice(), b"\0"].concat()), Err(ImageError::TooLong { expected: 300, seen: 301 }));
        let altered = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            Image::parse(&bytes)
        };
        assert_eq!(altered(8, 2), Err(ImageError::Format { seen: 2 }));
        assert_eq!(altered(9, 4), Err(ImageError::Field { field: "list of parts", seen: vec![4] }));
        assert_eq!(altered(41, b'x'), Err(ImageError::Field { field: "key number", seen: b"0x05".to_vec() }));
        assert!(matches!(altered(100, good[100] ^ 1), Err(ImageError::Checksum { expected, seen }) if expected != seen));
    }

    #[test]
    fn the_checksum_is_the_one_of_zip_files() {
        assert_eq!(CRC.checksum(b"123456789"), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(numbers in any::<[[u16; 3]; 5]>(), g: bool, w: bool, key in "[0-9a-f]{4}", size in 52_u64..2000) {
            let [a, m, s, gnss, mbus] = numbers.map(|[major, minor, patch]| Version::new(major, minor, patch));
            let versions = Versions { a, m, s, g: g.then_some(gnss), w: w.then_some(mbus) };
            let image = Image::make(versions, key.parse().unwrap(), size).unwrap();
            prop_assert_eq!(Image::parse(&image.to_bytes()), Ok(image.clone()));
            prop_assert_eq!(Versions::from_file_name(&image.file_name()), Ok((versions, image.key)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), good_start: bool) {
            let bytes = if good_start { [&image().to_bytes()[..48], &bytes].concat() } else { bytes };
            let _ = Image::parse(&bytes);
        }
    }

    /// The files of fixtures/images, as its README says that they are made.
    fn fixture(name: &str) -> (String, Vec<u8>) {
        let make = |version, key: &str| Image::make(Versions::all(version), key.parse().unwrap(), 2048).unwrap();
        let (image, prefix) = match name {
            "2.6.0" => (make(Version::new(2, 6, 0), "0405"), ""),
            "2.7.0" => (make(Version::new(2, 7, 0), "0405"), ""),
            "2.8.0" | "corrupt" => (make(Version::new(2, 8, 0), "0405"), if name == "corrupt" { "corrupt_" } else { "" }),
            _ => (make(Version::new(2, 8, 0), "0999"), ""),
        };
        let mut bytes = image.to_bytes();
        if name == "corrupt" {
            bytes[1024] ^= 0xff;
        }
        (format!("{prefix}{}", image.file_name()), bytes)
    }

    /// With `EVKIT_HIL_WRITE_FIXTURES=1` in the environment it writes the files instead, as fixtures/images/README.md says.
    #[rstest]
    #[case("2.6.0")]
    #[case("2.7.0")]
    #[case("2.8.0")]
    #[case("wrong key")]
    #[case("corrupt")]
    fn fixtures_are_what_the_code_makes(#[case] name: &str) {
        let (file, bytes) = fixture(name);
        let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images").join(file);
        if std::env::var_os("EVKIT_HIL_WRITE_FIXTURES").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{} is not what the code makes", path.display());
        assert_eq!(Image::parse(&bytes).is_ok(), name != "corrupt");
    }
}
