"""A spreadsheet spoils the ids of many small files alike: what no file shows by itself, all of them together do."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given, some
from withhold.lint.ids import union
from withhold.model.precision import Precision

_CODE = "rounded-ids"


def _find(given: Given) -> Iterator[Finding]:
    # What somebody vouches for tells nothing of the other ids.
    vouched = [rule for rule in given.rules if _CODE in dict(rule.override)]
    trusted = union(ids for rule in vouched for ids in (rule.accounts, rule.tweets))
    every = union(ids for rule in given.rules for ids in (rule.accounts, rule.tweets))
    precision = Precision()
    rounded = {id_ for id_ in every if id_ not in trusted and precision.looks_rounded(id_)}
    if not precision.is_lost():
        rounded = set()
    rounded.update(id_ for id_ in trusted if Precision().looks_rounded(id_))
    for rule in given.rules if rounded else ():
        if found := [id_ for ids in (rule.accounts, rule.tweets) for id_ in ids if id_ in rounded]:
            looks = "look" if len(found) > 1 else "looks"
            message = f"{some(found)} {looks} rounded, as more ids of the rule set do than chance allows"
            hint = "restore all their digits from their source, or say in an override where they were checked"
            yield Finding(rule, message, hint, ("accounts", "tweets", "ids_file"))


CHECK = Check(
    code=_CODE,
    severity="warning",
    says="Ids must not have been through a floating-point number.",
    why="Spreadsheets and JavaScript round long ids, which then name somebody else. Over the whole rule set, more ids look "
    "so than chance allows.",
    find=_find,
)
