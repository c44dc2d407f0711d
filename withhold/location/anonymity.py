"""Which addresses are anonymous: what one record of an Anonymous-IP database and the like says.

MaxMind's flags are read (`is_tor_exit_node`), IPinfo's (`is_vpn`, or `vpn` alone), and others that are named so, as
booleans, numbers or text, also inside other maps and lists. The name of a provider counts (`vpn_provider`), and so do
texts that name a flag (`type` is `VPN`). A key that names a VPN, Tor, a proxy, a relay or anonymity in another way is
refused with the database: `vpn_free` is no flag, but says something. A database that has no flags is refused too,
unless its type is that of a list, such as MaxMind's Residential-Proxy: being listed means it then.

A hosting provider alone hides nobody's place. MaxMind sets `is_anonymous` for it as well, beside
`is_hosting_provider`, so there the two together mark nobody. IPinfo's `is_anonymous` leaves `is_hosting` out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem
from withhold.location.headers import printable
from withhold.location.schema import NO_RECORD, SAMPLE, RecordPlace, map_of

#: What a viewer is behind, the most telling first.
ANONYMISERS = ("Tor exit", "VPN", "residential proxy", "public proxy", "proxy", "relay", "anonymiser")
HOSTING, HOSTING_PROVIDER = "hosting", "hosting provider"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_OF_FLAGS = frozenset(
    (
        *("tor", "exit", "node", "vpn", "vpns", "proxy", "proxies", "relay", "relays", "public", "open", "web", "res"),
        *("residential", "private", "hosting", "provider", "is", "has", "uses", "or", "known", "detected", "service"),
        *("services", "privacy", "icloud", "apple", "mobile", "http", "https", "socks", "4", "5", "ssl", "datacenter"),
        *(
            "data",
            "center",
            "corporate",
            "business",
            "enterprise",
            "consumer",
            "commercial",
            "network",
            "server",
            "user",
        ),
        *("ip", "ips", "address", "addresses", "users", "traffic", "connection"),
        *("anonymous", "anonymizer", "anonymiser", "anonymizing", "anonymising", "traits"),
    )
)
#: Parts of words that name what a viewer is behind. `tor` is in too many others, and is a word of its own here.
_TELLING = re.compile(r"vpn|prox(y|ies|ied)|relay|anonym|\btor\b")
#: Last words of keys whose texts name flags, and of those whose texts name a provider.
_OF_TYPES = frozenset(
    (
        *("type", "types", "category", "categories", "kind", "class", "classification", "flag", "flags", "tag", "tags"),
        *("label", "labels", "privacy", "anonymity", "threat", "threats", "risk", "risks", "detection", "detections"),
    )
)
_OF_NAMES = frozenset(("provider", "providers", "service", "services", "name", "names"))
_NO_NAME = frozenset(("", "-", "0", "false", "no", "none", "null", "n/a"))
_UNDERSTOOD = "flags that are understood are like `is_tor_exit_node`, `is_vpn`, `proxy` or `is_anonymous`"
#: More than no confidence that an address is anonymous. Lists have it too, so it is no flag.
_CONFIDENT = "confident"
_TRUE, _FALSE = frozenset(("true", "1", "yes", "y", "t")), frozenset(("false", "0", "no", "n", "f", "", "-"))


class AnonymousSchema(NamedTuple):
    """How a database says who is anonymous: by flags, or by being `listed` as something."""

    listed: str | None = None

    @property
    def name(self) -> str:
        return "anonymous"

    def read(self, record: object) -> RecordPlace:
        """Return what a record says; None is no record. Raises `GeoIPError` for one that is not understood."""
        return NO_RECORD if record is None else RecordPlace(anonymiser=self._anonymiser(map_of(record)))

    def flags(self, record: object) -> frozenset[str]:
        """Return what a record says that its addresses are, hosting included."""
        flags = list(_flags(map_of(record)))
        if self.listed and all(flag == _CONFIDENT for flag, _ in flags):
            return frozenset((self.listed,))
        return frozenset("anonymiser" if flag == _CONFIDENT else flag for flag, is_set in flags if is_set)

    def _anonymiser(self, record: Mapping[str, object]) -> str | None:
        flags = self.flags(record)
        found = next((name for name in ANONYMISERS if name in flags), None)
        return None if found == "anonymiser" and HOSTING_PROVIDER in flags else found


def tell_anonymous(kind: str, records: Iterable[object]) -> AnonymousSchema:
    """Return how a database of the type `kind` says who is anonymous.

    Raises `GeoIPError` (`unknown-schema`) if it does not, or in a way that is not understood.
    """
    # A type that says no more than `proxy` or `anonymous` may well list hosting providers too.
    listed = _flag([word for word in _words(kind) if word in _OF_FLAGS])
    listed = listed if listed in ANONYMISERS and listed not in ("proxy", "anonymiser") else None
    all_of = iter(records)
    sample = [record for record in islice(all_of, SAMPLE) if isinstance(record, dict)]
    flagged = [flag for record in sample for flag, _ in _flags(record) if flag != _CONFIDENT]
    # A sample without flags need not be all of a database that has them, but is of a list.
    for record in () if listed or flagged else all_of:
        if isinstance(record, dict):
            flagged += [flag for flag, _ in _flags(record) if flag != _CONFIDENT]
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
            hint=_UNDERSTOOD,
        )
    )


def _flags(record: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Yield the flags of a record, and whether each is set."""
    for key, value in record.items():
        words = _words(key)
        if "legitimate" in words:
            continue
        flag, last, telling = _flag(words), words[-1] if words else "", _is_telling(words)
        if isinstance(value, (dict, list)):
            yield from _inside(key, value)
        elif isinstance(value, str) and last in _OF_TYPES:
            yield from _named(key, value)
        elif isinstance(value, str) and last in _OF_NAMES and "is" not in words:
            # A name is no flag of a hosting provider, beside which being anonymous does not count.
            flag = flag or _flag(words[:-1])
            if flag is not None:
                yield HOSTING if flag == HOSTING_PROVIDER else flag, value.strip().lower() not in _NO_NAME
            elif telling and value.strip():
                raise _unknown_key(key, value)
        elif telling and last == "confidence":
            yield _CONFIDENT, _number(key, value) > 0
        elif flag is not None:
            yield flag, _is_set(key, value)
        elif telling:
            raise _unknown_key(key, value)


