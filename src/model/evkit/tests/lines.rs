//! Supply, wake and ring.

use super::*;
use crate::model::evkit::{RING, WAKE};

fn text(host: &mut Host) -> String {
    String::from_utf8_lossy(&host.take()).into_owned()
}

/// The edges of the ring line since the last call, in milliseconds from `from`.
fn rings(host: &mut Host, from: MonoTime) -> Vec<(LineState, u128)> {
    let edges = std::mem::take(&mut host.edges);
    assert!(edges.iter().all(|edge| edge.line == RING));
    edges.iter().map(|edge| (edge.state, edge.at.since(from).as_millis())).collect()
}

#[test]
fn without_a_supply_nothing_is_said_or_heard_and_with_it_the_application_starts_anew() {
    let mut host = Host::with(&[("echo", "false")]);
    assert!(host.ask("AT+IPR=460800").contains("OK"));
    host.power_off();
    host.wait(ms(500));
    assert_eq!(host.board.state().split(',').next(), Some("{\"program\":\"off\""));
    // Neither bytes nor edges of reset do anything.
    assert_eq!(host.ask("AT"), "");
    host.pulse();
    host.wait(ms(3000));
    assert_eq!(text(&mut host), "");

    host.power_on();
    host.wait(ms(100));
    host.send(b"\xc5\xff");
    host.wait(ms(50));
    assert_eq!(host.take(), [0x9a], "a start passes through the boot window");
    host.power_off();
    host.power_on();
    host.wait(ms(3000));
    let said = text(&mut host);
    assert!(said.contains("#SYSSTART") && !said.contains("#REBOOT"), "{said}");
    assert_eq!(host.ask("AT"), "\r\nOK\r\n", "the speed of before is forgotten");
}

#[test]
fn the_reset_line_is_what_the_host_drives() {
    let mut host = Host::with(&[]);
    assert_eq!(host.board.level(LineId::RESET), Some(LineState::Released));
    host.drive(LineId::RESET, LineState::Asserted);
    assert_eq!(host.board.level(LineId::RESET), Some(LineState::Asserted));
    host.drive(LineId::RESET, LineState::Released);
    assert_eq!((host.board.level(LineId::RESET), host.board.level(WAKE)), (Some(LineState::Released), None));
}

#[test]
fn what_is_in_flash_outlives_a_power_cycle() {
    let mut host = Host::with(&[("echo", "false"), ("speed-outlives-reset", "saved")]);
    assert_eq!(host.install("2.8.0"), Some(0));
    host.start_application();
    host.ask("AT+IPR=460800");
    host.set_speed(460_800);
    host.ask("AT#RESET=1");
    host.wait(ms(3000));
    host.power_off();
    host.power_on();
    host.wait(ms(3000));
    host.take();
    assert!(host.ask("AT+CGMR").contains("2.8.0"), "version and saved speed are in flash");
}

#[test]
fn a_supply_that_comes_on_while_reset_is_held_starts_nothing() {
    let mut host = Host::with(&[]);
    host.power_off();
    host.line(LineState::Asserted);
    host.power_on();
    host.wait(ms(3000));
    assert_eq!((text(&mut host).as_str(), host.board.state().contains("{\"program\":\"reset\"")), ("", true));
    host.line(LineState::Released);
    host.wait(ms(3000));
    assert!(text(&mut host).contains("#REBOOT_RESET"));
}

#[test]
fn a_board_without_supply_that_is_set_up_anew_stays_without() {
    let mut host = Host::with(&[]);
    host.power_off();
    host.board.setup(host.now, Settings::default());
    host.hand(Input::Time);
    host.wait(ms(3000));
    assert_eq!((text(&mut host).as_str(), host.board.state().contains("{\"program\":\"off\"")), ("", true));
    host.power_on();
    host.wait(ms(3000));
    assert!(text(&mut host).contains("#SYSSTART"));
}

#[test]
fn the_wake_line_ends_a_sleep_after_its_time_and_says_so_where_that_is_set() {
    for (message, said) in [("false", ""), ("true", "\r\n#WAKEUP\r\n")] {
        let mut host = Host::with(&[("first-command-lost", "true"), ("echo", "false"), ("wake-time", "20 ms"), ("wake-message", message)]);
        host.drive(WAKE, LineState::Asserted);
        host.wait(ms(100));
        host.drive(WAKE, LineState::Released);
        assert_eq!(text(&mut host), said);
        assert_eq!(host.ask("AT"), "\r\nOK\r\n");
        // Awake, it takes no notice.
        host.drive(WAKE, LineState::Asserted);
        host.wait(ms(100));
        assert_eq!(text(&mut host), "");
    }
    let mut early = Host::with(&[("first-command-lost", "true"), ("wake-time", "600 ms")]);
    early.drive(WAKE, LineState::Asserted);
    assert_eq!(early.ask("AT"), "", "it was not awake yet");
}

#[test]
fn ring_goes_with_each_line_that_comes_unasked_and_ends_with_the_module() {
    let mut host = Host::with(&[("ring-pulse", "50 ms"), ("simst-delay", "200 ms"), ("sysstart-delay", "10 ms")]);
    host.ask("ATI");
    assert_eq!(host.edges, [], "an answer is asked for");
    host.pulse();
    let release = host.now;
    host.wait(ms(3000));
    // Boot window 200 ms, start 500 ms; the second message comes while the line is asserted still.
    let expected = [(LineState::Asserted, 700), (LineState::Released, 760), (LineState::Asserted, 910), (LineState::Released, 960)];
    assert_eq!(rings(&mut host, release), expected);

    host.pulse();
    let release = host.now;
    host.wait(ms(720));
    host.power_off();
    assert_eq!(rings(&mut host, release), [(LineState::Asserted, 700), (LineState::Released, 720)]);
    let mut never = Host::with(&[("ring-pulse", "0 ms")]);
    never.start_application();
    assert_eq!(never.edges, []);
}
