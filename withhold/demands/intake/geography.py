"""Read the territories of an order, with notes on questions that a person should ask the authority."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from withhold.demands.intake.entries import Note, note
from withhold.lint.jurisdiction import OVERSEAS
from withhold.territories import expand, name_of


class Geography(NamedTuple):
    """The codes of territories, and notes on them."""

    codes: tuple[str, ...]
    notes: tuple[Note, ...]


def read_geography(texts: Iterable[str]) -> Geography:
    """Read codes of territories as an order writes them. A group becomes its countries. Raises `TerritoryError`.

    >>> found = read_geography(["UK"])
    >>> found.codes, [code for code, _ in found.notes]
    (('GB',), ['territory-alias', 'overseas-left-out'])
    """
    codes: list[str] = []
    notes: list[Note] = []
    for text in texts:
        for code, alias in expand(text):
            if alias is not None:
                notes.append(note("territory-alias", f"`{alias}` was read as `{code}`"))
            codes.append(code)
    for code in dict.fromkeys(codes):
        others = [other for other in OVERSEAS.get(code, ()) if other not in codes]
        if others:
            message = f"`{code}` ({name_of(code)}) does not include {', '.join(f'`{other}`' for other in others)}"
            notes.append(note("overseas-left-out", message, "ask the authority which of them it means"))
    return Geography(tuple(dict.fromkeys(codes)), tuple(notes))
