"""The meanings of all codes: those of `ERRORS.md`, and those of the checks of `withhold lint`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from textwrap import fill

from withhold.lint import CHECKS

_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_OVERRIDE = "To silence it on one rule, add `override: {%s: '…'}` to the rule, with the reason in place of the dots."
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class CodeResult:
    """The meaning of a code, and how to silence it."""

    code: str
    #: The severity of a check, or None for a problem found while reading input.
    severity: str | None
    #: Where it comes from, such as `rule files`.
    source: str
    meaning: str
    #: How to silence it, or None if it cannot be silenced.
    silence: str | None

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    def __str__(self) -> str:
        kind = f"{self.severity}, from {self.source}" if self.severity else f"from {self.source}"
        prose = (
            fill(
                part,
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="  ",
                break_on_hyphens=False,
                break_long_words=False,
            )
            for part in (self.meaning, self.silence)
            if part
        )
        return "\n".join([f"{self.code}: {kind}", *prose])


@cache
def explained() -> Mapping[str, CodeResult]:
    """Return every code: those of `ERRORS.md` and those of checks."""
    page = files("withhold").joinpath("ERRORS.md").read_text(encoding="utf-8")
    found = [CodeResult(code, None, source, meaning, None) for code, source, meaning in _ROW.findall(page)]
    for check in CHECKS:
        meaning = f"{check.summary} {check.rationale}"
        found.append(CodeResult(check.code, check.severity, "withhold lint", meaning, _OVERRIDE % check.code))
    return {each.code: each for each in sorted(found, key=lambda each: each.code)}
