//! What loads. What must be refused stands in fixtures/refused as `bench-*.yaml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Bench;
use crate::document::Diagnostic;
use crate::line::{Active, Backend, Bias, Drive, GpioLine};
use crate::plan::Effect;
use crate::port::PortName;

fn load(text: &str) -> Bench {
    Bench::load_text(Path::new("somewhere/bench.yaml"), text)
        .unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)))
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
        (&one.reset.backend, one.reset.drive, one.reset.bias, one.reset.active),
        (&Backend::Rppal { gpio: 17 }, Drive::PushPull, Bias::PullUp, Active::High)
    );
    assert_eq!(one.allow, [Effect::Raw, Effect::Speed]);
    assert_eq!((one.start_up, two.start_up), (Duration::from_secs(10), Duration::from_secs(30)));

    assert_eq!(two.port, PortName::Usb { serial: "00123".to_owned(), interface: Some(1) });
    assert_eq!(two.reset.backend, Backend::Gpiocdev { chip: Some("/dev/gpiochip0".into()), line: GpioLine::Offset(5) });
    assert_eq!((two.baud.bits_per_second(), two.allow.is_empty(), two.virtual_control.is_none()), (115_200, true, true));
    assert_eq!((two.reset.drive, two.reset.bias, two.reset.active), (Drive::OpenDrain, Bias::None, Active::Low));

    assert_eq!(three.reset.backend, Backend::Gpiocdev { chip: None, line: GpioLine::Name("GPIO5".to_owned()) });

    // Paths are relative to the bench file.
    assert_eq!(four.port, PortName::Path("somewhere/links/evkit".into()));
    assert_eq!(four.reset.backend, Backend::Socket { path: "somewhere/evkit.ctl".into() });
    assert_eq!(four.virtual_control, Some(PathBuf::from("somewhere/evkit.ctl")));

    let newer = &bench.images["newer"];
    assert_eq!((newer.file_name.as_str(), newer.bytes.len(), newer.made_up), ("ST87M01_A_2_8_0_M_2_8_0_S_2_8_0_key0405.img", 2048, false));
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
    assert_eq!(bench.boards[0].reset.backend, Backend::RaspberryPi { gpio: 17 });
    assert_eq!(bench.boards[0].reset.bias, Bias::PullUp);
}
