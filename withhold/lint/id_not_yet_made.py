"""An order cannot name a tweet that has not been written: if an id is newer than its rule, the id or the date is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from withhold.lint.check import Check, Context, Finding, first_few
from withhold.model.instants import in_iso
from withhold.model.rule import Rule
from withhold.snowflake import EPOCH, first_id_at, instant_of

# Account ids used to be sequential, and reached a few billion. Since early 2016 they contain a time.
_FIRST_ACCOUNT = first_id_at(datetime(2016, 1, 1, tzinfo=UTC))


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        for bound, name in ((rule.until, "until"), (rule.from_, "from")):
            if bound is None or not (late := _created_after(bound, rule)):
                continue
            latest = in_iso(max(filter(None, map(instant_of, late))).replace(microsecond=0))
            newest, ids = ("the newest of them", "ids") if len(late) > 1 else ("it", "id")
            hint = f"{newest} was created at `{latest}`: check the {ids} and the date"
            message = f"{first_few(late)} did not exist yet at the rule's `{name}`"
            yield Finding(rule, message, hint, (name,), "error" if name == "until" else None)
            break


def _created_after(bound: datetime, rule: Rule) -> list[int]:
    """Return the ids of a rule that contain a time after `bound`."""
    try:
        first = first_id_at(max(bound + timedelta(milliseconds=1), EPOCH))
    except (ValueError, OverflowError):  # later than any time in an id
        return []
    accounts = [id_ for id_ in rule.accounts if id_ >= max(first, _FIRST_ACCOUNT)]
    return accounts + [id_ for id_ in rule.tweets if id_ >= first and instant_of(id_)]


CHECK = Check(
    code="id-not-yet-made",
    severity="warning",
    summary="The accounts and tweets of a rule must exist when it comes into force.",
    rationale="Ids of tweets since November 2010, and of accounts since 2016, contain their time of creation. Here it is "
    "after the rule's from, or even after its until: the id or the date is wrong, or the id was added later.",
    find=_find,
)
