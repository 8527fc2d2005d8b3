"""Runs the tests of docs/from-pytest.md that are written for labgrid and pytest-embedded, against a virtual EVKIT.

    python3 .ci/from_pytest.py PROGRAM

PROGRAM is evkit-hil. The packages are those of the Python that runs this: labgrid, pytest-embedded-serial, pytest-rerunfailures.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUPPORT = ROOT / "tests" / "from_pytest"
IDIOMS = 6


def blocks(text):
    """The Python blocks of the page by section: its number, who the block is for, and the block."""
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        for block in re.findall(r"^```python\n(.*?)^```", section, flags=re.M | re.S):
            head = block.split("\n", 1)[0]
            assert head in ("# labgrid", "# pytest-embedded"), f"a block that does not say whose it is: {head}"
            yield int(section.split(".")[0]), head[2:], block


def main(program):
    found = list(blocks((ROOT / "docs" / "from-pytest.md").read_text()))
    assert sorted({number for number, _, _ in found}) == list(range(1, IDIOMS + 1)), "each section has its block"
    with tempfile.TemporaryDirectory(prefix="evkit-hil-") as folder:
        folder = pathlib.Path(folder)
        kit, control = folder / "kit", folder / "kit.ctl"
        board = subprocess.Popen(
            [program, "virtual", "--link", str(kit), "--control", str(control)], stdout=subprocess.PIPE, text=True
        )
        try:
            board.stdout.readline()
            environment = dict(os.environ, KIT_CONTROL=str(control), PYTHONPATH=str(SUPPORT))
            (folder / "env.yaml").write_text(
                "targets:\n"
                "  main:\n"
                "    resources:\n"
                f"      RawSerialPort: {{ port: {kit}, speed: 115200 }}\n"
                f"      ControlSocket: {{ path: {control} }}\n"
                "    drivers:\n"
                "      SerialDriver: {}\n"
                "      ControlSocketReset: {}\n"
                f"imports: [ {SUPPORT / 'control_socket.py'} ]\n"
            )
            for suite, options in {
                "labgrid": ["-p", "no:embedded", "-p", "no:pytest_embedded", "--lg-env", str(folder / "env.yaml")],
                "pytest-embedded": ["-p", "no:labgrid", "--embedded-services", "serial", "--port", str(kit)],
            }.items():
                tests = folder / suite
                tests.mkdir()
                shutil.copy(SUPPORT / "conftest.py", tests)
                mine = [(number, block) for number, whose, block in found if whose == suite]
                for number, block in mine:
                    (tests / f"test_{number}.py").write_text(block)
                print(f"{suite}: sections {', '.join(str(number) for number, _ in mine)}", flush=True)
                subprocess.run([program, "control", str(control), "setup"], check=True)
                command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."]
                subprocess.run(command, cwd=tests, env=environment, check=True, timeout=300)
        finally:
            board.terminate()
            board.wait(timeout=10)


if __name__ == "__main__":
    main(sys.argv[1])
