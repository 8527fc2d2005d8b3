//! When bytes are taken and given, and that nothing else matters: no chunk, no further call, no second run.

use proptest::prelude::*;

use super::*;
use crate::model::evkit::Fault;

#[test]
fn an_answer_ends_exactly_when_its_wire_time_has_passed() {
    let mut host = Host::with(&[("echo", "false"), ("answer-delay", "1 ms")]);
    let taken = host.now + Baud::DEFAULT.wire_time(3);
    host.send(b"AT\r");
    host.wait(ms(100));
    assert_eq!(host.seen, b"\r\nOK\r\n");
    assert_eq!(host.given, [(taken + ms(1) + Baud::DEFAULT.wire_time(6), 6)]);
}

#[test]
fn bytes_are_given_in_batches_of_at_most_a_millisecond() {
    let mut host = Host::with(&[("echo", "false"), ("answer-delay", "1 ms")]);
    let begin = host.now + Baud::DEFAULT.wire_time(4) + ms(1);
    host.send(b"ATI\r");
    host.wait(ms(100));
    assert_eq!(host.seen.len(), 44);
    let mut before = 0;
    for (at, upto) in &host.given {
        let first = begin + Baud::DEFAULT.wire_time(before as u64 + 1);
        let last = begin + Baud::DEFAULT.wire_time(*upto as u64);
        assert!(*at >= last, "byte {upto} was given {:?} early", last.since(*at));
        assert!(at.since(first) <= ms(1), "byte {before} was held for {:?}", at.since(first));
        before = *upto;
    }
    assert_eq!(host.given.last(), Some(&(begin + Baud::DEFAULT.wire_time(44), 44)));
    assert!(host.given.len() <= 5, "{:?}", host.given);
}

#[test]
fn an_acknowledge_is_given_at_its_time_although_more_follows_the_hotkey() {
    let mut host = Host::with(&[("acknowledge-delay", "200 us")]);
    host.pulse();
    host.wait(ms(10));
    let taken = host.now + Baud::DEFAULT.wire_time(1);
    host.send(&[&[0xc5][..], &[8; 128]].concat());
    host.wait(ms(100));
    assert_eq!(host.seen, [0x9a]);
    assert_eq!(host.given, [(taken + Duration::from_micros(200) + Baud::DEFAULT.wire_time(1), 1)]);
}

#[test]
fn bytes_behind_those_on_the_wire_wait_their_turn() {
    let mut host = Host::with(&[("echo", "false"), ("answer-delay", "0 ms")]);
    let start = host.now;
    // 129 bytes take 11 ms; a command handed over at the same moment leaves behind them.
    host.send(&[0x08; 129]);
    host.send(b"AT\r");
    host.wait(ms(100));
    assert_eq!(host.given.last(), Some(&(start + Baud::DEFAULT.wire_time(129 + 3) + Baud::DEFAULT.wire_time(6), 6)));
}

#[test]
fn reset_breaks_an_answer_off() {
    let mut host = Host::with(&[("echo", "false"), ("answer-delay", "1 ms")]);
    host.send(b"ATI\r");
    // Into the middle of the fifth byte of the answer.
    host.wait(Baud::DEFAULT.wire_time(4) + ms(1) + Baud::DEFAULT.bits_time(45));
    host.line(LineState::Asserted);
    host.wait(ms(500));
    assert_eq!(host.seen[..4], *b"\r\nST");
    // Of the M (0100_1101) the start bit and the bits 1, 0, 1 and half of the next are there; the line is high after that.
    assert_eq!(host.seen[4..], [0b1111_1101]);
}

#[test]
fn an_idle_board_wants_nothing() {
    let mut host = Host::with(&[]);
    assert_eq!(host.wake, None);
    host.start_application();
    assert_eq!(host.wake, None);
    let before = host.calls;
    host.wait(Duration::from_secs(3600));
    assert_eq!(host.calls, before + 1);
}

#[test]
fn a_board_in_reset_forgets_what_is_sent_to_it() {
    let mut host = Host::with(&[]);
    host.line(LineState::Asserted);
    for _ in 0..100 {
        host.send(&[0xc5; 100]);
        host.wait(ms(10));
    }
    assert!(host.seen.is_empty());
}

#[test]
fn a_slower_board_is_seen_by_the_host_as_breaks_and_misframed_bytes() {
    let mut host = Host::with(&[("speed", "9600"), ("echo", "true")]);
    host.set_speed(9600);
    host.send(b"U");
    host.wait(Duration::from_micros(1100));
    // The echo of the U (0x55) is on the wire: five falling edges at 9600, each a break at 115200.
    host.set_speed(115_200);
    host.wait(ms(50));
    assert!(!host.seen.is_empty() && host.seen.iter().all(|byte| *byte == 0));
    let marks: Vec<Mark> = (0..host.seen.len()).map(|offset| Mark { offset, kind: MarkKind::Break }).collect();
    assert_eq!(host.marks, marks);
}

#[test]
fn a_faster_board_is_seen_by_the_host_as_other_bytes() {
    let mut host = Host::with(&[("speed", "230400"), ("echo", "false")]);
    host.set_speed(230_400);
    host.send(b"AT\r");
    host.wait(Duration::from_micros(200));
    host.set_speed(115_200);
    host.wait(ms(50));
    assert!(!host.seen.is_empty() && host.seen.len() <= 3 && host.seen != b"\r\nOK\r\n", "{:02x?}", host.seen);
}

