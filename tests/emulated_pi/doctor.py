"""The doctor on a real kernel: what it finds in the way of a port that is the console on the mini UART, and of pins that are read and never driven."""

from machine import Pi
from packages import say

BENCH = """format: 1
boards:
  good: { port: /dev/ttyAMA0, reset: { backend: rppal, gpio: 17 } }
  mini: { port: /dev/ttyS1, reset: { backend: gpiocdev, line: GPIO5 }, kind: generic }
"""
WAITS = """format: 1
scenario: waits
summary: Nothing.
steps:
  - wait: 100 ms
"""
# What each line has to begin with, in the order of the checks.
EXPECTED = [
    "OK services",
    "OK rppal: it knows this computer as Raspberry Pi 3 B",
    "OK gpio registers",
    "OK good port: /dev/ttyAMA0 is there, free",
    "OK good console",
    "OK good uart",
    "OK good line: reset is there and free",
    "WARN good wake-up pull: GPIO17 wakes pulled down",
    # Nothing is wired to the pins of this computer, which read low then.
    "FAIL good released pin: it reads low",
    "FAIL mini console: the kernel writes its messages to ttyS1",
    "FAIL mini uart: ttyS1 is a Raspberry Pi's mini UART",
    "OK mini wake-up pull: GPIO5 wakes pulled up",
]
JOB = """export EVKIT_HIL_STATE_DIR=/tmp/state
evkit-hil doctor --bench /bench.yaml --yes > /out/doctor.log 2>&1; echo $? > /out/doctor.exit
evkit-hil run --bench /bench.yaml --board mini --out /out/mini /waits.yaml > /out/mini.log 2>&1; echo $? > /out/mini.exit
sed 's/kind: generic/accept-mini-uart: true, kind: generic/' /bench.yaml > /accepted.yaml
evkit-hil run --bench /accepted.yaml --board mini --out /out/accepted /waits.yaml > /out/accepted.log 2>&1; echo $? > /out/accepted.exit
"""


def run(parts, folder):
    with Pi(**parts, job=JOB, files={"bench.yaml": BENCH, "waits.yaml": WAITS}, folder=folder, within=90) as pi:
        out = pi.files()
    found = (out / "doctor.log").read_text()
    say(f"the doctor says:\n{found}")
    lines = [line.strip() for line in found.splitlines()]
    for expected in EXPECTED:
        assert any(line.startswith(expected) for line in lines), f"no {expected!r}"
    assert not any(sample.output for sample in pi.pin.samples), "the doctor drives a pin that it is to read"
    codes = {name: (out / f"{name}.exit").read_text().strip() for name in ("doctor", "mini", "accepted")}
    assert codes == {"doctor": "1", "mini": "3", "accepted": "0"}, codes
    refused = (out / "mini.log").read_text()
    assert "mini UART" in refused and "accept-mini-uart: true" in refused, refused
