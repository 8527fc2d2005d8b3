//! What loads. What must be refused stands in fixtures/refused as `bench-*.yaml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Bench, Board};
use crate::document::Diagnostic;
use crate::line::{Active, Backend, Bias, Drive, GpioLine, LineConfig, Role, Signal};
use crate::plan::Effect;
use crate::port::PortName;
use crate::seam::LineState;

fn load(text: &str) -> Bench {
    Bench::load_text(Path::new("somewhere/bench.yaml"), text)
        .unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)))
}

fn reset_of(board: &Board) -> &LineConfig {
    board.reset.as_ref().expect("every board of a bench has one")
}

#[test]
fn everything_that_a_bench_file_can_say() {
    let bench = load(concat!(
        "format: 1\nhost-late: 2.5 ms\nboards:\n",
        "  kit-1:\n    port: /dev/ttyUSB0\n    baud: 460800\n    start-up: 10 s\n    reset: { backend: rppal, gpio: 17, drive: push-pull, bias: pull-up, active: high }\n    allow: [raw, speed]\n",
        "  kit-2:\n    port: { usb-serial: \"00123\", interface: 1 }\n    reset: { backend: gpiocdev, chip: /dev/gpiochip0, line: 5 }\n",
        "  kit-3:\n    port: { usb-serial: \"00123\", interface: 0 }\n    reset: { backend: gpiocdev, line: GPIO5 }\n",
        "  kit-4:\n    port: links/evkit\n    reset: { backend: socket, path: evkit.ctl }\n    virtual: evkit.ctl\n",
        "images:\n  newer: { path: ../fixtures/images/ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img }\n",
    ).replace("../fixtures", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).as_str());
    assert_eq!(bench.host_late, Duration::from_micros(2_500));
    let [one, two, three, four] = &bench.boards[..] else { panic!("{:?}", bench.boards) };

    assert_eq!((one.name.0.as_str(), one.line, one.baud.bits_per_second()), ("kit-1", 4, 460_800));
    assert_eq!(one.port, PortName::Path("/dev/ttyUSB0".into()));
    assert_eq!(
        (&reset_of(one).backend, reset_of(one).drive, reset_of(one).bias, reset_of(one).active),
        (&Backend::Rppal { gpio: 17 }, Drive::PushPull, Bias::PullUp, Active::High)
    );
    assert_eq!(one.allow, [Effect::Raw, Effect::Speed]);
    assert_eq!((one.start_up, two.start_up), (Duration::from_secs(10), Duration::from_secs(35)));

    assert_eq!(two.port, PortName::Usb { serial: "00123".to_owned(), interface: Some(1) });
    assert_eq!(reset_of(two).backend, Backend::Gpiocdev { chip: Some("/dev/gpiochip0".into()), line: GpioLine::Offset(5) });
    assert_eq!((two.baud.bits_per_second(), two.allow.is_empty(), two.virtual_control.is_none()), (115_200, true, true));
    assert_eq!((reset_of(two).drive, reset_of(two).bias, reset_of(two).active), (Drive::OpenDrain, Bias::None, Active::Low));

    assert_eq!(reset_of(three).backend, Backend::Gpiocdev { chip: None, line: GpioLine::Name("GPIO5".to_owned()) });

    // Paths are relative to the bench file.
    assert_eq!(four.port, PortName::Path("somewhere/links/evkit".into()));
    assert_eq!(reset_of(four).backend, Backend::Socket { path: "somewhere/evkit.ctl".into(), line: "reset".to_owned() });
    assert_eq!(four.virtual_control, Some(PathBuf::from("somewhere/evkit.ctl")));

    let newer = &bench.images["newer"];
    assert_eq!((newer.file_name.as_str(), newer.bytes.len(), newer.made_up), ("ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img", 2048, false));
}

#[test]
fn a_virtual_board_may_be_set_up_for_every_case() {
    let bench = load(concat!(
        "format: 1\nboards:\n  kit:\n    port: kit\n    reset: { backend: socket, path: kit.ctl }\n",
        "    virtual: { control: kit.ctl, boot-window: 20 ms, fault: [mute, still-booting] }\n",
    ));
    let [kit] = &bench.boards[..] else { panic!("{:?}", bench.boards) };
    assert_eq!(kit.virtual_control, Some(PathBuf::from("somewhere/kit.ctl")));
    let words = [("fault", "mute"), ("fault", "still-booting"), ("boot-window", "20 ms")];
    assert_eq!(kit.virtual_setup.settings, words.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert!(!kit.health, "a virtual board is taken as it is");
}

#[test]
fn one_device_by_two_names_is_one_port_and_a_link_that_leads_nowhere_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let bench = |first: &str, second: &str| {
        let board = |name: &str, port: &str, gpio: u8| format!("  {name}: {{ port: {port}, reset: {{ backend: rppal, gpio: {gpio} }} }}\n");
        let text = format!("format: 1\nboards:\n{}{}", board("a", first, 17), board("b", second, 27));
        Bench::load_text(&directory.path().join("bench.yaml"), &text)
    };
    std::fs::write(directory.path().join("device"), "").unwrap();
    std::os::unix::fs::symlink("device", directory.path().join("by-id")).unwrap();
    std::os::unix::fs::symlink("nowhere", directory.path().join("dangling")).unwrap();
    let problems = bench("device", "by-id").unwrap_err();
    assert_eq!(problems[0].message, "`b` and `a` have the same port");
    assert!(bench("device", "dangling").is_ok());
    assert!(bench("dangling", "dangling").is_err());
}

