"""Notices: the public form of decisions.

A decision is for operators: it names rules and demands. A notice contains only what the `disclosure` of its rules allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from withhold.engine import Page, TweetDecisions
from withhold.errors import Problem, SubjectTypeError, quoted
from withhold.model import Decision, Disclosure, Reason, Scope, TerritorySet
from withhold.territories import WORLD, countries, country_of

Kind = Literal["withheld", "suspended", "own", "unavailable"]
#: Control characters, except tabs and ends of lines, and unpaired surrogates. Formatting characters such as U+200C are
#: part of the spelling of Persian and other languages.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandDetails:
    """The details of a demand, for the notices of rules that have `disclosure: full`. They are plain text for viewers.

    `authority` made the demand, `law` is its basis, and `persons` are the people to whom it applies.

    Raises `ValueError` (`bad-details`) for anything but text, and for control characters and unpaired surrogates.
    """

    authority: str | None = None
    law: str | None = None
    persons: str | None = None

    def __post_init__(self) -> None:
        for name in ("authority", "law", "persons"):
            value = getattr(self, name)
            if value is not None and not is_sendable(value):
                raise ValueError(f"{name} {quoted(value)} is not text without control characters [bad-details]")


def is_sendable(value: object) -> bool:
    """Return whether a value is text without control characters, which a page and a JSON document can contain."""
    return isinstance(value, str) and _UNSENDABLE.search(value) is None


_NO_DETAILS: Mapping[str, DemandDetails] = MappingProxyType({})
_NOTHING = DemandDetails()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The public form of a decision: an immutable value that pydantic and FastAPI can serialise.

    | attribute | meaning |
    |---|---|
    | `key` | a stable text that clients can translate, such as `withheld-account-legal-demand` |
    | `kind` | `withheld`, `suspended`, `own` (withheld, but visible to its author) or `unavailable` (no reason may be given) |
    | `scope` | `account` or `tweet`: which of the two is withheld; if unavailable, which of the two was asked for |
    | `reason` | the reason of the rule that speaks; None if unavailable |
    | `withheld_in`, `except_in` | the territories, as codes; empty if suspended (everywhere) or unavailable |
    | `authority`, `law`, `persons` | details of the demand, if its disclosure is `full` and the platform gave them |

    It never has the id of a rule or of a demand, a note or a revision.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> rules = RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand", demand="IN-D1")])
    >>> notice = Notice.of(Engine(rules).view(Viewer(country="IN")).check(account_id=17))
    >>> notice.key, notice.withheld_in
    ('withheld-account-legal-demand', ('IN',))
    """

    key: str
    kind: Kind
    scope: Scope
    reason: Reason | None = None
    withheld_in: tuple[str, ...] = ()
    except_in: tuple[str, ...] = ()
    authority: str | None = None
    law: str | None = None
    persons: str | None = None

    @classmethod
    def of(
        cls, decision: Decision, *, details: Mapping[str, DemandDetails] = _NO_DETAILS, about: Scope = Scope.TWEET
    ) -> Notice | None:
        """Return the notice of a decision, or None if the viewer sees the subject and need not be told anything.

        `details` has the details of demands by their ids. `about` is what the viewer asked for: the notice that something
        is unavailable names only that. Raises `SubjectTypeError` for anything but a `Decision` (`not-a-decision`) and for details
        of another type (`bad-details`). O(1) for territories that had a notice before.
        """
        given: object = decision
        if not isinstance(given, Decision):
            problem = Problem("not-a-decision", f"{quoted(given)} is not a decision", hint="pass what `check` returned")
            raise SubjectTypeError(problem)
        scope, reason, disclosure = decision.scope, decision.reason, decision.disclosure
        if decision.visible and not decision.exempt:
            return None
        # A decision that was made by hand may lack these; then nothing may be revealed.
        if scope is None or reason is None or disclosure is None or disclosure is Disclosure.NONE:
            return None if decision.visible else cls.unavailable(about)
        kind: Kind = "own" if decision.visible else "suspended" if decision.suspended else "withheld"
        withheld_in, except_in = ((), ()) if decision.suspended else _codes(decision.disclosed_in)
        full = disclosure is Disclosure.FULL and decision.demand is not None
        found: object = details.get(decision.demand or "", _NOTHING) if full else _NOTHING
        if not isinstance(found, DemandDetails):
            problem = Problem(
                "bad-details", f"details {quoted(found)} are not `DemandDetails`", hint="write `DemandDetails(law=…)`"
            )
            raise SubjectTypeError(problem)
        return cls(
            key=f"{kind}-{scope}-{reason.replace('_', '-')}",
            kind=kind,
            scope=scope,
            reason=reason,
            withheld_in=withheld_in,
            except_in=except_in,
            authority=found.authority,
            law=found.law,
            persons=found.persons,
        )

    @classmethod
    def unavailable(cls, about: Scope = Scope.TWEET) -> Notice:
        """Return the notice of a tweet or an account that does not exist. That of a secret rule is equal to it."""
        return cls(key=f"unavailable-{about}", kind="unavailable", scope=about)


def notices_in(
    decisions: TweetDecisions, *, details: Mapping[str, DemandDetails] = _NO_DETAILS
) -> dict[tuple[str, ...], Notice]:
    """Return the notices to show in a tweet, by path: the names of the attributes that lead from the tweet to a quote.

    Each notice replaces the quote at its path, which the page must not show. `()` is the path of the tweet itself, which has a
    notice if it is hidden, or if it is withheld but shown to its author. Raises the errors of `Notice.of`.

    >>> from withhold import Engine, Rule, RuleSet, Tweet, Viewer
    >>> view = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="terms")])).view(Viewer(country="IN"))
    >>> found = notices_in(view.check_tweet(Tweet(id=21, account_id=5, quoted=Tweet(id=20, account_id=17))))
    >>> {path: notice.key for path, notice in found.items()}
    {('quoted',): 'withheld-account-terms'}
    """
    decided = {(): decisions.decision, **decisions.hidden_quotes()}
    return {
        path: notice
        for path, decision in decided.items()
        if (notice := Notice.of(decision, details=details)) is not None
    }


def disclosed_count(page: Page[Any]) -> int:
    """Return the number of hidden items that viewers may know of.

    Items hidden by secret rules do not count, because the number would reveal them.
    """
    return sum(decision.disclosure not in (None, Disclosure.NONE) for _, decision in page.hidden)


@lru_cache(maxsize=4096)
def _codes(where: TerritorySet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return territories as short lists of codes: where something is withheld, and the exceptions from that.

    They are exact for every country without subdivisions and for every subdivision without parts.
    """
    everywhere = TerritorySet([WORLD])
    if sum(country in where for country in countries()) > len(countries()) // 2:
        return (WORLD,), tuple(everywhere - where)
    inside: list[str] = []
    outside: list[str] = []
    for country in countries():
        whole = TerritorySet([country])
        if not (part := where & whole):
            continue
        listed, others = list(part), list(whole - part)
        if part == whole or not listed or len(others) < len(listed):
            inside.append(country)
            outside += others
        else:
            inside += listed
    return tuple(sorted(inside)), tuple(sorted(outside))


def exceptions_in(country: str, except_in: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the exceptions that are parts of a country."""
    return tuple(code for code in except_in if code != country and country_of(code) == country)
