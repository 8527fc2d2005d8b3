//! Edges of the lines that the board drives, which no step has taken yet.

use std::collections::VecDeque;

use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// As many edges are kept; of more, the oldest are let go (they stay in the timeline).
pub const LIMIT: usize = 4096;

/// An edge of a line that the board drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputEdge {
    /// The line.
    pub line: LineId,
    /// What it is since then.
    pub state: LineState,
    /// When, by the kernel.
    pub at: MonoTime,
    /// The `input-edge` event.
    pub seq: u64,
}

/// Edges that came, oldest first.
#[derive(Debug, Default)]
pub struct EdgeInbox {
    edges: VecDeque<InputEdge>,
    lost: u64,
    /// What happened before is of no interest, also where it is told of later.
    from: MonoTime,
}

impl EdgeInbox {
    /// An inbox for what happens from `from` on.
    #[must_use]
    pub fn since(from: MonoTime) -> Self {
        Self { from, ..Self::default() }
    }

    /// Takes an edge in.
    pub fn push(&mut self, edge: InputEdge) {
        if edge.at < self.from {
            return;
        }
        if self.edges.len() >= LIMIT {
            self.edges.pop_front();
            self.lost += 1;
        }
        self.edges.push_back(edge);
    }

    /// Takes the first edge of a line that is not after `until`.
    pub fn take(&mut self, line: LineId, until: MonoTime) -> Option<InputEdge> {
        let index = self.edges.iter().position(|edge| edge.line == line)?;
        if self.edges[index].at > until { None } else { self.edges.remove(index) }
    }

    /// Forgets what happened before `from`.
    pub fn forget_before(&mut self, from: MonoTime) {
        self.from = self.from.max(from);
        self.edges.retain(|edge| edge.at >= from);
        self.lost = 0;
    }

    /// How many were let go since the cursor last moved.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(line: u8, at: u64) -> InputEdge {
        InputEdge { line: LineId(line), state: LineState::Asserted, at: MonoTime::from_ns(at), seq: at }
    }

    #[test]
    fn edges_are_taken_a_line_at_a_time_and_not_beyond_a_time() {
        let mut inbox = EdgeInbox::default();
        for (line, at) in [(3, 10), (4, 20), (3, 30), (3, 40)] {
            inbox.push(edge(line, at));
        }
        let at = MonoTime::from_ns;
        assert_eq!(inbox.take(LineId(3), at(25)), Some(edge(3, 10)));
        assert_eq!(inbox.take(LineId(3), at(25)), None);
        assert_eq!(inbox.take(LineId(3), at(30)), Some(edge(3, 30)), "at the time is in time");
        inbox.forget_before(at(20));
        assert_eq!(inbox.take(LineId(4), at(99)), Some(edge(4, 20)));
        inbox.forget_before(at(41));
        inbox.push(edge(3, 39));
        assert_eq!(inbox.take(LineId(3), at(99)), None, "told of late");
    }

    #[test]
    fn a_line_that_flaps_does_not_fill_the_memory() {
        let mut inbox = EdgeInbox::default();
        (0..LIMIT as u64 + 3).for_each(|at| inbox.push(edge(3, at)));
        assert_eq!((inbox.lost(), inbox.take(LineId(3), MonoTime::FAR_FUTURE)), (3, Some(edge(3, 3))));
    }
}
