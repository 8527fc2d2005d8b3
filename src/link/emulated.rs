//! The host's end in an emulated Raspberry Pi: bytes over the socket of its PL011, registers and edges over QEMU's test interface (docs/devel/qtest in QEMU's sources).

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::backlog::Backlog;
use super::end::HostEnd;
use super::error::LinkError;
use crate::baud::Baud;
use crate::seam::{LineId, LineState};
use crate::time::MonoTime;

/// How often registers are read. An edge is known as soon as QEMU reports it; that a pin became an input or an output, and that the host changed its speed, only after this.
pub(super) const LOOK_EVERY: Duration = Duration::from_micros(500);
/// How long QEMU may take to answer: its guest holds it up now and then.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest line that is taken from it.
const LINE_LIMIT: usize = 4096;

/// The GPIO block of a Raspberry Pi 3 (BCM2835 ARM Peripherals, chapter 6, at the address of the BCM2837).
const GPIO: u64 = 0x3f20_0000;
/// Its levels, 32 pins a word.
const LEVELS: u64 = GPIO + 0x34;
/// Three bits a pin, ten pins a word: 1 is output.
const PINS_A_FUNCTION_WORD: u64 = 10;
/// The PL011's divisor (chapter 13): its whole part, and its 64ths.
const DIVISOR: [u64; 2] = [0x3f20_1024, 0x3f20_1028];

/// How it is reached.
#[derive(Debug)]
pub(super) struct Emulation {
    pub(super) uart: PathBuf,
    pub(super) qtest: PathBuf,
    pub(super) reset_gpio: u8,
    pub(super) uart_clock: u32,
    pub(super) lost: Arc<AtomicU64>,
}

/// See the module.
pub(super) struct EmulatedPi {
    uart: UnixStream,
    uart_path: PathBuf,
    qtest: Qtest,
    gpio: u8,
    clock: u32,
    speed: Baud,
    pin: Pin,
    /// What the line became and was not told yet.
    driven: VecDeque<LineState>,
    looked: MonoTime,
    backlog: Backlog,
}

/// A GPIO as the registers have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pin {
    is_output: bool,
    is_high: bool,
}

impl Pin {
    /// Driven low is asserted; whatever else is, is not.
    const fn state(self) -> LineState {
        if self.is_output && !self.is_high { LineState::Asserted } else { LineState::Released }
    }
}

impl EmulatedPi {
    /// Connects to both sockets, asks to be told of edges and reads what is now.
    pub(super) fn connect(emulation: Emulation) -> Result<Self, LinkError> {
        let Emulation { uart, qtest, reset_gpio, uart_clock, lost } = emulation;
        let stream = connect(&uart)?;
        let mut qtest = Qtest { stream: connect(&qtest)?, path: qtest, unread: Vec::new(), edges: VecDeque::new() };
        qtest.ask(&["irq_intercept_out /machine/soc/peripherals/gpio".to_owned()])?;
        let mut pi = Self {
            uart: stream,
            uart_path: uart,
            qtest,
            gpio: reset_gpio,
            clock: uart_clock,
            speed: Baud::DEFAULT,
            pin: Pin { is_output: false, is_high: false },
            driven: VecDeque::new(),
            looked: MonoTime::ZERO,
            backlog: Backlog::new(lost),
        };
        pi.look()?;
        Ok(pi)
    }

    /// Reads the registers, and what QEMU reports meanwhile.
    fn look(&mut self) -> Result<(), LinkError> {
        let function = GPIO + 4 * (u64::from(self.gpio) / PINS_A_FUNCTION_WORD);
        let level = LEVELS + 4 * (u64::from(self.gpio) / 32);
        let addresses = [function, level, DIVISOR[0], DIVISOR[1]];
        let answers = self.qtest.ask(&addresses.map(|address| format!("readl {address:#x}")))?;
        let [function, level, whole, parts] = answers[..] else {
            return Err(self.qtest.odd("four numbers were asked for"));
        };
        self.take_edges();
        let is_output = function >> (3 * (u64::from(self.gpio) % PINS_A_FUNCTION_WORD)) & 0b111 == 1;
        self.became(Pin { is_output, is_high: level >> (self.gpio % 32) & 1 == 1 });
        // Before its port is opened for the first time there is none.
        let divisor = (whole & 0xffff) * 64 + (parts & 0x3f);
        let speed = (u64::from(self.clock) * 4 + divisor / 2).checked_div(divisor).and_then(|speed| u32::try_from(speed).ok());
        self.speed = speed.and_then(Baud::new).unwrap_or(self.speed);
        self.looked = MonoTime::now();
        Ok(())
    }

    /// Takes the edges that were reported, in their order.
    fn take_edges(&mut self) {
        while let Some((gpio, is_high)) = self.qtest.edges.pop_front() {
            if gpio == self.gpio {
                self.became(Pin { is_high, ..self.pin });
            }
        }
    }

    fn became(&mut self, pin: Pin) {
        if pin.state() != self.pin.state() {
            self.driven.push_back(pin.state());
        }
        self.pin = pin;
    }
}

