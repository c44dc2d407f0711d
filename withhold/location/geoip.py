"""`GeoIP`: locate an IP address with a database that the operator has chosen."""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from withhold.errors import GeoIPError
from withhold.location.address import INET, INET6, Transition, pack
from withhold.location.database import Refused, Signature
from withhold.location.loading import AnyDatabase, Plan
from withhold.location.location import Location
from withhold.location.table import DEEP
from withhold.watching import Closable, ReloadSchedule, RestoredAfterFork, Watcher, check_interval

_log = logging.getLogger("withhold.location")
_number = int.from_bytes
_halves = Struct(">QQ").unpack


class GeoIP(Closable):
    """Locates IP addresses with a MaxMind DB file, or with an open reader of geoip2 or maxminddb.

    The schemas of MaxMind's Country, City and Enterprise databases are supported, and flat schemas in which
    `country_code` or `country` is text. For any other schema, `country_path` lists the keys that lead to the country: a
    two-letter code of ISO 3166-1, in upper or lower case. A database is refused if a record names a country in another
    way, or if no record names one.

    `anonymous` is a database of anonymous addresses: MaxMind's Anonymous-IP, Anonymous-Plus or Residential-Proxy, IPinfo's,
    or one with similar flags. Addresses of Tor exits, VPNs, proxies and relays then get the state `anonymised`;
    those that only belong to a hosting provider do not. A database with flags that are not understood is refused.

    A database that covers only one IP version is refused, unless `ip_versions` excludes the other. With
    `six_to_four=False`, the location of 6to4 addresses is unknown. `nat64` lists the operator's own /96 prefixes.

    First, the whole file is read and checked in a thread, which takes about 2 s for a million networks. A City database
    has a hundred times as many records as a Country database and takes tens of seconds. The constructor waits at most
    `wait` seconds for this (None: no limit; 0: not at all, for processes that must start at once). Until it is done,
    maxminddb does each look-up, in about 0.1 ms. If a fault is found after the constructor has returned, it is logged,
    and every location is unknown until a reload succeeds.

    >>> from mmdb_writer import MMDBWriter  # to write an example database
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

    For the other fields, `record` returns the record as a model of geoip2:

    >>> record = here.record()
    >>> type(record).__name__, record.country.iso_code, str(record.traits.network)
    ('Country', 'GB', '81.2.69.0/24')

    Raises `GeoIPError` for a file that is missing or broken, has an unknown schema or lacks an IP version, and for
    invalid arguments. Safe to share between threads. It keeps no file open. Forked processes share its memory, ideally
    if they are forked after `wait` has returned True. Threads that read or watch files continue in each process.
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
        #: The number of refusals, and the last one. The same files refused for the same reason count once.
        self.errors = 0
        self.last_error: GeoIPError | None = None
        #: The number of successful reloads.
        self.reloads = 0
        self._failed: GeoIPError | None = None
        self._refusal: tuple[Signature, str] | None = None
        self._loading = threading.Lock()
        self._watcher: Watcher[GeoIP] | None = None

        # Replaced as a whole by a reload. A look-up reads it once, so it uses one database throughout.
        self._database = self._plan.open()
        self._start_flattening()
        _ALL.add(self)
        self.wait(wait)

    def locate(self, address: str | IPv4Address | IPv6Address | None) -> Location:
        """Return the location of `address`. It is unknown for None and for text that is not an IP address.

        O(1) for most IPv4 addresses; for others O(log n), where n counts the networks of a /16, or for IPv6 of a /32.
        Takes no lock. Raises `TypeError` for anything but text, an `ipaddress` address or None. A broken record raises
        nothing.
        """
        database = self._database
        # This is all one function, because each further call would add a tenth to the time. The location is created
        # before the table is read, so that the processor need not wait for the table's memory.
        location = Location()
        location._address = address
        location._source = database
        table = database.table
        if table is None:
            location._country = database.evidence(address).country
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
            # It is not an address, or its code is `ELSEWHERE`, for which `codes` has no country.
            location._country = database.evidence(address).country
        return location

    def country(self, address: str | IPv4Address | IPv6Address | None) -> str | None:
        """Return `locate(address).country`, in a tenth less time.

        For an anonymised address this is the country of the exit, and only `locate` shows that. Raises `TypeError` as
        `locate` does.
        """
        database = self._database
        table = database.table
        if table is None:
            return database.evidence(address).country
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
            return database.evidence(address).country

    @property
    def finds_anonymous(self) -> bool:
        """Whether an address may be found anonymous: `anonymous` was given, or the database has the code `T1`, which means Tor.

        True until the files are read.
        """
        table = self._database.table
        return self._plan.anonymous is not None or table is None or table.networks.marks_anonymous

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until the first file is read and checked. Return whether this is done.

        Raises `GeoIPError` if the file was refused.
        """
        self._first.join(timeout)
        if self._failed is not None:
            raise self._failed
        return self._database.table is not None

    def reload(self) -> bool:
        """Read the files again. Return whether they are now in use.

        All tables are built and checked before one reference is replaced, so a look-up in progress keeps its database. If the
        new files are refused, the old database stays in use, and the refusal is logged and counted in `errors`. Raises
        `GeoIPError` (`not-a-file`) if the database is an open reader.
        """
        self._plan.check_files()
        with self._loading:
            try:
                database = self._plan.flatten(self._plan.open())
            except GeoIPError as error:
                self._refuse(error, "the database in use is kept")
                return False
            self._database, self._failed, self._refusal = database, None, None
            self.reloads += 1
        _log.info("reloaded %s", database.name)
        return True

    def watch(self, interval: float = 30.0) -> None:
        """Check every `interval` seconds, in a thread, whether the files have changed, and reload them if so.

        A changed file is read once it has stayed the same for one interval, because until then it may be incomplete. A
        file that cannot be read or is refused is tried again, less and less often while it stays the same. Watching
        continues in forked processes, and ends with `close` or with the last reference to the object. A second call
        replaces the interval. Raises `GeoIPError` (`not-a-file`) if the database is an open reader, and `ValueError`
        (`bad-interval`) for an interval that is not positive and finite.
        """
        self._plan.check_files()
        check_interval(interval)
        if self._watcher is not None:
            self._watcher.close(wait=False)
        schedule = ReloadSchedule()
        self._watcher = Watcher(self, lambda geoip: geoip._check(schedule), interval, "withhold-geoip-watch")

    def close(self) -> None:
        """Stop watching. Look-ups still work, because they need no open file."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _check(self, schedule: ReloadSchedule) -> None:
        """Reload the files if they are due."""
        now = self._plan.signature()
        if schedule.is_due(now, self._database.signature):
            try:
                self.reload()
            except Exception:  # noqa: BLE001  # such as `MemoryError`: without this thread no file would be read again
                _log.exception("%s could not be reloaded", self._database.name)

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
        if refusal != self._refusal:  # the same files refused for the same reason count once
            self._refusal = refusal
            self.errors += 1
            _log.error("%s; %s", error, therefore)

    def _after_fork(self) -> None:
        """Restart the threads, which exist only in the parent process, and replace the lock, which they may have held."""
        self._loading = threading.Lock()
        try:
            if self._database.table is None and self._failed is None:
                self._start_flattening()
            if self._watcher is not None:
                self.watch(self._watcher.interval)
        except RuntimeError as error:
            _log.error("%s is neither checked nor watched in process %d: %s", self._database.name, os.getpid(), error)


_ALL = RestoredAfterFork(GeoIP._after_fork)
