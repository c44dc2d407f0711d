"""`withhold schema`: print the JSON Schema of a kind of file, with which editors complete and check it."""

from __future__ import annotations

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
        whole = _mapping({"groups": groups, "rules": {"type": "array", "items": whole}})
        overrides = {check.code: {"description": check.summary} for check in CHECKS}
        definitions["RuleEntry"]["properties"]["override"]["anyOf"][0]["properties"] = overrides
    elif kind is Kind.PROTECTED:
        whole = _mapping({"protected": {"type": "array", "items": whole}}, "protected")
    elif kind is Kind.CASES:
        cases = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{models[1].__name__}"}}
        rules = schema_of(Kind.RULES)
        definitions["FileEntry"]["properties"] |= {"groups": rules["properties"]["groups"], "cases": cases}
        definitions["Code"] = rules["$defs"]["Code"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": definitions}


def _mapping(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "minProperties": 1,
        "additionalProperties": False,
    }


def schema(kind: Annotated[Kind, typer.Argument(help="The kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file, with which editors complete keys and underline mistakes."""
    out.file.write(json_text(schema_of(kind), indent=2) + "\n")