impl HostEnd for EmulatedPi {
    fn poll<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let events = if self.backlog.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        fds.push(PollFd::from_borrowed_fd(self.uart.as_fd(), events));
        fds.push(PollFd::from_borrowed_fd(self.qtest.stream.as_fd(), PollFlags::IN));
    }

    fn look_at(&self) -> Option<MonoTime> {
        Some(self.looked + LOOK_EVERY)
    }

    /// Registers are read after the bytes: a line and a speed are then as they were when the bytes had been sent, or later.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        let read = match rustix::io::retry_on_intr(|| rustix::io::read(&self.uart, &mut *buffer)) {
            Ok(0) => return Err(ended(&self.uart_path)),
            Ok(n) => n,
            Err(Errno::AGAIN) => 0,
            Err(e) => return Err(LinkError::system("read", self.uart_path.display())(e)),
        };
        let reported = self.qtest.receive()? > 0;
        if read > 0 || reported || MonoTime::now() >= self.looked + LOOK_EVERY {
            self.look()?;
        }
        Ok(read)
    }

    fn speed(&mut self) -> Result<Baud, LinkError> {
        Ok(self.speed)
    }

    fn driven(&mut self) -> Option<(LineId, LineState)> {
        Some((LineId::RESET, self.driven.pop_front()?))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let Self { uart, uart_path, backlog, .. } = self;
        backlog.write(bytes, |bytes| match rustix::io::retry_on_intr(|| rustix::io::write(&*uart, bytes)) {
            Ok(n) => Ok(n),
            Err(Errno::AGAIN) => Ok(0),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(ended(uart_path)),
            Err(e) => Err(LinkError::system("write", uart_path.display())(e)),
        })
    }

    /// What QEMU has taken already still reaches the guest.
    fn discard(&mut self) {
        self.backlog.clear();
        let mut buffer = [0; 4096];
        while rustix::io::read(&self.uart, &mut buffer).is_ok_and(|n| n > 0) {}
    }
}

/// QEMU's test interface: a line for a command, a line for its answer, and lines in between when an interrupt or an intercepted GPIO changes.
struct Qtest {
    stream: UnixStream,
    path: PathBuf,
    /// What came and is no whole line yet.
    unread: Vec<u8>,
    /// GPIOs that changed: which, and whether it is high now.
    edges: VecDeque<(u8, bool)>,
}

impl Qtest {
    /// Sends commands at once and waits for their answers: the numbers in them, 0 where there is none.
    fn ask(&mut self, commands: &[String]) -> Result<Vec<u64>, LinkError> {
        let mut lines = commands.join("\n").into_bytes();
        lines.push(b'\n');
        let until = MonoTime::now() + ANSWER_WITHIN;
        let mut rest = &lines[..];
        while !rest.is_empty() {
            match rustix::io::retry_on_intr(|| rustix::io::write(&self.stream, rest)) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, until)?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(ended(&self.path)),
                Err(e) => return Err(LinkError::system("write", self.path.display())(e)),
            }
        }
        let mut answers = Vec::new();
        loop {
            self.take_lines(&mut answers)?;
            if answers.len() >= commands.len() {
                return Ok(answers);
            }
            if self.receive()? == 0 {
                self.wait(PollFlags::IN, until)?;
            }
        }
    }

    /// Takes what has come, without waiting: how many bytes.
    fn receive(&mut self) -> Result<usize, LinkError> {
        let mut buffer = [0; 4096];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.stream, &mut buffer)) {
            Ok(0) => Err(ended(&self.path)),
            Ok(n) => {
                self.unread.extend_from_slice(&buffer[..n]);
                Ok(n)
            }
            Err(Errno::AGAIN) => Ok(0),
            Err(e) => Err(LinkError::system("read", self.path.display())(e)),
        }
    }

    /// Reads the whole lines that have come: answers go to `answers`, edges are kept.
    fn take_lines(&mut self, answers: &mut Vec<u64>) -> Result<(), LinkError> {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["OK"] => answers.push(0),
                ["OK", number] => {
                    let digits = number.trim_start_matches("0x");
                    answers.push(u64::from_str_radix(digits, 16).map_err(|_| self.odd(&line))?);
                }
                ["IRQ", change, gpio] => {
                    // More lines than a Pi has pins are none of ours.
                    if let Ok(gpio) = gpio.parse() {
                        self.edges.push_back((gpio, change == "raise"));
                    }
                }
                _ => return Err(self.odd(&line)),
            }
        }
        if self.unread.len() > LINE_LIMIT { Err(self.odd("a line without an end")) } else { Ok(()) }
    }

    fn wait(&self, events: PollFlags, until: MonoTime) -> Result<(), LinkError> {
        let left = until.since(MonoTime::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&self.stream, events)], Some(&timeout)) {
            Ok(0) => Err(LinkError::Emulation { what: format!("QEMU did not answer on {} within {ANSWER_WITHIN:?}", self.path.display()) }),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(LinkError::system("ppoll", self.path.display())(e)),
        }
    }

    fn odd(&self, said: &str) -> LinkError {
        let (path, said) = (self.path.display(), said.trim());
        LinkError::Emulation { what: format!("{path} does not answer as QEMU's -qtest does for a raspi machine: {said:?}") }
    }
}

fn connect(path: &Path) -> Result<UnixStream, LinkError> {
    let stream = UnixStream::connect(path).map_err(LinkError::system("connect", path.display()))?;
    stream.set_nonblocking(true).map_err(LinkError::system("ioctl(FIONBIO)", path.display()))?;
    Ok(stream)
}

fn ended(path: &Path) -> LinkError {
    LinkError::Emulation { what: format!("QEMU has closed {}", path.display()) }
}
