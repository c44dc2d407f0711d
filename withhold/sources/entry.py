"""The shape of one rule in a file: pydantic reads it, and says all that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from withhold.errors import Problem, WithholdError, did_you_mean, quoted
from withhold.model.instants import parse_instant
from withhold.model.policy import Settle
from withhold.model.rule import Effect, Reason, choice
from withhold.parsing.ids import id_from_text
from withhold.parsing.nodes import Node, missing_key, no_value
from withhold.territories import Resolved, resolve

#: The members of groups, by their names in upper case.
Groups = Mapping[str, tuple[Resolved, ...]]

# What pydantic calls a key that is not read.
_UNKNOWN = "extra_forbidden"
#: Unknown keys of one mapping for which the nearest known one is looked for, which takes long.
_GUESSED = 20

#: The keys with texts of several lines.
_SEVERAL_LINES = ("note", "override")

# What people write for a key, where the nearest by its letters is another one.
_SAID_FOR = {
    **dict.fromkeys(("country", "countries", "territory", "territories", "where", "in"), "withheld_in"),
    **dict.fromkeys(("user", "users", "account_ids", "handles"), "accounts"),
    **dict.fromkeys(("post", "posts", "statuses", "tweet_ids"), "tweets"),
    "start": "from",
    "starts": "from",
    "since": "from",
    "end": "until",
    "ends": "until",
    "to": "until",
    "except": "except_in",
    "order": "demand",
    "comment": "note",
    "overrides": "override",
    "file": "ids_file",
}


def _custom(code: str, message: str, hint: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("withhold", "{message}", {"code": code, "message": message, "hint": hint})


def _reads(function: Callable[[str, ValidationInfo], Any], *, optional: bool = False) -> BeforeValidator:
    """Make a validator of a function that reads text and raises this library's errors."""
    return BeforeValidator(_reader(function, optional=optional))


def _reader(
    function: Callable[[str, ValidationInfo], Any], *, optional: bool = False
) -> Callable[[object, ValidationInfo], Any]:

    def read(value: object, info: ValidationInfo) -> Any:
        if value is None and optional:
            return None
        if not isinstance(value, str):
            raise _custom("bad-value", *no_value(value))
        try:
            return function(value, info)
        except WithholdError as error:
            raise _custom(error.code, error.problem.message, error.hint) from None

    return read


def _one_or_more(value: object) -> object:
    """Let a single value stand for a list of one, and nothing for an empty list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _text(value: str, info: ValidationInfo) -> str:
    if not value.strip():
        hint = (
            "write a name that no other rule has"
            if info.field_name == "id"
            else "write some text, or leave the key out"
        )
        raise _custom("bad-text", f"`{info.field_name}` is empty", hint)
    return value.strip()


def _instant(text: str, info: ValidationInfo) -> datetime:
    return parse_instant(text, str(info.field_name).rstrip("_"))


def _ids_files(value: object) -> list[tuple[str | None, str]]:
    """Read a CSV's path, or a mapping from the kind of ids to the path of a plain list of them."""
    if value is None:
        return []
    if isinstance(value, str) and value.strip():
        return [(None, value)]
    if (
        isinstance(value, dict)
        and value
        and set(value) <= {"accounts", "tweets"}
        and all(map(_is_path, value.values()))
    ):
        return list(value.items())
    hint = "write `ids_file: ids.csv`, or `ids_file: {accounts: ids.txt}`"
    raise _custom("bad-ids-file", "this is no ids_file", hint)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _overrides(value: object) -> object:
    """Read nothing for an empty mapping, and refuse what is none."""
    if value is not None and not isinstance(value, dict):
        hint = "write `override: {no-end: …}` with the reason, quoted, where the dots are"
        raise _custom("bad-override", "this is no mapping from codes of checks to reasons", hint)
    return value or {}


def _reason(text: str, _: ValidationInfo) -> str:
    if not text.strip():
        raise _custom("bad-override", "an override has no reason", "say why the check is to be silent")
    return text.strip()


def _expanded(text: str, info: ValidationInfo) -> tuple[Resolved, ...]:
    """Read a code, or the name of a group: each time it is named its members are the same value."""
    groups: Groups = info.context or {}
    members = groups.get(text.strip().upper())
    return (resolve(text),) if members is None else members


