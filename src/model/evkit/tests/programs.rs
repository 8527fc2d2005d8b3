//! Behaviour of the two programs that the transcripts leave to settings, and what no source speaks of.

use super::*;
use crate::model::ControlTarget;

#[test]
fn the_window_takes_the_hotkey_to_its_very_end() {
    for window in [20, 100, 200, 600] {
        // The hotkey is complete `early` nanoseconds before the window ends.
        for (early, taken) in [(1, true), (0, true), (-1, false)] {
            let mut host = Host::with(&[("boot-window", &format!("{window} ms"))]);
            host.pulse();
            let end = host.now + ms(window);
            let start = end.minus(Baud::DEFAULT.wire_time(1)).as_ns().checked_add_signed(-early).unwrap();
            host.wait_until(MonoTime::from_ns(start));
            host.send(&[0xc5]);
            host.wait(ms(100));
            assert_eq!(host.take().contains(&0x9a), taken, "{window} ms window, {early} ns before its end");
        }
    }
}

#[test]
fn what_comes_before_the_boot_code_listens_is_lost() {
    let mut host = Host::with(&[("boot-ready", "12 ms")]);
    assert_eq!(host.enter_boot(), b"", "10 ms after the release");
    host.wait(ms(20));
    host.send(&[0xc5]);
    host.wait(ms(20));
    assert_eq!(host.take(), [0x9a]);
}

#[test]
fn each_refusal_has_its_code() {
    let codes = [("code-lower-version", "-9"), ("code-wrong-key", "-10"), ("code-corrupt", "-11")];
    for check in ["header", "end"] {
        let mut host = Host::with(&[codes[0], codes[1], codes[2], ("version-check", check)]);
        let (sizes, ending) = host.upload(&image("2.6.9").to_bytes());
        assert_eq!(ending, Some(-9));
        assert_eq!(sizes.iter().sum::<usize>(), if check == "header" { 48 } else { 300 });
        let other_key = Image::make(Versions::all(Version::new(2, 8, 0)), "0001".parse().unwrap(), 300).unwrap();
        assert_eq!(host.upload(&other_key.to_bytes()).1, Some(-10));
        let mut corrupt = image("2.8.0").to_bytes();
        corrupt[299] ^= 0x80;
        assert_eq!(host.upload(&corrupt).1, Some(-11));
        assert_eq!(host.upload(&[0xff; 300]).1, Some(-11));
        assert_eq!(host.upload(b"short").1, Some(-11), "zero bytes behind it make no header");
        assert_eq!(host.version(), "2.7.0");
    }
}

#[test]
fn one_lower_part_is_a_downgrade() {
    let mut host = Host::with(&[("firmware", "2.7.0"), ("firmware-modem", "2.7.1")]);
    assert_eq!(host.install("2.7.0"), Some(-4));
    assert_eq!(host.install("2.7.1"), Some(0));
    assert_eq!(host.install("2.7.0"), Some(-4));
    assert_eq!(host.version(), "2.7.1");
}

#[test]
fn an_upload_counts_from_the_next_start() {
    let mut host = Host::with(&[]);
    assert_eq!(host.install("2.8.0"), Some(0));
    assert_eq!(host.install("2.7.0"), Some(-4), "what was just installed is what counts");
    assert_eq!(host.version(), "2.8.0");
}

#[test]
fn requests_are_of_the_sizes_that_were_set() {
    let bytes = Image::make(Versions::all(Version::new(2, 8, 0)), KeyNumber::DEFAULT, 4000).unwrap().to_bytes();
    let sizes = |settings: &[(&str, &str)]| {
        let (sizes, ending) = Host::with(settings).upload(&bytes);
        assert_eq!(ending, Some(0));
        assert!(sizes.iter().all(|size| (1..=127).contains(size)));
        sizes
    };
    assert_eq!(sizes(&[]).iter().sum::<usize>(), 4000);
    assert_eq!(sizes(&[])[..3], [48, 127, 127]);
    assert_eq!(sizes(&[("largest-chunk", "1")]).len(), 4000);
    assert!(sizes(&[("chunks", "control-characters")]).iter().filter(|size| [10, 13].contains(*size)).count() > 4);
    let any = sizes(&[("chunks", "any")]);
    assert!(any.iter().min() < Some(&20) && any.iter().max() > Some(&100));
    assert_eq!(sizes(&[("asks-past-end", "true")]).iter().sum::<usize>(), 32 * 127);
}

