//! A scenario file as it is written: keys checked, values still text.

use serde::Deserialize;

use crate::document::{Entries, Short, Text, given};

/// The outermost map.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ScenarioFile {
    pub(super) format: Text,
    pub(super) scenario: Text,
    #[serde(default, deserialize_with = "given")]
    pub(super) summary: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) tags: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) effects: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) requires: Option<RequiresMap>,
    #[serde(default, deserialize_with = "given")]
    pub(super) matrix: Option<Entries<Vec<Text>>>,
    #[serde(default, rename = "virtual", deserialize_with = "given")]
    pub(super) virtual_board: Option<Entries<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) images: Option<Entries<ImageMap>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) may_reset: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) deadline: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) finally_deadline: Option<Text>,
    pub(super) steps: Vec<Verb>,
    #[serde(default, deserialize_with = "given")]
    pub(super) finally: Option<Vec<Verb>>,
}

/// A step: a map with one key, the verb.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verb {
    Reset(Short<ResetMap>),
    Uart(UartMap),
    Send(SendMap),
    Expect(ExpectMap),
    Quiet(Short<QuietMap>),
    Wait(Short<WaitMap>),
    At(AtMap),
    Handshake(Short<HandshakeMap>),
    Boot(BootMap),
    Upload(UploadMap),
    Diagnosis(Short<DiagnosisMap>),
    Restore(Short<RestoreMap>),
}

/// Every verb, in the order of the reference.
pub const VERBS: &[&str] =
    &["reset", "uart", "send", "expect", "quiet", "wait", "at", "handshake", "boot", "upload", "diagnosis", "restore"];

/// Declares a map of a file: keys that must be there, then keys that may.
macro_rules! map {
    ($(#[$doc:meta])* $name:ident { $($needed:ident: $needed_type:ty),*; $($optional:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct $name {
            $(pub(super) $needed: $needed_type,)*
            $(#[serde(default, deserialize_with = "given")] pub(super) $optional: Option<$type>,)*
        }
    };
}

map!(RequiresMap { ; firmware: Text });
map!(ImageMap { make: MakeMap; });
map!(PatternMap { ; text: Text, hex: Text, regex: Text });
map!(ResetMap { ; pulse: Text, line: Text, because: Text });
map!(UartMap { baud: Text; because: Text });
map!(SendMap { ; text: Text, hex: Text, at: Text, because: Text });
map!(ExpectMap { within: Text; text: Text, hex: Text, regex: Text, of: Text, never: Vec<PatternMap>, capture_limit: Text, because: Text, control: Text });
map!(QuietMap { r#for: Text; never: Vec<PatternMap>, because: Text, control: Text });
map!(WaitMap { r#for: Text; because: Text });
map!(AtMap { command: Text; answer: Text, shows: PatternMap, within: Text, tries: Text, because: Text, control: Text });
map!(HandshakeMap { ; strategy: Text, every: Text, pulse: Text, within: Text, outcome: Text, because: Text, control: Text });
map!(BootMap { command: Text; result: Text, shows: PatternMap, within: Text, because: Text, control: Text });
map!(UploadMap { image: Short<ImageMap>; result: Text, request_within: Text, within: Text, because: Text, control: Text });
map!(DiagnosisMap { cause: Text; because: Text });
map!(RestoreMap { ; speeds: Vec<Text>, within: Text, because: Text });

/// What a made-up image is made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeMap {
    #[serde(rename = "A")]
    pub(super) application: Text,
    #[serde(default, rename = "M", deserialize_with = "given")]
    pub(super) modem: Option<Text>,
    #[serde(default, rename = "S", deserialize_with = "given")]
    pub(super) secure: Option<Text>,
    #[serde(default, rename = "G", deserialize_with = "given")]
    pub(super) gnss: Option<Text>,
    #[serde(default, rename = "W", deserialize_with = "given")]
    pub(super) wmbus: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) key: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) size: Option<Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_verbs_is_the_enum() {
        // serde names every variant when it refuses one.
        let refused = serde_yaml::from_str::<Verb>("!no-such-verb {}").unwrap_err().to_string();
        let named = refused.split('`').skip(3).step_by(2).collect::<Vec<_>>();
        assert_eq!(named, VERBS);
    }
}
