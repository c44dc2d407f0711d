"""`GeoIP`: from an IP address to where it is, by a database that the operator chose."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from types import TracebackType
from typing import Self

from withhold.errors import GeoIPError
from withhold.location.address import INET, INET6, Transition, pack
from withhold.location.database import Refused, Signature
from withhold.location.loading import AnyDatabase, Plan
from withhold.location.location import Location
from withhold.location.table import DEEP
from withhold.location.watching import Watcher

_log = logging.getLogger("withhold.location")
_number = int.from_bytes
_halves = Struct(">QQ").unpack
_MOST_LOOKS = 64  # between two attempts to read a file that is refused again and again


class GeoIP:
    """Locates IP addresses by a MaxMind DB file, or by a reader of geoip2 or maxminddb that is open.

    Country, City and Enterprise databases are understood, and flat ones with a `country_code` (or a `country`
    that is text); for others `country_path` names the keys that lead to the code: two letters of ISO 3166-1, in
    either case. A database with a record that names a country in another way is refused, as is one that names none.

    `anonymous` is a database of anonymous addresses, MaxMind's Anonymous-IP, Anonymous-Plus or Residential-Proxy,
    IPinfo's or one with flags like these: Tor exits, VPNs, proxies and relays are then marked. A hosting provider
    alone is not. A database whose flags are not understood is refused.

    A database of one IP version answers nothing for the other and does not say so: it is refused, unless
    `ip_versions` says that the other is not asked for. `six_to_four=False` is strict: 6to4 addresses are then
    unknown. `nat64` are the operator's own /96 prefixes.

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
    ('GB', '81.2.69.0/24', 'in 81.2.69.0/24 of geo.mmdb')
    >>> print(here.viewer())
    GB (in 81.2.69.0/24 of geo.mmdb)

    Whatever else the record says, geoip2's own model has:

    >>> record = here.record()
    >>> type(record).__name__, record.country.iso_code, str(record.traits.network)
    ('Country', 'GB', '81.2.69.0/24')

    Raises `GeoIPError` for a file that is missing or broken, of an unknown schema, or for one IP version only.
    Safe to share between threads. It keeps no file open, and forked processes share its memory, best if they are
    forked after `wait` has returned True. The threads that read and watch files go on in each of them.
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
        self._refusal: tuple[Signature, str] | None = None
        self._loading = threading.Lock()
        self._watcher: Watcher[GeoIP] | None = None

        # The one cell that changes: a reader takes it once, and is answered from one database.
        self._database = self._plan.open()
        self._start_flattening()
        _ALL.add(self)
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
            location._country = database.tell(address).country
            return location
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
            location._country = database.tell(address).country
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
        return self._database.table is not None

    def reload(self) -> bool:
        """Read the files again; return True if they are in use now, False if they were refused.

        Everything is built and checked before one reference is swapped. A refused file is logged and counted in
        `errors`, and the old one stays. A look-up that is under way ends with the database it began with.
        Raises `GeoIPError` (`not-a-file`) if the database was given as an open reader.
        """
        self._plan.check_files()
        with self._loading:
            try:
                database = self._plan.flatten(self._plan.open())
            except GeoIPError as error:
                self._refuse(error, "the one in use stays")
                return False
            self._database, self._failed, self._refusal = database, None, None
            self.reloads += 1
        _log.info("reloaded %s", database.name)
        return True

    def watch(self, interval: float = 30.0) -> None:
        """Look every `interval` seconds, in a thread, whether the files are others than those in use, and reload them.

        A changed file is read when it has been the same for one interval: it may still be being written. One that
        cannot be read, or is refused, is tried again, less and less often while it stays the same. This goes on in
        forked processes, and ends with `close` or with the last reference to the object. To watch again replaces the
        interval. Raises `GeoIPError` (`not-a-file`) if the database was given as an open reader, and `ValueError`
        for an interval that is not positive.
        """
        self._plan.check_files()
        if not 0 < interval <= threading.TIMEOUT_MAX:
            raise ValueError(f"interval `{interval}` is not a positive number of seconds [bad-interval]")
        if self._watcher is not None:
            self._watcher.close(wait=False)
        self._watcher = Watcher(self, _Looks(self._database.signature), interval, "withhold-geoip-watch")

    def close(self) -> None:
        """Stop watching. Answers go on: no file is open."""
        if self._watcher is not None:
            self._watcher.close()
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

    def _start_flattening(self) -> None:
        self._first = threading.Thread(target=self._flatten_first, name="withhold-geoip", daemon=True)
        self._first.start()

    def _refuse(self, error: GeoIPError, therefore: str) -> None:
        self.last_error = error
        refusal = (self._plan.signature(), str(error))
        if refusal != self._refusal:  # the same file for the same reason is one refusal, however often it is tried
            self._refusal = refusal
            self.errors += 1
            _log.error("%s; %s", error, therefore)

    def _after_fork(self) -> None:
        """Do again what only threads of the parent process were doing; they are gone, and a lock may still be held."""
        self._loading = threading.Lock()
        try:
            if self._database.table is None and self._failed is None:
                self._start_flattening()
            if self._watcher is not None:
                self.watch(self._watcher.interval)
        except RuntimeError as error:
            _log.error("%s is neither read nor watched in process %d: %s", self._database.name, os.getpid(), error)


class _Looks:
    """Whether it is time to reload, look by look."""

    def __init__(self, loaded: Signature) -> None:
        self._loaded = self._before = loaded
        self._looks = self._pause = 1

    def __call__(self, geoip: GeoIP) -> None:
        now = geoip._plan.signature()
        if now != self._before:
            # It may still be being written.
            self._looks = self._pause = 1
        elif now not in (self._loaded, geoip._database.signature):
            self._looks -= 1
            if not self._looks:
                if self._reload(geoip):
                    self._loaded = now
                self._looks = self._pause = min(2 * self._pause, _MOST_LOOKS)
        self._before = now

    def _reload(self, geoip: GeoIP) -> bool:
        try:
            return geoip.reload() is not False
        except Exception:  # noqa: BLE001  # no memory, say: the thread must live, or nobody would look again
            _log.exception("%s could not be reloaded", geoip._database.name)
            return False


#: All that exist, to be mended in a forked process.
_ALL: weakref.WeakSet[GeoIP] = weakref.WeakSet()


def _after_fork() -> None:
    for geoip in list(_ALL):
        geoip._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
