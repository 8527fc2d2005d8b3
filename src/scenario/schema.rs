//! JSON Schema of scenario files: what the types of [`file`](super::file) cannot say by themselves. Words come from the tables that the reading goes by.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::file::{
    FragmentFile, HandshakeMap, ImageMap, IncludeMap, NoteMap, PatternMap, PowerMap, QuietMap, ResetMap, RestoreMap, ScenarioFile, WaitMap,
};
use super::matrix::NAME_PATTERN;
use super::variables::IMAGE_NAME_PATTERN;
use super::verbs::{
    ANSWERS, BOOT_RESULTS, EDGES, LINE_STATES, OUTCOMES, POWER_STATES, RETRIES, ROUNDS, STRATEGIES, STREAMS, TRIES, UPLOAD_RESULTS,
};
use crate::diagnosis::Cause;
use crate::document::schema::{self, or_variable, scalar, short, words, words_of};
use crate::document::{FORMAT, TRUTH, Text};
use crate::model::evkit::{Fault, Settings};
use crate::plan::{Anchor, Effect};

/// The JSON Schema of scenario files: draft 7, as `docs/schema/scenario.schema.json` has it. It refuses nothing that [`load`](super::load) takes.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema::of_file::<ScenarioFile>("evkit-hil scenario")
}

/// The same of fragments, as `docs/schema/fragment.schema.json` has it.
#[must_use]
pub fn fragment_schema() -> serde_json::Value {
    schema::of_file::<FragmentFile>("evkit-hil fragment")
}

pub(super) fn format(_: &mut SchemaGenerator) -> Schema {
    words([FORMAT])
}

pub(super) fn effects(_: &mut SchemaGenerator) -> Schema {
    let effect = words(Effect::ALL.iter().map(|effect| effect.name()));
    json_schema!({ "type": "array", "items": effect })
}

pub(super) fn matrix(generator: &mut SchemaGenerator) -> Schema {
    schema::named::<Vec<Text>>(generator, NAME_PATTERN)
}

pub(super) fn images(generator: &mut SchemaGenerator) -> Schema {
    schema::named::<ImageMap>(generator, IMAGE_NAME_PATTERN)
}

/// What a virtual board is set up with.
pub(crate) fn settings(_: &mut SchemaGenerator) -> Schema {
    let names = words(Fault::ALL.iter().map(|fault| fault.name));
    // Blanks around a name are taken off, and a value may stand behind it.
    let fault = json_schema!({ "anyOf": [names, { "type": "string", "pattern": r"\$|=|^\s|\s$" }] });
    let faults = json_schema!({
        "description": "A fault, or a list of them, each as its name or as NAME=VALUE; `evkit-hil settings --faults` lists them.",
        "anyOf": [fault, { "type": "array", "items": fault }],
    });
    let settings = Settings::describe().into_iter().map(|setting| {
        let mut value = match setting.words {
            [] => scalar(),
            // Blanks around a setting's value are taken off.
            all => json_schema!({ "anyOf": [words(all.iter().copied()), { "type": "string", "pattern": r"\$|^\s|\s$" }] }),
        };
        value.insert(
            "description".to_owned(),
            format!("{} Takes {}; {} if not given.", setting.meaning, setting.takes, setting.default).into(),
        );
        (setting.name, value)
    });
    schema::keys(std::iter::once((Settings::FAULT, faults)).chain(settings))
}

pub(super) fn truth(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(TRUTH))
}

pub(super) fn reset(generator: &mut SchemaGenerator) -> Schema {
    let state = line_state(generator);
    short::<ResetMap>(generator, [state])
}

pub(super) fn power(generator: &mut SchemaGenerator) -> Schema {
    let state = power_state(generator);
    short::<PowerMap>(generator, [state])
}

/// YAML takes `on` and `off` for words, and some editors for truth values.
pub(super) fn power_state(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [words_of(POWER_STATES), { "type": "boolean" }, { "type": "string", "pattern": r"\$" }] })
}

pub(super) fn edge(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(EDGES))
}

pub(super) fn line_state(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(LINE_STATES))
}

pub(super) fn quiet(generator: &mut SchemaGenerator) -> Schema {
    let duration = schema::duration(generator);
    short::<QuietMap>(generator, [duration])
}

pub(super) fn wait(generator: &mut SchemaGenerator) -> Schema {
    let duration = schema::duration(generator);
    short::<WaitMap>(generator, [duration])
}

pub(super) fn handshake(generator: &mut SchemaGenerator) -> Schema {
    short::<HandshakeMap>(generator, [schema::nothing()])
}

