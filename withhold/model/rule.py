"""A rule: which subjects are withheld, where, when and why."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from withhold.errors import (
    CONTROL_CHARACTER,
    Place,
    Problem,
    RuleError,
    RuleSetWarning,
    TerritoryError,
    control_character,
    is_visible,
    quoted,
)
from withhold.model.ids import NO_IDS, IdSet
from withhold.model.instants import utc
from withhold.model.policy import Settle
from withhold.model.territory_set import TerritorySet
from withhold.territories import WORLD, Resolved, expand, not_a_jurisdiction, resolve_jurisdiction


class Effect(StrEnum):
    """What a rule does to its subjects. The order of the members is their severity."""

    WITHHOLD = "withhold"
    SUSPEND = "suspend"

    @property
    def worldwide(self) -> bool:
        """Whether the effect always applies everywhere (R6)."""
        return self is Effect.SUSPEND


class Reason(StrEnum):
    """Why a subject is withheld. The order of the members is their rank in R7."""

    LEGAL_DEMAND = "legal_demand"
    COPYRIGHT = "copyright"
    LOCAL_LAW = "local_law"
    TERMS = "terms"

    @property
    def local(self) -> bool:
        """Whether the reason applies in one jurisdiction only, not everywhere."""
        match self:  # mypy reports a reason that is missing here
            case Reason.LEGAL_DEMAND | Reason.LOCAL_LAW:
                return True
            case Reason.COPYRIGHT | Reason.TERMS:
                return False


class Disclosure(StrEnum):
    """What a notice may reveal about a rule. The order of the members is from the narrowest to the widest.

    `none`: the rule is secret, and not even its reason or its territories may be revealed. `reason`: its reason and
    territories. `full`: also the authority and the law.
    """

    NONE = "none"
    REASON = "reason"
    FULL = "full"


class Period(NamedTuple):
    """A half-open period, `start <= t < end`. A bound of None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def covers(self, instant: datetime) -> bool:
        """Return whether an aware instant is in the period."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


#: Control characters that are allowed in multi-line text: in notes, and in the reasons of overrides.
LINES = "\n\t"

#: The keys of a rule that are stored, but not interpreted.
_EXTRA = re.compile(r"x-[A-Za-z0-9_-]{1,58}", re.ASCII)

_Choice = TypeVar("_Choice", bound=StrEnum)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that withholds accounts and tweets in territories for a period. Immutable.

    The arguments are named like the keys of a rule file, except that `from` is `from_` here. Codes, ids, instants and
    choices may be given in any unambiguous form; the attributes hold them in canonical form.

    >>> rule = Rule(id="in-1", accounts=[1101], withheld_in=["in"], reason="legal_demand")
    >>> rule.withheld_in, 1101 in rule.accounts
    (('IN',), True)

    Raises `RuleError`, `TerritoryError`, `InstantError`, `SubjectIdError` or `SubjectIdTypeError`.
    """

    id: str
    accounts: IdSet = NO_IDS
    tweets: IdSet = NO_IDS
    withheld_in: tuple[str, ...] = ()
    except_in: tuple[str, ...] = ()
    from_: datetime | None = None
    until: datetime | None = None
    stays: tuple[Period, ...] = ()
    effect: Effect = Effect.WITHHOLD
    reason: Reason
    if_unknown: Settle | None = None
    demand: str | None = None
    #: The territory whose law the rule follows, a country, a subdivision or `EU`. It changes no outcome.
    jurisdiction: str | None = None
    disclosure: Disclosure = Disclosure.REASON
    #: When somebody must have reviewed the rule. It changes no answer: the rule stays in force.
    review_by: datetime | None = None
    note: str | None = None
    #: The checks of `withhold.lint` that are overridden for this rule, sorted by code, each with the reason.
    override: tuple[tuple[str, str], ...] = ()
    #: The keys of the rule file that begin with `x-`, sorted, each with its text. They are stored and shown, but not
    #: interpreted.
    extra: tuple[tuple[str, str], ...] = ()
    #: The position in the file that the rule was read from, or None. It is not part of the rule's identity.
    place: Place | None = field(default=None, compare=False)
    #: The positions of its keys in that file: (key, lines below `place`, column).
    layout: tuple[tuple[str, int, int], ...] = field(default=(), compare=False, repr=False)
    #: When the rule is in force: its period without its stays, as disjoint periods in order.
    periods: tuple[Period, ...] = field(init=False, compare=False, repr=False)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            id: str,  # noqa: A002
            accounts: Iterable[int] = (),
            tweets: Iterable[int] = (),
            withheld_in: Iterable[str] = (),
            except_in: Iterable[str] = (),
            from_: datetime | None = None,
            until: datetime | None = None,
            stays: Iterable[tuple[datetime | None, datetime | None]] = (),
            effect: Effect | Literal["withhold", "suspend"] = Effect.WITHHOLD,
            reason: Reason | Literal["legal_demand", "local_law", "copyright", "terms"],
            if_unknown: Settle | Literal["withhold", "show"] | None = None,
            demand: str | None = None,
            jurisdiction: str | None = None,
            disclosure: Disclosure | Literal["none", "reason", "full"] = Disclosure.REASON,
            review_by: datetime | None = None,
            note: str | None = None,
            override: Mapping[str, str] | Iterable[tuple[str, str]] = (),
            extra: Mapping[str, str] | Iterable[tuple[str, str]] = (),
            place: Place | None = None,
            layout: tuple[tuple[str, int, int], ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name in ("accounts", "tweets", "withheld_in", "except_in", "stays"):
            self._as_list(name)
        for name in ("accounts", "tweets"):
            if not isinstance(getattr(self, name), IdSet):
                set_(self, name, IdSet(getattr(self, name)))
        where = self._where()
        set_(self, "effect", choice(Effect, self.effect, "effect", where))
        set_(self, "reason", choice(Reason, self.reason, "reason", where))
        set_(self, "disclosure", choice(Disclosure, self.disclosure, "disclosure", where))
        if self.if_unknown is not None:
            set_(self, "if_unknown", choice(Settle, self.if_unknown, "if_unknown", where))
        if self.effect.worldwide and not self.withheld_in:
            set_(self, "withheld_in", (WORLD,))
        for name in ("withheld_in", "except_in"):
            set_(self, name, self._codes(name))
        if self.jurisdiction is not None:
            set_(self, "jurisdiction", self._jurisdiction())
        for name in ("from_", "until", "review_by"):
            if getattr(self, name) is not None:
                set_(self, name, utc(getattr(self, name), name.rstrip("_")))
        set_(self, "stays", tuple(sorted(map(_read_stay, self.stays), key=_by_bounds)))
        set_(self, "override", self._pairs("override", "codes to reasons"))
        set_(self, "extra", self._pairs("extra", "keys that begin with `x-` to text"))
        found = [(Problem(code, message, where, hint), key) for code, key, message, hint in self._contradictions()]
        if found:
            raise RuleError(*found)
        set_(self, "periods", tuple(_without_stays(Period(self.from_, self.until), self.stays)))

    def in_force(self, instant: datetime) -> bool:
        """Return whether the rule is in force at an aware `instant` (R1). Raises `InstantError` for a naive one."""
        instant = utc(instant)
        return any(period.covers(instant) for period in self.periods)

    def place_of(self, *keys: str) -> Place | None:
        """Return the position of a key in the rule's file, or that of the rule unless it has exactly one of `keys`."""
        found = [(lines, column) for key, lines, column in self.layout if key in keys]
        if self.place is None or len(found) != 1:
            return self.place
        return Place(self.place.file, self.place.line + found[0][0], found[0][1])

    def _contradictions(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield (code, key, message, hint) of each problem."""
        for name in ("id", "demand", "note"):
            text: object = getattr(self, name)
            if isinstance(text, str) and (
                found := describe_control_character(name, text, LINES if name == "note" else "")
            ):
                yield CONTROL_CHARACTER, name, *found
            elif (name == "id" or text is not None) and not (
                isinstance(text, str) and is_visible(text) and text == text.strip()
            ):
                yield (
                    f"bad-{name}",
                    name,
                    f"{name} {quoted(text)} is empty, not text, or has spaces around it",
                    "write text without spaces around it",
                )
        if not self.accounts and not self.tweets:
            hint = "list ids under `accounts` or `tweets`, or name an `ids_file`"
            yield "no-subjects", "accounts", "the rule names no account and no tweet", hint
        if _is_empty(Period(self.from_, self.until)):
            hint = "check whether they are swapped, or in different time zones"
            yield "empty-period", "until", "`until` is not after `from`, so the rule is never in force", hint
        if any(map(_is_empty, self.stays)):
            yield (
                "empty-period",
                "stays",
                "a stay does not end after it starts",
                "check whether its `from` and `until` are swapped",
            )
        if self.effect.worldwide and (self.withheld_in != (WORLD,) or self.except_in):
            name = "except_in" if self.except_in else "withheld_in"
            hint = "write `withheld_in: WORLD`, or `effect: withhold`"
            yield "suspend-not-worldwide", name, f"`effect: {self.effect}` is always worldwide", hint
        for code, reason in self.override:
            if not (code and code == code.strip() and reason and reason == reason.strip()):
                message = f"override {quoted(code)} with the reason {quoted(reason)}: one of the two is empty or has spaces around it"
                yield "bad-override", "override", message, "give the check and the reason for overriding it"
            for found in (
                describe_control_character("override", code),
                describe_control_character(f"override {quoted(code)}", reason, LINES),
            ):
                if found:
                    yield CONTROL_CHARACTER, "override", *found
        for key, text in self.extra:
            if not _EXTRA.fullmatch(key):
                hint = "write `x-`, then letters, digits, `-` or `_`, at most 60 characters in all"
                yield "bad-extra", key, f"{quoted(key)} is not the name of an extra key", hint
            elif found := describe_control_character(key, text):
                yield CONTROL_CHARACTER, key, *found
            elif not (is_visible(text) and text == text.strip()):
                message = f"{key} {quoted(text)} is empty, or has spaces around it"
                yield "bad-extra", key, message, "write text without spaces around it, or leave the key out"
        if not self.withheld_in:
            yield "no-territory", "withheld_in", "the rule names no territory", "write `withheld_in: [IN]`, or `WORLD`"

    def _as_list(self, name: str) -> None:
        """Replace a single code with a tuple of it. Raise `RuleError` for a value that is neither iterable nor text."""
        given: object = getattr(self, name)
        if isinstance(given, str):
            object.__setattr__(self, name, (given,))
        elif not isinstance(given, Iterable):
            message = f"{name} {quoted(given)} is not a list"
            raise RuleError((Problem("bad-value", message, self._where(), f"write `{name}=[…]`"), name))

    def _codes(self, name: str) -> tuple[str, ...]:
        given = tuple(getattr(self, name))
        for code in given:
            if not isinstance(code, str):
                message = f"{quoted(code)} is not a territory code"
                raise TerritoryError(Problem("unknown-territory", message, self._where()))
        codes, aliases = _read_codes(given)
        _warn_of_aliases(aliases)
        return codes

    def _jurisdiction(self) -> str:
        given: object = self.jurisdiction
        if not isinstance(given, str):
            raise not_a_jurisdiction(given)
        found = resolve_jurisdiction(given)
        _warn_of_aliases([found])
        return found.code

    def _pairs(self, name: str, expected: str) -> tuple[tuple[str, str], ...]:
        given: object = getattr(self, name)
        try:
            found = dict(given)  # type: ignore[call-overload]
        except (TypeError, ValueError):
            found = {None: None}
        if not all(isinstance(text, str) for pair in found.items() for text in pair):
            message = f"{name} {quoted(given)} is not a mapping from {expected}"
            raise RuleError((Problem(f"bad-{name}", message, self._where()), name))
        return tuple(sorted(found.items()))

    def _where(self) -> Place | str:
        return self.place or f"rule {quoted(self.id)}"


def territories_of(rule: Rule) -> TerritorySet:
    """Return the territories where a rule withholds, as one set."""
    return TerritorySet(rule.withheld_in) - TerritorySet(rule.except_in)


def choice(kind: type[_Choice], value: str, name: str, place: Place | str | None = None) -> _Choice:
    """Return the member of `kind` with the given value. Raises `RuleError`, whose message calls the value `name`."""
    try:
        return kind(value)
    except ValueError:
        hint = "one of " + ", ".join(f"`{member}`" for member in kind)
        problem = Problem(f"unknown-{name.replace('_', '-')}", f"unknown {name} {quoted(value)}", place, hint)
        raise RuleError((problem, name)) from None


def describe_control_character(name: str, text: str, allowed: str = "") -> tuple[str, str] | None:
    """Return the message and the hint for text with a control character that is not `allowed`, or None.

    >>> describe_control_character("id", "a\\nb")
    ('id `a\\\\nb` contains the control character `\\\\n`', 'write it on one line')
    """
    found = control_character(text, allowed)
    if found is None:
        return None
    hint = "write it on one line" if found in LINES else "remove it: it could forge the output around it"
    return f"{name} {quoted(text)} contains the control character {quoted(found)}", hint


@lru_cache(maxsize=128)
def _read_codes(given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Resolved, ...]]:
    """Return codes in canonical form, and those that were written as aliases.

    Rules with the same codes share one tuple: thousands of rules may name a group of a thousand territories.
    """
    found = [resolved for code in dict.fromkeys(given) for resolved in expand(code)]
    return tuple(sorted({code for code, _ in found})), tuple(each for each in found if each.alias)


def _warn_of_aliases(found: Iterable[Resolved]) -> None:
    for resolved, alias in found:
        if alias:  # the caller of `Rule` is four calls above this one
            warnings.warn(f"`{alias}` was read as `{resolved}` [territory-alias]", RuleSetWarning, stacklevel=5)


def _read_stay(stay: Iterable[datetime | None]) -> Period:
    try:
        start, end = stay
    except (TypeError, ValueError):
        message = f"{quoted(stay)} is not a stay"
        raise RuleError((Problem("bad-value", message, hint="write `(start, end)`"), "stays")) from None
    return Period(*(None if bound is None else utc(bound, "stay") for bound in (start, end)))


def _is_empty(period: Period) -> bool:
    return period.start is not None and period.end is not None and period.end <= period.start


def _by_bounds(period: Period) -> tuple[datetime, datetime]:
    """Return a key to sort periods by start, then by end. Open bounds lie outside all others."""
    return (period.start or _FIRST, period.end or _LAST)


def _without_stays(period: Period, stays: Iterable[Period]) -> Iterable[Period]:
    """Yield the parts of `period` that are in none of `stays`. The stays must be sorted by start."""
    start = period.start
    for stay in stays:
        if stay.start is not None and (start is None or start < stay.start):
            if period.end is not None and period.end <= stay.start:
                break
            yield Period(start, stay.start)
        if stay.end is None:
            return
        start = stay.end if start is None else max(start, stay.end)
        if period.end is not None and period.end <= start:
            return
    yield Period(start, period.end)
