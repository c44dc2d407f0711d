"""Parse ids in text: only decimal digits are accepted, and the error names the form of any other id."""

from __future__ import annotations

import re

from withhold.errors import Problem, SubjectIdError, excerpt, quoted
from withhold.model.ids import MAX_ID, check_id
from withhold.parsing.id_forms import misread

_DIGITS = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?[0-9]*(?:\.?[0-9]*(?:[eE][-+]?[0-9]+)?|,[0-9]*[eE][-+]?[0-9]+|,0+)", re.ASCII)


def id_from_text(text: str, name: str = "id") -> int:
    """Read an id from decimal digits (A4).

    >>> id_from_text("1101")
    1101

    Raises `SubjectIdError`. The message quotes at most 20 characters, and only letters and digits if the text is not a
    number, because it may be a line of a confidential file.
    """
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < (number := int(text)) <= MAX_ID:
        return number  # quickly, because lists are long
    if _DIGITS.fullmatch(text):
        if len(text) <= 20:
            return check_id(int(text), name)
        digits = text.lstrip("+-0")  # Python reads at most 4,300 digits
        if len(digits) <= 19:
            return check_id(int(f"{'-' * text.startswith('-')}{digits or 0}"), name)
        message = f"{name} {excerpt(digits)} is not between 1 and 2**63-1"
        raise SubjectIdError(Problem("id-out-of-range", message, hint="ids are 63-bit"))
    if len(text) < 40 and any(map(str.isdigit, text)) and _FLOAT.fullmatch(text):
        hint = "restore all its digits from its source"
        cut = text if len(text) <= 20 else f"{text[:20]}…"
        raise SubjectIdError(
            Problem("lossy-id", f"{name} {quoted(cut)} is written as a floating-point number", hint=hint)
        )
    wrong, hint = "is not a number", "ids are decimal digits"
    if form := misread(text):
        wrong, hint = f"is not a number: it {form.message}", form.hint
    elif "," in text:
        hint = "put brackets around a list: `[1101, 1102]`"
    raise SubjectIdError(Problem("bad-id", f"{name} {excerpt(text)} {wrong}", hint=hint))
