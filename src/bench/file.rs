//! A bench file as it is written: keys checked, values still text. What is said above a key is shown by editors.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use crate::document::schema::{plain_baud, plain_duration, plain_version};
use crate::document::{Entries, Short, Text, given};
use crate::scenario::{SetupMap, StepList};

/// A bench: the boards on this machine and how each is wired.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BenchFile {
    /// The number of the format: 1.
    #[schemars(schema_with = "schema::format")]
    pub(super) format: Text,
    /// How late this computer may be around a deadline; 1 ms if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "plain_duration")]
    pub(super) host_late: Option<Text>,
    /// The boards, by name.
    #[schemars(schema_with = "schema::boards")]
    pub(super) boards: Entries<BoardMap>,
    /// A file of lines NAME=VALUE, which only its owner may read: `$secret.NAME` in scenarios.
    #[serde(default, deserialize_with = "given")]
    pub(super) secrets: Option<Text>,
    /// Images, by the name that scenarios use.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::images")]
    pub(super) images: Option<Entries<ImageFileMap>>,
    /// What must have passed, or the run is incomplete.
    #[serde(default, deserialize_with = "given")]
    pub(super) require: Option<RequireMap>,
}

/// What must have passed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequireMap {
    /// Names of cases, of scenarios or of scenarios' files without `.yaml`.
    #[serde(default, deserialize_with = "given")]
    pub(super) cases: Option<Vec<Text>>,
    /// Tags: all cases that have one.
    #[serde(default, deserialize_with = "given")]
    pub(super) tags: Option<Vec<Text>>,
}

/// A board: a port and a reset line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BoardMap {
    /// The serial port: a device or a link to one, or a USB adapter by its serial number.
    #[schemars(schema_with = "schema::port")]
    pub(super) port: Short<UsbMap>,
    /// Whether a Raspberry Pi's mini UART is taken as the port, which tells no framing errors and no break; false if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::truth")]
    pub(super) accept_mini_uart: Option<Text>,
    /// The speed at which the application answers after a plain start; 115200 if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "plain_baud")]
    pub(super) baud: Option<Text>,
    /// How long the application takes at most from a restart to its first message; 35 s if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "plain_duration")]
    pub(super) start_up: Option<Text>,
    /// The reset line: who drives it, and how.
    pub(super) reset: WiringMap,
    /// Lines beside reset and power, by name.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::lines")]
    pub(super) lines: Option<Entries<WiringMap>>,
    /// Who switches the module's supply.
    #[serde(default, deserialize_with = "given")]
    pub(super) power: Option<WiringMap>,
    /// Effects that are permitted on the board; none if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::allow")]
    pub(super) allow: Option<Vec<Text>>,
    /// The control socket of `evkit-hil virtual`, where the board is a virtual one; as a map with what it is set up with for every case.
    #[serde(default, rename = "virtual", deserialize_with = "given")]
    #[schemars(schema_with = "schema::virtual_board")]
    pub(super) virtual_board: Option<Short<SetupMap>>,
    /// What is done to the board once in a run, before its first case.
    #[serde(default, deserialize_with = "given")]
    pub(super) before_run: Option<StepList>,
    /// What is done to the board before each case.
    #[serde(default, deserialize_with = "given")]
    pub(super) before_case: Option<StepList>,
    /// What is done to the board after its last case, also in a run that was interrupted.
    #[serde(default, deserialize_with = "given")]
    pub(super) after_run: Option<StepList>,
    /// What the board is; `st87m01` if not given. Of a `generic` one nothing is assumed.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::kind")]
    pub(super) kind: Option<Text>,
    /// The unit that is meant: another one on this port is not touched.
    #[serde(default, deserialize_with = "given")]
    pub(super) identity: Option<IdentityMap>,
    /// Whether the board is asked who it is before its first case; true for a real ST87M01 if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::truth")]
    pub(super) health: Option<Text>,
    /// What is done about the network that the module may register with; nothing if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::sim")]
    pub(super) sim: Option<Text>,
}

/// What tells one unit from another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct IdentityMap {
    /// The IMEI, 15 digits, as AT+CGSN answers it.
    #[serde(default, deserialize_with = "given")]
    pub(super) imei: Option<Text>,
    /// The serial number of its USB adapter.
    #[serde(default, deserialize_with = "given")]
    pub(super) usb_serial: Option<Text>,
    /// The socket that its adapter is plugged into, bus and ports: `1-1.4`.
    #[serde(default, deserialize_with = "given")]
    pub(super) usb_path: Option<Text>,
}

