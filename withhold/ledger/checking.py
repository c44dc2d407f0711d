"""Check events before they are recorded or imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from withhold.errors import InstantError, LedgerError, Problem, control_character, in_backticks, is_visible, quoted
from withhold.ledger.event import Data, NewEvent
from withhold.model.instants import in_fixed_width, parse_instant

_KIND = re.compile(r"[a-z0-9_-]{1,40}(?:\.[a-z0-9_-]{1,40}){0,4}", re.ASCII)
_INT64 = 2**63
#: The greatest depth of nested data, and the greatest length of names such as an actor, in characters.
_DEPTH = 32
_LENGTH = 1000


def check_new(events: list[NewEvent]) -> None:
    """Raise a `LedgerError` with all problems of the kinds and data of events."""
    raise_for(problem for number, event in enumerate(events, 1) for problem in problems_of(*event, f"event {number}"))


def problems_of(kind: object, data: object, place: str) -> Iterator[Problem]:
    """Yield the problems of an event's kind and data."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        hint = "write words of lower-case letters, separated by points, such as `demand.received`"
        yield Problem("bad-event-kind", f"{quoted(kind)} is not a kind of event", place, hint)
    if not isinstance(data, dict):
        yield Problem("bad-event-data", f"the data {quoted(data)} are not a mapping", place, "pass a `dict`")
        return
    yield from value_problems(data, place)
    effective = data.get("effective_at")
    if effective is not None:
        try:
            effective_instant(effective)
        except InstantError as error:
            yield Problem(error.code, error.problem.message, place, error.hint)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> str:
    return in_fixed_width(parse_instant(text, "`effective_at`"), "`effective_at`")


def effective_instant(value: object) -> str:
    """Return `effective_at` in the form of `recorded_at`. Raises `InstantError` if it is not an instant."""
    if not isinstance(value, str):
        message = f"`effective_at` {quoted(value)} is not text"
        raise InstantError(Problem("not-an-instant", message, hint="write it like `2021-02-10T10:30:00+05:30`"))
    return _parsed(value)


def backdated(data: Data, recorded_at: str) -> str | None:
    """Return `effective_at` if it is before `recorded_at`, or None."""
    effective = data.get("effective_at")
    return effective if effective is not None and effective_instant(effective) < recorded_at else None


def check_names(**names: str | None) -> None:
    """Raise a `LedgerError` for names of people, tools, keys and reasons that are empty or have control characters."""
    raise_for(problem for name, text in names.items() if text is not None for problem in name_problems(name, text))


def name_problems(name: str, text: object, place: str | None = None) -> Iterator[Problem]:
    if not isinstance(text, str) or not is_visible(text) or len(text) > _LENGTH:
        hint = f"write text of at most {_LENGTH:,} characters"
        yield Problem("bad-event-text", f"`{name}` {quoted(text)} is empty, too long or not text", place, hint)
    elif control_character(text) is not None:
        yield Problem("control-character", f"`{name}` {quoted(text)} has a control character", place, "remove it")


def raise_for(problems: Iterator[Problem]) -> None:
    """Raise a `LedgerError` with the problems, at most 100, if there are any."""
    found: list[Problem] = []
    for problem in problems:
        if len(found) == 100:
            found.append(Problem("more-problems", "there are more problems"))
            break
        found.append(problem)
    if found:
        raise LedgerError(*found)


def value_problems(data: Data, place: str) -> Iterator[Problem]:
    """Yield the problems with data that JSON cannot hold, or that JSON readers change."""
    return _problems_in(data, "data", place, _DEPTH)


def _problems_in(value: object, path: str, place: str, depth: int) -> Iterator[Problem]:
    if value is None or value is True or value is False:
        return
    kind = type(value)  # subclasses may be written as something else
    if kind is str and isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            message = f"{in_backticks(path)} {quoted(value)} has half of a surrogate pair"
            yield Problem("bad-event-data", message, place, "decode the text again")
    elif kind is int and isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            message = f"{in_backticks(path)} {quoted(value)} exceeds 64 bits"
            yield Problem("bad-event-data", message, place, "write it as text")
    elif depth == 0:
        message = f"{in_backticks(path)} is nested too deeply"
        yield Problem("bad-event-data", message, place, f"nest at most {_DEPTH} levels")
    elif kind is list and isinstance(value, list):
        for index, each in enumerate(value):
            yield from _problems_in(each, f"{path}[{index}]", place, depth - 1)
    elif kind is dict and isinstance(value, dict):
        for name, each in value.items():
            if type(name) is str:
                yield from _problems_in(name, f"{path} key", place, depth)
                yield from _problems_in(each, f"{path}.{name}", place, depth - 1)
            else:
                message = f"{in_backticks(path)} has the key {quoted(name)}"
                yield Problem("bad-event-data", message, place, "keys are text")
    else:
        message = f"{in_backticks(path)} {quoted(value)} is of type `{kind.__name__}`"
        hint = "use text, whole numbers, booleans, None, lists and mappings; write other numbers and instants as text"
        yield Problem("bad-event-data", message, place, hint)
