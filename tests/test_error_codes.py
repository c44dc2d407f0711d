"""`withhold/ERRORS.md` documents every error code that the package can raise, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import withhold
from tests.conftest import DOCUMENTED
from withhold.lint import CHECKS, OF_OVERRIDES

PACKAGE = Path(withhold.__file__).parent
_CODE = re.compile(r"[a-z]+(-[a-z0-9]+)+")

#: Words with hyphens that are no codes: headers, encodings, commands and names.
_OTHERS = {"app-engine", "cat-file", "rev-parse", "in-1", "latin-1", "utf-8", "utf-8-sig", "user-agent"}
_OTHERS |= {"withhold-geoip", "withhold-geoip-watch", "forwarded-for", "x-forwarded-for", "cloudfront-viewer-address"}
#: Codes that are put together where they are raised, from the name of a field or a class.
_COMPOSED = {
    f"unknown-{name}" for name in ("category", "effect", "if-unknown", "outcome", "reason", "unknown-location")
}
_COMPOSED |= {"bad-demand", "bad-note", "no-root", "not-a-policy", "not-a-viewer"}
#: Modules that hold headers of CDNs, or the demo's rules.
_WITHOUT_CODES = {"cdn.py", "demo.py"}


def _in_sources() -> Iterator[str]:
    for path in PACKAGE.rglob("*.py"):
        if path.name in _WITHOUT_CODES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                yield node.value


def _documented() -> dict[str, str]:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.*) \|$", (PACKAGE / "ERRORS.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == len(dict(rows)), "each code has one row"
    return dict(rows)


def test_every_code_in_the_sources_is_documented() -> None:
    assert set(_in_sources()) - _OTHERS - set(_documented()) == set()


def test_every_documented_code_is_in_the_sources() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    documented = set(_documented()) - _COMPOSED
    assert [code for code in documented if f'"{code}"' not in text and f"[{code}]" not in text] == []
    assert set(_documented()) == DOCUMENTED, "which every problem of any test is held to"


def test_the_rows_of_lint_are_those_of_its_checks() -> None:
    """To write them again, put what this expects into the page."""
    expected = {check.code: f"`withhold lint` | {check.says} {check.why}" for check in CHECKS}
    expected |= {code: f"`withhold lint` | {says}" for code, says in OF_OVERRIDES.items()}
    rows = {code: row for code, row in _documented().items() if row.startswith("`withhold lint`")}
    assert rows == expected
    assert list(rows) == sorted(rows)


def test_the_other_rows_are_in_order_and_say_what_to_do() -> None:
    rows = {code: row for code, row in _documented().items() if not row.startswith("`withhold lint`")}
    assert list(rows) == sorted(rows)
    assert all(row.endswith(".") for row in rows.values())
