"""The rules, the resolver and the requests that the tests of all middleware share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from withhold import Engine, Rule, RuleSet
from withhold.location import Resolver, TrustedProxies

RULES = RuleSet(
    [
        Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand"),
        Rule(id="ms-1", accounts=[18], withheld_in=["US-MS"], reason="local_law"),
    ]
)
PEER = "10.0.0.5"


def resolver() -> Resolver:
    return Resolver(proxies=TrustedProxies(["10.0.0.0/8", "127.0.0.1"]), cdn="cloudflare")


def engine() -> Engine:
    return Engine(RULES)


def sent_from(country: str) -> dict[str, str]:
    """Return the headers that Cloudflare sends for a viewer."""
    return {"CF-IPCountry": country, "X-Forwarded-For": "192.0.2.1"}


def answer(found: Any) -> str:
    """Return what a page shows: the country, and the accounts that are withheld."""
    hidden = [account for account in (17, 18) if found.view.withholds(20, account)]
    return f"{found.viewer.country} {hidden} {found.viewer.account_id} {found.is_preview}"


#: Queries for a preview that are malformed, with the code of the response.
MALFORMED = [
    ("as_if_in=", "unknown-territory"),
    ("as_if_in=QQ", "unknown-territory"),
    ("as_if_in=US-QQ", "unknown-territory"),
    ("as_if_in=WORLD", "bad-viewer"),
    ("as_if_in=XX", "unknown-territory"),
    ("as_if_in=EU", "unknown-territory"),
    ("as_if_in=%C4%B1n", "unknown-territory"),
    ("as_if_in=PR-US", "unknown-territory"),
    ("as_of=", "not-an-instant"),
    ("as_of=yesterday", "not-an-instant"),
    ("as_of=2021-02-10T00:00:00", "naive-instant"),
    ("as_of=2021-02-10", "not-an-instant"),
    ("as%5Fof=x", "not-an-instant"),
    ("as_if_in=IN&as_if_in=US", "repeated-parameter"),
]


class Called:
    """A function that counts its calls."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.count = 0

    def __call__(self, request: Any) -> Any:
        self.count += 1
        return self.function(request)