#[test]
fn bytes_that_were_not_asked_for_are_no_part_of_the_image() {
    let mut host = Host::with(&[]);
    host.enter_boot();
    host.send(b"AT#UP\r");
    host.wait(ms(10));
    host.send(b"too early");
    host.wait(ms(60));
    assert_eq!(host.take(), b"0\r\x30");
    host.send(&image("2.8.0").to_bytes()[..48]);
    host.wait(ms(60));
    assert_eq!(host.take(), [127], "the header was taken whole");
}

#[test]
fn a_reset_in_the_middle_of_an_upload_keeps_the_old_version() {
    let mut host = Host::with(&[]);
    host.enter_boot();
    host.send(b"AT#UP\r");
    host.wait(ms(100));
    host.send(&image("2.8.0").to_bytes()[..40]);
    assert_eq!(host.version(), "2.7.0");
}

#[test]
fn a_backspace_deletes_in_boot_code() {
    let mut host = Host::with(&[]);
    host.enter_boot();
    assert_eq!(host.ask("ATX\x08I0"), "ST8700 BOOT 1.4.0\r0\r");
    // 160 characters are the most; what is deleted does not count.
    let long = "A".repeat(170) + &"\x08".repeat(170) + "ATI0";
    assert_eq!(host.ask(&long), "ST8700 BOOT 1.4.0\r0\r");
    assert_eq!(host.ask(&"A".repeat(160)), "4001\r");
    assert_eq!(host.ask(&"A".repeat(161)), "4002\r");
    assert_eq!(host.ask("AT+IPR=1234"), "4003\r");
    assert_eq!(host.ask("AT"), "4001\r");
}

#[test]
fn a_hotkey_inside_a_line_is_a_character() {
    let mut host = Host::with(&[]);
    host.enter_boot();
    host.send(b"ATI0\xc5");
    host.wait(ms(100));
    assert_eq!(host.take(), b"");
    assert_eq!(host.ask(""), "4001\r");
}

#[test]
fn the_boot_code_listens_where_it_was_set_to() {
    // The application runs at 460800 and nothing was saved.
    for (boot_speed, outlives, expected) in [
        ("115200", "always", 115_200),
        ("current", "never", 460_800),
        ("saved", "saved", 115_200),
        ("saved", "always", 460_800),
        ("saved", "never", 115_200),
    ] {
        let mut host = Host::with(&[("speed", "460800"), ("boot-speed", boot_speed), ("speed-outlives-reset", outlives)]);
        host.set_speed(expected);
        assert_eq!(host.enter_boot(), [0x9a], "{boot_speed}, {outlives}");
    }
}

#[test]
fn a_speed_outlives_a_reset_where_it_was_set_to() {
    for (outlives, save, expected) in
        [("never", true, 115_200), ("saved", false, 115_200), ("saved", true, 460_800), ("always", false, 460_800)]
    {
        let mut host = Host::with(&[("speed-outlives-reset", outlives), ("echo", "false")]);
        host.ask("AT+IPR=460800");
        host.set_speed(460_800);
        if save {
            assert_eq!(host.ask("AT#RESET=1"), "\r\nOK\r\n");
        }
        host.set_speed(expected);
        host.start_application();
        assert_eq!(host.ask("AT"), "\r\nOK\r\n", "{outlives}, saved: {save}");
        assert_eq!(host.ask("AT+IPR?"), format!("\r\n+IPR: {expected}\r\n\r\nOK\r\n"));
    }
}

#[test]
fn a_speed_that_it_does_not_have_is_an_error() {
    let mut host = Host::with(&[("echo", "false"), ("fastest-speed", "460800")]);
    for speed in ["0", "1", "921600", "115201", "", "fast"] {
        assert_eq!(host.ask(&format!("AT+IPR={speed}")), "\r\nERROR\r\n", "{speed}");
    }
    assert_eq!(host.ask("at+ipr=460800"), "\r\nOK\r\n");
}

