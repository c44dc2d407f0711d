"""A record of the decision log: the answers on one page. This module writes and reads it as one line of JSON.

The `README.md` beside this file describes its fields. Records of another version, and unknown fields, are refused.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from withhold.engine import View
from withhold.engine.explain import subject_values
from withhold.errors import Place, Problem, RuleSetWarning, WithholdError, excerpt, quoted
from withhold.model import Decision, Outcome, Policy, Subject, Tweet, Viewer
from withhold.model.freshness import policy_of
from withhold.model.ids import in_json
from withhold.model.instants import in_iso
from withhold.model.tweet import Link, links_of
from withhold.parsing.ids import id_from_text
from withhold.parsing.lines import bounded_lines
from withhold.parsing.strict import Id, Instant
from withhold.wire.records import parse
from withhold.wire.values import Refused

VERSION = 1
#: The maximum length of a line that is read, in bytes.
_LONGEST = 1 << 26
#: How pydantic describes a text that is not JSON, with the column.
_NOT_JSON = re.compile(r"Invalid JSON: (.*) at line \d+ column (\d+)")


class AnsweredPage(NamedTuple):
    """A page as a view answered it, from which a record is made."""

    view: View
    visible: int
    hidden: Sequence[tuple[int, Decision]] = ()
    tombstones: Sequence[tuple[int, tuple[str, ...], Decision]] = ()
    subjects: Mapping[int, Subject] = MappingProxyType({})

    def record(self, left_out: Mapping[str, int], *, viewer_account: bool) -> dict[str, Any]:
        """Return the record as JSON values."""
        viewer, subjects = self.view.viewer, self.subjects
        return {
            "version": VERSION,
            "at": in_iso(self.view.at),
            "answer_revision": self.view.answer_revision,
            "country": viewer.country,
            "subdivisions": list(viewer.subdivisions),
            **({"viewer_account_id": in_json(viewer.account_id)} if viewer_account else {}),
            "visible": self.visible,
            "hidden": [{"index": at, **_hit(links_of(subjects[at]), decision)} for at, decision in self.hidden],
            "tombstones": [
                {"index": at, "path": list(path), **_hit(_links_at(subjects[at], path), decision)}
                for at, path, decision in self.tombstones
            ],
            "left_out": dict(left_out),
        }


def _hit(links: tuple[Link, ...], decision: Decision) -> dict[str, Any]:
    return {
        # A subclass of `Tweet` may have links that lack an id. No question can be written down for these.
        "subject": subject_values(links if all(map(all, links)) else ()),
        "outcome": decision.outcome.value,
        "certain": decision.certain,
        "rule_ids": list(decision.rule_ids),
    }


def _links_at(subject: Any, path: Iterable[str]) -> tuple[Link, ...]:
    """Return the links of the quote to which a path leads.

    If a subclass of `Tweet` has its own quotes, the path may end before them. Then there are no links.
    """
    tweets = [subject]
    for name in path:
        tweets.append(getattr(tweets[-1], name))
    return links_of(tweets[-1]) if all(type(tweet).quotes is Tweet.quotes for tweet in tweets) else ()


class LoggedHit(NamedTuple):
    """A hidden tweet of a record (None if the record does not name it), its outcome, and the rules that hid it."""

    subject: Subject | None
    outcome: Outcome
    rule_ids: tuple[str, ...]


class LoggedPage(NamedTuple):
    """A record that was read. `hits` are the hidden items and the hidden quotes in visible ones.

    `has_account` is whether the log keeps the accounts of viewers.
    """

    at: datetime
    answer_revision: str
    policy: Policy
    viewer: Viewer
    has_account: bool
    visible: int
    hits: list[LoggedHit]
    left_out: Counter[str]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# Without a limit, a forged count could have more digits than Python prints.
_Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Link(_Exact):
    tweet_id: Id
    account_id: Id


class _Hit(_Exact):
    index: _Count
    subject: list[_Link]
    outcome: Literal["withheld", "suspended"]
    certain: bool
    rule_ids: list[str]


class _Tombstone(_Hit):
    path: list[str]


class _LeftOut(_Exact):
    sampled_out: _Count = 0
    dropped: _Count = 0
    mask_failed: _Count = 0
    failed: _Count = 0


class _Record(_Exact):
    version: int
    at: Instant
    answer_revision: str
    country: str | None
    subdivisions: list[str]
    viewer_account_id: str | None = None
    visible: _Count
    hidden: list[_Hit]
    tombstones: list[_Tombstone]
    left_out: _LeftOut


class _Version(BaseModel):
    version: Any = None


def read_log(file: BinaryIO, name: str) -> Iterator[LoggedPage | Problem]:
    """Yield the record of each line of a file, or the problem with it. Blank lines are skipped."""
    for number, line in bounded_lines(file, _LONGEST):
        place = Place(name, number)
        if line is None:
            yield _refused(f"the line is longer than {_LONGEST:,} bytes", place)
        elif text := line.rstrip():
            yield _read(text, place)


def _read(line: bytes, place: Place) -> LoggedPage | Problem:
    try:
        # The version is read first, because nothing is known about the fields of another one.
        version = _Version.model_validate_json(line).version
        if version != VERSION or isinstance(version, bool):
            message = f"the record has version {quoted(version)}, not `{VERSION}`"
            return Problem("unknown-log-version", message, place, "read it with the release that wrote it")
        record = _Record.model_validate_json(line)
        parse(line)  # refuses a repeated key, of which pydantic reads the last
        return _page(record)
    except Refused as error:
        return _refused(error.message, place)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
        if found := _NOT_JSON.fullmatch(details["msg"]):
            return _refused(f"it is not JSON: {found[1].lower()}", Place(place.file, place.line, int(found[2]) or 1))
        message = details["ctx"]["message"] if details["type"] == "withhold" else details["msg"].lower()
        where = ".".join(map(str, details["loc"]))
        return _refused(f"{where}: {message}" if where else message, place)
    except WithholdError as error:
        return _refused(error.problem.message, place)


def _refused(message: str, place: Place) -> Problem:
    return Problem(
        "bad-log-record", f"this is not a record of a decision log: {message}", place, "its page is left out"
    )


def _page(found: _Record) -> LoggedPage:
    policy = policy_of(found.answer_revision)
    if policy is None:
        message = f"answer_revision {excerpt(found.answer_revision)} is not a revision of answers"
        raise WithholdError(Problem("bad-log-record", message))
    account = found.viewer_account_id
    account_id = None if account is None else id_from_text(account, "viewer_account_id")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuleSetWarning)  # a code that is read as another one is understood
        viewer = Viewer(country=found.country, subdivisions=tuple(found.subdivisions), account_id=account_id)
    hits = [
        LoggedHit(_subject(hit.subject), Outcome(hit.outcome), tuple(hit.rule_ids))
        for hit in (*found.hidden, *found.tombstones)
    ]
    has_account = "viewer_account_id" in found.model_fields_set
    left_out = Counter(found.left_out.model_dump())
    return LoggedPage(found.at, found.answer_revision, policy, viewer, has_account, found.visible, hits, left_out)


def _subject(links: list[_Link]) -> Tweet | None:
    tweet: Tweet | None = None
    for link in reversed(links):
        tweet = Tweet(link.tweet_id, link.account_id, retweet_of=tweet)
    return tweet
