//! Reports: pure functions from timelines and verdicts to text and files.
//!
//! Everything that a report says of a case comes from its timeline alone, through [`CaseReport`]; nothing here knows the runner, a port or a
//! scenario file. [`escape`] stands between what a board sent and whatever shows it.

mod case_report;
mod error;
pub mod escape;
mod evidence;
mod exit;
mod explanation;
mod findings;
mod junit;
mod missing;
mod palette;
mod run_report;
pub mod terminal;
mod transcript;
mod tries;
mod width;

pub use case_report::{CaseReport, ProbeMade};
pub use error::ReportError;
pub use exit::Exit;
pub use findings::{finding_block, findings_summary};
pub use junit::write_junit;
pub use missing::{Missing, Required};
pub use palette::Palette;
pub use run_report::{GivenUp, RunReport};
pub use transcript::{LeftOut, Line, LineKind, TRANSCRIPT_LIMIT, Transcript};
pub use tries::join_tries;
