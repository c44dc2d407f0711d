"""Read the conformance corpus: the cases in `tests/cases`, whose README documents their format."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from withhold import Decision, Disclosure, Outcome, Policy, Reason, RuleSet, Scope, Settle, Tweet, VariesBy, Viewer

CASES = Path(__file__).with_name("cases")
DEFAULT_AT = "2021-06-01T00:00:00Z"

_Value = TypeVar("_Value")
_Pair = tuple[int | None, int | None]


def _or_null(value: object) -> object:
    # All YAML scalars are read as text, so that `NO` is Norway here too.
    return None if value == "null" else value


Null = Annotated[_Value | None, BeforeValidator(_or_null)]
Sentence = Annotated[str, Field(pattern=r"^(T[1-6]|R([1-9]|10)|A[1-8])$")]


class Checker(Protocol):
    """The methods that an implementation needs to run the corpus."""

    def check(self, subject: Tweet | _Pair, viewer: Viewer, at: datetime) -> Decision: ...
    def anywhere(self, subject: Tweet | _Pair, at: datetime) -> Decision: ...


Make = Callable[[RuleSet, Policy], Checker]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(_Strict):
    """A tweet, an account or both; with `retweet_of` or `quoted` it is a `Tweet`."""

    tweet: int | None = None
    account: int | None = None
    retweet_of: Subject | None = None
    quoted: Subject | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        inner = [found for found in (self.retweet_of, self.quoted) if found is not None]
        ids = [id_ for found in inner for id_ in (found.tweet, found.account)]
        if inner and None in (self.tweet, self.account, *ids):
            raise ValueError(
                "a retweet or quote, and the tweet that it retweets or quotes, need a tweet and an account"
            )
        return self

    def build(self) -> Tweet | _Pair:
        return self.as_tweet() if self.retweet_of or self.quoted else (self.tweet, self.account)

    def as_tweet(self) -> Tweet:
        assert self.tweet is not None
        assert self.account is not None
        inner = [found.as_tweet() if found else None for found in (self.retweet_of, self.quoted)]
        return Tweet(self.tweet, self.account, *inner)


class Onlooker(_Strict):
    """A viewer; the texts `IN`, `US-MS` and `unknown` are short forms."""

    country: str
    subdivisions: tuple[str, ...] = ()
    account_id: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        country, dash, _ = value.partition("-")
        return {"country": country, "subdivisions": [value] if dash else []}

    def build(self) -> Viewer:
        if self.country == "unknown" and not self.subdivisions:
            return Viewer.unknown(account_id=self.account_id)
        country = None if self.country == "unknown" else self.country
        return Viewer(country=country, subdivisions=self.subdivisions, account_id=self.account_id)


class Want(_Strict):
    """The expected decision: outcome and rules, and those other fields that the case has."""

    outcome: Outcome
    rule_ids: tuple[str, ...]
    exempt: Null[Literal["author"]] = None
    scope: Null[Scope] = None
    reason: Null[Reason] = None
    demand: Null[str] = None
    jurisdiction: Null[str] = None
    disclosure: Null[Disclosure] = None
    territories: str = "nowhere"
    disclosed_in: str = "nowhere"
    certain: bool = True
    varies_by_location: bool = False
    valid_until: Null[datetime] = None
    #: Fields of `Decision.freshness`.
    since: Null[datetime] = None
    varies_by: VariesBy = VariesBy.NONE
    personal: bool = False
    #: The expected decisions on the quoted tweet, and of `anywhere` (R10).
    quoted: Null[Want | tuple[Want, ...]] = None
    anywhere: Want | None = None

    def differences(self, found: Decision) -> dict[str, tuple[object, object]]:
        """Return the fields that differ, as (wanted, found)."""
        pairs = {
            name: (getattr(self, name), _value_of(found, name))
            for name in self.model_fields_set - {"quoted", "anywhere"}
        }
        pairs["rule_id"] = (self.rule_ids[0] if self.rule_ids else None, found.rule_id)
        if not self.rule_ids:
            pairs["of no rule"] = ((None,) * 4, (found.scope, found.reason, found.demand, found.jurisdiction))
        flags = tuple(getattr(found, outcome) for outcome in Outcome)
        pairs["flags"] = (tuple(self.outcome is outcome for outcome in Outcome), flags)
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _value_of(found: Decision, name: str) -> object:
    if name in ("since", "varies_by", "personal"):
        return getattr(found.freshness, name)
    return str(getattr(found, name)) if name in ("territories", "disclosed_in") else getattr(found, name)


class WantError(_Strict):
    """The expected refusal: the part that is wrong, the stable code, and words in its hint."""

    of: Literal["rules", "viewer", "subject", "instant"]
    code: str
    hint: str | None = None


class Choices(_Strict):
    unknown_location: Settle = Settle.SHOW
    author_sees_own: bool = False


class _Given(_Strict):
    """The input of a question; a case has only the values that differ from its situation."""

    rule_file: str | None = None
    policy: Choices | None = None
    viewer: Onlooker | None = None
    subject: Subject | None = None
    at: str | None = None


class Case(_Given):
    """One question and its answer."""

    it: str = Field(min_length=1)
    cites: tuple[Sentence, ...] = Field(min_length=1)
    source: tuple[Annotated[str, Field(pattern=r"^C\d\d$")], ...] = ()
    #: The codes of all warnings from the rules and the viewer.
    warns: tuple[str, ...] = ()
    want: Want | None = None
    want_error: WantError | None = None

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if (self.want is None) == (self.want_error is None):
            raise ValueError("a case has either `want` or `want_error`")
        return self


class Situation(_Given):
    """Cases with a common rule file, and perhaps other common values."""

    cases: tuple[Case, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        for case in self.cases:
            for name in ("rule_file", "viewer", "subject"):
                if getattr(case, name) is None and getattr(self, name) is None:
                    raise ValueError(f"`{case.it}` has no {name}")
        return self


class CorpusFile(_Strict):
    note: str = Field(min_length=1)
    situations: tuple[Situation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [case.it for situation in self.situations for case in situation.cases]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"more than one case is named {repeated}")
        return self


class Question:
    """A case with the values of its situation."""

    def __init__(self, file: str, situation: Situation, case: Case) -> None:
        self.id = f"{file}: {case.it}"
        self.case = case
        self._given = {name: getattr(case, name) or getattr(situation, name) for name in _Given.model_fields}
        self.subject: Subject = self._given["subject"]
        self.at = datetime.fromisoformat(self._given["at"] or DEFAULT_AT)
        choices: Choices = self._given["policy"] or Choices()
        self.policy = Policy(unknown_location=choices.unknown_location, author_sees_own=choices.author_sees_own)
        self.rule_file: str = self._given["rule_file"]

    def rules(self, folder: Path) -> RuleSet:
        """Write the rule file of the case to a directory, and load it."""
        path = folder / "rules.yaml"
        path.write_text(self.rule_file, encoding="utf-8")
        return RuleSet.load(path)

    def viewer(self) -> Viewer:
        onlooker: Onlooker = self._given["viewer"]
        return onlooker.build()

    def ready(self, folder: Path) -> tuple[RuleSet, Viewer]:
        """Return the rules and the viewer. Raise `AssertionError` if their warnings are not the expected ones."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.rules(folder), self.viewer()
        given = sorted(code for warning in caught for code in re.findall(r"\[([a-z-]+)\]", str(warning.message)))
        if given != sorted(self.case.warns):
            raise AssertionError(f"warnings {given}, wanted {sorted(self.case.warns)}")
        return found


class _Loader(yaml.BaseLoader):
    """Create only text, lists and mappings, and refuse repeated keys, because one of the values would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        keys = [key.value for key, _ in node.value]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"repeated keys {sorted(repeated)} in the mapping at line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def parse(text: str) -> CorpusFile:
    """Read a file of cases. Raise `ValueError`, or its subclass of pydantic, if it is invalid."""
    return CorpusFile.model_validate(yaml.load(text, Loader=_Loader))  # noqa: S506  # see above


def questions(folder: Path = CASES) -> Iterator[Question]:
    """Yield every case of the corpus, in the order of the files."""
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        for situation in parse(path.read_text(encoding="utf-8")).situations:
            yield from (Question(name, situation, case) for case in situation.cases)
