"""A spreadsheet may have rounded the ids of many small files: one file alone may not show it, but all of them do."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator

from withhold.lint.check import Check, Context, Finding, first_few
from withhold.lint.ids import union
from withhold.model.precision import ROUNDED_IDS, Precision, Sign


def _find(context: Context) -> Iterator[Finding]:
    rules = context.rules
    # Ids that an override declares exact are not evidence about the other ids.
    overriding = {rule.id: rule for rule in rules if ROUNDED_IDS in dict(rule.override)}
    exact = union(ids for rule in overriding.values() for ids in (rule.accounts, rule.tweets))
    every = union(ids for rule in rules for ids in (rule.accounts, rule.tweets))
    suspect = _suspect(array("q", (id_ for id_ in every if id_ not in exact)))
    for rule in rules:
        if rule.id in overriding:
            found = [id_ for ids in (rule.accounts, rule.tweets) for id_ in _suspect(ids, alone=True)]
        else:
            found = [id_ for ids in (rule.accounts, rule.tweets) for id_ in ids if id_ in suspect] if suspect else []
        if found:
            look = "look" if len(found) > 1 else "looks"
            message = f"{first_few(found)} {look} rounded: the rule set has more such ids than chance explains"
            hint = "restore all digits from the source, or add an override that states where the ids were checked"
            yield Finding(rule, message, hint, ("accounts", "tweets", "ids_file"))


def _suspect(ids: Collection[int], *, alone: bool = False) -> set[int]:
    """Return the ids that look rounded, if there are more than chance explains.

    With `alone`, also return each id that by itself is evidence of rounding.
    """
    precision = Precision()
    enough = (Sign.SHORT, Sign.PRINTED, Sign.CAST) if alone else (Sign.SHORT,)
    found = {id_ for id_ in ids if precision.sign(id_) in enough}
    if lost := precision.lost():
        again = Precision()
        found.update(id_ for id_ in ids if again.sign(id_) in lost)
    return found


CHECK = Check(
    code=ROUNDED_IDS,
    severity="warning",
    summary="Ids must not be rounded.",
    rationale="Spreadsheets and JavaScript round long ids, which then name somebody else. More ids of the rule set look "
    "rounded than chance explains.",
    find=_find,
)
