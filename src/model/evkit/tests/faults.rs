//! Each fault does what its row of the table says, and the same steps on a healthy board do not.

use std::collections::BTreeSet;

use super::*;
use crate::model::evkit::{Fault, Kind, WAKE};
use crate::model::{PortChange, PortEvent};

const OK: &str = "\r\nOK\r\n";

/// A board with this one fault, `NAME` or `NAME=VALUE`, and a healthy one. When the test ends, the fault must have acted on the first, and nothing on the second.
fn pair(order: &str) -> [Host; 2] {
    pair_with(order, &[])
}

/// The same with these settings beside.
fn pair_with(order: &str, settings: &[(&str, &str)]) -> [Host; 2] {
    let mut healthy = Settings { echo: false, seed: 1, ..Settings::default() };
    let mut broken = healthy.clone();
    let fault = broken.break_as(order).unwrap();
    for board in [&mut healthy, &mut broken] {
        settings.iter().for_each(|(key, value)| board.set(key, value).unwrap());
    }
    let host = |settings, name| {
        let mut host = Host::of(settings);
        host.expected = Some(Expected { log: host.board.log(), name });
        host
    };
    [host(broken, Some(fault.name)), host(healthy, None)]
}

#[test]
fn every_fault_has_a_test_here() {
    let source = include_str!("faults.rs");
    for fault in Fault::ALL {
        let has = |with: &str| ["pair", "pair_with"].iter().any(|pair| source.contains(&format!("{pair}(\"{}{with}", fault.name)));
        assert!(has("\"") || has("="), "{} has no test", fault.name);
    }
}

#[test]
fn every_fault_setting_is_of_a_fault_of_the_catalogue() {
    let set = Fault::ALL.iter().flat_map(Fault::settings).map(|(name, _)| name).collect::<BTreeSet<_>>();
    for setting in Settings::describe().iter().filter(|setting| setting.kind == Kind::Fault) {
        assert!(set.contains(setting.name), "{} is of none", setting.name);
    }
}

#[test]
fn what_is_drawn_is_within_its_range_and_varies_with_the_seed() {
    for fault in Fault::ALL {
        let drawn = |seed| {
            let mut settings = Settings::default();
            fault.apply(&mut settings, seed);
            assert!(settings.faults.contains(fault.name), "{}: the settings take what is drawn", fault.name);
            settings
        };
        assert_eq!(drawn(7), drawn(7));
        for (setting, range) in fault.settings() {
            let values = (0..200).map(|seed| drawn(seed).get(setting).unwrap()).collect::<BTreeSet<_>>();
            for value in &values {
                assert!(is_within(value, &range), "{}: {setting} = {value} is not within {range}", fault.name);
            }
            // What is no range is one value, or follows from one that is drawn.
            assert!(values.len() > 1 || !range.contains([',', ' ']), "{}: {setting} is always {values:?}", fault.name);
        }
        assert_ne!(drawn(1).get(fault.settings()[0].0), Settings::default().get(fault.settings()[0].0), "{}", fault.name);
    }
}

/// Whether a value is within a range in words.
fn is_within(value: &str, range: &str) -> bool {
    let number = |text: &str| -> f64 {
        let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
        let scale = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" | "%" | "" => 1.0,
            other => panic!("unit {other}"),
        };
        number.parse::<f64>().unwrap() * scale
    };
    match range.split_once(" to ") {
        Some((low, high)) => (number(low)..=number(high)).contains(&number(value)),
        None if range.starts_with("any usual speed") => value != "115200" && value.parse::<u32>().unwrap() <= 921_600,
        None if range.starts_with("what it was") => (1.7..=3.0).contains(&number(value)),
        None => range.split(", ").any(|one| one == value),
    }
}