pub(super) fn restore(generator: &mut SchemaGenerator) -> Schema {
    short::<RestoreMap>(generator, [schema::nothing()])
}

pub(super) fn diagnosis(generator: &mut SchemaGenerator) -> Schema {
    let cause = cause(generator);
    short::<super::file::DiagnosisMap>(generator, [cause])
}

pub(super) fn cause(_: &mut SchemaGenerator) -> Schema {
    or_variable(words(Cause::ALL.iter().map(|cause| cause.name())))
}

/// One of the events that there always are, or the name that an `as` gave.
pub(super) fn anchor(_: &mut SchemaGenerator) -> Schema {
    let known = words(Anchor::ALL.iter().map(|anchor| anchor.name()));
    json_schema!({ "anyOf": [known, { "type": "string", "pattern": format!(r"{NAME_PATTERN}|\$") }] })
}

/// An event, alone or with a duration behind it.
pub(super) fn after_anchor(_: &mut SchemaGenerator) -> Schema {
    let name = NAME_PATTERN.trim_start_matches('^').trim_end_matches('$');
    let names = Anchor::ALL.iter().map(|anchor| anchor.name()).chain([name]).collect::<Vec<_>>().join("|");
    let pattern = format!(r"^({names})( \+ {})?$|\$", schema::duration_pattern());
    json_schema!({ "type": "string", "pattern": pattern, "patternErrorMessage": "an event and a duration: `release + 12 ms`" })
}

pub(super) fn strategy(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(STRATEGIES))
}

pub(super) fn outcome(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(OUTCOMES))
}

pub(super) fn pulse(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [words(["none"]), schema::duration(generator)] })
}

pub(super) fn answer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [words_of(ANSWERS), { "type": "string", "pattern": r"^\+CME ERROR:|\$" }] })
}

pub(super) fn tries(_: &mut SchemaGenerator) -> Schema {
    schema::whole(&TRIES)
}

/// A code of digits may look like a number to YAML, `40e1` as well.
pub(super) fn boot_result(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [words_of(BOOT_RESULTS), { "type": "number" }, { "type": "string", "pattern": r"^40[0-9A-Fa-f]{2}$|\$" }] })
}

pub(super) fn image(generator: &mut SchemaGenerator) -> Schema {
    let name = json_schema!({ "type": "string", "pattern": format!(r"{IMAGE_NAME_PATTERN}|\$") });
    short::<ImageMap>(generator, [name])
}

pub(super) fn upload_result(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(UPLOAD_RESULTS))
}

pub(super) fn note(generator: &mut SchemaGenerator) -> Schema {
    short::<NoteMap>(generator, [scalar()])
}

pub(super) fn include(generator: &mut SchemaGenerator) -> Schema {
    short::<IncludeMap>(generator, [json_schema!({ "type": "string" })])
}

pub(super) fn parameters(generator: &mut SchemaGenerator) -> Schema {
    schema::named::<Text>(generator, NAME_PATTERN)
}

/// Values for parameters that are not given; one without a value must be.
pub(super) fn defaults(_: &mut SchemaGenerator) -> Schema {
    let value = json_schema!({ "anyOf": [scalar(), schema::nothing()] });
    json_schema!({ "type": "object", "propertyNames": { "pattern": NAME_PATTERN }, "additionalProperties": value })
}

pub(super) fn named_patterns(generator: &mut SchemaGenerator) -> Schema {
    let pattern = generator.subschema_for::<PatternMap>();
    json_schema!({ "type": "object", "additionalProperties": pattern, "minProperties": 1 })
}

pub(super) fn place(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!(r"^({})$|\$", schema::place_pattern()), "patternErrorMessage": "a place is a size or a share: `512 B`, `50 %`" })
}

/// A number of bytes, with or without its unit, or a share.
pub(super) fn sent(_: &mut SchemaGenerator) -> Schema {
    let pattern = format!(r"^([0-9]+|{})$|\$", schema::place_pattern());
    json_schema!({ "type": ["integer", "string"], "minimum": 0, "pattern": pattern })
}

pub(super) fn stream(_: &mut SchemaGenerator) -> Schema {
    or_variable(words_of(STREAMS))
}

pub(super) fn retries(_: &mut SchemaGenerator) -> Schema {
    schema::whole(&RETRIES)
}

pub(super) fn rounds(_: &mut SchemaGenerator) -> Schema {
    schema::whole(&ROUNDS)
}

pub(super) fn speeds(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": schema::baud(generator), "minItems": 1 })
}
