"""The shipped cases on the emulated Pi: with each backend and drive of the reset line they end as they do on a pseudo-terminal."""

import contextlib
import os
import signal
import subprocess
import time

from machine import Pi
from packages import ROOT, say
from results import verdicts

# A board that boots slowly enough for `between the windows`, which says why.
BOARD = ["application-start=2 s", "boot-window=100 ms"]
# An emulated computer is held up now and then, and by more than a real one.
LATE = "host-late: 100 ms\n"
EVERYTHING = "--tag pi"
SOME = "'healthy handshake' 'early reset' 'same version again'"
# The backend of the reset line, how it drives, and what runs.
BENCHES = {
    "rppal-push-pull": ("backend: rppal, gpio: 17, drive: push-pull", SOME),
    "gpiocdev-open-drain": ("backend: gpiocdev, chip: /dev/gpiochip0, line: 17, drive: open-drain", SOME),
    "gpiocdev-push-pull": ("backend: gpiocdev, chip: /dev/gpiochip0, line: 17, drive: push-pull", SOME),
    # The last one, since its upgrade stays.
    "rppal-open-drain": ("backend: rppal, gpio: 17, drive: open-drain", EVERYTHING),
}
IMAGES = {"older": "2_6_0", "installed": "2_7_0", "newer": "2_8_0"}


def image(name):
    version = IMAGES[name]
    return f"ST87M01_A_{version}_M_{version}_S_{version}_key0405.img"


def bench(port, reset, images):
    named = "".join(f"  {name}: {{ path: {images}/{image(name)} }}\n" for name in IMAGES)
    return (
        f"format: 1\n{LATE}images:\n{named}boards:\n"
        f"  kit: {{ port: {port}, reset: {{ {reset} }}, allow: [speed, firmware, downgrade-attempt] }}\n"
    )


def command(program, file, out, cases):
    return f"{program} run --bench {file} --out {out} --allow firmware --allow downgrade-attempt {cases}"


@contextlib.contextmanager
def on_a_pseudo_terminal(program, folder):
    """The same runs in the same order on one virtual EVKIT on a pseudo-terminal, meanwhile. What waits for their end, and has the verdicts of each bench then."""
    folder.mkdir(parents=True, exist_ok=True)
    port, control = folder / "kit", folder / "kit.ctl"
    processes = []

    def start(*command, **options):
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options))

    def results():
        processes[-1].wait()
        return {name: verdicts(folder / name / "junit.xml") for name in BENCHES}

    try:
        start(program, "virtual", "--link", port, "--control", control, *(word for setting in BOARD for word in ("--set", setting)))
        # A board that was killed leaves its socket behind: only an answer says that this one is there.
        begun = time.monotonic()
        while subprocess.run([program, "control", control, "state"], capture_output=True).returncode != 0:
            assert processes[0].poll() is None and time.monotonic() < begun + 60, "the virtual board does not answer"
            time.sleep(0.05)
        script = ""
        for name, (_, cases) in BENCHES.items():
            file, out = folder / f"{name}.yaml", folder / name
            file.write_text(bench(port, f"backend: socket, path: {control}", ROOT / "fixtures/images"))
            script += f"{command(program, file, out, cases)} >{out}.log 2>&1\n"
        start("sh", "-c", script, env=os.environ | {"EVKIT_HIL_STATE_DIR": str(folder / "state")})
        yield results
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(parts, folder):
    program = parts["program"]
    files = {f"{name}.yaml": bench("/dev/ttyAMA0", reset, "") for name, (reset, _) in BENCHES.items()}
    files |= {image(name): (ROOT / "fixtures/images" / image(name)).read_bytes() for name in IMAGES}
    job = "export EVKIT_HIL_STATE_DIR=/tmp/state\n"
    for name, (_, cases) in BENCHES.items():
        job += f"mkdir -p /out/{name}\n{command('evkit-hil', f'/{name}.yaml', f'/out/{name}', cases)} > /out/{name}/log 2>&1\n"
        job += f"echo \"{name} ended with $?\"\n"
    with on_a_pseudo_terminal(program, folder / "pseudo-terminal") as results, Pi(**parts, job=job, files=files, folder=folder / "cases", board=BOARD, within=420) as pi:
        out = pi.files()
        wanted = results()
    wrong = []
    for name in BENCHES:
        found = verdicts(out / name / "junit.xml")
        ends = [verdict for verdict, _ in found.values()]
        say(f"{name}: {', '.join(f'{ends.count(verdict)} {verdict}' for verdict in sorted(set(ends)))}")
        for case in sorted(wanted[name].keys() | found.keys()):
            if wanted[name].get(case) != found.get(case):
                wrong.append(f"{name}: {case} is {found.get(case)} here and {wanted[name].get(case)} on a pseudo-terminal")
        if not any(verdict == "passed" for verdict in ends):
            wrong.append(f"{name}: nothing passed")
    assert not wrong, "\n".join(wrong)
