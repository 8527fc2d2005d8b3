//! A board wired to an emulated Raspberry Pi, of which this is only what QEMU's sockets say. The real one: `tests/emulated_pi`.

use std::collections::HashMap;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use super::*;
use crate::link::{QemuBoard, QemuConfig};

const FUNCTION_1: u64 = 0x3f20_0004;
const LEVELS_0: u64 = 0x3f20_0034;
const WHOLE: u64 = 0x3f20_1024;
const PARTS: u64 = 0x3f20_1028;
/// GPIO17 as an output, and high.
const OUTPUT_17: u64 = 1 << 21;
const HIGH_17: u64 = 1 << 17;
/// 48 MHz / (16 * (6 + 33/64)).
const FASTER: &[(u64, u64)] = &[(WHOLE, 6), (PARTS, 33)];
const FAST: u32 = 460_432;
/// 48 MHz / (16 * 312.5).
const SLOWER: &[(u64, u64)] = &[(WHOLE, 312), (PARTS, 32)];
const SLOW: u32 = 9600;

/// QEMU as its sockets have it: answers `readl`, and reports what it is told to.
struct Qemu {
    _dir: TempDir,
    log: Log,
    board: QemuBoard,
    uart: UnixStream,
    registers: Arc<Mutex<HashMap<u64, u64>>>,
    /// The test interface, for what is reported in between.
    qtest: UnixStream,
    answers: JoinHandle<Vec<String>>,
}

impl Qemu {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let [uart, qtest] = ["uart", "qtest"].map(|name| UnixListener::bind(path(name)).unwrap());
        let registers = Arc::new(Mutex::new(HashMap::new()));
        let known = Arc::clone(&registers);
        let (sender, receiver) = std::sync::mpsc::channel();
        let answers = std::thread::spawn(move || {
            let (stream, _) = qtest.accept().unwrap();
            sender.send(stream.try_clone().unwrap()).unwrap();
            answer(&stream, &known)
        });
        let log = Log::default();
        let config =
            QemuConfig { uart: path("uart"), qtest: path("qtest"), reset_gpio: 17, uart_clock: 48_000_000, control: path("control") };
        let board = QemuBoard::start(echo(&log), &config).unwrap();
        let uart = uart.accept().unwrap().0;
        uart.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { log, board, uart, registers, qtest: receiver.recv().unwrap(), answers, _dir: dir }
    }

    fn set(&self, values: &[(u64, u64)]) {
        self.registers.lock().unwrap().extend(values.iter().copied());
    }

    /// Sets registers, and waits until all have been read: then two other speeds were, the second of them in a later reading than the first.
    fn set_and_see(&self, values: &[(u64, u64)]) {
        self.set(values);
        for (registers, speed) in [(FASTER, FAST), (SLOWER, SLOW)] {
            self.set(registers);
            self.wait_for(&Seen::Speed(speed));
        }
    }

    fn report(&mut self, line: &str) {
        self.qtest.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn wait_for(&self, wanted: &Seen) {
        let until = MonoTime::now() + PATIENCE;
        while !self.log.lock().unwrap().contains(wanted) {
            assert!(MonoTime::now() < until, "no {wanted:?}: {:?}", self.log.lock().unwrap());
            std::thread::yield_now();
        }
    }

    fn lines(&self) -> Vec<LineState> {
        self.log.lock().unwrap().iter().filter_map(|seen| if let Seen::Line(state) = seen { Some(*state) } else { None }).collect()
    }
}

/// Answers commands until the board has gone. What it was asked that is not `readl`.
fn answer(stream: &UnixStream, registers: &Mutex<HashMap<u64, u64>>) -> Vec<String> {
    let mut others = Vec::new();
    let mut writer = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        let answer = match line.strip_prefix("readl 0x") {
            Some(address) => {
                let address = u64::from_str_radix(address, 16).unwrap();
                format!("OK {:#018x}\n", registers.lock().unwrap().get(&address).copied().unwrap_or(0))
            }
            None => {
                others.push(line);
                "OK\n".to_owned()
            }
        };
        if writer.write_all(answer.as_bytes()).is_err() {
            break;
        }
    }
    others
}

