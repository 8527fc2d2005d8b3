//! What a known answer looks like when it is sent at one speed and read at another, from the bits of a UART alone.
//!
//! A character is a start bit (low), eight data bits, the lowest first, and a stop bit (high); an idle line is high. A receiver waits for a falling edge, looks half of its own bit
//! later (high: that was none), then in the middle of each further bit. Written apart from the virtual EVKIT's receiver on purpose, and compared with it by a test.

use crate::baud::Baud;

/// The usual speeds, in the order in which they are worth a try. Which of them a module takes is published nowhere; 115200 and 460800 are (the post, Easy Connect).
pub const USUAL: [u32; 11] = [115_200, 460_800, 921_600, 230_400, 57_600, 38_400, 19_200, 9_600, 1_000_000, 2_000_000, 3_000_000];

/// What the module says by itself or in answer to anything: texts by which another speed shows.
const KNOWN: [&[u8]; 8] = [
    b"\r\n#REBOOT_RESET\r\n",
    b"\r\n#REBOOT_HOST\r\n",
    b"\r\n#SYSSTART\r\n",
    b"\r\n#SIMST: 1\r\n",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n+CME ERROR: 100\r\n",
    b"\r\n+CME ERROR\r\n",
];

/// What is said to have been sent when it is the echo.
const ECHO: &[u8] = b"the echo";

/// The fewest characters, and certain bits in them, that say something: shorter ones come out of anything.
const FEWEST: usize = 2;
const FEWEST_BITS: u32 = 12;
/// The fewest NUL that are no mere noise of a line at a start.
const FEWEST_NUL: usize = 24;
/// The most ways of reading a text that are followed.
const MOST_WAYS: usize = 64;

/// A speed that explains what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// The sender's speed.
    pub(super) speed: Baud,
    /// What was sent then, the longest that was found.
    pub(super) text: &'static [u8],
    /// How many of the bytes that came it explains.
    pub(super) bytes: usize,
    /// Whether these are most of what came.
    pub(super) is_most: bool,
}

/// A character as it is received, as far as it is certain: a sample that falls on the border of two bits may take either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Character {
    byte: u8,
    /// The bits that are certain.
    certain: u8,
}

impl Character {
    const fn fits(self, byte: u8) -> bool {
        (self.byte ^ byte) & self.certain == 0
    }
}

/// What a receiver at `receiver` can make of `bytes` sent without a pause at `sender`, whatever their stop bits are: one list, or more where a sample on a border decides what is a start bit.
pub(super) fn seen(bytes: &[u8], sender: Baud, receiver: Baud) -> Vec<Vec<Character>> {
    let bits =
        bytes.iter().flat_map(|byte| std::iter::once(false).chain((0..8).map(move |bit| byte >> bit & 1 == 1)).chain([true])).collect();
    let wire = Sent { bits, sender: u64::from(sender.bits_per_second()), receiver: u64::from(receiver.bits_per_second()) };
    let mut ways = Vec::new();
    wire.receive(0, Vec::new(), &mut ways);
    ways
}

/// Bits on a wire, and who reads them. Times are in units in which both kinds of half bits are whole: a bit of the sender has `2 * receiver` of them, half a bit of the receiver `sender`.
struct Sent {
    bits: Vec<bool>,
    sender: u64,
    receiver: u64,
}

/// The level at a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Low,
    High,
    /// On a border.
    Either,
}

impl Sent {
    fn bit(&self, at: u64) -> bool {
        usize::try_from(at / (2 * self.receiver)).ok().and_then(|bit| self.bits.get(bit)).copied().unwrap_or(true)
    }

    fn level(&self, at: u64) -> Level {
        // A hundredth of a bit is less than any clock keeps.
        let border = self.receiver / 50;
        match (self.bit(at.saturating_sub(border)), self.bit(at + border)) {
            (false, false) => Level::Low,
            (true, true) => Level::High,
            _ => Level::Either,
        }
    }

