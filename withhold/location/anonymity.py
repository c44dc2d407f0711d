"""The schema of databases of anonymous addresses: which addresses a record marks as anonymous.

The flags of MaxMind (`is_tor_exit_node`) and of IPinfo (`is_vpn`, or just `vpn`) are supported, and others with similar
names. They may be booleans, numbers or text, and may be nested in maps and lists. The name of a provider counts as a
flag (`vpn_provider`), and so does text that names a kind of anonymiser (`type` is `VPN`). If another key mentions a
VPN, Tor, a proxy, a relay or anonymity, such as `vpn_free`, its meaning is unknown and the database is refused. A
database without flags is refused too, unless its type shows that it is a list, such as MaxMind's Residential-Proxy: in
a list, every record marks its address.

A hosting provider alone does not hide a location. MaxMind sets both `is_anonymous` and `is_hosting_provider` for
hosting providers, so these two flags together do not mark an address as anonymous. IPinfo does not set `is_anonymous`
for `is_hosting`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from math import isfinite
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem
from withhold.location.headers import printable
from withhold.location.record_keys import map_of
from withhold.location.record_place import NO_RECORD, RecordPlace
from withhold.location.schema import SAMPLE

#: The kinds of anonymisers, most specific first.
ANONYMISERS = ("Tor exit", "VPN", "residential proxy", "public proxy", "proxy", "relay", "anonymiser")
HOSTING, HOSTING_PROVIDER = "hosting", "hosting provider"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_FLAG_WORDS = frozenset(
    (
        *("tor", "exit", "node", "vpn", "vpns", "proxy", "proxies", "relay", "relays", "public", "open", "web", "res"),
        *("residential", "private", "hosting", "provider", "is", "has", "uses", "or", "known", "detected", "service"),
        *("services", "privacy", "icloud", "apple", "mobile", "http", "https", "socks", "4", "5", "ssl", "datacenter"),
        *("data", "center", "corporate", "business", "enterprise", "consumer", "commercial", "network", "server"),
        *("ip", "ips", "address", "addresses", "user", "users", "traffic", "connection"),
        *("anonymous", "anonymizer", "anonymiser", "anonymizing", "anonymising", "traits"),
    )
)
#: Parts of words that concern anonymity. `tor` must be a whole word, as many other words contain it.
_ANONYMITY = re.compile(r"vpn|prox(y|ies|ied)|relay|anonym|\btor\b")
#: The last words of keys whose values name flags and, below, of keys whose values name a provider.
_TYPE_WORDS = frozenset(
    (
        *("type", "types", "category", "categories", "kind", "class", "classification", "flag", "flags", "tag", "tags"),
        *("label", "labels", "privacy", "anonymity", "threat", "threats", "risk", "risks", "detection", "detections"),
    )
)
_NAME_WORDS = frozenset(("provider", "providers", "service", "services", "name", "names"))
_EMPTY_NAMES = frozenset(("", "-", "0", "false", "no", "none", "null", "n/a"))
_UNDERSTOOD = "flags must be named like `is_tor_exit_node`, `is_vpn`, `proxy` or `is_anonymous`"
#: Marks a confidence above 0 that an address is anonymous. Lists have this key too, so it is not a flag by itself.
_CONFIDENT = "confident"
_TRUE, _FALSE = frozenset(("true", "1", "yes", "y", "t")), frozenset(("false", "0", "no", "n", "f", "", "-"))


class AnonymousSchema(NamedTuple):
    """How to read a database of anonymous addresses: by its flags, or as a list of anonymisers of one kind."""

    kind_of_list: str | None = None

    @property
    def name(self) -> str:
        return "anonymous"

    def read(self, record: object) -> RecordPlace:
        """Return the anonymiser that a record names. A `record` of None means that there is none.

        Raises `GeoIPError` if a flag is not understood.
        """
        return NO_RECORD if record is None else RecordPlace(anonymiser=self._anonymiser(map_of(record)))

    def flags(self, record: object) -> frozenset[str]:
        """Return all kinds that a record names, including hosting. Raises `GeoIPError` if a flag is not understood."""
        flags = list(_flags(map_of(record)))
        if self.kind_of_list and all(flag == _CONFIDENT for flag, _ in flags):
            return frozenset((self.kind_of_list,))
        return frozenset("anonymiser" if flag == _CONFIDENT else flag for flag, is_set in flags if is_set)

    def _anonymiser(self, record: Mapping[str, object]) -> str | None:
        flags = self.flags(record)
        found = next((name for name in ANONYMISERS if name in flags), None)
        return None if found == "anonymiser" and HOSTING_PROVIDER in flags else found


def detect_anonymous_schema(kind: str, records: Iterable[object]) -> AnonymousSchema:
    """Return the schema of a database of type `kind`, detected from its first records.

    Raises `GeoIPError` (`unknown-schema`) if flags are not understood, or if there are none and the database is not a
    list.
    """
    # A list whose type is only `proxy` or `anonymous` may contain hosting providers too.
    kind_of_list = _flag([word for word in _words(kind) if word in _FLAG_WORDS])
    kind_of_list = kind_of_list if kind_of_list in ANONYMISERS and kind_of_list not in ("proxy", "anonymiser") else None
    all_of = iter(records)
    sample = [record for record in islice(all_of, SAMPLE) if isinstance(record, dict)]
    flagged = [flag for record in sample for flag, _ in _flags(record) if flag != _CONFIDENT]
    # The first flag may come after the sample. Lists need not be searched for flags.
    for record in () if kind_of_list or flagged else all_of:
        if isinstance(record, dict):
            flagged += [flag for flag, _ in _flags(record) if flag != _CONFIDENT]
        if flagged:
            break
    if any(flag in ANONYMISERS for flag in flagged):
        return AnonymousSchema()
    if kind_of_list and sample and not flagged:
        return AnonymousSchema(kind_of_list)
    found = ", ".join(f"`{printable(key, 40)}`" for key in [*dict.fromkeys(chain.from_iterable(sample[:100]))][:10])
    message = f"no record of the `{printable(kind)}` database marks an address as anonymous"
    raise GeoIPError(
        Problem(
            "unknown-schema",
            f"{message}: its keys are {found}" if found else message,
            hint=_UNDERSTOOD,
        )
    )


def _flags(record: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Yield the kinds that the flags of a record name, and whether each flag is set."""
    for key, value in record.items():
        words = _words(key)
        if "legitimate" in words:
            continue
        flag, last, relevant = _flag(words), words[-1] if words else "", _concerns_anonymity(words)
        if isinstance(value, (dict, list)):
            yield from _flags_inside(key, value)
        elif isinstance(value, str) and last in _TYPE_WORDS:
            yield from _flags_in_text(key, value)
        elif isinstance(value, str) and last in _NAME_WORDS and "is" not in words:
            # A name alone does not mean `hosting provider`, which would cancel `is_anonymous`.
            flag = flag or _flag(words[:-1])
            if flag is not None:
                yield HOSTING if flag == HOSTING_PROVIDER else flag, value.strip().lower() not in _EMPTY_NAMES
            elif relevant and value.strip():
                raise _unknown_key(key, value)
        elif relevant and last == "confidence":
            yield _CONFIDENT, _number(key, value) > 0
        elif flag is not None:
            yield flag, _is_set(key, value)
        elif relevant:
            raise _unknown_key(key, value)