#[test]
fn a_fault_is_asked_for_by_name_with_or_without_its_value() {
    let mut settings = Settings::default();
    assert_eq!(settings.break_as("watchdog-after = 250 ms").unwrap().name, "watchdog-after");
    assert_eq!(settings.watchdog_after, ms(250));
    settings.put("fault", "upload-stalls=7").unwrap();
    assert!(settings.upload_stalls && settings.upload_stalls_after == 7);
    let before = settings.clone();
    for (order, message) in [
        ("watchdog-aftr", "the virtual EVKIT has no fault `watchdog-aftr`; the nearest one is `watchdog-after`"),
        ("zzz", "the virtual EVKIT has no fault `zzz`"),
        ("deaf=true", "the fault `deaf` takes no value"),
        ("left-at-speed=115200", "`115200` is what a healthy board has, and no fault `left-at-speed`"),
        ("lost-bytes=10", "`lost-bytes` takes a share from 0 % to 100 %, as in `12.5 %`, got `10`"),
    ] {
        assert_eq!(settings.break_as(order).unwrap_err().to_string(), message);
    }
    assert_eq!(settings, before, "a mistake changes nothing");
}

#[test]
fn a_setup_clears_the_log_of_every_handle() {
    let [mut host, _healthy] = pair("deaf");
    let log = host.board.log();
    host.ask("AT");
    assert_eq!(log.count("deaf"), 3);
    assert_eq!(log.acted().into_iter().collect::<Vec<_>>(), [("deaf", 3)]);
    let settings = host.board.settings.clone();
    host.board.setup(host.now, settings);
    assert_eq!(log.count("deaf"), 0);
    host.ask("AT");
    assert_eq!(log.count("deaf"), 3, "the handle is still the board's");
}

#[test]
fn left_at_speed() {
    let [mut faulty, mut healthy] = pair("left-at-speed=460800");
    assert_ne!(faulty.ask("AT"), OK);
    assert_eq!(healthy.ask("AT"), OK);
    faulty.set_speed(460_800);
    faulty.ask("");
    assert_eq!(faulty.ask("AT"), OK);
    assert_eq!(faulty.ask("AT+IPR=115200"), OK);
    faulty.set_speed(115_200);
    assert_eq!(faulty.ask("AT"), OK);
}

#[test]
fn silent_after_acknowledge() {
    for (mut host, silent) in pair("silent-after-acknowledge").into_iter().zip([true, false]) {
        assert_eq!(host.enter_boot(), [0x9a]);
        assert_eq!(host.ask("ATI01").is_empty(), silent);
        // Asked again, it acknowledges again.
        host.send(b"\xc5\xff");
        host.wait(ms(50));
        assert_eq!(host.take(), [0x9a]);
        assert_eq!(host.ask("ATI01").is_empty(), silent);
        assert!(host.start_application().contains("#SYSSTART"), "the application still runs");
    }
}

#[test]
fn no_acknowledge() {
    for (mut host, expected) in pair("no-acknowledge").into_iter().zip([vec![], vec![0x9a]]) {
        assert_eq!(host.enter_boot(), expected);
        host.wait(ms(2000));
        assert_eq!(String::from_utf8_lossy(&host.take()).contains("#SYSSTART"), expected.is_empty());
    }
}

#[test]
fn boot_garbles() {
    let [mut faulty, mut healthy] = pair("boot-garbles");
    faulty.enter_boot();
    healthy.enter_boot();
    assert_eq!(healthy.ask("ATI0"), "ST8700 BOOT 1.4.0\r0\r");
    assert_eq!(faulty.ask("ATI0"), "RU9611!CNNU!0/5/1\x0c1\x0c");
}

#[test]
fn accepts_downgrade() {
    for (mut host, (ending, version)) in pair("accepts-downgrade").into_iter().zip([(0, "2.6.0"), (-4, "2.7.0")]) {
        assert_eq!(host.install("2.6.0"), Some(ending));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn accepts_wrong_key() {
    for (mut host, ending) in pair("accepts-wrong-key").into_iter().zip([0, -43]) {
        let image = Image::make(Versions::all(Version::new(2, 8, 0)), "0999".parse().unwrap(), 300).unwrap();
        assert_eq!(host.upload(&image.to_bytes()).1, Some(ending));
    }
}

#[test]
fn accepts_corrupt() {
    for (mut host, ending) in pair("accepts-corrupt").into_iter().zip([0, -85]) {
        let mut bytes = image("2.8.0").to_bytes();
        bytes[200] ^= 1;
        assert_eq!(host.upload(&bytes).1, Some(ending));
    }
}

#[test]
fn refuses_same_version() {
    for (mut host, ending) in pair("refuses-same-version").into_iter().zip([-4, 0]) {
        assert_eq!(host.install("2.7.0"), Some(ending));
        assert_eq!(host.install("2.8.0"), Some(0));
    }
}

#[test]
fn refuses_at_header() {
    for (mut host, (ending, pieces)) in pair("refuses-at-header").into_iter().zip([(-4, 1), (0, 3)]) {
        let (sizes, ended) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ended), (pieces, Some(ending)));
    }
}

