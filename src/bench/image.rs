//! Images of the bench file, which are read with it.

use std::collections::BTreeMap;

use super::file::{ImageFileMap, VersionsMap};
use super::reader::Reader;
use crate::document::{Cursor, Entries, Refusal, Text};
use crate::image::{Version, Versions, sha256_hex};
use crate::plan::PlannedImage;
use crate::scenario::{IMAGE_NAME, is_image_name};

/// The largest image that is read.
const MAX_IMAGE: u64 = 64 * 1024 * 1024;

impl Reader<'_> {
    pub(super) fn images(&mut self, raw: Option<&Entries<ImageFileMap>>, list: Cursor<'_>) -> BTreeMap<String, PlannedImage> {
        let mut images = BTreeMap::new();
        for (name, map) in raw.map_or(&[][..], |Entries(raw)| raw) {
            let at = list.get(name);
            if !is_image_name(name) {
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of an image")).hint(IMAGE_NAME));
            }
            if let Some(image) = self.image(name, map, at) {
                images.insert(name.clone(), image);
            }
        }
        images
    }

    fn image(&mut self, name: &str, map: &ImageFileMap, at: Cursor<'_>) -> Option<PlannedImage> {
        let path = self.path(at.get("path"), &map.path)?;
        let wrong = |message: String| Refusal::new(message, "the path is relative to the bench file");
        let bytes = self.value(at.get("path"), &map.path, |_| {
            let cannot = |error: std::io::Error| wrong(format!("cannot read the image: {error}"));
            let length = std::fs::metadata(&path).map_err(cannot)?.len();
            if length == 0 || length > MAX_IMAGE {
                return Err(wrong(format!("an image of {length} bytes; expected from 1 B to 64 MiB")));
            }
            std::fs::read(&path).map_err(cannot)
        })?;
        let sha256 = sha256_hex(&bytes);
        if let Some(text) = &map.sha256 {
            self.value(at.get("sha256"), text, |text| {
                if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(Refusal::new("this is no SHA-256", "64 digits in hex, as `sha256sum` prints them"));
                }
                let same = text.eq_ignore_ascii_case(&sha256);
                if same {
                    Ok(())
                } else {
                    Err(Refusal::new(
                        "the image has another SHA-256",
                        format!("the file's is {sha256}; find out which of the two is right"),
                    ))
                }
            })?;
        }
        let file_name = path.file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
        let versions = match &map.versions {
            Some(map) => Some(self.versions(map, at.get("versions"))?),
            None => Versions::from_file_name(&file_name).ok().map(|(versions, _)| versions),
        };
        Some(PlannedImage { name: name.to_owned(), file_name, bytes: bytes.into(), sha256, versions, made_up: false })
    }

    /// Versions as the file gives them; M and S follow A where they are not given.
    fn versions(&mut self, map: &VersionsMap, at: Cursor<'_>) -> Option<Versions> {
        let mut of = |letter: &str, text: Option<&Text>| match text {
            Some(text) => self.value(at.get(letter), text, |text| Ok(text.parse::<Version>()?)).map(Some),
            None => Some(None),
        };
        let (a, m, s) = (of("A", Some(&map.application)), of("M", map.modem.as_ref()), of("S", map.secure.as_ref()));
        let (g, w) = (of("G", map.gnss.as_ref()), of("W", map.wmbus.as_ref()));
        let a = a??;
        Some(Versions { a, m: m?.unwrap_or(a), s: s?.unwrap_or(a), g: g?, w: w? })
    }
}
