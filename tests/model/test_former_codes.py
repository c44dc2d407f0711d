"""The table of former, second and new codes agrees with the ISO data, and codes are read by it (C3, C4, T5)."""

from __future__ import annotations

import re
from unicodedata import combining, normalize

import pycountry
import pytest

from withhold import Rule, RuleSetWarning, TerritoryError, TerritorySet, Viewer
from withhold.territories import (
    ALIASES,
    Resolved,
    containing,
    countries,
    country_of,
    current,
    is_newer,
    is_subdivision,
    name_of,
    resolve,
    subdivisions,
)
from withhold.territories.table import TABLE, CodeRow

ROWS = list(TABLE.values())
LISTED = {found.code for found in pycountry.subdivisions} | set(countries())

#: Renamed places whose names share no word: the name changed with the code, or is in another language.
RENAMED_TOO = {
    *("BU", "DY", "HV", "NH", "RH", "TP", "ZR"),
    *("CZ-615", "IN-UL", "IQ-TS", "IR-31", "KZ-SEV", "KZ-YUZ", "MK-22", "MX-DIF"),
}


def hint(written: str) -> str:
    with pytest.raises(TerritoryError) as caught:
        resolve(written)
    return str(caught.value.hint)


def words(name: str) -> set[str]:
    letters = "".join(letter for letter in normalize("NFKD", name) if not combining(letter)).casefold()
    return set(re.findall(r"[a-z]+", letters))


def test_c4_every_row_is_complete_and_its_successors_are_in_use() -> None:
    for row in ROWS:
        check_complete(row)


def check_complete(row: CodeRow) -> None:
    assert row.name
    assert row.source
    assert re.fullmatch(r"(\d{4}(-\d\d-\d\d)?)?", row.changed)
    assert row.how in {"own", "renamed", "split", "merged", "replaced", "new", "reserved"}
    assert len(row.now) == (0 if row.how == "new" else 1) or row.how in {"split", "replaced", "reserved"}
    for code in row.now:
        assert resolve(code) == Resolved(code, None)
        assert (
            row.how == "own"
            or not is_subdivision(row.code)
            or country_of(code) == country_of(row.code)
            or row.code == "GB-CHA"
        )
    # No code in use is listed, except second codes and codes that newer ones replace.
    assert row.code not in LISTED or row.how in {"own", "replaced", "new"}


def test_c4_a_place_whose_code_was_renamed_has_a_similar_name() -> None:
    for row in (row for row in ROWS if row.how == "renamed"):
        alike = words(row.name) & words(name_of(row.now[0]))
        assert alike or row.code in RENAMED_TOO
        assert resolve(row.code.lower()) == Resolved(row.now[0], row.code)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("FR-75", "FR-75C"), ("IN-OR", "IN-OD"), ("IN-TG", "IN-TS"), ("IN-CT", "IN-CG"), ("IN-UT", "IN-UK")),
        *(("ZA-GT", "ZA-GP"), ("ZA-NL", "ZA-KZN"), ("GT-GU", "GT-01"), ("KZ-AST", "KZ-71"), ("PL-MZ", "PL-14")),
        *(("CN-11", "CN-BJ"), ("FR-COR", "FR-20R"), ("FR-J", "FR-IDF"), ("MX-DIF", "MX-CMX"), ("EE-44", "EE-45")),
        *(("TP", "TL"), ("ZR", "CD"), ("NO-23", "NO-50"), ("CA-NF", "CA-NL"), ("AU-NS", "AU-NSW"), ("TP-DI", "TL-DI")),
    ],
)
def test_c4_a_former_code_is_read_as_its_successor_with_a_warning(written: str, code: str) -> None:
    """T2: the place is the same."""
    assert resolve(written) == Resolved(code, written)
    with pytest.warns(RuleSetWarning, match=f"`{written}` was read as `{code}`"):
        rule = Rule(id="a", accounts=[1], withheld_in=[written], reason="terms")
    assert rule.withheld_in == (code,)
    assert TerritorySet([written]) == TerritorySet([code])


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("AN", "BQ CW SX"),
        ("CS", "CZ SK ME RS XK"),
        ("SU", "AM AZ BY EE GE KG KZ LT LV MD RU TJ TM UA UZ"),
        ("YU", "BA HR ME MK RS SI XK"),
        ("DD", "DE"),
        ("NO-30", "NO-31 NO-32 NO-33"),
        ("NO-38", "NO-39 NO-40"),
        ("NO-54", "NO-55 NO-56"),
        ("NO-16", "NO-50"),
        ("NP-LU", "NP-P4 NP-P5"),
        ("NP-5", "NP-P7"),
        ("PH-MAG", "PH-MGN PH-MGS"),
        ("GB-NTH", "GB-NNH GB-WNH"),
        ("IN-DD", "IN-DH"),
        ("FR-B", "FR-NAQ"),
        ("OM-BA", "OM-BJ OM-BS"),
        ("IC", "ES-CN"),
    ],
)
def test_c4_a_code_whose_place_was_divided_or_enlarged_is_refused_with_its_successors(written: str, named: str) -> None:
    printed = hint(written)
    assert set(named.split()) <= set(re.findall(r"`([A-Z0-9-]+)`", printed))
    assert not printed.startswith("did you mean") or written == "IC"


