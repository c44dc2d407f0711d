"""The viewer, and where they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from withhold.errors import Problem, RuleSetWarning, TerritoryError, ViewerError, escaped, quoted
from withhold.model.ids import MAX_ID, check_id
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


#: The text that describes the source of a location, or a function that returns it, with its arguments: the text is made
#: when it is read. The source keeps no address, and at most a /24 or a /48 network.
Source = str | None | tuple[Any, ...]


class Viewer:
    """A viewer: their location as far as it is known, and their account if they are logged in. Immutable.

    `country` is an ISO 3166-1 code, or None for an unknown location. `subdivisions` are ISO 3166-2 codes in that
    country, each inside the next; a second code such as `FR-RE` in `FR` gives the country `RE`. `account_id` matters
    only for `Policy.author_sees_own`. `signal` describes the source of the location, and `explain` prints it. Viewers
    with the same location and account are equal, whatever the source.

    >>> Viewer(country="in", subdivisions=["IN-DL"]).location_key
    ('IN', ('IN-DL',))

    Raises `SubjectIdTypeError` or `SubjectIdError` for an invalid `account_id`, `TerritoryError` for a code that does
    not exist (for `XX` and the like use `Viewer.unknown()`), and `ViewerError` if country and subdivisions contradict
    each other (T4). The last two are `ValueError`s.
    """

    __slots__ = ("_account_id", "_location_key", "_source")

    _account_id: int | None
    _location_key: LocationKey
    _source: Source

    def __init__(
        self,
        *,
        country: str | None,
        subdivisions: Iterable[str] = (),
        account_id: int | None = None,
        signal: str | None = None,
    ) -> None:
        try:
            seen = country if subdivisions == () else (country, subdivisions)
            self._location_key = _LOCATION_KEYS[seen]  # type: ignore[index]
        except (KeyError, TypeError):
            self._location_key = _location_key(country, subdivisions)
        if account_id is not None and not (type(account_id) is int and 0 < account_id <= MAX_ID):
            account_id = check_id(account_id, "account_id")
        self._account_id = account_id
        self._source = signal

    @classmethod
    def unknown(cls, *, account_id: int | None = None, signal: str | None = None) -> Viewer:
        """Return a viewer with an unknown location."""
        return cls(country=None, account_id=account_id, signal=signal)

    @classmethod
    def located(cls, location_key: LocationKey, account_id: int | None, source: Source) -> Viewer:
        """Return a viewer at the location of another viewer. Neither argument is checked."""
        made = cls.__new__(cls)
        made._location_key, made._account_id, made._source = location_key, account_id, source
        return made

    @property
    def country(self) -> str | None:
        return self._location_key[0]

    @property
    def subdivisions(self) -> tuple[str, ...]:
        return self._location_key[1]

    @property
    def account_id(self) -> int | None:
        return self._account_id

    @property
    def signal(self) -> str | None:
        source = self._source
        return source[0](*source[1:]) if isinstance(source, tuple) else source

    @property
    def location_key(self) -> LocationKey:
        """The country and the subdivisions. All viewers at one location have the same object.

        A decision depends on nothing else about a viewer, except for `Policy.author_sees_own`.
        """
        return self._location_key

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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Viewer):
            return NotImplemented
        return self._location_key == other._location_key and self._account_id == other._account_id

    def __hash__(self) -> int:
        return hash((self._location_key, self._account_id))

    def __repr__(self) -> str:
        named = f"country={self.country!r}, subdivisions={self.subdivisions!r}, account_id={self.account_id!r}"
        return f"{type(self).__name__}({named}, signal={self.signal!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The source may refer to tables of tens of megabytes, so a pickle has its text.
        return _restored, (type(self), self.country, self.subdivisions, self.account_id, self.signal)

    def __str__(self) -> str:
        where = "unknown location" if self.country is None else ", ".join((self.country, *self.subdivisions))
        return f"{where} ({escaped(self.signal)})" if self.signal else where


def _restored(
    cls: type[Viewer], country: str | None, subdivisions: tuple[str, ...], account_id: int | None, signal: str | None
) -> Viewer:
    return cls(country=country, subdivisions=subdivisions, account_id=account_id, signal=signal)


#: Each location of a viewer so far, by its country, or by its country and subdivisions if it has any. Only canonical codes
#: of valid locations are in it, so it needs no limit: there are a few thousand.
_LOCATION_KEYS: dict[str | LocationKey | None, LocationKey] = {}


def _location_key(country: str | None, given: object) -> LocationKey:
    """Return the location that codes denote, one object for each location. Raises the errors of `Viewer`."""
    country = None if country is None else _read(country)
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
    key = (country, subdivisions)
    return _LOCATION_KEYS.setdefault(key if subdivisions else country, key)


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
