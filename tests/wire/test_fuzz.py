"""For any file, each record is read or refused, and the rules contain no text from it."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import DOCUMENTED
from tests.wire.material import FILES, read_text
from withhold import RuleSet, WireError
from withhold.sources.exporting import rule_files
from withhold.wire import FORMS, Read, rules_of
from withhold.wire.records import json_records, parse
from withhold.wire.values import Refused

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    1.5,
    1e400,
    2**53 + 1,
    2**63,
    10**400,
    "",
    "0",
    "17",
    "١٧",
    "IN",
    "in",
    "XX",
    "xy",
    "UK",
    "ZZ",
]
ODD += [
    "\u202e::error::",
    "\x1b[31m\n- id: a",
    "a\x00",
    "\ud800",
    "2021-07-06T18:40:40.000Z",
    "9" * 400,
    [],
    ["IN"],
    [["IN"]],
    {},
    {"id": 1},
]
ODD += [
    "apply",
    "remove",
    "user",
    "withheld",
    "did:plc:aaa",
    "aaa",
    "aaaaaaaaaaa",
    "EU-ONLY",
    "LegalRequest:de;" * 9,
    "tag:search.twitter.com,2005:1",
]


def checked(found: Read, form: str) -> None:
    """Assert that the counts add up, that errors are documented, and that the rules load and are free of given text."""
    assert found.given == found.read + found.refused
    assert len(found.problems) == min(found.refused, 100)
    assert {problem.code for problem in found.problems} <= DOCUMENTED
    assert all(str(problem).isprintable() for problem in found.problems)
    rules = rules_of(found.events, form)
    assert all(re.fullmatch(r"[\w:.-]+", rule.id, re.ASCII) for rule in rules)
    for text in rule_files({form: rules}, "a command").values():
        assert re.fullmatch(r"[\w:.,;'#`{}\[\] \n-]*", text, re.ASCII)


def mutated(value: Any, draw: st.DrawFn) -> Any:
    """Return a JSON value with one part replaced, removed or added."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        match draw(st.integers(0, 7)):
            case 0:
                return {name: each for name, each in value.items() if name != key}
            case 1:
                return {
                    **value,
                    draw(st.sampled_from(["id_str", "withheld", "user", "errors", "data", "a\x1b"])): value[key],
                }
            case _:
                return {**value, key: mutated(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], mutated(value[at], draw), *value[at + draw(st.integers(0, 1)) :]]
    return draw(st.sampled_from(ODD))


@st.composite
def json_files(draw: st.DrawFn, form: str) -> str:
    text = FILES[form].read_text("utf-8")
    try:
        values = [json.loads(text)]
    except json.JSONDecodeError:
        values = [json.loads(line) for line in text.splitlines()]
    values = [mutated(value, draw) if draw(st.booleans()) else value for value in values]
    return "\n".join(map(json.dumps, values))


JSON_FORMS = [name for name, form in FORMS.items() if not form.columns]


@pytest.mark.parametrize("form", JSON_FORMS)
def test_every_record_of_mutated_files_is_read_or_refused(form):
    @settings(max_examples=60)
    @given(json_files(form))
    def check(text: str) -> None:
        checked(read_text(form, text), form)

    check()


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.columns])
def test_every_row_of_mutated_tables_is_read_or_refused(form):
    cell = st.sampled_from(
        [
            "",
            "1",
            "'1",
            "tweet",
            "account",
            "withheld",
            "not_withheld",
            "Dmca",
            "LegalRequest(in)",
            "DE + FR",
            '"',
            "\n",
            "\x00",
            "\u202e",
            "=1",
        ]
    )
    header, *_ = FILES[form].read_text("utf-8").splitlines()
    rows = st.lists(st.lists(cell, min_size=1, max_size=header.count(",") + 2).map(",".join), max_size=6)

    @settings(max_examples=60)
    @given(rows)
    def check(lines: list[str]) -> None:
        checked(read_text(form, "\n".join([header, *lines])), form)

    check()


@settings(max_examples=200)
@given(
    st.sampled_from([*FORMS]),
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="replace")),
)
def test_any_bytes_are_read_or_refused(form, data):
    try:
        found = read_text(form, data)
    except WireError as error:
        code = error.code
    else:
        code = "bad-csv-header"
        checked(found, form)
    assert code == "bad-csv-header"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_read_as_the_json_module_reads_it(value):
    text = json.dumps(value)
    assert parse(text.encode()) == json.loads(text)


#: Texts in which each # stands for a digit.
SHAPES = [
    '{"a#":##,"a#":"#"}',
    '{"a":-#.##e##,"b":[##,"##"]}',
    '{"a":{"a":##}}',
    r'{"a":"\u00##","\u006#":##}',
    "##",
    "{##",
    "[1##]",
]


@given(st.lists(st.tuples(st.sampled_from(SHAPES), st.text("01", min_size=9, max_size=9)), min_size=2))
def test_lines_that_differ_only_in_digits_are_parsed_one_by_one(lines):
    texts = [
        "".join(next(found) if each == "#" else each for each in shape)
        for shape, digits in lines
        for found in [iter(digits)]
    ]
    found = list(json_records(io.BytesIO("\n".join(["{}", *texts]).encode())))
    wanted: list[tuple[int, str]] = [(1, "{}")]
    for line, text in enumerate(texts, 2):
        try:
            value = parse(text.encode())
        except Refused as error:
            wanted.append((line, repr(error)))
        else:
            wanted += [(line, repr(each)) for each in (value if isinstance(value, list) else [value])]
    assert [(line, repr(record)) for line, record in found] == wanted


def test_rule_files_of_hostile_events_load(tmp_path):
    hostile = {"src": "\x1b[31m", "uri": "did:plc:aaa", "val": "!hide\n- id: x", "cts": "2025-04-14T10:00:00Z"}
    found = read_text("bluesky", json.dumps(hostile))
    for path, text in rule_files({"bluesky": rules_of(found.events, "bluesky")}, "a command").items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert len(RuleSet.load(tmp_path)) == 0
