"""A spreadsheet spoils the ids of many small files alike: what no file shows by itself, all of them together do."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator

from withhold.lint.check import Check, Finding, Given, some
from withhold.lint.ids import union
from withhold.model.precision import VOUCHED, Precision, Sign


def _find(given: Given) -> Iterator[Finding]:
    # What somebody vouches for tells nothing of the other ids.
    vouched = {rule.id: rule for rule in given.rules if VOUCHED in dict(rule.override)}
    trusted = union(ids for rule in vouched.values() for ids in (rule.accounts, rule.tweets))
    every = union(ids for rule in given.rules for ids in (rule.accounts, rule.tweets))
    suspect = _suspect(array("q", (id_ for id_ in every if id_ not in trusted)))
    for rule in given.rules:
        if rule.id in vouched:
            found = [id_ for ids in (rule.accounts, rule.tweets) for id_ in _suspect(ids, alone=True)]
        else:
            found = [id_ for ids in (rule.accounts, rule.tweets) for id_ in ids if id_ in suspect] if suspect else []
        if found:
            looks = "look" if len(found) > 1 else "looks"
            message = f"{some(found)} {looks} rounded, as more ids of the rule set do than chance allows"
            hint = "restore all their digits from their source, or say in an override where they were checked"
            yield Finding(rule, message, hint, ("accounts", "tweets", "ids_file"))


def _suspect(ids: Collection[int], *, alone: bool = False) -> set[int]:
    """Return the ids that look rounded, if more do than chance allows; and `alone` each that does by itself."""
    precision = Precision()
    enough = (Sign.SHORT, Sign.PRINTED, Sign.CAST) if alone else (Sign.SHORT,)
    found = {id_ for id_ in ids if precision.sign(id_) in enough}
    if lost := precision.lost():
        again = Precision()
        found.update(id_ for id_ in ids if again.sign(id_) in lost)
    return found


CHECK = Check(
    code=VOUCHED,
    severity="warning",
    says="Ids must not have been through a floating-point number.",
    why="Spreadsheets and JavaScript round long ids, which then name somebody else. Over the whole rule set, more ids look "
    "so than chance allows.",
    find=_find,
)
