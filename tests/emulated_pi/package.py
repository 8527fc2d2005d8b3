"""The package on a computer that systemd runs: what it makes of rules and units, and that the reset line is released whatever ends a run, seen from outside."""

import time

from debian import DebianPi
from lines import HOLD
from packages import BACKPORTS, ROOT, Archive, call, say
from persist import PARAMETER
from results import ended, logged

# The service's user may not map registers where there is no /dev/gpiomem; the kernel keeps a freed output driven, so that it is not the kernel that releases.
BENCH = """format: 1
host-late: 200 ms
boards:
  kit: { port: /dev/ttyAMA0, health: false, reset: { backend: gpiocdev, line: GPIO17 } }
"""
FAILS = """format: 1
scenario: fails
summary: Waits for what does not come.
steps:
  - expect: { text: "never", within: 100 ms }
"""
# Without what releases the line when a run is killed: the control.
UNRELEASED = """[Service]
ExecStopPost=
"""
RESULTS = "/var/lib/evkit-hil/results/kit"
HELD = f"until grep -qs '\"edge\"' {RESULTS}/timelines/*/events.jsonl; do sleep 0.2; done; sleep 0.5"
OVER = "while systemctl is-active evkit-hil@kit | grep -q ^activating; do sleep 0.2; done; sleep 0.5"
RUNS = "for end in $(seq 100); do systemctl is-active evkit-hil@kit | grep -q activating && break; sleep 0.1; done"


def options(words):
    return f"echo 'RUN_OPTIONS={words}' > /etc/evkit-hil/kit.env"


def killed(name):
    """Shell: a run that holds the board in reset is killed by systemd, with all of its group."""
    return f"rm -rf {RESULTS}/timelines; systemctl start --no-block evkit-hil@kit; {HELD}; echo '@@ holds {name}'; sleep 1; systemctl kill -s KILL evkit-hil@kit; {OVER}; echo '@@ killed {name}'; sleep 1"


def shown(name):
    return logged("systemctl show -p Result,ExecMainStatus,ActiveState evkit-hil@kit", name)


JOB = f"""
{logged("dpkg -i /evkit-hil.deb", "install")}
cat /out/install.log
grep -q '^0' /out/install.exit || exit
udevadm settle
stat -c '%n %U %G %a' /dev/gpiochip0 /dev/ttyAMA0 > /out/devices
{logged("systemctl is-enabled evkit-hil@kit.timer", "enabled")}
cp /kit.yaml /hold.yaml /fails.yaml /etc/evkit-hil
{options("fails.yaml")}
{logged("systemctl start evkit-hil@kit", "fails")}
{shown("failed")}
{logged("systemctl status --no-pager -l evkit-hil@kit", "status")}
{options("hold.yaml")}
{killed("released")}
{shown("killed")}
mkdir /run/systemd/system/evkit-hil@.service.d
cp /unreleased.conf /run/systemd/system/evkit-hil@.service.d
systemctl daemon-reload
{killed("unreleased")}
rm -r /run/systemd/system/evkit-hil@.service.d
systemctl daemon-reload
{logged("evkit-hil release --if-free --bench /etc/evkit-hil/kit.yaml", "release")}
echo '@@ let go'; sleep 1
rm -rf {RESULTS}/timelines; systemctl start --no-block evkit-hil@kit; {HELD}; echo '@@ holds stop'; sleep 1
systemctl stop evkit-hil@kit; sleep 0.5; echo '@@ stopped'; sleep 1
{shown("stopped")}
cp {RESULTS}/junit.xml /out
{logged("systemctl enable --now evkit-hil@kit.timer", "enable")}
{logged("systemctl list-timers --no-pager --all", "timers")}
rm -rf {RESULTS}/timelines; systemctl start --no-block evkit-hil@kit; {HELD}; echo '@@ holds removal'; sleep 1
{logged("dpkg -r evkit-hil", "remove")}
echo '@@ removed'; sleep 1
{logged("dpkg -P evkit-hil", "purge")}
find / -xdev -name '*evkit*' -not -path '/proc/*' -not -path '/out/*' -not -path '/evkit-hil.deb' -not -path '/sys/*' > /out/left
journalctl --no-pager -u evkit-hil@kit > /out/journal 2>&1
"""


def run(parts, folder):
    call(ROOT / "packaging/build", "arm64")
    (package,) = (ROOT / "target/debian").glob("*_arm64.deb")
    kernel, dtb = Archive().kernel(BACKPORTS)
    files = {"evkit-hil.deb": package.read_bytes(), "kit.yaml": BENCH, "hold.yaml": HOLD, "fails.yaml": FAILS, "unreleased.conf": UNRELEASED}
    wrong = []
    options = {"options": f"{PARAMETER}=1", "accelerator": "tcg,thread=single"}
    with DebianPi(**parts | {"kernel": kernel, "dtb": dtb}, job=JOB, files=files, folder=folder, within=400, **options) as pi:

        def expect(words, asserted):
            pi.wait_for(f"@@ {words}")
            spans = pi.pin.asserted()
            if asserted != bool(spans and spans[-1][1] is None):
                wrong.append(f"{words}: the line is {'not ' if asserted else ''}asserted")

        pi.wait_for("@@ started")
        say(f"systemd runs the job after {time.monotonic() - pi.begun:.0f} s")
        expect("holds released", True)
        expect("killed released", False)
        expect("holds unreleased", True)
        expect("killed unreleased", True)
        expect("let go", False)
        expect("holds stop", True)
        expect("stopped", False)
        expect("holds removal", True)
        expect("removed", False)
        out = pi.files()
    # Each command's exit code, and what it says.
    for name, code, said in (
        ("install", "0", "Creating group 'gpio'"),
        ("enabled", "1", "disabled"),
        ("fails", "1", "failed because the control process exited"),
        ("failed", "0", "Result=exit-code\nExecMainStatus=1\n"),
        ("status", "3", "status=1/FAILURE"),
        ("killed", "0", "Result=signal\nExecMainStatus=9\n"),
        ("release", "0", "kit: released"),
        ("stopped", "0", "ExecMainStatus=130"),
        ("enable", "0", "evkit-hil@kit.timer"),
        ("timers", "0", "evkit-hil@kit.service"),
        ("remove", "0", "Removing"),
        ("purge", "0", "Purging"),
    ):
        found, text = ended(out, name)
        if found != code or said not in text:
            wrong.append(f"{name} gives {found}: {text}")
    for file, words in {"devices": ("gpiochip0 root gpio 660", "ttyAMA0 root dialout 660"), "junit.xml": ('type="interrupted"',), "journal": ("1 case: 1 failed",)}.items():
        text = (out / file).read_text()
        wrong += [f"{file} lacks {word}: {text}" for word in words if word not in text]
    if left := (out / "left").read_text():
        wrong.append(f"left after a purge: {left}")
    assert not wrong, "\n".join(wrong)
