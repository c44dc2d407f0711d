"""Problems as SARIF 2.1.0, the form in which code scanning takes what a tool has found."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, singledispatch
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from withhold.cli.render import unsupported
from withhold.cli.render.json import json_text
from withhold.cli.results import LintResult, Refusal
from withhold.errors import Place, Problem
from withhold.lint import CHECKS, OVERRIDE_CODES
from withhold.sources.root import repository_around

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: What GitHub takes of one run: results, and bytes of the file when compressed by gzip.
RESULTS, COMPRESSED = 25_000, 10_000_000
_WORST_FIRST = ("error", "warning", "note")

_UNREADABLE = "What is written in a rule file must be readable without doubt."


render = singledispatch(unsupported)


@render.register
def _lint(result: LintResult) -> Iterator[str]:
    yield json_text(sarif_of(result.problems, result.path, str(result.guard)), indent=2)


@render.register
def _refusal(refusal: Refusal) -> Iterator[str]:
    yield json_text(sarif_of(refusal.error.problems, refusal.path, refusal.note), indent=2)


def sarif_of(problems: Iterable[Problem], rules: Path, note: str = "") -> dict[str, object]:
    """Return a log with one run; what has no place of its own is placed at the start of `rules`, as each must have one.

    `note` is what the tool has to say of how it ran.
    Of more problems than GitHub takes, the run has the most severe, and a notification of how many it lacks.
    """
    found = list(problems)
    count = RESULTS
    while True:
        log = _log(_most_severe(found, count), len(found), rules, note)
        text = json.dumps(log, indent=2)
        if len(text) <= COMPRESSED or len(gzip.compress(text.encode(), 1)) <= COMPRESSED:
            return log
        count = min(count, len(found)) // 2


def _most_severe(problems: Sequence[Problem], count: int) -> list[Problem]:
    """Return at most `count` problems, the most severe of more, in the order in which they were."""
    if len(problems) <= count:
        return list(problems)
    order = sorted(range(len(problems)), key=lambda at: _WORST_FIRST.index(problems[at].severity))
    return [problems[at] for at in sorted(order[:count])]


def _log(told: Sequence[Problem], count: int, rules: Path, note: str = "") -> dict[str, object]:
    descriptors = [_descriptor(check.code, check.summary, check.rationale, check.severity) for check in CHECKS]
    # Beside the checks, there is what the loader tells, and what is told of overrides.
    others = {problem.code: problem.severity for problem in told} | {check.code: None for check in CHECKS}
    for code, severity in sorted(others.items()):
        if severity is not None:
            says = OVERRIDE_CODES.get(code, _UNREADABLE)
            descriptors.append(_descriptor(code, says, says, severity))
    numbers = {descriptor["id"]: number for number, descriptor in enumerate(descriptors)}
    driver = {"name": "withhold", "semanticVersion": version("withhold"), "rules": descriptors}
    top = _top(rules)
    uri_of = cache(lambda file: _uri(Path(file), rules, top))
    results = [_result(problem, numbers[problem.code], rules, uri_of) for problem in told]
    notified = [{"level": "note", "message": {"text": note}}] if note else []
    if len(told) < count:
        said = f"{len(told):,} of {count:,} problems, the most severe: GitHub takes no more; `--format json` lists all"
        notified.append({"level": "warning", "message": {"text": said}})
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notified}
    # Columns count characters, as Python does.
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(code: str, says: str, why: str, level: str) -> dict[str, object]:
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("-")),
        "shortDescription": {"text": says},
        "fullDescription": {"text": why},
        "help": {"text": why},
        "defaultConfiguration": {"level": level},
    }


def _result(problem: Problem, rule: int, rules: Path, uri_of: Callable[[str], str]) -> dict[str, object]:
    place = problem.place if isinstance(problem.place, Place) else Place(str(rules))
    where = f"{problem.place}: " if isinstance(problem.place, str) else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    location = {
        "artifactLocation": {"uri": uri_of(place.file)},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": f"{where}{problem.message}{hint}"},
        "locations": [{"physicalLocation": location}],
    }


def _top(rules: Path) -> Path:
    """Return the top of the repository that the rules lie in, where code scanning begins its paths; without one, this folder."""
    return repository_around(rules) or Path.cwd()


def _uri(path: Path, rules: Path, top: Path) -> str:
    """Return a path as seen from the top; one from elsewhere in full.

    A link among the rules is named itself, and not what it leads to, which may be missing, or a rule file of its own.
    """
    around = rules if rules.is_dir() else rules.parent
    if path.is_relative_to(around) and ".." not in path.relative_to(around).parts:
        path = Path(os.path.realpath(around), path.relative_to(around))
    else:
        path = Path(os.path.realpath(path.parent), path.name)
    return quote(os.fsencode(path.relative_to(top).as_posix())) if path.is_relative_to(top) else path.as_uri()
