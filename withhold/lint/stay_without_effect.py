"""A stay outside the period of its rule changes nothing: most likely its year is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.model.instants import in_iso


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        for start, end in rule.stays:
            before = end is not None and rule.from_ is not None and end <= rule.from_
            after = start is not None and rule.until is not None and rule.until <= start
            if before or after:
                begins, ends = f"starts at `{in_iso(start)}`", f"ends at `{in_iso(end)}`"
                when = f"{ends}, before the rule comes into force" if before else f"{begins}, after the rule has ended"
                yield Finding(rule, f"a stay has no effect: it {when}", "correct its dates, or delete it", ("stays",))


CHECK = Check(
    code="stay-without-effect",
    severity="warning",
    summary="A stay should overlap the period of its rule.",
    rationale="The rule is in force while somebody believes that a court has stayed it. Check the dates of the stay.",
    find=_find,
)
