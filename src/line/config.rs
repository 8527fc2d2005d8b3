//! How a line is wired: what the bench file says of it, checked.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::port::PortName;
use crate::seam::LineState;

/// A line as the bench file describes it. Serializable, because the guardian process is given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineConfig {
    /// Who drives the line, or watches it.
    pub backend: Backend,
    /// Its name: `reset`, `power`, or that of the bench file.
    pub name: String,
    /// What it is for. Default: an output.
    pub role: Role,
    /// How the two levels are made. Default: open drain.
    pub drive: Drive,
    /// The pull resistor of the host's pin. Default: none.
    pub bias: Bias,
    /// The level that asserts. Default: low.
    pub active: Active,
}

impl LineConfig {
    /// An output with every default.
    #[must_use]
    pub fn output(name: &str, backend: Backend) -> Self {
        let (drive, bias, active) = (Drive::default(), Bias::default(), Active::default());
        Self { backend, name: name.to_owned(), role: Role::Output, drive, bias, active }
    }

    /// The state that a claim writes first: a board is taken with its supply on and every other line released.
    #[must_use]
    pub fn claimed(&self) -> LineState {
        match self.role {
            Role::Power => LineState::Asserted,
            Role::Output | Role::Input => LineState::Released,
        }
    }

    /// The state that a drop, a guardian and `evkit-hil release` write; `None` for a line that is left as it is. Power is: to switch it on would start a module of
    /// which nobody knows why it was off, and to switch it off could end an upload.
    #[must_use]
    pub fn dropped(&self) -> Option<LineState> {
        match self.role {
            Role::Output => Some(LineState::Released),
            Role::Power | Role::Input => None,
        }
    }

    /// Whether releasing it lets go of its pin, so that what is read there then is what others make of it. Of a pin that is driven both ways it is what we drive, and of a supply that is on as well.
    #[must_use]
    pub fn is_let_go(&self) -> bool {
        self.drive == Drive::OpenDrain && self.role == Role::Output
    }

    /// Whether it is a signal of the board's own port, and so can be claimed only once that is open.
    #[must_use]
    pub fn is_of_own_port(&self) -> bool {
        matches!(self.backend, Backend::ModemLine { own: true, .. })
    }

    /// The state in which it feeds no module that has no supply. A line that is let go feeds none (a pull-up of the host's pin gives some 60 µA, which is taken for none). One that
    /// is driven both ways must be driven low, whichever state that is. Of what a program, a socket or an adapter drives, the levels are not known: released.
    #[must_use]
    pub fn unpowered(&self) -> LineState {
        let is_pin = matches!(self.backend, Backend::RaspberryPi { .. } | Backend::Rppal { .. } | Backend::Gpiocdev { .. });
        match (self.drive, self.active) {
            (Drive::PushPull, Active::Low) if is_pin => LineState::Asserted,
            _ => LineState::Released,
        }
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// We drive it; released is its rest.
    #[default]
    Output,
    /// We switch the module's supply by it; on (asserted) is its rest.
    Power,
    /// The board drives it.
    Input,
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
        /// What the line is called there: the first word of each command.
        line: String,
    },
    /// DTR or RTS of a serial port.
    ModemLine {
        /// The port.
        port: PortName,
        /// Whether that is the board's own port, which the run has open.
        own: bool,
        /// Which of the two.
        signal: Signal,
    },
    /// A program is run for each drive.
    Command {
        /// The program and its arguments that assert (switch on).
        assert: Vec<String>,
        /// The program and its arguments that release (switch off).
        release: Vec<String>,
        /// How long it may take.
        within: Duration,
    },
    /// A person at a terminal is asked.
    Manual {
        /// The board's name, for the question.
        board: String,
        /// How long the person may take.
        within: Duration,
    },
}

/// An output of a serial port beside its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Data terminal ready.
    Dtr,
    /// Request to send.
    Rts,
}

impl Signal {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dtr => "DTR",
            Self::Rts => "RTS",
        }
    }
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
