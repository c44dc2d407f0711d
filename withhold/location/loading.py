"""Load a `Database` from files or open readers: first open it, then check all of it and build the tables."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from withhold.errors import GeoIPError, Problem, escaped, in_backticks, quoted
from withhold.location.address import V4_BITS, Transition
from withhold.location.anonymity import detect_anonymous_schema
from withhold.location.database import Database, Signature
from withhold.location.mmdb import OpenedDatabase, OpenedFile, read_file, reading
from withhold.location.networks import Networks
from withhold.location.records import Records
from withhold.location.schema import detect_schema
from withhold.location.table import NetworkTable
from withhold.location.tree import Metadata
from withhold.watching import signature_at

_log = logging.getLogger("withhold.location")


class OpenReader(Protocol):
    """An open reader of geoip2 or maxminddb."""

    def metadata(self) -> Metadata: ...


AnyDatabase = str | os.PathLike[str] | OpenReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The databases to load, and the settings for addresses.

    All methods raise `GeoIPError` for databases that cannot be used.
    """

    database: AnyDatabase
    anonymous: AnyDatabase | None
    ip_versions: frozenset[int]
    country_path: Sequence[str] | None
    transition: Transition

    def __post_init__(self) -> None:
        wrong = ", ".join(sorted(map(quoted, self.ip_versions - {4, 6})))
        if wrong or not self.ip_versions:
            message = f"ip_versions contains {wrong}" if wrong else "ip_versions is empty"
            raise GeoIPError(Problem("bad-ip-versions", message, hint="give `4`, `6` or both"))
        for name in ("database", "anonymous"):
            given = getattr(self, name)
            if isinstance(given, (str, os.PathLike)):
                # An absolute path, as the working directory may change before a reload.
                object.__setattr__(self, name, Path(given).absolute())

    def check_files(self) -> None:
        """Raise `GeoIPError` (`not-a-file`) if the database is an open reader, which cannot be read again."""
        if not isinstance(self.database, Path):
            problem = Problem(
                "not-a-file", "an open reader cannot be reloaded", hint="pass the path of its file instead"
            )
            raise GeoIPError(problem)

    def signature(self) -> Signature:
        """Return the current signature of the files."""
        return tuple(signature_at(path) for path in (self.database, self.anonymous) if isinstance(path, Path))

    def open(self) -> Database:
        """Open the files and detect their schemas. In the returned database, maxminddb does the look-ups."""
        leaves = self._opened(self.database, anonymous=False)
        hidden = None if self.anonymous is None else self._opened(self.anonymous, anonymous=True)
        return Database(
            name=leaves.name,
            leaves=leaves,
            table=None,
            transition=self.transition,
            versions=self.ip_versions,
            anonymous=hidden,
            anonymous_name=hidden.name if hidden else "",
            records=Records(leaves.name, leaves.reader, leaves.schema),
            anonymous_records=Records(hidden.name, hidden.reader, hidden.schema) if hidden else None,
            signature=tuple(opened.signature for opened in (leaves, hidden) if isinstance(opened, OpenedFile)),
        )

    def flatten(self, opened: Database) -> Database:
        """Return an opened database with tables, after reading and checking all of its records."""
        leaves, hidden = opened.leaves, opened.anonymous
        if not isinstance(leaves, OpenedDatabase):
            raise TypeError("already flattened")
        with reading(opened.name):
            networks = Networks(leaf for leaf in leaves.leaves() if leaf[0] in self.ip_versions)
        if 4 in self.ip_versions and not networks.locates(4):
            raise _one_version(opened.name, 4)
        if 6 in self.ip_versions and not networks.locates(6):
            if 4 not in self.ip_versions:
                raise _one_version(opened.name, 6)
            # The database covers IPv6, and "no record" is a correct answer, so this is a warning, not a refusal.
            lacks = " with a country" if any(True for _ in networks.v6) else ""
            _log.warning("%s has no IPv6 networks%s: every IPv6 address has an unknown location", opened.name, lacks)
        elsewhere = [(6, prefix << V4_BITS, 96) for prefix in self.transition.nat64]
        anonymous = None
        if isinstance(hidden, OpenedDatabase):
            with reading(opened.anonymous_name):
                anonymous = Networks(hidden.leaves())
            elsewhere += (marked := [*anonymous.anonymous()])
            if not marked:
                _log.warning(
                    "%s marks no network as anonymous: no viewer will be treated as anonymous", opened.anonymous_name
                )
        table = NetworkTable(networks, elsewhere)
        return replace(
            opened,
            leaves=networks,
            table=table,
            anonymous=anonymous,
        )

    def _opened(self, given: AnyDatabase, *, anonymous: bool) -> OpenedDatabase:
        name = escaped(given.name) if isinstance(given, Path) else "an open database"
        with reading(name):
            if isinstance(given, Path):
                opened: OpenedDatabase = OpenedFile(name, *read_file(given))
            else:
                # Use the maxminddb reader inside a reader of geoip2, which would build a model for every record.
                opened = OpenedDatabase(name, getattr(given, "_db_reader", given))  # type: ignore[arg-type]
            about = opened.reader.metadata()
            if about.ip_version == 4 and 6 in self.ip_versions:
                raise _one_version(name, 6)
            if anonymous:
                opened.schema = detect_anonymous_schema(about.database_type, opened.records())
            else:
                opened.schema = detect_schema(about.database_type, opened.records(), self.country_path)
            return opened


def _one_version(name: str, lacking: int) -> GeoIPError:
    return GeoIPError(
        Problem(
            "one-ip-version",
            f"{in_backticks(name)} has no IPv{lacking} networks with a country: every IPv{lacking} viewer would be unknown",
            hint=f"use a database for both versions, or set `ip_versions=({10 - lacking},)`",
        )
    )
