//! Speeds that a case sets the module to by `AT+IPR`: the port has to be able to make them, or the module is lost to it.

use super::{Action, Case, walk};
use crate::baud::Baud;

/// The command, as it is looked for in what is sent (source: Easy Connect, mbed).
const COMMAND: &str = "+IPR=";

impl Case {
    /// The speeds that the steps, `finally` included, set the module to, each once. A command that is sent in pieces is not found.
    #[must_use]
    pub fn speeds_set(&self) -> Vec<Baud> {
        let mut speeds: Vec<Baud> = Vec::new();
        for step in walk(&self.steps).into_iter().chain(walk(&self.finally)) {
            let found = match &step.action {
                Action::At(at) => speeds_in(&at.command),
                Action::Boot(boot) => speeds_in(&boot.command),
                Action::Send(send) => speeds_in(&String::from_utf8_lossy(&send.bytes)),
                _ => Vec::new(),
            };
            speeds.extend(found);
        }
        speeds.sort_unstable();
        speeds.dedup();
        speeds
    }
}

/// The speeds that the commands in `text` set. `AT+IPR=?` and `AT+IPR=0` (automatic, ITU-T V.250) set none.
#[must_use]
pub fn speeds_in(text: &str) -> Vec<Baud> {
    // Blanks in a command are passed over (ITU-T V.250).
    let upper = text.to_ascii_uppercase().replace(' ', "");
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let speed = |(at, _): (usize, &str)| {
        let rest = &upper[at + COMMAND.len()..];
        rest[..digits(rest)].parse().ok().and_then(Baud::new)
    };
    upper.match_indices(COMMAND).filter_map(speed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_found_in_commands() {
        let speeds = |text: &str| speeds_in(text).into_iter().map(Baud::bits_per_second).collect::<Vec<_>>();
        assert_eq!(speeds("AT+IPR=460800"), [460_800]);
        assert_eq!(speeds("at+ipr= 9600\rAT+IPR=115200\r"), [9_600, 115_200]);
        assert_eq!(speeds("AT+IPR =460800\rAT + I P R = 9600\r"), [460_800, 9_600], "blanks");
        assert_eq!(speeds("AT+IPR=?\rAT+IPR?\rAT+IPR=0\rAT+IPR=\rAT+IPR=99999999999"), [0_u32; 0]);
    }
}
