//! The virtual EVKIT.

/// Every assumption, setting and fault of the virtual EVKIT, in one place.
#[derive(Debug, Clone)]
pub struct Settings {}

/// What a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Something that nobody has published: the case runs on a real board all the same.
    Assumption,
    /// A state or a fault that a real board cannot be put into.
    Fault,
}

impl Settings {
    /// Every name.
    pub const NAMES: &'static [&'static str] = &["application-speed", "boot-window", "acknowledges-then-silent", "accepts-downgrade"];

    /// What a setting is; `None` for a name that there is not.
    #[must_use]
    pub fn kind_of(key: &str) -> Option<SettingKind> {
        Self::NAMES.contains(&key).then_some(if key == "boot-window" { SettingKind::Assumption } else { SettingKind::Fault })
    }

    /// Draws each assumption from its range by `seed`; seed 0 gives the defaults.
    #[must_use]
    pub fn drawn(_seed: u64) -> Self {
        Self {}
    }

    /// Sets one by its name in files.
    ///
    /// # Errors
    /// Why not.
    pub fn set(&mut self, _key: &str, _value: &str) -> Result<(), String> {
        Ok(())
    }
}
