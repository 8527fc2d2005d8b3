//! A scenario file as it is written: keys checked, values still text.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use super::setup::SetupMap;
use crate::document::schema::{baud, duration, size, version};
use crate::document::{Entries, Short, Text, given};

/// A scenario: what is done to a board, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ScenarioFile {
    /// The number of the format: 1.
    #[schemars(schema_with = "schema::format")]
    pub(super) format: Text,
    /// The scenario's name; no two of a run share one.
    pub(super) scenario: Text,
    /// What it is for, in a sentence.
    #[serde(default, deserialize_with = "given")]
    pub(super) summary: Option<Text>,
    /// Words to select it by: small letters, digits and `-`.
    #[serde(default, deserialize_with = "given")]
    pub(super) tags: Option<Vec<Text>>,
    /// What the steps may do to a board.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::effects")]
    pub(super) effects: Option<Vec<Text>>,
    /// What a board must report, or the case is skipped.
    #[serde(default, deserialize_with = "given")]
    pub(super) requires: Option<RequiresMap>,
    /// Names and lists of values: one case for each combination. `$name` is the value.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::matrix")]
    pub(super) matrix: Option<Entries<Vec<Text>>>,
    /// How a virtual board is set up for the case.
    #[serde(default, rename = "virtual", deserialize_with = "given")]
    #[schemars(schema_with = "schema::settings")]
    pub(super) virtual_board: Option<SetupMap>,
    /// Images made for the case, by the name that steps use.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::images")]
    pub(super) images: Option<Entries<ImageMap>>,
    /// Whether the module may restart by itself; it may not if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::truth")]
    pub(super) may_reset: Option<Text>,
    /// Whether words of the module may come damaged; they may not if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::truth")]
    pub(super) may_damage: Option<Text>,
    /// How long `steps` may take in all; the sum of their bounds and 5 s if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "duration")]
    pub(super) deadline: Option<Text>,
    /// How long `finally` may take; never less than the sum of its bounds.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "duration")]
    pub(super) finally_deadline: Option<Text>,
    /// What is done, in order; the first step that fails ends them.
    #[schemars(length(min = 1))]
    pub(super) steps: Vec<Verb>,
    /// Steps that always run, however `steps` ended.
    #[serde(default, deserialize_with = "given")]
    pub(super) finally: Option<Vec<Verb>>,
}

/// A step: a map with one key, the verb.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verb {
    /// Drives the reset line: `{ pulse: 15 ms }`, `assert` or `release`.
    #[schemars(schema_with = "schema::reset")]
    Reset(Short<ResetMap>),
    /// Drives a named line: `{ name: wake, pulse: 100 ms }`, or a state.
    Line(LineMap),
    /// Switches the module's supply: `on`, `off` or `{ cycle: 2 s }`.
    #[schemars(schema_with = "schema::power")]
    Power(Short<PowerMap>),
    /// Sets the host's speed, after everything sent has left the wire.
    Uart(UartMap),
    /// Sends bytes as they are, at once or at a planned time.
    Send(SendMap),
    /// Waits for one pattern among the bytes since the last match, release or command.
    Expect(ExpectMap),
    /// Not one byte may come for so long, or only these patterns may not.
    #[schemars(schema_with = "schema::quiet")]
    Quiet(Short<QuietMap>),
    /// Waits; what comes meanwhile is kept for the next `expect`.
    #[schemars(schema_with = "schema::wait")]
    Wait(Short<WaitMap>),
    /// A command to the application, its CR added, and its final result.
    At(AtMap),
    /// A reset pulse and the hotkey, until the boot code acknowledges.
    #[schemars(schema_with = "schema::handshake")]
    Handshake(Short<HandshakeMap>),
    /// A command to the boot code, and its result.
    Boot(BootMap),
    /// AT#UP and the image, which the device pulls.
    Upload(UploadMap),
    /// The cause that diagnosis must find from what happened since the last release.
    #[schemars(schema_with = "schema::diagnosis")]
    Diagnosis(Short<DiagnosisMap>),
    /// Compares a value that was kept.
    Check(CheckMap),
    /// The time between two events, kept under a name.
    Measure(MeasureMap),
    /// Writes a line into the timeline.
    #[schemars(schema_with = "schema::note")]
    Note(Short<NoteMap>),
    /// Does its steps again when one fails.
    Retry(RetryMap),
    /// Does its steps several times, each of which must pass.
    Repeat(RepeatMap),
    /// Waits for several patterns in any order.
    All(AllMap),
    /// Waits for the first of several patterns.
    Any(AnyMap),
    /// Does the steps of one of two lists.
    When(WhenMap),
    /// The steps of a fragment, in the place of this one.
    #[schemars(schema_with = "schema::include")]
    Include(Short<IncludeMap>),
    /// Puts the board back: line released, application answering at the bench's speed.
    #[schemars(schema_with = "schema::restore")]
    Restore(Short<RestoreMap>),
}

