//! How a reset line is wired: what the bench file says of it, checked.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A reset line as the bench file describes it. Serializable, because the guardian process is given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineConfig {
    /// Who drives the line.
    pub backend: Backend,
    /// How the two levels are made. Default: open drain.
    pub drive: Drive,
    /// The pull resistor of the host's pin. Default: none.
    pub bias: Bias,
    /// The level that asserts. Default: low.
    pub active: Active,
}

/// Who drives a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// A Raspberry Pi's pin by its BCM number: through `rppal` where that knows the model, else through the GPIO character device by the line's
    /// name (`GPIO17`). What a bench file without `backend` means.
    RaspberryPi {
        /// BCM number of the pin.
        gpio: u8,
    },
    /// A Raspberry Pi's pin through `rppal`, by its BCM number.
    Rppal {
        /// BCM number of the pin.
        gpio: u8,
    },
    /// A line of a GPIO character device.
    Gpiocdev {
        /// The chip's device, `/dev/gpiochip0`; `None` to look the line up by name on every chip.
        chip: Option<PathBuf>,
        /// Which line.
        line: GpioLine,
    },
    /// `reset assert` and `reset release` on a Unix stream socket.
    Socket {
        /// The socket.
        path: PathBuf,
    },
}

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpioLine {
    /// By its offset on the chip.
    Offset(u32),
    /// By its name: `GPIO17`.
    Name(String),
}

/// How the two levels of a line are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drive {
    /// Assert drives the active level, release lets go.
    #[default]
    OpenDrain,
    /// Both levels are driven.
    PushPull,
}

/// The pull resistor of the host's pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// Left as it is.
    #[default]
    None,
    /// Pulled up.
    PullUp,
    /// Pulled down.
    PullDown,
}

/// The level that asserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Active {
    /// Low asserts (RESETN of the module).
    #[default]
    Low,
    /// High asserts (an inverting transistor in between).
    High,
}
