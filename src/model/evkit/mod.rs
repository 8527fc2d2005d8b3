//! The virtual EVKIT: the module's two programs (boot code and application), its lines, its supply and its UART, on any clock.
//!
//! What the public sources say of the wire is behaviour and stands in the programs, each with its source; what they leave open is a row of the table of
//! [`Settings`] and called an assumption there. Sources, by the names used here: *the post* (ST Community, June and July 2026), *Easy Connect* (ST's library for host
//! MCUs, 2025), *mbed*, *arduino* (two public drivers, 2026), *zephyr* (Zephyr's st87mxx driver and shield).
//!
//! It has no clock, no I/O and only its seed's randomness. It knows no link: what carries its bytes is the affair of [`crate::link`].

mod agenda;
mod application;
mod boot;
mod chatter;
mod control;
mod damage;
mod faults;
mod lines;
mod memory;
mod module;
mod random;
mod sampler;
mod settings;
mod uart;
mod upload;
mod wire;

pub use faults::{Fault, FaultLog};
pub use lines::{LINES, RING, WAKE};
pub use module::VirtualEvkit;
pub use settings::{
    BootSpeed, Chunks, DamageDirection, Description, ErrorCode, ErrorForm, Imei, Kind, Line, PowerOnMessage, Rate, RebootMessage,
    ReturnsAs, SettingError, Settings, SpeedOutlives, VersionCheck, WrongPort,
};

#[cfg(test)]
mod tests;
