"""`Resolver`: from a request to a `Viewer`, with the signal that won and the signals that disagree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from withhold.errors import Problem, ProxyError, escaped, quoted
from withhold.location.address import Address
from withhold.location.cdn import CDN, CDNS
from withhold.location.database import Database
from withhold.location.fast_path import UNUSUAL, FastPath, lines_of
from withhold.location.geoip import GeoIP
from withhold.location.headers import Headers, Lines, printable
from withhold.location.location import Anonymised, Evidence, Location, LocationState
from withhold.location.proxies import Trace, TrustedProxies
from withhold.location.record_place import place_of
from withhold.model import Viewer

#: The trace of a viewer whose location is known: no text mentions it.
_FOUND = Trace(None, trusted=True, why="")


@dataclass(frozen=True, slots=True)
class Signal:
    """The location of the viewer according to one source. `name` is `cdn`, `geoip` or `account`."""

    name: str
    location: Location

    def __str__(self) -> str:
        found = self.location.evidence
        where = ", ".join((found.country, *found.subdivisions)) if found.country else str(found.state)
        return f"{self.name}: {where} ({found.why})"

    def contradicts(self, other: Signal) -> bool:
        """Return whether both signals name a place, and the places exclude each other."""
        mine, theirs = self.location, other.location
        if mine.country is None or theirs.country is None:
            return False
        if mine.country != theirs.country:
            return True
        return bool(mine.subdivisions and theirs.subdivisions) and not {*mine.subdivisions} & {*theirs.subdivisions}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The location of a viewer, and the evidence for it. `withhold locate` prints it.

    - `location`: the result.
    - `winner`: the signal that decided it, or None.
    - `disagreed`: the signals that name a different place.
    - `signals`: all signals, in order.
    - `trace`: how the address of the viewer was found.
    - `located`: whether an anonymised viewer is treated as located at the exit.
    - `address`: the whole address of the viewer, or None if it is unknown. No text shows it, except
      that of `describe(whole_address=True)`.
    """

    location: Location
    winner: Signal | None
    disagreed: tuple[Signal, ...]
    signals: tuple[Signal, ...]
    trace: Trace
    located: bool

    @property
    def address(self) -> str | None:
        return self.trace.address

    def viewer(self, account_id: int | None = None) -> Viewer:
        """Return the viewer. Raises `SubjectIdError` or `SubjectIdTypeError` for an invalid `account_id`."""
        return self.location.viewer(account_id, Anonymised.LOCATED if self.located else Anonymised.UNKNOWN)

    def __str__(self) -> str:
        return self.describe()

    def describe(self, *, whole_address: bool = False) -> str:
        """Return the resolution as text, with the whole address of the viewer if `whole_address` is set."""
        address = f"{self.address or 'unknown'} ({self.trace.why})" if whole_address else self.trace.why
        rows = [str(self.viewer()), f"  address: {address}"]
        for signal in self.signals:
            mark = " ← won" if signal is self.winner else " ← disagrees" if signal in self.disagreed else ""
            rows.append(f"  {signal}{mark}")
            if signal.name == "geoip" and self.address and signal.location.anonymity_database is None:
                rows.append("  anonymity: not checked, as no database of anonymous addresses was given")
        return "\n".join(map(escaped, rows))


