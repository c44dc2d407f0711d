"""Safeguards: effects of a decision that one person alone must not cause. They are checked before anything is recorded.

| code | when | needs |
|---|---|---|
| `protected-account` | it acts on a protected account, or on a tweet of one | an override with a reason, a second person |
| `beyond-its-country` | it withholds outside the jurisdiction that demands it | an override with a reason, a second person |
| `worldwide-for-one-country` | it withholds worldwide | an override with a reason, a second person |
| `court-order` | it lifts a court order, in whole or in part | an override with a reason, a second person |
| `unknown-protection` | there is no list of protected accounts, or only empty ones, or the author of a tweet is unknown | a second person |
| `two-persons` | the policy requires two persons for such a ruling | a second person |

The first three are also checks of `withhold lint`, so the override goes into the rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from withhold.demands.fields import comes_from_court
from withhold.demands.transitions import Ruling
from withhold.errors import Problem, quoted
from withhold.lint.jurisdiction import where_law_applies
from withhold.model.protected import Protected
from withhold.model.territory_set import TerritorySet
from withhold.territories import WORLD

PROTECTED, BEYOND, WORLDWIDE = "protected-account", "beyond-its-country", "worldwide-for-one-country"
COURT, UNKNOWN, TWO = "court-order", "unknown-protection", "two-persons"
#: The safeguards that need an override with a reason.
OVERRIDABLE = (PROTECTED, BEYOND, WORLDWIDE, COURT)


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A safeguard that applies to a decision. Those of `OVERRIDABLE` need a reason, and all need a second person."""

    code: str
    message: str


def territories(withheld_in: Iterable[str], except_in: Iterable[str] = ()) -> TerritorySet:
    """Return the territories that two lists of codes name together."""
    return TerritorySet(withheld_in) - TerritorySet(except_in)


def of_geography(fields: Mapping[str, Any], withheld_in: Collection[str], except_in: Iterable[str]) -> list[Safeguard]:
    """Return the safeguards that apply to a decision to withhold because of its territory."""
    if WORLD in withheld_in:
        return [Safeguard(WORLDWIDE, f"it withholds worldwide on a demand from `{fields['jurisdiction']}`")]
    beyond = territories(withheld_in, except_in) - where_law_applies(fields["jurisdiction"])
    if not beyond:
        return []
    return [
        Safeguard(
            BEYOND, f"the demand comes from `{fields['jurisdiction']}`, but it withholds in {quoted(str(beyond))}"
        )
    ]


def of_target(bound: str | None, author: str | None, protected: Mapping[str, Protected] | None) -> Safeguard | None:
    """Return the safeguard that applies to a decision to act because of the account concerned.

    `protected` maps keys of accounts to protected accounts. It is None if no list was read, or only empty ones.
    """
    if bound is None or not bound.startswith(("account:", "tweet:")):
        return None  # a hashtag or a search has no author
    if protected is None:
        return Safeguard(UNKNOWN, "no list of protected accounts was read, or an empty one")
    account = bound if bound.startswith("account:") else author
    if account is None:
        return Safeguard(UNKNOWN, "the author of the tweet is unknown, and may be a protected account")
    if (found := protected.get(account)) is None:
        return None
    whose = "it names protected account" if account == bound else "it names a tweet of protected account"
    return Safeguard(PROTECTED, f"{whose} {quoted(str(found))}")


def of_lift(fields: Mapping[str, Any], lost: bool) -> Iterator[Safeguard]:
    """Yield the safeguard that applies to lifting. `lost` is whether lifting makes something visible."""
    if lost and comes_from_court(fields):
        yield Safeguard(COURT, "it lifts a court order")


def of_policy(ruling: Ruling | str, policy: Mapping[str, Any] | None) -> Iterator[Safeguard]:
    """Yield the safeguard that the policy of the ledger sets for a ruling, or for `lift`."""
    if policy is not None and ruling in policy["two_persons"]:
        yield Safeguard(TWO, f"the policy requires two persons for `{ruling}`")


def check_overrides(found: Iterable[Safeguard], override: Mapping[str, str], place: str) -> Iterator[Problem]:
    """Yield a problem for each safeguard that needs an override and has none."""
    for each in found:
        if each.code in OVERRIDABLE and each.code not in override:
            hint = f"leave it out, or give `--override {each.code}=REASON`; a second person must approve it"
            yield Problem(each.code, each.message, place, hint)


def by_key(protected: Iterable[Protected] | None) -> dict[str, Protected] | None:
    """Return protected accounts by the keys of their accounts, or None if there are none: an empty list protects nobody."""
    return {f"account:{each.account}": each for each in protected or ()} or None
