"""The strict reader: it converts a node into a pydantic model, or reports every problem of the node with its place.

A schema is a subclass of `Strict` whose fields have the types below, as the `README.md` beside this file shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from withhold.errors import Problem, WithholdError, did_you_mean, quoted
from withhold.model.ids import MAX_ID
from withhold.model.instants import INSTANT, parse_instant
from withhold.model.rule import choice
from withhold.parsing.ids import id_from_text
from withhold.parsing.nodes import Node

# Pydantic's type of error for a key that is not in the model.
_UNKNOWN = "extra_forbidden"
#: The alias of a field for all keys that begin with it. Its model stores them, each with its text, without interpreting
#: them.
EXTRA = "x-"
#: The values of YAML and JSON that are read as one text, for JSON Schemas.
Scalar = str | int | float | bool
# The maximum number of unknown keys of a mapping that get the nearest known key as a suggestion. The search is slow.
_SUGGESTED = 20


class Strict(BaseModel):
    """A mapping with known keys only. Each required key needs an example, which the message for a missing key shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Its name in messages, an example, and the code of the problem if a value is not a mapping.
    called: ClassVar[str] = "the value"
    written: ClassVar[str] = "key: value"
    wrong_kind: ClassVar[str] = "bad-value"
    #: The text between a key and its value, for examples.
    assigns: ClassVar[str] = ": "
    #: Keys whose texts may span several lines.
    several_lines: ClassVar[Sequence[str]] = ()
    #: Common words for a key whose spelling is closer to another key, which would otherwise be suggested.
    synonyms: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler.resolve_ref_schema(handler(schema))
        if extra := found["properties"].pop(EXTRA, None):
            found["patternProperties"] = {f"^{EXTRA}": extra["additionalProperties"]}
        return {**found, "title": cls.called}  # editors show it in place of the name of the class


class Sparse(Strict):
    """A mapping in which a key without a value counts as missing, even if it is required."""

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        known = _keys(cls)
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = super().__get_pydantic_json_schema__(schema, handler)
        required = found.get("required", ())
        for key, value in found["properties"].items():
            if key not in required:
                described = {name: value.pop(name) for name in ("description",) if name in value}
                found["properties"][key] = {"anyOf": [value, {"type": "null"}], **described}
        return found


Model = TypeVar("Model", bound=Strict)


def read_model(model: type[Model], node: Node, context: object = None) -> tuple[Model | None, list[Problem]]:
    """Return the model of a mapping, as far as it can be read, and all problems with their places. O(size of the node).

    A key that could not be read gets its default, or None if it is required, so that the other keys can still be
    checked. The model is None if the node is not a mapping. A field of type `Node` keeps its node for another reader.
    `context` is passed to the validators.
    """
    if node.pairs is None:
        return None, [_wrong_kind(model, node)]
    later = _left_to_others(model)
    data: dict[str, object] = {
        str(key.text): value if key.text in later and not value.absent else value.plain() for key, value in node.pairs
    }
    if EXTRA in _keys(model) and (extra := {key: data.pop(key) for key in [*data] if key.startswith(EXTRA)}):
        data[EXTRA] = extra
    problems = list(node.faults(model.several_lines, later))
    try:
        return model.model_validate(data, context=context), problems
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    problems += [_problem(details, model, node) for details in found if details["type"] != _UNKNOWN]
    for path in dict.fromkeys(details["loc"][:-1] for details in found if details["type"] == _UNKNOWN):
        inner = _model_at(model, path)
        problems += unknown_keys(node.at(path), _keys(inner), inner.synonyms)
    bad = {details["loc"][0] for details in found}
    good = {key: value for key, value in data.items() if key not in bad}
    return _lenient(model).model_validate(good, context=context), problems


