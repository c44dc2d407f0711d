"""Which addresses are anonymous: what one record of an Anonymous-IP database and the like says.

MaxMind's flags are read (`is_tor_exit_node`), IPinfo's (`is_vpn`, or `vpn` alone), and others that are named so, as
booleans, numbers or text, also inside other maps. A database that has none of them is refused, unless its type is
that of a list, such as MaxMind's Residential-Proxy: being listed means it then.

A hosting provider alone hides nobody's place. MaxMind sets `is_anonymous` for it as well, beside
`is_hosting_provider`, so there the two together mark nobody. IPinfo's `is_anonymous` leaves `is_hosting` out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem
from withhold.location.headers import printable
from withhold.location.schema import NO_RECORD, SAMPLE, Place, map_of

#: What a viewer is behind, the most telling first.
ANONYMISERS = ("Tor exit", "VPN", "residential proxy", "public proxy", "proxy", "relay", "anonymiser")
HOSTING, HOSTING_PROVIDER = "hosting", "hosting provider"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_OF_FLAGS = frozenset(
    (
        *("tor", "exit", "node", "vpn", "proxy", "proxies", "relay", "public", "open", "web", "residential", "res"),
        *("private", "hosting", "provider"),
    )
)
_TRUE, _FALSE = frozenset(("true", "1", "yes", "y", "t")), frozenset(("false", "0", "no", "n", "f", "", "-"))


class AnonymousSchema(NamedTuple):
    """How a database says who is anonymous: by flags, or by being `listed` as something."""

    listed: str | None = None

    @property
    def name(self) -> str:
        return "anonymous"

    def read(self, record: object) -> Place:
        """Return what a record says; None is no record. Raises `GeoIPError` for one that is not understood."""
        return NO_RECORD if record is None else Place(anonymiser=self._anonymiser(map_of(record)))

    def flags(self, record: object) -> frozenset[str]:
        """Return what a record says that its addresses are, hosting included."""
        flags = list(_flags(map_of(record)))
        if not flags and self.listed:
            return frozenset((self.listed,))
        return frozenset(flag for flag, is_set in flags if is_set)

    def _anonymiser(self, record: Mapping[str, object]) -> str | None:
        flags = self.flags(record)
        found = next((name for name in ANONYMISERS if name in flags), None)
        return None if found == "anonymiser" and HOSTING_PROVIDER in flags else found


def tell_anonymous(kind: str, records: Iterable[object]) -> AnonymousSchema:
    """Return how a database of the type `kind` says who is anonymous.

    Raises `GeoIPError` (`unknown-schema`) if it does not, or in a way that is not understood.
    """
    # A type that says no more than `proxy` may well list hosting providers too.
    listed = _flag([word for word in _words(kind) if word in _OF_FLAGS])
    listed = listed if listed in ANONYMISERS and listed != "proxy" else None
    all_of = iter(records)
    sample = [record for record in islice(all_of, SAMPLE) if isinstance(record, dict)]
    flagged = [flag for record in sample for flag, _ in _flags(record)]
    # A sample without flags need not be all of a database that has them, but is of a list.
    for record in () if listed or flagged else all_of:
        flagged += [flag for flag, _ in _flags(record)] if isinstance(record, dict) else []
        if flagged:
            break
    if any(flag in ANONYMISERS for flag in flagged):
        return AnonymousSchema()
    if listed and sample and not flagged:
        return AnonymousSchema(listed)
    found = ", ".join(f"`{printable(key, 40)}`" for key in [*dict.fromkeys(chain.from_iterable(sample[:100]))][:10])
    message = f"no record of the `{printable(kind)}` database says who is anonymous"
    raise GeoIPError(
        Problem(
            "unknown-schema",
            f"{message}: its keys are {found}" if found else message,
            hint="flags that are understood are like `is_tor_exit_node`, `is_vpn`, `proxy` or `is_anonymous`",
        )
    )


def _flags(record: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Yield the flags of a record, and whether each is set."""
    for key, value in record.items():
        flag = _flag(_words(key))
        if isinstance(value, dict):
            inner = list(_flags(value))
            yield from inner
            if not inner and value and flag in ANONYMISERS:
                raise _not_understood(key, value)
        elif flag is not None:
            yield flag, _is_set(key, value)


def _words(key: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(key)]
    return [part for word in words for part in ("residential", "proxy") if word == "resproxy"] + [
        word[2:] if word[2:] in ("tor", "vpn", "proxy", "relay", "anonymous", "hosting") and word[:2] == "is" else word
        for word in words
    ]


def _flag(words: list[str]) -> str | None:
    """Return what the words of a key flag, None if it is no flag."""
    said = set(words) - {"is"}
    anonymous = any(word.startswith("anonym") for word in said)
    if "legitimate" in said or not (
        "is" in words or all(word in _OF_FLAGS or word.startswith("anonym") for word in said)
    ):
        return None
    if "hosting" in said:
        return HOSTING_PROVIDER if "provider" in said else HOSTING
    if "tor" in said:
        return "Tor exit"
    if "vpn" in said:
        return "VPN"
    if said & {"proxy", "proxies"}:
        residential = said & {"residential", "res"}
        return "residential proxy" if residential else "public proxy" if said & {"public", "open"} else "proxy"
    return "relay" if "relay" in said else "anonymiser" if anonymous else None


def _is_set(key: str, value: object) -> bool:
    text = str(int(value)) if isinstance(value, (bool, float)) and value in (0, 1) else str(value).strip().lower()
    if text not in _TRUE | _FALSE or not isinstance(value, (bool, int, float, str)):
        raise _not_understood(key, value)
    return text in _TRUE


def _not_understood(key: str, value: object) -> GeoIPError:
    message = f"a record has `{printable(str(value), 40)}` for `{printable(key, 40)}`, which is neither true nor false"
    return GeoIPError(Problem("unknown-schema", message, hint="flags are booleans, or `0`, `1`, `true` or `false`"))
