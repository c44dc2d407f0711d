"""An id in the wrong one of two lists withholds something else, and what was meant stays visible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from withhold.errors import quoted
from withhold.lint.check import Check, Finding, Given, some
from withhold.lint.ids import union
from withhold.model.rule import Rule
from withhold.snowflake import first_id_at

# Ids that only tweets have: the years in which these carried their time already, and accounts were still counted, with
# room on both sides. Elsewhere the size of an id tells nothing: old tweets have small ids, new accounts large ones.
_ONLY_TWEETS = range(first_id_at(datetime(2011, 1, 1, tzinfo=UTC)), first_id_at(datetime(2015, 1, 1, tzinfo=UTC)))


def _find(given: Given) -> Iterator[Finding]:
    accounts, tweets = union(rule.accounts for rule in given.rules), union(rule.tweets for rule in given.rules)
    fewer, more = sorted((accounts, tweets), key=len)
    both = {id_ for id_ in fewer if id_ in more}
    first: dict[int, Rule] = {}
    for rule in given.rules if both else ():
        for id_ in rule.accounts:
            if id_ in both:
                first.setdefault(id_, rule)
    for rule in given.rules:
        if found := [id_ for id_ in rule.tweets if id_ in both]:
            other = first[found[0]]
            where = "this rule" if other is rule else f"rule {quoted(other.id)}"
            are = "are tweets here, and accounts" if len(found) > 1 else "is a tweet here, and an account"
            hint = "an id is of one kind: move it, or say in an override that both exist"
            yield Finding(rule, f"{some(found)} {are} in {where}", hint, ("tweets", "ids_file"))
        if found := [id_ for id_ in rule.accounts if id_ in _ONLY_TWEETS]:
            have = "have the size of tweets' ids" if len(found) > 1 else "has the size of a tweet's id"
            message, hint = f"{some(found)} among the accounts {have}", "move what is a tweet to `tweets`"
            yield Finding(rule, message, hint, ("accounts", "ids_file"))


CHECK = Check(
    code="account-among-tweets",
    severity="warning",
    says="Accounts must not stand among tweets, nor tweets among accounts.",
    why="The id is an account in one place and a tweet in another, or stands among accounts and has a size that no "
    "account's id has. Old tweets and old accounts can share a number by chance.",
    find=_find,
)
