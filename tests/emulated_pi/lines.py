"""The reset line seen from outside, with each backend and drive: nothing before the first pulse, pulses as they were commanded, and released however a run ends."""

import time

from cases import BENCHES, LATE
from machine import Pi
from packages import say
from results import ended, events, logged, recorded, timeline

# How a run is ended while it holds the board in reset, and the exit code that it then has.
ENDS = {"INT": 130, "TERM": 130, "HUP": 130, "KILL": 137}
# A pin's direction is seen every 0.5 ms.
SLACK = 0.025
# How long at least a run holds the line that is then ended, in s.
HELD = 1
# Open drains first: after them the pin is an input, as it wakes, while a pin that was pushed and pulled stays an output.
NAMES = sorted(BENCHES, key=lambda name: not name.endswith("open-drain"))
HOLD = """format: 1
scenario: hold
summary: Holds the board in reset until the run is ended.
steps:
  - reset: assert
  - wait: 60 s
"""
BLOW = """format: 1
scenario: blow
summary: Holds the board in reset, and panics.
steps:
  - reset: assert
  - wait: 1500 ms
  - line: { name: fuse, state: assert }
"""
PULSE = """format: 1
scenario: pulse
summary: Pulses of two lengths.
steps:
""" + 3 * """  - wait: 300 ms
  - reset: { pulse: 15 ms }
  - wait: 300 ms
  - reset: { pulse: 40 ms }
"""
STARTS = """  - expect: { text: "#SYSSTART\\r\\n", within: 20 s }
"""


def bench(reset, more=""):
    return f"format: 1\n{LATE}boards:\n  kit: {{ port: /dev/ttyAMA0, health: false, reset: {{ {reset} }}{more} }}\n"


def hold(name, out):
    """Shell: a run in the background, `$run`, that holds the board in reset, until it does."""
    return f"evkit-hil run --bench /{name}.yaml --out /out/{out} /hold.yaml > /out/{out}.log 2>&1 & run=$!; {recorded(out, 'edge')}"


def let_go(what):
    """Shell: the guardian has had its time, which is told to the outside, and the next run does not begin yet."""
    return f"sleep 1; echo '@@ ended {what}'; sleep 1"


def job():
    lines = [
        "export EVKIT_HIL_STATE_DIR=/tmp/state",
        "for chip in /sys/class/gpio/gpiochip*; do [ \"$(cat $chip/label)\" = pinctrl-bcm2835 ] && pin=$(($(cat $chip/base) + 17)); done",
    ]
    second = lambda name: f"evkit-hil run --bench /{name}.yaml --out /out/second /hold.yaml"
    for name in NAMES:
        lines += [
            # Opening the port and listening drives nothing.
            logged(f"evkit-hil diagnose --bench /{name}.yaml --listen --for 1s --out /out/{name}/listen", f"{name}-listen"),
            logged(f"evkit-hil run --bench /{name}.yaml --out /out/{name} /pulse.yaml", f"{name}-pulse"),
            f"{logged(f'panics /{name}-fuse.yaml /blow.yaml /out/{name}-panic', f'{name}-panic')}; {let_go(f'{name}-panic')}",
        ]
        if name.startswith("gpiocdev"):
            lines += [
                "echo $pin > /sys/class/gpio/export",
                logged(second(name), f"{name}-taken"),
                "echo $pin > /sys/class/gpio/unexport",
            ]
        for end in ENDS:
            lines += [
                hold(name, f"{name}-{end}"),
                logged(second(name), f"{name}-{end}-second"),
                f"sleep {HELD}; kill -{end} $run; wait $run; echo $? > /out/{name}-{end}.exit; {let_go(f'{name}-{end}')}",
            ]
    return "\n".join(lines) + "\n"


