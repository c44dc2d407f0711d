"""The schema of one rule in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo
from pydantic_core import CoreSchema
from pydantic_core.core_schema import str_schema

from withhold.model.policy import Settle
from withhold.model.rule import Disclosure, Effect, Reason
from withhold.parsing.ids import id_from_text
from withhold.parsing.strict import IdForm, Instant, OneOrMore, Scalar, Strict, Text, one_of, problem, reads
from withhold.territories import GROUPS, WORLD, Resolved, countries, not_a_jurisdiction, resolve, resolve_jurisdiction

#: The members of groups, by the names of groups in upper case. Validators of a rule get it as their context.
Groups = Mapping[str, tuple[Resolved, ...]]

# Common words for a key whose spelling is closer to another key, which would otherwise be suggested.
_SYNONYMS = {
    **dict.fromkeys(("country", "countries", "territory", "territories", "where", "in"), "withheld_in"),
    **dict.fromkeys(("user", "users", "account_ids", "handles"), "accounts"),
    **dict.fromkeys(("post", "posts", "statuses", "tweet_ids"), "tweets"),
    **dict.fromkeys(("start", "starts", "since"), "from"),
    **dict.fromkeys(("end", "ends", "to"), "until"),
    "except": "except_in",
    "order": "demand",
    "law": "jurisdiction",
    **dict.fromkeys(("due", "review", "reviewed"), "review_by"),
    "comment": "note",
    "overrides": "override",
    "file": "ids_file",
}


def _rule_id(text: str, _: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-text", "`id` is empty", "write an id that no other rule has")
    return text.strip()


def _ids_files(value: object) -> list[tuple[str | None, str]]:
    """Read the path of a CSV file, or a mapping from a kind of ids to the path of a plain list."""
    if value is None:
        return []
    files: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else [(None, value)]
    kinds = (None, "accounts", "tweets")
    if not files or not all(kind in kinds and isinstance(path, str) and path.strip() for kind, path in files):
        hint = "write `ids_file: ids.csv`, or `ids_file: {accounts: ids.txt}`"
        raise problem("bad-ids-file", "`ids_file` must be a path, or a mapping from a kind of ids to a path", hint)
    return files


def _overrides(value: object) -> object:
    if value is not None and not isinstance(value, dict):
        hint = "write `override: {no-end: '…'}`, with the reason in place of the dots"
        raise problem("bad-override", "`override` must be a mapping from codes of checks to reasons", hint)
    return value or {}


def _reason(text: str, _: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-override", "an override has no reason", "write why the check is overridden")
    return text.strip()


def _territories(text: str, info: ValidationInfo) -> tuple[Resolved, ...]:
    """Read a code, or the name of a group. The same group always gives the same object, so `_codes` expands it once."""
    groups: Groups = info.context or {}
    members = groups.get(text.strip().upper())
    return (resolve(text),) if members is None else members


def _jurisdiction(text: str, info: ValidationInfo) -> Resolved:
    groups: Groups = info.context or {}
    if (name := text.strip().upper()) in groups and name not in GROUPS:
        raise not_a_jurisdiction(text.strip())
    return resolve_jurisdiction(text)


class _Code:
    """A code as it is written. A JSON Schema lists the countries, so that editors complete them, but allows other text."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> CoreSchema:
        return str_schema(ref="Code")

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": sorted({WORLD, *GROUPS, *countries()})}, {"type": "string"}]}


_IdsFile = str | dict[Literal["accounts", "tweets"], str] | None
_Ids = Annotated[tuple[Annotated[int, reads(lambda text, _: id_from_text(text), IdForm)], ...], OneOrMore]
_Territories = Annotated[tuple[Annotated[tuple[Resolved, ...], reads(_territories, _Code)], ...], OneOrMore]


class Stay(Strict):
    """A period in which a court stayed the order."""

    called = "a stay"
    written = "{from: 2021-03-01T00:00:00Z, until: 2021-03-08T00:00:00Z}"
    synonyms = _SYNONYMS

    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None


class RuleEntry(Strict):
    """A rule as it is written."""  # `model.Rule` checks whether its fields contradict each other

    called, written, wrong_kind = "a rule", "- id: …", "bad-rule"
    several_lines = ("note", "override")
    synonyms = _SYNONYMS

    id: Annotated[str, reads(_rule_id)] = Field(examples=["in-1"], description="The unique name of the rule.")
    accounts: _Ids = Field((), description="The ids of accounts. The rule covers all their tweets.")
    tweets: _Ids = Field((), description="The ids of single tweets.")
    ids_file: Annotated[Sequence[tuple[str | None, str]], PlainValidator(_ids_files, _IdsFile)] = Field(
        (), description="A list of ids beside this file."
    )
    withheld_in: _Territories = Field(
        (), description="Where the subjects are withheld: countries, subdivisions, groups or WORLD."
    )
    except_in: _Territories = Field((), description="Exceptions: where they remain visible.")
    from_: Instant | None = Field(None, alias="from", description="The first instant at which the rule is in force.")
    until: Instant | None = Field(None, description="The first instant at which it is no longer in force.")
    stays: Annotated[tuple[Stay, ...], OneOrMore] = Field((), description="Periods in which a court stayed the order.")
    effect: Annotated[Effect, one_of(Effect)] = Effect.WITHHOLD
    reason: Annotated[Reason, one_of(Reason)] = Field(
        examples=["legal_demand"], description="Why the subjects are withheld."
    )
    if_unknown: Annotated[Settle, one_of(Settle)] | None = None
    demand: Text | None = Field(None, description="The id of the legal demand.")
    jurisdiction: Annotated[Resolved, reads(_jurisdiction, _Code)] | None = Field(
        None, description="The territory whose law the rule follows: a country, a subdivision or EU."
    )
    disclosure: Annotated[Disclosure, one_of(Disclosure)] = Disclosure.REASON
    review_by: Instant | None = Field(None, description="The instant by which somebody must review the rule.")
    note: Text | None = Field(None, description="Text for people.")
    override: Annotated[
        dict[str, Annotated[str, reads(_reason)]], BeforeValidator(_overrides, dict[str, Scalar] | None)
    ] = Field(default_factory=dict, description="The checks that are silenced for this rule, each with a reason.")
    extra: dict[str, Annotated[str, reads(lambda text, _: text.strip())]] = Field(alias="x-", default_factory=dict)