def unknown_keys(node: Node, known: Sequence[str], synonyms: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """Yield a problem for each key of a mapping that is not `known`, the first ones with a suggestion."""
    unknown = {key.text: key for key, _ in reversed(node.pairs or ()) if key.text not in known}
    takes_extra = EXTRA in known
    if takes_extra:
        known = [name for name in known if name != EXTRA]
        unknown = {name: key for name, key in unknown.items() if not str(name).startswith(EXTRA)}
    all_known = did_you_mean("", known) if unknown else ""
    for number, key in enumerate(sorted(unknown.values(), key=lambda key: key.place)):
        synonym = (synonyms or {}).get(str(key.text).lower())
        hint = did_you_mean(str(key.text), known) if number < _SUGGESTED else all_known
        if synonym in known:
            hint = f"did you mean `{synonym}`?"
        elif takes_extra and str(key.text).lower().startswith(EXTRA):
            hint = f"did you mean {quoted(str(key.text).lower())}?"
        yield Problem("unknown-key", f"unknown key {quoted(key.text)}", key.place, hint)


def problem(code: str, message: str, hint: str | None = None) -> PydanticCustomError:
    """Return the error for a validator to raise. `read_model` converts it into a `Problem` with the place of the value."""
    return PydanticCustomError("withhold", "{message}", {"code": code, "message": message, "hint": hint})


def reads(function: Callable[[str, ValidationInfo], object], written: Any = Scalar) -> PlainValidator:
    """Return a validator that parses a field from text with `function`, which may raise errors of this library.

    `written` is the type of the value in a file, for JSON Schemas.
    """

    def read(value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            kind, hint = _KINDS.get(type(value), _NOTHING)
            raise problem("bad-value", f"expected one value, found {kind}", hint)
        try:
            return function(value, info)
        except WithholdError as error:
            raise problem(error.code, error.problem.message, error.hint) from None

    return PlainValidator(read, json_schema_input_type=written)


_NOTHING = ("nothing", "write a value here, or leave the key out")
_KINDS: dict[type, tuple[str, str]] = {
    list: ("a list", "write one value, without brackets or dashes"),
    dict: ("a mapping", "write one value, without a key"),
}


def one_of(kind: type[StrEnum], name: str | None = None) -> PlainValidator:
    """Return a validator for the members of an enumeration. Messages call the value `name`, by default its key."""
    return reads(lambda text, info: choice(kind, text, name or key_of(info)), kind)


def key_of(info: ValidationInfo) -> str:
    """Return the key whose value is being validated."""
    return str(info.field_name).rstrip("_")


def _text(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-text", f"`{key_of(info)}` is empty", "write some text, or leave the key out")
    return text.strip()


def _flag(text: str, _: ValidationInfo) -> bool:
    if text not in ("true", "false"):
        raise problem(
            "bad-value", f"{quoted(text)} is neither `true` nor `false`", "write one of the two, in lower case"
        )
    return text == "true"


#: Text that is not blank. The blanks around it are removed.
Text = Annotated[str, reads(_text)]
Instant = Annotated[
    datetime,
    reads(
        lambda text, info: parse_instant(text, key_of(info)),
        Annotated[str, Field(pattern=rf"^\s*(?:{INSTANT.pattern})\s*$")],
    ),
]
Flag = Annotated[bool, reads(_flag, bool)]
#: An id as it is written.
IdForm = Annotated[int, Field(ge=1, le=MAX_ID)] | Annotated[str, Field(pattern=r"^\+?[0-9]+$")]
#: An id. Messages call it by its key.
Id = Annotated[int, reads(lambda text, info: id_from_text(text, key_of(info)), IdForm)]


class _OneOrMore:
    """Read a single value as a list of one, and a missing value as an empty list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed, {"type": "null"}]}

    @staticmethod
    def _listed(value: object) -> object:
        return value if isinstance(value, list) else [] if value is None else [value]


#: Reads a single value as a list of one, and a missing value as an empty list.
OneOrMore = _OneOrMore()


def _problem(details: ErrorDetails, model: type[Strict], node: Node) -> Problem:
    path, context = details["loc"], details.get("ctx", {})
    at = node.at(path[1:] if path[0] == EXTRA and len(path) > 1 else path)
    if path[-1] == "[key]" and node.at(path[:-1]).get("[key]") is None:  # as pydantic marks a key of a mapping
        at = node.key_at(path[:-1])
    match details["type"]:
        case "withhold":
            return Problem(context["code"], context["message"], at.place, context["hint"])
        case "missing":
            return Problem(
                "missing-key", f"missing key `{path[-1]}`", at.place, f"write it, such as {_example(model, path)}"
            )
        case "model_type":
            return _wrong_kind(_model_at(model, path), at)
        case "dict_type" | "list_type" | "tuple_type":
            kind = "mapping" if details["type"] == "dict_type" else "list"
            return Problem("bad-value", f"`{path[-1]}` must be a {kind}", at.place, f"write {_example(model, path)}")
        case _:
            hint = "write it as in the documentation, or leave it out"
            return Problem("bad-value", details["msg"].lower(), at.place, hint)


def _wrong_kind(model: type[Strict], node: Node) -> Problem:
    return Problem(model.wrong_kind, f"{model.called} must be a mapping", node.place, f"write `{model.written}`")


def _example(model: type[Strict], path: Sequence[int | str]) -> str:
    """Return an example of the last key of a path."""
    fields = _model_at(model, path[:-1]).model_fields
    examples = next((field.examples for name, field in fields.items() if _key(name, field) == path[-1]), None)
    return f"`{path[-1]}{model.assigns}{examples[0] if examples else '…'}`"


def _model_at(model: type[Strict], path: Sequence[int | str]) -> type[Strict]:
    """Return the model of the mapping at a path within a mapping of `model`."""
    for step in path:
        for name, field in model.model_fields.items():
            if _key(name, field) == step:
                model = next(_models_in(field.annotation), model)
                break
    return model


def _models_in(annotation: Any) -> Iterator[type[Strict]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


@cache
def _left_to_others(model: type[Strict]) -> frozenset[str]:
    """Return the keys of a model whose fields have the type `Node`."""
    return frozenset(_key(name, field) for name, field in model.model_fields.items() if field.annotation is Node)


@cache
def _keys(model: type[Strict]) -> tuple[str, ...]:
    """Return the keys of a model."""
    return tuple(_key(name, field) for name, field in model.model_fields.items())


def _key(name: str, field: Any) -> str:
    return field.alias or name


@cache
def _lenient(model: type[Model]) -> type[Model]:
    """Return a model whose required keys may be missing, and are then None."""
    fields: dict[str, Any] = {
        name: (Annotated[field.annotation, *field.metadata, Field(alias=field.alias)], None)
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    return create_model(model.__name__, __base__=model, **fields)
