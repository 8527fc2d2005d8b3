//! Settings of the virtual EVKIT: every assumption, every fault and who the board is, in one table ([`table`]).
//!
//! What the public sources say of the module is behaviour and stands in the code of its programs; what they do not say stands here, with a default and a
//! range, and is drawn from that range by a seed. Faults are off unless they are asked for.

mod choice;
mod table;
mod value;

pub use choice::{
    BootSpeed, Chunks, DamageDirection, ErrorForm, PowerOnMessage, RebootMessage, ReturnsAs, SpeedOutlives, VersionCheck, WrongPort,
};
pub use table::Settings;
pub(super) use value::Value;
pub use value::{ErrorCode, Imei, Line, Rate};

use std::fmt;

use crate::image::Version;

/// What a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Who the board is and what is installed on it.
    Identity,
    /// Something that no source says. Drawn by the seed where that makes sense.
    Assumption,
    /// A fault, or a state that a real board cannot be put into from outside. A case that sets one is not for a real board.
    Fault,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Assumption => "assumption",
            Self::Fault => "fault",
        })
    }
}

/// A setting as the documentation lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name in files.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its default, in the form that [`Settings::set`] takes.
    pub default: String,
    /// Which values [`Settings::set`] takes, in words.
    pub takes: String,
    /// The words that [`Settings::set`] takes, where it takes one of several.
    pub words: &'static [&'static str],
    /// From which range a seed draws it, in words; `None` where it is not drawn.
    pub drawn: Option<String>,
    /// What it does, and where it comes from.
    pub meaning: &'static str,
}

/// Why a setting was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is none of that name.
    #[error("the virtual EVKIT has no setting `{key}`{}", nearest.map(|name| format!("; the nearest one is `{name}`")).unwrap_or_default())]
    Unknown {
        /// The name that was given.
        key: String,
        /// The known name that is most like it, where one is.
        nearest: Option<&'static str>,
    },
    /// It does not take that value.
    #[error("`{key}` takes {expected}, got `{value}`")]
    Value {
        /// The setting.
        key: &'static str,
        /// What it takes, in words.
        expected: String,
        /// The value that was given.
        value: String,
    },
    /// There is no fault of that name.
    #[error("the virtual EVKIT has no fault `{name}`{}", nearest.map(|name| format!("; the nearest one is `{name}`")).unwrap_or_default())]
    UnknownFault {
        /// The name that was given.
        name: String,
        /// The known name that is most like it, where one is.
        nearest: Option<&'static str>,
    },
    /// The fault is there or not.
    #[error("the fault `{fault}` takes no value")]
    FaultWithoutValue {
        /// The fault.
        fault: &'static str,
    },
    /// With that value the board is a healthy one.
    #[error("`{value}` is what a healthy board has, and no fault `{fault}`")]
    NoFault {
        /// The fault.
        fault: &'static str,
        /// The value that was given.
        value: String,
    },
}

impl Settings {
    /// What the setting called `key` is; `None` when there is none.
    #[must_use]
    pub fn kind_of(key: &str) -> Option<Kind> {
        Self::describe().into_iter().find(|setting| setting.name == key).map(|setting| setting.kind)
    }

    /// The version of part M: its own, or that of part A.
    #[must_use]
    pub fn firmware_m(&self) -> Version {
        self.firmware_modem.unwrap_or(self.firmware)
    }

    /// The version of part S: its own, or that of part A.
    #[must_use]
    pub fn firmware_s(&self) -> Version {
        self.firmware_secure.unwrap_or(self.firmware)
    }
}