#[test]
fn refuses_at_end() {
    for (mut host, (ending, version)) in pair("refuses-at-end").into_iter().zip([(-4, "2.7.0"), (0, "2.8.0")]) {
        assert_eq!(host.install("2.7.0"), Some(0));
        assert_eq!(host.install("2.8.0"), Some(ending));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn keeps_old_version() {
    for (mut host, version) in pair("keeps-old-version").into_iter().zip(["2.7.0", "2.8.0"]) {
        assert_eq!(host.install("2.8.0"), Some(0));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn loses_version() {
    for (mut host, version) in pair("loses-version").into_iter().zip(["2.6.0", "2.7.0"]) {
        assert_eq!(host.install("2.6.0"), Some(-4));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn dead_after_refusal() {
    for (mut host, dead) in pair("dead-after-refusal").into_iter().zip([true, false]) {
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.install("2.6.0"), Some(-4));
        assert_eq!(host.start_application().is_empty(), dead);
    }
}

/// Begins an upload, which the next pulse breaks off.
fn begin_upload(host: &mut Host) {
    host.enter_boot();
    host.send(b"AT#UP\r");
    host.wait(ms(100));
    assert_eq!(host.take().len(), 3, "the answer, and a first request");
}

#[test]
fn interruption_erases() {
    for (mut host, erased) in pair("interruption-erases").into_iter().zip([true, false]) {
        begin_upload(&mut host);
        assert_eq!(host.start_application().is_empty(), erased);
        assert_eq!(host.install("2.8.0"), Some(0), "the boot code survives it");
        assert_eq!(host.version(), "2.8.0");
    }
}

#[test]
fn interruption_locks() {
    for (mut host, locked) in pair("interruption-locks").into_iter().zip([true, false]) {
        begin_upload(&mut host);
        assert_eq!(host.enter_boot().is_empty(), locked);
    }
}

#[test]
fn upload_ends_early() {
    for (mut host, pieces) in pair("upload-ends-early=1").into_iter().zip([1, 3]) {
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ending), (pieces, Some(0)));
    }
}

#[test]
fn upload_stalls() {
    for (mut host, (pieces, expected)) in pair("upload-stalls=1").into_iter().zip([(1, None), (3, Some(0))]) {
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ending), (pieces, expected));
    }
}

#[test]
fn does_not_restart() {
    for (mut host, dead) in pair("does-not-restart").into_iter().zip([true, false]) {
        host.enter_boot();
        assert_eq!(host.ask("AT#BOOT"), "0\r");
        host.wait(ms(2000));
        assert_eq!(host.take().is_empty(), dead);
        assert_eq!(host.ask("AT"), if dead { "" } else { OK });
        assert!(host.start_application().contains("#SYSSTART"), "a pulse of the reset line helps");
    }
}

#[test]
fn application_silent() {
    for (mut host, answer) in pair("application-silent").into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT"), answer);
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.ask("AT"), answer);
    }
}

#[test]
fn application_garbles() {
    for (mut host, answer) in pair("application-garbles").into_iter().zip(["\x0c\x0bNJ\x0c\x0b", OK]) {
        assert_eq!(host.ask("AT"), answer);
    }
}

#[test]
fn application_dead() {
    for (mut host, dead) in pair("application-dead").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), dead);
        assert_eq!(host.start_application().is_empty(), dead);
        assert_eq!(host.enter_boot(), [0x9a], "the boot code runs");
    }
}

#[test]
fn first_command_lost() {
    for (mut host, first) in pair("first-command-lost").into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT"), first);
        assert_eq!(host.ask("AT"), OK);
    }
}

