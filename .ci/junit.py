"""Reads a JUnit file with two parsers that are not ours and checks that they agree.

usage: junit.py [--any-verdict] [--tries N] FILE
Without --any-verdict every case must have passed. With --tries the cases must have N other tries in all (flakyFailure, rerunFailure), each with its trace
and its transcript.
"""

import sys
import xml.etree.ElementTree

import junitparser
from junitparser import xunit2


def main() -> None:
    any_verdict = "--any-verdict" in sys.argv
    path = sys.argv[-1]
    root = xml.etree.ElementTree.parse(path).getroot()
    cases = list(root.iter("testcase"))
    assert cases, f"{path}: no testcase"
    for case in cases:
        for attribute in ("name", "classname", "time"):
            assert case.get(attribute), f"{path}: a testcase without {attribute}"

    xml_file = junitparser.JUnitXml.fromfile(path)
    suites = list(xml_file) if isinstance(xml_file, junitparser.JUnitXml) else [xml_file]
    parsed = [case for suite in suites for case in suite]
    assert len(parsed) == len(cases), f"{path}: {len(cases)} cases for one parser, {len(parsed)} for the other"
    for suite in suites:
        results = [result for case in suite for result in case.result]
        counts = {
            "failures": sum(isinstance(r, junitparser.Failure) for r in results),
            "errors": sum(isinstance(r, junitparser.Error) for r in results),
            "skipped": sum(isinstance(r, junitparser.Skipped) for r in results),
        }
        for name, count in counts.items():
            said = getattr(suite, name)
            assert said == count, f"{path}: suite {suite.name} says {name}={said}, has {count}"
        assert suite.tests == len(list(suite)), f"{path}: suite {suite.name} says tests={suite.tests}"
    if "--tries" in sys.argv:
        wanted = int(sys.argv[sys.argv.index("--tries") + 1])
        tries = [one for suite in xunit2.JUnitXml.fromfile(path) for case in suite for one in case.flaky_failures() + case.rerun_failures()]
        assert len(tries) == wanted, f"{path}: {len(tries)} other tries, expected {wanted}"
        assert all(one.type and one.message and one.stack_trace and one.system_out for one in tries), f"{path}: a try that says too little"
    if not any_verdict:
        bad = [case.name for case in parsed if case.result]
        assert not bad, f"{path}: not passed: {bad}"
    print(f"{path}: {len(cases)} cases in {len(suites)} suites, both parsers agree")


main()
