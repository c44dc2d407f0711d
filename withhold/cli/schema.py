"""`withhold schema`: print the JSON Schema of a kind of file, with which editors complete and check it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from withhold.cli.configuration_entry import ConfigurationEntry
from withhold.cli.output import out
from withhold.cli.render.json import json_text
from withhold.lint import CHECKS
from withhold.sources.entry import RuleEntry
from withhold.sources.protected import ProtectedEntry
from withhold.testing import reading
from withhold.testing.elsewhere import ELSEWHERE
from withhold.testing.viewers import UNKNOWN


class Kind(StrEnum):
    """The kinds of files that have a schema."""

    RULES = "rules"
    CASES = "cases"
    PROTECTED = "protected"
    CONFIGURATION = "configuration"


#: The models that read a file of each kind.
_MODELS: Mapping[Kind, tuple[type[BaseModel], ...]] = {
    Kind.RULES: (RuleEntry,),
    Kind.CASES: (reading.FileEntry, reading._Case),
    Kind.PROTECTED: (ProtectedEntry,),
    Kind.CONFIGURATION: (ConfigurationEntry,),
}


#: The first sentence of a docstring, without a reference to the contract, and what follows it.
_SENTENCE = re.compile(r"(.+?)(?: \(R[0-9]+\))?(\.)(?:\s.*)?", re.DOTALL)


class _Generator(GenerateJsonSchema):
    """Leaves out titles and defaults, which would repeat the keys. Nodes may be anything: other models read them."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {}


def schema_of(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file.

    Every file that loads is valid, but the loader finds further problems.
    """
    models = _MODELS[kind]
    _, found = models_json_schema([(model, "validation") for model in models], schema_generator=_Generator)
    definitions = found["$defs"]
    whole: dict[str, Any] = {"$ref": f"#/$defs/{models[0].__name__}"}
    if kind is Kind.RULES:
        code = definitions["RuleEntry"]["properties"]["withheld_in"]
        groups = {"type": ["object", "null"], "additionalProperties": {"anyOf": code["anyOf"][:2]}}
        groups["description"] = "Names for lists of territories, in upper or lower case."
        whole = _mapping("a rule file", {"groups": groups, "rules": {"type": "array", "items": whole}})
        overrides = {check.code: {"description": check.summary} for check in CHECKS}
        definitions["RuleEntry"]["properties"]["override"]["anyOf"][0]["properties"] = overrides
    elif kind is Kind.PROTECTED:
        listed = {"protected": {"type": "array", "items": whole}}
        whole = _mapping("a list of protected accounts", listed, "protected")
    elif kind is Kind.CASES:
        cases = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{models[1].__name__}"}}
        rules = schema_of(Kind.RULES)
        definitions["FileEntry"]["properties"] |= {"groups": rules["properties"]["groups"], "cases": cases}
        definitions["Code"] = rules["$defs"]["Code"]
        places = [*definitions["Code"]["anyOf"][0]["enum"], UNKNOWN, ELSEWHERE]
        expected = definitions[models[1].__name__]["properties"]["expect"]
        expected["propertyNames"] = {"anyOf": [{"enum": places}, {"type": "string"}]}
    used = _used(whole, definitions)
    for name, each in used.items():
        if "enum" in each:
            each.pop("title", None)  # the name of a class
        if "description" in each:
            used[name] = each | {"description": _SENTENCE.sub(r"\1\2", each["description"])}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": used}


def _used(schema: object, definitions: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the definitions to which a schema refers, also through others, by their names."""
    found: dict[str, dict[str, Any]] = {}
    todo = [schema]
    while todo:
        names = set(re.findall(r"#/\$defs/(\w+)", str(todo.pop()))) - found.keys()
        found |= {name: definitions[name] for name in names}
        todo += (definitions[name] for name in names)
    return dict(sorted(found.items()))


def _mapping(title: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "minProperties": 1,
        "additionalProperties": False,
    }


def schema(kind: Annotated[Kind, typer.Argument(help="The kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file, with which editors complete keys and underline mistakes."""
    out().file.write(json_text(schema_of(kind), indent=2) + "\n")
