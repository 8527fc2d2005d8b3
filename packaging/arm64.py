"""The program for arm64, and packages of Debian's for arm64, which are unpacked and never installed."""

import os
import pathlib
import re
import shutil
import subprocess

import host
from host import RETRIES, ROOT, call, output, say

CACHE = ROOT / "target" / "arm64"

# The compiler is Debian's own, which comes with the standard library of arm64: rustc-web, of bookworm-security.
PROGRAMS = {"/usr/bin/rustc": "rustc-web", "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu"}
LIBRARIES = {"/usr/aarch64-linux-gnu/lib/libc.a": "libc6-dev-arm64-cross"}
# The oldest compiler that builds this: see rust-version in Cargo.toml.
OLDEST = (1, 89)
TARGET = "aarch64-unknown-linux-gnu"
# Where newer kernels are for the same Debian.
BACKPORTS = "bookworm-backports"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def debian():
    """Where this machine has bookworm from."""
    known = output("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages")
    return next(line.split()[1] for line in known.splitlines() if line.split()[0] == "bookworm")


class Archive:
    """Debian's packages of arm64, with lists of its own: nothing of this machine's apt is changed."""

    def __init__(self):
        self.folder = CACHE / "packages"
        self.unpacked = CACHE / "unpacked"
        apt = CACHE / "apt"
        self.sources = apt / "sources.list.d"
        for folder in (self.folder, self.unpacked, self.sources, apt / "lists" / "partial", apt / "cache" / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        self.options = [*RETRIES]
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
        (self.sources / "backports.list").write_text(f"deb [signed-by={KEYRING}] {debian()} {BACKPORTS} main\n")

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

    def download(self, names, folder):
        """Downloads packages, and those that they depend on, into a folder of their own. Their files."""
        self.update()
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "partial").mkdir(parents=True)
        options = (*self.options, "-o", f"Dir::Cache::archives={folder}", "-o", "Debug::NoLocking=1")
        call("apt-get", *options, "install", "--download-only", "--no-install-recommends", "-y", "-qq", *names, stdout=subprocess.DEVNULL)
        return sorted(folder.glob("*.deb"))


def build():
    """Builds the static programs for arm64, evkit-hil and `panics`, which the emulated Pi's tests want: the folder of the first, which has the other in examples/."""
    host.install(PROGRAMS, LIBRARIES)
    version = output("/usr/bin/rustc", "--version").split()[1]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        host.give_up(f"/usr/bin/rustc is {version}, and {OLDEST[0]}.{OLDEST[1]} is needed: rustc-web of bookworm-security has it")
    archive = Archive()
    version = output("dpkg-query", "-W", "-f", "${Version}", "rustc-web")
    rustlib = f"usr/lib/rustlib/{TARGET}"
    archive.unpack(f"libstd-rust-web-dev={version}", f"{rustlib}/lib/libstd-*.rlib")
    sysroot = CACHE / "sysroot"
    (sysroot / "lib/rustlib").mkdir(parents=True, exist_ok=True)
    there = sysroot / "lib/rustlib" / TARGET
    if not there.exists():
        there.symlink_to(archive.unpacked / rustlib)
    environment = os.environ | {
        "RUSTC": "/usr/bin/rustc",
        # The same code, built in half the time.
        "CARGO_PROFILE_RELEASE_LTO": "off",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER": "aarch64-linux-gnu-gcc",
        "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS": f"-C target-feature=+crt-static --sysroot={sysroot}",
    }
    say("building for arm64")
    folder = CACHE / "build"
    # Both at once: alone, evkit-hil is another build, as the example's libraries ask for more of those that both have.
    what = ("--bin", "evkit-hil", "--example", "panics")
    call("cargo", "build", "--release", "--locked", "--quiet", *what, "--target", TARGET, "--target-dir", folder, cwd=ROOT, env=environment)
    return folder / TARGET / "release"
