"""`withhold/ERRORS.md` documents every error code that the package can raise, and no other.

The codes of checks are in `withhold/lint/README.md`; `tests/lint/test_advice.py` compares that table with the checks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import withhold
from tests.conftest import DOCUMENTED
from withhold.lint import CHECKS

PACKAGE = Path(withhold.__file__).parent
_CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")

#: Words with hyphens that are not codes: headers, encodings, commands and names.
_OTHERS = {
    "app-engine",
    "cat-file",
    "rev-parse",
    "in-1",
    "latin-1",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-16-le",
    "search-advanced",
    "search-home",
    "user-agent",
    "everywhere-except",
}
_OTHERS |= {"cache-control", "content-length", "content-type", "no-store"}
_OTHERS |= {
    "withhold-follow",
    "withhold-log",
    "withhold-live",
    "withhold-metrics",
    "withhold-shadow",
    "withhold-geoip",
    "withhold-geoip-watch",
    "forwarded-for",
    "x-forwarded-for",
    "cloudfront-viewer-address",
}
#: Names of lists of the demo.
_OTHERS |= {"in-d1", "in-d1-reimposed", "in-d2"}
#: Keys of the configuration and of rules.
_OTHERS |= {"author-sees-own", "fail-on", "unknown-location", "x-ticket"}
#: Safeguards that need a second person, but no override. They are recorded, and never the code of a problem.
_OTHERS |= {"two-persons", "unknown-protection"}
#: Codes that are composed from the name of a field or a class.
_COMPOSED = {
    f"unknown-{name}"
    for name in ("category", "disclosure", "effect", "if-unknown", "outcome", "reason", "severity", "unknown-location")
}
_COMPOSED |= {
    f"unknown-{name}"
    for name in (
        "action",
        "authenticity",
        "authority",
        "basis",
        "binding",
        "demand-kind",
        "permission",
        "precision",
        "relation",
    )
}
_COMPOSED |= {"bad-demand", "bad-guard", "bad-share", "bad-note", "no-root", "not-a-policy", "not-a-viewer"}
#: Modules with names of headers, or with the rules of the demo.
_OTHER_TEXT = {"caching.py", "cdn.py", "demo.py", "directives.py", "unavailable.py"}


def _in_sources() -> Iterator[str]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if _CODE.fullmatch(node.value) and path.name not in _OTHER_TEXT:
                    yield node.value
                # Built-in exceptions have their code in the message.
                yield from re.findall(rf"\[({_CODE.pattern})\](?=;|$)", node.value)


def _documented() -> dict[str, str]:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.*) \|$", (PACKAGE / "ERRORS.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == len(dict(rows)), "each code has one row"
    return dict(rows)


def test_every_code_in_the_sources_is_documented() -> None:
    checks = {check.code for check in CHECKS}
    assert set(_in_sources()) - _OTHERS - checks - set(_documented()) == set()


def test_every_documented_code_is_in_the_sources() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    documented = set(_documented()) - _COMPOSED
    assert [code for code in documented if f'"{code}"' not in text and f"[{code}]" not in text] == []
    assert set(_documented()) | {check.code for check in CHECKS} == DOCUMENTED, (
        "conftest.py checks every problem with these"
    )


def test_the_rows_are_sorted_sentences() -> None:
    assert list(_documented()) == sorted(_documented())
    assert all(row.endswith(".") for row in _documented().values())
