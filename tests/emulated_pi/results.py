"""What a job leaves in /out for the outside: shell that leaves it there, and what reads it."""

import json
from xml.etree import ElementTree


def logged(command, name):
    """Shell: a command whose output and exit code are left under a name."""
    return f"{command} > /out/{name}.log 2>&1; echo $? > /out/{name}.exit"


def recorded(out, kind):
    """Shell: waits until `$run`, a run in the background with its results in `out`, has recorded an event of this kind, or has ended."""
    return f"until grep -qs '\"{kind}\"' /out/{out}/timelines/*/events.jsonl || ! kill -0 $run; do sleep 0.1; done; sleep 0.5"


def ended(out, name):
    """The exit code and the output that a command left under a name."""
    return (out / f"{name}.exit").read_text().strip(), (out / f"{name}.log").read_text()


def timeline(run, case):
    """The folder of the one timeline that a run has of a case."""
    (folder,) = (run / "timelines").glob(f"*-{case}")
    return folder


def events(timeline, kind):
    """The events of a kind, in their order."""
    lines = (timeline / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event.get("kind") == kind]


def verdicts(junit):
    """Each case with its verdict, and the cause or the reason beside it."""
    cases = {}
    for case in ElementTree.parse(junit).iter("testcase"):
        verdict, why = "passed", ""
        for kind in ("failure", "error", "skipped"):
            for element in case.findall(kind):
                verdict, why = kind, element.get("type") or element.get("message")
        cases[case.get("name")] = (verdict, why)
    return cases