def commanded(pulses):
    """How long the reset line was commanded to be asserted each time."""
    widths, since = [], None
    for data in (event["data"] for event in events(pulses, "edge")):
        if data["line"] != "reset":
            continue
        if data["state"] == "asserted":
            since = data["after_ns"]
        elif since is not None:
            widths.append((data["before_ns"] - since) / 1e9)
            since = None
    return widths


def differ(seen, wanted):
    """Whether most pulses were not as long as they were commanded: what is seen from outside is late now and then, when this computer is busy, and not each time."""
    apart = sorted(abs(width - to) for width, to in zip(seen, wanted, strict=True))
    return apart[len(apart) // 2] > SLACK


def run(parts, folder):
    files = {"hold.yaml": HOLD, "pulse.yaml": PULSE + STARTS, "blow.yaml": BLOW}
    for name, (reset, _) in BENCHES.items():
        files |= {f"{name}.yaml": bench(reset), f"{name}-fuse.yaml": bench(reset, ", lines: { fuse: { gpio: 27 } }")}
    over, wrong, last = {}, [], 0
    with Pi(**parts, job=job(), files=files, folder=folder, within=420) as pi:
        for name in NAMES:
            for end in ("panic", *ENDS):
                pi.wait_for(f"@@ ended {name}-{end}")
                over[name, end] = time.monotonic()
        out = pi.files()
    # All that the line did, in its order, however busy this computer was: each bench's pulses, and then a hold for each way to end a run. What drives the line and should not, or does not and should, makes another number.
    seen = pi.pin.asserted()
    pulses = {name: commanded(timeline(out / name, "pulse")) for name in NAMES}
    count = sum(len(wanted) + 1 + len(ENDS) for wanted in pulses.values())
    assert len(seen) == count, f"the line was asserted {len(seen)} times, not {count}: for {[to and round(to - since, 3) for since, to in seen]} s"
    spans = iter(seen)
    for name, wanted in pulses.items():
        pin, holds = ([next(spans) for _ in range(count)] for count in (len(wanted), 1 + len(ENDS)))
        widths = [to - since for since, to in pin]
        say(f"{name}: pulses of {', '.join(f'{width * 1000:.1f} ms' for width in widths)}; commanded {', '.join(f'{width * 1000:.1f} ms' for width in wanted)}")
        code, said = ended(out, f"{name}-pulse")
        if code != "0":
            wrong.append(f"{name}: the case with pulses failed: {said}")
        if differ(widths, wanted):
            wrong.append(f"{name}: pulses of {widths} s were seen, and {wanted} s commanded")
        if name.endswith("open-drain") and any(sample.output and last < sample.at < pin[0][0] for sample in pi.pin.samples):
            wrong.append(f"{name}: the pin is an output before the first pulse")
        for end, (since, to) in zip(("panic", *ENDS), holds):
            if to is None or to > over[name, end]:
                wrong.append(f"{name}: the line is still asserted after {end}")
            elif to - since < HELD:
                wrong.append(f"{name}: the line is not asserted while it is held, before {end}: for {to - since:.3f} s")
        last = holds[-1][1] or last
        code, said = ended(out, f"{name}-panic")
        if code != "101" or "the fuse has blown" not in said:
            wrong.append(f"{name}: a run that panics gives exit code {code}: {said}")
        if name.startswith("gpiocdev"):
            code, said = ended(out, f"{name}-taken")
            say(f"{name}, when another program holds the line: {said.strip()}")
            if code != "3" or "in use" not in said or "sysfs" not in said:
                wrong.append(f"{name}: with the line in use by another program, exit code {code}: {said}")
        for end, code in ENDS.items():
            found, said = ended(out, f"{name}-{end}")
            if found != str(code):
                wrong.append(f"{name}: {end} gives exit code {found}: {said}")
            second, said = ended(out, f"{name}-{end}-second")
            if second != "3" or "evkit-hil run" not in said:
                wrong.append(f"{name}: a second run on the line gives {second}: {said}")
    assert not wrong, "\n".join(wrong)