#[test]
fn speed_not_restorable() {
    for (mut host, moves) in pair("speed-not-restorable").into_iter().zip([false, true]) {
        assert_eq!(host.ask("AT+IPR=460800"), OK);
        host.set_speed(460_800);
        host.ask("");
        assert_eq!(host.ask("AT") == OK, moves);
    }
}

#[test]
fn hangs_when_misframed() {
    for (mut host, dead) in pair("hangs-when-misframed").into_iter().zip([true, false]) {
        host.set_speed(9600);
        host.ask("AT");
        host.set_speed(115_200);
        host.ask("");
        assert_eq!(host.ask("AT"), if dead { "" } else { OK });
        assert!(host.start_application().contains("#SYSSTART"), "a pulse of the reset line helps");
    }
}

#[test]
fn watchdog_after() {
    for (mut host, times) in pair("watchdog-after=3 s").into_iter().zip([2, 0]) {
        host.wait(ms(7500));
        let seen = String::from_utf8_lossy(&host.take()).into_owned();
        assert_eq!(seen.matches("#REBOOT_WD: 1").count(), times, "{seen}");
    }
}

#[test]
fn deaf() {
    for (mut host, deaf) in pair("deaf").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), deaf);
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.enter_boot().is_empty(), deaf);
    }
}

#[test]
fn mute() {
    for (mut host, mute) in pair("mute").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), mute);
        assert_eq!(host.start_application().is_empty(), mute);
        assert_eq!(host.enter_boot().is_empty(), mute);
        assert!(host.board.state().contains("\"program\":\"boot\""), "it hears all the same");
    }
}

#[test]
fn ignores_reset() {
    for (mut host, ignores) in pair("ignores-reset").into_iter().zip([true, false]) {
        assert_eq!(host.start_application().is_empty(), ignores);
        assert_eq!(host.ask("AT"), OK);
    }
}

#[test]
fn ignores_wake() {
    let [mut faulty, mut healthy] = pair_with("ignores-wake", &[("first-command-lost", "true")]);
    for (host, answer) in [(&mut faulty, ""), (&mut healthy, OK)] {
        host.drive(WAKE, LineState::Asserted);
        host.wait(ms(100));
        host.drive(WAKE, LineState::Released);
        assert_eq!(host.ask("AT"), answer);
    }
    faulty.log_is_compared_here();
    let acted = faulty.board.log().acted();
    assert_eq!(acted.into_iter().collect::<Vec<_>>(), [("first-command-lost", 1), ("ignores-wake", 1)]);
}

#[test]
fn ignores_power() {
    for (mut host, is_on) in pair("ignores-power").into_iter().zip([true, false]) {
        host.power_off();
        host.wait(ms(10));
        assert_eq!(host.board.state().contains("{\"program\":\"off\""), !is_on);
        host.power_on();
        host.wait(ms(3000));
        assert_eq!(String::from_utf8_lossy(&host.take()).contains("#SYSSTART"), !is_on);
    }
}

/// Without its supply the module lives by whatever line to it is not let go, and stops when the last one is.
#[test]
fn parasitic_power() {
    let is_off = |host: &Host| host.board.state().contains("{\"program\":\"off\"");
    let off = |host: &mut Host| {
        host.drive(LineId::POWER, LineState::Released);
        host.wait(ms(100));
    };
    let [mut faulty, mut healthy] = pair("parasitic-power");
    for (host, lives) in [(&mut faulty, true), (&mut healthy, false)] {
        off(host);
        assert_eq!(is_off(host), !lives, "TX idles high");
    }
    assert_eq!(faulty.ask("AT"), OK);
    faulty.drive(LineId::POWER, LineState::Asserted);
    faulty.wait(ms(3000));
    assert_eq!(faulty.take(), b"", "a supply that comes back is no start then");

    for line in [WAKE, LineId::RESET] {
        let [mut host, _] = pair("parasitic-power");
        host.hand(Input::HostTransmitHeld(true));
        host.drive(line, LineState::Asserted);
        off(&mut host);
        assert!(!is_off(&host), "{line:?} is not let go");
        host.drive(line, LineState::Released);
        assert!(is_off(&host), "the last line was let go");
    }
    let [mut ordered, _] = pair("parasitic-power");
    ordered.log_is_compared_here();
    ordered.power_off();
    assert!(is_off(&ordered), "all was let go before");
}

