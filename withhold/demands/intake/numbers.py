"""Read ids: only exact decimal digits are accepted. Every other form of a number is an error that names the form."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from withhold.demands.intake.entries import Kind, Note, Role, note
from withhold.errors import quoted
from withhold.model.ids import MAX_ID
from withhold.snowflake import EPOCH, first_id_at, instant_of

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d{1,3}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{8,}[.,]\d*", re.ASCII)
_BELOW_ZERO = re.compile(r"-\d+", re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+", re.ASCII)
_IN_PARTS = re.compile(r"\d+(?:[ ,.'’]\d+)+", re.ASCII)
#: Numbers with this many digits are ids. Shorter ones may be anything.
LONG = 15

_IDS = {Role.ACCOUNT_ID: Kind.ACCOUNT, Role.TWEET_ID: Kind.TWEET}
_LOST = "ask the authority for the id as text, or for the URL"


class Reading(NamedTuple):
    """The result of reading a piece of text. `key` is None if the text is an error; then the last of its notes gives
    the reason.

    `weak` means that the text may not be a target at all: in a sentence it is only a word.
    """

    kind: Kind | None
    key: str | None
    handle: str | None = None
    notes: tuple[Note, ...] = ()
    weak: bool = False


def error(code: str, message: str, hint: str | None = None, kind: Kind | None = None, *, weak: bool = False) -> Reading:
    """Return the reading of refused text."""
    return Reading(kind, None, None, (note(code, message, hint),), weak)


def newest_id(received_at: datetime) -> int:
    """Return the largest id that a tweet created before an instant can have."""
    at = received_at + timedelta(milliseconds=1)
    if at <= EPOCH:
        return 0
    return first_id_at(at) - 1 if (at - EPOCH) // timedelta(milliseconds=1) < 1 << 41 else MAX_ID


def read_id(digits: str, kind: Kind, newest: int) -> Reading:
    """Read the id of an account or a tweet from ASCII digits.

    An id after `newest` did not exist when the order was received.
    """
    number = int(digits) if len(digits) <= 19 else MAX_ID + 1
    if not 0 < number <= MAX_ID:
        return error("id-out-of-range", f"id {quoted(digits)} is not between 1 and 2**63-1", "ids are 63-bit", kind)
    if digits[0] == "0":
        return error("malformed-id", f"id {quoted(digits)} begins with zeros", "write it as the platform does", kind)
    created = instant_of(number)
    if created is not None and number > newest:
        message = f"id {quoted(digits)} is of {created:%Y-%m-%d}, after the order was received"
        return error("id-in-future", message, "compare it with the order: a digit may be wrong", kind)
    return Reading(kind, f"{kind}:{number}")


def read_number(text: str, role: Role, newest: int) -> Reading | None:
    """Read text that consists of a number in any form, or return None."""
    if text.isascii() and text.isdigit():
        return _read_digits(text, role, newest)
    if any(map(str.isdigit, text)) and not text.isascii() and all(each.isdigit() or each in " ,." for each in text):
        return error("non-ascii-digits", f"{quoted(text)} has digits other than 0 to 9", "write it with 0 to 9")
    kind = _IDS.get(role)
    if _SCIENTIFIC.fullmatch(text):
        return error("precision-lost", f"{quoted(text)} has lost digits: {_range_of(text)}", _LOST, kind)
    if _DECIMAL.fullmatch(text):
        return error("id-not-text", f"{quoted(text)} is a floating-point number, so digits may be lost", _LOST, kind)
    if _BELOW_ZERO.fullmatch(text) or (_HEXADECIMAL.fullmatch(text) and kind):
        return error("id-out-of-range", f"{quoted(text)} is not an id", "ids are decimal digits", kind, weak=not kind)
    return None


def read_parts(text: str, role: Role, newest: int) -> list[tuple[str, Reading]] | None:
    """Read digits with separators between them: one id if there are 19 digits in all, several if each part is long.

    Return None for other text, and for short numbers in a column or line that need not have ids.
    """
    if not _IN_PARTS.fullmatch(text) or _DECIMAL.fullmatch(text):
        return None
    parts = re.findall(r"\d+", text)
    digits = "".join(parts)
    if len(digits) == 19:
        found = _read_digits(digits, role, newest)
        read_as = note("grouped-digits", f"{quoted(text)} was read as `{digits}`")
        return [(text, found._replace(notes=(read_as, *found.notes)))]
    if all(len(part) >= LONG for part in parts):
        return [(part, _read_digits(part, role, newest)) for part in parts]
    if role not in _IDS and len(digits) < LONG:
        return None
    message = f"{quoted(text)} has separators between its digits, and not 19 digits"
    return [(text, error("grouped-digits", message, "write only the digits of the id", _IDS.get(role)))]


def _read_digits(digits: str, role: Role, newest: int) -> Reading:
    if role in _IDS:
        return read_id(digits, _IDS[role], newest)
    if role is Role.HANDLE and len(digits) <= LONG:
        return Reading(Kind.ACCOUNT, f"account:@{digits}", digits, (ALL_DIGITS,))
    message = f"nothing states whether {quoted(digits)} is the id of an account or of a tweet"
    hint = "name the column `tweet id` or `account id`, or write `tweet:` or `account:` before it"
    return error("unknown-id-kind", message, hint, weak=len(digits) < LONG)


ALL_DIGITS = note("all-digits-handle", "the digits were read as a handle, not as the id of an account")


def _range_of(text: str) -> str:
    """Return a description of the ids that a number in scientific notation may stand for."""
    number = Decimal(text.replace(",", "."))
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    if number <= 0 or number + half > MAX_ID:
        return "it is not the number of any id"
    from_, until = instant_of(int(max(number - half, Decimal(1)))), instant_of(int(number + half))
    if from_ is None or until is None:
        return "many ids are written like this"
    return f"ids from {from_:%Y-%m-%d} to {until:%Y-%m-%d} are written like this"