    fn falling_edge(&self, from: u64) -> Option<u64> {
        let is_edge = |bit: &usize| !self.bits[*bit] && (*bit == 0 || self.bits[*bit - 1]);
        (0..self.bits.len()).filter(is_edge).map(|bit| bit as u64 * 2 * self.receiver).find(|edge| *edge >= from)
    }

    /// Receives from `from` on, behind what was received `before`.
    fn receive(&self, from: u64, before: Vec<Character>, ways: &mut Vec<Vec<Character>>) {
        let Some(edge) = self.falling_edge(from).filter(|_| ways.len() < MOST_WAYS) else {
            ways.push(before);
            return;
        };
        let middle = |bit: u64| edge + (2 * bit + 1) * self.sender;
        let start = self.level(middle(0));
        if start != Level::Low {
            self.receive(middle(0), before.clone(), ways);
        }
        if start == Level::High {
            return;
        }
        let mut character = Character { byte: 0, certain: 0 };
        for bit in 1..=8 {
            let level = self.level(middle(bit));
            character.byte |= u8::from(level == Level::High) << (bit - 1);
            character.certain |= u8::from(level != Level::Either) << (bit - 1);
        }
        let mut more = before;
        more.push(character);
        self.receive(middle(9), more, ways);
    }
}

/// Where `way` stands in `came`, from `from` on.
fn found(way: &[Character], came: &[u8], from: usize) -> Option<usize> {
    let fits = |window: &[u8]| way.iter().zip(window).all(|(character, byte)| character.fits(*byte));
    came.get(from..)?.windows(way.len()).position(fits).map(|at| from + at)
}

/// The usual speeds at which what the module says looks, at `receiver`, like what `came`; the best first. Empty when none does. An application whose echo is on also sends back what it took `sent` for.
pub(super) fn explain(came: &[u8], sent: &[u8], receiver: Baud) -> Vec<Fit> {
    let certain = |way: &[Character]| way.iter().map(|character| character.certain.count_ones()).sum::<u32>();
    let mut fits = fits(came, sent, receiver, |way| way.len() >= FEWEST && certain(way) >= FEWEST_BITS);
    // A fit of many bytes is no chance, and short ones beside it are.
    let most = fits.first().map_or(0, |fit| fit.bytes);
    fits.retain(|fit| fit.bytes * 2 >= most);
    fits
}

/// The usual speeds at which something that the module says could be what `came`, at `receiver`; the best first. A single character is enough: what is read at a quarter of its speed leaves no more.
pub(super) fn candidates(came: &[u8], receiver: Baud) -> Vec<Baud> {
    fits(came, b"", receiver, |way| !way.is_empty()).iter().map(|fit| fit.speed).collect()
}

/// The fits at all usual speeds but the receiver's, the best first.
fn fits(came: &[u8], sent: &[u8], receiver: Baud, is_enough: impl Fn(&[Character]) -> bool) -> Vec<Fit> {
    let senders = USUAL.into_iter().filter_map(Baud::new).filter(|sender| *sender != receiver);
    let mut fits: Vec<Fit> = senders.filter_map(|sender| fit(came, sent, sender, receiver, &is_enough)).collect();
    fits.sort_by_key(|fit| std::cmp::Reverse(fit.bytes));
    fits
}

