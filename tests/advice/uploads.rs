//! Uploads, and the versions that come of them.

use evkit_hil::diagnosis::Advice;
use rstest::rstest;

use super::advised;

/// Each with the rest of its file; what is between the words of the advice is not looked at.
#[rstest]
#[case(
    "effects: [firmware]
virtual: { fault: refuses-at-end }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: newer, result: accepted }
",
    Advice::RefusedHigher
)]
#[case(
    "effects: [firmware, downgrade-attempt]
images: { older: { make: { A: 2.6.0, M: 2.6.0, S: 2.6.0, key: \"0405\", size: 4 KiB } } }
steps:
  - at: { command: AT+CGMR }
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: older, result: accepted }
",
    Advice::RefusedLower
)]
#[case(
    "effects: [firmware]
images:
  newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 4 KiB } }
  corrupt: { from: newer, damage: { offset: 50 %, xor: \"01\" } }
steps:
  - handshake: {}
  - boot: { command: ATI0 }
  - upload: { image: corrupt, result: accepted }
",
    Advice::RefusedDamaged
)]
#[case(
    "effects: [firmware]
virtual: { check-time: 2 s }
images: { newer: { make: { A: 2.8.0, M: 2.8.0, S: 2.8.0, key: \"0405\", size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, request-within: 1 s }
",
    Advice::NoVerdict
)]
#[case(
    "virtual: { fault: keeps-old-version }
effects: [firmware]
images: { newer: { make: { A: 2.8.0, size: 4 KiB } } }
steps:
  - handshake:
  - upload: { image: newer }
  - reset: { pulse: 15 ms }
  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s }
  - at: { command: AT+CGMR, shows: { text: 2.8.0 } }
",
    Advice::NotInstalledAfterReset
)]
// A boot code that answers when the step has given up, before a probe or behind it.
#[case(
    "effects: [firmware]
virtual: { boot-answer-delay: 500 ms }
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - boot: { command: ATI0, within: 2 s }
  - upload: { image: newer }
",
    Advice::UploadTooLate
)]
#[case(
    "effects: [firmware]
virtual: { boot-answer-delay: 1 s }
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - boot: { command: ATI0, within: 2 s }
  - upload: { image: newer }
",
    Advice::UploadTooLate
)]
// Refused on a fast link.
#[case(
    "effects: [firmware, speed]
virtual: { fault: refuses-at-end }
images: { newer: { make: { A: 2.8.0, size: 4 KiB } } }
steps:
  - handshake:
  - boot: { command: AT+IPR=460800 }
  - uart: { baud: 460800 }
  - wait: 300 ms
  - upload: { image: newer }
",
    Advice::RefusedFast
)]
// What should break it off does not come, and the device is given little time.
#[case(
    "effects: [firmware, interrupt-upload]
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, result: interrupted, on: [ { byte: 16384, steps: [ { reset: { pulse: 15 ms } } ] } ] }
",
    Advice::NotBrokenOff
)]
#[case(
    "effects: [firmware]
virtual: { request-delay: 300 ms, erase-time: 100 ms }
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, request-within: 200 ms }
",
    Advice::AsksLater
)]
#[case(
    "effects: [firmware]
virtual: { check-time: 1 s, erase-time: 100 ms }
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer, request-within: 200 ms }
",
    Advice::NoVerdict
)]
#[case(
    "effects: [firmware]
deadline: 300 ms
virtual: { erase-time: 5 s }
images: { newer: { make: { A: 2.8.0, size: 8 KiB } } }
steps:
  - handshake:
  - upload: { image: newer }
",
    Advice::DeadlinePassed
)]
// What went in before in this case is what is installed.
#[case(
    "effects: [firmware]
images:
  newer: { make: { A: 2.8.0, size: 4 KiB } }
  same: { make: { A: 2.7.0, size: 4 KiB } }
steps:
  - handshake:
  - upload: { image: newer }
  - handshake:
  - upload: { image: same }
",
    Advice::RefusedLower
)]
fn what_was_seen_decides_what_to_try_next(#[case] rest: &str, #[case] advice: Advice) {
    advised(rest, advice);
}
