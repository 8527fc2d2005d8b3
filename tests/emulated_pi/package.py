"""The package on a computer that systemd runs: rights by its rules, runs by its service, and the reset line, seen from outside, released whatever ends a run."""

from debian import DebianPi
from doctor import WAITS
from lines import HOLD
from packages import BACKPORTS, ROOT, Archive, call, say
from persist import PARAMETER
from results import ended, logged

# The service's user may not map registers where there is no /dev/gpiomem, and Debian's kernel has none.
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
# The control: the service without what releases the line when a run is killed.
UNRELEASED = """[Service]
ExecStopPost=
"""
OVERRIDE = "/run/systemd/system/evkit-hil@.service.d"
RESULTS = "/var/lib/evkit-hil/results/kit"
OVER = "while systemctl is-active -q evkit-hil@kit || systemctl is-active evkit-hil@kit | grep -q activating; do sleep 0.2; done"


def begun(words):
    """Shell: the service begins a run that holds the board in reset, which is told to the outside."""
    held = f"until grep -qs '\"edge\"' {RESULTS}/timelines/*/events.jsonl; do sleep 0.2; done"
    return f"rm -rf {RESULTS}/timelines; systemctl start --no-block evkit-hil@kit; {held}; sleep 0.5; echo '@@ holds {words}'; sleep 2"


def killed(words):
    """Shell: the same, and systemd kills all of it, the guardian too."""
    return f"{begun(words)}; systemctl kill -s KILL evkit-hil@kit; {OVER}; sleep 0.5; echo '@@ killed {words}'; sleep 2"


def ran(scenario):
    """Shell: a run of the service to its end, and what systemd has of it."""
    options = f"echo 'RUN_OPTIONS={scenario}.yaml' > /etc/evkit-hil/kit.env"
    return f"{options}; {logged('systemctl start evkit-hil@kit', scenario)}; {logged('systemctl status --no-pager -l evkit-hil@kit', f'{scenario}-status')}"


JOB = f"""{logged("dpkg -i /evkit-hil.deb", "install")}
udevadm settle
stat -c '%n %U %G %a' /dev/gpiochip0 /dev/ttyAMA0 > /out/devices
{logged("systemctl is-enabled evkit-hil@kit.timer", "is-enabled")}
cp /kit.yaml /waits.yaml /fails.yaml /hold.yaml /etc/evkit-hil
{ran("waits")}
{ran("fails")}
echo 'RUN_OPTIONS=hold.yaml' > /etc/evkit-hil/kit.env
{killed("and is released")}
{logged("systemctl show -p Result evkit-hil@kit", "killed")}
mkdir {OVERRIDE}; cp /unreleased.conf {OVERRIDE}; systemctl daemon-reload
{killed("and is not")}
rm -r {OVERRIDE}; systemctl daemon-reload
{logged("evkit-hil release --if-free --bench /etc/evkit-hil/kit.yaml", "release")}; echo '@@ released by hand'; sleep 2
{begun("until it is stopped")}
systemctl stop evkit-hil@kit; sleep 0.5; echo '@@ stopped'; sleep 2
{logged("systemctl show -p Result,ExecMainStatus evkit-hil@kit", "stopped")}
cp {RESULTS}/junit.xml /out
{logged("systemctl enable --now evkit-hil@kit.timer", "enable")}
{logged("systemctl list-timers --no-pager evkit-hil@*", "timers")}
{begun("until the package is removed")}
{logged("dpkg -r evkit-hil", "remove")}; sleep 0.5; echo '@@ removed'; sleep 2
{logged("dpkg -P evkit-hil", "purge")}
find /etc /lib /usr /var /run -name '*evkit*' > /out/left
journalctl --no-pager -u evkit-hil@kit > /out/journal
"""


def run(parts, folder):
    call(ROOT / "packaging/build", "arm64")
    (package,) = (ROOT / "target/debian").glob("*_arm64.deb")
    kernel, dtb = Archive().kernel(BACKPORTS)
    files = {"evkit-hil.deb": package.read_bytes(), "kit.yaml": BENCH, "waits.yaml": WAITS, "fails.yaml": FAILS, "hold.yaml": HOLD, "unreleased.conf": UNRELEASED}
    # A kernel that leaves a freed output driven, as in persist.py: it is not the kernel that releases.
    options = {"options": f"{PARAMETER}=1", "accelerator": "tcg,thread=single"}
    wrong = []
    with DebianPi(**parts | {"kernel": kernel, "dtb": dtb}, job=JOB, files=files, folder=folder, within=300, **options) as pi:

        def expect(words, asserted):
            pi.wait_for(f"@@ {words}")
            spans = pi.pin.asserted()
            if asserted != bool(spans and spans[-1][1] is None):
                wrong.append(f"{words}: the line is {'not ' if asserted else ''}asserted")

        expect("holds and is released", True)
        expect("killed and is released", False)
        expect("holds and is not", True)
        expect("killed and is not", True)
        expect("released by hand", False)
        expect("holds until it is stopped", True)
        expect("stopped", False)
        expect("holds until the package is removed", True)
        expect("removed", False)
        out = pi.files()
    say(f"a failed case, as systemd has it:\n{ended(out, 'fails-status')[1]}")
    devices = (out / "devices").read_text()
    if devices != "/dev/gpiochip0 root gpio 660\n/dev/ttyAMA0 root dialout 660\n":
        wrong.append(f"rights: {devices}")
    # Each command with its exit code and what it has to say.
    for name, code, words in (
        ("install", "0", "Setting up evkit-hil"),
        ("is-enabled", "1", "disabled"),
        ("waits", "0", ""),
        ("waits-status", "3", "Deactivated successfully"),
        ("fails", "1", "failed because"),
        ("fails-status", "3", "status=1/FAILURE"),
        ("killed", "0", "Result=signal"),
        ("release", "0", "kit: released"),
        ("stopped", "0", "ExecMainStatus=130"),
        ("enable", "0", "timers.target.wants"),
        ("timers", "0", "evkit-hil@kit.service"),
        ("remove", "0", ""),
        ("purge", "0", ""),
    ):
        found, said = ended(out, name)
        if found != code or words not in said:
            wrong.append(f"{name}: exit code {found}, {said!r}")
    if 'type="interrupted"' not in (out / "junit.xml").read_text():
        wrong.append("a run that is stopped writes no report")
    if left := (out / "left").read_text():
        wrong.append(f"left after a purge: {left}")
    assert not wrong, "\n".join(wrong)
