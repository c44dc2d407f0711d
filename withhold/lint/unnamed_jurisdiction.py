"""Without a jurisdiction, nobody can check whether a rule withholds only where its law applies."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.reason.local and rule.jurisdiction is None:
            message = f"the rule has the reason `{rule.reason}`, but names no jurisdiction"
            hint = "add `jurisdiction`, the country or subdivision whose law it is, or `EU`"
            yield Finding(rule, message, hint)


CHECK = Check(
    code="unnamed-jurisdiction",
    severity="warning",
    summary="A rule for a legal demand or a local law should name the jurisdiction.",
    rationale="Only with the jurisdiction can it be checked that the rule withholds nowhere else. The id of a demand often "
    "does not contain it.",
    find=_find,
)
