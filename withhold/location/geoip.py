"""`GeoIP`: from an IP address to where it is, by a database that the operator chose."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from types import TracebackType
from typing import Self

from withhold.errors import GeoIPError
from withhold.location.address import INET, INET6, Transition, pack
from withhold.location.database import Refused
from withhold.location.loading import AnyDatabase, Plan, Signature
from withhold.location.location import Location
from withhold.location.table import DEEP

_log = logging.getLogger("withhold.location")
_number = int.from_bytes
_halves = Struct(">QQ").unpack


class GeoIP:
    """Locates IP addresses by a MaxMind DB file, or by a reader of geoip2 or maxminddb that is open.

    Country, City and Enterprise databases are understood, and flat ones with a `country_code` (or a `country`
    that is text); for others `country_path` names the keys that lead to the code. `anonymous` is an Anonymous-IP
    database: Tor exits, VPNs and proxies are then marked. A database of one IP version answers nothing for the
    other and does not say so: it is refused, unless `ip_versions` says that the other is not asked for.
    `six_to_four=False` is strict: 6to4 addresses are then unknown. `nat64` are the operator's own /96 prefixes.

    The whole file is read and checked at first, about 2 s for a million networks. After `wait` seconds (None:
    without end) the constructor returns nevertheless, and maxminddb answers until that is done, in 0.1 ms or so; 0
    is for processes that must start at once. What is then found to be broken is logged, and nothing is known any
    more. A City database has a hundred times as many records to check as a Country one, and takes tens of seconds.

    >>> from mmdb_writer import MMDBWriter  # writes a database to try it with
    >>> from netaddr import IPSet
    >>> from tempfile import mkdtemp
    >>> writer = MMDBWriter(6, "GeoIP2-Country", ipv4_compatible=True)
    >>> for network, code in {"81.2.69.0/24": "GB", "2001:db8::/32": "SE"}.items():
    ...     writer.insert_network(IPSet([network]), {"country": {"iso_code": code}})
    >>> path = f"{mkdtemp()}/geo.mmdb"
    >>> writer.to_db_file(path)
    >>> here = GeoIP(path).locate("81.2.69.142")
    >>> here.country, str(here.network), here.why
    ('GB', '81.2.69.0/24', '81.2.69.142 in 81.2.69.0/24 of geo.mmdb')
    >>> print(here.viewer())
    GB (81.2.69.142 in 81.2.69.0/24 of geo.mmdb)

    Raises `GeoIPError` for a file that is missing or broken, of an unknown schema, or for one IP version only.
    Safe to share between threads. It keeps no file open, and forked processes share its memory: fork when `wait`
    has returned True, and start `watch` in each of them.
    """

    def __init__(
        self,
        database: AnyDatabase,
        *,
        anonymous: AnyDatabase | None = None,
        ip_versions: Collection[int] = (4, 6),
        country_path: Sequence[str] | None = None,
        six_to_four: bool = True,
        nat64: Iterable[str] = (),
        wait: float | None = 10.0,
    ) -> None:
        self._plan = Plan(
            database=database,
            anonymous=anonymous,
            ip_versions=frozenset(ip_versions),
            country_path=country_path,
            transition=Transition.of(six_to_four=six_to_four, nat64=nat64),
        )
        #: How many files were refused after the first, and why the last one was.
        self.errors = 0
        self.last_error: GeoIPError | None = None
        #: How often a newer file took the place of an older one.
        self.reloads = 0
        self._failed: GeoIPError | None = None
        self._loading = threading.Lock()
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

        # The one cell that changes: a reader takes it once, and is answered from one database.
        self._database = self._plan.open()
        self._first = threading.Thread(target=self._flatten_first, name="withhold-geoip", daemon=True)
        self._first.start()
        self.wait(wait)

    def locate(self, address: str | IPv4Address | IPv6Address | None) -> Location:
        """Return where `address` is; what is no address, or None, is unknown. A reader's exceptions never show.

        O(1) for most IPv4 addresses, O(log n) within a /16 or an IPv6 /32 else; no lock. Raises `TypeError` for
        what is neither text nor an `ipaddress` address.
        """
        database = self._database
        if database.native is not None:
            found = database.native.locate(address, database)
            if found is not None:
                return found
        # One frame on purpose, as each call more is a tenth of the time; and the location is made first, as that
        # does not wait for the table's memory.
        location = Location()
        location._address = address
        location._source = database
        table = database.table
        if table is None:
            return Location.of(database.tell(address))
        try:
            if ":" in address:  # type: ignore[operator]
                high, low = _halves(pack(INET6, address))  # type: ignore[arg-type]
                index, slot = table.index6[high >> 48], high >> 32 & 0xFFFF
                code = table.codes6[bisect_right(table.starts6, high, index[slot], index[slot + 1]) - 1]
                if code == DEEP:
                    location._country = table.networks.smaller_place(high, low).country
                    return location
            else:
                value = _number(pack(INET, address))  # type: ignore[arg-type]
                code = table.cells4[value >> 8]
                if code == DEEP:
                    top = value >> 16
                    at = bisect_right(table.starts4, value, table.index4[top], table.index4[top + 1]) - 1
                    code = table.codes4[at]
            location._country = table.codes[code]
        except (OSError, ValueError, TypeError, LookupError):
            # Not an address, or, as there is no country of that number, `ELSEWHERE`.
            return Location.of(database.tell(address))
        return location

    def country(self, address: str | IPv4Address | IPv6Address | None) -> str | None:
        """Return the country alone, None if it is not known: `locate(address).country`, for a fifth less.

        That of an anonymised address is the exit's; where that matters, ask `locate`. Raises as that does.
        """
        database = self._database
        if database.native is not None:
            country = database.native.country(address)
            if country is not None:
                return country
        table = database.table
        if table is None:
            return database.tell(address).country
        try:
            if ":" in address:  # type: ignore[operator]
                high, low = _halves(pack(INET6, address))  # type: ignore[arg-type]
                index, slot = table.index6[high >> 48], high >> 32 & 0xFFFF
                code = table.codes6[bisect_right(table.starts6, high, index[slot], index[slot + 1]) - 1]
                if code == DEEP:
                    return table.networks.smaller_place(high, low).country
                return table.codes[code]
            value = _number(pack(INET, address))  # type: ignore[arg-type]
            code = table.cells4[value >> 8]
            if code == DEEP:
                top = value >> 16
                code = table.codes4[bisect_right(table.starts4, value, table.index4[top], table.index4[top + 1]) - 1]
            return table.codes[code]
        except (OSError, ValueError, TypeError, LookupError):
            return database.tell(address).country

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the whole of the first file is read and checked; return whether it is.

        Raises `GeoIPError` if it was refused.
        """
        self._first.join(timeout)
        if self._failed is not None:
            raise self._failed
        return not self._first.is_alive()

    def reload(self) -> bool:
        """Read the files again; return True if they are in use now, False if they were refused.

        Everything is built and checked before one reference is swapped. A refused file is logged and counted in
        `errors`, and the old one stays. A look-up that is under way ends with the database it began with.
        Raises `GeoIPError` (`not-a-file`) if the database was given as an open reader.
        """
        self._plan.paths()
        with self._loading:
            try:
                database = self._plan.flatten(self._plan.open())
            except GeoIPError as error:
                self._refuse(error, "the one in use stays")
                return False
            self._database, self._failed = database, None
            self.reloads += 1
        _log.info("reloaded %s", database.name)
        return True

    def watch(self, interval: float = 30.0) -> None:
        """Look every `interval` seconds, in a thread, whether the files have changed, and reload them if so.

        A changed file is read when it has been the same for one interval: it may still be being written.
        Raises `GeoIPError` (`not-a-file`) if the database was given as an open reader.
        """
        seen = self._plan.signature()
        if self._watcher is None:
            self._closing.clear()
            self._watcher = threading.Thread(
                target=self._watch, args=(interval, seen), name="withhold-geoip-watch", daemon=True
            )
            self._watcher.start()

    def close(self) -> None:
        """Stop watching. Answers go on: no file is open."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _flatten_first(self) -> None:
        with self._loading:
            try:
                self._database = self._plan.flatten(self._database)
            except GeoIPError as error:
                self._failed = error
                self._database = replace(self._database, leaves=Refused(error.problem.message), anonymous=None)
                self._refuse(error, "every location is unknown")

    def _watch(self, interval: float, loaded: Signature) -> None:
        before = loaded
        while not self._closing.wait(interval):
            now = self._plan.signature()
            if now == before != loaded:
                loaded = now
                self.reload()
            before = now

    def _refuse(self, error: GeoIPError, therefore: str) -> None:
        self.errors += 1
        self.last_error = error
        _log.error("%s; %s", error, therefore)
