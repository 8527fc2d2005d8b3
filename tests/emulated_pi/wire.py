"""The Pi's own UART on its real driver: under load not a byte is lost or changed, and a break comes as one."""

import json
import threading
import time

from machine import Pi
from packages import say
from results import ended, events, logged, timeline

SPEED = 460800
# So much each way.
BYTES_A_SECOND = 4096
SECONDS = 10
STEPS_A_SECOND = 10
# Late or not, each byte must be there: this is about bytes, not about times.
BENCH = """format: 1
host-late: 2 s
boards:
  other: { port: /dev/ttyAMA0, kind: generic, reset: { backend: rppal, gpio: 17 }, allow: [raw, nvm] }
"""


def pattern(size, seed):
    """Bytes of every value, in an order that shows where one is missing."""
    value, out = seed, bytearray()
    for _ in range(size):
        value = (value * 1103515245 + 12345) % 2**31
        out.append(value >> 16 & 255)
    return bytes(out)


TO_BOARD = pattern(BYTES_A_SECOND * SECONDS, 1)
TO_HOST = pattern(BYTES_A_SECOND * SECONDS, 2)


def flooding():
    """Sends all of TO_BOARD in pieces, and stays for what comes meanwhile."""
    size = BYTES_A_SECOND // STEPS_A_SECOND
    pieces = [TO_BOARD[at : at + size] for at in range(0, len(TO_BOARD), size)]
    steps = "".join(f"  - send: {{ hex: {piece.hex(' ')}, at: step-before + {1000 // STEPS_A_SECOND} ms }}\n" for piece in pieces)
    return (
        "format: 1\nscenario: flood\nsummary: As much as fits, each way.\neffects: [raw, nvm]\nsteps:\n"
        f"  - uart: {{ baud: {SPEED} }}\n  - expect: {{ text: go, within: 20 s }}\n{steps}  - wait: 3 s\n"
    )


QUIET = """format: 1
scenario: quiet
summary: The port is opened and closed while nothing comes.
steps:
  - wait: 100 ms
"""
BREAK = """format: 1
scenario: break
summary: A break comes between bytes.
steps:
  - expect: { text: before, within: 20 s }
  - expect: { text: behind, within: 20 s }
"""

JOB = f"""export EVKIT_HIL_STATE_DIR=/tmp/state
run() {{ {logged("evkit-hil run --bench /bench.yaml --allow raw --allow nvm --out /out/$1 /$1.yaml", "$1")}; }}
# A terminal echoes as it is first found. While nothing comes, that is nothing.
run quiet
echo '@@ break'
run break
(while true; do :; done) & one=$!
(while true; do :; done) & two=$!
echo '@@ flood'
run flood
kill $one $two
"""


def reads(timeline, direction):
    """What the events of bytes in one direction say."""
    return [event["data"] for event in events(timeline, "bytes") if event["data"]["direction"] == direction]


def carried(timeline, direction):
    """The bytes of a timeline in one direction."""
    content = (timeline / "bytes.bin").read_bytes()
    return b"".join(content[data["offset"] : data["offset"] + data["length"]] for data in reads(timeline, direction))


def run(parts, folder):
    files = {"bench.yaml": BENCH, "flood.yaml": flooding(), "break.yaml": BREAK, "quiet.yaml": QUIET}
    received = bytearray()
    with Pi(**parts, job=JOB, files=files, folder=folder, within=120, wired=False) as pi:
        uart = pi.connect("uart")

        def listen():
            try:
                while chunk := uart.recv(65536):
                    received.extend(chunk)
            except ConnectionError:
                pass

        threading.Thread(target=listen, daemon=True).start()
        pi.wait_for("@@ break")
        # The guest opens its port at some moment: what came before is nobody's.
        def with_a_break():
            uart.sendall(b"before")
            time.sleep(0.2)
            pi.monitor("chardev-send-break serial0")
            time.sleep(0.2)
            uart.sendall(b"behind")
            time.sleep(0.5)
            return "@@ flood" in pi.text()

        def is_begun():
            uart.sendall(b"go")
            time.sleep(0.5)
            return bool(received)

        pi.until(with_a_break, "the end of the case with a break")
        # Not when the port was opened and closed in the middle of what came either.
        assert not received, f"{bytes(received)} was sent back to the board"
        pi.until(is_begun, "the first byte of the flood")
        begun, sent = time.monotonic(), 0
        while sent < len(TO_HOST):
            wanted = min(len(TO_HOST), int((time.monotonic() - begun) * BYTES_A_SECOND))
            uart.sendall(TO_HOST[sent:wanted])
            sent = wanted
            time.sleep(0.01)
        out = pi.files()
    for name in ("quiet", "break", "flood"):
        code, said = ended(out, name)
        assert code == "0", f"{name} gives {code}: {said}"
    marks = [data["marks"] for data in reads(timeline(out / "break", "break"), "in") if data.get("marks")]
    assert marks and "break" in json.dumps(marks), f"no break is marked: {marks}"
    say(f"a break is marked: {marks[0]}")
    flood = timeline(out / "flood", "flood")
    assert bytes(received) == TO_BOARD == carried(flood, "out"), f"{len(received)} bytes came out of {len(TO_BOARD)}, or others"
    came = carried(flood, "in")
    came = came[came.index(b"go") :]
    while came.startswith(b"go"):
        came = came[2:]
    assert came == TO_HOST, f"{len(came)} bytes came in of {len(TO_HOST)}, or others"
    say(f"{len(TO_BOARD)} bytes out and {len(TO_HOST)} in within {SECONDS} s at {SPEED} baud under load: all there, in {len(reads(flood, 'in'))} reads")