#[test]
fn a_gpio_without_a_backend_is_a_raspberry_pis_pin() {
    let bench = load("format: 1\nboards:\n  kit-1: { port: /dev/ttyUSB0, reset: { gpio: 17, bias: pull-up } }\n");
    assert_eq!(reset_of(&bench.boards[0]).backend, Backend::RaspberryPi { gpio: 17 });
    assert_eq!(reset_of(&bench.boards[0]).bias, Bias::PullUp);
}

#[test]
fn lines_and_power_of_every_backend() {
    let bench = load(concat!(
        "format: 1\nboards:\n  kit-1:\n    port: /dev/ttyUSB0\n    reset: { backend: modem-line, signal: dtr }\n    lines:\n",
        "      wake: { gpio: 27, active: high }\n",
        "      ring: { gpio: 22, direction: in, bias: pull-up }\n",
        "      relay: { backend: command, assert: [tools/relay, R1=1], release: [usbrelay, \"R 1\"], within: 20 s }\n",
        "      button: { backend: manual, within: 30 s }\n",
        "      rts: { backend: modem-line, signal: rts, port: links/evkit, active: low }\n",
        "      told: { backend: socket, path: kit.ctl, line: ring, direction: in }\n",
        "      aux: { backend: socket, path: kit.ctl }\n",
        "    power: { backend: gpiocdev, line: GPIO5, active: high }\n",
        "  kit-2:\n    port: /dev/ttyUSB1\n    reset: { backend: modem-line, signal: rts, port: /dev/ttyUSB1 }\n",
        "    power: { backend: command, on: [power, up], off: [power, down] }\n",
        "  kit-3:\n    port: /dev/ttyUSB2\n    reset: { gpio: 4 }\n    power: { backend: socket, path: other.ctl }\n",
    ));
    let [one, two, three] = &bench.boards[..] else { panic!("{:?}", bench.boards) };
    let own = |port: &str, signal| Backend::ModemLine { port: PortName::Path(port.into()), own: true, signal };
    assert_eq!((&reset_of(one).backend, reset_of(one).active), (&own("/dev/ttyUSB0", Signal::Dtr), Active::High));
    assert_eq!(reset_of(two).backend, own("/dev/ttyUSB1", Signal::Rts), "the board's own port by its name");
    assert!(reset_of(one).is_of_own_port() && !one.lines[4].is_of_own_port());

    let names: Vec<_> = one.lines.iter().map(|line| (line.name.as_str(), line.role)).collect();
    let (out, input) = (Role::Output, Role::Input);
    assert_eq!(names, [("wake", out), ("ring", input), ("relay", out), ("button", out), ("rts", out), ("told", input), ("aux", out)]);
    let [wake, ring, relay, button, rts, told, aux] = &one.lines[..] else { panic!("{:?}", one.lines) };
    assert_eq!((&wake.backend, wake.active), (&Backend::RaspberryPi { gpio: 27 }, Active::High));
    assert_eq!((&ring.backend, ring.bias), (&Backend::RaspberryPi { gpio: 22 }, Bias::PullUp));
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (assert, release) = (list(&["somewhere/tools/relay", "R1=1"]), list(&["usbrelay", "R 1"]));
    assert_eq!(relay.backend, Backend::Command { assert, release, within: Duration::from_secs(20) });
    assert_eq!(button.backend, Backend::Manual { board: "kit-1".to_owned(), within: Duration::from_secs(30) });
    let further = Backend::ModemLine { port: PortName::Path("somewhere/links/evkit".into()), own: false, signal: Signal::Rts };
    assert_eq!((&rts.backend, rts.active), (&further, Active::Low));
    assert_eq!(told.backend, Backend::Socket { path: "somewhere/kit.ctl".into(), line: "ring".to_owned() });
    assert_eq!(aux.backend, Backend::Socket { path: "somewhere/kit.ctl".into(), line: "aux".to_owned() });

    let power = one.power.as_ref().unwrap();
    assert_eq!((power.role, power.drive, power.active), (Role::Power, Drive::PushPull, Active::High));
    let (assert, release) = (list(&["power", "up"]), list(&["power", "down"]));
    assert_eq!(two.power.as_ref().unwrap().backend, Backend::Command { assert, release, within: Duration::from_secs(5) });
    let socket = Backend::Socket { path: "somewhere/other.ctl".into(), line: "power".to_owned() };
    assert_eq!(three.power.as_ref().unwrap().backend, socket);
    let outputs: Vec<_> = one.outputs().map(|line| line.name.as_str()).collect();
    assert_eq!(outputs, ["reset", "wake", "relay", "button", "rts", "aux"], "what a guardian is given: neither inputs nor power");
}

#[test]
fn before_the_supply_goes_a_push_pull_line_goes_low_and_an_open_drain_lets_go() {
    let state = |keys: &str| {
        let bench = load(&format!("format: 1\nboards:\n  kit-1: {{ port: /dev/ttyUSB0, reset: {{ gpio: 17, {keys} }} }}\n"));
        reset_of(&bench.boards[0]).unpowered()
    };
    assert_eq!(state("drive: push-pull, active: low"), LineState::Asserted);
    assert_eq!(state("drive: push-pull, active: high"), LineState::Released);
    assert_eq!(state("drive: open-drain, active: low"), LineState::Released);
    assert_eq!(state("drive: open-drain, active: high"), LineState::Released);
}