#[test]
fn no_power() {
    for (mut host, is_off) in pair("no-power").into_iter().zip([true, false]) {
        assert_eq!(host.board.state().contains("{\"program\":\"off\""), is_off);
        assert_eq!(host.ask("AT").is_empty(), is_off);
        assert_eq!(host.start_application().is_empty(), is_off);
        host.power_off();
        host.power_on();
        host.wait(ms(3000));
        assert_eq!(host.take().is_empty(), is_off);
    }
}

#[test]
fn stuck_in_reset() {
    for (mut host, is_stuck) in pair("stuck-in-reset").into_iter().zip([true, false]) {
        assert_eq!(host.board.state().contains("{\"program\":\"reset\""), is_stuck);
        assert_eq!(host.ask("AT").is_empty(), is_stuck);
        assert_eq!(host.start_application().is_empty(), is_stuck);
        host.power_off();
        host.power_on();
        host.wait(ms(3000));
        assert_eq!(host.take().is_empty(), is_stuck);
    }
}

#[test]
fn wrong_port() {
    let begins: [(&str, &[u8]); 3] = [("nmea", b"$GN"), ("log", b"["), ("binary", b"\xaa\x55")];
    for (kind, begin) in begins {
        for (mut host, is_wrong) in pair(&format!("wrong-port={kind}")).into_iter().zip([true, false]) {
            host.wait(ms(4100));
            let said = host.take();
            assert_eq!(said.starts_with(begin), is_wrong, "{}", said.escape_ascii());
            assert_eq!(host.ask("AT").contains(OK), !is_wrong);
            assert_eq!(host.start_application().contains("#SYSSTART"), !is_wrong);
            assert!(host.board.state().contains("\"edges\":2"), "the reset line is the module's all the same");
        }
    }
    let [mut often, _] = pair_with("wrong-port=log", &[("wrong-port-period", "100 ms")]);
    often.wait(ms(1050));
    assert_eq!(often.take().iter().filter(|byte| **byte == b'\n').count(), 10);
}

#[test]
fn echo_only() {
    for (mut host, answer) in pair("echo-only").into_iter().zip(["AT\r", OK]) {
        assert_eq!(host.ask("AT"), answer);
        host.take();
        let sent = host.now;
        host.send(b"A");
        host.wait(ms(10));
        if answer != OK {
            assert_eq!(host.given, [(sent + Baud::DEFAULT.wire_time(1), 1)], "not before the wire has brought it");
        }
        assert_eq!(host.start_application().is_empty(), answer != OK);
        assert_eq!(host.enter_boot(), if answer == OK { &b"\x9a"[..] } else { b"\xc5\xff" });
    }
}

#[test]
fn window_too_short() {
    for (mut host, expected) in pair("window-too-short=2 ms").into_iter().zip([vec![], vec![0x9a]]) {
        assert_eq!(host.enter_boot(), expected);
        assert!(host.start_application().contains("#SYSSTART"));
        let acted = host.board.log().count("window-too-short");
        host.send(b"\xc5");
        host.wait(ms(100));
        assert_eq!(host.board.log().count("window-too-short"), acted, "no window would be as long as that");
    }
}

#[test]
fn window_too_late() {
    for (mut host, [early, late]) in pair("window-too-late=3 s").into_iter().zip([[false, true], [true, false]]) {
        assert_eq!(!host.enter_boot().is_empty(), early);
        if early {
            continue;
        }
        host.wait(ms(3000));
        host.send(b"\xc5\xff");
        host.wait(ms(50));
        assert_eq!(host.take() == [0x9a], late);
        host.pulse();
        host.wait(ms(4000));
        assert!(String::from_utf8_lossy(&host.take()).contains("#SYSSTART"));
    }
}