def _inside(key: str, value: dict[str, object] | list[object]) -> Iterator[tuple[str, bool]]:
    """Yield the flags in a map or a list; raises `GeoIPError` if one that a telling key has is not understood."""
    telling = _is_telling(_words(key))
    found: list[tuple[str, bool]] = []
    rest = False
    of_types = telling or not _OF_TYPES.isdisjoint(_words(key)[-1:])
    for part in [{name: inner} for name, inner in value.items()] if isinstance(value, dict) else value:
        if isinstance(part, dict):
            flags = list(_flags(part))
        elif isinstance(part, str) and of_types:
            flags = list(_named(key, part))
        else:
            flag = _flag(_words(part)) if isinstance(part, str) else None
            flags = [(flag, True)] if flag in ANONYMISERS else []
        found += flags
        rest = rest or not (flags or part in ({}, "") or (isinstance(part, dict) and "" in part.values()))
    if telling and rest and not any(is_set for _, is_set in found):
        # `{"vpn": {"name": "a"}}` says something of a VPN, and who is behind it remains open.
        raise _not_understood(key, value)
    yield from found


def _named(key: str, text: str) -> Iterator[tuple[str, bool]]:
    """Yield the flag that a text names; raises `GeoIPError` if the text or its key is about one that is not known."""
    if text.strip().lower() in _NO_NAME:
        return
    words = _words(text)
    flag = _flag(words)
    if flag is not None:
        if flag in ANONYMISERS:
            yield flag, True
    elif _is_telling(words) or _is_telling(_words(key)):
        raise _not_understood(key, text) if _flag(_words(key)) else _unknown_key(key, text)


@lru_cache(maxsize=4096)
def _words(key: str) -> list[str]:
    """Return the words of a key or a text in lower case; those that are written together are taken apart."""
    return [part for word in _WORD.findall(key) for part in _apart(word.lower()) or [word.lower()]]


def _apart(word: str) -> list[str]:
    """Return the words of flags of which a word consists, none if it does not."""
    if word in _OF_FLAGS or len(word) > 40:
        return [word]
    for end in range(len(word) - 1, 1, -1):
        if word[:end] in _OF_FLAGS and (rest := _apart(word[end:])):
            return [word[:end], *rest]
    return []


def _is_telling(words: list[str]) -> bool:
    return _TELLING.search(" ".join(words)) is not None


def _flag(words: list[str]) -> str | None:
    """Return what the words of a key flag, None if it is no flag."""
    said = set(words)
    if not said <= _OF_FLAGS and ("is" not in words or _is_telling(words)):
        return None
    if "tor" in said:
        return "Tor exit"
    if said & {"vpn", "vpns"}:
        return "VPN"
    if said & {"proxy", "proxies"}:
        residential = said & {"residential", "res"}
        return "residential proxy" if residential else "public proxy" if said & {"public", "open"} else "proxy"
    if said & {"relay", "relays"}:
        return "relay"
    if "hosting" in said:
        return HOSTING_PROVIDER if "provider" in said else HOSTING
    return "anonymiser" if _is_telling(words) else None


def _number(key: str, value: object) -> float:
    try:
        if isinstance(value, (int, float, str)):
            return float(value)
    except ValueError:
        pass
    raise _unknown_key(key, value)


def _is_set(key: str, value: object) -> bool:
    text = str(int(value)) if isinstance(value, (bool, float)) and value in (0, 1) else str(value).strip().lower()
    if text not in _TRUE | _FALSE or not isinstance(value, (bool, int, float, str)):
        raise _not_understood(key, value)
    return text in _TRUE


def _not_understood(key: str, value: object) -> GeoIPError:
    message = f"a record has `{printable(str(value), 40)}` for `{printable(key, 40)}`, which is neither true nor false"
    return GeoIPError(Problem("unknown-schema", message, hint="flags are booleans, or `0`, `1`, `true` or `false`"))


def _unknown_key(key: str, value: object) -> GeoIPError:
    message = f"a record has `{printable(str(value), 40)}` for `{printable(key, 40)}`, which is not understood"
    return GeoIPError(Problem("unknown-schema", message, hint=_UNDERSTOOD))
