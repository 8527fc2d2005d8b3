"""What the emulated Pi needs: programs of this machine, and packages of arm64 that are unpacked and never installed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "target" / "emulated-pi"

# A program, and the package that has it. The compiler is Debian's own, which comes with the standard library of arm64: rustc-web, of bookworm-security.
PROGRAMS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "fdtput": "device-tree-compiler",
    "cpio": "cpio",
    "/usr/bin/rustc": "rustc-web",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
}
LIBRARIES = {"/usr/aarch64-linux-gnu/lib/libc.a": "libc6-dev-arm64-cross"}
# Where newer kernels are for the same Debian.
BACKPORTS = "bookworm-backports"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# The oldest compiler that builds this: see rust-version in Cargo.toml.
OLDEST = (1, 89)
DTB = "broadcom/bcm2837-rpi-3-b.dtb"


def say(text):
    print(f"emulated Pi: {text}", flush=True)


def give_up(text):
    say(text)
    sys.exit(2)


def call(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def output(*command):
    return call(*command, stdout=subprocess.PIPE, text=True).stdout


def programs():
    """Installs what is missing where this is root, and says what is missing where it is not."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    missing += [package for file, package in LIBRARIES.items() if not os.path.exists(file)]
    if missing:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            give_up(f"missing: as root, `apt-get install {' '.join(missing)}` (Debian bookworm)")
        say(f"installing {' '.join(missing)}")
        quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
        call("apt-get", "update", "-qq", **quiet)
        call("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, **quiet)
    version = output("/usr/bin/rustc", "--version").split()[1]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        give_up(f"/usr/bin/rustc is {version}, and {OLDEST[0]}.{OLDEST[1]} is needed: rustc-web of bookworm-security has it")


class Archive:
    """Debian's packages of arm64, with lists of its own: nothing of this machine's apt is changed."""

    def __init__(self):
        self.folder = CACHE / "packages"
        self.unpacked = CACHE / "unpacked"
        apt = CACHE / "apt"
        self.sources = apt / "sources.list.d"
        for folder in (self.folder, self.unpacked, self.sources, apt / "lists" / "partial", apt / "cache" / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        self.options = []
        for option in (
            "APT::Architecture=arm64",
            "APT::Architectures=arm64",
            "APT::Sandbox::User=",
            "Dir::State::status=/dev/null",
            f"Dir::State::lists={apt / 'lists'}",
            f"Dir::Cache={apt / 'cache'}",
            f"Dir::Etc::sourceparts={self.sources}",
        ):
            self.options += ["-o", option]
        self.is_updated = False

    def update(self):
        if not self.is_updated:
            say("reading the lists of arm64")
            self.write_sources()
            call("apt-get", *self.options, "update", "-qq", stdout=subprocess.DEVNULL)
            self.is_updated = True

    def write_sources(self):
        """Those of this machine, and with them where newer kernels are for the same Debian."""
        for file in pathlib.Path("/etc/apt/sources.list.d").glob("*"):
            shutil.copy(file, self.sources)
        known = output("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages")
        (debian, *_) = (line.split()[1] for line in known.splitlines() if line.split()[0] == "bookworm")
        (self.sources / "backports.list").write_text(f"deb [signed-by={KEYRING}] {debian} {BACKPORTS} main\n")

    def unpack(self, name, wanted):
        """Unpacks a package, `NAME` or `NAME=VERSION`, unless `wanted`, a pattern of files in it, is there already. Those files."""
        marker = self.folder / re.sub(r"[^\w.+=-]", "_", name)
        files = sorted(self.unpacked.glob(wanted))
        if marker.exists() and files:
            return files
        self.update()
        say(f"unpacking {name}")
        for old in self.folder.glob(f"{name.split('=')[0]}_*.deb"):
            old.unlink()
        call("apt-get", *self.options, "download", "-qq", name, cwd=self.folder)
        (package,) = self.folder.glob(f"{name.split('=')[0]}_*.deb")
        call("dpkg-deb", "-x", package, self.unpacked)
        package.unlink()
        marker.touch()
        return sorted(self.unpacked.glob(wanted))

    def kernel(self, release=None):
        """The kernel that linux-image-arm64 of a release depends on, and the device tree of a Raspberry Pi 3 B."""
        marker = self.folder / ("kernel" if release is None else f"kernel-{release}")
        if not marker.exists():
            self.update()
            of_release = () if release is None else ("-o", f"APT::Default-Release={release}")
            depends = output("apt-cache", *self.options, *of_release, "depends", "linux-image-arm64")
            marker.write_text(re.search(r"Depends: (linux-image-\S+)", depends).group(1))
        name = marker.read_text()
        version = name.removeprefix("linux-image-")
        (image,) = self.unpack(name, f"boot/vmlinuz-{version}")
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
    shutil.copy(dtb, changed)
    call("fdtput", "-r", changed, "/soc/serial@7e201000/bluetooth")
    return changed


def cross_build(archive):
    """The static programs for arm64, evkit-hil and `panics`: the folder of the first, which has the other in examples/."""
    version = output("dpkg-query", "-W", "-f", "${Version}", "rustc-web")
    rustlib = "usr/lib/rustlib/aarch64-unknown-linux-gnu"
    archive.unpack(f"libstd-rust-web-dev={version}", f"{rustlib}/lib/libstd-*.rlib")
    sysroot = CACHE / "sysroot"
    (sysroot / "lib/rustlib").mkdir(parents=True, exist_ok=True)
    there = sysroot / "lib/rustlib/aarch64-unknown-linux-gnu"
    if not there.exists():
        there.symlink_to(archive.unpacked / rustlib)
    target = "aarch64-unknown-linux-gnu"
    environment = os.environ | {
        "RUSTC": "/usr/bin/rustc",
        # The same code, built in half the time.
        "CARGO_PROFILE_RELEASE_LTO": "off",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc",
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS": f"-C target-feature=+crt-static --sysroot={sysroot}",
    }
    say("building for arm64")
    build = CACHE / "build"
    what = ("--bin", "evkit-hil", "--example", "panics")
    call("cargo", "build", "--release", "--locked", "--quiet", *what, "--target", target, "--target-dir", build, cwd=ROOT, env=environment)
    return build / target / "release"
