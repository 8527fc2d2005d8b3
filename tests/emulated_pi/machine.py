"""An emulated computer, a Raspberry Pi 3 B with a virtual EVKIT wired to it, and what can be seen of both from outside."""

import base64
import collections
import io
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

from packages import Archive, call, say

GPIO_FUNCTION = 0x3F200000
GPIO_LEVELS = 0x3F200034
RESET_GPIO = 17
# An edge as QEMU reports it (`low`), or a pin as its registers were read (`output`, `low`), with the time here in seconds.
Sample = collections.namedtuple("Sample", "at output low")


class Tap(threading.Thread):
    """Stands between a socket of QEMU's and whoever connects here, and shows what goes over it."""

    def __init__(self, path, qemu, upwards, downwards):
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


class Qtest(threading.Thread):
    """QEMU's test interface, for whoever has it alone. Tells `driven` what the computer drives an intercepted line to."""

    def __init__(self, socket, driven=lambda line, high: None):
        super().__init__(daemon=True)
        self.socket, self.driven = socket, driven
        self.asked, self.asking = collections.deque(), threading.Lock()
        self.start()

    def ask(self, command, answered=lambda words: None):
        """Sends a command; `answered` gets the words of its answer."""
        with self.asking:
            self.asked.append(answered)
            self.socket.sendall(f"{command}\n".encode())

    def read(self, address, size="l"):
        """What is in the computer's memory, or in a register there: a byte (`b`) or four."""
        answer = queue.Queue()
        self.ask(f"read{size} {address:#x}", answer.put)
        return int(answer.get(timeout=60)[1], 16)

    def run(self):
        try:
            for words in map(str.split, self.socket.makefile()):
                if words[0] == "IRQ":
                    self.driven(int(words[2]), words[1] == "raise")
                else:
                    self.asked.popleft()(words)
        except OSError:
            pass


class Machine:
    """A computer that boots, does its job and is ended. Use it in a `with`: whatever happens, nothing is left running."""

    # The kernel's word for where its console is.
    CONSOLE = ""

    def __init__(self, kernel, built, job, files, folder, within, devices=(), options=""):
        self.kernel, self.within, self.devices, self.options = kernel, within, devices, options
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console = self.folder / "console"
        self.processes = []
        self.initrd = self.make_initrd(built, job, files)

    def make_initrd(self, built, job, files):
        (busybox,) = Archive().unpack("busybox-static", "bin/busybox")
        root = self.folder / "root"
        content = {"init": pathlib.Path(__file__).with_name("init"), "bin/busybox": busybox}
        content |= {"bin/evkit-hil": built / "evkit-hil", "bin/panics": built / "examples/panics"}
        for name, source in content.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(pathlib.Path(source).read_bytes())
            (root / name).chmod(0o755)
        for name, text in {"job": job, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        initrd = self.folder / "initrd.gz"
        call("sh", "-c", f"find . | cpio -o -H newc --quiet | gzip -1 > {initrd}", cwd=root)
        return initrd

    def hardware(self):
        """Words of QEMU's for what this computer is, with a socket for each end that is used from here."""
        raise NotImplementedError

    def __enter__(self):
        # A socket's name is short.
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="emulated-", dir="/tmp"))
        try:
            self.boot()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def boot(self):
        command = ["qemu-system-aarch64", *self.hardware(), "-kernel", self.kernel, "-initrd", self.initrd]
        command += ["-append", f"console={self.CONSOLE} quiet rdinit=/init {self.options}", "-display", "none", "-no-reboot"]
        command += ["-monitor", f"unix:{self.sockets / 'monitor'},server=on,wait=off"]
        command += ["-qtest", f"unix:{self.sockets / 'qtest'},server=on,wait=off", "-qtest-log", "/dev/null"]
        command += [word.format(sockets=self.sockets) for word in self.devices]
        self.begun = time.monotonic()
        self.start(command, "qemu")
        self.until(self.answers, "an answer of QEMU's monitor")

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
            monitor.settimeout(60)
            said = b""
            for line in (b"", command.encode() + b"\n"):
                monitor.sendall(line)
                said = b""
                while not said.endswith(b"(qemu) "):
                    said += monitor.recv(4096)
            return said.decode(errors="replace")

    def answers(self):
        """Whether QEMU's monitor answers: all of its sockets are there then."""
        try:
            return bool(self.monitor("info status"))
        except (FileNotFoundError, ConnectionError):
            return False

    def connect(self, name):
        """A connection to one of the sockets."""
        end = socket.socket(socket.AF_UNIX)
        end.connect(str(self.sockets / name))
        return end


class Pi(Machine):
    """A Raspberry Pi 3 B, with a virtual EVKIT wired to its UART and to a GPIO where it is `wired`."""

    CONSOLE = "ttyS1,115200 iomem=relaxed"

    def __init__(self, kernel, dtb, built, program, job, files, folder, within, board=(), wired=True, accelerator="tcg", **others):
        super().__init__(kernel, built, job, files, folder, within, **others)
        self.dtb, self.program, self.board, self.wired, self.accelerator = dtb, program, board, wired, accelerator
        self.pin = Pin(RESET_GPIO)

    def hardware(self):
        uart = self.sockets / "uart"
        return ["-M", "raspi3b", "-accel", self.accelerator, "-dtb", self.dtb, "-serial", f"unix:{uart},server=on,wait=off", "-serial", f"file:{self.console}"]

    def boot(self):
        super().boot()
        if not self.wired:
            return
        at = lambda name: self.sockets / name
        Tap(at("qtest-tap"), at("qtest"), upwards=self.pin.commands, downwards=self.pin.answers)
        board = [self.program, "virtual", "--qemu", at("uart"), "--qtest", at("qtest-tap"), "--reset-gpio", self.pin.gpio]
        board += ["--control", at("control")]
        for setting in self.board:
            board += ["--set", setting]
        self.start(board, "board")
        self.until(at("control").exists, "the virtual board")


class LinuxBoard(Machine):
    """Any Linux board with a GPIO chip whose pins can be driven from outside, a PL061 with 8 lines, and a serial port, `/dev/ttyS0`: the socket `port`."""

    CONSOLE = "ttyAMA0"

    def hardware(self):
        port = f"socket,id=port,path={self.sockets / 'port'},server=on,wait=off"
        return ["-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-nic", "none", "-serial", f"file:{self.console}", "-chardev", port, "-device", "pci-serial,chardev=port"]

    def boot(self):
        super().boot()
        # QEMU ends when it is given a wrong path.
        (chip,) = re.findall(r"/(device\[\d+\]) \(pl061\)", self.monitor("info qom-tree"))
        self.chip = f"/machine/unattached/{chip}"
        self.driven = lambda line, high: None
        self.qtest = Qtest(self.connect("qtest"), lambda line, high: self.driven(line, high))
        self.qtest.ask(f"irq_intercept_out {self.chip}")

    def drive(self, line, high):
        """Drives a pin of the chip from outside."""
        self.qtest.ask(f"set_irq_in {self.chip} unnamed-gpio-in {line} {high:d}")
