"""The ways to locate an address, and a check that their answers agree."""

from __future__ import annotations

import socket
import sys
import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from struct import Struct

import cachetools
import geoip2.database
import geoip2.errors
import maxminddb

from withhold.location import GeoIP
from withhold.location.networks import Networks

Answer = Callable[[str], object]


_two = Struct(">HH").unpack


class Slashed16:
    """An alternative layout of the table: an index of /16 networks, and bisection within each, for IPv4 only."""

    def __init__(self, networks: Networks) -> None:
        self.countries = [place.country for place in networks.places]
        self.first = array("I")
        self.lows = array("H")
        self.numbers = array("I")
        run, at = networks.v4, 0
        for high in range(1 << 16):
            self.first.append(len(self.lows))
            at = run.find(high << 16)
            while at < len(run.starts) and run.starts[at] < (high + 1) << 16:
                self.lows.append(max(0, run.starts[at] - (high << 16)))
                self.numbers.append(run.numbers[at])
                at += 1
        self.first.append(len(self.lows))

    def country(self, text: str) -> str | None:
        high, low = _two(socket.inet_pton(2, text))
        first = self.first
        return self.countries[self.numbers[bisect_right(self.lows, low, first[high], first[high + 1]) - 1]]


def agree(answers: dict[str, Answer], reader: maxminddb.Reader, addresses: list[str]) -> None:
    """Exit if an answer differs from the country in maxminddb's record."""
    for address in addresses:
        record = reader.get(address)
        want = record["country"]["iso_code"] if isinstance(record, dict) else None  # type: ignore[call-overload, index]
        for name, answer in answers.items():
            if (found := answer(address)) != want:
                sys.exit(f"stopped: {name} answers {found} for {address}, and maxminddb {want}")


def rivals_of(path: Path, geoip: GeoIP) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """Return the functions to time, and functions that reduce their results to country codes for comparison."""
    official, reader = geoip2.database.Reader(path), maxminddb.open_database(path)
    cache: cachetools.LRUCache[str, object] = cachetools.LRUCache(65_536)
    guarded = cachetools.cached(cache, lock=threading.Lock())(reader.get)
    table: cachetools.LRUCache[str, object] = cachetools.LRUCache(65_536)
    over_table = cachetools.cached(table, lock=threading.Lock())(geoip.locate)
    meanwhile = geoip._plan.open()

    def code(record: object) -> object:
        return record["country"]["iso_code"] if isinstance(record, dict) else None

    def official_code(text: str) -> object:
        try:
            return official.country(text).country.iso_code
        except geoip2.errors.AddressNotFoundError:
            return None

    def official_country(text: str) -> object:
        try:
            return official.country(text)
        except geoip2.errors.AddressNotFoundError:
            return None

    timed: dict[str, Answer] = {
        "geoip2": official_country,
        "maxminddb get()": reader.get,
        "cachetools LRU(65536) over maxminddb": guarded,
        "GeoIP while the table is being built": meanwhile.evidence,
        "GeoIP.country()": geoip.country,
        "GeoIP.locate()": geoip.locate,
        "GeoIP.locate().country": lambda text: geoip.locate(text).country,
        "cachetools LRU(65536) over GeoIP": over_table,
        "GeoIP.locate().evidence (network, why …)": lambda text: geoip.locate(text).evidence,
    }
    compared: dict[str, Answer] = {
        "geoip2": official_code,
        "cachetools over maxminddb": lambda text: code(guarded(text)),
        "GeoIP": lambda text: geoip.locate(text).country,
        "GeoIP.country": geoip.country,
        "GeoIP's evidence": lambda text: geoip.locate(text).evidence.country,
        "GeoIP, opened": lambda text: meanwhile.evidence(text).country,
    }
    return timed, compared