@pytest.mark.parametrize("code", ["AI", "BQ", "BY", "GE", "SK"])
def test_c4_a_code_in_use_takes_precedence_over_the_country_that_had_it_before(code: str) -> None:
    assert code in {found.alpha_2 for found in pycountry.historic_countries}
    assert resolve(code) == Resolved(code, None)


@pytest.mark.parametrize("code", ["NO-31", "NO-32", "NO-33", "NO-39", "NO-40", "NO-55", "NO-56"])
def test_c4_codes_newer_than_the_data_are_valid(code: str) -> None:
    assert resolve(code) == Resolved(code, None)
    assert containing(code) == (code, "NO", "WORLD")
    assert name_of(code) != code
    assert is_newer(code) is (code not in LISTED)
    Viewer(country="NO", subdivisions=[code])
    assert str(TerritorySet(subdivisions("NO"))) == ", ".join(subdivisions("NO"))


def test_c3_a_second_code_is_read_as_its_country_and_is_inside_it() -> None:
    """T5: the same holds in rules and in records."""
    for row in (row for row in ROWS if row.how == "own"):
        own = row.now[0]
        assert resolve(row.code) == Resolved(own, row.code)
        assert current(row.code) == ALIASES[row.code] == own
        assert row.code not in subdivisions(country_of(row.code))
        assert containing(row.code) == (row.code, *containing(own))


def test_c3_all_codes_for_kosovo_denote_one_place() -> None:
    for written in ("RS-KM", "RS-25", "RS-26", "RS-27", "RS-28", "RS-29", "rs-xk"):
        assert resolve(written).code == "XK"
        assert "XK" in containing(written.upper())
        assert "RS" not in containing(written.upper())
    assert not {"RS-KM", "RS-25"} & set(subdivisions("RS"))


@pytest.mark.parametrize(
    ("country", "parts", "location_key"),
    [
        ("FR", ["FR-RE"], ("RE", ())),
        ("FR", ["fr-re", "FR-974"], ("RE", ())),
        ("RS", ["RS-KM", "RS-25"], ("XK", ())),
        ("CN", ["CN-91"], ("HK", ())),
        ("NL", ["NL-BQ1"], ("BQ", ("BQ-BO",))),
        ("FR", ["FR-IDF", "FR-75"], ("FR", ("FR-75C", "FR-IDF"))),
    ],
)
@pytest.mark.filterwarnings("ignore::withhold.RuleSetWarning")
def test_c3_a_viewer_with_a_second_code_is_in_the_country_that_it_denotes(
    country: str, parts: list[str], location_key: tuple[str, tuple[str, ...]]
) -> None:
    assert Viewer(country=country, subdivisions=parts).location_key == location_key


def test_c4_every_code_that_pycountry_ever_had_is_in_use_or_in_the_table() -> None:
    """The table has all codes that vanished up to this release.

    With a newer pycountry this test finds the next ones.
    """
    for code in (*subdivisions("NO"), *subdivisions("KZ"), *subdivisions("GT")):
        assert code in LISTED or TABLE[code].how == "new"
    assert not [code for code in LISTED if current(code) is None and TABLE[code].how != "replaced"]
    assert all(is_subdivision(row.code) or row.code not in countries() for row in ROWS)
