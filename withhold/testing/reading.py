"""The schema of case files, and the questions and expectations in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import chain, repeat
from typing import Annotated

from pydantic import AfterValidator, Field, InstanceOf, ValidationInfo

from withhold.errors import Problem, TerritoryError, did_you_mean, quoted
from withhold.model import Outcome, RuleSet, Settle, Tweet
from withhold.model.tweet import Subject
from withhold.model.viewer import Viewer
from withhold.parsing.nodes import Node
from withhold.parsing.strict import Flag, Id, Instant, Sparse, key_of, one_of, problem, read_model, reads
from withhold.territories import resolve
from withhold.testing.cases import Case, Expectation
from withhold.testing.viewers import place_of, viewer

# A file has few places, and many cases ask about each.
_viewer = lru_cache(4096)(lambda place, account: viewer(place, account_id=account, signal="given by the case"))


def _path(text: str, info: ValidationInfo) -> str:
    if not text:
        expected = (
            "a rule file, a directory or a snapshot"
            if key_of(info) == "rules"
            else "a directory that contains the rules"
        )
        raise problem(f"no-{key_of(info)}", f"`{key_of(info)}` is empty", f"name {expected}")
    return text


def _sentence(text: str, _: ValidationInfo) -> str:
    text = " ".join(text.split())
    if not text:
        raise problem("bad-text", "`it` is empty", "write in words what the rules must do")
    return text


def _place(text: str, _: ValidationInfo) -> str:
    _viewer(text, None)
    return text


def _not_empty(expected: dict[str, Outcome]) -> dict[str, Outcome]:
    if not expected:
        raise problem("no-expectation", "the case expects nothing", "write `{IN: withheld, US: visible}`")
    return expected


_Expected = dict[Annotated[str, reads(_place)], Annotated[Outcome, one_of(Outcome, "outcome")]]


class _Policy(Sparse):
    called, written = "`policy`", "policy: {unknown_location: show}"

    unknown_location: Annotated[Settle, one_of(Settle)] = Settle.SHOW
    author_sees_own: Flag = False


class FileEntry(Sparse):
    """A case file as it is written. Its cases are read one by one."""

    rules: Annotated[str, reads(_path)] = Field(examples=["in.yaml"])
    root: Annotated[str, reads(_path)] | None = None
    policy: _Policy = _Policy()
    cases: InstanceOf[Node] = Field(examples=["[{it: …, account: …, at: …, expect: …}]"])


class _Retweeted(Sparse):
    called, written = "`retweet_of`", "retweet_of: {tweet: 1355667106821046272, account: 1101}"

    tweet: Id = Field(examples=["1355667106821046272"])
    account: Id = Field(examples=["1101"])


class _Case(Sparse):
    called, written = "a case", "- {it: …, account: …, at: …, expect: …}"
    several_lines = ("it",)

    it: Annotated[str, reads(_sentence)] = Field(examples=["hides the account in India only"])
    account: Id | None = None
    tweet: Id | None = None
    retweet_of: _Retweeted | None = None
    at: Instant = Field(examples=["2021-02-10T05:00:00Z"])
    expect: Annotated[_Expected, AfterValidator(_not_empty)] = Field(examples=["{IN: withheld, US: visible}"])
    because: Annotated[str, reads(lambda text, _: text)] | None = None
    viewer: Id | None = None


def read_cases(node: Node, rules: RuleSet | None) -> tuple[list[Case], list[Problem]]:
    """Return the valid cases of a list, and all problems and warnings.

    `rules` are those that `because` refers to, if they could be read.
    """
    if not node.items:
        message = "`cases` must be a list" if node.items is None else "the file has no case"
        return [], [Problem("bad-cases", message, node.place, "write `- it: …` below it")]
    problems: list[Problem] = []
    first: dict[str, Case] = {}
    suggest = chain(repeat(True, 10), repeat(False))
    for item in node.items:
        entry, found = read_model(_Case, item)
        if entry is not None:
            found += _contradictions(item, entry, rules, suggest)
        problems += found
        if entry is None or any(problem.severity == "error" for problem in found):
            continue
        expect = tuple(Expectation(_viewer(place, entry.viewer), outcome) for place, outcome in entry.expect.items())
        case = Case(entry.it, _subject(entry), entry.at, expect, entry.because, item.place)
        if (before := first.setdefault(case.it, case)) is not case:
            hint = f"the first is at {before.place}"
            problems.append(
                Problem("repeated-case", f"two cases have the same `it`, {quoted(case.it)}", case.place, hint)
            )
    return list(first.values()), problems


def _subject(entry: _Case) -> Subject:
    source = entry.retweet_of
    if source is None or entry.tweet is None or entry.account is None:
        return (entry.tweet, entry.account)
    return Tweet(entry.tweet, entry.account, Tweet(source.tweet, source.account))


def _contradictions(node: Node, entry: _Case, rules: RuleSet | None, suggest: Iterator[bool]) -> Iterator[Problem]:
    """Yield the contradictions between the keys of a case, and its warnings."""
    given = {name for name in ("account", "tweet", "retweet_of") if (value := node.get(name)) and not value.absent}
    if given.isdisjoint(("account", "tweet")):
        hint = "name the subject, such as `account: 1101`"
        yield Problem("no-subject", "the case has neither `account` nor `tweet`", node.place, hint)
    if "retweet_of" in given and not given >= {"account", "tweet"}:
        hint = "name the retweet with `tweet` and its author with `account`, beside `retweet_of`"
        yield Problem("bad-retweet", "a retweet needs both `tweet` and `account`", node.place, hint)
    yield from _places(node.get("expect"))
    if entry.because is None:
        return
    place = node.at(["because"]).place
    if rules is not None and entry.because not in rules:
        # Only for the first cases, because there may be thousands of both cases and rules.
        known = [rule.id for rule in rules] if next(suggest) else []
        hint = did_you_mean(entry.because, known) if known else "write the id of a rule in `rules`"
        yield Problem("unknown-rule", f"there is no rule {quoted(entry.because)}", place, hint)
    if entry.expect and all(outcome is Outcome.VISIBLE for outcome in entry.expect.values()):
        hint = "remove it, or expect `withheld` or `suspended` somewhere"
        yield Problem("because-of-nothing", "the case has `because`, but expects nothing to be withheld", place, hint)


def _places(expect: Node | None) -> Iterator[Problem]:
    """Yield a problem for each place that is given twice, and a warning for each that is read as another one."""
    seen: set[Viewer] = set()
    for key, _ in (expect and expect.pairs) or ():
        with suppress(TerritoryError):
            who = _viewer(str(key.text), None)
            if who in seen:
                yield Problem("repeated-place", f"the place {quoted(key.text)} is given twice", key.place, "keep one")
            seen.add(who)
            alias = None if who.country is None else resolve(str(key.text)).alias
            if alias:
                message = f"`{alias}` was read as `{place_of(who)}`"
                yield Problem("territory-alias", message, key.place, severity="warning")
