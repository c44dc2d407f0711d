"""News media, journalists, activists and politicians are withheld only by somebody who says why."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given, some


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules if given.protected else ():
        found = [given.protected[account] for account in rule.accounts if account in given.protected]
        if found:
            message = f"the rule names protected account{'s' if len(found) > 1 else ''} {some(found)}"
            hint = "take them out of the rule, or say in an override who decided it and why"
            yield Finding(rule, message, hint, ("accounts", "ids_file"))


CHECK = Check(
    code="protected-account",
    severity="error",
    says="Protected accounts must not be withheld.",
    why="The account is listed in protected.yaml. A demand that names it is refused unless somebody decides otherwise, and "
    "that decision is the reason of an override.",
    find=_find,
)