#[test]
fn bytes_go_both_ways_at_the_speed_of_the_guests_divisors() {
    let mut qemu = Qemu::start();
    qemu.set(FASTER);
    let all: Vec<u8> = (0..=255).collect();
    qemu.uart.write_all(&all).unwrap();
    let mut back = [0; 256];
    qemu.uart.read_exact(&mut back).unwrap();
    assert_eq!(back, all[..]);
    qemu.wait_for(&Seen::Bytes(all, FAST));
    drop(qemu.board);
    assert_eq!(qemu.answers.join().unwrap(), ["irq_intercept_out /machine/soc/peripherals/gpio"]);
}

#[test]
fn before_the_port_is_opened_the_speed_is_that_of_a_start() {
    let mut qemu = Qemu::start();
    qemu.uart.write_all(b"a").unwrap();
    qemu.wait_for(&Seen::Bytes(b"a".to_vec(), 115_200));
}

#[test]
fn an_open_drain_is_asserted_while_its_pin_is_an_output() {
    let qemu = Qemu::start();
    qemu.set(&[(FUNCTION_1, OUTPUT_17)]);
    qemu.wait_for(&Seen::Line(LineState::Asserted));
    qemu.set(&[(FUNCTION_1, 0)]);
    qemu.wait_for(&Seen::Line(LineState::Released));
    // Another pin of the same word, and an alternate function, are none of it.
    qemu.set_and_see(&[(FUNCTION_1, 1 << 18 | 0b100 << 21)]);
    assert_eq!(qemu.lines(), [LineState::Asserted, LineState::Released]);
}

#[test]
fn a_pin_that_is_pushed_and_pulled_is_followed_by_its_edges() {
    let mut qemu = Qemu::start();
    qemu.set_and_see(&[(FUNCTION_1, OUTPUT_17), (LEVELS_0, HIGH_17)]);
    assert_eq!(qemu.lines(), [], "an output that is high asserts nothing");
    // Both edges are there before the registers are read again, and a third is another pin's.
    qemu.report("IRQ lower 4\nIRQ lower 17\nIRQ raise 17");
    qemu.wait_for(&Seen::Line(LineState::Released));
    assert_eq!(qemu.lines(), [LineState::Asserted, LineState::Released]);
}

#[test]
fn the_board_ends_with_qemu_and_says_so() {
    let qemu = Qemu::start();
    let Qemu { board, qtest, uart, .. } = qemu;
    uart.shutdown(std::net::Shutdown::Both).unwrap();
    let until = MonoTime::now() + PATIENCE;
    while board.is_running() {
        assert!(MonoTime::now() < until);
        std::thread::yield_now();
    }
    let said = board.stop().unwrap_err().to_string();
    assert!(said.starts_with("QEMU has closed ") && said.ends_with("/uart"), "{said}");
    drop(qtest);
}

#[test]
fn what_is_no_qemu_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let config =
        || QemuConfig { uart: path("uart"), qtest: path("qtest"), reset_gpio: 17, uart_clock: 48_000_000, control: path("control") };
    let said = || QemuBoard::start(echo(&Log::default()), &config()).unwrap_err().to_string();
    assert!(said().starts_with("connect on ") && said().contains("/uart failed: "), "{}", said());
    let _uart = UnixListener::bind(path("uart")).unwrap();
    let qtest = UnixListener::bind(path("qtest")).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = qtest.accept().unwrap();
        stream.write_all(b"220 mail.example ESMTP\n").unwrap();
        // Not gone before it has been asked: that would be another error.
        BufReader::new(stream).read_line(&mut String::new()).unwrap()
    });
    let said = said();
    assert!(said.ends_with("does not answer as QEMU's -qtest does for a raspi machine: \"220 mail.example ESMTP\""), "{said}");
    assert!(other.join().unwrap() > 0, "it was asked");
}
