"""Runs that are killed on kernels that leave a freed output driven, as Raspberry Pi's do, and on one that makes it an input: the guardian releases the line, and without it the line is what the kernel makes of it."""

from cases import BENCHES
from lines import HOLD, bench, hold
from machine import Pi
from packages import BACKPORTS, Archive, say
from results import ended, logged

# Debian's kernel has this parameter from 6.10 on, so not yet in bookworm itself.
PARAMETER = "pinctrl_bcm2835.persist_gpio_outputs"
STATE = "/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs"


def job():
    lines = ["export EVKIT_HIL_STATE_DIR=/tmp/state", f"cat {STATE} > /out/persist"]
    for name in BENCHES:
        lines += [
            hold(name, f"{name}-guarded"),
            f"echo '@@ holds {name}'; sleep 2; kill -KILL $run; wait $run; sleep 1.5; echo '@@ guarded {name}'; sleep 2",
            hold(name, f"{name}-unguarded"),
            f"echo '@@ holds again {name}'; sleep 2; kill -KILL $(cat /proc/$run/task/*/children) $run; wait $run; sleep 1.5; echo '@@ unguarded {name}'; sleep 2",
            f"{logged(f'evkit-hil release --bench /{name}.yaml', f'{name}-release')}; sleep 0.5",
            f"echo '@@ released {name}'; sleep 2",
        ]
    return "\n".join(lines) + "\n"


def killed(parts, folder, persist):
    """What is wrong on a kernel of which a freed output stays driven, or not."""
    files = {f"{name}.yaml": bench(reset) for name, (reset, _) in BENCHES.items()} | {"hold.yaml": HOLD}
    wrong = []
    # With a thread for each processor this kernel takes two minutes to boot: it changes its own code, and each change waits for all of them.
    options = {"options": f"{PARAMETER}={persist:d}", "accelerator": "tcg,thread=single"}
    with Pi(**parts, job=job(), files=files, folder=folder, within=180, **options) as pi:

        def expect(words, asserted):
            pi.wait_for(f"@@ {words}")
            spans = pi.pin.asserted()
            if asserted != bool(spans and spans[-1][1] is None):
                wrong.append(f"persist_gpio_outputs={persist:d}, {words}: the line is {'not ' if asserted else ''}asserted")

        for name in BENCHES:
            expect(f"holds {name}", True)
            expect(f"guarded {name}", False)
            expect(f"holds again {name}", True)
            # The control: with nobody to release it, a line that was written past the kernel stays, and one of the kernel's as the parameter says.
            expect(f"unguarded {name}", name.startswith("rppal") or persist)
            expect(f"released {name}", False)
        out = pi.files()
    for name in BENCHES:
        code, said = ended(out, f"{name}-release")
        if code != "0":
            wrong.append(f"release gives {code} with {name}: {said}")
    found = (out / "persist").read_text().strip()
    assert found == "NY"[persist], f"{PARAMETER} is {found}"
    return wrong


def run(parts, folder):
    kernel, dtb = Archive().kernel(BACKPORTS)
    say(f"kernel {kernel.name}")
    wrong = [what for persist in (False, True) for what in killed(parts | {"kernel": kernel, "dtb": dtb}, folder / str(int(persist)), persist)]
    assert not wrong, "\n".join(wrong)
