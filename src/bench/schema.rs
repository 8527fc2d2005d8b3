//! JSON Schema of bench files: what the types of [`file`](super::file) cannot say by themselves. Words come from the tables that the reading goes by.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::board::{CONTROL, NAME_PATTERN};
use super::file::{BenchFile, BoardMap, ImageFileMap, UsbMap, WiringMap};
use super::identity::{KINDS, SIMS};
use super::line::{ACTIVES, BACKENDS, BIASES, DIRECTIONS, DRIVES, LINE_NAME_PATTERN, MAX_GPIO, SIGNALS};
use crate::document::schema::{self, scalar, short, words, words_of};
use crate::document::{FORMAT, TRUTH};
use crate::plan::Effect;
use crate::scenario::{IMAGE_NAME_PATTERN, settings_schema};

/// The JSON Schema of bench files: draft 7, as `docs/schema/bench.schema.json` has it. It refuses nothing that [`Bench::load`](super::Bench::load) takes.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema::of_file::<BenchFile>("evkit-hil bench")
}

pub(super) fn format(_: &mut SchemaGenerator) -> Schema {
    words([FORMAT])
}

pub(super) fn boards(generator: &mut SchemaGenerator) -> Schema {
    let mut boards = schema::named::<BoardMap>(generator, NAME_PATTERN);
    boards.insert("minProperties".to_owned(), 1.into());
    boards
}

pub(super) fn images(generator: &mut SchemaGenerator) -> Schema {
    schema::named::<ImageFileMap>(generator, IMAGE_NAME_PATTERN)
}

pub(super) fn port(generator: &mut SchemaGenerator) -> Schema {
    short::<UsbMap>(generator, [scalar()])
}

/// A path, or a map of it and of what a scenario's `virtual` takes.
pub(super) fn virtual_board(generator: &mut SchemaGenerator) -> Schema {
    let mut map = settings_schema(generator);
    if let Some(serde_json::Value::Object(keys)) = map.get_mut("properties") {
        let control =
            json_schema!({ "type": ["string", "number", "boolean"], "description": "The control socket of `evkit-hil virtual`." });
        keys.insert(CONTROL.to_owned(), control.to_value());
    }
    map.insert("required".to_owned(), serde_json::json!([CONTROL]));
    json_schema!({ "anyOf": [scalar(), map] })
}

pub(super) fn allow(_: &mut SchemaGenerator) -> Schema {
    let effect = words(Effect::ALL.iter().map(|effect| effect.name()));
    json_schema!({ "type": "array", "items": effect })
}

pub(super) fn kind(_: &mut SchemaGenerator) -> Schema {
    words_of(KINDS)
}

pub(super) fn truth(_: &mut SchemaGenerator) -> Schema {
    words_of(TRUTH)
}

pub(super) fn sim(_: &mut SchemaGenerator) -> Schema {
    words_of(SIMS)
}

pub(super) fn backend(_: &mut SchemaGenerator) -> Schema {
    words_of(BACKENDS)
}

pub(super) fn gpio(_: &mut SchemaGenerator) -> Schema {
    schema::plain_whole(&(0..=MAX_GPIO))
}

pub(super) fn interface(_: &mut SchemaGenerator) -> Schema {
    schema::plain_whole(&(u8::MIN..=u8::MAX))
}

pub(super) fn lines(generator: &mut SchemaGenerator) -> Schema {
    schema::named::<WiringMap>(generator, LINE_NAME_PATTERN)
}

pub(super) fn signal(_: &mut SchemaGenerator) -> Schema {
    words_of(SIGNALS)
}

pub(super) fn direction(_: &mut SchemaGenerator) -> Schema {
    words_of(DIRECTIONS)
}

pub(super) fn drive(_: &mut SchemaGenerator) -> Schema {
    words_of(DRIVES)
}

pub(super) fn bias(_: &mut SchemaGenerator) -> Schema {
    words_of(BIASES)
}

pub(super) fn active(_: &mut SchemaGenerator) -> Schema {
    words_of(ACTIVES)
}
