"""Exact sets of territories: unions and differences of countries, subdivisions and `WORLD`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NoReturn

from withhold.model.places import Places, everywhere, largest, membership_changes, within, within_any
from withhold.territories import WORLD, countries, country_of, resolve, subdivisions


class TerritorySet:
    """A set of places. `|`, `&`, `-` and `==` are exact; it is immutable and hashable.

    >>> both = TerritorySet(["TR", "IN"]) | TerritorySet(["IN"])
    >>> str(both), list(both), "IN" in both
    ('IN, TR', ['IN', 'TR'], True)
    >>> str(TerritorySet(["WORLD"]) - TerritorySet(["US"]))
    'WORLD except US'
    >>> TerritorySet(["IN"]) | (TerritorySet(["WORLD"]) - TerritorySet(["IN"])) == TerritorySet(["WORLD"])
    True

    Iteration gives, in alphabetical order, the largest codes that are wholly inside: `WORLD` alone, or countries, and
    subdivisions of countries that are only partly inside. `code in s` tests whether all of `code` is inside, and raises
    `TerritoryError` for a code that does not exist.
    """

    __slots__ = ("_places",)

    def __init__(self, codes: Iterable[str] = ()) -> None:
        """Create the union of `codes`, in any case and with aliases. Raises `TerritoryError` for an unknown code."""
        self._places = within_any(resolve(code).code for code in codes)

    @classmethod
    def of(cls, places: Places) -> TerritorySet:
        """Return the set of the given places."""
        made = cls.__new__(cls)
        made._places = places
        return made

    @property
    def places(self) -> Places:
        """The places inside. That of a country or region represents the part of it that is in no subdivision."""
        return self._places

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...]]]:
        # Codes, because the bits depend on the ISO data of this process.
        return (_from_changes, (tuple(membership_changes(self._places)),))

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

    def complement(self) -> TerritorySet:
        """Return all places that are not in the set, including those outside all countries.

        >>> str(TerritorySet(["IN"]).complement()), TerritorySet(["WORLD"]).complement() == TerritorySet()
        ('WORLD except IN', True)
        """
        return self.of(everywhere() & ~self._places)

    def countries(self) -> tuple[str, ...]:
        """Return the countries that are wholly in the set, in alphabetical order: for `WORLD`, every country.

        A country that is only partly in the set is left out; iteration gives its parts.

        >>> TerritorySet(["IN", "US-MS", "EE"]).countries(), len(TerritorySet(["WORLD"]).countries())
        (('EE', 'IN'), 250)
        """
        return tuple(sorted(code for code in countries() if not within(code) & ~self._places))

    def keys(self) -> NoReturn:
        """Raise `TypeError`: `dict(territories)` would read a code as a key and a value.

        FastAPI tries this when a service returns a decision without a response model. A decision, which names demands and
        rules, is thus never published.
        """
        raise not_for_viewers("a decision or a set of territories")

    def __str__(self) -> str:
        changes = [*membership_changes(self._places)][::-1]
        whole = changes[-1:] == [WORLD]
        if whole:
            changes.pop()
        terms = ", ".join(_terms(changes, WORLD, inside=whole))
        if whole:
            return f"{WORLD} except {terms}" if terms else WORLD
        return terms or "nowhere"

    def __repr__(self) -> str:
        return f"<TerritorySet {self}>"


NOWHERE = TerritorySet()


def _is_set(other: object) -> bool:
    """Return whether `other` is a `TerritorySet`. A function, so that type checkers do not narrow the type."""
    return isinstance(other, TerritorySet)


def not_for_viewers(what: str) -> TypeError:
    """Return the error for a value that a web framework would publish though it is for operators only."""
    hint = "answer viewers with `Notice.of(decision)` of `withhold.serving.notices`"
    return TypeError(f"{what} cannot be serialised or be a response model [not-for-viewers]; {hint}")


def _from_changes(codes: Iterable[str]) -> TerritorySet:
    places = 0
    for code in codes:
        places ^= within(code)
    return TerritorySet.of(places)


def _terms(changes: list[str], outer: str, *, inside: bool) -> list[str]:
    """Remove the codes inside `outer` from the end of `changes`, and return them as text.

    Each code is followed by its own exceptions. `inside` is whether `outer` itself is in the set.
    """
    terms = []
    while changes and within(changes[-1]) & within(outer):
        code = changes.pop()
        inner = ", ".join(_terms(changes, code, inside=not inside))
        terms.append(f"{code} ({'but' if inside else 'except'} {inner})" if inner else code)
    return sorted(terms)


@cache
def directly_in(around: str) -> tuple[str, ...]:
    """Return the subdivisions directly inside a country or a subdivision."""
    return tuple(code for code, parent in subdivisions(country_of(around)).items() if parent == around)
