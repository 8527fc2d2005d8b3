"""This computer: the programs that are called here, and the packages of Debian's that bring them."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A download that fails is tried again.
RETRIES = ("-o", "Acquire::Retries=3")
# Who says what is said here.
speaker = "packaging"


def say(text):
    print(f"{speaker}: {text}", flush=True)


def give_up(text):
    say(text)
    sys.exit(2)


def call(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def output(*command, **options):
    return call(*command, stdout=subprocess.PIPE, text=True, **options).stdout


def install(programs, libraries=()):
    """Installs the packages that bring these programs, and these files where `libraries` names any, where this is root; says what is missing where it is not."""
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    missing += [package for file, package in dict(libraries).items() if not os.path.exists(file)]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        give_up(f"missing: as root, `apt-get install {' '.join(missing)}` (Debian bookworm)")
    say(f"installing {' '.join(missing)}")
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    call("apt-get", *RETRIES, "update", "-qq", **quiet)
    call("apt-get", *RETRIES, "install", "-y", "-qq", "--no-install-recommends", *missing, **quiet)
