//! Why a report could not be made.

use std::io;
use std::path::PathBuf;

use crate::timeline::TimelineError;

/// Why a report could not be made. Each is a fault of this computer or of a file, never of a board.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A timeline could not be read.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// A timeline does not say which case it is of: its writer was killed before the first events were written.
    #[error("the timeline in {} does not begin with a case event: nothing is known of what ran", .dir.display())]
    NoCase {
        /// The timeline's directory.
        dir: PathBuf,
    },
    /// A system call on the report's file failed; the source keeps its error number.
    #[error("{call} of {} failed: {source}", .file.display())]
    Io {
        /// What was tried: `creation`, `writing`, `renaming`.
        call: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The report could not be written as XML.
    #[error("the report could not be written as XML: {0}")]
    Xml(#[from] quick_xml::Error),
    /// The JUnit report could not be written as XML.
    #[error("the JUnit report could not be written: {0}")]
    Junit(#[from] junit_report::Error),
}
