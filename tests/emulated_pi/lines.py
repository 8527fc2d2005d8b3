"""The reset line seen from outside, with each backend and drive: nothing before the first pulse, pulses as they were commanded, and released however a run ends."""

import json

from cases import BENCHES, LATE
from machine import Machine
from packages import say

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
PULSE = """format: 1
scenario: pulse
summary: Two pulses.
steps:
  - wait: 300 ms
  - reset: { pulse: 15 ms }
  - wait: 300 ms
  - reset: { pulse: 40 ms }
  - expect: { text: "#SYSSTART\\r\\n", within: 20 s }
"""


def bench(reset):
    return f"format: 1\n{LATE}boards:\n  kit: {{ port: /dev/ttyAMA0, health: false, reset: {{ {reset} }} }}\n"


def job():
    lines = ["export EVKIT_HIL_STATE_DIR=/tmp/state"]
    for name in NAMES:
        lines += [
            # Opening the port and listening drives nothing.
            f"echo '@@ listens {name}'",
            f"evkit-hil diagnose --bench /{name}.yaml --listen --for 1s --out /out/{name}/listen > /out/{name}-listen.log 2>&1",
            f"echo '@@ pulses {name}'",
            f"evkit-hil run --bench /{name}.yaml --out /out/{name} /pulse.yaml > /out/{name}-pulse.log 2>&1; echo $? > /out/{name}-pulse.exit",
            "sleep 1",
        ]
        for end in ENDS:
            lines += [
                f"evkit-hil run --bench /{name}.yaml --out /out/{name}-{end} /hold.yaml > /out/{name}-{end}.log 2>&1 &",
                f"run=$!; tries=0; until grep -qs '\"edge\"' /out/{name}-{end}/timelines/*/events.jsonl || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.2; done",
                f"sleep 0.5; echo '@@ holds {name}-{end}'; sleep 1",
                f"evkit-hil run --bench /{name}.yaml --out /out/second /hold.yaml > /out/{name}-{end}-second.log 2>&1; echo $? > /out/{name}-{end}-second.exit",
                f"kill -{end} $run; wait $run; echo $? > /out/{name}-{end}.exit; sleep 1; echo '@@ ended {name}-{end}'; sleep 1",
            ]
    return "\n".join(lines) + "\n"


def commanded(timeline):
    """How long the reset line was commanded to be asserted, each time."""
    widths, since = [], None
    for line in timeline.read_text().splitlines():
        event = json.loads(line)
        data = event.get("data") or {}
        if event.get("kind") == "edge" and data.get("line") == "reset":
            if data["state"] == "asserted":
                since = data["after_ns"]
            elif since is not None:
                widths.append((data["before_ns"] - since) / 1e9)
                since = None
    return widths


def run(parts, folder):
    files = {f"{name}.yaml": bench(reset) for name, (reset, _) in BENCHES.items()} | {"hold.yaml": HOLD, "pulse.yaml": PULSE}
    seen, wrong = {}, []
    with Machine(**parts, job=job(), files=files, folder=folder, within=420) as pi:
        for name in NAMES:
            pi.wait_for(f"@@ listens {name}")
            begun = len(pi.pin.samples)
            pi.wait_for(f"@@ pulses {name}")
            if pi.pin.of(pi.pin.samples[begun:]):
                wrong.append(f"{name}: listening asserts the line")
            for end in ENDS:
                pi.wait_for(f"@@ holds {name}-{end}")
                if end == "INT":
                    seen[name] = list(pi.pin.samples[begun:])
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
        (timeline,) = (out / name / "timelines").glob("*-pulse/events.jsonl")
        wanted = commanded(timeline)
        say(f"{name}: pulses of {', '.join(f'{width * 1000:.1f} ms' for width in spans)}; commanded {', '.join(f'{width * 1000:.1f} ms' for width in wanted)}")
        if (out / f"{name}-pulse.exit").read_text().strip() != "0":
            wrong.append(f"{name}: the case with pulses failed: {(out / f'{name}-pulse.log').read_text()}")
        if len(spans) != len(wanted) or any(abs(width - to) > SLACK for width, to in zip(spans, wanted)):
            wrong.append(f"{name}: pulses of {spans} s were seen, and {wanted} s commanded")
        first = pin[0][0] if pin else float("inf")
        if name.endswith("open-drain") and any(sample.output and sample.at < first for sample in seen[name]):
            wrong.append(f"{name}: the pin is an output before the first pulse")
        for end, code in ENDS.items():
            found = (out / f"{name}-{end}.exit").read_text().strip()
            if found != str(code):
                wrong.append(f"{name}: {end} gives exit code {found}: {(out / f'{name}-{end}.log').read_text()}")
            said = (out / f"{name}-{end}-second.log").read_text()
            second = (out / f"{name}-{end}-second.exit").read_text().strip()
            if second != "3" or "evkit-hil run" not in said:
                wrong.append(f"{name}: a second run on the line gives {second}: {said}")
    assert not wrong, "\n".join(wrong)
