//! Images that a scenario makes for itself, in the project's own made-up format, and damaged copies of any image.

use std::collections::{BTreeMap, HashMap};

use super::file::{DamageMap, ImageMap, MakeMap};
use super::patterns::hex_bytes;
use super::reader::Reader;
use crate::document::{Cursor, Refusal, Text, known};
use crate::image::{Image, KeyNumber, Version, Versions};
use crate::plan::units::parse_size;
use crate::plan::{Place, PlannedImage};

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

/// Whether the scenario has an image called `name` before the one at `cursor`.
fn stands_before(name: &str, cursor: Cursor<'_>) -> bool {
    let images = cursor.document().root().find("images").into_iter().flat_map(|images| images.entries());
    images.take_while(|image| image.key() != cursor.key()).any(|image| image.key() == Some(name))
}

impl Made {
    /// The image called `name` that `map` describes at `cursor`: made, or a copy of one of `images`, and damaged if that is asked for.
    pub(super) fn image(
        &mut self,
        name: &str,
        map: &ImageMap,
        cursor: Cursor<'_>,
        images: &BTreeMap<String, PlannedImage>,
        reader: &mut Reader<'_>,
    ) -> Option<PlannedImage> {
        let sound = match (&map.make, &map.from) {
            (Some(make), None) => self.make(name, make, cursor.get("make"), reader),
            // That one was complained about, and a copy of it is no further mistake.
            (None, Some(from)) if !images.contains_key(&**from) && stands_before(from, cursor) => None,
            (None, Some(from)) => {
                let place = cursor.get("from");
                let from = reader.value(place, from, |from| match images.get(from) {
                    Some(image) => Ok(PlannedImage { name: name.to_owned(), ..image.clone() }),
                    None => Err(Refusal::new(
                        format!("there is no image `{from}` before this one"),
                        known(from, images.keys().map(String::as_str)),
                    )),
                });
                if map.damage.is_none() && from.is_some() {
                    reader.push(
                        place
                            .key_problem("a copy that differs in nothing")
                            .hint("give it `damage: { offset: 50 %, xor: ff }`, or name the image itself"),
                    );
                    return None;
                }
                from
            }
            _ => {
                reader.push(
                    cursor
                        .key_problem("an image is either made or a copy")
                        .hint("write `make: { A: 2.8.0 }`, or `from: NAME` with `damage`"),
                );
                None
            }
        }?;
        match &map.damage {
            Some(damage) => damaged(name, &sound, damage, cursor.get("damage"), reader),
            None => Some(sound),
        }
    }

    /// The image called `name` that `make` describes at `cursor`.
    fn make(&mut self, name: &str, make: &MakeMap, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<PlannedImage> {
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

fn damaged(name: &str, sound: &PlannedImage, damage: &DamageMap, cursor: Cursor<'_>, reader: &mut Reader<'_>) -> Option<PlannedImage> {
    let offset = reader.value(cursor.get("offset"), &damage.offset, place);
    let xor = reader.value(cursor.get("xor"), &damage.xor, |text| {
        hex_bytes(text).and_then(|bytes| match bytes.iter().all(|byte| *byte == 0) {
            true => Err(Refusal::new("an exclusive or with zeros changes nothing", "give at least one byte that is not 00: `xor: ff`")),
            false => Ok(bytes),
        })
    });
    let (offset, xor) = (offset?, xor?);
    let damaged = sound.damaged(name, offset, &xor);
    if damaged.is_none() {
        let message = format!("the damage lies behind the end of the image, which has {} bytes", sound.bytes.len());
        reader.push(cursor.get("offset").problem(message).hint("bytes are counted from 0; `100 %` is the last byte"));
    }
    damaged
}

/// A place in an image: `512 B`, `8 KiB`, `50 %`.
pub(super) fn place(text: &str) -> Result<Place, Refusal> {
    let Some(percent) = text.strip_suffix('%') else { return Ok(Place::Bytes(parse_size(text)?)) };
    percent
        .trim_end()
        .parse::<u8>()
        .ok()
        .filter(|percent| *percent <= 100)
        .map(Place::Percent)
        .ok_or_else(|| Refusal::new(format!("`{text}` is not a share of an image"), "a whole number from `0 %` to `100 %`"))
}

/// Absent stays absent; given and wrong is `None` at the outside.
fn optional(version: Option<Option<Version>>) -> Option<Option<Version>> {
    match version {
        None => Some(None),
        Some(None) => None,
        Some(known) => Some(known),
    }
}
