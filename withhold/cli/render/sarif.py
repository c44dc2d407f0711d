"""SARIF 2.1.0, the format of code scanning."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, singledispatch
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from withhold.cli.render import unsupported
from withhold.cli.render.json import json_text
from withhold.cli.results import LintResult, Refusal
from withhold.errors import Place, Problem, escaped_path
from withhold.lint import CHECKS, OVERRIDE_CODES
from withhold.sources.root import repository_around

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: The maximums that GitHub accepts in one run: results, and bytes of the file compressed with gzip.
RESULTS, COMPRESSED = 25_000, 10_000_000
_WORST_FIRST = ("error", "warning", "note")

_SUPPRESSION = {"kind": "external", "status": "accepted", "justification": "ignored by the configuration"}
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")
_UNREADABLE = "A rule file must be readable without ambiguity."


render = singledispatch(unsupported)


@render.register
def _lint(result: LintResult) -> Iterator[str]:
    note = str(result.guard)
    if result.configuration is not None:
        note += f"; configured by {escaped_path(result.configuration)}"
    yield json_text(sarif_of(result.problems, result.path, note, result.suppressed), indent=2)


@render.register
def _refusal(refusal: Refusal) -> Iterator[str]:
    yield json_text(sarif_of(refusal.error.problems, refusal.path, refusal.note), indent=2)


def sarif_of(
    problems: Iterable[Problem], rules: Path, note: str = "", suppressed: Sequence[Problem] = ()
) -> dict[str, object]:
    """Return a log with one run. Each result needs a place, so problems without one are placed at the start of `rules`.

    A `note` on how the tool ran becomes a notification. If there are more problems than GitHub accepts, the run has the
    most severe of them, and a notification with the total.

    Problems that the configuration suppresses (`suppressed`) come last, are marked, and are left out first.
    """
    found = [*problems, *suppressed]
    count = RESULTS
    while True:
        kept = _most_severe(found, count, len(suppressed))
        log = _log(kept, len(found), rules, note, frozenset(suppressed))
        text = json.dumps(log, indent=2)
        if len(text) <= COMPRESSED or len(gzip.compress(text.encode(), 1)) <= COMPRESSED:
            return log
        count = min(count, len(found)) // 2


def _most_severe(problems: Sequence[Problem], count: int, suppressed: int) -> list[Problem]:
    """Return at most `count` problems, the most severe ones, in their original order. The last ones are suppressed."""
    if len(problems) <= count:
        return list(problems)
    first = len(problems) - suppressed
    order = sorted(range(len(problems)), key=lambda at: (at >= first, _WORST_FIRST.index(problems[at].severity)))
    return [problems[at] for at in sorted(order[:count])]


def _log(
    listed: Sequence[Problem], count: int, rules: Path, note: str, suppressed: AbstractSet[Problem]
) -> dict[str, object]:
    descriptors = [_descriptor(check.code, check.summary, check.rationale, check.severity) for check in CHECKS]
    # Other problems come from the loader, and from the overrides of rules.
    others = {problem.code: problem.severity for problem in listed} | {check.code: None for check in CHECKS}
    for code, severity in sorted(others.items()):
        if severity is not None:
            summary = OVERRIDE_CODES.get(code, _UNREADABLE)
            descriptors.append(_descriptor(code, summary, summary, severity))
    numbers = {descriptor["id"]: number for number, descriptor in enumerate(descriptors)}
    driver = {"name": "withhold", "semanticVersion": version("withhold"), "rules": descriptors}
    top = _top(rules)
    uri_of = cache(lambda file: _uri(Path(file), rules, top))
    results = [_result(problem, numbers[problem.code], rules, uri_of) for problem in listed]
    if suppressed:  # the standard requires the key in all results or in none
        for problem, result in zip(listed, results, strict=True):
            result["suppressions"] = [_SUPPRESSION] if problem in suppressed else []
    notified = [{"level": "note", "message": _message(note)}] if note else []
    if len(listed) < count:
        message = f"only the {len(listed):,} most severe of {count:,} problems are listed, since GitHub accepts no more; `--format json` lists all"
        notified.append({"level": "warning", "message": _message(message)})
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notified}
    # Columns count characters, as Python does.
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(code: str, summary: str, description: str, level: str) -> dict[str, object]:
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("-")),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": description},
        "help": {"text": description},
        "defaultConfiguration": {"level": level},
    }


def _message(text: str) -> dict[str, str]:
    """Return a message with `[text](target)` and `{0}` escaped, which SARIF reads as a link and a placeholder."""
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", text.replace("](", r"\]("))}


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
        "message": _message(f"{where}{problem.message}{hint}"),
        "locations": [{"physicalLocation": location}],
    }


def _top(rules: Path) -> Path:
    """Return the directory that paths in code scanning are relative to: the repository's top, or the current one."""
    return repository_around(rules) or Path.cwd()


def _uri(path: Path, rules: Path, top: Path) -> str:
    """Return the URI of a path: relative to the top, or absolute if the path is outside it.

    A link among the rules is not resolved: its target may be missing, or may be another rule file.
    """
    around = rules if rules.is_dir() else rules.parent
    if path.is_relative_to(around) and ".." not in path.relative_to(around).parts:
        path = Path(os.path.realpath(around), path.relative_to(around))
    else:
        path = Path(os.path.realpath(path.parent), path.name)
    return quote(os.fsencode(path.relative_to(top).as_posix())) if path.is_relative_to(top) else path.as_uri()
