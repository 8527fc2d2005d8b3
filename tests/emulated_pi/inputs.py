"""Inputs of a GPIO chip on the kernel's own driver: edges with the kernel's times, the reset line looped back to an input, edges that were lost, and lines that another program holds."""

import time

from lines import SLACK, differ
from machine import LinuxBoard
from packages import say
from results import ended, events, logged, recorded, timeline

CHIP = "backend: gpiocdev, chip: /dev/gpiochip0"
# Line 3 is the power button of this computer.
RESET, RING, SEEN = 0, 5, 6
BENCH = f"""format: 1
host-late: 100 ms
boards:
  other:
    port: /dev/ttyS0
    kind: generic
    reset: {{ {CHIP}, line: {RESET}, drive: push-pull }}
    lines:
      ring: {{ {CHIP}, line: {RING}, direction: in, active: high }}
      seen: {{ {CHIP}, line: {SEEN}, direction: in }}
"""
# How long the ring line is high and low, in s.
RINGS = [0.3, 0.2, 0.1, 0.4]
EDGES = "format: 1\nscenario: edges\nsummary: The ring line goes up and down.\nsteps:\n" + "".join(
    f"  - expect: {{ line: ring, edge: {state}, within: 20 s }}\n" for state in ("assert", "release") * (len(RINGS) // 2)
)
LOOP = """format: 1
scenario: loop
summary: The reset line is looped back to an input.
steps:
""" + 2 * """  - reset: assert
  - expect: { line: seen, edge: assert, within: 1 s }
  - wait: 15 ms
  - reset: release
  - expect: { line: seen, edge: release, within: 1 s }
"""
LOST = """format: 1
scenario: lost
summary: More edges than the kernel keeps, while the run does not read.
steps:
  - expect: { line: seen, edge: assert, within: 20 s }
"""
# So many edges, of which the kernel keeps 16.
MANY = 60


def job():
    run = lambda name, scenario: f"evkit-hil run --bench /bench.yaml --out /out/{name} /{scenario}.yaml"
    lines = ["export EVKIT_HIL_STATE_DIR=/tmp/state", "base=$(cat /sys/class/gpio/gpiochip*/base)"]
    lines += [f"({logged(run('edges', 'edges'), 'edges')}) & run=$!", recorded("edges", "step"), "echo '@@ edges'; wait $run"]
    lines += [logged(run("loop", "loop"), "loop")]
    lines += [f"{run('lost', 'lost')} > /out/lost.log 2>&1 & run=$!", recorded("lost", "step"), "kill -STOP $run"]
    # Nobody else gets a line of a run's.
    for name, line in (("output", RESET), ("input", RING)):
        lines += [f"echo $((base + {line})) > /sys/class/gpio/export 2> /out/{name}-held"]
    # The run is held up while the line changes, and goes on when the last change is over.
    lines += ["echo '@@ lost'; sleep 3; kill -CONT $run; echo '@@ goes on'; wait $run; echo $? > /out/lost.exit"]
    for name, line in (("output", RESET), ("input", RING)):
        lines += [f"echo $((base + {line})) > /sys/class/gpio/export", logged(run(name, "loop"), name)]
        lines += [f"echo $((base + {line})) > /sys/class/gpio/unexport"]
    return "\n".join(lines) + "\n"


def run(parts, folder):
    files = {"bench.yaml": BENCH, "edges.yaml": EDGES, "loop.yaml": LOOP, "lost.yaml": LOST}
    parts = {name: parts[name] for name in ("kernel", "built")}
    with LinuxBoard(**parts, job=job(), files=files, folder=folder, within=120) as board:
        board.drive(RING, False)
        board.drive(SEEN, True)
        board.driven = lambda line, high: line == RESET and board.drive(SEEN, high)
        board.wait_for("@@ edges")
        driven = []
        for number, length in enumerate(RINGS):
            board.drive(RING, number % 2 == 0)
            driven.append(time.monotonic())
            time.sleep(length)
        board.wait_for("@@ lost")
        for number in range(MANY):
            board.drive(RING, number % 2 == 0)
            time.sleep(0.02)
        board.wait_for("@@ goes on")
        time.sleep(0.5)
        board.drive(RING, True)
        out = board.files()

    def said(name, code):
        found, text = ended(out, name)
        assert found == code, f"{name} gives {found}: {text}"
        return text

    said("edges", "0")
    edges = [event for event in events(timeline(out / "edges", "edges"), "input-edge") if event["data"]["line"] == "ring"]
    assert [event["data"]["state"] for event in edges] == ["asserted", "released"] * 2 and {event["source"] for event in edges} == {"observed"}, edges
    apart = [(after["t_ns"] - before["t_ns"]) / 1e9 for before, after in zip(edges, edges[1:])]
    wanted = [after - before for before, after in zip(driven, driven[1:])]
    say(f"edges {', '.join(f'{length * 1000:.1f} ms' for length in apart)} apart; driven {', '.join(f'{length * 1000:.1f} ms' for length in wanted)} apart")
    assert not differ(apart, wanted), apart
    said("loop", "0")
    commanded = events(timeline(out / "loop", "loop"), "edge")
    observed = [event for event in events(timeline(out / "loop", "loop"), "input-edge") if event["data"]["line"] == "seen"]
    assert len(observed) == 4 and [event["data"]["state"] for event in observed] == ["asserted", "released"] * 2, observed
    late = [(seen["t_ns"] - told["data"]["before_ns"]) / 1e6 for told, seen in zip(commanded, observed)]
    say(f"looped back, edges are seen {', '.join(f'{ms:.1f} ms' for ms in late)} after they were commanded")
    # A computer that is busy only adds to them.
    assert min(late) > 0 and min(late) < SLACK * 1000, late
    text = said("lost", "3")
    assert "edges of the ring line were lost" in text, text
    for name in ("output", "input"):
        assert "busy" in (out / f"{name}-held").read_text(), f"another program gets the {name} of a run"
        text = said(name, "3")
        say(f"when another program holds the {name}: {text.splitlines()[0]}")
        assert "is in use by" in text and "sysfs" in text, text
