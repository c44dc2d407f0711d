"""`Freshness`: who may be shown an answer again, and for how long (A6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import or_

from withhold.errors import Problem, SubjectTypeError, quoted
from withhold.model.instants import in_iso, utc
from withhold.model.policy import Policy, Settle
from withhold.model.viewer import Viewer


class VariesBy(StrEnum):
    """The part of a viewer's location that determines an answer. Each one includes those before it."""

    NONE = "none"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"

    def __or__(self, other: VariesBy) -> VariesBy:
        """Return the part that determines two answers together."""
        return self if other is VariesBy.NONE or self is VariesBy.SUBDIVISION else other


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Who may be shown an answer again, and for how long. An immutable value.

    | attribute | meaning |
    |---|---|
    | `since` | the answer holds from this instant (UTC); None if there is no such bound |
    | `valid_until` | it holds before this instant (UTC); None if time alone changes nothing |
    | `varies_by` | the part of a viewer's location that determines every field of the answer: `none`, `country` or `subdivision`; an unknown country or subdivision is a value of its own |
    | `personal` | whether the answer could be different for an author (R9) |
    | `answer_revision` | the rules and the policy that gave the answer; None if there was more than one revision |

    `a | b` is the freshness of a page that contains both answers. If their revisions differ, `answer_revision` is None, and the
    page must not be kept. `answer_revision` does not cover the versions of this library and of pycountry, so hosts that share a
    cache must run the same ones: if two editions of ISO 3166 differ in the places in or around those that a rule names, or in
    the viewer's, they may give two answers.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> here = engine.view(Viewer(country="US")).filter([(20, 17), (21, 18)]).freshness
    >>> str(here.varies_by), here.personal, here.valid_until
    ('country', False, None)
    """

    since: datetime | None = None
    valid_until: datetime | None = None
    varies_by: VariesBy = VariesBy.NONE
    personal: bool = False
    answer_revision: str | None = None

    def __or__(self, other: Freshness) -> Freshness:
        if self is other:
            return self
        given: object = other
        if not isinstance(given, Freshness):
            return NotImplemented
        return joined((self, other))

    def holds(self, at: datetime) -> bool:
        """Return whether the answer may be used at an instant. Raises `InstantError` for a naive one.

        It is the caller's task to compare `answer_revision` with that of the engine: without that, an answer may be used
        after other rules were activated.
        """
        instant = utc(at, "at")
        return (
            self.answer_revision is not None
            and (self.since is None or self.since <= instant)
            and (self.valid_until is None or instant < self.valid_until)
        )

    def cache_key(self, viewer: Viewer) -> tuple[object, ...]:
        """Return what distinguishes the viewers who get another answer. Viewers with equal keys get the same answer.

        Raises `SubjectTypeError` for anything but a `Viewer`.

        >>> fresh = Freshness(varies_by=VariesBy.COUNTRY, answer_revision="1")
        >>> fresh.cache_key(Viewer(country="US", subdivisions=["US-MS"], account_id=17))
        ('1', 'US')
        """
        given: object = viewer
        if not isinstance(given, Viewer):
            problem = Problem("not-a-viewer", f"{quoted(given)} is not a viewer", hint="pass a `Viewer`")
            raise SubjectTypeError(problem)
        place: tuple[object, ...] = viewer.location_key
        if self.varies_by is not VariesBy.SUBDIVISION:
            place = place[:1] if self.varies_by is VariesBy.COUNTRY else ()
        return (self.answer_revision, *place, *((("account", viewer.account_id),) if self.personal else ()))

    def to_dict(self) -> dict[str, object]:
        """Return all fields as JSON values, with instants such as `2021-02-10T05:00:00Z`."""
        return {
            "since": in_iso(self.since),
            "valid_until": in_iso(self.valid_until),
            "varies_by": self.varies_by,
            "personal": self.personal,
            "answer_revision": self.answer_revision,
        }


def joined(answers: Iterable[Freshness]) -> Freshness:
    """Return the freshness of a page that contains several answers, at least one: `a | b | …` in one step. O(answers)."""
    # Equal values are mostly the same object, so there is little to join.
    several = {id(each): each for each in answers}.values()
    if len(several) == 1:
        return next(iter(several))
    revisions = {each.answer_revision for each in several}
    return Freshness(
        since=max((each.since for each in several if each.since is not None), default=None),
        valid_until=min((each.valid_until for each in several if each.valid_until is not None), default=None),
        varies_by=reduce(or_, {each.varies_by for each in several}),
        personal=any(each.personal for each in several),
        answer_revision=revisions.pop() if len(revisions) == 1 else None,
    )


#: The freshness of a value that no engine has answered.
NOT_TO_KEEP = Freshness()


def answer_revision(revision: str, policy: Policy) -> str:
    """Return the revision of the answers that rules of a revision give under a policy.

    >>> answer_revision("8f0c", Policy(author_sees_own=True))
    '8f0c-show-author'
    """
    return f"{revision}-{policy.unknown_location}{'-author' if policy.author_sees_own else ''}"


_ANSWER_REVISION = re.compile(rf"[0-9a-f]+-({'|'.join(Settle)})(-author)?")


def policy_of(answer_revision: str) -> Policy | None:
    """Return the policy in a revision of answers, or None if it is not one.

    >>> policy_of("8f0c-show-author") == Policy(author_sees_own=True)
    True
    """
    found = _ANSWER_REVISION.fullmatch(answer_revision)
    return Policy(unknown_location=Settle(found[1]), author_sees_own=found[2] is not None) if found else None