_Id = Annotated[int, _reads(lambda text, _: id_from_text(text))]
# Plain, as pydantic would make the members of a group anew each time it is named.
_Territory = Annotated[tuple[Resolved, ...], PlainValidator(_reader(_expanded))]
_Ids = Annotated[list[_Id], BeforeValidator(_one_or_more)]
_Territories = Annotated[list[_Territory], BeforeValidator(_one_or_more)]
_MaybeText = Annotated[str | None, _reads(_text, optional=True)]
_Why = Annotated[str, _reads(_reason)]
_MaybeInstant = Annotated[datetime | None, _reads(_instant, optional=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class Stay(_Strict):
    """A stretch in which a court stayed the order."""

    from_: _MaybeInstant = Field(None, alias="from")
    until: _MaybeInstant = None


class RuleEntry(_Strict):
    """A rule as it is written; what its fields mean together is for `model.Rule` to check."""

    id: Annotated[str, _reads(_text)]
    accounts: _Ids = []
    tweets: _Ids = []
    ids_file: Annotated[list[tuple[str | None, str]], BeforeValidator(_ids_files)] = []
    withheld_in: _Territories = []
    except_in: _Territories = []
    from_: _MaybeInstant = Field(None, alias="from")
    until: _MaybeInstant = None
    stays: Annotated[list[Stay], BeforeValidator(_one_or_more)] = []
    effect: Annotated[Effect, _reads(lambda text, _: choice(Effect, text, "effect"))] = Effect.WITHHOLD
    reason: Annotated[Reason, _reads(lambda text, _: choice(Reason, text, "reason"))]
    if_unknown: Annotated[Settle | None, _reads(lambda text, _: choice(Settle, text, "if_unknown"), optional=True)] = (
        None
    )
    demand: _MaybeText = None
    note: _MaybeText = None
    override: Annotated[dict[str, _Why], BeforeValidator(_overrides)] = {}


def read_entry(node: Node, groups: Groups) -> tuple[RuleEntry | None, list[Problem]]:
    """Read one rule: what could be read of it, and all problems, each at its place.

    What could not be read is absent from the entry, or stands in it as something harmless, so that the rest can
    still be judged: None only where there is no mapping at all.
    """
    if node.pairs is None:
        return None, [Problem("bad-rule", "a rule must be a mapping", node.place, "write `- id: …`")]
    problems = [problem for mapping in node.mappings() for problem in mapping.repeated_keys()]
    problems += node.controls(_SEVERAL_LINES)
    data = {str(key.text): value.plain() for key, value in node.pairs}
    try:
        return RuleEntry.model_validate(data, context=groups), problems
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    problems += [_problem(details, node) for details in found if details["type"] != _UNKNOWN]
    for path in dict.fromkeys(details["loc"][:-1] for details in found if details["type"] == _UNKNOWN):
        fields = (Stay if "stays" in path else RuleEntry).model_fields
        problems += unknown_keys(node.at(path), [field.alias or name for name, field in fields.items()])
    bad = {str(details["loc"][0]) for details in found}
    good = {key: value for key, value in data.items() if key not in bad}
    rest = RuleEntry.model_validate({"id": "?", "reason": Reason.LEGAL_DEMAND, **good}, context=groups)
    return rest, problems


def unknown_keys(node: Node, known: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each key of a mapping that is not read there, the first ones with the key that may be meant."""
    unknown = {key.text: key for key, _ in reversed(node.pairs or ()) if key.text not in known}
    listed = did_you_mean("", known) if unknown else ""
    for at, key in enumerate(sorted(unknown.values(), key=lambda key: key.place)):
        meant = _SAID_FOR.get(str(key.text).lower())
        hint = did_you_mean(str(key.text), known) if at < _GUESSED else listed
        if meant in known:
            hint = f"did you mean `{meant}`?"
        yield Problem("unknown-key", f"unknown key {quoted(key.text)}", key.place, hint)


def _problem(details: ErrorDetails, node: Node) -> Problem:
    path, context = details["loc"], details.get("ctx", {})
    place = node.at(path).place
    match details["type"]:
        case "withhold":
            return Problem(context["code"], context["message"], place, context["hint"])
        case "missing":
            return missing_key(str(path[-1]), node.at(path[:-1]).place)
        case "model_type":
            hint = "write `{from: 2021-03-01T00:00:00Z, until: 2021-03-08T00:00:00Z}`"
            return Problem("bad-value", "a mapping with `from` and `until` is meant here", place, hint)
        case _:
            return Problem(
                "bad-value", details["msg"].lower(), place, "write it as in the other rules, or leave it out"
            )
