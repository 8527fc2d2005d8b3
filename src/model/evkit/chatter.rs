//! What a port of the kit says that is not the module's AT port: made up, and unlike anything that boot code or application say.

use super::random::Random;
use super::settings::{Settings, WrongPort};

/// Sentences of a satellite receiver without a fix (NMEA 0183).
const SENTENCES: [&str; 3] = ["$GNRMC,,V,,,,,,,,,,N*4D\r\n", "$GNGGA,,,,,,0,00,99.99,,,,,,*56\r\n", "$GNGLL,,,,,,V,N*7A\r\n"];
/// Lines of a debug log.
const LINES: [&str; 3] = ["[I] rrc: cell search, band 20\n", "[D] sched: idle 12 ms\n", "[W] pmu: vbat 3291 mV\n"];
/// What each frame begins with.
const FRAME: [u8; 2] = [0xaa, 0x55];

/// What the port has said so far.
#[derive(Debug)]
pub(super) struct Chatter {
    said: usize,
    random: Random,
}

impl Chatter {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { said: 0, random: Random::new(settings.seed, "chatter") }
    }

    /// What it says next.
    pub(super) fn next(&mut self, port: WrongPort) -> Vec<u8> {
        let index = self.said % SENTENCES.len();
        self.said += 1;
        match port {
            WrongPort::None => Vec::new(),
            WrongPort::Nmea => SENTENCES[index].into(),
            WrongPort::Log => LINES[index].into(),
            WrongPort::Binary => {
                let length = self.random.between(4, 32);
                let mut byte = || u8::try_from(self.random.between(0, 255)).unwrap_or(0);
                let body = (0..length).map(|_| byte()).collect::<Vec<_>>();
                [&FRAME[..], &[u8::try_from(length).unwrap_or(0)], &body].concat()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_their_checksums() {
        for sentence in SENTENCES {
            let (body, sum) = sentence.trim_end().trim_start_matches('$').split_once('*').unwrap();
            assert_eq!(format!("{:02X}", body.bytes().fold(0, |sum, byte| sum ^ byte)), sum, "{sentence}");
        }
    }
}
