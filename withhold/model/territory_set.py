"""Exact sets of territories: unions and differences of countries, subdivisions and `WORLD`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from withhold.model.places import Places, largest, turns, united, within
from withhold.territories import WORLD, country_of, resolve, subdivisions


class TerritorySet:
    """A set of places, exact under `|`, `&`, `-` and `==`; immutable and hashable.

    >>> both = TerritorySet(["TR", "IN"]) | TerritorySet(["IN"])
    >>> str(both), list(both), "IN" in both
    ('IN, TR', ['IN', 'TR'], True)
    >>> str(TerritorySet(["WORLD"]) - TerritorySet(["US"]))
    'WORLD except US'
    >>> TerritorySet(["IN"]) | (TerritorySet(["WORLD"]) - TerritorySet(["IN"])) == TerritorySet(["WORLD"])
    True

    Iteration gives the largest codes that lie wholly inside: countries, then subdivisions of countries of
    which only a part is inside, or `WORLD` alone. `code in s` asks whether all of `code` is inside;
    it raises `TerritoryError` for a code that does not exist.
    """

    __slots__ = ("_places",)

    def __init__(self, codes: Iterable[str] = ()) -> None:
        """Unite `codes`, read as `territories.resolve` does; raises `TerritoryError`."""
        self._places = united(resolve(code).code for code in codes)

    @classmethod
    def of(cls, places: Places) -> TerritorySet:
        """Return the set of some places."""
        made = cls.__new__(cls)
        made._places = places
        return made

    @property
    def places(self) -> Places:
        """The places inside. The one of a country or region stands for what lies in no subdivision of it."""
        return self._places

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...]]]:
        # The bits belong to the ISO data of this process.
        return (_of_turns, (tuple(turns(self._places)),))

    def __or__(self, other: TerritorySet) -> TerritorySet:
        return self.of(self._places | other._places) if _is_set(other) else NotImplemented

    def __and__(self, other: TerritorySet) -> TerritorySet:
        return self.of(self._places & other._places) if _is_set(other) else NotImplemented

    def __sub__(self, other: TerritorySet) -> TerritorySet:
        return self.of(self._places & ~other._places) if _is_set(other) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._places == other._places if isinstance(other, TerritorySet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._places)

    def __bool__(self) -> bool:
        return self._places != 0

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and not within(resolve(code).code) & ~self._places

    def __iter__(self) -> Iterator[str]:
        yield from sorted(largest(self._places))

    def __str__(self) -> str:
        turned = [*turns(self._places)][::-1]
        whole = turned[-1:] == [WORLD]
        if whole:
            turned.pop()
        terms = ", ".join(_terms(turned, WORLD, state=whole))
        if whole:
            return f"{WORLD} except {terms}" if terms else WORLD
        return terms or "nowhere"

    def __repr__(self) -> str:
        return f"<TerritorySet {self}>"


NOWHERE = TerritorySet()


def _is_set(other: object) -> bool:
    """Return whether `other` is a `TerritorySet`: callers that no type checker reads may pass anything."""
    return isinstance(other, TerritorySet)


def _of_turns(codes: Iterable[str]) -> TerritorySet:
    places = 0
    for code in codes:
        places ^= within(code)
    return TerritorySet.of(places)


def _terms(turned: list[str], outer: str, *, state: bool) -> list[str]:
    """Take what lies in `outer`, whose own state this is, from the end of `turned`, and name it with what turns in it again."""
    terms = []
    while turned and within(turned[-1]) & within(outer):
        code = turned.pop()
        inner = ", ".join(_terms(turned, code, state=not state))
        terms.append(f"{code} ({'but' if state else 'except'} {inner})" if inner else code)
    return sorted(terms)


@cache
def directly_in(around: str) -> tuple[str, ...]:
    """Return the subdivisions that lie in a country or a subdivision, and in no other between."""
    return tuple(code for code, parent in subdivisions(country_of(around)).items() if parent == around)