#[test]
fn errors_have_the_form_that_was_set_until_cmee() {
    for (form, expected) in [("error", "ERROR"), ("cme-number", "+CME ERROR: 100"), ("cme-bare", "+CME ERROR")] {
        let mut host = Host::with(&[("error-form", form), ("echo", "false")]);
        assert_eq!(host.ask("AT+NONESUCH"), format!("\r\n{expected}\r\n"));
        host.ask("AT+CMEE=1");
        assert_eq!(host.ask("AT+NONESUCH"), "\r\n+CME ERROR: 100\r\n");
        host.ask("AT+CMEE=0");
        assert_eq!(host.ask("AT+NONESUCH"), "\r\nERROR\r\n");
    }
}

#[test]
fn while_it_boots_commands_are_answered_by_1120() {
    let mut host = Host::with(&[("still-booting", "10 s"), ("echo", "false")]);
    host.start_application();
    assert_eq!(host.ask("AT"), "\r\nOK\r\n");
    assert_eq!(host.ask("AT+CGMR"), "\r\n+CME ERROR: 1120\r\n");
    host.wait(Duration::from_secs(10));
    assert_eq!(host.ask("AT+CGMR"), "\r\n2.7.0\r\n\r\nOK\r\n");
}

#[test]
fn input_before_the_first_message_is_kept_or_lost() {
    for (keeps, answer) in [("true", true), ("false", false)] {
        let mut host = Host::with(&[("start-keeps-input", keeps)]);
        host.pulse();
        host.wait(ms(400));
        host.send(b"AT+CGMR\r");
        host.wait(ms(1000));
        let seen = String::from_utf8_lossy(&host.take()).into_owned();
        assert_eq!(seen.contains("2.7.0"), answer, "{seen}");
    }
}

#[test]
fn a_latched_boot_code_outlives_the_pulse_until_boot() {
    for (latched, program) in [("true", "boot"), ("false", "application")] {
        let mut host = Host::with(&[("ldrst-latched", latched)]);
        host.ask("AT#LDRST=2,2");
        host.start_application();
        assert!(host.board.state().contains(&format!("\"program\":\"{program}\"")), "{}", host.board.state());
        host.enter_boot();
        host.ask("AT#BOOT");
        assert!(host.start_application().contains("#SYSSTART"));
    }
}

#[test]
fn backspaces_delete_in_the_application_or_not() {
    for (deletes, answer) in [("true", "\r\nOK\r\n"), ("false", "\r\nERROR\r\n")] {
        let mut host = Host::with(&[("backspace-deletes", deletes), ("echo", "false")]);
        assert_eq!(host.ask("ATX\x08"), answer);
    }
}

#[test]
fn an_unsolicited_line_comes_in_the_middle_of_an_answer() {
    let mut host = Host::with(&[("unsolicited", "true"), ("echo", "false")]);
    assert_eq!(host.ask("AT+CGMR"), "\r\n2.7.0\r\n\r\n+CEREG: 2\r\n\r\nOK\r\n");
}

#[test]
fn a_host_at_a_wrong_speed_leaves_it_unharmed() {
    for wrong in [9600, 19_200, 57_600, 230_400, 460_800, 921_600] {
        let mut host = Host::with(&[("echo", "false")]);
        host.set_speed(wrong);
        host.ask("AT");
        host.set_speed(115_200);
        host.ask("");
        assert_eq!(host.ask("AT"), "\r\nOK\r\n", "after {wrong}");
    }
}

#[test]
fn a_setup_makes_a_fresh_board_and_leaves_the_host_alone() {
    let mut host = Host::with(&[("accepts-downgrade", "true")]);
    host.set_speed(460_800);
    host.line(LineState::Asserted);
    host.board.command(host.now, "setup firmware=2.8.0 speed=460800 speed-outlives-reset=always").unwrap();
    host.hand(Input::Time);
    assert!(host.board.state().contains("\"program\":\"reset\""), "the line is still asserted");
    host.line(LineState::Released);
    host.wait(ms(3000));
    assert!(String::from_utf8_lossy(&host.take()).contains("#REBOOT_RESET"));
    assert!(host.ask("AT+CGMR").contains("2.8.0"));
}

#[test]
fn a_line_without_end_is_an_error_and_not_kept() {
    let mut host = Host::with(&[("echo", "false"), ("speed", "921600")]);
    host.set_speed(921_600);
    host.send(&vec![b'A'; 100_000]);
    host.wait(ms(1200));
    assert_eq!(host.ask(""), "\r\nERROR\r\n");
}
