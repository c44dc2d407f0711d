"""Read ids, instants and objects of records that may contain anything. A record with a problem is refused as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from withhold.errors import InstantError, SubjectIdError, quoted
from withhold.model.ids import MAX_ID
from withhold.model.instants import parse_instant
from withhold.parsing.ids import id_from_text
from withhold.wire.event import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Up to this number a double is exact, so such an id cannot have been rounded.
_EXACT = 2**53
_MILLISECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)
_OBJECT_HINT = "check that the file is in this form"


class Refused(Exception):  # noqa: N818  # it becomes a `Problem`
    """The reason for refusing a record."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint


class Context:
    """The parameters for reading all records of a file, and counts of their contents."""

    __slots__ = ("aliases", "at", "bare", "skipped", "theirs")

    def __init__(self, at: datetime | None, theirs: Mapping[str, tuple[Kind, int]] | None) -> None:
        #: The instant of events that do not contain one.
        self.at = at
        #: The kind and the id of each subject of a system with other ids.
        self.theirs = theirs or {}
        #: The number of records or parts of records that do not concern withholding, by kind.
        self.skipped: Counter[str] = Counter()
        #: The codes that were read as other ones.
        self.aliases: Counter[str] = Counter()
        #: The ids of the current record that were written as numbers and could have been rounded.
        self.bare: list[int] = []

    def instant(self) -> datetime:
        """Return the instant of an event that does not contain one."""
        if self.at is None:
            raise Refused("no-instant", "the event has no instant", "give the instant at which the file was made")
        return self.at

    def suspect(self, id_: int) -> None:
        """Remember an id of the current record that could have been rounded."""
        if id_ > _EXACT:
            self.bare.append(id_)

    def mapped(self, theirs: object) -> tuple[Kind, int]:
        """Return the kind and the id of a subject of another system."""
        found = self.theirs.get(theirs) if isinstance(theirs, str) else None
        if found is None:
            message = f"the table of ids does not contain {quoted(theirs)}"
            raise Refused("unmapped-subject", message, "add a row with the account or tweet that it denotes")
        return found


def mapping(value: object, name: str) -> dict[str, Any]:
    """Return a JSON object."""
    if type(value) is dict:
        return value
    raise not_an_object(name)


def not_an_object(name: str) -> Refused:
    """Return the refusal of a record in which `name` is missing, or is not an object."""
    return Refused("bad-event", f"`{name}` is missing, or is not an object", _OBJECT_HINT)


def listed(value: object, name: str) -> list[Any]:
    """Return a JSON array."""
    if type(value) is list:
        return value
    raise Refused("bad-event", f"`{name}` is missing, or is not a list", _OBJECT_HINT)


def flag(found: Mapping[str, Any], name: str) -> bool:
    """Return a boolean, which is False if it is missing or null."""
    value = found.get(name)
    if value is None or type(value) is bool:
        return bool(value)
    raise Refused("bad-event", f"`{name}` is {quoted(value)}, not true or false", _OBJECT_HINT)


def id_of(found: Mapping[str, Any], context: Context, name: str = "id", as_text: str = "id_str") -> int:
    """Return the id of an object. If it is also given as text, the text is used: many programs round long numbers."""
    number, text = found.get(name), found.get(as_text)
    if type(number) is int and 0 < number <= MAX_ID:
        if text is None:
            context.suspect(number)
            return number
        if str(number) == text:
            return number
    if text is None:
        return id_value(number, name)
    exact = id_value(text, as_text)
    if number is not None and number != exact and not _is_rounded(number, exact):
        message = f"`{name}` {quoted(number)} and `{as_text}` {quoted(text)} differ by more than rounding"
        raise Refused("ids-differ", message, "restore the event from its source")
    return exact


def id_value(value: object, name: str) -> int:
    """Return an id that is given as text or as a number."""
    if type(value) is str:
        if len(value) < 20 and value.isdecimal() and value.isascii() and 0 < (found := int(value)) <= MAX_ID:
            return found
        text = value
    elif type(value) is int:
        text = str(value) if abs(value) < 10**30 else "9" * 30  # Python prints at most 4,300 digits
    elif type(value) is float:
        text = repr(value)
    else:
        message = f"`{name}` is missing" if value is None else f"`{name}` is {quoted(value)}, not an id"
        raise Refused("bad-id", message, "ids are decimal digits")
    try:
        return id_from_text(text, f"`{name}`")
    except SubjectIdError as error:
        raise Refused(error.code, error.problem.message, error.hint) from None


def _is_rounded(number: object, exact: int) -> bool:
    """Return whether a number is a rounded form of an id."""
    try:
        return float(number) == float(exact)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # another type, other text, or a number too large for a double
        return False


def instant_value(value: object, name: str) -> datetime:
    """Return an instant in RFC 3339 format."""
    if type(value) is not str:
        message = f"`{name}` is missing" if value is None else f"`{name}` is {quoted(value)}, not an instant"
        raise Refused("not-an-instant", message, "write it like `2021-07-06T18:40:40.000Z`")
    # `2021-07-06T18:40:40.000Z`, as X writes instants. `parse_instant`, which accepts more, takes several times as long.
    if len(value) == 24 and value[4:22:3] == "--T::." and value[-1] == "Z" and value[11:13] != "24":
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # there is no such day or time
            pass
    try:
        return parse_instant(value, f"`{name}`")
    except InstantError as error:
        raise Refused(error.code, error.problem.message, error.hint) from None


def milliseconds_value(value: object, name: str) -> datetime:
    """Return an instant that is given in milliseconds since 1970."""
    text = str(value) if type(value) is int and 0 <= value < 10**15 else value
    if type(text) is str and _MILLISECONDS.fullmatch(text):
        try:
            return _EPOCH + timedelta(milliseconds=int(text))
        except OverflowError:
            pass
    raise Refused("not-an-instant", f"`{name}` {quoted(value)} is not a number of milliseconds", _OBJECT_HINT)


def milliseconds_of(instant: datetime) -> str:
    """Return an instant in milliseconds since 1970, as text."""
    return str((instant - _EPOCH) // timedelta(milliseconds=1))
