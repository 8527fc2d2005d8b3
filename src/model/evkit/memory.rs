//! What the module keeps: its non-volatile memory, and the speed that it last ran at.

use super::settings::{BootSpeed, Settings, SpeedOutlives};
use crate::baud::Baud;
use crate::image::Versions;

/// Speeds that `AT+IPR` takes, where the setting `fastest-speed` does not end the list sooner.
pub(super) const SPEEDS: [u32; 11] = [9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_000_000, 2_000_000, 3_000_000];

/// What outlives a reset.
#[derive(Debug)]
pub(super) struct Memory {
    /// What is installed; a program reports what was installed when it started.
    pub(super) versions: Versions,
    /// The speed that `AT#RESET=1` saved.
    pub(super) saved_speed: Baud,
    /// The speed at which the application runs, or last ran.
    pub(super) running_speed: Baud,
    /// The fault for which the application is damaged and does not start.
    pub(super) application_dead: Option<&'static str>,
    /// An upload was broken off, and none has gone through since.
    pub(super) interrupted: bool,
    /// An upload has come to its end, whichever that was.
    pub(super) upload_ended: bool,
    /// The boot code waits for the hotkey after a reset, without a window's end.
    pub(super) latched: bool,
}

impl Memory {
    pub(super) fn new(settings: &Settings) -> Self {
        let versions = Versions { a: settings.firmware, m: settings.firmware_m(), s: settings.firmware_s(), g: None, w: None };
        Self {
            versions,
            saved_speed: Baud::DEFAULT,
            running_speed: settings.speed,
            application_dead: settings.application_dead.then_some("application-dead"),
            interrupted: false,
            upload_ended: false,
            latched: false,
        }
    }

    /// The supply is gone: what no flash holds is forgotten.
    pub(super) fn lose_power(&mut self) {
        self.running_speed = self.saved_speed;
        self.latched = false;
    }

    /// The speed at which the application starts.
    pub(super) fn start_speed(&self, settings: &Settings) -> Baud {
        match settings.speed_outlives_reset {
            SpeedOutlives::Never => Baud::DEFAULT,
            SpeedOutlives::Saved => self.saved_speed,
            SpeedOutlives::Always => self.running_speed,
        }
    }

    /// The speed at which the boot code starts.
    pub(super) fn boot_speed(&self, settings: &Settings) -> Baud {
        match settings.boot_speed {
            BootSpeed::Default => Baud::DEFAULT,
            BootSpeed::Saved => self.start_speed(settings),
            BootSpeed::Current => self.running_speed,
        }
    }
}

/// The speed of an `AT+IPR=` with this text; `None` for one that the module does not have.
pub(super) fn speed_from(text: &str, settings: &Settings) -> Option<Baud> {
    let speed = text.parse::<u32>().ok().filter(|speed| SPEEDS.contains(speed)).and_then(Baud::new)?;
    (speed <= settings.fastest_speed).then_some(speed)
}
