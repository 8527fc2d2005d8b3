//! evkit-hil: a hardware-in-the-loop test harness for the ST EVKITST87M01.
//!
//! The road that data takes, in reading order: [`scenario`] and [`bench`](mod@bench) files (read through [`document`]) become a [`plan`]; the [`runner`] carries out its cases on
//! boards that it sees through the [`seam`]; everything that happens is an event on the [`timeline`]; [`diagnosis`] and [`report`] read only that.
//! [`faults`] proves that diagnosis tells causes apart.

pub mod baud;
pub mod bench;
pub mod cli;
pub mod diagnosis;
pub mod doctor;
pub mod document;
pub mod faults;
pub mod image;
pub mod line;
pub mod link;
pub mod matcher;
pub mod model;
pub mod plan;
pub mod port;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod seam;
pub mod secret;
pub mod sys;
pub mod time;
pub mod timeline;