/// The name that is most like `key`, where one is close enough to be meant.
pub(super) fn nearest(key: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let scored = names.map(|name| (strsim::jaro_winkler(key, name), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn seed_zero_gives_the_defaults() {
        assert_eq!(Settings::drawn(0), Settings::default());
    }

    #[test]
    fn a_seed_repeats_and_two_differ() {
        assert_eq!(Settings::drawn(7), Settings::drawn(7));
        let differing = |a: &Settings, b: &Settings| Settings::NAMES.iter().filter(|name| a.get(name) != b.get(name)).count();
        assert!(differing(&Settings::drawn(1), &Settings::drawn(2)) > 20);
        assert!(differing(&Settings::drawn(1), &Settings::default()) > 20);
    }

    #[test]
    fn only_assumptions_are_drawn_and_each_within_its_range() {
        let defaults = Settings::default();
        for seed in 1..200 {
            let mut drawn = Settings::drawn(seed);
            for setting in Settings::describe() {
                let value = drawn.get(setting.name).unwrap();
                if setting.drawn.is_none() {
                    assert_eq!(Some(&value), defaults.get(setting.name).as_ref(), "{}", setting.name);
                }
                drawn.set(setting.name, &value).unwrap();
            }
            assert!((Duration::from_millis(50)..=Duration::from_secs(2)).contains(&drawn.boot_window));
            assert!((Duration::from_millis(500)..=Duration::from_secs(30)).contains(&drawn.application_start));
            let codes = [drawn.code_lower_version, drawn.code_wrong_key, drawn.code_corrupt];
            assert!(codes.iter().all(|code| *code < 0) && codes.iter().collect::<BTreeSet<_>>().len() == 3);
        }
        assert!(Settings::describe().iter().all(|setting| setting.drawn.is_none() || setting.kind == Kind::Assumption));
    }

    #[test]
    fn every_drawn_setting_varies() {
        for setting in Settings::describe().iter().filter(|setting| setting.drawn.is_some()) {
            let values: BTreeSet<String> = (1..100).filter_map(|seed| Settings::drawn(seed).get(setting.name)).collect();
            assert!(values.len() > 1, "{} is always {values:?}", setting.name);
        }
    }

    #[test]
    fn the_table_is_whole() {
        let names: BTreeSet<_> = Settings::NAMES.iter().collect();
        assert_eq!(names.len(), Settings::NAMES.len());
        for setting in Settings::describe() {
            let mut settings = Settings::default();
            settings.set(setting.name, &setting.default).unwrap();
            assert_eq!(settings, Settings::default(), "the default of {} is what its text says", setting.name);
            assert!(setting.meaning.len() > 20, "{}", setting.name);
        }
        for name in ["firmware", "imei", "key"] {
            assert_eq!(Settings::kind_of(name), Some(Kind::Identity));
        }
        for name in ["boot-window", "application-start"] {
            assert_eq!(Settings::kind_of(name), Some(Kind::Assumption));
        }
        for name in ["speed", "silent-after-acknowledge", "accepts-downgrade", "no-acknowledge", "does-not-restart"] {
            assert_eq!(Settings::kind_of(name), Some(Kind::Fault));
        }
        assert_eq!(Settings::kind_of("seed"), None);
    }

    #[test]
    fn values_have_their_units() {
        let mut settings = Settings::default();
        settings.set("boot-window", "20 ms").unwrap();
        settings.set("speed", "460800").unwrap();
        settings.set("firmware", "2.8.0").unwrap();
        settings.set("firmware-modem", "2.6.0").unwrap();
        settings.set("accepts-downgrade", "true").unwrap();
        settings.set("code-corrupt", "-7").unwrap();
        assert_eq!(settings.boot_window, Duration::from_millis(20));
        assert_eq!(settings.speed.bits_per_second(), 460_800);
        assert_eq!((settings.firmware_m(), settings.firmware_s()), (Version::new(2, 6, 0), Version::new(2, 8, 0)));
        assert!(settings.accepts_downgrade);
        assert_eq!(settings.code_corrupt, -7);
    }

    #[test]
    fn a_mistake_is_named() {
        let error = |key, value| Settings::default().set(key, value).unwrap_err().to_string();
        assert_eq!(error("boot-windw", "20 ms"), "the virtual EVKIT has no setting `boot-windw`; the nearest one is `boot-window`");
        assert_eq!(error("zzz", "1"), "the virtual EVKIT has no setting `zzz`");
        assert_eq!(error("boot-window", "20"), "`boot-window` takes a time with its unit, as in `200 ms` (0 ms to 60 s), got `20`");
        assert_eq!(error("boot-window", "2 min"), "`boot-window` takes a time with its unit, as in `200 ms` (0 ms to 60 s), got `2 min`");
        assert_eq!(error("version-check", "never"), "`version-check` takes one of header, end, got `never`");
        assert_eq!(error("code-corrupt", "0"), "`code-corrupt` takes a whole number from -128 to 127 (-128 to -1), got `0`");
        assert_eq!(error("firmware", "2.7"), "`firmware` takes a version, as in `2.7.0`, got `2.7`");
        assert_eq!(error("speed", "0"), "`speed` takes a speed in baud, as in `115200` (9600 to 3000000), got `0`");
    }
}
