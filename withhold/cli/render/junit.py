"""JUnit XML, for CI systems: a suite for each case file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch
from xml.etree import ElementTree as ET

from withhold.cli.render import unsupported
from withhold.cli.results import Refusal
from withhold.errors import escaped, escaped_path, place_text
from withhold.testing.report import Report
from withhold.testing.running import failure, summary

# Characters that XML 1.0 cannot contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

render = singledispatch(unsupported)


@render.register
def _refusal(refusal: Refusal) -> Iterator[str]:
    """Yield an error for each problem, so that CI systems show them."""
    problems = refusal.error.problems
    count = str(len(problems))
    root = ET.Element("testsuites", tests=count, errors=count)
    suite = ET.SubElement(root, "testsuite", name="refused files", tests=count, failures="0", errors=count)
    for problem in problems:
        case = ET.SubElement(suite, "testcase", classname="refused", name=_xml(place_text(problem.place or "")))
        ET.SubElement(case, "error", message=_xml(str(problem)))
    yield _document(root)


@render.register
def _report(report: Report) -> Iterator[str]:
    """Yield a suite for each case file, one for untested rule files, and one for thresholds that are not met.

    The rule files are skipped, and the thresholds fail.
    """
    root = ET.Element("testsuites", tests=str(report.cases), failures=str(report.failures))
    for tested in report.files:
        counts = {"tests": str(len(tested.results)), "failures": str(len(tested.failed)), "errors": "0"}
        suite = ET.SubElement(root, "testsuite", {"name": _xml(escaped_path(tested.file.path)), **counts})
        for result in tested.results:
            place = result.case.place
            named = {"classname": escaped_path(place.file), "name": escaped(result.case.name)}
            attributes = {**named, "line": str(place.line)}
            case = ET.SubElement(suite, "testcase", {key: _xml(value) for key, value in attributes.items()})
            if not result.passed:
                message = _xml(summary(result))
                ET.SubElement(case, "failure", message=message).text = _xml(failure(result, tested.engine))
    if report.uncovered:
        count, skipped = str(len(report.uncovered)), "no case file tests it"
        root.set("tests", str(report.cases + len(report.uncovered)))
        suite = ET.SubElement(root, "testsuite", name=skipped, tests=count, failures="0", errors="0", skipped=count)
        for path in report.uncovered:
            case = ET.SubElement(suite, "testcase", classname="uncovered", name=_xml(escaped_path(path)))
            ET.SubElement(case, "skipped", message=skipped)
    if shortfalls := [*report.shortfalls()]:
        count = str(len(shortfalls))
        for key in ("tests", "failures"):
            root.set(key, str(int(root.get(key, "0")) + len(shortfalls)))
        suite = ET.SubElement(root, "testsuite", name="thresholds", tests=count, failures=count, errors="0")
        for measure, message in shortfalls:
            case = ET.SubElement(suite, "testcase", classname="thresholds", name=measure)
            ET.SubElement(case, "failure", message=message)
    yield _document(root)


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