/// Every verb, in the order of the reference.
pub const VERBS: &[&str] = &[
    "reset",
    "line",
    "power",
    "uart",
    "send",
    "expect",
    "quiet",
    "wait",
    "at",
    "handshake",
    "boot",
    "upload",
    "diagnosis",
    "check",
    "measure",
    "note",
    "retry",
    "repeat",
    "all",
    "any",
    "when",
    "include",
    "restore",
];

/// Declares a map of a file: keys that must be there, then keys that may. What is said above a key is shown by editors; `expecting` is an example, shown where something else stands in the map's place.
macro_rules! map {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$needed_about:meta])* $needed:ident: $needed_type:ty),*;
        $($(#[$about:meta])* $optional:ident: $type:ty),* $(,)?
    }) => {
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        $(#[$doc])*
        pub(super) struct $name {
            $($(#[$needed_about])* pub(super) $needed: $needed_type,)*
            $($(#[$about])* #[serde(default, deserialize_with = "given")] pub(super) $optional: Option<$type>,)*
        }
    };
}

map!(
    /// What a board must report.
    #[serde(expecting = "{ firmware: \">=2.6.0\" }")]
    RequiresMap {
        ;
        /// Bounds on the version of the application, all of which must hold: `">=2.6.0, <3.0.0"`.
        firmware: Text,
    }
);

map!(
    /// An image that is made when the file is read, or a copy of another.
    ImageMap {
        ;
        /// What the image is made of.
        make: MakeMap,
        /// The image that it is a copy of: one of the bench, or one that stands before it.
        from: Text,
        /// How the image is damaged.
        damage: DamageMap,
    }
);

map!(
    /// Bytes of an image that are changed.
    #[serde(expecting = "{ offset: 50 %, xor: ff }")]
    DamageMap {
        /// The first of them: `512 B`, or a share of the image, `50 %`.
        #[schemars(schema_with = "schema::place")]
        offset: Text,
        /// What they are changed by, with exclusive or: bytes in hex, `ff`.
        xor: Text;
    }
);

map!(
    /// Bytes to look for, in one of three forms.
    #[serde(expecting = "{ text: \"OK\\r\\n\" }")]
    PatternMap {
        ;
        /// These bytes, as text: ASCII, escapes in double quotes.
        text: Text,
        /// These bytes: `c5 ff`, in quotes.
        hex: Text,
        /// A regular expression over bytes, in single quotes, decided by its last byte.
        regex: Text,
    }
);

map!(
    /// How the reset line is driven.
    ResetMap {
        ;
        /// Asserts the line for so long and releases it.
        #[schemars(schema_with = "duration")]
        pulse: Text,
        /// Drives the line and leaves it there.
        #[schemars(schema_with = "schema::line_state")]
        line: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// A named line, and how it is driven.
    #[serde(expecting = "{ name: wake, pulse: 100 ms }")]
    LineMap {
        /// The line, as the bench names it under `lines`.
        name: Text;
        /// Asserts the line for so long and releases it.
        #[schemars(schema_with = "duration")]
        pulse: Text,
        /// Drives the line and leaves it there.
        #[schemars(schema_with = "schema::line_state")]
        state: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// The module's supply.
    PowerMap {
        ;
        /// What it is switched to.
        #[schemars(schema_with = "schema::power_state")]
        state: Text,
        /// Off for so long, and on again.
        #[schemars(schema_with = "duration")]
        cycle: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// The host's speed.
    #[serde(expecting = "{ baud: 460800 }")]
    UartMap {
        /// The speed, in baud.
        #[schemars(schema_with = "baud")]
        baud: Text;
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// What is sent, and when.
    #[serde(expecting = "{ text: \"AT\\r\" }")]
    SendMap {
        ;
        /// These bytes, as text: ASCII, escapes in double quotes.
        text: Text,
        /// These bytes: `c5 ff`, in quotes.
        hex: Text,
        /// When the write begins: `release + 12 ms`; at once if not given.
        #[schemars(schema_with = "schema::after_anchor")]
        at: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// What must come, and by when.
    #[serde(expecting = "{ text: \"OK\\r\\n\", within: 2 s }")]
    ExpectMap {
        /// How long it may take, counted from `of`.
        #[schemars(schema_with = "duration")]
        within: Text;
        /// These bytes, as text: ASCII, escapes in double quotes.
        text: Text,
        /// These bytes: `c5 ff`, in quotes.
        hex: Text,
        /// A regular expression over bytes, in single quotes, decided by its last byte.
        regex: Text,
        /// A line that the board drives, as the bench names it: an edge of it is waited for.
        line: Text,
        /// Which edge of the line; any if not given.
        #[schemars(schema_with = "schema::edge")]
        edge: Text,
        /// The event that `within` counts from; `step-before` if not given.
        #[schemars(schema_with = "schema::anchor")]
        of: Text,
        /// A name for the match, as an event that times count from.
        r#as: Text,
        /// Patterns that must not come before it.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// How many bytes of a match are looked at for its begin and captures; 4 KiB if not given.
        #[schemars(schema_with = "size")]
        capture_limit: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// What must not come, and for how long.
    QuietMap {
        /// How long.
        #[schemars(schema_with = "duration")]
        r#for: Text;
        /// What must not come; no byte at all if not given.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A wait.
    WaitMap {
        /// How long.
        #[schemars(schema_with = "duration")]
        r#for: Text;
        /// Patterns that must not come while the step runs.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// A command to the application.
    #[serde(expecting = "{ command: AT }")]
    AtMap {
        /// Printable ASCII; its CR is added.
        command: Text;
        /// The final result: `OK` if not given.
        #[schemars(schema_with = "schema::answer")]
        answer: Text,
        /// A pattern that the lines before the result must show.
        shows: PatternMap,
        /// How long one try may take; 2 s if not given.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// How often it is sent before silence counts; once if not given.
        #[schemars(schema_with = "schema::tries")]
        tries: Text,
        /// Patterns that must not come while the step runs.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A reset pulse and the hotkey.
    HandshakeMap {
        ;
        /// `repeat`: the hotkey again and again from the release on (default); `st`: as Easy Connect does.
        #[schemars(schema_with = "schema::strategy")]
        strategy: Text,
        /// `repeat` only: time between two hotkeys; 5 ms if not given.
        #[schemars(schema_with = "duration")]
        every: Text,
        /// The reset pulse, 15 ms if not given; `none` leaves the line alone.
        #[schemars(schema_with = "schema::pulse")]
        pulse: Text,
        /// `repeat` only: how long after the release the acknowledge may take; 1 s if not given.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// What must come of it; `acknowledged` if not given.
        #[schemars(schema_with = "schema::outcome")]
        outcome: Text,
        /// Patterns that must not come while the step runs.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A command to the boot code.
    #[serde(expecting = "{ command: ATI0 }")]
    BootMap {
        /// Printable ASCII, at most 160 characters.
        command: Text;
        /// `0` (default), a `40xx`, `error` for any of those, `any` or `silent`.
        #[schemars(schema_with = "schema::boot_result")]
        result: Text,
        /// A pattern that the lines before the result must show.
        shows: PatternMap,
        /// How long one try may take; 300 ms if not given.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// Patterns that must not come while the step runs.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// An upload.
    #[serde(expecting = "{ image: newer }")]
    UploadMap {
        /// The name of an image of this file or of the bench file, or `{ make: … }`.
        #[schemars(schema_with = "schema::image")]
        image: Short<ImageMap>;
        /// What the device does with it; `accepted` if not given.
        #[schemars(schema_with = "schema::upload_result")]
        result: Text,
        /// How long the answer to `AT#UP` may take; 300 ms if not given, as Easy Connect waits.
        #[schemars(schema_with = "duration")]
        answer_within: Text,
        /// How long one request may take; 10 s if not given.
        #[schemars(schema_with = "duration")]
        request_within: Text,
        /// How long the whole may take; 10 min if not given.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// Patterns that must not come while the step runs.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A cause.
    DiagnosisMap {
        /// The cause that must be found.
        #[schemars(schema_with = "schema::cause")]
        cause: Text;
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// A handler: what it waits for while its step runs, and what it does then.
    OnMap {
        /// What is done: steps that do not wait.
        steps: Vec<Verb>;
        /// These bytes, as text: ASCII, escapes in double quotes.
        text: Text,
        /// These bytes: `c5 ff`, in quotes.
        hex: Text,
        /// A regular expression over bytes, in single quotes, decided by its last byte.
        regex: Text,
        /// In `upload`: so many bytes of the image were sent, `4096` or `50 %`.
        #[schemars(schema_with = "schema::sent")]
        byte: Text,
        /// Where the pattern comes from.
        #[schemars(schema_with = "schema::stream")]
        stream: Text,
    }
);

map!(
    /// A value that was kept, and its bounds.
    #[serde(expecting = "{ value: $version, is: 2.7.0 }")]
    CheckMap {
        /// What is compared: `$version`.
        value: Text,
        /// One bound or several with commas between: `">=2.7.0, <3.0.0"`; no sign for equal.
        is: Text;
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A time between two events.
    #[serde(expecting = "{ name: start, from: release, to: match }")]
    MeasureMap {
        /// The name under which it is kept.
        name: Text,
        /// The event that it counts from.
        #[schemars(schema_with = "schema::anchor")]
        from: Text,
        /// The event that it counts to.
        #[schemars(schema_with = "schema::anchor")]
        to: Text;
        /// What it may be at most.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// A line for the timeline.
    NoteMap {
        /// The line; `$version` is a value that was kept.
        text: Text;
    }
);

map!(
    /// Steps that are tried again.
    #[serde(expecting = "{ times: 3, steps: [ … ] }")]
    RetryMap {
        /// How often at most.
        #[schemars(schema_with = "schema::retries")]
        times: Text,
        /// The steps.
        steps: Vec<Verb>;
        /// How long is waited between two tries; not at all if not given.
        #[schemars(schema_with = "duration")]
        pause: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// Steps that are done several times.
    #[serde(expecting = "{ times: 3, steps: [ … ] }")]
    RepeatMap {
        /// The steps.
        steps: Vec<Verb>;
        /// How often.
        #[schemars(schema_with = "schema::rounds")]
        times: Text,
        /// How long: no round begins after that.
        #[schemars(schema_with = "duration")]
        r#for: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// Several patterns, each of which must come.
    #[serde(expecting = "{ within: 5 s, patterns: [ … ] }")]
    AllMap {
        /// How long it may take, counted from `of`.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// The patterns.
        patterns: Vec<PatternMap>;
        /// The event that `within` counts from; `step-before` if not given.
        #[schemars(schema_with = "schema::anchor")]
        of: Text,
        /// Patterns that must not come before the last of them.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// Several patterns, of which the first counts.
    #[serde(expecting = "{ within: 5 s, patterns: { … } }")]
    AnyMap {
        /// How long it may take, counted from `of`.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// The patterns, by name.
        #[schemars(schema_with = "schema::named_patterns")]
        patterns: Entries<PatternMap>;
        /// The event that `within` counts from; `step-before` if not given.
        #[schemars(schema_with = "schema::anchor")]
        of: Text,
        /// Under which name that of the pattern that came is kept.
        keep: Text,
        /// Patterns that must not come before it.
        never: Vec<PatternMap>,
        /// What is done when something comes, without an end to the waiting.
        on: Vec<OnMap>,
        /// Why the step is there; shown when it fails.
        because: Text,
        /// A positive control: when it fails, the case proves nothing and is an error.
        #[schemars(schema_with = "schema::truth")]
        control: Text,
    }
);

map!(
    /// Two lists of steps, of which one is done.
    #[serde(expecting = "{ value: $version, is: 2.7.0, steps: [ … ] }")]
    WhenMap {
        /// What is compared: `$who`.
        value: Text,
        /// One bound or several with commas between; no sign for equal.
        is: Text,
        /// Done when it holds.
        steps: Vec<Verb>;
        /// Done when it does not.
        r#else: Vec<Verb>,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

map!(
    /// A fragment, and the values of its parameters.
    IncludeMap {
        /// Its file, relative to the file that names it.
        file: Text;
        /// Parameters by name, with their values.
        #[schemars(schema_with = "schema::parameters")]
        with: Entries<Text>,
    }
);

map!(
    /// How the board is put back.
    RestoreMap {
        ;
        /// The speeds at which the application is looked for, in order.
        #[schemars(schema_with = "schema::speeds")]
        speeds: Vec<Text>,
        /// How long it may take; 60 s if not given.
        #[schemars(schema_with = "duration")]
        within: Text,
        /// Whether it may reset the board; `true` if not given. With `false` it fails where the application is not found without.
        #[schemars(schema_with = "schema::truth")]
        reset: Text,
        /// Why the step is there; shown when it fails.
        because: Text,
    }
);

/// A fragment: steps that several scenarios share, in a file of their own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FragmentFile {
    /// The number of the format: 1.
    #[schemars(schema_with = "schema::format")]
    pub(super) format: Text,
    /// What its steps do, in a few words.
    #[serde(rename = "fragment")]
    pub(super) name: Text,
    /// What it is for, in a sentence.
    #[serde(default, deserialize_with = "given")]
    pub(super) summary: Option<Text>,
    /// Names, with the value that holds where none is given; without one, it must be given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::defaults")]
    pub(super) parameters: Option<Entries<Option<Text>>>,
    /// The steps.
    pub(super) steps: Vec<Verb>,
}

/// What a made-up image is made of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeMap {
    /// The version of the application: `2.8.0`.
    #[serde(rename = "A")]
    #[schemars(schema_with = "version")]
    pub(super) application: Text,
    /// The version of the modem; that of the application if not given.
    #[serde(default, rename = "M", deserialize_with = "given")]
    #[schemars(schema_with = "version")]
    pub(super) modem: Option<Text>,
    /// The version of the secure core; that of the application if not given.
    #[serde(default, rename = "S", deserialize_with = "given")]
    #[schemars(schema_with = "version")]
    pub(super) secure: Option<Text>,
    /// The version of the GNSS core; none if not given.
    #[serde(default, rename = "G", deserialize_with = "given")]
    #[schemars(schema_with = "version")]
    pub(super) gnss: Option<Text>,
    /// The version of the wireless M-Bus core; none if not given.
    #[serde(default, rename = "W", deserialize_with = "given")]
    #[schemars(schema_with = "version")]
    pub(super) wmbus: Option<Text>,
    /// The number of the signing key, four digits; 0405 if not given.
    #[serde(default, deserialize_with = "given")]
    pub(super) key: Option<Text>,
    /// The size, header and checksum included; 16 KiB if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "size")]
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
