"""Whatever a file contains, the loader either reads it or reports what is wrong.

Valid files are damaged at random: characters, lines, bytes and odd scalars are changed. Then:

- the result is a rule set or a `RuleSetError`, and the only warnings are `RuleSetWarning`;
- every problem has a code, a message in the house style, and a place inside its file;
- the rules that are read and refused are as many as another parser counts.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.fuzzing import (
    CSV,
    PLAIN,
    holds,
    loaded,
    spoilt,
)
from tests.sources.writing import write
from withhold import RuleSetError
from withhold.parsing import yaml_file

YAML = """\
groups:
  gulf: [AE, BH]
  isles: [uk, IE]
rules:
  - id: in-1
    accounts: [1101, 1102]
    withheld_in: [IN, gulf]   # a comment
    from: 2021-02-10T10:30:00+05:30
    until: null
    stays:
      - {from: 2021-03-01T00:00:00Z, until: 2021-04-01T00:00:00Z}
    reason: legal_demand
    demand: IN-D1
  - id: "in-2"
    tweets:
      - 1355667106821046272
      - '601430178305220600'
    withheld_in: WORLD
    except_in: [US, US-MS]
    if_unknown: show
    disclosure: none
    jurisdiction: EU
    review_by: 2026-08-10T00:00:00Z
    x-ticket: LEGAL-1
    reason: copyright
    note: >-
      two
      lines
  - {id: tr-1, ids_file: ids.csv, withheld_in: NO, reason: terms}
  - {id: tr-2, ids_file: {accounts: ids.txt}, effect: suspend, reason: local_law}
"""

JSON = json.dumps(
    {
        "groups": {"gulf": ["AE", "BH"], "isles": ["uk", "IE"]},
        "rules": [
            {
                "id": "in-1",
                "accounts": [1101, "601430178305220600"],
                "withheld_in": ["IN", "gulf"],
                "from": "2021-02-10T10:30:00+05:30",
                "until": None,
                "stays": [{"from": "2021-03-01T00:00:00Z", "until": "2021-04-01T00:00:00Z"}],
                "reason": "legal_demand",
                "note": "a \\ \u00e9\n\t",
            },
            {"id": "tr-1", "ids_file": "ids.csv", "withheld_in": "NO", "reason": "terms"},
            {"id": "tr-2", "ids_file": {"accounts": "ids.txt"}, "effect": "suspend", "reason": "local_law"},
        ],
    },
    indent=1,
)


def rules_in_yaml(data: bytes, loader: type) -> int | None:
    """Count the rules of a YAML text by its nodes. Return None if its top is not a mapping."""
    try:
        root = yaml.compose(data.decode("utf-8-sig"), Loader=loader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return None
    lists = [value for key, value in root.value if key.value == "rules" and isinstance(value, yaml.SequenceNode)]
    return sum(len(found.value) for found in lists)


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its repeated keys, distinguishable from a list."""


def rules_in_json(data: bytes) -> int | None:
    try:
        root = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(root, _Pairs):
        return None
    return sum(len(value) for key, value in root if key == "rules" and type(value) is list)


@pytest.mark.parametrize("loader", [yaml.BaseLoader, getattr(yaml, "CBaseLoader", yaml.BaseLoader)])
@settings(max_examples=250)
@given(data=spoilt(YAML))
@example(data=YAML.replace("1102]", "1102]\n    accounts: [1, 2, 3, x]").encode())
@example(data=b'rules: [{id: "\\ud800"}]')
@example(data=b'rules: ["\\UFFFFFFFF"]')
@example(data="# é\nrules: []\nx: \0".encode())
@example(data=b"rules: [")
@example(data=b'rules: [{"a`b\\nc`": 1}]')
def test_spoilt_yaml(loader: type, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_file, "_Loader", loader)
        write(Path(name), {"in.yaml": data, "ids.csv": CSV, "ids.txt": PLAIN})
        holds(loaded(Path(name), "in.yaml"), rules_in_yaml(data, loader))


@settings(max_examples=300)
@given(spoilt(JSON))
@example(b'{"rules": [{"id": "a", "id": "b", "stays": [], "stays": [{"from": 1}]}]}')
@example(b'{"rules": [1], "rules": [2, 3]}')
@example(b'{"rules": ["\\n')
def test_spoilt_json(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"in.json": data, "ids.csv": CSV, "ids.txt": PLAIN})
        result = loaded(Path(name), "in.json")
        written = rules_in_json(data)
        holds(result, written)
        if written is not None and isinstance(result, RuleSetError):
            printed = [problem.message for problem in result.problems if problem.code == "bad-json"]
            # Only the standard library accepts these.
            lenient = ("surrogate" in message or "expected a value" in message for message in printed)
            assert all(lenient), "the two readers disagree on what is JSON"


@settings(max_examples=100)
@given(st.binary(max_size=60), st.sampled_from([".yaml", ".json"]))
def test_any_bytes(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {f"in{suffix}": data})
        loaded(Path(name), f"in{suffix}")


@settings(max_examples=150)
@given(
    st.text(st.sampled_from("{}[]:,-?!&*#|>%@`'\" \n\t~<=.\\a1é\ufeff\x85\u2028"), max_size=30),
    st.sampled_from([".yaml", ".json"]),
)
def test_any_punctuation(text: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {f"in{suffix}": text})
        loaded(Path(name), f"in{suffix}")
