"""An emulated Raspberry Pi 3 B with a virtual EVKIT wired to it, and what can be seen of both from outside."""

import base64
import collections
import os
import pathlib
import signal
import socket
import subprocess
import tarfile
import threading
import time
import io

from packages import CACHE, call, say

GPIO_FUNCTION = 0x3F200000
GPIO_LEVELS = 0x3F200034
# An edge as QEMU reports it (`low`), or a pin as its registers were read (`output`, `low`), with the time here in seconds.
Sample = collections.namedtuple("Sample", "at output low")


class Tap(threading.Thread):
    """Stands between a socket of QEMU's and whoever connects here, and keeps what goes over it."""

    def __init__(self, path, qemu, upwards=lambda chunk: None, downwards=lambda chunk: None):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.qemu, self.upwards, self.downwards = qemu, upwards, downwards
        self.start()

    def run(self):
        near, _ = self.listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(self.qemu))
        threading.Thread(target=self.carry, args=(near, far, self.upwards), daemon=True).start()
        self.carry(far, near, self.downwards)

    @staticmethod
    def carry(source, target, keep):
        try:
            while chunk := source.recv(65536):
                keep(chunk)
                target.sendall(chunk)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Pin:
    """What QEMU's test interface says of one GPIO, whoever asks it."""

    def __init__(self, gpio):
        self.gpio = gpio
        self.asked, self.samples, self.rest = collections.deque(), [], {"up": b"", "down": b""}
        self.function = self.level = 0

    def lines(self, way, chunk):
        *lines, self.rest[way] = (self.rest[way] + chunk).split(b"\n")
        return [line.decode() for line in lines]

    def commands(self, chunk):
        self.asked.extend(self.lines("up", chunk))

    def answers(self, chunk):
        for line in self.lines("down", chunk):
            words = line.split()
            if words[0] == "IRQ":
                if int(words[2]) == self.gpio:
                    self.samples.append(Sample(time.monotonic(), None, words[1] == "lower"))
                continue
            command = self.asked.popleft().split()
            if command[0] != "readl":
                continue
            address, value = int(command[1], 16), int(words[1], 16)
            if address == GPIO_FUNCTION + 4 * (self.gpio // 10):
                self.function = value >> 3 * (self.gpio % 10) & 7
            elif address == GPIO_LEVELS + 4 * (self.gpio // 32):
                low = not value >> self.gpio % 32 & 1
                self.samples.append(Sample(time.monotonic(), self.function == 1, low))

    def asserted(self):
        """The times between which the line was seen driven low: (first seen, seen no more), the last one open where it still is."""
        return self.of(list(self.samples))

    @staticmethod
    def of(samples):
        spans, begun, output = [], None, False
        for sample in samples:
            output = output if sample.output is None else sample.output
            if output and sample.low:
                begun = begun or sample.at
            elif begun:
                spans.append((begun, sample.at))
                begun = None
        return spans + ([(begun, None)] if begun else [])


class Machine:
    """A Pi that boots, does its job and is ended. Use it in a `with`: whatever happens, nothing is left running."""

    def __init__(self, kernel, dtb, binary, program, job, files, folder, board=(), within=240, gpio=17, wired=True):
        self.kernel, self.dtb, self.program, self.within, self.gpio = kernel, dtb, program, within, gpio
        self.folder, self.board, self.wired = pathlib.Path(folder), board, wired
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pin = Pin(gpio)
        self.sent, self.received = bytearray(), bytearray()
        self.processes = []
        self.initrd = self.make_initrd(binary, job, files)

    def make_initrd(self, binary, job, files):
        (busybox,) = (CACHE / "unpacked").glob("bin/busybox")
        root = self.folder / "root"
        content = {"init": pathlib.Path(__file__).with_name("init"), "bin/busybox": busybox, "bin/evkit-hil": binary}
        for name, source in content.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(pathlib.Path(source).read_bytes())
            (root / name).chmod(0o755)
        for name, text in {"job": job, **files}.items():
            (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        initrd = self.folder / "initrd.gz"
        call("sh", "-c", f"find . | cpio -o -H newc --quiet | gzip -1 > {initrd}", cwd=root)
        return initrd

    def __enter__(self):
        # A socket's name is short.
        self.sockets = pathlib.Path(f"/tmp/emulated-pi-{os.getpid()}-{id(self) % 10000}")
        self.sockets.mkdir()
        at = lambda name: self.sockets / name
        self.console, self.control = self.folder / "console", at("control")
        command = ["qemu-system-aarch64", "-M", "raspi3b", "-kernel", self.kernel, "-dtb", self.dtb, "-initrd", self.initrd]
        command += ["-append", "console=ttyS1,115200 iomem=relaxed quiet rdinit=/init", "-display", "none", "-no-reboot"]
        command += ["-monitor", f"unix:{at('monitor')},server=on,wait=off"]
        command += ["-serial", f"unix:{at('uart')},server=on,wait=off", "-serial", f"file:{self.console}"]
        command += ["-qtest", f"unix:{at('qtest')},server=on,wait=off", "-qtest-log", "/dev/null"]
        self.begun = time.monotonic()
        self.start(command, "qemu")
        self.until(lambda: at("uart").exists() and at("qtest").exists(), "QEMU's sockets")
        if not self.wired:
            return self
        Tap(at("uart-tap"), at("uart"), upwards=self.sent.extend, downwards=self.received.extend)
        Tap(at("qtest-tap"), at("qtest"), upwards=self.pin.commands, downwards=self.pin.answers)
        board = [self.program, "virtual", "--qemu", at("uart-tap"), "--qtest", at("qtest-tap"), "--reset-gpio", self.gpio]
        board += ["--control", self.control]
        for setting in self.board:
            board += ["--set", setting]
        self.start(board, "board")
        self.until(self.control.exists, "the virtual board")
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            say(f"the end of the console:\n{self.text()[-4000:]}")
            for log in self.folder.glob("*.log"):
                say(f"{log.name}: {log.read_text(errors='replace')[-1000:]}")
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        for file in self.sockets.iterdir():
            file.unlink()
        self.sockets.rmdir()

    def start(self, command, name):
        log = (self.folder / f"{name}.log").open("wb")
        command = [str(word) for word in command]
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def until(self, holds, what):
        """Waits for something; an error when it does not come in the machine's time, or a process has ended."""
        while not holds():
            if time.monotonic() - self.begun > self.within:
                raise TimeoutError(f"{what} did not come within {self.within} s")
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode} before {what} came")
            time.sleep(0.05)

    def text(self):
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def wait_for(self, words):
        self.until(lambda: words in self.text(), f"{words!r} on the console")

    def files(self):
        """Waits for the end, and unpacks what the job has left in /out. The folder."""
        self.wait_for("@@ over")
        packed = self.text().split("@@ files")[1].split("@@ over")[0]
        out = self.folder / "out"
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode("".join(packed.split())))) as archive:
            archive.extractall(out)
        say(f"{self.folder.name}: {time.monotonic() - self.begun:.0f} s")
        return out

    def monitor(self, command):
        """Gives QEMU a command of its monitor. What it answers."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.sockets / "monitor"))
            monitor.settimeout(10)
            said = b""
            for line in (b"", command.encode() + b"\n"):
                monitor.sendall(line)
                said = b""
                while not said.endswith(b"(qemu) "):
                    said += monitor.recv(4096)
            return said.decode(errors="replace")
