"""`Resolver`: from a request to a `Viewer`, with the signal that won and those that disagreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from withhold.errors import Problem, ProxyError, escaped, quoted
from withhold.location.cdn import CDN, CDNS
from withhold.location.geoip import GeoIP
from withhold.location.headers import Headers, Lines, printable
from withhold.location.location import Anonymised, Evidence, Location, LocationState
from withhold.location.proxies import Trace, TrustedProxies
from withhold.location.schema import place_of
from withhold.model import Viewer


@dataclass(frozen=True, slots=True)
class Signal:
    """What one source says of where the viewer is: `cdn`, `geoip` or `account`."""

    name: str
    location: Location

    def __str__(self) -> str:
        found = self.location.finding
        where = ", ".join((found.country, *found.subdivisions)) if found.country else str(found.state)
        return f"{self.name}: {where} ({found.why})"

    def contradicts(self, other: Signal) -> bool:
        """Return whether both name a place, and it cannot be the same."""
        mine, theirs = self.location, other.location
        if mine.country is None or theirs.country is None:
            return False
        if mine.country != theirs.country:
            return True
        return bool(mine.subdivisions and theirs.subdivisions) and not {*mine.subdivisions} & {*theirs.subdivisions}


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a viewer is, and how that is known: what `explain` and `withhold locate` print.

    `winner` is the signal that settled it, None if nothing did; `disagreed` are those that name another place;
    `signals` are all there were, in order. `address` is the viewer's, None if it is not known: it is not in the text.
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
        """Return the viewer; raises `SubjectIdError` for an `account_id` that is none."""
        return self.location.viewer(account_id, Anonymised.LOCATED if self.located else Anonymised.UNKNOWN)

    def __str__(self) -> str:
        return self.described()

    def described(self, *, whole_address: bool = False) -> str:
        """Return the resolution as text, with the viewer's address if that is asked for."""
        address = f"{self.address or 'unknown'} ({self.trace.why})" if whole_address else self.trace.why
        rows = [str(self.viewer()), f"  address: {address}"]
        for signal in self.signals:
            mark = " ← won" if signal is self.winner else " ← disagrees" if signal in self.disagreed else ""
            rows.append(f"  {signal}{mark}")
            if signal.name == "geoip" and self.address and signal.location.anonymity_database is None:
                rows.append("  anonymity: not checked, as there is no database of anonymous addresses")
        return "\n".join(map(escaped, rows))


class Resolver:
    """Composes the signals of a request into a viewer. Immutable; safe to share between threads.

    The order is that of `order`, by default the CDN's header, then GeoIP: the first that names a country wins.
    If it knows no subdivision, that of the next one that agrees on the country is taken. A CDN's header counts
    only if the socket's peer is one of `proxies`. If any signal says that the viewer is anonymised, they are
    of unknown location, or with `anonymised="located"` where the exit is. The country that an account is
    set to never counts; it is recorded beside the others. There is no default country: unknown is unknown.

    >>> resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    >>> resolver.viewer("10.0.0.5", {"CF-IPCountry": "IN", "X-Forwarded-For": "192.0.2.1"}).country
    'IN'
    >>> print(resolver.viewer("192.0.2.1", {"CF-IPCountry": "IN"}))
    unknown location (no signal)

    Raises `ProxyError` for a CDN without trusted proxies, whose headers anybody could write.
    """

    __slots__ = ("anonymised", "cdn", "geoip", "order", "proxies")

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
                raise ProxyError(Problem("unknown-cdn", f"unknown CDN `{printable(cdn)}`", hint=f"known are {known}"))
            cdn = CDNS[cdn]
        given: object = cdn
        if given is not None and not isinstance(given, CDN):
            hint = "give one of `CDNS` by its name, or a `CDN`"
            raise ProxyError(Problem("unknown-cdn", f"{quoted(given)} is not a CDN", hint=hint))
        if cdn is not None and proxies is None:
            hint = "say with `proxies` which peers are the CDN's"
            raise ProxyError(
                Problem("untrusted-cdn", f"nobody is trusted to send the headers of `{cdn.name}`", hint=hint)
            )
        self.cdn = cdn
        self.anonymised = Anonymised(anonymised)
        if sorted(order) != ["cdn", "geoip"]:
            raise ValueError("order is `cdn` and `geoip`, one of them first [bad-order]")
        self.order = tuple(order)

    def viewer(
        self,
        peer: str | None,
        headers: Headers,
        account_id: int | None = None,
        account_country: str | None = None,
    ) -> Viewer:
        """Return who is looking, and from where. `peer` is the address of the socket; about 30 µs.

        `headers` are what the server has: `request.headers` of most frameworks, `scope["headers"]`, a WSGI environ or
        Django's `request.META`, pairs of names and values. Raises `TypeError` for another carrier, which says what to
        pass, `SubjectIdError` for an `account_id` that is none, and nothing for whatever a request holds.
        """
        return self.resolve(peer, headers, account_country).viewer(account_id)

    def resolve(self, peer: str | None, headers: Headers, account_country: str | None = None) -> Resolution:
        """Return the same with every signal."""
        lines = Lines.of(headers)
        trace = self.proxies.trace(peer, lines)
        said = {"cdn": self._cdn(trace, lines), "geoip": self._geoip(trace)}
        signals = [Signal(name, found) for name in self.order if (found := said[name]) is not None]
        winner, finding = self._settle(signals)
        if account_country is not None:
            place = place_of(account_country.upper())
            state = LocationState.KNOWN if place.country else LocationState.UNKNOWN
            finding_of = Evidence(place.country, (), state, why=f"the account is set to `{printable(account_country)}`")
            signals.append(Signal("account", Location.of(finding_of)))
        disagreed = tuple(
            signal for signal in signals if winner is not None and signal is not winner and signal.contradicts(winner)
        )
        if disagreed:
            finding = finding._replace(why="; ".join((finding.why, *(f"but {signal}" for signal in disagreed))))
        located = self.anonymised is Anonymised.LOCATED
        return Resolution(Location.of(finding), winner, disagreed, tuple(signals), trace, located)

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

    def _settle(self, signals: Sequence[Signal]) -> tuple[Signal | None, Evidence]:
        anonymous = next((signal for signal in signals if signal.location.state is LocationState.ANONYMISED), None)
        if anonymous is not None and self.anonymised is Anonymised.UNKNOWN:
            return anonymous, anonymous.location.finding._replace(why=str(anonymous))
        winner = next((signal for signal in signals if signal.location.country), anonymous)
        if winner is None:
            return None, Evidence(None, why="; ".join(map(str, signals)) or "no signal")
        finding = winner.location.finding._replace(why=str(winner))
        if anonymous is not None:
            finding = finding._replace(state=LocationState.ANONYMISED)
        if finding.country and not finding.subdivisions:
            for signal in signals:
                found = signal.location.finding
                if found.country == finding.country and found.subdivisions:
                    why = f"{finding.why}; subdivisions by {signal}"
                    return winner, finding._replace(subdivisions=found.subdivisions, why=why)
        return winner, finding
