//! `doctor` on this computer, whatever it is. Each check is tried on a made-up one, in src/doctor/tests.rs.

use crate::place::Place;

const BENCH: &str = "format: 1
boards:
  kit-1: { port: /dev/ttyUSB77, reset: { backend: gpiocdev, chip: /dev/gpiochip77, line: 5 } }
  kit-2: { port: /dev/ttyUSB78, reset: { backend: gpiocdev, chip: /dev/gpiochip77, line: 6 } }
";

#[test]
fn what_is_in_the_way_is_said_with_its_remedy() {
    let place = Place::new();
    place.write("bench.yaml", BENCH);
    let output = place.output(&["doctor", "--bench", "bench.yaml", "--board", "kit-1"]);
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{output:?}");
    for line in
        ["  FAIL kit-1 port: there is no port /dev/ttyUSB77; ", "  FAIL kit-1 line: reset: GPIO chip /dev/gpiochip77 is not there: "]
    {
        let (_, rest) = output.stderr.split_once(line).unwrap_or_else(|| panic!("no {line:?} in {}", output.stderr));
        assert!(rest.lines().nth(1).is_some_and(|remedy| remedy.starts_with("       -> ")), "{}", output.stderr);
    }
    assert!(!output.stderr.contains("kit-2"), "{}", output.stderr);
    let summary = output.stderr.lines().last().unwrap_or_default();
    assert!(summary.starts_with("Summary ") && summary.contains(" in the way"), "{summary}");
}

#[test]
fn a_board_that_the_bench_does_not_have_is_a_mistake() {
    let place = Place::new();
    place.write("bench.yaml", BENCH);
    let output = place.output(&["doctor", "--bench", "bench.yaml", "--board", "kit-3"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("kit-3") && output.stderr.contains("kit-1, kit-2"), "{output:?}");
}

#[test]
fn the_computer_alone_is_looked_at_without_a_bench() {
    let output = Place::new().output(&["doctor"]);
    for check in ["services", "voltage", "clock", "disk", "realtime", "usb serials"] {
        assert!(output.stderr.lines().any(|line| line[7..].starts_with(check)), "{check} is not looked at: {}", output.stderr);
    }
}
