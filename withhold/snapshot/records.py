"""Conversion between a rule and its record in a snapshot file."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from withhold.errors import Place
from withhold.model.ids import IdSet
from withhold.model.rule import Disclosure, Rule
from withhold.model.rule_set import rule_values
from withhold.snapshot.format import MOST
from withhold.territories import current

# The maximum number of bytes in the path of a file.
_LONGEST = 4096


def record_of(rule: Rule) -> bytes:
    """Return a rule as JSON. `accounts` and `tweets` are numbers of ids, not the ids.

    `place` is null if the place of the rule cannot exist in any file.
    """
    place = None
    if rule.place is not None:
        with suppress(ValueError, TypeError):
            checked = _place(rule.place.file, rule.place.line, rule.place.column)
            place = [checked.file, checked.line, checked.column]
    return json.dumps(rule_values(rule) | {"place": place}).encode()


def rule_of(record: bytes, ids: Callable[[str, int], IdSet]) -> Rule:
    """Return the rule of a record.

    `ids` returns the ids of a kind, given the kind and their number. Renamed codes become current ones.

    Raises `ValueError`, `TypeError` or `KeyError` for an invalid record, and the errors of `Rule`.
    """
    values = json.loads(record)
    return Rule(
        id=values["id"],
        accounts=ids("accounts", values["accounts"]),
        tweets=ids("tweets", values["tweets"]),
        withheld_in=[current(code) or code for code in values["withheld_in"]],
        except_in=[current(code) or code for code in values["except_in"]],
        from_=_instant(values["from"]),
        until=_instant(values["until"]),
        stays=[(_instant(start), _instant(end)) for start, end in values["stays"]],
        effect=values["effect"],
        reason=values["reason"],
        if_unknown=values["if_unknown"],
        demand=values["demand"],
        jurisdiction=_jurisdiction(values.get("jurisdiction")),
        disclosure=values.get("disclosure", Disclosure.REASON),
        review_by=_instant(values.get("review_by")),
        note=values["note"],
        override=values.get("override", {}),
        extra=values.get("extra", {}),
        place=_place(*values["place"]) if values["place"] else None,
    )


def content_of(record: bytes) -> dict[str, object]:
    """Return the values of a record without the numbers of ids and the place.

    Raises `ValueError` for an invalid record.
    """
    values: dict[str, object] = json.loads(record)
    return {key: value for key, value in values.items() if key not in ("accounts", "tweets", "place")}


def _jurisdiction(codes: list[str] | None) -> str | None:
    if codes is None:
        return None
    [code] = codes
    return current(code) or code  # `EU` is no current code


def _place(file: object, line: object, column: object) -> Place:
    if not isinstance(file, str) or type(line) is not int or type(column) is not int:
        raise TypeError("a place is a file, a line and a column")
    path = file.encode("utf-8", "surrogateescape")  # file names can have bytes that are not UTF-8
    if not (0 < line < MOST and 0 < column < MOST and len(path) <= _LONGEST) or b"\0" in path:
        raise ValueError("no file can contain this place")
    return Place(file, line, column)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
