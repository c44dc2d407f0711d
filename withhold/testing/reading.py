"""The schema of case files, and the questions and expectations in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Annotated

from pydantic import AfterValidator, Field, InstanceOf, ValidationInfo

from withhold.errors import Problem, did_you_mean, quoted
from withhold.model import Outcome, RuleSet, Settle, Tweet
from withhold.model.tweet import Subject
from withhold.parsing.nodes import Node
from withhold.parsing.strict import Flag, Id, Instant, OneOrMore, Sparse, key_of, one_of, problem, read_model, reads
from withhold.sources.entry import Groups
from withhold.testing.cases import Case
from withhold.testing.elsewhere import ELSEWHERE
from withhold.testing.expectations import expectations, place_problems, read_place


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


def _not_empty(expected: dict[str, Outcome]) -> dict[str, Outcome]:
    if not expected:
        raise problem("no-expectation", "the case expects nothing", "write `{IN: withheld, US: visible}`")
    return expected


_Expected = dict[Annotated[str, reads(read_place)], Annotated[Outcome, one_of(Outcome, "outcome")]]
_Ids = Annotated[tuple[Id, ...], OneOrMore]


class _Policy(Sparse):
    called, written = "`policy`", "policy: {unknown_location: show}"

    unknown_location: Annotated[Settle, one_of(Settle)] = Settle.SHOW
    author_sees_own: Flag = False


class FileEntry(Sparse):
    """A case file as it is written. Its cases are read one by one."""

    called, written = "a case file", "rules: in.yaml"

    rules: Annotated[str, reads(_path)] = Field(
        examples=["in.yaml"], description="The rule file, directory or snapshot to test, relative to this file."
    )
    root: Annotated[str, reads(_path)] | None = Field(None, description="Open no rule file outside this directory.")
    policy: _Policy = Field(_Policy(), description="The policy of the engine that answers.")
    groups: InstanceOf[Node] = None  # type: ignore[assignment]  # `groups_of` reads it
    cases: InstanceOf[Node] = Field(examples=["[{it: …, account: …, at: …, expect: …}]"])


#: The keys that name one subject, and those that name several.
_ONE, _SEVERAL = ("account", "tweet", "retweet_of"), ("accounts", "tweets")


class _Retweeted(Sparse):
    called, written = "`retweet_of`", "retweet_of: {tweet: 1355667106821046272, account: 1101}"

    tweet: Id = Field(examples=["1355667106821046272"])
    account: Id = Field(examples=["1101"])


class _Case(Sparse):
    called, written = "a case", "- {it: …, account: …, at: …, expect: …}"
    several_lines = ("it",)

    it: Annotated[str, reads(_sentence)] = Field(
        examples=["hides the account in India only"], description="What the rules must do, in words."
    )
    account: Id | None = Field(None, description="The account, or the author of the tweet.")
    tweet: Id | None = Field(None, description="The tweet.")
    retweet_of: _Retweeted | None = Field(None, description="The source, if the tweet is a retweet.")
    accounts: _Ids = Field((), description="Several accounts, each tested on its own.")
    tweets: _Ids = Field((), description="Several tweets, each tested on its own.")
    at: Instant = Field(examples=["2021-02-10T05:00:00Z"], description="The instant of the question.")
    expect: Annotated[_Expected, AfterValidator(_not_empty)] = Field(
        examples=["{IN: withheld, US: visible}"],
        description="The outcome in each place: a territory, a group, `unknown`, or `elsewhere`.",
    )
    because: Annotated[str, reads(lambda text, _: text)] | None = Field(
        None, description="The id of the rule that must decide where something is hidden."
    )
    viewer: Id | None = Field(None, description="The account of the viewer.")


def read_cases(node: Node, rules: RuleSet | None, groups: Groups) -> tuple[list[Case], list[Problem]]:
    """Return the valid cases of a list, one for each subject, and all problems and warnings.

    `rules` are those that `because` refers to, if they could be read. `groups` are those that `expect` may name.
    """
    if not node.items:
        message = "`cases` must be a list" if node.items is None else "the file has no case"
        return [], [Problem("bad-cases", message, node.place, "write `- it: …` below it")]
    problems: list[Problem] = []
    first: dict[str, Node] = {}
    cases: list[Case] = []
    suggest = chain(repeat(True, 10), repeat(False))
    for item in node.items:
        entry, found = read_model(_Case, item, groups)
        if entry is not None:
            found += _contradictions(item, entry, rules, suggest)
            found += place_problems(item.get("expect"), groups)
        problems += found
        if entry is None or any(problem.severity == "error" for problem in found):
            continue
        expect, elsewhere = expectations(entry.expect, groups, entry.viewer)
        if elsewhere is not None and not elsewhere.places:
            hint = "remove it, or name fewer places"
            key = item.key_at(["expect", ELSEWHERE])
            problems.append(
                Problem(
                    "nothing-elsewhere", "the case names every place, so `elsewhere` has none left", key.place, hint
                )
            )
            continue
        if (before := first.setdefault(entry.it, item)) is not item:
            hint = f"the first is at {before.place}"
            problems.append(
                Problem("repeated-case", f"two cases have the same `it`, {quoted(entry.it)}", item.place, hint)
            )
            continue
        subjects = _subjects(entry)
        cases += (
            Case(entry.it, subject, entry.at, expect, entry.because, item.place, elsewhere, len(subjects) > 1)
            for subject in subjects
        )
    return cases, problems


def _subjects(entry: _Case) -> list[Subject]:
    if entry.accounts or entry.tweets:
        return [*((None, account) for account in entry.accounts), *((tweet, None) for tweet in entry.tweets)]
    source = entry.retweet_of
    if source is None or entry.tweet is None or entry.account is None:
        return [(entry.tweet, entry.account)]
    return [Tweet(entry.tweet, entry.account, Tweet(source.tweet, source.account))]


def _contradictions(node: Node, entry: _Case, rules: RuleSet | None, suggest: Iterator[bool]) -> Iterator[Problem]:
    """Yield the contradictions between the keys of a case, and its warnings."""
    given = {name for name in (*_ONE, *_SEVERAL) if (value := node.get(name)) and not value.absent}
    if given.isdisjoint(("account", "tweet", *_SEVERAL)):
        hint = "name the subject, such as `account: 1101`"
        yield Problem("no-subject", "the case has neither `account` nor `tweet`", node.place, hint)
    if "retweet_of" in given and given.isdisjoint(_SEVERAL) and not given >= {"account", "tweet"}:
        hint = "name the retweet with `tweet` and its author with `account`, beside `retweet_of`"
        yield Problem("bad-retweet", "a retweet needs both `tweet` and `account`", node.place, hint)
    for several in sorted(given.intersection(_SEVERAL)):
        for one in sorted(given.intersection(_ONE)):
            message = f"`{one}` is beside `{several}`, which tests each of its ids on its own"
            yield Problem("mixed-subjects", message, node.key_at([one]).place, "write two cases")
        yield from _ids(several, node.at([several]), getattr(entry, several))
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


def _ids(name: str, node: Node, ids: Sequence[int]) -> Iterator[Problem]:
    """Yield the problems with a list of subjects: none, or one that is named twice."""
    if node.items is not None and not node.items:
        yield Problem("no-subject", f"`{name}` is empty", node.place, f"write an id in it, such as `{name}: [1101]`")
    if len({*ids}) < len(ids):
        seen: set[int] = set()
        for item, id_ in zip(node.as_list, ids, strict=True):
            if id_ in seen:
                message = f"the {name.removesuffix('s')} {quoted(item.text)} is named twice"
                yield Problem("repeated-subject", message, item.place, "keep one")
            seen.add(id_)