class Resolver:
    """Combines the signals of a request into a viewer. Immutable; safe to share between threads.

    The first signal in `order` that names a country wins: by default the CDN's header, then GeoIP. If the winner has no
    subdivision, the next signal that agrees on the country supplies it. The CDN's header counts only if the peer of the socket
    is one of `proxies`. If any signal marks the viewer as anonymised, their location is unknown, or with
    `anonymised="located"` that of the exit. The country in the account's settings never decides; it is only recorded beside
    the other signals. There is no default country.

    >>> resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    >>> resolver.viewer("10.0.0.5", {"CF-IPCountry": "IN", "X-Forwarded-For": "192.0.2.1"}).country
    'IN'
    >>> print(resolver.viewer("192.0.2.1", {"CF-IPCountry": "IN"}))
    unknown location (no signal: the peer is in 192.0.2.0/24, which is not a trusted proxy)

    Raises `ProxyError` for a CDN without trusted proxies, whose headers anybody could write (`untrusted-cdn`), and for an
    unknown one (`unknown-cdn`). Raises `ValueError` unless `order` is `cdn` and `geoip`, in either order
    (`bad-order`), and for an unknown value of `anonymised`.
    """

    __slots__ = ("_fast_path", "anonymised", "cdn", "geoip", "order", "proxies")

    _fast_path: FastPath | None

    def __init__(
        self,
        *,
        geoip: GeoIP | None = None,
        proxies: TrustedProxies | None = None,
        cdn: CDN | str | None = None,
        anonymised: Anonymised | str = Anonymised.UNKNOWN,
        order: Sequence[str] = ("cdn", "geoip"),
    ) -> None:
        self.geoip = geoip
        self.proxies = proxies if proxies is not None else TrustedProxies()
        if isinstance(cdn, str):
            if cdn not in CDNS:
                known = ", ".join(f"`{name}`" for name in CDNS)
                raise ProxyError(Problem("unknown-cdn", f"unknown CDN `{printable(cdn)}`", hint=f"known: {known}"))
            cdn = CDNS[cdn]
        given: object = cdn
        if given is not None and not isinstance(given, CDN):
            hint = "give one of `CDNS` by its name, or a `CDN`"
            raise ProxyError(Problem("unknown-cdn", f"{quoted(given)} is not a CDN", hint=hint))
        if cdn is not None and proxies is None:
            hint = "list the peers that belong to the CDN in `proxies`"
            raise ProxyError(
                Problem("untrusted-cdn", f"no peer is trusted to send the headers of `{cdn.name}`", hint=hint)
            )
        self.cdn = cdn
        self.anonymised = Anonymised(anonymised)
        if sorted(order) != ["cdn", "geoip"]:
            raise ValueError(f"order `{printable(str(order))}` must be `cdn` and `geoip`, in either order [bad-order]")
        self.order = tuple(order)
        self._fast_path = None

    def viewer(
        self,
        peer: str | None,
        headers: Headers,
        account_id: int | None = None,
        account_country: str | None = None,
    ) -> Viewer:
        """Return the viewer who sent a request. `peer` is the address of the socket. Takes 1 µs for a
        usual request in C, and 4 µs in Python; about 30 µs if the location is unknown.

        `headers` may have any form that a server provides: `request.headers` of most frameworks, `scope["headers"]`, a
        WSGI environ or Django's `request.META`, or pairs of names and values. Raises `TypeError` for any other form
        (`bad-headers`, `bad-peer`), and `SubjectIdError` or `SubjectIdTypeError` for an invalid `account_id`. Nothing
        in a request raises an exception.
        """
        database = None if self.geoip is None else self.geoip._database
        path = self._fast_path
        if path is None or path.database is not database:
            path = self._path_for(database)
        if path is not None:
            try:
                found = path.viewer(peer, headers, account_id, account_country)
            except UNUSUAL:
                found = None
            if found is not None:
                return found
        return self.resolve(peer, headers, account_country).viewer(account_id)

    def resolve(self, peer: str | None, headers: Headers, account_country: str | None = None) -> Resolution:
        """Return the location of the viewer, with every signal. Raises `TypeError` as `viewer` does."""
        lines = Lines.of(headers)
        trace = self.proxies.trace(peer, lines)
        return self._resolution(trace, self._cdn(trace, lines), self._geoip(trace), account_country)

    def _resolution(
        self, trace: Trace, cdn: Location | None, geoip: Location | None, account_country: str | None
    ) -> Resolution:
        located_by = {"cdn": cdn, "geoip": geoip}
        signals = [Signal(name, found) for name in self.order if (found := located_by[name]) is not None]
        winner, evidence = self._settle(signals, trace)
        if account_country is not None:
            place = place_of(account_country.upper())
            state = LocationState.KNOWN if place.country else LocationState.UNKNOWN
            of_account = Evidence(place.country, (), state, why=f"the account is set to `{printable(account_country)}`")
            signals.append(Signal("account", Location.of(of_account)))
        disagreed = tuple(
            signal for signal in signals if winner is not None and signal is not winner and signal.contradicts(winner)
        )
        if disagreed:
            evidence = evidence._replace(why="; ".join((evidence.why, *(f"but {signal}" for signal in disagreed))))
        located = self.anonymised is Anonymised.LOCATED
        return Resolution(Location.of(evidence), winner, disagreed, tuple(signals), trace, located)

    def _path_for(self, database: Database | None) -> FastPath | None:
        """Return the fast path for a database, or None if there is none. It is replaced when the database is reloaded."""
        if not FastPath.is_possible(self.proxies, self.cdn, database):
            return None
        first = self.order[0] == "cdn"
        path = FastPath(self.proxies, self.cdn, database, cdn_first=first, explained=self._explained)
        self._fast_path = path
        return path

    def _explained(
        self,
        database: Database | None,
        version: int,
        network: int,
        number: int,
        code: str | bytes | None,
        region: str | bytes | None,
        account_country: str | None,
    ) -> str:
        """Return the signal of a viewer that the fast path has resolved. The last arguments are from its source."""
        geoip = None if database is None else Location.of(database.evidence_within(Address(version, network), number))
        found = None if self.cdn is None else self.cdn.read(lines_of(self.cdn, code, region))
        cdn = None if found is None else Location.of(found)
        return self._resolution(_FOUND, cdn, geoip, account_country).location.evidence.why

    def _cdn(self, trace: Trace, lines: Lines) -> Location | None:
        if self.cdn is None or not trace.trusted:
            return None
        found = Evidence(None, why=trace.why) if trace.relayed else self.cdn.read(lines)
        return Location.of(found) if found is not None else None

    def _geoip(self, trace: Trace) -> Location | None:
        if self.geoip is None:
            return None
        if trace.address is None:
            return Location.of(Evidence(None, why=trace.why))
        return self.geoip.locate(trace.address).looked_up()

    def _settle(self, signals: Sequence[Signal], trace: Trace) -> tuple[Signal | None, Evidence]:
        """Return the winning signal, or None, and the resulting evidence."""
        anonymous = next((signal for signal in signals if signal.location.state is LocationState.ANONYMISED), None)
        if anonymous is not None and self.anonymised is Anonymised.UNKNOWN:
            return anonymous, anonymous.location.evidence._replace(why=str(anonymous))
        winner = next((signal for signal in signals if signal.location.country), anonymous)
        if winner is None:
            no_signal = "no signal" if trace.trusted else f"no signal: {trace.why}"
            return None, Evidence(None, why="; ".join(map(str, signals)) or no_signal)
        evidence = winner.location.evidence._replace(why=str(winner))
        if anonymous is not None:
            evidence = evidence._replace(state=LocationState.ANONYMISED)
        if evidence.country and not evidence.subdivisions:
            for signal in signals:
                found = signal.location.evidence
                if found.country == evidence.country and found.subdivisions:
                    why = f"{evidence.why}; subdivisions from {signal}"
                    return winner, evidence._replace(subdivisions=found.subdivisions, why=why)
        return winner, evidence
