"""The doctor on a real kernel: what it finds in the way of a port that is the console on the mini UART, and of pins that are read and never driven."""

from machine import Pi
from packages import say
from results import ended, logged

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
JOB = f"""export EVKIT_HIL_STATE_DIR=/tmp/state
{logged("evkit-hil doctor --bench /bench.yaml --yes", "doctor")}
{logged("evkit-hil run --bench /bench.yaml --board mini --out /out/mini /waits.yaml", "mini")}
sed 's/kind: generic/accept-mini-uart: true, kind: generic/' /bench.yaml > /accepted.yaml
{logged("evkit-hil run --bench /accepted.yaml --board mini --out /out/accepted /waits.yaml", "accepted")}
"""


def run(parts, folder):
    with Pi(**parts, job=JOB, files={"bench.yaml": BENCH, "waits.yaml": WAITS}, folder=folder, within=90) as pi:
        out = pi.files()
    _, found = ended(out, "doctor")
    say(f"the doctor says:\n{found}")
    lines = [line.strip() for line in found.splitlines()]
    for expected in EXPECTED:
        assert any(line.startswith(expected) for line in lines), f"no {expected!r}"
    assert not any(sample.output for sample in pi.pin.samples), "the doctor drives a pin that it is to read"
    codes = {name: ended(out, name)[0] for name in ("doctor", "mini", "accepted")}
    assert codes == {"doctor": "1", "mini": "3", "accepted": "0"}, codes
    _, refused = ended(out, "mini")
    assert "mini UART" in refused and "accept-mini-uart: true" in refused, refused
