"""Ask the platform which accounts own the handles of a demand, and who wrote its tweets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from withhold.demands.fold import Data
from withhold.demands.receiving import Resolution, Resolved
from withhold.demands.transitions import TargetState


class Resolver(Protocol):
    """A look-up of the platform. A result of None means that there is no such account or tweet.

    A resolver may leave out keys that it does not know.
    """

    def accounts(self, handles: Collection[str]) -> Mapping[str, int | None]:
        """Return the account ids of handles, which are in lower case and without `@`."""
        ...

    def authors(self, tweets: Collection[int]) -> Mapping[int, int | None]:
        """Return the account ids of the authors of tweets."""
        ...


def look_up(resolver: Resolver, targets: Mapping[int, Data]) -> list[Resolution]:
    """Return the resolutions of the targets of a demand, for `resolve`.

    Calls each method of the resolver once. Duplicates and targets that the resolver leaves out have no resolution. If an
    order gives an id together with a handle of another account, the id is kept, and the result is `handle_mismatch`.
    Raises the errors of the resolver.

    >>> class Platform:
    ...     def accounts(self, handles):
    ...         return {"user_1": 1101}
    ...     def authors(self, tweets):
    ...         return {}
    >>> target = {"state": "unresolved", "key": "account:@user_1", "bound": None, "handle": "User_1"}
    >>> look_up(Platform(), {7: target})
    [Resolution(number=7, found=<Resolved.RESOLVED: 'resolved'>, bound='account:1101', author=None)]
    """
    asked = {number: target for number, target in targets.items() if target["state"] != TargetState.DUPLICATE}
    handles = {target["handle"].lower() for target in asked.values() if target["handle"] is not None}
    tweets = {int(target["bound"][6:]) for target in asked.values() if (target["bound"] or "").startswith("tweet:")}
    accounts, authors = resolver.accounts(handles), resolver.authors(tweets)
    found = []
    for number, target in asked.items():
        resolution = _resolution(number, target, accounts, authors)
        if resolution is not None:
            found.append(resolution)
    return found


def _resolution(
    number: int, target: Data, accounts: Mapping[str, int | None], authors: Mapping[int, int | None]
) -> Resolution | None:
    bound, handle = target["bound"], (target["handle"] or "").lower()
    named = accounts.get(handle)
    if bound is None:
        if handle not in accounts or target["key"] != f"account:@{handle}":
            return None
        return Resolution(number, Resolved.NOT_FOUND) if named is None else Resolution(number, bound=f"account:{named}")
    kind, _, id_ = bound.partition(":")
    if kind == "account":
        return Resolution(number, Resolved.HANDLE_MISMATCH) if named not in (None, int(id_)) else None
    if kind != "tweet" or int(id_) not in authors:
        return None
    author = authors[int(id_)]
    if author is None:
        return Resolution(number, Resolved.NOT_FOUND)
    result = Resolved.RESOLVED if named in (None, author) else Resolved.HANDLE_MISMATCH
    return Resolution(number, result, author=f"account:{author}")
