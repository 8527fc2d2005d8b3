//! Faults of the virtual EVKIT by name: which settings each sets, what it looks like on the wire, and which real trouble it stands for.
//!
//! The settings themselves and what they do stand in the table of [`Settings`] and in the programs; here is only what belongs together, and from which range a seed draws it. What a fault did to a
//! board is in the board's [`FaultLog`].

mod catalogue;
mod log;

pub use log::FaultLog;

use std::time::Duration;

use super::memory::SPEEDS;
use super::random::Random;
use super::settings::{SettingError, Settings, Value as _, nearest};
use crate::baud::Baud;

/// A fault that a virtual EVKIT can have.
#[derive(Debug)]
pub struct Fault {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// What it looks like on the wire.
    pub wire: &'static str,
    /// Which real trouble it stands for.
    pub stands_for: &'static str,
    /// What it sets, in this order: a later value may depend on an earlier one.
    parameters: &'static [Parameter],
}

/// A setting that a fault sets.
#[derive(Debug)]
struct Parameter {
    setting: &'static str,
    faulty: Faulty,
}

/// Which values of a setting are faulty.
#[derive(Debug)]
enum Faulty {
    /// This one.
    Is(&'static str),
    /// Each of these.
    OneOf(&'static [&'static str]),
    /// Times from the first to the second, in whole microseconds.
    Times(Duration, Duration),
    /// Whole numbers from the first to the second.
    Numbers(u64, u64),
    /// Shares from the first to the second, in tenths of a percent.
    Tenths(u64, u64),
    /// Every speed that `AT+IPR` takes of this board, but the default one.
    UsualSpeeds,
    /// What it was, and `boot-ready` before it: both count from the release.
    BehindBootReady,
}

impl Faulty {
    fn draw(&self, settings: &Settings, random: &mut Random) -> String {
        match self {
            Self::Is(value) => (*value).to_owned(),
            Self::OneOf(values) => pick(values, random).map_or_else(String::new, |value| (*value).to_owned()),
            Self::Times(low, high) => {
                let us = |time: &Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                format!("{} us", random.between(us(low), us(high)))
            }
            Self::Numbers(low, high) => random.between(*low, *high).to_string(),
            Self::Tenths(low, high) => {
                let tenths = random.between(*low, *high);
                format!("{}.{} %", tenths / 10, tenths % 10)
            }
            Self::UsualSpeeds => {
                let fastest = settings.fastest_speed.bits_per_second();
                let usual = SPEEDS.into_iter().filter(|speed| *speed <= fastest && *speed != Baud::DEFAULT.bits_per_second());
                pick(&usual.collect::<Vec<_>>(), random).unwrap_or(&SPEEDS[0]).to_string()
            }
            Self::BehindBootReady => (settings.boot_ready + settings.boot_window).show(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Is(value) => (*value).to_owned(),
            Self::OneOf(values) => values.join(", "),
            Self::Times(low, high) => format!("{} to {}", low.show(), high.show()),
            Self::Numbers(low, high) => format!("{low} to {high}"),
            Self::Tenths(low, high) => format!("{} % to {} %", low / 10, high / 10),
            Self::UsualSpeeds => "any usual speed but 115200, not above `fastest-speed`".to_owned(),
            Self::BehindBootReady => "what it was, behind `boot-ready`".to_owned(),
        }
    }
}

fn pick<'v, T>(values: &'v [T], random: &mut Random) -> Option<&'v T> {
    let index = random.between(0, (values.len() as u64).saturating_sub(1));
    usize::try_from(index).ok().and_then(|index| values.get(index))
}

impl Fault {
    /// Every fault, in the order of the reference.
    pub const ALL: &'static [Self] = catalogue::ALL;

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|fault| fault.name == name)
    }

    /// Puts the fault into `settings`: each of its settings is drawn from its faulty range by `seed`. The same seed gives the same values, whatever other faults there are.
    pub fn apply(&self, settings: &mut Settings, seed: u64) {
        // What is drawn is taken: a test draws all of it.
        let _ = self.apply_with(settings, seed, None);
    }

    fn apply_with(&self, settings: &mut Settings, seed: u64, value: Option<&str>) -> Result<(), SettingError> {
        let main = self.main();
        let mut broken = settings.clone();
        for Parameter { setting, faulty } in self.parameters {
            let given = value.filter(|_| main.is_some_and(|main| main.setting == *setting));
            match given {
                Some(value) => broken.set(setting, value)?,
                None => {
                    let drawn = faulty.draw(&broken, &mut Random::new(seed, &format!("fault {} {setting}", self.name)));
                    broken.set(setting, &drawn)?;
                }
            }
        }
        broken.faults.insert(self.name);
        *settings = broken;
        Ok(())
    }

    /// The setting whose value `NAME=VALUE` gives: the first one that is drawn.
    fn main(&self) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| !matches!(parameter.faulty, Faulty::Is(_)))
    }

    /// The setting whose value can be given as `NAME=VALUE`; `None` where the fault is there or not.
    #[must_use]
    pub fn main_setting(&self) -> Option<&'static str> {
        self.main().map(|parameter| parameter.setting)
    }

    /// The settings that it sets, each with its faulty range in words: `("watchdog-after", "200 ms to 3 s")`.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        self.parameters.iter().map(|parameter| (parameter.setting, parameter.faulty.describe())).collect()
    }
}

impl Settings {
    /// The key under which a fault stands among settings: in a scenario's `virtual:` and in a `setup` of the control socket.
    pub const FAULT: &'static str = "fault";

    /// Puts in a fault as it is asked for: `NAME`, drawn by this board's seed, or `NAME=VALUE`. Returns it.
    ///
    /// # Errors
    /// [`SettingError`] when there is no such fault (with the nearest one), or when it does not take the value.
    pub fn break_as(&mut self, order: &str) -> Result<&'static Fault, SettingError> {
        let (name, value) = match order.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (order.trim(), None),
        };
        let Some(fault) = Fault::named(name) else {
            let nearest = nearest(name, Fault::ALL.iter().map(|fault| fault.name));
            return Err(SettingError::UnknownFault { name: name.to_owned(), nearest });
        };
        if let Some(value) = value {
            let Some(setting) = fault.main_setting() else { return Err(SettingError::FaultWithoutValue { fault: fault.name }) };
            let mut tried = Self::default();
            tried.set(setting, value)?;
            let is_switched_on = fault.parameters.iter().any(|parameter| matches!(parameter.faulty, Faulty::Is(_)));
            if !is_switched_on && tried == Self::default() {
                return Err(SettingError::NoFault { fault: fault.name, value: value.to_owned() });
            }
        }
        fault.apply_with(self, self.seed, value)?;
        Ok(fault)
    }

    /// Sets a setting, or puts in a fault where the key is [`Settings::FAULT`].
    ///
    /// # Errors
    /// As [`Settings::set`] and [`Settings::break_as`].
    pub fn put(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        if key == Self::FAULT { self.break_as(value).map(drop) } else { self.set(key, value) }
    }
}
