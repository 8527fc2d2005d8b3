//! A line of a GPIO character device that the board drives, through `gpiocdev`.
//!
//! At claim the kernel gives the line to us alone, under the name `evkit-hil`, as an input with both edges watched: nothing is driven. Each edge has the kernel's time of its interrupt
//! (CLOCK_MONOTONIC) and a number; the kernel keeps 16 edges that were not read, and a gap in the numbers is an error of the rig. At drop, and when the process is killed, the kernel takes
//! the line back, an input as before.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use gpiocdev::Request;
use gpiocdev::line::{Config as KernelConfig, EdgeDetection, EdgeKind, EventClock};

use super::gpiocdev::{Place, find, kernel_bias, request};
use super::{Active, GpioLine, InputLine, LineConfig, LineError, SeenEdge};
use crate::seam::LineState;
use crate::time::MonoTime;

/// A claimed input of a chip.
pub(super) struct GpiocdevInput {
    request: Request,
    place: Place,
    numbers: Numbers,
}

/// The numbers of a line's edges, which have no gaps unless edges were lost.
#[derive(Debug, Default)]
struct Numbers {
    last: u32,
}

impl Numbers {
    /// Takes the next number; how many are missing before it.
    fn take(&mut self, number: u32) -> u32 {
        let missing = number.wrapping_sub(self.last).wrapping_sub(1);
        self.last = number;
        missing
    }
}

impl GpiocdevInput {
    /// Claims the line from the kernel.
    pub(super) fn claim(chip: Option<&Path>, line: &GpioLine, config: &LineConfig) -> Result<Self, LineError> {
        let place = find(chip, line)?;
        let request = request(&place, &kernel_config(config))?;
        Ok(Self { request, place, numbers: Numbers::default() })
    }

    fn failed(&self, source: gpiocdev::Error) -> LineError {
        LineError::Gpiocdev { what: format!("gpiocdev {}", self.place), doing: "read", source }
    }
}

impl InputLine for GpiocdevInput {
    fn fd(&self) -> BorrowedFd<'_> {
        self.request.as_fd()
    }

    fn next_edge(&mut self) -> Result<Option<SeenEdge>, LineError> {
        // Asked first, because the descriptor blocks.
        if !self.request.has_edge_event().map_err(|source| self.failed(source))? {
            return Ok(None);
        }
        let event = self.request.read_edge_event().map_err(|source| self.failed(source))?;
        match self.numbers.take(event.line_seqno) {
            0 => Ok(Some(SeenEdge { at: MonoTime::from_ns(event.timestamp_ns), state: state_of(event.kind) })),
            count => Err(LineError::LostEdges { count }),
        }
    }
}

/// The kernel tells edges of the logical value: *rising* is to active, whichever level that is.
const fn state_of(kind: EdgeKind) -> LineState {
    match kind {
        EdgeKind::Rising => LineState::Asserted,
        EdgeKind::Falling => LineState::Released,
    }
}

/// What the kernel is asked for.
fn kernel_config(config: &LineConfig) -> KernelConfig {
    let mut wanted = KernelConfig::default();
    wanted.as_input();
    wanted.active_low = config.active == Active::Low;
    wanted.bias = kernel_bias(config.bias);
    wanted.edge_detection = Some(EdgeDetection::BothEdges);
    wanted.event_clock = Some(EventClock::Monotonic);
    wanted
}

#[cfg(test)]
mod tests {
    use gpiocdev::line::{Bias as KernelBias, Direction};

    use super::*;
    use crate::line::{Backend, Bias, Role};

    #[test]
    fn the_request_is_an_input_with_both_edges_on_the_monotonic_clock() {
        for (active, low) in [(Active::Low, true), (Active::High, false)] {
            let backend = Backend::Gpiocdev { chip: None, line: GpioLine::Name("GPIO22".to_owned()) };
            let config = LineConfig { role: Role::Input, active, bias: Bias::PullUp, ..LineConfig::output("ring", backend) };
            let wanted = kernel_config(&config);
            assert_eq!((wanted.direction, wanted.active_low), (Some(Direction::Input), low));
            assert_eq!((wanted.value, wanted.drive), (None, None), "nothing is driven");
            assert_eq!((wanted.bias, wanted.edge_detection), (Some(KernelBias::PullUp), Some(EdgeDetection::BothEdges)));
            assert_eq!(wanted.event_clock, Some(EventClock::Monotonic));
        }
    }

    #[test]
    fn a_gap_in_the_numbers_is_edges_that_were_lost() {
        let mut numbers = Numbers::default();
        assert_eq!([1, 2, 3, 7, 8].map(|number| numbers.take(number)), [0, 0, 0, 3, 0]);
        numbers.last = u32::MAX;
        assert_eq!(numbers.take(0), 0, "they begin again");
    }

    #[test]
    fn rising_is_to_asserted() {
        assert_eq!([EdgeKind::Rising, EdgeKind::Falling].map(state_of), [LineState::Asserted, LineState::Released]);
    }
}