/// A USB adapter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UsbMap {
    /// The adapter's serial number.
    #[serde(default, deserialize_with = "given")]
    pub(super) usb_serial: Option<Text>,
    /// The socket that the adapter is plugged into, bus and ports: `1-1.4`.
    #[serde(default, deserialize_with = "given")]
    pub(super) usb_path: Option<Text>,
    /// The adapter's interface, 0 to 255; without it the adapter has one.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::interface")]
    pub(super) interface: Option<Text>,
}

/// A line, of whatever backend and purpose: which keys go with which is checked with their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WiringMap {
    /// Who drives the line; with `gpio` alone it is `rppal` or `gpiocdev`, by the model of the Raspberry Pi.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::backend")]
    pub(super) backend: Option<Text>,
    /// A Raspberry Pi's pin by its BCM number, 0 to 27.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::gpio")]
    pub(super) gpio: Option<Text>,
    /// The GPIO chip of a line that is given by its offset: `/dev/gpiochip0`.
    #[serde(default, deserialize_with = "given")]
    pub(super) chip: Option<Text>,
    /// `gpiocdev`: the line's name (`GPIO17`) or its offset on the chip; `socket`: what the line is called there.
    #[serde(default, deserialize_with = "given")]
    pub(super) line: Option<Text>,
    /// `socket` only: the Unix socket that takes `reset assert` and `reset release`.
    #[serde(default, deserialize_with = "given")]
    pub(super) path: Option<Text>,
    /// `modem-line` only: the signal of the port, DTR or RTS.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::signal")]
    pub(super) signal: Option<Text>,
    /// Whether releasing lets go of the line (`open-drain`, default) or drives it (`push-pull`).
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::drive")]
    pub(super) drive: Option<Text>,
    /// The pull resistor of the host's pin; `none` if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::bias")]
    pub(super) bias: Option<Text>,
    /// The level that asserts; `low` if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::active")]
    pub(super) active: Option<Text>,
    /// Below `lines`: `out`, which we drive (default), or `in`, which the board drives.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::direction")]
    pub(super) direction: Option<Text>,
    /// `command` and `manual` only: how long one drive may take.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "plain_duration")]
    pub(super) within: Option<Text>,
    /// `modem-line` only: the port whose signal it is; the board's own if not given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(schema_with = "schema::port")]
    pub(super) port: Option<Short<UsbMap>>,
    /// `command` only: the program that asserts the line, and its arguments.
    #[serde(default, deserialize_with = "given")]
    pub(super) assert: Option<Vec<Text>>,
    /// `command` only: the program that releases the line, and its arguments.
    #[serde(default, deserialize_with = "given")]
    pub(super) release: Option<Vec<Text>>,
    /// `command` of `power` only: the program that switches the supply on, and its arguments.
    #[serde(default, deserialize_with = "given")]
    pub(super) on: Option<Vec<Text>>,
    /// `command` of `power` only: the program that switches the supply off, and its arguments.
    #[serde(default, deserialize_with = "given")]
    pub(super) off: Option<Vec<Text>>,
}

/// An image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ImageFileMap {
    /// Its file, relative to the bench file.
    pub(super) path: Text,
    /// Its SHA-256, which is checked.
    #[serde(default, deserialize_with = "given")]
    pub(super) sha256: Option<Text>,
    /// What it holds; as its file's name says, if not given.
    #[serde(default, deserialize_with = "given")]
    pub(super) versions: Option<VersionsMap>,
}

/// What an image holds, by the letters of ST's release names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionsMap {
    /// The version of the application: `2.8.0`.
    #[serde(rename = "A")]
    #[schemars(schema_with = "plain_version")]
    pub(super) application: Text,
    /// The version of the modem; that of the application if not given.
    #[serde(default, rename = "M", deserialize_with = "given")]
    #[schemars(schema_with = "plain_version")]
    pub(super) modem: Option<Text>,
    /// The version of the secure core; that of the application if not given.
    #[serde(default, rename = "S", deserialize_with = "given")]
    #[schemars(schema_with = "plain_version")]
    pub(super) secure: Option<Text>,
    /// The version of the GNSS core; none if not given.
    #[serde(default, rename = "G", deserialize_with = "given")]
    #[schemars(schema_with = "plain_version")]
    pub(super) gnss: Option<Text>,
    /// The version of the wireless M-Bus core; none if not given.
    #[serde(default, rename = "W", deserialize_with = "given")]
    #[schemars(schema_with = "plain_version")]
    pub(super) wmbus: Option<Text>,
}
