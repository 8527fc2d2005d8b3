"""What the emulated Pi needs: programs of this machine, and kernels for arm64."""

import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "packaging"))

import arm64
import host
from arm64 import BACKPORTS
from host import ROOT, call, give_up, output, say

host.speaker = "emulated Pi"
CACHE = ROOT / "target" / "emulated-pi"

# A program, and the package that has it.
PROGRAMS = {"qemu-system-aarch64": "qemu-system-arm", "fdtput": "device-tree-compiler", "cpio": "cpio"}
DTB = "broadcom/bcm2837-rpi-3-b.dtb"


def programs():
    """Installs what is missing where this is root, and says what is missing where it is not."""
    CACHE.mkdir(parents=True, exist_ok=True)
    host.install(PROGRAMS)


class Archive(arm64.Archive):
    """Debian's packages of arm64, kernels among them."""

    def kernel(self, release=None):
        """The kernel that linux-image-arm64 of a release depends on, and the device tree of a Raspberry Pi 3 B."""
        marker = self.folder / ("kernel" if release is None else f"kernel-{release}")
        if not marker.exists():
            self.update()
            of_release = () if release is None else ("-o", f"APT::Default-Release={release}")
            depends = output("apt-cache", *self.options, *of_release, "depends", "linux-image-arm64")
            name = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
        else:
            name = marker.read_text()
        version = name.removeprefix("linux-image-")
        (image,) = self.unpack(name, f"boot/vmlinuz-{version}")
        marker.write_text(name)
        return image, device_tree(self.unpacked / "usr/lib" / name / DTB, CACHE / f"{name}.dtb")

    def modules(self, *names):
        """The files of the kernel's modules of these names, each after those that it needs. What is not there as a file is built into the kernel."""
        (tree,) = self.unpacked.glob("lib/modules/" + (self.folder / "kernel").read_text().removeprefix("linux-image-"))
        files = {file.stem.replace("-", "_"): file for file in tree.rglob("*.ko")}
        order = []

        def add(name):
            file = files.get(name.replace("-", "_"))
            if file is None or file in order:
                return
            depends = re.search(rb"\0depends=([^\0]*)\0", file.read_bytes()).group(1).decode()
            for other in filter(None, depends.split(",")):
                add(other)
            order.append(file)

        for name in names:
            add(name)
        return order


def device_tree(dtb, changed):
    """The kernel's device tree as `dtoverlay=disable-bt` leaves it on a real Pi: the PL011 is /dev/ttyAMA0."""
    # Two tests may make it at once, and one may be reading it.
    making = changed.with_name(f"{changed.name}.{os.getpid()}")
    shutil.copy(dtb, making)
    call("fdtput", "-r", making, "/soc/serial@7e201000/bluetooth")
    making.replace(changed)
    return changed
