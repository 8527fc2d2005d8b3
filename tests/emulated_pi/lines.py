"""The reset line seen from outside, with each backend and drive: nothing before the first pulse, pulses as they were commanded, and released however a run ends."""

from cases import BENCHES, LATE
from machine import Pi
from packages import say
from results import ended, events, logged, recorded, timeline

# How a run is ended while it holds the board in reset, and the exit code that it then has.
ENDS = {"INT": 130, "TERM": 130, "HUP": 130, "KILL": 137}
# A pin's direction is seen every 0.5 ms, and an emulated computer is held up now and then.
SLACK = 0.025
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
  - wait: 1 s
  - line: { name: fuse, state: assert }
"""
PULSE = """format: 1
scenario: pulse
summary: Two pulses.
steps:
  - wait: 300 ms
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


def job():
    lines = [
        "export EVKIT_HIL_STATE_DIR=/tmp/state",
        "for chip in /sys/class/gpio/gpiochip*; do [ \"$(cat $chip/label)\" = pinctrl-bcm2835 ] && pin=$(($(cat $chip/base) + 17)); done",
    ]
    second = lambda name: f"evkit-hil run --bench /{name}.yaml --out /out/second /hold.yaml"
    for name in NAMES:
        lines += [
            # Opening the port and listening drives nothing.
            f"echo '@@ listens {name}'",
            logged(f"evkit-hil diagnose --bench /{name}.yaml --listen --for 1s --out /out/{name}/listen", f"{name}-listen"),
            f"echo '@@ pulses {name}'",
            logged(f"evkit-hil run --bench /{name}.yaml --out /out/{name} /pulse.yaml", f"{name}-pulse"),
            f"sleep 0.4; echo '@@ panics {name}'",
            logged(f"panics /{name}-fuse.yaml /blow.yaml /out/{name}-panic", f"{name}-panic"),
            f"sleep 0.4; echo '@@ panicked {name}'; sleep 0.4",
        ]
        if name.startswith("gpiocdev"):
            lines += [
                f"echo '@@ taken {name}'; echo $pin > /sys/class/gpio/export",
                logged(second(name), f"{name}-taken"),
                "echo $pin > /sys/class/gpio/unexport",
            ]
        for end in ENDS:
            lines += [
                hold(name, f"{name}-{end}"),
                f"echo '@@ holds {name}-{end}'; sleep 0.4",
                logged(second(name), f"{name}-{end}-second"),
                f"kill -{end} $run; wait $run; echo $? > /out/{name}-{end}.exit; sleep 0.4; echo '@@ ended {name}-{end}'; sleep 0.4",
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


def run(parts, folder):
    files = {"hold.yaml": HOLD, "pulse.yaml": PULSE + STARTS, "blow.yaml": BLOW}
    for name, (reset, _) in BENCHES.items():
        files |= {f"{name}.yaml": bench(reset), f"{name}-fuse.yaml": bench(reset, ", lines: { fuse: { gpio: 27 } }")}
    seen, wrong = {}, []
    with Pi(**parts, job=job(), files=files, folder=folder, within=420) as pi:
        for name in NAMES:
            pi.wait_for(f"@@ listens {name}")
            begun = len(pi.pin.samples)
            pi.wait_for(f"@@ pulses {name}")
            if pi.pin.of(pi.pin.samples[begun:]):
                wrong.append(f"{name}: listening asserts the line")
            pi.wait_for(f"@@ panics {name}")
            panicked = len(pi.pin.samples)
            seen[name] = pi.pin.samples[begun:panicked]
            pi.wait_for(f"@@ panicked {name}")
            spans = pi.pin.of(pi.pin.samples[panicked:])
            if len(spans) != 1 or spans[0][1] is None or not 1 <= spans[0][1] - spans[0][0] <= 5:
                wrong.append(f"{name}: a run that panicked held the line for {spans}")
            for end in ENDS:
                pi.wait_for(f"@@ holds {name}-{end}")
                holds = pi.pin.asserted()
                if not holds or holds[-1][1] is not None:
                    wrong.append(f"{name}: the line is not asserted while it is held")
                pi.wait_for(f"@@ ended {name}-{end}")
                if pi.pin.asserted()[-1][1] is None:
                    wrong.append(f"{name}: the line is still asserted after {end}")
        out = pi.files()
    for name in NAMES:
        pin = pi.pin.of(seen[name])
        spans = [to - since for since, to in pin if to is not None]
        wanted = commanded(timeline(out / name, "pulse"))
        say(f"{name}: pulses of {', '.join(f'{width * 1000:.1f} ms' for width in spans)}; commanded {', '.join(f'{width * 1000:.1f} ms' for width in wanted)}")
        code, said = ended(out, f"{name}-pulse")
        if code != "0":
            wrong.append(f"{name}: the case with pulses failed: {said}")
        if len(spans) != len(wanted) or any(abs(width - to) > SLACK for width, to in zip(spans, wanted)):
            wrong.append(f"{name}: pulses of {spans} s were seen, and {wanted} s commanded")
        first = pin[0][0] if pin else float("inf")
        if name.endswith("open-drain") and any(sample.output and sample.at < first for sample in seen[name]):
            wrong.append(f"{name}: the pin is an output before the first pulse")
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
