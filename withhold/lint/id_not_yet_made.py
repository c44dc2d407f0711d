"""An order cannot name what was not written yet: an id that is younger than its rule is a mistake in one of the two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from withhold.lint.check import Check, Finding, Given, some
from withhold.model.instants import in_iso
from withhold.model.rule import Rule
from withhold.snowflake import EPOCH, first_id_at, instant_of

# Accounts were counted up to some thousand millions, and have had ids that carry their time since early 2016.
_FIRST_ACCOUNT = first_id_at(datetime(2016, 1, 1, tzinfo=UTC))


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        for bound, name in ((rule.until, "until"), (rule.from_, "from")):
            if bound is None or not (late := _made_after(bound, rule)):
                continue
            latest = max(filter(None, map(instant_of, late)))
            message = f"{some(late)} did not exist yet at the rule's `{name}`"
            hint = f"ids say up to {in_iso(latest.replace(microsecond=0))}: check them, and the date"
            yield Finding(rule, message, hint, (name,), "error" if name == "until" else None)
            break


def _made_after(bound: datetime, rule: Rule) -> list[int]:
    """Return the ids of a rule that carry a time after an instant."""
    try:
        first = first_id_at(max(bound + timedelta(milliseconds=1), EPOCH))
    except (ValueError, OverflowError):  # so late that no id can carry it
        return []
    accounts = [id_ for id_ in rule.accounts if id_ >= max(first, _FIRST_ACCOUNT)]
    return accounts + [id_ for id_ in rule.tweets if id_ >= first and instant_of(id_)]


CHECK = Check(
    code="id-not-yet-made",
    severity="warning",
    says="What a rule names must exist when it comes into force.",
    why="Ids of tweets since November 2010, and of accounts since 2016, carry the time at which they were made. Here it is "
    "after the rule's from, or even after its until: the id or the date is wrong, or the id was added to the rule later.",
    find=_find,
)
