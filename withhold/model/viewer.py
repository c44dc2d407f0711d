"""The viewer, and where they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from withhold.errors import Problem, RuleSetWarning, TerritoryError, ViewerError, escaped, quoted
from withhold.model.ids import check_id
from withhold.territories import (
    UNKNOWN_IN_DATA,
    WORLD,
    containing,
    country_of,
    current,
    is_subdivision,
    name_of,
    resolve,
)

#: A location as far as it is known: a country (None if unknown) and subdivisions of it. Decisions are cached by it.
LocationKey = tuple[str | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A viewer: their location as far as it is known, and their account if they are logged in.

    `country` is an ISO 3166-1 code, or None for an unknown location. `subdivisions` are ISO 3166-2 codes in that
    country, each inside the next; a second code such as `FR-RE` in `FR` gives the country `RE`. `account_id` matters
    only for `Policy.author_sees_own`. `signal` describes the source of the location, and `explain` prints it.

    >>> Viewer(country="in", subdivisions=["IN-DL"]).location_key
    ('IN', ('IN-DL',))

    Raises `SubjectIdTypeError` or `SubjectIdError` for an invalid `account_id`, `TerritoryError` for a code that does
    not exist (for `XX` and the like use `Viewer.unknown()`), and `ViewerError` if country and subdivisions contradict
    each other (T4). The last two are `ValueError`s.
    """

    country: str | None
    subdivisions: tuple[str, ...] = ()
    account_id: int | None = None
    signal: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            country: str | None,
            subdivisions: Iterable[str] = (),
            account_id: int | None = None,
            signal: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        country = None if self.country is None else _read(self.country)
        given: object = self.subdivisions
        if isinstance(given, str):
            raise ViewerError(
                Problem("bad-viewer", f"subdivisions {quoted(given)} is text, not a list", hint=f"write `({given!r},)`")
            )
        if not isinstance(given, Iterable):
            raise ViewerError(Problem("bad-viewer", f"subdivisions {quoted(given)} is not a list of codes"))
        if country is not None and (is_subdivision(country) or country == WORLD):
            hint = f"write `country={country_of(country)!r}, subdivisions=({country!r},)`" if country != WORLD else None
            raise ViewerError(Problem("bad-viewer", f"`{country}` is not a country", hint=hint))
        written = tuple(given)
        country, subdivisions = _located(country, written, tuple(map(_read, written)))
        for code in subdivisions:
            if not is_subdivision(code) or country_of(code) != country:
                wrong = f"contradicts country `{country}`" if country else "has no country"
                hint = _contradiction(country, code)
                raise ViewerError(Problem("bad-viewer", f"subdivision `{code}` {wrong}", hint=hint))
        narrowest = max(subdivisions, key=lambda code: len(containing(code)), default="")
        if not all(code in containing(narrowest) for code in subdivisions):
            named = " and ".join(f"`{code}`" for code in subdivisions)
            hint = "give nested subdivisions only"
            raise ViewerError(Problem("bad-viewer", f"nobody can be in {named} at once", hint=hint))
        if self.account_id is not None:
            object.__setattr__(self, "account_id", check_id(self.account_id, "account_id"))
        object.__setattr__(self, "country", country)
        object.__setattr__(self, "subdivisions", subdivisions)

    @classmethod
    def unknown(cls, *, account_id: int | None = None, signal: str | None = None) -> Viewer:
        """Return a viewer with an unknown location."""
        return cls(country=None, account_id=account_id, signal=signal)

    @property
    def location_key(self) -> LocationKey:
        """The country and the subdivisions.

        A decision depends on nothing else about a viewer, except for `Policy.author_sees_own`.
        """
        return (self.country, self.subdivisions)

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments of an equal viewer as JSON values.

        >>> viewer = Viewer(country="US", subdivisions=["US-MS"], account_id=1101)
        >>> Viewer(**viewer.to_dict()) == viewer
        True
        """
        return {
            "country": self.country,
            "subdivisions": list(self.subdivisions),
            "account_id": self.account_id,
            "signal": self.signal,
        }

    def __str__(self) -> str:
        where = "unknown location" if self.country is None else ", ".join((self.country, *self.subdivisions))
        return f"{where} ({escaped(self.signal)})" if self.signal else where


def viewer_text(viewer: Viewer) -> str:
    """Return text for a viewer in the middle of a sentence.

    >>> viewer_text(Viewer(country="IN")), viewer_text(Viewer.unknown(signal="Tor"))
    ('a viewer in IN', 'a viewer at an unknown location (Tor)')
    """
    return f"a viewer {'at an' if viewer.country is None else 'in'} {viewer}"


def is_in(place: LocationKey, code: str) -> bool | None:
    """Return whether a place is in a territory (T4); None means *unknown*. `code` must be canonical.

    >>> is_in(("US", ()), "US-MS"), is_in(("US", ("US-TX",)), "US-MS"), is_in((None, ()), "WORLD")
    (None, False, True)

    Containment holds at every level. A viewer in `IT-RM` is in `IT-62`. If a viewer is known only to be in
    `IT-62`, it is unknown whether they are in `IT-RM`.
    """
    country, known = place
    if code == WORLD or any(code in containing(inner) for inner in (country, *known) if inner):
        return True
    if country is None or (country_of(code) == country and not known):
        return None
    narrowest = [inner for inner in known if not any(inner in containing(other)[1:] for other in known)]
    return None if any(inner in containing(code) for inner in narrowest) else False


def _located(country: str | None, written: Iterable[str], codes: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return the country and the subdivisions. A second code such as `FR-RE` changes the country to `RE` (T5)."""
    pairs = list(zip(written, codes, strict=True))
    for text, code in pairs if country is not None else ():
        if country_of(code) != country and current(country_of(text.strip().upper())) == country:
            country = country_of(code)
            break
    kept = {code for text, code in pairs if code != country or not is_subdivision(text)}
    return country, tuple(sorted(kept))


def _contradiction(country: str | None, code: str) -> str:
    if is_subdivision(code):
        return f"`{code}` is in `{country_of(code)}`"
    within = current(f"{country}-{code}")
    if within not in (None, code):
        return f"write `{country}-{code}` for {name_of(f'{country}-{code}')}: `{code}` is {name_of(code)}"
    return "it has its own country code: use it as `country`"


def _read(code: str) -> str:
    if not isinstance(code, str):
        raise TerritoryError(Problem("unknown-territory", f"{quoted(code)} is not a territory code"))
    try:
        found, alias = resolve(code)
    except TerritoryError as error:
        if code.strip().upper() not in UNKNOWN_IN_DATA:
            raise
        hint = f"{error.hint}: use `Viewer.unknown()`"
        raise TerritoryError(Problem(error.code, error.problem.message, hint=hint)) from None
    if alias:
        warnings.warn(f"`{alias}` was read as `{found}` [territory-alias]", RuleSetWarning, stacklevel=4)
    return found