/// How well `sender` explains what came, by readings of known texts that are `is_enough`.
fn fit(came: &[u8], sent: &[u8], sender: Baud, receiver: Baud, is_enough: impl Fn(&[Character]) -> bool) -> Option<Fit> {
    let told = came.iter().filter(|byte| !matches!(byte, 0 | 0xFF)).count();
    // Far slower than the host: every low bit is a character of its own, NUL without a stop bit.
    let is_slow = sender.bits_per_second().saturating_mul(10) <= receiver.bits_per_second();
    if is_slow {
        return (came.len() >= FEWEST_NUL && told == 0).then_some(Fit { speed: sender, text: b"", bytes: 1, is_most: true });
    }
    // What the module took a command for, and sends back.
    let heard: Vec<u8> =
        seen(sent, receiver, sender).into_iter().next().unwrap_or_default().iter().map(|character| character.byte).collect();
    let texts = KNOWN.iter().map(|text| (*text, *text)).chain((!heard.is_empty()).then_some((ECHO, heard.as_slice())));
    let mut is_explained = vec![false; came.len()];
    let mut longest: Option<(usize, &'static [u8])> = None;
    for (name, text) in texts {
        for way in seen(text, sender, receiver) {
            if !is_enough(&way) || way.iter().all(|character| matches!(character.byte, 0 | 0xFF)) {
                continue;
            }
            let mut from = 0;
            while let Some(at) = found(&way, came, from) {
                is_explained[at..at + way.len()].fill(true);
                longest = longest.filter(|(length, _)| *length >= way.len()).or(Some((way.len(), name)));
                from = at + way.len();
            }
        }
    }
    let bytes = is_explained.iter().zip(came).filter(|(explained, byte)| **explained && !matches!(byte, 0 | 0xFF)).count();
    // Bytes of nothing known hold a short word by chance; the module says little but these.
    (bytes * 4 >= told).then_some(longest).flatten().map(|(_, text)| Fit { speed: sender, text, bytes, is_most: bytes * 2 >= told })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baud(speed: u32) -> Baud {
        Baud::new(speed).unwrap()
    }

    /// The bytes of the first way in which they can be read, where all of their bits are certain.
    fn read(sent: u32, read: u32, bytes: &[u8]) -> Vec<u8> {
        let ways = seen(bytes, baud(sent), baud(read));
        ways[0].iter().map(|character| character.byte).collect()
    }

    #[test]
    fn worked_by_hand() {
        // 0xC5 at 57600, read at 115200: 0 | 0 11 00 11 0, as the bits of the fixture's first line are.
        assert_eq!(read(57_600, 115_200, &[0xc5]), [0b0110_0110]);
        assert_eq!(read(9_600, 115_200, &[0x55]), [0; 5]);
        assert_eq!(read(115_200, 115_200, b"OK"), b"OK");
        // Three fifths: no sample falls on a border.
        assert_eq!(seen(&[0xc5], baud(38_400), baud(57_600)).len(), 1);
    }

    #[test]
    fn a_sample_on_a_border_may_take_either_bit() {
        // One bit at 460800 is a quarter of one at 115200: each sample falls on a border. 0xFF has one low bit, and it is over when the receiver looks, or just not.
        let ways = seen(&[0xff], baud(460_800), baud(115_200));
        assert!(ways.contains(&Vec::new()), "{ways:?}");
        // 0xC5 is taken for a character from its first falling edge, or from a later one.
        let ways = seen(&[0xc5], baud(460_800), baud(115_200));
        assert!(ways.iter().any(|way| way.len() == 1 && way[0].fits(0xfe)), "{ways:?}");
    }

    #[test]
    fn each_speed_is_found_by_its_start_up_messages() {
        for sender in USUAL {
            for receiver in USUAL.into_iter().filter(|receiver| *receiver != sender && *receiver < 8 * sender && sender < 6 * receiver) {
                let message = [&b"\r\n#REBOOT_RESET\r\n"[..], b"\r\n#SYSSTART\r\n"].map(|text| read(sender, receiver, text)).concat();
                let fits = explain(&message, b"", baud(receiver));
                assert!(fits.iter().any(|fit| fit.speed == baud(sender)), "{sender} at {receiver}: {message:02x?} {fits:?}");
            }
        }
    }

    #[test]
    fn text_at_the_right_speed_is_no_other_speed() {
        assert_eq!(explain(b"\r\n#SYSSTART\r\n\r\nOK\r\n", b"AT", baud(115_200)), []);
        assert_eq!(explain(b"$GPGGA,1,2,3*47\r\n", b"AT", baud(115_200)), []);
    }
}
