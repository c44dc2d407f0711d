"""News media, journalists, activists and politicians may only be withheld with a stated reason."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding, first_few


def _find(context: Context) -> Iterator[Finding]:
    protected = context.protected
    for rule in context.rules if protected else ():
        found = [protected[account] for account in rule.accounts if account in protected]
        if found:
            plural = len(found) > 1
            message = f"the rule names protected account{'s' if plural else ''} {first_few(found)}"
            hint = f"remove {'them' if plural else 'it'}, or add an override that states who decided this and why"
            yield Finding(rule, message, hint, ("accounts", "ids_file"))


CHECK = Check(
    code="protected-account",
    severity="error",
    summary="Protected accounts must not be withheld.",
    rationale="The account is listed in protected.yaml. A demand to withhold it is refused unless somebody decides "
    "otherwise; the reason of an override records that decision.",
    find=_find,
)
