"""A Debian of arm64 with systemd in an initrd: enough of it that a package can be installed and its service run."""

import json
import shutil
import subprocess

from machine import Pi
from packages import CACHE, Archive, call, output, say

# Beside these comes what they depend on; with usr-is-merged that is no Perl.
PACKAGES = "systemd udev dpkg bash dash coreutils diffutils sed grep tar gzip findutils util-linux libc-bin base-files base-passwd usr-is-merged".split()
# What takes room in memory and does nothing here.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/bash-completion", "usr/share/zsh", "usr/share/perl5", "usr/lib/udev/hwdb.d", "usr/lib/*/gconv", "usr/lib/*/perl*", "usr/share/perl*")
# What ends after some time that nobody waits for, or asks somebody.
MASKED = ("systemd-hwdb-update", "systemd-firstboot", "systemd-update-done", "systemd-journal-catalog-update", "systemd-networkd", "systemd-timesyncd", "systemd-binfmt", "systemd-pstore", "systemd-random-seed", "ldconfig")
JOB = """[Unit]
Description=The job
After=basic.target systemd-udev-settle.service
Wants=systemd-udev-settle.service
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'echo "@@ started"; bash /job; echo "@@ job ended with $?"; echo "@@ files"; tar -C /out -cz . | base64; echo "@@ over"'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment=PATH=/usr/sbin:/usr/bin TERM=dumb
TimeoutStartSec=infinity
"""


def tree():
    """The files of that Debian, unpacked."""
    folder, made_of = CACHE / "debian", CACHE / "debian.made-of"
    key = json.dumps([PACKAGES, LEFT_OUT])
    if made_of.exists() and made_of.read_text() == key:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    say("unpacking a Debian of arm64")
    for name in ("bin", "sbin", "lib"):
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    packages = Archive().download(PACKAGES, CACHE / "debian-packages")
    for package in packages:
        # dpkg-deb -x would make folders of the links.
        packed = call("dpkg-deb", "--fsys-tarfile", package, stdout=subprocess.PIPE).stdout
        call("tar", "-x", "--keep-directory-symlink", "-C", folder, input=packed)
    for pattern in LEFT_OUT:
        for found in folder.glob(pattern):
            shutil.rmtree(found)
    for name in ("passwd", "group"):
        shutil.copyfile(folder / f"usr/share/base-passwd/{name}.master", folder / f"etc/{name}")
    (folder / "init").symlink_to("usr/lib/systemd/systemd")
    # Nothing is installed here; dpkg is told of what a package may depend on.
    (systemd,) = [package for package in packages if package.name.startswith("systemd_")]
    about = "".join(f"{field}: {output('dpkg-deb', '-f', systemd, field)}" for field in ("Package", "Version", "Architecture", "Maintainer", "Description"))
    status = folder / "var/lib/dpkg"
    (status / "info").mkdir(parents=True, exist_ok=True)
    (status / "updates").mkdir(exist_ok=True)
    (status / "status").write_text(f"{about}Status: install ok installed\n")
    (status / "info/systemd.list").touch()
    (status / "arch").write_text("arm64\n")
    made_of.write_text(key)
    return folder


class DebianPi(Pi):
    """A Raspberry Pi 3 B that Debian's systemd runs on; the job is one of its services."""

    CONSOLE = f"{Pi.CONSOLE} systemd.unit=job.target systemd.getty_auto=0 systemd.show_status=0"

    def make_initrd(self, built, job, files):
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        call("cp", "-a", tree(), root)
        units = root / "etc/systemd/system"
        for name in MASKED:
            (units / f"{name}.service").symlink_to("/dev/null")
        files = {"job": job, "etc/systemd/system/job.service": JOB, "etc/systemd/system/job.target": "[Unit]\nRequires=job.service\n", **files}
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (root / "out").mkdir()
        initrd = self.folder / "initrd"
        # Not packed: the emulated computer would take longer to unpack it than this one to read it.
        call("sh", "-c", f"find . | cpio -o -H newc --quiet > {initrd}", cwd=root)
        shutil.rmtree(root)
        return initrd
