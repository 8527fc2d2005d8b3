//! The virtual EVKIT.

mod random;
mod sampler;
mod settings;
mod wire;

pub use settings::{
    BootSpeed, Chunks, Description, ErrorCode, ErrorForm, Imei, Kind, Line, RebootMessage, SettingError, Settings, SpeedOutlives,
    VersionCheck,
};
