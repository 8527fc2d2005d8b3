"""The supply of a module on the kernel's own drivers: before it goes off, TX is held low by a break and no line drives anything high; when it is on again, both are as before. A run that is killed leaves it as it is."""

import threading

from cases import LATE
from machine import GPIO_FUNCTION, GPIO_LEVELS, Pi, Qtest
from packages import say
from results import ended, logged, recorded

UART_LINE_CONTROL = 0x3F20102C
BREAK = 1
# Each a function register of three bits for each of ten pins; 1 is an output.
POWER, RESET, WAKE = 22, 17, 27
BENCH = f"""format: 1
{LATE}boards:
  other:
    port: /dev/ttyAMA0
    kind: generic
    reset: {{ backend: gpiocdev, chip: /dev/gpiochip0, line: {RESET}, drive: push-pull }}
    lines:
      wake: {{ backend: rppal, gpio: {WAKE}, drive: push-pull, active: high }}
    power: {{ backend: gpiocdev, chip: /dev/gpiochip0, line: {POWER}, active: high }}
    allow: [power]
"""
OFF = """format: 1
scenario: off
summary: The supply goes off while a line is driven, and comes back.
effects: [power]
steps:
  - line: { name: wake, state: assert }
  - wait: 300 ms
  - power: off
  - wait: 500 ms
  - power: on
  - wait: 300 ms
"""
LEFT = """format: 1
scenario: left
summary: The supply is off when the run is killed.
effects: [power]
steps:
  - power: off
  - wait: 60 s
"""
JOB = f"""export EVKIT_HIL_STATE_DIR=/tmp/state
run() {{ evkit-hil run --bench /bench.yaml --allow power --out /out/$1 /$1.yaml; }}
echo '@@ off'
{logged("run off", "off")}
echo '@@ was off'
evkit-hil run --bench /bench.yaml --allow power --out /out/left /left.yaml > /out/left.log 2>&1 & run=$!; {recorded("left", "power")}
kill -KILL $run; wait $run; sleep 1
echo '@@ killed'; sleep 1
"""


class Look(threading.Thread):
    """Looks again and again at the supply, TX and the lines: what is driven, and how."""

    def __init__(self, qtest):
        super().__init__(daemon=True)
        self.qtest, self.samples, self.over = qtest, [], threading.Event()
        self.start()

    def pin(self, gpio, levels):
        """`high` or `low` where a pin is driven, `free` where it is an input."""
        function = self.qtest.read(GPIO_FUNCTION + 4 * (gpio // 10)) >> 3 * (gpio % 10) & 7
        return ("high" if levels >> gpio & 1 else "low") if function == 1 else "free"

    def run(self):
        while not self.over.is_set():
            levels = self.qtest.read(GPIO_LEVELS)
            power, lines = self.pin(POWER, levels), [self.pin(gpio, levels) for gpio in (RESET, WAKE)]
            held = bool(self.qtest.read(UART_LINE_CONTROL) & BREAK)
            # Looks are made one after the other: what was seen with the supply counts where that stayed as it was.
            if self.pin(POWER, self.qtest.read(GPIO_LEVELS)) == power:
                self.samples.append((power, held, *lines))

    def states(self, begun):
        """What was seen from a sample on, each state once: the supply, whether TX is held low, reset and wake."""
        states = []
        for state in self.samples[begun:]:
            if not states or states[-1] != state:
                states.append(state)
        return states


def run(parts, folder):
    files = {"bench.yaml": BENCH, "off.yaml": OFF, "left.yaml": LEFT}
    with Pi(**parts, job=JOB, files=files, folder=folder, within=120, wired=False) as pi:
        look = Look(Qtest(pi.connect("qtest")))
        pi.wait_for("@@ off")
        begun = len(look.samples)
        pi.wait_for("@@ was off")
        seen = look.states(begun)
        pi.wait_for("@@ killed")
        left = look.samples[-1]
        out = pi.files()
        look.over.set()
        look.join()
    code, said = ended(out, "off")
    assert code == "0", f"the case gives {code}: {said}"
    say(f"supply, TX held low, reset, wake: {seen}")
    off = [state for state in seen if state[0] == "low"]
    assert off, "the supply was never seen off"
    assert all(held and reset != "high" and wake != "high" for _, held, reset, wake in off), f"without a supply the module is fed: {off}"
    before = seen[: seen.index(off[0])]
    assert ("high", False, "high", "high") in before, f"with its supply the line is driven and TX is free: {before}"
    after = seen[len(seen) - seen[::-1].index(off[-1]) :]
    assert any(power == "high" and not held for power, held, _, _ in after), f"TX is let go when the supply is back: {after}"
    say(f"after a run was killed without a supply: {left}")
    power, _, reset, wake = left
    assert power != "high" and reset != "high" and wake != "high", f"after a kill without a supply the module is fed: {left}"