#[test]
fn still_booting() {
    for (mut host, answer) in pair("still-booting=5 s").into_iter().zip(["\r\n+CME ERROR: 1120\r\n", "\r\n2.7.0\r\n\r\nOK\r\n"]) {
        assert!(host.start_application().contains("#SYSSTART"));
        host.ask("ATE0");
        assert_eq!(host.ask("AT"), OK);
        assert_eq!(host.ask("AT+CGMR"), answer);
    }
}

#[test]
fn sleeps_after() {
    for (mut host, sleeps) in pair("sleeps-after=1 s").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT"), OK);
        host.wait(ms(1100));
        assert_eq!(host.take(), if sleeps { &b"\r\n#ENERGY: 1809.7\r\n#SLEEP \r\n"[..] } else { b"" });
        for _ in 0..2 {
            assert_eq!(host.ask("AT").is_empty(), sleeps, "no command wakes it");
        }
        host.drive(WAKE, LineState::Asserted);
        host.wait(ms(2000));
        assert_eq!(host.ask("AT"), OK, "it does not sleep while the wake line is asserted");
        host.drive(WAKE, LineState::Released);
        host.wait(ms(2000));
        assert_eq!(host.ask("AT").is_empty(), sleeps);
        assert!(host.start_application().contains("#SYSSTART"));
    }
}

#[test]
fn shuts_down_after() {
    for (mut host, dies) in pair("shuts-down-after=1 s").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT"), OK);
        host.wait(ms(1000));
        assert_eq!(host.ask("AT").is_empty(), dies);
        assert!(host.start_application().contains("#SYSSTART"), "a pulse of the reset line helps");
        assert_eq!(host.ask("AT").is_empty(), dies);
        assert_eq!(host.enter_boot(), [0x9a]);
        host.power_off();
        host.power_on();
        host.wait(ms(800));
        assert!(String::from_utf8_lossy(&host.take()).contains("#SYSSTART"), "so does a power cycle");
    }
}

#[test]
fn resets_itself() {
    for (mut host, times) in pair("resets-itself=1 s").into_iter().zip([3, 0]) {
        // Each time 1 s, then the window of 200 ms and the start of 500 ms.
        host.wait(ms(5500));
        let seen = String::from_utf8_lossy(&host.take()).into_owned();
        assert_eq!(seen.matches("#REBOOT_RESET").count(), times, "{seen}");
    }
}

#[test]
fn lost_bytes() {
    let to = |direction| pair_with("lost-bytes=100 %", &[("damage-direction", direction)]);
    for direction in ["to-host", "to-board", "both"] {
        for (mut host, answer) in to(direction).into_iter().zip(["", OK]) {
            assert_eq!(host.ask("AT"), answer);
        }
    }
    let [mut some, _] = pair_with("lost-bytes=20 %", &[("damage-direction", "to-host")]);
    let came = (0..50).map(|_| some.ask("AT").len()).sum::<usize>();
    assert!((200..280).contains(&came), "a fifth of 300 bytes is lost: {came}");
    assert_eq!(some.board.log().count("lost-bytes"), 300 - came as u64);
}

#[test]
fn doubled_bytes() {
    for (direction, answer) in [("to-host", "\r\r\n\nOOKK\r\r\n\n"), ("to-board", "\r\nERROR\r\n")] {
        for (mut host, answer) in pair_with("doubled-bytes=100 %", &[("damage-direction", direction)]).into_iter().zip([answer, OK]) {
            assert_eq!(host.ask("AT"), answer);
        }
    }
}

#[test]
fn corrupted_bytes() {
    let [mut faulty, mut healthy] = pair_with("corrupted-bytes=100 %", &[("damage-direction", "to-host")]);
    for (host, flipped) in [(&mut faulty, 1), (&mut healthy, 0)] {
        host.send(b"AT\r");
        host.wait(ms(100));
        let bits = host.take().iter().zip(OK.bytes()).map(|(came, sent)| (came ^ sent).count_ones()).collect::<Vec<_>>();
        assert_eq!(bits, [flipped; 6]);
    }
    for (mut host, answer) in pair_with("corrupted-bytes=100 %", &[("damage-direction", "to-board")]).into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT") == OK, answer == OK);
    }
}

