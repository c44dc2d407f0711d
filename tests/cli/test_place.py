"""Where the viewer is, by `--country` and `--subdivision` (E6)."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from withhold.cli.app import app
from withhold.cli.place import read_place
from withhold.errors import WithholdError
from withhold.model import Viewer
from withhold.territories import countries, country_of, subdivisions

RULES = "rules: [{id: a, accounts: [1], withheld_in: [US-CA, XK], reason: local_law}]\n"
#: Python code in a message: a call, a keyword argument, a tuple.
PYTHON = re.compile(r"\w\(.*\)`|\w+=['\"(\[]|\('")


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return str(file)


def run(command, rules, *places):
    arguments = [word for kind, code in places for word in (f"--{kind}", code)]
    return CliRunner().invoke(app, [command, rules, "--account", "1", "--format", "json", *arguments])


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ([("country", "US"), ("subdivision", "CA")], ("US", ["US-CA"])),
        ([("country", "us"), ("subdivision", "ca")], ("US", ["US-CA"])),
        ([("country", "US"), ("subdivision", "US-CA")], ("US", ["US-CA"])),
        ([("country", "US-UT")], ("US", ["US-UT"])),
        ([("country", "US-UT"), ("subdivision", "UT")], ("US", ["US-UT"])),
        ([("subdivision", "US-MS")], ("US", ["US-MS"])),
        ([("subdivision", "GB-WBK"), ("subdivision", "GB-ENG")], ("GB", ["GB-ENG", "GB-WBK"])),
        ([("country", "CA")], ("CA", [])),
        ([("country", "CA"), ("subdivision", "AB")], ("CA", ["CA-AB"])),
        ([("country", "UK"), ("subdivision", "ENG")], ("GB", ["GB-ENG"])),
        ([("country", "FR"), ("subdivision", "75"), ("subdivision", "IDF")], ("FR", ["FR-75C", "FR-IDF"])),
        ([("country", "FR"), ("subdivision", "RE")], ("RE", [])),
        ([("country", "FR-RE")], ("RE", [])),
        ([("subdivision", "FR-974")], ("RE", [])),
        ([("country", "RE"), ("subdivision", "FR-RE")], ("RE", [])),
        ([("country", "RS-25")], ("XK", [])),
        ([("country", "NL"), ("subdivision", "BQ1")], ("BQ", ["BQ-BO"])),
        ([("country", "NO"), ("subdivision", "3")], ("NO", ["NO-03"])),
        ([("country", "SI"), ("subdivision", "61")], ("SI", ["SI-061"])),
        ([("country", "RE"), ("subdivision", "974")], ("RE", [])),
        ([("country", "GB"), ("subdivision", "SH-AC")], ("SH", ["SH-AC"])),
        ([("country", "US"), ("subdivision", "UM-76")], ("UM", ["UM-76"])),
        ([("country", "BQ"), ("subdivision", "NL-BQ1")], ("BQ", ["BQ-BO"])),
    ],
)
@pytest.mark.parametrize("command", ["check", "explain"])
def test_e6_a_place_is_read_as_people_type_it(rules, command, places, where):
    found = run(command, rules, *places)
    assert found.exit_code in (0, 3), found.output
    viewer = json.loads(found.stdout)["viewer"]
    assert (viewer["country"], viewer["subdivisions"]) == where


@pytest.mark.parametrize(
    ("places", "printed"),
    [
        ([("subdivision", "CA")], "`CA` is Canada, which is not a subdivision"),
        ([("country", "CA"), ("subdivision", "CA")], "`CA` is Canada, which is not a subdivision"),
        ([("country", "IN"), ("subdivision", "US-MS")], "contradicts country `IN`"),
        ([("country", "US-UT"), ("subdivision", "US-CA")], "nobody can be in `US-CA` and `US-UT` at once"),
        ([("country", "US-UT"), ("subdivision", "IN-DL")], "contradicts country `US`"),
        ([("subdivision", "US-MS"), ("subdivision", "GB-ENG")], "contradicts country `US`"),
        ([("country", "FR"), ("subdivision", "RE"), ("subdivision", "GP")], "give it with --country"),
        ([("country", "US"), ("subdivision", "Mississippi")], "did you mean `US-MS` (Mississippi)?"),
        ([("country", "US"), ("subdivision", "US_MS")], "did you mean `US-MS` (Mississippi)?"),
        ([("country", "US"), ("subdivision", "US/MS")], "did you mean `US-MS` (Mississippi)?"),
        ([("country", "us_ms")], "did you mean `US-MS` (Mississippi)?"),
        ([("country", "US"), ("subdivision", "CA,MS")], "a viewer is in one place: give each option one code"),
        ([("country", "IN,PK")], "a viewer is in one place: give each option one code"),
        ([("country", "GB"), ("subdivision", "US-MS")], "contradicts country `GB`"),
        ([("country", "Turkey")], "did you mean `TR` (Türkiye)?"),
        ([("country", "NO-30")], "`NO-31`, `NO-32`, `NO-33`"),
        ([("country", "XX")], "omit --country if the location is unknown"),
        ([("country", "T1")], "omit --country if the location is unknown"),
        ([("country", "unknown")], "omit --country if the location is unknown"),
        ([("country", "WORLD")], "a viewer is in one country"),
        ([("country", "everywhere")], "a viewer is in one country"),
        ([("country", "EU")], "it is a group, the European Union, not a country"),
        ([("country", "")], "write an ISO 3166 code such as `IN` or `US-MS`"),
        ([("country", "")], "omit --country if the location is unknown"),
        ([("country", "US"), ("subdivision", "")], "unknown subdivision `US-`"),
        ([("country", "US"), ("subdivision", "")], "omit --subdivision if it is unknown"),
    ],
)
@pytest.mark.parametrize("command", ["check", "explain"])
def test_e6_a_place_that_is_none_is_an_error_in_the_words_of_the_command(rules, command, places, printed):
    found = run(command, rules, *places)
    assert found.exit_code == 2
    assert printed in " ".join(found.stderr.split())
    assert not PYTHON.search(found.stderr)


_CODES = st.sampled_from(
    [*countries(), *(code for country in ("US", "CA", "FR", "RS", "NO") for code in subdivisions(country))]
)
_WORDS = (
    _CODES
    | st.sampled_from(["XX", "WORLD", "EU", "AN", "FR-RE", "RE", "CA", "75", "Mississippi", ""])
    | st.text(max_size=5)
)


@given(st.none() | _WORDS, st.lists(_WORDS, max_size=3))
@pytest.mark.filterwarnings("ignore::withhold.RuleSetWarning")
def test_e6_any_words_are_a_place_or_an_error_without_python_in_it(country, parts):
    printed = ""
    try:
        around, inside = read_place(country, parts)
        Viewer(country=around, subdivisions=inside)
    except WithholdError as error:
        printed = str(error)
    assert not PYTHON.search(printed), printed
    assert "Viewer" not in printed


@given(st.sampled_from([code for country in countries() for code in subdivisions(country)]))
def test_e6_every_subdivision_is_read_in_each_way(code):
    country, part = code.split("-", 1)
    for written in ((country, [code]), (code, []), (None, [code]), (country, [part]), (code, [part])):
        around, inside = read_place(*written)
        assert Viewer(country=around, subdivisions=inside).location_key == (country_of(code), (code,))
