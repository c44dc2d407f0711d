"""An id in the wrong list withholds an unrelated subject, and leaves the intended one visible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from withhold.errors import quoted
from withhold.lint.check import Check, Context, Finding, first_few
from withhold.lint.ids import union
from withhold.model.rule import Rule
from withhold.snowflake import first_id_at

# Ids that only tweets can have. In these years tweet ids already contained a time, and account ids were still
# sequential. Outside this range the size of an id proves nothing: old tweets have small ids, and new accounts large
# ones.
_ONLY_TWEETS = range(first_id_at(datetime(2011, 1, 1, tzinfo=UTC)), first_id_at(datetime(2015, 1, 1, tzinfo=UTC)))


def _find(context: Context) -> Iterator[Finding]:
    rules = context.rules
    accounts, tweets = union(rule.accounts for rule in rules), union(rule.tweets for rule in rules)
    fewer, more = sorted((accounts, tweets), key=len)
    both = {id_ for id_ in fewer if id_ in more}
    first: dict[int, Rule] = {}
    for rule in rules if both else ():
        for id_ in rule.accounts:
            if id_ in both:
                first.setdefault(id_, rule)
    for rule in rules:
        if found := [id_ for id_ in rule.tweets if id_ in both]:
            other = first[found[0]]
            where = "this rule" if other is rule else f"rule {quoted(other.id)}"
            listed = (
                "are listed as tweets here and as accounts"
                if len(found) > 1
                else "is listed as a tweet here and as an account"
            )
            hint = "remove it from one of the two lists, or add an override that states that both exist"
            yield Finding(rule, f"{first_few(found)} {listed} in {where}", hint, ("tweets", "ids_file"))
        if found := [id_ for id_ in rule.accounts if id_ in _ONLY_TWEETS]:
            listed = "are listed as accounts" if len(found) > 1 else "is listed as an account"
            message = f"{first_few(found)} {listed}, but only tweets have ids of this size"
            yield Finding(rule, message, "move the ids of tweets to `tweets`", ("accounts", "ids_file"))


CHECK = Check(
    code="account-among-tweets",
    severity="warning",
    summary="Accounts must not be listed as tweets, nor tweets as accounts.",
    rationale="The id is an account in one list and a tweet in another, or it is listed as an account and has a size that "
    "only ids of tweets have. An old tweet and an old account can have the same number by chance.",
    find=_find,
)