#[test]
fn damage_that_changes_nothing_has_not_acted() {
    let to_board = [("damage-direction", "to-board")];
    let log = |host: &Host, fault: &str| host.board.log().count(fault);
    // Boot code that answers nothing takes the hotkey alone.
    let mut settings = Settings { echo: false, seed: 1, ..Settings::default() };
    for (key, value) in [("lost-bytes", "50 %"), ("damage-direction", "to-board"), ("silent-after-acknowledge", "true")] {
        settings.set(key, value).unwrap();
    }
    let mut silent = Host::of(settings);
    silent.pulse();
    silent.wait(ms(10));
    let hotkeys = (1..=20).find(|_| {
        silent.send(&[0xc5]);
        silent.wait(ms(5));
        !silent.take().is_empty()
    });
    assert!(hotkeys.unwrap() > 1);
    let before = log(&silent, "lost-bytes");
    assert_eq!(before, 0, "the hotkey that comes in time makes good for those that were lost");
    silent.send(&b"ATI0\r".repeat(20));
    silent.wait(ms(100));
    assert_eq!(log(&silent, "lost-bytes"), before);
    // No hotkey comes before the window ends.
    let [mut unheard, _] = pair_with("lost-bytes=100 %", &to_board);
    unheard.pulse();
    unheard.wait(ms(10));
    for _ in 0..3 {
        unheard.send(&[0xc5]);
        unheard.wait(ms(5));
    }
    assert_eq!(log(&unheard, "lost-bytes"), 0);
    unheard.wait(ms(1000));
    assert_eq!(log(&unheard, "lost-bytes"), 3, "each hotkey that was lost");
    // A line that comes out as it was sent, and one that does not.
    let [mut backspaces, _] = pair_with("corrupted-bytes=100 %", &to_board);
    backspaces.send(b"\x08\x08\x08");
    backspaces.wait(ms(10));
    assert_eq!(log(&backspaces, "corrupted-bytes"), 0);
    backspaces.send(b"AT\r");
    backspaces.wait(ms(10));
    assert_eq!(log(&backspaces, "corrupted-bytes"), 6, "its CR came as something else, and the line never ends");
}

#[test]
fn what_is_damaged_does_not_depend_on_how_the_bytes_were_cut() {
    let run = |size: usize| {
        let damage = [("lost-bytes", "10 %"), ("doubled-bytes", "10 %"), ("corrupted-bytes", "10 %")];
        let mut host = Host::of(damage.iter().fold(Settings { seed: 5, ..Settings::default() }, |mut settings, (key, value)| {
            settings.set(key, value).unwrap();
            settings
        }));
        for piece in b"ATI\r".repeat(40).chunks(size) {
            host.send(piece);
        }
        host.wait(ms(2000));
        (host.take(), host.board.log().acted())
    };
    let (bytes, acted) = run(1);
    assert!(acted.values().all(|count| *count > 20) && acted.len() == 3, "{acted:?}");
    for size in [2, 7, 160] {
        assert_eq!(run(size), (bytes.clone(), acted.clone()));
    }
}

#[test]
fn break_at_start() {
    for (mut host, count) in pair("break-at-start").into_iter().zip([1, 0]) {
        host.pulse();
        host.wait(ms(20));
        let breaks = vec![Mark { offset: 0, kind: MarkKind::Break }; count];
        assert_eq!((host.marks.clone(), host.take()), (breaks.clone(), vec![0; count]));
        host.wait(ms(3000));
        let said = [&vec![0; count][..], b"\r\n#REBOOT_RESET\r\n"].concat();
        assert_eq!((host.marks.clone(), host.take().starts_with(&said)), (breaks, true));
    }
}

#[test]
fn noise_at_start() {
    for (mut host, count) in pair("noise-at-start=4").into_iter().zip([4, 0]) {
        host.pulse();
        host.wait(ms(20));
        let noise = host.take();
        assert_eq!(noise.len(), count);
        host.wait(ms(3000));
        let seen = host.take();
        assert!(seen[count..].starts_with(b"\r\n#REBOOT_RESET\r\n"));
        assert!(noise.iter().chain(&seen[..count]).all(|byte| [0, 0xff].contains(byte)) && host.marks.is_empty());
    }
}

