"""A stay that lies outside of its rule's period stays nothing: most likely it has the wrong year."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given
from withhold.model.instants import in_iso


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        for start, end in rule.stays:
            before = end is not None and rule.from_ is not None and end <= rule.from_
            after = start is not None and rule.until is not None and rule.until <= start
            if before or after:
                where = f"ends at {in_iso(end)}, before the rule" if before else f"starts at {in_iso(start)}, after it"
                yield Finding(rule, f"a stay has no effect: it {where}", "correct its dates, or delete it", ("stays",))


CHECK = Check(
    code="stay-without-effect",
    severity="warning",
    says="A stay should lie in the period of its rule, at least in part.",
    why="The rule is in force while somebody believes that a court has stayed it. Check the dates of the stay.",
    find=_find,
)
