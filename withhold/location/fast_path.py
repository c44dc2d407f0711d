"""The usual requests, answered without anything that only an explanation needs.

`Resolver.viewer` asks here first. The answer is that of `Resolver.resolve`, which is the definition, or None for a request that
`resolve` must answer: with an unknown or anonymised viewer, a repeated header, a port, or headers in an unusual form.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from withhold import native
from withhold.location.address import INET, INET6, LONGEST_SHOWN, V6_BITS, pack, parse
from withhold.location.cdn import CDN
from withhold.location.database import Database
from withhold.location.headers import Lines
from withhold.location.location import LocationState
from withhold.location.networks import HALF, SMALLER
from withhold.location.proxies import WORKER, TrustedProxies
from withhold.location.table import DEEP, ELSEWHERE
from withhold.model import Viewer
from withhold.model.ids import MAX_ID
from withhold.model.viewer import LocationKey

#: The parts of headers. Other headers are `OTHER`, or None if their name has no hyphen.
OTHER, FORWARDED, COUNTRY, REGION, ODD = range(5)
#: At most so many peers, names and values of headers are kept. Viewers can invent names and values.
KEPT = 4096
_LONGEST_NAME = 64

_number = int.from_bytes
_new = object.__new__

#: What `FastPath.viewer` raises if something is no address, no pair or of another type, or if the table has no such network.
UNUSUAL = (OSError, ValueError, TypeError, LookupError, AttributeError)


class FastPath:
    """The settings of a `Resolver` and one database, in a form in which a request is answered fast.

    It never changes, except that it keeps what it has learned of peers, names of headers and values of CDNs. Threads may share
    it. `text` returns the signal of a viewer whose source has these arguments: a /24 or a /48, and no address.
    """

    def __init__(
        self,
        proxies: TrustedProxies,
        cdn: CDN | None,
        database: Database | None,
        *,
        cdn_first: bool,
        explained: Callable[..., str],
    ) -> None:
        self.proxies, self.cdn, self.database, self.cdn_first = proxies, cdn, database, cdn_first
        self.roles = Roles(proxies.header, cdn)
        #: Peers that are trusted proxies.
        self.peers: set[str | None] = set()
        self.cdn_keys = CDNKeys(cdn)
        self.text = partial(explained, database)
        self.single = not proxies.header.endswith("forwarded-for")
        table = database.table if database is not None else None
        self.keys_by_code = table.keys_by_code if table is not None else []
        self.keys_by_number = table.keys_by_number if table is not None else []
        #: Whether the number of a country suffices, because no record has a subdivision.
        self.by_country = not any(key[1] for key in self.keys_by_number if key is not None)
        #: The same in C, for IPv4. It keeps what it needs of this object.
        self.native = None
        if native.AVAILABLE and (database is None or 4 in database.versions):
            self.native = native.resolver.FastPath(self, Viewer)

    @classmethod
    def is_possible(cls, proxies: TrustedProxies, cdn: CDN | None, database: Database | None) -> bool:
        """Return whether requests can be answered here: the table is built, and the headers have usual names."""
        names = [proxies.header, *((cdn.country_header, cdn.region_header or "-") if cdn else ())]
        usual = all("-" in name for name in names) and len({*names}) == len(names)
        return (
            usual and proxies.header != "cloudfront-viewer-address" and (database is None or database.table is not None)
        )

    def viewer(
        self, peer: str | None, headers: Any, account_id: int | None, account_country: str | None
    ) -> Viewer | None:
        """Return the viewer who sent a request, or None if `Resolver.resolve` must answer.

        It must answer too if this raises one of `UNUSUAL`.
        """
        if self.native is not None:
            found = self.native.viewer(peer, headers, account_id, account_country)
            if found is not None:
                return found
        # This is one function, because each further call would take a tenth of the time.
        if account_id is not None and not (type(account_id) is int and 0 < account_id <= MAX_ID):
            return None
        if account_country is not None and type(account_country) is not str:
            return None
        forwarded: Any = None
        code: Any = None
        region: Any = None
        kind: Any = type(headers)
        if kind is dict and "wsgi.version" in headers:
            # A WSGI environ. The definition recognises it by this value, and then reads these variables only.
            if headers["wsgi.version"][:1] != (1,) or "headers" in headers:
                return None
            forwarded = headers.get(self.roles.environ[0])
            if self.cdn is not None:
                code, region = headers.get(self.roles.environ[1]), headers.get(self.roles.environ[2])
        else:
            if kind is not list and kind is not tuple:
                if kind is not dict and not _is_plain(kind):
                    return None
                headers = headers.items()
            known = self.roles.known
            for pair in headers:
                if type(pair) is not tuple:
                    return None
                name, value = pair
                if type(value) is not bytes and type(value) is not str:
                    return None
                try:
                    role = known[name]
                except KeyError:
                    role = self.roles.of(name)
                if role:
                    if role == FORWARDED and forwarded is None:
                        forwarded = value
                    elif role == COUNTRY and code is None:
                        code = value
                    elif role == REGION and region is None:
                        region = value
                    else:
                        return None
            if forwarded is None and code is None and not any(self.roles.of(name) is not None for name, _ in headers):
                # Without a hyphen in any name, these may be no headers at all.
                return None

        version = 4
        if peer in self.peers or self._is_trusted(peer):
            if type(forwarded) is bytes:
                forwarded = forwarded.decode("latin-1")
            end = len(forwarded)
            for _ in range(self.proxies.max_hops):
                comma = -1 if self.single else forwarded.rfind(",", 0, end)
                token = forwarded[comma + 1 : end].strip(" \t")
                if ":" in token:
                    version, value = 6, _number(pack(INET6, token))
                    if value >> 32 == 0xFFFF:
                        version, value = 4, value & 0xFFFF_FFFF
                else:
                    version, value = 4, _number(pack(INET, token))
                starts, ends = self.proxies.ranges[version]
                at = bisect_right(starts, value) - 1
                if at < 0 or value > ends[at]:
                    break
                if comma < 0:
                    return None
                end = comma
            else:
                return None
            if value >> 28 == 0xF if version == 4 else value == WORKER.value:
                return None
            if code is None:
                region = None  # it means nothing, and may be any text
        else:
            address = parse(peer)  # type: ignore[arg-type]
            if address is None or (address.version == 6 and address.value >> 32 == 0xFFFF):
                return None
            version, value = address
            code = region = None

        key: LocationKey | None = None
        network, number = 0, -1
        if self.database is not None:
            if version == 4:
                table = self.database.table
                cell = table.cells4[value >> 8]  # type: ignore[union-attr]
                network = value >> 8 << 8
                if cell == ELSEWHERE or 4 not in self.database.versions:
                    return None
                if cell != DEEP and self.by_country:
                    key = self.keys_by_code[cell]
                else:
                    top = value >> 16
                    at = bisect_right(table.starts4, value, table.index4[top], table.index4[top + 1]) - 1  # type: ignore[union-attr]
                    run = table.networks.v4  # type: ignore[union-attr]
                    key = self.keys_by_number[run.numbers[at]]
                    if run.prefixes[at] > LONGEST_SHOWN[4]:
                        number = run.numbers[at]
            else:
                key, number = self._locate6(value)
                network = value >> (V6_BITS - LONGEST_SHOWN[6]) << (V6_BITS - LONGEST_SHOWN[6])
            if key is None:
                return None
        if code is not None:
            named = self.cdn_keys[code, region]
            if named is None:
                return None
            first, second = (named, key or named) if self.cdn_first else (key or named, named)
            # If the winner has no subdivision, the other signal supplies it if it agrees on the country.
            key = first if first[1] or first[0] != second[0] else second
        if key is None:
            return None
        # The same as `Viewer.located`, without the call.
        made = _new(Viewer)
        made._location_key, made._account_id = key, account_id
        made._source = (self.text, version, network, number, code, region, account_country)
        return made

    def _is_trusted(self, peer: str | None) -> bool:
        trusted = self.proxies.trusts(peer)
        if trusted and len(self.peers) < KEPT:
            self.peers.add(peer)
        return trusted

    def _locate6(self, value: int) -> tuple[LocationKey | None, int]:
        """Return the location of an IPv6 address, and the number of its place if its network is smaller than a /48."""
        table = self.database.table  # type: ignore[union-attr]
        high = value >> HALF
        index, slot = table.index6[high >> 48], high >> 32 & 0xFFFF  # type: ignore[union-attr]
        at = bisect_right(table.starts6, high, index[slot], index[slot + 1]) - 1  # type: ignore[union-attr, index]
        run = table.networks.v6  # type: ignore[union-attr]
        number = run.numbers[at]
        if table.codes6[at] == ELSEWHERE or number == SMALLER or 6 not in self.database.versions:  # type: ignore[union-attr]
            return None, -1
        return self.keys_by_number[number], number if run.prefixes[at] > LONGEST_SHOWN[6] else -1

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        # It is made again when it is needed.
        return _none, ()


class Roles:
    """The parts of headers by their names, as the names are written."""

    def __init__(self, forwarded: str, cdn: CDN | None) -> None:
        #: The names so far. A plain dict, because looking up a name in a subclass takes twice the time.
        self.known: dict[Any, int | None] = {}
        self._by_name = {forwarded: FORWARDED}
        names = [forwarded]
        if cdn is not None:
            self._by_name[cdn.country_header] = COUNTRY
            names.append(cdn.country_header)
            if cdn.region_header is not None:
                self._by_name[cdn.region_header] = REGION
            names.append(cdn.region_header or "")
        #: The names in a WSGI environ.
        self.environ = [f"HTTP_{name.upper().replace('-', '_')}" for name in names]

    def of(self, name: object) -> int | None:
        """Return the part that a header is. Raises `TypeError` for a name that cannot be hashed."""
        if name in self.known:
            return self.known[name]
        if type(name) is bytes:
            text = name.decode("latin-1")
        elif type(name) is str:
            text = name
        else:
            return ODD
        lower = text.lower()
        if text[-1:] == ":" or text[:1].isspace() or lower.startswith("http_"):
            role: int | None = ODD
        else:
            role = self._by_name.get(lower, OTHER if "-" in lower else None)
        if len(self.known) < KEPT and len(text) <= _LONGEST_NAME:
            self.known[name] = role
        return role


class CDNKeys(dict[Any, LocationKey | None]):
    """The locations that values of a CDN's headers denote: (country, region), where the region may be None.

    None for an unknown location, and for values that are too long to be kept.
    """

    def __init__(self, cdn: CDN | None) -> None:
        super().__init__()
        self._cdn = cdn

    def __missing__(self, values: tuple[Any, Any]) -> LocationKey | None:
        cdn = self._cdn
        if cdn is None or any(value is not None and len(value) > 8 for value in values):
            return None
        found = cdn.read(lines_of(cdn, *values))
        if found is None or found.state is not LocationState.KNOWN:
            return None
        key = Viewer(country=found.country, subdivisions=found.subdivisions).location_key
        if len(self) < KEPT:
            self[values] = key
        return key


def lines_of(cdn: CDN, code: object, region: object) -> Lines:
    """Return header lines with these values of a CDN. None stands for a missing header."""
    named = ((cdn.country_header, code), (cdn.region_header, region))
    return Lines([(name, value) for name, value in named if name is not None and value is not None])


@lru_cache(maxsize=64)
def _is_plain(kind: Any) -> bool:
    """Return whether objects of this class are mappings whose `items` are all of their header lines."""
    other = ("headers", "get_list", "get_all", "multi_items", "lists", "__getattr__")
    return (
        issubclass(kind, Mapping)
        and not issubclass(kind, type(os.environ))
        and not any(hasattr(kind, name) for name in other)
    )


def _none() -> None:
    """Return None."""