def _flags_inside(key: str, value: dict[str, object] | list[object]) -> Iterator[tuple[str, bool]]:
    """Yield the flags in a map or a list. Raise `GeoIPError` if its key concerns anonymity and a part is not understood."""
    relevant = _concerns_anonymity(_words(key))
    found: list[tuple[str, bool]] = []
    rest = False
    names_types = relevant or not _TYPE_WORDS.isdisjoint(_words(key)[-1:])
    for part in [{name: inner} for name, inner in value.items()] if isinstance(value, dict) else value:
        if isinstance(part, dict):
            flags = list(_flags(part))
        elif isinstance(part, str) and names_types:
            flags = list(_flags_in_text(key, part))
        else:
            flag = _flag(_words(part)) if isinstance(part, str) else None
            flags = [(flag, True)] if flag in ANONYMISERS else []
        found += flags
        rest = rest or not (flags or part in ({}, "") or (isinstance(part, dict) and "" in part.values()))
    if relevant and rest and not any(is_set for _, is_set in found):
        # `{"vpn": {"name": "a"}}` concerns a VPN, but does not state whether the address belongs to it.
        raise _not_understood(key, value)
    yield from found


def _flags_in_text(key: str, text: str) -> Iterator[tuple[str, bool]]:
    """Yield the flag that text names. Raise `GeoIPError` if the text or its key names an unknown kind of anonymity."""
    if text.strip().lower() in _EMPTY_NAMES:
        return
    words = _words(text)
    flag = _flag(words)
    if flag is not None:
        if flag in ANONYMISERS:
            yield flag, True
    elif _concerns_anonymity(words) or _concerns_anonymity(_words(key)):
        raise _not_understood(key, text) if _flag(_words(key)) else _unknown_key(key, text)


