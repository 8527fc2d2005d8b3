//! Each fault does what its row of the table says, and the same steps on a healthy board do not.

use super::*;
use crate::model::evkit::Kind;

const OK: &str = "\r\nOK\r\n";

/// A board with this one fault, and a healthy one.
fn pair(fault: &str, value: &str) -> [Host; 2] {
    assert_eq!(Settings::kind_of(fault), Some(Kind::Fault));
    [Host::with(&[(fault, value), ("echo", "false")]), Host::with(&[("echo", "false")])]
}

#[test]
fn every_fault_has_a_test_here() {
    let source = include_str!("faults.rs");
    for setting in Settings::describe().iter().filter(|setting| setting.kind == Kind::Fault) {
        assert!(source.contains(&format!("pair(\"{}\"", setting.name)), "{} has no test", setting.name);
    }
}

#[test]
fn speed() {
    let [mut faulty, mut healthy] = pair("speed", "460800");
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
    for (mut host, silent) in pair("silent-after-acknowledge", "true").into_iter().zip([true, false]) {
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
    for (mut host, expected) in pair("no-acknowledge", "true").into_iter().zip([vec![], vec![0x9a]]) {
        assert_eq!(host.enter_boot(), expected);
        host.wait(ms(2000));
        assert_eq!(String::from_utf8_lossy(&host.take()).contains("#SYSSTART"), expected.is_empty());
    }
}

#[test]
fn boot_garbles() {
    let [mut faulty, mut healthy] = pair("boot-garbles", "true");
    faulty.enter_boot();
    healthy.enter_boot();
    assert_eq!(healthy.ask("ATI0"), "ST8700 BOOT 1.4.0\r0\r");
    assert_eq!(faulty.ask("ATI0"), "RU9611!CNNU!0/5/1\x0c1\x0c");
}

#[test]
fn accepts_downgrade() {
    for (mut host, (ending, version)) in pair("accepts-downgrade", "true").into_iter().zip([(0, "2.6.0"), (-4, "2.7.0")]) {
        assert_eq!(host.install("2.6.0"), Some(ending));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn accepts_wrong_key() {
    for (mut host, ending) in pair("accepts-wrong-key", "true").into_iter().zip([0, -43]) {
        let image = Image::make(Versions::all(Version::new(2, 8, 0)), "0999".parse().unwrap(), 300).unwrap();
        assert_eq!(host.upload(&image.to_bytes()).1, Some(ending));
    }
}

#[test]
fn accepts_corrupt() {
    for (mut host, ending) in pair("accepts-corrupt", "true").into_iter().zip([0, -85]) {
        let mut bytes = image("2.8.0").to_bytes();
        bytes[200] ^= 1;
        assert_eq!(host.upload(&bytes).1, Some(ending));
    }
}

#[test]
fn refuses_same_version() {
    for (mut host, ending) in pair("refuses-same-version", "true").into_iter().zip([-4, 0]) {
        assert_eq!(host.install("2.7.0"), Some(ending));
        assert_eq!(host.install("2.8.0"), Some(0));
    }
}

#[test]
fn refuses_upgrade() {
    for (mut host, (ending, version)) in pair("refuses-upgrade", "true").into_iter().zip([(-4, "2.7.0"), (0, "2.8.0")]) {
        assert_eq!(host.install("2.7.0"), Some(0));
        assert_eq!(host.install("2.8.0"), Some(ending));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn keeps_old_version() {
    for (mut host, version) in pair("keeps-old-version", "true").into_iter().zip(["2.7.0", "2.8.0"]) {
        assert_eq!(host.install("2.8.0"), Some(0));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn loses_version() {
    for (mut host, version) in pair("loses-version", "true").into_iter().zip(["2.6.0", "2.7.0"]) {
        assert_eq!(host.install("2.6.0"), Some(-4));
        assert_eq!(host.version(), version);
    }
}

#[test]
fn dead_after_refusal() {
    for (mut host, dead) in pair("dead-after-refusal", "true").into_iter().zip([true, false]) {
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.install("2.6.0"), Some(-4));
        assert_eq!(host.start_application().is_empty(), dead);
    }
}

#[test]
fn upload_ends_early() {
    for (mut host, pieces) in pair("upload-ends-early", "true").into_iter().zip([1, 3]) {
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ending), (pieces, Some(0)));
    }
}

#[test]
fn upload_stalls() {
    for (mut host, (pieces, expected)) in pair("upload-stalls", "true").into_iter().zip([(1, None), (3, Some(0))]) {
        let (sizes, ending) = host.upload(&image("2.8.0").to_bytes());
        assert_eq!((sizes.len(), ending), (pieces, expected));
    }
}

#[test]
fn does_not_restart() {
    for (mut host, dead) in pair("does-not-restart", "true").into_iter().zip([true, false]) {
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
    for (mut host, answer) in pair("application-silent", "true").into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT"), answer);
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.ask("AT"), answer);
    }
}

#[test]
fn application_garbles() {
    for (mut host, answer) in pair("application-garbles", "true").into_iter().zip(["\x0c\x0bNJ\x0c\x0b", OK]) {
        assert_eq!(host.ask("AT"), answer);
    }
}

#[test]
fn application_dead() {
    for (mut host, dead) in pair("application-dead", "true").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), dead);
        assert_eq!(host.start_application().is_empty(), dead);
        assert_eq!(host.enter_boot(), [0x9a], "the boot code runs");
    }
}

#[test]
fn first_command_lost() {
    for (mut host, first) in pair("first-command-lost", "true").into_iter().zip(["", OK]) {
        assert_eq!(host.ask("AT"), first);
        assert_eq!(host.ask("AT"), OK);
    }
}

#[test]
fn speed_not_restorable() {
    for (mut host, moves) in pair("speed-not-restorable", "true").into_iter().zip([false, true]) {
        assert_eq!(host.ask("AT+IPR=460800"), OK);
        host.set_speed(460_800);
        host.ask("");
        assert_eq!(host.ask("AT") == OK, moves);
    }
}

#[test]
fn hangs_when_misframed() {
    for (mut host, dead) in pair("hangs-when-misframed", "true").into_iter().zip([true, false]) {
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
    for (mut host, times) in pair("watchdog-after", "3 s").into_iter().zip([2, 0]) {
        host.wait(ms(7500));
        let seen = String::from_utf8_lossy(&host.take()).into_owned();
        assert_eq!(seen.matches("#REBOOT_WD: 1").count(), times, "{seen}");
    }
}

#[test]
fn deaf() {
    for (mut host, deaf) in pair("deaf", "true").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), deaf);
        assert!(host.start_application().contains("#SYSSTART"));
        assert_eq!(host.enter_boot().is_empty(), deaf);
    }
}

#[test]
fn mute() {
    for (mut host, mute) in pair("mute", "true").into_iter().zip([true, false]) {
        assert_eq!(host.ask("AT").is_empty(), mute);
        assert_eq!(host.start_application().is_empty(), mute);
        assert_eq!(host.enter_boot().is_empty(), mute);
        assert!(host.board.state().contains("\"program\":\"boot\""), "it hears all the same");
    }
}

#[test]
fn ignores_reset() {
    for (mut host, ignores) in pair("ignores-reset", "true").into_iter().zip([true, false]) {
        assert_eq!(host.start_application().is_empty(), ignores);
        assert_eq!(host.ask("AT"), OK);
    }
}
