//! A line that the board drives: what its backend has seen.

use std::os::fd::BorrowedFd;

use rustix::event::PollFlags;

use super::Found;
use crate::line::{InputLine, LineError};
use crate::seam::{LineId, SeamError};

/// An input and its backend.
pub(super) struct Input {
    id: LineId,
    name: String,
    backend: Box<dyn InputLine>,
    /// Whether there may be an edge to take.
    has_more: bool,
    /// Nothing more comes from it.
    is_lost: bool,
}

impl Input {
    pub(super) fn new(id: LineId, name: &str, backend: Box<dyn InputLine>) -> Self {
        Self { id, name: name.to_owned(), backend, has_more: true, is_lost: false }
    }

    /// What to poll for edges.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_lost).then(|| self.backend.fd())
    }

    /// Takes in what poll said of [`Input::fd`]. A hang-up is for the backend to find out.
    pub(super) fn polled(&mut self, seen: PollFlags) {
        self.has_more |= !seen.is_empty();
    }

    /// The next edge, if there is one.
    pub(super) fn turn(&mut self) -> Result<Option<Found>, SeamError> {
        if !self.has_more || self.is_lost {
            return Ok(None);
        }
        match self.backend.next_edge() {
            Ok(Some(edge)) => Ok(Some(Found::Edge { line: self.id, state: edge.state, at: edge.at })),
            Ok(None) => {
                self.has_more = false;
                Ok(None)
            }
            Err(error) => {
                // Told once: with every wait it would hide what the board does meanwhile.
                self.is_lost = !matches!(error, LineError::LostEdges { .. });
                Err(match error {
                    LineError::LostEdges { count } => SeamError::LostEdges { line: self.name.clone(), count },
                    source => SeamError::Line { line: self.name.clone(), what: "watched", source },
                })
            }
        }
    }
}
