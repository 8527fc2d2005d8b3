//! Images that a scenario makes for itself, in the project's own made-up format.

use std::collections::HashMap;

use super::file::MakeMap;
use super::reader::Reader;
use crate::document::{Cursor, Refusal, Text};
use crate::image::{Image, KeyNumber, Version, Versions};
use crate::plan::PlannedImage;
use crate::plan::units::parse_size;

/// The largest image that is made for a plan: a matrix may make a thousand.
const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// The size of an image when the file names none.
const DEFAULT_SIZE: u64 = 16 * 1024;

/// Images made so far, by what they are made of: a matrix makes the same one once.
#[derive(Debug, Default)]
pub(super) struct Made(HashMap<String, PlannedImage>);

/// The one place that makes an image.
fn make_image(versions: Versions, key: KeyNumber, size: u64) -> Result<Image, Refusal> {
    let least = Image::OVERHEAD as u64;
    let refusal =
        |message: String| Refusal::new(message, format!("an image that is made has from {least} B to 4 MiB, header and checksum included"));
    if size > MAX_SIZE {
        return Err(refusal(format!("an image of {size} bytes")));
    }
    Image::make(versions, key, size).map_err(|error| refusal(error.to_string()))
}

impl Made {
    /// The image called `name` that `make` describes at `cursor`.
    pub(super) fn image(&mut self, name: &str, make: &MakeMap, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<PlannedImage> {
        let version = |text: &str| Ok(text.parse::<Version>()?);
        let mut of = |letter: &str, text: Option<&Text>| text.map(|text| reader.value(cursor.get(letter), text, version));
        // A version that is not given is absent; one that is wrong makes the image fail.
        let (a, m, s, g, w) = (
            of("A", Some(&make.application)),
            of("M", make.modem.as_ref()),
            of("S", make.secure.as_ref()),
            of("G", make.gnss.as_ref()),
            of("W", make.wmbus.as_ref()),
        );
        let a = a.flatten()?;
        let versions = Versions { a, m: m.unwrap_or(Some(a))?, s: s.unwrap_or(Some(a))?, g: optional(g)?, w: optional(w)? };
        let key = match &make.key {
            Some(text) => reader.value(cursor.get("key"), text, |text| {
                text.parse::<KeyNumber>().map_err(|error| Refusal::new(error.to_string(), "it stands in the names of ST's releases"))
            })?,
            None => KeyNumber::DEFAULT,
        };
        let size = match &make.size {
            Some(text) => reader.value(cursor.get("size"), text, |text| Ok(parse_size(text)?))?,
            None => DEFAULT_SIZE,
        };
        let made_of = format!("{versions:?} {key} {size}");
        if let Some(known) = self.0.get(&made_of) {
            return Some(PlannedImage { name: name.to_owned(), ..known.clone() });
        }
        match make_image(versions, key, size) {
            Ok(image) => {
                let planned = PlannedImage::made(name, &image);
                self.0.insert(made_of, planned.clone());
                Some(planned)
            }
            Err(refusal) => {
                reader.refuse(cursor.find("size").unwrap_or(cursor), refusal);
                None
            }
        }
    }
}

/// Absent stays absent; given and wrong is `None` at the outside.
fn optional(version: Option<Option<Version>>) -> Option<Option<Version>> {
    match version {
        None => Some(None),
        Some(None) => None,
        Some(known) => Some(known),
    }
}
