"""Split the text of a cell or a line into pieces, and read each of them.

A target in a sentence is an error, because nothing shows that the order covers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from withhold.demands.intake.broken import MOST, is_platform_url, joined
from withhold.demands.intake.cleaning import (
    ERROR_VALUE,
    REORDERED,
    SIGNS,
    STRIPPED,
    Linked,
    clean,
    shown_instead,
    trim,
)
from withhold.demands.intake.entries import Note, Role, note
from withhold.demands.intake.names import HANDLE
from withhold.demands.intake.numbers import Reading, error, read_parts
from withhold.demands.intake.targets import read_target
from withhold.errors import quoted

#: Separators of a list within a cell or line, other than blanks.
_SEPARATORS = re.compile(
    r"[;|]+|,(?=\s)|,(?=[@＠#＃]|https?:|(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com/)", re.IGNORECASE
)
_COMMAS = re.compile(r"[,;|]+")
#: A second URL without a blank before it, unless it is a parameter of the first.
_SECOND = re.compile(r"(?<!=)(?<!^)(?=https?://)", re.IGNORECASE)
# The number of an item of a list, or a bullet. `1.35E+18` has none.
_NUMBERING = re.compile(
    r"(?:[-–—]\s+|[•*·▪◦‣●]\s*)?(?:[(\[]?\d{1,4}[.):\]]+(?:\s+|(?=[@＠#＃h]))|#?\d{1,4}\s+(?=[@＠#＃]|https?:|\S+$))?",
    re.IGNORECASE,
)
#: Words before a target that show what it is, or that separate two targets.
_LABELS: dict[str, Role | None] = {
    **dict.fromkeys(["handle", "handles", "username", "usernames"], Role.HANDLE),
    **dict.fromkeys(["tweet", "tweets", "post", "posts", "status"], Role.TWEET_ID),
    **dict.fromkeys(["hashtag", "hashtags"], Role.HASHTAG),
    **dict.fromkeys(
        [
            "account",
            "accounts",
            "user",
            "users",
            "profile",
            "profiles",
            "twitter",
            "x",
            "url",
            "urls",
            "link",
            "links",
            "id",
            "ids",
            "and",
            "&",
            "-",
            "–",
            "—",
        ]
    ),
}
#: The largest number of digits that an id has.
_WHOLE = 19
_OF_ACCOUNT = ("account", "user", "profile")


class Piece(NamedTuple):
    """A part of a cell or line that is an entry of its own, and its reading."""

    text: str
    reading: Reading


class Line(NamedTuple):
    """The pieces of a cell or line. `words` are the others; without pieces, the line is prose.

    `used` counts the lines below that are parts of its last piece.
    """

    pieces: list[Piece]
    words: list[str]
    used: int = 0


class _Token(NamedTuple):
    text: str
    #: Whether it is the only one between two separators.
    alone: bool


def read_line(raw: str, role: Role, newest: int, *, declared: bool = False, below: Sequence[str] = ()) -> Line:
    """Read a cell, or a line of a text.

    If a header declares the role of a cell's column, other words in the cell are noted. Otherwise they make its
    targets errors. `newest` is the largest id that can be in the order. `below` are the next lines, if each consists of
    a single token.
    """
    if isinstance(raw, Linked):
        return _read_link(raw, role, newest, declared=declared, below=below)
    text, notes = clean(raw)
    if ERROR_VALUE.fullmatch(text):
        return Line([Piece(raw, error("spreadsheet-error", f"{quoted(text)} is the error of a formula"))], [])
    if text[:1] == "=":
        hint = "replace it by its result: formulas are not evaluated"
        return Line([Piece(raw, error("formula", f"{quoted(text)} is a formula", hint))], [])
    if REORDERED.search(raw):
        hint = "write it as it is shown in the order"
        message = f"{quoted(raw)} is shown in another order than it is written"
        return Line([Piece(raw, error("reordered-text", message, hint))], [])
    if (shown := shown_instead(raw)) is not None and _keys(shown, role, newest) - _keys(text, role, newest):
        return _other_link(raw, text, shown)
    pieces: list[Piece] = []
    doubtful: list[Piece] = []
    words: list[str] = []
    used = 0
    for part in (_COMMAS if role in (Role.HANDLE, Role.HASHTAG) else _SEPARATORS).split(text):
        if numbers := read_parts(trim(part.strip()), role, newest):
            pieces += (Piece(*number) for number in numbers)
            continue
        tokens = list(_tokens(part))
        hint_of = role
        at = 0
        while at < len(tokens):
            token, alone = tokens[at]
            at += 1
            bare = trim(token)
            if not any(map(str.isalnum, bare)) and bare not in "@#":
                continue
            label = bare.lower()
            if label in _LABELS and not (alone and role in (Role.HANDLE, Role.HASHTAG)):
                is_id = label in ("id", "ids") and at > 1 and trim(tokens[at - 2].text).lower() in _OF_ACCOUNT
                hint_of = Role.ACCOUNT_ID if is_id else _LABELS[label] or hint_of
                continue
            found = read_target(bare, hint_of, newest)
            if found.weak or (HANDLE.fullmatch(bare) and not bare.isdigit() and not alone and hint_of is role):
                words.append(bare)
                doubtful.append(Piece(bare, found))
                continue
            rest = [each.text for each in tokens[at : at + MOST]] or below
            count, found = joined(bare, found, rest, newest)
            if _is_cut(token, bare, found):
                message = f"{quoted(token)} ends with an ellipsis, so its end may be missing"
                found = error("truncated", message, "compare it with the order, or ask the authority", found.kind)
            if bare != token:
                found = found._replace(notes=(STRIPPED, *found.notes))
            pieces.append(Piece(" ".join([bare, *rest[:count]]), found))
            if at < len(tokens):
                at += count
            else:
                used = count
    if not pieces and _are_named(doubtful, text):
        pieces, words = doubtful, []
    if words and pieces:
        pieces = [_beside(piece, words, declared=declared) for piece in pieces]
    return Line(_noted(pieces, notes, raw), words, used)


def _read_link(raw: Linked, role: Role, newest: int, *, declared: bool, below: Sequence[str]) -> Line:
    """Read a cell with a link behind it. If it shows a target, the link must lead to that target."""
    shown, address = str(raw), raw.address
    named = _keys(shown, role, newest)
    if not named and not SIGNS.search(shown):
        reason = note("unwrapped", f"the link behind the text was read: {quoted(address)}")
        return Line(_noted(read_line(address, Role.TARGET, newest).pieces, (reason,), shown), [])
    linked = _keys(address, Role.TARGET, newest)
    if linked <= named and (linked or not named):
        return read_line(shown, role, newest, declared=declared, below=below)
    return _other_link(shown, address, shown)


def _other_link(raw: str, address: str, shown: str) -> Line:
    message = f"a link to {quoted(address)} is shown as {quoted(shown)}"
    return Line([Piece(raw, error("other-link", message, "ask the authority which of the two it means"))], [])


def _keys(text: str, role: Role, newest: int) -> set[str]:
    """Return what a text names."""
    found = (piece.reading.key for piece in read_line(text, role, newest).pieces)
    return {key for key in found if key is not None}


def _is_cut(token: str, bare: str, found: Reading) -> bool:
    """Return whether a name or an id ends in an ellipsis. Ids of 19 digits are whole."""
    if found.key is None or not re.match("…|\\.\\.", token.partition(bare)[2]):
        return False
    name = found.key.partition(":")[2].lstrip("@")
    return bare.lower().endswith(name) and not (name.isdigit() and len(name) == _WHOLE)


def _tokens(part: str) -> Iterator[_Token]:
    for line in map(str.strip, re.split(r"[\r\n]+", part)):
        tokens = line[_NUMBERING.match(line).end() :].split()  # type: ignore[union-attr]  # it matches any text
        for token in tokens:
            seconds = _SECOND.split(token) if is_platform_url(token) else [token]
            for text in seconds:
                yield _Token(text, len(tokens) == 1 and len(seconds) == 1)


def _are_named(doubtful: list[Piece], text: str) -> bool:
    """Return whether words that may not be targets are the whole text, or a list with separators."""
    return len(doubtful) == 1 or (
        len(doubtful) > 1
        and all(HANDLE.fullmatch(piece.text) for piece in doubtful)
        and all(len(part.split()) == 1 for part in _COMMAS.split(trim(text)))
    )


def _beside(piece: Piece, words: list[str], *, declared: bool) -> Piece:
    reading = piece.reading
    others = quoted(" ".join(words))
    if reading.key is None:
        return piece
    if declared:
        extra = note("extra-text", f"{others} beside it was not read")
        return piece._replace(reading=reading._replace(notes=(*reading.notes, extra)))
    message = f"{quoted(piece.text)} is in a sentence, with {others}"
    prose = note("in-prose", message, f"it may mean `{reading.key}`: a person must decide")
    return piece._replace(reading=Reading(reading.kind, None, reading.handle, (*reading.notes, prose)))


def _noted(pieces: list[Piece], notes: tuple[Note, ...], raw: str) -> list[Piece]:
    """Return pieces with the notes on the whole cell. A single piece keeps the text as received."""
    if len(pieces) == 1:
        ((_, reading),) = pieces
        return [Piece(raw, reading._replace(notes=(*notes, *reading.notes)) if notes else reading)]
    more = (*notes, note("split", f"it is one of {len(pieces)} in the same place"))
    return [Piece(text, reading._replace(notes=(*more, *reading.notes))) for text, reading in pieces]
