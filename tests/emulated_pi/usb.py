"""A USB adapter on its real driver: pulled in the middle of a case it is named as the cause and the line is released, and when it is back, under another device, its names find it."""

import threading
import time

from machine import Pi
from packages import Archive, say
from results import ended, logged, recorded, verdicts

SERIAL = "EVKIT0001"
LINK = f"/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{SERIAL}-if00-port0"
# The one port of this computer: behind a hub, which QEMU would add, Linux hangs when a device is pulled. And QEMU ends when one goes that is being read from, so its driver is taken from it first, which then does what it does when the device goes.
ADAPTER = f"usb-serial,id=adapter,chardev=adapter,serial={SERIAL},always-plugged=on,bus=usb-bus.0,port=1"
DEVICES = ("-chardev", "socket,id=adapter,path={sockets}/adapter,server=on,wait=off", "-device", ADAPTER)
MODULES = ("phy_generic", "dwc2", "ftdi_sio")
# A bench for each name of the port.
PORTS = {"link": LINK, "serial": f"{{ usb-serial: {SERIAL} }}"}
TICK = b"tick\n"
# So many seconds the board is held in reset before the adapter is pulled.
HELD = 1
PULLED = """format: 1
scenario: pulled
summary: The adapter is pulled while the board is held in reset.
steps:
  - expect: { text: tick, within: 20 s }
  - reset: assert
  - expect: { text: never, within: 60 s }
"""
BACK = """format: 1
scenario: back
summary: The adapter is there.
steps:
  - expect: { text: tick, within: 20 s }
"""


def bench(port):
    return f"format: 1\nboards:\n  other: {{ port: {port}, kind: generic, reset: {{ backend: rppal, gpio: 17 }} }}\n"


def job(modules):
    run = lambda name, bench: logged(f"evkit-hil run --bench /{bench}.yaml --out /out/{name} /{name.split('-')[0]}.yaml", name)
    lines = [
        "export EVKIT_HIL_STATE_DIR=/tmp/state",
        *(f"insmod /modules/{module}" for module in modules),
        # As udev names an adapter.
        "named() { printf %s \"$(cat $1)\" | tr ' ' _; }",
        "links() {",
        "  rm -rf /dev/serial; mkdir -p /dev/serial/by-id",
        "  for tty in /sys/class/tty/ttyUSB*; do",
        "    usb=$(readlink -f $tty/device/../..)",
        "    ln -s ../../${tty##*/} /dev/serial/by-id/usb-$(named $usb/manufacturer)_$(named $usb/product)_$(named $usb/serial)-if00-port0",
        "  done",
        "}",
        "there() { until [ -e /sys/class/tty/$1 ]; do sleep 0.1; done; links; }",
        "there ttyUSB0",
        f"({run('pulled', 'link')}) & run=$!",
        recorded("pulled", "edge"),
        # Somebody who keeps the device, so that the adapter comes back as another.
        "sleep 1000 < /dev/ttyUSB0 & keeper=$!",
        f"sleep {HELD}",
        "echo '@@ pulls'; echo 1-1:1.0 > /sys/bus/usb/drivers/ftdi_sio/unbind",
        "wait $run",
        "echo '@@ ended'",
        "while [ -e /sys/bus/usb/devices/1-1 ]; do sleep 0.1; done; echo '@@ gone'",
        "there ttyUSB1",
        *(run(f"back-{name}", name) for name in PORTS),
        "kill $keeper",
    ]
    return "\n".join(lines) + "\n"


def run(parts, folder):
    modules = Archive().modules(*MODULES)
    files = {f"{name}.yaml": bench(port) for name, port in PORTS.items()} | {"pulled.yaml": PULLED, "back.yaml": BACK}
    files |= {f"modules/{module.name}": module.read_bytes() for module in modules}
    names = [module.name for module in modules]
    with Pi(**parts, job=job(names), files=files, folder=folder, within=90, devices=DEVICES) as pi:
        adapter = pi.connect("adapter")

        def tick():
            try:
                while True:
                    adapter.sendall(TICK)
                    time.sleep(0.1)
            except OSError:
                pass

        threading.Thread(target=tick, daemon=True).start()
        pi.wait_for("@@ pulls")
        pulled = time.monotonic()
        pi.wait_for("@@ ended")
        say(f"the run ended {time.monotonic() - pulled:.1f} s after the adapter was pulled")
        pi.until(lambda: pi.pin.asserted() and pi.pin.asserted()[-1][1], "the release of the line")
        # Read afterwards: the line is released some milliseconds after the adapter is pulled.
        ((asserted, released),) = pi.pin.asserted()
        assert released - asserted > HELD, f"the line was asserted for {released - asserted:.2f} s"
        pi.monitor("device_del adapter")
        pi.wait_for("@@ gone")
        pi.monitor(f"device_add {ADAPTER}")
        out = pi.files()
        adapter.close()
    code, said = ended(out, "pulled")
    assert code == "3", said
    cases = verdicts(out / "pulled/junit.xml")
    assert "port-lost" in said and cases["pulled"][0] == "skipped" and cases["board other"][0] == "error", f"{cases}: {said}"
    for name in PORTS:
        code, said = ended(out, f"back-{name}")
        assert code == "0", f"by its {name}: {said}"
