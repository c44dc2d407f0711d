"""Exact sets of territories: unions and differences of countries, subdivisions and `WORLD`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from withhold.territories import WORLD, containing, countries, country_of, is_subdivision, resolve, subdivisions

# What a set has of one country: all of it, nothing, or some of its points. A point is a subdivision less
# the ones inside it; the country's own code is the point for what lies in no subdivision. So a region and
# its provinces never count twice, and sets can be compared.
_Part = bool | frozenset[str]


@cache
def _points(code: str) -> frozenset[str]:
    country = country_of(code)
    inside = (country, *subdivisions(country))
    return frozenset(point for point in inside if code in containing(point))


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

    __slots__ = ("_elsewhere", "_parts")

    def __init__(self, codes: Iterable[str] = ()) -> None:
        """Unite `codes`, read as `territories.resolve` does; raises `TerritoryError`."""
        found = [resolve(code).code for code in codes]
        self._elsewhere = WORLD in found
        whole: dict[str, _Part] = {}
        for code in found if not self._elsewhere else ():
            country = country_of(code)
            part = _points(code) if is_subdivision(code) else True
            whole[country] = _combined(country, whole.get(country, False), part, frozenset.__or__)
        self._parts = whole

    @classmethod
    def _of(cls, elsewhere: bool, parts: dict[str, _Part]) -> TerritorySet:
        made = cls.__new__(cls)
        made._elsewhere = elsewhere
        made._parts = {country: part for country, part in parts.items() if part != elsewhere}
        return made

    def _part(self, country: str) -> _Part:
        return self._parts.get(country, self._elsewhere)

    def _with(
        self, other: TerritorySet, operation: Callable[[frozenset[str], frozenset[str]], frozenset[str]]
    ) -> TerritorySet:
        named = sorted({*self._parts, *other._parts})
        # A country that neither names stands for all of them; it is whole or absent on both sides.
        elsewhere = _combined("", self._elsewhere, other._elsewhere, operation)
        parts = {c: _combined(c, self._part(c), other._part(c), operation) for c in named}
        return self._of(elsewhere is True, parts)

    def __or__(self, other: object) -> TerritorySet:
        return self._with(other, frozenset.__or__) if isinstance(other, TerritorySet) else NotImplemented

    def __and__(self, other: object) -> TerritorySet:
        return self._with(other, frozenset.__and__) if isinstance(other, TerritorySet) else NotImplemented

    def __sub__(self, other: object) -> TerritorySet:
        return self._with(other, frozenset.__sub__) if isinstance(other, TerritorySet) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TerritorySet):
            return NotImplemented
        return (self._elsewhere, self._parts) == (other._elsewhere, other._parts)

    def __hash__(self) -> int:
        return hash((self._elsewhere, frozenset(self._parts.items())))

    def __bool__(self) -> bool:
        return self._elsewhere or bool(self._parts)

    def __contains__(self, code: object) -> bool:
        if not isinstance(code, str):
            return False
        code = resolve(code).code
        if code == WORLD:
            return self._elsewhere and not self._parts
        part = self._part(country_of(code))
        return part if isinstance(part, bool) else _points(code) <= part

    def __iter__(self) -> Iterator[str]:
        if WORLD in self:
            yield WORLD
            return
        for country in countries() if self._elsewhere else sorted(self._parts):
            part = self._part(country)
            if part is True:
                yield country
            elif part:
                yield from (
                    code
                    for code, around in subdivisions(country).items()
                    if _points(code) <= part and not _points(around) <= part
                )

    def __str__(self) -> str:
        terms = ", ".join(sorted(self._terms(WORLD, self._elsewhere)))
        if not self._elsewhere:
            return terms or "nowhere"
        return f"{WORLD} except {terms}" if terms else WORLD

    def __repr__(self) -> str:
        return f"<TerritorySet {self}>"

    def _terms(self, around: str, state: bool) -> Iterator[str]:
        """Name what lies directly or deeper in `around` and is not in `state`, with what in it is again."""
        inside = sorted(self._parts) if around == WORLD else directly_in(around)
        for code in inside:
            part = self._part(country_of(code))
            here = part if isinstance(part, bool) else code in part
            if here == state:
                yield from () if isinstance(part, bool) else self._terms(code, state)
                continue
            but = [] if isinstance(part, bool) else sorted(self._terms(code, here))
            yield f"{code} ({'except' if here else 'but'} {', '.join(but)})" if but else code


NOWHERE = TerritorySet()


def _combined(
    country: str, a: _Part, b: _Part, operation: Callable[[frozenset[str], frozenset[str]], frozenset[str]]
) -> _Part:
    """Apply a set operation to two parts of one country; whole and nothing come back as True and False."""
    everything = frozenset([""]) if isinstance(a, bool) and isinstance(b, bool) else _points(country)
    a, b = (everything if part is True else part or frozenset() for part in (a, b))
    result = operation(a, b)
    return result == everything if result in (everything, frozenset()) else result


@cache
def directly_in(around: str) -> tuple[str, ...]:
    """Return the subdivisions that lie in a country or a subdivision, and in no other between."""
    return tuple(code for code, parent in subdivisions(country_of(around)).items() if parent == around)
