"""One rule: which subjects are withheld, where, when and why."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from withhold.errors import Place, Problem, RuleError, RuleSetWarning, TerritoryError
from withhold.model.ids import NO_IDS, IdSet
from withhold.model.instants import utc
from withhold.model.policy import Settle
from withhold.territories import WORLD, expand


class Effect(StrEnum):
    WITHHOLD = "withhold"
    SUSPEND = "suspend"


class Reason(StrEnum):
    """Why, in the order in which reasons speak (R7)."""

    LEGAL_DEMAND = "legal_demand"
    COPYRIGHT = "copyright"
    LOCAL_LAW = "local_law"
    TERMS = "terms"


class Period(NamedTuple):
    """A half-open stretch of time, `start <= t < end`; None is an open bound."""

    start: datetime | None = None
    end: datetime | None = None

    def covers(self, instant: datetime) -> bool:
        """Tell whether an aware instant lies in the period."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Withhold accounts and tweets in territories for a period; a value.

    Keys are those of a rule file; `from` is `from_` here. Codes, ids, instants and choices may be given in
    any form that is read without doubt, and stand in their canonical one afterwards.

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
    note: str | None = None
    #: Where the rule stands in its file, if it was read from one; no part of its identity.
    place: Place | None = field(default=None, compare=False)
    #: When the rule is in force: its period less its stays, merged, in order.
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
            effect: Effect | str = Effect.WITHHOLD,
            reason: Reason | str,
            if_unknown: Settle | str | None = None,
            demand: str | None = None,
            note: str | None = None,
            place: Place | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if not isinstance(self.id, str) or not self.id.strip() or self.id != self.id.strip():
            raise self._error("bad-id", "id", f"rule id `{self.id!r:.60}` is empty or padded")
        for name in ("accounts", "tweets"):
            if not isinstance(getattr(self, name), IdSet):
                set_(self, name, IdSet(getattr(self, name)))
        set_(self, "effect", choice(Effect, self.effect, "effect"))
        set_(self, "reason", choice(Reason, self.reason, "reason"))
        if self.if_unknown is not None:
            set_(self, "if_unknown", choice(Settle, self.if_unknown, "if_unknown"))
        for name in ("withheld_in", "except_in"):
            set_(self, name, self._codes(name))
        for name in ("from_", "until"):
            if getattr(self, name) is not None:
                set_(self, name, utc(getattr(self, name), name.rstrip("_")))
        set_(self, "stays", tuple(sorted(map(self._stay, self.stays), key=_by_start)))
        self._check()
        set_(self, "periods", tuple(_less(Period(self.from_, self.until), self.stays)))

    def in_force(self, instant: datetime) -> bool:
        """Tell whether the rule is in force at an aware `instant` (R1)."""
        return any(period.covers(instant) for period in self.periods)

    def _check(self) -> None:
        if not self.accounts and not self.tweets:
            raise self._error("no-subjects", "accounts", "the rule names no account and no tweet")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise self._error("empty-period", "until", "`until` is not after `from`, so the rule is never in force")
        if self.effect is Effect.SUSPEND and (self.withheld_in not in ((WORLD,), ()) or self.except_in):
            which = "except_in" if self.except_in else "withheld_in"
            hint = "write `withheld_in: WORLD`, or `effect: withhold`"
            raise self._error("suspend-not-worldwide", which, "`effect: suspend` is always worldwide", hint)
        if self.effect is Effect.SUSPEND:
            object.__setattr__(self, "withheld_in", (WORLD,))
        elif not self.withheld_in:
            hint = "write `withheld_in: [IN]`, or `WORLD`"
            raise self._error("no-territory", "withheld_in", "the rule names no territory", hint)

    def _codes(self, name: str) -> tuple[str, ...]:
        given = getattr(self, name)
        given = (given,) if isinstance(given, str) else given
        try:
            found = [resolved for code in given for resolved in expand(code)]
        except AttributeError:
            raise TerritoryError(Problem("unknown-territory", f"`{given!r:.60}` are not territory codes")) from None
        for code, alias in found:
            if alias:
                warnings.warn(f"`{alias}` was read as `{code}` [territory-alias]", RuleSetWarning, stacklevel=4)
        return tuple(sorted({code for code, _ in found}))

    def _stay(self, stay: Iterable[datetime | None]) -> Period:
        start, end = (None if bound is None else utc(bound, "stay") for bound in stay)
        if start is not None and end is not None and end <= start:
            raise self._error("empty-period", "stays", "a stay ends before it starts")
        return Period(start, end)

    def _error(self, code: str, field: str, message: str, hint: str | None = None) -> RuleError:
        return RuleError(Problem(code, message, self.place or f"rule `{self.id}`", hint), field)


def choice(kind: type[_Choice], value: str, name: str) -> _Choice:
    """Return the member of an enumeration that `value` names; raises `RuleError`."""
    try:
        return kind(value)
    except ValueError:
        hint = "one of " + ", ".join(f"`{member}`" for member in kind)
        problem = Problem(f"unknown-{name.replace('_', '-')}", f"unknown {name} `{value!s:.60}`", hint=hint)
        raise RuleError(problem, name) from None


def _by_start(period: Period) -> tuple[bool, datetime | None]:
    return (period.start is not None, period.start)


def _less(period: Period, stays: Iterable[Period]) -> Iterable[Period]:
    """Yield what is left of `period` without `stays`, which are in the order of their start."""
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
