//! The virtual EVKIT.

/// Every assumption, setting and fault of the virtual EVKIT, in one place.
#[derive(Debug, Clone)]
pub struct Settings {}

impl Settings {
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