#[test]
fn unsolicited() {
    for (mut host, comes) in pair("unsolicited").into_iter().zip([true, false]) {
        assert_eq!(host.ask("ATI").contains("\r\n+CEREG: 2\r\n"), comes);
    }
}

#[test]
fn energy_lines() {
    let lines = "\r\nOK\r\n\r\n#ENERGY: 1809.7\r\n#SLEEP \r\n\r\n#WAKEUP\r\n";
    for (mut host, answer) in pair("energy-lines").into_iter().zip([lines, OK]) {
        assert_eq!(host.ask("AT"), answer);
        assert_eq!(host.ask("AT"), answer, "it does not sleep");
    }
}

#[test]
fn late_reboot_message() {
    for (mut host, is_late) in pair("late-reboot-message").into_iter().zip([true, false]) {
        assert_eq!(host.start_application().contains("#REBOOT_RESET"), !is_late);
        assert_eq!(host.ask("AT").contains("#REBOOT_RESET"), is_late);
    }
}

#[test]
fn bare_cme_error() {
    for (mut host, answer) in pair("bare-cme-error").into_iter().zip(["\r\n+CME ERROR\r\n", "\r\nERROR\r\n"]) {
        assert_eq!(host.ask("AT+NONESUCH"), answer);
    }
}

#[test]
fn reset_command_unanswered() {
    for (mut host, answer) in pair("reset-command-unanswered").into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT#RESET=1"), answer);
        host.wait(ms(3000));
        assert!(String::from_utf8_lossy(&host.take()).contains("#REBOOT_HOST"));
    }
}

#[test]
fn asks_past_end() {
    for (mut host, asked) in pair("asks-past-end").into_iter().zip([381, 300]) {
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.iter().sum::<usize>(), ending), (asked, Some(0)));
    }
}

#[test]
fn reports_version() {
    for (mut host, version) in pair("reports-version=2.8.1").into_iter().zip(["2.8.1", "2.7.0"]) {
        assert_eq!(host.version(), "2.7.0", "no upload has come to its end");
        assert_eq!(host.install("2.6.0"), Some(-4));
        assert_eq!(host.version(), version);
        assert!(host.ask("ATI").contains(&format!("ST87M01\r\n{version}\r\n")));
        assert_eq!(host.version(), version);
        assert!(host.board.state().contains("\"firmware\":\"2.7.0\""), "it is what is installed");
    }
}

#[test]
fn port_vanishes() {
    let back = &[("port-returns-after", "1 s"), ("port-returns-as", "other")];
    let [mut faulty, mut healthy] = pair_with("port-vanishes=100 ms", back);
    for host in [&mut faulty, &mut healthy] {
        host.wait(ms(500));
        assert_eq!(host.port, [], "the host has sent nothing");
        assert_eq!(host.ask("AT"), OK, "the port is there until then");
    }
    let began = faulty.now.minus(ms(500));
    faulty.start_application();
    let event = |after, change| PortEvent { at: began + ms(after), change };
    assert_eq!(faulty.port, [event(100, PortChange::Gone), event(1100, PortChange::BackElsewhere)]);
    assert_eq!(faulty.ask("AT"), OK, "once");
    assert_eq!(healthy.port, []);

    let [mut short, _] = pair_with("port-vanishes=50 ms", &[("port-returns-after", "never")]);
    short.send(b"ATI\r");
    short.wait(ms(100));
    short.take();
    assert_eq!(short.ask("AT"), "", "what the module says reaches nobody");
    assert_eq!(short.port.len(), 1);
    let settings = short.board.settings.clone();
    short.board.setup(short.now, settings);
    assert_eq!(short.ask("AT"), OK, "a fresh board has its port");
}

#[test]
fn an_upload_goes_wrong_after_as_many_requests_as_are_set() {
    for (order, expected) in [("upload-stalls=2", None), ("upload-ends-early=2", Some(0))] {
        let [mut host, _] = pair(order);
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ending), (2, expected), "{order}");
    }
    let [mut long, _] = pair("upload-ends-early=3");
    assert_eq!(long.install("2.8.0"), Some(0));
    long.log_is_compared_here();
    assert_eq!(long.board.log().acted().len(), 0, "that is when it has all of it");
}
