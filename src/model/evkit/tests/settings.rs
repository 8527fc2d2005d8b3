//! Each setting that is no fault changes what is on the wire, or when: none is there for show.

use super::*;
use crate::model::evkit::{Kind, WAKE};

type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Another value for each, with what the tour needs beside it to show the difference.
const OTHER: &[Row] = &[
    ("firmware", "2.9.0", &[]),
    ("firmware-modem", "2.8.1", &[]),
    ("firmware-secure", "2.8.1", &[]),
    ("imei", "004402990000022", &[]),
    ("key", "0406", &[]),
    ("boot-ready", "15 ms", &[]),
    ("boot-window", "5 ms", &[]),
    ("boot-speed", "current", &[("speed", "460800")]),
    ("boot-version", "1.0", &[]),
    ("boot-answer-delay", "2 ms", &[]),
    ("result-gap", "3 ms", &[]),
    ("acknowledge-delay", "2 ms", &[]),
    ("acknowledge-cr", "true", &[]),
    ("code-unknown-command", "4042", &[]),
    ("code-too-long", "4042", &[]),
    ("code-bad-value", "4042", &[]),
    ("boot-command-answered", "false", &[]),
    ("erase-time", "30 ms", &[]),
    ("request-delay", "1 ms", &[]),
    ("check-time", "9 ms", &[]),
    ("chunks", "any", &[]),
    ("largest-chunk", "100", &[]),
    ("asks-past-end", "true", &[]),
    ("version-check", "end", &[]),
    ("code-lower-version", "-1", &[]),
    ("code-wrong-key", "-1", &[]),
    ("code-corrupt", "-1", &[]),
    ("application-start", "600 ms", &[]),
    ("start-keeps-input", "true", &[]),
    ("still-booting", "20 s", &[]),
    ("reboot-message", "after-first-command", &[]),
    ("sysstart-delay", "30 ms", &[]),
    ("simst-delay", "300 ms", &[]),
    ("answer-delay", "10 ms", &[]),
    ("echo", "false", &[]),
    ("backspace-deletes", "false", &[]),
    ("error-form", "cme-bare", &[]),
    ("unsolicited", "true", &[]),
    ("reset-command-answered", "false", &[]),
    ("window-after-reset-command", "false", &[]),
    ("ldrst-answered", "false", &[]),
    ("ldrst-time", "1 s", &[]),
    ("ldrst-latched", "true", &[]),
    ("speed-outlives-reset", "never", &[]),
    ("speed-switch-delay", "100 ms", &[]),
    ("fastest-speed", "115200", &[]),
    ("power-on-message", "reboot-reset", &[]),
    ("wake-time", "40 ms", &[("first-command-lost", "true")]),
    ("wake-message", "true", &[("first-command-lost", "true")]),
    ("ring-pulse", "70 ms", &[]),
    ("keeps-misframed", "false", &[]),
];

/// Everything that a host does with a board. Returns all that came, and when, and the edges of its lines.
fn tour(settings: &[(&str, &str)]) -> (Vec<u8>, Vec<(MonoTime, usize)>, Vec<OutputEdge>) {
    let mut host = Host::with(settings);
    host.drive(WAKE, LineState::Asserted);
    host.wait(ms(10));
    host.send(b"AT\r");
    host.wait(ms(50));
    host.drive(WAKE, LineState::Released);
    let command = |host: &mut Host, text: &str| {
        host.send(format!("{text}\r").as_bytes());
        host.wait(ms(50));
    };
    for bytes in [
        image("2.8.0").to_bytes(),
        image("2.6.9").to_bytes(),
        Image::make(Versions::all(Version::new(2, 9, 0)), "0999".parse().unwrap(), 300).unwrap().to_bytes(),
        vec![0xff; 300],
    ] {
        host.line(LineState::Asserted);
        host.wait(ms(15));
        host.line(LineState::Released);
        host.wait(ms(10));
        host.send(b"\xc5\xff");
        host.wait(ms(20));
        for text in ["ATI0", "AT", &"A".repeat(200), "AT+IPR=5"] {
            command(&mut host, text);
        }
        host.send(b"AT#UP\r");
        host.wait(ms(400));
        // Blindly: what is not asked for is lost.
        for piece in [&bytes[..48], &bytes[48..175], &bytes[175..]] {
            host.send(piece);
            host.wait(ms(60));
        }
    }
    host.send(&[8; 300]);
    command(&mut host, "");
    command(&mut host, "AT#BOOT");
    host.wait(ms(200));
    host.send(b"AT+CGMR\r");
    host.wait(ms(2000));
    for text in ["AT", "ATI", "AT+CGSN", "AT+NONESUCH", "ATX\x08"] {
        command(&mut host, text);
    }
    host.set_speed(9600);
    host.send(&[0]);
    host.wait(ms(50));
    host.set_speed(115_200);
    command(&mut host, "AT");
    command(&mut host, "AT+IPR=460800");
    host.set_speed(460_800);
    command(&mut host, "");
    command(&mut host, "AT#RESET=1");
    host.wait(ms(3000));
    command(&mut host, "AT");
    command(&mut host, "AT#LDRST=2,2");
    host.wait(ms(100));
    host.set_speed(115_200);
    host.send(&[0xc5]);
    host.wait(ms(2000));
    host.line(LineState::Asserted);
    host.wait(ms(15));
    host.line(LineState::Released);
    host.wait(ms(3000));
    host.power_off();
    host.wait(ms(100));
    host.power_on();
    host.wait(ms(3000));
    (host.seen, host.given, host.edges)
}

#[test]
fn every_setting_but_the_faults_is_here() {
    let listed: Vec<&str> = OTHER.iter().map(|(name, ..)| *name).collect();
    let settings = Settings::describe();
    let expected: Vec<&str> = settings.iter().filter(|setting| setting.kind != Kind::Fault).map(|setting| setting.name).collect();
    assert_eq!(listed, expected);
}

#[test]
fn every_setting_changes_what_is_on_the_wire() {
    let mut idle = Vec::new();
    for (name, value, beside) in OTHER {
        assert_ne!(Settings::default().get(name).as_deref(), Some(*value), "{name}");
        let with: Vec<(&str, &str)> = beside.iter().copied().chain([(*name, *value)]).collect();
        if tour(beside) == tour(&with) {
            idle.push(name);
        }
    }
    assert!(idle.is_empty(), "these change nothing: {idle:?}");
}
