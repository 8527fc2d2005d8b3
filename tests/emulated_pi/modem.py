"""DTR and RTS of a 16550 on the kernel's own driver as the reset line, with either polarity, of the board's own port and of another one: pulses as they were commanded, and let go when the run is killed."""

import re
import threading
import time

from lines import HOLD, PULSE, commanded, differ
from machine import LinuxBoard
from packages import say
from results import ended, logged, recorded, timeline

# The bits of a 16550's modem control register, and where that is from its first one.
SIGNALS = {"dtr": 1, "rts": 2}
MODEM_CONTROL = 4
# Where this computer has the I/O ports of its PCI bus.
IO_PORTS = 0x3EFF0000
# Each: the signal, what asserts, and the place of the port, of the two that there are.
CASES = {
    "dtr-raised": ("dtr", "high", 0),
    "dtr-lowered": ("dtr", "low", 0),
    "rts-raised": ("rts", "high", 0),
    "rts-lowered-of-another-port": ("rts", "low", 1),
}


def bench(signal, active, place):
    port = "" if place == 0 else f", port: /dev/ttyS{place}"
    reset = f"{{ backend: modem-line, signal: {signal}, active: {active}{port} }}"
    return f"format: 1\nhost-late: 100 ms\nboards:\n  other: {{ port: /dev/ttyS0, kind: generic, reset: {reset} }}\n"


def job():
    lines = ["export EVKIT_HIL_STATE_DIR=/tmp/state"]
    for name in CASES:
        run = lambda what, out: f"evkit-hil run --bench /{name}.yaml --out /out/{out} /{what}.yaml"
        lines += [
            f"echo '@@ pulses {name}'",
            logged(run("pulse", name), name),
            f"sleep 0.5; echo '@@ pulsed {name}'; sleep 1.5",
            f"{run('hold', f'{name}-hold')} > /out/{name}-hold.log 2>&1 & run=$!; {recorded(f'{name}-hold', 'edge')}",
            f"echo '@@ holds {name}'; sleep 2; kill -KILL $run; wait $run; sleep 1; echo '@@ killed {name}'; sleep 2",
        ]
    return "\n".join(lines) + "\n"


class Signals(threading.Thread):
    """Looks at the modem control registers of both ports again and again."""

    def __init__(self, board):
        super().__init__(daemon=True)
        self.board, self.samples, self.over = board, [], threading.Event()
        ports = re.findall(r"Serial port:.*?BAR0: I/O at (0x[0-9a-f]+)", board.monitor("info pci"), re.DOTALL)
        assert len(ports) == 2, f"two serial ports on the bus, not {ports}"
        self.registers = [IO_PORTS + int(port, 16) + MODEM_CONTROL for port in ports]
        self.start()

    def run(self):
        while not self.over.is_set():
            values = [self.board.qtest.read(register, "b") for register in self.registers]
            self.samples.append((time.monotonic(), values))

    def asserted(self, case, begun=0):
        """The spans in which the line of a case was seen asserted, the last one open where it still is."""
        signal, active, place = CASES[case]
        spans, since = [], None
        for at, values in self.samples[begun:]:
            if bool(values[place] & SIGNALS[signal]) == (active == "high"):
                since = since or at
            elif since:
                spans.append((since, at))
                since = None
        return spans + ([(since, None)] if since else [])


def run(parts, folder):
    files = {"hold.yaml": HOLD, "pulse.yaml": PULSE + "  - wait: 300 ms\n"} | {f"{name}.yaml": bench(*case) for name, case in CASES.items()}
    parts = {name: parts[name] for name in ("kernel", "built")}
    second = ["-chardev", "null,id=second", "-device", "pci-serial,chardev=second"]
    pulses, wrong = {}, []
    with LinuxBoard(**parts, job=job(), files=files, folder=folder, within=120, devices=second) as board:
        for number, name in enumerate(CASES):
            board.wait_for(f"@@ pulses {name}")
            # Until the kernel has found the bus, nobody knows where the ports are.
            signals = signals if number else Signals(board)
            begun = len(signals.samples)
            board.wait_for(f"@@ pulsed {name}")
            pulses[name] = signals.asserted(name, begun)
            board.wait_for(f"@@ holds {name}")
            spans = signals.asserted(name)
            if not spans or spans[-1][1] is not None:
                wrong.append(f"{name}: the line is not asserted while it is held")
            board.wait_for(f"@@ killed {name}")
            if signals.asserted(name)[-1][1] is None:
                wrong.append(f"{name}: the line is still asserted after a run was killed")
        out = board.files()
        signals.over.set()
        signals.join()
    for name in CASES:
        code, said = ended(out, name)
        if code != "0":
            wrong.append(f"{name}: the case failed: {said}")
        wanted = commanded(timeline(out / name, "pulse"))
        # Both are low until a port is opened, and the kernel raises both then: one way or the other that may be a pulse of its own.
        widths = [to - since for since, to in pulses[name] if to is not None]
        opening = len(widths) - len(wanted)
        say(f"{name}: pulses of {', '.join(f'{width * 1000:.1f} ms' for width in widths)}; commanded {', '.join(f'{width * 1000:.1f} ms' for width in wanted)}")
        if opening not in (0, 1):
            wrong.append(f"{name}: asserted {len(widths)} times, and {len(wanted)} pulses were commanded")
        elif differ(widths[opening:], wanted):
            wrong.append(f"{name}: pulses of {widths[opening:]} s were seen, and {wanted} s commanded")
    assert not wrong, "\n".join(wrong)