#[test]
fn misframed_bytes_are_taken_or_dropped() {
    // A NUL at 9600 is one byte without its stop bit at 115200.
    for (keeps, answer) in [("true", "\r\nERROR\r\n"), ("false", "\r\nOK\r\n")] {
        let mut host = Host::with(&[("keeps-misframed", keeps), ("echo", "false")]);
        host.set_speed(9600);
        host.send(&[0]);
        host.wait(ms(10));
        host.set_speed(115_200);
        assert_eq!(host.ask("AT"), answer);
    }
}

/// A host that does what `script` says: waits, then sends. Sends are cut into pieces of `cut` bytes, each handed over while the one before is on the wire, and the board is called at
/// other moments as well, `extra` apart.
fn run(seed: u64, script: &[(u64, Vec<u8>, u32)], cut: usize, extra: Duration) -> Host {
    run_with(Settings::drawn(seed), script, cut, extra)
}

fn run_with(settings: Settings, script: &[(u64, Vec<u8>, u32)], cut: usize, extra: Duration) -> Host {
    let mut host = Host::of(settings);
    host.pulse();
    for (pause, bytes, speed) in script {
        let sent = host.now + baud(*speed).wire_time(bytes.len() as u64);
        host.speed = baud(*speed);
        host.hand(Input::HostSpeed(host.speed));
        for piece in bytes.chunks(cut) {
            let free = host.now + host.speed.wire_time(piece.len() as u64);
            host.send(piece);
            host.wait_until(free.minus(Duration::from_nanos(10)).min(sent));
        }
        host.wait_until(sent);
        let end = host.now + Duration::from_micros(*pause);
        while host.now < end {
            host.wait_until((host.now + extra).min(end));
        }
    }
    host.wait(ms(5000));
    host
}

fn script() -> impl Strategy<Value = Vec<(u64, Vec<u8>, u32)>> {
    let words = prop_oneof![
        Just(b"\xc5\xff".to_vec()),
        Just(b"ATI0\r".to_vec()),
        Just([&[8; 128][..], b"\rATI01\r"].concat()),
        Just(b"AT+IPR=460800\r".to_vec()),
        Just(b"AT#UP\r".to_vec()),
        Just(b"AT#BOOT\r".to_vec()),
        Just(b"AT#LDRST=2,2\r".to_vec()),
        Just(image("2.8.0").to_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let speeds = prop_oneof![4 => Just(115_200_u32), 1 => Just(460_800), 1 => Just(9600)];
    proptest::collection::vec((0_u64..900_000, words, speeds), 1..8)
}

fn faults() -> impl Strategy<Value = Vec<&'static Fault>> {
    proptest::sample::subsequence(Fault::ALL.iter().collect::<Vec<_>>(), 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunks_and_calls_change_nothing(seed in 0_u64..1000, script in script(), cut in 1_usize..50, extra in 100_u64..5000) {
        let whole = run(seed, &script, usize::MAX, Duration::from_secs(1));
        let cut = run(seed, &script, cut, Duration::from_micros(extra));
        prop_assert_eq!(whole.seen.escape_ascii().to_string(), cut.seen.escape_ascii().to_string());
        prop_assert_eq!(whole.marks, cut.marks);
        prop_assert_eq!(whole.board.state(), cut.board.state());
        prop_assert!(whole.board.log().acted().is_empty(), "a board without a fault: {:?}", whole.board.log().acted());
    }

    #[test]
    fn chunks_and_calls_change_nothing_of_what_faults_do(
        seed in 0_u64..1000, faults in faults(), script in script(), cut in 1_usize..50, extra in 100_u64..5000,
    ) {
        let mut settings = Settings::drawn(seed);
        faults.iter().for_each(|fault| fault.apply(&mut settings, seed));
        // A host sends nothing to a port that is gone, and this one would go on in the middle of a chunk.
        settings.port_returns_after = None;
        let whole = run_with(settings.clone(), &script, usize::MAX, Duration::from_secs(1));
        let cut = run_with(settings, &script, cut, Duration::from_micros(extra));
        prop_assert_eq!(whole.seen.escape_ascii().to_string(), cut.seen.escape_ascii().to_string());
        prop_assert_eq!(whole.marks, cut.marks);
        prop_assert_eq!(whole.board.state(), cut.board.state());
        prop_assert_eq!((&whole.port, &whole.edges), (&cut.port, &cut.edges));
        prop_assert_eq!(whole.board.log().acted(), cut.board.log().acted());
        let names = faults.iter().map(|fault| fault.name).collect::<Vec<_>>();
        prop_assert!(whole.board.log().acted().keys().all(|name| names.contains(name)), "{:?}", whole.board.log().acted());
    }

    #[test]
    fn a_run_repeats_to_the_byte(seed in 0_u64..1000, script in script()) {
        let (a, b) = (run(seed, &script, 7, ms(1)), run(seed, &script, 7, ms(1)));
        prop_assert_eq!(a.seen, b.seen);
        prop_assert_eq!(a.given, b.given);
    }

    #[test]
    fn nothing_is_given_faster_than_the_wire_carries_it(seed in 0_u64..1000, script in script()) {
        let host = run(seed, &script, 5, ms(1));
        // At no speed of the script does a byte take less than at 460800.
        let wire = baud(460_800);
        for (index, (at, upto)) in host.given.iter().enumerate() {
            for (later, total) in &host.given[index..] {
                let bytes = (total - upto) as u64;
                prop_assert!(later.since(*at) + ms(1) + wire.wire_time(1) >= wire.wire_time(bytes), "{bytes} bytes in {:?}", later.since(*at));
            }
        }
    }
}