@lru_cache(maxsize=4096)
def _words(key: str) -> list[str]:
    """Return the words of a key or other text in lower case, with compounds such as `openproxy` split."""
    return [part for word in _WORD.findall(key) for part in _split(word.lower()) or [word.lower()]]


def _split(word: str) -> list[str]:
    """Return the flag words that make up a compound word, or an empty list if it contains anything else."""
    if word in _FLAG_WORDS or len(word) > 40:
        return [word]
    for end in range(len(word) - 1, 1, -1):
        if word[:end] in _FLAG_WORDS and (rest := _split(word[end:])):
            return [word[:end], *rest]
    return []


def _concerns_anonymity(words: list[str]) -> bool:
    return _ANONYMITY.search(" ".join(words)) is not None


def _flag(words: list[str]) -> str | None:
    """Return the kind that a key flags, or None if the key is not a flag."""
    found = set(words)
    if not found <= _FLAG_WORDS and ("is" not in words or _concerns_anonymity(words)):
        return None
    if "tor" in found:
        return "Tor exit"
    if found & {"vpn", "vpns"}:
        return "VPN"
    if found & {"proxy", "proxies"}:
        residential = found & {"residential", "res"}
        return "residential proxy" if residential else "public proxy" if found & {"public", "open"} else "proxy"
    if found & {"relay", "relays"}:
        return "relay"
    if "hosting" in found:
        return HOSTING_PROVIDER if "provider" in found else HOSTING
    return "anonymiser" if _concerns_anonymity(words) else None


def _number(key: str, value: object) -> float:
    try:
        if isinstance(value, (int, float, str)) and isfinite(number := float(value)):  # `float` also accepts `nan`
            return number
    except (ValueError, OverflowError):
        pass
    raise _unknown_key(key, value)


def _is_set(key: str, value: object) -> bool:
    text = str(int(value)) if isinstance(value, (bool, float)) and value in (0, 1) else str(value).strip().lower()
    if text not in _TRUE | _FALSE or not isinstance(value, (bool, int, float, str)):
        raise _not_understood(key, value)
    return text in _TRUE


def _not_understood(key: str, value: object) -> GeoIPError:
    message = f"a record has `{printable(str(value), 40)}` for `{printable(key, 40)}`, which is neither true nor false"
    return GeoIPError(Problem("unknown-schema", message, hint="flags must be booleans, `0`, `1`, `true` or `false`"))


def _unknown_key(key: str, value: object) -> GeoIPError:
    message = f"a record has `{printable(str(value), 40)}` for `{printable(key, 40)}`, which is not understood"
    return GeoIPError(Problem("unknown-schema", message, hint=_UNDERSTOOD))
