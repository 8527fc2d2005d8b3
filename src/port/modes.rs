//! The modes of a terminal: raw, 8N1, without flow control, with framing marks where the link can carry them.

use std::os::fd::BorrowedFd;

use rustix::io;
use rustix::termios::{ControlModes, InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Whether bytes with errors are to arrive marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    /// `INPCK` and `PARMRK`.
    Kept,
    /// The link carries none. On a PTY the marks would only cost: the kernel then looks at every byte, and a flood of 10 MB took 0.16 to 0.24 s instead of 0.07.
    NotCarried,
}

impl Marks {
    /// The input modes that this asks for; all others that [`DECIDED`] names are off.
    pub(super) const fn input_modes(self) -> InputModes {
        match self {
            Self::Kept => InputModes::INPCK.union(InputModes::PARMRK),
            Self::NotCarried => InputModes::empty(),
        }
    }
}

/// Input modes that this program decides; the rest `make_raw` clears.
const DECIDED: InputModes =
    InputModes::IGNPAR.union(InputModes::INPCK).union(InputModes::PARMRK).union(InputModes::IXOFF).union(InputModes::IXON);

/// Makes a terminal raw. Its speed stays as it is. Returns the modes that it then reports.
pub(super) fn set_raw(terminal: BorrowedFd<'_>, marks: Marks) -> io::Result<Termios> {
    let mut modes = tcgetattr(terminal)?;
    modes.make_raw();
    decide_input(&mut modes, marks);
    // CLOCAL: no carrier is needed. HUPCL off: closing leaves DTR and RTS as they are, and the next opening then finds them up and pulses nothing.
    modes.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    modes.control_modes -= ControlModes::HUPCL | ControlModes::CSTOPB | ControlModes::PARODD | ControlModes::CRTSCTS;
    // A read takes what there is; with O_NONBLOCK it never waits for more.
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(terminal, OptionalActions::Now, &modes)?;
    tcgetattr(terminal)
}

/// Sets the input modes again if something took them away: `serialport` sets `IGNPAR` whenever it sets the parity, and with that a wrong speed reads as silence.
/// Returns the modes that the terminal then reports.
pub(super) fn keep_input(terminal: BorrowedFd<'_>, marks: Marks) -> io::Result<Termios> {
    let mut modes = tcgetattr(terminal)?;
    if are_decided(&modes, marks) {
        return Ok(modes);
    }
    decide_input(&mut modes, marks);
    tcsetattr(terminal, OptionalActions::Now, &modes)?;
    tcgetattr(terminal)
}

/// Whether a terminal reports the input modes that were set. A driver may refuse some of what it is asked for without an error.
pub(super) fn are_decided(modes: &Termios, marks: Marks) -> bool {
    modes.input_modes & DECIDED == marks.input_modes()
}

fn decide_input(modes: &mut Termios, marks: Marks) {
    modes.input_modes = (modes.input_modes - DECIDED) | marks.input_modes();
}

/// The modes that a closing leaves: as they were found, speed included, but for what would reach the board. With `HUPCL` this very close would drop DTR and reset boards that are wired so. With `ECHO`
/// the kernel would send back to the board what it says before the close is done, and at the next opening what it says before the terminal is raw; a PTY, which may be somebody's terminal, keeps it.
pub(super) fn to_leave(found: &Termios, is_pty: bool) -> Termios {
    let mut modes = found.clone();
    modes.control_modes -= ControlModes::HUPCL;
    if !is_pty {
        modes.local_modes -= LocalModes::ECHO;
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_reach_a_board_is_not_left_and_the_rest_is_as_it_was_found() {
        let controller = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR).unwrap();
        let mut found = tcgetattr(&controller).unwrap();
        found.control_modes |= ControlModes::HUPCL;
        found.local_modes |= LocalModes::ECHO | LocalModes::ICANON;
        for (is_pty, lost) in [(false, LocalModes::ECHO), (true, LocalModes::empty())] {
            let left = to_leave(&found, is_pty);
            assert_eq!(left.local_modes, found.local_modes - lost);
            assert_eq!(left.control_modes, found.control_modes - ControlModes::HUPCL);
            assert_eq!((left.input_modes, left.output_modes), (found.input_modes, found.output_modes));
        }
    }
}
